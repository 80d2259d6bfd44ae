"""Webhooks: set up by an office, fed from what the office may see, delivered in order, switched off when they fail.

Each webhook follows every producer's feed with a cursor of its own. What it wants is
written down as a delivery in the commit that moves the cursor, so that an outage of
either side skips nothing and doubles nothing. No transaction is open while something
is sent. A delivery waits for the earlier ones of its subject; others pass it.
"""

from __future__ import annotations

import json
import logging
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from services.kernel.actor import Actor
from services.kernel.errors import NotFound, Refused, Unavailable
from services.kernel.text import Sentence
from services.notifications.domain.happening import Notification, notification_id
from services.notifications.domain.webhook import (
    ACTIVE,
    DELIVERED,
    FAILED,
    GIVEN_UP,
    MOST_OF_AN_OFFICE,
    OFF,
    SENDING,
    SWITCHED_OFF,
    TESTED,
    UNCONFIRMED,
    WAITING,
    Delivery,
    Destination,
    Outcome,
    Webhook,
    confirmation,
    delivery_id,
    destination,
    next_try,
    signature,
)

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=40)
"""So long a process has a webhook for itself: more than a turn with a last question and a last batch takes."""
TURN = timedelta(seconds=5)
"""A turn ends after this, so that other webhooks have theirs and the process can stop."""
BATCH = 8
"""Deliveries sent side by side to one receiver."""
READ_AHEAD = 500
"""More than this do not wait for one webhook; the rest stays in the producers' feeds."""
PAGE = 100
_IDLE = timedelta(seconds=5)
_LONGEST_SILENCE = timedelta(minutes=10)
"""A receiver that answers nothing is asked again after as long as it has been silent, at most after this."""
VACANT = timedelta(minutes=10)
"""When it is looked again whether anybody holds the office."""
ADMINISTRATORS = "administrator@-"
KEPT = timedelta(days=30)
"""How long the log keeps deliveries that arrived, and tests."""


class Book(Protocol):
    """Webhooks and deliveries in one transaction."""

    def add(self, webhook: Webhook, positions: Mapping[str, int]) -> None:
        """Keep a new webhook that has seen the feeds up to these positions."""

    def alone_with(self, office: str) -> None:
        """Let nobody else add webhooks of this office until the transaction ends."""

    def number_of(self, office: str) -> int:
        """How many webhooks the office has."""

    def find(self, office: str, webhook_id: str) -> Webhook | None:
        """The office's webhook; None when it has none of this id."""

    def remove(self, office: str, webhook_id: str) -> bool:
        """Remove it with its deliveries; False when the office has none of this id."""

    def switch_on(self, webhook_id: str, now: datetime) -> None:
        """Active again; what was given up waits again, with all tries before it."""

    def confirm(self, webhook_id: str, confirmed_by: str | None) -> None:
        """Keep who says that the receiver is the office's."""

    def switch_off(self, webhook_id: str, because: Sentence, now: datetime) -> bool:
        """Off from now on; False when it was off already or is gone."""

    def claim(self, heads: Mapping[str, int], holder: str, now: datetime) -> Webhook | None:
        """A free webhook that has something to do, held by `holder` for the time of a lease."""

    def release(self, webhook_id: str, holder: str, free_at: datetime) -> None:
        """Let others have it from then on; nothing happens when it is no longer this holder's."""

    def positions(self, webhook_id: str) -> Mapping[str, int]:
        """How far it has read each producer's feed."""

    def advance(self, webhook_id: str, producer: str, before: int, after: int) -> bool:
        """Move a cursor; False when it does not stand where it was seen."""

    def waiting(self, webhook_id: str) -> int:
        """How many deliveries wait."""

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Write them down; one that is there already stays as it is."""

    def ready(self, webhook_id: str, holder: str, now: datetime, limit: int) -> Sequence[Delivery]:
        """Those that are due, each the earliest undone one of its subject; none when it is off or another's."""

    def delivery(self, delivery_id: str) -> Delivery | None:
        """One delivery."""

    def note(self, tried: Delivery, before: Delivery) -> bool:
        """Write down what came of a try; False when someone else has done so meanwhile."""

    def note_health(self, webhook_id: str, now: datetime, *, arrived: bool) -> None:
        """Keep when it last worked, or since when it has not."""

    def tell(self, notifications: Sequence[Notification]) -> None:
        """Tell offices."""

    def forget(self, before: datetime) -> int:
        """Remove deliveries that arrived and tests made before then, some at a time; returns how many."""


class Sender(Protocol):
    """A line to one receiver."""

    def send(self, headers: Mapping[str, str], body: bytes, seconds: float = ...) -> Outcome:
        """Send once; never raises for what the receiver does."""


Open = Callable[[], AbstractContextManager[Book]]
Connect = Callable[[Destination], AbstractContextManager[Sender]]
Feed = Callable[[str, Mapping[str, Any], int, int], Sequence[Mapping[str, Any]]]
"""(producer, actor, after, limit) → events behind that position that the actor may see."""
SideBySide = Callable[[Iterable[Callable[[], Outcome]]], Sequence[Outcome]]


# set up by an office


def owner_of(actor: Actor) -> dict[str, Any]:
    """The office alone, whoever holds it: webhooks outlive people."""
    office = Actor(
        role=actor.role,
        municipality=actor.municipality,
        authority=actor.authority,
        organisation_id=actor.organisation_id,
    )
    return office.to_plain()


def set_up(
    book: Book, actor: Actor, url: str, events: Sequence[str], positions: Mapping[str, int], now: datetime
) -> Webhook:
    """A new webhook; it gets what happens from now on. Refused beyond ten of an office."""
    destination(url)
    book.alone_with(actor.office)
    if book.number_of(actor.office) >= MOST_OF_AN_OFFICE:
        raise Refused(
            Sentence("An office may have {most} webhooks. Remove one first.", most=MOST_OF_AN_OFFICE),
            code="too_many_webhooks",
        )
    webhook_id = str(uuid.uuid4())
    webhook = Webhook(
        id=webhook_id,
        office=actor.office,
        owner=owner_of(actor),
        url=url,
        events=tuple(dict.fromkeys(events)),
        secret=secrets.token_urlsafe(32),
        state=ACTIVE,
        created_at=now,
        confirmed_by=_confirmed_by(webhook_id, actor),
    )
    book.add(webhook, positions)
    return webhook


def found(book: Book, office: str, webhook_id: str) -> Webhook:
    """The office's webhook; NotFound for another's."""
    webhook = book.find(office, webhook_id)
    if webhook is None:
        raise _nothing()
    return webhook


def remove(book: Book, office: str, webhook_id: str) -> None:
    """Nothing more is sent; its log goes too."""
    if not book.remove(office, webhook_id):
        raise _nothing()


def activate(book: Book, actor: Actor, webhook_id: str, now: datetime) -> Webhook:
    """Switch it on again: it gets what it has missed, in order. Whoever does so says that the receiver is theirs."""
    webhook = found(book, actor.office, webhook_id)
    book.confirm(webhook.id, _confirmed_by(webhook.id, actor))
    if webhook.state == OFF:
        book.switch_on(webhook.id, now)
    return found(book, actor.office, webhook_id)


def _confirmed_by(webhook_id: str, actor: Actor) -> str | None:
    # Who acts under a delegation of single acts is not among the holders of the office, and cannot be looked for there.
    return None if actor.user_id is None or actor.scope else confirmation(webhook_id, actor.user_id)


def _nothing() -> NotFound:
    return NotFound(Sentence("There is no such webhook."))


# tests


def trial(webhook: Webhook, event_id: str, now: datetime) -> Delivery:
    """An event that says nothing, sent once."""
    event = {
        "id": event_id,
        "name": TESTED,
        "occurred_at": now.isoformat(),
        "subject_id": webhook.id,
        "subject_version": 1,
        "correlation_id": None,
        "actor": None,
        "data": {"webhook_id": webhook.id},
    }
    return replace(_delivery(webhook, event, now), state=SENDING, next_at=None)


def send_test(
    write: Open, connect: Connect, webhook: Webhook, test: Delivery, now: datetime, seconds: float
) -> Delivery:
    """Send it now; what came of it, also in the log."""
    with connect(webhook.destination) as line:
        outcome = _send(line, webhook, test, now, seconds)
    done = _tried(test, outcome, now, DELIVERED if outcome.arrived else FAILED, None)
    with write() as book:
        book.note(done, test)
    return done


# delivered


@dataclass(frozen=True)
class Deliverer:
    """Feeds and delivers; any number of processes may do so at once."""

    write: Open
    read: Open
    feed: Feed
    is_held: Callable[[str], bool]
    is_confirmed: Callable[[Webhook], bool]
    connect: Connect
    side_by_side: SideBySide
    wall: Callable[[], datetime]
    pauses: Sequence[float]

    def claim(self, heads: Mapping[str, int]) -> tuple[Webhook, str] | None:
        """A webhook that has something to do and the name under which it is held; None when there is none.

        `heads`: the last position of each producer's feed, as known now.
        """
        holder = uuid.uuid4().hex
        with self.write() as book:
            webhook = book.claim(heads, holder, self.wall())
        return None if webhook is None else (webhook, holder)

    def take_turn(self, webhook: Webhook, holder: str, heads: Mapping[str, int]) -> None:
        """Read on in the feeds, send what is due, and let go; at most about the length of a turn.

        While nobody holds the office nothing is sent: whoever had it may own the receiver. It waits. When
        somebody else holds it, it is switched off until they say that the receiver is theirs.
        """
        end, pause = self.wall() + TURN, _IDLE
        try:
            if not self.is_held(webhook.office):
                pause = VACANT
                return
            if not self.is_confirmed(webhook):
                self._ask_for_confirmation(webhook)
                return
            moved = self._follow(webhook, heads, end)
            arrived, silent = self._send_due(webhook, holder, end)
            if silent:
                pause = _after_silence(webhook, self.wall())
            elif arrived or moved:
                pause = timedelta()
        finally:
            with self.write() as book:
                book.release(webhook.id, holder, self.wall() + pause)

    def _ask_for_confirmation(self, webhook: Webhook) -> None:
        now = self.wall()
        why = Sentence("Whoever set this webhook up no longer holds the office. Switch it on if the receiver is yours.")
        with self.write() as book:
            if book.switch_off(webhook.id, why, now):
                book.tell(_told(webhook, now, UNCONFIRMED, (webhook.office,)))

    def _follow(self, webhook: Webhook, heads: Mapping[str, int], end: datetime) -> bool:
        """Write down what is new and wanted; True when a cursor moved."""
        with self.read() as book:
            positions = book.positions(webhook.id)
            room = READ_AHEAD - book.waiting(webhook.id)
        moved = False
        for producer, head in heads.items():
            position = positions.get(producer, 0)
            while position < head and room > 0 and self.wall() < end:
                try:
                    rows = self.feed(producer, webhook.owner, position, PAGE)
                except Unavailable as error:
                    logger.warning("webhooks wait for a feed", extra={"of": producer, "cause": str(error)})
                    break
                reached = int(rows[-1]["position"]) if rows else head
                if len(rows) < PAGE:
                    # What lies before a head known earlier and was not shown is none of this office's business.
                    reached = max(head, reached)
                wanted = [_delivery(webhook, row, self.wall()) for row in rows if webhook.wants(str(row["name"]))]
                with self.write() as book:
                    if not book.advance(webhook.id, producer, position, reached):
                        return moved  # removed meanwhile, or another process reads on
                    book.put(wanted)
                position, room, moved = reached, room - len(wanted), True
        return moved

    def _send_due(self, webhook: Webhook, holder: str, end: datetime) -> tuple[bool, bool]:
        """Send until nothing is due, the turn is over, or nobody answers.

        Returns whether something arrived, and whether nobody answered at the end.
        """
        arrived = silent = False
        # One that fails is first asked with a single delivery.
        size = 1 if webhook.failing_since else BATCH
        with self.connect(webhook.destination) as line:
            while (now := self.wall()) < end:
                with self.read() as book:
                    due = book.ready(webhook.id, holder, now, size)
                if not due:
                    break
                outcomes = self.side_by_side([partial(_send, line, webhook, each, now) for each in due])
                with self.write() as book:
                    self._note(book, webhook, list(zip(due, outcomes, strict=True)))
                if any(outcome.arrived for outcome in outcomes):
                    arrived, size = True, BATCH
                silent = not any(outcome.answered for outcome in outcomes)
                if silent:
                    break
        return arrived, silent

    def _note(self, book: Book, webhook: Webhook, tried: Sequence[tuple[Delivery, Outcome]]) -> None:
        now = self.wall()
        last: Sentence | None = None
        # The webhook first, as everyone does who locks several rows.
        book.note_health(webhook.id, now, arrived=any(outcome.arrived for _, outcome in tried))
        for delivery, outcome in tried:
            again = None if outcome.arrived or outcome.gone else next_try(delivery.attempts + 1, self.pauses, now)
            state = DELIVERED if outcome.arrived else GIVEN_UP if again is None else WAITING
            if book.note(_tried(delivery, outcome, now, state, again), delivery) and state == GIVEN_UP:
                last = outcome.cause
        if last is not None and book.switch_off(webhook.id, last, now):
            book.tell(_told(webhook, now, SWITCHED_OFF, (webhook.office, ADMINISTRATORS)))


def _after_silence(webhook: Webhook, now: datetime) -> timedelta:
    """The pause grows with the silence, whatever waits: each subject's own pauses would add up to many tries."""
    since = webhook.failing_since or now
    return min(max(_IDLE, now - since), _LONGEST_SILENCE)


def _delivery(webhook: Webhook, event: Mapping[str, Any], now: datetime) -> Delivery:
    body = {name: value for name, value in event.items() if name != "position"}
    return Delivery(
        id=delivery_id(webhook.id, str(event["id"])),
        webhook_id=webhook.id,
        event_id=str(event["id"]),
        event=str(event["name"]),
        subject_id=str(event["subject_id"]),
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        state=WAITING,
        attempts=0,
        created_at=now,
        next_at=now,
    )


def _send(line: Sender, webhook: Webhook, delivery: Delivery, now: datetime, seconds: float | None = None) -> Outcome:
    body = (delivery.body or "").encode()
    timestamp = int(now.timestamp())
    headers = {
        "Imece-Event": delivery.event,
        "Imece-Delivery": delivery.id,
        "Imece-Timestamp": str(timestamp),
        "Imece-Signature": signature(webhook.secret, timestamp, body),
    }
    return line.send(headers, body) if seconds is None else line.send(headers, body, seconds)


def _tried(before: Delivery, outcome: Outcome, now: datetime, state: str, again: datetime | None) -> Delivery:
    return replace(
        before,
        state=state,
        attempts=before.attempts + 1,
        status=outcome.status,
        cause=outcome.cause.to_plain() if outcome.cause else None,
        tried_at=now,
        next_at=again,
        body=None if state in (DELIVERED, FAILED) else before.body,
    )


def _told(webhook: Webhook, now: datetime, template: str, offices: Sequence[str]) -> list[Notification]:
    """That the webhook is off, to these offices."""
    event_id = str(uuid.uuid5(uuid.UUID(webhook.id), now.isoformat()))
    return [
        Notification(
            id=notification_id(event_id, office),
            office=office,
            event_id=event_id,
            event=SWITCHED_OFF,
            subject_id=webhook.id,
            reference=webhook.destination.shown,
            template=template,
            params={"host": webhook.destination.shown},
            created_at=now,
            topic=SWITCHED_OFF,
        )
        for office in dict.fromkeys(offices)
    ]
