"""Corrections of the record, as organisations propose and the registrar decides them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from services.contracts.upkeep import CorrectionDecision, CorrectionsWanted, NewCorrection
from services.kernel.actor import Actor
from services.registry.adapters.correction import CorrectionRows
from services.registry.adapters.repository import OrganisationRows
from services.registry.application import correction as corrections
from services.registry.application.correction import REPRESENTATIVE, Told
from services.registry.application.record import Work
from services.registry.domain.correction import PROPOSABLE, Correction, Decision, FieldState, Proposal, recorded
from services.registry.domain.organisation import Organisation
from services.registry.service.desk import Desk, Plain, page_of
from services.runtime.entrypoints import rpc
from services.runtime.schema import load


class CorrectionDesk(Desk):
    """Questions and commands about corrections."""

    @rpc
    def propose_correction(self, actor: Plain, organisation_id: str, correction: Plain, key: str) -> Plain:
        """See `corrections.propose_correction`."""
        asked = load(NewCorrection(), correction)

        def effect(connection: Connection, work: Work, acting: Actor) -> Plain:
            shelf = CorrectionRows(connection)
            return _told(
                corrections.propose_correction(work, shelf, acting, organisation_id, asked["changes"], asked["note"])
            )

        request = {"organisation_id": organisation_id, "correction": correction}
        return self.once_within(actor, key, "propose_correction", request, effect)

    @rpc
    def decide_correction(
        self, actor: Plain, correction_id: str, decision: Plain, key: str, expected_version: int | None = None
    ) -> Plain:
        """See `corrections.decide_correction`."""
        decisions = [Decision(**each) for each in load(CorrectionDecision(), decision)["decisions"]]

        def effect(connection: Connection, work: Work, acting: Actor) -> Plain:
            shelf = CorrectionRows(connection)
            return _told(corrections.decide_correction(work, shelf, acting, correction_id, decisions, expected_version))

        request = {"correction_id": correction_id, "decision": decision, "expected_version": expected_version}
        return self.once_within(actor, key, "decide_correction", request, effect)

    @rpc
    def withdraw_correction(
        self, actor: Plain, correction_id: str, key: str, expected_version: int | None = None
    ) -> Plain:
        """See `corrections.withdraw_correction`."""

        def effect(connection: Connection, work: Work, acting: Actor) -> Plain:
            shelf = CorrectionRows(connection)
            return _told(corrections.withdraw_correction(work, shelf, acting, correction_id, expected_version))

        request = {"correction_id": correction_id, "expected_version": expected_version}
        return self.once_within(actor, key, "withdraw_correction", request, effect)

    @rpc
    def get_correction(self, actor: Plain, correction_id: str) -> Plain:
        """One correction with what is recorded now. Raises NotFound, also for another organisation's."""
        with self.database.read() as connection:
            shelf = CorrectionRows(connection)
            return _told(corrections.correction(self.work(connection), shelf, Actor.from_plain(actor), correction_id))

    @rpc
    def list_corrections(self, actor: Plain, **wanted: Any) -> Plain:
        """A page of corrections, the newest first: all for registrar and auditor, its own for an organisation."""
        asked = load(CorrectionsWanted(), wanted)
        acting, page, size = Actor.from_plain(actor), asked["page"], asked["size"]
        organisation_id = asked["organisation"] and str(asked["organisation"])
        if acting.role not in corrections.SEES_ALL:
            own = acting.organisation_id if acting.role == REPRESENTATIVE else None
            if own is None or organisation_id not in (None, own):
                return page_of([], page, size, 0)
            organisation_id = own
        with self.database.read() as connection:
            found, total = CorrectionRows(connection).page(
                state=asked["state"], organisation_id=organisation_id, page=page, size=size
            )
            known = {
                each.id: each
                for each in OrganisationRows(connection).many(sorted({each.organisation_id for each in found}))
            }
        items = [correction_shown(each, known[each.organisation_id]) for each in found]
        return page_of(items, page, size, total)


def correction_shown(correction: Correction, organisation: Organisation) -> Plain:
    """A correction with each field's old, proposed and current value."""
    return {
        "id": correction.id,
        "version": correction.version,
        "organisation_id": organisation.id,
        "organisation_name": organisation.facts.name,
        "state": str(correction.state),
        "note": correction.note,
        "proposed_at": correction.proposed_at.isoformat(),
        "proposed_by": correction.proposed_by,
        "fields": [_field_shown(each, organisation) for each in correction.proposals],
    }


def _field_shown(proposal: Proposal, organisation: Organisation) -> Plain:
    current = recorded(organisation.facts, proposal.field)
    return {
        "field": proposal.field,
        "label": PROPOSABLE[proposal.field].to_plain(),
        "old": proposal.old,
        "proposed": proposal.proposed,
        "current": current,
        "stale": proposal.state is FieldState.OPEN and current not in (proposal.old, proposal.proposed),
        "state": str(proposal.state),
        "reason": proposal.reason,
        "decided_at": proposal.decided_at.isoformat() if proposal.decided_at else None,
        "decided_by": proposal.decided_by,
    }


def _told(told: Told) -> Plain:
    return correction_shown(told.correction, told.organisation)
