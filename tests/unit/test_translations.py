"""Whatever is said to people is said in Turkish too, with the same values in it."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

from babel.messages.pofile import read_po

from services.kernel.text import Sentence
from services.runtime.language import catalogue, say

SERVICES = Path(__file__).parents[2] / "services"
CATALOGUE = SERVICES / "runtime" / "locale" / "tr.po"


def literals() -> Iterator[tuple[str, str]]:
    """(template, where) of every Sentence that is written out in the code."""
    for path in sorted(SERVICES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called == "Sentence" and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, f"{path.relative_to(SERVICES)}:{node.lineno}"


TEMPLATES = dict(literals())
TRANSLATED = catalogue("tr")
ENDS = (".", "?", "!", ":")


def fields(template: str) -> set[str]:
    """The values that a template takes."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_the_code_has_sentences() -> None:
    assert len(TEMPLATES) > 100


def test_every_sentence_of_the_code_has_a_turkish_one() -> None:
    assert [] == [
        f"{where}: {template}" for template, where in TEMPLATES.items() if not TRANSLATED.get(template, "").strip()
    ]


def test_a_translation_takes_the_same_values() -> None:
    assert [] == [template for template, said in TRANSLATED.items() if fields(template) != fields(said)]


def test_every_sentence_can_be_said_in_both_languages() -> None:
    for template in {*TRANSLATED, *TEMPLATES}:
        said = Sentence(template, **dict.fromkeys(fields(template), "x"))
        assert [said.template.format(**said.values), True] == [say(said, "en"), bool(say(said, "tr"))]


def test_no_sentence_is_translated_twice_or_by_guess() -> None:
    with CATALOGUE.open("rb") as file:
        messages = [message for message in read_po(file, locale="tr", abort_invalid=True) if message.id]
    assert len(messages) == len({message.id for message in messages})
    assert [] == [message.id for message in messages if message.fuzzy]
    assert CATALOGUE.read_text().count('\nmsgid "') == 1 + len(messages)


def test_a_whole_sentence_is_a_whole_sentence_in_turkish() -> None:
    assert [] == [
        template for template, said in TRANSLATED.items() if template.endswith(ENDS) and not said.endswith(ENDS)
    ]
