"""The table of 5393/75, row by row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.kernel.text import Sentence
from services.registry.domain.standing import RULES, Place, Standing, standing_of
from services.registry.domain.status import Decision, Status, StatusHistory
from services.registry.domain.vocabulary import (
    Form,
    Ground,
    MunicipalityKind,
    Permission,
    State,
    StatusKind,
)

NAME = "Örnek Kuruluş"
TODAY = date(2026, 3, 2)
NOON = datetime(2026, 1, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def status(kind: str, begins: date = date(2020, 1, 1), ends: date | None = None, **more: object) -> Status:
    return Status(
        id="s1",
        revision=1,
        kind=StatusKind(kind),
        valid_from=begins,
        valid_to=ends,
        recorded_at=NOON,
        **more,  # type: ignore[arg-type]
    )


def ask(
    form: str,
    *statuses: Status,
    on: date = TODAY,
    state: State = State.ACTIVE,
    place: Place | None = None,
) -> Standing:
    history = StatusHistory()
    for each in statuses:
        history = history.append(each)
    return standing_of(NAME, Form(form), state, history, on, place=place)


def told(standing: Standing) -> str:
    return " ".join(str(sentence) for sentence in standing.explanation)


@pytest.mark.parametrize(
    ("form", "held", "permission", "ground", "article"),
    [
        ("public_body", None, "not_needed", "public_body", "5393/75-a"),
        ("municipality", None, "not_needed", "public_body", "5393/75-a"),
        ("professional_body", None, "exempt", "professional_body", "5393/75-c"),
        ("trades_chamber", None, "exempt", "trades_chamber", "5393/75-c"),
        ("association", "public_benefit", "exempt", "public_benefit_association", "5393/75-c"),
        ("foundation", "tax_exempt", "exempt", "tax_exempt_foundation", "5393/75-c"),
        ("association", None, "required", "none", "5393/75-c"),
        ("foundation", None, "required", "none", "5393/75-c"),
        ("association", "tax_exempt", "required", "none", "5393/75-c"),
        ("foundation", "public_benefit", "required", "none", "5393/75-c"),
        ("federation", None, "required", "none", "5393/75-c"),
        ("confederation", None, "required", "none", "5393/75-c"),
        ("federation", "public_benefit", "required", "none", "5393/75-c"),
        ("confederation", "public_benefit", "required", "none", "5393/75-c"),
        ("association_branch", None, "not_possible", "none", "5253/2-h"),
        ("association_branch", "public_benefit", "not_possible", "none", "5253/2-h"),
        ("platform", None, "not_possible", "none", "5253/2-f"),
        ("foundation_university", None, "discretionary", "none", "2709/130"),
        ("foreign_association", None, "legal_review", "none", "5253/5"),
        ("union", None, "legal_review", "none", "5393/75-c"),
        ("cooperative", None, "legal_review", "none", "5393/75-c"),
        ("company", None, "legal_review", "none", "5393/75-c"),
    ],
)
def test_each_form_stands_as_the_table_says(
    form: str, held: str | None, permission: str, ground: str, article: str
) -> None:
    standing = ask(form, *([status(held)] if held else []))
    assert (permission, ground, article) == (standing.permission, standing.ground, standing.article)


@pytest.mark.parametrize("form", Form)
def test_a_dissolved_body_of_any_form_cannot_be_a_partner(form: Form) -> None:
    standing = ask(form, status("public_benefit"), state=State.DISSOLVED)
    assert (Permission.NOT_POSSIBLE, Ground.NONE, None) == (standing.permission, standing.ground, standing.evidence)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("state", State)
def test_every_answer_explains_itself_with_an_article_and_names_the_organisation(form: Form, state: State) -> None:
    standing = ask(form, state=state)
    assert NAME in told(standing)
    assert any(law in told(standing) for law in ("5393", "5253", "4962", "Constitution"))


@pytest.mark.parametrize("form", Form)
def test_exactly_one_row_without_conditions_is_about_each_form(form: Form) -> None:
    rows = [rule for rule in RULES if form in rule.forms and rule.status is None and rule.state is None]
    assert 1 == len(rows)


def test_the_rows_have_names_of_their_own() -> None:
    assert len(RULES) == len({rule.id for rule in RULES})


def test_only_an_exemption_or_a_public_body_has_a_ground() -> None:
    for rule in RULES:
        assert (rule.permission in (Permission.EXEMPT, Permission.NOT_NEEDED)) == (rule.ground is not Ground.NONE)


def test_every_sentence_of_the_table_survives_the_way_to_another_service() -> None:
    for form in Form:
        for sentence in ask(form, status("public_benefit"), status("tax_exempt")).explanation:
            assert sentence == Sentence.from_plain(sentence.to_plain())


@pytest.mark.parametrize(
    ("on", "permission"),
    [
        (date(2019, 12, 31), "required"),
        (date(2020, 1, 1), "exempt"),
        (date(2026, 6, 30), "exempt"),
        (date(2026, 7, 1), "required"),
    ],
)
def test_a_status_holds_from_its_first_to_its_last_day(on: date, permission: str) -> None:
    assert permission == ask("association", status("public_benefit", ends=date(2026, 6, 30)), on=on).permission


@pytest.mark.parametrize(("days", "permission"), [(-1, "exempt"), (0, "required")])
def test_a_status_no_longer_holds_on_the_day_of_its_revocation(days: int, permission: str) -> None:
    revoked = status("public_benefit", revoked_on=TODAY)
    assert permission == ask("association", revoked, on=TODAY + days * DAY).permission


def test_the_evidence_is_the_status_that_lasts_longest() -> None:
    short = status("tax_exempt", ends=date(2026, 12, 31))
    long = Status(id="s2", revision=1, kind=StatusKind.TAX_EXEMPT, valid_from=date(2025, 1, 1), recorded_at=NOON)
    evidence = ask("foundation", long, short).evidence
    assert evidence is not None
    assert "s2" == evidence.id


def test_an_answer_without_a_ground_has_no_evidence() -> None:
    assert ask("federation", status("public_benefit")).evidence is None


@pytest.mark.parametrize(
    ("statuses", "until"),
    [
        ([], None),
        ([status("public_benefit")], None),
        ([status("public_benefit", ends=date(2026, 6, 30))], date(2026, 6, 30)),
        ([status("public_benefit", begins=date(2026, 4, 1))], date(2026, 3, 31)),
        ([status("public_benefit", ends=date(2026, 1, 31))], None),
        ([status("tax_exempt", ends=date(2026, 6, 30))], None),
    ],
)
def test_until_is_the_last_day_on_which_the_answer_is_sure_to_stay(statuses: list[Status], until: date | None) -> None:
    assert until == ask("association", *statuses).until


def test_the_decision_is_told_as_far_as_it_is_recorded() -> None:
    act = Decision("2019/7", date(2019, 12, 1), "30000", date(2019, 12, 20))
    full = told(ask("association", status("public_benefit", decision=act)))
    assert "dated 2019-12-01 and numbered 2019/7" in full
    assert "Official Gazette of 2019-12-20, number 30000" in full
    assert "not recorded" in told(ask("association", status("public_benefit")))
    assert "number is not recorded" in told(
        ask("association", status("public_benefit", decision=Decision(decision_on=act.decision_on)))
    )
    assert "date is not recorded" in told(
        ask("association", status("public_benefit", decision=Decision(decision_no="7")))
    )


def test_a_status_that_has_ended_is_told_where_it_no_longer_helps() -> None:
    assert "ended on 2026-01-31" in told(ask("association", status("public_benefit", ends=date(2026, 1, 31))))
    assert "revoked on 2026-02-01" in told(ask("association", status("public_benefit", revoked_on=date(2026, 2, 1))))
    assert "begins only on 2026-04-01" in told(ask("association", status("public_benefit", begins=date(2026, 4, 1))))


def test_an_unverified_record_answers_and_says_so() -> None:
    standing = ask("professional_body", state=State.TO_VERIFY)
    assert Permission.EXEMPT == standing.permission
    assert "has not been verified" in told(standing)


def test_the_authority_is_named_only_where_it_has_something_to_decide() -> None:
    sisli = Place("Şişli Belediyesi", MunicipalityKind.METROPOLITAN_DISTRICT, "Şişli Kaymakamlığı")
    assert "Şişli Kaymakamlığı" in told(ask("association", place=sisli))
    assert "Şişli Kaymakamlığı" in told(ask("foundation_university", place=sisli))
    assert "Şişli Kaymakamlığı" not in told(ask("professional_body", place=sisli))


def test_the_way_from_5216_to_5393_is_told_for_metropolitan_municipalities_alone() -> None:
    istanbul = Place("İstanbul Büyükşehir Belediyesi", MunicipalityKind.METROPOLITAN, "İstanbul Valiliği")
    sisli = Place("Şişli Belediyesi", MunicipalityKind.METROPOLITAN_DISTRICT, "Şişli Kaymakamlığı")
    assert "5216" in told(ask("association", place=istanbul))
    assert "5216" not in told(ask("association", place=sisli))
