"""Petitions and receipts on paper: tagged PDF and DOCX, the same bytes for the same content.

Petitions are in Turkish whatever the reader's language (3071/3), and so is everything printed here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.petitions.domain.advice.drafting import Letter, heading, parts_of
from services.petitions.domain.advice.voice import VOICES

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MEDIA_TYPES = {"pdf": PDF, "docx": DOCX}
LARGEST = 2 * 1024 * 1024
"""Bytes of the largest paper; 20,000 characters make about a tenth of that."""

_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_KEPT = "\n\t"


@dataclass(frozen=True)
class Paper:
    """A petition to be printed.

    `municipality` is its name, such as "Şişli". Where `body` has an addressee, a subject line or a block for
    the signature of its own, those are printed instead of what the other fields would give.
    """

    municipality: str
    subject: str
    body: str
    petitioner_type: str
    name: str = ""
    address: str = ""
    authorised_person: str = ""
    number: str = ""
    dated_on: date | None = None
    attachments: Sequence[str] = ()

    @property
    def letter(self) -> Letter:
        """The parts of the body."""
        return parts_of(printable(self.body))

    def to_plain(self) -> dict[str, Any]:
        """What is printed, part by part."""
        letter = self.letter
        organisation = VOICES[self.petitioner_type].organisation
        named = line(self.name) or ("[kuruluşun unvanı]" if organisation else "[ad soyad]")
        signer = [named, line(self.authorised_person) or "[görevi, ad soyad]"] if organisation else [named]
        return {
            "title": f"Dilekçe: {line(self.subject)}" if line(self.subject) else "Dilekçe",
            "date": None if self.dated_on is None else [self.dated_on.year, self.dated_on.month, self.dated_on.day],
            "dated": "" if letter.foot else written(self.dated_on),
            "number": line(self.number),
            "head": letter.head or heading(line(self.municipality)),
            "subject": "" if letter.titled else line(self.subject),
            "paragraphs": [part for part in _PARAGRAPHS.split(letter.text.strip()) if part.strip()],
            "foot": letter.foot,
            "address": f"Adres: {line(self.address) or '[adres]'}",
            "signer": "\n".join(signer),
            "annexes": [line(each) for each in self.attachments if line(each)],
        }


@dataclass(frozen=True)
class Receipt:
    """What the counter hands out: that a petition came in, and where its way can be followed.

    `municipality` is its name, `kind` the kind of petition in Turkish, `link` the address of the tracking page.
    """

    number: str
    filed_on: date
    municipality: str
    tracking_code: str
    link: str
    kind: str = "Dilekçe"
    due_on: date | None = None
    pages: int | None = None

    def to_plain(self) -> dict[str, Any]:
        """What is printed, part by part."""
        rows = [
            ("Kayıt no", self.number),
            ("Kayıt tarihi", written(self.filed_on)),
            ("Başvurunun türü", self.kind),
            ("Takip kodu", self.tracking_code),
        ]
        if self.due_on is not None:
            rows.append(("Cevap için son gün", written(self.due_on)))
        if self.pages is not None:
            rows.append(("Sayfa sayısı", str(self.pages)))
        return {
            "title": "Başvuru alındı belgesi",
            "authority": heading(line(self.municipality)).removesuffix("NA"),
            "date": [self.filed_on.year, self.filed_on.month, self.filed_on.day],
            "rows": [[name, line(value)] for name, value in rows],
            "link": self.link,
            "notes": [
                "Bu belge başvurunuzun yukarıdaki tarihte kayda alındığını gösterir. Lütfen saklayınız.",
                "Takip kodunu bilen herkes başvurunun aşamasını görebilir; takip sayfasında kişisel bilgi bulunmaz.",
            ],
        }


def written(day: date | None) -> str:
    """The day as Turkish letters write it."""
    return "" if day is None else f"{day:%d.%m.%Y}"


def printable(text: str) -> str:
    """The text without characters that no paper shows and no document may hold."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(each for each in whole if each in _KEPT or unicodedata.category(each) not in ("Cc", "Cs", "Cn"))


def line(text: str) -> str:
    """The same on one line."""
    return " ".join(printable(text).split())
