"""What the registry tells others keeps the shape that was promised."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from services.contracts import registry as contract
from services.contracts.registry import TOLD, NewOrganisation, OrganisationAnswer, StandingAnswer
from services.contracts.subscriptions import SUBSCRIPTIONS
from services.gateway.schemas.corrections import FIELD_STATES
from services.kernel.actor import SYSTEM, Actor
from services.kernel.events import Event
from services.registry.adapters.messages import message_of, organisation_shown, standing_shown
from services.registry.domain.calendar import add_day
from services.registry.domain.correction import PROPOSABLE, CorrectionState, FieldState
from services.registry.domain.events import (
    CalendarDayAddedV1,
    Heir,
    MunicipalityRemovedV1,
    MunicipalityUpdatedV1,
    Named,
    OrganisationAuditDueV1,
    OrganisationCorrectionDecidedV1,
    OrganisationCorrectionProposedV1,
    OrganisationExpertiseChangedV1,
    OrganisationRegisteredV1,
    OrganisationRemovedV1,
    OrganisationStatusEndingV1,
    OrganisationStatusGrantedV1,
    OrganisationStatusRevokedV1,
    OrganisationSucceededV1,
    OrganisationUpdatedV1,
)
from services.registry.domain.expertise import Offer
from services.registry.domain.municipality import Authority, Municipality
from services.registry.domain.organisation import Facts, Grant, Organisation, Revocation
from services.registry.domain.status import Decision
from services.registry.domain.succession import SuccessionKind
from services.registry.domain.vocabulary import (
    AuthorityKind,
    Form,
    Ground,
    MunicipalityKind,
    Permission,
    State,
    StatusKind,
)
from services.registry.domain.watch import AuditOutcome, WatchKind

SAMPLES = Path(__file__).parents[1] / "contracts" / "samples"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TODAY = date(2026, 3, 2)
REGISTRAR = Actor(role="registrar", user_id="u")
ADMINISTRATOR = Actor(role="administrator", user_id="u")
CLERK = Actor(role="registry_clerk", municipality="34-35", user_id="u")
ORGANISATION = "0b6f7a52-6f0e-4c0e-9d49-5f6f1f4d7a01"
OFFER = "7c1f0f6e-3f0a-4d5e-8c39-0d6f5b1c2e0e"
STATUS = "5a1f0f6e-3f0a-4d5e-8c39-0d6f5b1c2e02"
EVENTS = (
    OrganisationRegisteredV1,
    OrganisationUpdatedV1,
    OrganisationStatusGrantedV1,
    OrganisationStatusRevokedV1,
    OrganisationRemovedV1,
    OrganisationExpertiseChangedV1,
    MunicipalityUpdatedV1,
    MunicipalityRemovedV1,
    CalendarDayAddedV1,
    OrganisationCorrectionProposedV1,
    OrganisationCorrectionDecidedV1,
    OrganisationSucceededV1,
    OrganisationAuditDueV1,
    OrganisationStatusEndingV1,
)
REPRESENTATIVE = Actor(role="organisation_representative", organisation_id=ORGANISATION, user_id="u")


def upkeep() -> dict[str, tuple[Event, Actor]]:
    """One event of every kind about keeping the registry true."""
    about = Named(id=ORGANISATION, name="Örnek Dayanışma Derneği", registry_no="34.123.456")
    heir = Organisation("0b6f7a52-6f0e-4c0e-9d49-5f6f1f4d7a02", Facts("Birleşik Dayanışma Derneği", Form.ASSOCIATION))
    takes = Heir(id=heir.id, name=heir.facts.name, version=2, standing=heir.standing(TODAY))
    correction = "c0a80000-0000-4000-8000-000000000001"
    due = {"organisation": about, "province_code": "34", "status_id": STATUS, "article": "5253/27"}
    told: list[tuple[Event, Actor]] = [
        (
            OrganisationCorrectionProposedV1(
                subject_id=ORGANISATION, subject_version=4, organisation=about, correction_id=correction,
                fields=("address", "email"),
            ),
            REPRESENTATIVE,
        ),
        (
            OrganisationCorrectionDecidedV1(
                subject_id=ORGANISATION, subject_version=5, organisation=about, correction_id=correction,
                accepted=("address",), declined=("email",), waiting=(),
            ),
            REGISTRAR,
        ),
        (
            OrganisationSucceededV1(
                subject_id=ORGANISATION, subject_version=6, organisation=about, kind="merge",
                effective_on=date(2026, 3, 1), continues=False, successors=(takes,), protocols_to=takes,
            ),
            REGISTRAR,
        ),
        (
            OrganisationAuditDueV1(
                subject_id=ORGANISATION, subject_version=4, due_on=date(2026, 4, 20), days_before=60, urgency="later",
                last_audit_on=date(2024, 4, 20), **due,
            ),
            SYSTEM,
        ),
        (
            OrganisationStatusEndingV1(
                subject_id=ORGANISATION, subject_version=4, kind="public_benefit", ends_on=date(2026, 5, 31),
                days_before=90, **due,
            ),
            SYSTEM,
        ),
    ]  # fmt: skip
    return {event.name: (event, actor) for event, actor in told}


def happened() -> dict[str, tuple[Event, Actor]]:
    """One event of every kind, always the same."""
    organisation, registered = Organisation.register(
        ORGANISATION,
        {
            "name": "Örnek Dayanışma Derneği",
            "form": "association",
            "registry_no": "34.123.456",
            "province_code": "34",
            "email": "bilgi@ornek.org.tr",
            "phone": "+90 212 000 00 00",
            "address": "Örnek Sokak 1",
        },
        TODAY,
    )
    updated = organisation.update({"state": "to_verify"}, TODAY)
    grant = Grant(
        StatusKind.PUBLIC_BENEFIT,
        valid_from=date(2020, 1, 15),
        valid_to=date(2029, 12, 31),
        decision=Decision("2020/12", date(2020, 1, 10), "31000", date(2020, 1, 15)),
    )
    granted = organisation.grant(grant, STATUS, today=TODAY, now=NOW, by="registrar@-")
    revocation = Revocation(revoked_on=date(2026, 3, 1))
    revoked = organisation.revoke(STATUS, revocation, today=TODAY, now=NOW, by="registrar@-")
    authority = Authority("K34-35", AuthorityKind.DISTRICT_GOVERNOR, "Şişli Kaymakamlığı")
    kind = MunicipalityKind.METROPOLITAN_DISTRICT
    municipality = Municipality("34-35", "Şişli Belediyesi", kind, "34", "İstanbul", "Şişli", authority)
    counted = municipality.update_council({"full_membership": 37})
    _, added = add_day([], date(2026, 5, 25), "administrative_leave", "İdari izin", "Örnek karar", now=NOW, by="a")
    assert updated is not None
    assert counted is not None
    given = {"tags": ["mapping", "volunteering"], "text": "bilgi@ornek.org.tr", "provinces": ["34", "06"]}
    offered = Offer(OFFER, ORGANISATION).change(
        given | {"valid_until": date(2026, 12, 31)}, 0, today=TODAY, now=NOW, by="registrar@-"
    )
    assert offered is not None
    gone = (organisation.remove(TODAY), municipality.removed())
    told = [(event, REGISTRAR) for event in (registered, updated, granted, revoked, offered[1], *gone)]
    return {event.name: (event, actor) for event, actor in [*told, (counted, CLERK), (added, ADMINISTRATOR)]}


def sample(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return read


@pytest.mark.parametrize("name", [event.name for event in EVENTS])
def test_an_event_still_has_the_frozen_shape(name: str) -> None:
    event, actor = {**happened(), **upkeep()}[name]
    message = message_of(event, actor=actor, now=NOW)
    frozen = sample(name)
    assert frozen["data"] == message.data
    assert (frozen["name"], frozen["subject_id"], frozen["subject_version"]) == (
        message.name,
        message.subject_id,
        message.subject_version,
    )
    assert frozen["actor"] == {"office": actor.office, "role": actor.role}


@pytest.mark.parametrize("name", sorted(TOLD))
def test_the_frozen_sample_keeps_the_contract(name: str) -> None:
    assert {} == TOLD[name]().validate(sample(name)["data"])


def test_every_event_has_a_contract_a_sample_and_nothing_else_has() -> None:
    names = {event.name for event in EVENTS}
    assert names == set(TOLD)
    for prefix in ("organisation.", "municipality.", "calendar."):
        assert {name for name in names if name.startswith(prefix)} == {
            path.stem for path in SAMPLES.glob(f"{prefix}*.json")
        }


def test_others_listen_only_to_events_that_the_registry_tells() -> None:
    assert {row.event for row in SUBSCRIPTIONS if row.producer == "registry"} <= set(TOLD)


def test_no_event_carries_a_way_of_contact() -> None:
    for event, actor in (*happened().values(), *upkeep().values()):
        told = json.dumps(message_of(event, actor=actor, now=NOW).data)
        assert not [secret for secret in ("ornek.org", "212", "Sokak") if secret in told]


def test_everyone_who_is_signed_in_may_hear_of_the_registry() -> None:
    for event, actor in happened().values():
        scope = message_of(event, actor=actor, now=NOW).scope
        assert (None, None, None) == (scope.municipality, scope.authority, scope.organisation_id)


def test_of_a_correction_nobody_hears_but_the_organisation_itself() -> None:
    for name, (event, actor) in upkeep().items():
        expected = ORGANISATION if "correction" in name else None
        assert expected == message_of(event, actor=actor, now=NOW).scope.organisation_id


def test_a_revocation_is_told_with_its_decision_where_one_is_recorded() -> None:
    organisation = Organisation(ORGANISATION, Facts("Örnek", Form.ASSOCIATION))
    organisation.grant(
        Grant(StatusKind.PUBLIC_BENEFIT, date(2020, 1, 1)), STATUS, today=TODAY, now=NOW, by="registrar@-"
    )
    revocation = Revocation(decision=Decision("2026/7", date(2026, 2, 1)))
    event = organisation.revoke(STATUS, revocation, today=TODAY, now=NOW, by="registrar@-")
    (status,) = message_of(event, actor=REGISTRAR, now=NOW).data["statuses"]
    assert ("2026/7", "2026-02-01") == (status["revocation_no"], status["revocation_on"])


def test_an_event_without_a_contract_is_a_bug() -> None:
    class ThingHappenedV1(Event):
        pass

    with pytest.raises(LookupError):
        message_of(ThingHappenedV1(subject_id="x", subject_version=1), actor=REGISTRAR, now=NOW)


@pytest.mark.parametrize(
    ("words", "enumeration"),
    [
        (contract.FORMS, Form),
        (contract.STATES, State),
        (contract.STATUS_KINDS, StatusKind),
        (contract.PERMISSIONS, Permission),
        (contract.GROUNDS, Ground),
        (contract.MUNICIPALITY_KINDS, MunicipalityKind),
        (contract.AUTHORITY_KINDS, AuthorityKind),
        (contract.SUCCESSION_KINDS, SuccessionKind),
        (contract.CORRECTION_STATES, CorrectionState),
        (contract.AUDIT_OUTCOMES, AuditOutcome),
        (contract.WATCH_KINDS, WatchKind),
        (FIELD_STATES, FieldState),
        (contract.CORRECTABLE, PROPOSABLE),
    ],
)
def test_the_contract_and_the_domain_use_the_same_words(words: tuple[str, ...], enumeration: Any) -> None:
    assert words == tuple(enumeration)


def test_every_recorded_fact_may_be_given_and_is_shown() -> None:
    facts = {each.name for each in fields(Facts)}
    assert facts == set(NewOrganisation().fields)
    assert facts <= set(OrganisationAnswer().fields)


def test_answers_keep_their_contract_whatever_is_recorded() -> None:
    organisation = Organisation(ORGANISATION, Facts("Örnek", Form.ASSOCIATION))
    assert {} == OrganisationAnswer().validate(organisation_shown(organisation, TODAY, with_history=True))
    organisation.grant(
        Grant(StatusKind.PUBLIC_BENEFIT, date(2020, 1, 1)), STATUS, today=TODAY, now=NOW, by="registrar@-"
    )
    organisation.revoke(STATUS, Revocation(reason="denetim"), today=TODAY, now=NOW, by="registrar@-")
    assert {} == OrganisationAnswer().validate(organisation_shown(organisation, TODAY, with_history=True))
    for form in Form:
        organisation.facts = replace(organisation.facts, form=form)
        shown = standing_shown(organisation.standing(TODAY), ORGANISATION, "34-35", NOW)
        assert {} == StandingAnswer().validate(shown)
