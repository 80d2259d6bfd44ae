"""What the interface takes and gives of audits and of what falls due."""

from __future__ import annotations

from marshmallow import fields

from services.contracts.registry import AUDIT_OUTCOMES, URGENCIES, WATCH_KINDS
from services.gateway.fields import AnswerSchema, Day, Moment, RequestSchema, Text, Word
from services.gateway.schemas import PageQuery, StatusSchema, _Page


class NewAuditSchema(RequestSchema):
    """An audit of a public-benefit association (5253/27)."""

    audited_on = Day(required=True)
    outcome = Word(AUDIT_OUTCOMES, required=True)
    report_no = Text(100, allow_none=True)
    source = Text(300, allow_none=True, metadata={"description": "Where this is known from."})


class AuditSchema(AnswerSchema):
    """A recorded audit."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    organisation_id = fields.String(required=True, metadata={"format": "uuid"})
    audited_on = Day(required=True)
    outcome = Word(AUDIT_OUTCOMES, required=True)
    report_no = fields.String(allow_none=True)
    source = fields.String(allow_none=True)
    recorded_at = Moment(required=True)
    recorded_by = fields.String(required=True, metadata={"description": "The office."})


class RecordedAuditSchema(AuditSchema):
    """An audit with what follows from it."""

    audit_due_on = Day(allow_none=True, metadata={"description": "When the next one is due; null: none."})
    organisation_version = fields.Integer(required=True)


class AuditPageSchema(_Page):
    """A page of audits, the newest first."""

    items = fields.List(fields.Nested(AuditSchema), required=True)


class StatusWatchQuery(PageQuery):
    """What falls due, up to and with which day."""

    kind = Word(WATCH_KINDS, load_default=WATCH_KINDS[0])
    before = Day(metadata={"description": "Where left out: as far ahead as warnings are given."})
    province = Text(50, 0, metadata={"description": "Plate number or name of the province.", "examples": ["34"]})


class WatchedOrganisationSchema(AnswerSchema):
    """The organisation that something falls due for."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    name = fields.String(required=True)
    registry_no = fields.String(allow_none=True)
    province_code = fields.String(allow_none=True)


class WatchedSchema(AnswerSchema):
    """An audit that is due, or a status that ends."""

    kind = Word(WATCH_KINDS, required=True)
    organisation = fields.Nested(WatchedOrganisationSchema, required=True)
    status = fields.Nested(StatusSchema, required=True)
    due_on = Day(required=True, metadata={"description": "Of a status: its last day."})
    last_audit_on = Day(allow_none=True)
    urgency = Word(URGENCIES, required=True)
    article = fields.String(required=True)


class StatusWatchSchema(_Page):
    """A page of what falls due, the nearest first."""

    items = fields.List(fields.Nested(WatchedSchema), required=True)
