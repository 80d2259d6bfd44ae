"""Sentences in the reader's language, from the catalogues in `locale/`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from io import BytesIO
from typing import Any

from babel.dates import format_date
from babel.messages.pofile import read_po

from services.kernel.text import Sentence

LANGUAGES = ("tr", "en")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """English template → template in `language`; English itself is empty."""
    if language == "en":
        return {}
    source = resources.files("services.runtime").joinpath("locale", f"{language}.po").read_bytes()
    messages = read_po(BytesIO(source), locale=language)
    return {str(m.id): str(m.string) for m in messages if m.id and m.string}


def say(sentence: Sentence | Mapping[str, Any], language: str) -> str:
    """The sentence in `language`; one that has no translation is said in English."""
    spoken = sentence if isinstance(sentence, Sentence) else Sentence.from_plain(sentence)
    template = catalogue(language).get(spoken.template, spoken.template)
    values = {name: _written(value, language) for name, value in spoken.values.items()}
    return template.format(**values)


def _written(value: Any, language: str) -> Any:
    if isinstance(value, date):
        return format_date(value, format="long", locale=language)
    if isinstance(value, Mapping) and "template" in value:
        return say(value, language)
    if isinstance(value, Mapping) and set(value) == set(LANGUAGES):
        return value[language]
    return value
