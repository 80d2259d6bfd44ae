"""The open data: what the registry publishes of every organisation, as CSV (RFC 4180), JSON and a Data Package.

Institutions alone: addresses, telephone numbers, e-mail addresses and tax numbers are left out, since those of a
small association are often a person's (6698).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

from services.kernel.text import Label, guarded
from services.registry.domain.organisation import Facts
from services.registry.domain.province import NAMES
from services.registry.domain.status import Status
from services.registry.domain.vocabulary import Form, State, StatusKind

CSV_FILE = "organisations.csv"
JSON_FILE = "organisations.json"
PACKAGE_FILE = "datapackage.json"
MEDIA = {CSV_FILE: "text/csv", JSON_FILE: "application/json", PACKAGE_FILE: "application/json"}
LICENCE = {
    "name": "CC-BY-4.0",
    "path": "https://creativecommons.org/licenses/by/4.0/",
    "title": "Creative Commons Attribution 4.0",
}
KEPT = 7
"""So many publications are kept, the newest of them is served."""


@dataclass(frozen=True)
class Column:
    """One column as it is described to its readers; `one_of`: the values that it may have."""

    name: str
    kind: str
    title: Label
    about: Label
    one_of: Sequence[str] = ()
    required: bool = False


COLUMNS = (
    Column(
        "id",
        "string",
        Label(tr="Kimlik", en="Id"),
        Label(tr="Kuruluşun İmece'deki değişmez kimliği (UUID).", en="The organisation's lasting id in İmece (UUID)."),
        required=True,
    ),
    Column(
        "registry_no",
        "string",
        Label(tr="Kütük no", en="Registry number"),
        Label(tr="Kütük veya tescil numarası; bilinmiyorsa boş.", en="Registry number; empty where it is not known."),
    ),
    Column(
        "name",
        "string",
        Label(tr="Ad", en="Name"),
        Label(tr="Kuruluşun kayıtlı tam adı.", en="The full name as registered."),
        required=True,
    ),
    Column(
        "form",
        "string",
        Label(tr="Tür", en="Form"),
        Label(tr="Hukuki tür.", en="What the organisation is in law."),
        tuple(Form),
        required=True,
    ),
    Column(
        "state",
        "string",
        Label(tr="Durum", en="State"),
        Label(
            tr="active: faal; dissolved: sona ermiş; to_verify: doğrulanacak.",
            en="active; dissolved; to_verify: was in a list once and is not any more.",
        ),
        tuple(State),
        required=True,
    ),
    Column(
        "province_code",
        "string",
        Label(tr="İl kodu", en="Province code"),
        Label(tr="İlin plaka numarası, 01–81.", en="Plate number of the province, 01–81."),
        tuple(f"{number:02}" for number in range(1, len(NAMES) + 1)),
    ),
    Column("province", "string", Label(tr="İl", en="Province"), Label(tr="İlin adı.", en="Name of the province.")),
    Column("district", "string", Label(tr="İlçe", en="District"), Label(tr="İlçenin adı.", en="Name of the district.")),
    Column(
        "founded_on",
        "date",
        Label(tr="Kuruluş tarihi", en="Founded on"),
        Label(tr="Kuruluş günü (YYYY-AA-GG).", en="Day of foundation (YYYY-MM-DD)."),
    ),
    Column(
        "field",
        "string",
        Label(tr="Faaliyet alanı", en="Field of activity"),
        Label(tr="Kayıtlı faaliyet alanı.", en="Field of activity as registered."),
    ),
    Column(
        "public_benefit",
        "boolean",
        Label(tr="Kamu yararı", en="Public benefit"),
        Label(
            tr="Verinin gününde kamu yararına çalışan dernek statüsü (5253/27) var mı.",
            en="Whether the status of public benefit (5253/27) held on the day of the data.",
        ),
        required=True,
    ),
    Column(
        "tax_exempt",
        "boolean",
        Label(tr="Vergi muafiyeti", en="Tax exemption"),
        Label(
            tr="Verinin gününde vakfa tanınmış vergi muafiyeti (4962/20) var mı.",
            en="Whether the tax exemption of a foundation (4962/20) held on the day of the data.",
        ),
        required=True,
    ),
    Column(
        "status_since",
        "date",
        Label(tr="Statü başlangıcı", en="Status since"),
        Label(tr="Geçerli statünün başladığı gün; yoksa boş.", en="The day from which that status holds; else empty."),
    ),
    Column(
        "successors",
        "array",
        Label(tr="Halefler", en="Successors"),
        Label(
            tr="Birleşme veya bölünmede yerine geçen kuruluşların kimlikleri; CSV'de boşlukla ayrılır.",
            en="Ids of the organisations that took its place; in CSV with a space between them.",
        ),
    ),
)
LEFT_OUT = {
    "tax_no": Label(tr="Vergi no bir kişiyi gösterebilir.", en="A tax number may lead to a person."),
    "email": Label(tr="Çoğu kez bir kişinin adresidir.", en="Often the address of a person."),
    "phone": Label(tr="Çoğu kez bir kişinin numarasıdır.", en="Often the number of a person."),
    "address": Label(tr="Küçük derneklerde bir kişinin evi olabilir.", en="May be somebody's home."),
    "website": Label(tr="Bir kişinin sayfası olabilir.", en="May be a person's page."),
    "expertise": Label(tr="Serbest metin kişi adı taşıyabilir.", en="Free words may name persons."),
}
"""The recorded facts that are not published, and why."""


@dataclass(frozen=True)
class Entry:
    """An organisation with the statuses that are on record for it."""

    id: str
    facts: Facts
    statuses: Sequence[Status]
    successors: Sequence[str]


class File(Protocol):
    """What is written to."""

    def write(self, data: bytes, /) -> Any:
        """Take these bytes."""


class Breathe(Protocol):
    """How a long work lets others on."""

    def __call__(self) -> None:
        """Let others on."""


@dataclass(frozen=True)
class Made:
    """A file as it was kept: its SHA-256 and its size in bytes, and the same of its compressed twin."""

    sha256: str
    size: int
    gzip_sha256: str
    gzip_size: int


def published(entry: Entry, on: date) -> dict[str, Any]:
    """One organisation as it is published for the day `on`, in the order of COLUMNS."""
    facts = entry.facts
    held = {status.kind: status for status in entry.statuses if status.holds_on(on)}
    since = min((status.valid_from for status in held.values()), default=None)
    return {
        "id": entry.id,
        "registry_no": facts.registry_no,
        "name": facts.name,
        "form": str(facts.form),
        "state": str(facts.state),
        "province_code": facts.province_code,
        "province": facts.province_code and NAMES[int(facts.province_code) - 1],
        "district": facts.district,
        "founded_on": facts.founded_on and facts.founded_on.isoformat(),
        "field": facts.field,
        "public_benefit": StatusKind.PUBLIC_BENEFIT in held,
        "tax_exempt": StatusKind.TAX_EXEMPT in held,
        "status_since": since and since.isoformat(),
        "successors": list(entry.successors),
    }


def write(batches: Iterable[Sequence[Entry]], on: date, table: File, objects: File, breathe: Breathe) -> int:
    """Write every organisation as CSV and as JSON; memory holds one batch. Returns how many there were."""
    table.write(_lines([[column.name for column in COLUMNS]]))
    objects.write(b"[")
    count = 0
    for batch in batches:
        shown = [published(entry, on) for entry in batch]
        table.write(_lines([[cell(value) for value in each.values()] for each in shown]))
        for each in shown:
            text = json.dumps(each, ensure_ascii=False, separators=(",", ":"))
            objects.write(("\n" if count == 0 else ",\n").encode() + text.encode())
            count += 1
        breathe()
    objects.write(b"\n]\n")
    return count


def cell(value: Any) -> str:
    """A value as it stands in the CSV file.

    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(value)
    return guarded(str(value))


def package(made: Mapping[str, Made], rows: int, on: date, now: datetime) -> dict[str, Any]:
    """The description of both files (Frictionless Data Package), Turkish first, English beside it."""
    return {
        "profile": "tabular-data-package",
        "name": "imece-organisations",
        "title": "İmece kuruluş kütüğü",
        "title_en": "The İmece register of organisations",
        "description": "Belediyelerle iş birliği yapabilecek kuruluşlar; kişisel veri ve iletişim bilgisi içermez.",
        "description_en": "Organisations that municipalities may work with; no persons and no ways of contact.",
        "version": on.isoformat(),
        "created": now.isoformat(),
        "licenses": [LICENCE],
        "resources": [
            _resource(CSV_FILE, made[CSV_FILE], rows)
            | {
                "profile": "tabular-data-resource",
                "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True},
                "schema": _schema(in_csv=True),
            },
            _resource(JSON_FILE, made[JSON_FILE], rows)
            | {"profile": "tabular-data-resource", "schema": _schema(in_csv=False)},
        ],
    }


def _resource(name: str, made: Made, rows: int) -> dict[str, Any]:
    stem, _, ending = name.partition(".")
    return {
        "name": f"{stem}-{ending}",
        "path": name,
        "format": ending,
        "mediatype": MEDIA[name],
        "encoding": "utf-8",
        "bytes": made.size,
        "hash": f"sha256:{made.sha256}",
        "rows": rows,
    }


def _schema(*, in_csv: bool) -> dict[str, Any]:
    columns: Sequence[Column] = COLUMNS
    if in_csv:
        # A cell holds text; the list has a space between its items.
        columns = tuple(replace(each, kind="string") if each.kind == "array" else each for each in COLUMNS)
    return {"fields": [_field(column) for column in columns], "primaryKey": ["id"], "missingValues": [""]}


def _field(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": column.name,
        "type": column.kind,
        "title": column.title.tr,
        "title_en": column.title.en,
        "description": column.about.tr,
        "description_en": column.about.en,
    }
    if column.name == "id":
        described["format"] = "uuid"
    if column.kind == "boolean":
        described |= {"trueValues": ["true"], "falseValues": ["false"]}
    constraints: dict[str, Any] = {}
    if column.required:
        constraints["required"] = True
    if column.one_of:
        constraints["enum"] = [str(value) for value in column.one_of]
    return described | ({"constraints": constraints} if constraints else {})


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
