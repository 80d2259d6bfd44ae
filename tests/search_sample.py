"""Names of organisations that do not exist, and the ways in which people mistype them; the same for the same seed."""

from __future__ import annotations

import csv
import itertools
import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from sqlalchemy import Connection, insert

from services.kernel.turkish import collation_key, fold, words
from services.registry.adapters.search import folded_name, learn, settle
from services.registry.adapters.tables import ORGANISATIONS

COUNTRY = 121_955
FOUNDATIONS = 6_000
_AT_ONCE = 1_000


def _split(text: str) -> list[str]:
    return [word.replace("_", " ") for word in text.split()]


_FIRST = _split(
    """
    kara ak sarı kızıl yeşil gök boz taş su çay dere bağ elma kavak çam söğüt ardıç yayla ova köprü kale kuz gün ay yıldız
    demir altın gümüş koç kuş doğan turna ceylan oğuz türkmen şeyh hacı molla paşa bey emir sultan kadı hisar üç beş yedi kırk
    tek çift ulu büyük küçük yeni eski aşağı yukarı orta dağ kaya mağara bulak özlü tuz kum çöl gül lale nar üzüm ceviz
    """
)
_LAST = _split(
    """
    köy pınar tepe dere ören kışla hisar bağ su taş kaya yazı ova oluk göl burun yurt konak mezra çayır bük alan höyük kuyu
    geçit dağ oba lar lı lık ca cık oğlu ağıl saray viran başı altı üstü önü
    """
)
_SYLLABLES = _split(
    """
    bat bil cen çel der dur ek er fet gev han iz kan kes kor lin mar mut nur ok öz per rek sal sın şah şen tan tek tur uç üz
    var yal yol zan zor
    """
)
_THEMES = _split(
    """
    Kültür Yardımlaşma Dayanışma Kalkındırma Güzelleştirme Eğitim Spor Çevre Turizm Tanıtma Koruma Yaşatma Araştırma
    Geliştirme Sağlık Gençlik Kadın Engelli Hayvan_Hakları Doğa Sanat Müzik Tiyatro Folklor Edebiyat Tarih İnsan_Hakları
    Çocuk Yaşlı Göç Afet Tarım Arıcılık Avcılık Balıkçılık Motosiklet Bisiklet Satranç Dağcılık Yüzme Futbol Voleybol
    Basketbol Güreş Okçuluk Bilim Teknoloji Yazılım Girişimci İş_İnsanları Esnaf Öğretmen Emekli Mühendis Doktor Hemşire
    Kızılelma Harita Psikoloji Sosyal_Hizmet Kent Mimarlık Miras Sinema Fotoğraf Seramik Kitap Okuma Havacılık Denizcilik
    Yelken
    """
)
_CITIES = {"34": 60, "06": 30, "35": 18, "16": 12, "41": 12}
_GENERAL = {"dernegi", "vakfi", "ve", "koyu", "kulubu", "federasyonu", "platformu", "birligi"}


class Named(NamedTuple):
    """An organisation as far as finding it goes."""

    name: str
    form: str
    province_code: str
    registry_no: str

    @property
    def id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.registry_no))

    @property
    def standing(self) -> str:
        return "exempt" if self.id < "01" else "required"

    @property
    def name_key(self) -> str:
        return collation_key(self.name)

    @property
    def folded(self) -> str:
        return folded_name(self.name, "".join(words(self.registry_no)))


def sample(associations: int = COUNTRY, foundations: int = FOUNDATIONS, seed: int = 1) -> Iterator[Named]:
    """As many names; most of their words are as common or as rare as in the registry of the country."""
    dice = random.Random(seed)
    source = resources.files("services.registry").joinpath("data", "municipalities.csv")
    with source.open(encoding="utf-8") as lines:
        places = [(row["province_code"], row["district"] or row["province"]) for row in csv.DictReader(lines)]
    weights = list(itertools.accumulate(_CITIES.get(code, 5) for code, _ in places))
    for number in range(associations + foundations):
        code, place = dice.choices(places, cum_weights=weights)[0]
        named = _foundation if number >= associations else _association
        form = "foundation" if number >= associations else "association"
        yield Named(named(dice, place), form, code, f"{code}-{number // 1000:03d}-{number % 1000:03d}")


def _village(dice: random.Random) -> str:
    kind = dice.random()
    if kind < 0.45:
        word = dice.choice(_FIRST) + dice.choice(_LAST)
    elif kind < 0.75:
        word = dice.choice(_SYLLABLES) + dice.choice("aeıiuüoö") + dice.choice(_SYLLABLES)
    else:
        ending = dice.choice(["lı", "li", "lar", "ler", "cık", "köy", "an", "en", "in"])
        word = dice.choice(_SYLLABLES) + dice.choice(_SYLLABLES) + ending
    return ("İ" if word[0] == "i" else word[0].upper()) + word[1:]


def _association(dice: random.Random, place: str) -> str:
    village, other = _village(dice), _village(dice)
    one, two, three = (dice.choice(_THEMES) for _ in range(3))
    club = dice.choice([f"{place} {village}", village, f"{village} Gençlik ve", f"{place} {one} ve"])
    house = f"{place} {village}{dice.choice([' Mahallesi', ''])} {dice.choice(['Camii', 'Kuran Kursu', 'Cemevi'])}"
    purpose = dice.choice(["Yaptırma ve Yaşatma", "Yaptırma", "Koruma ve Yaşatma"])
    kinds = {
        f"{village} Köyü {one} ve {two} Derneği": 28,
        f"{club} Spor Kulübü Derneği": 18,
        f"{house} {purpose} Derneği": 14,
        f"{place} {one} {two} ve {three} Derneği": 15,
        f"{village}{dice.choice(['lılar', 'liler', 'spor', ''])} {one} ve {two} Derneği": 10,
        f"Türkiye {one} {two} {dice.choice(['Federasyonu', 'Derneği', 'Birliği Derneği'])}": 7,
        f"{village} {other} {one} {two} {dice.choice(['Platformu', 'Derneği', 'Derneği'])}": 8,
    }
    return dice.choices(list(kinds), list(kinds.values()))[0]


def _foundation(dice: random.Random, place: str) -> str:
    village, other = _village(dice), _village(dice)
    one, two = dice.choice(_THEMES), dice.choice(_THEMES)
    starts = [f"{village} {one}", f"{place} {one} ve {two}", f"{village} {other} {one} ve {two}"]
    return f"{dice.choice(starts)} Vakfı"


def store(connection: Connection, organisations: Sequence[Named], *, settled: bool = True) -> None:
    """Put them into the registry's table as an import would, with no more than finding needs."""
    for start in range(0, len(organisations), _AT_ONCE):
        rows = [
            {
                "id": each.id,
                "version": 1,
                "name": each.name,
                "form": each.form,
                "registry_no": each.registry_no,
                "province_code": each.province_code,
                "expertise": [],
                "state": "active",
                "folded": each.folded,
                "name_key": each.name_key,
                "standing_permission": each.standing,
            }
            for each in organisations[start : start + _AT_ONCE]
        ]
        connection.execute(insert(ORGANISATIONS), rows)
        learn(connection, (row["folded"] for row in rows))
    if settled:
        settle(connection)


# --- how people write


def without_dots(dice: random.Random, name: str) -> str:
    return fold(name)


def wrong_case(dice: random.Random, name: str) -> str:
    """As programs that know no Turkish change it, or the Caps Lock key does."""
    return dice.choice([name.upper(), name.lower(), name.swapcase(), name.title()])


def swapped(dice: random.Random, name: str) -> str:
    shuffled = name.split()
    dice.shuffle(shuffled)
    return " ".join(shuffled)


def one_typo(dice: random.Random, name: str) -> str:
    parts = name.split()
    long = [place for place, word in enumerate(parts) if len(word) >= 4 and word.isalpha()]
    place = dice.choice(long)
    parts[place] = _mistyped(dice, parts[place])
    return " ".join(parts)


def two_typos(dice: random.Random, name: str) -> str:
    return one_typo(dice, one_typo(dice, name))


def _mistyped(dice: random.Random, word: str) -> str:
    at = dice.randrange(len(word) - 1)
    kind = dice.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[: at + 1] + word[at:]
    return word[:at] + dice.choice("aeıioöuübcçdfgğhjklmnprsştvyz") + word[at + 1 :]


def remembered(dice: random.Random, name: str) -> str:
    """What is left of a name in somebody's mind: two or three of its own words, the beginning of one of them alone."""
    own = [word for word in name.split() if fold(word) not in _GENERAL] or name.split()
    places = sorted(dice.sample(range(len(own)), min(len(own), 3)))
    kept = [own[place] for place in places]
    kept[-1] = kept[-1][: max(4, len(kept[-1]) - 2)]
    return " ".join(kept)


def as_written(dice: random.Random, name: str) -> str:
    return name


WAYS: Mapping[str, Callable[[random.Random, str], str]] = {
    "as written": as_written,
    "dots dropped": without_dots,
    "wrong case": wrong_case,
    "words swapped": swapped,
    "one typo": one_typo,
    "two typos": two_typos,
    "half remembered": remembered,
}


def query_for(dice: random.Random, way: str, name: str) -> str:
    """A query for the name; every second one leaves out the word for its form, as people do."""
    own = [word for word in name.split() if fold(word) not in {"dernegi", "vakfi", "platformu", "federasyonu"}]
    meant = " ".join(own) if len(own) > 1 and dice.random() < 0.5 else name
    return WAYS[way](dice, meant)
