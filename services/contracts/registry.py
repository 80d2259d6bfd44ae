"""What the registry tells and what it may be told: its events, its commands, its answers.

Commands refuse what they do not know. Events are all there is to know of the thing after
it changed; no way of contact is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

FORMS = (
    "association",
    "association_branch",
    "federation",
    "confederation",
    "foundation",
    "foundation_university",
    "professional_body",
    "trades_chamber",
    "platform",
    "foreign_association",
    "union",
    "cooperative",
    "company",
    "public_body",
    "municipality",
)
STATES = ("active", "dissolved", "to_verify")
STATUS_KINDS = ("public_benefit", "tax_exempt")
PERMISSIONS = ("not_needed", "exempt", "required", "discretionary", "not_possible", "legal_review")
GROUNDS = (
    "public_body",
    "professional_body",
    "trades_chamber",
    "public_benefit_association",
    "tax_exempt_foundation",
    "none",
)
MUNICIPALITY_KINDS = ("metropolitan", "metropolitan_district", "provincial_centre", "district", "town")
AUTHORITY_KINDS = ("governor", "district_governor")
DAY_KINDS = ("holiday", "half_day", "administrative_leave")
UNITS = ("working_day", "calendar_day")

SUCCESSION_KINDS = ("rename", "merge", "split")
CORRECTABLE = (
    "name",
    "registry_no",
    "province_code",
    "district",
    "founded_on",
    "field",
    "tax_no",
    "email",
    "phone",
    "website",
    "address",
)
"""The fields that an organisation may propose to correct."""
CORRECTION_STATES = ("open", "partly_decided", "decided", "withdrawn")
AUDIT_OUTCOMES = ("continues", "shortcomings", "withdrawal_proposed")
WATCH_KINDS = ("audit_due", "status_ending")
URGENCIES = ("overdue", "today", "soon", "later")

MAX_PAGE = 1_000_000
MAX_PAGE_SIZE = 200
MAX_QUERY = 200
_LONGEST = 2000
"""No field is longer; the registry itself says how long each may be."""


class Asked(Schema):
    """What comes in: nothing undeclared is accepted."""

    class Meta:
        """A strict reader."""

        unknown = RAISE


def _text(**options: Any) -> fields.String:
    return fields.String(allow_none=True, validate=validate.Length(max=_LONGEST), **options)


def _one_of(words: tuple[str, ...], **options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(words), **options)


# --- commands


class OrganisationChanges(Asked):
    """The fields of an organisation that may be changed; null clears one that may be empty."""

    registry_no = _text()
    name = fields.String(validate=validate.Length(max=_LONGEST))
    form = _one_of(FORMS)
    province_code = _text()
    district = _text()
    founded_on = fields.Date(allow_none=True)
    field = _text()
    tax_no = _text()
    email = _text()
    phone = _text()
    website = _text()
    address = _text()
    expertise = fields.List(
        fields.String(validate=validate.Length(max=_LONGEST)), allow_none=True, validate=validate.Length(max=100)
    )
    state = _one_of(STATES)


class NewOrganisation(OrganisationChanges):
    """An organisation to register; name and form are needed."""

    name = fields.String(required=True, validate=validate.Length(max=_LONGEST))
    form = _one_of(FORMS, required=True)


class _DecisionFields(Asked):
    decision_no = _text(load_default=None)
    decision_on = fields.Date(allow_none=True, load_default=None)
    gazette_no = _text(load_default=None)
    gazette_on = fields.Date(allow_none=True, load_default=None)
    source = _text(load_default=None)


class NewStatus(_DecisionFields):
    """A status to record; with `corrects` the whole record of a known one as it should have been."""

    kind = _one_of(STATUS_KINDS, required=True)
    valid_from = fields.Date(allow_none=True, load_default=None)
    valid_to = fields.Date(allow_none=True, load_default=None)
    corrects = fields.UUID(allow_none=True, load_default=None)


class NewRevocation(_DecisionFields):
    """The end of a status; on `revoked_on` it no longer holds."""

    revoked_on = fields.Date(allow_none=True, load_default=None)
    reason = _text(load_default=None)


class CouncilChanges(Asked):
    """The council as its registry clerk knows it."""

    full_membership = fields.Integer(strict=True, allow_none=True)
    sittings = fields.List(fields.Date(), validate=validate.Length(max=1000))


class AuthorityChanges(Asked):
    """The highest local civil authority."""

    code = fields.String(validate=validate.Length(max=20))
    kind = _one_of(AUTHORITY_KINDS)
    name = fields.String(validate=validate.Length(max=_LONGEST))


class MunicipalityChanges(Asked):
    """What may be changed of a municipality: the council by its clerk, the authority by an administrator."""

    council = fields.Nested(CouncilChanges)
    civil_authority = fields.Nested(AuthorityChanges)


class NewCalendarDay(Asked):
    """A day to add to the calendar, and what it rests on."""

    on = fields.Date(required=True)
    kind = _one_of(DAY_KINDS, required=True)
    name = fields.String(required=True, validate=validate.Length(max=_LONGEST))
    source = fields.String(required=True, validate=validate.Length(max=_LONGEST))


# --- questions


class Paged(Asked):
    """Which page of a list."""

    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=MAX_PAGE))
    size = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MAX_PAGE_SIZE))


class OrganisationSearch(Paged):
    """Which organisations; `province` is a plate number or a name, `standing` the permission that holds today."""

    query = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=MAX_QUERY))
    province = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=50))
    form = _one_of(FORMS, load_default=None, allow_none=True)
    standing = _one_of(PERMISSIONS, load_default=None, allow_none=True)


class MunicipalitySearch(Paged):
    """Which municipalities; `province` is a plate number or a name."""

    query = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=MAX_QUERY))
    province = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=50))


class StandingQuestion(Asked):
    """For which day (today), municipality (any) and state of knowledge (now) the standing is asked."""

    on = fields.Date(load_default=None, allow_none=True)
    municipality = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=20))
    known_at = fields.AwareDateTime(load_default=None, allow_none=True)


class DeadlineQuestion(Asked):
    """The period to count."""

    start = fields.Date(required=True)
    length = fields.Integer(required=True)
    unit = _one_of(UNITS, required=True)


# --- answers


class AuthorityAnswer(Schema):
    """The highest local civil authority."""

    code = fields.String(required=True)
    kind = _one_of(AUTHORITY_KINDS, required=True)
    name = fields.String(required=True)


class CouncilAnswer(Schema):
    """The council; `full_membership` is null until its clerk gave it, `sittings` are decided dates."""

    full_membership = fields.Integer(required=True, allow_none=True)
    sittings = fields.List(fields.Date(), required=True)


class CommissionSizeAnswer(Schema):
    """How many members a commission may have."""

    min = fields.Integer(required=True)
    max = fields.Integer(required=True)


class LegalProfileAnswer(Schema):
    """What the municipality's law says where the laws differ."""

    law = _one_of(("5393", "5216"), required=True)
    mayor_return_days = fields.Integer(required=True)
    commission_size = fields.Nested(CommissionSizeAnswer, required=True)
    commission_working_days = fields.Integer(required=True)
    zoning_commission_working_days = fields.Integer(required=True)
    sitting_week = fields.Integer(required=True)


class MunicipalityAnswer(Schema):
    """A municipality."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = _one_of(MUNICIPALITY_KINDS, required=True)
    province_code = fields.String(required=True)
    province = fields.String(required=True)
    district = fields.String(required=True, allow_none=True)
    civil_authority = fields.Nested(AuthorityAnswer, required=True)
    council = fields.Nested(CouncilAnswer, required=True)
    legal_profile = fields.Nested(LegalProfileAnswer, required=True)
    version = fields.Integer(required=True)


class RevocationAnswer(Schema):
    """The decision that ended a status."""

    decision_no = fields.String(required=True, allow_none=True)
    decision_on = fields.Date(required=True, allow_none=True)
    gazette_no = fields.String(required=True, allow_none=True)
    gazette_on = fields.Date(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class StatusAnswer(Schema):
    """One revision of a status: what held from when to when, and since when and until when this was on record."""

    id = fields.UUID(required=True)
    revision = fields.Integer(required=True)
    kind = _one_of(STATUS_KINDS, required=True)
    decision_no = fields.String(required=True, allow_none=True)
    decision_on = fields.Date(required=True, allow_none=True)
    gazette_no = fields.String(required=True, allow_none=True)
    gazette_on = fields.Date(required=True, allow_none=True)
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(required=True, allow_none=True)
    revoked_on = fields.Date(required=True, allow_none=True)
    revocation = fields.Nested(RevocationAnswer, required=True, allow_none=True)
    source = fields.String(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)
    superseded_at = fields.AwareDateTime(required=True, allow_none=True)


class SentenceAnswer(Schema):
    """A sentence between services; the gateway says it in the caller's language."""

    template = fields.String(required=True)
    values = fields.Dict(required=True)


class StandingSummaryAnswer(Schema):
    """The standing on a day in short; `until` is the last day on which it stays so by what is known."""

    permission = _one_of(PERMISSIONS, required=True)
    ground = _one_of(GROUNDS, required=True)
    article = fields.String(required=True)
    on = fields.Date(required=True)
    until = fields.Date(required=True, allow_none=True)


class StandingAnswer(StandingSummaryAnswer):
    """The standing on a day, with the status it rests on and what a clerk may write about it."""

    organisation_id = fields.UUID(required=True)
    municipality = fields.String(required=True, allow_none=True)
    known_at = fields.AwareDateTime(required=True, allow_none=True)
    evidence = fields.Nested(StatusAnswer, required=True, allow_none=True)
    explanation = fields.List(fields.Nested(SentenceAnswer), required=True)
    rule = fields.String(required=True)
    settled = fields.Boolean(required=True)


class FormerAnswer(Schema):
    """A name and registry number that an organisation bore until the day before `until`."""

    name = fields.String(required=True)
    registry_no = fields.String(required=True, allow_none=True)
    until = fields.Date(required=True)


class OrganisationAnswer(Schema):
    """An organisation with the statuses on record now; `history` holds every revision, only where one is asked for."""

    id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    registry_no = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    form = _one_of(FORMS, required=True)
    province_code = fields.String(required=True, allow_none=True)
    district = fields.String(required=True, allow_none=True)
    founded_on = fields.Date(required=True, allow_none=True)
    field = fields.String(required=True, allow_none=True)
    tax_no = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    website = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    expertise = fields.List(fields.String(), required=True)
    state = _one_of(STATES, required=True)
    statuses = fields.List(fields.Nested(StatusAnswer), required=True)
    standing = fields.Nested(StandingSummaryAnswer, required=True)
    warnings = fields.List(fields.Nested(SentenceAnswer), required=True)
    former = fields.List(fields.Nested(FormerAnswer), required=True)
    successors = fields.List(fields.UUID(), required=True)
    last_audit_on = fields.Date(required=True, allow_none=True)
    audit_due_on = fields.Date(required=True, allow_none=True)
    status_ends_on = fields.Date(required=True, allow_none=True)
    history = fields.List(fields.Nested(StatusAnswer))


# --- events


class StatusTold(Schema):
    """A status as others hear of it."""

    id = fields.String(required=True)
    kind = _one_of(STATUS_KINDS, required=True)
    decision_no = fields.String(required=True, allow_none=True)
    decision_on = fields.Date(required=True, allow_none=True)
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(required=True, allow_none=True)
    revoked_on = fields.Date(required=True, allow_none=True)
    # The decision that revoked it, where one is recorded.
    revocation_no = fields.String(allow_none=True)
    revocation_on = fields.Date(allow_none=True)


class OrganisationTold(Schema):
    """An organisation after it changed; the same for all events about its record."""

    organisation_id = fields.String(required=True)
    registry_no = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    form = _one_of(FORMS, required=True)
    province_code = fields.String(required=True, allow_none=True)
    state = _one_of(STATES, required=True)
    statuses = fields.List(fields.Nested(StatusTold), required=True)
    standing = fields.Nested(StandingSummaryAnswer, required=True)


class MunicipalityTold(Schema):
    """A municipality after it changed, or as it was last."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = _one_of(MUNICIPALITY_KINDS, required=True)
    authority = fields.Nested(AuthorityAnswer, required=True)
    council_full_membership = fields.Integer(required=True, allow_none=True)


class CalendarDayTold(Schema):
    """A day that joined the calendar; `version` is the calendar's from then on."""

    on = fields.Date(required=True)
    kind = _one_of(DAY_KINDS, required=True)
    name = fields.String(required=True)
    source = fields.String(required=True)
    version = fields.Integer(required=True)


class NamedTold(Schema):
    """Which organisation it is about."""

    organisation_id = fields.String(required=True)
    registry_no = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)


class CorrectionProposedTold(NamedTold):
    """An organisation proposed a correction of its record; fields by name, never their values."""

    correction_id = fields.String(required=True)
    fields_ = fields.List(fields.String(), required=True, data_key="fields")


class CorrectionDecidedTold(NamedTold):
    """The registrar decided on fields of a correction; `waiting`: those not decided yet."""

    correction_id = fields.String(required=True)
    accepted = fields.List(fields.String(), required=True)
    declined = fields.List(fields.String(), required=True)
    waiting = fields.List(fields.String(), required=True)


class HeirTold(Schema):
    """Who took the place, as recorded at that moment."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    version = fields.Integer(required=True)
    standing = fields.Nested(StandingSummaryAnswer, required=True)


class SucceededTold(NamedTold):
    """An organisation was renamed, merged or split; `protocols_to` gets its open protocols."""

    kind = _one_of(SUCCESSION_KINDS, required=True)
    effective_on = fields.Date(required=True)
    continues = fields.Boolean(required=True)
    successors = fields.List(fields.Nested(HeirTold), required=True)
    protocols_to = fields.Nested(HeirTold, required=True)


class ExpertiseTold(Schema):
    """What an organisation offers from then on; no province means the whole country."""

    organisation_id = fields.String(required=True)
    tags = fields.List(fields.String(), required=True)
    provinces = fields.List(fields.String(), required=True)
    valid_until = fields.Date(required=True, allow_none=True)


class AuditDueTold(NamedTold):
    """An audit of a public-benefit association comes up, is due or overdue (5253/27); one event for each rung."""

    province_code = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True)
    days_before = fields.Integer(required=True)
    urgency = _one_of(URGENCIES, required=True)
    last_audit_on = fields.Date(required=True, allow_none=True)
    status_id = fields.String(required=True)
    article = fields.String(required=True)


class StatusEndingTold(NamedTold):
    """A status is about to end, `ends_on` its last day; one event for each rung."""

    province_code = fields.String(required=True, allow_none=True)
    kind = _one_of(STATUS_KINDS, required=True)
    ends_on = fields.Date(required=True)
    days_before = fields.Integer(required=True)
    status_id = fields.String(required=True)
    article = fields.String(required=True)


TOLD: Mapping[str, type[Schema]] = {
    "organisation.registered.v1": OrganisationTold,
    "organisation.updated.v1": OrganisationTold,
    "organisation.status_granted.v1": OrganisationTold,
    "organisation.status_revoked.v1": OrganisationTold,
    "organisation.removed.v1": OrganisationTold,
    "organisation.correction_proposed.v1": CorrectionProposedTold,
    "organisation.correction_decided.v1": CorrectionDecidedTold,
    "organisation.succeeded.v1": SucceededTold,
    "organisation.expertise_changed.v1": ExpertiseTold,
    "organisation.audit_due.v1": AuditDueTold,
    "organisation.status_ending.v1": StatusEndingTold,
    "municipality.updated.v1": MunicipalityTold,
    "municipality.removed.v1": MunicipalityTold,
    "calendar.day_added.v1": CalendarDayTold,
}
"""Every event of the registry and the shape of its data."""
