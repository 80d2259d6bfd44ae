"""What the interface takes and gives, besides moves (`contracts/protocols.py`)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, pre_dump

from services.contracts import protocols as contract
from services.contracts.registry import (
    DAY_KINDS,
    FORMS,
    GROUNDS,
    MUNICIPALITY_KINDS,
    PERMISSIONS,
    STATUS_KINDS,
    UNITS,
)
from services.contracts.registry import STATES as ORGANISATION_STATES
from services.gateway.fields import (
    AnswerSchema,
    Count,
    Day,
    Flag,
    Identifier,
    Items,
    Moment,
    Part,
    RequestSchema,
    Sentences,
    Shaped,
    Text,
    Word,
)
from services.gateway.strict import strictly
from services.kernel.actor import ROLES
from services.kernel.mailbox import EMAIL

CODE = r"^[0-9]{2}-[0-9]{2,3}$"
AUTHORITY = r"^[VK][0-9]{2}(-[0-9]{2,3})?$"
PROVINCE = r"^(0[1-9]|[1-7][0-9]|8[01])$"
WEBSITE = r"^https?://[^\s]+$"
PHONE = r"^\+?[0-9 ()./-]{3,30}$"
TAX_NO = r"^[0-9]{10}$"
SLUG = r"^[a-z][a-z0-9_]{0,63}$"
SHA256 = r"^[0-9a-f]{64}$"

URGENCIES = ("overdue", "today", "soon", "later", "none")
CLOCK_STATES = ("running", "paused", "met", "expired", "cancelled")


def _said(text: str, **more: Any) -> dict[str, Any]:
    return {"description": text, **more}


def _text(text: str = "", **settings: Any) -> fields.String:
    """A text of an answer; may be null."""
    return fields.String(allow_none=True, metadata=_said(text) if text else {}, **settings)


def _id(text: str = "", *, nullable: bool = False) -> fields.String:
    return fields.String(allow_none=nullable, metadata={"format": "uuid", **(_said(text) if text else {})})


def _number(text: str = "") -> fields.Integer:
    return fields.Integer(allow_none=True, metadata=_said(text) if text else {})


def _day(text: str = "") -> Day:
    return Day(allow_none=True, metadata=_said(text) if text else {})


def _moment(text: str = "") -> Moment:
    return Moment(allow_none=True, metadata=_said(text) if text else {})


def _version() -> fields.Integer:
    return fields.Integer(
        required=True, metadata=_said("Grows with every change; the ETag is this number in quotation marks.")
    )


# shared


class FieldErrorSchema(AnswerSchema):
    """What is wrong with one field."""

    field = fields.String(required=True, metadata=_said("Name, with dots into inner objects."))
    message = fields.String(required=True, metadata=_said("A sentence for the person."))


class ReasonSchema(AnswerSchema):
    """Why a rule says no."""

    message = fields.String(required=True, metadata=_said("A sentence for the person."))
    article = _text("The article of the law, for example 5393/22.")
    code = _text("The name of the rule, for programs.")
    field = _text("The field that it is about, if any.")

    @pre_dump
    def _from_sentence(self, reason: Any, **_: Any) -> Any:
        return {"message": reason} if isinstance(reason, str) else reason


class ProblemSchema(AnswerSchema):
    """A refusal (RFC 9457)."""

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata=_said("Stable, for programs."))
    detail = fields.String(required=True, metadata=_said("A sentence for the person, in the asked language."))
    errors = fields.List(
        fields.Nested(FieldErrorSchema), metadata=_said("For bad input: what is wrong with each field.")
    )
    reasons = fields.List(fields.Nested(ReasonSchema), metadata=_said("For a refusal: every reason with its article."))
    version = fields.Integer(metadata=_said("For 412: the current version."))
    correlation_id = fields.String(metadata=_said("Names this request in our logs."))


class PageQuery(RequestSchema):
    """Which part of a list."""

    page = Count(1, 1_000_000, as_text=True, load_default=1, metadata=_said("From 1."))
    size = Count(1, 200, as_text=True, load_default=50, metadata=_said("Items on a page, at most 200."))


class _Page(AnswerSchema):
    page = fields.Integer(required=True)
    size = fields.Integer(required=True)
    total = fields.Integer(required=True, metadata=_said("How many there are on all pages."))


class HealthSchema(AnswerSchema):
    """The process is alive."""

    status = fields.String(required=True)


class ReadinessSchema(AnswerSchema):
    """What is ready; the answer is 200 only when everything is."""

    status = fields.String(required=True)
    database = fields.Boolean(required=True)
    broker = fields.Boolean(required=True)
    migrations = fields.Boolean(required=True)


# identity


class SignInSchema(RequestSchema):
    """Username and password."""

    username = Text(200, required=True, metadata=_said("", examples=["sisli.clerk"]))
    password = Text(1_000, required=True, load_only=True, metadata={"format": "password"})


class UserSchema(AnswerSchema):
    """A person who signs in."""

    id = _id()
    username = fields.String()
    full_name = fields.String()
    email = _text()
    active = fields.Boolean(metadata=_said("False: may not sign in."))
    created_at = _moment()
    version = _version()


class SeatSchema(AnswerSchema):
    """An office the caller may act from today."""

    id = _id("The membership; the value of Imece-Acting-As.")
    role = Word(ROLES)
    municipality = _text()
    authority = _text()
    organisation_id = _id(nullable=True)
    valid_from = _day()
    valid_to = _day()
    delegated = fields.Boolean(metadata=_said("True: held by another, who delegated it."))
    moves = fields.List(fields.String(), metadata=_said("What the delegation allows; empty: everything."))


class SessionSchema(AnswerSchema):
    """A sign-in."""

    token = fields.String(required=True, metadata=_said("For the header Authorization: Bearer …; shown only once."))
    expires_at = Moment(required=True)
    user = fields.Nested(UserSchema, required=True)
    memberships = fields.List(fields.Nested(SeatSchema), required=True)


class MeSchema(UserSchema):
    """The caller, the offices they hold today, and the one that acts."""

    memberships = fields.List(fields.Nested(SeatSchema), required=True)
    acting_as = _id(
        "The membership that acts in this request; null when several are held and none was chosen.", nullable=True
    )
    expires_at = _moment("When this sign-in ends at the latest.")


class NewUserSchema(RequestSchema):
    """A user to be made."""

    username = Shaped(r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$", "sisli.clerk", 64, required=True)
    password = Text(128, 12, required=True, load_only=True, metadata={"format": "password"})
    full_name = Text(200, required=True)
    email = Shaped(EMAIL, "ad@example.org", 254, allow_none=True)


class UserChangeSchema(RequestSchema):
    """What to change about a user; a new password or `active: false` ends all sign-ins."""

    full_name = Text(200)
    email = Shaped(EMAIL, "ad@example.org", 254)
    password = Text(128, 12, load_only=True, metadata={"format": "password"})
    active = Flag()


class UsersQuery(PageQuery):
    """Which users."""

    query = Text(200, 0, metadata=_said("Part of the username or name."))


class UserPageSchema(_Page):
    """A page of users."""

    items = fields.List(fields.Nested(UserSchema), required=True)


class NewMembershipSchema(RequestSchema):
    """An office for a user: one tenant, of the kind that the role needs; none for a central office."""

    user_id = Identifier(required=True)
    role = Word(ROLES, required=True)
    municipality = Shaped(CODE, "34-35", allow_none=True, metadata=_said("For offices of a municipality."))
    authority = Shaped(AUTHORITY, "K34-35", allow_none=True, metadata=_said("For offices of a civil authority."))
    organisation_id = Identifier(allow_none=True, metadata=_said("For representatives of an organisation."))
    valid_from = Day(required=True)
    valid_to = Day(allow_none=True, metadata=_said("The last day; null: open-ended."))


class MembershipChangeSchema(RequestSchema):
    """The last day of an office."""

    valid_to = Day(required=True, allow_none=True)


class MembershipSchema(AnswerSchema):
    """An office held by a user."""

    id = _id()
    user_id = _id()
    role = Word(ROLES)
    municipality = _text()
    authority = _text()
    organisation_id = _id(nullable=True)
    valid_from = Day()
    valid_to = _day()
    version = _version()


class MembershipsQuery(PageQuery):
    """Whose memberships."""

    user_id = Identifier()
    role = Word(ROLES)


class MembershipPageSchema(_Page):
    """A page of memberships."""

    items = fields.List(fields.Nested(MembershipSchema), required=True)


class NewDelegationSchema(RequestSchema):
    """Let a user act for the holder of a membership."""

    from_membership_id = Identifier(required=True)
    to_user_id = Identifier(required=True)
    valid_from = Day(required=True)
    valid_to = Day(required=True)
    scope = Text(
        2_000,
        required=True,
        metadata=_said("`all`, or names of moves separated by commas.", examples=["all", "transmit,accept"]),
    )
    basis = Text(
        1_000, required=True, metadata=_said("The legal basis, for example a written order with its date and number.")
    )


class DelegationChangeSchema(RequestSchema):
    """The last day of a delegation."""

    valid_to = Day(required=True)


class DelegationSchema(AnswerSchema):
    """The right to act for another."""

    id = _id()
    from_membership_id = _id()
    to_user_id = _id()
    valid_from = Day()
    valid_to = Day()
    scope = fields.String()
    basis = fields.String()
    version = _version()


class DelegationsQuery(PageQuery):
    """Which delegations."""

    to_user_id = Identifier()
    from_membership_id = Identifier()


class DelegationPageSchema(_Page):
    """A page of delegations."""

    items = fields.List(fields.Nested(DelegationSchema), required=True)


# reference


class MunicipalitiesQuery(PageQuery):
    """Which municipalities."""

    query = Text(200, 0, metadata=_said("Part of a name; İ/i, I/ı and small slips are forgiven."))
    province = Text(50, 0, metadata=_said("Plate number or name of the province.", examples=["34"]))


class AuthoritySchema(AnswerSchema):
    """The highest local civil authority."""

    code = fields.String()
    kind = _text("governor or district_governor")
    name = _text()


class CouncilSchema(AnswerSchema):
    """The city council."""

    full_membership = _number("Full number of members; null where not known.")
    sittings = fields.List(Day(), metadata=_said("Dates of sittings as decided."))


class CommissionSizeSchema(AnswerSchema):
    """How many members a commission has."""

    min = _number()
    max = _number()


class LegalProfileSchema(AnswerSchema):
    """What the municipality's law says about its council."""

    law = fields.String(metadata=_said("5393 or 5216"))
    mayor_return_days = _number()
    commission_size = fields.Nested(CommissionSizeSchema)
    commission_working_days = _number()
    zoning_commission_working_days = _number()
    sitting_week = _number("Week of the month in which the council meets.")


class MunicipalitySchema(AnswerSchema):
    """A municipality."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = Word(MUNICIPALITY_KINDS)
    province = _text()
    province_code = _text()
    district = _text()
    civil_authority = fields.Nested(AuthoritySchema, allow_none=True)
    council = fields.Nested(CouncilSchema)
    legal_profile = fields.Nested(LegalProfileSchema)
    version = _version()


class MunicipalityPageSchema(_Page):
    """A page of municipalities."""

    items = fields.List(fields.Nested(MunicipalitySchema), required=True)


class CouncilChangeSchema(RequestSchema):
    """Council membership and sittings."""

    full_membership = Count(3, 1_000, allow_none=True)
    sittings = Items(Day(), 1_000, metadata=_said("All dates of sittings, as decided; they replace the ones before."))


class AuthorityChangeSchema(RequestSchema):
    """Another civil authority."""

    code = Shaped(AUTHORITY, "K34-35")
    kind = Word(("governor", "district_governor"))
    name = Text(200)


class MunicipalityChangeSchema(RequestSchema):
    """What to change; the council by its registry clerk, the authority by an administrator."""

    council = Part(CouncilChangeSchema)
    civil_authority = Part(AuthorityChangeSchema)


# registry


class OrganisationsQuery(PageQuery):
    """Which organisations."""

    query = Text(200, 0, metadata=_said("Part of a name or registry number; İ/i, I/ı and small slips are forgiven."))
    province = Text(50, 0, metadata=_said("Plate number or name of the province.", examples=["34"]))
    form = Word(FORMS)
    standing = Word(PERMISSIONS, metadata=_said("What article 75 asks for a protocol with it today."))


def _organisation_fields(*, new: bool) -> dict[str, Any]:
    """The writable fields of an organisation; for a new one some are needed."""
    return {
        "registry_no": Text(
            50, allow_none=True, metadata=_said("Registry number (kütük no) where known.", examples=["34-123-045"])
        ),
        "name": Text(300, required=new),
        "form": Word(FORMS, required=new),
        "province_code": Shaped(PROVINCE, "34", allow_none=True),
        "district": Text(100, allow_none=True),
        "founded_on": Day(allow_none=True),
        "field": Text(200, allow_none=True, metadata=_said("Field of activity.")),
        "tax_no": Shaped(
            TAX_NO, "4540536920", allow_none=True, metadata=_said("Tax number (VKN); its check digit is checked.")
        ),
        "email": Shaped(EMAIL, "bilgi@example.org", 254, allow_none=True),
        "phone": Shaped(PHONE, "+90 212 000 00 00", 30, allow_none=True),
        "website": Shaped(WEBSITE, "https://example.org", 300, allow_none=True),
        "address": Text(500, allow_none=True),
        "expertise": Items(Text(100), 50),
        "state": Word(ORGANISATION_STATES),
    }


NewOrganisationSchema: type[RequestSchema] = RequestSchema.from_dict(  # type: ignore[assignment]
    _organisation_fields(new=True), name="NewOrganisationSchema"
)
OrganisationChangeSchema: type[RequestSchema] = RequestSchema.from_dict(  # type: ignore[assignment]
    _organisation_fields(new=False), name="OrganisationChangeSchema"
)


class NewStatusSchema(RequestSchema):
    """A status as its decision granted it."""

    kind = Word(STATUS_KINDS, required=True)
    decision_no = Text(60, allow_none=True)
    decision_on = Day(allow_none=True)
    gazette_no = Text(60, allow_none=True)
    gazette_on = Day(allow_none=True)
    valid_from = Day(allow_none=True, metadata=_said("Where left out: the gazette's day, else the decision's."))
    valid_to = Day(allow_none=True)
    source = Text(300, allow_none=True, metadata=_said("Where this is known from."))
    corrects = Identifier(
        allow_none=True, metadata=_said("Id of a status whose record was wrong and is restated by this one.")
    )


class RevocationSchema(RequestSchema):
    """The end of a status."""

    revoked_on = Day(allow_none=True, metadata=_said("Where left out: the gazette's day, the decision's, or today."))
    decision_no = Text(60, allow_none=True)
    decision_on = Day(allow_none=True)
    gazette_no = Text(60, allow_none=True)
    gazette_on = Day(allow_none=True)
    reason = Text(500, allow_none=True)
    source = Text(300, allow_none=True)


class RevocationRecordSchema(AnswerSchema):
    """The decision that ended a status."""

    decision_no = _text()
    decision_on = _day()
    gazette_no = _text()
    gazette_on = _day()
    reason = _text()


class StatusSchema(AnswerSchema):
    """A dated status: what held, and since when we knew."""

    id = _id()
    revision = _number("Which record of this status it is.")
    kind = Word(STATUS_KINDS)
    decision_no = _text()
    decision_on = _day()
    gazette_no = _text()
    gazette_on = _day()
    valid_from = _day()
    valid_to = _day()
    revoked_on = _day()
    revocation = fields.Nested(RevocationRecordSchema, allow_none=True)
    source = _text()
    recorded_at = _moment("When we learnt of it.")
    superseded_at = _moment("When a later record replaced this one.")


class StandingSummarySchema(AnswerSchema):
    """A standing in short."""

    permission = Word(PERMISSIONS, required=True)
    ground = Word(GROUNDS, metadata=_said("Why no permission is needed."))
    article = _text()
    on = _day()
    until = _day("The last day on which it stays so, by what is known.")


class FormerSchema(AnswerSchema):
    """A name and registry number that an organisation bore before."""

    name = fields.String(required=True)
    registry_no = _text()
    until = _day("The day since which it bears another.")


class OrganisationSchema(AnswerSchema):
    """An organisation of the register."""

    id = _id()
    registry_no = _text()
    name = fields.String(required=True)
    form = Word(FORMS)
    province_code = _text()
    district = _text()
    founded_on = _day()
    field = _text()
    tax_no = _text()
    email = _text()
    phone = _text()
    website = _text()
    address = _text()
    expertise = fields.List(fields.String())
    state = Word(ORGANISATION_STATES)
    statuses = fields.List(fields.Nested(StatusSchema))
    history = fields.List(fields.Nested(StatusSchema), metadata=_said("Every record of every status."))
    standing = fields.Nested(StandingSummarySchema, metadata=_said("Today's."))
    warnings = Sentences(metadata=_said("What looks unusual; it was stored all the same."))
    former = fields.List(fields.Nested(FormerSchema), metadata=_said("What it was called before, oldest first."))
    successors = fields.List(_id(), metadata=_said("Who took its place; `succession` of it leads to the end."))
    last_audit_on = _day("The newest audit on record (5253/27).")
    audit_due_on = _day("When the next audit is due; null where no status asks for one.")
    status_ends_on = _day("The last day of the status that holds today; null while no end is known.")
    version = _version()


class OrganisationPageSchema(_Page):
    """A page of organisations."""

    items = fields.List(fields.Nested(OrganisationSchema), required=True)


class StandingQuery(RequestSchema):
    """On which day, for which municipality."""

    on = Day(metadata=_said("The day asked about; today where left out."))
    municipality = Shaped(CODE, "34-35")
    known_at = Moment(metadata=_said("As it was known at this moment; now where left out."))


class StandingSchema(StandingSummarySchema):
    """What article 75 asks for a protocol with this organisation."""

    organisation_id = _id(nullable=True)
    municipality = _text()
    known_at = _moment()
    evidence = fields.Nested(StatusSchema, allow_none=True, metadata=_said("The status record that it rests on."))
    explanation = Sentences(metadata=_said("Sentences that a clerk can copy into a letter."))
    rule = _text("The row of the rule table.")
    settled = fields.Boolean(metadata=_said("False: the law is disputed here."))


# calendar


class DeadlineQuery(RequestSchema):
    """From when, how long, in which days."""

    start = Day(
        required=True, metadata=_said("The day of the event; counting starts the next day.", examples=["2026-05-22"])
    )
    length = Count(1, 3_660, as_text=True, required=True, metadata=_said("How many days."))
    unit = Word(UNITS, required=True)


class CountedDaySchema(AnswerSchema):
    """One day of a count."""

    date = Day(required=True)
    counts = fields.Boolean(required=True)
    reason = _text("Why it counts or does not.")


class DeadlineSchema(AnswerSchema):
    """The last day of a period, explained day by day."""

    start = _day()
    length = _number()
    unit = Word(UNITS)
    due_on = Day(required=True)
    days = fields.List(fields.Nested(CountedDaySchema), required=True)
    rule = _text("How this kind of day is counted.")


class CalendarQuery(RequestSchema):
    """Which year."""

    year = Count(2010, 2070, as_text=True, metadata=_said("This year where left out."))


class CalendarDaySchema(AnswerSchema):
    """A day that is not an ordinary one."""

    on = Day(required=True)
    kind = fields.String(required=True)
    name = _text()
    source = _text()
    counts_as_working = fields.Boolean(allow_none=True)
    also = Sentences(metadata=_said("What else falls on the day."))
    version = _number()


class CalendarSchema(AnswerSchema):
    """The holidays, half days and leave days of a year."""

    year = fields.Integer()
    items = fields.List(fields.Nested(CalendarDaySchema), required=True)
    version = _text("Names the state of the added days.")


class NewCalendarDaySchema(RequestSchema):
    """A day to be added to the calendar."""

    on = Day(required=True)
    kind = Word(DAY_KINDS, required=True)
    name = Text(200, required=True)
    source = Text(500, required=True, metadata=_said("Where it was announced."))


# protocols


NewProtocolSchema = strictly(
    contract.DraftSchema,
    "NewProtocolSchema",
    municipality=Shaped(CODE, "34-35", required=True),
)
ProtocolTextSchema = strictly(contract.TextSchema, "ProtocolTextSchema")
MoveSchema = strictly(contract.MoveSchema)
SettlementSchema = strictly(contract.SettlementSchema, "SettlementSchema")
REVIEW_STATES = ("none", "open", "settled")


class ContributionLineSchema(AnswerSchema):
    """What one party brings in."""

    party = fields.String()
    kind = fields.String()
    recipient = _text()
    description = _text()
    amount = _text("Lira, as decimal text.")


class PauseSchema(AnswerSchema):
    """A time in which a clock stood still."""

    from_on = _day()
    to_on = _day()
    reason = _text()


class ClockSchema(AnswerSchema):
    """A legal time limit."""

    id = _id()
    kind = fields.String()
    label = _text("Its name for people.")
    article = _text()
    whose = _text("The role that must act.")
    started_on = _day()
    length = _number()
    unit = Word(UNITS, allow_none=True)
    due_on = _day("Null while it stands still.")
    state = Word(CLOCK_STATES)
    effect = _text("What happens when it runs out.")
    on_expiry = _text("The move that is made when it runs out.")
    met_on = _day()
    pauses = fields.List(fields.Nested(PauseSchema))
    calendar_version = _text("The state of the calendar under which it was counted.")
    roll_over = fields.Boolean(metadata=_said("True: a last day without work moves on."))
    judicial_recess = fields.Boolean(metadata=_said("True: the judicial recess extends it."))


class OptionFieldSchema(AnswerSchema):
    """A field of a move."""

    name = fields.String(required=True)
    required = fields.Boolean(required=True)


class OptionSchema(AnswerSchema):
    """A move, as the caller's office may or may not make it now."""

    move = fields.String(required=True)
    label = fields.String()
    enabled = fields.Boolean(required=True)
    article = _text()
    reasons = fields.List(fields.Nested(ReasonSchema), metadata=_said("Why it is not possible now."))
    fields_ = fields.List(fields.Nested(OptionFieldSchema), attribute="fields", data_key="fields")


class TurnSchema(AnswerSchema):
    """The office whose move is awaited."""

    role = fields.String(required=True)
    tenant = _text()
    office = _text()
    name = _text("The institution's name.")


class WarningSchema(ReasonSchema):
    """What looks unusual; it was stored all the same."""

    line = _number("Which contribution, counted from 1.")


class ReviewSettlementSchema(AnswerSchema):
    """How a legal review ended."""

    outcome = fields.String(
        required=True,
        metadata=_said("continues, seek_permission, terminate_advised; standing_returned: its cause went away."),
    )
    opinion = _text("The legal unit's opinion; for the municipality and the auditor alone.")
    reason = _text("Where its cause went away: in which way.")
    on = _day()
    at = _moment()
    office = _text("The office that settled it.")


class StatusEvidenceSchema(AnswerSchema):
    """The status in question, as it was recorded when the file was flagged."""

    id = _id()
    kind = Word(STATUS_KINDS)
    decision_no = _text()
    decision_on = _day()
    valid_from = _day()
    valid_to = _day()
    revoked_on = _day()
    revocation_no = _text("The number of the decision that revoked it.")
    revocation_on = _day("The date of that decision.")


class EvidenceSchema(AnswerSchema):
    """The record that a flag rests on."""

    organisation_id = _id()
    organisation_version = _number("The version of the organisation's record.")
    state = Word(ORGANISATION_STATES, allow_none=True)
    status = fields.Nested(StatusEvidenceSchema, allow_none=True)
    former_organisation_id = _id("After a merger or split: the partner before.", nullable=True)
    former_organisation_version = _number()


class LegalReviewSchema(AnswerSchema):
    """Whether the protocol is flagged because its permission would now be another; nothing is rerouted by it."""

    state = Word(REVIEW_STATES, required=True)
    since = _moment()
    cause = _text("A sentence for people.")
    cause_code = _text()
    was = fields.Nested(StandingSummarySchema, allow_none=True, metadata=_said("What the newest decision relied on."))
    now = fields.Nested(StandingSummarySchema, allow_none=True, metadata=_said("What is known now."))
    article = _text()
    evidence = fields.Nested(EvidenceSchema, allow_none=True)
    settled = fields.Nested(ReviewSettlementSchema, allow_none=True)


class ProtocolSummarySchema(AnswerSchema):
    """A protocol in a list."""

    id = _id()
    reference = fields.String(metadata=_said("<municipality code>/<year>/<number>"))
    kind = fields.String()
    title = fields.String()
    municipality = fields.String()
    municipality_name = _text()
    authority = _text()
    authority_name = _text()
    organisation_id = _id(nullable=True)
    organisation_name = _text()
    stage = fields.String(required=True)
    stage_label = _text()
    whose_turn = fields.Nested(TurnSchema, allow_none=True, metadata=_said("Null at an end."))
    since = _moment("Since when it has been in this stage.")
    due_on = _day("The nearest running time limit.")
    overdue_since = _day("The earliest time limit that has passed unmet.")
    funder_deadline = _day()
    legal_review = fields.Nested(LegalReviewSchema)
    version = _version()


class ProtocolSchema(ProtocolSummarySchema):
    """A protocol with what the caller may do now."""

    subject = _text()
    municipal_duty = _text()
    starts_on = _day()
    term_months = _number()
    zoning = fields.Boolean()
    text = _text("The newest version.")
    text_version = _number()
    text_sha256 = _text("SHA-256 of the newest text.")
    approved_text_sha256 = _text("SHA-256 of the text that the council approved; what is signed must be this.")
    contributions = fields.List(fields.Nested(ContributionLineSchema))
    warnings = fields.List(fields.Nested(WarningSchema))
    standing = fields.Nested(StandingSchema, allow_none=True, metadata=_said("What the newest decision relied on."))
    partner_standing = fields.Nested(StandingSummarySchema, allow_none=True, metadata=_said("What is known now."))
    clocks = fields.List(fields.Nested(ClockSchema))
    options = fields.List(fields.Nested(OptionSchema), metadata=_said("For the caller's office."))
    links = fields.Dict(allow_none=True)
    stage_is_end = fields.Boolean(metadata=_said("True: nothing follows."))
    procedure_version = _number()
    created_at = _moment()


class ProtocolsQuery(PageQuery):
    """Which protocols."""

    stage = Shaped(SLUG, "council_agenda")
    municipality = Shaped(CODE, "34-35")
    authority = Shaped(AUTHORITY, "K34-35")
    organisation = Identifier(metadata=_said("Id of the organisation."))
    overdue = Flag(as_text=True, metadata=_said("Only those with a time limit that has passed."))
    legal_review = Word(REVIEW_STATES, metadata=_said("`open`: flagged for legal review."))


class ProtocolPageSchema(_Page):
    """A page of protocols."""

    items = fields.List(fields.Nested(ProtocolSummarySchema), required=True)


class ActorSchema(AnswerSchema):
    """The office that acted; persons are not told."""

    office = _text()
    role = _text()
    tenant = _text()
    acting_for = _id("The membership for which a delegate acted.", nullable=True)


class ActSchema(AnswerSchema):
    """One line of a protocol's history."""

    number = _number("From 1, without a gap.")
    move = _text()
    label = _text()
    from_ = fields.String(attribute="from", data_key="from", allow_none=True)
    from_label = _text()
    to = _text()
    to_label = _text()
    actor = fields.Nested(ActorSchema, allow_none=True)
    fields_ = fields.Dict(attribute="fields", data_key="fields", allow_none=True)
    done_on = _day("The date that the act bears.")
    recorded_at = _moment("When it was recorded.")
    procedure_version = _number()
    hash = _text("Links this line to the one before.")


class TimelineSchema(_Page):
    """A page of a protocol's history, the oldest first."""

    items = fields.List(fields.Nested(ActSchema), required=True)


class ExplanationSchema(AnswerSchema):
    """A time limit explained day by day."""

    clock = fields.Nested(ClockSchema)
    start = _day()
    length = _number()
    unit = Word(UNITS)
    due_on = _day()
    days = fields.List(fields.Nested(CountedDaySchema))
    rule = _text()


class StageSchema(AnswerSchema):
    """A stage of a procedure."""

    name = fields.String(required=True)
    label = _text()
    turn = _text("The role whose turn it is.")
    end = fields.Boolean(metadata=_said("True: nothing follows."))


class GuardSchema(AnswerSchema):
    """A rule that permits a move or says why not."""

    name = fields.String(required=True)
    article = _text()


class MoveRowSchema(AnswerSchema):
    """A move of a procedure."""

    name = fields.String(required=True)
    label = _text()
    from_ = fields.List(fields.String(), attribute="from", data_key="from")
    to = _text("The next stage; null: it stays.")
    when = _text("The condition under which this row applies.")
    roles = fields.List(fields.String())
    needs = fields.List(fields.String())
    takes = fields.List(fields.String())
    guards = fields.List(fields.Nested(GuardSchema))
    asks = fields.List(fields.String(), metadata=_said("What is asked of the registry on the day."))
    article = _text()


class TermSchema(AnswerSchema):
    """A time limit of a procedure."""

    kind = fields.String(required=True)
    label = _text("Its name for people.")
    article = _text()
    whose = _text()
    length = _number()
    unit = Word(UNITS, allow_none=True)
    instead = fields.Dict(allow_none=True, metadata=_said("Other lengths under conditions."))
    starts_in = fields.List(fields.String())
    starts_with = fields.List(fields.String())
    met_by = fields.List(fields.String())
    paused_by = fields.List(fields.String())
    resumed_by = fields.List(fields.String())
    extended_by = fields.List(fields.String())
    extended_to = _number("How long it is once it was extended.")
    on_expiry = _text("The move made when it runs out.")
    effect = _text()


class ProcedureSchema(AnswerSchema):
    """A procedure as a table."""

    name = fields.String(required=True)
    version = fields.Integer()
    stages = fields.List(fields.Nested(StageSchema), required=True)
    moves = fields.List(fields.Nested(MoveRowSchema), required=True)
    clocks = fields.List(fields.Nested(TermSchema), required=True)
    roles = fields.List(fields.String())
    guards = fields.List(fields.Nested(GuardSchema))
    articles = fields.List(fields.String())


class SubjectSchema(AnswerSchema):
    """What a task is about."""

    kind = fields.String(required=True, metadata=_said("For example protocol."))
    id = _id()
    title = _text()


class NextMoveSchema(AnswerSchema):
    """A move that is possible now."""

    move = fields.String(required=True)
    label = _text()


class TaskSchema(AnswerSchema):
    """Something that the caller's office must do next."""

    subject = fields.Nested(SubjectSchema)
    reference = fields.String()
    stage = fields.String()
    stage_label = _text()
    moves = fields.List(fields.Nested(NextMoveSchema))
    since = _moment()
    due_on = _day()
    urgency = Word(URGENCIES)
    legal_review = fields.Nested(
        LegalReviewSchema, allow_none=True, metadata=_said("For the unit: an open review that it must settle.")
    )


class WorkSchema(_Page):
    """A page of the work queue, the most urgent first."""

    items = fields.List(fields.Nested(TaskSchema), required=True)


# events and notifications


class EventsQuery(RequestSchema):
    """From where, how many."""

    after = Shaped(
        r"^[A-Za-z0-9_-]{1,300}$",
        "cmVnaXN0cnk9MA",
        300,
        metadata=_said("The cursor of the last event seen; the beginning where left out."),
    )
    limit = Count(1, 500, as_text=True, load_default=100)


class EventSchema(AnswerSchema):
    """Something that happened."""

    cursor = fields.String(required=True)
    id = fields.String(required=True, metadata={"format": "uuid"})
    name = fields.String(required=True)
    occurred_at = Moment(required=True)
    subject_id = fields.String(required=True)
    subject_version = fields.Integer(required=True)
    correlation_id = _text()
    actor = fields.Nested(ActorSchema, allow_none=True)
    data = fields.Dict(required=True)


class EventFeedSchema(AnswerSchema):
    """A stretch of the feed; `next` is the cursor to go on from."""

    items = fields.List(fields.Nested(EventSchema), required=True)
    next = fields.String(required=True)


class NotificationsQuery(PageQuery):
    """Which notifications."""

    unread = Flag(as_text=True, metadata=_said("Only those not read yet."))


class NotificationSchema(AnswerSchema):
    """What an office is told about an event."""

    id = _id()
    event_id = _id()
    event = fields.String()
    subject_id = _text()
    reference = _text()
    title = fields.String()
    body = _text()
    created_at = Moment()
    read_at = _moment()


class NotificationPageSchema(_Page):
    """A page of notifications, the newest first."""

    unread = _number("How many the office has not read.")
    items = fields.List(fields.Nested(NotificationSchema), required=True)


# demo


class DemoClockSchema(RequestSchema):
    """The moment that it shall be."""

    now = Moment(required=True)


class DemoTimeSchema(AnswerSchema):
    """The moment that it now is."""

    now = Moment(required=True)
