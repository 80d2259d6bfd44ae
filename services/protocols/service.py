"""The protocols service: wiring, no decisions."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from services.contracts.protocols import DraftSchema, MoveSchema, ProposalHeard, SettlementSchema, TextSchema
from services.kernel.actor import Actor
from services.kernel.errors import NotFound
from services.kernel.text import Sentence
from services.protocols import application
from services.protocols.adapters import audit
from services.protocols.adapters.repository import (
    REMOVED,
    Store,
    Stores,
    count_open_protocols,
    found_among,
    learn_partners,
    learn_succession,
    open_protocols,
    visible_to,
    work_of,
)
from services.protocols.adapters.tables import PROTOCOLS
from services.protocols.application import Context
from services.protocols.domain.case import perform
from services.protocols.domain.partner import LABELS, NONE
from services.protocols.domain.policy import Policy
from services.protocols.domain.procedure import INTERNAL, protocol_procedure
from services.runtime.casedesk import ClockDesk
from services.runtime.dependencies import RemoteService
from services.runtime.entrypoints import HandlerTooSlow, event_handler, rpc
from services.runtime.envelope import Envelope
from services.runtime.inbox import first_time, first_times
from services.runtime.schema import load
from services.runtime.settings import Settings

logger = logging.getLogger(__name__)

Plain = dict[str, Any]

_BATCH = 100
_DRAFT, _TEXT, _MOVE, _SETTLEMENT = DraftSchema(), TextSchema(), MoveSchema(), SettlementSchema()
_PROPOSAL = ProposalHeard()


def policy_of(settings: Settings) -> Policy:
    """The settings' reading of what the law leaves open."""
    return Policy(
        mayor_return_from="decision" if settings.mayor_return_from == "decision" else "record",
        mayor_may_waive_return=settings.mayor_may_waive_return,
        permission_silence_days=settings.permission_silence_days,
        document_request_pauses_silence=settings.document_request_pauses_silence,
    )


class ProtocolsService(ClockDesk):
    """Cooperation protocols on their way through the procedure."""

    name = "protocols"
    ledger = audit.LEDGER
    perform = staticmethod(perform)

    registry = RemoteService("registry")

    def case_context(self) -> Context:
        """What the commands of protocols work with."""
        stores = Stores(self.database, self.settings.rules, self.settings.ladder)
        return Context(
            write=stores.write,
            read=stores.read,
            registry=self.registry,
            procedure=protocol_procedure(policy_of(self.settings)),
            now=self.time.now(),
        )

    # commands

    @rpc
    def draft_protocol(self, actor: Plain, draft: Plain, key: str) -> Plain:
        """See `application.draft_protocol`."""
        fields = load(_DRAFT, draft)
        return application.draft_protocol(self.case_context(), Actor.from_plain(actor), fields, key)

    @rpc
    def replace_text(self, actor: Plain, protocol_id: str, text: str, expected_version: int | None, key: str) -> Plain:
        """See `application.replace_text`."""
        fields = load(_TEXT, {"text": text})
        return application.replace_text(
            self.case_context(), Actor.from_plain(actor), protocol_id, fields["text"], expected_version, key
        )

    @rpc
    def move(
        self, actor: Plain, protocol_id: str, move: str, fields: Plain, expected_version: int | None, key: str
    ) -> Plain:
        """See `application.move`."""
        loaded = load(_MOVE, fields)
        return application.move(
            self.case_context(), Actor.from_plain(actor), protocol_id, move, loaded, expected_version, key
        )

    @rpc
    def settle_legal_review(
        self, actor: Plain, protocol_id: str, settlement: Plain, expected_version: int | None, key: str
    ) -> Plain:
        """See `application.settle_legal_review`."""
        given = load(_SETTLEMENT, settlement)
        return application.settle_legal_review(
            self.case_context(),
            Actor.from_plain(actor),
            protocol_id,
            given["opinion"],
            given["outcome"],
            expected_version,
            key,
        )

    # queries

    @rpc
    def open_protocols_of(self, organisation_id: str) -> Plain:
        """How many open protocols an organisation has; institutions alone ask this, so no file is named."""
        ends = self.case_context().procedure.ends
        with self.database.read() as connection:
            return {"open": count_open_protocols(connection, organisation_id, ends)}

    @rpc
    def partners_among(self, organisation_ids: list[str]) -> list[str]:
        """Those of the organisations that are the partner of some protocol, open or ended."""
        return self._among(PROTOCOLS.c.organisation_id, organisation_ids)

    @rpc
    def municipalities_among(self, codes: list[str]) -> list[str]:
        """Those of the municipalities that have some protocol, open or ended."""
        return self._among(PROTOCOLS.c.municipality, codes)

    def _among(self, column: Any, keys: list[str]) -> list[str]:
        with self.database.read() as connection:
            return sorted(found_among(connection, column, keys))

    @rpc
    def get_protocol(self, actor: Plain, protocol_id: str) -> Plain:
        """See `application.get_protocol`."""
        return application.get_protocol(self.case_context(), Actor.from_plain(actor), protocol_id)

    @rpc
    def list_protocols(
        self,
        actor: Plain,
        stage: str | None = None,
        municipality: str | None = None,
        authority: str | None = None,
        organisation: str | None = None,
        *,
        overdue: bool | None = None,
        legal_review: str | None = None,
        page: int = 1,
        size: int = 50,
    ) -> Plain:
        """Protocols that the actor's office may see, newest first."""
        context = self.case_context()
        wanted = {
            PROTOCOLS.c.stage: stage,
            PROTOCOLS.c.municipality: municipality,
            PROTOCOLS.c.authority: authority,
            PROTOCOLS.c.organisation_id: organisation,
        }
        conditions = [column == value for column, value in wanted.items() if value is not None]
        if legal_review is not None:
            under = PROTOCOLS.c.review_state
            conditions.append(under.is_(None) if legal_review == NONE else under == legal_review)
        if overdue is not None:
            late = PROTOCOLS.c.overdue_since
            conditions.append(late.is_not(None) if overdue else late.is_(None))
        own = visible_to(Actor.from_plain(actor))
        if own is not None:
            conditions.insert(0, own)
        with context.read() as store:
            found, total = _store(store).page(conditions, (PROTOCOLS.c.created_at.desc(), PROTOCOLS.c.id), page, size)
        items = [application.summary(context.procedure, case) for case in found]
        return {"items": items, "page": page, "size": size, "total": total}

    @rpc
    def work(self, actor: Plain, page: int = 1, size: int = 50) -> Plain:
        """What the actor's office must do next, by due date."""
        context = self.case_context()
        office = Actor.from_plain(actor)
        own = visible_to(office)
        if own is None or office.role not in _roles_with_work():
            return {"items": [], "page": page, "size": size, "total": 0}
        with context.read() as store:
            found, total = _store(store).page(*work_of(own, office.role), page, size)
        items = [application.work_item(context, case, office) for case in found]
        return {"items": items, "page": page, "size": size, "total": total}

    @rpc
    def timeline(self, actor: Plain, protocol_id: str, page: int = 1, size: int = 50) -> Plain:
        """Who did what, acting for whom, oldest first; offices, not persons."""
        context, looker = self.case_context(), Actor.from_plain(actor)
        with context.read() as store:
            case = store.get(protocol_id)
            if case is None or not case.visible_to(looker):
                raise NotFound(Sentence("There is no such protocol."))
            rows, total = _store(store).acts(protocol_id, page, size)
        labels = {move.name: move.label.to_plain() for move in context.procedure.moves}
        stages = context.procedure.stages
        items = [
            {
                "number": row.number,
                "move": row.move,
                "label": labels.get(row.move) or _OWN_LABELS[row.move],
                "from": row.from_stage or None,
                "from_label": stages[row.from_stage].label.to_plain() if row.from_stage else None,
                "to": row.to_stage,
                "to_label": stages[row.to_stage].label.to_plain(),
                "actor": _office(row.actor),
                "fields": {}
                if looker.authority and row.from_stage in INTERNAL
                else application.act_fields(case, looker, row.move, row.fields),
                "done_on": row.done_on.isoformat(),
                "recorded_at": row.recorded_at.isoformat(),
                "procedure_version": row.procedure_version,
                "hash": row.hash,
            }
            for row in rows
        ]
        return {"items": items, "page": page, "size": size, "total": total}

    @rpc
    def explain_clock(self, actor: Plain, protocol_id: str, clock_id: str) -> Plain:
        """See `application.explain_clock`."""
        return application.explain_clock(self.case_context(), Actor.from_plain(actor), protocol_id, clock_id)

    # what the registry tells

    @event_handler("registry", "organisation.registered.v1", together=_BATCH)
    @event_handler("registry", "organisation.updated.v1", together=_BATCH)
    @event_handler("registry", "organisation.status_granted.v1", together=_BATCH)
    @event_handler("registry", "organisation.status_revoked.v1", together=_BATCH)
    def learn_organisations(self, envelopes: list[Envelope]) -> None:
        """Keep names and standings of organisations, then let their open files follow."""
        with self.database.write() as connection:
            fresh = first_times(connection, f"protocols.on.{envelopes[0].name}", [each.id for each in envelopes])
            learn_partners(connection, [(each.data, each.subject_version) for each in envelopes if each.id in fresh])
        self._catch_up({each.data["organisation_id"] for each in envelopes})

    @event_handler("registry", "organisation.removed.v1", together=_BATCH)
    def forget_organisations(self, envelopes: list[Envelope]) -> None:
        """Mark organisations that left the registry; an older telling that comes late does not bring them back."""
        with self.database.write() as connection:
            fresh = first_times(connection, f"protocols.on.{envelopes[0].name}", [each.id for each in envelopes])
            gone = [({**each.data, "state": REMOVED}, each.subject_version) for each in envelopes if each.id in fresh]
            learn_partners(connection, gone)

    @event_handler("petitions", "petition.proposal_accepted.v1")
    def draft_proposed(self, envelope: Envelope) -> None:
        """Draft a protocol from an accepted proposal, or say why none can be drafted."""
        proposal = load(_PROPOSAL, envelope.data) | {"version": envelope.subject_version}
        application.draft_from_proposal(
            self.case_context(),
            proposal,
            lambda store: first_time(_store(store).connection, f"protocols.on.{envelope.name}", envelope.id),
        )

    @event_handler("registry", "organisation.succeeded.v1")
    def learn_succession(self, envelope: Envelope) -> None:
        """Keep who takes the organisation's place, then let its open files follow."""
        with self.database.write() as connection:
            if first_time(connection, f"protocols.on.{envelope.name}", envelope.id):
                learn_succession(connection, envelope.data, envelope.subject_version)
        self._catch_up({envelope.data["organisation_id"]})

    def _catch_up(self, organisation_ids: Collection[str]) -> None:
        """Let the organisations' open files follow what is known of them; one short query where there are none.

        Not under the inbox row: a crash in the middle repeats it, and following again changes nothing twice.
        """
        context, after = self.case_context(), ""
        failures: list[Exception] = []
        while True:
            with self.database.read() as connection:
                ids = open_protocols(connection, organisation_ids, context.procedure.ends, after, _BATCH)
            failures += application.catch_up(context, ids)
            # Out of time is out of time: the rest has its turn when the event comes again.
            slow = next((error for error in failures if isinstance(error, HandlerTooSlow)), None)
            if slow is not None:
                raise slow
            if len(ids) < _BATCH:
                break
            after = ids[-1]
        if failures:
            raise failures[0]


def _store(store: Any) -> Store:
    """The store as this service knows it, with its lists."""
    found: Store = store
    return found


def _roles_with_work() -> frozenset[str]:
    return frozenset(
        {"unit_officer", "registry_clerk", "mayor", "commission_rapporteur", "authority_clerk", "authority_head",
         "organisation_representative"}
    )  # fmt: skip


_OWN_LABELS: dict[str, dict[str, str]] = {
    "draft": {"tr": "Taslak açıldı", "en": "Draft begun"},
    "replace_text": {"tr": "Metin değişti", "en": "Text changed"},
    "expire_clock": {"tr": "Süre doldu", "en": "A period ran out"},
    "recount": {"tr": "Takvim değişti, süreler yeniden sayıldı", "en": "Calendar changed, periods recounted"},
    **{act: label.to_plain() for act, label in LABELS.items()},
}


def _office(actor: Mapping[str, Any]) -> dict[str, Any]:
    """The office that acted; persons stay in the database."""
    acting = Actor.from_plain(actor)
    return {"role": acting.role, "tenant": acting.tenant, "office": acting.office, "acting_for": acting.acting_for}
