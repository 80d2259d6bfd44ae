"""Finding organisations and municipalities by name: without Turkish marks, in any order of words, past a typing error.

A name is found when each word of the query begins one of its words. When hardly any name
is, a word may also stand for words of the registry that hold it or differ from it by one
typing error, then by two; at last one word of three or more may be wrong altogether.

The words of all names lie in an index of the database's own (PostgreSQL: a generated
`tsvector` with a GIN index; SQLite: FTS5), with province, form and standing beside them,
so that counting needs no look at the rows. Both give the same set, and one function here
ranks it, so that both find alike. What the index needs of a new name is told by
`folded_name` and `learn`; the rest the database does itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Integer,
    and_,
    case,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.dialects import postgresql

from services.kernel.turkish import words
from services.registry.adapters.tables import MUNICIPALITIES, ORGANISATIONS, WORDS

FEW = 5
"""Fewer names than this, and typing errors are considered."""
RANKED = 600
"""More names than this are not ranked one by one, but sorted by name after those that begin with the query."""
SORTED = 15_000
"""More names than this are not sorted either; the registry is read in the order of names until the page is full."""

MOST_WORDS = 8
MOST_MEANINGS = 60
LONGEST_WORD = 40
SHORTEST_BEGINNING = 3
SHORTEST_CORRECTED = 4
SHORTEST_TWICE_CORRECTED = 6
SHORTEST_NUMBER = 5
FEWEST_FOR_ONE_WRONG = 3
_LETTERS = re.compile(r"[^\W\d_]+")
_SOFTENED = {"k": "g", "p": "b", "t": "d"}
_LEARN_POSTGRESQL = text(
    "INSERT INTO organisation_words (word, reversed)"
    " SELECT * FROM unnest(CAST(:words AS varchar[]), CAST(:ends AS varchar[])) ON CONFLICT DO NOTHING"
)
_LEARN_SQLITE = text("INSERT INTO organisation_words (word, reversed) VALUES (:word, :ends) ON CONFLICT DO NOTHING")


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


class Term(NamedTuple):
    """A word that a name may hold; unless `whole`, one that begins with it will do."""

    word: str
    whole: bool = False


Groups = Sequence[Sequence[Term]]
"""A name must hold a term of every group."""


class Reading(NamedTuple):
    """One way to understand a query: a name must fit one of these, and so many names are `enough`.

    `guessed`: more names than RANKED are as good as none.
    """

    either: Sequence[Groups]
    enough: int
    guessed: bool = False


# --- what the index knows


def learn(connection: Connection, folded: Iterable[str]) -> None:
    """Take the words of these new or changed `folded` texts into the vocabulary that typing errors are measured by.

    Give many texts at once: each word is written once. Words are never forgotten; one that no name
    holds any more costs a look and finds nothing.
    """
    # Sorted, so that two who learn the same words at the same time wait for each other and not in a circle.
    new = sorted(set().union(*map(vocabulary, folded)))
    if not new:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_LEARN_POSTGRESQL, {"words": new, "ends": [word[::-1] for word in new]})
    else:
        connection.execute(_LEARN_SQLITE, [{"word": word, "ends": word[::-1]} for word in new])


def settle(connection: Connection) -> None:
    """Bring the index in order after thousands of names were written; needed for speed alone."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT gin_clean_pending_list('organisations_by_words')"))
        connection.execute(text("ANALYZE organisations"))
        connection.execute(text("ANALYZE organisation_words"))
    else:
        connection.execute(text("INSERT INTO organisation_search (organisation_search) VALUES ('optimize')"))


def folded_name(name: str, *others: str | None) -> str:
    """The folded words by which a name is found, and of everything else given with it."""
    return " ".join(word for part in (name, *others) if part for word in words(part))


def vocabulary(folded: str) -> set[str]:
    """The words of a folded name that a mistyped word may stand for."""
    return {
        word for word in folded.split() if SHORTEST_CORRECTED <= len(word) <= LONGEST_WORD and _LETTERS.fullmatch(word)
    }


# --- finding


def query_words(query: str) -> list[str]:
    """The folded words of a query; a number written with signs is one word, as registry numbers are kept."""
    found = [word[:LONGEST_WORD] for word in words(query)][:MOST_WORDS]
    number = "".join(found)
    return [number] if number.isdigit() and len(number) >= SHORTEST_NUMBER else found


def find_organisations(connection: Connection, query: str | None, filters: Filters, page: int, size: int) -> Found:
    """One page of the organisations that fit. Without a query they are sorted by name, else by how well they fit."""
    offset = (page - 1) * size
    if not query or not query.strip():
        return _all_by_name(connection, filters, offset, size)
    asked = query_words(query)
    if not asked:
        return Found([], 0)
    ranked: list[Candidate] = []
    for reading in _readings(connection, asked):
        expression = _expression(connection, filters, reading)
        candidates = _candidates(connection, expression)
        if len(candidates) > RANKED and reading.guessed:
            break
        if len(candidates) > RANKED:
            listing = _Listing(reading, filters, " ".join(asked), _count(connection, expression))
            return Found(_page_by_name(connection, listing, offset, size), listing.total)
        ranked = ranking(asked, candidates)
        if len(ranked) >= reading.enough:
            break
    return Found([candidate.key for candidate in ranked[offset : offset + size]], len(ranked))


def find_municipalities(
    connection: Connection, query: str | None, province_code: str | None, page: int, size: int
) -> Found:
    """One page of the municipalities that fit; there are few enough to look at all of them."""
    names = MUNICIPALITIES.c
    statement = select(names.code, names.folded, names.name_key).order_by(names.name_key, names.code)
    if province_code is not None:
        statement = statement.where(names.province_code == province_code)
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
    misfit = lru_cache(maxsize=None)(_misfit)  # names share their words

    def badness(candidate: Candidate) -> tuple[int, bool, int, str, str]:
        named = candidate.folded.split()
        return (
            sum(min(misfit(word, other) for other in named) for word in asked),
            not candidate.folded.startswith(phrase),
            len(named),
            candidate.name_key,
            candidate.key,
        )

    return sorted(candidates, key=badness)


def likely(word: str, named: Iterable[str], most_errors: int = 2) -> list[str]:
    """The words that `word` may have been meant for, nearest first."""
    limit = min(_errors_allowed(word), most_errors)
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
    if other.startswith(word) or any(other.startswith(each) for each in _softened(word)):
        return 1
    if word in other:
        return 2
    errors = typing_errors(word, other, _errors_allowed(word))
    return _NOT_ALIKE if errors is None else 1 + 2 * errors


def _softened(word: str) -> list[str]:
    """How the word begins before an ending with a vowel: dernek, derneği; kitap, kitabı."""
    if len(word) < SHORTEST_CORRECTED or word[-1] not in _SOFTENED:
        return []
    return [word[:-1] + _SOFTENED[word[-1]]]


# --- how a query may be understood


def _readings(connection: Connection, asked: Sequence[str]) -> Iterator[Reading]:
    """As it was written; with parts of words and single typing errors; with two; with one word of several wrong."""
    groups = [[Term(word, len(word) < SHORTEST_BEGINNING), *map(Term, _softened(word))] for word in asked]
    # Several words that stand together in a name were hardly mistyped; a single word may be another by chance.
    yield Reading([groups], FEW if len(asked) == 1 else 1)
    unknown = set(asked) - _known(connection, asked)
    correctable = {word for word in asked if _errors_allowed(word)}
    suspects = unknown & correctable
    # A word that is one of the registry's may still be the wrong one, but hardly by two errors.
    for errors, suspected in ((1, suspects or correctable), (2, suspects)):
        meant = _meanings(connection, suspected, errors)
        wider = [
            [*group, *(term for term in meant.get(word, ()) if term not in group)]
            for word, group in zip(asked, groups, strict=True)
        ]
        if wider != groups:
            groups = wider
            yield Reading([groups], 1)
    if len(groups) >= FEWEST_FOR_ONE_WRONG:
        wrong = [place for place, word in enumerate(asked) if word in unknown] or range(len(asked))
        yield Reading([groups[:place] + groups[place + 1 :] for place in wrong], 1, guessed=True)


def _known(connection: Connection, asked: Iterable[str]) -> set[str]:
    """Those words that words of the vocabulary begin with."""
    looked_up = sorted(set(asked))
    begins = [exists().where(_between(WORDS.c.word, word)).label(f"word{n}") for n, word in enumerate(looked_up)]
    return set(compress(looked_up, connection.execute(select(*begins)).one()))


def _meanings(connection: Connection, asked: Iterable[str], errors: int) -> dict[str, list[Term]]:
    """For each word the known words that it may have been meant for: by typing errors, or as a part of them."""
    named = _similar(connection, [word for word in asked if _errors_allowed(word) >= errors], errors)
    near = {word: likely(word, named, errors) for word in asked}
    if errors == 1:
        near |= _parts(connection, [word for word, others in near.items() if not others])
    return {word: [Term(other, whole=True) for other in others] for word, others in near.items()}


def _similar(connection: Connection, looked_up: Sequence[str], errors: int) -> Sequence[str]:
    """The words of the vocabulary that share a beginning or an end with one of these, and nearly its length."""
    ranges = []
    for word in sorted(set(looked_up)):
        # An error leaves either the first or the last letters as they were; of two errors, each may spoil one of them.
        kept = (len(word) - 1) // 2 if errors == 1 else max(2, (len(word) - 1) // 3)
        fits = func.length(WORDS.c.word, type_=Integer).between(len(word) - errors, len(word) + errors)
        ranges.append(and_(_between(WORDS.c.word, word[:kept]), fits))
        ranges.append(and_(_between(WORDS.c.reversed, word[: -kept - 1 : -1]), fits))
    return connection.execute(select(WORDS.c.word).where(or_(*ranges))).scalars().all() if ranges else []


def _parts(connection: Connection, asked: Sequence[str]) -> dict[str, list[str]]:
    """For each word the known words that hold it, the shortest first."""
    if not asked:
        return {}
    held = or_(*(WORDS.c.word.contains(word, autoescape=True) for word in asked))
    named = sorted(connection.execute(select(WORDS.c.word).where(held)).scalars(), key=lambda each: (len(each), each))
    return {word: [other for other in named if word in other][:MOST_MEANINGS] for word in asked}


def _between(column: ColumnElement[str], start: str) -> ColumnElement[bool]:
    return and_(column >= start, column < start[:-1] + chr(ord(start[-1]) + 1))


# --- the database's own index of words


@dataclass(frozen=True)
class _Signs:
    """How an index writes an expression. Words hold letters and digits alone, so nothing in them is a sign."""

    whole: str
    beginning: str
    both: str
    either: str

    def written(self, reading: Reading) -> str:
        """The reading as an expression."""
        return self._joined(
            self.either,
            (
                self._joined(self.both, (self._joined(self.either, map(self._term, group)) for group in groups))
                for groups in reading.either
            ),
        )

    def _term(self, term: Term) -> str:
        return (self.whole if term.whole else self.beginning).format(term.word)

    def _joined(self, sign: str, parts: Iterable[str]) -> str:
        return f"({sign.join(parts)})"


_POSTGRESQL = _Signs("'{}'", "'{}':*", " & ", " | ")
_SQLITE = _Signs('"{}"', '"{}" *', " AND ", " OR ")


_SQLITE_INDEX = table("organisation_search", column("rowid", Integer))


def _expression(
    connection: Connection, filters: Filters, reading: Reading | None = None, phrase: str | None = None
) -> str:
    """What fits the filters and the reading; with `phrase`, of names that begin so."""
    if connection.dialect.name == "postgresql":
        marks = (("p", filters.province_code), ("f", filters.form), ("s", filters.standing))
        parts = [f"'{mark}_{value}'" for mark, value in marks if value is not None]
        if reading is not None:
            parts.append(_POSTGRESQL.written(reading))
        if phrase is not None:
            # The index knows the first word alone; the rest is compared with the name itself.
            first, _, others = phrase.partition(" ")
            parts.append(f"'n_{first}'" if others else f"'n_{first}':*")
        return " & ".join(parts)
    columns = (
        ("province_code", filters.province_code),
        ("form", filters.form),
        ("standing_permission", filters.standing),
    )
    parts = [f'{{{name}}} : "{value}"' for name, value in columns if value is not None]
    if reading is not None:
        parts.append("{folded} : " + _SQLITE.written(reading))
    if phrase is not None:
        parts.append(f'{{folded}} : ^ "{phrase}" *')
    return " AND ".join(parts)


def _matches(connection: Connection, expression: str) -> ColumnElement[bool]:
    if connection.dialect.name == "postgresql":
        query = cast(literal(expression), postgresql.TSQUERY)
        return literal_column("organisations.search_words").op("@@", is_comparison=True)(query)
    return literal_column("organisation_search").op("MATCH", is_comparison=True)(literal(expression))


def _count(connection: Connection, expression: str) -> int:
    counted = ORGANISATIONS if connection.dialect.name == "postgresql" else _SQLITE_INDEX
    statement = select(func.count()).select_from(counted).where(_matches(connection, expression))
    return connection.execute(statement).scalar_one()


def _fitting(connection: Connection, expression: str, *limits: ColumnElement[bool]) -> CTE:
    """The fitting names, found by the index of words whatever the planner thinks of the other indexes."""
    organisations = ORGANISATIONS
    found = select(organisations.c.id, organisations.c.folded, organisations.c.name_key).where(
        _matches(connection, expression), *limits
    )
    if connection.dialect.name == "postgresql":
        return found.cte("found").prefix_with("MATERIALIZED")
    return found.join_from(_SQLITE_INDEX, organisations, organisations.c.row_no == _SQLITE_INDEX.c.rowid).cte("found")


def _candidates(connection: Connection, expression: str) -> list[Candidate]:
    """Names that fit, at most RANKED + 1."""
    found = select(_fitting(connection, expression)).limit(RANKED + 1)
    return [Candidate(*row) for row in connection.execute(found)]


@dataclass(frozen=True)
class _Listing:
    """Many names in an order that needs no ranking."""

    reading: Reading
    filters: Filters
    phrase: str
    total: int


def _page_by_name(connection: Connection, listing: _Listing, offset: int, size: int) -> list[str]:
    """First the names that begin with the query, then the others, each part by name."""
    expression = _expression(connection, listing.filters, listing.reading)
    if listing.total <= SORTED:
        found = _fitting(connection, expression)
        rest = case((_begins(found.c.folded, listing.phrase), 0), else_=1)
        by_name = select(found.c.id).order_by(rest, found.c.name_key, found.c.id)
        return list(connection.execute(by_name.offset(offset).limit(size)).scalars())
    organisations = ORGANISATIONS
    begins = _begins(organisations.c.folded, listing.phrase)
    found = _fitting(connection, _expression(connection, listing.filters, phrase=listing.phrase), begins)
    first = connection.execute(select(func.count()).select_from(found)).scalar_one()
    page: list[str] = []
    if offset < first:
        by_name = select(found.c.id).order_by(found.c.name_key, found.c.id)
        page += connection.execute(by_name.offset(offset).limit(size)).scalars()
    if len(page) < size:
        # Here the names are read in their order and each is looked at; SQLite's index would list all that fit before.
        fits = _matches(connection, expression) if connection.dialect.name == "postgresql" else _holds(listing.reading)
        others = select(organisations.c.id).where(fits, not_(begins), *_limits(listing.filters))
        others = others.order_by(organisations.c.name_key, organisations.c.id).offset(max(0, offset - first))
        page += connection.execute(others.limit(size - len(page))).scalars()
    return page


def _begins(folded: ColumnElement[str], phrase: str) -> ColumnElement[bool]:
    """The name begins with the words of the query; the last of them too may be a beginning, if it is long enough."""
    if len(phrase.rpartition(" ")[2]) < SHORTEST_BEGINNING:
        return folded.concat(" ").startswith(f"{phrase} ", autoescape=True)
    return folded.startswith(phrase, autoescape=True)


def _holds(reading: Reading) -> ColumnElement[bool]:
    """The same as the index's answer, told from the name itself."""
    spaced = literal(" ").concat(ORGANISATIONS.c.folded).concat(" ")

    def holds(term: Term) -> ColumnElement[bool]:
        return func.instr(spaced, f" {term.word} " if term.whole else f" {term.word}") > 0

    return or_(false(), *(and_(*(or_(*map(holds, group)) for group in groups)) for groups in reading.either))


def _all_by_name(connection: Connection, filters: Filters, offset: int, size: int) -> Found:
    names, limits = ORGANISATIONS.c, _limits(filters)
    wanted = select(names.id).where(*limits).order_by(names.name_key, names.id)
    if len(limits) <= 1:
        # Each filter alone has an index in the order of names.
        total = connection.execute(select(func.count()).select_from(ORGANISATIONS).where(*limits)).scalar_one()
    else:
        expression = _expression(connection, filters)
        total = _count(connection, expression)
        if total <= SORTED:
            found = _fitting(connection, expression)
            wanted = select(found.c.id).order_by(found.c.name_key, found.c.id)
    return Found(list(connection.execute(wanted.offset(offset).limit(size)).scalars()), total)


def _limits(filters: Filters) -> list[ColumnElement[bool]]:
    wanted = (
        (ORGANISATIONS.c.province_code, filters.province_code),
        (ORGANISATIONS.c.form, filters.form),
        (ORGANISATIONS.c.standing_permission, filters.standing),
    )
    return [column_ == value for column_, value in wanted if value is not None]
