"""Cases in a database: their history, their clocks, their numbers, the calendar they count by.

What every service that runs cases keeps in the same way, over its own tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Row,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from services.kernel.actor import Actor
from services.kernel.calendar import AddedDay, Calendar, Rules, today_in_istanbul
from services.kernel.casework import REMINDER_DUE, ActRecord, Case, reminder_due, reminder_on
from services.kernel.clock import Clock
from services.kernel.events import Event
from services.kernel.reminder import Ladder
from services.kernel.workflow import Procedure
from services.runtime import reply
from services.runtime.database import Id, Json, Moment, Serial

_calendars: dict[tuple[Rules, str], Calendar] = {}
_CHANGING = ("length", "due_on", "state", "pauses", "met_on", "calendar_version", "remind_on")

K = TypeVar("K", bound=Case)


@dataclass(frozen=True)
class CaseTables:
    """The tables beside a table of cases; `key` is the column that names the case in them."""

    key: str
    acts: Table
    clocks: Table
    claims: Table
    counters: Table
    days: Table
    anchors: Table


def case_tables(metadata: MetaData, cases: str, key: str) -> CaseTables:
    """Histories, anchors, clocks, claims, counters and calendar days beside the table `cases`."""
    acts = Table(
        "acts",
        metadata,
        Column(key, Id, ForeignKey(f"{cases}.id"), nullable=False),
        Column("number", Integer, nullable=False),
        Column("move", String(40), nullable=False),
        Column("from_stage", String(40), nullable=False),
        Column("to_stage", String(40), nullable=False),
        Column("actor", Json, nullable=False),
        Column("fields", Json, nullable=False),
        Column("known", Json, nullable=False),
        Column("done_on", Date, nullable=False),
        Column("recorded_at", Moment, nullable=False),
        Column("procedure_version", Integer, nullable=False),
        Column("calendar_version", String(80), nullable=False),
        Column("previous_hash", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
        PrimaryKeyConstraint(key, "number"),
    )
    clocks = Table(
        "clocks",
        metadata,
        Column("id", Id, primary_key=True),
        Column(key, Id, ForeignKey(f"{cases}.id"), nullable=False),
        Column("place", Integer, nullable=False),
        Column("kind", String(40), nullable=False),
        Column("article", String(60), nullable=False),
        Column("whose", String(40), nullable=False),
        Column("started_on", Date, nullable=False),
        Column("length", Integer, nullable=False),
        Column("unit", String(20), nullable=False),
        Column("due_on", Date),
        Column("state", String(20), nullable=False),
        Column("effect", String(300), nullable=False),
        Column("on_expiry", String(40)),
        Column("pauses", Json, nullable=False),
        Column("met_on", Date),
        Column("roll_over", Boolean, nullable=False),
        Column("judicial_recess", Boolean, nullable=False),
        Column("calendar_version", String(80), nullable=False),
        Column("stages", Json, nullable=False),
        # the next day on which its owner is reminded
        Column("remind_on", Date),
    )
    Index(f"clocks_of_{key.removesuffix('_id')}", clocks.c[key], clocks.c.place)
    Index("clocks_due", clocks.c.state, clocks.c.due_on, clocks.c.id)
    Index("clocks_to_remind", clocks.c.remind_on, clocks.c.id)
    claims = Table(
        "clock_claims",
        metadata,
        Column("clock_id", Id, nullable=False),
        Column("rung", String(40), nullable=False),
        Column("claimed_at", Moment, nullable=False),
        PrimaryKeyConstraint("clock_id", "rung"),
    )
    counters = Table(
        "reference_counters",
        metadata,
        Column("municipality", String(10), nullable=False),
        Column("year", Integer, nullable=False),
        Column("last", Integer, nullable=False),
        PrimaryKeyConstraint("municipality", "year"),
    )
    days = Table(
        "calendar_days",
        metadata,
        Column("on", Date, primary_key=True),
        Column("kind", String(30), nullable=False),
        Column("name", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
    )
    anchors = Table(
        "anchors",
        metadata,
        Column("id", Serial, primary_key=True, autoincrement=True),
        Column("previous_hash", String(64), nullable=False),
        Column("heads", Json, nullable=False),
        Column("hash", String(64), nullable=False),
        Column("made_at", Moment, nullable=False),
    )
    return CaseTables(key, acts, clocks, claims, counters, days, anchors)


class CaseBook:
    """What a store of cases does alike; one transaction. Subclasses keep the cases themselves."""

    def __init__(self, connection: Connection, tables: CaseTables, rules: Rules, ladder: Ladder) -> None:
        """`rules`: how days are counted. `ladder`: when the owners of clocks are reminded."""
        self.connection = connection
        self._rules = rules
        self._ladder = ladder
        self._tables = tables
        self._statements = _statements(tables)
        self._stored: dict[str, Clock] = {}
        self._dialect = postgresql if connection.dialect.name == "postgresql" else sqlite

    # reading

    def clocks_of(self, case_id: str) -> list[Clock]:
        """The clocks of one case, in their order."""
        return self._read(self._statements.clocks_of_one, {"id": case_id}).get(case_id, [])

    def clocks_of_many(self, case_ids: Sequence[str]) -> dict[str, list[Clock]]:
        """The clocks of these cases in one query; a case without any is missing."""
        return self._read(self._statements.clocks_of_many, {"ids": list(case_ids)}) if case_ids else {}

    def _read(self, statement: Any, values: Mapping[str, Any]) -> dict[str, list[Clock]]:
        found: dict[str, list[Clock]] = {}
        for row in self.connection.execute(statement, values):
            clock = clock_from(row)
            found.setdefault(getattr(row, self._tables.key), []).append(clock)
            self._stored[clock.id] = clock
        return found

    def acts(self, case_id: str, page: int, size: int) -> tuple[list[Row[Any]], int]:
        """One page of the history, oldest first, and how many acts there are."""
        acts = self._tables.acts
        own = acts.c[self._tables.key] == case_id
        total = self.connection.execute(select(func.count()).select_from(acts).where(own)).scalar_one()
        rows = self.connection.execute(
            select(acts).where(own).order_by(acts.c.number).limit(size).offset((page - 1) * size)
        ).all()
        return list(rows), total

    def calendar(self) -> Calendar:
        """The calendar with the days added so far; kept between transactions while nothing was added."""
        days = self._tables.days
        newest = self.connection.execute(self._statements.newest_day).scalar_one()
        # One service may know an added day that another does not yet.
        key = (self._rules, f"{self._tables.key} {newest}")
        if key not in _calendars:
            added = [
                AddedDay(row.on, row.kind, row.name, row.source)
                for row in self.connection.execute(select(days).order_by(days.c.on))
            ]
            if len(_calendars) > _MOST_CALENDARS:
                _calendars.clear()
            _calendars[key] = Calendar(self._rules, added, str(newest))
        return _calendars[key]

    # writing

    def next_number(self, municipality: str, year: int) -> int:
        """The next number of a municipality in a year, each once and without gaps."""
        counters = self._tables.counters
        statement = self._dialect.insert(counters).values(municipality=municipality, year=year, last=1)
        counted = self.connection.execute(
            statement.on_conflict_do_update(
                index_elements=["municipality", "year"], set_={"last": counters.c.last + 1}
            ).returning(counters.c.last)
        ).scalar_one()
        return int(counted)

    def write_history(self, case: K, procedure: Procedure[K], now: dt.datetime) -> None:
        """The case's new acts, and its clocks as far as they changed; then nothing of it is new."""
        if case.new_acts:
            self.connection.execute(self._statements.add_act, [self._act_row(case.id, act) for act in case.new_acts])
        self._write_clocks(case, procedure, now)
        case.new_acts = []

    def remind(self, case: K, procedure: Procedure[K], now: dt.datetime, today: dt.date) -> list[Event]:
        """Claim what the case's clocks have to remind of today, each rung once for ever; returns the events of it.

        After days of downtime only the newest rung of a clock is told. A clock whose day to remind has not
        come is left alone: what lay behind it when it was moved is not told with a wrong number of days.
        """
        clocks = self._tables.clocks
        coming = select(clocks.c.id).where(clocks.c[self._tables.key] == case.id, clocks.c.remind_on <= today)
        fallen_due = set(self.connection.execute(coming).scalars())
        calendar, events, rows = self.calendar(), [], []
        for clock in (each for each in case.clocks if each.id in fallen_due):
            rung = reminder_due(case, clock, procedure, self._ladder, calendar, today)
            if rung is not None and self._claimed(clock.id, rung.name, now):
                turn = case.reminded(clock, procedure)
                events.append(
                    case.clock_event(REMINDER_DUE, clock, rung=rung.kind, days_left=rung.days_left, turn=turn)
                )
            rows.append(
                {
                    "own_id": clock.id,
                    "new_remind_on": reminder_on(case, clock, procedure, self._ladder, calendar, today),
                }
            )
        if rows:
            self.connection.execute(
                update(clocks)
                .where(clocks.c.id == bindparam("own_id"))
                .values(remind_on=bindparam("new_remind_on", type_=Date)),
                rows,
            )
        return events

    def _claimed(self, clock_id: str, rung: str, now: dt.datetime) -> bool:
        """Whether this transaction is the one that claims the rung."""
        claims = self._tables.claims
        taken = self.connection.execute(
            self._dialect.insert(claims)
            .values(clock_id=clock_id, rung=rung, claimed_at=now)
            .on_conflict_do_nothing()
            .returning(claims.c.rung)
        )
        return taken.one_or_none() is not None

    def _write_clocks(self, case: K, procedure: Procedure[K], now: dt.datetime) -> None:
        calendar, today = self.calendar(), max(case.last_on, today_in_istanbul(now))
        fresh, changed, expired = [], [], []
        for place, clock in enumerate(case.clocks):
            stored = self._stored.get(clock.id)
            if stored == clock:
                continue
            row = self._clock_row(case.id, place, clock)
            # A reminder of this very day is still to come; one of a missed day also when the miss is noticed late.
            since = clock.due_on if clock.state == "expired" and clock.due_on else today - _A_DAY
            row["remind_on"] = reminder_on(case, clock, procedure, self._ladder, calendar, since)
            if stored is None:
                fresh.append(row)
            else:
                changed.append(row)
            if stored is not None and clock.state == "expired":
                expired.append({"clock_id": clock.id, "rung": "expired", "claimed_at": now})
            self._stored[clock.id] = clock
        if fresh:
            self.connection.execute(insert(self._tables.clocks), fresh)
        if expired:
            # A second claim of the same expiry breaks the key and takes the whole transaction back.
            self.connection.execute(insert(self._tables.claims), expired)
        if changed:
            self.connection.execute(
                self._statements.change_clock,
                [{"own_id": row["id"]} | {f"new_{name}": row[name] for name in _CHANGING} for row in changed],
            )

    def _act_row(self, case_id: str, act: ActRecord) -> dict[str, Any]:
        return {
            self._tables.key: case_id,
            "number": act.number,
            "move": act.move,
            "from_stage": act.from_stage,
            "to_stage": act.to_stage,
            "actor": act.actor,
            "fields": act.fields,
            "known": act.known,
            "done_on": act.done_on,
            "recorded_at": act.recorded_at,
            "procedure_version": act.procedure_version,
            "calendar_version": act.calendar_version,
            "previous_hash": act.previous_hash,
            "hash": act.hash,
        }

    def _clock_row(self, case_id: str, place: int, clock: Clock) -> dict[str, Any]:
        told = clock.to_plain()
        return told | {
            self._tables.key: case_id,
            "place": place,
            "started_on": clock.started_on,
            "due_on": clock.due_on,
            "met_on": clock.met_on,
        }

    # repeated commands

    def answered(self, actor: Actor, key: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first answer, without taking the key."""
        return reply.answered(self.connection, actor, key, request)

    def remembered(self, actor: Actor, key: str, request: Mapping[str, Any], now: dt.datetime) -> dict[str, Any] | None:
        """The first answer, or None after taking the key."""
        return reply.remembered(self.connection, actor, key, request, now)

    def release(self, actor: Actor, key: str) -> None:
        """Give a taken key back."""
        reply.release(self.connection, actor, key)

    def remember(self, actor: Actor, key: str, answer: Mapping[str, Any]) -> None:
        """Keep the answer."""
        reply.remember(self.connection, actor, key, answer)


_MOST_CALENDARS = 8
_A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class _Statements:
    """Built once for each set of tables: building a statement costs more than sending it."""

    clocks_of_one: Any
    clocks_of_many: Any
    newest_day: Any
    add_act: Any
    change_clock: Any


_built: dict[str, _Statements] = {}


def _statements(tables: CaseTables) -> _Statements:
    if tables.key not in _built:
        clocks, own = tables.clocks, tables.clocks.c[tables.key]
        _built[tables.key] = _Statements(
            clocks_of_one=select(clocks).where(own == bindparam("id")).order_by(clocks.c.place),
            clocks_of_many=select(clocks)
            .where(own.in_(bindparam("ids", expanding=True)))
            .order_by(own, clocks.c.place),
            newest_day=select(func.coalesce(func.max(tables.days.c.version), 0)),
            add_act=insert(tables.acts),
            change_clock=update(clocks)
            .where(clocks.c.id == bindparam("own_id"))
            .values({name: bindparam(f"new_{name}", type_=clocks.c[name].type) for name in _CHANGING}),
        )
    return _built[tables.key]


def clock_from(row: Row[Any]) -> Clock:
    """The clock of a row."""
    told = dict(row._mapping)  # noqa: SLF001 - the public name of a row's columns
    known = {name: told[name] for name in Clock.__dataclass_fields__}
    return Clock.from_plain(known | {name: _iso(told[name]) for name in ("started_on", "due_on", "met_on")})


def act_from(row: Row[Any]) -> ActRecord:
    """The act of a row, times as they were hashed."""
    return ActRecord(
        number=row.number,
        move=row.move,
        from_stage=row.from_stage,
        to_stage=row.to_stage,
        actor=row.actor,
        fields=row.fields,
        known=row.known,
        done_on=row.done_on,
        recorded_at=row.recorded_at.astimezone(dt.UTC),
        procedure_version=row.procedure_version,
        calendar_version=row.calendar_version,
        previous_hash=row.previous_hash,
        hash=row.hash,
    )


def clocks_past(connection: Connection, tables: CaseTables, today: dt.date) -> int:
    """How many running clocks are past."""
    clocks = tables.clocks
    past = select(func.count()).select_from(clocks).where(clocks.c.state == "running", clocks.c.due_on < today)
    return int(connection.execute(past).scalar_one())


def cases_with_past_clocks(connection: Connection, tables: CaseTables, today: dt.date, limit: int) -> list[str]:
    """Cases with a clock that is past, oldest date first."""
    clocks = tables.clocks
    rows = connection.execute(
        select(clocks.c[tables.key])
        .where(clocks.c.state == "running", clocks.c.due_on < today)
        .order_by(clocks.c.due_on, clocks.c.id)
        .limit(limit)
    ).scalars()
    return list(dict.fromkeys(rows))


def cases_to_remind(connection: Connection, tables: CaseTables, today: dt.date, limit: int) -> list[str]:
    """Cases with a clock whose owner is to be reminded today or was to be earlier."""
    clocks = tables.clocks
    rows = connection.execute(
        select(clocks.c[tables.key])
        .where(clocks.c.remind_on <= today)
        .order_by(clocks.c.remind_on, clocks.c.id)
        .limit(limit)
    ).scalars()
    return list(dict.fromkeys(rows))


def cases_with_open_clocks(
    connection: Connection, tables: CaseTables, around: dt.date, after: str, limit: int
) -> list[str]:
    """Cases behind `after` with an open clock whose count may include `around`."""
    clocks, own = tables.clocks, tables.clocks.c[tables.key]
    rows = connection.execute(
        select(own)
        .where(
            or_(clocks.c.state == "running", clocks.c.state == "paused"),
            clocks.c.started_on <= around,
            or_(clocks.c.due_on.is_(None), clocks.c.due_on >= around),
            own > after,
        )
        .distinct()
        .order_by(own)
        .limit(limit)
    ).scalars()
    return list(rows)


FIRST_ID = "00000000-0000-0000-0000-000000000000"
"""Before every case, for the first look of `cases_with_open_clocks`."""


def learn_day(connection: Connection, tables: CaseTables, data: Mapping[str, Any]) -> None:
    """Keep what the registry told of a day; a later telling replaces an earlier one."""
    days = tables.days
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {"kind": data["kind"], "name": data["name"], "source": data["source"], "version": data["version"]}
    statement = dialect.insert(days).values(on=data["on"], **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["on"], set_=values, where=days.c.version < data["version"])
    )


def _iso(on: dt.date | None) -> str | None:
    return on.isoformat() if on else None
