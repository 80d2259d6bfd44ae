"""Cases in the database, read and written by SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, insert, null, or_, select, update
from sqlalchemy import case as sql_case
from sqlalchemy.dialects import postgresql, sqlite

from services.kernel.actor import Actor
from services.kernel.calendar import Rules
from services.kernel.clock import Clock
from services.kernel.events import Event, Scope
from services.kernel.reminder import Ladder
from services.kernel.workflow import Procedure
from services.protocols.adapters.messages import messages
from services.protocols.adapters.tables import CASE, PARTNERS, PROTOCOLS, SUCCESSIONS, TEXTS
from services.protocols.domain import partner as partners
from services.protocols.domain.case import Party, ProtocolCase
from services.protocols.domain.partner import Partner, Succession
from services.runtime.casebook import CaseBook
from services.runtime.database import Database
from services.runtime.outbox import SEES_ALL, post

NEVER = date.max
"""Where a case without a date stands in the work queue: at its end."""


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
        petition_id=row.petition_id,
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


class Store(CaseBook):
    """The cases within one transaction; see `application.Cases`."""

    def __init__(self, connection: Connection, rules: Rules, ladder: Ladder) -> None:
        """`rules`: how days are counted. `ladder`: when the owners of clocks are reminded."""
        super().__init__(connection, CASE, rules, ladder)

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
        return case_from(row, self.clocks_of(protocol_id))

    def cases_of(self, rows: Sequence[Row[Any]]) -> list[ProtocolCase]:
        """The cases of these rows, their clocks in one more query."""
        clocks = self.clocks_of_many([row.id for row in rows])
        return [case_from(row, clocks.get(row.id, [])) for row in rows]

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

    # writing

    def next_reference(self, municipality: str, year: int) -> str:
        """`<municipality>/<year>/<number>`, each number once and without gaps."""
        return f"{municipality}/{year}/{self.next_number(municipality, year)}"

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
                petition_id=case.petition_id,
                created_at=case.created_at,
                **_row_of(case, procedure, now),
            )
        )
        self._write_parts(case, events, actor, procedure, now)

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
        self._write_parts(case, events, actor, procedure, now)

    def _write_parts(
        self,
        case: ProtocolCase,
        events: Sequence[Event],
        actor: Actor,
        procedure: Procedure[ProtocolCase],
        now: datetime,
    ) -> None:
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
        self.write_history(case, procedure, now)
        self.tell(case, events, actor, now)
        case.new_text = None

    def drafted_from(self, petition_id: str) -> str | None:
        """The id of the protocol that was drafted from a petition."""
        found: str | None = self.connection.execute(
            select(PROTOCOLS.c.id).where(PROTOCOLS.c.petition_id == petition_id, PROTOCOLS.c.original_id.is_(None))
        ).scalar_one_or_none()
        return found

    def tell(self, case: ProtocolCase, events: Sequence[Event], actor: Actor, now: datetime) -> None:
        """Post events of the case."""
        self.post(events, case.scope, actor, now)

    def post(self, events: Sequence[Event], scope: Scope, actor: Actor, now: datetime) -> None:
        """Post events that belong to no case here."""
        post(self.connection, messages(events, scope, actor, now))


class Stores:
    """Opens transactions on the cases."""

    def __init__(self, database: Database, rules: Rules, ladder: Ladder | None = None) -> None:
        """`rules`: how days are counted. `ladder`: when the owners of clocks are reminded."""
        self._database = database
        self._rules = rules
        self._ladder = ladder or Ladder()

    def write(self) -> AbstractContextManager[Store]:
        """A transaction that changes cases."""
        return self._opened(self._database.write())

    def read(self) -> AbstractContextManager[Store]:
        """A look at the cases."""
        return self._opened(self._database.read())

    @contextmanager
    def _opened(self, connection: AbstractContextManager[Connection]) -> Iterator[Store]:
        with connection as opened:
            yield Store(opened, self._rules, self._ladder)


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
