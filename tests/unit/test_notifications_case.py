"""What is remembered of a case, and whether it was open on a day."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notifications.domain.case import CLOSED, Case, case_shown_by
from services.notifications.domain.happening import Happening, notification_id

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CASE = Case(
    protocol_id=str(uuid.uuid4()),
    reference="34-35/2026/1",
    title="Engelsiz sokaklar",
    municipality="34-35",
    authority="K34-35",
    organisation_id=str(uuid.uuid4()),
    organisation_name="Yer Çizenler Herkes İçin Haritalama Derneği",
    stage="drafting",
    version=1,
    first_at=NOON,
    last_at=NOON,
)


def happening(event: str, **data: Any) -> Happening:
    known = {
        name: getattr(CASE, name)
        for name in (
            "protocol_id",
            "reference",
            "title",
            "municipality",
            "authority",
            "organisation_id",
            "organisation_name",
        )
    }
    return Happening(
        event_id=str(uuid.uuid4()),
        event=event,
        occurred_at=NOON,
        subject_id=CASE.protocol_id,
        subject_version=1,
        actor_office=None,
        data=known | data,
    )


def test_a_case_is_not_open_before_its_first_event() -> None:
    assert not CASE.was_open_at(NOON - HOUR)
    assert CASE.was_open_at(NOON)
    assert CASE.was_open_at(NOON + HOUR)


@pytest.mark.parametrize("stage", sorted(CLOSED))
def test_a_case_is_not_open_from_the_event_that_ended_it(stage: str) -> None:
    ended = replace(CASE, stage=stage, last_at=NOON + HOUR)
    assert ended.was_open_at(NOON)
    assert not ended.was_open_at(NOON + HOUR)
    assert not ended.was_open_at(NOON + 2 * HOUR)


@pytest.mark.parametrize("stage", ["in_force", "permission_refused", "litigation", "suspended"])
def test_a_case_that_may_go_on_is_open(stage: str) -> None:
    assert replace(CASE, stage=stage).was_open_at(NOON + HOUR)


def test_drafts_and_moves_show_the_case() -> None:
    assert CASE == case_shown_by(happening("protocol.drafted.v1", stage="drafting"))
    assert replace(CASE, stage="mayor_review") == case_shown_by(happening("protocol.moved.v1", to="mayor_review"))


def test_clocks_show_no_stage() -> None:
    assert case_shown_by(happening("clock.started.v1", kind="MAYOR_RETURN")) is None


def test_a_notification_has_the_same_id_whenever_it_is_made() -> None:
    event_id = str(uuid.uuid4())
    assert notification_id(event_id, "mayor@34-35") == notification_id(event_id, "mayor@34-35")
    assert notification_id(event_id, "mayor@34-35") != notification_id(event_id, "mayor@06-00")
