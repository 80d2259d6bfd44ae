"""The guided form: plain answers become a petition in good form."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.petitions import KINDS, TYPES
from services.contracts.writing import ANSWERS, LONGEST_BODY, LONGEST_SUBJECT
from services.kernel.errors import Invalid
from services.petitions.domain.advice import advise
from services.petitions.domain.guide import QUESTIONS, compose

WRITERS = [who for who in TYPES if who != "public_body"]


def answered(kind: str, *, full: bool = True) -> dict[str, str]:
    """The examples of the questions, as answers."""
    return {
        question.code: next(iter(question.choices), question.example.tr)
        for question in QUESTIONS[kind]
        if full or question.required
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", WRITERS)
def test_examples_make_a_petition_that_needs_no_advice(kind: str, who: str) -> None:
    made = compose(kind, answered(kind), who)
    assert set() == advise(made.subject, made.body, who, kind).codes
    assert made.body.startswith("ŞİŞLİ BELEDİYE BAŞKANLIĞINA\n\n")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", WRITERS)
def test_of_the_least_that_must_be_answered_only_the_place_is_missed(kind: str, who: str) -> None:
    made = compose(kind, answered(kind, full=False), who)
    assert advise(made.subject, made.body, who, kind).codes == ({"place_missing"} if kind == "petition" else set())


def test_a_petition_of_a_person_reads_like_one() -> None:
    made = compose("petition", answered("petition") | {"subject": ""})
    assert made.subject == "Lambanın onarılması"
    assert made.body == (
        "ŞİŞLİ BELEDİYE BAŞKANLIĞINA\n\n"
        "Evimizin önündeki sokak lambası yanmıyor.\n\n"
        "Yer: Feriköy Mahallesi, Örnek Sokak No: 12\n"
        "Ne zamandan beri: 3 Mart 2026\n"
        "Kimleri ilgilendiriyor: Okuldan dönen çocuklar\n\n"
        "Lambanın onarılmasını arz ederim.\n\n"
        "Cevabın tarafıma e-posta ile verilmesini arz ederim.\n\n"
        "Ekler:\n1. Fotoğraf (2 adet)"
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("lambanın onarılmasını", "Lambanın onarılmasını arz ederim."),
        ("Lambanın onarılmasını istiyorum.", "Lambanın onarılmasını arz ederim."),
        ("Lambanın onarılmasını rica ederim", "Lambanın onarılmasını arz ederim."),
        ("Lambanın onarılması", "Lambanın onarılması hususunda gereğini arz ederim."),
        ("Yeni bir lamba", "Yeni bir lamba.\n\nGereğini arz ederim."),
        ("işaret levhası istiyoruz", "İşaret levhası istiyoruz.\n\nGereğini arz ederim."),
    ],
)
def test_what_is_asked_gets_the_verb_that_fits_it(asked: str, said: str) -> None:
    assert said in compose("petition", answered("petition") | {"what_is_asked": asked}).body


def test_an_organisation_writes_in_the_plural() -> None:
    body = compose("partnership_proposal", answered("partnership_proposal"), "organisation").body
    assert "Önerimizin 5393 sayılı Belediye Kanunu'nun 75. maddesi kapsamında değerlendirilmesini arz ederiz." in body
    assert "Bizim katkımız: Eğitmenler" in body


@pytest.mark.parametrize("name", ["Şişli", "şişli", "Şişli Belediyesi", "Şişli Belediye Başkanlığına"])
def test_the_authority_is_addressed_the_same_however_it_is_named(name: str) -> None:
    body = compose("opinion", answered("opinion") | {"municipality": name}).body
    assert body.startswith("ŞİŞLİ BELEDİYE BAŞKANLIĞINA\n\n")


def test_answers_are_checked_one_by_one() -> None:
    wrong = {"municipality": "Şişli", "answer_channel": "pigeon", "where": "x" * 301, "weather": "açık"}
    with pytest.raises(Invalid) as refused:
        compose("petition", wrong)
    assert {
        "answers.weather", "answers.what_happened", "answers.what_is_asked", "answers.answer_channel", "answers.where",
    } == {each["field"] for each in refused.value.details["errors"]}  # fmt: skip


def test_the_contract_knows_every_question_and_its_longest_answer() -> None:
    longest: dict[str, int] = {}
    for question in (each for questions in QUESTIONS.values() for each in questions):
        longest[question.code] = max(question.longest, longest.get(question.code, 0))
    assert longest == ANSWERS


def test_the_longest_answers_fit_into_a_petition() -> None:
    for kind, questions in QUESTIONS.items():
        answers = {q.code: next(iter(q.choices), "x" * q.longest) for q in questions}
        made = compose(kind, answers)
        assert len(made.body) <= LONGEST_BODY
        assert len(made.subject) <= LONGEST_SUBJECT


@settings(max_examples=200, deadline=None)
@given(text=st.text(min_size=1, max_size=200), kind=st.sampled_from(KINDS), who=st.sampled_from(TYPES))
def test_any_answer_makes_a_petition_or_is_refused(text: str, kind: str, who: str) -> None:
    answers = {question.code: text for question in QUESTIONS[kind] if not question.choices}
    try:
        made = compose(kind, answers, who)
    except Invalid:
        return
    assert made.body.strip()
    assert len(made.subject) <= LONGEST_SUBJECT
