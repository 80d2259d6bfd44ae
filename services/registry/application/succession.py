"""Successions: renames, mergers and splits, first as a plan that can be looked at, then recorded."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from services.kernel.actor import Actor
from services.kernel.errors import Invalid, Refused
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.registry.application.correction import named
from services.registry.application.record import Work, refuse_taken_number, registrar_only
from services.registry.domain import succession as rules
from services.registry.domain.events import Heir, OrganisationSucceededV1
from services.registry.domain.organisation import Facts, Organisation
from services.registry.domain.succession import NotPassing, Order, Record, SuccessionKind, Successor


class Successions(Protocol):
    """Where successions are kept."""

    def add(self, record: Record) -> None:
        """Keep a new one."""

    def of(self, organisation_id: str) -> Sequence[Record]:
        """Those of an organisation, oldest first."""

    def into(self, organisation_id: str) -> Sequence[Record]:
        """Those by which an organisation took another's place, oldest first."""


class Before(NamedTuple):
    """What was recorded of an old organisation before, and what of it does not pass on."""

    facts: Facts
    not_passing: Sequence[NotPassing]


@dataclass
class Plan:
    """Everything that a succession changes; nothing of it is kept until `succeed` does."""

    order: Order
    olds: list[Organisation]
    before: list[Before]
    successors: list[Organisation]
    receiver: Organisation
    fresh: frozenset[str] = frozenset()
    records: list[Record] = field(default_factory=list)
    events: list[tuple[Organisation, Event]] = field(default_factory=list)

    @property
    def notes(self) -> list[Sentence]:
        """What the registrar should know before recording this."""
        return rules.notes(self.order, self.olds, self.successors)


class Lineage(NamedTuple):
    """An organisation with those whose place it took and those who took its own, to the ends."""

    organisation: Organisation
    records: Sequence[Record]
    predecessors: Sequence[tuple[Record, Organisation]]
    successors: Sequence[Organisation]
    ends: Sequence[Organisation]


def plan(
    work: Work,
    actor: Actor,
    organisation_id: str,
    given: Order,
    expected_version: int | None = None,
    *,
    to_change: bool = False,
) -> Plan:
    """What the order would change, worked out on the organisations as they are now.

    Raises Forbidden, NotFound, Conflict, Invalid, Refused (succeeded before, dissolved, leading back).
    """
    registrar_only(actor)
    order = rules.check_order(given, work.today)
    olds, known = _held(work, organisation_id, order, to_change=to_change)
    olds[0].check_version(expected_version)
    for old in olds:
        rules.check_old(old, order.effective_on, _chain(work, old))
    before = [Before(old.facts, rules.not_passing(old, order.effective_on)) for old in olds]
    if order.kind is SuccessionKind.RENAME:
        return _renamed(work, actor, order, olds[0], before[0].facts)
    for successor in known.values():
        rules.check_successor(successor, olds, _chain(work, successor))
    successors, registered = _successors(work, order, known)
    made = Plan(order, olds, before, successors, successors[0], frozenset(each.id for each, _ in registered))
    made.events += registered
    receiver_id = rules.receiver(order, organisation_id, [each.id for each in successors])
    made.receiver = next(each for each in (*successors, *olds) if each.id == receiver_id)
    act_id = str(uuid.uuid4())
    for old, was in zip(olds, before, strict=True):
        if order.continues:
            made.events.append((old, old.part(work.today)))
        else:
            made.events.append((old, old.give_way([each.id for each in successors], work.today)))
        made.records.append(_record(act_id, work, actor, made, old, was.facts))
    made.events += [(old, _succeeded(work, made, old)) for old in olds]
    return made


def succeed(work: Work, shelf: Successions, actor: Actor, made: Plan) -> Organisation:
    """Keep what the plan says and tell it; answers with the old organisation."""
    kept: set[str] = set()
    for organisation, event in made.events:
        if organisation.id in made.fresh and organisation.id not in kept:
            work.organisations.add(organisation, today=work.today, now=work.now, by=actor.office)
        elif organisation.id not in kept and not isinstance(event, OrganisationSucceededV1):
            work.organisations.save(organisation, today=work.today, now=work.now, by=actor.office)
        kept.add(organisation.id)
        work.announce(event, actor=actor, now=work.now)
    for record in made.records:
        shelf.add(record)
    return made.olds[0]


def lineage(work: Work, shelf: Successions, organisation_id: str) -> Lineage:
    """Where an organisation came from and where it went, whatever was renamed, merged or split since. Raises NotFound."""
    organisation = work.organisations.get(organisation_id)
    chain = _chain(work, organisation)
    into = shelf.into(organisation.id)
    found = {each.id: each for each in work.organisations.many([record.organisation_id for record in into])}
    direct = set(organisation.successors)
    return Lineage(
        organisation,
        shelf.of(organisation.id),
        [(record, found[record.organisation_id]) for record in into],
        [each for each in chain if each.id in direct],
        [each for each in chain if not each.successors],
    )


def _held(
    work: Work, organisation_id: str, order: Order, *, to_change: bool
) -> tuple[list[Organisation], dict[str, Organisation]]:
    """The old organisations, the one named in the address first, and the known successors.

    All are taken in the order of their ids, so that two successions never wait for each other.
    """
    olds = [organisation_id, *(each for each in order.also if each != organisation_id)]
    known = [each.organisation_id for each in order.successors if each.organisation_id is not None]
    found = {each: work.organisations.get(each, to_change=to_change) for each in sorted({*olds, *known})}
    return [found[each] for each in olds], {each: found[each] for each in known}


def _renamed(work: Work, actor: Actor, order: Order, old: Organisation, before: Facts) -> Plan:
    event = old.rename(order.changes, order.effective_on, work.today)
    if event is None:
        raise Refused(Sentence("Nothing would change: this name and number are recorded already."))
    refuse_taken_number(work, old)
    made = Plan(order, [old], [Before(before, ())], [old], old, events=[(old, event)])
    made.records.append(_record(str(uuid.uuid4()), work, actor, made, old, before))
    made.events.append((old, _succeeded(work, made, old)))
    return made


def _successors(
    work: Work, order: Order, known: dict[str, Organisation]
) -> tuple[list[Organisation], list[tuple[Organisation, Event]]]:
    """The successors in their order; those who are to be registered with the event that tells it."""
    found: list[Organisation] = []
    registered: list[tuple[Organisation, Event]] = []
    for number, successor in enumerate(order.successors):
        if successor.organisation_id is not None:
            found.append(known[successor.organisation_id])
            continue
        made, event = _new(work, successor, number)
        found.append(made)
        registered.append((made, event))
    return found, registered


def _new(work: Work, successor: Successor, number: int) -> tuple[Organisation, Event]:
    try:
        made, event = Organisation.register(str(uuid.uuid4()), successor.new or {}, work.today)
    except Invalid as error:
        inner = [{**each, "field": f"successors.{number}.{each['field']}"} for each in error.details["errors"]]
        raise Invalid(error.message, {"errors": inner}) from None
    refuse_taken_number(work, made)
    return made, event


def _record(act_id: str, work: Work, actor: Actor, made: Plan, old: Organisation, before: Facts) -> Record:
    renamed = made.order.kind is SuccessionKind.RENAME
    return Record(
        id=act_id if old is made.olds[0] else str(uuid.uuid4()),
        organisation_id=old.id,
        kind=made.order.kind,
        effective_on=made.order.effective_on,
        basis=made.order.basis,
        successors=() if renamed else tuple(each.id for each in made.successors),
        protocols_to=made.receiver.id,
        continues=made.order.continues or renamed,
        former_name=before.name,
        former_registry_no=before.registry_no,
        recorded_at=work.now,
        recorded_by=actor.office,
    )


def _succeeded(work: Work, made: Plan, old: Organisation) -> OrganisationSucceededV1:
    return OrganisationSucceededV1(
        subject_id=old.id,
        subject_version=old.version,
        organisation=named(old),
        kind=made.order.kind,
        effective_on=made.order.effective_on,
        continues=made.order.continues or made.order.kind is SuccessionKind.RENAME,
        successors=tuple(_heir(work, each) for each in made.successors),
        protocols_to=_heir(work, made.receiver),
    )


def _heir(work: Work, organisation: Organisation) -> Heir:
    return Heir(
        id=organisation.id,
        name=organisation.facts.name,
        version=organisation.version,
        standing=organisation.standing(work.today),
    )


def _chain(work: Work, organisation: Organisation) -> list[Organisation]:
    """Everyone who took its place, and who took theirs, each once, nearest first."""
    found: dict[str, Organisation] = {}
    waiting = list(organisation.successors)
    while waiting:
        step = work.organisations.many([each for each in dict.fromkeys(waiting) if each not in found])
        found.update({each.id: each for each in step})
        waiting = [each for one in step for each in one.successors if each not in found]
    return list(found.values())
