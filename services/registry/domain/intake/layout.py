"""Which columns a file may have: one row of a table for each, recognised by its heading in any order.

Headings are compared after Turkish folding and without signs: `E-posta`, `EPOSTA` and `e_posta` are the same.
Columns that are not in the table are never asked for; persons' names (BaskanAdSoyad, Olusturan, Degistiren)
are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.kernel.errors import Invalid
from services.kernel.text import Label, Sentence
from services.kernel.turkish import words


@dataclass(frozen=True)
class Column:
    """What a column holds, and the headings under which it is known; the first is the one that we write."""

    holds: str
    headings: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """One kind of file.

    `known_by`: of each group at least one field must be there. `draw`: the name of the rule in `reading.py`
    that makes our fields of this file's. `fixed`: what every row says without a column for it.
    `identified_by`: what holds rows and organisations together, in this order.
    """

    id: str
    kind: str
    label: Label
    columns: tuple[Column, ...]
    known_by: tuple[frozenset[str], ...]
    identified_by: tuple[str, ...]
    draw: str = "own"
    fixed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recognised:
    """A layout, with the places of the file's columns that are taken and the fields that they hold."""

    layout: Layout
    keep: tuple[int, ...]
    holds: tuple[str, ...]


_NUMBER_THEN_NAME = ("registry_no", "name, province and district")

_SAYS_SOMETHING = frozenset(
    {"name", "form", "province", "district", "founded_on", "field", "email", "phone", "website", "tax_no", "address"}
)

_REGISTRY_NO = Column("registry_no", ("registry_no", "Kütük No", "Kütük Numarası", "Sicil No", "Kayıt No"))
_NAME = Column("name", ("name", "Ad", "Adı", "Kuruluş Adı", "Kuruluşun Adı", "Unvan", "Ünvanı", "Unvanı"))
_PROVINCE = Column("province", ("province", "province_code", "İl", "İl Kodu", "Plaka", "Plaka Kodu"))
_DISTRICT = Column("district", ("district", "İlçe"))

LAYOUTS: tuple[Layout, ...] = (
    Layout(
        id="national_associations",
        kind="organisations",
        label=Label("Ulusal dernek sisteminin dökümü", "Export of the national association system"),
        # SisKod is read as the registry number (kütük no); the system's documentation was not to be had [U].
        # Ad, Sayi and Oran may belong to a table of provinces: Ad is read only where KurumAd says nothing.
        columns=(
            Column("registry_no", ("SisKod",)),
            Column("name", ("KurumAd",)),
            Column("other_name", ("Ad",)),
            Column("province", ("Plaka",)),
            Column("field", ("AltNevisString",)),
            Column("other_field", ("AnaNevisi",)),
            Column("phone", ("telNo",)),
            Column("email", ("Mail",)),
            Column("website", ("WebSitesi",)),
            Column("address", ("KurumAdres",)),
            # What false means is not documented [U]: the organisation is to be verified.
            Column("is_active", ("IsActive",)),
        ),
        known_by=(frozenset({"registry_no"}), frozenset({"province"}), frozenset({"name", "other_name"})),
        identified_by=_NUMBER_THEN_NAME,
        draw="national",
    ),
    Layout(
        id="foundations",
        kind="organisations",
        label=Label("Vakıflar listesi", "Export of the foundations"),
        columns=(
            Column("name", ("Ad",)),
            Column("address", ("Adres",)),
            Column("province_and_district", ("Il / Ilce",)),
            Column("phone_and_fax", ("Tel / Faks",)),
        ),
        known_by=(frozenset({"name"}), frozenset({"province_and_district"})),
        identified_by=("name, province and district",),
        draw="foundations",
        fixed={"form": "foundation"},
    ),
    Layout(
        id="organisations",
        kind="organisations",
        label=Label("Kuruluşlar, kendi sütunlarımızla", "Organisations, in our own columns"),
        columns=(
            _REGISTRY_NO,
            _NAME,
            Column("form", ("form", "Tür", "Türü", "Kuruluş Türü")),
            _PROVINCE,
            _DISTRICT,
            Column("founded_on", ("founded_on", "Kuruluş Tarihi")),
            Column("field", ("field", "Faaliyet Alanı", "Alan", "Alanı")),
            Column("email", ("email", "E-posta", "E-posta Adresi", "E-mail", "Mail")),
            Column("phone", ("phone", "Telefon", "Tel", "Telefon No", "Telefon Numarası")),
            Column("website", ("website", "Web Sitesi", "İnternet Sitesi", "İnternet Adresi", "Web")),
            Column("tax_no", ("tax_no", "Vergi No", "Vergi Numarası", "Vergi Kimlik No", "VKN")),
            Column("address", ("address", "Adres", "Adresi")),
        ),
        known_by=(frozenset({"registry_no", "name"}), frozenset({"registry_no", "form"}), _SAYS_SOMETHING),
        identified_by=_NUMBER_THEN_NAME,
    ),
    Layout(
        id="statuses",
        kind="statuses",
        label=Label("Kamu yararı ve vergi muafiyeti", "Public benefit and tax exemption"),
        columns=(
            _REGISTRY_NO,
            _NAME,
            _PROVINCE,
            _DISTRICT,
            Column("kind", ("kind", "Statü", "Tür", "Türü")),
            Column("decision_no", ("decision_no", "Karar No", "Karar Sayısı", "Karar Numarası")),
            Column("decision_on", ("decision_on", "Karar Tarihi")),
            Column("gazette_no", ("gazette_no", "Resmî Gazete No", "Resmî Gazete Sayısı", "RG No", "RG Sayısı")),
            Column("gazette_on", ("gazette_on", "Resmî Gazete Tarihi", "RG Tarihi")),
            Column("valid_from", ("valid_from", "Başlangıç", "Başlangıç Tarihi", "Geçerlilik Başlangıcı")),
            Column("valid_to", ("valid_to", "Bitiş", "Bitiş Tarihi", "Geçerlilik Sonu")),
        ),
        known_by=(frozenset({"registry_no", "name"}), frozenset({"kind"})),
        identified_by=("organisation, kind and decision_no or valid_from",),
        draw="statuses",
    ),
    Layout(
        id="municipalities",
        kind="municipalities",
        label=Label("Belediyeler", "Municipalities"),
        columns=(
            Column("code", ("code", "Kod", "Belediye Kodu")),
            Column("name", ("name", "Ad", "Adı", "Belediye", "Belediye Adı")),
            Column("kind", ("kind", "Tür", "Türü", "Belediye Türü")),
            # The plate number and the name say the same; one of them is enough.
            Column("province_code", ("province_code", "Plaka", "İl Kodu", "Plaka Kodu")),
            Column("province", ("province", "İl", "İl Adı")),
            _DISTRICT,
            Column("civil_authority_code", ("civil_authority_code", "Mülki İdare Kodu")),
            Column("civil_authority_kind", ("civil_authority_kind", "Mülki İdare Türü")),
            Column("civil_authority", ("civil_authority", "Mülki İdare", "Mülki İdare Amirliği")),
            Column("full_membership", ("full_membership", "Üye Tam Sayısı", "Meclis Üye Sayısı")),
        ),
        known_by=(frozenset({"code"}),),
        identified_by=("code",),
        draw="municipalities",
    ),
)
"""The layouts in the order in which they are tried: the exports of the field before our own columns."""

_BY_ID = {layout.id: layout for layout in LAYOUTS}


def layout_called(name: str) -> Layout:
    """The layout with that id."""
    return _BY_ID[name]


def heading_key(heading: str) -> str:
    """A heading as it is compared."""
    return "".join(words(heading))


def recognise(kind: str, header: Sequence[str]) -> Recognised:
    """The first layout of `kind` that the header fits.

    Raises Invalid, which says what is missing to the layout that comes nearest, and for a field that two
    columns hold.
    """
    known = [layout for layout in LAYOUTS if layout.kind == kind]
    found = [(layout, _places(layout, header)) for layout in known]
    for layout, places in found:
        if not _missing(layout, places):
            _refuse_better(kind, len(places), header)
            doubled = [holds for holds, at in places.items() if len(at) > 1]
            if doubled:
                raise Invalid.field("header", _twice(header, places[doubled[0]]))
            order = sorted((at[0], holds) for holds, at in places.items())
            return Recognised(layout, tuple(at for at, _ in order), tuple(holds for _, holds in order))
    nearest, places = max(found, key=lambda each: len(each[1]))
    raise Invalid.field(
        "header",
        Sentence(
            "The columns of this file are not known. The nearest is the layout {layout}, which also needs: {missing}. "
            "Known layouts: {layouts}.",
            layout=nearest.id,
            missing="; ".join(_missing(nearest, places)),
            layouts=", ".join(f"{layout.id} ({_headings(layout)})" for layout in known),
        ),
    )


def _refuse_better(kind: str, fitting: int, header: Sequence[str]) -> None:
    """A file of another kind that is taken for this one would make everything else of its source vanish."""
    for layout in LAYOUTS:
        places = _places(layout, header)
        if layout.kind != kind and len(places) > fitting and not _missing(layout, places):
            raise Invalid.field(
                "kind", Sentence("These are the columns of another kind of file: {layout}.", layout=layout.id)
            )


def _places(layout: Layout, header: Sequence[str]) -> dict[str, list[int]]:
    known = {heading_key(heading): column.holds for column in layout.columns for heading in column.headings}
    places: dict[str, list[int]] = {}
    for place, heading in enumerate(header):
        holds = known.get(heading_key(heading))
        if holds is not None:
            places.setdefault(holds, []).append(place)
    return places


def _missing(layout: Layout, places: Mapping[str, Any]) -> list[str]:
    first = {column.holds: column.headings[0] for column in layout.columns}
    return [
        " / ".join(first[holds] for holds in first if holds in group)
        for group in layout.known_by
        if not group.intersection(places)
    ]


def _headings(layout: Layout) -> str:
    return ", ".join(column.headings[0] for column in layout.columns)


def _twice(header: Sequence[str], at: Sequence[int]) -> Sentence:
    return Sentence(
        "The columns {first} and {second} hold the same. Leave one of them out.",
        first=header[at[0]].strip(),
        second=header[at[1]].strip(),
    )
