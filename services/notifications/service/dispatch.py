"""People are told: notices, digests, and the sending of mails and other messages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

import eventlet
from eventlet.event import Event

from services.kernel.errors import ImeceError, NotFound, Unavailable
from services.notifications.adapters.channel import Apprise
from services.notifications.adapters.mail import Smtp
from services.notifications.adapters.post import PostRows, behind_cursor, place, waiting_and_failed
from services.notifications.adapters.repository import Repository
from services.notifications.application import digest, dispatch, posting
from services.notifications.application.posting import Address, Channel, Letter, Post
from services.notifications.domain.delivery import (
    ADDRESS_REFUSED,
    BOUNCING,
    DIRECTORY_AWAY,
    ELSEWHERE,
    MAIL,
    SENT,
    WAITING,
    Delivery,
    Tried,
    after,
    fingerprint,
)
from services.notifications.domain.preference import DIGESTS, Preference, is_person
from services.notifications.domain.schedule import Schedule
from services.runtime.clockwork import TIME
from services.runtime.database import Database
from services.runtime.dependencies import RemoteService, Service
from services.runtime.entrypoints import every
from services.runtime.metric import Reading
from services.runtime.rpc import Bug

logger = logging.getLogger(__name__)

_TOLD_AT_ONCE = 500
_DIGESTS_AT_ONCE = 50
_CLAIMED_AT_ONCE = 20
_LONGEST_DIGEST = 200
_RUN_SECONDS = 8.0
"""After so long, counted from when the addresses are known, a run gives back what it has not sent, so that a
process can stop. A single mail may take longer."""

_RENEW_SECONDS = 12.0
"""So often the lease of what is being sent is renewed; several may fail before it ends."""

_NOTE_AGAIN_SECONDS = 0.5
_STEADY_SECONDS = 10.0
"""So long the database must have answered before what another process took is sent again: after an outage
whoever lives notes first what it handed over."""

_DEAD_ADDRESS = (ADDRESS_REFUSED, BOUNCING)

Batch = Sequence[Delivery]

_answering_since: dict[str, float] = {}
"""Since when each database has answered this process without a break."""


def _is_steady(database: Database) -> bool:
    return monotonic() - _answering_since.setdefault(database.url, monotonic()) >= _STEADY_SECONDS


def _broke_off(database: Database) -> None:
    _answering_since[database.url] = monotonic()


class DispatchDesk(Service):
    """From what offices were told to messages in people's mailboxes."""

    gateway = RemoteService("gateway")
    petitions = RemoteService("petitions")

    @staticmethod
    def delivery_readings(database: Database) -> list[Reading]:
        """For the metrics: deliveries that wait, their age, and those that were given up."""
        waiting, failed, age = waiting_and_failed(database, TIME.now())
        labels = {"service": "notifications"}
        return [
            ("imece_deliveries_waiting", "Messages to people that are not handed over yet.", labels, waiting),
            (
                "imece_deliveries_oldest_seconds",
                "Age of the oldest message that no server has answered yet.",
                labels,
                age,
            ),
            ("imece_deliveries_failed", "Messages given up, waiting for someone to redrive them.", labels, failed),
        ]

    @every("relay_interval", woken=True)
    def tell_people(self) -> None:
        """Pass on what offices were told, then make the digests that are due; several replicas may do it at once."""
        try:
            while self._pass_on():
                pass
            for stream in DIGESTS:
                while self._send_digests(stream):
                    pass
        except Unavailable as error:
            logger.warning("people are told later", extra={"cause": str(error)})

    @every("relay_interval", woken=True)
    def send_mails(self) -> None:
        """Hand over the mails that are due."""
        if self.settings.smtp_url:
            with Smtp(self.settings.smtp_url, self.settings.mail_from, self.settings.public_url) as mail_server:
                self._send_all(MAIL, mail_server)

    @every("relay_interval", woken=True)
    def send_elsewhere(self) -> None:
        """Hand over what goes through the other channel."""
        if self.settings.channel_url:
            with Apprise(self.settings.channel_url) as line:
                self._send_all(ELSEWHERE, line)

    @property
    def _channels(self) -> list[str]:
        known = ((MAIL, self.settings.smtp_url), (ELSEWHERE, self.settings.channel_url))
        return [name for name, url in known if url]

    # notices and digests

    def _pass_on(self) -> bool:
        """One step of the cursor; False when nothing is left."""
        placed = place(self.database)
        start, read = behind_cursor(self.database, _TOLD_AT_ONCE)
        told = dispatch.whole_events(read, _TOLD_AT_ONCE)
        if not told:
            return placed > 0
        holders = self._holders(dispatch.offices_of(told))
        with self.database.write() as connection:
            dispatch.pass_on(
                PostRows(connection),
                told,
                holders,
                start=start,
                channels=self._channels,
                now=self.time.now(),
            )
        return True

    def _holders(self, offices: list[str]) -> dict[str, list[str]]:
        """Who holds the offices today; asked before the transaction, which waits for nobody."""
        if not offices:
            return {}
        found = self.gateway.holders(offices=offices, on=self.time.today().isoformat())
        return {office: [each["user_id"] for each in people] for office, people in found.items()}

    def _send_digests(self, stream: str) -> bool:
        now = self.time.now()
        schedule = Schedule(self.settings.digest_hour, self.settings.digest_weekday)
        with self.database.write() as connection:
            made = digest.send_due(
                PostRows(connection),
                stream,
                schedule.latest(stream, now),
                channels=self._channels,
                now=now,
                limit=_DIGESTS_AT_ONCE,
            )
        return made == _DIGESTS_AT_ONCE

    # sending

    def _send_all(self, name: str, channel: Channel) -> None:
        """Everything that is due; nothing here is inside a transaction while somebody else is waited for."""
        end = monotonic() + _RUN_SECONDS
        claimed: Batch = ()
        silent: set[str] = set()
        try:
            while True:
                now = self.time.now()
                with self.database.write() as connection:
                    rows = PostRows(connection)
                    claimed = rows.claim(name, now, _CLAIMED_AT_ONCE, take_over=_is_steady(self.database))
                    chosen = rows.with_tokens({each.recipient for each in claimed})
                    secret = rows.secret() if claimed else b""
                if not claimed:
                    return
                post = Post(channel, self.settings.language, self.settings.delivery_pauses, self._mail_domain, secret)
                with self._kept(claimed):
                    goes_on = self._send_batch(post, claimed, chosen, silent)
                if not goes_on:
                    return
                if monotonic() > end:
                    self.database.posted.ring()
                    return
        except Unavailable as error:
            _broke_off(self.database)
            logger.warning("messages are sent later", extra={"cause": str(error)})
            self._hand_back(claimed)

    @contextmanager
    def _kept(self, claimed: Batch) -> Iterator[None]:
        """Meanwhile nobody else takes them over, however long a server thinks; whoever is dead renews nothing."""
        done = Event()
        renewing = eventlet.spawn(self._renew, claimed[0].holder, done)
        try:
            yield
        finally:
            done.send()
            renewing.wait()

    def _renew(self, holder: str, done: Event) -> None:
        while True:
            done.wait(timeout=_RENEW_SECONDS)
            if done.ready():
                return
            try:
                with self.database.write() as connection:
                    PostRows(connection).renew(holder, self.time.now())
            except Unavailable as error:
                _broke_off(self.database)
                logger.warning("a lease is renewed later", extra={"cause": str(error)})

    def _send_batch(self, post: Post, claimed: Batch, chosen: Mapping[str, Preference], silent: set[str]) -> bool:
        """Send one after the other; False when the channel cannot be used at the moment."""
        addresses = self._addresses(claimed, chosen, silent)
        end = monotonic() + _RUN_SECONDS
        waiting = []
        for each in claimed:
            # First of all: what nobody knows the address of must not come back before the others.
            if addresses[each.recipient] is None:
                self._settle(each, after(each, Tried(DIRECTORY_AWAY), self.time.now(), post.pauses), None)
            else:
                waiting.append(each)
        letters, suppressed = self._contents(post, waiting, addresses)
        refused_before = False
        for number, each in enumerate(waiting):
            if monotonic() > end:
                self._give_back(waiting[number:])
                return True
            address = addresses[each.recipient] or Address(None)
            outcome, tried = posting.try_once(
                post, each, letters[each.id], address, chosen[each.recipient], suppressed, self.time.now()
            )
            self._settle(each, outcome, address)
            if tried.is_outage and (refused_before or not tried.answered):
                # The others would fare the same: they are put off with it.
                for other in waiting[number + 1 :]:
                    self._settle(other, after(other, Tried(tried.cause), self.time.now(), post.pauses), None)
                return False
            refused_before = tried.is_outage
        return True

    def _settle(self, claimed: Delivery, outcome: Delivery, address: Address | None) -> None:
        """Note what became of it. What was handed over is known here alone: the note waits for the database."""
        while True:
            try:
                self._note(claimed, outcome, address)
            except Unavailable:
                _broke_off(self.database)
                if outcome.state != SENT:
                    raise
                eventlet.sleep(_NOTE_AGAIN_SECONDS)
            else:
                return

    def _note(self, claimed: Delivery, outcome: Delivery, address: Address | None) -> None:
        with self.database.write() as connection:
            rows = PostRows(connection)
            if rows.settle(claimed, outcome) and outcome.cause in _DEAD_ADDRESS and claimed.channel == MAIL:
                at = address.at if address else None
                posting.refused_for_good(rows, Repository(connection), outcome, at, self.time.now())

    def _give_back(self, claimed: Batch) -> None:
        for each in claimed:
            self._settle(each, replace(each, state=WAITING, next_at=self.time.now()), None)

    def _hand_back(self, claimed: Batch) -> None:
        """As soon as the database answers, what was taken and not sent is anyone's again; nobody waits for a lease."""
        while claimed:
            try:
                with self.database.write() as connection:
                    for each in claimed:
                        # One that was noted meanwhile stays as it is.
                        PostRows(connection).settle(each, replace(each, state=WAITING, next_at=self.time.now()))
            except Unavailable:
                _broke_off(self.database)
                eventlet.sleep(_NOTE_AGAIN_SECONDS)
            else:
                return

    def _contents(
        self, post: Post, claimed: Batch, addresses: Mapping[str, Address | None]
    ) -> tuple[dict[str, Letter], frozenset[tuple[str, str]]]:
        """What each delivery tells, and which of the addresses are suppressed, and why."""
        known = {fingerprint(post.secret, each.at) for each in addresses.values() if each is not None and each.at}
        with self.database.read() as connection:
            rows = PostRows(connection)
            letters = {each.id: rows.letter(each, _LONGEST_DIGEST) for each in claimed}
            return letters, frozenset(rows.suppressed(known))

    def _addresses(
        self, claimed: Batch, chosen: Mapping[str, Preference], silent: set[str]
    ) -> dict[str, Address | None]:
        """Where the recipients are reached now; None where the one who knows does not answer.

        `silent`: who did not answer in this run, and is asked no more in it.
        """
        recipients = sorted({each.recipient for each in claimed})
        if claimed[0].channel == ELSEWHERE:
            return {each: Address(chosen[each].elsewhere) for each in recipients}
        people = [each.partition("@")[2] for each in recipients if is_person(each)]
        mailboxes = None
        if people:
            mailboxes = _asked("gateway", silent, lambda: self.gateway.mailboxes(user_ids=people))
        found: dict[str, Address | None] = {}
        for each in recipients:
            if is_person(each):
                found[each] = None if mailboxes is None else Address(mailboxes.get(each.partition("@")[2]))
            else:
                found[each] = self._contact(each, silent)
        return found

    def _contact(self, recipient: str, silent: set[str]) -> Address | None:
        """The address of a petitioner or signatory, which petitions alone keeps."""
        asked = _asked("petitions", silent, lambda: {"contact": self.petitions.contact_of(recipient=recipient)})
        if asked is None:
            return None
        known = asked.get("contact") or {}
        return Address(known.get("email"), known.get("language"), known.get("values") or {})

    @property
    def _mail_domain(self) -> str:
        return self.settings.mail_from.rpartition("@")[2] or "imece.invalid"


def _asked(whom: str, silent: set[str], ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """The answer, empty where it knows nobody; None when there is none. Who does not answer joins `silent`."""
    if whom in silent:
        return None
    try:
        return ask()
    except NotFound:
        return {}
    except Unavailable:
        silent.add(whom)
        logger.warning("addresses are not known at the moment", extra={"target": whom})
        return None
    except (ImeceError, Bug) as error:
        logger.warning("an address is not known at the moment", extra={"cause": type(error).__name__})
        return None
