"""What protocols takes in and tells."""

from __future__ import annotations

from marshmallow import EXCLUDE, RAISE, Schema, fields, validate

SHORT = validate.Length(min=1, max=200)
LONG = validate.Length(min=1, max=20_000)
TEXT = validate.Length(min=1, max=400_000)
COUNT = validate.Range(min=0, max=2_000)
LETTER = validate.Length(min=1, max=100)


class Strict(Schema):
    """Refuses fields it does not know."""

    class Meta:
        """Strict loading."""

        unknown = RAISE


class ContributionSchema(Strict):
    """What one side brings to the project."""

    party = fields.String(required=True, validate=validate.OneOf(["municipality", "organisation"]))
    kind = fields.String(required=True, validate=validate.OneOf(["cash", "in_kind", "staff", "premises", "service"]))
    recipient = fields.String(required=True, validate=validate.OneOf(["project", "organisation"]))
    description = fields.String(required=True, validate=validate.Length(min=1, max=2_000))
    amount = fields.Decimal(
        allow_none=True,
        as_string=True,
        places=2,
        validate=validate.Range(min=0, max=10**13),
        metadata={"description": "Turkish lira, as a decimal string"},
    )


class DraftSchema(Strict):
    """A protocol to be drafted."""

    municipality = fields.String(required=True, validate=validate.Length(min=1, max=10))
    organisation_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["joint_service_project", "sister_city"]))
    title = fields.String(required=True, validate=SHORT)
    subject = fields.String(required=True, validate=validate.Length(min=1, max=5_000))
    municipal_duty = fields.String(
        required=True,
        validate=validate.Length(min=1, max=1_000),
        metadata={"description": "The municipal duty that the project serves (5393/14, 75)"},
    )
    starts_on = fields.Date(required=True)
    term_months = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=96))
    funder_deadline = fields.Date(allow_none=True)
    zoning = fields.Boolean(truthy={True}, falsy={False}, load_default=False)
    text = fields.String(required=True, validate=TEXT)
    contributions = fields.List(fields.Nested(ContributionSchema), load_default=list, validate=validate.Length(max=200))


class TextSchema(Strict):
    """A new version of a draft's text."""

    text = fields.String(required=True, validate=TEXT)


class VotesSchema(Strict):
    """One recorded vote of the council (5393/22)."""

    mode = fields.String(required=True, validate=validate.OneOf(["open", "roll_call", "secret"]))
    present = fields.Integer(required=True, strict=True, validate=COUNT)
    accept = fields.Integer(required=True, strict=True, validate=COUNT)
    reject = fields.Integer(required=True, strict=True, validate=COUNT)
    abstain = fields.Integer(strict=True, load_default=0, validate=COUNT)
    recused = fields.Integer(strict=True, load_default=0, validate=COUNT)
    chair = fields.String(allow_none=True, validate=validate.OneOf(["accept", "reject", "abstain"]))
    full_membership = fields.Integer(strict=True, allow_none=True, validate=validate.Range(min=1, max=2_000))
    lot = fields.String(
        allow_none=True,
        validate=validate.OneOf(["accept", "reject"]),
        metadata={"description": "Outcome of the lot after a second secret tie"},
    )
    reconvened = fields.Boolean(
        truthy={True},
        falsy={False},
        load_default=False,
        metadata={"description": "The sitting was called again for want of quorum; a quarter suffices"},
    )


class SignatorySchema(Strict):
    """Who signs for a party; the name is kept with the file and goes into no event."""

    party = fields.String(required=True, validate=validate.OneOf(["municipality", "organisation"]))
    title = fields.String(required=True, validate=SHORT)
    name = fields.String(validate=SHORT)
    authority_document = fields.String(validate=SHORT)
    mandate_from = fields.Date(allow_none=True)
    mandate_until = fields.Date(allow_none=True)


REVIEW_OUTCOMES = ("continues", "seek_permission", "terminate_advised")


class SettlementSchema(Strict):
    """What the legal unit says of a flagged file."""

    opinion = fields.String(required=True, validate=LONG)
    outcome = fields.String(required=True, validate=validate.OneOf(REVIEW_OUTCOMES))


DOCUMENTS = fields.List(fields.String(validate=SHORT), validate=validate.Length(min=1, max=50))


class MoveSchema(Strict):
    """The fields of a move; which of them a move needs, `GET /procedures/protocol` says."""

    note = fields.String(validate=validate.Length(max=5_000))
    reason = fields.String(validate=LONG)
    sitting_on = fields.Date()
    decision_no = fields.String(validate=LETTER)
    commission = fields.String(validate=SHORT)
    votes = fields.Nested(VotesSchema)
    without_commission_votes = fields.Nested(VotesSchema)
    opinion = fields.String(validate=validate.OneOf(["favourable", "favourable_with_changes", "unfavourable"]))
    text = fields.String(validate=TEXT)
    legal_reason = fields.String(validate=LONG)
    sent_on = fields.Date()
    letter_no = fields.String(validate=LETTER)
    received_on = fields.Date()
    registry_no = fields.String(validate=LETTER)
    decided_on = fields.Date()
    conditions = fields.String(validate=LONG)
    legal_ground = fields.String(validate=LONG)
    documents = DOCUMENTS
    court = fields.String(validate=SHORT)
    file_no = fields.String(validate=LETTER)
    published_on = fields.Date()
    filed_on = fields.Date()
    signed_on = fields.Date()
    signatories = fields.List(fields.Nested(SignatorySchema), validate=validate.Length(min=1, max=20))
    text_sha256 = fields.String(validate=validate.Regexp(r"^[0-9a-fA-F]{64}\Z"))
    starts_on = fields.Date()
    term_months = fields.Integer(strict=True, validate=validate.Range(min=1, max=96))


class ProposalHeard(Schema):
    """What protocols reads of an accepted proposal."""

    class Meta:
        """Later versions may say more."""

        unknown = EXCLUDE

    petition_id = fields.String(required=True)
    number = fields.String(required=True)
    municipality = fields.String(required=True)
    organisation_id = fields.String(required=True)
    title = fields.String(required=True, validate=SHORT)
    subject = fields.String(required=True, validate=validate.Length(min=1, max=5_000))
    municipal_duty = fields.String(required=True, validate=validate.Length(min=1, max=1_000))
    starts_on = fields.Date(required=True)
    term_months = fields.Integer(required=True, validate=validate.Range(min=1, max=96))
    funder_deadline = fields.Date(load_default=None, allow_none=True)
    text = fields.String(load_default=None, allow_none=True, validate=TEXT)


# events


class CaseData(Schema):
    """What every event of a protocol says; institutions only."""

    class Meta:
        """Later versions may say more."""

        unknown = EXCLUDE

    protocol_id = fields.UUID(required=True)
    reference = fields.String(required=True)
    title = fields.String(required=True)
    municipality = fields.String(required=True)
    municipality_name = fields.String(required=True)
    authority = fields.String(required=True)
    authority_name = fields.String(required=True)
    organisation_id = fields.UUID(required=True)
    organisation_name = fields.String(required=True)
    petition_id = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "The petition that proposed the protocol"}
    )


class ProtocolDraftedV1Data(CaseData):
    """A draft was begun."""

    stage = fields.String(required=True)


class ProtocolMovedV1Data(CaseData):
    """An act was done."""

    move = fields.String(required=True)
    from_stage = fields.String(required=True, data_key="from")
    to_stage = fields.String(required=True, data_key="to")
    turn = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)
    done_on = fields.Date(required=True)
    article = fields.String(load_default="")


class ProtocolEnteredIntoForceV1Data(CaseData):
    """The protocol binds both sides."""

    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)


class ProtocolFlaggedV1Data(CaseData):
    """The file needs a legal review; `was` and `now` are permissions."""

    cause = fields.String(required=True)
    was = fields.String(required=True)
    now = fields.String(required=True)
    article = fields.String(required=True)
    stage = fields.String(required=True)


class ProtocolReviewSettledV1Data(CaseData):
    """The legal review was settled, or its cause went away."""

    outcome = fields.String(required=True)
    stage = fields.String(required=True)


class ProtocolPartnerChangedV1Data(CaseData):
    """Another organisation, or the same by another name, is the partner from now on."""

    former_organisation_id = fields.UUID(required=True)
    former_organisation_name = fields.String(required=True)
    kind = fields.String(required=True)
    effective_on = fields.Date(required=True)
    stage = fields.String(required=True)


class ClockData(CaseData):
    """What every event of a clock says."""

    clock_id = fields.UUID(required=True)
    kind = fields.String(required=True)
    article = fields.String(required=True)
    whose = fields.String(required=True)
    started_on = fields.Date(required=True)
    due_on = fields.Date(required=True, allow_none=True)
    state = fields.String(required=True)


class ClockMovedV1Data(ClockData):
    """A due date changed."""

    from_due_on = fields.Date(required=True, allow_none=True)
    to_due_on = fields.Date(required=True, allow_none=True)
    why = fields.String(required=True)


class ClockReminderDueV1Data(ClockData):
    """The owner of a clock is reminded, or whose turn it is before the owner can act; days are the clock's own."""

    rung = fields.String(required=True, validate=validate.OneOf(["before", "due", "head"]))
    days_left = fields.Integer(required=True)
    turn = fields.String(allow_none=True)


class ProtocolDraftFailedV1Data(Schema):
    """No protocol could be drafted from an accepted proposal."""

    class Meta:
        """Later versions may say more."""

        unknown = EXCLUDE

    petition_id = fields.UUID(required=True)
    municipality = fields.String(required=True)
    organisation_id = fields.UUID(required=True)
    reasons = fields.List(fields.Dict(keys=fields.String()), required=True)


EVENTS: dict[str, type[Schema]] = {
    "protocol.drafted.v1": ProtocolDraftedV1Data,
    "protocol.moved.v1": ProtocolMovedV1Data,
    "protocol.entered_into_force.v1": ProtocolEnteredIntoForceV1Data,
    "protocol.flagged.v1": ProtocolFlaggedV1Data,
    "protocol.review_settled.v1": ProtocolReviewSettledV1Data,
    "protocol.partner_changed.v1": ProtocolPartnerChangedV1Data,
    "clock.started.v1": ClockData,
    "clock.met.v1": ClockData,
    "clock.expired.v1": ClockData,
    "clock.moved.v1": ClockMovedV1Data,
    "clock.cancelled.v1": ClockData,
    "clock.reminder_due.v1": ClockReminderDueV1Data,
    "protocol.draft_failed.v1": ProtocolDraftFailedV1Data,
}
"""Wire name → schema of `data`."""
