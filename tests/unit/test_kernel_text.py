"""Sentences, refusals, events and offices travel between services unchanged."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.actor import ROLES, SYSTEM, Actor
from services.kernel.errors import (
    Conflict,
    Forbidden,
    ImeceError,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
    error_from_plain,
    error_to_plain,
)
from services.kernel.events import Event, wire_name
from services.kernel.text import Label, Sentence, sentence

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.dates()
SENTENCES = st.builds(
    lambda values: Sentence(" ".join(f"{{{name}}}" for name in values), **values),
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(lambda name: name != "self"), VALUES, max_size=4
    ),
)
KINDS = (Invalid, Forbidden, NotFound, Conflict, Refused, Unavailable)


def travelled(plain: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(json.dumps(plain))
    return found


@given(SENTENCES)
def test_a_sentence_travels_unchanged(said: Sentence) -> None:
    assert said == Sentence.from_plain(travelled(said.to_plain()))
    assert str(said) == str(Sentence.from_plain(travelled(said.to_plain())))


def test_a_sentence_may_have_a_value_of_any_name() -> None:
    assert "a b" == str(Sentence("{template} {values}", template="a", values="b"))


@given(st.text())
def test_a_bare_text_is_said_as_it_is_braces_and_all(text: str) -> None:
    assert text == str(sentence(text))


def test_a_sentence_says_dates_in_iso_form() -> None:
    assert "2026-03-02" == str(Sentence("{on}", on=date(2026, 3, 2)))


def test_a_label_says_both_languages() -> None:
    assert {"tr": "Taslak", "en": "Draft"} == Label("Taslak", "Draft").to_plain()


@pytest.mark.parametrize("kind", KINDS)
@given(said=SENTENCES)
def test_a_refusal_travels_unchanged(kind: type[ImeceError], said: Sentence) -> None:
    error = kind(said, {"version": 3, "reasons": [{"code": "x"}]}, code="very_special")
    found = error_from_plain(travelled(error_to_plain(error)))
    assert (type(error), error.message, error.details, "very_special") == (
        type(found), found.message, found.details, found.stable_code,
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_refusal_has_a_code_of_its_own(kind: type[ImeceError]) -> None:
    assert 1 == [each.code for each in KINDS].count(kind("x").stable_code)


def test_every_kind_of_refusal_can_travel() -> None:
    of_the_kernel = {kind for kind in ImeceError.__subclasses__() if kind.__module__ == ImeceError.__module__}
    assert set(KINDS) == of_the_kernel


def test_a_kind_of_refusal_that_is_not_known_here_is_still_a_refusal() -> None:
    plain = error_to_plain(Refused("no")) | {"kind": "Postponed"}
    assert (ImeceError, "no") == (type(error_from_plain(plain)), str(error_from_plain(plain)))


def test_an_invalid_names_its_fields() -> None:
    error = Invalid.fields([("a", Sentence("is missing")), ("b.1", Sentence("is {what}", what="wrong"))])
    assert ["a", "b.1"] == [each["field"] for each in error.details["errors"]]
    assert error.details == travelled(error.details)


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("ProtocolMovedV1", "protocol.moved.v1"),
        ("OrganisationStatusGrantedV1", "organisation.status_granted.v1"),
        ("ProtocolEnteredIntoForceV12", "protocol.entered_into_force.v12"),
    ],
)
def test_an_events_wire_name_follows_from_its_class(name: str, wire: str) -> None:
    assert wire == wire_name(name)


@pytest.mark.parametrize(
    "name", ["ProtocolMoved", "protocolMovedV1", "MovedV1", "ProtocolMovedV0", "Protocol_MovedV1", ""]
)
def test_a_class_of_another_shape_is_no_event(name: str) -> None:
    with pytest.raises(ValueError, match="PastTense"):
        wire_name(name)


def test_a_class_without_a_version_is_a_shape_and_no_event() -> None:
    class CaseShape(Event):
        pass

    assert not hasattr(CaseShape, "name")


TENANTS = st.sampled_from([{}, {"municipality": "34-35"}, {"authority": "K34-35"}, {"organisation_id": "o-1"}])
ACTORS = st.builds(
    lambda role, tenant, user, acting, scope: Actor(role, user, "m", acting_for=acting, scope=scope, **tenant),
    st.sampled_from(ROLES), TENANTS, st.none() | st.just("u1"), st.none() | st.just("m2"),
    st.lists(st.sampled_from(["sign", "refer_to_council"]), unique=True).map(tuple),
)  # fmt: skip


@given(ACTORS)
def test_an_office_travels_unchanged(actor: Actor) -> None:
    assert actor == Actor.from_plain(travelled(actor.to_plain()))


@given(ACTORS)
def test_an_office_is_the_same_whoever_holds_it(actor: Actor) -> None:
    other = Actor(actor.role, "someone else", "m9", actor.municipality, actor.authority, actor.organisation_id)
    assert actor.office == other.office == f"{actor.role}@{actor.tenant}"


def test_the_system_is_an_office_too() -> None:
    assert "system@-" == SYSTEM.office
