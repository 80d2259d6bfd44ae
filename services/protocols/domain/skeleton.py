"""The first text of a protocol that comes from an accepted proposal: the sections a joint service project needs.

What is known is filled in; what the parties must still agree on stands as a line of dots with a
hint. The text is Turkish, as the signed protocol is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

_BLANK = "……"

_PERMISSION: Mapping[str, str] = {
    "required": (
        "Bu protokol, 5393 sayılı Kanun’un 75. maddesinin (c) bendi uyarınca mahallin en büyük mülki idare amirinin "
        "izni alınmadan ve meclis kararı mülki idare amirine gönderilmeden yürürlüğe girmez."
    ),
    "exempt": (
        "Kuruluşun 5393 sayılı Kanun’un 75. maddesinin (c) bendi kapsamındaki durumu belgelenmiştir; protokol, meclis "
        "kararı mülki idare amirine gönderilmeden yürürlüğe girmez."
    ),
}
_OTHERWISE = "Bu protokol, meclis kararı mülki idare amirine gönderilmeden yürürlüğe girmez."


@dataclass(frozen=True)
class Known:
    """What an accepted proposal says of the protocol to be drafted."""

    title: str
    subject: str
    municipal_duty: str
    starts_on: date
    term_months: int
    municipality: str
    organisation: str
    registry_no: str | None
    permission: str
    proposal: str


def skeleton(known: Known) -> str:
    """The draft's first text, section by section (the usual contents of such protocols; 5393/14, 38-g, 60-m, 75-c)."""
    registered = f" (kütük no {known.registry_no})" if known.registry_no else ""
    sections = (
        (
            "TARAFLAR",
            (
                f"{known.municipality} (bundan sonra “Belediye”), adres: {_BLANK}; temsilen Belediye Başkanı.\n"
                f"{known.organisation}{registered} (bundan sonra “Kuruluş”), adres: {_BLANK}; temsilen yetki belgesi "
                f"{_BLANK} tarihli yetkilisi."
            ),
        ),
        ("KONU", known.subject),
        ("AMAÇ", f"Belediyenin şu görevinin yerine getirilmesi: {known.municipal_duty}"),
        ("KAPSAM", f"Yer: {_BLANK}. Yararlananlar: {_BLANK}."),
        (
            "DAYANAK",
            (
                "5393 sayılı Belediye Kanunu’nun 14., 38/g, 60/m ve 75/c maddeleri; "
                f"{_BLANK} tarihli ve {_BLANK} sayılı meclis kararı; {known.proposal} sayılı iş birliği önerisi."
            ),
        ),
        ("YÜKÜMLÜLÜKLER", f"Belediye: {_BLANK} (tarihleriyle).\nKuruluş: {_BLANK} (tarihleriyle)."),
        (
            "MALİ HÜKÜMLER",
            (
                "Yalnız ortak projenin giderleri karşılanır; Kuruluşa nakit aktarılmaz. "
                f"Bütçe tertibi: {_BLANK}. Alınan malların mülkiyeti: {_BLANK}."
            ),
        ),
        (
            "VERİ KORUMA",
            "Taraflar kişisel verileri 6698 sayılı Kanun’a uygun ve yalnız bu protokolün amacı için işler.",
        ),
        ("FİKRÎ HAKLAR", f"Ortaya çıkan eserlerin hakları: {_BLANK}."),
        ("İLETİŞİM", f"Belediye: {_BLANK} ve vekili {_BLANK}. Kuruluş: {_BLANK} ve vekili {_BLANK}."),
        ("İZLEME VE RAPORLAMA", f"Taraflar {_BLANK} ayda bir ortak rapor hazırlar."),
        (
            "SÜRE",
            (
                f"Protokol {known.starts_on:%d.%m.%Y} gününden önce olmamak üzere yürürlüğe girdiği gün başlar ve "
                f"{known.term_months} ay sürer. Kendiliğinden yenilenmez."
            ),
        ),
        ("DEĞİŞİKLİK", "Bedel, süre, kapsam ve taraf değişiklikleri bu protokolün izlediği yolu yeniden izler."),
        ("FESİH", f"Taraflar {_BLANK} gün önce yazılı bildirimle feshedebilir."),
        ("MÜCBİR SEBEP", "Mücbir sebep süresince yükümlülükler askıya alınır; taraflar birbirine gecikmeden bildirir."),
        ("TEBLİGAT", "Bildirimler yukarıdaki adreslere, 7201 sayılı Kanun uyarınca yapılır."),
        ("UYUŞMAZLIK", f"Uyuşmazlıkta {_BLANK} yetkilidir."),
        ("YÜRÜRLÜK", _PERMISSION.get(known.permission, _OTHERWISE)),
        ("İMZA", f"Bu protokol {_BLANK} nüsha düzenlenmiş ve {_BLANK} tarihinde imzalanmıştır."),
    )
    body = "\n\n".join(f"{number}. {title}\n{text}" for number, (title, text) in enumerate(sections, 1))
    return f"{known.title}\n\nİŞ BİRLİĞİ PROTOKOLÜ (TASLAK)\n\n{body}\n"
