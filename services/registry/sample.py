"""A made-up national list of associations, for tests and measurements.

As many rows as there are associations, spread over the provinces as they are, in the layout of the
national export. No name is one of a real organisation or person: places are words that do not
exist, and every column that holds persons in the export holds `PERSON`.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import TextIO

ROWS = 121_955
"""Associations in Türkiye on 29 May 2022."""
STATUSES = 362
"""Those among them with public-benefit status on that day."""
MOST_ROWS = 1_000_000

PERSON = "(KİŞİ ADI)"
"""Stands wherever the export names a person, so that a test can look for it everywhere else."""

COLUMNS = (
    "Ad", "Sayi", "Oran", "Plaka", "AnaNevisi", "telNo", "Mail", "WebSitesi", "FkSisKodPkNevi", "FKSisTeskilatPk",
    "SisKod", "KurumAd", "KurumAdres", "Sira", "BaskanAdSoyad", "FkSisCityInfoPk", "AltNevisString", "IsActive",
    "DtOlusturma", "DtDegistirme", "Olusturan", "Degistiren",
)  # fmt: skip
"""The national export's columns, in its order."""

STATUS_COLUMNS = (
    "registry_no", "kind", "decision_no", "decision_on", "gazette_no", "gazette_on", "valid_from", "valid_to",
)  # fmt: skip

_NUMBERS = 1_000_000
"""Registry numbers of a province: two groups of three digits."""
_AREA = {"06": "312", "16": "224", "34": "212", "35": "232", "41": "262"}

# Stems and endings make places that no map shows.
_STEMS = (
    "Abrık", "Ağnıl", "Balkıç", "Bızdık", "Cıvrık", "Cürmel", "Çavdıl", "Çıtrak", "Dıngıl", "Dölükçe", "Eğşil", "Evrinç",
    "Fıstıl", "Füreş", "Gıldır", "Göynüş", "Güğrüm", "Hıltar", "Höllük", "Ilpık", "Işkırt", "İğdinç", "İşmel", "Jıngıl",
    "Kıpçıl", "Köhnüş", "Kürtül", "Lıkırt", "Löngöz", "Mırıkça", "Müğren", "Nıkırt", "Nöğüt", "Oğrunç", "Ovşal", "Öğrekçe",
    "Ömbül", "Pıtrakça", "Pürşel", "Rımbıl", "Rüğen", "Sığrınç", "Süngül", "Şavkıl", "Şıpşık", "Şürgüç", "Tıngırt",
    "Tülşen", "Uğrunç", "Ulşur", "Üğrüm", "Ürküş", "Vıdıl", "Vüngel", "Yağşın", "Yüğnük", "Zıpkın", "Zülbeç",
)  # fmt: skip
_ENDINGS = (
    "ağılı", "bağı", "bendi", "beli", "bükü", "çalı", "çukuru", "deresi", "düzü", "eşiği", "gediği", "gözü", "höyüğü", "ini",
    "kavağı", "kıyısı", "koyağı", "kuyusu", "oluğu", "otağı", "öreni", "özü", "pınarı", "sırtı", "söğüdü", "suyu", "taşı",
    "tepesi", "ucu", "yakası", "yurdu",
)  # fmt: skip
_WHAT = ("", "", "", " Köyü", " Mahallesi", " Yöresi", " Vadisi", " Çarşısı", " Yaylası")
_FOR = (
    "", "", "", "", "", "", "Gençleri ", "Kadınları ", "Emeklileri ", "Gönüllüleri ", "Mezunları ", "Esnafı ", "Çiftçileri ",
    "Öğrencileri ",
)  # fmt: skip
_THEMES: tuple[tuple[str, str, str], ...] = (
    ("Kültür ve Dayanışma", "Kültür, sanat ve turizm", "Kültür"),
    ("Dayanışma ve Kültür", "Kültür, sanat ve turizm", "Kültür"),
    ("Güzelleştirme ve Yaşatma", "Toplumsal dayanışma", "Güzelleştirme"),
    ("Kalkındırma ve Güzelleştirme", "Toplumsal dayanışma", "Güzelleştirme"),
    ("Yardımlaşma ve Dayanışma", "Toplumsal dayanışma", "Yardımlaşma"),
    ("Sosyal Yardımlaşma", "Toplumsal dayanışma", "Yardımlaşma"),
    ("Çevre Koruma", "Çevre, doğal hayat, hayvanları koruma", "Çevre"),
    ("Doğa ve Çevre Eğitimi", "Çevre, doğal hayat, hayvanları koruma", "Çevre"),
    ("Ağaçlandırma ve Erozyonla Mücadele", "Çevre, doğal hayat, hayvanları koruma", "Orman"),
    ("Sokak Hayvanlarını Koruma", "Çevre, doğal hayat, hayvanları koruma", "Hayvanlar"),
    ("Kuş Gözlemi", "Çevre, doğal hayat, hayvanları koruma", "Hayvanlar"),
    ("Su ve Toprak Koruma", "Çevre, doğal hayat, hayvanları koruma", "Çevre"),
    ("Eğitime Destek", "Eğitim ve araştırma", "Eğitim"),
    ("Okuma Yazma", "Eğitim ve araştırma", "Eğitim"),
    ("Okul Aile İşbirliği", "Eğitim ve araştırma", "Eğitim"),
    ("Çocuk Kütüphaneleri", "Eğitim ve araştırma", "Kütüphane"),
    ("Bilim ve Teknoloji", "Eğitim ve araştırma", "Bilim"),
    ("Yazılım ve Bilişim", "Eğitim ve araştırma", "Bilişim"),
    ("Tarih ve Arkeoloji", "Eğitim ve araştırma", "Tarih"),
    ("Gökyüzü Gözlem", "Eğitim ve araştırma", "Bilim"),
    ("Spor Kulübü", "Spor ve sporla ilgili", "Spor"),
    ("Gençlik ve Spor Kulübü", "Spor ve sporla ilgili", "Spor"),
    ("Güreş ve Halter", "Spor ve sporla ilgili", "Spor"),
    ("Yürüyüş ve Dağcılık", "Spor ve sporla ilgili", "Dağcılık"),
    ("Bisiklet", "Spor ve sporla ilgili", "Bisiklet"),
    ("Satranç", "Spor ve sporla ilgili", "Satranç"),
    ("Avcılık ve Atıcılık", "Spor ve sporla ilgili", "Avcılık"),
    ("Engellilerle Dayanışma", "Engelliler", "Engelliler"),
    ("Görme Engelliler", "Engelliler", "Engelliler"),
    ("İşitme Engelliler", "Engelliler", "Engelliler"),
    ("Erişilebilir Yaşam", "Engelliler", "Erişilebilirlik"),
    ("Kadın Emeği ve Dayanışması", "Hak ve savunuculuk", "Kadın"),
    ("Çocuk Hakları", "Hak ve savunuculuk", "Çocuk"),
    ("Tüketici Hakları", "Hak ve savunuculuk", "Tüketici"),
    ("Hasta Hakları ve Sağlık", "Sağlık", "Sağlık"),
    ("Kan Bağışı", "Sağlık", "Sağlık"),
    ("Böbrek Hastaları", "Sağlık", "Sağlık"),
    ("Yaşlı Bakımı", "Yaşlı ve çocuklara yönelik", "Yaşlılar"),
    ("Çocuk Oyunları", "Yaşlı ve çocuklara yönelik", "Çocuk"),
    ("Arıcılık", "Gıda, tarım ve hayvancılık", "Arıcılık"),
    ("Fındık ve Çay Üreticileri", "Gıda, tarım ve hayvancılık", "Tarım"),
    ("Koyun ve Keçi Yetiştiricileri", "Gıda, tarım ve hayvancılık", "Hayvancılık"),
    ("Yerel Tohum", "Gıda, tarım ve hayvancılık", "Tarım"),
    ("Balıkçılık", "Gıda, tarım ve hayvancılık", "Su ürünleri"),
    ("Şoförler Yardımlaşma", "Mesleki ve dayanışma", "Meslek"),
    ("İşçi Emeklileri", "Mesleki ve dayanışma", "Emekliler"),
    ("Genç Girişimciler", "Mesleki ve dayanışma", "Girişimcilik"),
    ("Sanayi ve İş Dünyası", "Mesleki ve dayanışma", "İş dünyası"),
    ("Halk Oyunları", "Kültür, sanat ve turizm", "Sanat"),
    ("Türk Müziği Korosu", "Kültür, sanat ve turizm", "Müzik"),
    ("Bağlama ve Şiir", "Kültür, sanat ve turizm", "Müzik"),
    ("Tiyatro ve Kukla", "Kültür, sanat ve turizm", "Tiyatro"),
    ("Fotoğraf ve Sinema", "Kültür, sanat ve turizm", "Sinema"),
    ("Turizm Tanıtma", "Kültür, sanat ve turizm", "Turizm"),
    ("Çini ve Ebru Sanatı", "Kültür, sanat ve turizm", "El sanatları"),
    ("Cami Yaptırma ve Yaşatma", "Dini hizmetlerin gerçekleştirilmesine yönelik", "Cami"),
    ("Kuran Kursu Öğrencilerine Yardım", "Dini hizmetlerin gerçekleştirilmesine yönelik", "Kurs"),
    ("Arama Kurtarma", "İnsani yardım", "Afet"),
    ("Deprem Bilinci", "İnsani yardım", "Afet"),
    ("Gıda Bankacılığı", "İnsani yardım", "Yardım"),
    ("Kent Gönüllüleri", "İmar, şehircilik ve kalkındırma", "Kent"),
    ("Haritalama ve Açık Veri", "İmar, şehircilik ve kalkındırma", "Kent"),
    ("Site Yönetimi ve Komşuluk", "İmar, şehircilik ve kalkındırma", "Konut"),
)


@dataclass(frozen=True)
class Province:
    """A province with the associations that it has in the whole list."""

    code: str
    name: str
    associations: int
    districts: tuple[str, ...]


def shares(weights: Mapping[str, int], total: int) -> dict[str, int]:
    """`total` parted by `weights` into whole numbers: the largest remainders are rounded up."""
    whole = sum(weights.values())
    parts = {name: divmod(weight * total, whole) for name, weight in weights.items()}
    left = total - sum(part for part, _ in parts.values())
    upwards = set(sorted(parts, key=lambda name: (-parts[name][1], name))[:left])
    return {name: part + (name in upwards) for name, (part, _) in parts.items()}


@cache
def provinces() -> tuple[Province, ...]:
    """The provinces by their plate numbers.

    The numbers of nine are known; the others share the rest by population (TÜİK, address-based
    register of the end of 2022, rounded to thousands).
    """
    found = list(_table("provinces.csv"))
    known = {row["code"]: int(row["associations"]) for row in found if row["associations"]}
    weights = {row["code"]: int(row["population_2022"]) for row in found if row["code"] not in known}
    counts = known | shares(weights, ROWS - sum(known.values()))
    districts: dict[str, list[str]] = {}
    for row in _table("municipalities.csv"):
        districts.setdefault(row["province_code"], []).extend([row["district"]] if row["district"] else [])
    return tuple(
        Province(row["code"], row["province"], counts[row["code"]], tuple(districts[row["code"]]) or ("Merkez",))
        for row in found
    )


def _table(name: str) -> Iterator[dict[str, str]]:
    with resources.files("services.registry").joinpath("data", name).open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def counts(rows: int) -> dict[str, int]:
    """How many of `rows` associations each province has, by its plate number."""
    return shares({each.code: each.associations for each in provinces()}, rows)


def associations(rows: int = ROWS, seed: int = 1) -> Iterator[dict[str, str]]:
    """So many rows of the national export, province by province; the same for the same seed, with a registry number each.

    Takes no memory for the rows that have been given out.
    """
    spread = counts(rows)
    place = 0
    for province in provinces():
        chance = random.Random(f"{seed} {province.code}")  # noqa: S311 - the same each time is the point
        names = _names(chance)
        # A step that shares no factor with 1,000,000 meets every number once.
        step = chance.randrange(1, _NUMBERS, 2)
        step += 2 if step % 5 == 0 else 0
        number = chance.randrange(_NUMBERS)
        for _ in range(spread[province.code]):
            place += 1
            number = (number + step) % _NUMBERS
            yield _row(province, place, number, spread[province.code], rows, next(names), chance)


@dataclass(frozen=True)
class _Named:
    name: str
    place: str
    field: str
    part: str


def _names(chance: random.Random) -> Iterator[_Named]:
    """Names without end, most of them different, some almost the same as the one before."""
    before: _Named | None = None
    while True:
        if before is not None and chance.random() < 0.02:  # noqa: PLR2004 - near-duplicates, as every register has them
            before = _Named(_nearly(before.name, chance), before.place, before.field, before.part)
        else:
            place = chance.choice(_STEMS) + chance.choice(_ENDINGS)
            theme, main, part = chance.choice(_THEMES)
            name = f"{place}{chance.choice(_WHAT)} {chance.choice(_FOR)}{theme} {_ending(chance)}"
            before = _Named(name, place, main, part)
        yield before


def _ending(chance: random.Random) -> str:
    drawn = chance.random()
    if drawn < 0.97:  # noqa: PLR2004 - about the shares of the real list
        return "Derneği"
    return "Federasyonu" if drawn < 0.98 else f"Derneği {chance.choice(_STEMS)} Şubesi"  # noqa: PLR2004 - the same


def _nearly(name: str, chance: random.Random) -> str:
    words = name.split()
    kind = chance.randrange(3)
    if kind == 0 and " ve " in name:
        return name.replace(" ve ", " ", 1)
    if kind == 1:
        return " ".join([*words[:1], "Yeni", *words[1:]])
    return " ".join([words[0], *words[-3:-1][::-1], words[-1]])


def _row(
    province: Province, place: int, number: int, in_province: int, rows: int, named: _Named, chance: random.Random
) -> dict[str, str]:
    registry_no = f"{province.code}.{number // 1000:03}.{number % 1000:03}"
    address = f"dernek-{registry_no.replace('.', '-')}.example.org"
    begun = date(1961, 1, 1) + timedelta(days=chance.randrange(22_000))
    changed = date(2021, 5, 29) + timedelta(days=chance.randrange(365))
    street = f"{named.place} Mah. {chance.randrange(1, 400)}. Sk. No: {chance.randrange(1, 90)}"
    theme = sum(map(ord, named.part))
    cells = (
        province.name,
        str(in_province),
        f"{in_province * 100 / rows:.2f}".replace(".", ","),
        province.code,
        named.field,
        f"(0{_AREA.get(province.code, '4' + province.code)}) 000 {number // 100 % 100:02} {number % 100:02}"
        if chance.random() < 0.7  # noqa: PLR2004 - not every association gives a number
        else "",
        f"bilgi@{address}" if chance.random() < 0.5 else "",  # noqa: PLR2004 - the same
        f"https://{address}" if chance.random() < 0.2 else "",  # noqa: PLR2004 - the same
        str(1000 + theme % 90),
        str(500_000 + place),
        registry_no,
        named.name,
        f"{street}, {chance.choice(province.districts)}/{province.name}",
        str(place),
        PERSON,
        str(int(province.code)),
        named.part,
        "1" if chance.random() < 0.985 else "0",  # noqa: PLR2004 - few are not active
        f"{begun} 00:00:00",
        f"{changed} 00:00:00",
        PERSON,
        PERSON,
    )
    return dict(zip(COLUMNS, cells, strict=True))


def statuses_of(rows: int) -> int:
    """How many of so many associations have public-benefit status."""
    return max(1, round(rows * STATUSES / ROWS))


def write(out: TextIO, statuses: TextIO | None = None, rows: int = ROWS, seed: int = 1) -> None:
    """Write the list to `out` and the public-benefit statuses of some of them to `statuses`, both as CSV.

    `out` and `statuses` are open for text with `newline=""`. The list is the same with and without statuses.
    """
    listed = csv.writer(out)
    listed.writerow(COLUMNS)
    granted = None if statuses is None else csv.writer(statuses)
    if granted is not None:
        granted.writerow(STATUS_COLUMNS)
    chance = random.Random(f"{seed} statuses")  # noqa: S311 - the same each time is the point
    due = sorted(chance.sample(range(rows), statuses_of(rows)))
    waiting = 0
    for number, row in enumerate(associations(rows, seed)):
        listed.writerow(row.values())
        while due and due[0] <= number:
            due.pop(0)
            waiting += 1
        # Branches cannot hold the status, and one that is not active would not be on that list.
        if waiting and granted is not None and row["KurumAd"].endswith("Derneği") and row["IsActive"] == "1":
            waiting -= 1
            granted.writerow(_status(row["SisKod"], chance))


def _status(registry_no: str, chance: random.Random) -> tuple[str, ...]:
    decided = date(1975, 1, 1) + timedelta(days=chance.randrange(16_800))
    printed = decided + timedelta(days=chance.randrange(3, 40))
    return (
        registry_no,
        "public_benefit",
        f"{decided.year}/{chance.randrange(100, 9999)}",
        decided.isoformat(),
        str(15_100 + (printed - date(1975, 1, 1)).days),
        printed.isoformat(),
        printed.isoformat(),
        "",
    )
