"""Petitions still tell what was frozen, name no person, and hold none of the petitioner's words."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from petition_builder import CSO, FILED, Way
from protocol_builder import moment

from services.contracts.petitions import EVENTS
from services.kernel import casework
from services.kernel.actor import SYSTEM
from services.kernel.calendar import AddedDay, Calendar
from services.kernel.events import Event
from services.petitions.adapters.messages import data_of
from services.petitions.domain import events as petitions_events
from services.petitions.domain.events import PetitionSupportRequestedV1

SAMPLES = Path(__file__).parent / "samples"
SUPPORT = "5a5a0000-0000-4000-8000-000000000001"
ORGANISATION = "0b6f7a52-6f0e-4c0e-9d49-5f6f1f4d7a01"


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


@cache
def happened() -> dict[str, Event]:
    """One event of every kind that petitions tells, from a proposal that had all of them."""
    way = Way("partnership_proposal", petitioner=CSO, subject="Gizli konu", body="Gizli metin").assigned()
    way.do("return_for_completion")
    way.do("complete", address="Gizli adres")
    clock = way.case.open_clock("PETITION_ANSWER")
    assert clock is not None
    assert clock.due_on is not None
    holiday = Calendar(added=[AddedDay(clock.due_on, "holiday", "Yas günü", "RG 2026/1")], version="1")
    way.events += casework.recount(way.case, SYSTEM, moment(way.on), holiday, "Yas günü")
    way.events.append(way.case.clock_event(casework.REMINDER_DUE, clock, rung="before", days_left=10))
    way.let_run_out("PETITION_ANSWER")
    way.do("accept_proposal", starts_on=FILED + timedelta(days=90))
    way.do("link_protocol", protocol_reference="34-35/2026/17")
    way.events.append(PetitionSupportRequestedV1(**way.case.shown(), support_id=SUPPORT))
    ended = Way().assigned()
    ended.do("forward", authority="İSKİ")
    return {event.name: event for event in reversed([*way.events, *ended.told("petition.clock_cancelled.v1")])}


def same(frozen: Any, made: Any) -> bool:
    """Of the same kind; null stands for any kind."""
    return frozen is None or made is None or type(frozen) is type(made)


def test_every_event_class_of_petitions_is_in_its_contract() -> None:
    classes = {
        each.name for each in vars(petitions_events).values() if isinstance(each, type) and hasattr(each, "name")
    }
    assert set(EVENTS) == classes


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_petitions_still_makes_the_frozen_shape(name: str) -> None:
    frozen, made = sample(name)["data"], json.loads(json.dumps(data_of(happened()[name])))
    assert set(frozen) == set(made)
    assert [] == [field for field in frozen if not same(frozen[field], made[field])]


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_what_petitions_makes_is_what_its_contract_says(name: str) -> None:
    assert {} == EVENTS[name]().validate(data_of(happened()[name]))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_of_petitions_names_no_person_and_holds_none_of_their_words(name: str) -> None:
    told = json.dumps(data_of(happened()[name]), ensure_ascii=False) + json.dumps(sample(name), ensure_ascii=False)
    assert not [
        word for word in ("Gizli", "user_id", "email", "address", "petitioner_name", "body") if f'"{word}"' in told
    ]
    assert "Gizli" not in told
