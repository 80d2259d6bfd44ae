"""The page on which everyone who has a petition's code sees where it stands; the receipt's picture leads here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from markupsafe import Markup

from services.gateway.pages import frame
from services.kernel.text import Sentence
from services.runtime.language import say

POLICY = frame.POLICY

_BODY = Markup("<header><h1>{title}</h1></header>\n<main>\n<dl>\n{rows}</dl>\n<p>{note}</p>\n</main>")
_ROW = Markup("<dt>{name}</dt>\n<dd>{value}</dd>\n")
_LINK = Markup('<a href="/tracking/{code}">{code}</a>')
_NOTE = Sentence("This page holds nothing personal. Legal periods run from formal service, not from this page.")


def page(found: Mapping[str, Any], language: str) -> str:
    """The status of a petition in words; `found` is in the reader's language."""
    due, protocol = found["due"] or {}, found["protocol"] or {}
    told: list[tuple[Sentence, Any]] = [
        (Sentence("Municipality"), found["municipality_name"]),
        (Sentence("Kind"), found["kind_label"]),
        (Sentence("Filed on"), _day(found["filed_on"], language)),
        (Sentence("Stage"), found["stage_label"]),
        (Sentence("Unit"), found["unit"]),
        (Sentence("Whose turn it is"), found["whose_turn"]),
        (Sentence("Outcome"), found["outcome_label"]),
        (Sentence("Forwarded to"), found["addressee"]),
        (Sentence("Due on"), _day(found["due_on"], language)),
        (Sentence("Why"), " · ".join(part for part in (due.get("label"), due.get("article")) if part)),
        (Sentence("Otherwise"), due.get("effect")),
        (Sentence("Overdue since"), _day(found["overdue_since"], language)),
        (Sentence("Protocol"), " · ".join(part for key in ("reference", "stage_label") if (part := protocol.get(key)))),
    ]
    if found["forwarded_to"]:
        code = found["forwarded_to"]
        told.append((Sentence("Its tracking code there"), _LINK.format(code=code)))
    rows = Markup().join(_ROW.format(name=say(name, language), value=value) for name, value in told if value)
    return frame.framed(
        found["number"], _BODY.format(title=found["number"], rows=rows, note=say(_NOTE, language)), language
    )


def said(sentence: Sentence, language: str) -> str:
    """A page that says one thing."""
    text = say(sentence, language)
    return frame.framed("İmece", Markup("<main><p>{text}</p></main>").format(text=text), language)


def _day(on: str | None, language: str) -> str:
    return say(Sentence("{on}", on=date.fromisoformat(on)), language) if on else ""
