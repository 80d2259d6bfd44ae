"""What happened, and what the caller's office was told."""

from __future__ import annotations

from services.gateway import feed
from services.gateway import schemas as s
from services.gateway.http import ANY_SCOPE, Answer, Call, Table

TABLE = Table()
TAG = "Events and notifications"
PRODUCERS = ("registry", "protocols", "petitions")
"""A cursor from before a producer existed begins at its first event: all of those are newer."""


@TABLE.route(
    "GET",
    "/events",
    tag=TAG,
    summary="Everything that happened and I may see, in a safe order",
    query=s.EventsQuery,
    answer=s.EventFeedSchema,
    description="Give the last `next` as `after` to go on; nothing is skipped. "
    "The events of one subject come in their sequence.",
)
def events(call: Call) -> Answer:
    """The feeds of all services as one."""
    limit = call.query["limit"]
    positions = feed.read_cursor(call.query.get("after"), PRODUCERS)
    # All or nothing: a feed that does not answer must not be passed over.
    feeds = {
        service: getattr(call.ports, service).events(actor=call.who, after=position, limit=limit)
        for service, position in positions.items()
    }
    items, following = feed.merge(feeds, positions, limit)
    return Answer({"items": items, "next": following})


@TABLE.route(
    "GET",
    "/notifications",
    tag=TAG,
    summary="What my office was told",
    query=s.NotificationsQuery,
    answer=s.NotificationPageSchema,
)
def notifications(call: Call) -> Answer:
    """The newest first."""
    query = call.query
    return Answer(
        call.ports.notifications.list_notifications(
            actor=call.who,
            page=query["page"],
            size=query["size"],
            unread=query.get("unread", False),
            language=call.language,
        )
    )


@TABLE.route(
    "POST",
    "/notifications/{id}/read",
    tag=TAG,
    summary="Mark a notification as read",
    answer=s.NotificationSchema,
    command=ANY_SCOPE,
)
def mark_read(call: Call) -> Answer:
    """Marking twice changes nothing."""
    return Answer(
        call.ports.notifications.mark_read(actor=call.who, notification_id=call.params["id"], language=call.language)
    )
