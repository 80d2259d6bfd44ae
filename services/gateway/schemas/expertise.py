"""What the interface takes and gives of expertise and the documents that show it."""

from __future__ import annotations

from marshmallow import fields

from services.contracts.expertise import EXPERTISE_AREAS, EXPERTISE_TAGS, MOST_PROVINCES
from services.contracts.registry import FORMS
from services.gateway.fields import (
    AnswerSchema,
    Day,
    File,
    Flag,
    Identifier,
    Items,
    Moment,
    RequestSchema,
    Shaped,
    Text,
    Word,
)
from services.gateway.schemas import PROVINCE, PageQuery, _Page


class ExpertiseTagSchema(AnswerSchema):
    """A field of expertise."""

    code = Word(EXPERTISE_TAGS, required=True)
    label = fields.String(required=True, metadata={"description": "Its name for people."})
    area = Word(EXPERTISE_AREAS, required=True)
    area_label = fields.String(required=True)


class ExpertiseTagsSchema(AnswerSchema):
    """All fields of expertise, by area."""

    items = fields.List(fields.Nested(ExpertiseTagSchema), required=True)


class NewExpertiseSchema(RequestSchema):
    """What an organisation offers, all of it: what is left out is taken back."""

    tags = Items(Word(EXPERTISE_TAGS), 10, metadata={"description": "Of the list at /expertise-tags."})
    text = Text(
        3_000,
        0,
        allow_none=True,
        metadata={"description": "In its own words; every office reads it, so name no persons."},
    )
    provinces = Items(
        Shaped(PROVINCE, "34"), MOST_PROVINCES, metadata={"description": "Where; none means the whole country."}
    )
    valid_until = Day(allow_none=True, metadata={"description": "The last day on which it holds."})


class ExpertiseQuery(PageQuery):
    """Which offers."""

    tag = Word(EXPERTISE_TAGS)
    query = Text(200, 0, metadata={"description": "Beginnings of words of the offer or the organisation's name."})
    province = Text(
        50,
        0,
        metadata={"description": "Where it is offered: plate number or name of the province.", "examples": ["34"]},
    )


class ExpertiseSchema(AnswerSchema):
    """What an organisation offers; version 0 where it never said."""

    organisation_id = Identifier(required=True)
    tags = fields.List(fields.String(), required=True)
    text = fields.String(required=True, allow_none=True)
    provinces = fields.List(fields.String(), required=True, metadata={"description": "None means the whole country."})
    valid_until = Day(required=True, allow_none=True)
    holds = Flag(required=True, metadata={"description": "Whether it is offered today."})
    changed_at = Moment(required=True, allow_none=True)
    changed_by = fields.String(
        required=True, allow_none=True, metadata={"description": "The office that said so, never a person."}
    )
    version = fields.Integer(
        required=True,
        metadata={"description": "Grows with every change; the ETag is this number in quotation marks."},
    )


class OfferedSchema(ExpertiseSchema):
    """An offer beside the organisation that makes it."""

    name = fields.String(required=True)
    form = Word(FORMS, required=True)
    province_code = fields.String(required=True, allow_none=True, metadata={"description": "The organisation's seat."})
    documents = fields.Integer(required=True, metadata={"description": "How many documents show it."})


class ExpertisePageSchema(_Page):
    """A page of offers."""

    items = fields.List(fields.Nested(OfferedSchema), required=True)


class DocumentForm(RequestSchema):
    """A document with its title."""

    title = Text(200, required=True)
    file = File(
        required=True,
        metadata={"description": "PDF, DOCX or ODT without macros, PNG or JPEG, told by its content; at most 10 MB."},
    )


class DocumentSchema(AnswerSchema):
    """A document, without its content."""

    id = Identifier(required=True)
    title = fields.String(required=True)
    file_name = fields.String(required=True)
    media_type = fields.String(required=True)
    size = fields.Integer(required=True, metadata={"description": "Bytes."})
    sha256 = fields.String(required=True)
    added_at = Moment(required=True)
    added_by = fields.String(required=True, metadata={"description": "The office, never a person."})


class DocumentPageSchema(_Page):
    """A page of documents."""

    items = fields.List(fields.Nested(DocumentSchema), required=True)
