"""What the registry may be told about keeping its records true: corrections, successions, audits, the watch."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from services.contracts.registry import (
    AUDIT_OUTCOMES,
    CORRECTION_STATES,
    SUCCESSION_KINDS,
    WATCH_KINDS,
    Asked,
    OrganisationChanges,
    Paged,
)
from services.kernel.text import Sentence

LONG = validate.Length(max=5_000)
MOST = 50
"""Successors, organisations that merge at once, or fields of a correction."""


class NewCorrection(Asked):
    """What an organisation says is wrong in its record."""

    changes = fields.Nested(OrganisationChanges, required=True)
    note = fields.String(load_default=None, allow_none=True, validate=LONG)


class FieldDecision(Asked):
    """The answer to one field."""

    field = fields.String(required=True, validate=validate.Length(max=50))
    accept = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = fields.String(load_default=None, allow_none=True, validate=LONG)


class CorrectionDecision(Asked):
    """The answers to some or all fields."""

    decisions = fields.List(fields.Nested(FieldDecision), required=True, validate=validate.Length(min=1, max=MOST))


class CorrectionsWanted(Paged):
    """Which corrections."""

    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(CORRECTION_STATES))
    organisation = fields.UUID(load_default=None, allow_none=True)


class SuccessorGiven(OrganisationChanges):
    """An organisation on record by its id, or the fields of a new one."""

    organisation_id = fields.UUID()

    @validates_schema
    def _known_or_new(self, given: dict[str, Any], **_: Any) -> None:
        needed = () if "organisation_id" in given else ("name", "form")
        missing = {name: [Sentence("This field is needed.")] for name in needed if name not in given}
        if missing:
            raise ValidationError(missing)


def _id_or_place(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValidationError([Sentence("Give the id of an organisation, or the place of a successor from 0.")])


class NewSuccession(Asked):
    """A rename, merger or split, and the decision or document it rests on."""

    kind = fields.String(required=True, validate=validate.OneOf(SUCCESSION_KINDS))
    effective_on = fields.Date(required=True)
    basis = fields.String(required=True, validate=LONG)
    name = fields.String(validate=LONG)
    registry_no = fields.String(allow_none=True, validate=LONG)
    successors = fields.List(fields.Nested(SuccessorGiven), load_default=list, validate=validate.Length(max=MOST))
    also = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=MOST))
    continues = fields.Boolean(truthy={True}, falsy={False}, load_default=False)
    protocols_to = fields.Raw(load_default=None, allow_none=True, validate=_id_or_place)


class NewAudit(Asked):
    """An audit of a public-benefit association (5253/27)."""

    audited_on = fields.Date(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(AUDIT_OUTCOMES))
    report_no = fields.String(load_default=None, allow_none=True, validate=LONG)
    source = fields.String(load_default=None, allow_none=True, validate=LONG)


class WatchWanted(Paged):
    """What falls due up to and with a day; without one as far ahead as warnings are given."""

    kind = fields.String(load_default=WATCH_KINDS[0], validate=validate.OneOf(WATCH_KINDS))
    before = fields.Date(load_default=None, allow_none=True)
    province = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=50))
