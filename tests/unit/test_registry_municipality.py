"""Municipalities: which law they follow, and what their council and authority may be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.kernel.calendar import AddedDay
from services.kernel.errors import Invalid, Refused
from services.registry.adapters.reference import reference_municipalities
from services.registry.domain.calendar import CalendarDay, add_day, standing_days
from services.registry.domain.municipality import LAW_5216, LAW_5393, Authority, Municipality
from services.registry.domain.vocabulary import AuthorityKind, MunicipalityKind

NOON = datetime(2026, 3, 2, 9, tzinfo=UTC)


def municipality(kind: str = "district") -> Municipality:
    authority = Authority("K34-35", AuthorityKind.DISTRICT_GOVERNOR, "Şişli Kaymakamlığı")
    return Municipality("34-35", "Şişli Belediyesi", MunicipalityKind(kind), "34", "İstanbul", "Şişli", authority)


@pytest.mark.parametrize("kind", MunicipalityKind)
def test_only_metropolitan_municipalities_follow_5216(kind: str) -> None:
    assert (LAW_5216 if kind == "metropolitan" else LAW_5393) == municipality(kind).legal_profile


def test_the_laws_differ_in_return_days_commission_size_and_sitting_week() -> None:
    assert (5, 3, 5, 1) == (
        LAW_5393.mayor_return_days,
        LAW_5393.commission_min,
        LAW_5393.commission_max,
        LAW_5393.sitting_week,
    )
    assert (7, 5, 9, 2) == (
        LAW_5216.mayor_return_days,
        LAW_5216.commission_min,
        LAW_5216.commission_max,
        LAW_5216.sitting_week,
    )
    for law in (LAW_5393, LAW_5216):
        assert (5, 10) == (law.commission_working_days, law.zoning_commission_working_days)


def test_sittings_are_kept_in_order_and_once() -> None:
    changed = municipality()
    changed.update_council({"sittings": [date(2026, 4, 6), date(2026, 3, 2), date(2026, 4, 6)]})
    assert (date(2026, 3, 2), date(2026, 4, 6)) == changed.sittings


def test_a_council_change_that_changes_nothing_is_no_event() -> None:
    unchanged = municipality()
    assert unchanged.update_council({"full_membership": None, "sittings": []}) is None
    assert 1 == unchanged.version


@pytest.mark.parametrize("changes", [{"full_membership": 0}, {"full_membership": 5000}, {"sittings": [date(1, 1, 1)]}])
def test_an_impossible_council_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        municipality().update_council(changes)


@pytest.mark.parametrize(
    "changes",
    [{"code": "V34"}, {"kind": "governor"}, {"code": "K99-01"}, {"name": " "}, {"name": "\x00"}],
)
def test_an_authority_whose_code_does_not_fit_its_kind_or_without_a_name_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        municipality().update_authority(changes)


def test_a_new_authority_is_told_to_others() -> None:
    event = municipality().update_authority({"code": "V34", "kind": "governor", "name": "İstanbul Valiliği"})
    assert event is not None
    assert ("municipality.updated.v1", 2, "V34") == (event.name, event.subject_version, event.authority_code)


def test_the_reference_list_gives_every_municipality_an_authority_of_its_kind() -> None:
    listed = list(reference_municipalities())
    assert 1003 == len(listed) == len({each.code for each in listed})
    for each in listed:
        governed = each.kind in (MunicipalityKind.METROPOLITAN, MunicipalityKind.PROVINCIAL_CENTRE)
        assert governed == (each.authority.kind is AuthorityKind.GOVERNOR)
        assert each.update_authority({"code": each.authority.code}) is None


def entry(on: date, version: int, kind: str = "holiday") -> CalendarDay:
    return CalendarDay(AddedDay(on, kind, "Gün", "Kaynak"), version, NOON, "a")  # type: ignore[arg-type]


def test_the_newest_entry_for_a_date_counts() -> None:
    day = date(2027, 1, 4)
    entries = [entry(day, 1), entry(date(2027, 1, 1), 2), entry(day, 3, "half_day")]
    assert [(date(2027, 1, 1), "holiday"), (day, "half_day")] == [(d.on, d.kind) for d in standing_days(entries)]


def test_an_added_day_raises_the_version_of_the_calendar() -> None:
    added, event = add_day([entry(date(2027, 1, 4), 4)], date(2027, 1, 5), "holiday", "Gün", "Kaynak", now=NOON, by="a")
    assert (5, 5, "calendar.day_added.v1") == (added.version, event.version, event.name)


def test_a_day_that_is_there_like_this_is_refused() -> None:
    with pytest.raises(Refused):
        add_day([entry(date(2027, 1, 4), 1)], date(2027, 1, 4), "holiday", "Gün", "Kaynak", now=NOON, by="a")


@pytest.mark.parametrize(
    ("on", "name", "source", "fields"),
    [
        (date(2027, 1, 4), "", " ", ["name", "source"]),
        (date(1900, 1, 1), "Gün", "Kaynak", ["on"]),
        (date(2027, 1, 4), "\x00", "Kaynak", ["name"]),
    ],
)
def test_a_day_needs_a_name_a_source_and_a_year_that_the_calendar_knows(
    on: date, name: str, source: str, fields: list[str]
) -> None:
    with pytest.raises(Invalid) as refusal:
        add_day([], on, "holiday", name, source, now=NOON, by="a")
    assert fields == [error["field"] for error in refusal.value.details["errors"]]
