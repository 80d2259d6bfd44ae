"""Which unit a petition's words speak for."""

from __future__ import annotations

import pytest

from services.petitions.domain.routing import Unit, suggest

PARKS = Unit("1", "34-35", "Park ve Bahçeler", ("park", "ağaç budama", "çocuk oyun alanı"))
ROADS = Unit("2", "34-35", "Fen İşleri", ("asfalt", "kaldırım", "yol"))
CLOSED = Unit("3", "34-35", "Kapanan Birim", ("park", "asfalt", "kaldırım", "rampa"), active=False)


@pytest.mark.parametrize(
    ("text", "unit", "topics"),
    [
        ("PARKIMIZDAKİ banklar kırık", PARKS, ("park",)),
        ("Kaldırımlar ve asfalt bozuk, park yeri yok", ROADS, ("asfalt", "kaldırım")),
        ("agac budamasi istiyoruz", PARKS, ("ağaç budama",)),
        ("Çocuk ve oyun yok, alanı var", PARKS, ("çocuk oyun alanı",)),
        ("Ağaç dikilsin", None, ()),
        ("Su kesintisi", None, ()),
        ("", None, ()),
    ],
)
def test_the_unit_most_of_whose_topics_are_named_is_suggested(
    text: str, unit: Unit | None, topics: tuple[str, ...]
) -> None:
    found = suggest([CLOSED, PARKS, ROADS], text)
    assert unit == (found and found.unit)
    assert topics == (found.topics if found else ())


def test_equal_units_go_by_name_whatever_their_order() -> None:
    one, two = Unit("1", "34-35", "A", ("park",)), Unit("2", "34-35", "B", ("park",))
    for units in ([one, two], [two, one]):
        found = suggest(units, "park")
        assert found is not None
        assert one == found.unit


def test_a_short_topic_is_a_whole_word() -> None:
    water = Unit("1", "34-35", "Su", ("su",))
    assert None is suggest([water], "sunum ve sulama")
    assert None is not suggest([water], "Su kesildi")
