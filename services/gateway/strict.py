"""A contract's request schema as the interface takes it: the same fields, read strictly.

Contracts parse ("20260522" is a date for them, true a number); the interface says no to
that and says so in the caller's language. The fields are listed once, in the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from marshmallow import Schema, fields, validate

from services.gateway.fields import (
    Count,
    Day,
    Flag,
    Identifier,
    Items,
    Length,
    Money,
    Part,
    Pattern,
    RequestSchema,
    Shaped,
    Word,
)

_LEAST, _MOST = -(10**15), 10**15


def strictly(contract: type[Schema], name: str = "", **instead: fields.Field[Any]) -> type[RequestSchema]:
    """The contract's fields in the interface's kinds; `instead` replaces single ones."""
    found = {each: instead.get(each) or _strict(field) for each, field in contract._declared_fields.items()}  # noqa: SLF001 - the class has no public list of its fields
    schema: type[RequestSchema] = RequestSchema.from_dict(found, name=name or contract.__name__)  # type: ignore[assignment]
    schema.__doc__ = contract.__doc__
    return schema


@cache
def _nested(contract: type[Schema]) -> type[RequestSchema]:
    """One strict class for a contract, however often it is nested."""
    return strictly(contract)


def _strict(field: fields.Field[Any]) -> fields.Field[Any]:
    same = {"required": field.required, "allow_none": field.allow_none, "metadata": dict(field.metadata)}
    for kind, make in _KINDS.items():
        if isinstance(field, kind):
            return make(field, same)
    message = f"{type(field).__name__} has no strict form"
    raise TypeError(message)


def _integer(field: Any, same: dict[str, Any]) -> fields.Field[Any]:
    limits = _first(field, validate.Range)
    least = _LEAST if limits is None or limits.min is None else limits.min
    most = _MOST if limits is None or limits.max is None else limits.max
    return Count(least, most, **same)


def _string(field: Any, same: dict[str, Any]) -> fields.Field[Any]:
    if (words := _first(field, validate.OneOf)) is not None:
        return Word(words.choices, **same)
    length = _first(field, validate.Length)
    longest = length.max if length and length.max else 1_000
    if (pattern := _first(field, validate.Regexp)) is not None:
        return Shaped(pattern.regex.pattern.replace(r"\Z", "$"), "", longest, **same)
    validators: list[Any] = [Length(min=length.min if length else None, max=longest)]
    if length and length.min:
        validators.append(Pattern(r"\S"))
    return _Text(validate=validators, **same)


def _list(field: Any, same: dict[str, Any]) -> fields.Field[Any]:
    length = _first(field, validate.Length)
    return Items(
        _strict(field.inner), length.max if length and length.max else 100, (length.min if length else 0) or 0, **same
    )


class _Text(Shaped):
    """Text whose validators are given."""

    def __init__(self, **settings: Any) -> None:
        fields.String.__init__(self, **settings)


def _first(field: fields.Field[Any], kind: type[Any]) -> Any:
    return next((each for each in field.validators if isinstance(each, kind)), None)


_KINDS: dict[type[fields.Field[Any]], Callable[[Any, dict[str, Any]], fields.Field[Any]]] = {
    fields.Nested: lambda field, same: Part(_nested(field.schema.__class__), **same),
    fields.List: _list,
    fields.UUID: lambda _, same: Identifier(**same),
    fields.Date: lambda _, same: Day(**same),
    fields.Decimal: lambda _, same: Money(**same),
    fields.Boolean: lambda _, same: Flag(**same),
    fields.Integer: _integer,
    fields.String: _string,
}
