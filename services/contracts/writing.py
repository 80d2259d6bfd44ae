"""What petitions is asked about the writing of petitions; nothing of it is kept."""

from __future__ import annotations

from marshmallow import fields, validate

from services.contracts.petitions import KINDS, TYPES
from services.contracts.registry import Asked

LONGEST_SUBJECT = 200
LONGEST_BODY = 20_000
LONGEST_NAME, LONGEST_ADDRESS = 200, 500
MOST_ANNEXES = 30
FORMATS = ("pdf", "docx")

ANSWERS = {
    "municipality": 100, "subject": 200, "answer_channel": 20, "attachments": 1_000, "what_happened": 3_000, "where": 300,
    "since_when": 300, "whom_it_concerns": 300, "what_is_asked": 3_000, "period": 300, "need": 3_000,
    "proposed_activity": 3_000, "municipal_duty": 300, "we_bring": 1_000, "municipality_brings": 1_000,
    "beneficiaries": 300, "plan_link": 300, "about_what": 300, "opinion": 3_000, "grounds": 3_000, "proposal": 3_000,
}  # fmt: skip
"""Every question of the guided form → the most characters that any kind of petition takes."""


def _text(longest: int) -> fields.String:
    return fields.String(load_default="", allow_none=True, validate=validate.Length(max=longest))


class WriterSchema(Asked):
    """What is known of the petitioner besides the text; a field that is given and empty is advised about."""

    name = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_NAME))
    address = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_ADDRESS))
    authorised_person = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_NAME))
    mandate = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_NAME))


class AdviceRequest(Asked):
    """A petition to be looked at."""

    subject = fields.String(required=True, validate=validate.Length(max=LONGEST_SUBJECT))
    body = fields.String(required=True, validate=validate.Length(max=LONGEST_BODY))
    petitioner_type = fields.String(required=True, validate=validate.OneOf(TYPES))
    kind = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(KINDS))
    petitioner = fields.Nested(WriterSchema, load_default=None, allow_none=True)
    municipality = _text(100)


class AnswersRequest(Asked):
    """Answers of the guided form."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    petitioner_type = fields.String(load_default="citizen", validate=validate.OneOf(TYPES))
    answers = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True), required=True)


class PaperRequest(Asked):
    """A petition to be printed."""

    format = fields.String(required=True, validate=validate.OneOf(FORMATS))
    municipality = fields.String(required=True, validate=validate.Length(min=1, max=100))
    subject = fields.String(required=True, validate=validate.Length(max=LONGEST_SUBJECT))
    body = fields.String(required=True, validate=validate.Length(max=LONGEST_BODY))
    petitioner_type = fields.String(required=True, validate=validate.OneOf(TYPES))
    name = _text(LONGEST_NAME)
    address = _text(LONGEST_ADDRESS)
    authorised_person = _text(LONGEST_NAME)
    dated_on = fields.Date(load_default=None, allow_none=True)
    attachments = fields.List(
        fields.String(validate=validate.Length(max=200)), load_default=list, validate=validate.Length(max=MOST_ANNEXES)
    )
