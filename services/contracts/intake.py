"""Imports: what may be sent in, and how an import and its rows are answered.

The registry says in `keep` which columns of the file it takes. The others, persons' names among them,
never reach it.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from services.contracts.registry import MAX_PAGE, MAX_PAGE_SIZE, Asked, SentenceAnswer

IMPORT_KINDS = ("organisations", "statuses", "municipalities")
IMPORT_STATES = ("running", "ready", "applied", "undone", "failed")
IMPORT_PHASES = ("receiving", "comparing", "applying", "undoing")
OUTCOMES = ("added", "changed", "unchanged", "vanished", "rejected", "review", "kept")
DECISIONS = ("same", "new", "skip")

MAX_COLUMNS = 200
MAX_HEADING = 300
MAX_ROWS_AT_ONCE = 1000
MAX_CELL = 2000
MAX_PARTS = 10_000
MAX_ROW_NO = 20_000_000
"""A row of a file has a number up to here."""


def _one_of(words: tuple[str, ...], **options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(words), **options)


class NewImport(Asked):
    """A file that is about to be sent: `header` are its columns in order, the sums are of the whole file."""

    kind = _one_of(IMPORT_KINDS, required=True)
    source = fields.String(required=True, validate=validate.Length(min=1, max=100))
    apply = fields.Boolean(load_default=False)
    header = fields.List(
        fields.String(validate=validate.Length(max=MAX_HEADING)),
        required=True,
        validate=validate.Length(min=1, max=MAX_COLUMNS),
    )
    file_name = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))
    file_sha256 = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(r"^[0-9a-f]{64}$"))


class ImportSearch(Asked):
    """Which imports, newest first."""

    source = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))
    state = _one_of(IMPORT_STATES, load_default=None, allow_none=True)
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=MAX_PAGE))
    size = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MAX_PAGE_SIZE))


class ImportRowSearch(Asked):
    """Which rows of an import, in the order of the file; those that are not in it come last."""

    outcome = _one_of(OUTCOMES, load_default=None, allow_none=True)
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=MAX_PAGE))
    size = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MAX_PAGE_SIZE))


class RowDecision(Asked):
    """What a row under review is: the `same` as an organisation, a `new` one, or to be skipped."""

    decision = _one_of(DECISIONS, required=True)
    organisation_id = fields.UUID(load_default=None, allow_none=True)


class ImportAnswer(Schema):
    """An import; `done` of `of` rows are through the phase that it is in, `problem` says why it failed."""

    id = fields.UUID(required=True)
    kind = _one_of(IMPORT_KINDS, required=True)
    source = fields.String(required=True)
    layout = fields.String(required=True)
    file_name = fields.String(required=True, allow_none=True)
    file_sha256 = fields.String(required=True, allow_none=True)
    state = _one_of(IMPORT_STATES, required=True)
    phase = _one_of(IMPORT_PHASES, required=True, allow_none=True)
    done = fields.Integer(required=True)
    of = fields.Integer(required=True)
    read = fields.Integer(required=True)
    added = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    vanished = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    review = fields.Integer(required=True)
    kept = fields.Integer(required=True)
    problem = fields.Nested(SentenceAnswer, required=True, allow_none=True)
    requested_at = fields.AwareDateTime(required=True)
    applied_at = fields.AwareDateTime(required=True, allow_none=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)


class ChangeAnswer(Schema):
    """One field before and after; null is nothing recorded."""

    field = fields.String(required=True)
    old = fields.Raw(required=True, allow_none=True)
    new = fields.Raw(required=True, allow_none=True)


class ReasonAnswer(Schema):
    """Why a row was not taken, or left for review; `field` is null when it is about the whole row."""

    field = fields.String(required=True, allow_none=True)
    message = fields.Nested(SentenceAnswer, required=True)


class CandidateAnswer(Schema):
    """An organisation that a row under review may be about."""

    organisation_id = fields.String(required=True)
    name = fields.String(required=True)
    registry_no = fields.String(required=True, allow_none=True)
    province_code = fields.String(required=True, allow_none=True)
    district = fields.String(required=True, allow_none=True)


class ImportRowAnswer(Schema):
    """What became of one row; `row` is its number in the file, null where it is not in the file any more.

    `organisation_id` is the code in an import of municipalities.
    """

    row = fields.Integer(required=True, allow_none=True)
    outcome = _one_of(OUTCOMES, required=True)
    organisation_id = fields.String(required=True, allow_none=True)
    registry_no = fields.String(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    changes = fields.List(fields.Nested(ChangeAnswer), required=True)
    reasons = fields.List(fields.Nested(ReasonAnswer), required=True)
    candidates = fields.List(fields.Nested(CandidateAnswer), required=True)
