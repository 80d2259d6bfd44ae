"""Running text in capital letters; headings and names of offices are meant to be so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.petitions.domain.advice import reason
from services.petitions.domain.advice.folded import HIDDEN, Folded, Part
from services.petitions.domain.advice.suggestion import BODY, MOST_OF_A_CODE, Suggestion

_RUN_OF_WORDS = 5
_RUN_OF_LETTERS = 25
_HEADING = 120
"""Characters: a line of capitals that is no longer, and does not end as a sentence does, is a heading."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_OFFICE = re.compile(
    r"baskanligi|mudurlugu|valiligi|kaymakamligi|bakanligi|dernegi|vakfi|belediyesi|meclisi|okulu|anonim|sirketi|birligi|konseyi|protokolu"
)
_LOWER = str.maketrans({"I": "ı", "İ": "i"})


def shouted(text: Folded) -> Iterator[Suggestion]:
    """Stretches of at least five words in capitals that are neither heading, quotation nor the name of an office."""
    told = 0
    for line in text.lines():
        for start, end in _runs(text, line):
            at, to = text.span(start, end)
            whole = text.span(line.start, line.end)
            said = text.text[at:to]
            if _OFFICE.search(line.key) or _is_heading(text.text[slice(*whole)], said):
                continue
            told += 1
            if told > MOST_OF_A_CODE:
                return
            lower = said.translate(_LOWER).lower()
            instead = lower[:1].replace("i", "İ").upper() + lower[1:]
            yield Suggestion("capitals", BODY, at, to, said, instead, reason.CAPITALS)


def _runs(text: Folded, line: Part) -> Iterator[tuple[int, int]]:
    """Where words in capitals follow each other, in the key."""
    run: list[tuple[int, int]] = []
    for word in _WORD.finditer(text.open, line.start, line.end):
        span = word.span()
        capital = text.text[slice(*text.span(*span))].isupper()
        if run and (not capital or HIDDEN in text.open[run[-1][1] : span[0]]):
            yield from _long_enough(run)
            run = []
        if capital:
            run.append(span)
    yield from _long_enough(run)


def _long_enough(run: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    if len(run) >= _RUN_OF_WORDS and sum(end - start for start, end in run) >= _RUN_OF_LETTERS:
        yield run[0][0], run[-1][1]


def _is_heading(line: str, said: str) -> bool:
    whole = line.strip()
    others = [word for word in _WORD.findall(whole.replace(said, "")) if not word.isupper()]
    return len(whole) <= _HEADING and not others and whole[-1:] not in (".", "!", "?")
