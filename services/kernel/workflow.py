"""Procedures as tables: the same rows run a case, explain it, draw it and test it.

The only module that knows `transitions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

from transitions import EventData, Machine

from services.kernel.actor import Actor
from services.kernel.errors import Forbidden, Invalid, Refused
from services.kernel.text import Label, Sentence

SYSTEM_ROLE = "system"


class Staged(Protocol):
    """Anything that stands at a stage of a procedure."""

    stage: str

    @property
    def last_on(self) -> date:
        """The date of the newest act."""

    @property
    def conditions(self) -> frozenset[str]:
        """Names of what is special about the case, as terms ask for them, such as `zoning`."""


C = TypeVar("C", bound=Staged)


@dataclass(frozen=True)
class Act:
    """Somebody's attempt to move a case.

    `fields`: what was filled in, typed. `today`: the date in Europe/Istanbul. `done_on`: the date the
    act bears. `known`: what was asked of others for this decision, kept with it.
    """

    actor: Actor
    fields: Mapping[str, Any]
    today: date
    now: datetime
    done_on: date
    known: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Guard(Generic[C]):
    """A rule that permits an act or says why not; `article` is its source, empty for design rules."""

    name: str
    article: str
    check: Callable[[C, Act], Sentence | None]


def guard(article: str = "") -> Callable[[Callable[[C, Act], Sentence | None]], Guard[C]]:
    """Make a guard of a function; its name becomes the stable code of the refusal."""

    def make(check: Callable[[C, Act], Sentence | None]) -> Guard[C]:
        return Guard(check.__name__, article, check)

    return make


@dataclass(frozen=True)
class Stage(Generic[C]):
    """Where a case may stand; `turn` says whose move is awaited (a role, or None at the end)."""

    name: str
    label: Label
    turn: str | Callable[[C], str | None] | None = None

    def turn_of(self, case: C) -> str | None:
        """The role whose turn it is."""
        return self.turn(case) if callable(self.turn) else self.turn


@dataclass(frozen=True)
class Move(Generic[C]):
    """One row of the table.

    `to` None: the case stays where it is. `needs`/`takes`: fields that must/may be filled in.
    `dated_by`: the field whose date the act bears. `preconditions` look at the case alone, `guards`
    also at the fields. `when`: the condition under which this row, and not another of the same name, applies.
    `parallel`: a duty beside the way, whose date binds no later act and is bound by its guards alone.
    `effects` change the case besides its stage. `asks`: what must be asked of others on the day.
    """

    name: str
    label: Label
    sources: tuple[str, ...]
    to: str | None
    by: tuple[str, ...]
    article: str = ""
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    dated_by: str | None = None
    preconditions: tuple[Guard[C], ...] = ()
    guards: tuple[Guard[C], ...] = ()
    when: Callable[[C, Act], bool] | None = None
    when_label: Label | None = None
    effects: tuple[Callable[[C, Act], None], ...] = ()
    asks: tuple[str, ...] = ()
    parallel: bool = False


@dataclass(frozen=True)
class Length:
    """How long a term is: `days`, or another number under a condition of the case."""

    days: int
    unit: Literal["working_day", "calendar_day"]
    instead: Mapping[str, int] = field(default_factory=dict)

    def of(self, conditions: frozenset[str]) -> int:
        """The number of days for a case with these conditions."""
        return next((days for condition, days in self.instead.items() if condition in conditions), self.days)


@dataclass(frozen=True)
class Term(Generic[C]):
    """A legal clock as a row: when it starts, what meets it, what happens when it runs out.

    `starts_in`: stages whose entry starts it; `starts_with`: moves that do. `lives_in`: stages outside
    which it is cancelled; empty means until the case ends. `counts_from`: the date that is not counted.
    `owed`: what it waited for is still owed after it ran out; None: it is where nothing happens of itself.
    `outlives`: moves that cancel it nowhere, such as one that only notes an end.
    """

    kind: str
    label: Label
    article: str
    whose: str
    effect: Label
    length: Length
    counts_from: Callable[[C, Act], date]
    starts_in: tuple[str, ...] = ()
    starts_with: tuple[str, ...] = ()
    met_by: tuple[str, ...] = ()
    paused_by: tuple[str, ...] = ()
    resumed_by: tuple[str, ...] = ()
    lives_in: tuple[str, ...] = ()
    on_expiry: str | None = None
    roll_over: bool = True
    judicial_recess: bool = False
    days_of: Callable[[C, Act], int] | None = None
    extended_by: tuple[str, ...] = ()
    extended_to: int | None = None
    applies_to: Callable[[C], bool] | None = None
    reminders: tuple[int, ...] | None = None
    escalates: bool = True
    owed: bool | None = None
    outlives: tuple[str, ...] = ()

    @property
    def owed_after_expiry(self) -> bool:
        """Whether somebody still has to do after the last day what the term waited for."""
        return bool(self.met_by) and (self.on_expiry is None if self.owed is None else self.owed)


@dataclass(frozen=True)
class Option:
    """A move that an office has before it, possible now or not, and why not."""

    move: str
    label: Label
    enabled: bool
    reasons: tuple[dict[str, Any], ...]
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    article: str


class Procedure(Generic[C]):
    """A table of stages, moves and terms that runs.

    Raises ValueError when the table contradicts itself.
    """

    def __init__(
        self, name: str, version: int, stages: Sequence[Stage[C]], moves: Sequence[Move[C]], terms: Sequence[Term[C]]
    ) -> None:
        """The first stage is where cases begin."""
        self.name = name
        self.version = version
        self.stages = {stage.name: stage for stage in stages}
        self.moves = tuple(moves)
        self.terms = {term.kind: term for term in terms}
        self.initial = stages[0].name
        self._check_table()
        self._machine = Machine(
            model=None,
            states=list(self.stages),
            initial=self.initial,
            auto_transitions=False,
            send_event=True,
            model_attribute="stage",
        )
        for move in self.moves:
            self._machine.add_transition(
                move.name, list(move.sources), move.to, conditions=[_Permission(move)], after=[_Chosen(move)]
            )

    @property
    def ends(self) -> frozenset[str]:
        """Stages that no move leaves."""
        return frozenset(self.stages) - {source for move in self.moves for source in move.sources}

    def rows(self, name: str, stage: str) -> tuple[Move[C], ...]:
        """The rows of a move at a stage; several when its target depends on a condition."""
        return tuple(move for move in self.moves if move.name == name and stage in move.sources)

    def row_for(self, name: str, stage: str) -> Move[C]:
        """The row that says what the move needs at this stage.

        Raises Invalid for a name that is in no row, Refused when it is not possible at this stage.
        """
        rows = self.rows(name, stage)
        if rows:
            return rows[0]
        if not any(move.name == name for move in self.moves):
            raise Invalid.field("move", Sentence("There is no move called {name}.", name=name))
        possible = ", ".join(sorted({move.name for move in self.moves if stage in move.sources}))
        reason = Sentence(
            "“{move}” is not possible while the case stands at “{stage}”.",
            move=next(move.label.to_plain() for move in self.moves if move.name == name),
            stage=self.stages[stage].label.to_plain(),
        )
        raise Refused(
            reason,
            {"reasons": [{"code": "wrong_stage", "article": "", "message": reason.to_plain()}], "possible": possible},
        )

    def advance(self, case: C, name: str, act: Act) -> Move[C]:
        """Move the case, or say why not; returns the row that applied.

        Raises Forbidden (not this role's move), Invalid (a field is missing or does not belong),
        Refused with every reason.
        """
        row = self.row_for(name, case.stage)
        self.permit(row, act.actor)
        self._check_fields(row, act.fields)
        attempt: dict[str, Any] = {"act": act, "reasons": [], "row": None}
        before = case.stage
        self._machine.events[name].trigger(case, attempt=attempt)
        if attempt["row"] is None:
            case.stage = before
            raise _refusal(attempt["reasons"])
        applied: Move[C] = attempt["row"]
        for effect in applied.effects:
            effect(case, act)
        return applied

    @staticmethod
    def permit(row: Move[C], actor: Actor) -> None:
        """Raise Forbidden unless the actor's role may make this move, within the scope of a delegation."""
        if actor.role not in row.by:
            raise Forbidden(
                Sentence("“{move}” is not yours to do in this office.", move=row.label.to_plain()),
                {"roles": list(row.by)},
            )
        if actor.scope and row.name not in actor.scope:
            raise Forbidden(Sentence("The delegation does not cover “{move}”.", move=row.label.to_plain()))

    def options(self, case: C, act: Act) -> list[Option]:
        """The moves of the actor's office at the case's stage, each possible or with its reasons."""
        found: dict[str, Option] = {}
        for row in self.moves:
            if case.stage not in row.sources or act.actor.role not in row.by or row.name in found:
                continue
            if act.actor.scope and row.name not in act.actor.scope:
                continue
            reasons = tuple(_reasons(row.preconditions, case, act))
            found[row.name] = Option(row.name, row.label, not reasons, reasons, row.needs, row.takes, row.article)
        return list(found.values())

    def describe(self) -> dict[str, Any]:
        """The table as data: stages, moves, roles, guards, clocks, articles."""
        return {
            "name": self.name,
            "version": self.version,
            "stages": [
                {"name": stage.name, "label": stage.label.to_plain(), "end": stage.name in self.ends}
                for stage in self.stages.values()
            ],
            "moves": [
                {
                    "name": move.name,
                    "label": move.label.to_plain(),
                    "from": list(move.sources),
                    "to": move.to,
                    "when": move.when_label.to_plain() if move.when_label else None,
                    "roles": list(move.by),
                    "needs": list(move.needs),
                    "takes": list(move.takes),
                    "guards": [
                        {"name": each.name, "article": each.article} for each in (*move.preconditions, *move.guards)
                    ],
                    "asks": list(move.asks),
                    "article": move.article,
                }
                for move in self.moves
            ],
            "clocks": [
                {
                    "kind": term.kind,
                    "label": term.label.to_plain(),
                    "article": term.article,
                    "whose": term.whose,
                    "length": None if term.days_of else term.length.days,
                    "unit": term.length.unit,
                    "instead": dict(term.length.instead),
                    "starts_in": list(term.starts_in),
                    "starts_with": list(term.starts_with),
                    "met_by": list(term.met_by),
                    "paused_by": list(term.paused_by),
                    "resumed_by": list(term.resumed_by),
                    "extended_by": list(term.extended_by),
                    "extended_to": term.extended_to,
                    "on_expiry": term.on_expiry,
                    "effect": term.effect.to_plain(),
                }
                for term in self.terms.values()
            ],
        }

    def diagram(self, language: Literal["tr", "en"]) -> str:
        """The table as a Mermaid state diagram; moves possible from many stages are drawn once, from a note."""
        lines = ["stateDiagram-v2", "    direction TB"]
        lines += [f"    {stage.name} : {_drawable(getattr(stage.label, language))}" for stage in self.stages.values()]
        lines.append(f"    [*] --> {self.initial}")
        everywhere: dict[tuple[str, str | None], Move[C]] = {}
        for move in self.moves:
            if len(move.sources) > _MANY:
                everywhere.setdefault((move.name, move.to), move)
                continue
            for source in move.sources:
                label = getattr(move.label, language)
                if move.when_label is not None:
                    label += f" ({getattr(move.when_label, language)})"
                if move.article:
                    label += f" · {move.article}"
                lines.append(f"    {source} --> {move.to or source} : {_drawable(label)}")
        for move in everywhere.values():
            first, last = self.stages[move.sources[0]].label, self.stages[move.sources[-1]].label
            span = f"{getattr(first, language)} … {getattr(last, language)}"
            note = f"{getattr(move.label, language)}: {span}"
            lines += [f"    note right of {move.to or move.sources[0]}", f"        {_drawable(note)}", "    end note"]
        lines += [f"    {end} --> [*]" for end in self.stages if end in self.ends]
        return "\n".join(lines) + "\n"

    def _check_fields(self, row: Move[C], fields: Mapping[str, Any]) -> None:
        missing = [name for name in row.needs if fields.get(name) in (None, "", [])]
        strange = [name for name in fields if name not in (*row.needs, *row.takes, "note")]
        if missing or strange:
            raise Invalid.fields(
                [(name, Sentence("is needed for this step")) for name in missing]
                + [(name, Sentence("does not belong to this step")) for name in strange]
            )

    def _check_table(self) -> None:
        known = set(self.stages)
        names = {move.name for move in self.moves}
        wrong = [f"{m.name}: unknown stage" for m in self.moves if not {*m.sources, m.to or m.sources[0]} <= known]
        for term in self.terms.values():
            used = {*term.starts_with, *term.met_by, *term.paused_by, *term.resumed_by, *term.extended_by}
            used |= set(term.outlives)
            used |= {term.on_expiry} if term.on_expiry else set()
            if not used <= names:
                wrong.append(f"{term.kind}: unknown move {sorted(used - names)}")
            if not {*term.starts_in, *term.lives_in} <= known:
                wrong.append(f"{term.kind}: unknown stage")
        wrong += [
            f"{move.name}: dated by a field it does not have"
            for move in self.moves
            if move.dated_by is not None and move.dated_by not in (*move.needs, *move.takes)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))


_MANY = 4
"""A move with more sources than this is drawn as a note."""


def _drawable(text: str) -> str:
    """The text without the signs that end a Mermaid statement."""
    return text.replace(";", ",").replace(": ", " – ")


class _Permission(Generic[C]):
    """A row's condition as `transitions` calls it: collects the reasons against the row."""

    def __init__(self, move: Move[C]) -> None:
        self._move = move

    def __call__(self, event: EventData) -> bool:
        attempt = event.kwargs["attempt"]
        act: Act = attempt["act"]
        case = cast("C", event.model)
        reasons = list(_reasons((*self._move.preconditions, *self._move.guards), case, act))
        if (date_reason := _date_reason(self._move, case, act)) is not None:
            reasons.append(date_reason)
        if not reasons and (self._move.when is None or self._move.when(case, act)):
            return True
        known = [reason["code"] for reason in attempt["reasons"]]
        attempt["reasons"] += [reason for reason in reasons if reason["code"] not in known]
        return False


class _Chosen(Generic[C]):
    """Notes which row of a move applied."""

    def __init__(self, move: Move[C]) -> None:
        self._move = move

    def __call__(self, event: EventData) -> None:
        event.kwargs["attempt"]["row"] = self._move


def _reasons(guards: Iterable[Guard[C]], case: C, act: Act) -> Iterable[dict[str, Any]]:
    for each in guards:
        said = each.check(case, act)
        if said is not None:
            yield {"code": each.name, "article": each.article, "message": said.to_plain()}


def _date_reason(move: Move[C], case: C, act: Act) -> dict[str, Any] | None:
    """Dates of acts lie between the previous act and today."""
    if move.dated_by is None or SYSTEM_ROLE in move.by:
        return None
    if act.done_on > act.today:
        said = Sentence("The date {date} lies in the future.", date=act.done_on)
    elif act.done_on < case.last_on and not move.parallel:
        said = Sentence(
            "The date {date} lies before the previous step, which was on {previous}.",
            date=act.done_on,
            previous=case.last_on,
        )
    else:
        return None
    return {
        "code": "date_between_previous_act_and_today",
        "article": "",
        "message": said.to_plain(),
        "field": move.dated_by,
    }


def _refusal(reasons: list[dict[str, Any]]) -> Refused:
    """One refusal that says all reasons; its message is the first."""
    if not reasons:
        message = "a move was refused without a reason: its rows' conditions leave a gap"
        raise LookupError(message)
    return Refused(Sentence.from_plain(reasons[0]["message"]), {"reasons": reasons})
