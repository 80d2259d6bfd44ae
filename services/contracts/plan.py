"""What petitions may be told and asked about strategic plans and the proposals to them."""

from __future__ import annotations

from marshmallow import fields, validate

from services.contracts.petitions import TYPES
from services.contracts.registry import Asked, Paged

PLAN_LEVELS = ("goal", "target", "indicator", "activity")
PLAN_MEASURES = ("annual", "cumulative")
PLAN_DIRECTIONS = ("increase", "decrease")
PLAN_IMPORT_STATES = ("ready", "applied", "refused")
PLAN_OUTCOMES = ("added", "changed", "removed", "withdrawn")
PLAN_LAYOUTS = ("rows", "levels")
PLAN_RULES = (
    "missing_measure",
    "cumulative_falls",
    "annual_looks_cumulative",
    "unknown_code",
    "budget_sum",
    "year_outside_plan",
    "below_baseline",
    "done_without_budget",
    "programme_differs",
)
PETITION_STAGES = (
    "received",
    "registered",
    "assigned",
    "awaiting_completion",
    "proposal_accepted",
    "forwarded",
    "answered",
    "declined",
    "withdrawn",
)

MAX_HEADING = 300
MAX_COLUMNS = 200
MAX_PLAN_ROWS = 6_000
MAX_PLAN_CELL = 2_000
MAX_PLAN_LETTERS = 4_000_000
"""Of all cells together, so that a file stays one message."""

_CODE = validate.Regexp(r"[0-9]{2}-[0-9]{2,3}\Z")
_HEADER = fields.List(
    fields.String(validate=validate.Length(max=MAX_HEADING)),
    required=True,
    validate=validate.Length(min=1, max=MAX_COLUMNS),
)


class NewPlanImport(Asked):
    """A plan's file: the kept columns, and rows as [number, [cells]] or, where one cannot be read, [number, null, why]."""

    municipality = fields.String(load_default=None, allow_none=True, validate=_CODE)
    title = fields.String(load_default=None, allow_none=True, validate=validate.Length(min=1, max=500))
    first_year = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(min=2000, max=2100)
    )
    last_year = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(min=2000, max=2100)
    )
    apply = fields.Boolean(load_default=False)
    file_name = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))
    file_sha256 = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z"))
    header = _HEADER
    ignored = fields.List(
        fields.String(validate=validate.Length(max=MAX_HEADING)),
        load_default=list,
        validate=validate.Length(max=MAX_COLUMNS),
    )
    rows = fields.List(fields.Raw(), required=True, validate=validate.Length(max=MAX_PLAN_ROWS + 1))


class ProposalSearch(Paged):
    """Which proposals of a municipality."""

    activity = fields.UUID(load_default=None, allow_none=True)
    stakeholder = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(TYPES))
    stage = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(PETITION_STAGES))


class WarningSearch(Paged):
    """Which warnings about a plan."""

    rule = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(PLAN_RULES))
