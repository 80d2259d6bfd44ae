"""The page on which everyone who has a petition's code sees where it stands; the receipt's picture leads here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from services.gateway.pages import frame
from services.kernel.text import Sentence
from services.runtime.language import say

POLICY = frame.POLICY

_BODY = Markup(
    "<header><h1>{title}</h1></header>\n<main>\n<p><strong>{lead}</strong></p>\n"
    "<dl>\n{rows}</dl>\n<p>{note}</p>\n</main>"
)
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
        (Sentence("Overdue since"), _day(found["overdue_since"], language, later=1)),
        (Sentence("Protocol"), " · ".join(part for key in ("reference", "stage_label") if (part := protocol.get(key)))),
    ]
    if found["forwarded_to"]:
        code = found["forwarded_to"]
        told.append((Sentence("Its tracking code there"), _LINK.format(code=code)))
    rows = Markup().join(_ROW.format(name=say(name, language), value=value) for name, value in told if value)
    return frame.framed(
        found["number"],
        _BODY.format(title=found["number"], lead=_lead(found, language), rows=rows, note=say(_NOTE, language)),
        language,
    )


def _lead(found: Mapping[str, Any], language: str) -> str:
    """In one line: whose turn it is and by when, or how it ended."""
    who, due_on = found["whose_turn"], found["due_on"]
    if who and due_on:
        return say(
            Sentence("It is the turn of: {who}. Last day: {on}.", who=who, on=date.fromisoformat(due_on)), language
        )
    if who:
        return say(Sentence("It is the turn of: {who}.", who=who), language)
    return str(found["outcome_label"] or found["stage_label"])


def said(sentence: Sentence, language: str) -> str:
    """A page that says one thing."""
    text = say(sentence, language)
    return frame.framed("İmece", Markup("<main><p>{text}</p></main>").format(text=text), language)


def _day(on: str | None, language: str, later: int = 0) -> str:
    """The day in words; `overdue_since` is the last day in time, so the first late one comes a day later."""
    return say(Sentence("{on}", on=date.fromisoformat(on) + timedelta(days=later)), language) if on else ""
