"""Which columns a plan's file may have, recognised by their headings in any order.

Two ways of writing are known: a column `row` that says what each row is, or columns Amaç, Hedef, Gösterge and
Faaliyet with code and title in one cell, as municipalities print their plans. Headings are compared after Turkish
folding and without signs. Columns that are not known are never asked for, so that names of persons stay outside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.kernel.turkish import words
from services.petitions.domain.plan.model import EARLIEST_YEAR, LATEST_YEAR

ROWS, LEVELS_LAYOUT = "rows", "levels"
MOST_COLUMNS = 200

HEADINGS: dict[str, tuple[str, ...]] = {
    "row": ("row", "Satır", "Satır Türü", "Tür", "Düzey"),
    "code": ("code", "Kod", "Kodu"),
    "parent": ("parent", "Üst Kod", "Bağlı Olduğu Kod"),
    "title": ("title", "Başlık", "Ad", "Adı", "Tanım", "İfade"),
    "unit": ("unit", "Ölçü Birimi", "Birim"),
    "measure": ("measure", "Ölçüm", "Ölçüm Türü", "Ölçüm Şekli"),
    "direction": ("direction", "Yön", "Yönü"),
    "baseline": ("baseline", "Başlangıç", "Başlangıç Değeri", "Mevcut Durum"),
    "responsible": ("responsible", "Sorumlu Birim", "Sorumlu Müdürlük", "Harcama Birimi"),
    "years": ("years", "Yıllar", "Uygulama Yılları"),
    "total": ("total", "Toplam", "Toplam Bütçe", "Toplam Maliyet", "Tahmini Maliyet"),
    "year": ("year", "Yıl", "Rapor Yılı"),
    "value": ("value", "Değer", "Gerçekleşme", "Gerçekleşen Değer"),
    "spent": ("spent", "Harcama", "Harcanan", "Gerçekleşen Harcama"),
    "done": ("done", "Tamamlandı", "Gerçekleşti mi"),
}
"""Field → the headings under which it is known; the first is the one that we write."""

LEVEL_HEADINGS: dict[str, tuple[str, ...]] = {
    "goal": ("Amaç", "Stratejik Amaç", "goal"),
    "target": ("Hedef", "Stratejik Hedef", "target"),
    "indicator": ("Gösterge", "Performans Göstergesi", "indicator"),
    "activity": ("Faaliyet", "Faaliyet/Proje", "Faaliyet ve Proje", "activity"),
}

_YEAR = re.compile(r"20\d\d|2100")
_PLANNED = frozenset({"hedef", "hedefi", "hedeflenen", "deger", "degeri", "planlanan", "planned", "target", "value"})
_BUDGET = frozenset({"butce", "butcesi", "maliyet", "maliyeti", "odenek", "odenegi", "budget", "cost"})
_NEUTRAL = frozenset({"yil", "yili"})


@dataclass(frozen=True)
class Recognised:
    """A way of writing, the places of the columns that are taken, what each holds, and the headings left out.

    A column of a year holds `planned 2026`, `budget 2026` or, where its heading is the year alone, `any 2026`.
    """

    layout: str
    keep: tuple[int, ...]
    holds: tuple[str, ...]
    ignored: tuple[str, ...]

    def with_ignored(self, ignored: Sequence[str]) -> Recognised:
        """The same, of a file from which those columns were left out."""
        return replace(self, ignored=tuple(ignored))


def recognise(header: Sequence[str]) -> Recognised:
    """What the columns of a file hold. Raises Invalid for a file that is no plan, and for two columns that hold the same."""
    known = {_key(each): holds for holds, headings in HEADINGS.items() for each in headings}
    levels = {_key(each): holds for holds, headings in LEVEL_HEADINGS.items() for each in headings}
    keys = [_key(heading) for heading in header]
    in_rows = any(known.get(key) == "row" for key in keys) and any(known.get(key) == "code" for key in keys)
    in_levels = not in_rows and {"goal", "target"} <= {levels.get(key) for key in keys}
    if not in_rows and not in_levels:
        raise Invalid.field(
            "header",
            Sentence(
                "These are not the columns of a plan. Either the columns row and code are needed, or the columns "
                "Amaç and Hedef with Gösterge and Faaliyet. Known columns: {known}.",
                known=", ".join(headings[0] for headings in HEADINGS.values()),
            ),
        )
    if in_levels:
        known = {key: holds for key, holds in known.items() if holds not in ("row", "code", "parent", "title")} | levels
    places: dict[str, int] = {}
    for place, (heading, key) in enumerate(zip(header, keys, strict=True)):
        holds = known.get(key) or _of_a_year(heading)
        if holds is None:
            continue
        if holds in places:
            raise Invalid.field(
                "header",
                Sentence(
                    "The columns {first} and {second} hold the same. Leave one of them out.",
                    first=header[places[holds]].strip(),
                    second=heading.strip(),
                ),
            )
        places[holds] = place
    order = sorted((place, holds) for holds, place in places.items())
    taken = set(places.values())
    return Recognised(
        ROWS if in_rows else LEVELS_LAYOUT,
        tuple(place for place, _ in order),
        tuple(holds for _, holds in order),
        tuple(each.strip() for place, each in enumerate(header) if place not in taken and each.strip()),
    )


def _key(heading: str) -> str:
    return "".join(words(heading))


def _of_a_year(heading: str) -> str | None:
    said = words(heading)
    years = [word for word in said if _YEAR.fullmatch(word)]
    others = {word for word in said if word not in years} - _NEUTRAL
    if len(years) != 1 or not EARLIEST_YEAR <= int(years[0]) <= LATEST_YEAR:
        return None
    if not others:
        return f"any {years[0]}"
    if others <= _PLANNED:
        return f"planned {years[0]}"
    if others <= _BUDGET:
        return f"budget {years[0]}"
    return None
