"""What happened in the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.kernel.events import Event
from services.registry.domain.standing import Standing
from services.registry.domain.status import Status
from services.registry.domain.vocabulary import AuthorityKind, Form, MunicipalityKind, State


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What others may know of an organisation after the event; no way of contact is in it."""

    organisation_id: str
    registry_no: str | None
    name: str
    form: Form
    province_code: str | None
    state: State
    statuses: tuple[Status, ...]
    standing: Standing


@dataclass(frozen=True, kw_only=True)
class OrganisationRegisteredV1(Event):
    """An organisation came into the registry."""

    organisation: Snapshot


@dataclass(frozen=True, kw_only=True)
class OrganisationUpdatedV1(Event):
    """What is recorded of an organisation changed, or its standing did as a day passed."""

    organisation: Snapshot


@dataclass(frozen=True, kw_only=True)
class OrganisationStatusGrantedV1(Event):
    """A status was recorded, or its record corrected."""

    organisation: Snapshot


@dataclass(frozen=True, kw_only=True)
class OrganisationStatusRevokedV1(Event):
    """The end of a status by decision was recorded."""

    organisation: Snapshot


OrganisationEvent = (
    OrganisationRegisteredV1 | OrganisationUpdatedV1 | OrganisationStatusGrantedV1 | OrganisationStatusRevokedV1
)


@dataclass(frozen=True, kw_only=True)
class MunicipalityUpdatedV1(Event):
    """The council or the civil authority of a municipality is another than before."""

    code: str
    municipality_name: str
    kind: MunicipalityKind
    authority_code: str
    authority_kind: AuthorityKind
    authority_name: str
    council_full_membership: int | None


@dataclass(frozen=True, kw_only=True)
class CalendarDayAddedV1(Event):
    """A day joined the calendar; `version` is that of the calendar from then on."""

    on: date
    kind: str
    day_name: str
    source: str
    version: int
