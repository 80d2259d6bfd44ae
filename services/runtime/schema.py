"""Loading at the borders: marshmallow's findings as our refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from services.kernel.errors import Invalid
from services.kernel.text import Sentence, sentence


def load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """The loaded data; Invalid with one sentence per field otherwise."""
    try:
        loaded: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        raise Invalid.fields(_findings(error.messages)) from None
    return loaded


def _findings(messages: Any, path: str = "") -> Iterator[tuple[str, Sentence]]:
    """(field path, sentence) for every message of a marshmallow error tree."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            at = path if name == "_schema" else f"{path}.{name}" if path else str(name)
            yield from _findings(inner, at)
    elif isinstance(messages, list):
        for message in messages:
            yield from _findings(message, path)
    elif isinstance(messages, Sentence):
        yield path, messages
    else:
        yield path, sentence(str(messages))
