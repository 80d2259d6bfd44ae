"""The kinds of values that the interface takes and gives, strict on the way in.

A request is only checked here: what passes is JSON that can travel on as it is. Dates
stay text; `Money` is a decimal as text. Every finding is a Sentence, so that it can be
said in the caller's language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from services.kernel.text import Sentence
from services.runtime.form import Sent

SHORT = 200
LONG = 5_000
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})\Z", re.ASCII)
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})\Z", re.ASCII)


def finding(template: str, **values: Any) -> ValidationError:
    """A marshmallow finding that carries a Sentence."""
    return ValidationError([Sentence(template, **values)])


# Sentences as templates here, since the number is only known where they are raised.
_TEXT_LENGTH = ("Write at least {least} characters.", "Write at most {most} characters.")
_LIST_LENGTH = ("Give at least {least} entries.", "Give at most {most} entries.")


class Length(validate.Length):
    """Between `min` and `max` characters, or items of a list."""

    def __call__(self, value: Any) -> Any:
        """Return `value`, or say what is wrong with it."""
        few, many = _TEXT_LENGTH if isinstance(value, str) else _LIST_LENGTH
        if self.min is not None and len(value) < self.min:
            raise finding("Fill this in.") if self.min == 1 else finding(few, least=self.min)
        if self.max is not None and len(value) > self.max:
            raise finding(many, most=self.max)
        return value


class Range(validate.Range):
    """A number between `min` and `max`, both included."""

    def __call__(self, value: Any) -> Any:
        """Return `value`, or say what is wrong with it."""
        if (self.min is not None and value < self.min) or (self.max is not None and value > self.max):
            raise finding("Give a number from {least} to {most}.", least=self.min, most=self.max)
        return value


class Pattern(validate.Regexp):
    """Text of a given shape; `shape` describes it by an example.

    A `$` at the end means the end, as in JSON Schema, and not "or before a last newline".
    """

    def __init__(self, regex: str, shape: str = "") -> None:
        super().__init__(re.compile(regex.removesuffix("$") + r"\Z" if regex.endswith("$") else regex, re.ASCII))
        self.shape = shape

    def __call__(self, value: Any) -> Any:
        """Return `value`, or say what is wrong with it."""
        if self.regex.search(value) is None:
            raise (
                finding("Write it like this: {shape}.", shape=self.shape)
                if self.shape
                else finding("This is not written as it should be.")
            )
        return value


class OneOf(validate.OneOf):
    """One of a few words."""

    def __call__(self, value: Any) -> Any:
        """Return `value`, or say which are possible."""
        if value not in self.choices:
            raise finding("Choose one of: {choices}.", choices=", ".join(map(str, self.choices)))
        return value


def _messages(**findings: Sentence) -> Any:
    """Findings in the shape that marshmallow passes on untouched."""
    return {name: [found] for name, found in findings.items()}


class _Said:
    """Findings as sentences; stands before a marshmallow field."""

    default_error_messages = _messages(
        required=Sentence("This field is needed."),
        null=Sentence("This field cannot be null."),
        validator_failed=Sentence("This value is not possible."),
        invalid=Sentence("This value is not possible."),
        type=Sentence("An object is needed here."),
    )


class Text(_Said, fields.String):
    """Text that a database can hold; by default 1 to 200 characters and not only blanks."""

    default_error_messages = _messages(invalid=Sentence("Text is needed here."))

    def __init__(self, longest: int = SHORT, least: int = 1, **settings: Any) -> None:
        validators: list[validate.Validator] = [Length(min=least or None, max=longest)]
        if least:
            validators.append(Pattern(r"\S"))
        super().__init__(validate=validators, **settings)


class Shaped(_Said, fields.String):
    """Text of a given shape, for example a code."""

    default_error_messages = _messages(invalid=Sentence("Text is needed here."))

    def __init__(self, regex: str, shape: str, longest: int = SHORT, **settings: Any) -> None:
        metadata = {**({"examples": [shape]} if shape else {}), **settings.pop("metadata", {})}
        super().__init__(validate=[Length(max=longest), Pattern(regex, shape)], metadata=metadata, **settings)


class Word(_Said, fields.String):
    """One of a few words."""

    default_error_messages = _messages(invalid=Sentence("Text is needed here."))

    def __init__(self, choices: Iterable[str], **settings: Any) -> None:
        super().__init__(validate=OneOf(tuple(choices)), **settings)


class Identifier(_Said, fields.UUID):
    """A UUID, as text."""

    default_error_messages = _messages(invalid_uuid=Sentence("An id (UUID) is needed here."))
    _SHAPE: ClassVar[re.Pattern[str]] = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, str) or self._SHAPE.match(value) is None:
            raise self.make_error("invalid_uuid")
        return value


class Day(_Said, fields.Date):
    """A date, `YYYY-MM-DD`, of the years 1900 to 2199; text on both sides."""

    default_error_messages = _messages(invalid=Sentence("A date is needed here, written like 2026-05-22."))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, str) or _DAY.match(value) is None:
            raise self.make_error("invalid")
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise self.make_error("invalid") from None
        if not EARLIEST <= day <= LATEST:
            raise finding("Give a date from {earliest} to {latest}.", earliest=EARLIEST, latest=LATEST)
        return value

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        return value.isoformat() if isinstance(value, date) else value


class Moment(_Said, fields.DateTime):
    """A moment with its offset (RFC 3339); text on both sides."""

    default_error_messages = _messages(
        invalid=Sentence("A moment with its offset is needed here, written like 2026-05-22T09:00:00+03:00.")
    )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, str) or _MOMENT.match(value) is None:
            raise self.make_error("invalid")
        try:
            moment = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None
        if not EARLIEST <= moment.date() <= LATEST:
            raise finding("Give a date from {earliest} to {latest}.", earliest=EARLIEST, latest=LATEST)
        return value

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        return value.isoformat() if isinstance(value, datetime) else value


class Count(_Said, fields.Integer):
    """A whole number within bounds; in a query it comes as text."""

    default_error_messages = _messages(invalid=Sentence("A whole number is needed here."))

    def __init__(self, least: int = 0, most: int = 1_000_000, *, as_text: bool = False, **settings: Any) -> None:
        self.as_text = as_text
        super().__init__(validate=Range(least, most), **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        if self.as_text and isinstance(value, str) and _WHOLE.match(value):
            return int(value)
        # True is an int for Python, 1.0 is a whole number for JSON.
        if isinstance(value, bool) or self.as_text:
            raise self.make_error("invalid")
        if isinstance(value, int):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise self.make_error("invalid")


class Flag(_Said, fields.Boolean):
    """True or false; in a query the words `true` and `false`."""

    default_error_messages = _messages(invalid=Sentence("Write true or false."))

    def __init__(self, *, as_text: bool = False, **settings: Any) -> None:
        self.as_text = as_text
        super().__init__(**settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        if self.as_text and value in ("true", "false"):
            return value == "true"
        if not self.as_text and isinstance(value, bool):
            return value
        raise self.make_error("invalid")


class Money(_Said, fields.String):
    """An amount in lira as decimal text: never a floating number."""

    PATTERN = r"^\d{1,13}(\.\d{1,2})?$"
    default_error_messages = _messages(
        invalid=Sentence("Write the amount as text, like this: {shape}.", shape="1250.00")
    )

    def __init__(self, **settings: Any) -> None:
        metadata = {"examples": ["1250.00"], **settings.pop("metadata", {})}
        super().__init__(validate=Pattern(self.PATTERN, "1250.00"), metadata=metadata, **settings)


class Items(_Said, fields.List[Any]):
    """A list of at least `least` and at most `longest` items."""

    default_error_messages = _messages(invalid=Sentence("A list is needed here."))

    def __init__(self, inner: Any, longest: int = 100, least: int = 0, **settings: Any) -> None:
        super().__init__(inner, validate=Length(min=least or None, max=longest), **settings)


class Part(_Said, fields.Nested):
    """An object inside an object."""


class File(_Said, fields.Field[Sent]):
    """A file of a form, see `Table.route(upload=…)`; loads as `form.Sent`."""

    default_error_messages = _messages(invalid=Sentence("A file is needed here."), empty=Sentence("The file is empty."))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Sent:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, Sent):
            raise self.make_error("invalid")
        if value.size == 0:
            raise self.make_error("empty")
        return value


class Sentences(fields.List[Any]):
    """Sentences in the caller's language, for answers."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(fields.String(), **settings)


_UNKNOWN: Any = {
    "unknown": Sentence("This field is not known here."),
    "type": Sentence("An object is needed here."),
    "invalid": Sentence("An object is needed here."),
}


class RequestSchema(Schema):
    """What comes in: unknown fields are refused."""

    error_messages = _UNKNOWN

    class Meta:
        """Strict."""

        unknown = RAISE


class AnswerSchema(Schema):
    """What goes out: fields may be added later, so the description leaves the object open."""

    class Meta:
        """Open."""

        unknown = EXCLUDE


def unholdable(value: Any, path: str = "") -> str | None:
    """The path of the first text that no database holds (NUL, half a surrogate pair), or None.

    The path of a text outside any object is empty.
    """
    if isinstance(value, str):
        return path if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value) else None
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if unholdable(str(name)) is not None:
                return path
            found = unholdable(inner, f"{path}.{name}" if path else str(name))
            if found is not None:
                return found
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found = unholdable(inner, f"{path}.{number}" if path else str(number))
            if found is not None:
                return found
    return None
