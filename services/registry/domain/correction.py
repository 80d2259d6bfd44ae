"""A correction: what an organisation says is wrong in its own record, decided field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from services.kernel.errors import Conflict, Invalid, Refused
from services.kernel.text import Label, Sentence
from services.registry.domain.field import WrongField, text
from services.registry.domain.organisation import Facts, Organisation, read_facts

PROPOSABLE: Mapping[str, Label] = {
    "name": Label("ad", "name"),
    "registry_no": Label("kütük numarası", "registry number"),
    "province_code": Label("il", "province"),
    "district": Label("ilçe", "district"),
    "founded_on": Label("kuruluş tarihi", "date of foundation"),
    "field": Label("faaliyet alanı", "field of activity"),
    "tax_no": Label("vergi kimlik numarası", "tax number"),
    "email": Label("e-posta", "e-mail"),
    "phone": Label("telefon", "telephone"),
    "website": Label("web sitesi", "website"),
    "address": Label("adres", "address"),
}
"""What an organisation may propose of its own record.

Not its form and its state, which follow from acts of others, nor its statuses, which need a decision.
"""


class FieldState(StrEnum):
    """What became of one proposed field."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class CorrectionState(StrEnum):
    """Where a correction stands; it follows from its fields."""

    OPEN = "open"
    PARTLY_DECIDED = "partly_decided"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Proposal:
    """One field: what was recorded when it was proposed, and what should be. Values are JSON, dates as text."""

    field: str
    old: Any
    proposed: Any
    state: FieldState = FieldState.OPEN
    reason: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None


@dataclass(frozen=True)
class Decision:
    """The registrar's answer to one field."""

    field: str
    accept: bool
    reason: str | None = None


@dataclass
class Correction:
    """What one organisation proposed at one time."""

    id: str
    organisation_id: str
    note: str | None
    proposed_at: datetime
    proposed_by: str
    proposals: tuple[Proposal, ...]
    version: int = 1

    @property
    def state(self) -> CorrectionState:
        """Open until every field is decided or withdrawn."""
        states = {each.state for each in self.proposals}
        if FieldState.OPEN in states:
            return CorrectionState.OPEN if states == {FieldState.OPEN} else CorrectionState.PARTLY_DECIDED
        return CorrectionState.WITHDRAWN if states == {FieldState.WITHDRAWN} else CorrectionState.DECIDED

    def fields(self, *states: FieldState) -> tuple[str, ...]:
        """The names of the fields in one of these states, in the order in which they were proposed."""
        return tuple(each.field for each in self.proposals if each.state in states)

    def check_version(self, expected: int | None) -> None:
        """Raises Conflict when the caller saw another version."""
        if expected is not None and expected != self.version:
            raise Conflict(
                Sentence("This correction was changed in the meantime. Look at its current state and try again."),
                {"version": self.version},
            )

    def decide(self, decisions: Sequence[Decision], facts: Facts, *, now: datetime, by: str) -> dict[str, Any]:
        """Accept or decline these fields; returns what is to be written, as the domain reads it.

        Raises Invalid, and Refused with the three values of every accepted field that was recorded
        otherwise since it was proposed. Then nothing has changed.
        """
        proposed = {each.field: each for each in self.proposals}
        answers = {each.field: each for each in decisions}
        reasons = _wrong_decisions(decisions, proposed)
        stale = [
            proposed[name]
            for name, answer in answers.items()
            if answer.accept and recorded(facts, name) not in (proposed[name].old, proposed[name].proposed)
        ]
        if stale:
            raise _stale(stale, facts)
        self.proposals = tuple(
            _decided(each, answers[each.field], reasons[each.field], now, by) if each.field in answers else each
            for each in self.proposals
        )
        self.version += 1
        return {name: _typed(name, proposed[name].proposed) for name, answer in answers.items() if answer.accept}

    def withdraw(self, *, now: datetime, by: str) -> None:
        """Take back what is not decided yet. Raises Refused when nothing is left."""
        if not self.fields(FieldState.OPEN):
            raise Refused(Sentence("Every field of this correction was decided or withdrawn before."))
        self.proposals = tuple(
            replace(each, state=FieldState.WITHDRAWN, decided_at=now, decided_by=by)
            if each.state is FieldState.OPEN
            else each
            for each in self.proposals
        )
        self.version += 1


def propose(
    correction_id: str,
    organisation: Organisation,
    changes: Mapping[str, Any],
    note: str | None,
    *,
    pending: Iterable[str],
    today: date,
    now: datetime,
    by: str,
) -> Correction:
    """A correction of the organisation's record; fields that are recorded so already are left out.

    `pending`: fields for which a proposal is open; each waits for its decision.
    Raises Invalid with every field that cannot be right, Refused when nothing would change or a field is pending.
    """
    strange = [name for name in changes if name not in PROPOSABLE]
    if strange:
        raise Invalid.fields(
            [
                (f"changes.{name}", Sentence("This field is not open to corrections; ask the registrar."))
                for name in strange
            ]
        )
    try:
        read = {name: plain(value) for name, value in read_facts(changes, today).items()}
    except Invalid as error:
        found = [{**each, "field": f"changes.{each['field']}"} for each in error.details["errors"]]
        raise Invalid(error.message, {"errors": found}) from None
    new = {name: read[name] for name in PROPOSABLE if name in read and read[name] != recorded(organisation.facts, name)}
    if not new:
        raise Refused(Sentence("Nothing would change: all of this is recorded already."))
    waiting = [name for name in new if name in set(pending)]
    if waiting:
        raise _waiting(waiting)
    return Correction(
        id=correction_id,
        organisation_id=organisation.id,
        note=_note(note),
        proposed_at=now,
        proposed_by=by,
        proposals=tuple(Proposal(name, recorded(organisation.facts, name), value) for name, value in new.items()),
    )


def recorded(facts: Facts, name: str) -> Any:
    """What is recorded of a field now, as JSON."""
    return plain(getattr(facts, name))


def plain(value: Any) -> Any:
    """A field's value as JSON."""
    return value.isoformat() if isinstance(value, date) else value


def _typed(name: str, value: Any) -> Any:
    return date.fromisoformat(value) if name == "founded_on" and value is not None else value


def _note(given: str | None) -> str | None:
    try:
        return text(2000)(given)
    except WrongField as error:
        raise Invalid.field("note", error.sentence) from None


def _wrong_decisions(decisions: Sequence[Decision], proposed: Mapping[str, Proposal]) -> dict[str, str | None]:
    """The reasons of the decisions, tidied; Invalid names every decision that cannot be right."""
    wrong: list[tuple[str, Sentence]] = []
    reasons: dict[str, str | None] = {}
    for number, answer in enumerate(decisions):
        at = f"decisions.{number}"
        proposal = proposed.get(answer.field)
        if proposal is None:
            wrong.append((f"{at}.field", Sentence("This correction proposes nothing for this field.")))
        elif answer.field in reasons:
            wrong.append((f"{at}.field", Sentence("This field is decided twice here.")))
        elif proposal.state is not FieldState.OPEN:
            wrong.append((f"{at}.field", Sentence("This field was decided or withdrawn before.")))
        try:
            reasons[answer.field] = text(1000)(answer.reason)
        except WrongField as error:
            wrong.append((f"{at}.reason", error.sentence))
        else:
            if not answer.accept and reasons[answer.field] is None:
                wrong.append((f"{at}.reason", Sentence("Say why this is declined; the organisation reads it.")))
    if wrong:
        raise Invalid.fields(wrong)
    return reasons


def _decided(proposal: Proposal, answer: Decision, reason: str | None, now: datetime, by: str) -> Proposal:
    state = FieldState.ACCEPTED if answer.accept else FieldState.DECLINED
    return replace(proposal, state=state, reason=reason, decided_at=now, decided_by=by)


def _stale(stale: Sequence[Proposal], facts: Facts) -> Refused:
    reasons = [
        {
            "code": "recorded_otherwise_since",
            "article": "",
            "field": each.field,
            "message": Sentence(
                "{field}: when this was proposed, “{old}” was recorded; now “{current}” is; proposed was “{proposed}”. "
                "Decline it with this reason, or let the organisation propose it anew.",
                field=PROPOSABLE[each.field].to_plain(),
                old=_shown(each.old),
                current=_shown(recorded(facts, each.field)),
                proposed=_shown(each.proposed),
            ).to_plain(),
        }
        for each in stale
    ]
    return Refused(
        Sentence("Some of these fields were recorded otherwise since they were proposed."), {"reasons": reasons}
    )


def _waiting(names: Sequence[str]) -> Refused:
    reasons = [
        {
            "code": "correction_is_open",
            "article": "",
            "field": f"changes.{name}",
            "message": Sentence(
                "A correction of this field is open already: {field}. Wait for its decision, or withdraw it.",
                field=PROPOSABLE[name].to_plain(),
            ).to_plain(),
        }
        for name in names
    ]
    return Refused(Sentence("For some of these fields a correction is open already."), {"reasons": reasons})


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
