"""Successions, as the registrar looks at them first and records them then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from services.contracts.upkeep import NewSuccession
from services.kernel.actor import Actor
from services.registry.adapters.messages import former_shown, organisation_shown, standing_summary, status_shown
from services.registry.adapters.succession import SuccessionRows
from services.registry.application import succession
from services.registry.application.record import Work
from services.registry.application.succession import Before, Lineage, Plan
from services.registry.domain.organisation import Organisation
from services.registry.domain.succession import NotPassing, Order, Record, SuccessionKind, Successor
from services.registry.service.desk import Desk, Plain
from services.runtime.dependencies import RemoteService
from services.runtime.entrypoints import rpc
from services.runtime.schema import load

_CHANGES = ("name", "registry_no")


class SuccessionDesk(Desk):
    """Questions and commands about successions."""

    protocols = RemoteService("protocols")

    @rpc
    def succeed(
        self, actor: Plain, organisation_id: str, order: Plain, key: str, expected_version: int | None = None
    ) -> Plain:
        """Record a rename, merger or split (registrar); answers with the old organisation."""
        given = order_of(load(NewSuccession(), order))

        def effect(connection: Connection, work: Work, acting: Actor) -> Plain:
            made = succession.plan(work, acting, organisation_id, given, expected_version, to_change=True)
            old = succession.succeed(work, SuccessionRows(connection), acting, made)
            return organisation_shown(old, work.today, with_history=True)

        request = {"organisation_id": organisation_id, "order": order, "expected_version": expected_version}
        return self.once_within(actor, key, "succeed", request, effect)

    @rpc
    def preview_succession(self, actor: Plain, organisation_id: str, order: Plain) -> Plain:
        """What the same order would change, without changing it (registrar).

        Raises what `succeed` raises, and Unavailable when protocols cannot say what is open.
        """
        given = order_of(load(NewSuccession(), order))
        with self.database.read() as connection:
            work = self.work(connection)
            made = succession.plan(work, Actor.from_plain(actor), organisation_id, given)
        counted = [self.protocols.open_protocols_of(organisation_id=old.id) for old in made.olds]
        return _plan_shown(work, made, sum(each["open"] for each in counted))

    @rpc
    def succession_of(self, organisation_id: str) -> Plain:
        """Where an organisation came from and where it went, to the end of every chain. Raises NotFound."""
        with self.database.read() as connection:
            return _lineage_shown(
                succession.lineage(self.work(connection), SuccessionRows(connection), organisation_id)
            )


def order_of(loaded: Mapping[str, Any]) -> Order:
    """A loaded NewSuccession as the domain takes it."""
    return Order(
        kind=SuccessionKind(loaded["kind"]),
        effective_on=loaded["effective_on"],
        basis=loaded["basis"],
        changes={name: loaded[name] for name in _CHANGES if name in loaded},
        successors=tuple(_successor_of(each) for each in loaded["successors"]),
        also=tuple(str(each) for each in loaded["also"]),
        continues=loaded["continues"],
        protocols_to=loaded["protocols_to"],
    )


def _successor_of(loaded: Mapping[str, Any]) -> Successor:
    fields = {name: value for name, value in loaded.items() if name != "organisation_id"}
    known = loaded.get("organisation_id")
    return Successor(known and str(known), fields if fields or known is None else None)


def _plan_shown(work: Work, made: Plan, open_protocols: int) -> Plain:
    receiver = made.receiver
    return {
        "kind": str(made.order.kind),
        "effective_on": made.order.effective_on.isoformat(),
        "organisations": [_old_shown(made, old, was) for old, was in zip(made.olds, made.before, strict=True)],
        "successors": [_successor_shown(work, made, each) for each in made.successors],
        "numbers": [
            {
                "registry_no": was.facts.registry_no,
                "organisation_id": old.id,
                "leads_to": [_name(made, each) for each in made.successors] if old.successors else [_name(made, old)],
            }
            for old, was in zip(made.olds, made.before, strict=True)
            if was.facts.registry_no is not None
        ],
        "not_passing": [_not_passing_shown(old, each) for old, was in zip(made.olds, made.before, strict=True)
                        for each in was.not_passing],
        "protocols": {"open": open_protocols, "to": _name(made, receiver)},
        "notes": [note.to_plain() for note in made.notes],
    }  # fmt: skip


def _old_shown(made: Plan, old: Organisation, was: Before) -> Plain:
    return {
        "id": old.id,
        "before": {"name": was.facts.name, "registry_no": was.facts.registry_no, "state": str(was.facts.state)},
        "after": {"name": old.facts.name, "registry_no": old.facts.registry_no, "state": str(old.facts.state)},
        "former": [former_shown(each) for each in old.former],
        "successors": [_name(made, each) for each in made.successors] if old.successors else [],
    }


def _successor_shown(work: Work, made: Plan, successor: Organisation) -> Plain:
    return {
        **_name(made, successor),
        "registry_no": successor.facts.registry_no,
        "form": str(successor.facts.form),
        "new": successor.id in made.fresh,
        "standing": standing_summary(successor.standing(work.today)),
    }


def _not_passing_shown(old: Organisation, found: NotPassing) -> Plain:
    return {
        "organisation_id": old.id,
        "status": status_shown(found.status),
        "article": found.article,
        "message": found.message.to_plain(),
        "settled": found.settled,
    }


def _name(made: Plan, organisation: Organisation) -> Plain:
    """One that is to be registered has no id yet."""
    return {"id": None if organisation.id in made.fresh else organisation.id, "name": organisation.facts.name}


def _lineage_shown(found: Lineage) -> Plain:
    return {
        "organisation_id": found.organisation.id,
        "name": found.organisation.facts.name,
        "state": str(found.organisation.facts.state),
        "former": [former_shown(each) for each in found.organisation.former],
        "successors": [_named(each) for each in found.successors],
        "leads_to": [_named(each) for each in found.ends],
        "predecessors": [
            {**_named(each), "kind": str(record.kind), "effective_on": record.effective_on.isoformat()}
            for record, each in found.predecessors
        ],
        "records": [_record_shown(each) for each in found.records],
    }


def _named(organisation: Organisation) -> Plain:
    return {
        "id": organisation.id, "name": organisation.facts.name, "registry_no": organisation.facts.registry_no,
    }  # fmt: skip


def _record_shown(record: Record) -> Plain:
    return {
        "id": record.id,
        "kind": str(record.kind),
        "effective_on": record.effective_on.isoformat(),
        "basis": record.basis,
        "successors": list(record.successors),
        "protocols_to": record.protocols_to,
        "continues": record.continues,
        "former_name": record.former_name,
        "former_registry_no": record.former_registry_no,
        "recorded_at": record.recorded_at.isoformat(),
        "recorded_by": record.recorded_by,
    }
