"""Who hears what: everyone concerned, nobody twice, no office of its own act."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts.subscriptions import subscriptions_of
from services.kernel.actor import CENTRAL_ROLES, ROLES
from services.notifications.application import is_quiet
from services.notifications.domain.audience import (
    AUDIENCE,
    OWNER,
    TURN,
    as_markdown,
    concerns_open_cases,
    listeners,
)
from services.notifications.domain.happening import Happening

ORGANISATION = str(uuid.uuid4())
TENANTS = {
    "unit_officer": "34-35",
    "registry_clerk": "34-35",
    "mayor": "34-35",
    "commission_rapporteur": "34-35",
    "authority_clerk": "K34-35",
    "authority_head": "K34-35",
    "organisation_representative": ORGANISATION,
}
EVERYONE = frozenset(f"{role}@{tenant}" for role, tenant in TENANTS.items())

# move, by, from, to, whose turn then: the table of the public interface
MOVES = (
    ("submit_to_mayor", "unit_officer", "drafting", "mayor_review", "mayor"),
    ("withdraw", "unit_officer", "council_agenda", "withdrawn", None),
    ("withdraw", "organisation_representative", "commission_review", "withdrawn", None),
    ("refer_to_council", "mayor", "mayor_review", "council_agenda", "registry_clerk"),
    ("return_to_drafting", "mayor", "mayor_review", "drafting", "unit_officer"),
    ("reject_draft", "mayor", "mayor_review", "rejected", None),
    ("refer_to_commission", "registry_clerk", "council_agenda", "commission_review", "commission_rapporteur"),
    ("accept", "registry_clerk", "council_agenda", "mayor_check", "mayor"),
    ("reject", "registry_clerk", "council_agenda", "rejected", None),
    ("postpone", "registry_clerk", "council_agenda", "council_agenda", "registry_clerk"),
    ("send_back", "registry_clerk", "council_agenda", "drafting", "unit_officer"),
    ("report", "commission_rapporteur", "commission_review", "council_decision", "registry_clerk"),
    ("lapse_commission", "system", "commission_review", "council_decision", "registry_clerk"),
    ("amend", "registry_clerk", "council_decision", "partner_consent", "organisation_representative"),
    (
        "send_back_to_commission",
        "registry_clerk",
        "council_decision",
        "commission_review",
        "commission_rapporteur",
    ),
    ("consent", "organisation_representative", "partner_consent", "mayor_check", "mayor"),
    ("decline", "organisation_representative", "partner_consent", "withdrawn", None),
    ("return_to_council", "mayor", "mayor_check", "reconsideration", "registry_clerk"),
    ("finalise", "system", "mayor_check", "transmittal", "registry_clerk"),
    ("insist", "registry_clerk", "reconsideration", "transmittal", "registry_clerk"),
    ("drop", "registry_clerk", "reconsideration", "lapsed", None),
    ("transmit", "registry_clerk", "transmittal", "transmittal", "authority_clerk"),
    ("stamp", "authority_clerk", "transmittal", "permission_request", "mayor"),
    ("publish_summary", "registry_clerk", "transmittal", "transmittal", "authority_clerk"),
    ("waive_return", "mayor", "mayor_check", "transmittal", "registry_clerk"),
    ("determine_exempt", "authority_head", "authority_determination", "signing", "mayor"),
    ("determine_required", "authority_head", "authority_determination", "permission_request", "mayor"),
    ("request_permission", "mayor", "permission_request", "authority_review", "authority_head"),
    ("grant", "authority_head", "authority_review", "signing", "mayor"),
    (
        "grant_with_conditions",
        "authority_head",
        "authority_review",
        "partner_consent",
        "organisation_representative",
    ),
    ("refuse", "authority_head", "authority_review", "permission_refused", "mayor"),
    ("request_documents", "authority_clerk", "authority_review", "document_completion", "registry_clerk"),
    ("note_silence", "system", "authority_review", "authority_review", "authority_head"),
    ("supply_documents", "registry_clerk", "document_completion", "authority_review", "authority_head"),
    ("revise", "unit_officer", "permission_refused", "drafting", "unit_officer"),
    ("file_suit", "mayor", "permission_refused", "litigation", "registry_clerk"),
    ("abandon", "mayor", "permission_refused", "abandoned", None),
    ("court_annuls_refusal", "registry_clerk", "litigation", "authority_review", "authority_head"),
    ("court_dismisses", "registry_clerk", "litigation", "abandoned", None),
    ("sign", "mayor", "signing", "in_force", None),
    ("terminate", "mayor", "in_force", "terminated", None),
    ("suspend", "registry_clerk", "in_force", "suspended", None),
    ("resume", "registry_clerk", "suspended", "in_force", None),
    ("annul", "registry_clerk", "in_force", "annulled", None),
    ("expire", "system", "in_force", "expired", None),
    ("renew", "unit_officer", "in_force", "in_force", None),
    ("propose_amendment", "unit_officer", "in_force", "in_force", None),
)


def happening(event: str, *, by: str | None = None, **data: Any) -> Happening:
    """An event of Şişli's case, done by the office with role `by`."""
    parties = {"municipality": "34-35", "authority": "K34-35", "organisation_id": ORGANISATION}
    return Happening(
        event_id=str(uuid.uuid4()),
        event=event,
        occurred_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
        subject_id=str(uuid.uuid4()),
        subject_version=3,
        actor_office=None if by is None else f"{by}@{TENANTS.get(by, '-')}",
        data=parties | data,
    )


def moved(move: str, by: str, start: str, end: str, turn: str | None) -> Happening:
    return happening("protocol.moved.v1", by=by, move=move, **{"from": start, "to": end, "turn": turn})


@pytest.mark.parametrize(("move", "by", "start", "end", "turn"), MOVES)
def test_someone_hears_of_every_move(move: str, by: str, start: str, end: str, turn: str | None) -> None:
    told = set(listeners(moved(move, by, start, end, turn)))
    assert told
    assert told <= EVERYONE


@pytest.mark.parametrize(("move", "by", "start", "end", "turn"), MOVES)
def test_no_office_hears_of_its_own_move(move: str, by: str, start: str, end: str, turn: str | None) -> None:
    assert f"{by}@{TENANTS.get(by, '-')}" not in listeners(moved(move, by, start, end, turn))


@pytest.mark.parametrize(("move", "by", "start", "end", "turn"), MOVES)
def test_whoever_must_act_next_hears_of_the_move(move: str, by: str, start: str, end: str, turn: str | None) -> None:
    assert turn in {None, by} or f"{turn}@{TENANTS[turn]}" in listeners(moved(move, by, start, end, turn))


@pytest.mark.parametrize(("move", "by", "start", "end", "turn"), MOVES)
def test_partner_and_initiating_unit_hear_of_every_move_of_others(
    move: str, by: str, start: str, end: str, turn: str | None
) -> None:
    told = listeners(moved(move, by, start, end, turn))
    for role in {"organisation_representative", "unit_officer"} - {by}:
        assert f"{role}@{TENANTS[role]}" in told


@pytest.mark.parametrize("move", ["grant", "refuse", "note_silence", "finalise", "stamp", "sign"])
def test_mayor_and_registry_hear_of_outcomes(move: str) -> None:
    told = listeners(moved(move, "system", "authority_review", "signing", None))
    assert {"mayor@34-35", "registry_clerk@34-35"} <= set(told)


def test_an_office_is_named_once_however_many_rules_name_it() -> None:
    told = listeners(moved("grant", "authority_head", "authority_review", "signing", "mayor"))
    assert len(set(told)) == len(told)


def test_a_move_unknown_to_the_table_still_reaches_turn_partner_and_unit() -> None:
    told = listeners(moved("something_new", "mayor", "drafting", "drafting", "registry_clerk"))
    assert {
        "registry_clerk@34-35",
        f"organisation_representative@{ORGANISATION}",
        "unit_officer@34-35",
    } == set(told)


def test_only_the_partner_hears_of_a_draft() -> None:
    told = listeners(happening("protocol.drafted.v1", by="unit_officer", stage="drafting"))
    assert (f"organisation_representative@{ORGANISATION}",) == told


def test_all_parties_hear_of_entry_into_force() -> None:
    told = listeners(happening("protocol.entered_into_force.v1", by="mayor"))
    assert EVERYONE - {"mayor@34-35", "commission_rapporteur@34-35"} == set(told)


def test_a_draft_withdrawn_before_anyone_saw_it_concerns_only_the_partner() -> None:
    told = listeners(moved("withdraw", "unit_officer", "drafting", "withdrawn", None))
    assert (f"organisation_representative@{ORGANISATION}",) == told


def test_the_authority_does_not_hear_of_a_case_that_never_reached_it() -> None:
    told = listeners(moved("withdraw", "unit_officer", "council_agenda", "withdrawn", None))
    assert not [office for office in told if office.startswith("authority_")]


@pytest.mark.parametrize("kind", ["COMMISSION_REPORT", "MAYOR_RETURN", "SEND_TO_AUTHORITY", "PERMISSION_SILENCE"])
def test_a_clock_that_starts_with_a_move_is_quiet(kind: str) -> None:
    assert () == listeners(happening("clock.started.v1", by="mayor", kind=kind, whose="registry_clerk"))


def test_the_time_to_go_to_court_is_told_to_those_who_may_go() -> None:
    told = listeners(happening("clock.started.v1", by="authority_head", kind="SUIT", whose="mayor"))
    assert {"mayor@34-35", f"organisation_representative@{ORGANISATION}"} == set(told)


def test_a_clock_that_was_met_is_quiet() -> None:
    assert () == listeners(happening("clock.met.v1", by="mayor", kind="MAYOR_RETURN", whose="mayor"))


def test_the_owner_and_the_registry_hear_of_an_expired_clock() -> None:
    told = listeners(happening("clock.expired.v1", kind="COMMISSION_REPORT", whose="commission_rapporteur"))
    assert {"commission_rapporteur@34-35", "registry_clerk@34-35"} == set(told)


def test_the_partner_hears_that_an_unsent_decision_is_not_in_force() -> None:
    told = listeners(happening("clock.expired.v1", kind="SEND_TO_AUTHORITY", whose="registry_clerk"))
    assert {"registry_clerk@34-35", "mayor@34-35", f"organisation_representative@{ORGANISATION}"} == set(told)


def test_the_owner_hears_of_a_clock_that_moved() -> None:
    told = listeners(
        happening("clock.moved.v1", by="administrator", kind="MAYOR_RETURN", whose="mayor", why="calendar")
    )
    assert ("mayor@34-35",) == told


@pytest.mark.parametrize("why", ["pause", "resume"])
def test_a_pause_is_told_by_its_move_alone(why: str) -> None:
    paused = happening(
        "clock.moved.v1", by="authority_clerk", kind="PERMISSION_SILENCE", whose="authority_head", why=why
    )
    assert () == listeners(paused)


@pytest.mark.parametrize("whose", ["system", None])
def test_a_clock_of_nobody_reaches_no_strange_office(whose: str | None) -> None:
    assert ("registry_clerk@34-35",) == listeners(happening("clock.expired.v1", kind="TERM", whose=whose))


def test_a_case_without_authority_reaches_no_strange_office() -> None:
    told = listeners(happening("protocol.entered_into_force.v1", by="mayor", authority=None))
    assert not [office for office in told if office.startswith("authority_")]


@pytest.mark.parametrize("event", ["organisation.status_granted.v1", "organisation.status_revoked.v1"])
def test_status_news_reaches_the_organisation_and_municipalities_with_open_cases(event: str) -> None:
    told = listeners(happening(event, by="registrar"), ["34-35", "06-00"])
    assert {
        f"organisation_representative@{ORGANISATION}",
        "unit_officer@06-00",
        "registry_clerk@06-00",
        "unit_officer@34-35",
        "registry_clerk@34-35",
    } == set(told)


def test_an_update_is_quiet_unless_the_organisation_is_dissolved() -> None:
    assert () == listeners(happening("organisation.updated.v1", by="registrar", state="active"), ["34-35"])
    assert ("unit_officer@34-35", "registry_clerk@34-35") == listeners(
        happening("organisation.updated.v1", by="registrar", state="dissolved"), ["34-35"]
    )


def test_nothing_is_stored_for_an_event_that_concerns_nobody() -> None:
    assert is_quiet(happening("clock.met.v1", kind="MAYOR_RETURN", whose="mayor"))
    assert is_quiet(happening("organisation.registered.v1", state="active"))
    assert not is_quiet(happening("organisation.status_granted.v1", state="active"))


def test_a_move_that_nobody_hears_of_is_still_remembered() -> None:
    assert not is_quiet(
        happening(
            "protocol.moved.v1",
            move="sign",
            to="in_force",
            municipality=None,
            authority=None,
            organisation_id=None,
            protocol_id="",
            reference="",
            title="",
            organisation_name="",
        )
    )


def test_every_event_heard_has_its_row_in_the_audience() -> None:
    assert {row.event for row in subscriptions_of("notifications")} == {rule.event for rule in AUDIENCE}


def test_the_audience_names_offices_only() -> None:
    assert {role for rule in AUDIENCE for role in rule.roles} <= {*ROLES, TURN, OWNER}


def test_of_the_central_offices_the_registrar_alone_hears_and_of_the_registry_alone() -> None:
    told = {(role, rule.event.partition(".")[0]) for rule in AUDIENCE for role in rule.roles if role in CENTRAL_ROLES}
    assert {("registrar", "organisation")} == told


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("protocol.flagged.v1", {"unit_officer", "registry_clerk", "mayor", "organisation_representative"}),
        ("protocol.review_settled.v1", {"registry_clerk", "mayor", "organisation_representative"}),
        ("protocol.partner_changed.v1", {"unit_officer", "registry_clerk", "organisation_representative"}),
        ("organisation.correction_proposed.v1", {"registrar"}),
        ("organisation.correction_decided.v1", {"organisation_representative"}),
        ("organisation.audit_due.v1", {"registrar"}),
        ("organisation.status_ending.v1", {"registrar", "organisation_representative"}),
    ],
)
def test_what_changes_in_the_registry_reaches_those_who_must_act_on_it(event: str, told: set[str]) -> None:
    by = "unit_officer" if event == "protocol.review_settled.v1" else "system"
    expected = {f"{role}@{TENANTS.get(role, '-')}" for role in told}
    assert expected == set(listeners(happening(event, by=by)))


def test_only_organisations_events_need_the_open_cases() -> None:
    assert concerns_open_cases(happening("organisation.status_granted.v1"))
    assert not concerns_open_cases(happening("organisation.updated.v1", state="active"))
    assert not concerns_open_cases(moved(*MOVES[0]))


def test_the_table_reads_as_documentation() -> None:
    lines = as_markdown().splitlines()
    assert len(AUDIENCE) + 2 == len(lines)
    assert "| `clock.met.v1` | always | nobody | Nobody: the move that met it was told. |" in lines
