"""What the interface takes and gives of imports."""

from __future__ import annotations

from marshmallow import fields

from services.contracts.intake import DECISIONS, IMPORT_KINDS, IMPORT_PHASES, IMPORT_STATES, OUTCOMES
from services.gateway.fields import AnswerSchema, File, Flag, Identifier, Moment, RequestSchema, Text, Word
from services.gateway.schemas import PageQuery, ReasonSchema, _Page

SOURCE = 100


class ImportForm(RequestSchema):
    """A file with what it holds and where it is from."""

    file = File(
        required=True,
        metadata={
            "description": "CSV (UTF-8 or Windows-1254; comma, semicolon or tab) or XLSX, with a header in any order."
        },
    )
    kind = Word(IMPORT_KINDS, required=True)
    source = Text(
        SOURCE,
        required=True,
        metadata={
            "description": "The list that the file is an edition of: what was in its last edition and is not in this "
            "one is to be verified.",
            "examples": ["national-associations"],
        },
    )
    apply = Flag(
        as_text=True,
        load_default=False,
        metadata={"description": "Apply at once what a trial would only show; false by default."},
    )


class ImportsQuery(PageQuery):
    """Which imports; the newest come first."""

    source = Text(SOURCE)
    state = Word(IMPORT_STATES)


class ImportRowsQuery(PageQuery):
    """Which rows, in the order of the file; those that are not in it come last."""

    outcome = Word(OUTCOMES)


class RowSettlementSchema(RequestSchema):
    """What a row under review is: the same as an organisation, a new one, or to be skipped."""

    decision = Word(DECISIONS, required=True)
    organisation_id = Identifier(
        allow_none=True, metadata={"description": "The organisation that it is the same as; with `same` only."}
    )


class ImportSchema(AnswerSchema):
    """An import; `done` of `of` rows are through the phase that it is in."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    kind = fields.String(required=True, metadata={"enum": list(IMPORT_KINDS)})
    source = fields.String(required=True)
    layout = fields.String(allow_none=True, metadata={"description": "Which columns the file was found to have."})
    file_name = fields.String(allow_none=True)
    file_sha256 = fields.String(allow_none=True)
    state = fields.String(
        required=True,
        metadata={"enum": list(IMPORT_STATES), "description": "A trial ends in ready and has changed nothing."},
    )
    phase = fields.String(allow_none=True, metadata={"description": f"While it runs: {', '.join(IMPORT_PHASES)}."})
    done = fields.Integer()
    of = fields.Integer()
    read = fields.Integer(metadata={"description": "Rows of the file."})
    added = fields.Integer()
    changed = fields.Integer()
    unchanged = fields.Integer()
    vanished = fields.Integer(metadata={"description": "In the last edition of this source and not in this one."})
    rejected = fields.Integer(metadata={"description": "Rows that cannot be right."})
    review = fields.Integer(metadata={"description": "Rows that a person must decide on."})
    kept = fields.Integer(metadata={"description": "Changed by others since, so that an undo left them alone."})
    problem = fields.String(allow_none=True, metadata={"description": "Why it failed."})
    requested_at = Moment(allow_none=True)
    applied_at = Moment(allow_none=True)
    undone_at = Moment(allow_none=True)


class ImportPageSchema(_Page):
    """A page of imports."""

    items = fields.List(fields.Nested(ImportSchema), required=True)


class RowChangeSchema(AnswerSchema):
    """One field before and after; null is nothing recorded."""

    field = fields.String(required=True)
    old = fields.Raw(allow_none=True)
    new = fields.Raw(allow_none=True)


class RowCandidateSchema(AnswerSchema):
    """An organisation that the row may be about."""

    organisation_id = fields.String(required=True)
    name = fields.String(required=True)
    registry_no = fields.String(allow_none=True)
    province_code = fields.String(allow_none=True)
    district = fields.String(allow_none=True)


class ImportRowSchema(AnswerSchema):
    """What becomes of one row."""

    row = fields.Integer(
        allow_none=True, metadata={"description": "Its number in the file, the header being 1; null when not in it."}
    )
    outcome = fields.String(required=True, metadata={"enum": list(OUTCOMES)})
    organisation_id = fields.String(
        allow_none=True, metadata={"description": "In an import of municipalities their code."}
    )
    registry_no = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    changes = fields.List(fields.Nested(RowChangeSchema))
    reasons = fields.List(fields.Nested(ReasonSchema), metadata={"description": "Why it was not taken as it is."})
    candidates = fields.List(fields.Nested(RowCandidateSchema))


class ImportRowPageSchema(_Page):
    """A page of rows."""

    items = fields.List(fields.Nested(ImportRowSchema), required=True)
