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


@dataclass(frozen=True, kw_only=True)
class OrganisationRemovedV1(Event):
    """An organisation that only an import had added was taken out again with that import; as it was last."""

    organisation: Snapshot


OrganisationEvent = (
    OrganisationRegisteredV1
    | OrganisationUpdatedV1
    | OrganisationStatusGrantedV1
    | OrganisationStatusRevokedV1
    | OrganisationRemovedV1
)


@dataclass(frozen=True, kw_only=True)
class OrganisationExpertiseChangedV1(Event):
    """What an organisation offers is another than before; its own words stay in the registry.

    The subject is the offer, which counts its own versions.
    """

    organisation_id: str
    tags: tuple[str, ...]
    provinces: tuple[str, ...]
    valid_until: date | None


@dataclass(frozen=True, kw_only=True)
class MunicipalityUpdatedV1(Event):
    """What is recorded of a municipality is another than before, or it joined the list with version 1."""

    code: str
    municipality_name: str
    kind: MunicipalityKind
    authority_code: str
    authority_kind: AuthorityKind
    authority_name: str
    council_full_membership: int | None


@dataclass(frozen=True, kw_only=True)
class MunicipalityRemovedV1(MunicipalityUpdatedV1):
    """A municipality that only an import had added was taken out again with that import; as it was last."""


@dataclass(frozen=True, kw_only=True)
class CalendarDayAddedV1(Event):
    """A day joined the calendar; `version` is that of the calendar from then on."""

    on: date
    kind: str
    day_name: str
    source: str
    version: int


@dataclass(frozen=True, kw_only=True)
class Named:
    """Which organisation an event is about, by the names people use."""

    id: str
    name: str
    registry_no: str | None


@dataclass(frozen=True, kw_only=True)
class OrganisationCorrectionProposedV1(Event):
    """An organisation proposed a correction of its record; the fields by name, never their values."""

    organisation: Named
    correction_id: str
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OrganisationCorrectionDecidedV1(Event):
    """The registrar decided on fields of a correction; `waiting`: those not decided yet."""

    organisation: Named
    correction_id: str
    accepted: tuple[str, ...]
    declined: tuple[str, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Heir:
    """A successor as it was when it took the place."""

    id: str
    name: str
    version: int
    standing: Standing


@dataclass(frozen=True, kw_only=True)
class OrganisationSucceededV1(Event):
    """An organisation was renamed, merged or split; `protocols_to` gets its open protocols."""

    organisation: Named
    kind: str
    effective_on: date
    continues: bool
    successors: tuple[Heir, ...]
    protocols_to: Heir


@dataclass(frozen=True, kw_only=True)
class OrganisationAuditDueV1(Event):
    """An audit of a public-benefit association comes up, is due or overdue (5253/27).

    `days_before`: which rung of the warning this is, in days before the due date.
    """

    organisation: Named
    province_code: str | None
    due_on: date
    days_before: int
    urgency: str
    last_audit_on: date | None
    status_id: str
    article: str


@dataclass(frozen=True, kw_only=True)
class OrganisationStatusEndingV1(Event):
    """A status is about to end; `ends_on` is its last day."""

    organisation: Named
    province_code: str | None
    kind: str
    ends_on: date
    days_before: int
    status_id: str
    article: str
