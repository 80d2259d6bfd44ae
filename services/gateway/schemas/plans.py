"""What the interface takes and gives of strategic plans and the proposals to them."""

from __future__ import annotations

from marshmallow import fields

from services.contracts.petitions import TYPES
from services.contracts.plan import (
    PETITION_STAGES,
    PLAN_DIRECTIONS,
    PLAN_IMPORT_STATES,
    PLAN_LAYOUTS,
    PLAN_LEVELS,
    PLAN_MEASURES,
    PLAN_OUTCOMES,
    PLAN_RULES,
)
from services.gateway.fields import (
    AnswerSchema,
    Count,
    Day,
    File,
    Flag,
    Identifier,
    Moment,
    RequestSchema,
    Shaped,
    Text,
    Word,
)
from services.gateway.schemas import CODE, PageQuery, _Page

EARLIEST, LATEST = 2000, 2100
_PROPOSAL_KINDS = ("partnership_proposal", "opinion")


def _number(text: str, *, needed: bool = True) -> fields.String:
    return fields.String(required=needed, allow_none=True, metadata={"description": text})


class PlanImportForm(RequestSchema):
    """A plan, or figures of one, as a table."""

    file = File(
        required=True,
        metadata={
            "description": "CSV (UTF-8 or Windows-1254; comma, semicolon or tab) or XLSX. Either with a column row "
            "(goal, target, indicator, activity, report, programme) or with the columns Amaç, Hedef, Gösterge, Faaliyet."
        },
    )
    municipality = Shaped(CODE, "34-35", metadata={"description": "By default the caller's own."})
    title = Text(500, metadata={"description": "Needed unless the file brings only figures, as are both years."})
    first_year = Count(EARLIEST, LATEST, as_text=True)
    last_year = Count(EARLIEST, LATEST, as_text=True)
    apply = Flag(
        as_text=True,
        load_default=False,
        metadata={"description": "Put it in place, when nothing is wrong with it; false by default."},
    )


class PlanProblemSchema(AnswerSchema):
    """What is wrong with a field of a row."""

    row = fields.Integer(required=True, allow_none=True, metadata={"description": "Null for the whole file."})
    field = fields.String(required=True)
    message = fields.String(required=True)


class PlanChangeSchema(AnswerSchema):
    """What becomes of a line; withdrawn is an activity that left the plan and has proposals."""

    level = Word(PLAN_LEVELS, required=True)
    code = fields.String(required=True)
    title = fields.String(required=True)
    outcome = Word(PLAN_OUTCOMES, required=True)


class PlanWarningSchema(AnswerSchema):
    """Something that does not fit."""

    rule = Word(PLAN_RULES, required=True)
    label = fields.String(required=True, metadata={"description": "The rule's name for people."})
    code = fields.String(required=True)
    year = fields.Integer(required=True, allow_none=True)
    message = fields.String(required=True)


class PlanImportSchema(AnswerSchema):
    """What was found in a file; of each list at most the first 500, beside how many there are."""

    id = Identifier(required=True)
    municipality = fields.String(required=True)
    state = Word(
        PLAN_IMPORT_STATES,
        required=True,
        metadata={"description": "ready: a trial without problems; refused: there are problems, nothing was changed."},
    )
    requested_at = Moment(required=True)
    file_name = fields.String(required=True, allow_none=True)
    file_sha256 = fields.String(required=True, allow_none=True)
    layout = Word(PLAN_LAYOUTS, required=True)
    ignored = fields.List(
        fields.String(), required=True, metadata={"description": "Headings of columns that were left out."}
    )
    title = fields.String(required=True, allow_none=True)
    first_year = fields.Integer(required=True, allow_none=True)
    last_year = fields.Integer(required=True, allow_none=True)
    plan_version = fields.Integer(required=True, allow_none=True, metadata={"description": "Null until it is applied."})
    read = fields.Integer(required=True, metadata={"description": "Rows below the header."})
    added = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    removed = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True)
    figures = fields.Integer(required=True, metadata={"description": "Reported and programmed figures that are new."})
    problem_count = fields.Integer(required=True)
    problems = fields.List(fields.Nested(PlanProblemSchema), required=True)
    change_count = fields.Integer(required=True)
    changes = fields.List(fields.Nested(PlanChangeSchema), required=True)
    warning_count = fields.Integer(required=True)
    warnings = fields.List(fields.Nested(PlanWarningSchema), required=True)


class YearValueSchema(AnswerSchema):
    """The value of a year, as decimal text."""

    year = fields.Integer(required=True)
    value = fields.String(required=True)


class YearAmountSchema(AnswerSchema):
    """The money of a year, lira as decimal text."""

    year = fields.Integer(required=True)
    amount = fields.String(required=True)


class PlanIndicatorSchema(AnswerSchema):
    """An indicator."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    measure = Word(
        PLAN_MEASURES,
        required=True,
        allow_none=True,
        metadata={
            "description": "annual: of that year alone; cumulative: of all years so far; null: the plan does not say."
        },
    )
    direction = Word(PLAN_DIRECTIONS, required=True, allow_none=True)
    baseline = _number("The value before the plan.")
    planned = fields.List(fields.Nested(YearValueSchema), required=True)
    reported = fields.List(fields.Nested(YearValueSchema), required=True)


class PlanActivitySchema(AnswerSchema):
    """An activity; proposals are made to its id."""

    id = Identifier(required=True)
    code = fields.String(required=True)
    title = fields.String(required=True)
    responsible = fields.String(
        required=True, allow_none=True, metadata={"description": "The unit that carries it out."}
    )
    years = fields.List(fields.Integer(), required=True)
    budget = fields.List(fields.Nested(YearAmountSchema), required=True)


class PlanTargetSchema(AnswerSchema):
    """A target with its indicators and activities."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    total = _number("The budget of all years, as the plan states it.")
    indicators = fields.List(fields.Nested(PlanIndicatorSchema), required=True)
    activities = fields.List(fields.Nested(PlanActivitySchema), required=True)


class PlanGoalSchema(AnswerSchema):
    """A goal with its targets."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    total = _number("The budget of all years, as the plan states it.")
    targets = fields.List(fields.Nested(PlanTargetSchema), required=True)


class PlanSchema(AnswerSchema):
    """A municipality's strategic plan; at most 50 goals, 500 targets, 2,000 indicators and 2,000 activities."""

    municipality = fields.String(required=True)
    version = fields.Integer(
        required=True, metadata={"description": "Grows with every import; the ETag is this number in quotation marks."}
    )
    title = fields.String(required=True)
    first_year = fields.Integer(required=True)
    last_year = fields.Integer(required=True)
    applied_at = Moment(required=True)
    goals = fields.List(fields.Nested(PlanGoalSchema), required=True)


class PlanNameSchema(AnswerSchema):
    """The plan that an activity is of."""

    title = fields.String(required=True)
    first_year = fields.Integer(required=True)
    last_year = fields.Integer(required=True)


class CodedSchema(AnswerSchema):
    """A goal or a target by name."""

    code = fields.String(required=True)
    title = fields.String(required=True)


class ReportedActivitySchema(AnswerSchema):
    """What was reported of an activity for a year."""

    year = fields.Integer(required=True)
    spent = fields.String(required=True, allow_none=True)
    done = fields.Boolean(required=True, allow_none=True)


class StageCountSchema(AnswerSchema):
    """How many stand at a stage."""

    stage = Word(PETITION_STAGES, required=True)
    count = fields.Integer(required=True)


class CountedSchema(AnswerSchema):
    """How many proposals there are, by stage."""

    total = fields.Integer(required=True)
    stages = fields.List(fields.Nested(StageCountSchema), required=True)


class PublicCountSchema(AnswerSchema):
    """How many proposals an activity has; of persons only the number, and only from five on."""

    institutions = fields.Nested(CountedSchema, required=True)
    persons = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null: one to four, who might be recognised."}
    )


class ActivityPageSchema(PlanActivitySchema):
    """An activity with its place in the plan and the numbers of its proposals."""

    plan = fields.Nested(PlanNameSchema, required=True)
    goal = fields.Nested(CodedSchema, required=True, allow_none=True)
    target = fields.Nested(CodedSchema, required=True, allow_none=True)
    open = fields.Boolean(
        required=True,
        metadata={"description": "Whether proposals can be made to it: it stands in the plan that holds."},
    )
    reported = fields.List(fields.Nested(ReportedActivitySchema), required=True)
    proposals = fields.Nested(PublicCountSchema, required=True)


class PlanWarningsQuery(PageQuery):
    """Which warnings."""

    rule = Word(PLAN_RULES)


class PlanWarningPageSchema(_Page):
    """A page of warnings."""

    items = fields.List(fields.Nested(PlanWarningSchema), required=True)


class ProposalsFilter(RequestSchema):
    """Which proposals."""

    activity = Identifier(metadata={"description": "The activity that they were made to."})
    stakeholder = Word(TYPES)
    stage = Word(PETITION_STAGES)


class ProposalsQuery(ProposalsFilter, PageQuery):
    """Which proposals; the newest come first."""


class ActivityNameSchema(AnswerSchema):
    """An activity by name."""

    id = Identifier(required=True)
    code = fields.String(required=True)
    title = fields.String(required=True)


class ProposalSchema(AnswerSchema):
    """A proposal or opinion; the petition itself is at /petitions/{id}."""

    id = Identifier(required=True)
    number = fields.String(required=True)
    kind = Word(_PROPOSAL_KINDS, required=True)
    stage = Word(PETITION_STAGES, required=True)
    outcome = fields.String(required=True, allow_none=True)
    petitioner_type = Word(TYPES, required=True)
    organisation_id = Identifier(required=True, allow_none=True)
    institution = fields.String(
        required=True, allow_none=True, metadata={"description": "The institution's name; never a person's."}
    )
    subject = fields.String(required=True, allow_none=True)
    activity = fields.Nested(ActivityNameSchema, required=True, allow_none=True)
    filed_on = Day(required=True)
    supporters = fields.Integer(required=True)


class ActivityGroupSchema(CountedSchema):
    """The proposals to one activity; null for those that name none."""

    activity = fields.Nested(ActivityNameSchema, required=True, allow_none=True)


class StakeholderGroupSchema(CountedSchema):
    """The proposals of one kind of petitioner."""

    petitioner_type = Word(TYPES, required=True)


class ProposalGroupsSchema(AnswerSchema):
    """All that were asked for, in numbers; of activities the 500 with the most."""

    activities = fields.List(fields.Nested(ActivityGroupSchema), required=True)
    stakeholders = fields.List(fields.Nested(StakeholderGroupSchema), required=True)


class ProposalPageSchema(_Page):
    """A page of proposals, with the groups of all pages."""

    items = fields.List(fields.Nested(ProposalSchema), required=True)
    groups = fields.Nested(ProposalGroupsSchema, required=True)
