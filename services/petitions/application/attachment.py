"""Adding files to a petition, and taking away what was added by mistake."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.kernel.errors import Refused, Unavailable
from services.kernel.text import Sentence
from services.petitions.domain.access import Admitted
from services.petitions.domain.attachment import (
    Attachment,
    Kind,
    check_may_add,
    check_may_remove,
    clean_title,
    is_shown,
    no_such_file,
)


class Attachments(Protocol):
    """Where the rows of files are kept."""

    def get(self, petition_id: str, attachment_id: str, *, to_change: bool = False) -> Attachment:
        """One file of the petition, held if it is to be removed. Raises NotFound."""

    def of(self, petition_id: str) -> Sequence[Attachment]:
        """The petition's files in the order in which they were added."""

    def add(self, attachment: Attachment) -> None:
        """Keep it."""

    def remove(self, attachment: Attachment, *, now: datetime, by: str) -> None:
        """Take it away; who did it and when is kept, the file is not."""


class Files(Protocol):
    """The contents of files."""

    def hold(self, sha256: str) -> bool:
        """Whether the content is kept; until the transaction ends nobody throws it away."""


@dataclass(frozen=True)
class Sent:
    """A file as it arrived: its content is kept under its SHA-256 already, and was found to be of a kind we take."""

    kind: Kind
    title: str | None
    file_name: str
    media_type: str
    size: int
    sha256: str


def add_attachment(
    attachments: Attachments, files: Files, who: Admitted, sent: Sent, *, most: int, now: datetime
) -> Attachment:
    """Add the file to the petition, which is held for the transaction; at most `most` belong to one.

    What the same office sends again is not kept twice: the one that is there is given back.
    Raises Forbidden, Invalid, Refused, Unavailable.
    """
    check_may_add(who, sent.kind)
    title = clean_title(sent.title) or sent.file_name
    there = attachments.of(who.id)
    for each in there:
        if (each.sha256, each.kind, each.added_by) == (sent.sha256, sent.kind, who.office):
            return each
    if len(there) >= most:
        raise Refused(Sentence("A petition has at most {most} files.", most=most))
    if not files.hold(sent.sha256):
        raise gone()
    attachment = Attachment(
        id=str(uuid.uuid4()),
        petition_id=who.id,
        kind=sent.kind,
        title=title,
        file_name=sent.file_name,
        media_type=sent.media_type,
        size=sent.size,
        sha256=sent.sha256,
        added_at=now,
        added_by=who.office,
    )
    attachments.add(attachment)
    return attachment


def remove_attachment(attachments: Attachments, who: Admitted, attachment_id: str, *, now: datetime) -> Attachment:
    """Take a file away while the petition is not registered. Raises NotFound, Forbidden, Refused."""
    attachment = _seen(who, attachments.get(who.id, attachment_id, to_change=True))
    check_may_remove(who, attachment)
    attachments.remove(attachment, now=now, by=who.office)
    return attachment


def get_attachment(attachments: Attachments, who: Admitted, attachment_id: str) -> Attachment:
    """One file, without its content. Raises NotFound."""
    return _seen(who, attachments.get(who.id, attachment_id))


def list_attachments(attachments: Attachments, who: Admitted) -> list[Attachment]:
    """Those of the petition's files that the caller sees, in the order in which they were added."""
    return [each for each in attachments.of(who.id) if is_shown(who, each)]


def gone() -> Unavailable:
    """What is said of a content that housekeeping threw away before it was registered."""
    return Unavailable(Sentence("The file is not there any more. Send it again."))


def _seen(who: Admitted, attachment: Attachment) -> Attachment:
    if not is_shown(who, attachment):
        raise no_such_file()
    return attachment
