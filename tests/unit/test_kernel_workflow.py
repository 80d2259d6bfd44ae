"""A procedure is a table that runs, explains itself and does not contradict itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.kernel.actor import SYSTEM, Actor
from services.kernel.errors import Forbidden, Invalid, Refused
from services.kernel.text import Label, Sentence
from services.kernel.workflow import Act, Length, Move, Procedure, Stage, Term, guard

TODAY = date(2026, 9, 7)
NOW = datetime(2026, 9, 7, 8, tzinfo=UTC)
CLERK, MAYOR = Actor("clerk", "u1"), Actor("mayor", "u2")


@dataclass
class Paper:
    stage: str = "open"
    last_on: date = TODAY - timedelta(days=2)
    conditions: frozenset[str] = frozenset()
    marks: list[str] = field(default_factory=list)


@guard("5393/22")
def has_no_mark(paper: Paper, _act: Act) -> Sentence | None:
    return Sentence("It is marked.") if paper.marks else None


@guard("5393/23")
def is_signed(_paper: Paper, act: Act) -> Sentence | None:
    return None if act.fields.get("name") == "ok" else Sentence("The name is {name}.", name=act.fields.get("name"))


def mark(paper: Paper, act: Act) -> None:
    paper.marks.append(act.actor.role)


def label(text: str) -> Label:
    return Label(text, text)


STAGES: list[Stage[Any]] = [
    Stage("open", label("Open"), "clerk"),
    Stage("heavy", label("Heavy"), lambda _: None),
    Stage("done", label("Done")),
]
MOVES: list[Move[Any]] = [
    Move("send", label("Send"), ("open",), "heavy", ("clerk",), when=lambda paper, _: "heavy" in paper.conditions,
         when_label=label("heavy ones")),
    Move("send", label("Send"), ("open",), "done", ("clerk",), when=lambda paper, _: "heavy" not in paper.conditions),
    Move("sign", label("Sign"), ("open", "heavy"), "done", ("mayor", "clerk"), "5393/38", needs=("name", "on"), takes=("place",),
         dated_by="on", preconditions=(has_no_mark,), guards=(is_signed,), effects=(mark,)),
    Move("look", label("Look"), ("open",), None, ("clerk",)),
]  # fmt: skip
TERMS: list[Term[Any]] = [
    Term("WAIT", label("Wait"), "5393/23", "mayor", label("Nothing"), Length(5, "working_day", {"heavy": 10}),
         lambda _, act: act.done_on, starts_in=("heavy",), met_by=("sign",)),
]  # fmt: skip
TABLE: Procedure[Any] = Procedure("paper", 1, STAGES, MOVES, TERMS)


def act(actor: Actor = CLERK, **fields: Any) -> Act:
    return Act(actor, fields, TODAY, NOW, fields.get("on", TODAY))


def reasons(case: Paper, name: str, attempt: Act) -> list[str]:
    with pytest.raises(Refused) as refused:
        TABLE.advance(case, name, attempt)
    return [each["code"] for each in refused.value.details["reasons"]]


def test_a_move_takes_the_case_to_its_stage_and_has_its_effects() -> None:
    paper = Paper()
    row = TABLE.advance(paper, "sign", act(name="ok", on=TODAY))
    assert ("done", ["clerk"], MOVES[2]) == (paper.stage, paper.marks, row)


@pytest.mark.parametrize(("conditions", "stage"), [(frozenset(), "done"), (frozenset({"heavy"}), "heavy")])
def test_where_a_move_leads_may_depend_on_the_case(conditions: frozenset[str], stage: str) -> None:
    paper = Paper(conditions=conditions)
    TABLE.advance(paper, "send", act())
    assert stage == paper.stage


def test_a_move_without_a_target_leaves_the_case_where_it_is() -> None:
    paper = Paper()
    TABLE.advance(paper, "look", act())
    assert "open" == paper.stage


def test_every_reason_against_a_move_is_said_at_once_with_its_article() -> None:
    paper = Paper(marks=["x"])
    before = replace(paper, marks=list(paper.marks))
    with pytest.raises(Refused) as refused:
        TABLE.advance(paper, "sign", act(name="no", on=TODAY + timedelta(days=1)))
    said = refused.value.details["reasons"]
    assert [("has_no_mark", "5393/22"), ("is_signed", "5393/23"), ("date_between_previous_act_and_today", "")] == [
        (each["code"], each["article"]) for each in said
    ]
    assert ("It is marked.", before, "on") == (str(refused.value), paper, said[2]["field"])


@pytest.mark.parametrize(("days", "allowed"), [(-3, False), (-2, True), (0, True), (1, False)])
def test_an_act_lies_between_the_previous_one_and_today(days: int, *, allowed: bool) -> None:
    attempt = act(name="ok", on=TODAY + timedelta(days=days))
    if allowed:
        TABLE.advance(Paper(), "sign", attempt)
    else:
        assert ["date_between_previous_act_and_today"] == reasons(Paper(), "sign", attempt)


def test_a_move_of_another_role_is_forbidden() -> None:
    with pytest.raises(Forbidden) as refused:
        TABLE.advance(Paper(), "send", act(MAYOR))
    assert {"roles": ["clerk"]} == refused.value.details


def test_a_delegation_covers_the_moves_it_names_and_no_other() -> None:
    deputy = Actor("clerk", scope=("look",))
    TABLE.advance(Paper(), "look", act(deputy))
    with pytest.raises(Forbidden):
        TABLE.advance(Paper(), "send", act(deputy))


def test_a_move_at_the_wrong_stage_is_refused_and_those_possible_are_named() -> None:
    with pytest.raises(Refused) as refused:
        TABLE.advance(Paper(stage="heavy"), "send", act())
    assert ("wrong_stage", "sign") == (refused.value.details["reasons"][0]["code"], refused.value.details["possible"])


def test_a_move_that_is_in_no_row_is_invalid() -> None:
    with pytest.raises(Invalid):
        TABLE.advance(Paper(), "fly", act())


@pytest.mark.parametrize("empty", [None, "", []])
def test_missing_and_strange_fields_are_named(empty: Any) -> None:
    with pytest.raises(Invalid) as refused:
        TABLE.advance(Paper(), "sign", act(name=empty, on=TODAY, colour="red"))
    assert {"name", "colour"} == {each["field"] for each in refused.value.details["errors"]}


def test_a_note_may_stand_with_every_move() -> None:
    TABLE.advance(Paper(), "look", act(note="for the file"))


def test_options_are_the_offices_own_moves_with_what_stands_against_them() -> None:
    found = {
        each.move: (each.enabled, [reason["code"] for reason in each.reasons])
        for each in TABLE.options(Paper(marks=["x"]), act())
    }
    assert {"send": (True, []), "sign": (False, ["has_no_mark"]), "look": (True, [])} == found
    assert ["sign"] == [each.move for each in TABLE.options(Paper(), act(MAYOR))]
    assert [] == TABLE.options(Paper(stage="done"), act())


def test_options_follow_the_scope_of_a_delegation() -> None:
    assert ["look"] == [each.move for each in TABLE.options(Paper(), act(Actor("clerk", scope=("look",))))]


def test_an_end_is_a_stage_that_no_move_leaves() -> None:
    assert frozenset({"done"}) == TABLE.ends


def test_a_length_may_depend_on_the_case() -> None:
    assert [5, 10] == [TERMS[0].length.of(conditions) for conditions in (frozenset(), frozenset({"heavy"}))]


def test_a_gap_between_the_conditions_of_a_moves_rows_is_a_bug() -> None:
    gap: Procedure[Any] = Procedure("p", 1, STAGES, [replace(MOVES[0]), *MOVES[2:]], TERMS)
    with pytest.raises(LookupError, match="gap"):
        gap.advance(Paper(), "send", act())


@pytest.mark.parametrize(
    ("moves", "terms", "said"),
    [
        ([replace(MOVES[3], sources=("nowhere",))], [], "look: unknown stage"),
        ([replace(MOVES[3], to="nowhere")], [], "look: unknown stage"),
        ([replace(MOVES[3], dated_by="on")], [], "look: dated by a field it does not have"),
        ([], [replace(TERMS[0], met_by=("fly",))], "WAIT: unknown move"),
        ([], [replace(TERMS[0], on_expiry="fly")], "WAIT: unknown move"),
        ([], [replace(TERMS[0], lives_in=("nowhere",))], "WAIT: unknown stage"),
    ],
)
def test_a_table_that_contradicts_itself_does_not_start(moves: list[Any], terms: list[Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Procedure("p", 1, STAGES, [*MOVES, *moves], terms)


def test_the_description_names_every_row() -> None:
    told = TABLE.describe()
    assert (["open", "heavy", "done"], ["send", "send", "sign", "look"], ["WAIT"]) == (
        [each["name"] for each in told["stages"]], [each["name"] for each in told["moves"]],
        [each["kind"] for each in told["clocks"]],
    )  # fmt: skip
    assert [{"name": "has_no_mark", "article": "5393/22"}, {"name": "is_signed", "article": "5393/23"}] == told[
        "moves"
    ][2]["guards"]


def test_the_drawing_has_every_stage_and_every_way() -> None:
    drawn = TABLE.diagram("tr")
    for line in ("[*] --> open", "open --> heavy : Send (heavy ones)", "open --> done : Send", "heavy --> done : Sign · 5393/38",
                 "open --> open : Look", "done --> [*]"):  # fmt: skip
        assert f"    {line}\n" in drawn


def test_the_system_may_act_on_any_day() -> None:
    table: Procedure[Any] = Procedure(
        "p",
        1,
        STAGES,
        [*MOVES, Move("lapse", label("Lapse"), ("open",), "done", ("system",), takes=("on",), dated_by="on")],
        [],
    )
    paper = Paper()
    table.advance(paper, "lapse", act(SYSTEM, on=TODAY - timedelta(days=99)))
    assert "done" == paper.stage
