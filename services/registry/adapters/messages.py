"""The registry's objects in the shapes that others see: answers to questions, data of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.contracts.registry import TOLD
from services.kernel.actor import Actor
from services.kernel.events import Event, Scope
from services.registry.domain.calendar import CalendarDay
from services.registry.domain.events import (
    CalendarDayAddedV1,
    Heir,
    MunicipalityUpdatedV1,
    Named,
    OrganisationAuditDueV1,
    OrganisationCorrectionDecidedV1,
    OrganisationCorrectionProposedV1,
    OrganisationExpertiseChangedV1,
    OrganisationRegisteredV1,
    OrganisationRemovedV1,
    OrganisationStatusEndingV1,
    OrganisationStatusGrantedV1,
    OrganisationStatusRevokedV1,
    OrganisationSucceededV1,
    OrganisationUpdatedV1,
    Snapshot,
)
from services.registry.domain.municipality import Authority, Municipality
from services.registry.domain.organisation import FACTS, Former, Grant, Organisation, Revocation
from services.registry.domain.standing import RULES, Standing
from services.registry.domain.status import Decision, Status
from services.registry.domain.vocabulary import StatusKind
from services.registry.domain.watch import audit_due, status_ending
from services.runtime.outbox import Message

# Making a schema costs ten times what using it does.
_CONTRACTS = {name: schema() for name, schema in TOLD.items()}
_SETTLED = {rule.id: rule.settled for rule in RULES}


def grant_of(loaded: Mapping[str, Any]) -> Grant:
    """A loaded NewStatus as the domain takes it."""
    return Grant(
        kind=StatusKind(loaded["kind"]),
        valid_from=loaded["valid_from"],
        valid_to=loaded["valid_to"],
        decision=_decision_of(loaded),
        source=loaded["source"],
        corrects=loaded["corrects"] and str(loaded["corrects"]),
    )


def revocation_of(loaded: Mapping[str, Any]) -> Revocation:
    """A loaded NewRevocation as the domain takes it."""
    return Revocation(
        revoked_on=loaded["revoked_on"],
        decision=_decision_of(loaded),
        reason=loaded["reason"],
        source=loaded["source"],
    )


def organisation_shown(organisation: Organisation, today: date, *, with_history: bool = False) -> dict[str, Any]:
    """An OrganisationAnswer."""
    facts = organisation.facts
    audit, ending = audit_due(organisation, today), status_ending(organisation, today)
    shown = {
        "id": organisation.id,
        "version": organisation.version,
        **{name: getattr(facts, name) for name in FACTS},
        "founded_on": _date(facts.founded_on),
        "form": str(facts.form),
        "state": str(facts.state),
        "expertise": list(organisation.expertise),
        "statuses": [status_shown(status) for status in organisation.history.known()],
        "standing": standing_summary(organisation.standing(today, explained=False)),
        "warnings": [warning.to_plain() for warning in organisation.warnings()],
        "former": [former_shown(each) for each in organisation.former],
        "successors": list(organisation.successors),
        "last_audit_on": _date(organisation.last_audit_on),
        "audit_due_on": _date(audit.due_on if audit else None),
        "status_ends_on": _date(ending.due_on if ending else None),
    }
    if with_history:
        shown["history"] = [status_shown(status) for status in organisation.history.revisions]
    return shown


def former_shown(former: Former) -> dict[str, Any]:
    """A FormerAnswer."""
    return {"name": former.name, "registry_no": former.registry_no, "until": former.until.isoformat()}


def status_shown(status: Status) -> dict[str, Any]:
    """A StatusAnswer."""
    revoked = status.revoked_on is not None
    return {
        "id": status.id,
        "revision": status.revision,
        "kind": str(status.kind),
        **_decision_shown(status.decision),
        "valid_from": status.valid_from.isoformat(),
        "valid_to": _date(status.valid_to),
        "revoked_on": _date(status.revoked_on),
        "revocation": {**_decision_shown(status.revocation), "reason": status.reason} if revoked else None,
        "source": status.source,
        "recorded_at": status.recorded_at.isoformat(),
        "superseded_at": _moment(status.superseded_at),
    }


def standing_shown(
    standing: Standing, organisation_id: str, municipality: str | None = None, known_at: datetime | None = None
) -> dict[str, Any]:
    """A StandingAnswer."""
    return {
        **standing_summary(standing),
        "organisation_id": organisation_id,
        "municipality": municipality,
        "known_at": _moment(known_at),
        "evidence": status_shown(standing.evidence) if standing.evidence else None,
        "explanation": [sentence.to_plain() for sentence in standing.explanation],
        "rule": standing.rule,
        "settled": _SETTLED[standing.rule],
    }


def municipality_shown(municipality: Municipality) -> dict[str, Any]:
    """A MunicipalityAnswer."""
    profile = municipality.legal_profile
    return {
        "code": municipality.code,
        "name": municipality.name,
        "kind": str(municipality.kind),
        "province_code": municipality.province_code,
        "province": municipality.province,
        "district": municipality.district,
        "civil_authority": _authority_shown(municipality.authority),
        "council": {
            "full_membership": municipality.full_membership,
            "sittings": [day.isoformat() for day in municipality.sittings],
        },
        "legal_profile": {
            "law": profile.law,
            "mayor_return_days": profile.mayor_return_days,
            "commission_size": {"min": profile.commission_min, "max": profile.commission_max},
            "commission_working_days": profile.commission_working_days,
            "zoning_commission_working_days": profile.zoning_commission_working_days,
            "sitting_week": profile.sitting_week,
        },
        "version": municipality.version,
    }


def calendar_day_shown(entry: CalendarDay) -> dict[str, Any]:
    """An added day with the calendar's version since."""
    return {**entry.day.to_plain(), "version": entry.version}


def message_of(event: Event, *, actor: Actor, now: datetime) -> Message:
    """The event on its way out; everyone who is signed in may see what the registry holds.

    A correction is between the organisation and the registrar: of the others nobody sees that one was proposed.
    """
    data = _data(event)
    _check(event.name, data)
    return _message(event, data, actor, now)


def messages_of(events: Sequence[Event], *, actor: Actor, now: datetime) -> list[Message]:
    """Many events on their way out.

    One function makes the data of all that have a name in common, so the contract is held against the first
    of each; against all it would take as long as everything else.
    """
    told = [(event, _data(event)) for event in events]
    for event, data in {event.name: (event, data) for event, data in reversed(told)}.values():
        _check(event.name, data)
    return [_message(event, data, actor, now) for event, data in told]


def _check(name: str, data: Mapping[str, Any]) -> None:
    findings = _CONTRACTS[name].validate(data)
    if findings:
        message = f"{name} breaks its contract: {findings}"
        raise ValueError(message)


def _message(event: Event, data: dict[str, Any], actor: Actor, now: datetime) -> Message:
    return Message(
        name=event.name,
        subject_id=event.subject_id,
        subject_version=event.subject_version,
        data=data,
        occurred_at=now,
        actor=actor,
        scope=_scope(event),
    )


def _scope(event: Event) -> Scope:
    if isinstance(event, (OrganisationCorrectionProposedV1, OrganisationCorrectionDecidedV1)):
        return Scope(organisation_id=event.organisation.id)
    return Scope()


def _data(event: Event) -> dict[str, Any]:
    match event:
        case (
            OrganisationRegisteredV1()
            | OrganisationUpdatedV1()
            | OrganisationStatusGrantedV1()
            | OrganisationStatusRevokedV1()
            | OrganisationRemovedV1()
        ):
            return _organisation_told(event.organisation)
        case OrganisationExpertiseChangedV1():
            return {
                "organisation_id": event.organisation_id,
                "tags": list(event.tags),
                "provinces": list(event.provinces),
                "valid_until": _date(event.valid_until),
            }
        case MunicipalityUpdatedV1():
            return {
                "code": event.code,
                "name": event.municipality_name,
                "kind": str(event.kind),
                "authority": {
                    "code": event.authority_code,
                    "kind": str(event.authority_kind),
                    "name": event.authority_name,
                },
                "council_full_membership": event.council_full_membership,
            }
        case (
            OrganisationCorrectionProposedV1()
            | OrganisationCorrectionDecidedV1()
            | OrganisationSucceededV1()
            | OrganisationAuditDueV1()
            | OrganisationStatusEndingV1()
        ):
            return _upkeep_told(event)
        case CalendarDayAddedV1():
            return {
                "on": event.on.isoformat(),
                "kind": event.kind,
                "name": event.day_name,
                "source": event.source,
                "version": event.version,
            }
    message = f"{event.name} has no contract"
    raise LookupError(message)


def _revocation_told(revocation: Decision) -> dict[str, Any]:
    """The decision that revoked a status, where one is recorded; it joined the event later."""
    if revocation.decision_no is None and revocation.decision_on is None:
        return {}
    return {"revocation_no": revocation.decision_no, "revocation_on": _date(revocation.decision_on)}


def _named(organisation: Named) -> dict[str, Any]:
    return {
        "organisation_id": organisation.id, "registry_no": organisation.registry_no, "name": organisation.name,
    }  # fmt: skip


def _heir(heir: Heir) -> dict[str, Any]:
    return {
        "id": heir.id, "name": heir.name, "version": heir.version, "standing": standing_summary(heir.standing),
    }  # fmt: skip


def _upkeep_told(
    event: OrganisationCorrectionProposedV1
    | OrganisationCorrectionDecidedV1
    | OrganisationSucceededV1
    | OrganisationAuditDueV1
    | OrganisationStatusEndingV1,
) -> dict[str, Any]:
    told = _named(event.organisation)
    match event:
        case OrganisationCorrectionProposedV1():
            told |= {"correction_id": event.correction_id, "fields": list(event.fields)}
        case OrganisationCorrectionDecidedV1():
            told |= {
                "correction_id": event.correction_id,
                "accepted": list(event.accepted),
                "declined": list(event.declined),
                "waiting": list(event.waiting),
            }
        case OrganisationSucceededV1():
            told |= {
                "kind": event.kind,
                "effective_on": event.effective_on.isoformat(),
                "continues": event.continues,
                "successors": [_heir(each) for each in event.successors],
                "protocols_to": _heir(event.protocols_to),
            }
        case OrganisationAuditDueV1():
            told |= {
                "province_code": event.province_code,
                "due_on": event.due_on.isoformat(),
                "days_before": event.days_before,
                "urgency": event.urgency,
                "last_audit_on": _date(event.last_audit_on),
                "status_id": event.status_id,
                "article": event.article,
            }
        case OrganisationStatusEndingV1():
            told |= {
                "province_code": event.province_code,
                "kind": event.kind,
                "ends_on": event.ends_on.isoformat(),
                "days_before": event.days_before,
                "status_id": event.status_id,
                "article": event.article,
            }
    return told


def _organisation_told(organisation: Snapshot) -> dict[str, Any]:
    return {
        "organisation_id": organisation.organisation_id,
        "registry_no": organisation.registry_no,
        "name": organisation.name,
        "form": str(organisation.form),
        "province_code": organisation.province_code,
        "state": str(organisation.state),
        "statuses": [
            {
                "id": status.id,
                "kind": str(status.kind),
                "decision_no": status.decision.decision_no,
                "decision_on": _date(status.decision.decision_on),
                "valid_from": status.valid_from.isoformat(),
                "valid_to": _date(status.valid_to),
                "revoked_on": _date(status.revoked_on),
                **_revocation_told(status.revocation),
            }
            for status in organisation.statuses
        ],
        "standing": standing_summary(organisation.standing),
    }


def standing_summary(standing: Standing) -> dict[str, Any]:
    """A StandingSummaryAnswer."""
    return {
        "permission": str(standing.permission),
        "ground": str(standing.ground),
        "article": standing.article,
        "on": standing.on.isoformat(),
        "until": _date(standing.until),
    }


def _authority_shown(authority: Authority) -> dict[str, str]:
    return {"code": authority.code, "kind": str(authority.kind), "name": authority.name}


def _decision_of(loaded: Mapping[str, Any]) -> Decision:
    return Decision(loaded["decision_no"], loaded["decision_on"], loaded["gazette_no"], loaded["gazette_on"])


def _decision_shown(decision: Decision) -> dict[str, Any]:
    return {
        "decision_no": decision.decision_no,
        "decision_on": _date(decision.decision_on),
        "gazette_no": decision.gazette_no,
        "gazette_on": _date(decision.gazette_on),
    }


def _date(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
