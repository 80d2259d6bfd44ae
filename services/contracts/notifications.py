"""What notifications reads of other services' events, and what may be asked of it.

Only the fields it uses are declared; whatever else an event carries is ignored,
so that a producer may add fields without asking.
"""

from __future__ import annotations

from marshmallow import EXCLUDE, RAISE, Schema, fields, validate


class Heard(Schema):
    """Part of an event: what is not declared is left aside."""

    class Meta:
        """A tolerant reader."""

        unknown = EXCLUDE


class Asked(Schema):
    """The arguments of a question or command: nothing undeclared is accepted."""

    class Meta:
        """A strict reader."""

        unknown = RAISE


class CaseHeard(Heard):
    """What every event of a protocol or of its clocks says about the case."""

    protocol_id = fields.String(required=True)
    reference = fields.String(required=True)
    title = fields.String(required=True)
    municipality = fields.String(required=True)
    municipality_name = fields.String(required=True)
    authority = fields.String(required=True, allow_none=True)
    authority_name = fields.String(required=True, allow_none=True)
    organisation_id = fields.String(required=True)
    organisation_name = fields.String(required=True)


class ProtocolDraftedHeard(CaseHeard):
    """A draft was begun."""

    stage = fields.String(required=True)


ProtocolMovedHeard = CaseHeard.from_dict(
    {
        "move": fields.String(required=True),
        "from": fields.String(required=True),
        "to": fields.String(required=True),
        "turn": fields.String(required=True, allow_none=True),
        "due_on": fields.Date(required=True, allow_none=True),
        "done_on": fields.Date(required=True, allow_none=True),
        "article": fields.String(allow_none=True),
    },
    name="ProtocolMovedHeard",
)
"""A move was made; written as a dict because `from` is a word of Python."""


class ProtocolEnteredIntoForceHeard(CaseHeard):
    """A protocol is in force between two days."""

    starts_on = fields.Date(required=True, allow_none=True)
    ends_on = fields.Date(required=True, allow_none=True)


class ClockHeard(CaseHeard):
    """A legal clock of a case: which one, whose, and until when."""

    kind = fields.String(required=True)
    article = fields.String(required=True, allow_none=True)
    whose = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)


class ClockMovedHeard(ClockHeard):
    """A due date moved; `why` is a word: `calendar`, `pause`, `resume`."""

    from_due_on = fields.Date(required=True, allow_none=True)
    to_due_on = fields.Date(required=True, allow_none=True)
    why = fields.String(required=True)


class StandingHeard(Heard):
    """Whether a protocol with the organisation needs permission, as of a day."""

    permission = fields.String(required=True)
    article = fields.String(required=True, allow_none=True)
    on = fields.Date(required=True)


class OrganisationHeard(Heard):
    """What every event of an organisation says about it."""

    organisation_id = fields.String(required=True)
    registry_no = fields.String(allow_none=True)
    name = fields.String(required=True)
    state = fields.String(required=True)
    standing = fields.Nested(StandingHeard, required=True)


class ProtocolFlaggedHeard(CaseHeard):
    """A file needs a legal review: why, and which permission it would need now."""

    cause = fields.String(required=True)
    now = fields.String(required=True)
    article = fields.String(required=True, allow_none=True)


class ProtocolReviewSettledHeard(CaseHeard):
    """A legal review was settled."""

    outcome = fields.String(required=True)


class ProtocolPartnerChangedHeard(CaseHeard):
    """Another organisation is the partner, or the same by another name."""

    former_organisation_name = fields.String(required=True)
    kind = fields.String(required=True)
    effective_on = fields.Date(required=True)
    stage = fields.String(required=True)


class NamedHeard(Heard):
    """Which organisation an event is about."""

    organisation_id = fields.String(required=True)
    registry_no = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)


class AuditDueHeard(NamedHeard):
    """An audit comes up, is due or overdue."""

    due_on = fields.Date(required=True)
    urgency = fields.String(required=True)
    article = fields.String(required=True)


class StatusEndingHeard(NamedHeard):
    """A status is about to end."""

    kind = fields.String(required=True)
    ends_on = fields.Date(required=True)
    article = fields.String(required=True)


class ClockReminderHeard(ClockHeard):
    """The owner of a clock is to be reminded: `rung` is `before`, `due` or `head`, `days_left` negative when late."""

    rung = fields.String(required=True)
    days_left = fields.Integer(required=True)
    turn = fields.String(allow_none=True)


class PetitionHeard(Heard):
    """What every event of a petition says: no person, no subject line, no text."""

    petition_id = fields.String(required=True)
    number = fields.String(required=True)
    kind = fields.String(required=True)
    municipality = fields.String(required=True)
    municipality_name = fields.String(required=True)
    organisation_id = fields.String(required=True, allow_none=True)
    organisation_name = fields.String(required=True, allow_none=True)


class PetitionSubmittedHeard(PetitionHeard):
    """A petition came in."""

    stage = fields.String(required=True)
    turn = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)


PetitionMovedHeard = PetitionHeard.from_dict(
    {
        "move": fields.String(required=True),
        "from": fields.String(required=True),
        "to": fields.String(required=True),
        "turn": fields.String(required=True, allow_none=True),
        "due_on": fields.Date(required=True, allow_none=True),
        "done_on": fields.Date(required=True, allow_none=True),
        "article": fields.String(allow_none=True),
        "outcome": fields.String(allow_none=True),
        "awaits": fields.String(allow_none=True),
        "addressee": fields.String(allow_none=True),
    },
    name="PetitionMovedHeard",
)
"""A move was made; written as a dict because `from` is a word of Python."""


class PetitionLinkedHeard(PetitionHeard):
    """A protocol came of a proposal."""

    protocol_reference = fields.String(required=True, allow_none=True)
    stage = fields.String()


class PetitionClockHeard(PetitionHeard):
    """A legal clock of a petition; `clock` is its kind, since `kind` is the petition's."""

    clock = fields.String(required=True)
    article = fields.String(required=True, allow_none=True)
    whose = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)


class PetitionClockMovedHeard(PetitionClockHeard):
    """A due date moved; `why` is a word: `pause`, `resume`, `calendar`, `extension`."""

    from_due_on = fields.Date(required=True, allow_none=True)
    to_due_on = fields.Date(required=True, allow_none=True)
    why = fields.String(required=True)


class PetitionReminderHeard(PetitionClockHeard):
    """The owner of a clock is to be reminded."""

    rung = fields.String(required=True)
    days_left = fields.Integer(required=True)
    turn = fields.String(allow_none=True)


class SupportRequestedHeard(PetitionHeard):
    """Someone signed a petition and must confirm it by mail."""

    support_id = fields.String(required=True)


HEARD: dict[str, type[Schema]] = {
    "protocol.drafted.v1": ProtocolDraftedHeard,
    "protocol.moved.v1": ProtocolMovedHeard,
    "protocol.entered_into_force.v1": ProtocolEnteredIntoForceHeard,
    "protocol.flagged.v1": ProtocolFlaggedHeard,
    "protocol.review_settled.v1": ProtocolReviewSettledHeard,
    "protocol.partner_changed.v1": ProtocolPartnerChangedHeard,
    "clock.started.v1": ClockHeard,
    "clock.met.v1": ClockHeard,
    "clock.expired.v1": ClockHeard,
    "clock.moved.v1": ClockMovedHeard,
    "clock.reminder_due.v1": ClockReminderHeard,
    "petition.submitted.v1": PetitionSubmittedHeard,
    "petition.moved.v1": PetitionMovedHeard,
    "petition.protocol_linked.v1": PetitionLinkedHeard,
    "petition.clock_started.v1": PetitionClockHeard,
    "petition.clock_expired.v1": PetitionClockHeard,
    "petition.clock_moved.v1": PetitionClockMovedHeard,
    "petition.reminder_due.v1": PetitionReminderHeard,
    "petition.support_requested.v1": SupportRequestedHeard,
    "organisation.registered.v1": OrganisationHeard,
    "organisation.updated.v1": OrganisationHeard,
    "organisation.status_granted.v1": OrganisationHeard,
    "organisation.status_revoked.v1": OrganisationHeard,
    "organisation.correction_proposed.v1": NamedHeard,
    "organisation.correction_decided.v1": NamedHeard,
    "organisation.audit_due.v1": AuditDueHeard,
    "organisation.status_ending.v1": StatusEndingHeard,
}

MAX_PAGE_SIZE = 200
LANGUAGES = ("tr", "en")


class ListNotifications(Asked):
    """Which page of an office's notifications is wanted, and in which language."""

    page = fields.Integer(load_default=1, validate=validate.Range(min=1))
    size = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MAX_PAGE_SIZE))
    unread = fields.Boolean(load_default=False)
    language = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(LANGUAGES))


class MarkRead(Asked):
    """Which notification was read."""

    notification_id = fields.UUID(required=True)
    language = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(LANGUAGES))


class PageAsked(Asked):
    """Which page is wanted."""

    page = fields.Integer(load_default=1, validate=validate.Range(min=1))
    size = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MAX_PAGE_SIZE))


STREAMS = ("at_once", "daily", "weekly", "off")
DELIVERY_STATES = ("waiting", "sending", "sent", "failed", "suppressed")
MAX_TOPICS = 200


class ListDeliveries(PageAsked):
    """Which page of the deliveries, and in which state."""

    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(DELIVERY_STATES))


class ChosenStream(Asked):
    """How the person wants to hear of a topic."""

    event = fields.String(required=True)
    stream = fields.String(required=True, validate=validate.OneOf(STREAMS))


class ChoosePreference(Asked):
    """What a person chooses; topics that are left out go as by default, all else stays as it is."""

    language = fields.String(allow_none=True, validate=validate.OneOf(LANGUAGES))
    mail = fields.Boolean()
    elsewhere = fields.String(allow_none=True, validate=validate.Length(min=1, max=200))
    events = fields.List(fields.Nested(ChosenStream), load_default=list, validate=validate.Length(max=MAX_TOPICS))


class NotificationAnswer(Schema):
    """A notification as it is served; texts in the language asked for."""

    id = fields.UUID(required=True)
    event_id = fields.UUID(required=True)
    event = fields.String(required=True)
    subject_id = fields.UUID(required=True)
    reference = fields.String(required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    read_at = fields.AwareDateTime(required=True, allow_none=True)
