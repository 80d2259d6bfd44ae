"""What petitions takes in and tells."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields, validate

from services.contracts.protocols import Strict
from services.kernel import mailbox

KINDS = ("petition", "information_request", "partnership_proposal", "opinion")
TYPES = (
    "citizen", "organisation", "public_body", "local_government", "mukhtar", "school", "company",
    "neighbourhood_assembly", "citizen_assembly", "other",
)  # fmt: skip
SIGNATURES = ("handwritten", "e_signature", "account")
CHANNELS = ("web", "counter", "post", "api")
OUTCOMES = ("accepted", "partly", "refused", "informed")
MISSING = ("name", "title", "address", "signature", "authorised_person", "mandate", "subject", "other")

SHORT = validate.Length(min=1, max=200)
LONG = validate.Length(min=1, max=20_000)
CODE = validate.Regexp(r"^[0-9]{2}-[0-9]{2,3}\Z")
EMAIL = validate.Regexp(mailbox.EMAIL.removesuffix("$") + r"\Z")
LETTER = validate.Length(min=1, max=100)
TERM = validate.Range(min=1, max=96)


class PetitionerSchema(Strict):
    """Who petitions (3071/4; for bodies 4982/6). An identity number is neither asked nor taken."""

    type = fields.String(required=True, validate=validate.OneOf(TYPES))
    name = fields.String(validate=SHORT, metadata={"description": "Name and surname, or the body's title"})
    address = fields.String(
        validate=validate.Length(min=1, max=500), metadata={"description": "Home or work address; a body's seat"}
    )
    email = fields.String(
        validate=[validate.Length(max=254), EMAIL], metadata={"description": "For messages; not required by law"}
    )
    authorised_person = fields.String(validate=SHORT, metadata={"description": "Who signs for a body"})
    mandate = fields.String(validate=SHORT, metadata={"description": "The document that authorises them"})
    organisation_id = fields.UUID(
        metadata={"description": "An organisation of the register; by its representative or at the counter"}
    )


class SignatureSchema(Strict):
    """How the petition is signed (3071/4; 5070/5)."""

    kind = fields.String(required=True, validate=validate.OneOf(SIGNATURES))


class OpenedSchema(Strict):
    """What everyone may read of a petition that others are asked to sign, in the petitioner's own words."""

    public_title = fields.String(required=True, validate=SHORT)
    public_text = fields.String(required=True, validate=validate.Length(min=1, max=5_000))


class SubmitSchema(Strict):
    """A petition as it comes in; what the law asks for and is not there is listed in the answer."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    municipality = fields.String(required=True, validate=CODE)
    subject = fields.String(required=True, validate=SHORT)
    body = fields.String(required=True, validate=LONG)
    petitioner = fields.Nested(PetitionerSchema, required=True)
    signature = fields.Nested(SignatureSchema)
    activity_id = fields.UUID(metadata={"description": "The activity of the strategic plan that it is about"})
    support = fields.Nested(
        OpenedSchema, metadata={"description": "Let others sign it; without this nobody sees that it exists"}
    )
    channel = fields.String(validate=validate.OneOf(CHANNELS), load_default="web")
    received_on = fields.Date(metadata={"description": "At the counter or by post: the day it came in"})
    registry_no = fields.String(
        validate=LETTER, metadata={"description": "At the counter or by post: the number in the document register"}
    )
    language = fields.String(
        validate=validate.OneOf(["tr", "en"]), metadata={"description": "Of the messages to the petitioner"}
    )


class MoveSchema(Strict):
    """The fields of a move; which of them a move needs, `GET /procedures/petition` says."""

    note = fields.String(validate=validate.Length(max=5_000), metadata={"description": "For the office alone"})
    reason = fields.String(validate=LONG)
    registry_no = fields.String(validate=LETTER)
    registered_on = fields.Date()
    signature_seen = fields.Boolean(
        truthy={True}, falsy={False}, metadata={"description": "At registration: the clerk has seen the signature"}
    )
    unit = fields.UUID()
    authority = fields.String(validate=SHORT)
    municipality = fields.String(validate=CODE)
    sent_on = fields.Date()
    missing = fields.List(
        fields.String(validate=validate.OneOf(MISSING)), validate=validate.Length(min=1, max=len(MISSING))
    )
    name = fields.String(validate=SHORT)
    address = fields.String(validate=validate.Length(min=1, max=500))
    email = fields.String(validate=[validate.Length(max=254), EMAIL])
    authorised_person = fields.String(validate=SHORT)
    mandate = fields.String(validate=SHORT)
    signature = fields.String(validate=validate.OneOf(SIGNATURES))
    addition = fields.String(validate=LONG)
    letter = fields.String(validate=validate.OneOf(["a", "b", "c"]), metadata={"description": "Of 3071/6"})
    letter_no = fields.String(validate=LETTER)
    answered_on = fields.Date()
    notified_on = fields.Date()
    text = fields.String(validate=LONG)
    outcome = fields.String(validate=validate.OneOf(OUTCOMES))
    remedy = fields.String(
        validate=validate.Length(min=1, max=1_000), metadata={"description": "Where to turn against a refusal"}
    )
    remedy_days = fields.Integer(strict=True, validate=validate.Range(min=1, max=365))
    published_at = fields.String(
        validate=validate.Length(min=1, max=500), metadata={"description": "Where it was published (4982/8)"}
    )
    amount = fields.Decimal(
        as_string=True,
        places=2,
        validate=validate.Range(min=0, max=10**9),
        metadata={"description": "Turkish lira, as a decimal string"},
    )
    paid_on = fields.Date()
    title = fields.String(validate=SHORT)
    subject = fields.String(validate=validate.Length(min=1, max=5_000))
    municipal_duty = fields.String(validate=validate.Length(min=1, max=1_000))
    starts_on = fields.Date()
    term_months = fields.Integer(strict=True, validate=TERM)
    funder_deadline = fields.Date()


TOPICS = fields.List(fields.String(validate=validate.Length(min=2, max=60)), validate=validate.Length(max=200))


class NewUnitSchema(Strict):
    """A unit of the municipality and the words of its topics."""

    name = fields.String(required=True, validate=SHORT)
    topics = fields.List(
        fields.String(validate=validate.Length(min=2, max=60)),
        load_default=list,
        validate=validate.Length(max=200),
        metadata={"description": "Words in a petition that speak for this unit"},
    )


class UnitChangeSchema(Strict):
    """What to change about a unit; an inactive one gets no new petitions."""

    name = fields.String(validate=SHORT)
    topics = TOPICS
    active = fields.Boolean(truthy={True}, falsy={False})


# events


class CaseData(Schema):
    """What every event of a petition says; no persons, no words of the petitioner."""

    class Meta:
        """Later versions may say more."""

        unknown = EXCLUDE

    petition_id = fields.UUID(required=True)
    number = fields.String(required=True)
    kind = fields.String(required=True)
    municipality = fields.String(required=True)
    municipality_name = fields.String(required=True)
    organisation_id = fields.UUID(required=True, allow_none=True)
    organisation_name = fields.String(required=True, allow_none=True)
    petitioner_type = fields.String(required=True)


class PetitionSubmittedV1Data(CaseData):
    """A petition came in."""

    channel = fields.String(required=True)
    filed_on = fields.Date(required=True)
    stage = fields.String(required=True)
    turn = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)


class PetitionMovedV1Data(CaseData):
    """An act was done."""

    move = fields.String(required=True)
    from_stage = fields.String(required=True, data_key="from")
    to_stage = fields.String(required=True, data_key="to")
    turn = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)
    done_on = fields.Date(required=True)
    article = fields.String(load_default="")
    outcome = fields.String(required=True, allow_none=True)
    awaits = fields.String(required=True, allow_none=True)
    addressee = fields.String(required=True, allow_none=True)


class PetitionProposalAcceptedV1Data(CaseData):
    """The municipality wants a protocol of the proposal; the words are its own."""

    title = fields.String(required=True)
    subject = fields.String(required=True)
    municipal_duty = fields.String(required=True)
    starts_on = fields.Date(required=True)
    term_months = fields.Integer(required=True)
    funder_deadline = fields.Date(required=True, allow_none=True)
    text = fields.String(required=True, allow_none=True)
    activity_id = fields.UUID(required=True, allow_none=True)


class PetitionProtocolLinkedV1Data(CaseData):
    """The protocol that the proposal became."""

    protocol_id = fields.UUID(required=True)
    protocol_reference = fields.String(required=True)
    stage = fields.String()


class PetitionSupportRequestedV1Data(CaseData):
    """Somebody wants to sign and must confirm by mail."""

    support_id = fields.UUID(required=True)


class ClockData(CaseData):
    """What every event of a clock says; `clock` is its kind."""

    clock_id = fields.UUID(required=True)
    clock = fields.String(required=True)
    article = fields.String(required=True)
    whose = fields.String(required=True)
    started_on = fields.Date(required=True)
    due_on = fields.Date(required=True, allow_none=True)
    state = fields.String(required=True)


class PetitionClockMovedV1Data(ClockData):
    """A due date changed."""

    from_due_on = fields.Date(required=True, allow_none=True)
    to_due_on = fields.Date(required=True, allow_none=True)
    why = fields.String(required=True)


class PetitionReminderDueV1Data(ClockData):
    """The owner of a clock is reminded, or whose turn it is before the owner can act; days are the clock's own."""

    rung = fields.String(required=True, validate=validate.OneOf(["before", "due", "head"]))
    days_left = fields.Integer(required=True)
    turn = fields.String(allow_none=True)


EVENTS: dict[str, type[Schema]] = {
    "petition.submitted.v1": PetitionSubmittedV1Data,
    "petition.moved.v1": PetitionMovedV1Data,
    "petition.proposal_accepted.v1": PetitionProposalAcceptedV1Data,
    "petition.protocol_linked.v1": PetitionProtocolLinkedV1Data,
    "petition.support_requested.v1": PetitionSupportRequestedV1Data,
    "petition.clock_started.v1": ClockData,
    "petition.clock_met.v1": ClockData,
    "petition.clock_expired.v1": ClockData,
    "petition.clock_moved.v1": PetitionClockMovedV1Data,
    "petition.clock_cancelled.v1": ClockData,
    "petition.reminder_due.v1": PetitionReminderDueV1Data,
}
"""Wire name → schema of `data`."""
