"""All proposals and opinions of a municipality in one list, by activity and by who made them.

Institutions are named, persons never: of a citizen's proposal the list says that a citizen made it. A register
of who proposed what leaves the house more easily than a petition does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from services.petitions.adapters.support import supporters_of
from services.petitions.adapters.tables import PETITIONS, PLAN
from services.petitions.domain.case import PAPER

Plain = dict[str, Any]

KINDS = ("partnership_proposal", "opinion")
INSTITUTIONS = (
    "organisation", "public_body", "local_government", "school", "company", "neighbourhood_assembly", "citizen_assembly",
)  # fmt: skip
"""The petitioners whose name is a body's; a mukhtar's may be a person's, and of others nobody knows."""
_IS_KNOWN_BODY = and_(
    # A person who calls themselves a body is still a person: an organisation of the register is known, and what an
    # office entered from its paper; all others count among persons and are not named.
    PETITIONS.c.petitioner_type.in_(INSTITUTIONS),
    or_(PETITIONS.c.organisation_name.is_not(None), PETITIONS.c.channel.in_(PAPER)),
).label("is_known_body")
FEWEST = 5
"""Persons are counted in public from so many on: fewer might be recognised (domain §10)."""
_MOST_GROUPS = 500


@dataclass(frozen=True)
class Wanted:
    """Which of a municipality's proposals; None means all."""

    municipality: str
    activity: str | None = None
    stakeholder: str | None = None
    stage: str | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """As the database is asked."""
        petitions = PETITIONS.c
        found = [petitions.municipality == self.municipality, petitions.kind.in_(KINDS)]
        found += [petitions.activity_id == self.activity] if self.activity else []
        found += [petitions.petitioner_type == self.stakeholder] if self.stakeholder else []
        found += [petitions.stage == self.stage] if self.stage else []
        return found


class ProposalRows:
    """The proposals in one database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, wanted: Wanted, page: int, size: int) -> tuple[list[Plain], int]:
        """One page, the newest first, and how many there are."""
        total = self._connection.execute(
            select(func.count()).select_from(PETITIONS).where(*wanted.conditions)
        ).scalar_one()
        rows = self._connection.execute(
            _listed(wanted)
            .order_by(PETITIONS.c.created_at.desc(), PETITIONS.c.id)
            .offset((page - 1) * size)
            .limit(size)
        ).all()
        return self._shown(rows), total

    def after(self, wanted: Wanted, last: tuple[datetime, str] | None, limit: int) -> list[Plain]:
        """The next ones in the order in which they came."""
        made_at, id_ = PETITIONS.c.created_at, PETITIONS.c.id
        statement = _listed(wanted).order_by(made_at, id_).limit(limit)
        if last is not None:
            statement = statement.where(or_(made_at > last[0], and_(made_at == last[0], id_ > last[1])))
        return self._shown(self._connection.execute(statement).all())

    def _shown(self, rows: Sequence[Any]) -> list[Plain]:
        supporters = supporters_of(self._connection, [row.id for row in rows])
        return [
            {
                "id": row.id,
                "number": row.number,
                "kind": row.kind,
                "stage": row.stage,
                "outcome": row.outcome,
                "petitioner_type": row.petitioner_type,
                "organisation_id": row.organisation_id,
                "institution": row.organisation_name or (row.petitioner_name if row.is_known_body else None),
                "subject": row.subject,
                "activity": row.activity_code
                and {"id": row.activity_id, "code": row.activity_code, "title": row.activity_title},
                "filed_on": row.filed_on.isoformat(),
                "created_at": row.created_at.isoformat(),
                "supporters": supporters.get(row.id, 0),
            }
            for row in rows
        ]

    def groups(self, wanted: Wanted) -> Plain:
        """How many there are of each activity and of each kind of petitioner, by stage."""
        petitions = PETITIONS.c
        rows = self._connection.execute(
            select(petitions.activity_id, petitions.petitioner_type, petitions.stage, func.count().label("n"))
            .where(*wanted.conditions)
            .group_by(petitions.activity_id, petitions.petitioner_type, petitions.stage)
        ).all()
        activities: dict[str | None, dict[str, int]] = {}
        stakeholders: dict[str, dict[str, int]] = {}
        for row in rows:
            for groups, key in ((activities, row.activity_id), (stakeholders, row.petitioner_type)):
                stages = groups.setdefault(key, {})
                stages[row.stage] = stages.get(row.stage, 0) + row.n
        busiest = sorted(activities.items(), key=lambda each: (-sum(each[1].values()), str(each[0])))[:_MOST_GROUPS]
        names = self._names([key for key, _ in busiest if key])
        return {
            "activities": [{"activity": names.get(key or ""), **_counted(stages)} for key, stages in busiest],
            "stakeholders": [
                {"petitioner_type": key, **_counted(stages)} for key, stages in sorted(stakeholders.items())
            ],
        }

    def _names(self, ids: Sequence[str]) -> Mapping[str, Plain]:
        items = PLAN.items.c
        rows = self._connection.execute(select(items.id, items.code, items.title).where(items.id.in_(ids)))
        return {row.id: {"id": row.id, "code": row.code, "title": row.title} for row in rows}

    def of_activity(self, activity_id: str) -> Plain:
        """What everyone may know: institutions' proposals by stage, persons' only as a number of five or more.

        Of persons no stage is told, since one number and the total would give another away.
        """
        petitions = PETITIONS.c
        own = petitions.activity_id == activity_id, petitions.kind.in_(KINDS)
        told = select(petitions.stage, _IS_KNOWN_BODY).where(*own).subquery()
        rows = self._connection.execute(
            select(told.c.is_known_body, told.c.stage, func.count().label("n")).group_by(
                told.c.is_known_body, told.c.stage
            )
        ).all()
        stages: dict[str, int] = {}
        persons = 0
        for row in rows:
            if row.is_known_body:
                stages[row.stage] = stages.get(row.stage, 0) + row.n
            else:
                persons += row.n
        return {"institutions": _counted(stages), "persons": None if 0 < persons < FEWEST else persons}


def _listed(wanted: Wanted) -> Any:
    petitions, items = PETITIONS.c, PLAN.items.c
    return (
        select(
            petitions.id,
            petitions.number,
            petitions.kind,
            petitions.stage,
            petitions.outcome,
            petitions.petitioner_type,
            petitions.organisation_id,
            petitions.organisation_name,
            petitions.petitioner_name,
            _IS_KNOWN_BODY,
            petitions.subject,
            petitions.activity_id,
            petitions.filed_on,
            petitions.created_at,
            items.code.label("activity_code"),
            items.title.label("activity_title"),
        )
        .select_from(PETITIONS.outerjoin(PLAN.items, items.id == petitions.activity_id))
        .where(*wanted.conditions)
    )


def _counted(stages: Mapping[str, int]) -> Plain:
    return {
        "total": sum(stages.values()),
        "stages": [{"stage": stage, "count": count} for stage, count in sorted(stages.items())],
    }
