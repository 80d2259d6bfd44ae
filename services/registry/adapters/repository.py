"""Rows of the registry as its objects, and back."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from services.kernel.calendar import AddedDay
from services.kernel.errors import NotFound, Refused
from services.kernel.text import Sentence
from services.kernel.turkish import collation_key
from services.registry.adapters.search import folded_name, learn
from services.registry.adapters.tables import (
    CALENDAR_DAYS,
    EXPERTISE,
    FORMER_NUMBERS,
    MUNICIPALITIES,
    ORGANISATIONS,
    RECORDS,
    STATUSES,
)
from services.registry.domain.calendar import CalendarDay
from services.registry.domain.intake.identity import identity_key, registry_key
from services.registry.domain.municipality import Authority, Municipality
from services.registry.domain.organisation import FACTS, Facts, Former, Organisation
from services.registry.domain.status import Decision, Status, StatusHistory
from services.registry.domain.vocabulary import AuthorityKind, Form, MunicipalityKind, State, StatusKind
from services.registry.domain.watch import audit_due, status_ending

REMOVED = "removed"
"""Key of a record that says that the organisation left the registry then."""
_FACT_COLUMNS = [ORGANISATIONS.c[name] for name in FACTS]
_LINEAGE_COLUMNS = [ORGANISATIONS.c[name] for name in ("former", "successors", "last_audit_on")]


class OrganisationRows:
    """Organisations in one transaction; it remembers what it read, and writes what is new."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[str, Organisation] = {}

    def get(self, organisation_id: str, *, to_change: bool = False, known_at: datetime | None = None) -> Organisation:
        """The organisation with its statuses, in two queries, three with `known_at`."""
        key = uuid_of(organisation_id)
        statement = organisation_query().where(ORGANISATIONS.c.id == key)
        found = self._load(statement.with_for_update() if to_change else statement) if key else []
        if not found:
            raise NotFound(Sentence("There is no such organisation."))
        [organisation] = found
        if known_at is not None:
            organisation.facts = self._facts_known(organisation.id, known_at)
        return organisation

    def many(self, keys: Sequence[str]) -> list[Organisation]:
        """The organisations in the order of their keys, in two queries."""
        found = {each.id: each for each in self._load(organisation_query().where(ORGANISATIONS.c.id.in_(keys)))}
        return [found[key] for key in keys if key in found]

    def numbered(self, form: Form, number_key: str) -> str | None:
        """The id of the organisation of this form with this registry number; where nobody bears it, who once did."""
        bears = select(ORGANISATIONS.c.id).where(ORGANISATIONS.c.form == form, ORGANISATIONS.c.number_key == number_key)
        bore = select(FORMER_NUMBERS.c.organisation_id).where(
            FORMER_NUMBERS.c.form == form, FORMER_NUMBERS.c.number_key == number_key
        )
        found = self._connection.execute(bears).scalar_one_or_none()
        return found or self._connection.execute(bore).scalar_one_or_none()

    def outdated(self, today: date, limit: int) -> list[Organisation]:
        """Organisations whose stored standing ended before `today`; another replica's are passed over."""
        statement = organisation_query().where(ORGANISATIONS.c.standing_until < today)
        return self._load(
            statement.order_by(ORGANISATIONS.c.standing_until).limit(limit).with_for_update(skip_locked=True)
        )

    def has_outdated(self, today: date) -> bool:
        """Whether a stored standing ended before `today`."""
        statement = select(ORGANISATIONS.c.row_no).where(ORGANISATIONS.c.standing_until < today).limit(1)
        return self._connection.execute(statement).first() is not None

    def add(self, organisation: Organisation, *, today: date, now: datetime, by: str) -> None:
        """Keep a new organisation."""
        row = {"id": organisation.id, **organisation_row(organisation, today)}
        self._guarded(insert(ORGANISATIONS).values(row))
        self._record(organisation, now=now, by=by)
        learn(self._connection, [row["folded"]])
        self._add_revisions(organisation)

    def save(self, organisation: Organisation, *, today: date, now: datetime, by: str) -> None:
        """Keep what changed of an organisation that was read for a change."""
        row = organisation_row(organisation, today)
        changed = self._guarded(
            update(ORGANISATIONS)
            .where(
                ORGANISATIONS.c.id == organisation.id, ORGANISATIONS.c.version == self._read[organisation.id].version
            )
            .values(row)
        )
        if changed != 1:
            message = f"organisation {organisation.id} was changed although it was locked"
            raise RuntimeError(message)
        if organisation.facts != self._read[organisation.id].facts:
            self._record(organisation, now=now, by=by)
            learn(self._connection, [row["folded"]])
        if organisation.former != self._read[organisation.id].former:
            self._keep_former_numbers(organisation)
        self._add_revisions(organisation)

    def _keep_former_numbers(self, organisation: Organisation) -> None:
        rows = [
            {"form": organisation.facts.form, "number_key": key, "organisation_id": organisation.id}
            for key in sorted(organisation.former_number_keys)
        ]
        if rows:
            dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
            self._connection.execute(dialect.insert(FORMER_NUMBERS).values(rows).on_conflict_do_nothing())

    def _load(self, statement: Select[Any]) -> list[Organisation]:
        rows = self._connection.execute(statement).mappings().all()
        histories: dict[str, list[Status]] = {row["id"]: [] for row in rows}
        if rows:
            revisions = select(STATUSES).where(STATUSES.c.organisation_id.in_(histories))
            for row in self._connection.execute(revisions.order_by(STATUSES.c.recorded_at, STATUSES.c.revision)):
                histories[row.organisation_id].append(status_of(row))
        return [self._remember(row, tuple(histories[row["id"]])) for row in rows]

    def _remember(self, row: RowMapping, revisions: tuple[Status, ...]) -> Organisation:
        read = Organisation(
            row["id"],
            facts_of(row),
            row["version"],
            StatusHistory(revisions),
            former=tuple(_former(each) for each in row["former"]),
            successors=tuple(row["successors"]),
            last_audit_on=row["last_audit_on"],
            tags=tuple(row["tags"] or ()),
        )
        self._read[read.id] = read
        return replace(read)

    def _facts_known(self, organisation_id: str, known_at: datetime) -> Facts:
        record = self._connection.execute(
            select(RECORDS.c.facts)
            .where(RECORDS.c.organisation_id == organisation_id, RECORDS.c.recorded_at <= known_at)
            .order_by(RECORDS.c.version.desc())
            .limit(1)
        ).scalar_one_or_none()
        if record is None or REMOVED in record:
            raise NotFound(Sentence("This organisation was not registered at that time."))
        return facts_of({**record, "founded_on": record["founded_on"] and date.fromisoformat(record["founded_on"])})

    def _record(self, organisation: Organisation, *, now: datetime, by: str) -> None:
        self._connection.execute(
            insert(RECORDS).values(
                organisation_id=organisation.id,
                version=organisation.version,
                recorded_at=now,
                recorded_by=by,
                facts=recorded_facts(organisation.facts),
            )
        )

    def _add_revisions(self, organisation: Organisation) -> None:
        read = self._read.get(organisation.id)
        known = {(status.id, status.revision): status for status in (read.history.revisions if read else ())}
        for status in organisation.history.revisions:
            before = known.get((status.id, status.revision))
            if before is None:
                self._connection.execute(insert(STATUSES).values(organisation_id=organisation.id, **status_row(status)))
            elif before.superseded_at != status.superseded_at:
                self._connection.execute(
                    update(STATUSES)
                    .where(STATUSES.c.id == status.id, STATUSES.c.revision == status.revision)
                    .values(superseded_at=status.superseded_at)
                )

    def _guarded(self, statement: Any) -> int:
        """Rows touched; two registrations of one number at the same time end here."""
        try:
            return self._connection.execute(statement).rowcount
        except IntegrityError as error:
            if "number_key" not in str(error.orig) and "organisations_by_number" not in str(error.orig):
                raise
            raise Refused(
                Sentence("This registry number was registered a moment ago; look for it in the registry.")
            ) from error


class MunicipalityRows:
    """Municipalities in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, code: str, *, to_change: bool = False) -> Municipality:
        """The municipality, in one query."""
        statement = select(MUNICIPALITIES).where(MUNICIPALITIES.c.code == code)
        row = self._connection.execute(statement.with_for_update() if to_change else statement).one_or_none()
        if row is None:
            raise NotFound(Sentence("There is no municipality with this code."))
        return _municipality(row)

    def authority(self, code: str) -> Authority:
        """The civil authority with that code, as the municipalities name it."""
        row = self._connection.execute(
            select(MUNICIPALITIES)
            .where(MUNICIPALITIES.c.authority_code == code)
            .order_by(MUNICIPALITIES.c.code)
            .limit(1)
        ).one_or_none()
        if row is None:
            raise NotFound(Sentence("There is no such civil authority."))
        return _municipality(row).authority

    def many(self, codes: Sequence[str]) -> list[Municipality]:
        """The municipalities in the order of their codes, in one query."""
        found = self.having(codes)
        return [found[code] for code in codes]

    def having(self, codes: Collection[str]) -> dict[str, Municipality]:
        """The municipalities by code, in one query; codes that nobody has are left out."""
        rows = self._connection.execute(select(MUNICIPALITIES).where(MUNICIPALITIES.c.code.in_(list(codes))))
        return {row.code: _municipality(row) for row in rows}

    def save(self, municipality: Municipality) -> None:
        """Keep the council and the authority of a municipality that was read for a change."""
        changed = self._connection.execute(
            update(MUNICIPALITIES)
            .where(MUNICIPALITIES.c.code == municipality.code, MUNICIPALITIES.c.version == municipality.version - 1)
            .values(
                version=municipality.version,
                authority_code=municipality.authority.code,
                authority_kind=municipality.authority.kind,
                authority_name=municipality.authority.name,
                full_membership=municipality.full_membership,
                sittings=[day.isoformat() for day in municipality.sittings],
            )
        )
        if changed.rowcount != 1:
            message = f"municipality {municipality.code} was changed although it was locked"
            raise RuntimeError(message)


class CalendarDayRows:
    """The added days of the calendar in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entries(self, *, to_change: bool = False) -> list[CalendarDay]:
        """All entries, oldest first."""
        if to_change and self._connection.dialect.name == "postgresql":
            self._connection.execute(text("LOCK TABLE calendar_days IN SHARE ROW EXCLUSIVE MODE"))
        return [
            CalendarDay(AddedDay(row.day_on, row.kind, row.name, row.source), row.version, row.added_at, row.added_by)
            for row in self._connection.execute(select(CALENDAR_DAYS).order_by(CALENDAR_DAYS.c.version))
        ]

    def add(self, entry: CalendarDay) -> None:
        """Keep a new entry."""
        self._connection.execute(
            insert(CALENDAR_DAYS).values(
                version=entry.version,
                day_on=entry.day.on,
                kind=entry.day.kind,
                name=entry.day.name,
                source=entry.day.source,
                added_at=entry.added_at,
                added_by=entry.added_by,
            )
        )


def municipality_row(municipality: Municipality) -> dict[str, Any]:
    """The row of a municipality."""
    return {
        "code": municipality.code,
        "version": municipality.version,
        "name": municipality.name,
        "kind": municipality.kind,
        "province_code": municipality.province_code,
        "province": municipality.province,
        "district": municipality.district,
        "authority_code": municipality.authority.code,
        "authority_kind": municipality.authority.kind,
        "authority_name": municipality.authority.name,
        "full_membership": municipality.full_membership,
        "sittings": [day.isoformat() for day in municipality.sittings],
        "folded": folded_name(municipality.name, municipality.province),
        "name_key": collation_key(municipality.name),
    }


def uuid_of(given: str) -> str | None:
    """The id in its one spelling; None when it cannot be one."""
    try:
        return str(uuid.UUID(given))
    except ValueError:
        return None


def organisation_query() -> Select[Any]:
    """Everything of organisations but their statuses."""
    tags = select(EXPERTISE.c.tags).where(EXPERTISE.c.organisation_id == ORGANISATIONS.c.id).scalar_subquery()
    return select(ORGANISATIONS.c.id, ORGANISATIONS.c.version, *_FACT_COLUMNS, *_LINEAGE_COLUMNS, tags.label("tags"))


def recorded_facts(facts: Facts) -> dict[str, Any]:
    """The facts as a row of `organisation_records` keeps them."""
    return {
        **vars(facts),
        "expertise": list(facts.expertise),
        "founded_on": facts.founded_on and facts.founded_on.isoformat(),
    }


def _former(kept: Mapping[str, Any]) -> Former:
    return Former(kept["name"], kept["registry_no"], date.fromisoformat(kept["until"]))


def facts_of(row: Mapping[str, Any] | RowMapping) -> Facts:
    """What a row of `organisations`, or a record of one, says of it."""
    values = {name: row[name] for name in FACTS}
    values.update(form=Form(row["form"]), state=State(row["state"]), expertise=tuple(row["expertise"]))
    return Facts(**values)


def organisation_row(organisation: Organisation, today: date) -> dict[str, Any]:
    """The row of an organisation, but for its id."""
    facts = organisation.facts
    standing = organisation.standing(today, explained=False)
    audit, ending = audit_due(organisation, today), status_ending(organisation, today)
    # Former names and numbers are found as the present ones are; they come last, so that no name begins with them.
    once = [part for each in organisation.former for part in (each.name, _number_word(each.registry_no))]
    number = _number_word(facts.registry_no)
    return {
        "version": organisation.version,
        **{name: getattr(facts, name) for name in FACTS},
        "expertise": list(facts.expertise),
        "number_key": organisation.number_key,
        "registry_key": registry_key(facts.registry_no),
        "identity_key": identity_key(facts.name, facts.province_code, facts.district),
        "folded": folded_name(facts.name, number, *once),
        "name_key": collation_key(facts.name),
        "standing_permission": standing.permission,
        "standing_until": standing.until,
        "former": [{**asdict(each), "until": each.until.isoformat()} for each in organisation.former],
        "successors": list(organisation.successors),
        "last_audit_on": organisation.last_audit_on,
        "audit_due_on": audit.due_on if audit else None,
        "status_ends_on": ending.due_on if ending else None,
    }


def _number_word(number: str | None) -> str:
    """A registry number as one word, however it is written."""
    return "".join(folded_name(number or "").split())


def status_of(row: Row[Any]) -> Status:
    """The revision of a status that a row of `organisation_statuses` keeps."""
    return Status(
        id=row.id,
        revision=row.revision,
        kind=StatusKind(row.kind),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        revoked_on=row.revoked_on,
        recorded_at=row.recorded_at,
        superseded_at=row.superseded_at,
        decision=Decision(row.decision_no, row.decision_on, row.gazette_no, row.gazette_on),
        revocation=Decision(
            row.revocation_no, row.revocation_decided_on, row.revocation_gazette_no, row.revocation_gazette_on
        ),
        reason=row.reason,
        source=row.source,
        recorded_by=row.recorded_by,
    )


def status_row(status: Status) -> dict[str, Any]:
    """The row of a revision, but for its organisation."""
    return {
        "id": status.id,
        "revision": status.revision,
        "kind": status.kind,
        "valid_from": status.valid_from,
        "valid_to": status.valid_to,
        "revoked_on": status.revoked_on,
        "recorded_at": status.recorded_at,
        "superseded_at": status.superseded_at,
        "decision_no": status.decision.decision_no,
        "decision_on": status.decision.decision_on,
        "gazette_no": status.decision.gazette_no,
        "gazette_on": status.decision.gazette_on,
        "revocation_no": status.revocation.decision_no,
        "revocation_decided_on": status.revocation.decision_on,
        "revocation_gazette_no": status.revocation.gazette_no,
        "revocation_gazette_on": status.revocation.gazette_on,
        "reason": status.reason,
        "source": status.source,
        "recorded_by": status.recorded_by,
    }


def _municipality(row: Row[Any]) -> Municipality:
    return Municipality(
        code=row.code,
        name=row.name,
        kind=MunicipalityKind(row.kind),
        province_code=row.province_code,
        province=row.province,
        district=row.district,
        authority=Authority(row.authority_code, AuthorityKind(row.authority_kind), row.authority_name),
        full_membership=row.full_membership,
        sittings=tuple(date.fromisoformat(day) for day in row.sittings),
        version=row.version,
    )
