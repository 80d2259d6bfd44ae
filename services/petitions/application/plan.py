"""Strategic plans: a file is read, compared with what is there, and put in its place as a whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from services.kernel.actor import Actor
from services.kernel.errors import Forbidden, Invalid, NotFound
from services.kernel.text import Sentence
from services.petitions.domain.case import SEES
from services.petitions.domain.plan.check import Warned, warnings
from services.petitions.domain.plan.difference import Change, Difference, Outcome, differences
from services.petitions.domain.plan.layout import Recognised
from services.petitions.domain.plan.model import MOST_YEARS, Figure, Level, Plan
from services.petitions.domain.plan.reading import Problem, Reading, Row, read_plan

KEEPERS = ("registry_clerk", "unit_officer")


class ImportState(StrEnum):
    """What became of a file: `refused` ones have problems, and nothing of them was taken."""

    READY = "ready"
    APPLIED = "applied"
    REFUSED = "refused"


@dataclass(frozen=True)
class SentPlan:
    """A file as it arrived; title and years are needed where it holds more than figures."""

    municipality: str
    columns: Recognised
    rows: Iterable[Row]
    apply: bool = False
    title: str | None = None
    first_year: int | None = None
    last_year: int | None = None
    file_name: str | None = None
    file_sha256: str | None = None


@dataclass(frozen=True)
class KeptPlan:
    """A plan as it is kept; `activities` are the ids of its activities by code."""

    id: str
    municipality: str
    version: int
    current: bool
    plan: Plan
    applied_at: datetime
    applied_by: str
    activities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlanImport:
    """A file and what it says, compared with the plan that was there; `plan` is null where it has problems."""

    id: str
    sent: SentPlan
    state: ImportState
    requested_at: datetime
    requested_by: str
    read: int
    problems: Sequence[Problem]
    plan: Plan | None = None
    difference: Difference = field(default_factory=lambda: Difference((), 0))
    withdrawn: Collection[str] = ()
    warnings: Sequence[Warned] = ()
    version: int | None = None

    @property
    def changes(self) -> Sequence[Change]:
        """What becomes of each line that does not stay as it is."""
        return [each for each in self.difference.changes if each.outcome is not Outcome.UNCHANGED]


class Plans(Protocol):
    """Where plans are kept, for one transaction."""

    def hold(self, municipality: str) -> None:
        """Until the transaction ends nobody else changes the plans of that municipality."""

    def current(self, municipality: str) -> KeptPlan | None:
        """The plan that holds."""

    def of_years(self, municipality: str, first_year: int, last_year: int) -> KeptPlan | None:
        """The plan for those years."""

    def figures(self, plan_id: str) -> Sequence[Figure]:
        """What was reported of it."""

    def codes_with_proposals(self, plan_id: str, codes: Collection[str]) -> Collection[str]:
        """Those of its activities to which something was proposed."""

    def put(self, kept: KeptPlan, import_id: str) -> None:
        """Keep it in the place of what was kept for its years, under a new version."""

    def put_figures(self, plan_id: str, figures: Iterable[Figure], import_id: str) -> None:
        """Keep the figures; one for the same code and year takes the old one's place."""

    def next_version(self, municipality: str) -> int:
        """One more than any plan of the municipality has had."""

    def add_import(self, made: PlanImport) -> None:
        """Keep what was found in a file."""


def import_plan(plans: Plans, actor: Actor, sent: SentPlan, now: datetime) -> PlanImport:
    """Read a plan's file and, when asked to and nothing is wrong with it, put it in place. Raises Forbidden, Invalid."""
    if actor.role not in KEEPERS or actor.municipality != sent.municipality:
        raise Forbidden(Sentence("Only the registry clerk and the unit officers of the municipality keep its plan."))
    reading = read_plan(sent.columns, sent.rows)
    plans.hold(sent.municipality)
    before = _before(plans, sent, reading)
    plan = _plan(sent, reading, before)
    made = PlanImport(
        id=str(uuid.uuid4()),
        sent=sent,
        state=ImportState.REFUSED if plan is None else ImportState.READY,
        requested_at=now,
        requested_by=actor.office,
        read=reading.rows,
        problems=tuple(reading.problems),
    )
    if plan is not None:
        made = _compared(plans, made, before, plan, reading.figures)
        if sent.apply:
            made = _applied(plans, made, before, reading)
    plans.add_import(made)
    return made


def _before(plans: Plans, sent: SentPlan, reading: Reading) -> KeptPlan | None:
    """The plan whose place it takes, or whose figures it brings."""
    if sent.first_year is None or sent.last_year is None:
        if reading.items or sent.first_year is not None or sent.last_year is not None:
            missing = [name for name in ("title", "first_year", "last_year") if getattr(sent, name) is None]
            raise Invalid.fields(
                [(name, Sentence("A plan needs its title, its first and its last year.")) for name in missing]
            )
        return plans.current(sent.municipality)
    if not 0 <= sent.last_year - sent.first_year < MOST_YEARS:
        raise Invalid.field(
            "last_year", Sentence("A plan has at most {most} years, the last not before the first.", most=MOST_YEARS)
        )
    if reading.items and sent.title is None:
        raise Invalid.field("title", Sentence("A plan needs its title, its first and its last year."))
    return plans.of_years(sent.municipality, sent.first_year, sent.last_year)


def _plan(sent: SentPlan, reading: Reading, before: KeptPlan | None) -> Plan | None:
    """The plan as it would be; None when the file has problems, which it then says."""
    if not reading.rows:
        reading.problems.append(Problem(None, "file", Sentence("The file holds nothing below its header.")))
    elif not reading.items and before is None and not reading.problems:
        reading.problems.append(
            Problem(None, "file", Sentence("There is no plan yet that these figures belong to. Send the plan first."))
        )
    if reading.problems:
        return None
    if not reading.items:
        return before.plan if before else None
    if sent.title is None or sent.first_year is None or sent.last_year is None:
        return None
    return Plan(title=sent.title, first_year=sent.first_year, last_year=sent.last_year, items=tuple(reading.items))


def _compared(
    plans: Plans, made: PlanImport, before: KeptPlan | None, plan: Plan, figures: Sequence[Figure]
) -> PlanImport:
    known = plans.figures(before.id) if before else []
    merged = {figure.key: figure for figure in (*known, *figures)}
    difference = differences(before.plan if before else None, known, plan, figures)
    gone = [
        each.code for each in difference.changes if each.outcome is Outcome.REMOVED and each.level is Level.ACTIVITY
    ]
    return replace(
        made,
        plan=plan,
        difference=difference,
        withdrawn=plans.codes_with_proposals(before.id, gone) if before and gone else (),
        warnings=warnings(plan, list(merged.values())),
    )


def _applied(plans: Plans, made: PlanImport, before: KeptPlan | None, reading: Reading) -> PlanImport:
    plan = made.plan
    if plan is None:
        return made
    # A report of a plan that is over does not bring it back.
    current = bool(reading.items) or before is None or before.current
    if before is not None and before.current == current and before.plan == plan and not made.difference.figures:
        return replace(made, state=ImportState.APPLIED, version=before.version)
    kept = KeptPlan(
        id=before.id if before else str(uuid.uuid4()),
        municipality=made.sent.municipality,
        version=plans.next_version(made.sent.municipality),
        current=current,
        plan=plan,
        applied_at=made.requested_at,
        applied_by=made.requested_by,
    )
    plans.put(kept, made.id)
    plans.put_figures(kept.id, reading.figures, made.id)
    return replace(made, state=ImportState.APPLIED, version=kept.version)


def demand_reader(actor: Actor, municipality: str) -> None:
    """Raises NotFound unless it is an office that sees the petitions of that municipality."""
    own = actor.role in SEES and actor.municipality == municipality
    if not own and actor.role not in ("auditor", "system"):
        raise NotFound(Sentence("There is no such municipality among yours."))
