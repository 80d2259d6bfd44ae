"""Every event keeps the shape that was frozen for its version, and every subscriber still reads it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from protocol_builder import Walk, moment
from sqlalchemy import select

from services.contracts.petitions import EVENTS as PETITION_EVENTS
from services.contracts.protocols import EVENTS
from services.contracts.registry import TOLD
from services.contracts.subscriptions import SUBSCRIPTIONS, Subscription
from services.kernel import casework
from services.kernel.actor import SYSTEM
from services.kernel.calendar import AddedDay, Calendar
from services.kernel.errors import NotFound
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.notifications.service import NotificationsService
from services.petitions.service import PetitionsService
from services.protocols.adapters.messages import data_of
from services.protocols.adapters.tables import DAYS, PARTNERS
from services.protocols.domain import events as protocols_events
from services.protocols.service import ProtocolsService
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.entrypoints import EventHandler
from services.runtime.envelope import Envelope
from services.runtime.migration import upgrade
from services.runtime.settings import Settings

SAMPLES = Path(__file__).parent / "samples"
FROZEN = sorted(path.stem for path in SAMPLES.glob("*.json"))
PRODUCED = {**EVENTS, **TOLD, **PETITION_EVENTS}


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


@cache
def happened() -> dict[str, Event]:
    """One event of every kind that protocols tells, from a case that had all of them."""
    walk = Walk()
    walk.to("commission_review")
    clock = walk.case.open_clock("COMMISSION_REPORT")
    assert clock is not None
    assert clock.due_on is not None
    holiday = Calendar(added=[AddedDay(clock.due_on, "holiday", "Yas günü", "RG 2026/1")], version="1")
    walk.events += casework.recount(walk.case, SYSTEM, moment(walk.on), holiday, "Yas günü")
    walk.to("in_force")
    walk.change_partner()
    walk.let_run_out("TERM")
    walk.events += [reminded(), failed(), cancelled()]
    return {event.name: event for event in reversed(walk.events)}


def reminded() -> Event:
    """The reminder of a clock of a case that waits to be sent."""
    walk = Walk()
    walk.to("transmittal")
    clock = walk.case.open_clock("SEND_TO_AUTHORITY")
    assert clock is not None
    return walk.case.clock_event(casework.REMINDER_DUE, clock, rung="before", days_left=2)


def cancelled() -> Event:
    """What is told of a period when the file goes another way."""
    walk = Walk()
    walk.to("commission_review")
    walk.do("withdraw")
    return next(event for event in walk.events if event.name == "clock.cancelled.v1")


def failed() -> Event:
    """What protocols says when no protocol can be drafted from a proposal."""
    said = Sentence("This organisation cannot be a party.").to_plain()
    reason = {"code": "partner_cannot_be_a_party", "article": "5253/2-f", "message": said}
    petition = "5e7e0000-0000-4000-8000-000000000001"
    return protocols_events.ProtocolDraftFailedV1(
        subject_id=petition, subject_version=5, petition_id=petition, municipality="34-35",
        organisation_id="0b6f7a52-6f0e-4c0e-9d49-5f6f1f4d7a01", reasons=[reason],
    )  # fmt: skip


def same(frozen: Any, made: Any) -> bool:
    """The made data have every field of the frozen ones, of the same kind; null stands for any kind."""
    if frozen is None or made is None:
        return True
    if isinstance(frozen, dict):
        return isinstance(made, dict) and all(name in made and same(frozen[name], made[name]) for name in frozen)
    return type(frozen) is type(made)


def test_every_version_of_every_event_has_a_frozen_example() -> None:
    assert sorted(PRODUCED) == FROZEN


@pytest.mark.parametrize("name", FROZEN)
def test_a_frozen_example_is_an_envelope_named_like_its_file(name: str) -> None:
    plain = sample(name)
    envelope = Envelope.from_plain(plain)
    assert (name, plain) == (envelope.name, envelope.to_plain())
    assert envelope.occurred_at.tzinfo is not None


@pytest.mark.parametrize("name", FROZEN)
def test_the_producers_contract_still_describes_the_frozen_example(name: str) -> None:
    assert {} == PRODUCED[name]().validate(sample(name)["data"])


@pytest.mark.parametrize("name", FROZEN)
def test_the_producers_contract_has_dropped_no_field(name: str) -> None:
    known = {field.data_key or key for key, field in PRODUCED[name]().fields.items()}
    assert set(sample(name)["data"]) <= known


def test_every_event_class_of_protocols_is_in_its_contract() -> None:
    classes = {
        each.name for each in vars(protocols_events).values() if isinstance(each, type) and hasattr(each, "name")
    }
    assert set(EVENTS) == classes


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_protocols_still_makes_the_frozen_shape(name: str) -> None:
    made = json.loads(json.dumps(data_of(happened()[name])))
    assert same(sample(name)["data"], made)
    assert set(sample(name)["data"]) == set(made)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_what_protocols_makes_is_what_its_contract_says(name: str) -> None:
    assert {} == EVENTS[name]().validate(data_of(happened()[name]))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_of_protocols_names_no_person(name: str) -> None:
    text = json.dumps(data_of(happened()[name])) + json.dumps(sample(name)["data"])
    assert not [word for word in ("user_id", "membership_id", "email", "phone", "signator", "actor") if word in text]


class EmptyRegistry:
    """A registry that knows nobody."""

    def decision_facts(self, **_: Any) -> dict[str, Any]:
        raise NotFound(Sentence("There is no such organisation."))


@pytest.fixture(scope="module")
def consumers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The consuming services, each over a new database of its own."""
    folder = tmp_path_factory.mktemp("consumers")
    found: dict[str, Any] = {
        "notifications": NotificationsService(),
        "petitions": PetitionsService(),
        "protocols": ProtocolsService(),
    }
    for name, service in found.items():
        service.database = Database(f"sqlite:///{folder / name}.sqlite")
        service.settings, service.time, service.registry = Settings(), Time(), EmptyRegistry()
        upgrade(service.database, name)
    return found


def hear(service: Any, envelope: Envelope) -> None:
    """Let the method that hears the event have it, in a list where it takes several together."""
    ((name, together),) = {
        (method, entrypoint.together)
        for method in dir(type(service))
        for entrypoint in getattr(getattr(type(service), method), "nameko_entrypoints", ())
        if isinstance(entrypoint, EventHandler) and entrypoint.event == envelope.name
    }
    getattr(service, name)(envelope if together == 1 else [envelope])


@pytest.mark.parametrize("row", SUBSCRIPTIONS, ids=lambda row: f"{row.consumer}-{row.event}")
def test_every_subscriber_still_handles_the_frozen_example(row: Subscription, consumers: dict[str, Any]) -> None:
    service = consumers[row.consumer]
    envelope = Envelope.from_plain(sample(row.event))
    for _ in range(2):  # a second delivery is handled too
        hear(service, envelope)


def test_protocols_keeps_what_the_frozen_examples_tell(consumers: dict[str, Any]) -> None:
    service = consumers["protocols"]
    for name in ("organisation.registered.v1", "calendar.day_added.v1"):
        hear(service, Envelope.from_plain(sample(name)))
    with service.database.read() as connection:
        partner = connection.execute(select(PARTNERS)).one()
        day = connection.execute(select(DAYS)).one()
    assert sample("organisation.registered.v1")["data"]["name"] == partner.name
    assert sample("calendar.day_added.v1")["data"]["on"] == day.on.isoformat()
