"""The registry's objects in the shapes that others see: answers to questions, data of events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from services.contracts.registry import TOLD
from services.kernel.actor import Actor
from services.kernel.events import Event
from services.registry.domain.calendar import CalendarDay
from services.registry.domain.events import (
    CalendarDayAddedV1,
    MunicipalityUpdatedV1,
    OrganisationRegisteredV1,
    OrganisationStatusGrantedV1,
    OrganisationStatusRevokedV1,
    OrganisationUpdatedV1,
    Snapshot,
)
from services.registry.domain.municipality import Authority, Municipality
from services.registry.domain.organisation import FACTS, Grant, Organisation, Revocation
from services.registry.domain.standing import RULES, Standing
from services.registry.domain.status import Decision, Status
from services.registry.domain.vocabulary import StatusKind
from services.runtime.outbox import Message

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
    shown = {
        "id": organisation.id,
        "version": organisation.version,
        **{name: getattr(facts, name) for name in FACTS},
        "founded_on": _date(facts.founded_on),
        "form": str(facts.form),
        "state": str(facts.state),
        "expertise": list(facts.expertise),
        "statuses": [status_shown(status) for status in organisation.history.known()],
        "standing": _standing_summary(organisation.standing(today)),
        "warnings": [warning.to_plain() for warning in organisation.warnings()],
    }
    if with_history:
        shown["history"] = [status_shown(status) for status in organisation.history.revisions]
    return shown


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
        **_standing_summary(standing),
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
    """The event on its way out; everyone who is signed in may see what the registry holds."""
    data = _data(event)
    findings = TOLD[event.name]().validate(data)
    if findings:
        message = f"{event.name} breaks its contract: {findings}"
        raise ValueError(message)
    return Message(
        name=event.name,
        subject_id=event.subject_id,
        subject_version=event.subject_version,
        data=data,
        occurred_at=now,
        actor=actor,
    )


def _data(event: Event) -> dict[str, Any]:
    match event:
        case (
            OrganisationRegisteredV1()
            | OrganisationUpdatedV1()
            | OrganisationStatusGrantedV1()
            | OrganisationStatusRevokedV1()
        ):
            return _organisation_told(event.organisation)
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
            }
            for status in organisation.statuses
        ],
        "standing": _standing_summary(organisation.standing),
    }


def _standing_summary(standing: Standing) -> dict[str, Any]:
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
