"""The made-up national list: the real spread, no number twice, the same for the same seed, no persons."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.turkish import words
from services.registry import sample
from services.registry.domain.field import REGISTRY_NO
from services.registry.domain.province import NAMES

KNOWN = {
    "34": 23_460, "06": 10_659, "35": 5_613, "16": 4_330, "41": 3_294, "75": 113, "62": 119, "69": 143, "30": 163,
}  # fmt: skip
SMALL = 3_000


def written(rows: int, seed: int = 1) -> tuple[str, str]:
    out, statuses = io.StringIO(), io.StringIO()
    sample.write(out, statuses, rows, seed)
    return out.getvalue(), statuses.getvalue()


def test_the_whole_list_has_the_real_spread() -> None:
    spread = sample.counts(sample.ROWS)
    assert 121_955 == sum(spread.values())
    assert KNOWN == {code: spread[code] for code in KNOWN}
    assert [f"{number:02}" for number in range(1, 82)] == list(spread)
    others = {code: count for code, count in spread.items() if code not in KNOWN}
    people = {row["code"]: int(row["population_2022"]) for row in sample._table("provinces.csv")}  # noqa: SLF001 - the source
    rate = sum(others.values()) / sum(people[code] for code in others)
    assert all(abs(count - people[code] * rate) < 1 for code, count in others.items())


def test_the_provinces_are_those_of_the_registry() -> None:
    assert list(NAMES) == [province.name for province in sample.provinces()]


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 10**6), min_size=1, max_size=20), st.integers(0, 10**5))
def test_shares_add_up_and_miss_their_weight_by_less_than_one(weights: dict[str, int], total: int) -> None:
    parts = sample.shares(weights, total)
    assert total == sum(parts.values())
    assert all(abs(part - weights[name] * total / sum(weights.values())) < 1 for name, part in parts.items())


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(SMALL)[0])))


def test_every_row_has_a_registry_number_of_its_province_and_its_own(rows: list[dict[str, str]]) -> None:
    assert SMALL == len({row["SisKod"] for row in rows})
    assert all(REGISTRY_NO.fullmatch(row["SisKod"]) and row["SisKod"][:2] == row["Plaka"] for row in rows)
    assert sample.counts(SMALL) == Counter(row["Plaka"] for row in rows)


def test_no_number_comes_twice_however_many_a_province_has() -> None:
    numbers = [row["SisKod"] for row in sample.associations(60_000, seed=7)]
    assert len(numbers) == len(set(numbers))


def test_names_are_many_and_hold_every_turkish_letter(rows: list[dict[str, str]]) -> None:
    assert len({row["KurumAd"] for row in rows}) > 0.95 * SMALL
    letters = set("".join(row["KurumAd"] for row in rows))
    assert set("çğıöşüÇÖŞÜİI") <= letters
    assert len({word for row in rows for word in words(row["KurumAd"])}) > 1_000


def test_some_names_are_almost_the_same(rows: list[dict[str, str]]) -> None:
    alike = Counter((row["Plaka"], frozenset(words(row["KurumAd"])) - {"yeni", "ve"}) for row in rows)
    assert SMALL * 0.002 < sum(count > 1 for count in alike.values()) < SMALL * 0.05


def test_the_columns_of_persons_hold_the_placeholder_and_nothing_else_does(rows: list[dict[str, str]]) -> None:
    persons = ("BaskanAdSoyad", "Olusturan", "Degistiren")
    for row in rows:
        assert {name for name, cell in row.items() if sample.PERSON in cell} == set(persons)
        assert {sample.PERSON} == {row[name] for name in persons}


def test_most_are_active(rows: list[dict[str, str]]) -> None:
    assert 0.97 * SMALL < sum(row["IsActive"] == "1" for row in rows) < SMALL


def test_the_same_seed_gives_the_same_files_and_another_gives_others() -> None:
    assert written(500) == written(500)
    assert written(500)[0] != written(500, seed=2)[0]
    assert written(500)[1] != written(500, seed=2)[1]


def test_the_list_does_not_depend_on_whether_statuses_are_written() -> None:
    out = io.StringIO()
    sample.write(out, None, 500, 1)
    assert written(500)[0] == out.getvalue()


def test_there_are_362_public_benefit_statuses_of_associations_in_the_whole_list() -> None:
    assert 362 == sample.statuses_of(sample.ROWS)
    listed, statuses = written(20_000)
    names = {row["SisKod"]: row["KurumAd"] for row in csv.DictReader(io.StringIO(listed))}
    granted = list(csv.DictReader(io.StringIO(statuses)))
    assert sample.statuses_of(20_000) == 59 == len({row["registry_no"] for row in granted})
    assert {"public_benefit"} == {row["kind"] for row in granted}
    assert all(names[row["registry_no"]].endswith("Derneği") for row in granted)
    assert all(row["decision_on"] < row["gazette_on"] == row["valid_from"] for row in granted)


def test_rows_that_were_given_out_take_no_memory() -> None:
    sample.provinces()
    tracemalloc.start()
    assert 4_000 == sum(1 for _ in sample.associations(4_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000
