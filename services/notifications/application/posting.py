"""Sending, choosing, bounces: what is done with deliveries, preferences and suppressed addresses."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from services.kernel.actor import PETITIONER
from services.kernel.errors import Conflict, Invalid, NotFound
from services.kernel.text import Sentence
from services.notifications.domain.audience import role_of
from services.notifications.domain.delivery import (
    ADDRESS_REFUSED,
    BOUNCING,
    MAIL,
    MESSAGE_REFUSED,
    NO_ADDRESS,
    UNSUBSCRIBED,
    Delivery,
    Tried,
    after,
    ends_processes,
    fingerprint,
    masked,
)
from services.notifications.domain.happening import Notification, notification_id
from services.notifications.domain.preference import STREAMS, Preference, default_of, is_person, known_topics
from services.notifications.domain.template import ADDRESS_BOUNCED, OWN_ADDRESS_BOUNCED, PETITIONER_BOUNCED

logger = logging.getLogger(__name__)

Thing = TypeVar("Thing")

ADMINISTRATOR = "administrator@-"


@dataclass(frozen=True)
class Seen(Generic[Thing]):
    """One page of a list."""

    items: Sequence[Thing]
    total: int


@dataclass(frozen=True)
class Letter:
    """What a delivery tells, in order; `total` counts also those that are left out of a very long digest."""

    notifications: Sequence[Notification]
    total: int


@dataclass(frozen=True)
class Address:
    """Where a recipient is reached, asked anew for every message and never kept.

    `language` None: what the recipient chose, or the installation's. `values`: for the words of this
    recipient alone, such as a tracking code.
    """

    at: str | None
    language: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One message as a channel takes it."""

    delivery: Delivery
    to: str
    language: str
    letter: Letter
    token: str
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """An address to which nothing is sent; known by its fingerprint alone."""

    id: str
    address_hash: str
    masked: str
    recipient: str
    cause: str
    since: datetime


class Channel(Protocol):
    """A way to reach a person outside İmece."""

    def send(self, message: Message) -> Tried:
        """Hand the message over; says what went wrong and raises nothing for it."""


class Choices(Protocol):
    """What choosing needs; in one transaction."""

    def preference(self, recipient: str, *, lock: bool = False) -> Preference | None:
        """What the recipient chose."""

    def preference_by_token(self, token: str, *, lock: bool = False) -> Preference | None:
        """The choice that the token of a mail is about."""

    def with_tokens(self, recipients: Collection[str]) -> Mapping[str, Preference]:
        """Their choices; whoever has none yet gets a row with a token."""

    def save_preference(self, preference: Preference) -> None:
        """The choice as given."""


class Suppressing(Protocol):
    """What suppressing an address needs; in one transaction."""

    def suppress(self, suppression: Suppression) -> bool:
        """Send nothing to this address; False when that was so already."""


class Stopping(Choices, Suppressing, Protocol):
    """What stopping mails needs; in one transaction."""

    def written_to(self, recipient: str) -> Collection[str]:
        """The fingerprints of the addresses to which mails for this recipient went."""


class Bounces(Suppressing, Protocol):
    """What marking an address needs; in one transaction."""

    def secret(self) -> bytes:
        """What fingerprints are made with."""

    def by_message(self, message_id: str) -> Delivery | None:
        """The delivery that was sent under this Message-ID."""

    def mark(self, delivery: Delivery, cause: str) -> None:
        """The delivery failed after it had been handed over."""


class Telling(Protocol):
    """What telling an office needs."""

    def tell(self, notifications: Sequence[Notification]) -> None:
        """Store them; one that is there already stays as it is."""

    def reference_of(self, office: str) -> str:
        """The reference of what this office was told last; empty when it was told nothing."""


def chosen(choices: Choices, recipient: str) -> Preference:
    """What the recipient chose; the defaults at version 0 for whoever chose nothing yet."""
    return choices.preference(recipient) or Preference(recipient=recipient)


def choose(choices: Choices, wanted: Preference, expected_version: int) -> Preference:
    """Keep a choice in place of the former one. What was fanned out before stays in the stream that it is in.

    Raises Conflict for another version, Invalid for a topic or a stream that there is not.
    """
    unknown = sorted(set(wanted.streams) - known_topics())
    if unknown:
        raise Invalid.fields([(f"events.{name}", Sentence("There is no such topic.")) for name in unknown])
    odd = sorted(name for name, stream in wanted.streams.items() if stream not in STREAMS)
    if odd:
        raise Invalid.fields([(f"events.{name}", Sentence("This value is not possible.")) for name in odd])
    choices.with_tokens([wanted.recipient])
    known = choices.preference(wanted.recipient, lock=True)
    if known is None or known.version != expected_version:
        version = known.version if known else 0
        raise Conflict(
            Sentence("It was changed in the meantime: it is now at version {version}.", version=version),
            {"version": version},
        )
    streams = {name: stream for name, stream in wanted.streams.items() if stream != default_of(name)}
    made = replace(wanted, streams=streams, token=known.token, version=known.version + 1)
    choices.save_preference(made)
    return made


def behind_token(choices: Choices, token: str) -> Preference:
    """Whose mails the token is about; NotFound for one that was never given."""
    found = choices.preference_by_token(token)
    if found is None:
        raise _no_such_token()
    return found


def unsubscribe(choices: Stopping, token: str, now: datetime) -> Preference:
    """Send nothing more to whoever the token is about; in İmece they are told all the same. Twice changes nothing.

    Whoever has no account gets no mail about other petitions either: the address itself is suppressed.
    """
    found = choices.preference_by_token(token, lock=True)
    if found is None:
        raise _no_such_token()
    if not is_person(found.recipient):
        for known in sorted(choices.written_to(found.recipient)):
            choices.suppress(_suppression(known, "…", found.recipient, UNSUBSCRIBED, now))
    if not found.mail and found.elsewhere is None:
        return found
    made = replace(found, mail=False, elsewhere=None, version=found.version + 1)
    choices.save_preference(made)
    return made


def _suppression(address_hash: str, shown: str, recipient: str, cause: str, now: datetime) -> Suppression:
    return Suppression(
        id=str(uuid.uuid4()), address_hash=address_hash, masked=shown, recipient=recipient, cause=cause, since=now
    )


def _no_such_token() -> NotFound:
    return NotFound(Sentence("This link is not known here, or no longer."))


@dataclass(frozen=True)
class Post:
    """What trying a delivery needs; nothing of it is inside a transaction."""

    channel: Channel
    language: str
    pauses: Sequence[float]
    domain: str
    secret: bytes


def try_once(
    post: Post,
    delivery: Delivery,
    letter: Letter,
    address: Address,
    preference: Preference,
    suppressed: Collection[tuple[str, str]],
    now: datetime,
) -> tuple[Delivery, Tried]:
    """Send the message if it may be sent; returns the delivery as it is now, and how the try ended.

    `suppressed`: fingerprints and why. Whatever the channel raises is a fault of this one message.
    """
    if ends_processes(delivery, post.pauses):
        return _tried(delivery, Tried(MESSAGE_REFUSED), now, post)
    known_as = fingerprint(post.secret, address.at) if address.at else None
    refusal = _refusal(delivery, letter, known_as, preference, suppressed)
    if refusal is not None or address.at is None:
        return _tried(delivery, Tried(refusal or NO_ADDRESS), now, post)
    # The same for every try, so that a mail sent twice is seen as one by the recipient's program.
    known = replace(delivery, message_id=f"<{delivery.id}@{post.domain}>", address_hash=known_as)
    message = Message(
        delivery=known,
        to=address.at,
        language=preference.language or address.language or post.language,
        letter=letter,
        token=preference.token or "",
        values=address.values,
    )
    return _tried(known, _handed_over(post, message), now, post)


def _handed_over(post: Post, message: Message) -> Tried:
    try:
        return post.channel.send(message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other messages are sent all the same
        # Its text may hold an address.
        logger.error("a message cannot be sent", extra={"cause": type(error).__name__})  # noqa: TRY400
        return Tried(MESSAGE_REFUSED)


def _tried(delivery: Delivery, tried: Tried, now: datetime, post: Post) -> tuple[Delivery, Tried]:
    return after(delivery, tried, now, post.pauses), tried


def _refusal(
    delivery: Delivery,
    letter: Letter,
    known_as: str | None,
    preference: Preference,
    suppressed: Collection[tuple[str, str]],
) -> str | None:
    """Why the message may not be sent; None when it may."""
    if known_as is None or not letter.notifications:
        return NO_ADDRESS
    if delivery.channel != MAIL:
        return None
    if not preference.mail:
        return UNSUBSCRIBED
    if (known_as, ADDRESS_REFUSED) in suppressed:
        return BOUNCING
    # Whoever has an account chooses there.
    if (known_as, UNSUBSCRIBED) in suppressed and not is_person(delivery.recipient):
        return UNSUBSCRIBED
    return None


def refused_for_good(
    bounces: Bounces, telling: Telling, delivery: Delivery, address: str | None, now: datetime
) -> None:
    """Send nothing more to the address of this delivery, and tell in İmece.

    The administrator is told, the person, and of a petitioner the clerk with the petition's number: only the
    clerk can reach whoever waits for an answer. `address`: where it is known, to be shown masked.
    """
    telling.tell(_told_to_clerk(telling, delivery.recipient, now))
    if delivery.address_hash is None:
        return
    shown = masked(address) if address and fingerprint(bounces.secret(), address) == delivery.address_hash else "…"
    suppression = _suppression(delivery.address_hash, shown, delivery.recipient, ADDRESS_REFUSED, now)
    if not bounces.suppress(suppression):
        return
    telling.tell(
        [
            Notification(
                id=notification_id(suppression.id, office),
                office=office,
                event_id=suppression.id,
                event=event,
                subject_id=suppression.id,
                reference="",
                template=event,
                params={"address": shown},
                created_at=now,
                topic=event,
            )
            for office, event in (
                (ADMINISTRATOR, ADDRESS_BOUNCED),
                *([(delivery.recipient, OWN_ADDRESS_BOUNCED)] if is_person(delivery.recipient) else []),
            )
        ]
    )


def _told_to_clerk(telling: Telling, recipient: str, now: datetime) -> list[Notification]:
    """Once for each petition, also when its address was known not to work before."""
    if role_of(recipient) != PETITIONER:
        return []
    number = telling.reference_of(recipient)
    municipality = number.partition("/")[0]
    if not municipality:
        return []
    petition, office = recipient.partition("@")[2], f"registry_clerk@{municipality}"
    event_id = str(uuid.uuid5(uuid.UUID(petition), PETITIONER_BOUNCED))
    return [
        Notification(
            id=notification_id(event_id, office),
            office=office,
            event_id=event_id,
            event=PETITIONER_BOUNCED,
            subject_id=petition,
            reference=number,
            template=PETITIONER_BOUNCED,
            params={"number": number},
            created_at=now,
            topic=PETITIONER_BOUNCED,
        )
    ]


def bounced(bounces: Bounces, telling: Telling, message_id: str, address: str | None, now: datetime) -> bool:
    """A mail server reports that it could not deliver what it had taken; False for a message that is not ours."""
    delivery = bounces.by_message(message_id)
    if delivery is None:
        return False
    bounces.mark(delivery, ADDRESS_REFUSED)
    refused_for_good(bounces, telling, delivery, address, now)
    return True
