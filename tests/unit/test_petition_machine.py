"""Any walk through the petition procedure: enabled options succeed, disabled ones are refused with their reason."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from petition_builder import ACTORS, CITIZEN, CSO, FILED, Way
from protocol_builder import moment

from services.kernel.chain import faults
from services.kernel.errors import ImeceError, Refused
from services.kernel.workflow import Act
from services.petitions.domain.case import REFUSALS
from services.petitions.domain.policy import Policy

PEOPLE = sorted(set(ACTORS) - {"system"})
REMEDIES = {"SUIT", "OBJECTION"}
BY_ITSELF = {
    "note_silence",
    "lapse_unpaid",
    "report_draft_problem",
    "link_protocol",
    "expire_clock",
    "lapse_completion",
}
ENDING = ("reply", "withdraw", "forward", "decline_to_examine")
PROFILES = [
    ("petition", CITIZEN),
    ("information_request", CITIZEN),
    ("information_request", CSO),
    ("partnership_proposal", CSO),
    ("partnership_proposal", CSO),
    ("partnership_proposal", CITIZEN),
    ("opinion", CITIZEN),
]
BEGINNINGS: list[tuple[str, ...]] = [
    (),
    ("return_for_completion",),
    ("register", "assign"),
    ("register", "assign", "interim_reply", "extend"),
    ("register", "notify_fee"),
    ("register", "assign", "accept_proposal"),
]
MOVES = sorted({move.name for move in Way().procedure.moves})


class AnyWay(RuleBasedStateMachine):
    """Offices and the petitioner act in any order on any day."""

    way: Way

    @initialize(
        who=st.sampled_from(PROFILES),
        paper=st.booleans(),
        earlier=st.sampled_from([0, 0, 0, 25, 200]),
        pauses=st.booleans(),
        fee=st.sampled_from(["restart", "pause"]),
        steps=st.sampled_from(BEGINNINGS),
    )
    def begin(self, *, who: Any, paper: bool, earlier: int, pauses: bool, fee: Any, steps: tuple[str, ...]) -> None:
        """Anywhere on the usual ways, since walks from the very beginning seldom get far."""
        kind, petitioner = who
        self.way = Way(
            kind,
            petitioner=petitioner,
            channel="post" if paper else "web",
            filed_on=FILED - timedelta(days=earlier),
            policy=Policy(completion_pauses_answer=pauses, fee_notice=fee),
        )
        self.way.pass_days(0)
        for step in steps:
            if not self.too_late(step):
                with suppress(Refused):
                    self.way.do(step)

    def options(self, role: str) -> list[Any]:
        act = Act(ACTORS[role], {}, self.way.on, moment(self.way.on), self.way.on)
        return self.way.procedure.options(self.way.case, act)

    def fields(self, move: str) -> dict[str, Any]:
        """What makes it succeed; a notice of extension was given before the last day, if it could be."""
        if move == "extend" and (clock := self.way.case.open_clock("INFO_ACCESS")) and clock.due_on:
            return {"notified_on": min(self.way.on, clock.due_on - timedelta(days=1))}
        return {}

    def too_late(self, move: str) -> bool:
        clock = self.way.case.open_clock("INFO_ACCESS")
        return move == "extend" and bool(clock and clock.due_on and self.way.case.last_on >= clock.due_on)

    @precondition(lambda self: self.way.case.stage not in self.way.procedure.ends)
    @rule(data=st.data())
    def take_an_option(self, data: st.DataObject) -> None:
        offered = [(role, option) for role in PEOPLE for option in self.options(role)]
        # Most moves of a petition end it; they have their turn, but not at every step.
        staying = [each for each in offered if each[1].move not in ENDING]
        ends = not staying or data.draw(st.sampled_from([False] * 5 + [True]), label="may end")
        role, option = data.draw(st.sampled_from(offered if ends else staying), label="option")
        before = deepcopy(self.way.case)
        if option.enabled and not self.too_late(option.move):
            self.way.do(option.move, role, **self.fields(option.move))
            assert before.version + 1 == self.way.case.version
        else:
            with pytest.raises(Refused) as refused:
                self.way.do(option.move, role)
            said = [reason["code"] for reason in refused.value.details["reasons"]]
            assert [reason["code"] for reason in option.reasons] == said[: len(option.reasons)]
            assert before == self.way.case

    @precondition(lambda self: bool(self.way.procedure.rows("reply", self.way.case.stage)))
    @rule(outcome=st.sampled_from(["refused", "partly"]), named=st.booleans())
    def refuse(self, outcome: str, *, named: bool) -> None:
        if named:
            self.way.do("reply", outcome=outcome, remedy="İdare mahkemesi", remedy_days=60)
        else:
            with pytest.raises(Refused):
                self.way.do("reply", outcome=outcome)

    @precondition(lambda self: self.way.case.stage == "proposal_accepted" and not self.way.case.is_linked)
    @rule(drafted=st.booleans())
    def protocols_answers(self, *, drafted: bool) -> None:
        self.way.do("link_protocol" if drafted else "report_draft_problem", "system")

    @rule(move=st.sampled_from(MOVES), role=st.sampled_from(PEOPLE))
    def try_what_is_not_offered(self, move: str, role: str) -> None:
        if any(option.move == move for option in self.options(role)):
            return
        before = deepcopy(self.way.case)
        with pytest.raises(ImeceError):
            self.way.do(move, role)
        assert before == self.way.case

    @rule(days=st.integers(1, 50))
    def let_days_pass(self, days: int) -> None:
        self.way.pass_days(days)

    @invariant()
    def the_history_is_whole(self) -> None:
        acts = self.way.case.new_acts
        assert [] == faults((act.number, act.previous_hash, act.hash, act.content()) for act in acts)

    @invariant()
    def only_remedies_run_at_an_end(self) -> None:
        if self.way.case.stage in self.way.procedure.ends:
            assert {clock.kind for clock in self.way.case.clocks if clock.is_open} <= REMEDIES

    @invariant()
    def no_clock_of_a_kind_runs_twice(self) -> None:
        kinds = [clock.kind for clock in self.way.case.clocks if clock.is_open]
        assert sorted(set(kinds)) == sorted(kinds)

    @invariant()
    def no_running_clock_is_past_for_longer_than_a_look(self) -> None:
        self.way.pass_days(0)
        late = [c.kind for c in self.way.case.clocks if c.state == "running" and c.due_on and c.due_on < self.way.on]
        assert [] == late

    @invariant()
    def sending_again_and_registering_late_win_no_time(self) -> None:
        case = self.way.case
        assert {case.filed_on} >= {c.started_on for c in case.clocks if c.kind in ("PETITION_ANSWER", "NON_FINAL_WAIT")}

    @invariant()
    def somebodys_turn_is_named_until_the_end(self) -> None:
        stage, case = self.way.procedure.stages[self.way.case.stage], self.way.case
        assert (stage.turn_of(case) is None) == (stage.name in self.way.procedure.ends or case.is_linked)

    @invariant()
    def a_refusal_names_its_remedy(self) -> None:
        case = self.way.case
        if case.outcome in REFUSALS:
            assert case.facts["reply"]["remedy"]
            assert case.facts["reply"]["remedy_days"]

    @invariant()
    def nothing_is_declined_by_itself(self) -> None:
        assert {act.move for act in self.way.case.new_acts if act.actor["role"] == "system"} <= BY_ITSELF

    @invariant()
    def access_is_extended_once_at_most(self) -> None:
        assert 1 >= sum(act.move == "extend" for act in self.way.case.new_acts)
        lengths = {clock.length for clock in self.way.case.clocks if clock.kind == "INFO_ACCESS"}
        assert lengths <= {15, 30}

    @invariant()
    def what_is_awaited_is_said_exactly_while_it_is(self) -> None:
        assert (self.way.case.stage == "awaiting_completion") == (self.way.case.awaits is not None)

    @invariant()
    def the_history_holds_none_of_the_petitioners_details(self) -> None:
        told = str([(act.fields, act.known, act.actor) for act in self.way.case.new_acts])
        assert not any(each in told for each in ("Başvuru Sahibi", "basvuran@example.org"))


TestAnyWay = AnyWay.TestCase
TestAnyWay.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
