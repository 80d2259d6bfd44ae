"""Who hears what: everyone concerned, nobody twice, no office of its own act."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts.subscriptions import subscriptions_of
from services.kernel.actor import CENTRAL_ROLES, PETITIONER, ROLES
from services.notifications.application.telling import is_quiet
from services.notifications.domain.audience import (
    AUDIENCE,
    HEAD,
    OWNER,
    REMINDED,
    SUPPORTER,
    TURN,
    as_markdown,
    concerns_open_cases,
    listeners,
)
from services.notifications.domain.happening import Happening
from services.notifications.domain.preference import default_of, known_topics, topic_of

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
    assert {role for rule in AUDIENCE for role in rule.roles} <= {
        *ROLES,
        TURN,
        OWNER,
        REMINDED,
        HEAD,
        PETITIONER,
        SUPPORTER,
    }


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


PETITION = str(uuid.uuid4())
CITIZEN = f"petitioner@{PETITION}"
PARTNER = f"organisation_representative@{ORGANISATION}"


def of_petition(event: str, *, by: str | None = None, organisation: bool = False, **data: Any) -> Happening:
    """An event of a petition to Şişli, by a citizen or by an organisation."""
    known = {"petition_id": PETITION, "municipality": "34-35", "authority": None}
    owner = {"organisation_id": ORGANISATION if organisation else None}
    acting = happening(event, by=by)
    office = "petitioner@-" if by == "petitioner" else acting.actor_office
    return replace(acting, actor_office=office, data=known | owner | data)


def petition_moved(
    move: str, by: str, start: str, end: str, turn: str | None, *, organisation: bool = False
) -> Happening:
    path = {"from": start, "to": end}
    return of_petition("petition.moved.v1", by=by, organisation=organisation, move=move, turn=turn, **path)


PETITION_ROWS = (
    ("register", "registry_clerk", "received", "registered", "registry_clerk"),
    ("assign", "registry_clerk", "registered", "assigned", "unit_officer"),
    ("forward", "registry_clerk", "registered", "forwarded", None),
    ("return_for_completion", "registry_clerk", "registered", "awaiting_completion", "petitioner"),
    ("extend", "unit_officer", "assigned", "assigned", "unit_officer"),
    ("interim_reply", "unit_officer", "assigned", "assigned", "unit_officer"),
    ("reply", "unit_officer", "assigned", "answered", None),
    ("decline_to_examine", "registry_clerk", "registered", "declined", None),
    ("accept_proposal", "unit_officer", "assigned", "proposal_accepted", None),
)


@pytest.mark.parametrize("organisation", [False, True])
@pytest.mark.parametrize(("move", "by", "start", "end", "turn"), PETITION_ROWS)
def test_the_petitioner_hears_of_every_step_of_the_municipality(
    move: str, by: str, start: str, end: str, turn: str | None, *, organisation: bool
) -> None:
    told = listeners(petition_moved(move, by, start, end, turn, organisation=organisation))
    assert (PARTNER if organisation else CITIZEN) in told
    assert f"{by}@34-35" not in told


def test_a_petition_is_told_to_the_registry_and_acknowledged_to_whoever_sent_it_without_an_office() -> None:
    told = listeners(of_petition("petition.submitted.v1", by="petitioner", stage="received", turn="registry_clerk"))
    assert {"registry_clerk@34-35", CITIZEN} == set(told)


def test_an_organisation_that_petitions_from_its_office_needs_no_receipt() -> None:
    submitted = of_petition("petition.submitted.v1", by="organisation_representative", organisation=True)
    assert ("registry_clerk@34-35",) == listeners(submitted)


@pytest.mark.parametrize("move", ["complete", "withdraw"])
def test_a_petitioner_does_not_hear_of_the_own_step(move: str) -> None:
    told = listeners(petition_moved(move, "petitioner", "awaiting_completion", "assigned", "unit_officer"))
    assert "unit_officer@34-35" in told
    assert CITIZEN not in told


def test_a_late_answer_is_told_to_the_unit_the_registry_and_the_petitioner_and_once() -> None:
    late = petition_moved("note_silence", "system", "assigned", "assigned", "unit_officer")
    expired = of_petition("petition.clock_expired.v1", clock="PETITION_ANSWER", whose="unit_officer")
    assert {"unit_officer@34-35", "registry_clerk@34-35", CITIZEN} == set(listeners(late))
    assert listeners(expired) == ()


def test_a_protocol_that_came_of_a_proposal_is_told_by_one_event() -> None:
    linking = petition_moved("link_protocol", "system", "proposal_accepted", "proposal_accepted", None)
    linked = of_petition("petition.protocol_linked.v1", protocol_reference="34-35/2026/3")
    assert CITIZEN not in listeners(linking)
    assert {CITIZEN, "unit_officer@34-35"} == set(listeners(linked))


@pytest.mark.parametrize("clock", ["SUIT", "OBJECTION"])
def test_a_right_to_a_remedy_is_told_to_the_petitioner(clock: str) -> None:
    begun = of_petition("petition.clock_started.v1", by="unit_officer", clock=clock, whose="petitioner")
    assert (CITIZEN,) == listeners(begun)


def test_a_petition_that_stands_still_is_told_by_its_move_alone() -> None:
    paused = of_petition("petition.clock_moved.v1", clock="PETITION_ANSWER", whose="unit_officer", why="pause")
    assert () == listeners(paused)


@pytest.mark.parametrize("event", ["petition.reminder_due.v1", "clock.reminder_due.v1"])
@pytest.mark.parametrize("rung", ["before", "due"])
def test_the_owner_of_a_time_limit_is_reminded(event: str, rung: str) -> None:
    reminder = of_petition(event, whose="unit_officer", rung=rung, days_left=2)
    assert ("unit_officer@34-35",) == listeners(reminder)


@pytest.mark.parametrize("event", ["petition.reminder_due.v1", "clock.reminder_due.v1"])
def test_whoever_must_act_before_the_owner_can_is_reminded_instead(event: str) -> None:
    reminder = of_petition(event, whose="unit_officer", turn="registry_clerk", rung="before", days_left=2)
    assert ("registry_clerk@34-35",) == listeners(reminder)
    late = of_petition(event, whose="unit_officer", turn="registry_clerk", rung="head", days_left=-5)
    assert ("mayor@34-35",) == listeners(late)


@pytest.mark.parametrize("start", ["received", "registered", "assigned", "awaiting_completion", "proposal_accepted"])
def test_every_withdrawal_reaches_the_registry_and_the_unit_that_had_the_petition(start: str) -> None:
    told = listeners(petition_moved("withdraw", "petitioner", start, "withdrawn", None))
    unit = {"unit_officer@34-35"} if start not in ("received", "registered") else set()
    assert {"registry_clerk@34-35"} | unit == set(told) - {CITIZEN}


def test_what_did_not_come_in_time_is_told_to_registry_unit_and_petitioner() -> None:
    lapsed = petition_moved("lapse_completion", "system", "awaiting_completion", "registered", "registry_clerk")
    assert {"registry_clerk@34-35", "unit_officer@34-35", CITIZEN} == set(listeners(lapsed))


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        ("unit_officer", "mayor@34-35"),
        ("registry_clerk", "mayor@34-35"),
        ("mayor", "mayor@34-35"),
        ("authority_clerk", "authority_head@K34-35"),
        ("authority_head", "authority_head@K34-35"),
        ("organisation_representative", PARTNER),
    ],
)
def test_after_a_missed_day_the_head_of_the_office_is_told(owner: str, told: str) -> None:
    assert (told,) == listeners(happening("clock.reminder_due.v1", whose=owner, rung="head", days_left=-5))


def test_a_petitioner_who_owns_a_time_limit_is_reminded_and_has_no_head() -> None:
    for rung in ("before", "due", "head"):
        reminder = of_petition("petition.reminder_due.v1", whose="petitioner", rung=rung, days_left=2)
        assert (CITIZEN,) == listeners(reminder)


def test_a_signature_is_confirmed_by_whoever_gave_it_alone() -> None:
    asked = of_petition("petition.support_requested.v1", support_id="a-signature", by="petitioner")
    assert ("supporter@a-signature",) == listeners(asked)


def test_an_accepted_proposal_without_a_draft_has_somebody_who_sees_to_it() -> None:
    failed = petition_moved("report_draft_problem", "system", "proposal_accepted", "assigned", "unit_officer")
    assert {"unit_officer@34-35", "registry_clerk@34-35", "mayor@34-35", CITIZEN} == set(listeners(failed))


def test_every_event_that_somebody_hears_of_may_be_chosen() -> None:
    assert {rule.event for rule in AUDIENCE if rule.roles} - known_topics() <= {"petition.support_requested.v1"}


@pytest.mark.parametrize(("move", "by", "start", "end", "turn"), MOVES)
def test_whoever_must_act_next_is_told_at_once_by_default(
    move: str, by: str, start: str, end: str, turn: str | None
) -> None:
    event = moved(move, by, start, end, turn)
    for office in listeners(event):
        if turn == office.partition("@")[0]:
            assert ("protocol.moved.v1/turn", "at_once") == (
                topic_of(event, office),
                default_of(topic_of(event, office)),
            )


def test_an_answer_reaches_the_organisation_that_asked_at_once() -> None:
    event = petition_moved("reply", "unit_officer", "assigned", "answered", None, organisation=True)
    assert "petition.moved.v1/outcome" == topic_of(event, PARTNER)
    assert "petition.moved.v1" == topic_of(event, "registry_clerk@34-35")


def test_a_refusal_is_a_topic_of_its_own() -> None:
    refused = moved("refuse", "authority_head", "authority_review", "permission_refused", "mayor")
    assert "protocol.moved.v1/refused" == topic_of(refused, "unit_officer@34-35")
    assert "protocol.moved.v1/turn" == topic_of(refused, "mayor@34-35")
