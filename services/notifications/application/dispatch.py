"""From what offices were told to what people are sent: one notice for each person and event.

The order is the notifications' position, the progress one cursor. Notices, deliveries and the cursor's move
are one transaction; who moved the cursor first has done it, all others do nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from services.kernel.actor import ORGANISATION_ROLES, PETITIONER
from services.notifications.domain.audience import role_of
from services.notifications.domain.delivery import ELSEWHERE, MAIL, WAITING, Delivery
from services.notifications.domain.preference import (
    AT_ONCE,
    DIGESTS,
    OFF,
    Preference,
    is_person,
    is_personal,
    louder,
    person,
)

OF_PETITIONS = "petition."


@dataclass(frozen=True, kw_only=True)
class Told:
    """A notification of an office, as far as passing it on needs it."""

    position: int
    id: str
    office: str
    event_id: str
    topic: str
    event: str
    subject_id: str


@dataclass(frozen=True, kw_only=True)
class Notice:
    """That a recipient is to hear of an event, and in which stream."""

    id: str
    recipient: str
    event_id: str
    notification_id: str
    position: int
    stream: str
    created_at: datetime


class Desk(Protocol):
    """What passing on needs; everything in one transaction."""

    def advance(self, start: int, end: int) -> bool:
        """Move the cursor from `start` to `end`; False when it does not stand at `start`, then nothing may follow."""

    def preferences(self, recipients: Collection[str]) -> Mapping[str, Preference]:
        """What these recipients chose, those who chose something."""

    def add_notices(self, notices: Sequence[Notice]) -> Collection[str]:
        """Store them; the ids of those that were new. Whoever heard of the event already is left out."""

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store them."""

    def fill_digests(self, notices: Sequence[Notice]) -> None:
        """Note that something waits in the digests of these."""


def whole_events(told: Sequence[Told], limit: int) -> Sequence[Told]:
    """What was read, without the last event where more of it may follow: an event is passed on as a whole.

    `told` holds at most `limit` rows in order of position; an event's notifications stand side by side.
    """
    if len(told) < limit:
        return told
    last = told[-1].event_id
    whole = [each for each in told if each.event_id != last]
    return whole or told


def offices_of(told: Iterable[Told]) -> list[str]:
    """The offices whose holders must be known."""
    return sorted({each.office for each in told if not is_personal(each.office) and not is_person(each.office)})


def pass_on(
    desk: Desk,
    told: Sequence[Told],
    holders: Mapping[str, Collection[str]],
    *,
    start: int,
    channels: Collection[str],
    now: datetime,
) -> bool:
    """Make the notices of `told`, which begins behind position `start`; False when another was faster.

    `holders`: office → the users who hold it. `channels`: those that are set up.
    """
    if not desk.advance(start, told[-1].position):
        return False
    chosen = desk.preferences(sorted(_recipients(told, holders)))
    notices = notices_of(told, holders, chosen, now)
    new = desk.add_notices(notices)
    made = [each for each in notices if each.id in new]
    desk.add_deliveries(
        [
            delivery
            for each in made
            if each.stream == AT_ONCE
            for delivery in deliveries_of(each.recipient, chosen.get(each.recipient), AT_ONCE, [each.id], channels, now)
        ]
    )
    desk.fill_digests([each for each in made if each.stream in DIGESTS])
    return True


def notices_of(
    told: Sequence[Told], holders: Mapping[str, Collection[str]], chosen: Mapping[str, Preference], now: datetime
) -> list[Notice]:
    """One for each recipient and event; who hears of it in two offices hears it in the louder way."""
    found: dict[tuple[str, str], Notice] = {}
    for each in told:
        for recipient in _recipients([each], holders):
            stream = AT_ONCE
            if is_person(recipient):
                stream = chosen.get(recipient, Preference(recipient=recipient)).stream_of(each.topic)
            key = (recipient, each.event_id)
            known = found.get(key)
            if known is None:
                found[key] = Notice(
                    id=str(uuid.uuid5(uuid.UUID(each.event_id), recipient)),
                    recipient=recipient,
                    event_id=each.event_id,
                    notification_id=each.id,
                    position=each.position,
                    stream=stream,
                    created_at=now,
                )
            elif louder(stream, known.stream) != known.stream:
                found[key] = replace(known, notification_id=each.id, position=each.position, stream=stream)
    return sorted(found.values(), key=lambda each: (each.position, each.recipient))


def _recipients(told: Iterable[Told], holders: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    for each in told:
        users = holders.get(each.office, ())
        if is_personal(each.office):
            found.add(each.office)
        elif not users and each.event.startswith(OF_PETITIONS) and role_of(each.office) in ORGANISATION_ROLES:
            # Nobody signs in for this organisation, but the petition may name an address.
            found.add(f"{PETITIONER}@{each.subject_id}")
        else:
            found.update(person(user_id) for user_id in users)
    return found


def deliveries_of(
    recipient: str,
    preference: Preference | None,
    occasion: str,
    notices: Sequence[str],
    channels: Collection[str],
    now: datetime,
) -> list[Delivery]:
    """One for each channel that is set up and that the recipient wants."""
    known = preference or Preference(recipient=recipient)
    wanted = [(MAIL, known.mail), (ELSEWHERE, known.elsewhere is not None)]
    return [
        Delivery(
            id=str(uuid.uuid4()),
            recipient=recipient,
            channel=channel,
            occasion=occasion,
            notices=list(notices),
            state=WAITING,
            attempts=0,
            next_at=now,
            cause=None,
            created_at=now,
        )
        for channel, wants in wanted
        if wants and channel in channels and occasion != OFF
    ]
