"""What a row of a file says, in the registry's own fields and by the registry's own readers.

An empty cell says nothing. Nothing that is raised here is about a row: what cannot be right is told with
its field, so that one bad row never stops the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.kernel.turkish import fold, words
from services.registry.domain import province
from services.registry.domain.field import WrongField, plausible_date, text
from services.registry.domain.intake.identity import identity_key, registry_key
from services.registry.domain.intake.layout import Layout
from services.registry.domain.municipality import read_municipality
from services.registry.domain.organisation import read_facts
from services.registry.domain.vocabulary import AuthorityKind, Form, MunicipalityKind, StatusKind

Cells = Mapping[str, str]
Wrong = tuple[str, Sentence]


@dataclass(slots=True)
class Reading:
    """One row: the fields it states as JSON-able values, those that cannot be right, and how it is known.

    `inactive`: the source itself does not vouch for the organisation.
    """

    said: dict[str, Any] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)
    inactive: bool = False

    @property
    def registry_key(self) -> str | None:
        """The registry number as it is compared."""
        return registry_key(self.said.get("registry_no"))

    @property
    def identity_key(self) -> str | None:
        """Name, province and district as they are compared; None without a name."""
        name = self.said.get("name")
        return None if name is None else identity_key(name, self.said.get("province_code"), self.said.get("district"))


def row_reader(layout: Layout, holds: Sequence[str], today: date) -> Callable[[Sequence[str]], Reading]:
    """A reader of rows whose cells stand in the order of `holds`."""
    draw = _DRAWN[layout.draw]
    fixed = dict(layout.fixed)

    def read(cells: Sequence[str]) -> Reading:
        given = {name: cell for name, cell in zip(holds, cells, strict=True) if cell and not cell.isspace()}
        return draw({**given, **fixed} if fixed else given, today)

    return read


# --- organisations


def _own(cells: Cells, today: date) -> Reading:
    return _organisation(dict(cells), today)


def _national(cells: Cells, today: date) -> Reading:
    given = {name: cell for name, cell in cells.items() if name in _NATIONAL_AS_IS}
    other = cells.get("other_name")
    if "name" not in given and other is not None and _province(other) is None:
        given["name"] = other
    if "field" not in given and "other_field" in cells:
        given["field"] = cells["other_field"]
    given["form"] = _form_by_name(given.get("name", ""))
    reading = _organisation(given, today)
    active = cells.get("is_active")
    if active is not None:
        flag = _flag(active)
        if flag is None:
            reading.wrong.append(("is_active", Sentence("This is neither yes nor no, as in true and false.")))
        reading.inactive = flag is False
    return reading


_NATIONAL_AS_IS = frozenset({"registry_no", "name", "province", "field", "phone", "email", "website", "address"})
_FORM_BY_ENDING: tuple[tuple[str, Form], ...] = (
    ("konfederasyonu", Form.CONFEDERATION),
    ("federasyonu", Form.FEDERATION),
    ("subesi", Form.ASSOCIATION_BRANCH),
)


def _form_by_name(name: str) -> Form:
    """The national list holds associations; the last word of a name tells umbrella organisations and branches."""
    last = words(name[-40:])[-1:]
    return next((form for ending, form in _FORM_BY_ENDING if last == [ending]), Form.ASSOCIATION)


def _foundation(cells: Cells, today: date) -> Reading:
    given = {name: cell for name, cell in cells.items() if name in ("name", "address", "form")}
    place = cells.get("province_and_district")
    if place is not None:
        in_province, _, district = place.partition("/")
        given |= {"province": in_province} | ({"district": district} if district.strip() else {})
    numbers = cells.get("phone_and_fax")
    if numbers is not None:
        given["phone"] = _telephone_of(numbers)
    return _organisation({name: cell for name, cell in given.items() if cell.strip()}, today)


def _telephone_of(numbers: str) -> str:
    """The first of several numbers that are parted by a stroke; a stroke inside one number parts nothing."""
    first = numbers.partition("/")[0]
    return first if len(re.findall(r"\d", first)) >= _LEAST_DIGITS else numbers


_LEAST_DIGITS = 7


def _organisation(given: dict[str, Any], today: date) -> Reading:
    reading = Reading()
    wrong = reading.wrong
    in_province = given.pop("province", None)
    if in_province is not None:
        code = _province(in_province)
        if code is None:
            wrong.append(("province", _NO_PROVINCE))
        else:
            given["province_code"] = code
    form = given.get("form")
    if form is not None and not isinstance(form, Form):
        known = _form(given.pop("form"))
        if known is None:
            wrong.append(("form", Sentence("This form of organisation is not known.")))
        else:
            given["form"] = known
    founded = given.pop("founded_on", None)
    if founded is not None:
        day = _day("founded_on", founded, wrong)
        if day is not None:
            given["founded_on"] = day
    reading.said = _plain(_read_each(given, today, wrong))
    return reading


def _read_each(given: Mapping[str, Any], today: date, wrong: list[Wrong]) -> dict[str, Any]:
    """The fields that can be right."""
    try:
        return read_facts(given, today)
    except Invalid as error:
        found = [(each["field"], Sentence.from_plain(each["message"])) for each in error.details["errors"]]
    wrong += found
    bad = {name for name, _ in found}
    return read_facts({name: value for name, value in given.items() if name not in bad}, today)


def _plain(read: Mapping[str, Any]) -> dict[str, Any]:
    """JSON-able, without what says nothing."""
    said = {name: value for name, value in read.items() if value is not None}
    if "form" in said:
        said["form"] = str(said["form"])
    if "founded_on" in said:
        said["founded_on"] = said["founded_on"].isoformat()
    return said


# --- statuses

_STATUS_TEXTS = {"decision_no": text(60), "gazette_no": text(60)}
_STATUS_DAYS = ("decision_on", "gazette_on", "valid_from", "valid_to")


def _status(cells: Cells, today: date) -> Reading:
    known_by = {name: cells[name] for name in ("registry_no", "name", "province", "district") if name in cells}
    reading = _organisation(known_by, today)
    kind = cells.get("kind")
    known = None if kind is None else _STATUS_KINDS.get(" ".join(words(kind)))
    if known is None:
        reading.wrong.append(("kind", Sentence("Give the status as public_benefit or tax_exempt.")))
    else:
        reading.said["kind"] = str(known)
    for name, reader in _STATUS_TEXTS.items():
        if name in cells:
            try:
                reading.said[name] = reader(cells[name])
            except WrongField as error:
                reading.wrong.append((name, error.sentence))
    for name in _STATUS_DAYS:
        day = _day(name, cells[name], reading.wrong) if name in cells else None
        if day is not None:
            reading.said[name] = day.isoformat()
    reading.said = {name: value for name, value in reading.said.items() if value is not None}
    return reading


_STATUS_KINDS = {
    " ".join(words(name)): kind
    for kind, known in {
        StatusKind.PUBLIC_BENEFIT: (
            "public_benefit",
            "kamu yararı",
            "kamu yararına çalışan",
            "kamu yararına çalışan dernek",
            "kamu yararı statüsü",
        ),
        StatusKind.TAX_EXEMPT: ("tax_exempt", "vergi muafiyeti", "vergi muafiyeti tanınan vakıf", "vergiden muaf"),
    }.items()
    for name in known
}


# --- municipalities


def _municipality(cells: Cells, today: date) -> Reading:  # noqa: ARG001 - one signature for all
    reading = Reading()
    given: dict[str, Any] = dict(cells)
    for name, known in (("kind", _MUNICIPALITY_KINDS), ("civil_authority_kind", _AUTHORITY_KINDS)):
        if name in given:
            given[name] = known.get(" ".join(words(given[name])), given[name])
    in_province = given.pop("province", None)
    code = given.get("province_code", in_province)
    if code is not None:
        found = _province(code)
        if found is None:
            reading.wrong.append(("province", _NO_PROVINCE))
            given.pop("province_code", None)
        else:
            given["province_code"] = found
    reading.said, wrong = read_municipality(given)
    reading.wrong += wrong
    return reading


_MUNICIPALITY_KINDS = {
    " ".join(words(name)): str(kind)
    for kind, known in {
        MunicipalityKind.METROPOLITAN: ("metropolitan", "büyükşehir", "büyükşehir belediyesi"),
        MunicipalityKind.METROPOLITAN_DISTRICT: ("metropolitan_district", "büyükşehir ilçe", "büyükşehir ilçesi"),
        MunicipalityKind.PROVINCIAL_CENTRE: ("provincial_centre", "il", "il belediyesi", "il merkezi"),
        MunicipalityKind.DISTRICT: ("district", "ilçe", "ilçe belediyesi"),
        MunicipalityKind.TOWN: ("town", "belde", "belde belediyesi"),
    }.items()
    for name in known
}
_AUTHORITY_KINDS = {
    " ".join(words(name)): str(kind)
    for kind, known in {
        AuthorityKind.GOVERNOR: ("governor", "vali", "valilik"),
        AuthorityKind.DISTRICT_GOVERNOR: ("district_governor", "kaymakam", "kaymakamlık"),
    }.items()
    for name in known
}

# --- single cells

_NO_PROVINCE = Sentence("Give the province by its name or its plate number, 01 to 81.")
_DAYS = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[ T]00:00(?::00(?:\.0+)?)?)?"),
    re.compile(r"(?P<d>\d{1,2})[./-](?P<m>\d{1,2})[./-](?P<y>\d{4})(?: 00:00(?::00)?)?"),
)
_YES = frozenset({"true", "1", "evet", "e", "yes", "dogru", "aktif", "faal"})
_NO = frozenset({"false", "0", "hayir", "h", "no", "yanlis", "pasif", "faal degil"})


@lru_cache(maxsize=4096)
def _province(cell: str) -> str | None:
    return province.province_code(cell)


def _flag(cell: str) -> bool | None:
    key = fold(cell).strip()
    return True if key in _YES else False if key in _NO else None


def _day(name: str, cell: str, wrong: list[Wrong]) -> date | None:
    for shape in _DAYS:
        found = shape.fullmatch(cell.strip())
        if found is not None:
            try:
                day = datetime(int(found["y"]), int(found["m"]), int(found["d"])).date()  # noqa: DTZ001 - a day
                return plausible_date(day)
            except WrongField as error:
                wrong.append((name, error.sentence))
                return None
            except ValueError:
                break
    wrong.append((name, Sentence("This is not a date; it looks like 2024-05-31 or 31.05.2024.")))
    return None


@lru_cache(maxsize=4096)
def _form(cell: str) -> Form | None:
    return _FORMS.get(" ".join(words(cell)))


_FORMS = {
    " ".join(words(name)): form
    for form, known in {
        Form.ASSOCIATION: ("dernek", "derneği"),
        Form.ASSOCIATION_BRANCH: ("şube", "dernek şubesi"),
        Form.FEDERATION: ("federasyon",),
        Form.CONFEDERATION: ("konfederasyon",),
        Form.FOUNDATION: ("vakıf", "vakfı"),
        Form.FOUNDATION_UNIVERSITY: ("vakıf üniversitesi",),
        Form.PROFESSIONAL_BODY: ("meslek kuruluşu", "meslek odası", "kamu kurumu niteliğinde meslek kuruluşu"),
        Form.TRADES_CHAMBER: ("esnaf odası", "esnaf ve sanatkarlar odası"),
        Form.PLATFORM: ("platform",),
        Form.FOREIGN_ASSOCIATION: ("yabancı dernek",),
        Form.UNION: ("sendika",),
        Form.COOPERATIVE: ("kooperatif",),
        Form.COMPANY: ("şirket",),
        Form.PUBLIC_BODY: ("kamu kurumu", "kamu kuruluşu"),
        Form.MUNICIPALITY: ("belediye",),
    }.items()
    for name in (str(form), *known)
}

_DRAWN: Mapping[str, Callable[[Cells, date], Reading]] = {
    "own": _own,
    "national": _national,
    "foundations": _foundation,
    "statuses": _status,
    "municipalities": _municipality,
}
