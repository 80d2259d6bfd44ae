"""Any walk through the procedure: enabled options succeed, disabled ones are refused with their reason."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from protocol_builder import OFFICES, Walk, moment, votes

from services.kernel.chain import faults
from services.kernel.errors import ImeceError, Refused
from services.kernel.workflow import Act

EARLY = ("drafting", "council_agenda", "council_decision", "mayor_check", "transmittal")
LATE = ("permission_request", "authority_review", "signing", "in_force")
PEOPLE = sorted(set(OFFICES) - {"system"})


class AnyWalk(RuleBasedStateMachine):
    """Offices act in any order on any day."""

    walk: Walk

    @initialize(
        zoning=st.booleans(),
        kind=st.sampled_from(["metropolitan", "metropolitan_district", "district"]),
        permission=st.sampled_from(["required", "exempt", "not_needed", "discretionary", "legal_review"]),
        stage=st.sampled_from([*EARLY, *LATE]),
    )
    def begin(self, *, zoning: bool, kind: str, permission: str, stage: str) -> None:
        """Anywhere on the usual way, since walks from the very beginning seldom get far."""
        self.walk = Walk(zoning=zoning, kind=kind, permission="required" if stage in LATE else permission)
        self.walk.to(stage)

    def options(self, role: str) -> list[Any]:
        act = Act(OFFICES[role], {}, self.walk.on, moment(self.walk.on), self.walk.on)
        return self.walk.procedure.options(self.walk.case, act)

    @precondition(lambda self: self.walk.case.stage not in self.walk.procedure.ends)
    @rule(data=st.data())
    def take_an_option(self, data: st.DataObject) -> None:
        offered = [(role, option) for role in PEOPLE for option in self.options(role)]
        role, option = data.draw(st.sampled_from(offered), label="option")
        before = deepcopy(self.walk.case)
        if option.enabled:
            self.walk.do(option.move, role)
            assert before.version + 1 == self.walk.case.version
        else:
            with pytest.raises(Refused) as refused:
                self.walk.do(option.move, role)
            said = [reason["code"] for reason in refused.value.details["reasons"]]
            assert [reason["code"] for reason in option.reasons] == said[: len(option.reasons)]
            assert before == self.walk.case

    @rule(move=st.sampled_from(sorted({move.name for move in Walk().procedure.moves})), role=st.sampled_from(PEOPLE))
    def try_what_is_not_offered(self, move: str, role: str) -> None:
        if any(option.move == move for option in self.options(role)):
            return
        before = deepcopy(self.walk.case)
        with pytest.raises(ImeceError):
            self.walk.do(move, role)
        assert before == self.walk.case

    @rule(days=st.integers(1, 45))
    def let_days_pass(self, days: int) -> None:
        self.walk.pass_days(days)

    @invariant()
    def the_history_is_whole(self) -> None:
        acts = self.walk.case.new_acts
        assert [] == faults((act.number, act.previous_hash, act.hash, act.content()) for act in acts)

    @invariant()
    def nothing_runs_at_an_end(self) -> None:
        if self.walk.case.stage in self.walk.procedure.ends:
            assert [] == [clock.kind for clock in self.walk.case.clocks if clock.is_open]

    @invariant()
    def no_clock_of_a_kind_runs_twice(self) -> None:
        kinds = [clock.kind for clock in self.walk.case.clocks if clock.is_open]
        assert sorted(set(kinds)) == sorted(kinds)

    @invariant()
    def no_running_clock_is_past(self) -> None:
        late = [c.kind for c in self.walk.case.clocks if c.state == "running" and c.due_on and c.due_on < self.walk.on]
        assert [] == late

    @invariant()
    def what_is_in_force_was_permitted_stamped_and_is_the_approved_text(self) -> None:
        case = self.walk.case
        if case.stage in ("in_force", "suspended"):
            assert case.done("stamp")
            assert case.done("transmit")
            assert case.approved_sha256 == case.facts["sign"]["text_sha256"] == case.text_sha256
            permitted = any(case.done(move) for move in ("grant", "grant_with_conditions", "determine_exempt"))
            assert permitted or self.walk.permission in ("exempt", "not_needed")

    @invariant()
    def somebodys_turn_is_named_until_the_end(self) -> None:
        stage = self.walk.procedure.stages[self.walk.case.stage]
        assert (stage.turn_of(self.walk.case) is None) == (stage.name in self.walk.procedure.ends)


TestAnyWalk = AnyWalk.TestCase
TestAnyWalk.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)


def test_the_record_of_a_day_that_ran_out_bears_the_day_after_it() -> None:
    walk = Walk()
    walk.to("commission_review")
    clock = walk.case.open_clock("COMMISSION_REPORT")
    assert clock is not None
    assert clock.due_on is not None
    walk.pass_days(90)
    lapse = next(act for act in walk.case.new_acts if act.move == "lapse_commission")
    assert 1 == (lapse.done_on - clock.due_on).days


def test_expiry_is_the_same_noticed_at_once_or_late() -> None:
    early, late = Walk(), Walk()
    for walk in (early, late):
        walk.to("commission_review")
    for _ in range(60):
        early.pass_days(1)
    late.pass_days(60)
    assert early.case.stage == late.case.stage
    assert [c.due_on for c in early.case.clocks] == [c.due_on for c in late.case.clocks]


def test_the_case_is_untouched_by_a_refused_move() -> None:
    walk = Walk()
    walk.to("council_decision")
    before = deepcopy(walk.case)
    with pytest.raises(Refused):
        walk.do("amend", votes=votes(3, 25), text="yeni")
    assert before == walk.case
