"""What notifications does: hears an event, lists what an office was told, notes what was read.

Whatever is delivered twice or in another order, an office is told of an event once.
An organisation's news concerns the municipalities that had an open case with it when
it happened; such a case may become known only later, so the news is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.kernel.actor import Actor
from services.kernel.errors import NotFound
from services.kernel.text import Sentence
from services.notifications.domain.audience import concerns_open_cases, listeners, tenant_of
from services.notifications.domain.case import Case, case_shown_by
from services.notifications.domain.happening import Happening, Notification, notification_id
from services.notifications.domain.preference import person, topic_of
from services.notifications.domain.template import params_of, template_of

DRAFTED = "protocol.drafted.v1"


@dataclass(frozen=True)
class Page:
    """One page of an office's notifications, newest first."""

    items: Sequence[Notification]
    total: int
    unread: int


class Ear(Protocol):
    """What hearing an event needs; everything in one transaction."""

    def first_time(self, happening: Happening) -> bool:
        """True when this event was not heard before."""

    def tell(self, notifications: Sequence[Notification]) -> None:
        """Store them; one that is there already stays as it is."""

    def remember(self, case: Case) -> None:
        """Keep what is newer of the case."""

    def cases_of(self, organisation_id: str) -> Sequence[Case]:
        """All known cases with the organisation."""

    def keep_news(self, news: Happening) -> None:
        """Keep an organisation's news for cases that become known later."""

    def news_of(self, organisation_id: str, since: datetime) -> Sequence[Happening]:
        """The organisation's news that happened at `since` or after."""

    def alone_with(self, organisation_id: str) -> None:
        """Let nobody else work on the organisation's news until the transaction ends."""


class Shelf(Protocol):
    """What reading needs."""

    def page(self, offices: Sequence[str], *, page: int, size: int, unread: bool) -> Page:
        """A page of what these were told."""

    def mark_read(self, offices: Sequence[str], notification_id: str, now: datetime) -> Notification | None:
        """Their notification, read now or before; None when they have none of this id."""


def is_quiet(happening: Happening) -> bool:
    """Whether nobody hears this event and nothing of it need be remembered."""
    return not (listeners(happening) or case_shown_by(happening) or concerns_open_cases(happening))


def hear(ear: Ear, happening: Happening, now: datetime) -> None:
    """Tell every office concerned, once. A second delivery changes nothing."""
    if not ear.first_time(happening):
        return
    shown = case_shown_by(happening)
    if shown is not None:
        _follow(ear, happening, shown, now)
    if concerns_open_cases(happening):
        _spread(ear, happening, now)
    else:
        ear.tell(_notifications(happening, listeners(happening), now))


def notifications_of(shelf: Shelf, actor: Actor, *, page: int, size: int, unread: bool) -> Page:
    """A page of what the office and the person were told, newest first, with the number not read."""
    return shelf.page(_own(actor), page=page, size=size, unread=unread)


def mark_read(shelf: Shelf, actor: Actor, notification_id: str, now: datetime) -> Notification:
    """Note that it was read; the first reading counts. NotFound for another office's."""
    found = shelf.mark_read(_own(actor), notification_id, now)
    if found is None:
        raise NotFound(Sentence("There is no such notification."))
    return found


def _own(actor: Actor) -> list[str]:
    """The office, and the person in it, who alone is told of the own mail address."""
    return [actor.office, *([person(actor.user_id)] if actor.user_id else [])]


def _follow(ear: Ear, happening: Happening, shown: Case, now: datetime) -> None:
    """Remember the case; news that happened since it was drafted but came before it is told now."""
    if happening.event != DRAFTED:
        ear.remember(shown)
        return
    ear.alone_with(shown.organisation_id)
    ear.remember(shown)
    news = ear.news_of(shown.organisation_id, happening.occurred_at)
    if news:
        cases = ear.cases_of(shown.organisation_id)
        for each in news:
            ear.tell(_news_notifications(each, cases, now))


def _spread(ear: Ear, news: Happening, now: datetime) -> None:
    organisation_id = str(news.data["organisation_id"])
    ear.alone_with(organisation_id)
    ear.keep_news(news)
    ear.tell(_news_notifications(news, ear.cases_of(organisation_id), now))


def _news_notifications(news: Happening, cases: Iterable[Case], now: datetime) -> list[Notification]:
    """One for each office that heard of the organisation's news; municipal ones name their open cases."""
    references: dict[str, list[str]] = {}
    for case in cases:
        if case.was_open_at(news.occurred_at):
            references.setdefault(case.municipality, []).append(case.reference)
    named = {municipality: {"cases": ", ".join(sorted(found))} for municipality, found in references.items()}
    return [_notification(news, office, named.get(tenant_of(office), {}), now) for office in listeners(news, named)]


def _notifications(happening: Happening, offices: Collection[str], now: datetime) -> list[Notification]:
    return [_notification(happening, office, {}, now) for office in offices]


def _notification(happening: Happening, office: str, extra: Mapping[str, str], now: datetime) -> Notification:
    return Notification(
        id=notification_id(happening.event_id, office),
        office=office,
        event_id=happening.event_id,
        event=happening.event,
        subject_id=happening.subject_id,
        reference=happening.reference,
        template=template_of(happening),
        params=params_of(happening, extra),
        created_at=now,
        topic=topic_of(happening, office),
    )
