"""Whatever is done to a history behind the program's back is found and named."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import eventlet
import pytest
from archive import UNIT, KeptWalk, stores
from machine import together
from protocol_builder import CALENDAR
from sqlalchemy import delete, event, func, insert, select, update

from services.kernel.casework import ActRecord
from services.kernel.chain import GENESIS, link
from services.kernel.workflow import Act
from services.protocols.adapters.audit import anchor, replay, verify
from services.protocols.adapters.tables import ACTS, ANCHORS, CLOCKS, PROTOCOLS, TEXTS
from services.protocols.domain import case as cases
from services.runtime.casebook import act_from
from services.runtime.database import Database

NOW = datetime(2026, 9, 7, 12, tzinfo=UTC)
OTHER = "f" * 64


@pytest.fixture
def walk(files: Database) -> KeptWalk:
    """A case with a history of six rows, beside another that nobody touches."""
    KeptWalk(files).to("council_agenda")
    made = KeptWalk(files)
    made.to("mayor_check")
    assert 6 == made.case.version
    return made


def found(files: Database, known: str | None = None) -> list[str]:
    return list(verify(files, known))


def tamper(files: Database, *statements: Any) -> None:
    with files.write() as connection:
        for statement in statements:
            connection.execute(statement)


def row(walk: KeptWalk, number: int) -> Any:
    return (ACTS.c.protocol_id == walk.case.id) & (ACTS.c.number == number)


def history(walk: KeptWalk) -> list[ActRecord]:
    with walk.database.read() as connection:
        rows = connection.execute(select(ACTS).where(ACTS.c.protocol_id == walk.case.id).order_by(ACTS.c.number))
        return [act_from(each) for each in rows]


def fitting(walk: KeptWalk, acts: list[ActRecord]) -> Any:
    """The case as this history would leave it."""
    last = acts[-1]
    return (
        update(PROTOCOLS)
        .where(PROTOCOLS.c.id == walk.case.id)
        .values(version=last.number, head_hash=last.hash, stage=last.to_stage, facts=replay(acts))
    )


def cut(walk: KeptWalk, number: int) -> list[Any]:
    """Remove the rows behind `number` and let the case end there, as a careful forger does."""
    behind = delete(ACTS).where(ACTS.c.protocol_id == walk.case.id, ACTS.c.number > number)
    return [behind, fitting(walk, history(walk)[:number])]


def removed(walk: KeptWalk) -> list[Any]:
    """Remove the whole case."""
    own = walk.case.id
    return [delete(table).where(table.c.protocol_id == own) for table in (ACTS, CLOCKS, TEXTS)] + [
        delete(PROTOCOLS).where(PROTOCOLS.c.id == own)
    ]


def rewritten(walk: KeptWalk, number: int) -> list[Any]:
    """Change a row and make every later hash fit again, and the case too."""
    statements, acts, previous = [], [], GENESIS
    for act in history(walk):
        fields = {**act.fields, "note": "başka"} if act.number == number else act.fields
        forged = replace(act, fields=fields, previous_hash=previous)
        forged = replace(forged, hash=link(previous, forged.content()))
        values = {"previous_hash": previous, "hash": forged.hash, "fields": fields}
        statements.append(update(ACTS).where(row(walk, act.number)).values(values))
        acts.append(forged)
        previous = forged.hash
    return [*statements, fitting(walk, acts)]


def test_an_untouched_history_is_whole(walk: KeptWalk, files: Database) -> None:
    assert [] == found(files)
    anchor(files, NOW)
    assert [] == found(files)


def test_an_empty_database_is_whole(files: Database) -> None:
    assert [] == found(files)


COLUMNS: dict[str, Any] = {
    "move": "reject", "from_stage": "drafting", "to_stage": "signing", "actor": {"role": "mayor"}, "fields": {"x": 1},
    "known": {"standing": {"permission": "exempt"}}, "done_on": NOW.date() - timedelta(days=99),
    "recorded_at": NOW + timedelta(microseconds=1), "procedure_version": 99, "calendar_version": "9",
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_row_is_named(walk: KeptWalk, files: Database, column: str) -> None:
    tamper(files, update(ACTS).where(row(walk, 3)).values({column: COLUMNS[column]}))
    assert f"{walk.case.reference}: row 3 was changed" in found(files)


def test_a_changed_hash_is_named(walk: KeptWalk, files: Database) -> None:
    tamper(files, update(ACTS).where(row(walk, 3)).values(hash=OTHER))
    assert f"{walk.case.reference}: row 3 was changed" in found(files)


def test_a_removed_row_is_named(walk: KeptWalk, files: Database) -> None:
    tamper(files, delete(ACTS).where(row(walk, 3)))
    assert f"{walk.case.reference}: row 3 is missing or out of place: row 4 stands there" in found(files)


def test_a_removed_first_row_is_named(walk: KeptWalk, files: Database) -> None:
    tamper(files, delete(ACTS).where(row(walk, 1)))
    assert f"{walk.case.reference}: row 1 is missing or out of place: row 2 stands there" in found(files)


def test_swapped_rows_are_named(walk: KeptWalk, files: Database) -> None:
    steps = [(3, 99), (4, 3), (99, 4)]
    tamper(files, *(update(ACTS).where(row(walk, old)).values(number=new) for old, new in steps))
    said = found(files)
    for number in (3, 4):
        assert f"{walk.case.reference}: row {number} was changed" in said
    assert f"{walk.case.reference}: row 3 does not follow row 2: rows were changed or reordered" in said


def test_a_cut_off_end_is_named(walk: KeptWalk, files: Database) -> None:
    tamper(files, delete(ACTS).where(ACTS.c.protocol_id == walk.case.id, ACTS.c.number > 4))
    assert f"{walk.case.reference}: cut off: rows 5 to 6 are missing" in found(files)


def test_a_history_that_is_gone_whole_is_named(walk: KeptWalk, files: Database) -> None:
    tamper(files, delete(ACTS).where(ACTS.c.protocol_id == walk.case.id))
    assert [f"{walk.case.reference}: cut off: rows 1 to 6 are missing"] == found(files)


def test_an_invented_row_at_the_end_is_named(walk: KeptWalk, files: Database) -> None:
    with files.read() as connection:
        last = connection.execute(select(ACTS).where(row(walk, 6))).one()._asdict()
    tamper(files, insert(ACTS).values(last | {"number": 7, "previous_hash": last["hash"]}))
    assert f"{walk.case.reference}: row 7 was changed" in found(files)


def test_a_changed_end_of_the_case_is_named(walk: KeptWalk, files: Database) -> None:
    tamper(files, update(PROTOCOLS).where(PROTOCOLS.c.id == walk.case.id).values(head_hash=OTHER))
    assert [f"{walk.case.reference}: row 6 is not the row that the file ends with"] == found(files)


def test_a_cut_with_a_fitting_case_is_known_by_the_anchor(walk: KeptWalk, files: Database) -> None:
    anchor(files, NOW)
    tamper(files, *cut(walk, 4))
    (said,) = found(files)
    assert said.startswith(f"{walk.case.reference}: cut off: row 6 is missing; anchor ")


def test_a_cut_since_the_last_anchor_is_what_anchors_cannot_know(walk: KeptWalk, files: Database) -> None:
    tamper(files, *cut(walk, 4))
    assert [] == found(files)


def test_a_removed_case_is_known_by_the_anchor(walk: KeptWalk, files: Database) -> None:
    anchor(files, NOW)
    tamper(files, *removed(walk))
    (said,) = found(files)
    assert said.startswith(f"{walk.case.id}: the whole file is missing; anchor ")


def test_a_history_rewritten_with_fitting_hashes_is_known_by_the_anchor(walk: KeptWalk, files: Database) -> None:
    anchor(files, NOW)
    tamper(files, *rewritten(walk, 2))
    (said,) = found(files)
    assert said.startswith(f"{walk.case.reference}: row 6 is not the row that anchor ")


@pytest.mark.parametrize(
    "damage",
    [
        lambda walk: [update(ANCHORS).where(ANCHORS.c.id == first()).values(heads=[[walk.case.id, 6, OTHER]])],
        lambda _: [update(ANCHORS).where(ANCHORS.c.id == first()).values(hash=OTHER)],
        lambda _: [update(ANCHORS).where(ANCHORS.c.id == first()).values(previous_hash=OTHER)],
        lambda _: [delete(ANCHORS).where(ANCHORS.c.id == first())],
    ],
    ids=["its heads", "its hash", "what it follows", "all of it"],
)
def test_a_changed_or_removed_anchor_is_named(
    walk: KeptWalk, files: Database, damage: Callable[[KeptWalk], list[Any]]
) -> None:
    anchor(files, NOW)
    walk.do("return_to_council", legal_reason="x")
    walk.keep()
    anchor(files, NOW)
    assert [] == found(files)
    tamper(files, *damage(walk))
    assert any(each.startswith("anchor ") for each in found(files))


def first() -> Any:
    return select(func.min(ANCHORS.c.id)).scalar_subquery()


def test_a_removed_last_anchor_is_known_by_its_hash_kept_elsewhere(walk: KeptWalk, files: Database) -> None:
    known = anchor(files, NOW)
    assert [] == found(files, known)
    tamper(files, delete(ANCHORS))
    (said,) = found(files, known)
    assert f"the known anchor {known[:12] if known else ''}… is not in the database" in said


def test_a_hash_that_never_was_an_anchor_is_not_found(walk: KeptWalk, files: Database) -> None:
    anchor(files, NOW)
    assert 1 == len(found(files, OTHER))


# anchoring


def anchored(files: Database) -> list[list[list[Any]]]:
    """The heads of every anchor."""
    with files.read() as connection:
        return list(connection.execute(select(ANCHORS.c.heads).order_by(ANCHORS.c.id)).scalars())


def test_anchoring_without_a_change_makes_no_anchor(walk: KeptWalk, files: Database) -> None:
    assert anchor(files, NOW) is not None
    assert anchor(files, NOW) is None
    assert 1 == len(anchored(files))


def test_an_anchor_lists_what_changed_since_the_one_before(files: Database) -> None:
    walks = [KeptWalk(files) for _ in range(3)]
    anchor(files, NOW)
    walks[1].to("council_agenda")
    anchor(files, NOW)
    assert [
        {(walk.case.id, 1) for walk in walks},
        {(walks[1].case.id, 3)},
    ] == [{(head[0], head[1]) for head in heads} for heads in anchored(files)]
    assert [] == found(files)


def test_more_histories_than_one_anchor_holds_are_anchored_by_the_next_ones(
    files: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.ledger._HEADS_AT_ONCE", 2)
    walks = [KeptWalk(files) for _ in range(5)]
    assert [True, True, True, False] == [anchor(files, NOW) is not None for _ in range(4)]
    assert sorted(walk.case.id for walk in walks) == sorted(head[0] for heads in anchored(files) for head in heads)
    assert [] == found(files)


# SQLite commits in the order of writing.
@pytest.mark.parametrize("archive", ["postgresql"], indirect=True)
def test_an_act_recorded_early_and_committed_late_is_anchored_all_the_same(files: Database) -> None:
    early, late = KeptWalk(files), KeptWalk(files)
    anchor(files, NOW)
    early.do("submit_to_mayor")  # recorded on the day the walk began
    late.pass_days(3)
    with stores(files).write() as store:
        store.locked(early.case.id)
        store.save(early.case, [], UNIT, early.procedure)
        late.do("submit_to_mayor")
        late.keep()

        def anchor_now() -> str | None:
            return anchor(Database(files.url), NOW)

        waiting = eventlet.spawn(anchor_now)
        eventlet.sleep(0.05)
    waiting.wait()
    anchor(files, NOW)
    heads = {(head[0], head[1]) for each in anchored(files) for head in each}
    assert {(early.case.id, 2), (late.case.id, 2)} <= heads


def test_replicas_that_anchor_at_once_make_one_chain(files: Database) -> None:
    others = [Database(files.url) for _ in range(3)] if files.dialect == "postgresql" else [files] * 3
    for _ in range(3):
        KeptWalk(files)
        found_ones = together(*(lambda each=each: anchor(each, NOW) for each in others))
        assert 1 == sum(each is not None for each in found_ones)
    assert [] == found(files)
    if files.dialect == "postgresql":
        for each in others:
            each.close()


def test_moves_made_while_the_histories_are_read_are_no_fault(walk: KeptWalk, files: Database) -> None:
    anchor(files, NOW)
    moved: list[str] = []

    def move_now(*_: Any) -> None:
        if not moved:
            moved.append("once")
            walk.do("return_to_council", legal_reason="x")
            KeptWalk(Database(files.url))
            walk.database = Database(files.url)
            walk.keep()
            anchor(walk.database, NOW)

    event.listen(files.engine, "after_cursor_execute", move_now)
    try:
        said = found(files)
    finally:
        event.remove(files.engine, "after_cursor_execute", move_now)
    assert (["once"], []) == (moved, said)
    assert [] == found(files)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"stage": "signing"}, "the file stands at signing, its history ends at mayor_check"),
        ({"facts": {"grant": {"done_on": "2026-09-07"}}}, "the file's facts are not those of its history"),
        ({"text_sha256": OTHER}, "the newest text is missing or another"),
    ],
    ids=["stage", "facts", "text"],
)
def test_a_file_that_says_otherwise_than_its_history_is_named(
    walk: KeptWalk, files: Database, values: dict[str, Any], said: str
) -> None:
    tamper(files, update(PROTOCOLS).where(PROTOCOLS.c.id == walk.case.id).values(values))
    assert [f"{walk.case.reference}: {said}"] == found(files)


def test_a_changed_text_is_named(walk: KeptWalk, files: Database) -> None:
    tamper(files, update(TEXTS).where(TEXTS.c.protocol_id == walk.case.id).values(text="başka"))
    assert [f"{walk.case.reference}: the text of version 1 was changed"] == found(files)


def test_a_removed_text_is_named(walk: KeptWalk, files: Database) -> None:
    tamper(files, delete(TEXTS).where(TEXTS.c.protocol_id == walk.case.id))
    assert [f"{walk.case.reference}: the newest text is missing or another"] == found(files)


def test_every_kind_of_act_hashes_alike_before_and_after_the_database(files: Database) -> None:
    walk = KeptWalk(files)
    cases.replace_text(walk.case, "İkinci metin ğüşıöç", Act(UNIT, {}, walk.on, NOW, walk.on), CALENDAR,
                       allowed_stage=walk.procedure.initial)  # fmt: skip
    walk.keep()
    walk.to("authority_review")
    walk.do("request_documents")
    walk.do("supply_documents")
    walk.let_run_out("PERMISSION_SILENCE")
    walk.keep()
    assert uuid.UUID(walk.case.id)
    assert [] == found(files)
