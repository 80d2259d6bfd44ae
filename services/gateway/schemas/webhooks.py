"""What the interface takes and gives of webhooks and of what was given up."""

from __future__ import annotations

from marshmallow import fields

from services.contracts.webhooks import DELIVERY_STATES, LONGEST_URL, MOST_EVENTS, STATES, WANTED
from services.gateway.fields import AnswerSchema, Items, Moment, RequestSchema, Shaped, Word
from services.gateway.schemas import _id, _moment, _number, _Page, _said, _text

RECEIVER = r"^https?://[!-~]+$"
LETTER_KINDS = ("event", "delivery", "webhook")


class NewWebhookSchema(RequestSchema):
    """Where events are to be sent, and which."""

    url = Shaped(
        RECEIVER,
        "https://example.org/imece",
        LONGEST_URL,
        required=True,
        metadata=_said(
            "https, without user name, password or a part behind #. It must be on the open internet, or in a "
            "network of the house that this installation allows; there http will do."
        ),
    )
    events = Items(
        Word(WANTED),
        longest=MOST_EVENTS,
        least=1,
        required=True,
        metadata=_said("Names of events; * for every one. Only what the office may see is sent."),
    )


class WebhookSchema(AnswerSchema):
    """An address to which events are sent."""

    id = _id()
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    state = Word(STATES, required=True, metadata=_said("Off: it failed for too long, or answered 410."))
    created_at = Moment(required=True)
    last_success_at = _moment("When it last took something.")
    failing_since = _moment("Since when it takes nothing; null while it does.")
    switched_off_at = _moment()
    switched_off_because = _text("A sentence for the person.")
    waiting = fields.Integer(required=True, metadata=_said("Deliveries that wait. More may wait in the feed itself."))


class NewWebhookAnswerSchema(WebhookSchema):
    """A new webhook with its secret."""

    secret = fields.String(
        required=True, metadata=_said("What deliveries are signed with (Imece-Signature). It is shown this once.")
    )


class WebhookPageSchema(_Page):
    """A page of the office's webhooks, the oldest first."""

    items = fields.List(fields.Nested(WebhookSchema), required=True)


class DeliverySchema(AnswerSchema):
    """One event on its way to a webhook."""

    id = _id("The same at every try: Imece-Delivery.")
    event_id = _id()
    event = fields.String(required=True)
    subject_id = _id("Events of one subject arrive in their order.")
    state = Word(DELIVERY_STATES, required=True, metadata=_said("sending and failed: of a test, which is tried once."))
    attempts = fields.Integer(required=True)
    status = _number("What the receiver answered last.")
    cause = _text("Why the last try was none of success: a sentence for the person.")
    created_at = Moment(required=True)
    tried_at = _moment()
    next_at = _moment("When it is due; an earlier event of its subject may hold it up.")


class DeliveryPageSchema(_Page):
    """A page of a webhook's deliveries, the newest first; those that arrived are kept for 30 days."""

    items = fields.List(fields.Nested(DeliverySchema), required=True)


class DeadLetterSchema(AnswerSchema):
    """Something that was given up and waits for a person."""

    id = _id()
    kind = Word(LETTER_KINDS, required=True)
    of = fields.String(required=True, metadata=_said("The consumer's queue, or the office that was to be reached."))
    event = _text("Null for a message that is no event.")
    event_id = _id(nullable=True)
    cause = fields.String(required=True)
    attempts = fields.Integer(required=True)
    since = Moment(required=True)


class DeadLetterPageSchema(_Page):
    """A page of dead letters, service by service, the oldest first in each."""

    items = fields.List(fields.Nested(DeadLetterSchema), required=True)
