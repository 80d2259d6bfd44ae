"""Sentences are said in the reader's language, and the borders say what is wrong in them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from marshmallow import RAISE, Schema, ValidationError, fields, validates_schema

from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.runtime.envelope import Envelope
from services.runtime.language import catalogue, say
from services.runtime.schema import load

KNOWN = "is needed for this step"


class Part(Schema):
    class Meta:
        unknown = RAISE

    amount = fields.Integer(required=True)


class Form(Schema):
    class Meta:
        unknown = RAISE

    name = fields.String(required=True)
    parts = fields.List(fields.Nested(Part))

    @validates_schema
    def together(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("name") == "wrong":
            raise ValidationError([Sentence("{name} goes with nothing", name=data["name"])], "name")
        if data.get("name") == "whole":
            raise ValidationError("the form as a whole is wrong")


ENVELOPE = Envelope(
    "e1", "protocol.moved.v1", datetime(2026, 3, 2, 9, tzinfo=UTC), "s1", 3, "c1", {"office": "mayor@34-35"}, {"x": "ş"}
)


def test_a_sentence_is_said_in_turkish_and_in_english() -> None:
    assert KNOWN == say(Sentence(KNOWN), "en")
    assert catalogue("tr")[KNOWN] == say(Sentence(KNOWN), "tr")


def test_a_sentence_without_translation_is_said_in_english() -> None:
    assert "Nobody translated 3 of these." == say(Sentence("Nobody translated {n} of these.", n=3), "tr")


def test_a_sentence_that_travelled_is_said_alike() -> None:
    sentence = Sentence("Until {on}.", on=date(2026, 3, 2))
    assert say(sentence, "tr") == say(sentence.to_plain(), "tr")


@pytest.mark.parametrize(("language", "written"), [("tr", "2 Mart 2026"), ("en", "March 2, 2026")])
def test_dates_are_written_as_the_reader_writes_them(language: str, written: str) -> None:
    assert f"Until {written}." == say(Sentence("Until {on}.", on=date(2026, 3, 2)), language)


@pytest.mark.parametrize(("language", "written"), [("tr", "Havale"), ("en", "Referral")])
def test_labels_and_sentences_inside_a_sentence_are_said_in_the_same_language(language: str, written: str) -> None:
    label = {"tr": "Havale", "en": "Referral"}
    assert f"({written})" == say(Sentence("({x})", x=label), language)
    assert f"(({written}))" == say(Sentence("({x})", x=Sentence("({y})", y=label).to_plain()), language)


def test_what_is_right_is_loaded() -> None:
    assert {"name": "x", "parts": [{"amount": 1}]} == load(Form(), {"name": "x", "parts": [{"amount": "1"}]})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["name"]),
        ({"name": 1}, ["name"]),
        ({"name": "x", "strange": 1}, ["strange"]),
        ({"name": "x", "parts": [{"amount": 1}, {"amount": "many"}]}, ["parts.1.amount"]),
        ({"name": "x", "parts": 3}, ["parts"]),
        ({"name": "wrong"}, ["name"]),
        ({"name": "whole"}, [""]),
        ({"strange": 1, "parts": [{}]}, ["parts.0.amount", "strange", "name"]),
    ],
)
def test_every_wrong_field_is_named_by_its_path(given: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        load(Form(), given)
    errors = refused.value.details["errors"]
    assert sorted(named) == sorted(each["field"] for each in errors)
    for each in errors:
        assert say(each["message"], "en")


def test_what_is_no_object_at_all_is_invalid_too() -> None:
    with pytest.raises(Invalid):
        load(Form(), [])  # type: ignore[arg-type]


def test_an_envelope_is_read_as_it_was_written() -> None:
    assert ENVELOPE == Envelope.from_plain(ENVELOPE.to_plain())


@pytest.mark.parametrize("name", ["correlation_id", "actor"])
def test_an_envelope_may_lack_what_nothing_depends_on(name: str) -> None:
    plain = ENVELOPE.to_plain()
    del plain[name]
    assert getattr(Envelope.from_plain(plain), name) is None


@pytest.mark.parametrize("name", ["id", "name", "occurred_at", "subject_id", "subject_version", "data"])
def test_an_envelope_must_have_the_rest(name: str) -> None:
    plain = ENVELOPE.to_plain()
    del plain[name]
    with pytest.raises(KeyError):
        Envelope.from_plain(plain)


@pytest.mark.parametrize(
    "changes",
    [{"occurred_at": "yesterday"}, {"occurred_at": 3}, {"subject_version": "first"}, {"data": 3}, {"data": "x"}],
)
def test_an_envelope_with_another_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Envelope.from_plain(ENVELOPE.to_plain() | changes)
