"""The table consumer × producer × event, and what stands on it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts import petitions, protocols, registry
from services.contracts.notifications import HEARD
from services.contracts.subscriptions import (
    SUBSCRIPTIONS,
    Subscription,
    exchange_name,
    queue_name,
    subscribers_of,
    subscriptions_of,
)
from services.kernel.actor import AUTHORITY_ROLES, MUNICIPAL_ROLES, ORGANISATION_ROLES
from services.kernel.workflow import Move
from services.notifications.domain.audience import listeners
from services.notifications.domain.case import CLOSED
from services.notifications.domain.happening import Happening
from services.notifications.domain.petition_template import (
    PETITION_CLOCKS,
    PETITION_EXPIRIES,
    PETITION_KINDS,
    PETITION_MOVES,
    PETITION_OUTCOMES,
    PETITION_STAGES,
)
from services.notifications.domain.template import CLOCKS, EXPIRIES, MOVES, OWNERS, STAGES, TURNS
from services.notifications.service import NotificationsService
from services.petitions.domain.policy import Policy as PetitionPolicy
from services.petitions.domain.procedure import petition_procedure
from services.protocols.domain.policy import Policy
from services.protocols.domain.procedure import protocol_procedure
from services.runtime.entrypoints import EventHandler
from services.runtime.language import catalogue

PRODUCER_OF = {
    "protocol": "protocols",
    "clock": "protocols",
    "petition": "petitions",
    "organisation": "registry",
    "municipality": "registry",
    "calendar": "registry",
}

PRODUCED = {**protocols.EVENTS, **petitions.EVENTS, **registry.TOLD}

# The procedure with every row it may have.
PROCEDURE = protocol_procedure(Policy(mayor_may_waive_return=True))
ACTS = [(row, source, role) for row in PROCEDURE.moves for source in row.sources for role in row.by]


def test_no_subscription_stands_twice() -> None:
    assert len(SUBSCRIPTIONS) == len(set(SUBSCRIPTIONS))


@pytest.mark.parametrize("row", SUBSCRIPTIONS)
def test_a_subscription_names_an_event_of_its_producer(row: Subscription) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+\.v[1-9]\d*", row.event)
    assert PRODUCER_OF[row.event.partition(".")[0]] == row.producer
    assert row.consumer != row.producer


def test_queues_and_exchanges_are_named_after_who_and_what() -> None:
    assert queue_name("notifications", "protocol.moved.v1") == "notifications.on.protocol.moved.v1"
    assert exchange_name("protocols") == "protocols.events"


def test_the_table_can_be_read_by_consumer_and_by_event() -> None:
    assert {"notifications", "protocols"} == {row.consumer for row in subscribers_of("organisation.updated.v1")}
    assert "calendar.day_added.v1" in {row.event for row in subscriptions_of("protocols")}
    assert () == subscriptions_of("nobody")


def test_notifications_can_read_every_event_it_subscribes_to() -> None:
    assert {row.event for row in subscriptions_of("notifications")} == HEARD.keys()


def test_notifications_has_a_durable_handler_for_every_event_it_subscribes_to() -> None:
    handlers = {
        (entrypoint.producer, entrypoint.event)
        for entrypoint in NotificationsService.hear.nameko_entrypoints
        if isinstance(entrypoint, EventHandler)
    }
    assert {(row.producer, row.event) for row in subscriptions_of("notifications")} == handlers


@pytest.mark.parametrize("event", sorted(HEARD))
def test_notifications_requires_nothing_that_the_producer_does_not_promise(event: str) -> None:
    told = {field.data_key or name: field for name, field in PRODUCED[event]().fields.items()}
    for name, field in HEARD[event]().fields.items():
        if field.required:
            assert told[name].required
            assert field.allow_none or not told[name].allow_none


@pytest.mark.parametrize("event", sorted(HEARD))
def test_notifications_ignores_fields_it_does_not_know(event: str) -> None:
    assert "a_new_field" not in HEARD[event]().validate({"a_new_field": 1})


def test_notifications_has_words_for_every_stage_move_clock_and_role() -> None:
    assert set(PROCEDURE.stages) == STAGES.keys()
    assert {row.name for row in PROCEDURE.moves} == MOVES.keys()
    assert set(PROCEDURE.terms) == CLOCKS.keys() == EXPIRIES.keys()
    assert {*MUNICIPAL_ROLES, *AUTHORITY_ROLES, *ORGANISATION_ROLES} == TURNS.keys() == OWNERS.keys()


def test_notifications_calls_the_stages_as_the_procedure_does() -> None:
    for stage in PROCEDURE.stages.values():
        assert f"Stage: {stage.label.en}." == STAGES[stage.name]
        assert f"Aşama: {stage.label.tr}." == catalogue("tr")[STAGES[stage.name]]


def test_a_case_is_closed_for_notifications_when_no_move_leaves_its_stage() -> None:
    assert PROCEDURE.ends == CLOSED


@pytest.mark.parametrize(
    ("row", "source", "role"), ACTS, ids=[f"{row.name}-{source}-{role}" for row, source, role in ACTS]
)
def test_someone_else_hears_of_every_move_of_the_procedure(row: Move[Any], source: str, role: str) -> None:
    tenants = {"municipality": "34-35", "authority": "K34-35", "organisation_id": "an-organisation"}
    end = row.to or source
    turn = PROCEDURE.stages[end].turn
    moved = Happening(
        event_id="",
        event="protocol.moved.v1",
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
        subject_id="",
        subject_version=2,
        actor_office=f"{role}@34-35",
        data={**tenants, "move": row.name, "from": source, "to": end, "turn": None if callable(turn) else turn},
    )
    assert set(listeners(moved)) - {moved.actor_office}


def petitions_table() -> Any:
    """The procedure of petitions with every row it may have."""
    return petition_procedure(PetitionPolicy())


def test_notifications_has_words_for_every_stage_move_clock_and_outcome_of_petitions() -> None:
    table = petitions_table()
    assert set(table.stages) == PETITION_STAGES.keys()
    assert {row.name for row in table.moves} == PETITION_MOVES.keys()
    assert set(table.terms) == PETITION_CLOCKS.keys() == PETITION_EXPIRIES.keys()
    assert set(petitions.KINDS) == PETITION_KINDS.keys()
    assert {*petitions.OUTCOMES, "not_examined"} == PETITION_OUTCOMES.keys()


def test_notifications_calls_the_stages_of_petitions_as_their_procedure_does() -> None:
    for stage in petitions_table().stages.values():
        assert f"Stage: {stage.label.en}." == PETITION_STAGES[stage.name]
        assert f"Aşama: {stage.label.tr}." == catalogue("tr")[PETITION_STAGES[stage.name]]
