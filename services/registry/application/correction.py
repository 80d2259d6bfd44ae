"""Corrections: an organisation proposes, the registrar decides, field by field."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from services.kernel.actor import Actor
from services.kernel.errors import Forbidden, NotFound
from services.kernel.text import Sentence
from services.registry.application.record import (
    Work,
    refuse_taken_number,
    registrar_only,
    save,
    whole_delegation,
)
from services.registry.domain import correction as corrections
from services.registry.domain.correction import Correction, Decision, FieldState
from services.registry.domain.events import (
    Named,
    OrganisationCorrectionDecidedV1,
    OrganisationCorrectionProposedV1,
)
from services.registry.domain.organisation import Organisation

REPRESENTATIVE = "organisation_representative"
SEES_ALL = ("registrar", "auditor")


class Corrections(Protocol):
    """Where corrections are kept."""

    def get(self, correction_id: str, *, to_change: bool = False) -> Correction:
        """The correction, held for the transaction if it is to be changed. Raises NotFound."""

    def pending(self, organisation_id: str) -> Sequence[str]:
        """The fields of the organisation for which a proposal is open."""

    def add(self, correction: Correction) -> None:
        """Keep a new correction."""

    def save(self, correction: Correction) -> None:
        """Keep what changed."""


class Told(NamedTuple):
    """A correction beside the organisation as it is recorded now."""

    correction: Correction
    organisation: Organisation


def propose_correction(
    work: Work, shelf: Corrections, actor: Actor, organisation_id: str, changes: Mapping[str, Any], note: str | None
) -> Told:
    """Propose other values for fields of the caller's own organisation.

    Raises Forbidden, NotFound (another's organisation), Invalid, Refused.
    """
    if actor.role != REPRESENTATIVE:
        raise Forbidden(Sentence("Corrections are proposed by the organisation's own representative."))
    whole_delegation(actor)
    if actor.organisation_id != organisation_id:
        raise NotFound(Sentence("There is no such organisation among yours."))
    # Held, so that two proposals for one field cannot pass each other.
    organisation = work.organisations.get(organisation_id, to_change=True)
    correction = corrections.propose(
        str(uuid.uuid4()),
        organisation,
        changes,
        note,
        pending=shelf.pending(organisation.id),
        today=work.today,
        now=work.now,
        by=actor.office,
    )
    _refuse_taken_number(work, organisation, correction)
    shelf.add(correction)
    event = OrganisationCorrectionProposedV1(
        subject_id=organisation.id,
        subject_version=organisation.version,
        organisation=named(organisation),
        correction_id=correction.id,
        fields=correction.fields(FieldState.OPEN),
    )
    work.announce(event, actor=actor, now=work.now)
    return Told(correction, organisation)


def decide_correction(
    work: Work,
    shelf: Corrections,
    actor: Actor,
    correction_id: str,
    decisions: Sequence[Decision],
    expected_version: int | None,
) -> Told:
    """Accept or decline fields; what is accepted is recorded at once.

    Raises Forbidden, NotFound, Conflict, Invalid, and Refused when a field was recorded otherwise since.
    """
    registrar_only(actor)
    correction, organisation = _held(work, shelf, correction_id)
    correction.check_version(expected_version)
    answered = {each.field for each in decisions}
    changes = correction.decide(decisions, organisation.facts, now=work.now, by=actor.office)
    event = organisation.update(changes, work.today)
    if event is not None:
        refuse_taken_number(work, organisation)
        save(work, actor, organisation, event)
    shelf.save(correction)
    decided = OrganisationCorrectionDecidedV1(
        subject_id=organisation.id,
        subject_version=organisation.version,
        organisation=named(organisation),
        correction_id=correction.id,
        accepted=tuple(name for name in correction.fields(FieldState.ACCEPTED) if name in answered),
        declined=tuple(name for name in correction.fields(FieldState.DECLINED) if name in answered),
        waiting=correction.fields(FieldState.OPEN),
    )
    work.announce(decided, actor=actor, now=work.now)
    return Told(correction, organisation)


def withdraw_correction(
    work: Work, shelf: Corrections, actor: Actor, correction_id: str, expected_version: int | None
) -> Told:
    """Take back what the registrar has not decided yet. Raises Forbidden, NotFound, Conflict, Refused."""
    if actor.role != REPRESENTATIVE:
        raise Forbidden(Sentence("Only the organisation's own representative withdraws its corrections."))
    whole_delegation(actor)
    correction, organisation = _held(work, shelf, correction_id)
    _seen(correction, actor)
    correction.check_version(expected_version)
    correction.withdraw(now=work.now, by=actor.office)
    shelf.save(correction)
    return Told(correction, organisation)


def correction(work: Work, shelf: Corrections, actor: Actor, correction_id: str) -> Told:
    """One correction for the registrar, the auditor or the organisation itself. Raises NotFound."""
    found = _seen(shelf.get(correction_id), actor)
    return Told(found, work.organisations.get(found.organisation_id))


def named(organisation: Organisation) -> Named:
    """The organisation as an event names it."""
    return Named(id=organisation.id, name=organisation.facts.name, registry_no=organisation.facts.registry_no)


def _held(work: Work, shelf: Corrections, correction_id: str) -> Told:
    """Both held for the transaction, the organisation first, as everyone takes them."""
    organisation = work.organisations.get(shelf.get(correction_id).organisation_id, to_change=True)
    return Told(shelf.get(correction_id, to_change=True), organisation)


def _seen(correction: Correction, actor: Actor) -> Correction:
    if actor.role not in SEES_ALL and actor.organisation_id != correction.organisation_id:
        raise NotFound(Sentence("There is no such correction."))
    return correction


def _refuse_taken_number(work: Work, organisation: Organisation, correction: Correction) -> None:
    """Say at once what the registrar could not accept later."""
    proposed = {each.field: each.proposed for each in correction.proposals if each.field == "registry_no"}
    if proposed:
        after = Organisation(organisation.id, organisation.facts)
        after.update(proposed, work.today)
        refuse_taken_number(work, after)
