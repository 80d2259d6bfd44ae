"""What the registry tells of partners reaches every open file once, in both databases, however it is delivered."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from archive import KeptWalk, events_of, service_at, stored
from machine import together
from protocol_builder import ORGANISATION, START, moment, standing
from sqlalchemy import event, func, select, text, update

from services.protocols import application
from services.protocols.adapters.audit import verify
from services.protocols.adapters.tables import ACTS, PARTNERS, PROTOCOLS
from services.protocols.domain import partner as partners
from services.protocols.service import ProtocolsService
from services.runtime.database import Database
from services.runtime.envelope import Envelope

STATUS = "5a1f0f6e-3f0a-4d5e-8c39-0d6f5b1c2e02"
HEIR = "6f1c2f3e-0000-4000-8000-000000000002"
STRANGERS = [str(uuid.UUID(int=number)) for number in range(1, 101)]


def envelope(name: str, of: str, version: int, data: dict[str, Any]) -> Envelope:
    """An event of the registry about an organisation."""
    return Envelope(
        id=str(uuid.uuid4()),
        name=f"organisation.{name}.v1",
        occurred_at=moment(START),
        subject_id=of,
        subject_version=version,
        correlation_id=None,
        actor=None,
        data={"organisation_id": of, "registry_no": None, "name": "Yer Çizenler", **data},
    )


def now(permission: str) -> dict[str, Any]:
    return {**standing(permission), "on": START.isoformat(), "until": None}


def told(permission: str, version: int, of: str = ORGANISATION) -> Envelope:
    """What the registry tells of an organisation's standing."""
    status = {
        "id": STATUS, "kind": "public_benefit", "decision_no": "2020/1", "decision_on": "2020-01-10",
        "valid_from": "2020-01-15", "valid_to": None, "revoked_on": None if permission == "exempt" else "2026-09-01",
    }  # fmt: skip
    state = "dissolved" if permission == "not_possible" else "active"
    data = {"form": "association", "province_code": "34", "state": state, "statuses": [status]}
    return envelope("updated", of, version, data | {"standing": now(permission)})


def succeeded(version: int, of: str = ORGANISATION, to: str = HEIR) -> Envelope:
    """What the registry tells of a merger."""
    heir = {"id": to, "name": f"Birleşik Dernek {to[-1]}", "version": 4, "standing": now("required")}
    data = {"kind": "merge", "effective_on": START.isoformat(), "continues": False}
    return envelope("succeeded", of, version, data | {"successors": [heir], "protocols_to": heir})


def exempt(files: Database, stage: str = "council_agenda") -> str:
    """A file that relies on its partner's exemption."""
    walk = KeptWalk(files, permission="exempt")
    walk.to(stage)
    relied = {**walk.case.standing, "evidence": {"id": STATUS}}
    with files.write() as connection:
        connection.execute(update(PROTOCOLS).where(PROTOCOLS.c.id == walk.case.id).values(standing=relied))
    return walk.case.id


@pytest.fixture
def service(files: Database) -> ProtocolsService:
    return service_at(files, START)


def acts(files: Database, move: str) -> int:
    with files.read() as connection:
        return int(connection.execute(select(func.count()).select_from(ACTS).where(ACTS.c.move == move)).scalar_one())


def names(files: Database) -> list[str]:
    return [
        row.name for row in events_of(files) if not row.name.startswith(("protocol.moved", "protocol.drafted", "clock"))
    ]


@contextmanager
def counted(files: Database) -> Iterator[list[str]]:
    """The statements that reach the database."""
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(files.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(files.engine, "before_cursor_execute", note)


def test_every_open_file_is_flagged_once_also_when_the_event_comes_again(
    files: Database, service: ProtocolsService
) -> None:
    open_files = [exempt(files), exempt(files, "mayor_check")]
    ended = exempt(files)
    walk = stored(files, ended)
    with files.write() as connection:
        connection.execute(update(PROTOCOLS).where(PROTOCOLS.c.id == ended).values(stage="withdrawn"))
    news = told("required", 2)
    for _ in range(3):
        service.learn_organisations([news])
    assert (2, ["protocol.flagged.v1"] * 2) == (acts(files, partners.FLAG), names(files))
    for each in open_files:
        review = stored(files, each).review
        status = review["evidence"]["status"]
        assert ("open", "status_revoked", STATUS) == (review["state"], review["cause_code"], status["id"])
    assert {} == stored(files, ended).review == walk.review


def test_more_files_than_one_batch_are_all_flagged(
    files: Database, service: ProtocolsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.protocols.service._BATCH", 2)
    several = {exempt(files) for _ in range(5)}
    service.learn_organisations([told("required", 2)])
    assert {"open"} == {stored(files, each).review.get("state") for each in several}


def test_news_that_arrive_late_and_out_of_order_change_nothing(files: Database, service: ProtocolsService) -> None:
    file = exempt(files)
    for version, permission in ((4, "required"), (2, "exempt"), (3, "not_possible"), (5, "required")):
        service.learn_organisations([told(permission, version)])
    assert (1, 0) == (acts(files, partners.FLAG), acts(files, partners.RETURN))
    service.learn_organisations([told("exempt", 6)])
    review = stored(files, file).review
    assert ("settled", "standing_returned") == (review["state"], review["settled"]["outcome"])
    assert [] == list(verify(files))


def test_many_news_together_are_a_few_statements_where_nobody_has_files(
    files: Database, service: ProtocolsService
) -> None:
    exempt(files)
    news = [told("required", 2, of) for of in STRANGERS]
    with counted(files) as statements:
        service.learn_organisations(news)
    reads = [each for each in statements if "protocols" in each]
    assert (1, True) == (len(reads), len(statements) <= 6)
    with files.read() as connection:
        known = connection.execute(select(func.count()).select_from(PARTNERS)).scalar_one()
    assert (len(STRANGERS), 0) == (known, acts(files, partners.FLAG))


def test_the_open_files_of_a_partner_are_found_by_an_index(files: Database, service: ProtocolsService) -> None:
    with counted(files) as statements:
        service.learn_organisations([told("required", 2)])
    found = next(each for each in statements if "FROM protocols" in each)
    assert "organisation_id IN" in found
    with files.write() as connection:
        if files.dialect == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            explain = (
                "EXPLAIN SELECT id FROM protocols WHERE organisation_id IN (CAST(:id AS uuid)) ORDER BY id LIMIT 100"
            )
        else:
            explain = "EXPLAIN QUERY PLAN SELECT id FROM protocols WHERE organisation_id IN (:id) ORDER BY id LIMIT 100"
        plan = " ".join(str(row) for row in connection.execute(text(explain), {"id": ORGANISATION}))
    assert "organisation_id" in plan
    assert "SCAN protocols USING" not in plan


def test_two_consumers_of_one_event_flag_a_file_once(files: Database) -> None:
    exempt(files)
    news = told("required", 2)
    together(*(lambda: service_at(files, START).learn_organisations([news]) for _ in range(4)))
    assert (1, []) == (acts(files, partners.FLAG), list(verify(files)))


def test_a_file_that_cannot_follow_stops_no_other_and_the_event_comes_again(
    files: Database, service: ProtocolsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = sorted([exempt(files), exempt(files)])
    true_compare = partners.compare

    def fail(case: Any, *rest: Any) -> Any:
        if case.id == broken:
            message = "cannot"
            raise RuntimeError(message)
        return true_compare(case, *rest)

    monkeypatch.setattr(application.partners, "compare", fail)
    news = told("required", 2)
    with pytest.raises(RuntimeError):
        service.learn_organisations([news])
    assert ({}, "open") == (stored(files, broken).review, stored(files, sound).review["state"])
    monkeypatch.undo()
    service.learn_organisations([news])
    assert ("open", 2) == (stored(files, broken).review["state"], acts(files, partners.FLAG))


@pytest.mark.parametrize("late", [False, True])
def test_files_follow_a_chain_of_mergers_in_whatever_order_it_is_told(
    files: Database, service: ProtocolsService, *, late: bool
) -> None:
    file, last = exempt(files), STRANGERS[0]
    chain = [succeeded(2), succeeded(9, of=HEIR, to=last)]
    for each in reversed(chain) if late else chain:
        service.learn_succession(each)
        service.learn_succession(each)
    case = stored(files, file)
    assert (last, "council_agenda", 2) == (case.organisation.id, case.stage, acts(files, partners.FOLLOW))
    changed = [row for row in events_of(files) if row.name == "protocol.partner_changed.v1"]
    assert [HEIR, last] == [row.data["organisation_id"] for row in changed]
    assert last == changed[-1].organisation_id
    assert [] == list(verify(files))


def test_a_split_that_is_told_after_a_later_rename_is_not_lost(files: Database, service: ProtocolsService) -> None:
    file = exempt(files)
    renamed = {"id": ORGANISATION, "name": "Yeni Adlı Dernek", "version": 5, "standing": now("required")}
    data = {"kind": "rename", "effective_on": START.isoformat(), "continues": True, "successors": [renamed]}
    service.learn_succession(envelope("succeeded", ORGANISATION, 5, {**data, "protocols_to": renamed}))
    assert ("Yeni Adlı Dernek", 0) == (stored(files, file).organisation.name, acts(files, partners.FLAG))
    for _ in range(2):
        service.learn_succession(succeeded(3))
    assert (HEIR, 2, 1) == (
        stored(files, file).organisation.id,
        acts(files, partners.FOLLOW),
        acts(files, partners.FLAG),
    )
    assert [] == list(verify(files))


def test_a_dissolution_told_before_or_after_the_merger_ends_the_same(files: Database) -> None:
    ends = []
    for first in (0, 1):
        file = exempt(files)
        news = [lambda s: s.learn_organisations([told("not_possible", 2)]), lambda s: s.learn_succession(succeeded(2))]
        for each in (news[first], news[1 - first]):
            each(service_at(files, START))
        review = stored(files, file).review
        ends.append((stored(files, file).organisation.id, review["cause_code"], review["state"]))
        with files.write() as connection:
            connection.execute(text("DELETE FROM partners"))
            connection.execute(text("DELETE FROM partner_successions"))
    assert [(HEIR, "succession", "open")] * 2 == ends


def test_open_protocols_are_counted_without_naming_one(files: Database, service: ProtocolsService) -> None:
    exempt(files)
    exempt(files)
    asked = [service.open_protocols_of(organisation_id=each) for each in (ORGANISATION, HEIR)]
    assert ['{"open": 2}', '{"open": 0}'] == [str(each["result"]).replace("'", '"') for each in map(_plain, asked)]


def _plain(answer: Any) -> Any:
    return answer if isinstance(answer, dict) and "result" in answer else {"result": answer}


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"review": {}}, "legal review"),
        ({"organisation_id": STRANGERS[3]}, "partner"),
        ({"organisation_name": "Başka Bir Dernek"}, "partner"),
    ],
)
def test_a_flag_or_a_partner_changed_behind_the_programs_back_is_named(
    files: Database, service: ProtocolsService, changed: dict[str, Any], fault: str
) -> None:
    file = exempt(files)
    service.learn_succession(succeeded(2))
    assert [] == list(verify(files))
    with files.write() as connection:
        connection.execute(update(PROTOCOLS).where(PROTOCOLS.c.id == file).values(**changed))
    assert [True] == [fault in each for each in verify(files)]


def test_the_work_of_the_unit_begins_with_flagged_files(files: Database, service: ProtocolsService) -> None:
    other = KeptWalk(files).case.id
    flagged = exempt(files)
    service.learn_organisations([told("required", 2)])
    unit = {"role": "unit_officer", "municipality": "34-35"}
    found = _plain(service.work(actor=unit))["result"]
    items = found if isinstance(found, dict) else {}
    assert {flagged, other} >= {each["subject"]["id"] for each in items["items"]}
    assert flagged == items["items"][0]["subject"]["id"]
