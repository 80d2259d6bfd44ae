"""Webhooks: what an office asks about them, and the job that feeds and delivers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import eventlet
from eventlet import GreenPool
from eventlet.semaphore import Semaphore
from sqlalchemy import Connection

from services.contracts.webhooks import (
    DeliveryAnswer,
    ListDeliveries,
    ListWebhooks,
    NewWebhook,
    OneWebhook,
    WebhookAnswer,
)
from services.kernel.actor import Actor
from services.kernel.errors import ImeceError, Invalid, Unavailable
from services.kernel.text import Sentence
from services.notifications.adapters.receiver import SECONDS, Post, Unreachable
from services.notifications.adapters.webhook import WebhookBook
from services.notifications.application import webhook as webhooks
from services.notifications.application.webhook import Deliverer
from services.notifications.domain.network import networks_of
from services.notifications.domain.webhook import (
    GIVEN_UP,
    Delivery,
    Outcome,
    Webhook,
    confirmation,
    delivery_id,
    destination,
)
from services.runtime import dead
from services.runtime.database import Database
from services.runtime.dependencies import Errands, RemoteService, Service
from services.runtime.entrypoints import every, rpc
from services.runtime.metric import Reading
from services.runtime.reply import answered, remember, remembered
from services.runtime.schema import load
from services.runtime.settings import Settings

logger = logging.getLogger(__name__)

Plain = dict[str, Any]

PRODUCERS = ("registry", "protocols", "petitions")
"""Whose events webhooks may want."""
_AT_ONCE = 32
"""Webhooks that one process works on at the same time."""
_CLAIMING = timedelta(seconds=2)
"""So long one run of the job takes up webhooks; those under way go on, so that a slow receiver holds up no other."""
_TESTS = Semaphore(2)
"""Tests that one process sends at the same time: each holds a worker for as long as its receiver likes."""
_LOOKUPS = Semaphore(2)
"""New addresses that one process looks up at the same time, for the same reason."""
_PAUSE = 0.5
_HELD: dict[str, tuple[frozenset[str], datetime]] = {}
"""Office → who holds it, and until when that is believed in this process."""
_REMEMBERED = timedelta(minutes=1)
_MOST_REMEMBERED = 10_000
_MARGIN = 2.0
"""Seconds by which a test ends before whoever asked for it stops waiting."""


def wall() -> datetime:
    """The true time: receivers compare it with theirs, whatever the demo clock says."""
    return datetime.now(UTC)


class WebhookDesk(Service):
    """Offices' webhooks and their delivery."""

    gateway = RemoteService("gateway")
    registry = RemoteService("registry")
    protocols = RemoteService("protocols")
    petitions = RemoteService("petitions")
    turns = Errands(_AT_ONCE)

    @staticmethod
    def webhook_readings(database: Database) -> list[Reading]:
        """For the metrics: deliveries to webhooks that wait, and webhooks that were switched off."""
        with database.read() as connection:
            book = WebhookBook(connection)
            (waiting, off), oldest = book.health(), book.oldest_waiting()
        age = max(0.0, (wall() - oldest).total_seconds()) if oldest else 0.0
        labels = {"service": "notifications"}
        return [
            ("imece_webhook_deliveries_waiting", "Deliveries to webhooks that have not arrived yet.", labels, waiting),
            (
                "imece_webhook_deliveries_oldest_seconds",
                "Age of the oldest delivery to a webhook that is on.",
                labels,
                age,
            ),
            ("imece_webhooks_off", "Webhooks that failed for too long and were switched off.", labels, off),
        ]

    # what an office asks

    @rpc
    def create_webhook(self, actor: Plain, webhook: Plain, key: str) -> Plain:
        """A new webhook with its secret, which is told this once.

        Raises Invalid for an address that may not be one, Refused beyond ten, Unavailable when a
        service does not say how far its events are.
        """
        asked = load(NewWebhook(), webhook)
        acting = Actor.from_plain(actor)
        request = {"command": "create_webhook", **asked}
        with self.database.read() as connection:
            known = answered(connection, acting, key, request)
        if known is not None:
            return known
        try:
            with _one_of(_LOOKUPS):
                self._post().check(destination(asked["url"]))
        except Unreachable as error:
            raise Invalid.field("url", error.cause) from None
        positions = {producer: self._remote(producer).feed_head() for producer in PRODUCERS}
        with self.database.write() as connection:
            known = remembered(connection, acting, key, request, self.time.now())
            if known is not None:
                return known
            made = webhooks.set_up(WebhookBook(connection), acting, asked["url"], asked["events"], positions, wall())
            answer = {**_shown(made, 0), "secret": made.secret}
            remember(connection, acting, key, answer)
        return answer

    @rpc
    def list_webhooks(self, actor: Plain, **wanted: Any) -> Plain:
        """A page of the office's webhooks, the oldest first."""
        asked = load(ListWebhooks(), wanted)
        office = Actor.from_plain(actor).office
        with self.database.read() as connection:
            book = WebhookBook(connection)
            found = book.page(office, page=asked["page"], size=asked["size"])
            waiting = book.waiting_of([each.id for each in found])
            total = book.number_of(office)
        return {**asked, "items": [_shown(each, waiting.get(each.id, 0)) for each in found], "total": total}

    @rpc
    def webhook(self, actor: Plain, **wanted: Any) -> Plain:
        """One webhook; NotFound for another office's."""
        asked = load(OneWebhook(), wanted)
        with self.database.read() as connection:
            book = WebhookBook(connection)
            found = webhooks.found(book, Actor.from_plain(actor).office, str(asked["webhook_id"]))
            return _shown(found, book.waiting(found.id))

    @rpc
    def remove_webhook(self, actor: Plain, **wanted: Any) -> None:
        """Nothing more is sent; NotFound for another office's."""
        asked = load(OneWebhook(), wanted)
        with self.database.write() as connection:
            webhooks.remove(WebhookBook(connection), Actor.from_plain(actor).office, str(asked["webhook_id"]))

    @rpc
    def webhook_deliveries(self, actor: Plain, **wanted: Any) -> Plain:
        """A page of the webhook's log, the newest first; NotFound for another office's."""
        asked = load(ListDeliveries(), wanted)
        page, size = asked["page"], asked["size"]
        with self.database.read() as connection:
            book = WebhookBook(connection)
            found = webhooks.found(book, Actor.from_plain(actor).office, str(asked["webhook_id"]))
            items, total = book.log(found.id, page=page, size=size)
        return {"items": [_delivery_shown(each) for each in items], "page": page, "size": size, "total": total}

    @rpc
    def test_webhook(self, actor: Plain, webhook_id: str, key: str) -> Plain:
        """What came of an event that says nothing, sent now and once; the same key sends nothing again.

        Raises Unavailable while others are being tested.
        """
        acting = Actor.from_plain(actor)
        asked = load(OneWebhook(), {"webhook_id": webhook_id})
        with _one_of(_TESTS):
            return self._test(acting, str(asked["webhook_id"]), key)

    def _test(self, acting: Actor, webhook_id: str, key: str) -> Plain:
        now = wall()
        with self.database.write() as connection:
            book = WebhookBook(connection)
            found = webhooks.found(book, acting.office, webhook_id)
            event_id = str(uuid.uuid5(uuid.UUID(found.id), f"{acting.user_id} {key}"))
            known = book.delivery(delivery_id(found.id, event_id))
            if known is not None:
                return _delivery_shown(known)
            test = webhooks.trial(found, event_id, now)
            book.put([test])
        seconds = max(1.0, min(SECONDS, self.settings.rpc_timeout - _MARGIN))
        done = webhooks.send_test(self._writing, self._post().line, found, test, now, seconds)
        return _delivery_shown(done)

    @rpc
    def activate_webhook(self, actor: Plain, **wanted: Any) -> Plain:
        """The webhook, switched on again: it gets what it missed. NotFound for another office's."""
        asked = load(OneWebhook(), wanted)
        with self.database.write() as connection:
            book = WebhookBook(connection)
            found = webhooks.activate(book, Actor.from_plain(actor), str(asked["webhook_id"]), wall())
            return _shown(found, book.waiting(found.id))

    # delivery

    @every("relay_interval")
    def deliver_webhooks(self) -> None:
        """Take up every webhook that has something to do, several side by side."""
        deliverer = Deliverer(
            write=self._writing,
            read=self._reading,
            feed=self._feed,
            is_held=self._is_held,
            is_confirmed=self._is_confirmed,
            connect=self._post().line,
            side_by_side=_side_by_side,
            wall=wall,
            pauses=self.settings.delivery_pauses,
        )
        try:
            heads = self._heads()
            with self.database.read() as connection:
                if not WebhookBook(connection).has_work(heads, wall()):
                    return
            _run(self.turns, deliverer, self._heads, heads)
        except Unavailable as error:
            logger.warning("webhooks wait for the database", extra={"cause": str(error)})

    @every("housekeeping_interval")
    def forget_old_webhook_deliveries(self) -> None:
        """Remove from the logs what arrived long ago."""
        while True:
            with self.database.write() as connection:
                if WebhookBook(connection).forget(wall() - webhooks.KEPT) == 0:
                    return

    @classmethod
    def shelves(cls, database: Database, settings: Settings) -> Sequence[dead.Shelf]:
        """Besides events: deliveries to webhooks that were given up."""
        return [*super().shelves(database, settings), WebhookShelf(database)]

    def _heads(self) -> dict[str, int]:
        """How far each producer's events are; without those that do not answer now."""
        heads: dict[str, int] = {}
        with self.database.read() as connection:
            if not WebhookBook(connection).has_active():
                return heads
        for producer in PRODUCERS:
            try:
                heads[producer] = self._remote(producer).feed_head()
            except ImeceError as error:
                logger.warning("webhooks wait for a feed", extra={"of": producer, "cause": str(error)})
        return heads

    def _feed(self, producer: str, actor: Mapping[str, Any], after: int, limit: int) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self._remote(producer).events(actor=dict(actor), after=after, limit=limit)
        return found

    def _is_held(self, office: str) -> bool:
        """Whether anybody holds the office today; asked once a minute. Raises Unavailable without an answer."""
        return bool(self._who_holds(office))

    def _is_confirmed(self, webhook: Webhook) -> bool:
        """Whether one of those who hold the office set the webhook up or switched it on."""
        if webhook.confirmed_by is None or self._is_of(webhook):
            return True
        # They may have come into office in this very minute.
        _HELD.pop(webhook.office, None)
        return self._is_of(webhook)

    def _is_of(self, webhook: Webhook) -> bool:
        return webhook.confirmed_by in {confirmation(webhook.id, user) for user in self._who_holds(webhook.office)}

    def _who_holds(self, office: str) -> frozenset[str]:
        known = _HELD.get(office)
        if known is not None and wall() < known[1]:
            return known[0]
        found = self.gateway.holders(offices=[office], on=self.time.today().isoformat())
        if len(_HELD) >= _MOST_REMEMBERED:
            _HELD.clear()
        _HELD[office] = frozenset(each["user_id"] for each in found.get(office, ())), wall() + _REMEMBERED
        return _HELD[office][0]

    def _remote(self, producer: str) -> Any:
        return getattr(self, producer)

    def _post(self) -> Post:
        return Post(networks_of(self.settings.webhook_networks))

    @contextmanager
    def _writing(self) -> Iterator[WebhookBook]:
        with self.database.write() as connection:
            yield WebhookBook(connection)

    @contextmanager
    def _reading(self) -> Iterator[WebhookBook]:
        with self.database.read() as connection:
            yield WebhookBook(connection)


@contextmanager
def _one_of(places: Semaphore) -> Iterator[None]:
    """Hold one of these places; Unavailable at once when none is free."""
    if not places.acquire(blocking=False):
        raise Unavailable(Sentence("Others try out webhooks at this moment. Try again in a moment."))
    try:
        yield
    finally:
        places.release()


def _run(
    turns: GreenPool, deliverer: Deliverer, heads_now: Callable[[], Mapping[str, int]], heads: Mapping[str, int]
) -> None:
    """Begin the turn of every webhook with work, until there is none or the time for taking up more is over."""
    end = wall() + _CLAIMING
    while wall() < end:
        claimed = deliverer.claim(heads) if turns.free() > 0 else None
        if claimed is not None:
            turns.spawn_n(_turn, deliverer, *claimed, heads)
        elif turns.running():
            eventlet.sleep(_PAUSE)
            heads = heads_now()
        else:
            return


def _turn(deliverer: Deliverer, webhook: Webhook, holder: str, heads: Mapping[str, int]) -> None:
    try:
        deliverer.take_turn(webhook, holder, heads)
    except ImeceError as error:
        logger.warning("a webhook waits", extra={"webhook": webhook.id, "cause": str(error)})
    except Exception:
        # One that fails in a way nobody thought of holds up no other; its lease ends by itself.
        logger.exception("a webhook's turn failed", extra={"webhook": webhook.id})


def _side_by_side(jobs: Iterable[Callable[[], Outcome]]) -> Sequence[Outcome]:
    jobs = list(jobs)
    if len(jobs) == 1:
        return [jobs[0]()]
    return [thread.wait() for thread in [eventlet.spawn(job) for job in jobs]]


@dataclass(frozen=True)
class WebhookShelf:
    """Deliveries to webhooks that were given up, and so switched their webhook off."""

    database: Database

    def count(self) -> int:
        """How many there are."""
        with self.database.read() as connection:
            return WebhookBook(connection).number_of_dead()

    def page(self, offset: int, limit: int) -> list[Plain]:
        """Some of them, the oldest first."""
        with self.database.read() as connection:
            return [_letter(each, office) for each, office in WebhookBook(connection).dead(offset, limit)]

    def redrive(self, letter_id: str) -> Plain | None:
        """Switch its webhook on again, which sends it first; None for an unknown id."""
        with self.database.write() as connection:
            return _redriven(connection, letter_id)


def _redriven(connection: Connection, letter_id: str) -> Plain | None:
    book = WebhookBook(connection)
    found = book.delivery(letter_id)
    if found is None or found.state != GIVEN_UP:
        return None
    book.switch_on(found.webhook_id, wall())
    return _letter(found, book.office_of(found.webhook_id))


def _letter(delivery: Delivery, office: str) -> Plain:
    return dead.letter(
        letter_id=delivery.id,
        kind="webhook",
        of=office,
        event=delivery.event,
        event_id=delivery.event_id,
        cause=delivery.cause or "",
        attempts=delivery.attempts,
        since=delivery.tried_at or delivery.created_at,
    )


_WEBHOOK, _DELIVERY = WebhookAnswer(), DeliveryAnswer()


def _shown(webhook: Webhook, waiting: int) -> Plain:
    shown: Plain = _WEBHOOK.dump({**vars(webhook), "events": list(webhook.events), "waiting": waiting})
    return shown


def _delivery_shown(delivery: Delivery) -> Plain:
    shown: Plain = _DELIVERY.dump(delivery)
    return shown
