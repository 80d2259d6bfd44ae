"""The page behind "Stop these e-mails" in the footer of a mail; it asks first and works without scripts."""

from __future__ import annotations

from markupsafe import Markup

from services.gateway.pages import frame
from services.kernel.text import Sentence
from services.runtime.language import say

POLICY = frame.POLICY.replace("form-action 'none'", "form-action 'self'")
"""Content-Security-Policy: as of every page, and its one button may be pressed."""

_ASK = Sentence("İmece sends e-mails to this address. Stop them?")
_STOPPED = Sentence(
    "The e-mails are stopped. In İmece everything is shown as before, and the periods of the law run as before."
)

_BODY = Markup("<header><h1>{title}</h1></header>\n<main>\n<p>{state}</p>\n{button}</main>")
_BUTTON = Markup('<form method="post" action="/unsubscribe/{token}"><p><button>{words}</button></p></form>\n')


def page(token: str, language: str, *, mail: bool) -> str:
    """What is so now; with a button while the mails are on."""
    title = say(Sentence("Stop these e-mails"), language)
    body = _BODY.format(
        title=title,
        state=say(_ASK if mail else _STOPPED, language),
        button=_BUTTON.format(token=token, words=title) if mail else Markup(),
    )
    return frame.framed("İmece", body, language)


def said(sentence: Sentence, language: str) -> str:
    """A page that says one thing."""
    text = say(sentence, language)
    return frame.framed("İmece", Markup("<main><p>{text}</p></main>").format(text=text), language)
