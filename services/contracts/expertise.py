"""What the registry may be told and asked about what organisations offer."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.contracts.registry import FORMS, MAX_QUERY, Asked, Paged

EXPERTISE_TAGS = (
    "children",
    "youth",
    "women_equality",
    "disability",
    "older_people",
    "migration",
    "poverty",
    "health",
    "psychosocial",
    "employment",
    "disaster",
    "environment",
    "animal_welfare",
    "agriculture",
    "urban_planning",
    "transport",
    "accessibility",
    "mapping",
    "culture_arts",
    "heritage",
    "education",
    "sport",
    "volunteering",
    "participation",
    "data_technology",
    "legal_aid",
    "training_guidance",
)
EXPERTISE_AREAS = ("people", "city", "culture", "participation")
MOST_PROVINCES = 81
_LONGEST = 5_000


class NewExpertise(Asked):
    """What an organisation offers, all of it; no province means the whole country."""

    tags = fields.List(
        fields.String(validate=validate.OneOf(EXPERTISE_TAGS)),
        load_default=list,
        validate=validate.Length(max=len(EXPERTISE_TAGS)),
    )
    text = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=_LONGEST))
    provinces = fields.List(
        fields.String(validate=validate.Length(max=2)), load_default=list, validate=validate.Length(max=MOST_PROVINCES)
    )
    valid_until = fields.Date(load_default=None, allow_none=True)


class ExpertiseSearch(Paged):
    """Which offers; `province` is a plate number or a name, where it is offered."""

    tag = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(EXPERTISE_TAGS))
    query = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=MAX_QUERY))
    province = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=50))


class SentDocument(Asked):
    """A document whose content was put into the store."""

    title = fields.String(required=True, validate=validate.Length(max=_LONGEST))
    file_name = fields.String(required=True, validate=validate.Length(max=200))
    size = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    sha256 = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z"))


class ExpertiseAnswer(Schema):
    """What an organisation offers; version 0 where it never said. `holds`: today."""

    organisation_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    tags = fields.List(fields.String(), required=True)
    text = fields.String(required=True, allow_none=True)
    provinces = fields.List(fields.String(), required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    holds = fields.Boolean(required=True)
    changed_at = fields.AwareDateTime(required=True, allow_none=True)
    changed_by = fields.String(required=True, allow_none=True)


class OfferedAnswer(ExpertiseAnswer):
    """An offer in a list, beside the organisation that makes it."""

    name = fields.String(required=True)
    form = fields.String(required=True, validate=validate.OneOf(FORMS))
    province_code = fields.String(required=True, allow_none=True)
    documents = fields.Integer(required=True)


class DocumentAnswer(Schema):
    """A document, without its content."""

    id = fields.UUID(required=True)
    organisation_id = fields.UUID(required=True)
    title = fields.String(required=True)
    file_name = fields.String(required=True)
    media_type = fields.String(required=True)
    size = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    added_at = fields.AwareDateTime(required=True)
    added_by = fields.String(required=True)
