"""What people choose, what was sent to them, which addresses are suppressed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.contracts.notifications import ChoosePreference, ListDeliveries, PageAsked
from services.kernel.actor import Actor
from services.kernel.errors import NotFound
from services.kernel.text import Sentence
from services.notifications.adapters.answer import delivery_shown, preference_shown, suppression_shown
from services.notifications.adapters.post import PostRows
from services.notifications.application import posting
from services.notifications.domain.delivery import ELSEWHERE, MAIL, Delivery
from services.notifications.domain.preference import person
from services.runtime import dead
from services.runtime.clockwork import TIME
from services.runtime.database import Database
from services.runtime.dependencies import Service
from services.runtime.entrypoints import rpc
from services.runtime.schema import load
from services.runtime.settings import Settings


class PostDesk(Service):
    """Preferences, the log of deliveries, dead letters, the suppression list."""

    @rpc
    def preferences(self, user_id: str) -> dict[str, Any]:
        """What the user chose, for each topic with its default."""
        with self.database.read() as connection:
            found = posting.chosen(PostRows(connection), person(user_id))
        return preference_shown(found, self._set_up)

    @rpc
    def choose(self, user_id: str, expected_version: int, **wanted: Any) -> dict[str, Any]:
        """Put a choice in the place of the former one; Conflict for another version."""
        asked = load(ChoosePreference(), wanted)
        streams = {each["event"]: each["stream"] for each in asked.pop("events")}
        with self.database.write() as connection:
            rows = PostRows(connection)
            # What is not named stays; the version says that it is still what its owner saw.
            made = replace(posting.chosen(rows, person(user_id)), streams=streams, **asked)
            found = posting.choose(rows, made, expected_version)
        return preference_shown(found, self._set_up)

    @property
    def _set_up(self) -> list[str]:
        return [name for name, url in ((MAIL, self.settings.smtp_url), (ELSEWHERE, self.settings.channel_url)) if url]

    @rpc
    def subscription(self, token: str) -> dict[str, Any]:
        """Whether mail is sent to whoever the token of a mail is about."""
        with self.database.read() as connection:
            found = posting.behind_token(PostRows(connection), token)
        return {"mail": found.mail}

    @rpc
    def unsubscribe(self, token: str) -> dict[str, Any]:
        """Send nothing more to whoever the token is about; twice changes nothing."""
        with self.database.write() as connection:
            found = posting.unsubscribe(PostRows(connection), token, self.time.now())
        return {"mail": found.mail}

    @rpc
    def list_deliveries(self, actor: dict[str, Any] | None, user_id: str, **wanted: Any) -> dict[str, Any]:
        """A page of what was sent to the user; to everyone, for the administrator."""
        asked = load(ListDeliveries(), wanted)
        sees_all = actor is not None and Actor.from_plain(actor).role == "administrator"
        with self.database.read() as connection:
            found = PostRows(connection).deliveries(
                None if sees_all else person(user_id), asked["state"], asked["page"], asked["size"]
            )
        items = [delivery_shown(each) for each in found.items]
        return {"items": items, "page": asked["page"], "size": asked["size"], "total": found.total}

    @classmethod
    def shelves(cls, database: Database, settings: Settings) -> Sequence[dead.Shelf]:
        """Besides what the others keep: messages that were given up."""
        return [*super().shelves(database, settings), DeliveryShelf(database)]

    @rpc
    def list_suppressions(self, **wanted: Any) -> dict[str, Any]:
        """A page of the addresses that get no mail, masked."""
        asked = load(PageAsked(), wanted)
        with self.database.read() as connection:
            found = PostRows(connection).suppressions(asked["page"], asked["size"])
        items = [suppression_shown(each) for each in found.items]
        return {"items": items, "page": asked["page"], "size": asked["size"], "total": found.total}

    @rpc
    def allow_again(self, suppression_id: str) -> None:
        """Send to a suppressed address again; NotFound when there is none of this id."""
        with self.database.write() as connection:
            found = _is_id(suppression_id) and PostRows(connection).allow_again(suppression_id)
        if not found:
            raise NotFound(Sentence("There is no such suppressed address."))


@dataclass(frozen=True)
class DeliveryShelf:
    """Mails and other messages that were given up, or that came back."""

    database: Database

    def count(self) -> int:
        """How many there are."""
        with self.database.read() as connection:
            return PostRows(connection).number_of_dead()

    def page(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """Some of them, the oldest first."""
        with self.database.read() as connection:
            return [_letter(each) for each in PostRows(connection).dead(offset, limit)]

    def redrive(self, letter_id: str) -> dict[str, Any] | None:
        """Send it again, with all tries before it; None for an unknown id."""
        if not _is_id(letter_id):
            return None
        with self.database.write() as connection:
            found = PostRows(connection).redrive(letter_id, TIME.now())
        return None if found is None else _letter(found)


def _letter(delivery: Delivery) -> dict[str, Any]:
    return dead.letter(
        letter_id=delivery.id,
        kind="delivery",
        of=delivery.recipient,
        event=None,
        event_id=None,
        cause=delivery.cause or "",
        attempts=delivery.attempts,
        since=delivery.created_at,
    )


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
