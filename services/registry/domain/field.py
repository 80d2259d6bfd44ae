"""Single fields: what a name, a number or an address may be, and the sentence when it may not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from stdnum.exceptions import InvalidFormat, InvalidLength, ValidationError
from stdnum.tr import vkn

from services.kernel.text import Sentence

REGISTRY_NO = re.compile(r"(?P<province>0[1-9]|[1-7]\d|8[01])[-.](\d{3})[-.](\d{3})")
"""Kütük no of an association; no official specification is known, so it warns and never refuses."""

PROVINCES = 81
EARLIEST = date(1900, 1, 1)
LATEST = date(2199, 12, 31)

_CITIZEN_NO_DIGITS = 11
_EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\".]+(\.[^\s@<>\".]+)+")
_WEBSITE = re.compile(r"(https?://)?[^\s/:@<>\".]+(\.[^\s/:@<>\".]+)+(:\d{1,5})?([/?#][^\s<>\"]*)?", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d\s()/.-]+")
_DIGIT = re.compile(r"\d")
_PHONE_DIGITS = range(7, 16)
_INVISIBLE = "Cf"
_UNWRITABLE = {"Cc", "Cs", "Co", "Cn"}


class WrongField(Exception):
    """A field cannot be what was given; `sentence` says why in the field's words."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


def text(longest: int) -> Callable[[Any], str | None]:
    """A reader of one line of text of at most `longest` characters; blank is None, invisible signs are dropped."""

    def read(given: str | None) -> str | None:
        if not given:
            return None
        if given.isprintable() and (given.isascii() or unicodedata.is_normalized("NFC", given)):
            # Nothing invisible and nothing unwritable in it: hundreds of thousands of cells of an import come here.
            line = " ".join(given.split())
        else:
            visible = (character for character in given if unicodedata.category(character) != _INVISIBLE)
            line = " ".join(unicodedata.normalize("NFC", "".join(visible)).split())
            if any(unicodedata.category(character) in _UNWRITABLE for character in line):
                raise WrongField(Sentence("This text holds characters that cannot be written."))
        if len(line) > longest:
            raise WrongField(Sentence("This text is too long: at most {longest} characters.", longest=longest))
        return line or None

    return read


def organisation_name(given: str | None) -> str:
    """The full name as registered."""
    name = text(300)(given)
    if name is None or not any(character.isalnum() for character in name):
        raise WrongField(Sentence("Give the full name of the organisation."))
    return name


def province_code(given: str | None) -> str | None:
    """The plate number of the province, two digits."""
    code = text(20)(given)
    if code is not None and not (re.fullmatch(r"[0-9]{2}", code) and 1 <= int(code) <= PROVINCES):
        raise WrongField(Sentence("Give the province by its plate number in two digits, 01 to 81."))
    return code


def tax_no(given: str | None) -> str | None:
    """The tax identification number (VKN): ten digits, the last of which checks the others."""
    number = text(40)(given)
    if number is None:
        return None
    digits = re.sub(r"[\s.-]", "", number)
    try:
        return vkn.validate(digits)
    except InvalidLength:
        if len(digits) == _CITIZEN_NO_DIGITS:
            raise WrongField(
                Sentence(
                    "This has eleven digits, as a person's identity number has. "
                    "Such numbers are not kept; give the organisation's tax number of ten digits."
                )
            ) from None
        raise WrongField(Sentence("A tax number has ten digits.")) from None
    except InvalidFormat:
        raise WrongField(Sentence("A tax number consists of digits only.")) from None
    except ValidationError:
        raise WrongField(
            Sentence("This is not a valid tax number: its last digit does not fit the others. Look for a typing error.")
        ) from None


def email(given: str | None) -> str | None:
    """An e-mail address of the organisation."""
    address = text(254)(given)
    if address is not None and not _EMAIL.fullmatch(address):
        raise WrongField(Sentence("This is not an e-mail address; it looks like bilgi@ornek.org.tr."))
    return address


def phone(given: str | None) -> str | None:
    """A telephone number, as it is written."""
    number = text(40)(given)
    if number is not None:
        digits = len(_DIGIT.findall(number))
        if not _PHONE.fullmatch(number) or digits not in _PHONE_DIGITS:
            raise WrongField(Sentence("This is not a telephone number; it looks like +90 212 000 00 00."))
    return number


def website(given: str | None) -> str | None:
    """An address on the web; no other scheme than http and https."""
    address = text(300)(given)
    if address is not None and not _WEBSITE.fullmatch(address):
        raise WrongField(Sentence("This is not a web address; it looks like https://ornek.org.tr."))
    return address


def expertise(given: Sequence[str] | None) -> tuple[str, ...]:
    """What the organisation knows well: up to 50 short entries, none twice."""
    entries = [entry for entry in map(text(100), given or ()) if entry is not None]
    distinct = tuple(dict.fromkeys(entries))
    most = 50
    if len(distinct) > most:
        raise WrongField(Sentence("At most {most} entries are kept.", most=most))
    return distinct


def past_date(given: date | None, today: date) -> date | None:
    """A day that is not in the future."""
    if given is not None and given > today:
        raise WrongField(Sentence("This date is in the future."))
    return given


def plausible_date(given: date | None) -> date | None:
    """A day of this age."""
    if given is not None and not EARLIEST <= given <= LATEST:
        raise WrongField(Sentence("Give a date between {earliest} and {latest}.", earliest=EARLIEST, latest=LATEST))
    return given
