"""What the interface takes and gives of petitions, units and tracking pages."""

from __future__ import annotations

from marshmallow import fields

from services.contracts import petitions as contract
from services.gateway.fields import AnswerSchema, Day, Flag, Identifier, Moment, Shaped, Word
from services.gateway.schemas import (
    CODE,
    SLUG,
    ClockSchema,
    OptionSchema,
    PageQuery,
    ReasonSchema,
    TurnSchema,
    _day,
    _id,
    _moment,
    _number,
    _Page,
    _said,
    _text,
    _version,
)
from services.gateway.schemas.writing import SuggestionSchema
from services.gateway.strict import strictly

NUMBER = r"^[0-9]{2}-[0-9]{2,3}/[0-9]{4}/[Dd][0-9]{1,9}$"

NewPetitionSchema = strictly(
    contract.SubmitSchema, "NewPetitionSchema", municipality=Shaped(CODE, "34-35", required=True)
)
PetitionMoveSchema = strictly(contract.MoveSchema, "PetitionMoveSchema", municipality=Shaped(CODE, "34-35"))
NewUnitSchema = strictly(contract.NewUnitSchema, "NewUnitSchema")
UnitChangeSchema = strictly(contract.UnitChangeSchema, "UnitChangeSchema")


class MissingSchema(AnswerSchema):
    """An element that the law asks for and that is not there; it can be supplied."""

    element = fields.String(required=True)
    message = _text("A sentence for the person.")
    article = _text()


class SubmittedSchema(AnswerSchema):
    """A petition that came in: what it is known by, when its answer is due, what is missing."""

    id = _id()
    number = fields.String(required=True, metadata=_said("<municipality code>/<year>/D<number>"))
    tracking_code = fields.String(
        required=True, metadata=_said("For GET /tracking/{tracking_code}; not guessable, and harmless to pass on.")
    )
    petition_key = _text(
        "The header Imece-Petition-Key of the petitioner, who needs no account. Shown only here; keep it secret. "
        "Null where an office or organisation submitted."
    )
    kind = fields.String()
    municipality = fields.String()
    stage = fields.String(required=True)
    stage_label = _text()
    whose_turn = fields.Nested(TurnSchema, allow_none=True)
    filed_on = _day("The first filing, also of what was sent again.")
    due_on = _day()
    repeats = _id("The open petition that this one says again.", nullable=True)
    clocks = fields.List(fields.Nested(ClockSchema))
    missing = fields.List(fields.Nested(MissingSchema))
    advice = fields.List(
        fields.Nested(SuggestionSchema),
        metadata=_said("What an office might take amiss; it was taken in all the same."),
    )
    version = _version()


class PetitionUnitSchema(AnswerSchema):
    """The unit that answers."""

    id = _id()
    name = fields.String()


class PetitionSummarySchema(AnswerSchema):
    """A petition in a list, without its text and its writer."""

    id = _id()
    number = fields.String(metadata=_said("<municipality code>/<year>/D<number>"))
    kind = fields.String()
    kind_label = _text()
    subject = _text()
    municipality = fields.String()
    municipality_name = _text()
    petitioner_type = fields.String()
    organisation_id = _id(nullable=True)
    organisation_name = _text()
    channel = fields.String()
    activity_id = _id(nullable=True)
    unit = fields.Nested(PetitionUnitSchema, allow_none=True)
    registry_no = _text("Number in the municipality's document register.")
    stage = fields.String(required=True)
    stage_label = _text()
    stage_is_end = fields.Boolean(metadata=_said("True: nothing follows."))
    outcome = _text()
    awaits = _text("What is awaited of the petitioner: completion or payment.")
    whose_turn = fields.Nested(TurnSchema, allow_none=True, metadata=_said("Null at an end."))
    since = _moment("Since when it has been in this stage.")
    filed_on = _day("The first filing, here or at the authority that forwarded it.")
    received_on = _day("When it came in here.")
    due_on = _day("The nearest running time limit.")
    overdue_since = _day("The earliest time limit that has passed unmet.")
    version = _version()


class PetitionPageSchema(_Page):
    """A page of petitions."""

    items = fields.List(fields.Nested(PetitionSummarySchema), required=True)


class PetitionerAnswerSchema(AnswerSchema):
    """Who petitions."""

    type = fields.String(required=True)
    name = _text()
    address = _text()
    email = _text()
    authorised_person = _text()
    mandate = _text()
    organisation_id = _id(nullable=True)


class SignatureAnswerSchema(AnswerSchema):
    """How it is signed."""

    kind = fields.String(required=True)


class AnswerGivenSchema(AnswerSchema):
    """The municipality's final answer."""

    outcome = fields.String(required=True)
    outcome_label = _text()
    answered_on = _day()
    reason = _text()
    remedy = _text("Where to turn against a refusal (Constitution 40).")
    remedy_days = _number()
    published_at = _text("Where the information was published (4982/8).")
    letter = _text("The letter of 3071/6 under which it was not examined.")
    letter_no = _text()


class SuggestedUnitSchema(AnswerSchema):
    """The unit that the petition's words speak for."""

    id = _id()
    name = fields.String()
    topics = fields.List(fields.String())


class RelativeSchema(AnswerSchema):
    """A linked petition."""

    id = _id()
    number = fields.String()
    tracking_code = fields.String()
    municipality_name = _text()


class LinkedProtocolSchema(AnswerSchema):
    """The protocol that the proposal became."""

    id = _id()
    reference = fields.String()
    stage = _text()
    stage_label = _text()


class PetitionLinksSchema(AnswerSchema):
    """What belongs together."""

    repeats = fields.Nested(RelativeSchema, allow_none=True)
    forwarded_from = fields.Nested(RelativeSchema, allow_none=True)
    forwarded_to = fields.Nested(RelativeSchema, allow_none=True)
    protocol = fields.Nested(LinkedProtocolSchema, allow_none=True)


class PetitionSchema(PetitionSummarySchema):
    """A petition with its text and what the caller may do now."""

    tracking_code = fields.String()
    body = _text()
    petitioner = fields.Nested(PetitionerAnswerSchema)
    signature = fields.Nested(SignatureAnswerSchema, allow_none=True)
    language = fields.String()
    missing = fields.List(fields.Nested(MissingSchema), metadata=_said("What the law asks for and is not there."))
    asked_for = fields.List(fields.String(), metadata=_said("What the municipality asked the petitioner for."))
    fee = _text("The fee that is awaited, in lira as decimal text.")
    answer = fields.Nested(AnswerGivenSchema, allow_none=True)
    addressee = _text("Where it was forwarded to.")
    draft_problem = fields.List(
        fields.Nested(ReasonSchema), metadata=_said("Why no protocol could be drafted of the accepted proposal.")
    )
    suggested_unit = fields.Nested(SuggestedUnitSchema, allow_none=True, metadata=_said("For the registry clerk."))
    clocks = fields.List(fields.Nested(ClockSchema))
    options = fields.List(fields.Nested(OptionSchema), metadata=_said("For the caller."))
    links = fields.Nested(PetitionLinksSchema)
    procedure_version = _number()
    created_at = _moment()


class PetitionsQuery(PageQuery):
    """Which petitions."""

    stage = Shaped(SLUG, "assigned")
    municipality = Shaped(CODE, "34-35")
    kind = Word(contract.KINDS)
    unit = Identifier(metadata=_said("Id of the unit."))
    activity = Identifier(metadata=_said("Id of the strategic plan's activity."))
    query = Shaped(NUMBER, "34-35/2026/D1", 40, metadata=_said("The petition's number."))
    overdue = Flag(as_text=True, metadata=_said("Only those with a time limit that has passed."))


class DueSchema(AnswerSchema):
    """Why something is due."""

    kind = fields.String()
    label = _text()
    article = _text()
    effect = _text("What happens when it runs out.")


class TrackedProtocolSchema(AnswerSchema):
    """The protocol that the proposal became."""

    reference = fields.String()
    stage = _text()
    stage_label = _text()


class TrackingSchema(AnswerSchema):
    """Where a petition stands; nothing of the petitioner and nothing of the text."""

    number = fields.String(required=True)
    tracking_code = fields.String(required=True)
    kind = fields.String()
    kind_label = _text()
    municipality = fields.String()
    municipality_name = _text()
    unit = _text("The unit that answers.")
    stage = fields.String(required=True)
    stage_label = _text()
    stage_is_end = fields.Boolean()
    whose_turn = _text("In words; null at an end.")
    since = Moment(allow_none=True)
    filed_on = Day(allow_none=True)
    due_on = Day(allow_none=True)
    due = fields.Nested(DueSchema, allow_none=True)
    overdue_since = Day(allow_none=True)
    awaits = _text()
    outcome = _text()
    outcome_label = _text()
    addressee = _text("Where it was forwarded to.")
    forwarded_to = _text("The tracking code there, where that municipality is on this system.")
    protocol = fields.Nested(TrackedProtocolSchema, allow_none=True)
    version = _version()


class UnitSchema(AnswerSchema):
    """A unit of a municipality and the words of its topics."""

    id = _id()
    municipality = fields.String()
    name = fields.String(required=True)
    topics = fields.List(fields.String())
    active = fields.Boolean(metadata=_said("False: it gets no new petitions."))
    version = _version()


class UnitsSchema(AnswerSchema):
    """The units of a municipality."""

    items = fields.List(fields.Nested(UnitSchema), required=True)
