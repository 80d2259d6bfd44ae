"""Keeping the registry true over HTTP: corrections, successions, audits, and what they do to running protocols."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from harness import Client, System, today, until, votes

from services.protocols.adapters.audit import verify

TODAY = today().isoformat()
LONG_AGO = "2020-01-15"


@pytest.fixture(scope="module")
def registrar(embedded: System) -> Client:
    return embedded.client("registrar")


def association(registrar: Client, name: str, **fields: Any) -> dict[str, Any]:
    body = {"name": f"{name} {uuid.uuid4().hex[:6]}", "form": "association", "province_code": "34", **fields}
    return dict(registrar.post("/organisations", body))


def exempt(registrar: Client, name: str) -> dict[str, Any]:
    """A public-benefit association."""
    made = association(registrar, name)
    body = {"kind": "public_benefit", "decision_no": "2020/12", "decision_on": LONG_AGO}
    return dict(registrar.post(f"/organisations/{made['id']}/statuses", body))


def representative(system: System, organisation_id: str) -> Client:
    name = f"rep.{uuid.uuid4().hex[:8]}"
    system.add_office(name, "organisation_representative", {"organisation_id": organisation_id})
    return system.client(name)


def file_of(system: System, protocol_id: str) -> dict[str, Any]:
    return dict(system.client("unit").get(f"/protocols/{protocol_id}"))


def flagged(system: System, protocol_id: str) -> dict[str, Any]:
    """The file, once its review is open."""
    return until(lambda: (found := file_of(system, protocol_id))["legal_review"]["state"] == "open" and found)


def before_the_council(system: System, organisation_id: str) -> dict[str, Any]:
    """A file on the agenda of the council."""
    drafted = system.draft(organisation_id)
    moved = system.client("unit").move(drafted, "submit_to_mayor")
    return system.client("mayor").move(moved, "refer_to_council")


def acts_of(system: System, protocol_id: str) -> list[dict[str, Any]]:
    return list(system.client("unit").get(f"/protocols/{protocol_id}/timeline?size=200")["items"])


def revoke(registrar: Client, organisation: dict[str, Any]) -> None:
    status = organisation["statuses"][0]["id"]
    path = f"/organisations/{organisation['id']}/statuses/{status}/revocation"
    registrar.post(path, {"revoked_on": TODAY, "decision_no": "2026/7", "reason": "5253/27"}, status=200)


# a status revoked on the way


@pytest.fixture(scope="module")
def revoked(embedded: System, registrar: Client) -> dict[str, Any]:
    """A file whose exempt partner lost its status while the council had it."""
    organisation = exempt(registrar, "Engelsiz Sokaklar Derneği")
    file = file_of(embedded, before_the_council(embedded, organisation["id"])["id"])
    assert ("exempt", "none") == (file["standing"]["permission"], file["legal_review"]["state"])
    revoke(registrar, organisation)
    return {"before": file, "after": flagged(embedded, file["id"]), "organisation": organisation}


def test_a_file_whose_partner_loses_its_status_is_flagged_with_the_evidence(revoked: dict[str, Any]) -> None:
    review = revoked["after"]["legal_review"]
    status = review["evidence"]["status"]
    assert ("status_revoked", "exempt", "required", "5393/75-c") == (
        review["cause_code"], review["was"]["permission"], review["now"]["permission"], review["article"],
    )  # fmt: skip
    assert (revoked["organisation"]["statuses"][0]["id"], "2020/12", "2026/7", TODAY) == (
        status["id"], status["decision_no"], status["revocation_no"], status["revoked_on"],
    )  # fmt: skip
    assert "2026/7" in review["cause"]


def test_nothing_of_a_flagged_file_is_rerouted(revoked: dict[str, Any]) -> None:
    same = ("stage", "whose_turn", "clocks", "due_on", "standing", "since")
    assert {name: revoked["before"][name] for name in same} == {name: revoked["after"][name] for name in same}
    assert [each["move"] for each in revoked["before"]["options"]] == [
        each["move"] for each in revoked["after"]["options"]
    ]


def test_the_unit_finds_a_flagged_file_in_its_work_and_in_the_list(embedded: System, revoked: dict[str, Any]) -> None:
    unit, own = embedded.client("unit"), revoked["after"]["id"]
    mine = [each for each in unit.get("/work?size=200")["items"] if each["subject"]["id"] == own]
    assert [("open", "today")] == [(each["legal_review"]["state"], each["urgency"]) for each in mine]
    listed = unit.get("/protocols?legal_review=open&size=200")["items"]
    assert own in [each["id"] for each in listed]
    assert {"open"} == {each["legal_review"]["state"] for each in listed}
    assert own not in [each["id"] for each in unit.get("/protocols?legal_review=none&size=200")["items"]]


@pytest.mark.parametrize("office", ["unit", "clerk", "mayor"])
def test_the_offices_of_the_municipality_are_told_of_the_flag(
    embedded: System, revoked: dict[str, Any], office: str
) -> None:
    told = until(
        lambda: [
            each
            for each in embedded.client(office).get("/notifications?size=200")["items"]
            if (each["event"], each["subject_id"]) == ("protocol.flagged.v1", revoked["after"]["id"])
        ]
    )
    assert ["Legal review needed"] == [each["title"] for each in told]


SETTLEMENT = {"opinion": "İzin yolu izlenmelidir.", "outcome": "seek_permission"}


@pytest.mark.parametrize(
    ("office", "status"),
    [("clerk", 403), ("mayor", 403), ("auditor", 403), ("registrar", 403), ("admin", 403), ("besiktas.unit", 404)],
)
def test_only_the_unit_of_the_own_municipality_settles(
    embedded: System, revoked: dict[str, Any], office: str, status: int
) -> None:
    path = f"/protocols/{revoked['after']['id']}/legal-review/settlement"
    version = revoked["after"]["version"]
    assert status == embedded.client(office).ask("POST", path, SETTLEMENT, version=version).status


def test_a_settled_review_shows_in_file_and_timeline_and_the_file_goes_its_ordinary_way(
    embedded: System, revoked: dict[str, Any]
) -> None:
    unit, file = embedded.client("unit"), revoked["after"]
    path = f"/protocols/{file['id']}/legal-review/settlement"
    assert 428 == unit.ask("POST", path, SETTLEMENT).status
    assert 412 == unit.ask("POST", path, SETTLEMENT, version=file["version"] - 1).status
    settled = unit.post(path, SETTLEMENT, version=file["version"], status=200)
    review = settled["legal_review"]
    assert ("settled", "seek_permission", SETTLEMENT["opinion"]) == (
        review["state"], review["settled"]["outcome"], review["settled"]["opinion"],
    )  # fmt: skip
    assert ["flag_legal_review", "settle_legal_review"] == [each["move"] for each in acts_of(embedded, file["id"])[-2:]]
    again = unit.ask("POST", path, SETTLEMENT, version=settled["version"])
    assert (409, "no_open_review") == (again.status, again.body["reasons"][0]["code"])
    sitting = {"sitting_on": TODAY, "decision_no": "12", "votes": votes(), "without_commission_votes": votes()}
    accepted = embedded.client("clerk").move(settled, "accept", **sitting)
    assert ("mayor_check", "required") == (accepted["stage"], accepted["standing"]["permission"])
    assert file["id"] not in [
        each["subject"]["id"] for each in unit.get("/work?size=200")["items"] if each["legal_review"]
    ]


def test_the_opinion_is_the_municipalitys_own(embedded: System, registrar: Client) -> None:
    organisation = exempt(registrar, "Görüş Derneği")
    partner = representative(embedded, organisation["id"])
    file = before_the_council(embedded, organisation["id"])
    revoke(registrar, organisation)
    version = flagged(embedded, file["id"])["version"]
    path = f"/protocols/{file['id']}/legal-review/settlement"
    assert 403 == partner.ask("POST", path, SETTLEMENT, version=version).status
    embedded.client("unit").post(path, SETTLEMENT, version=version, status=200)
    seen = partner.get(f"/protocols/{file['id']}")["legal_review"]["settled"]
    assert ("seek_permission", None) == (seen["outcome"], seen.get("opinion"))
    for client, known in ((partner, False), (embedded.client("auditor"), True)):
        last = client.get(f"/protocols/{file['id']}/timeline?size=200")["items"][-1]
        assert ("settle_legal_review", known) == (last["move"], "opinion" in last["fields"])


def test_a_status_that_comes_back_closes_the_flag(embedded: System, registrar: Client) -> None:
    organisation = exempt(registrar, "Geri Dönen Derneği")
    file = before_the_council(embedded, organisation["id"])
    revoke(registrar, organisation)
    flagged(embedded, file["id"])
    restated = {
        "kind": "public_benefit", "decision_no": "2020/12", "decision_on": LONG_AGO,
        "corrects": organisation["statuses"][0]["id"],
    }  # fmt: skip
    registrar.post(f"/organisations/{organisation['id']}/statuses", restated)
    review = until(lambda: (found := file_of(embedded, file["id"])["legal_review"])["state"] == "settled" and found)
    assert ("standing_returned", "exempt") == (review["settled"]["outcome"], review["now"]["permission"])
    assert ["flag_legal_review", "close_legal_review"] == [each["move"] for each in acts_of(embedded, file["id"])[-2:]]


# successions


def merge(old: dict[str, Any], heir: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kind": "merge", "effective_on": TODAY, "basis": "Genel kurul kararı", "successors": [{"organisation_id": heir["id"]}],
        **more,
    }  # fmt: skip


def test_open_protocols_follow_a_merger_and_old_ids_and_numbers_lead_onward(
    embedded: System, registrar: Client
) -> None:
    number = f"34.{uuid.uuid4().int % 1000:03}.{uuid.uuid4().int % 1000:03}"
    old = association(registrar, "Eski Mahalle Derneği", registry_no=number)
    other, heir = association(registrar, "Öteki Mahalle Derneği"), association(registrar, "Birleşik Mahalle Derneği")
    former, later = representative(embedded, old["id"]), representative(embedded, heir["id"])
    file, second = before_the_council(embedded, old["id"]), embedded.draft(other["id"])
    order, path = merge(old, heir, also=[other["id"]]), f"/organisations/{old['id']}/succession"
    preview = registrar.post(f"{path}/preview", order, status=200)
    assert ({"open": 2, "to": {"id": heir["id"], "name": heir["name"], "registry_no": None}}, "dissolved") == (
        preview["protocols"] | {"to": {"registry_no": None} | preview["protocols"]["to"]},
        preview["organisations"][0]["after"]["state"],
    )
    assert ("active", []) == (registrar.get(f"/organisations/{old['id']}")["state"], old["successors"])
    gone = registrar.post(path, order, version=1)
    assert ("dissolved", [heir["id"]]) == (gone["state"], gone["successors"])
    followed = until(lambda: (found := file_of(embedded, file["id"]))["organisation_id"] == heir["id"] and found)
    assert (heir["name"], "council_agenda", "succession") == (
        followed["organisation_name"], followed["stage"], followed["legal_review"]["cause_code"],
    )  # fmt: skip
    assert ["follow_succession", "flag_legal_review"] == [each["move"] for each in acts_of(embedded, file["id"])[-2:]]
    until(lambda: file_of(embedded, second["id"])["organisation_id"] == heir["id"])
    assert (404, 200) == (
        former.ask("GET", f"/protocols/{file['id']}").status,
        later.ask("GET", f"/protocols/{file['id']}").status,
    )
    lineage = registrar.get(path)
    assert [heir["id"]] == [each["id"] for each in lineage["leads_to"]]
    assert {old["id"], other["id"]} == {
        each["id"] for each in registrar.get(f"/organisations/{heir['id']}/succession")["predecessors"]
    }
    assert [old["id"]] == [each["id"] for each in registrar.get(f"/organisations?query={number}")["items"]]
    again = registrar.ask("POST", path, merge(old, heir), version=gone["version"])
    assert (409, "was_succeeded") == (again.status, again.body["reasons"][0]["code"])


def test_a_renamed_organisation_is_found_by_both_names_and_its_files_bear_the_new_one(
    embedded: System, registrar: Client
) -> None:
    number = f"34.{uuid.uuid4().int % 1000:03}.{uuid.uuid4().int % 1000:03}"
    organisation = association(registrar, "Çınaraltı Okurları", registry_no=number)
    file = embedded.draft(organisation["id"])
    mark = uuid.uuid4().hex[:8]
    order = {
        "kind": "rename", "effective_on": TODAY, "basis": "Tüzük değişikliği", "name": f"Gölgelik Okurları {mark}",
        "registry_no": f"35{number[2:]}",
    }  # fmt: skip
    renamed = registrar.post(f"/organisations/{organisation['id']}/succession", order, version=1)
    assert (organisation["id"], "active", [(organisation["name"], number, TODAY)]) == (
        renamed["id"], renamed["state"], [(each["name"], each["registry_no"], each["until"]) for each in renamed["former"]],
    )  # fmt: skip
    for query in (organisation["name"], order["name"], number, order["registry_no"]):
        assert organisation["id"] in [each["id"] for each in registrar.get(f"/organisations?query={query}")["items"]]
    taken = registrar.ask("POST", "/organisations", {"name": "Başkası", "form": "association", "registry_no": number})
    assert 409 == taken.status
    followed = until(lambda: (f := file_of(embedded, file["id"]))["organisation_name"] == order["name"] and f)
    assert ("none", "follow_succession") == (
        followed["legal_review"]["state"],
        acts_of(embedded, file["id"])[-1]["move"],
    )


def test_open_protocols_go_to_a_part_that_left_while_the_old_organisation_goes_on(
    embedded: System, registrar: Client
) -> None:
    old, heir = association(registrar, "Kalan Dernek"), association(registrar, "Ayrılan Dernek")
    file = before_the_council(embedded, old["id"])
    order = merge(old, heir, kind="split", continues=True, protocols_to=0)
    path = f"/organisations/{old['id']}/succession"
    left = registrar.post(path, order, version=old["version"])
    assert ("active", old["version"] + 1) == (left["state"], left["version"])
    assert 412 == registrar.ask("POST", path, order, version=old["version"]).status
    followed = until(lambda: (found := file_of(embedded, file["id"]))["organisation_id"] == heir["id"] and found)
    assert ("council_agenda", "open", "succession") == (
        followed["stage"], followed["legal_review"]["state"], followed["legal_review"]["cause_code"],
    )  # fmt: skip


def test_statuses_do_not_pass_to_a_successor_and_the_preview_says_so(registrar: Client) -> None:
    old, heir = exempt(registrar, "Kamu Yararına Dernek"), association(registrar, "Ardıl Dernek")
    preview = registrar.post(f"/organisations/{old['id']}/succession/preview", merge(old, heir), status=200)
    assert [("5253/27", False)] == [(each["article"], each["settled"]) for each in preview["not_passing"]]
    registrar.post(f"/organisations/{old['id']}/succession", merge(old, heir), version=old["version"])
    assert "required" == registrar.get(f"/organisations/{heir['id']}/standing")["permission"]


def test_a_merger_reaches_running_files_in_both_modes(system: System) -> None:
    registrar = system.client("registrar")
    old, heir = exempt(registrar, "Eski İki Kip Derneği"), association(registrar, "Yeni İki Kip Derneği")
    file = system.draft(old["id"])
    path = f"/organisations/{old['id']}/succession"
    assert 1 == registrar.post(f"{path}/preview", merge(old, heir), status=200)["protocols"]["open"]
    registrar.post(path, merge(old, heir), version=old["version"])
    review = until(
        lambda: (
            (found := file_of(system, file["id"]))["organisation_id"] == heir["id"]
            and found["legal_review"]["cause_code"] == "succession"
            and found["legal_review"]
        )
    )
    assert ("open", "exempt", "required") == (review["state"], review["was"]["permission"], review["now"]["permission"])


# corrections


def test_a_correction_is_decided_field_by_field(embedded: System, registrar: Client) -> None:
    organisation = association(registrar, "Düzelten Dernek")
    own = representative(embedded, organisation["id"])
    path = f"/organisations/{organisation['id']}/corrections"
    wrong = own.ask("POST", path, {"changes": {"tax_no": "4540536921", "state": "dissolved"}})
    assert (422, ["changes.state"]) == (wrong.status, [each["field"] for each in wrong.body["errors"]])
    made = own.post(path, {"changes": {"address": "Yeni adres 1", "district": "Şişli"}, "note": "Taşındık"})
    assert ("open", 1) == (made["state"], made["version"])
    assert 409 == own.ask("POST", path, {"changes": {"address": "Yeni adres 2"}}).status
    told = until(
        lambda: [
            each
            for each in registrar.get("/notifications?size=200")["items"]
            if (each["event"], each["subject_id"]) == ("organisation.correction_proposed.v1", organisation["id"])
        ]
    )
    assert 1 == len(told)
    decision = f"/corrections/{made['id']}/decision"
    no_reason = registrar.ask("POST", decision, {"decisions": [{"field": "district", "accept": False}]}, version=1)
    assert (422, "decisions.0.reason") == (no_reason.status, no_reason.body["errors"][0]["field"])
    answer = {"decisions": [{"field": "address", "accept": True}]}
    partly = registrar.post(decision, answer, version=1, status=200)
    assert ("partly_decided", "Yeni adres 1") == (
        partly["state"], registrar.get(f"/organisations/{organisation['id']}")["address"],
    )  # fmt: skip
    answer = {"decisions": [{"field": "district", "accept": False, "reason": "Belge eksik"}]}
    decided = registrar.post(decision, answer, version=2, status=200)
    assert ("decided", None) == (decided["state"], registrar.get(f"/organisations/{organisation['id']}")["district"])
    assert [("district", "declined"), ("address", "accepted")] == [
        (each["field"], each["state"]) for each in own.get(f"/corrections/{made['id']}")["fields"]
    ]


def test_a_correction_is_between_the_organisation_and_the_registrar(embedded: System, registrar: Client) -> None:
    organisation = association(registrar, "Gizli Düzeltme Derneği")
    own = representative(embedded, organisation["id"])
    stranger = representative(embedded, association(registrar, "Yabancı Dernek")["id"])
    made = own.post(f"/organisations/{organisation['id']}/corrections", {"changes": {"phone": "+90 212 000 00 00"}})
    one, withdrawal = f"/corrections/{made['id']}", f"/corrections/{made['id']}/withdrawal"
    assert (
        404
        == stranger.ask(
            "POST", f"/organisations/{organisation['id']}/corrections", {"changes": {"phone": "+90 212 111 11 11"}}
        ).status
    )
    assert (404, 404) == (stranger.ask("GET", one).status, stranger.ask("POST", withdrawal, version=1).status)
    assert made["id"] not in [each["id"] for each in stranger.get("/corrections?size=200")["items"]]
    assert [made["id"]] == [each["id"] for each in own.get("/corrections")["items"]]
    assert made["id"] in [each["id"] for each in embedded.client("auditor").get("/corrections?state=open")["items"]]
    for office in ("unit", "clerk", "admin"):
        assert (403, 403) == (
            embedded.client(office).ask("GET", one).status,
            embedded.client(office).ask("GET", "/corrections").status,
        )
    assert 403 == registrar.ask("POST", withdrawal, version=1).status
    assert (
        403 == own.ask("POST", f"{one}/decision", {"decisions": [{"field": "phone", "accept": True}]}, version=1).status
    )
    assert "withdrawn" == own.post(withdrawal, version=1, status=200)["state"]
    events = own.get("/events?limit=500")["items"]
    assert 1 == len([each for each in events if each["data"].get("correction_id") == made["id"]])
    hidden = embedded.client("unit").get("/events?limit=500")["items"]
    assert [] == [each for each in hidden if each["data"].get("correction_id") == made["id"]]


# audits and the watch


def test_an_audit_that_is_overdue_is_watched_and_told_until_it_is_recorded(embedded: System, registrar: Client) -> None:
    organisation = exempt(registrar, "Denetlenecek Dernek")
    path = f"/organisations/{organisation['id']}/audits"
    watched = [
        each
        for each in registrar.get("/status-watch?kind=audit_due&province=34&size=200")["items"]
        if each["organisation"]["id"] == organisation["id"]
    ]
    assert [("2022-01-15", "overdue", "5253/27")] == [
        (each["due_on"], each["urgency"], each["article"]) for each in watched
    ]
    until(
        lambda: [
            each
            for each in registrar.get("/notifications?size=200")["items"]
            if (each["event"], each["subject_id"]) == ("organisation.audit_due.v1", organisation["id"])
        ]
    )
    body = {"audited_on": (today() - timedelta(days=9)).isoformat(), "report_no": "2026/3", "outcome": "continues"}
    made = registrar.post(path, body)
    assert str(today().year + 2) <= made["audit_due_on"][:4] or made["audit_due_on"] > TODAY
    assert [made["id"]] == [each["id"] for each in registrar.get(path)["items"]]
    assert organisation["id"] not in [
        each["organisation"]["id"] for each in registrar.get("/status-watch?kind=audit_due&size=200")["items"]
    ]


@pytest.mark.parametrize(
    ("method", "path", "office"),
    [
        ("GET", "/status-watch?kind=audit_due", "unit"),
        ("GET", "/status-watch?kind=audit_due", "admin"),
        ("POST", "/organisations/{id}/audits", "auditor"),
        ("POST", "/organisations/{id}/audits", "clerk"),
        ("POST", "/organisations/{id}/succession", "auditor"),
        ("POST", "/organisations/{id}/succession", "mayor"),
        ("POST", "/organisations/{id}/succession/preview", "auditor"),
        ("POST", "/organisations/{id}/corrections", "registrar"),
        ("POST", "/corrections/{id}/decision", "auditor"),
        ("GET", "/corrections", "mayor"),
    ],
)
def test_the_registrys_upkeep_belongs_to_its_offices(embedded: System, method: str, path: str, office: str) -> None:
    answer = embedded.client(office).ask(
        method, path.format(id=uuid.uuid4()), {} if method == "POST" else None, version=1
    )
    assert (403, "wrong_office") == (answer.status, answer.code)


def test_the_histories_of_flagged_and_followed_files_are_whole(embedded: System, revoked: dict[str, Any]) -> None:
    assert [] == [each for each in verify(embedded.database("protocols")) if revoked["after"]["reference"] in each]
