"""Messages to people: what they choose, what was sent, which addresses are suppressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.gateway.http import Answer, Call, Table
from services.gateway.pages import unsubscribe as pages
from services.gateway.rate import Rate
from services.gateway.schemas import PageQuery
from services.gateway.schemas import messages as s
from services.kernel.errors import NotFound

TABLE = Table()
TAG = "Events and notifications"
ADMINISTRATOR = ("administrator",)
_PER_ADDRESS = Rate(lambda settings: settings.tracking_per_minute, 60)
_PAGE = {"Content-Security-Policy": pages.POLICY}


@TABLE.route(
    "GET",
    "/preferences",
    tag=TAG,
    summary="What I am sent, when and in which language",
    description="Every topic with its default and what I chose. What was chosen concerns what happens from now on.",
    answer=s.PreferenceSchema,
    etag=True,
    access="user",
)
def preferences(call: Call) -> Answer:
    """The caller's choices."""
    found = call.ports.notifications.preferences(user_id=call.caller.user.id)
    return Answer(found, version=found["version"])


@TABLE.route(
    "PUT",
    "/preferences",
    tag=TAG,
    summary="Choose what is sent to me",
    description="Topics that are left out go as by default; all else that is left out stays as it is. "
    "In İmece the office is told whatever its holders choose.",
    body=s.PreferenceChangeSchema,
    answer=s.PreferenceSchema,
    etag=True,
    access="user",
    if_match="needed",
)
def choose_preferences(call: Call) -> Answer:
    """The choices put in the place of the former ones."""
    found = call.ports.notifications.choose(
        user_id=call.caller.user.id, expected_version=call.expected_version, **call.body
    )
    return Answer(found, version=found["version"])


@TABLE.route(
    "GET",
    "/deliveries",
    tag=TAG,
    summary="What was sent, to whom it went and what became of it",
    description="A user sees the own log; the administrator sees everyone's. No address and no text is kept in it.",
    query=s.MessagesQuery,
    answer=s.MessagePageSchema,
    access="user",
)
def list_deliveries(call: Call) -> Answer:
    """The newest first."""
    return Answer(
        call.ports.notifications.list_deliveries(
            actor=call.who if call.office else None, user_id=call.caller.user.id, **call.query
        )
    )


@TABLE.route(
    "GET",
    "/suppressions",
    tag=TAG,
    summary="Addresses to which no mail is sent",
    description="Those that a mail server refused for good. They are shown masked.",
    query=PageQuery,
    answer=s.SuppressionPageSchema,
    roles=ADMINISTRATOR,
)
def list_suppressions(call: Call) -> Answer:
    """The newest first."""
    return Answer(call.ports.notifications.list_suppressions(**call.query))


@TABLE.route(
    "DELETE",
    "/suppressions/{id}",
    tag=TAG,
    summary="Send to an address again",
    status=204,
    roles=ADMINISTRATOR,
)
def allow_address_again(call: Call) -> Answer:
    """The address is taken off the list."""
    call.ports.notifications.allow_again(suppression_id=call.params["id"])
    return Answer()


@TABLE.route(
    "GET",
    "/unsubscribe/{token}",
    tag=TAG,
    summary="Whether the mails of a link are on",
    description="The link stands in every mail. Looking at it changes nothing.",
    answer=s.SubscriptionSchema,
    access="public",
    rate=_PER_ADDRESS,
)
def subscription(call: Call) -> Answer:
    """The state behind the link."""
    return Answer(call.ports.notifications.subscription(token=call.params["token"]))


@TABLE.route(
    "POST",
    "/unsubscribe/{token}",
    tag=TAG,
    summary="Stop the mails of a link",
    description="One click and no sign-in (RFC 8058); the body is not read. In İmece everything is shown as before.",
    answer=s.SubscriptionSchema,
    access="public",
    any_body=True,
    rate=_PER_ADDRESS,
)
def unsubscribe(call: Call) -> Answer:
    """Once is enough; twice changes nothing."""
    return Answer(call.ports.notifications.unsubscribe(token=call.params["token"]))


@TABLE.route(
    "GET",
    "/unsubscribe/{token}",
    tag=TAG,
    summary="The page behind the link in the footer of a mail",
    description="It asks before anything is done: programs that look at mails open links too.",
    access="public",
    base="",
    content_type="text/html",
    rate=_PER_ADDRESS,
)
def unsubscribe_page(call: Call) -> Answer:
    """Says so where the link is not known."""
    return _shown(call, call.ports.notifications.subscription)


@TABLE.route(
    "POST",
    "/unsubscribe/{token}",
    tag=TAG,
    summary="Stop the mails of a link from its page",
    access="public",
    base="",
    content_type="text/html",
    any_body=True,
    rate=_PER_ADDRESS,
)
def unsubscribe_on_page(call: Call) -> Answer:
    """The page, which says what is so now."""
    return _shown(call, call.ports.notifications.unsubscribe)


def _shown(call: Call, ask: Callable[..., dict[str, Any]]) -> Answer:
    token = call.params["token"]
    try:
        found = ask(token=token)
    except NotFound as error:
        return Answer(pages.said(error.message, call.language), headers=_PAGE)
    return Answer(pages.page(token, call.language, mail=found["mail"]), headers=_PAGE)
