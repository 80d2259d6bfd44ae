"""Finding organisations and municipalities by name: without Turkish marks, in any order of words, past a typing error.

A name is found when it holds every word of the query, whole or in part. When fewer than
FEW names do, each word may also stand for words of the registry that differ by a typing
error or two. Names that hold the words are looked up by trigram (PostgreSQL: GIN index;
SQLite: FTS5); likely words by plain index ranges; both are the same set in either
database, and one function here ranks them, so that both find alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Integer, and_, case, column, func, or_, select, true
from sqlalchemy import text as sql

from services.kernel.turkish import words
from services.registry.adapters.tables import MUNICIPALITIES, ORGANISATIONS, WORDS

FEW = 5
"""Fewer names than this, and typing errors are considered."""
RANKED = 300
"""More names than this are not ranked one by one, but sorted by name after those that begin with the query."""

MOST_WORDS = 8
MOST_MEANINGS = 12
LONGEST_WORD = 40
SHORTEST_CORRECTED = 4
SHORTEST_TWICE_CORRECTED = 6
SHORTEST_NUMBER = 5
TRIGRAM = 3
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Filters:
    """What the answer is limited to, besides the query."""

    province_code: str | None = None
    form: str | None = None
    standing: str | None = None


class Found(NamedTuple):
    """The ids (or codes) of one page, in order, and how many there are in all."""

    keys: list[str]
    total: int


class Candidate(NamedTuple):
    """A name that may be what was meant."""

    key: str
    folded: str
    name_key: str


def folded_name(name: str, *others: str | None) -> str:
    """The folded words by which a name is found, and of everything else given with it."""
    return " ".join(word for part in (name, *others) if part for word in words(part))


def vocabulary(folded: str) -> set[str]:
    """The words of a folded name that a mistyped word may stand for."""
    return {
        word for word in folded.split() if SHORTEST_CORRECTED <= len(word) <= LONGEST_WORD and _LETTERS.fullmatch(word)
    }


def query_words(query: str) -> list[str]:
    """The folded words of a query; a number written with signs is one word, as registry numbers are kept."""
    found = [word[:LONGEST_WORD] for word in words(query)][:MOST_WORDS]
    number = "".join(found)
    return [number] if number.isdigit() and len(number) >= SHORTEST_NUMBER else found


def find_organisations(connection: Connection, query: str | None, filters: Filters, page: int, size: int) -> Found:
    """One page of the organisations that fit. Without a query they are sorted by name, else by how well they fit."""
    limits = _limits(filters)
    offset = (page - 1) * size
    if not query or not query.strip():
        return _sorted_by_name(connection, limits, [], offset, size)
    asked = query_words(query)
    if not asked:
        return Found([], 0)
    groups = [[word] for word in asked]
    candidates = _candidates(connection, groups, limits)
    if len(candidates) < FEW:
        groups = _meanings(connection, asked)
        if any(len(group) > 1 for group in groups):
            candidates = _candidates(connection, groups, limits)
    if len(candidates) > RANKED:
        first = case((ORGANISATIONS.c.folded.startswith(" ".join(asked), autoescape=True), 0), else_=1)
        return _sorted_by_name(connection, [*limits, _contains(groups)], [first], offset, size)
    ranked = ranking(asked, candidates)
    return Found([candidate.key for candidate in ranked[offset : offset + size]], len(ranked))


def find_municipalities(
    connection: Connection, query: str | None, province_code: str | None, page: int, size: int
) -> Found:
    """One page of the municipalities that fit; there are few enough to look at all of them."""
    table = MUNICIPALITIES
    statement = select(table.c.code, table.c.folded, table.c.name_key).order_by(table.c.name_key, table.c.code)
    if province_code is not None:
        statement = statement.where(table.c.province_code == province_code)
    known = [Candidate(*row) for row in connection.execute(statement)]
    if query and query.strip():
        asked = query_words(query)
        fitting = [each for each in known if asked and all(word in each.folded for word in asked)]
        if asked and not fitting:
            named = set().union(*(vocabulary(each.folded) for each in known))
            meanings = [[word, *likely(word, named)] for word in asked]
            fitting = [each for each in known if all(any(word in each.folded for word in group) for group in meanings)]
        known = ranking(asked, fitting)
    offset = (page - 1) * size
    return Found([each.key for each in known[offset : offset + size]], len(known))


def ranking(asked: Sequence[str], candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates, best first: whole words before beginnings, parts and typing errors; then the shorter name."""
    phrase = " ".join(asked)

    def badness(candidate: Candidate) -> tuple[int, bool, int, str, str]:
        named = candidate.folded.split()
        distance = sum(min(_misfit(word, other) for other in named) for word in asked)
        return (
            distance,
            not candidate.folded.startswith(phrase),
            len(named),
            candidate.name_key,
            candidate.key,
        )

    return sorted(candidates, key=badness)


def likely(word: str, named: Iterable[str]) -> list[str]:
    """The words that `word` may have been meant for, nearest first."""
    limit = _errors_allowed(word)
    if not limit:
        return []
    letters = set(word)
    near = [
        (errors, other)
        for other in named
        # A missing or foreign letter costs an error each: this spares nearly all the comparisons.
        if len(letters.difference(other)) <= limit
        and len(set(other) - letters) <= limit
        and (errors := typing_errors(word, other, limit)) is not None
        and errors
    ]
    return [other for _, other in sorted(near)[:MOST_MEANINGS]]


def typing_errors(word: str, other: str, limit: int) -> int | None:
    """How many letters were mistyped, left out, added or swapped with the next; None when more than `limit`."""
    if abs(len(word) - len(other)) > limit:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, start=1):
        following = [i]
        for j, meant in enumerate(other, start=1):
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (letter != meant))
            if before and j > 1 and letter == other[j - 2] and word[i - 2] == meant:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        if min(following) > limit:
            return None
        before, row = row, following
    return row[-1] if row[-1] <= limit else None


def _errors_allowed(word: str) -> int:
    if len(word) < SHORTEST_CORRECTED or not _LETTERS.fullmatch(word):
        return 0
    return 1 if len(word) < SHORTEST_TWICE_CORRECTED else 2


_NOT_ALIKE = 100


def _misfit(word: str, other: str) -> int:
    if word == other:
        return 0
    if other.startswith(word):
        return 1
    if word in other:
        return 2
    errors = typing_errors(word, other, _errors_allowed(word))
    return _NOT_ALIKE if errors is None else 1 + 2 * errors


def _limits(filters: Filters) -> list[ColumnElement[bool]]:
    wanted = (
        (ORGANISATIONS.c.province_code, filters.province_code),
        (ORGANISATIONS.c.form, filters.form),
        (ORGANISATIONS.c.standing_permission, filters.standing),
    )
    return [column == value for column, value in wanted if value is not None]


def _sorted_by_name(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    before_name: Sequence[ColumnElement[Any]],
    offset: int,
    size: int,
) -> Found:
    table = ORGANISATIONS
    counted = select(func.count()).select_from(table).where(*conditions)
    total = connection.execute(counted).scalar_one()
    wanted = select(table.c.id).where(*conditions).order_by(*before_name, table.c.name_key, table.c.id)
    return Found(list(connection.execute(wanted.offset(offset).limit(size)).scalars()), total)


def _candidates(
    connection: Connection, groups: Sequence[Sequence[str]], limits: Sequence[ColumnElement[bool]]
) -> list[Candidate]:
    """Names that hold a word of every group, at most RANKED + 1."""
    table = ORGANISATIONS
    statement = select(table.c.id, table.c.folded, table.c.name_key).where(_holds(connection, groups), *limits)
    return [Candidate(*row) for row in connection.execute(statement.limit(RANKED + 1))]


def _holds(connection: Connection, groups: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    """The name holds a word of every group; SQLite has its trigrams in a table of their own."""
    if connection.dialect.name == "postgresql":
        return _contains(groups)
    indexed = [group for group in groups if all(len(word) >= TRIGRAM for word in group)]
    conditions = [_contains([group for group in groups if group not in indexed])]
    if indexed:
        expression = " AND ".join("(" + " OR ".join(f'"{word}"' for word in group) + ")" for group in indexed)
        rows = sql("SELECT rowid FROM organisation_search WHERE organisation_search MATCH :expression")
        conditions.append(ORGANISATIONS.c.row_no.in_(rows.bindparams(expression=expression).columns(column("rowid"))))
    return and_(*conditions)


def _contains(groups: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    """The name holds a word of every group; on SQLite by looking at each, which is quicker where most of them fit."""
    folded = ORGANISATIONS.c.folded
    return and_(true(), *(or_(*(folded.contains(word, autoescape=True) for word in group)) for group in groups))


def _meanings(connection: Connection, asked: Sequence[str]) -> list[list[str]]:
    """For each word of the query itself and the known words it may have been meant for."""
    looked_up = {word for word in asked if _errors_allowed(word)}
    if not looked_up:
        return [[word] for word in asked]
    ranges = []
    for word in sorted(looked_up):
        errors = _errors_allowed(word)
        fits = func.length(WORDS.c.word, type_=Integer).between(len(word) - errors, len(word) + errors)
        # A word with an error at both ends is not found; all others share one of them.
        ranges.append(and_(_between(WORDS.c.word, word[:errors]), fits))
        ranges.append(and_(_between(WORDS.c.reversed, word[: -errors - 2 : -1]), fits))
    named = connection.execute(select(WORDS.c.word).where(or_(*ranges))).scalars().all()
    return [[word, *likely(word, named)] for word in asked]


def _between(column: ColumnElement[str], start: str) -> ColumnElement[bool]:
    return and_(column >= start, column < start[:-1] + chr(ord(start[-1]) + 1))
