"""What the interface takes and gives of corrections."""

from __future__ import annotations

from marshmallow import fields

from services.contracts.registry import CORRECTABLE, CORRECTION_STATES
from services.gateway.fields import AnswerSchema, Flag, Identifier, Items, Moment, Part, RequestSchema, Text, Word
from services.gateway.schemas import PageQuery, _organisation_fields, _Page

FIELD_STATES = ("open", "accepted", "declined", "withdrawn")


CorrectionChangesSchema: type[RequestSchema] = RequestSchema.from_dict(  # type: ignore[assignment]
    {name: field for name, field in _organisation_fields(new=False).items() if name in CORRECTABLE},
    name="CorrectionChangesSchema",
)


class NewCorrectionSchema(RequestSchema):
    """What an organisation says is wrong in its own record."""

    changes = Part(
        CorrectionChangesSchema,
        required=True,
        metadata={"description": "The fields with the values that should be recorded."},
    )
    note = Text(2_000, allow_none=True, metadata={"description": "For the registrar: why, and what shows it."})


class FieldDecisionSchema(RequestSchema):
    """The registrar's answer to one field."""

    field = Word(CORRECTABLE, required=True)
    accept = Flag(required=True)
    reason = Text(1_000, allow_none=True, metadata={"description": "Needed where a field is declined."})


class CorrectionDecisionSchema(RequestSchema):
    """The answers to all open fields, or to some now and others later."""

    decisions = Items(Part(FieldDecisionSchema), 50, 1, required=True)


class CorrectionsQuery(PageQuery):
    """Which corrections; the newest come first."""

    state = Word(CORRECTION_STATES)
    organisation = Identifier()


class ProposedFieldSchema(AnswerSchema):
    """One proposed field with what was recorded then, what is proposed, and what is recorded now."""

    field = Word(CORRECTABLE, required=True)
    label = fields.String(metadata={"description": "Its name for people."})
    old = fields.String(required=True, allow_none=True)
    proposed = fields.String(required=True, allow_none=True)
    current = fields.String(required=True, allow_none=True)
    stale = fields.Boolean(
        required=True, metadata={"description": "True: recorded otherwise since; it cannot be accepted any more."}
    )
    state = Word(FIELD_STATES, required=True)
    reason = fields.String(allow_none=True)
    decided_at = Moment(allow_none=True)
    decided_by = fields.String(allow_none=True, metadata={"description": "The office."})


class CorrectionSchema(AnswerSchema):
    """A correction; its state follows from its fields."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    organisation_id = fields.String(required=True, metadata={"format": "uuid"})
    organisation_name = fields.String(required=True)
    state = Word(CORRECTION_STATES, required=True)
    note = fields.String(allow_none=True)
    proposed_at = Moment(required=True)
    proposed_by = fields.String(required=True, metadata={"description": "The office."})
    fields_ = fields.List(fields.Nested(ProposedFieldSchema), required=True, attribute="fields", data_key="fields")
    version = fields.Integer(required=True)


class CorrectionPageSchema(_Page):
    """A page of corrections."""

    items = fields.List(fields.Nested(CorrectionSchema), required=True)
