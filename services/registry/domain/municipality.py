"""A municipality: its kind, its council, its civil authority, and the law it follows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.registry.domain.events import MunicipalityRemovedV1, MunicipalityUpdatedV1
from services.registry.domain.field import WrongField, plausible_date, text
from services.registry.domain.province import NAMES as PROVINCE_NAMES
from services.registry.domain.standing import Place
from services.registry.domain.vocabulary import AuthorityKind, MunicipalityKind

SUBJECTS = uuid.UUID("6f1f6a2e-0d0c-5a54-9d3f-1a7d0f5b3c11")
"""Namespace of the ids under which municipalities and calendar days appear in events."""

COUNCIL_SIZE = range(3, 1001)
MOST_SITTINGS = 1000
CODE = re.compile(r"(?P<province>0[1-9]|[1-7][0-9]|8[01])-[0-9A-Z]{2,7}")
"""Code of a municipality: the plate number of its province, then its own; towns get theirs from the list."""
_AUTHORITY_CODE = {
    AuthorityKind.GOVERNOR: re.compile(r"V(0[1-9]|[1-7][0-9]|8[01])"),
    AuthorityKind.DISTRICT_GOVERNOR: re.compile(r"K(0[1-9]|[1-7][0-9]|8[01])-[0-9]{2,3}"),
}


_AUTHORITY_CODE_SHAPE = Sentence("A governor's code looks like V34, a district governor's like K34-35.")


def _council_size() -> Sentence:
    return Sentence(
        "Give the number of all members of the council, {least} to {most}.",
        least=COUNCIL_SIZE[0],
        most=str(COUNCIL_SIZE[-1]),
    )


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
                wrong.append(("council.full_membership", _council_size()))
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
            wrong.append(("civil_authority.code", _AUTHORITY_CODE_SHAPE))
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

    @classmethod
    def register(
        cls, code: str, record: Mapping[str, Any], version: int = 1
    ) -> tuple[Municipality, MunicipalityUpdatedV1]:
        """A new municipality as a list states it (see `record`). Raises Invalid."""
        municipality = _of_record(code, record, version)
        return municipality, municipality.updated()

    def restate(self, record: Mapping[str, Any]) -> MunicipalityUpdatedV1 | None:
        """Be as a list states it (see `record`); None when nothing changed. Raises Invalid."""
        stated = replace(_of_record(self.code, record, self.version), sittings=self.sittings)
        if stated == self:
            return None
        for name in ("name", "kind", "province_code", "province", "district", "authority", "full_membership"):
            setattr(self, name, getattr(stated, name))
        self.version += 1
        return self.updated()

    def record(self) -> dict[str, Any]:
        """What lists state of a municipality, JSON-able, without what is not known."""
        stated = {
            "name": self.name,
            "kind": str(self.kind),
            "province_code": self.province_code,
            "district": self.district,
            "civil_authority_code": self.authority.code,
            "civil_authority_kind": str(self.authority.kind),
            "civil_authority": self.authority.name,
            "full_membership": self.full_membership,
        }
        return {name: value for name, value in stated.items() if value is not None}

    def removed(self) -> MunicipalityRemovedV1:
        """It leaves with the import that added it."""
        self.version += 1
        return MunicipalityRemovedV1(**vars(self.updated()))

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


_CODE_SHAPE = Sentence("A municipality's code begins with the plate number, such as 34-35.")
_NEEDED = ("name", "kind", "province_code", "civil_authority_code", "civil_authority_kind", "civil_authority")


def read_municipality(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, Sentence]]]:
    """The fields of a list's row that can be right, with its `code`, and what is wrong with the others."""
    said: dict[str, Any] = {}
    wrong: list[tuple[str, Sentence]] = []
    for name, read in _LIST_READERS.items():
        if name not in given and name != "code":
            continue
        try:
            value = read(given.get(name))
        except WrongField as error:
            wrong.append((name, error.sentence))
        else:
            if value is not None:
                said[name] = value
    return said, wrong


def _code(given: Any) -> str:
    code = str(given or "").strip().upper()
    if not CODE.fullmatch(code):
        raise WrongField(_CODE_SHAPE)
    return code


def _one_of(kinds: type[MunicipalityKind | AuthorityKind]) -> Callable[[Any], str]:
    def read(given: Any) -> str:
        if given not in set(kinds):
            raise WrongField(Sentence("This kind is not known."))
        return str(given)

    return read


def _membership(given: Any) -> int:
    number = str(given).strip()
    if not (number.isascii() and number.isdecimal() and len(number) <= _MEMBERSHIP_DIGITS):
        raise WrongField(Sentence("Give the number of the council's members in digits."))
    return int(number)


_LIST_READERS: Mapping[str, Callable[[Any], Any]] = {
    "code": _code,
    "name": text(200),
    "kind": _one_of(MunicipalityKind),
    "province_code": text(2),
    "district": text(100),
    "civil_authority_code": text(10),
    "civil_authority_kind": _one_of(AuthorityKind),
    "civil_authority": text(200),
    "full_membership": _membership,
}
_MEMBERSHIP_DIGITS = 6


def _of_record(code: str, record: Mapping[str, Any], version: int) -> Municipality:
    wrong = [(name, Sentence("This field is needed.")) for name in _NEEDED if record.get(name) is None]
    if wrong:
        raise Invalid.fields(wrong)
    shape = CODE.fullmatch(code)
    if shape is None or shape["province"] != record["province_code"]:
        wrong.append(("code", _CODE_SHAPE))
    kind = AuthorityKind(record["civil_authority_kind"])
    if not _AUTHORITY_CODE[kind].fullmatch(record["civil_authority_code"]):
        wrong.append(("civil_authority_code", _AUTHORITY_CODE_SHAPE))
    membership = record.get("full_membership")
    if membership is not None and membership not in COUNCIL_SIZE:
        wrong.append(("full_membership", _council_size()))
    if wrong:
        raise Invalid.fields(wrong)
    return Municipality(
        code=code,
        name=record["name"],
        kind=MunicipalityKind(record["kind"]),
        province_code=record["province_code"],
        province=PROVINCE_NAMES[int(record["province_code"]) - 1],
        district=record.get("district"),
        authority=Authority(record["civil_authority_code"], kind, record["civil_authority"]),
        full_membership=membership,
        version=version,
    )


def _sittings(given: Sequence[date]) -> tuple[date, ...]:
    if len(given) > MOST_SITTINGS:
        raise WrongField(Sentence("At most {most} entries are kept.", most=str(MOST_SITTINGS)))
    for day in given:
        plausible_date(day)
    return tuple(sorted(set(given)))
