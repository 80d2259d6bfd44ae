"""Petitions in the database, read and written by SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, insert, null, or_, select, update
from sqlalchemy import case as sql_case

from services.kernel.actor import PETITIONER, SYSTEM, Actor
from services.kernel.calendar import Rules
from services.kernel.clock import Clock
from services.kernel.events import Event
from services.kernel.reminder import Ladder
from services.kernel.turkish import fold
from services.kernel.workflow import Procedure
from services.petitions.adapters.attachment import AttachmentRows
from services.petitions.adapters.messages import messages
from services.petitions.adapters.plan import activity_facts
from services.petitions.adapters.tables import CASE, PETITIONS, UNITS
from services.petitions.domain.attachment import copied, goes_along
from services.petitions.domain.case import SEES, Party, PetitionCase
from services.petitions.domain.petitioner import Petitioner
from services.petitions.domain.procedure import duties
from services.petitions.domain.repeat import follow
from services.petitions.domain.routing import Unit
from services.runtime.casebook import CaseBook
from services.runtime.database import Database
from services.runtime.outbox import SEES_ALL, post

NEVER = date.max
"""Where a case without a date stands in the work queue: at its end."""

_MOST_REPEATS = 50


def case_from(row: Row[Any], clocks: Sequence[Clock]) -> PetitionCase:
    """The case of a row and its clocks."""
    return PetitionCase(
        id=row.id,
        reference=row.number,
        kind=row.kind,
        municipality=Party(row.municipality, row.municipality_name),
        petitioner=Petitioner(
            type=row.petitioner_type,
            name=row.petitioner_name,
            address=row.petitioner_address,
            email=row.petitioner_email,
            authorised_person=row.authorised_person,
            mandate=row.mandate,
            vouched=row.vouched,
            signature=row.signature,
            signature_seen=row.signature_seen,
            organisation_id=row.organisation_id,
            organisation_name=row.organisation_name,
        ),
        subject=row.subject or "",
        body=row.body or "",
        channel=row.channel,
        language=row.language,
        filed_on=row.filed_on,
        received_on=row.received_on,
        counts_from=row.counts_from,
        tracking_code=row.tracking_code,
        activity_id=row.activity_id,
        public_title=row.public_title,
        public_text=row.public_text,
        key_sha256=row.key_sha256,
        key_salt=row.key_salt,
        registry_no=row.registry_no,
        unit=_party(row.unit_id, row.unit_name),
        outcome=row.outcome,
        answer=row.answer,
        awaits=row.awaits,
        addressee=row.addressee,
        repeats=row.repeats,
        forwarded_from=row.forwarded_from,
        forwarded_to=row.forwarded_to,
        protocol=_party(row.protocol_id, row.protocol_reference),
        protocol_stage=row.protocol_stage,
        protocol_version=row.protocol_version,
        draft_problem=row.draft_problem,
        submitted_by=row.submitted_by,
        stage=row.stage,
        since=row.since,
        last_on=row.last_on,
        version=row.version,
        head_hash=row.head_hash,
        procedure_version=row.procedure_version,
        created_at=row.created_at,
        facts=row.facts,
        clocks=list(clocks),
        earlier_clocks=row.earlier_clocks,
    )


def _party(id_: str | None, name: str | None) -> Party | None:
    return Party(id_, name or "") if id_ else None


def _row_of(case: PetitionCase, procedure: Procedure[PetitionCase], now: datetime) -> dict[str, Any]:
    """The columns that change with a case."""
    turn = procedure.stages[case.stage].turn_of(case)
    owed = duties(case, procedure)
    work_on = owed.pop(turn, NEVER) if turn else NEVER
    duty, duty_on = min(owed.items(), key=lambda each: each[1], default=(None, None))
    due = next_due(case)
    who = case.petitioner
    return {
        "subject": case.subject,
        "body": case.body,
        "petitioner_name": who.name,
        "petitioner_address": who.address,
        "petitioner_email": who.email,
        "authorised_person": who.authorised_person,
        "mandate": who.mandate,
        "signature": who.signature,
        "signature_seen": who.signature_seen,
        "public_title": case.public_title,
        "public_text": case.public_text,
        "registry_no": case.registry_no,
        "unit_id": case.unit.id if case.unit else None,
        "unit_name": case.unit.name if case.unit else None,
        "outcome": case.outcome,
        "answer": case.answer,
        "awaits": case.awaits,
        "addressee": case.addressee,
        "forwarded_to": case.forwarded_to,
        "protocol_id": case.protocol.id if case.protocol else None,
        "protocol_reference": case.protocol.name if case.protocol else None,
        "protocol_stage": case.protocol_stage,
        "protocol_version": case.protocol_version,
        "draft_problem": case.draft_problem,
        "stage": case.stage,
        "since": case.since,
        "last_on": case.last_on,
        "version": case.version,
        "head_hash": case.head_hash,
        "facts": case.facts,
        "earlier_clocks": case.earlier_clocks,
        "changed_at": now,
        "turn": turn,
        "work_on": work_on,
        "duty": duty,
        "duty_on": duty_on,
        "overdue_since": case.overdue_since(procedure),
        "due_on": due.due_on if due else None,
        "due_kind": due.kind if due else None,
    }


def next_due(case: PetitionCase) -> Clock | None:
    """The running clock that is due next."""
    running = [each for each in case.clocks if each.state == "running" and each.due_on]
    return min(running, key=lambda each: (each.due_on or NEVER, each.kind), default=None)


_LONG = ("body", "public_text", "answer")
_LISTED = tuple(null().label(each.name) if each.name in _LONG else each for each in PETITIONS.c)
"""The columns of a petition that is only listed or compared, never saved: without the long texts."""

# Built once: building a statement costs more than sending it.
_ONE = select(PETITIONS).where(PETITIONS.c.id == bindparam("id"))
_LOCKED = _ONE.with_for_update()
_CHANGING = (
    "subject", "body", "petitioner_name", "petitioner_address", "petitioner_email", "authorised_person", "mandate",
    "signature", "signature_seen", "public_title", "public_text",
    "registry_no", "unit_id", "unit_name", "outcome", "answer", "awaits", "addressee", "forwarded_to",
    "protocol_id", "protocol_reference", "protocol_stage", "protocol_version", "draft_problem", "stage", "since",
    "last_on", "version", "head_hash", "facts", "earlier_clocks", "changed_at", "turn", "work_on", "duty", "duty_on",
    "overdue_since", "due_on", "due_kind",
)  # fmt: skip
_CHANGE = (
    update(PETITIONS)
    .where(PETITIONS.c.id == bindparam("own_id"), PETITIONS.c.version == bindparam("before"))
    .values({name: bindparam(f"new_{name}", type_=PETITIONS.c[name].type) for name in _CHANGING})
)
_SAME = PETITIONS.alias("first")
_COPIES = (
    select(PETITIONS)
    .where(
        PETITIONS.c.municipality == bindparam("municipality"),
        # A copy is found by the words it was filed with, which have an index.
        PETITIONS.c.text_sha256 == select(_SAME.c.text_sha256).where(_SAME.c.id == bindparam("id")).scalar_subquery(),
        PETITIONS.c.repeats == bindparam("id"),
        PETITIONS.c.stage.not_in(bindparam("ends", expanding=True)),
    )
    .order_by(PETITIONS.c.created_at, PETITIONS.c.id)
    .with_for_update()
)
_NEXT = PETITIONS.alias("forwarded")
_TRACKED = (
    select(
        *(
            PETITIONS.c[name]
            for name in (
                "number", "tracking_code", "kind", "municipality", "municipality_name", "stage", "since", "filed_on",
                "turn", "outcome", "awaits", "addressee", "due_on", "due_kind", "overdue_since", "protocol_reference",
                "protocol_stage", "unit_name", "version",
            )
        ),
        _NEXT.c.tracking_code.label("next_code"),
    )
    .join_from(PETITIONS, _NEXT, _NEXT.c.id == PETITIONS.c.forwarded_to, isouter=True)
    .where(PETITIONS.c.tracking_code == bindparam("code"))
)  # fmt: skip
_CODE_OF = select(PETITIONS.c.id, PETITIONS.c.number, PETITIONS.c.tracking_code, PETITIONS.c.municipality_name).where(
    PETITIONS.c.id.in_(bindparam("ids", expanding=True))
)
_UNITS_OF = select(UNITS).where(UNITS.c.municipality == bindparam("municipality")).order_by(UNITS.c.name_key)
_UNIT = select(UNITS).where(UNITS.c.id == bindparam("id"))


class Store(CaseBook):
    """The petitions within one transaction; see `application.case.Cases`."""

    def __init__(self, connection: Connection, rules: Rules, ladder: Ladder) -> None:
        """`rules`: how days are counted. `ladder`: when the owners of clocks are reminded."""
        super().__init__(connection, CASE, rules, ladder)

    # reading

    def locked(self, petition_id: str) -> PetitionCase | None:
        """The case, held until the transaction ends."""
        return self._one(_LOCKED, petition_id)

    def get(self, petition_id: str) -> PetitionCase | None:
        """The case, to read."""
        return self._one(_ONE, petition_id)

    def _one(self, statement: Select[Any], petition_id: str) -> PetitionCase | None:
        row = self.connection.execute(statement, {"id": petition_id}).one_or_none()
        return None if row is None else case_from(row, self.clocks_of(petition_id))

    def page(
        self, conditions: Sequence[ColumnElement[bool]], order: Sequence[Any], page: int, size: int
    ) -> tuple[list[PetitionCase], int]:
        """One page of cases and how many there are."""
        where = and_(*conditions) if conditions else None
        counting = select(func.count()).select_from(PETITIONS)
        listing = select(*_LISTED).order_by(*order).limit(size).offset((page - 1) * size)
        if where is not None:
            counting, listing = counting.where(where), listing.where(where)
        total = self.connection.execute(counting).scalar_one()
        rows = self.connection.execute(listing).all()
        clocks = self.clocks_of_many([row.id for row in rows])
        return [case_from(row, clocks.get(row.id, [])) for row in rows], total

    def open_alike(self, municipality: str, repeat_key: str, ends: Sequence[str]) -> list[PetitionCase]:
        """Open petitions to the municipality with the same words and writer's name, the oldest first."""
        rows = self.connection.execute(
            select(*_LISTED)
            .where(
                PETITIONS.c.municipality == municipality,
                PETITIONS.c.text_sha256 == repeat_key,
                PETITIONS.c.stage.not_in(list(ends)),
            )
            .order_by(PETITIONS.c.filed_on, PETITIONS.c.created_at)
            .limit(_MOST_REPEATS)
        ).all()
        return [case_from(row, []) for row in rows]

    def tracked(self, code: str) -> Mapping[str, Any] | None:
        """What the public may know of a petition, by one look at one index."""
        row = self.connection.execute(_TRACKED, {"code": code}).one_or_none()
        return None if row is None else dict(row._mapping)  # noqa: SLF001 - the public name of a row's columns

    def relatives(self, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Id → number, tracking code and municipality of these petitions."""
        if not ids:
            return {}
        return {
            row.id: {
                "id": row.id,
                "number": row.number,
                "tracking_code": row.tracking_code,
                "municipality_name": row.municipality_name,
            }
            for row in self.connection.execute(_CODE_OF, {"ids": list(ids)})
        }

    def activity(self, activity_id: str) -> Mapping[str, Any] | None:
        """{municipality, code, title, open} of an activity of a strategic plan."""
        return activity_facts(self.connection, activity_id)

    # units

    def units(self, municipality: str) -> list[Unit]:
        """The municipality's units by name."""
        return [_unit(row) for row in self.connection.execute(_UNITS_OF, {"municipality": municipality})]

    def unit(self, unit_id: str) -> Unit | None:
        """One unit."""
        row = self.connection.execute(_UNIT, {"id": unit_id}).one_or_none()
        return None if row is None else _unit(row)

    def unit_named(self, municipality: str, name: str) -> Unit | None:
        """The municipality's unit of this name, letters' case and Turkish marks aside."""
        row = self.connection.execute(
            select(UNITS).where(UNITS.c.municipality == municipality, UNITS.c.name_key == _name_key(name))
        ).one_or_none()
        return None if row is None else _unit(row)

    def add_unit(self, unit: Unit) -> None:
        """Store a new unit."""
        self.connection.execute(insert(UNITS).values(id=unit.id, municipality=unit.municipality, **_unit_row(unit)))

    def save_unit(self, unit: Unit) -> bool:
        """Store a changed unit; False when it has changed meanwhile."""
        own = and_(UNITS.c.id == unit.id, UNITS.c.version == unit.version - 1)
        return self.connection.execute(update(UNITS).where(own).values(_unit_row(unit))).rowcount == 1

    # writing

    def next_reference(self, municipality: str, year: int) -> str:
        """`<municipality>/<year>/D<number>`, each number once and without gaps."""
        return f"{municipality}/{year}/D{self.next_number(municipality, year)}"

    def add(
        self, case: PetitionCase, events: Sequence[Event], actor: Actor, procedure: Procedure[PetitionCase]
    ) -> None:
        """Store a new case with its history and events."""
        now = case.new_acts[-1].recorded_at
        self.connection.execute(
            insert(PETITIONS).values(
                id=case.id,
                number=case.reference,
                tracking_code=case.tracking_code,
                kind=case.kind,
                municipality=case.municipality.id,
                municipality_name=case.municipality.name,
                text_sha256=case.repeat_key,
                petitioner_type=case.petitioner.type,
                organisation_id=case.petitioner.organisation_id,
                organisation_name=case.petitioner.organisation_name,
                vouched=case.petitioner.vouched,
                channel=case.channel,
                activity_id=case.activity_id,
                language=case.language,
                filed_on=case.filed_on,
                received_on=case.received_on,
                counts_from=case.counts_from,
                key_sha256=case.key_sha256,
                key_salt=case.key_salt,
                repeats=case.repeats,
                forwarded_from=case.forwarded_from,
                submitted_by=case.submitted_by,
                procedure_version=case.procedure_version,
                created_at=case.created_at,
                **_row_of(case, procedure, now),
            )
        )
        self._write_parts(case, events, actor, procedure, now)

    def save(
        self, case: PetitionCase, events: Sequence[Event], actor: Actor, procedure: Procedure[PetitionCase]
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
        self._take_copies_along(case, procedure, now)

    def _take_copies_along(self, first: PetitionCase, procedure: Procedure[PetitionCase], now: datetime) -> None:
        """What happened to a petition happens to those that only say it again."""
        values = {"id": first.id, "municipality": first.municipality.id, "ends": sorted(procedure.ends)}
        for row in self.connection.execute(_COPIES, values).all():
            copy = case_from(row, self.clocks_of(row.id))
            events = follow(copy, first, now, procedure, self.calendar())
            if copy.new_acts:
                self.save(copy, events, SYSTEM, procedure)

    def _write_parts(
        self,
        case: PetitionCase,
        events: Sequence[Event],
        actor: Actor,
        procedure: Procedure[PetitionCase],
        now: datetime,
    ) -> None:
        self.write_history(case, procedure, now)
        self.tell(case, events, actor, now)

    def copy_files(self, from_id: str, to_id: str) -> None:
        """Give a petition the files of another, as far as they go along with it; contents are shared."""
        files = AttachmentRows(self.connection)
        for each in files.of(from_id):
            if goes_along(each):
                files.add(copied(each, to_id))

    def tell(self, case: PetitionCase, events: Sequence[Event], actor: Actor, now: datetime) -> None:
        """Post events of a case."""
        post(self.connection, messages(events, case.scope, actor, now))


def _unit(row: Row[Any]) -> Unit:
    return Unit(row.id, row.municipality, row.name, tuple(row.topics), row.active, row.version)


def _unit_row(unit: Unit) -> dict[str, Any]:
    return {
        "name": unit.name,
        "name_key": _name_key(unit.name),
        "topics": list(unit.topics),
        "active": unit.active,
        "version": unit.version,
    }


def _name_key(name: str) -> str:
    return " ".join(fold(name).split())


class Stores:
    """Opens transactions on the petitions."""

    def __init__(self, database: Database, rules: Rules, ladder: Ladder) -> None:
        """`rules`: how days are counted. `ladder`: when the owners of clocks are reminded."""
        self._database = database
        self._rules = rules
        self._ladder = ladder

    def write(self) -> AbstractContextManager[Store]:
        """One transaction."""
        return self._opened(self._database.write())

    def read(self) -> AbstractContextManager[Store]:
        """A look."""
        return self._opened(self._database.read())

    def on(self, connection: Connection) -> Store:
        """The petitions within a transaction that somebody else opened."""
        return Store(connection, self._rules, self._ladder)

    @contextmanager
    def _opened(self, transaction: AbstractContextManager[Connection]) -> Iterator[Store]:
        with transaction as connection:
            yield self.on(connection)


def visible_to(actor: Actor) -> ColumnElement[bool] | None:
    """The condition for an office's own petitions; None for those who see all."""
    if actor.role in SEES_ALL:
        return None
    if actor.role in SEES and actor.municipality is not None:
        return PETITIONS.c.municipality == actor.municipality
    if actor.organisation_id is not None:
        return PETITIONS.c.organisation_id == actor.organisation_id
    if actor.role == PETITIONER and actor.user_id is not None:
        return PETITIONS.c.submitted_by == actor.user_id
    return PETITIONS.c.id == null()


def work_of(own: ColumnElement[bool], actor: Actor) -> tuple[list[ColumnElement[bool]], list[Any]]:
    """Conditions and order of an office's work: its turn, or a duty beside the way."""
    role = PETITIONER if actor.organisation_id is not None else actor.role
    mine = PETITIONS.c.turn == role
    order = sql_case((mine, PETITIONS.c.work_on), else_=PETITIONS.c.duty_on)
    return [own, or_(mine, PETITIONS.c.duty == role)], [order, PETITIONS.c.id]
