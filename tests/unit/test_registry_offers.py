"""What organisations may say they offer, which files are documents, and what the open data hold."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.expertise import EXPERTISE_AREAS, EXPERTISE_TAGS
from services.gateway.api.expertise import LARGEST
from services.kernel.errors import Conflict, Invalid
from services.registry.adapters.expertise import TAKEN
from services.registry.application import open_data
from services.registry.application.open_data import COLUMNS, LEFT_OUT, Entry, cell, published, write
from services.registry.domain.expertise import AREAS, LARGEST_DOCUMENT, TAGS, Offer
from services.registry.domain.organisation import Facts
from services.registry.domain.status import Decision, Status
from services.registry.domain.vocabulary import Form, StatusKind
from services.runtime.content import DOCX, JPEG, ODT, PDF, PNG

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
EMPTY: dict[str, Any] = {"tags": [], "text": None, "provinces": [], "valid_until": None}


def change(offer: Offer, expected: int | None = None, **given_: Any) -> Any:
    return offer.change({**EMPTY, **given_}, expected, today=TODAY, now=NOW, by="registrar@-")


def test_the_contract_lists_the_tags_and_areas_of_the_register() -> None:
    assert list(EXPERTISE_TAGS) == list(TAGS)
    assert list(EXPERTISE_AREAS) == [str(area) for area in AREAS]
    assert LARGEST == LARGEST_DOCUMENT


def test_an_offer_is_kept_sorted_once_each_and_counts_its_versions() -> None:
    changed, event = change(
        Offer("o", "g"), tags=["youth", "children", "youth"], provinces=["34", "06"], text=" a \n\n\n b "
    )
    assert (("children", "youth"), ("06", "34"), "a\n\nb", 1) == (
        changed.tags,
        changed.provinces,
        changed.text,
        changed.version,
    )
    assert ("o", 1, "g") == (event.subject_id, event.subject_version, event.organisation_id)
    assert change(changed, tags=["children", "youth"], provinces=["06", "34"], text="a\n\nb") is None
    with pytest.raises(Conflict):
        change(changed, 0, tags=["sport"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tags", ["astrology"]),
        ("tags", list(TAGS)[:11]),
        ("provinces", ["82"]),
        ("provinces", ["6"]),
        ("valid_until", date(2026, 3, 1)),
        ("text", "x" * 3_001),
    ],
)
def test_an_offer_that_cannot_be_right_is_refused_by_its_field(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        change(Offer("o", "g"), **{field: value})
    assert [field] == [each["field"] for each in refusal.value.details["errors"]]


def test_an_offer_holds_through_its_last_day() -> None:
    offer = change(Offer("o", "g"), tags=["sport"], valid_until=TODAY)[0]
    assert offer.holds(TODAY)
    assert not offer.holds(date(2026, 3, 3))
    assert not Offer("o", "g").holds(TODAY)


def test_documents_are_of_five_kinds() -> None:
    assert {PDF, DOCX, ODT, PNG, JPEG} == TAKEN


# --- open data


def status(kind: StatusKind, begun: date, ended: date | None = None) -> Status:
    return Status(
        id="s",
        revision=1,
        kind=kind,
        valid_from=begun,
        valid_to=ended,
        decision=Decision(None, None, None, None),
        recorded_at=NOW,
    )


def entry(*statuses: Status, **facts: Any) -> Entry:
    return Entry(
        "0b6f7a52-6f0e-4c0e-9d49-5f6f1f4d7a01",
        Facts(**{"name": "Örnek", "form": Form.ASSOCIATION, **facts}),
        statuses,
        (),
    )


def test_every_recorded_fact_is_published_or_left_out_for_a_reason() -> None:
    told = {column.name for column in COLUMNS}
    assert {each.name for each in fields(Facts)} - told == set(LEFT_OUT)
    assert set() == told & set(LEFT_OUT)


def test_what_is_published_has_the_columns_in_their_order() -> None:
    assert [column.name for column in COLUMNS] == list(published(entry(), TODAY))


def test_a_status_counts_on_the_day_of_the_data_alone() -> None:
    held = status(StatusKind.PUBLIC_BENEFIT, date(2020, 1, 1))
    over = status(StatusKind.PUBLIC_BENEFIT, date(2010, 1, 1), date(2015, 1, 1))
    shown = published(entry(over, held), TODAY)
    assert (True, False, "2020-01-01") == (shown["public_benefit"], shown["tax_exempt"], shown["status_since"])
    shown = published(entry(over), TODAY)
    assert (False, None) == (shown["public_benefit"], shown["status_since"])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(start: str) -> None:
    assert f"'{start}1+1" == cell(f"{start}1+1")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30), max_size=5))
def test_whatever_names_hold_the_csv_file_is_read_back_as_it_was(names: list[str]) -> None:
    table, objects = io.BytesIO(), io.BytesIO()
    rows = write([[entry(name=name) for name in names]], TODAY, table, objects, lambda: None)
    read = list(csv.DictReader(io.StringIO(table.getvalue().decode(), newline="")))
    assert len(names) == rows == len(read)
    assert [cell(name) for name in names] == [row["name"] for row in read]
    assert names == [each["name"] for each in json.loads(objects.getvalue())]
    assert all(line.endswith(b"\r") for line in table.getvalue().split(b"\n")[:1])


def test_no_rows_at_all_are_a_header_and_an_empty_list() -> None:
    table, objects = io.BytesIO(), io.BytesIO()
    assert 0 == write([], TODAY, table, objects, lambda: None)
    assert [] == json.loads(objects.getvalue())
    assert 1 == len(table.getvalue().splitlines())
    assert open_data.MEDIA.keys() == {"organisations.csv", "organisations.json", "datapackage.json"}
