"""What held on a day and what was known when, against a model that remembers everything and replays it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Invalid, NotFound, Refused
from services.registry.domain.organisation import Facts, Grant, Organisation, Revocation
from services.registry.domain.status import Decision, Status, StatusHistory
from services.registry.domain.vocabulary import Form, StatusKind

FIRST = date(2020, 1, 1)
SPAN = 12
TODAY = FIRST + timedelta(days=SPAN)
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def moment(number: int) -> datetime:
    return BEGINNING + timedelta(minutes=number)


@dataclass(frozen=True)
class Act:
    """One thing that the registrar did at a moment: grant, correct or revoke the n-th status."""

    at: int
    what: str
    which: int
    begins: int
    ends: int | None


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    made = []
    at = 0
    for _ in range(draw(st.integers(1, 8))):
        at += draw(st.integers(0, 2))
        begins = draw(st.integers(0, SPAN))
        ends = draw(st.none() | st.integers(begins, SPAN))
        what = draw(st.sampled_from(("grant", "grant", "correct", "revoke")))
        made.append(Act(at, what, draw(st.integers(0, 3)), begins, ends))
    return made


def run(steps: list[Act]) -> tuple[StatusHistory, list[tuple[int, dict[str, tuple[int, int | None, int | None]]]]]:
    """The history of an organisation, and beside it, after every act that was accepted, all that was known then."""
    organisation = Organisation("o", Facts("Örnek", Form.ASSOCIATION))
    known: dict[str, tuple[int, int | None, int | None]] = {}
    log: list[tuple[int, dict[str, tuple[int, int | None, int | None]]]] = []
    for number, act in enumerate(steps):
        ids = sorted(known)
        target = ids[act.which % len(ids)] if ids else None
        now = moment(act.at)
        try:
            if act.what == "revoke" and target is not None:
                revocation = Revocation(revoked_on=day(act.begins))
                organisation.revoke(target, revocation, today=TODAY, now=now, by="r")
                begins, ends, _ = known[target]
                known = {**known, target: (begins, ends, act.begins)}
            elif act.what == "grant" or target is not None:
                corrects = target if act.what == "correct" else None
                ends_on = None if act.ends is None else day(act.ends)
                grant = Grant(StatusKind.PUBLIC_BENEFIT, day(act.begins), ends_on, corrects=corrects)
                organisation.grant(grant, f"s{number}", today=TODAY, now=now, by="r")
                known = {**known, corrects or f"s{number}": (act.begins, act.ends, None)}
        except (Invalid, Refused):
            continue
        log.append((act.at, known))
    return organisation.history, log


@given(acts())
def test_at_any_moment_any_day_is_judged_by_what_was_recorded_until_then(steps: list[Act]) -> None:
    history, log = run(steps)
    for minute in range(-1, steps[-1].at + 2):
        known = next((state for at, state in reversed(log) if at <= minute), {})
        for number in range(SPAN + 1):
            expected = {
                key
                for key, (begins, ends, revoked) in known.items()
                if begins <= number and (ends is None or number <= ends) and (revoked is None or number < revoked)
            }
            found = {status.id for status in history.known(moment(minute)) if status.holds_on(day(number))}
            assert expected == found
            held = history.holding(StatusKind.PUBLIC_BENEFIT, day(number), moment(minute))
            assert (held.id in expected) if held else not expected


@given(acts())
def test_the_present_knowledge_is_that_of_the_last_moment(steps: list[Act]) -> None:
    history, _ = run(steps)
    assert history.known() == history.known(moment(steps[-1].at))


@given(acts())
def test_no_revision_is_ever_written_over(steps: list[Act]) -> None:
    before: tuple[Status, ...] = ()
    for n in range(1, len(steps) + 1):
        history, _ = run(steps[:n])
        contents = [(s.id, s.revision, s.valid_from, s.valid_to, s.revoked_on, s.recorded_at) for s in before]
        kept = [
            (s.id, s.revision, s.valid_from, s.valid_to, s.revoked_on, s.recorded_at)
            for s in history.revisions[: len(before)]
        ]
        assert contents == kept
        before = history.revisions


@given(acts())
def test_each_status_is_known_in_one_revision_at_a_time(steps: list[Act]) -> None:
    history, _ = run(steps)
    for minute in range(steps[-1].at + 2):
        known = [status.id for status in history.known(moment(minute))]
        assert len(known) == len(set(known))


def an_association(**facts: object) -> Organisation:
    return Organisation("o", Facts("Örnek", Form.ASSOCIATION, **facts))  # type: ignore[arg-type]


def give(organisation: Organisation, grant: Grant, at: int = 0, status_id: str = "s") -> None:
    organisation.grant(grant, status_id, today=TODAY, now=moment(at), by="r")


def wrong_fields(refusal: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [error["field"] for error in refusal.value.details["errors"]]


@pytest.mark.parametrize(
    ("grant", "fields"),
    [
        (Grant(StatusKind.PUBLIC_BENEFIT), ["valid_from"]),
        (Grant(StatusKind.PUBLIC_BENEFIT, day(5), day(4)), ["valid_to"]),
        (Grant(StatusKind.TAX_EXEMPT, day(1)), ["kind"]),
        (Grant(StatusKind.PUBLIC_BENEFIT, day(1), decision=Decision(decision_on=TODAY + timedelta(1))), None),
        (
            Grant(StatusKind.PUBLIC_BENEFIT, day(6), decision=Decision(decision_on=day(5), gazette_on=day(4))),
            ["gazette_on"],
        ),
        (Grant(StatusKind.PUBLIC_BENEFIT, day(4), decision=Decision(decision_on=day(5))), ["valid_from"]),
        (Grant(StatusKind.PUBLIC_BENEFIT, date(1, 1, 1)), ["valid_from"]),
        (Grant(StatusKind.PUBLIC_BENEFIT, day(1), source="\x00"), ["source"]),
        (Grant(StatusKind.PUBLIC_BENEFIT, day(1), decision=Decision(decision_no="9" * 61)), ["decision_no"]),
    ],
)
def test_a_status_whose_dates_make_no_sense_is_refused_by_field(grant: Grant, fields: list[str] | None) -> None:
    with pytest.raises(Invalid) as refusal:
        give(an_association(), grant)
    assert (fields or ["decision_on", "valid_from"]) == wrong_fields(refusal)


def test_a_status_cannot_be_older_than_the_organisation() -> None:
    with pytest.raises(Invalid) as refusal:
        give(an_association(founded_on=day(3)), Grant(StatusKind.PUBLIC_BENEFIT, day(2)))
    assert ["valid_from"] == wrong_fields(refusal)


def test_a_status_without_a_first_day_runs_from_its_gazette_else_from_its_decision() -> None:
    for decision, begins in (
        (Decision(decision_on=day(1), gazette_on=day(3)), day(3)),
        (Decision(decision_on=day(1)), day(1)),
    ):
        organisation = an_association()
        give(organisation, Grant(StatusKind.PUBLIC_BENEFIT, decision=decision))
        assert [begins] == [status.valid_from for status in organisation.history.known()]


def test_the_same_status_is_not_recorded_twice() -> None:
    organisation = an_association()
    give(organisation, Grant(StatusKind.PUBLIC_BENEFIT, day(1)))
    with pytest.raises(Refused):
        give(organisation, Grant(StatusKind.PUBLIC_BENEFIT, day(1)), status_id="t")


def test_a_status_that_is_not_there_is_neither_corrected_nor_revoked() -> None:
    with pytest.raises(NotFound):
        give(an_association(), Grant(StatusKind.PUBLIC_BENEFIT, day(1), corrects="x"))
    with pytest.raises(NotFound):
        an_association().revoke("x", Revocation(), today=TODAY, now=moment(0), by="r")


@pytest.mark.parametrize("number", [1, 9, SPAN + 1])
def test_a_revocation_lies_within_the_status_and_not_in_the_future(number: int) -> None:
    organisation = an_association()
    give(organisation, Grant(StatusKind.PUBLIC_BENEFIT, day(2), day(8)))
    with pytest.raises(Invalid) as refusal:
        organisation.revoke("s", Revocation(revoked_on=day(number)), today=TODAY, now=moment(1), by="r")
    assert "revoked_on" in wrong_fields(refusal)


def test_a_status_revoked_on_its_first_day_never_held() -> None:
    organisation = an_association()
    give(organisation, Grant(StatusKind.PUBLIC_BENEFIT, day(2)))
    organisation.revoke("s", Revocation(revoked_on=day(2)), today=TODAY, now=moment(1), by="r")
    assert [] == [status for n in range(SPAN) for status in organisation.history.known() if status.holds_on(day(n))]


def test_a_clock_that_was_set_back_does_not_hide_a_correction() -> None:
    organisation = an_association()
    give(organisation, Grant(StatusKind.PUBLIC_BENEFIT, day(1)), at=5)
    give(organisation, Grant(StatusKind.PUBLIC_BENEFIT, day(2), corrects="s"), at=1)
    assert [day(2)] == [status.valid_from for status in organisation.history.known(moment(5))]
