"""Files that belong to a petition: what may be added, by whom, and who sees it."""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.kernel.actor import PETITIONER
from services.kernel.errors import Forbidden, Invalid, NotFound, Refused
from services.kernel.text import Label, Sentence
from services.petitions.domain.access import Admitted

LONGEST_TITLE = 200
LONGEST_NAME = 120
"""Characters, with the ending."""

_ADDERS = ("registry_clerk", "unit_officer")
_UNREGISTERED = "received"
_OVER = ("answered", "declined", "withdrawn", "proposal_accepted", "forwarded")
"""Stages in which the petitioner adds nothing any more, and sees what was sent with the answer."""

# What systems give a meaning in names, or cannot write; a name is kept to be shown, never to find the file.
_NO_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_LONGEST_ENDING = 5


class Kind(StrEnum):
    """What a file is to its petition."""

    SCAN = "scan"
    MANDATE = "mandate"
    ANNEX = "annex"
    REPLY = "reply"


KINDS = {
    Kind.SCAN: Label(tr="Dilekçenin taranmış hâli", en="Scan of the petition"),
    Kind.MANDATE: Label(tr="Yetki belgesi", en="Document of authority"),
    Kind.ANNEX: Label(tr="Ek", en="Annex"),
    Kind.REPLY: Label(tr="Cevap yazısı", en="Reply"),
}


@dataclass(frozen=True)
class Attachment:
    """A file of a petition. `file_name` is the sender's word, made fit to be shown; `added_by` an office, no person."""

    id: str
    petition_id: str
    kind: Kind
    title: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    added_at: datetime
    added_by: str


def check_may_add(who: Admitted, kind: Kind) -> None:
    """Raise Forbidden for offices that only read, Refused for a petitioner whose petition is over."""
    if not who.is_petitioner and who.actor.role not in _ADDERS:
        raise Forbidden(Sentence("Your office may read the files of this petition but add none."))
    if who.is_petitioner and kind is Kind.REPLY:
        raise Forbidden(Sentence("Only the municipality adds its reply."))
    if who.is_petitioner and who.stage in _OVER:
        raise Refused(Sentence("This petition is closed; nothing can be added to it. Write a new one."))


def check_may_remove(who: Admitted, attachment: Attachment) -> None:
    """Raise Forbidden unless this office added it, Refused when the petition was registered."""
    if attachment.added_by != who.office:
        raise Forbidden(Sentence("Only the office that added this file may remove it."))
    if who.stage != _UNREGISTERED:
        raise Refused(Sentence("The petition is registered, so its files stay with it."))


def may_remove(who: Admitted, attachment: Attachment) -> bool:
    """Whether `check_may_remove` lets them."""
    return attachment.added_by == who.office and who.stage == _UNREGISTERED


def is_shown(who: Admitted, attachment: Attachment) -> bool:
    """Whether they see it: what a unit adds reaches the petitioner with the answer, not before.

    A reply that was there when an interim reply was given has gone out with it.
    """
    if not who.is_petitioner or who.stage in _OVER:
        return True
    if attachment.kind is Kind.REPLY:
        return who.interim_at is not None and attachment.added_at <= who.interim_at
    return not (attachment.kind is Kind.ANNEX and _is_a_units(attachment))


def goes_along(attachment: Attachment) -> bool:
    """Whether it goes to the authority to which the petition is forwarded: all but what a unit wrote or answered."""
    return attachment.kind is not Kind.REPLY and not _is_a_units(attachment)


def copied(attachment: Attachment, petition_id: str) -> Attachment:
    """The same content as a file of another petition; the petitioner's stays the petitioner's."""
    own = attachment.added_by == f"{PETITIONER}@{attachment.petition_id}"
    by = f"{PETITIONER}@{petition_id}" if own else attachment.added_by
    return replace(attachment, id=str(uuid.uuid4()), petition_id=petition_id, added_by=by)


def _is_a_units(attachment: Attachment) -> bool:
    return attachment.added_by.startswith("unit_officer@")


def no_such_file() -> NotFound:
    """What is said of a file that is not there, or not the caller's to see."""
    return NotFound(Sentence("There is no such file."))


def clean_name(given: str) -> str:
    """A file's name without folders, signs that hide or turn the others round, and beyond 120 characters.

    The ending stays. Empty when nothing is left.
    """
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    shown = "".join(each for each in last if unicodedata.category(each) not in _UNSEEN)
    name = _NO_NAME.sub("_", " ".join(shown.split())).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > _LONGEST_ENDING:
        return name[:LONGEST_NAME].strip(" .")
    return stem[: LONGEST_NAME - len(dot + ending)].rstrip(" .") + dot + ending


def named(name: str, ending: str) -> str:
    """The name as it is, or with that ending where it had none."""
    stem, _, own = name.rpartition(".")
    if stem and own.isalnum() and len(own) <= _LONGEST_ENDING:
        return name
    return f"{name[: LONGEST_NAME - len(ending) - 1].rstrip(' .') or 'dosya'}.{ending}"


def clean_title(given: str | None) -> str:
    """A title on one line; empty where none was given. Raises Invalid when it is too long."""
    shown = "".join(
        each
        for each in unicodedata.normalize("NFC", given or "")
        if each.isspace() or unicodedata.category(each) not in _UNSEEN
    )
    title = " ".join(shown.split())
    if len(title) > LONGEST_TITLE:
        raise Invalid.field(
            "title", Sentence("This text is too long: at most {longest} characters.", longest=LONGEST_TITLE)
        )
    return title
