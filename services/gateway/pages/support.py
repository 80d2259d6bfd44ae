"""The page on which somebody confirms a signature or takes it back; it works without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from services.gateway.pages import frame
from services.kernel.text import Sentence
from services.runtime.language import say

POLICY = frame.POLICY.replace("form-action 'none'", "form-action 'self'")
"""Content-Security-Policy: as of every page, and its two buttons may be pressed."""

WITHDRAWN = Sentence("Your signature was taken back. Nothing of it is kept.")

_BODY = Markup(
    "<header><h1>{title}</h1></header>\n<main>\n<p>{text}</p>\n<p>{count}</p>\n<p>{state}</p>\n{confirm}"
    '<form method="post" action="/support/{token}/withdrawal"><button>{withdraw}</button></form>\n</main>'
)
_CONFIRM = Markup(
    '<form method="post" action="/support/{token}/confirmation"><p><button>{confirm}</button></p></form>\n'
)


def page(support: Mapping[str, Any], token: str, language: str) -> str:
    """The page of a signature; of a petition that was withdrawn it shows nothing and offers the way back."""
    petition = support["petition"]
    pending = support["state"] == "pending"
    confirm = _CONFIRM.format(token=token, confirm=say(Sentence("Confirm my signature"), language))
    body = _BODY.format(
        title=petition["title"] if petition else "İmece",
        text=(petition and petition["text"]) or "",
        count=say(Sentence("Signatures: {count}", count=petition["supporters"]), language) if petition else "",
        state=say(_state(petition, pending=pending), language),
        confirm=confirm if pending and petition and petition["open"] else Markup(),
        token=token,
        withdraw=say(Sentence("Take my signature back"), language),
    )
    return frame.framed("İmece", body, language)


def _state(petition: Mapping[str, Any] | None, *, pending: bool) -> Sentence:
    if petition is None:
        return Sentence("The petition was withdrawn.")
    if not pending:
        return Sentence("Your signature counts. Your name and your address are shown to nobody.")
    if petition["open"]:
        return Sentence("Your signature does not count yet. Confirm it here.")
    return Sentence("This petition has been dealt with; it takes no signatures any more.")


def said(sentence: Sentence, language: str) -> str:
    """A page that says one thing."""
    text = say(sentence, language)
    return frame.framed("İmece", Markup("<main><p>{text}</p></main>").format(text=text), language)
