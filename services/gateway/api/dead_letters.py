"""What was given up, in all services, and having it tried again."""

from __future__ import annotations

from typing import Any

from services.gateway import schemas
from services.gateway.http import ANY_SCOPE, Answer, Call, Table
from services.gateway.schemas import webhooks as s
from services.kernel.errors import NotFound, Unavailable
from services.kernel.text import Sentence

TABLE = Table()
TAG = "Events and notifications"
HOLDERS = ("registry", "protocols", "petitions", "notifications")
"""The services that may hold dead letters, in the order in which they are listed."""


@TABLE.route(
    "GET",
    "/dead-letters",
    tag=TAG,
    summary="What was given up and waits for a person",
    description="Events that a service could not handle, mails and webhooks that could not be delivered. "
    "No persons' data.",
    query=schemas.PageQuery,
    answer=s.DeadLetterPageSchema,
    roles=("administrator",),
)
def dead_letters(call: Call) -> Answer:
    """Service by service, the oldest first in each."""
    page, size = call.query["page"], call.query["size"]
    begin, total = (page - 1) * size, 0
    items: list[Any] = []
    for name in HOLDERS:
        found = getattr(call.ports, name).dead_letters(offset=max(0, begin - total), limit=size - len(items))
        items += found["items"]
        total += found["total"]
    return Answer({"items": items, "page": page, "size": size, "total": total})


@TABLE.route(
    "POST",
    "/dead-letters/{id}/redrive",
    tag=TAG,
    summary="Have a dead letter tried again",
    description="With all tries before it. Safe at any time: what had its effect already is passed over.",
    answer=s.DeadLetterSchema,
    command=ANY_SCOPE,
    roles=("administrator",),
)
def redrive(call: Call) -> Answer:
    """The letter as it was; if it fails again, it comes back."""
    silent: Unavailable | None = None
    for name in HOLDERS:
        try:
            found = getattr(call.ports, name).redrive(letter_id=call.params["id"])
        except Unavailable as error:
            silent = error
            continue
        if found is not None:
            return Answer(found)
    if silent is not None:
        raise silent
    raise NotFound(Sentence("There is no such dead letter."))
