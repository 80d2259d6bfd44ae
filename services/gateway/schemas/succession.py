"""What the interface takes and gives of renames, mergers and splits."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from services.contracts.registry import FORMS, SUCCESSION_KINDS
from services.contracts.registry import STATES as ORGANISATION_STATES
from services.gateway.fields import (
    AnswerSchema,
    Day,
    Flag,
    Identifier,
    Items,
    Moment,
    Part,
    RequestSchema,
    Sentences,
    Text,
    Word,
    finding,
)
from services.gateway.schemas import FormerSchema, StandingSummarySchema, StatusSchema, _organisation_fields

PLACES = 50


class Receiver(fields.Raw):
    """The id of an organisation, or the place of a successor from 0."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < PLACES:
            return value
        if isinstance(value, str):
            return Identifier().deserialize(value, attr, data, **kwargs)
        raise finding("Give the id of an organisation, or the place of a successor from 0.")


SuccessorSchema: type[RequestSchema] = RequestSchema.from_dict(  # type: ignore[assignment]
    {
        "organisation_id": Identifier(metadata={"description": "An organisation on record; then nothing else."}),
        **_organisation_fields(new=False),
    },
    name="SuccessorSchema",
)


class SuccessionOrderSchema(RequestSchema):
    """A rename, merger or split, with the decision or document that it rests on."""

    kind = Word(SUCCESSION_KINDS, required=True)
    effective_on = Day(required=True, metadata={"description": "Since when it is so; not in the future."})
    basis = Text(2_000, required=True, metadata={"description": "The decision or document that shows it."})
    name = Text(300, metadata={"description": "Of a rename: the new name."})
    registry_no = Text(50, allow_none=True, metadata={"description": "Of a rename: the new number."})
    successors = Items(
        Part(SuccessorSchema),
        PLACES,
        metadata={"description": "By id, or the fields of a new organisation. A merger has one."},
    )
    also = Items(Identifier(), PLACES, metadata={"description": "Of a merger: others that merge into the same one."})
    continues = Flag(metadata={"description": "Of a split: true where the old organisation goes on."})
    protocols_to = Receiver(
        allow_none=True,
        metadata={
            "description": "Of a split: who gets the open protocols, as the id of an organisation or the place of a "
            "successor, counted from 0.",
            "examples": [0],
            "oneOf": [
                {"type": "string", "format": "uuid"},
                {"type": "integer", "minimum": 0, "maximum": PLACES - 1},
                {"type": "null"},
            ],
        },
    )


class OrganisationNameSchema(AnswerSchema):
    """An organisation by its names; one that is to be registered has no id yet."""

    id = fields.String(required=True, allow_none=True, metadata={"format": "uuid"})
    name = fields.String(required=True)
    registry_no = fields.String(allow_none=True)


class RecordedAsSchema(AnswerSchema):
    """What is recorded at one time."""

    name = fields.String(required=True)
    registry_no = fields.String(required=True, allow_none=True)
    state = Word(ORGANISATION_STATES, required=True)


class ChangedOrganisationSchema(AnswerSchema):
    """An old organisation before and after."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    before = fields.Nested(RecordedAsSchema, required=True)
    after = fields.Nested(RecordedAsSchema, required=True)
    former = fields.List(fields.Nested(FormerSchema), required=True)
    successors = fields.List(fields.Nested(OrganisationNameSchema), required=True)


class FutureSuccessorSchema(OrganisationNameSchema):
    """A successor with its own standing, which it does not inherit."""

    form = Word(FORMS, required=True)
    new = fields.Boolean(required=True, metadata={"description": "True: registered with the succession."})
    standing = fields.Nested(StandingSummarySchema, required=True)


class NumberLeadsSchema(AnswerSchema):
    """Where an old registry number leads afterwards."""

    registry_no = fields.String(required=True)
    organisation_id = fields.String(required=True, metadata={"format": "uuid"})
    leads_to = fields.List(fields.Nested(OrganisationNameSchema), required=True)


class NotPassingSchema(AnswerSchema):
    """A status that does not pass to a successor."""

    organisation_id = fields.String(required=True, metadata={"format": "uuid"})
    status = fields.Nested(StatusSchema, required=True)
    article = fields.String(required=True)
    message = fields.String(required=True)
    settled = fields.Boolean(required=True, metadata={"description": "False: the law does not say it in words."})


class FollowingProtocolsSchema(AnswerSchema):
    """How many open protocols follow, and to whom."""

    open = fields.Integer(required=True)
    to = fields.Nested(OrganisationNameSchema, required=True)


class SuccessionPreviewSchema(AnswerSchema):
    """What a succession would change."""

    kind = Word(SUCCESSION_KINDS, required=True)
    effective_on = Day(required=True)
    organisations = fields.List(fields.Nested(ChangedOrganisationSchema), required=True)
    successors = fields.List(fields.Nested(FutureSuccessorSchema), required=True)
    numbers = fields.List(fields.Nested(NumberLeadsSchema), required=True)
    not_passing = fields.List(fields.Nested(NotPassingSchema), required=True)
    protocols = fields.Nested(FollowingProtocolsSchema, required=True)
    notes = Sentences(required=True)


class PredecessorSchema(OrganisationNameSchema):
    """An organisation whose place this one took."""

    kind = Word(SUCCESSION_KINDS, required=True)
    effective_on = Day(required=True)


class SuccessionRecordSchema(AnswerSchema):
    """A recorded succession."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    kind = Word(SUCCESSION_KINDS, required=True)
    effective_on = Day(required=True)
    basis = fields.String(required=True)
    successors = fields.List(fields.String(metadata={"format": "uuid"}), required=True)
    protocols_to = fields.String(allow_none=True, metadata={"format": "uuid"})
    continues = fields.Boolean(required=True)
    former_name = fields.String(required=True)
    former_registry_no = fields.String(allow_none=True)
    recorded_at = Moment(required=True)
    recorded_by = fields.String(required=True, metadata={"description": "The office."})


class SuccessionSchema(AnswerSchema):
    """Where an organisation came from and where it went; `leads_to` are the ends of all chains."""

    organisation_id = fields.String(required=True, metadata={"format": "uuid"})
    name = fields.String(required=True)
    state = Word(ORGANISATION_STATES, required=True)
    former = fields.List(fields.Nested(FormerSchema), required=True)
    successors = fields.List(fields.Nested(OrganisationNameSchema), required=True)
    leads_to = fields.List(fields.Nested(OrganisationNameSchema), required=True)
    predecessors = fields.List(fields.Nested(PredecessorSchema), required=True)
    records = fields.List(fields.Nested(SuccessionRecordSchema), required=True)
