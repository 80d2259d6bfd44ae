"""A strategic plan is read from a table as it is meant or not at all, and what does not fit is warned of."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.petitions import TYPES
from services.contracts.plan import PETITION_STAGES, PLAN_LEVELS, PLAN_RULES
from services.kernel.errors import Invalid
from services.kernel.text import guarded, unguarded
from services.petitions.domain.petitioner import TYPES as PETITIONERS
from services.petitions.domain.plan.cell import ROW_KINDS, Wrong, code_of, number_of, years_of
from services.petitions.domain.plan.check import RULES, warnings
from services.petitions.domain.plan.difference import Outcome, differences
from services.petitions.domain.plan.layout import recognise
from services.petitions.domain.plan.model import Direction, Figure, Item, Kind, Level, Measure, Plan
from services.petitions.domain.plan.proposal import STAKEHOLDERS
from services.petitions.domain.plan.reading import MOST_ROWS, Reading, read_plan
from services.petitions.domain.plan.writing import dump
from services.petitions.domain.procedure import STAGES
from services.runtime.language import say
from services.runtime.sheet import open_sheet

SAMPLE = resources.files("services.petitions").joinpath("data/sample_plan.csv").read_bytes()


def read(data: str | bytes) -> Reading:
    """A file as the door and the service read it together."""
    with open_sheet(io.BytesIO(data.encode() if isinstance(data, str) else data)) as sheet:
        columns = recognise(sheet.header)
        return read_plan(columns, [(number, cells) for number, cells in sheet.rows(columns.keep)])  # type: ignore[misc]


def plan(*items: Item, first: int = 2025, last: int = 2029) -> Plan:
    return Plan(title="Plan", first_year=first, last_year=last, items=items)


def problems(data: str) -> list[tuple[int | None, str, str]]:
    return [(each.row, each.field, say(each.message, "en")) for each in read(data).problems]


def found(*items: Item, figures: tuple[Figure, ...] = ()) -> list[tuple[str, str, int | None]]:
    return [(each.rule, each.code, each.year) for each in warnings(plan(*items), figures)]


def indicator(measure: Measure | None = Measure.ANNUAL, **more: Any) -> Item:
    return Item(level=Level.INDICATOR, code="PG1.1.1", title="Gösterge", parent="H1.1", measure=measure, **more)


def activity(**more: Any) -> Item:
    return Item(level=Level.ACTIVITY, code="F1.1.1", title="Faaliyet", parent="H1.1", **more)


def by_year(*values: int, first: int = 2025) -> Mapping[int, Decimal]:
    return {first + place: Decimal(value) for place, value in enumerate(values)}


GOAL = Item(level=Level.GOAL, code="A1", title="Amaç")
TARGET = Item(level=Level.TARGET, code="H1.1", title="Hedef", parent="A1")


# reading


def test_the_sample_is_read_whole_and_warned_of_as_its_page_says() -> None:
    reading = read(SAMPLE)
    assert ([], 22) == (reading.problems, reading.rows)
    assert [2, 3, 5, 5] == [sum(item.level is level for item in reading.items) for level in Level]
    assert [
        ("missing_measure", "PG2.1.1", None),
        ("annual_looks_cumulative", "PG2.1.2", None),
        ("done_without_budget", "F2.1.2", 2025),
        ("programme_differs", "PG1.1.1", 2026),
    ] == found(*reading.items, figures=tuple(reading.figures))


def test_a_plan_is_also_read_as_municipalities_print_it() -> None:
    printed = (
        "Amaç;Hedef;Performans Göstergesi;Faaliyet;Birim;Ölçüm;Sorumlu Birim;2025 Hedefi;2026 Hedefi;2025 Bütçesi\n"
        "A1. Herkesin kenti;;;;;;;;;\n"
        ";H1.1 - Katılım;;;;;;;;\n"
        "A1. Herkesin kenti;H1.1;PG1.1.1: Toplantı sayısı;;adet;yıllık;;4;6;\n"
        ";;;F1.1.1 Mahalle toplantıları;;;Yazı İşleri Müdürlüğü;;;1.250.000,50 TL\n"
    )
    reading = read(printed)
    assert [] == reading.problems
    assert [
        Item(level=Level.GOAL, code="A1", title="Herkesin kenti"),
        Item(level=Level.TARGET, code="H1.1", title="Katılım", parent="A1"),
        Item(
            level=Level.INDICATOR, code="PG1.1.1", title="Toplantı sayısı", parent="H1.1", unit="adet",
            measure=Measure.ANNUAL, planned={2025: Decimal(4), 2026: Decimal(6)},
        ),
        Item(
            level=Level.ACTIVITY, code="F1.1.1", title="Mahalle toplantıları", parent="H1.1",
            responsible="Yazı İşleri Müdürlüğü", budget={2025: Decimal("1250000.5")},
        ),
    ] == reading.items  # fmt: skip


def test_every_problem_is_said_with_its_row_and_the_others_are_read() -> None:
    assert [
        (3, "row", f"Choose one of: {ROW_KINDS.shown}."),
        (4, "code", "This is not a code; it looks like A1, H1.1, PG1.1.1 or F1.1.1."),
        (5, "code", "A1 stands in the file twice."),
        (
            6,
            "measure",
            "Choose one of: annual, yıllık, cumulative, kümülatif.",
        ),
        (6, "2025", "1.250 can be read in two ways. Write 1250, or 1.2500 if decimals are meant."),
        (7, "title", "Fill this in."),
        (8, "year", "Fill this in."),
        (9, "measure", "A row of the kind “Activity” has nothing in this column."),
        (9, "parent", "F9.9.9 belongs to nothing: there is no “Target” 9.9."),
    ] == problems(
        "row;code;title;measure;2025;year;value\n"
        "goal;A1;Amaç;;;;\n"
        "dream;A2;Düş;;;;\n"
        "goal;first;Amaç;;;;\n"
        "goal;a 1.;Amaç;;;;\n"
        "indicator;PG1.1.1;Gösterge;sometimes;1.250;;\n"
        "target;H1.1;;;;;\n"
        "report;PG1.1.1;;;;;5\n"
        "activity;F9.9.9;Faaliyet;annual;;;\n"
    )


def test_what_could_be_meant_in_two_ways_must_be_said() -> None:
    twins = "row;code;title;2025;2025 Hedefi\ngoal;A1;x;;\ngoal;SA1;x;;\ntarget;H1.1;x;;\nindicator;PG1.1.1;x;3;4\n"
    assert [(5, "planned 2025"), (4, "parent")] == [(row, field) for row, field, _ in problems(twins)]
    said = "row;code;title;parent\ngoal;A1;x;\ngoal;SA1;x;\ntarget;H1.1;x;SA1\n"
    assert [] == problems(said)


def test_columns_that_are_not_known_are_left_out_and_named() -> None:
    columns = recognise(["Satır", "Kod", "Sorumlu Kişi", "2026", "Not"])
    assert ((0, 1, 3), ("row", "code", "any 2026"), ("Sorumlu Kişi", "Not")) == (
        columns.keep,
        columns.holds,
        columns.ignored,
    )
    for header in (["Ad", "Telefon"], ["row", "code", "Kod"], ["Amaç", "Gösterge"]):
        with pytest.raises(Invalid):
            recognise(header)


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    columns = recognise(["row", "code", "title"])
    reading = read_plan(columns, ((number, ["goal", f"A{number}", "x"]) for number in range(1, 10**9)))
    assert MOST_ROWS + 1 == reading.rows
    assert "file" == reading.problems[-1].field


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1250", "1250"), ("1250,50", "1250.5"), ("1250.5", "1250.5"), ("1.250.000", "1250000"), ("0,125", "0.125"),
        ("1.250.000,75", "1250000.75"), ("1,250,000.75", "1250000.75"), ("-3", "-3"), ("1 250 000", "1250000"),
        ("1.250,5", "1250.5"), ("007", "7"), ("-0", "0"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written_in_turkiye(cell: str, value: str) -> None:
    assert Decimal(value) == number_of(cell)


@pytest.mark.parametrize(
    "cell", ["1.250", "1,250", "12.500", "%45", "1.25.000", "1e5", "1,2,3", "on", "", "١٢", "9" * 14]
)
def test_what_is_no_number_or_two_is_not_guessed(cell: str) -> None:
    with pytest.raises(Wrong):
        number_of(cell)


def test_codes_and_years_are_read_kindly() -> None:
    assert ["PG1.1.1", "İH2", "F1.1"] == [code_of(cell) for cell in (" pg 1.1.1. ", "iH2", "f1.1")]
    assert [(2025, 2026, 2027), (2025, 2027), (2026,)] == [
        years_of(cell) for cell in ("2025–2027", "2027, 2025", "2026")
    ]
    with pytest.raises(Wrong):
        years_of("2027-2025")


# properties

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30).map(
    lambda text: " ".join(unicodedata.normalize("NFC", text).split())
)
TITLES = TEXT.filter(bool)
MAYBE = st.none() | TITLES
NUMBERS = st.decimals(-(10**9), 10**9, places=4).map(lambda each: each.normalize() + 0 if each else Decimal(0))
MONEY = st.decimals(0, 10**11, places=2).map(lambda each: each.normalize() + 0 if each else Decimal(0))
YEARS = st.integers(2025, 2029)


@st.composite
def plans(draw: st.DrawFn) -> tuple[Plan, list[Figure]]:
    items = []
    for goal in range(1, draw(st.integers(1, 2)) + 1):
        items.append(Item(level=Level.GOAL, code=f"A{goal}", title=draw(TITLES), total=draw(st.none() | MONEY)))
        for target in range(1, draw(st.integers(0, 2)) + 1):
            code = f"H{goal}.{target}"
            items.append(
                Item(
                    level=Level.TARGET, code=code, title=draw(TITLES), parent=f"A{goal}", total=draw(st.none() | MONEY)
                )
            )
            for number in range(1, draw(st.integers(0, 2)) + 1):
                items.append(
                    Item(
                        level=Level.INDICATOR, code=f"PG{goal}.{target}.{number}", title=draw(TITLES), parent=code,
                        unit=draw(MAYBE), measure=draw(st.none() | st.sampled_from(Measure)),
                        direction=draw(st.none() | st.sampled_from(Direction)), baseline=draw(st.none() | NUMBERS),
                        planned=draw(st.dictionaries(YEARS, NUMBERS, max_size=5)),
                    )
                )  # fmt: skip
                items.append(
                    Item(
                        level=Level.ACTIVITY, code=f"F{goal}.{target}.{number}", title=draw(TITLES), parent=code,
                        responsible=draw(MAYBE), years=tuple(sorted(draw(st.sets(YEARS)))),
                        budget=draw(st.dictionaries(YEARS, MONEY, max_size=5)),
                    )
                )  # fmt: skip
    codes = st.sampled_from([item.code for item in items] + ["PG9.9.9"])
    figure = st.builds(
        Figure, kind=st.just(Kind.REPORT), code=codes, year=st.integers(2020, 2030), value=NUMBERS,
        spent=st.none() | MONEY, done=st.none() | st.booleans(),
    ) | st.builds(Figure, kind=st.just(Kind.PROGRAMME), code=codes, year=YEARS, value=NUMBERS)  # fmt: skip
    return plan(*items), draw(st.lists(figure, max_size=5, unique_by=lambda each: each.key))


@settings(max_examples=60, deadline=None)
@given(plans(), st.sampled_from([",", ";", "\t"]), st.sampled_from(["utf-8", "utf-8-sig"]))
def test_what_is_written_is_read_back_the_same(made: tuple[Plan, list[Figure]], delimiter: str, encoding: str) -> None:
    written, figures = made
    out = io.StringIO()
    header, rows = dump(written, figures)
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    reading = read(out.getvalue().encode(encoding))
    assert ([], list(written.items), figures) == (reading.problems, reading.items, reading.figures)
    assert 0 == differences(written, figures, plan(*reading.items), reading.figures).figures


@settings(max_examples=60, deadline=None)
@given(plans())
def test_warnings_never_raise_and_know_their_rules(made: tuple[Plan, list[Figure]]) -> None:
    said = warnings(*made)
    assert {each.rule for each in said} <= {rule.id for rule in RULES}
    assert said == warnings(*made)


CELLS = st.one_of(
    st.sampled_from(
        ["goal", "target", "indicator", "activity", "report", "A1", "H1.1", "PG1.1.1", "F1.1.1", "2025", ""]
    ),
    st.text(max_size=8),
)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=9, max_size=9), max_size=8), levels=st.booleans())
def test_no_row_whatever_is_in_it_stops_the_reading(rows: list[list[str]], *, levels: bool) -> None:
    header = ["Amaç", "Hedef", "Gösterge", "Faaliyet", "Ölçüm", "Başlangıç", "2025", "2026 Bütçe", "Yıllar"]
    if not levels:
        header = ["row", "code", "title", "parent", "measure", "value", "2025", "year", "done"]
    reading = read_plan(recognise(header), enumerate(rows, 1))
    warnings(plan(*reading.items), reading.figures)
    assert len(rows) == reading.rows
    codes = [item.code for item in reading.items]
    assert len(codes) == len(set(codes))


@given(st.text(max_size=10) | st.sampled_from(["=1+1", "'=x", "''-1", "@SUM(A1)", "-5", "+90"]))
def test_a_guarded_text_is_no_formula_and_comes_back(text: str) -> None:
    assert text == unguarded(guarded(text))
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


# warnings


def test_an_indicator_says_whether_it_is_annual_or_cumulative() -> None:
    assert [("missing_measure", "PG1.1.1", None)] == found(GOAL, TARGET, indicator(None))


def test_a_cumulative_value_does_not_fall() -> None:
    falling = by_year(5, 9, 8)
    assert [("cumulative_falls", "PG1.1.1", 2027)] == found(indicator(Measure.CUMULATIVE, planned=falling))
    assert [] == found(indicator(Measure.ANNUAL, planned=falling))
    reported = tuple(
        Figure(kind=Kind.REPORT, code="PG1.1.1", year=year, value=Decimal(value))
        for year, value in ((2025, 5), (2026, 3))
    )
    assert [("cumulative_falls", "PG1.1.1", 2026)] == found(indicator(Measure.CUMULATIVE), figures=reported)


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ((100, 200, 300, 400), True), ((100, 210, 300), True), ((100, 110, 121, 133), False), ((50, 50, 50), False),
        ((100, 200), False), ((100, 300, 200), False), ((0, 100, 200), False),
    ],
)  # fmt: skip
def test_an_annual_value_that_adds_up_is_looked_at(values: tuple[int, ...], *, warned: bool) -> None:
    expected = [("annual_looks_cumulative", "PG1.1.1", None)] if warned else []
    assert expected == found(indicator(planned=by_year(*values)))


def test_figures_name_an_indicator_or_an_activity_of_the_plan() -> None:
    figures = tuple(
        Figure(kind=Kind.REPORT, code=code, year=2025, value=Decimal(1)) for code in ("PG7.7.7", "A1", "PG1.1.1")
    )
    expected = [("unknown_code", "PG7.7.7", 2025), ("unknown_code", "A1", 2025)]
    assert expected == found(GOAL, TARGET, indicator(), figures=figures)


def test_budgets_add_up_to_what_target_and_goal_state() -> None:
    stated = Item(level=Level.TARGET, code="H1.1", title="Hedef", parent="A1", total=Decimal(300))
    goal = Item(level=Level.GOAL, code="A1", title="Amaç", total=Decimal(310))
    assert [("budget_sum", "A1", None)] == found(goal, stated, activity(budget=by_year(100, 200)))


def test_years_lie_within_the_plan() -> None:
    assert [("year_outside_plan", "F1.1.1", 2024), ("year_outside_plan", "F1.1.1", 2030)] == found(
        activity(years=(2030,), budget={2024: Decimal(1)})
    )


def test_a_value_goes_the_way_it_is_said_to_go() -> None:
    assert [("below_baseline", "PG1.1.1", 2025)] == found(indicator(baseline=Decimal(9), planned=by_year(5)))
    less = indicator(baseline=Decimal(9), planned=by_year(5), direction=Direction.DECREASE)
    assert [] == found(less)
    assert [("below_baseline", "PG1.1.1", 2025)] == found(
        indicator(baseline=Decimal(3), planned=by_year(5), direction=Direction.DECREASE)
    )


def test_what_is_done_had_a_budget() -> None:
    done = (Figure(kind=Kind.REPORT, code="F1.1.1", year=2025, done=True),)
    assert [("done_without_budget", "F1.1.1", 2025)] == found(activity(budget=by_year(0)), figures=done)
    assert [] == found(activity(budget=by_year(5)), figures=done)


def test_programme_and_plan_say_the_same() -> None:
    said = (Figure(kind=Kind.PROGRAMME, code="PG1.1.1", year=2025, value=Decimal(7)),)
    assert [("programme_differs", "PG1.1.1", 2025)] == found(indicator(planned=by_year(5)), figures=said)
    assert [] == found(indicator(planned=by_year(7)), figures=said)
    assert [] == found(indicator(planned=by_year(5, first=2026)), figures=said)


# what changes


def test_a_new_version_is_compared_line_by_line() -> None:
    other = activity(budget=by_year(1))
    made = differences(plan(GOAL, TARGET, activity()), [], plan(GOAL, TARGET, other, indicator()), [])
    assert {"added": 1, "changed": 1, "unchanged": 2, "removed": 0} == made.counts
    gone = differences(plan(GOAL, TARGET, activity()), [], plan(GOAL), [])
    assert [("H1.1", Outcome.REMOVED), ("F1.1.1", Outcome.REMOVED)] == [
        (each.code, each.outcome) for each in gone.changes if each.outcome is not Outcome.UNCHANGED
    ]


def test_the_contract_knows_the_words_of_the_rules() -> None:
    assert PLAN_RULES == tuple(rule.id for rule in RULES)
    assert PLAN_LEVELS == tuple(Level)
    assert PETITION_STAGES == tuple(stage.name for stage in STAGES)
    assert TYPES == PETITIONERS == tuple(STAKEHOLDERS)
