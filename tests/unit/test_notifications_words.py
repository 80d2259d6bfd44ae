"""The words of notifications: complete in both languages, without gaps and without names of the program."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from services.notifications.domain.happening import Happening
from services.notifications.domain.petition_template import (
    AWAITED,
    PETITION_CLOCKS,
    PETITION_EXPIRIES,
    PETITION_KINDS,
    PETITION_OUTCOMES,
    PETITION_OWNERS,
    PETITION_STAGES,
    PETITION_TURNS,
    PETITION_WHYS,
)
from services.notifications.domain.template import (
    AUDITS,
    CAUSES,
    CLOCKS,
    ENDINGS,
    EXPIRIES,
    MOVES,
    NOW,
    OUTCOMES,
    OWNERS,
    PERMISSIONS,
    STAGES,
    SUCCESSIONS,
    TEMPLATES,
    TURNS,
    WHYS,
    all_sentences,
    body,
    params_of,
    template_of,
    title,
)
from services.notifications.domain.wording import COURTESY, RUNGS
from services.runtime.language import catalogue, say

CODE_NAME = re.compile(r"\b[a-z]+_[a-z_]+\b|\b[A-Z]+_[A-Z_]+\b|[{}]")
KNOWN = {
    "title": "Engelsiz sokaklar",
    "municipality_name": "Şişli Belediyesi",
    "authority_name": "Şişli Kaymakamlığı",
    "organisation_name": "Yer Çizenler Herkes İçin Haritalama Derneği",
    "former_organisation_name": "Sokak Haritaları Derneği",
    "name": "Yer Çizenler Herkes İçin Haritalama Derneği",
    "article": "5393/23",
    "why": "calendar",
    "cases": "34-35/2026/1, 34-35/2026/2",
    "number": "34-35/2026/D7",
    "addressee": "İstanbul Büyükşehir Belediyesi",
    "protocol_reference": "34-35/2026/3",
    "address": "b…@example.org",
    "host": "example.org",
    "days_left": 5,
    "days_late": 5,
    **dict.fromkeys(
        ("due_on", "done_on", "from_due_on", "to_due_on", "starts_on", "ends_on", "standing_on", "effective_on"),
        "2026-03-02",
    ),
}


def chosen() -> list[dict[str, Any]]:
    """Values that lead through every choice of every template at least once."""
    tables = {
        "stage": {**STAGES, **PETITION_STAGES},
        "to": {**STAGES, **PETITION_STAGES},
        "turn": {**TURNS, **PETITION_TURNS},
        "whose": {**OWNERS, **PETITION_OWNERS},
        "kind": {**CLOCKS, **EXPIRIES, **SUCCESSIONS, **ENDINGS, **PETITION_KINDS},
        "clock": {**PETITION_CLOCKS, **PETITION_EXPIRIES},
        "rung": RUNGS,
        "awaits": AWAITED,
        "cause": CAUSES,
        "now": NOW,
        "outcome": {**OUTCOMES, **PETITION_OUTCOMES},
        "urgency": AUDITS,
        "permission": PERMISSIONS,
        "why": {**WHYS, **PETITION_WHYS},
    }
    longest = max(len(table) for table in tables.values())
    return [{name: list(table)[i % len(table)] for name, table in tables.items()} for i in range(longest)]


def spoken(key: str, params: dict[str, Any], language: str) -> str:
    return " ".join([say(title(key), language), *(say(each, language) for each in body(key, params))])


def moved(**data: Any) -> Happening:
    return Happening(
        event_id=str(uuid.uuid4()),
        event="protocol.moved.v1",
        occurred_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
        subject_id=str(uuid.uuid4()),
        subject_version=2,
        actor_office=None,
        data=KNOWN | data,
    )


@pytest.mark.parametrize("language", ["tr", "en"])
@pytest.mark.parametrize("key", TEMPLATES)
def test_every_notification_can_be_read_in_both_languages(key: str, language: str) -> None:
    for choice in chosen():
        text = spoken(key, KNOWN | choice, language)
        assert CODE_NAME.search(text) is None, text


def test_every_sentence_has_its_turkish() -> None:
    assert [] == [each for each in dict.fromkeys(all_sentences()) if each not in catalogue("tr")]


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_notification_with_nothing_known_still_shows_no_gap(key: str) -> None:
    assert CODE_NAME.search(spoken(key, {}, "en")) is None


def test_a_stage_or_role_unknown_to_the_words_is_left_out_not_shown() -> None:
    happening = moved(move="something_new", to="some_stage", turn="some_role", due_on=None, article=None)
    said = spoken(template_of(happening), params_of(happening), "en")
    assert (
        "The protocol has moved on A new step was taken in the protocol. "
        "Protocol: “Engelsiz sokaklar”, Şişli Belediyesi and Yer Çizenler Herkes İçin Haritalama Derneği. "
        "Date of the act: March 2, 2026."
    ) == said


def test_the_body_says_what_happened_whose_turn_it_is_and_by_when() -> None:
    happening = moved(move="return_to_council", to="reconsideration", turn="registry_clerk", due_on="2026-04-01")
    said = [say(each, "en") for each in body(template_of(happening), params_of(happening))]
    assert [
        "The mayor found the decision unlawful and returned it with reasons, to be debated again.",
        "Protocol: “Engelsiz sokaklar”, Şişli Belediyesi and Yer Çizenler Herkes İçin Haritalama Derneği.",
        "Date of the act: March 2, 2026.",
        "Stage: Back before the council.",
        "Next to act: the registry (Şişli Belediyesi).",
        "The nearest time limit ends on April 1, 2026.",
        "Legal basis: 5393/23.",
    ] == said


def test_the_same_is_said_in_turkish() -> None:
    happening = moved(move="return_to_council", to="mayor_check", turn="registry_clerk", due_on="2026-04-01")
    said = [say(each, "tr") for each in body(template_of(happening), params_of(happening))]
    assert "Aşama: Başkanın hukuki denetiminde." in said
    assert "Sıradaki: Yazı İşleri Müdürlüğü (Şişli Belediyesi)." in said
    assert "En yakın sürenin son günü: 1 Nisan 2026." in said


def test_only_the_values_that_the_words_need_are_kept() -> None:
    happening = moved(move="sign", to="in_force", turn=None, signatories=["…"], text_sha256="00")
    assert not {"signatories", "text_sha256"} & params_of(happening).keys()


def test_every_move_has_words_of_its_own() -> None:
    assert {f"protocol.moved.v1/{move}" for move in MOVES} <= TEMPLATES.keys()
    assert len(MOVES) == len({template.title for template in MOVES.values()})


def test_a_paused_time_limit_shows_no_new_last_day() -> None:
    params = {"why": "pause", "from_due_on": "2026-03-02", "kind": "PERMISSION_SILENCE"}
    said = [say(each, "en") for each in body("clock.moved.v1", params)]
    assert [
        "The time limit is paused.",
        "Former last day: March 2, 2026.",
        "Time limit: the answer to the permission request.",
    ] == said


def test_an_empty_article_is_no_legal_basis() -> None:
    assert "Legal basis: ." not in [say(each, "en") for each in body("clock.met.v1", KNOWN | {"article": ""})]


@pytest.mark.parametrize(
    "key",
    [
        "protocol.moved.v1/refuse",
        "clock.started.v1",
        "petition.clock_started.v1",
        "petition.moved.v1/reply",
        "petition.moved.v1/interim_reply",
        "petition.moved.v1/decline_to_examine",
    ],
)
def test_where_a_time_limit_runs_from_formal_service_the_text_says_so(key: str) -> None:
    assert "7201/7-a" in COURTESY
    assert COURTESY in [each.template for each in body(key, KNOWN)]


def test_a_reminder_says_how_many_days_are_left_and_which_day_is_the_last() -> None:
    params = {"rung": "before", "days_left": 5, "clock": "PETITION_ANSWER", "due_on": "2026-03-02"}
    said = [say(each, "tr") for each in body("petition.reminder_due.v1", KNOWN | params)]
    assert "Bir sürenin sonu yaklaşıyor. Kalan gün: 5." in said
    assert "Son gün: 2 Mart 2026." in said


def test_a_reminder_after_the_last_day_counts_the_days_since() -> None:
    said = [say(each, "en") for each in body("clock.reminder_due.v1", KNOWN | {"rung": "head", "days_late": 5})]
    assert "A time limit was missed. Days since: 5." == said[0]


def test_a_protocol_that_comes_to_a_withdrawn_petition_is_told_as_such() -> None:
    said = {stage: spoken("petition.protocol_linked.v1", KNOWN | {"stage": stage}, "en")
            for stage in ("proposal_accepted", "withdrawn", "answered")}  # fmt: skip
    assert ["goes on as a protocol" in text for text in said.values()] == [True, False, False]
    assert "had been withdrawn" in said["withdrawn"]
    assert "had ended before" in said["answered"]
