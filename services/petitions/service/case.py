"""The desk of petitions themselves: wiring, no decisions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from services.contracts.petitions import MoveSchema, NewUnitSchema, SubmitSchema, UnitChangeSchema
from services.kernel.actor import Actor
from services.petitions.adapters import audit
from services.petitions.adapters.repository import Store, Stores, visible_to, work_of
from services.petitions.adapters.tables import PETITIONS
from services.petitions.application import case as application
from services.petitions.application import routing
from services.petitions.application.port import Context
from services.petitions.application.showing import act_shown, summary, work_item
from services.petitions.application.submitting import submit_petition
from services.petitions.domain.case import Party, perform
from services.petitions.domain.policy import Policy
from services.petitions.domain.procedure import CLERK, ORGANISATION, UNIT, petition_procedure
from services.petitions.service.desk import Desk
from services.runtime.casedesk import ClockDesk
from services.runtime.entrypoints import event_handler, rpc
from services.runtime.envelope import Envelope
from services.runtime.inbox import first_time
from services.runtime.schema import load
from services.runtime.settings import Settings

logger = logging.getLogger(__name__)

Plain = dict[str, Any]

_BATCH = 100
_SUBMIT, _MOVE, _NEW_UNIT, _UNIT_CHANGE = SubmitSchema(), MoveSchema(), NewUnitSchema(), UnitChangeSchema()
_WITH_WORK = (UNIT, CLERK, ORGANISATION)


def policy_of(settings: Settings) -> Policy:
    """The settings' reading of what the law leaves open."""
    return Policy(
        completion_pauses_answer=settings.completion_pauses_answer,
        completion_days=settings.completion_days,
        fee_notice="pause" if settings.fee_notice == "pause" else "restart",
        forwarded_counts_from="receipt" if settings.forwarded_counts_from == "receipt" else "filing",
    )


class CaseDesk(ClockDesk, Desk):
    """Petitions on their way to an answer."""

    ledger = audit.LEDGER
    perform = staticmethod(perform)

    def case_context(self) -> Context:
        """What the commands of petitions work with."""
        policy, stores = policy_of(self.settings), self._stores()
        return Context(
            write=stores.write,
            read=stores.read,
            registry=self.registry,
            procedure=petition_procedure(policy),
            policy=policy,
            now=self.time.now(),
            language=self.settings.language,
        )

    def _stores(self) -> Stores:
        return Stores(self.database, self.settings.rules, self.settings.ladder)

    # commands

    @rpc
    def submit_petition(self, actor: Plain, petition: Plain, key: str) -> Plain:
        """See `submitting.submit_petition`."""
        fields = _travelling(load(_SUBMIT, petition))
        return submit_petition(self.case_context(), Actor.from_plain(actor), fields, key)

    @rpc
    def move_petition(
        self,
        actor: Plain,
        petition_id: str,
        move: str,
        fields: Plain,
        expected_version: int | None,
        key: str,
        petition_key: str | None = None,
    ) -> Plain:
        """See `application.case.move`."""
        loaded = _travelling(load(_MOVE, fields))
        return application.move(
            self.case_context(), Actor.from_plain(actor), petition_id, move, loaded, expected_version, key, petition_key
        )

    @rpc
    def add_unit(self, actor: Plain, municipality: str, unit: Plain, key: str) -> Plain:
        """See `application.routing.add_unit`."""
        fields = load(_NEW_UNIT, unit)
        return self.once(
            actor,
            key,
            "add_unit",
            {"municipality": municipality, "unit": unit},
            lambda connection, acting: routing.add_unit(self._stores().on(connection), acting, municipality, fields),
        )

    @rpc
    def change_unit(
        self, actor: Plain, municipality: str, unit_id: str, changes: Plain, expected_version: int | None, key: str
    ) -> Plain:
        """See `application.routing.change_unit`."""
        fields = load(_UNIT_CHANGE, changes)
        return self.once(
            actor,
            key,
            "change_unit",
            {"municipality": municipality, "unit": unit_id, "changes": changes, "version": expected_version},
            lambda connection, acting: routing.change_unit(
                self._stores().on(connection), acting, municipality, unit_id, fields, expected_version
            ),
        )

    # queries

    @rpc
    def get_petition(self, actor: Plain, petition_id: str, petition_key: str | None = None) -> Plain:
        """See `application.case.get_petition`."""
        return application.get_petition(self.case_context(), Actor.from_plain(actor), petition_id, petition_key)

    @rpc
    def list_petitions(
        self,
        actor: Plain,
        stage: str | None = None,
        municipality: str | None = None,
        kind: str | None = None,
        unit: str | None = None,
        activity: str | None = None,
        number: str | None = None,
        *,
        overdue: bool | None = None,
        page: int = 1,
        size: int = 50,
    ) -> Plain:
        """Petitions that the actor's office may see, newest first, without their texts."""
        context = self.case_context()
        wanted = {
            PETITIONS.c.stage: stage,
            PETITIONS.c.municipality: municipality,
            PETITIONS.c.kind: kind,
            PETITIONS.c.unit_id: unit,
            PETITIONS.c.activity_id: activity,
            PETITIONS.c.number: number.strip().upper() if number else None,
        }
        conditions = [column == value for column, value in wanted.items() if value is not None]
        if overdue is not None:
            late = PETITIONS.c.overdue_since
            conditions.append(late.is_not(None) if overdue else late.is_(None))
        own = visible_to(Actor.from_plain(actor))
        if own is not None:
            conditions.insert(0, own)
        with context.read() as store:
            found, total = _store(store).page(conditions, (PETITIONS.c.created_at.desc(), PETITIONS.c.id), page, size)
        items = [summary(context.procedure, case) for case in found]
        return {"items": items, "page": page, "size": size, "total": total}

    @rpc
    def work(self, actor: Plain, page: int = 1, size: int = 50) -> Plain:
        """What the actor's office must do next, by due date."""
        context, office = self.case_context(), Actor.from_plain(actor)
        own = visible_to(office)
        if own is None or office.role not in _WITH_WORK:
            return {"items": [], "page": page, "size": size, "total": 0}
        with context.read() as store:
            found, total = _store(store).page(*work_of(own, office), page, size)
        items = [work_item(context, case, office) for case in found]
        return {"items": items, "page": page, "size": size, "total": total}

    @rpc
    def timeline(
        self, actor: Plain, petition_id: str, petition_key: str | None = None, page: int = 1, size: int = 50
    ) -> Plain:
        """What was done, oldest first, with the steps of the protocol that came of it; offices, not persons."""
        context = self.case_context()
        with context.read() as store:
            _, looker = application.seen(store, petition_id, Actor.from_plain(actor), petition_key)
            rows, total = _store(store).acts(petition_id, page, size)
        items = [act_shown(context.procedure, row, looker) for row in rows]
        return {"items": items, "page": page, "size": size, "total": total}

    @rpc
    def explain_clock(self, actor: Plain, petition_id: str, clock_id: str, petition_key: str | None = None) -> Plain:
        """See `application.case.explain_clock`."""
        context = self.case_context()
        return application.explain_clock(context, Actor.from_plain(actor), petition_id, clock_id, petition_key)

    @rpc
    def tracking(self, code: str) -> Plain:
        """See `application.case.track`."""
        return application.track(self.case_context(), code)

    @rpc
    def list_units(self, municipality: str) -> Plain:
        """See `application.routing.list_units`."""
        return routing.list_units(self.case_context(), municipality)

    # what others tell

    @event_handler("protocols", "protocol.drafted.v1")
    def link_protocol(self, envelope: Envelope) -> None:
        """The protocol that a proposal became."""
        self._follow(
            envelope,
            application.link_protocol,
        )

    @event_handler("protocols", "protocol.moved.v1")
    def follow_protocol(self, envelope: Envelope) -> None:
        """A step of such a protocol, on the petition's own page."""
        self._follow(
            envelope,
            lambda context, store, petition_id, protocol: application.follow_protocol(
                context, store, petition_id, protocol, envelope.data, envelope.subject_version
            ),
        )

    def _follow(self, envelope: Envelope, effect: Callable[[Context, Store, str, Party], None]) -> None:
        petition_id = envelope.data.get("petition_id")
        if petition_id is None:
            return
        protocol = Party(envelope.data["protocol_id"], envelope.data["reference"])
        with self.database.write() as connection:
            if first_time(connection, f"petitions.on.{envelope.name}", envelope.id):
                effect(self.case_context(), self._stores().on(connection), petition_id, protocol)

    @event_handler("protocols", "protocol.draft_failed.v1")
    def report_draft_problem(self, envelope: Envelope) -> None:
        """A proposal that was accepted, and of which no protocol could be made."""
        with self.database.write() as connection:
            if first_time(connection, f"petitions.on.{envelope.name}", envelope.id):
                application.report_draft_problem(
                    self.case_context(),
                    self._stores().on(connection),
                    envelope.data["petition_id"],
                    envelope.data["reasons"],
                )


def _store(store: Any) -> Store:
    """The store as this service knows it, with its lists."""
    found: Store = store
    return found


def _travelling(fields: Any) -> Any:
    """The loaded fields with ids as text, as they are kept."""
    if isinstance(fields, dict):
        return {name: _travelling(value) for name, value in fields.items()}
    return str(fields) if isinstance(fields, UUID) else fields
