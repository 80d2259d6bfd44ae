"""Turkish text for machines: one key to find it by, one to sort it by.

Both are plain strings that are compared byte by byte, so that every database
finds and sorts alike, whatever its locale knows about İ and ı.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_DOTS = tuple(zip("İIı", "iii", strict=True))
_MARKS = tuple(zip("şğçöüâîû", "sgcouaiu", strict=True))
_STRAY_DOT = "i\u0307"
"""What programs that do not know Turkish make of İ."""
_WORD = re.compile(r"[^\W_]+")

_ALPHABET = "abcçdefgğhıijklmnoöpqrsştuüvwxyz"
_FIRST = 0x41
_PLACE = {letter: chr(_FIRST + place) for place, letter in enumerate(_ALPHABET)}
_CAPITALS = (("I", "ı"), ("İ", "i"))


def fold(text: str) -> str:
    """The key by which text is found: no case, no Turkish marks, İ I ı i all alike.

    `Yer Çizenler` and `YER CIZENLER` have the same key.
    """
    if text.isascii():
        return text.lower()
    # Replacing letter by letter takes a third of the time that str.translate takes.
    key = _replaced(unicodedata.normalize("NFC", text), _DOTS)
    return _replaced(key.lower(), _MARKS).replace(_STRAY_DOT, "i")


def _replaced(text: str, letters: Iterable[tuple[str, str]]) -> str:
    for old, new in letters:
        text = text.replace(old, new)
    return text


def words(text: str) -> list[str]:
    """The folded words of a text, in order; signs between them are left out."""
    return _WORD.findall(fold(text))


def collation_key(text: str) -> str:
    """The key by which text is sorted: the Turkish alphabet, digits before letters, signs as spaces.

    â, î and û sort as a, i and u; letters of other alphabets come last. Two texts may have
    the same key: sort by something else after it.
    """
    lowered = _replaced(unicodedata.normalize("NFC", text), _CAPITALS).lower().replace(_STRAY_DOT, "i")
    return " ".join(_WORD.findall(lowered)).translate(_PLACES)


class _Places(dict[int, str]):
    """Where each letter sorts, found out when it is met for the first time."""

    def __missing__(self, code: int) -> str:
        place = self[code] = _place(chr(code))
        return place


_PLACES = _Places()


def _place(character: str) -> str:
    known = _PLACE.get(character)
    if known is not None or character.isascii():
        return known or character
    base = unicodedata.normalize("NFD", character)[0]
    return _PLACE.get(base, character)
