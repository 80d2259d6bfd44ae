"""What the interface takes and gives of writing help."""

from __future__ import annotations

from marshmallow import fields

from services.contracts.petitions import KINDS, TYPES
from services.contracts.writing import (
    ANSWERS,
    FORMATS,
    LONGEST_ADDRESS,
    LONGEST_BODY,
    LONGEST_NAME,
    LONGEST_SUBJECT,
    MOST_ANNEXES,
)
from services.gateway.fields import AnswerSchema, Day, Flag, Items, Part, RequestSchema, Text, Word

_WRITER = {"description": "Who writes; the form of a letter depends on it."}
_MUNICIPALITY = {"description": "The municipality's name for the first line.", "examples": ["Şişli"]}


class WriterSchema(RequestSchema):
    """What is known of the petitioner besides the text; a field that is given and empty is advised about."""

    name = Text(LONGEST_NAME, 0, allow_none=True, metadata={"description": "Name and surname, or the body's title."})
    address = Text(LONGEST_ADDRESS, 0, allow_none=True)
    authorised_person = Text(LONGEST_NAME, 0, allow_none=True, metadata={"description": "Who signs for a body."})
    mandate = Text(LONGEST_NAME, 0, allow_none=True, metadata={"description": "The document that shows that they may."})


class AdviceRequestSchema(RequestSchema):
    """A petition to be looked at; it is not kept."""

    subject = Text(LONGEST_SUBJECT, 0, required=True)
    body = Text(LONGEST_BODY, 0, required=True)
    petitioner_type = Word(TYPES, required=True, metadata=_WRITER)
    kind = Word(KINDS, allow_none=True)
    petitioner = Part(
        WriterSchema,
        allow_none=True,
        metadata={"description": "Where it is left out, nothing is said about name and address."},
    )
    municipality = Text(100, 0, allow_none=True, metadata=_MUNICIPALITY)


class SuggestionSchema(AnswerSchema):
    """One piece of advice."""

    code = fields.String(required=True, metadata={"description": "Stable, for programs."})
    part = fields.String(required=True, metadata={"description": "Which text it is about: subject or body."})
    start = fields.Integer(required=True, metadata={"description": "In characters (Unicode code points) of that text."})
    end = fields.Integer(required=True, metadata={"description": "After the last character."})
    found = fields.String(
        required=True, metadata={"description": "What stands there; empty where something is missing."}
    )
    suggest = fields.String(required=True, metadata={"description": "Words to put there, in Turkish, or what to do."})
    why = fields.String(required=True, metadata={"description": "The reason with its source."})


class AdviceSchema(AnswerSchema):
    """Advice on a petition; it may be sent as it is all the same (Official Correspondence Regulation 31/7)."""

    suggestions = fields.List(fields.Nested(SuggestionSchema), required=True)
    draft = fields.String(required=True, metadata={"description": "The petition in correct form, in its own words."})


class GuideQuery(RequestSchema):
    """Which questions."""

    kind = Word(KINDS, required=True)


class ChoiceSchema(AnswerSchema):
    """A possible answer."""

    code = fields.String(required=True)
    label = fields.String(required=True)


class QuestionSchema(AnswerSchema):
    """A question of the guided form."""

    code = fields.String(required=True)
    label = fields.String(required=True)
    help = fields.String(required=True)
    example = fields.String(required=True)
    required = Flag(required=True)
    longest = fields.Integer(required=True, metadata={"description": "Characters."})
    lines = Flag(required=True, metadata={"description": "Whether every line is an item of its own."})
    choices = fields.List(fields.Nested(ChoiceSchema), required=True, metadata={"description": "None means free text."})


class GuideSchema(AnswerSchema):
    """The guided form for a kind of petition."""

    kind = Word(KINDS, required=True)
    reminder = fields.String(required=True, allow_none=True, metadata={"description": "What should be known before."})
    questions = fields.List(fields.Nested(QuestionSchema), required=True)


AnswersSchema = RequestSchema.from_dict(
    {code: Text(longest, 0, allow_none=True) for code, longest in ANSWERS.items()}, name="AnswersSchema"
)
AnswersSchema.__doc__ = "The answers, by the code of their question; which a kind of petition takes, its guide says."


class AnswersRequestSchema(RequestSchema):
    """A guided form, filled in; it is not kept."""

    kind = Word(KINDS, required=True)
    petitioner_type = Word(TYPES, metadata=_WRITER)
    answers = Part(AnswersSchema, required=True)


class ComposedSchema(AnswerSchema):
    """The petition that the answers make, to be edited."""

    subject = fields.String(required=True)
    body = fields.String(required=True)
    advice = fields.Nested(AdviceSchema, required=True)


class PaperQuery(RequestSchema):
    """Which kind of file."""

    format = Word(FORMATS, load_default="pdf")


class PaperRequestSchema(RequestSchema):
    """A petition to be printed; it is not kept."""

    municipality = Text(100, required=True, metadata=_MUNICIPALITY)
    subject = Text(LONGEST_SUBJECT, 0, required=True)
    body = Text(
        LONGEST_BODY,
        0,
        required=True,
        metadata={"description": "Its own addressee, subject line and signature block are printed instead of ours."},
    )
    petitioner_type = Word(TYPES, required=True, metadata=_WRITER)
    name = Text(LONGEST_NAME, 0, allow_none=True)
    address = Text(LONGEST_ADDRESS, 0, allow_none=True)
    authorised_person = Text(LONGEST_NAME, 0, allow_none=True, metadata={"description": "Who signs for a body."})
    dated_on = Day(allow_none=True)
    attachments = Items(Text(200), MOST_ANNEXES)
