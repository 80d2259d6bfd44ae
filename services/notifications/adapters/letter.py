"""A message as a person reads it: subject, plain text and HTML with the same words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from services.kernel.text import Sentence
from services.notifications.application.posting import Message
from services.notifications.domain import template
from services.notifications.domain.audience import SUPPORTER, role_of
from services.notifications.domain.happening import Notification
from services.notifications.domain.preference import AT_ONCE, DAILY, is_person
from services.runtime.language import say

_HTML = """\
<!doctype html>
<html lang="{{ language }}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ subject }}</title></head>
<body style="font-family: sans-serif; font-size: 1rem; line-height: 1.5; color: #1a1a1a; background: #ffffff;
 max-width: 40em; margin: 0 auto; padding: 1em">
<main>
<h1 style="font-size: 1.3rem">{{ heading }}</h1>
{% for item in items %}<section>
{% if item.title != heading %}<h2 style="font-size: 1.1rem">{{ item.title }}</h2>
{% endif %}{% if item.reference %}<p><strong>{{ item.reference }}</strong></p>
{% endif %}{% for sentence in item.body %}<p style="margin: 0.3em 0">{{ sentence }}</p>
{% endfor %}</section>
{% endfor %}{% if more %}<p>{{ more }}</p>
{% endif %}{% for link in links %}<p><a href="{{ link.url }}">{{ link.words }}</a></p>
{% endfor %}</main>
<footer style="font-size: 0.9rem; color: #4a4a4a; border-top: 1px solid #cccccc; margin-top: 1.5em">
{% for sentence in footer %}<p>{{ sentence }}</p>
{% endfor %}<p><a href="{{ unsubscribe.url }}">{{ unsubscribe.words }}</a></p>
</footer>
</body>
</html>
"""

_SMS_LENGTH = 300


@dataclass(frozen=True)
class Link:
    """Where to, and the words that say so."""

    words: str
    url: str


@dataclass(frozen=True)
class Item:
    """One notification in words."""

    title: str
    reference: str
    body: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """The message in words, in the recipient's language. `unsubscribe`: where a mail program posts (RFC 8058)."""

    subject: str
    text: str
    html: str
    unsubscribe: str


def written(message: Message, public_url: str) -> Written:
    """The message in words. `public_url`: where links lead."""
    language = message.language
    items = [_item(each, language) for each in message.letter.notifications]
    subject = heading = _heading(message, items)
    if message.delivery.occasion == AT_ONCE and items[0].reference:
        subject = f"{heading} ({items[0].reference})"
    hidden = message.letter.total - len(items)
    more = say(Sentence("And {count} more in İmece.", count=hidden), language) if hidden else ""
    # People are led to a page; programs post to the API.
    unsubscribe = Link(say(Sentence("Stop these e-mails"), language), f"{public_url}/unsubscribe/{message.token}")
    values: dict[str, Any] = {
        "language": language,
        "subject": subject,
        "heading": heading,
        "items": items,
        "more": more,
        "links": _links(message, public_url),
        "footer": _footer(message),
        "unsubscribe": unsubscribe,
    }
    return Written(subject, _text(values), _page().render(values), f"{public_url}/api/v1/unsubscribe/{message.token}")


def short(message: Message) -> tuple[str, str]:
    """(title, text) for a channel of few letters: what it is about; the rest stands in İmece."""
    items = [_item(each, message.language) for each in message.letter.notifications]
    titles = [f"{item.title} ({item.reference})" if item.reference else item.title for item in items]
    text = "\n".join(titles)
    return _heading(message, items), text if len(text) <= _SMS_LENGTH else text[: _SMS_LENGTH - 1] + "…"


def _item(notification: Notification, language: str) -> Item:
    said = template.body(notification.template, notification.params)
    return Item(
        say(template.title(notification.template), language),
        notification.reference,
        tuple(say(each, language) for each in said),
    )


def _heading(message: Message, items: list[Item]) -> str:
    occasion, count = message.delivery.occasion, message.letter.total
    if occasion == AT_ONCE:
        return items[0].title
    daily = Sentence("İmece, summary of the day: {count}", count=count)
    weekly = Sentence("İmece, summary of the week: {count}", count=count)
    return say(daily if occasion == DAILY else weekly, message.language)


def _links(message: Message, public_url: str) -> list[Link]:
    values, language = message.values, message.language
    found = []
    if "confirm_url" in values:
        found.append(Link(say(Sentence("Confirm the signature"), language), values["confirm_url"]))
    if "tracking_code" in values:
        url = f"{public_url}/tracking/{values['tracking_code']}"
        found.append(Link(say(Sentence("Follow the petition; no sign-in is needed"), language), url))
    if is_person(message.delivery.recipient):
        found.append(Link(say(Sentence("Open İmece"), language), f"{public_url}/"))
    return found


def _footer(message: Message) -> list[str]:
    if is_person(message.delivery.recipient):
        why = Sentence(
            "You receive this because of an office that you hold. You choose in İmece what is sent and when."
        )
    elif role_of(message.delivery.recipient) == SUPPORTER:
        why = Sentence("You receive this because this address was given with a signature.")
    else:
        why = Sentence("You receive this because this address was given with a petition.")
    courtesy = Sentence("This mail is a courtesy and replaces no formal service (7201/7-a).")
    return [say(each, message.language) for each in (why, courtesy)]


def _text(values: dict[str, Any]) -> str:
    lines: list[str] = []
    if len(values["items"]) > 1 or values["items"][0].title != values["heading"]:
        lines += [values["heading"], ""]
    for item in values["items"]:
        lines += [item.title + (f" ({item.reference})" if item.reference else ""), *item.body, ""]
    if values["more"]:
        lines += [values["more"], ""]
    lines += [f"{link.words}: {link.url}" for link in values["links"]]
    lines += ["", "-- ", *values["footer"], f"{values['unsubscribe'].words}: {values['unsubscribe'].url}", ""]
    return "\n".join(lines)


@cache
def _page() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False).from_string(_HTML)
