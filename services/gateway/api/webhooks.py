"""Webhooks: events sent to an office's own programs."""

from __future__ import annotations

from services.gateway import schemas
from services.gateway.http import BASE, Answer, Call, Table
from services.gateway.rate import Rate
from services.gateway.schemas import webhooks as s
from services.kernel.actor import ROLES

TABLE = Table()
TAG = "Events and notifications"
_TESTS = Rate(lambda _: 10, 60)
WRITERS = tuple(role for role in ROLES if role != "auditor")
"""The auditor reads all and changes nothing; nothing of what it sees leaves the house by itself."""


@TABLE.route(
    "POST",
    "/webhooks",
    tag=TAG,
    summary="Have events sent to an address",
    description="From now on, what the office may see and wants is sent there, signed, in the order of each subject, "
    "and tried again for about a day. At most ten an office.",
    body=s.NewWebhookSchema,
    answer=s.NewWebhookAnswerSchema,
    status=201,
    roles=WRITERS,
)
def create_webhook(call: Call) -> Answer:
    """The answer holds the secret, this once."""
    made = call.ports.notifications.create_webhook(actor=call.who, webhook=dict(call.body), key=call.key)
    return Answer(made, location=f"{BASE}/webhooks/{made['id']}")


@TABLE.route(
    "GET",
    "/webhooks",
    tag=TAG,
    summary="My office's webhooks",
    query=schemas.PageQuery,
    answer=s.WebhookPageSchema,
)
def list_webhooks(call: Call) -> Answer:
    """The oldest first."""
    return Answer(call.ports.notifications.list_webhooks(actor=call.who, **call.query))


@TABLE.route("GET", "/webhooks/{id}", tag=TAG, summary="One webhook", answer=s.WebhookSchema)
def webhook(call: Call) -> Answer:
    """How it does."""
    return Answer(call.ports.notifications.webhook(actor=call.who, webhook_id=call.params["id"]))


@TABLE.route("DELETE", "/webhooks/{id}", tag=TAG, summary="Remove a webhook", status=204, roles=WRITERS)
def remove_webhook(call: Call) -> Answer:
    """Its log goes too."""
    call.ports.notifications.remove_webhook(actor=call.who, webhook_id=call.params["id"])
    return Answer()


@TABLE.route(
    "GET",
    "/webhooks/{id}/deliveries",
    tag=TAG,
    summary="What was sent to a webhook",
    query=schemas.PageQuery,
    answer=s.DeliveryPageSchema,
)
def webhook_deliveries(call: Call) -> Answer:
    """The newest first."""
    return Answer(
        call.ports.notifications.webhook_deliveries(actor=call.who, webhook_id=call.params["id"], **call.query)
    )


@TABLE.route(
    "POST",
    "/webhooks/{id}/test",
    tag=TAG,
    summary="Send a test to a webhook now",
    description="The event webhook.tested.v1, once. Whether it arrived stands in the answer. At most ten a minute an "
    "office, and few at the same moment.",
    answer=s.DeliverySchema,
    roles=WRITERS,
    rate=_TESTS,
)
def test_webhook(call: Call) -> Answer:
    """The answer comes after the receiver's."""
    return Answer(call.ports.notifications.test_webhook(actor=call.who, webhook_id=call.params["id"], key=call.key))


@TABLE.route(
    "POST",
    "/webhooks/{id}/activation",
    tag=TAG,
    summary="Switch a webhook on again",
    description="It then gets what it missed, in order. One that is on stays as it is.",
    answer=s.WebhookSchema,
    roles=WRITERS,
)
def activate_webhook(call: Call) -> Answer:
    """Twice is as good as once."""
    return Answer(call.ports.notifications.activate_webhook(actor=call.who, webhook_id=call.params["id"]))
