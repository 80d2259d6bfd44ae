"""What may be asked about webhooks, and how one is shown."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.contracts import petitions, protocols, registry
from services.contracts.notifications import MAX_PAGE_SIZE, Asked

EVENTS = tuple(sorted({*protocols.EVENTS, *registry.TOLD, *petitions.EVENTS}))
"""Every event that there is, by name."""
EVERY_EVENT = "*"
WANTED = (*EVENTS, EVERY_EVENT)
STATES = ("active", "off")
DELIVERY_STATES = ("waiting", "delivered", "given_up", "sending", "failed")
MOST_EVENTS = 200
LONGEST_URL = 2_000


class NewWebhook(Asked):
    """Where an office wants which events sent."""

    url = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_URL))
    events = fields.List(
        fields.String(validate=validate.OneOf(WANTED)),
        required=True,
        validate=validate.Length(min=1, max=MOST_EVENTS),
    )


class OneWebhook(Asked):
    """Which webhook."""

    webhook_id = fields.UUID(required=True)


class ListWebhooks(Asked):
    """Which page of an office's webhooks."""

    page = fields.Integer(load_default=1, validate=validate.Range(min=1))
    size = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MAX_PAGE_SIZE))


class ListDeliveries(ListWebhooks):
    """Which page of a webhook's log."""

    webhook_id = fields.UUID(required=True)


class WebhookAnswer(Schema):
    """A webhook as its office sees it; what it signs with is told once, when it is made."""

    id = fields.String(required=True)
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    state = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    last_success_at = fields.AwareDateTime(required=True, allow_none=True)
    failing_since = fields.AwareDateTime(required=True, allow_none=True)
    switched_off_at = fields.AwareDateTime(required=True, allow_none=True)
    switched_off_because = fields.Raw(required=True, allow_none=True)
    waiting = fields.Integer(required=True)


class DeliveryAnswer(Schema):
    """One event on its way to a webhook."""

    id = fields.String(required=True)
    event_id = fields.String(required=True)
    event = fields.String(required=True)
    subject_id = fields.String(required=True)
    state = fields.String(required=True)
    attempts = fields.Integer(required=True)
    status = fields.Integer(required=True, allow_none=True)
    cause = fields.Raw(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    tried_at = fields.AwareDateTime(required=True, allow_none=True)
    next_at = fields.AwareDateTime(required=True, allow_none=True)
