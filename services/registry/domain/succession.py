"""What becomes of an organisation's record when it is renamed, merged or split, and what does not pass on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from services.kernel.errors import Invalid, Refused
from services.kernel.text import Sentence
from services.registry.domain.field import WrongField, past_date, plausible_date, text
from services.registry.domain.organisation import Organisation
from services.registry.domain.status import Status
from services.registry.domain.vocabulary import State
from services.registry.domain.watch import ARTICLE


class SuccessionKind(StrEnum):
    """What happened."""

    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"


@dataclass(frozen=True)
class Successor:
    """Who takes the place: an organisation on record, or one that is to be registered."""

    organisation_id: str | None = None
    new: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Order:
    """A succession as the registrar gives it in.

    `also`: further organisations that merge into the same one. `continues`: of a split, the old one goes on.
    `protocols_to`: of a split, who gets the open protocols, as an id or as the number of a successor from 0.
    """

    kind: SuccessionKind
    effective_on: date
    basis: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    successors: tuple[Successor, ...] = ()
    also: tuple[str, ...] = ()
    continues: bool = False
    protocols_to: str | int | None = None


@dataclass(frozen=True)
class Record:
    """A succession that was recorded, for one old organisation."""

    id: str
    organisation_id: str
    kind: SuccessionKind
    effective_on: date
    basis: str
    successors: tuple[str, ...]
    protocols_to: str | None
    continues: bool
    former_name: str
    former_registry_no: str | None
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True)
class NotPassing:
    """A status that stays with the old legal person; `settled` False where the law does not say so in words."""

    status: Status
    article: str
    message: Sentence
    settled: bool


def check_order(order: Order, today: date) -> Order:
    """The order with tidy texts. Raises Invalid with everything in it that cannot be right by itself."""
    wrong: list[tuple[str, Sentence]] = []
    basis = ""
    try:
        basis = text(2000)(order.basis) or ""
        if not basis:
            wrong.append(("basis", Sentence("Say on which decision or document this rests.")))
    except WrongField as error:
        wrong.append(("basis", error.sentence))
    try:
        plausible_date(past_date(order.effective_on, today))
    except WrongField as error:
        wrong.append(("effective_on", error.sentence))
    wrong += _CHECKS[order.kind](order)
    if wrong:
        raise Invalid.fields(wrong)
    return Order(
        kind=order.kind,
        effective_on=order.effective_on,
        basis=basis,
        changes=order.changes,
        successors=order.successors,
        also=tuple(dict.fromkeys(order.also)),
        continues=order.continues,
        protocols_to=order.protocols_to,
    )


def check_old(old: Organisation, effective_on: date, chain: Sequence[Organisation]) -> None:
    """Raise Refused when somebody took its place before, Invalid when it was founded later.

    `chain`: those who took its place, and who took theirs.
    """
    if old.successors:
        raise _refused(
            "was_succeeded",
            Sentence("{name} was succeeded before, in the end by {last}.", name=old.facts.name, last=_ends(chain)),
        )
    if old.facts.founded_on is not None and effective_on < old.facts.founded_on:
        raise Invalid.field(
            "effective_on", Sentence("The organisation was founded only on {day}.", day=old.facts.founded_on)
        )


def check_successor(successor: Organisation, olds: Sequence[Organisation], chain: Sequence[Organisation]) -> None:
    """Raise Refused for a successor that is itself among the old ones, leads back to one, or exists no more.

    `chain`: those who took the successor's own place, and who took theirs.
    """
    ids = {old.id for old in olds}
    if successor.id in ids or ids & {each.id for each in chain}:
        raise _refused(
            "succession_leads_back",
            Sentence("This would lead back to {name} itself.", name=olds[0].facts.name),
        )
    if successor.successors:
        raise _refused(
            "successor_was_succeeded",
            Sentence(
                "{name} was itself succeeded, in the end by {last}; name that one.",
                name=successor.facts.name,
                last=_ends(chain),
            ),
        )
    if successor.facts.state is State.DISSOLVED:
        raise _refused(
            "successor_is_dissolved",
            Sentence("{name} is recorded as dissolved and cannot take another's place.", name=successor.facts.name),
        )


def receiver(order: Order, old_id: str, successor_ids: Sequence[str]) -> str:
    """Who gets the open protocols. Raises Invalid for one that is neither a successor nor the old one that goes on."""
    if order.kind is SuccessionKind.RENAME:
        return old_id
    if order.kind is SuccessionKind.MERGE:
        return successor_ids[0]
    wanted = order.protocols_to
    if isinstance(wanted, int) and 0 <= wanted < len(successor_ids):
        return successor_ids[wanted]
    possible = {*successor_ids, *((old_id,) if order.continues else ())}
    if isinstance(wanted, str) and wanted in possible:
        return wanted
    raise Invalid.field(
        "protocols_to",
        Sentence(
            "Say who gets the open protocols: the id or the place of a successor, or the organisation that goes on."
        ),
    )


def not_passing(old: Organisation, on: date) -> list[NotPassing]:
    """The statuses that held on the day and end with the legal person they were granted to."""
    found = []
    for status in old.history.known():
        if not status.holds_on(on):
            continue
        article = ARTICLE[status.kind]
        message = Sentence(
            "This status was granted to {name} by a decision about that legal person ({article}). It does not pass to "
            "a successor, which needs a decision of its own; the law is silent on successions, so ask the legal unit.",
            name=old.facts.name,
            article=article,
        )
        found.append(NotPassing(status, article, message, settled=False))
    return found


def notes(order: Order, olds: Sequence[Organisation], successors: Sequence[Organisation]) -> list[Sentence]:
    """What the registrar should know before recording this; it hinders nothing."""
    if order.kind is SuccessionKind.RENAME:
        return [
            Sentence(
                "The legal person stays the same: its statuses, protocols and representatives stay with it. "
                "The former name and number stay findable."
            )
        ]
    said = [
        Sentence("Memberships of representatives do not follow; an administrator gives new ones."),
        Sentence("Open protocols follow and are flagged for legal review, since the standing may be another."),
    ]
    if order.continues:
        return said
    said.append(Sentence("The old organisation is recorded as dissolved and points to its successors."))
    forms = {old.facts.form for old in olds}
    said += [
        Sentence("{name} has another legal form than an organisation whose place it takes.", name=each.facts.name)
        for each in successors
        if forms != {each.facts.form}
    ]
    return said


def _wrong_rename(order: Order) -> list[tuple[str, Sentence]]:
    wrong = []
    if not order.changes:
        wrong.append(("name", Sentence("Give the new name, the new registry number, or both.")))
    if order.successors or order.also or order.continues or order.protocols_to is not None:
        wrong.append(("kind", Sentence("A rename has no successors: the organisation stays the same.")))
    return wrong


def _wrong_merge(order: Order) -> list[tuple[str, Sentence]]:
    wrong = _wrong_names(order)
    if len(order.successors) != 1:
        wrong.append(("successors", Sentence("A merger has exactly one successor.")))
    if order.continues:
        wrong.append(("continues", Sentence("What merges into another does not go on.")))
    if order.protocols_to is not None:
        wrong.append(("protocols_to", Sentence("In a merger the open protocols go to the one successor.")))
    return wrong


def _wrong_split(order: Order) -> list[tuple[str, Sentence]]:
    wrong = _wrong_names(order)
    least = 1 if order.continues else 2
    if len(order.successors) < least:
        wrong.append(("successors", Sentence("A split needs at least {least} successors.", least=least)))
    if order.also:
        wrong.append(("also", Sentence("Only mergers take in several organisations at once.")))
    return wrong


def _wrong_names(order: Order) -> list[tuple[str, Sentence]]:
    wrong: list[tuple[str, Sentence]] = []
    if order.changes:
        wrong.append(("name", Sentence("Name and number of the old organisation stay as they are.")))
    known = [each.organisation_id for each in order.successors if each.organisation_id is not None]
    if len(known) != len(set(known)):
        wrong.append(("successors", Sentence("A successor is named twice.")))
    wrong += [
        (f"successors.{number}", Sentence("Give either the id of an organisation or the fields of a new one."))
        for number, each in enumerate(order.successors)
        if (each.organisation_id is None) == (each.new is None)
    ]
    return wrong


_CHECKS: Mapping[SuccessionKind, Callable[[Order], list[tuple[str, Sentence]]]] = {
    SuccessionKind.RENAME: _wrong_rename,
    SuccessionKind.MERGE: _wrong_merge,
    SuccessionKind.SPLIT: _wrong_split,
}


def _ends(chain: Sequence[Organisation]) -> str:
    """The names of those at the ends of a chain, whom nobody has succeeded yet."""
    return ", ".join(each.facts.name for each in chain if not each.successors) or "–"


def _refused(code: str, message: Sentence) -> Refused:
    return Refused(message, {"reasons": [{"code": code, "article": "", "message": message.to_plain()}]})
