"""A municipality: its kind, its council, its civil authority, and the law it follows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.registry.domain.events import MunicipalityUpdatedV1
from services.registry.domain.field import WrongField, plausible_date, text
from services.registry.domain.standing import Place
from services.registry.domain.vocabulary import AuthorityKind, MunicipalityKind

SUBJECTS = uuid.UUID("6f1f6a2e-0d0c-5a54-9d3f-1a7d0f5b3c11")
"""Namespace of the ids under which municipalities and calendar days appear in events."""

COUNCIL_SIZE = range(3, 1001)
MOST_SITTINGS = 1000
_AUTHORITY_CODE = {
    AuthorityKind.GOVERNOR: re.compile(r"V(0[1-9]|[1-7][0-9]|8[01])"),
    AuthorityKind.DISTRICT_GOVERNOR: re.compile(r"K(0[1-9]|[1-7][0-9]|8[01])-[0-9]{2,3}"),
}


@dataclass(frozen=True)
class LegalProfile:
    """What differs between the laws of municipalities; working days are counted from the council's sitting.

    `mayor_return_days` are calendar days. `sitting_week` is the week of the month in which
    the council ordinarily meets.
    """

    law: Literal["5393", "5216"]
    mayor_return_days: int
    commission_min: int
    commission_max: int
    commission_working_days: int
    zoning_commission_working_days: int
    sitting_week: int


LAW_5393 = LegalProfile("5393", 5, 3, 5, 5, 10, 1)
"""5393 articles 20, 23, 24; districts inside a metropolis follow it too (5216/12)."""
LAW_5216 = LegalProfile("5216", 7, 5, 9, 5, 10, 2)
"""5216 articles 13, 14, 15: metropolitan municipalities."""


@dataclass(frozen=True)
class Authority:
    """The highest local civil authority of a municipality."""

    code: str
    kind: AuthorityKind
    name: str


@dataclass
class Municipality:
    """One municipality. `full_membership` is None until its clerk gave it; `sittings` are decided dates."""

    code: str
    name: str
    kind: MunicipalityKind
    province_code: str
    province: str
    district: str | None
    authority: Authority
    full_membership: int | None = None
    sittings: tuple[date, ...] = ()
    version: int = 1

    @property
    def legal_profile(self) -> LegalProfile:
        """The law that the council and the mayor follow."""
        return LAW_5216 if self.kind is MunicipalityKind.METROPOLITAN else LAW_5393

    @property
    def place(self) -> Place:
        """What the rule table of standing asks of a municipality."""
        return Place(self.name, self.kind, self.authority.name)

    def update_council(self, changes: Mapping[str, Any]) -> MunicipalityUpdatedV1 | None:
        """Record `full_membership` and `sittings`, whichever is given; None when nothing changed. Raises Invalid."""
        wrong: list[tuple[str, Sentence]] = []
        membership, sittings = self.full_membership, self.sittings
        if "full_membership" in changes:
            membership = changes["full_membership"]
            if membership is not None and membership not in COUNCIL_SIZE:
                wrong.append(
                    (
                        "council.full_membership",
                        Sentence(
                            "Give the number of all members of the council, {least} to {most}.",
                            least=COUNCIL_SIZE[0],
                            most=str(COUNCIL_SIZE[-1]),
                        ),
                    )
                )
        if "sittings" in changes:
            try:
                sittings = _sittings(changes["sittings"])
            except WrongField as error:
                wrong.append(("council.sittings", error.sentence))
        if wrong:
            raise Invalid.fields(wrong)
        return self._become(replace(self, full_membership=membership, sittings=sittings))

    def update_authority(self, changes: Mapping[str, Any]) -> MunicipalityUpdatedV1 | None:
        """Record another civil authority; None when it is the same. Raises Invalid."""
        kind = AuthorityKind(changes.get("kind", self.authority.kind))
        code = changes.get("code", self.authority.code)
        wrong = []
        if not _AUTHORITY_CODE[kind].fullmatch(code):
            wrong.append(
                (
                    "civil_authority.code",
                    Sentence("A governor's code looks like V34, a district governor's like K34-35."),
                )
            )
        try:
            name = text(200)(changes.get("name", self.authority.name))
            if name is None:
                wrong.append(("civil_authority.name", Sentence("Give the name of the authority.")))
        except WrongField as error:
            name = None
            wrong.append(("civil_authority.name", error.sentence))
        if wrong or name is None:
            raise Invalid.fields(wrong)
        return self._become(replace(self, authority=Authority(code, kind, name)))

    def _become(self, changed: Municipality) -> MunicipalityUpdatedV1 | None:
        if changed == self:
            return None
        self.full_membership, self.sittings, self.authority = (
            changed.full_membership,
            changed.sittings,
            changed.authority,
        )
        self.version += 1
        return self.updated()

    def updated(self) -> MunicipalityUpdatedV1:
        """The municipality as it is now, for those who keep a copy."""
        return MunicipalityUpdatedV1(
            subject_id=subject_id("municipality", self.code),
            subject_version=self.version,
            code=self.code,
            municipality_name=self.name,
            kind=self.kind,
            authority_code=self.authority.code,
            authority_kind=self.authority.kind,
            authority_name=self.authority.name,
            council_full_membership=self.full_membership,
        )


def subject_id(kind: str, key: str) -> str:
    """The id under which a thing that has a code or a date instead appears in events."""
    return str(uuid.uuid5(SUBJECTS, f"{kind}:{key}"))


def _sittings(given: Sequence[date]) -> tuple[date, ...]:
    if len(given) > MOST_SITTINGS:
        raise WrongField(Sentence("At most {most} entries are kept.", most=str(MOST_SITTINGS)))
    for day in given:
        plausible_date(day)
    return tuple(sorted(set(given)))
