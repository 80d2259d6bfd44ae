"""Cases in the database, read and written by SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, insert, null, or_, select, update
from sqlalchemy import case as sql_case
from sqlalchemy.dialects import postgresql, sqlite

from services.kernel.actor import Actor
from services.kernel.calendar import AddedDay, Calendar, Rules
from services.kernel.clock import Clock
from services.kernel.events import Event
from services.kernel.workflow import Procedure
from services.protocols.adapters.messages import messages
from services.protocols.adapters.tables import (
    ACTS,
    CLAIMS,
    CLOCKS,
    COUNTERS,
    DAYS,
    PARTNERS,
    PROTOCOLS,
    SUCCESSIONS,
    TEXTS,
)
from services.protocols.domain import partner as partners
from services.protocols.domain.case import ActRecord, Party, ProtocolCase
from services.protocols.domain.partner import Partner, Succession
from services.runtime import reply
from services.runtime.database import Database
from services.runtime.outbox import SEES_ALL, post

NEVER = date.max
"""Where a case without a date stands in the work queue: at its end."""

_CLOCK_COLUMNS = [column for column in CLOCKS.c if column.name not in ("protocol_id", "place")]
_calendars: dict[tuple[Rules, str], Calendar] = {}


def clock_from(row: Row[Any]) -> Clock:
    """The clock of a row."""
    return Clock.from_plain(
        {column.name: getattr(row, column.name) for column in _CLOCK_COLUMNS}
        | {name: _iso(getattr(row, name)) for name in ("started_on", "due_on", "met_on")}
    )


def _iso(on: date | None) -> str | None:
    return on.isoformat() if on else None


def case_from(row: Row[Any], clocks: Sequence[Clock]) -> ProtocolCase:
    """The case of a row and its clocks."""
    return ProtocolCase(
        id=row.id,
        reference=row.reference,
        kind=row.kind,
        municipality=Party(row.municipality, row.municipality_name),
        authority=Party(row.authority, row.authority_name),
        organisation=Party(row.organisation_id, row.organisation_name),
        municipality_kind=row.municipality_kind,
        title=row.title,
        subject=row.subject,
        municipal_duty=row.municipal_duty,
        starts_on=row.starts_on,
        term_months=row.term_months,
        funder_deadline=row.funder_deadline,
        zoning=row.zoning,
        text_sha256=row.text_sha256,
        text_version=row.text_version,
        contributions=row.contributions,
        stage=row.stage,
        since=row.since,
        last_on=row.last_on,
        version=row.version,
        head_hash=row.head_hash,
        procedure_version=row.procedure_version,
        created_at=row.created_at,
        approved_sha256=row.approved_sha256,
        standing=row.standing,
        facts=row.facts,
        clocks=list(clocks),
        original_id=row.original_id,
        original_link=row.original_link,
        successors=row.successors,
        shared=row.shared_authority is not None,
        earlier_clocks=row.earlier_clocks,
        party_version=row.party_version,
        review=row.review,
    )


def _row_of(case: ProtocolCase, procedure: Procedure[ProtocolCase], now: datetime) -> dict[str, Any]:
    """The columns that change with a case."""
    overdue = case.overdue_since(procedure)
    turn = procedure.stages[case.stage].turn_of(case)
    duties = case.duties(procedure)
    work_on = duties.pop(turn, NEVER) if turn else NEVER
    # One office beside the turn is enough: only the summary's publication runs beside the way.
    duty, duty_on = min(duties.items(), key=lambda each: each[1], default=(None, None))
    return {
        "organisation_id": case.organisation.id,
        "organisation_name": case.organisation.name,
        "authority": case.authority.id,
        "authority_name": case.authority.name,
        "shared_authority": case.authority.id if case.shared else None,
        "text_version": case.text_version,
        "text_sha256": case.text_sha256,
        "approved_sha256": case.approved_sha256,
        "stage": case.stage,
        "since": case.since,
        "last_on": case.last_on,
        "version": case.version,
        "head_hash": case.head_hash,
        "standing": case.standing,
        "facts": case.facts,
        "successors": case.successors,
        "changed_at": now,
        "turn": turn,
        "overdue_since": overdue,
        "work_on": work_on,
        "duty": duty,
        "duty_on": duty_on,
        "earlier_clocks": case.earlier_clocks,
        "party_version": case.party_version,
        "review": case.review,
        "review_state": case.review.get("state"),
        "review_on": date.fromisoformat(case.review["on"]) if case.review else None,
    }


# Built once: building a statement costs more than sending it.
_ONE = select(PROTOCOLS).where(PROTOCOLS.c.id == bindparam("id"))
_LOCKED = _ONE.with_for_update()
_CLOCKS_OF_ONE = select(CLOCKS).where(CLOCKS.c.protocol_id == bindparam("id")).order_by(CLOCKS.c.place)
_CLOCKS_OF_MANY = (
    select(CLOCKS)
    .where(CLOCKS.c.protocol_id.in_(bindparam("ids", expanding=True)))
    .order_by(CLOCKS.c.protocol_id, CLOCKS.c.place)
)
_NEWEST_DAY = select(func.coalesce(func.max(DAYS.c.version), 0))
_PARTNER = select(PARTNERS).where(PARTNERS.c.organisation_id == bindparam("id"))
_SUCCESSIONS = (
    select(SUCCESSIONS).where(SUCCESSIONS.c.organisation_id == bindparam("id")).order_by(SUCCESSIONS.c.version)
)
_CHANGING = (
    "organisation_id", "organisation_name", "party_version", "review", "review_state", "review_on", "authority",
    "authority_name", "shared_authority", "text_version", "text_sha256", "approved_sha256", "stage",
    "since", "last_on", "version", "head_hash", "standing", "facts", "successors", "changed_at", "turn",
    "overdue_since", "work_on", "duty", "duty_on", "earlier_clocks",
)  # fmt: skip
_CHANGE = (
    update(PROTOCOLS)
    .where(PROTOCOLS.c.id == bindparam("own_id"), PROTOCOLS.c.version == bindparam("before"))
    .values({name: bindparam(f"new_{name}", type_=PROTOCOLS.c[name].type) for name in _CHANGING})
)
_ADD_ACT = insert(ACTS)


class Store:
    """The cases within one transaction; see `application.Cases`."""

    def __init__(self, connection: Connection, rules: Rules) -> None:
        """`rules`: how days are counted."""
        self.connection = connection
        self._rules = rules
        self._stored_clocks: dict[str, Clock] = {}
        self._dialect = postgresql if connection.dialect.name == "postgresql" else sqlite

    # reading

    def locked(self, protocol_id: str) -> ProtocolCase | None:
        """The case, held until the transaction ends."""
        return self._one(_LOCKED, protocol_id)

    def get(self, protocol_id: str) -> ProtocolCase | None:
        """The case, to read."""
        return self._one(_ONE, protocol_id)

    def _one(self, statement: Select[Any], protocol_id: str) -> ProtocolCase | None:
        row = self.connection.execute(statement, {"id": protocol_id}).one_or_none()
        if row is None:
            return None
        return self._with_clocks([row], self.connection.execute(_CLOCKS_OF_ONE, {"id": protocol_id}))[0]

    def cases_of(self, rows: Sequence[Row[Any]]) -> list[ProtocolCase]:
        """The cases of these rows, their clocks in one more query."""
        return self._with_clocks(rows, self.connection.execute(_CLOCKS_OF_MANY, {"ids": [row.id for row in rows]}))

    def _with_clocks(self, rows: Sequence[Row[Any]], found: Iterable[Row[Any]]) -> list[ProtocolCase]:
        clocks: dict[str, list[Clock]] = {row.id: [] for row in rows}
        for row in found:
            clock = clock_from(row)
            clocks[row.protocol_id].append(clock)
            self._stored_clocks[clock.id] = clock
        return [case_from(row, clocks[row.id]) for row in rows]

    def page(
        self, conditions: Sequence[ColumnElement[bool]], order: Sequence[Any], page: int, size: int
    ) -> tuple[list[ProtocolCase], int]:
        """One page of cases and how many there are."""
        where = and_(*conditions) if conditions else None
        counting = select(func.count()).select_from(PROTOCOLS)
        listing = select(PROTOCOLS).order_by(*order).limit(size).offset((page - 1) * size)
        if where is not None:
            counting, listing = counting.where(where), listing.where(where)
        total = self.connection.execute(counting).scalar_one()
        return self.cases_of(self.connection.execute(listing).all()), total

    def text_of(self, protocol_id: str, version: int) -> str:
        """One version of a text."""
        found: str = self.connection.execute(
            select(TEXTS.c.text).where(TEXTS.c.protocol_id == protocol_id, TEXTS.c.version == version)
        ).scalar_one()
        return found

    def partner(self, organisation_id: str) -> Partner | None:
        """The partner as the registry's events last told it."""
        row = self.connection.execute(_PARTNER, {"id": organisation_id}).one_or_none()
        if row is None:
            return None
        return Partner(row.organisation_id, row.name, row.state, row.version, row.standing, tuple(row.statuses))

    def successions(self, organisation_id: str) -> list[Succession]:
        """Who gets the organisation's open protocols, by each succession told so far, oldest first."""
        return [
            Succession(
                organisation_id=row.organisation_id,
                version=row.version,
                kind=row.kind,
                effective_on=row.effective_on,
                heir=Party(row.heir_id, row.heir_name),
                heir_version=row.heir_version,
                standing=row.standing,
            )
            for row in self.connection.execute(_SUCCESSIONS, {"id": organisation_id})
        ]

    def acts(self, protocol_id: str, page: int, size: int) -> tuple[list[Row[Any]], int]:
        """One page of the history, oldest first, and how many acts there are."""
        own = ACTS.c.protocol_id == protocol_id
        total = self.connection.execute(select(func.count()).select_from(ACTS).where(own)).scalar_one()
        rows = self.connection.execute(
            select(ACTS).where(own).order_by(ACTS.c.number).limit(size).offset((page - 1) * size)
        ).all()
        return list(rows), total

    def calendar(self) -> Calendar:
        """The calendar with the days added so far; kept between transactions while nothing was added."""
        newest = self.connection.execute(_NEWEST_DAY).scalar_one()
        key = (self._rules, str(newest))
        if key not in _calendars:
            rows = self.connection.execute(select(DAYS).order_by(DAYS.c.on)).all()
            days = [AddedDay(row.on, row.kind, row.name, row.source) for row in rows]
            _calendars.clear()
            _calendars[key] = Calendar(self._rules, days, str(newest))
        return _calendars[key]

    # writing

    def next_reference(self, municipality: str, year: int) -> str:
        """`<municipality>/<year>/<number>`, each number once and without gaps."""
        statement = self._dialect.insert(COUNTERS).values(municipality=municipality, year=year, last=1)
        counted = self.connection.execute(
            statement.on_conflict_do_update(
                index_elements=["municipality", "year"], set_={"last": COUNTERS.c.last + 1}
            ).returning(COUNTERS.c.last)
        ).scalar_one()
        return f"{municipality}/{year}/{counted}"

    def add(
        self, case: ProtocolCase, events: Sequence[Event], actor: Actor, procedure: Procedure[ProtocolCase]
    ) -> None:
        """Store a new case with its history and events."""
        now = case.new_acts[-1].recorded_at
        self.connection.execute(
            insert(PROTOCOLS).values(
                id=case.id,
                reference=case.reference,
                kind=case.kind,
                municipality=case.municipality.id,
                municipality_name=case.municipality.name,
                municipality_kind=case.municipality_kind,
                title=case.title,
                subject=case.subject,
                municipal_duty=case.municipal_duty,
                starts_on=case.starts_on,
                term_months=case.term_months,
                funder_deadline=case.funder_deadline,
                zoning=case.zoning,
                contributions=case.contributions,
                procedure_version=case.procedure_version,
                original_id=case.original_id,
                original_link=case.original_link,
                created_at=case.created_at,
                **_row_of(case, procedure, now),
            )
        )
        self._write_parts(case, events, actor, now)

    def save(
        self, case: ProtocolCase, events: Sequence[Event], actor: Actor, procedure: Procedure[ProtocolCase]
    ) -> None:
        """Store a changed case with its new history and events; the version is checked once more."""
        now = case.new_acts[-1].recorded_at
        before = case.version - len(case.new_acts)
        row = {f"new_{name}": value for name, value in _row_of(case, procedure, now).items()}
        changed = self.connection.execute(_CHANGE, row | {"own_id": case.id, "before": before})
        if changed.rowcount != 1:
            message = f"case {case.id} was saved without being locked"
            raise RuntimeError(message)
        self._write_parts(case, events, actor, now)

    def _write_parts(self, case: ProtocolCase, events: Sequence[Event], actor: Actor, now: datetime) -> None:
        if case.new_text is not None:
            self.connection.execute(
                insert(TEXTS).values(
                    protocol_id=case.id,
                    version=case.text_version,
                    sha256=case.text_sha256,
                    text=case.new_text,
                    written_at=now,
                )
            )
        self.connection.execute(_ADD_ACT, [_act_row(case.id, act) for act in case.new_acts])
        self._write_clocks(case, now)
        post(self.connection, messages(events, case.scope, actor, now))
        case.new_acts, case.new_text = [], None

    def _write_clocks(self, case: ProtocolCase, now: datetime) -> None:
        fresh, changed, expired = [], [], []
        for place, clock in enumerate(case.clocks):
            stored = self._stored_clocks.get(clock.id)
            if stored is None:
                fresh.append(_clock_row(case.id, place, clock))
            elif stored != clock:
                changed.append(_clock_row(case.id, place, clock))
                if clock.state == "expired":
                    expired.append({"clock_id": clock.id, "rung": "expired", "claimed_at": now})
            self._stored_clocks[clock.id] = clock
        if fresh:
            self.connection.execute(insert(CLOCKS), fresh)
        if expired:
            # A second claim of the same expiry breaks the key and takes the whole transaction back.
            self.connection.execute(insert(CLAIMS), expired)
        if changed:
            names = ("due_on", "state", "pauses", "met_on", "calendar_version")
            self.connection.execute(
                update(CLOCKS)
                .where(CLOCKS.c.id == bindparam("own_id"))
                .values({name: bindparam(f"new_{name}") for name in names}),
                [{"own_id": row["id"]} | {f"new_{name}": row[name] for name in names} for row in changed],
            )

    # repeated commands

    def answered(self, actor: Actor, key: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first answer, without taking the key."""
        return reply.answered(self.connection, actor, key, request)

    def remembered(self, actor: Actor, key: str, request: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """The first answer, or None after taking the key."""
        return reply.remembered(self.connection, actor, key, request, now)

    def release(self, actor: Actor, key: str) -> None:
        """Give a taken key back."""
        reply.release(self.connection, actor, key)

    def remember(self, actor: Actor, key: str, answer: Mapping[str, Any]) -> None:
        """Keep the answer."""
        reply.remember(self.connection, actor, key, answer)


def _act_row(protocol_id: str, act: ActRecord) -> dict[str, Any]:
    return {
        "protocol_id": protocol_id,
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
        recorded_at=row.recorded_at.astimezone(UTC),
        procedure_version=row.procedure_version,
        calendar_version=row.calendar_version,
        previous_hash=row.previous_hash,
        hash=row.hash,
    )


def _clock_row(protocol_id: str, place: int, clock: Clock) -> dict[str, Any]:
    told = clock.to_plain()
    return told | {
        "protocol_id": protocol_id,
        "place": place,
        "started_on": clock.started_on,
        "due_on": clock.due_on,
        "met_on": clock.met_on,
    }


class Stores:
    """Opens transactions on the cases."""

    def __init__(self, database: Database, rules: Rules) -> None:
        """`rules`: how days are counted."""
        self._database = database
        self._rules = rules

    def write(self) -> AbstractContextManager[Store]:
        """A transaction that changes cases."""
        return self._opened(self._database.write())

    def read(self) -> AbstractContextManager[Store]:
        """A look at the cases."""
        return self._opened(self._database.read())

    @contextmanager
    def _opened(self, connection: AbstractContextManager[Connection]) -> Iterator[Store]:
        with connection as opened:
            yield Store(opened, self._rules)


def visible_to(actor: Actor) -> ColumnElement[bool] | None:
    """The condition under which the actor's office sees a case; None means all, `false` none."""
    if actor.role in SEES_ALL:
        return None
    for own, column in (
        (actor.municipality, PROTOCOLS.c.municipality),
        (actor.authority, PROTOCOLS.c.shared_authority),
        (actor.organisation_id, PROTOCOLS.c.organisation_id),
    ):
        if own is not None:
            return column == own
    return PROTOCOLS.c.id == null()


def work_of(own: ColumnElement[bool], role: str) -> tuple[list[ColumnElement[bool]], list[Any]]:
    """Conditions and order of an office's work: its turn, a duty beside the way, a flagged file it must settle.

    A flagged file stands where it was flagged: the law sets no date, and it must not sink to the end.
    """
    mine = PROTOCOLS.c.turn == role
    arms = [mine, PROTOCOLS.c.duty == role]
    dates = [(mine, PROTOCOLS.c.work_on)]
    if role == partners.REVIEWER:
        flagged = and_(PROTOCOLS.c.review_state == partners.OPEN, PROTOCOLS.c.turn.is_not(None))
        arms.append(flagged)
        dates.insert(0, (flagged, PROTOCOLS.c.review_on))
    return [own, or_(*arms)], [sql_case(*dates, else_=PROTOCOLS.c.duty_on), PROTOCOLS.c.id]


def open_protocols(
    connection: Connection, organisation_ids: Collection[str], ends: Collection[str], after: str, limit: int
) -> list[str]:
    """The open cases of these partners behind `after`, in one indexed query."""
    conditions: list[ColumnElement[bool]] = [
        PROTOCOLS.c.organisation_id.in_(sorted(organisation_ids)),
        PROTOCOLS.c.stage.not_in(sorted(ends)),
    ]
    if after:
        conditions.append(PROTOCOLS.c.id > after)
    found = connection.execute(select(PROTOCOLS.c.id).where(*conditions).order_by(PROTOCOLS.c.id).limit(limit))
    return list(found.scalars())


def count_open_protocols(connection: Connection, organisation_id: str, ends: Collection[str]) -> int:
    """How many open cases a partner has."""
    own = PROTOCOLS.c.organisation_id == organisation_id
    counting = select(func.count()).select_from(PROTOCOLS).where(own, PROTOCOLS.c.stage.not_in(sorted(ends)))
    return int(connection.execute(counting).scalar_one())


def clocks_past(connection: Connection, today: date) -> int:
    """How many running clocks are past."""
    past = select(func.count()).select_from(CLOCKS).where(CLOCKS.c.state == "running", CLOCKS.c.due_on < today)
    return int(connection.execute(past).scalar_one())


def protocols_with_past_clocks(connection: Connection, today: date, limit: int) -> list[str]:
    """Cases with a clock that is past, oldest date first."""
    rows = connection.execute(
        select(CLOCKS.c.protocol_id)
        .where(CLOCKS.c.state == "running", CLOCKS.c.due_on < today)
        .order_by(CLOCKS.c.due_on, CLOCKS.c.id)
        .limit(limit)
    ).scalars()
    return list(dict.fromkeys(rows))


def protocols_with_open_clocks(connection: Connection, around: date, after: str, limit: int) -> list[str]:
    """Cases behind `after` with an open clock whose count may include `around`."""
    rows = connection.execute(
        select(CLOCKS.c.protocol_id)
        .where(
            or_(CLOCKS.c.state == "running", CLOCKS.c.state == "paused"),
            CLOCKS.c.started_on <= around,
            or_(CLOCKS.c.due_on.is_(None), CLOCKS.c.due_on >= around),
            CLOCKS.c.protocol_id > after,
        )
        .distinct()
        .order_by(CLOCKS.c.protocol_id)
        .limit(limit)
    ).scalars()
    return list(rows)


REMOVED = "removed"
"""State of a partner that left the registry; its row stays, so that what is told late does not bring it back."""


def found_among(connection: Connection, column: ColumnElement[Any], keys: Collection[str]) -> set[str]:
    """Those of the keys that some protocol has in the column, which must be indexed."""
    return set(connection.execute(select(column).where(column.in_(keys)).distinct()).scalars())


def learn_partners(connection: Connection, told: Iterable[tuple[Mapping[str, Any], int]]) -> None:
    """Keep what the registry told of organisations, each with its version; an older telling changes nothing."""
    newest: dict[str, dict[str, Any]] = {}
    for data, version in told:
        organisation_id = str(data["organisation_id"])
        if organisation_id not in newest or newest[organisation_id]["version"] < version:
            kept = {name: data[name] for name in ("name", "form", "state", "standing", "statuses")}
            newest[organisation_id] = {"organisation_id": organisation_id, **kept, "version": version}
    if not newest:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    # In one order everywhere, so that two consumers wait for each other and do not lock up.
    statement = dialect.insert(PARTNERS).values([newest[each] for each in sorted(newest)])
    changed = {name: statement.excluded[name] for name in ("name", "form", "state", "standing", "statuses", "version")}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["organisation_id"], set_=changed, where=PARTNERS.c.version < statement.excluded.version
        )
    )


def learn_succession(connection: Connection, data: Mapping[str, Any], version: int) -> None:
    """Keep who gets an organisation's open protocols by this succession; told again, it changes nothing."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    heir = data["protocols_to"]
    values = {
        "organisation_id": str(data["organisation_id"]),
        "version": version,
        "kind": data["kind"],
        "effective_on": date.fromisoformat(data["effective_on"]),
        "heir_id": heir["id"],
        "heir_name": heir["name"],
        "heir_version": heir["version"],
        "standing": heir["standing"],
    }
    connection.execute(dialect.insert(SUCCESSIONS).values(values).on_conflict_do_nothing())


def learn_day(connection: Connection, data: Mapping[str, Any]) -> None:
    """Keep what the registry told of a day; a later telling replaces an earlier one."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {"kind": data["kind"], "name": data["name"], "source": data["source"], "version": data["version"]}
    statement = dialect.insert(DAYS).values(on=data["on"], **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["on"], set_=values, where=DAYS.c.version < data["version"])
    )
