"""What the interface takes: strictly, and only what a database can hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from services.contracts import protocols as contract
from services.gateway.fields import (
    Count,
    Day,
    Flag,
    Identifier,
    Moment,
    Money,
    RequestSchema,
    Shaped,
    Text,
    Word,
    unholdable,
)
from services.gateway.strict import strictly
from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.runtime.schema import load

UUID_TEXT = "3b241101-e2bb-4255-8caf-4136c566a962"
KINDS: dict[str, tuple[fields.Field[Any], list[Any], list[Any]]] = {
    "text": (Text(5), ["a", "ışık"], ["", " ", "123456", 1, None, True, ["a"]]),
    "shaped": (Shaped(r"^[0-9]{2}$", "34"), ["34"], ["3", "345", "34\n", "٣٤", 34, None]),
    "word": (Word(("a", "b")), ["a"], ["c", "", 1, None, ["a"]]),
    "identifier": (
        Identifier(),
        [UUID_TEXT, UUID_TEXT.upper()],
        ["", "x", UUID_TEXT.replace("-", ""), f"{{{UUID_TEXT}}}", f"{UUID_TEXT}\n", 1, None],
    ),
    "day": (
        Day(),
        ["2026-05-22", "1900-01-01", "2199-12-31"],
        ["20260522", "2026-W21-5", "2026-5-22", "2026-02-30", "1899-12-31", "2200-01-01", "0000-01-01", "", 1, None],
    ),
    "moment": (
        Moment(),
        ["2026-05-22T09:00:00+03:00", "2026-05-22T06:00:00Z", "2026-05-22T06:00:00.123456Z"],
        [
            "2026-05-22T09:00:00",
            "2026-05-22",
            "2026-05-22 09:00:00+03:00",
            "2026-05-22T25:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            1,
            None,
        ],
    ),
    "count": (Count(1, 9), [1, 9, 2.0], [0, 10, "1", 1.5, True, None, 10**400]),
    "count in a query": (Count(1, 9, as_text=True), ["1"], ["01", "+1", "1_0", " 1", "١", "1.0", "", "9" * 5000]),
    "flag": (Flag(), [True, False], ["true", 1, 0, None, "yes"]),
    "flag in a query": (Flag(as_text=True), ["true", "false"], ["True", "1", "", "on"]),
    "money": (Money(), ["0", "1250.00", "0.5"], ["-1", "1,5", "1.234", "1e3", "", 1250, 12.5, None]),
}


def _cases(*, good: bool) -> list[Any]:
    return [
        pytest.param(field, value, id=f"{name}: {str(value)[:30]!r}")
        for name, (field, right, wrong) in KINDS.items()
        for value in (right if good else wrong)
    ]


@pytest.mark.parametrize(("field", "value"), _cases(good=True))
def test_right_values_pass(field: fields.Field[Any], value: Any) -> None:
    assert field.deserialize(value) is not None


@pytest.mark.parametrize(("field", "value"), _cases(good=False))
def test_wrong_values_are_refused_with_a_sentence(field: fields.Field[Any], value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        field.deserialize(value)
    assert all(isinstance(each, Sentence) for each in refused.value.messages)


def test_unknown_and_missing_fields_are_named() -> None:
    class Asked(RequestSchema):
        name = Text(required=True)

    with pytest.raises(Invalid) as refused:
        load(Asked(), {"nmae": "x"})
    assert {"name", "nmae"} == {each["field"] for each in refused.value.details["errors"]}


def test_findings_inside_lists_and_objects_name_the_whole_path() -> None:
    move = strictly(contract.MoveSchema)()
    votes = {"mode": "open", "present": True, "accept": 1, "reject": 0}
    with pytest.raises(Invalid) as refused:
        load(move, {"votes": votes, "documents": ["ek", ""], "sitting_on": "22.05.2026"})
    found = {each["field"] for each in refused.value.details["errors"]}
    assert {"votes.present", "documents.1", "sitting_on"} == found


def test_a_strict_schema_has_the_fields_of_its_contract() -> None:
    for asked in (contract.DraftSchema, contract.TextSchema, contract.MoveSchema):
        strict = strictly(asked)
        assert set(asked().fields) == set(strict().fields)
        assert {n for n, f in asked().fields.items() if f.required} == {
            n for n, f in strict().fields.items() if f.required
        }


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a\x00", ""),
        ({"a": "\x00"}, "a"),
        ({"a": [{"b": "\ud800"}]}, "a.0.b"),
        ({"a": {"\x00": 1}}, "a"),
        ({"a": "İ🏛️ığ"}, None),
        (["x", 1, None, True], None),
    ],
)
def test_text_that_no_database_holds_is_found(value: Any, path: str | None) -> None:
    assert path == unholdable(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_what_is_holdable_encodes_as_utf_8_without_nul(value: Any) -> None:
    if unholdable(value) is None:
        assert b"\x00" not in repr_of(value).encode()


def repr_of(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(name + repr_of(inner) for name, inner in value.items())
    if isinstance(value, list):
        return "".join(map(repr_of, value))
    return value if isinstance(value, str) else ""
