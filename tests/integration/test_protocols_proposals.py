"""An accepted proposal becomes one protocol draft, or one reasoned failure, however often it is told."""

from __future__ import annotations

import json
import uuid
from datetime import date
from typing import Any

import pytest
from archive import StandingTime, events_of
from sqlalchemy import select

from services.contracts.protocols import EVENTS
from services.kernel.errors import NotFound, Unavailable
from services.protocols.adapters.tables import PROTOCOLS, TEXTS
from services.protocols.service import ProtocolsService
from services.runtime.database import Database
from services.runtime.envelope import Envelope
from services.runtime.settings import Settings

TODAY = date(2026, 9, 7)
PETITION, ORGANISATION = "5e7e0000-0000-4000-8000-000000000001", "0b6f7a52-6f0e-4c0e-9d49-5f6f1f4d7a01"


class Registry:
    """The registry's answer to the one question that drafting asks."""

    def __init__(self, permission: str = "required", error: Exception | None = None) -> None:
        self.permission, self.error, self.asked = permission, error, 0

    def decision_facts(self, **_: Any) -> dict[str, Any]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        authority = {"code": "K34-35", "name": "Şişli Kaymakamlığı", "kind": "district_governor"}
        return {
            "organisation": {"id": ORGANISATION, "name": "Yer Çizenler", "registry_no": None, "version": 3},
            "standing": {"permission": self.permission, "article": "5393/75-c", "explanation": [], "evidence": None},
            "municipality": {"code": "34-35", "name": "Şişli", "kind": "metropolitan_district",
                             "civil_authority": authority, "council": {"full_membership": 37}},
        }  # fmt: skip


def accepted(**more: Any) -> Envelope:
    data = {
        "petition_id": PETITION, "number": "34-35/2026/D4", "kind": "partnership_proposal", "municipality": "34-35",
        "municipality_name": "Şişli", "organisation_id": ORGANISATION, "organisation_name": "Yer Çizenler",
        "petitioner_type": "organisation", "title": "Mahalle haritası", "subject": "Mahallenin birlikte haritalanması",
        "municipal_duty": "Coğrafi bilgi sistemleri kurmak (5393/14-a)", "starts_on": "2027-01-01", "term_months": 12,
        "funder_deadline": None, "text": None, "activity_id": None,
    }  # fmt: skip
    return Envelope.from_plain(
        {
            "id": str(uuid.uuid4()), "name": "petition.proposal_accepted.v1", "subject_id": PETITION,
            "subject_version": 5, "occurred_at": "2026-09-07T08:15:00+00:00", "correlation_id": "c",
            "actor": {"office": "unit_officer@34-35", "role": "unit_officer"}, "data": data | more,
        }
    )  # fmt: skip


def service_over(files: Database, registry: Registry) -> ProtocolsService:
    made = ProtocolsService()
    made.database, made.settings, made.time, made.registry = files, Settings(), StandingTime(TODAY), registry
    return made


def drafts(files: Database) -> list[Any]:
    with files.read() as connection:
        return list(connection.execute(select(PROTOCOLS)).all())


def told(files: Database, name: str) -> list[dict[str, Any]]:
    return [row.data for row in events_of(files) if row.name == name]


def test_an_accepted_proposal_becomes_a_draft_that_names_its_petition(files: Database) -> None:
    service_over(files, Registry()).draft_proposed(accepted())
    ((draft,), (event,)) = drafts(files), told(files, "protocol.drafted.v1")
    assert (PETITION, "drafting", "Mahalle haritası") == (draft.petition_id, draft.stage, draft.title)
    assert (PETITION, str(draft.id)) == (event["petition_id"], event["protocol_id"])


def test_the_first_text_has_every_section_and_names_both_parties(files: Database) -> None:
    service_over(files, Registry()).draft_proposed(accepted())
    with files.read() as connection:
        text = connection.execute(select(TEXTS.c.text)).scalar_one()
    for part in ("Şişli", "Yer Çizenler", "1. TARAFLAR", "19. İMZA", "34-35/2026/D4", "75. maddesinin (c)"):
        assert part in text


def test_the_offices_own_text_is_taken_as_it_is(files: Database) -> None:
    service_over(files, Registry()).draft_proposed(accepted(text="Birimin metni"))
    with files.read() as connection:
        assert "Birimin metni" == connection.execute(select(TEXTS.c.text)).scalar_one()


def test_the_same_proposal_told_twice_makes_one_draft(files: Database) -> None:
    service, envelope = service_over(files, Registry()), accepted()
    service.draft_proposed(envelope)
    service.draft_proposed(envelope)
    service.draft_proposed(accepted())
    assert (1, 1) == (len(drafts(files)), len(told(files, "protocol.drafted.v1")))


@pytest.mark.parametrize(
    ("registry", "more", "code"),
    [
        (Registry("not_possible"), {}, "partner_cannot_be_a_party"),
        (Registry(error=NotFound("There is no such organisation.")), {}, "not_found"),
        (Registry(), {"starts_on": "2036-01-01"}, "invalid"),
    ],
    ids=["partner", "unknown", "dates"],
)
def test_a_draft_that_cannot_be_made_is_told_with_its_reasons(
    files: Database, registry: Registry, more: dict[str, Any], code: str
) -> None:
    service, envelope = service_over(files, registry), accepted(**more)
    service.draft_proposed(envelope)
    service.draft_proposed(envelope)
    (failure,) = told(files, "protocol.draft_failed.v1")
    assert ([], [code]) == (drafts(files), [each["code"] for each in failure["reasons"]])
    assert {} == EVENTS["protocol.draft_failed.v1"]().validate(json.loads(json.dumps(failure)))


def test_a_registry_that_is_away_is_waited_for(files: Database) -> None:
    away = Registry(error=Unavailable("away"))
    service, envelope = service_over(files, away), accepted()
    with pytest.raises(Unavailable):
        service.draft_proposed(envelope)
    assert ([], []) == (drafts(files), told(files, "protocol.draft_failed.v1"))
    away.error = None
    service.draft_proposed(envelope)
    assert 1 == len(drafts(files))
