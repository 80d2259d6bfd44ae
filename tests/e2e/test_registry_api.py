"""The registry over HTTP: finding organisations, their dated statuses, and councils kept by their own clerks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from harness import Client, System, today, votes

from services.gateway.table import TABLE

NAME = "Çağlayan Işığı ve İğneada Gençlik Derneği"
COUNCIL, NEIGHBOUR = "34-24", "34-23"
SIZE = 31


@pytest.fixture(scope="module")
def registrar(embedded: System) -> Client:
    return embedded.client("registrar")


@pytest.fixture(scope="module")
def found(registrar: Client) -> dict[str, Any]:
    """An organisation with a name that tests every Turkish letter."""
    body = {"name": NAME, "form": "association", "province_code": "39", "registry_no": "39-012-044"}
    return dict(registrar.post("/organisations", body))


@pytest.fixture(scope="module")
def council(embedded: System) -> System:
    for name, role in (("unit", "unit_officer"), ("mayor", "mayor"), ("clerk", "registry_clerk")):
        embedded.add_office(f"council.{name}", role, {"municipality": COUNCIL})
    return embedded


def organisation(registrar: Client, name: str, form: str = "association") -> dict[str, Any]:
    return dict(registrar.post("/organisations", {"name": name, "form": form, "province_code": "34"}))


def with_status(registrar: Client, name: str, **status: Any) -> dict[str, Any]:
    made = organisation(registrar, name)
    return dict(registrar.post(f"/organisations/{made['id']}/statuses", {"kind": "public_benefit", **status}))


def standing(client: Client, organisation_id: str, **asked: str) -> str:
    return str(client.get(f"/organisations/{organisation_id}/standing?{urlencode(asked)}")["permission"])


# finding


@pytest.mark.parametrize(
    "query",
    [
        "çağlayan ışığı",
        "ÇAĞLAYAN IŞIĞI",
        "caglayan isigi",
        "Caglayan Isıgı",
        "İĞNEADA gençlik",
        "igneada genclik",
        "genclik caglayan",
        "çağlayn ışığı",
        "caglayan isigi dernegi",
        "39-012-044",
        "39012044",
    ],
)
def test_an_organisation_is_found_however_its_name_is_typed(
    registrar: Client, found: dict[str, Any], query: str
) -> None:
    items = registrar.get(f"/organisations?query={quote(query)}")["items"]
    assert found["id"] == next((each["id"] for each in items), None)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"province": "39"}, True),
        ({"province": "Kırklareli"}, True),
        ({"province": "kirklareli"}, True),
        ({"province": "34"}, False),
        ({"form": "association"}, True),
        ({"form": "foundation"}, False),
        ({"standing": "required"}, True),
        ({"standing": "exempt"}, False),
    ],
)
def test_a_search_is_limited_by_what_is_asked(
    registrar: Client, found: dict[str, Any], *, asked: dict[str, str], expected: bool
) -> None:
    items = registrar.get(f"/organisations?{urlencode({'query': NAME} | asked)}")["items"]
    assert expected == (found["id"] in [each["id"] for each in items])


def test_municipalities_are_found_without_turkish_letters(registrar: Client) -> None:
    assert "34-35" in [each["code"] for each in registrar.get("/municipalities?query=sisli")["items"]]


def test_a_tax_number_with_a_wrong_check_digit_is_refused(registrar: Client) -> None:
    body = {"name": "Sınama", "form": "association", "tax_no": "4540536921"}
    answer = registrar.ask("POST", "/organisations", body)
    assert (422, ["tax_no"]) == (answer.status, [each["field"] for each in answer.body["errors"]])


def test_a_registry_number_is_given_once(registrar: Client, found: dict[str, Any]) -> None:
    body = {"name": "Bir başkası", "form": "association", "registry_no": found["registry_no"]}
    assert 409 == registrar.ask("POST", "/organisations", body).status


# changing


def test_a_change_needs_the_version_it_was_made_from(registrar: Client) -> None:
    path = f"/organisations/{organisation(registrar, 'Değişecek Dernek')['id']}"
    asked = registrar.ask("PATCH", path, {"district": "Şişli"})
    assert (428, "precondition_required") == (asked.status, asked.code)
    changed = registrar.ask("PATCH", path, {"district": "Şişli"}, version=1)
    assert (200, "Şişli", 2, '"2"') == (
        changed.status, changed.body["district"], changed.body["version"], changed.headers["ETag"],
    )  # fmt: skip
    stale = registrar.ask("PATCH", path, {"district": "Beşiktaş"}, version=1)
    assert (412, 2, '"2"') == (stale.status, stale.body["version"], stale.headers["ETag"])
    assert "Şişli" == registrar.get(path)["district"]


@pytest.mark.parametrize("office", ["admin", "auditor", "clerk", "unit"])
def test_the_registry_is_the_registrars_alone(embedded: System, found: dict[str, Any], office: str) -> None:
    client, path = embedded.client(office), f"/organisations/{found['id']}"
    assert NAME == client.get(path)["name"]
    assert [403] * 3 == [
        client.ask("POST", "/organisations", {"name": "X", "form": "association"}).status,
        client.ask("PATCH", path, {"district": "X"}, version=1).status,
        client.ask("POST", f"{path}/statuses", {"kind": "public_benefit", "valid_from": "2020-01-01"}).status,
    ]


# statuses and standing


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("association", "required"),
        ("foundation", "required"),
        ("professional_body", "exempt"),
        ("trades_chamber", "exempt"),
        ("public_body", "not_needed"),
        ("platform", "not_possible"),
    ],
)
def test_the_form_decides_where_no_status_is_recorded(registrar: Client, form: str, expected: str) -> None:
    assert expected == standing(registrar, organisation(registrar, f"Biçim {form}", form)["id"])


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2021-03-14", "required"),
        ("2021-03-15", "exempt"),
        ("2022-12-31", "exempt"),
        ("2023-01-01", "required"),
    ],
)
def test_a_status_counts_from_its_first_to_its_last_day(registrar: Client, on: str, expected: str) -> None:
    made = with_status(registrar, f"Süreli {on}", valid_from="2021-03-15", valid_to="2022-12-31")
    assert expected == standing(registrar, made["id"], on=on)


def test_what_was_known_before_a_status_was_recorded_stays_known(registrar: Client) -> None:
    made = organisation(registrar, "Sonradan Öğrenilen")
    before = datetime.now(UTC)
    status = {"kind": "public_benefit", "valid_from": "2020-01-01"}
    registrar.post(f"/organisations/{made['id']}/statuses", status)
    assert "exempt" == standing(registrar, made["id"], on="2024-05-01")
    assert "required" == standing(registrar, made["id"], on="2024-05-01", known_at=before.isoformat())
    earlier = urlencode({"known_at": (before - timedelta(days=1)).isoformat()})
    assert 404 == registrar.ask("GET", f"/organisations/{made['id']}/standing?{earlier}").status


def test_a_revoked_status_counts_until_the_day_before_and_both_records_stay(registrar: Client) -> None:
    made = with_status(registrar, "Geri Alınan", valid_from="2020-01-01", decision_no="2020/7")
    path = f"/organisations/{made['id']}/statuses/{made['statuses'][0]['id']}/revocation"
    ended = registrar.post(path, {"revoked_on": "2024-06-01", "decision_no": "2024/12"}, status=200)
    assert ["exempt", "required"] == [standing(registrar, made["id"], on=on) for on in ("2024-05-31", "2024-06-01")]
    assert [("2020/7", None), ("2020/7", "2024-06-01")] == [
        (each["decision_no"], each["revoked_on"]) for each in ended["history"]
    ]
    again = registrar.ask("POST", path, {"revoked_on": "2024-06-01", "decision_no": "2024/12"})
    assert 409 == again.status


def test_an_exemption_names_its_ground_its_article_and_its_evidence(registrar: Client) -> None:
    made = with_status(registrar, "Kamu Yararına", valid_from="2020-01-01", decision_no="2020/8")
    told = registrar.get(f"/organisations/{made['id']}/standing?municipality=34-35")
    assert ("exempt", "public_benefit_association", "5393/75-c", "2020/8", today().isoformat()) == (
        told["permission"], told["ground"], told["article"], told["evidence"]["decision_no"], told["on"],
    )  # fmt: skip
    assert told["explanation"]


# the council


def test_the_council_is_kept_by_its_own_clerk_and_every_vote_must_equal_it(council: System) -> None:
    clerk, path = council.client("council.clerk"), f"/municipalities/{COUNCIL}"
    version = clerk.get(path)["version"]
    sittings = ["2026-10-05", "2026-09-07"]
    change = {"council": {"full_membership": SIZE, "sittings": sittings}}
    assert [403, 403, 403] == [
        council.client(each).ask("PATCH", path, change, version=version).status
        for each in ("clerk", "admin", "council.mayor")
    ]
    changed = clerk.ask("PATCH", path, change, version=version)
    assert (200, SIZE, sorted(sittings)) == (
        changed.status, changed.body["council"]["full_membership"], changed.body["council"]["sittings"],
    )  # fmt: skip
    assert 412 == clerk.ask("PATCH", path, {"council": {"full_membership": 37}}, version=version).status

    case = council.client("council.unit").post("/protocols", _draft(council))
    case = council.client("council.unit").move(case, "submit_to_mayor")
    case = council.client("council.mayor").move(case, "refer_to_council")
    wrong, right = votes(20, 3), {k: v for k, v in votes(20, 3).items() if k != "full_membership"}
    fields = {"sitting_on": today().isoformat(), "decision_no": "1", "without_commission_votes": right}
    refused = clerk.ask(
        "POST", f"/protocols/{case['id']}/moves/accept", fields | {"votes": wrong}, version=case["version"]
    )
    assert (409, ["full_membership_is_the_councils"]) == (
        refused.status,
        [each["code"] for each in refused.body["reasons"]],
    )
    assert str(SIZE) in refused.body["detail"]
    assert "mayor_check" == clerk.move(case, "accept", **fields, votes=right)["stage"]


def _draft(system: System) -> dict[str, Any]:
    return {
        "municipality": COUNCIL,
        "organisation_id": system.organisation(),
        "kind": "joint_service_project",
        "title": "Kütüphane",
        "subject": "Mahalle kütüphanesi",
        "municipal_duty": "5393/14",
        "starts_on": (today() + timedelta(days=60)).isoformat(),
        "term_months": 12,
        "text": "Taraflar ve görevler.",
    }


def test_the_civil_authority_is_set_by_the_administrator_alone(council: System) -> None:
    path, change = (
        f"/municipalities/{NEIGHBOUR}",
        {"civil_authority": {"code": "K34-23", "name": "Kadıköy Kaymakamlığı"}},
    )
    version = council.client("admin").get(path)["version"]
    assert [200, 403] == [
        council.client(each).ask("PATCH", path, change, version=version).status for each in ("admin", "clerk")
    ]


# reading


THINGS = {
    "/users/{id}": "admin",
    "/memberships/{id}": "admin",
    "/delegations/{id}": "admin",
    "/municipalities/{code}": "unit",
    "/organisations/{id}": "unit",
    "/organisations/{id}/expertise": "unit",
    "/protocols/{id}": "unit",
    "/corrections/{id}": "registrar",
    "/petitions/{id}": "clerk",
    "/tracking/{tracking_code}": "unit",
    "/preferences": "unit",
    "/municipalities/{code}/plan": "unit",
}


@pytest.fixture(scope="module")
def addresses(embedded: System, found: dict[str, Any]) -> dict[str, str]:
    admin, mayor = embedded.client("admin"), embedded.client("mayor").get("/me")
    auditor = embedded.client("auditor").get("/me")
    held = mayor["memberships"][0]["id"]
    lent = {"from_membership_id": held, "to_user_id": auditor["id"], "scope": "all", "basis": "sınama"}
    lent |= {"valid_from": "2020-01-01", "valid_to": "2020-01-02"}
    return {
        "/users/{id}": f"/users/{mayor['id']}",
        "/memberships/{id}": f"/memberships/{held}",
        "/delegations/{id}": f"/delegations/{admin.post('/delegations', lent)['id']}",
        "/municipalities/{code}": "/municipalities/34-35",
        "/organisations/{id}": f"/organisations/{found['id']}",
        "/organisations/{id}/expertise": f"/organisations/{offering(embedded, found)}/expertise",
        "/protocols/{id}": f"/protocols/{embedded.draft()['id']}",
        "/corrections/{id}": f"/corrections/{correction(embedded)}",
        "/preferences": "/preferences",
        "/municipalities/{code}/plan": planned(embedded),
        **petitioned(embedded),
    }


def petitioned(embedded: System) -> dict[str, str]:
    made = embedded.client("clerk").post(
        "/petitions",
        {
            "kind": "petition",
            "municipality": "34-35",
            "subject": "Kaldırım",
            "body": "Kaldırımın onarılmasını arz ederim.",
            "petitioner": {"type": "citizen", "name": "Başvuru Sahibi", "address": "Şişli"},
            "channel": "counter",
        },
    )
    return {
        "/petitions/{id}": f"/petitions/{made['id']}",
        "/tracking/{tracking_code}": f"/tracking/{made['tracking_code']}",
    }


def planned(embedded: System) -> str:
    sample = Path(__file__).parents[2] / "services/petitions/data/sample_plan.csv"
    form = {"title": "2025–2029 Stratejik Planı", "first_year": "2025", "last_year": "2029", "apply": "true"}
    clerk = embedded.client("clerk")
    with sample.open("rb") as file:
        answer = clerk.session.post(f"{clerk.url}/plans/imports", data=form, files={"file": file}, timeout=30)
    assert "applied" == answer.json()["state"], answer.text
    return "/municipalities/34-35/plan"


def offering(embedded: System, found: dict[str, Any]) -> str:
    path = f"/organisations/{found['id']}/expertise"
    assert 200 == embedded.client("registrar").ask("PUT", path, {"tags": ["youth"]}, version=0).status
    return str(found["id"])


def correction(embedded: System) -> str:
    own = embedded.organisation("Düzeltmesi Okunan Dernek")
    client = embedded.client(f"org.{len(embedded.organisations)}")
    return str(client.post(f"/organisations/{own}/corrections", {"changes": {"district": "Şişli"}})["id"])


def test_every_thing_with_a_version_is_asked_below() -> None:
    # Files have the SHA-256 of their content for a tag; they are asked for where they are sent.
    with_etag = {
        route.path.removeprefix("/api/v1")
        for route in TABLE.routes
        if route.method == "GET" and route.etag and route.answer is not None
    }
    assert with_etag == set(THINGS)


@pytest.mark.parametrize("thing", THINGS)
def test_a_thing_answers_with_its_version_and_not_again_to_who_knows_it(
    embedded: System, addresses: dict[str, str], thing: str
) -> None:
    client, path = embedded.client(THINGS[thing]), addresses[thing]
    answer = client.ask("GET", path)
    assert (200, f'"{answer.body["version"]}"') == (answer.status, answer.headers["ETag"])
    for known in (answer.headers["ETag"], f"W/{answer.headers['ETag']}", f'"0", {answer.headers["ETag"]}', "*"):
        again = client.ask("GET", path, If_None_Match=known)
        assert (304, "", answer.headers["ETag"]) == (again.status, again.body, again.headers["ETag"])
    assert 200 == client.ask("GET", path, If_None_Match='"999999"').status


LISTS = {
    route.path.removeprefix("/api/v1"): {"administrator": "admin", "registrar": "registrar"}.get(
        next(iter(route.roles), ""), "unit"
    )
    for route in TABLE.routes
    if route.method == "GET" and "{" not in route.path and route.query and "size" in route.query().fields
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_paged_within_bounds(embedded: System, path: str) -> None:
    client = embedded.client(LISTS[path])
    for wrong in (
        "size=0",
        "size=201",
        "size=x",
        "page=0",
        "page=-1",
        "page=1.5",
        "size=",
        "page=1&page=2",
        "sort=name",
    ):
        answer = client.ask("GET", f"{path}?{wrong}")
        field = wrong.partition("=")[0]
        assert (422, [field]) == (answer.status, [each["field"] for each in answer.body["errors"]]), wrong
    whole, first = client.get(f"{path}?size=200"), client.get(f"{path}?page=1&size=1")
    assert (1, 1, whole["items"][:1]) == (first["page"], first["size"], first["items"])
    beyond = client.get(f"{path}?page=1000000&size=200")
    assert ([], whole["total"]) == (beyond["items"], beyond["total"])
    assert 50 == client.get(path)["size"]


def test_pages_together_are_the_whole_list(registrar: Client) -> None:
    pages = [registrar.get(f"/municipalities?province=34&size=7&page={page}")["items"] for page in range(1, 8)]
    whole = registrar.get("/municipalities?province=34&size=200")
    codes = [each["code"] for page in pages for each in page]
    assert [each["code"] for each in whole["items"]] == codes
    assert whole["total"] == len(set(codes))
