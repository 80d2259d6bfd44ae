"""The main job, over HTTP, in both modes: a protocol from draft to the mayor, the council, the authority."""

from __future__ import annotations

import uuid

from harness import System, today, until, votes
from sqlalchemy import update

from services.protocols.adapters.tables import PROTOCOLS

TODAY = today().isoformat()


def test_a_move_goes_through_every_layer_and_the_next_office_is_told_once(system: System) -> None:
    drafted = system.draft()
    moved = system.client("unit").move(drafted, "submit_to_mayor")
    assert ("mayor_review", 2, "mayor") == (moved["stage"], moved["version"], moved["whose_turn"]["role"])
    mine = until(
        lambda: [
            n
            for n in system.client("mayor").get("/notifications?size=200")["items"]
            if n["subject_id"] == drafted["id"]
        ]
    )
    assert ["protocol.moved.v1"] == [each["event"] for each in mine]


def test_a_repeated_key_answers_as_before_and_does_nothing_twice(system: System) -> None:
    drafted = system.draft()
    key = str(uuid.uuid4())
    unit = system.client("unit")
    path = f"/protocols/{drafted['id']}/moves/submit_to_mayor"
    first = unit.post(path, {}, version=1, status=200, Idempotency_Key=key)
    assert first == unit.post(path, {}, version=1, status=200, Idempotency_Key=key)
    assert 2 == system.client("unit").get(f"/protocols/{drafted['id']}")["version"]
    other = unit.ask("POST", path, {"note": "başka"}, version=1, Idempotency_Key=key)
    assert (422, "idempotency_key_reused") == (other.status, other.code)


def test_a_stale_version_is_refused_with_the_current_one(system: System) -> None:
    drafted = system.draft()
    system.client("unit").move(drafted, "submit_to_mayor")
    stale = system.client("mayor").ask("POST", f"/protocols/{drafted['id']}/moves/refer_to_council", {}, version=1)
    assert (412, 2) == (stale.status, stale.body["version"])


def test_a_missing_version_is_asked_for(system: System) -> None:
    drafted = system.draft()
    answer = system.client("unit").ask("POST", f"/protocols/{drafted['id']}/moves/submit_to_mayor", {})
    assert 428 == answer.status


def test_another_tenants_file_does_not_exist(system: System) -> None:
    drafted = system.draft()
    stranger = system.client("besiktas.unit")
    assert 404 == stranger.ask("GET", f"/protocols/{drafted['id']}").status
    assert 404 == stranger.ask("GET", f"/protocols/{drafted['id']}/timeline").status
    assert 404 == stranger.ask("POST", f"/protocols/{drafted['id']}/moves/withdraw", {"reason": "x"}, version=1).status
    assert 404 == stranger.ask("PUT", f"/protocols/{drafted['id']}/text", {"text": "x"}, version=1).status
    assert drafted["id"] not in [each["id"] for each in stranger.get("/protocols?size=200")["items"]]
    assert drafted["id"] not in [each["subject_id"] for each in stranger.get("/events?limit=500")["items"]]


def test_the_council_can_only_decide_with_the_arithmetic_of_the_law(system: System) -> None:
    case = system.client("unit").move(system.draft(), "submit_to_mayor")
    case = system.client("mayor").move(case, "refer_to_council")
    fields = {"sitting_on": TODAY, "decision_no": "7", "votes": votes(10, 15), "without_commission_votes": votes()}
    refused = system.client("clerk").ask(
        "POST", f"/protocols/{case['id']}/moves/accept", fields, version=case["version"]
    )
    assert (409, ["majority_accepted"]) == (refused.status, [each["code"] for each in refused.body["reasons"]])
    assert "13 accepting votes are needed" in refused.body["detail"]
    case = system.client("clerk").move(case, "accept", **(fields | {"votes": votes()}))
    assert "mayor_check" == case["stage"]
    assert ["MAYOR_RETURN"] == [clock["kind"] for clock in case["clocks"]]


def test_the_clock_explains_its_date_day_by_day(system: System) -> None:
    case = system.client("unit").move(system.draft(), "submit_to_mayor")
    case = system.client("mayor").move(case, "refer_to_council")
    case = system.client("clerk").move(
        case, "accept", sitting_on=TODAY, decision_no="8", votes=votes(), without_commission_votes=votes()
    )
    clock = case["clocks"][0]
    told = system.client("clerk").get(f"/protocols/{case['id']}/clocks/{clock['id']}/explanation")
    assert 5 == sum(day["counts"] for day in told["days"])
    assert clock["due_on"] == told["due_on"]


def test_work_lists_what_the_office_must_do(system: System) -> None:
    drafted = system.draft()
    system.client("unit").move(drafted, "submit_to_mayor")
    items = system.client("mayor").get("/work?size=200")["items"]
    mine = next(each for each in items if each["reference"] == drafted["reference"])
    assert "mayor_review" == mine["stage"]


def test_the_event_feed_tells_each_event_once_in_the_order_of_the_subject(system: System) -> None:
    drafted = system.draft()
    moved = system.client("unit").move(drafted, "submit_to_mayor")
    system.client("mayor").move(moved, "refer_to_council")
    seen, cursor = [], ""
    while True:
        page = system.client("clerk").get(f"/events?limit=50&after={cursor}" if cursor else "/events?limit=50")
        seen += [each for each in page["items"] if each["subject_id"] == drafted["id"]]
        if not page["items"]:
            break
        cursor = page["next"]
    assert [1, 2, 3] == [each["subject_version"] for each in seen]
    assert 3 == len({each["id"] for each in seen})


def test_the_registry_away_means_unavailable_and_never_a_guess(distributed: System) -> None:
    case = distributed.client("unit").move(distributed.draft(), "submit_to_mayor")
    case = distributed.client("mayor").move(case, "refer_to_council")
    distributed.kill("registry")
    try:
        fields = {"sitting_on": TODAY, "decision_no": "9", "votes": votes(), "without_commission_votes": votes()}
        answer = distributed.client("clerk").ask(
            "POST", f"/protocols/{case['id']}/moves/accept", fields, version=case["version"]
        )
        assert 503 == answer.status
    finally:
        distributed.start_one("registry")
        distributed.wait_until_ready()
    assert case["version"] == distributed.client("clerk").get(f"/protocols/{case['id']}")["version"]


def test_a_status_granted_meanwhile_shows_on_the_file_before_anyone_decides(system: System) -> None:
    partner = system.organisation("Türkiye Kızılay Derneği", office=False)
    drafted = system.draft(partner)
    assert "required" == drafted["standing"]["permission"]
    status = {"kind": "public_benefit", "valid_from": "2020-01-01", "decision_no": "deneme"}
    system.client("registrar").post(f"/organisations/{partner}/statuses", status)
    path = f"/protocols/{drafted['id']}"
    until(lambda: system.client("unit").get(path)["partner_standing"]["permission"] == "exempt")
    assert "required" == system.client("unit").get(path)["standing"]["permission"]


def test_the_authority_sees_no_words_from_before_the_file_was_sent(system: System) -> None:
    case = system.client("unit").move(system.draft(), "submit_to_mayor", note="iç yazışma")
    case = system.client("mayor").move(case, "refer_to_council", note="başkanın notu")
    shown = system.client("unit").get(f"/protocols/{case['id']}/timeline")["items"]
    assert "iç yazışma" in [each["fields"].get("note") for each in shown]
    with system.database("protocols").write() as connection:
        connection.execute(
            update(PROTOCOLS).where(PROTOCOLS.c.id == case["id"]).values(shared_authority=PROTOCOLS.c.authority)
        )
    told = system.client("authority").get(f"/protocols/{case['id']}/timeline")["items"]
    assert len(shown) == len(told)
    assert [] == [each["fields"]["note"] for each in told if "note" in each["fields"]]


def test_every_history_is_whole_and_anchored(system: System) -> None:
    system.client("unit").move(system.draft(), "submit_to_mayor")
    anchor = system.command("audit", "anchor").strip()
    assert "Every history is whole." in system.command("audit", "verify", "--anchor", anchor)
    assert "not in the database" in system.command("audit", "verify", "--anchor", "f" * 64, expect=1)
