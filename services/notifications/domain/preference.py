"""What a person may choose: for each topic at once, daily, weekly or off, and where it goes.

The topics are a table, read by the program, the interface and the documentation. An in-app notification
goes to the office whatever its holders chose; the choice is about what is sent to the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.kernel.actor import ORGANISATION_ROLES
from services.kernel.text import Label
from services.notifications.domain.audience import PERSONAL, role_of
from services.notifications.domain.happening import Happening
from services.notifications.domain.template import ADDRESS_BOUNCED, PETITIONER_BOUNCED
from services.notifications.domain.webhook import SWITCHED_OFF

AT_ONCE, DAILY, WEEKLY, OFF = "at_once", "daily", "weekly", "off"
STREAMS = (AT_ONCE, DAILY, WEEKLY, OFF)
"""The loudest first."""

DIGESTS = (DAILY, WEEKLY)


@dataclass(frozen=True)
class Topic:
    """Something that a person may choose a stream for; `name` is an event's, with what is particular behind a `/`."""

    name: str
    label: Label
    default: str


TOPICS: tuple[Topic, ...] = (
    Topic("protocol.drafted.v1", Label("Yeni protokol taslağı", "New protocol draft"), AT_ONCE),
    Topic("protocol.moved.v1", Label("Protokolde yeni bir adım", "A new step in a protocol"), DAILY),
    Topic("protocol.moved.v1/turn", Label("Protokolde sıra dairenizde", "A protocol awaits your office"), AT_ONCE),
    Topic("protocol.moved.v1/refused", Label("Protokol reddedildi", "A protocol was refused"), AT_ONCE),
    Topic("protocol.entered_into_force.v1", Label("Protokol yürürlükte", "Protocol in force"), DAILY),
    Topic("protocol.flagged.v1", Label("Hukuki inceleme gerekiyor", "Legal review needed"), AT_ONCE),
    Topic("protocol.review_settled.v1", Label("Hukuki inceleme sonuçlandı", "Legal review settled"), DAILY),
    Topic("protocol.partner_changed.v1", Label("Ortak değişti", "The partner has changed"), DAILY),
    Topic("clock.started.v1", Label("Protokolde süre başladı", "A time limit of a protocol has begun"), AT_ONCE),
    Topic("clock.expired.v1", Label("Protokolde süre doldu", "A time limit of a protocol has passed"), AT_ONCE),
    Topic("clock.moved.v1", Label("Protokolde süre değişti", "A time limit of a protocol has changed"), DAILY),
    Topic(
        "clock.reminder_due.v1", Label("Protokolde süre hatırlatması", "Reminder of a protocol's time limit"), AT_ONCE
    ),
    Topic("petition.submitted.v1", Label("Yeni dilekçe", "New petition"), AT_ONCE),
    Topic("petition.moved.v1", Label("Dilekçede yeni bir adım", "A new step in a petition"), DAILY),
    Topic("petition.moved.v1/turn", Label("Dilekçede sıra dairenizde", "A petition awaits your office"), AT_ONCE),
    Topic("petition.moved.v1/refused", Label("Dilekçe reddedildi", "A petition was refused"), AT_ONCE),
    Topic("petition.moved.v1/late", Label("Dilekçenin cevabı gecikti", "The answer to a petition is late"), AT_ONCE),
    Topic("petition.moved.v1/outcome", Label("Dilekçenize sonuç", "The outcome of your petition"), AT_ONCE),
    Topic("petition.protocol_linked.v1", Label("Öneriden protokol doğdu", "A protocol came of a proposal"), AT_ONCE),
    Topic(
        "petition.clock_started.v1", Label("Dilekçede süre başladı", "A time limit of a petition has begun"), AT_ONCE
    ),
    Topic("petition.clock_expired.v1", Label("Dilekçede süre doldu", "A time limit of a petition has passed"), AT_ONCE),
    Topic("petition.clock_moved.v1", Label("Dilekçede süre değişti", "A time limit of a petition has changed"), DAILY),
    Topic(
        "petition.reminder_due.v1", Label("Dilekçede süre hatırlatması", "Reminder of a petition's time limit"), AT_ONCE
    ),
    Topic("organisation.updated.v1", Label("Kuruluş kaydı değişti", "An organisation's record changed"), DAILY),
    Topic("organisation.status_granted.v1", Label("Kuruluşa statü verildi", "A status was granted"), DAILY),
    Topic("organisation.status_revoked.v1", Label("Kuruluşun statüsü kaldırıldı", "A status was revoked"), AT_ONCE),
    Topic("organisation.correction_proposed.v1", Label("Düzeltme önerildi", "Correction proposed"), DAILY),
    Topic("organisation.correction_decided.v1", Label("Düzeltme sonuçlandı", "Correction decided"), DAILY),
    Topic("organisation.audit_due.v1", Label("Denetim zamanı", "Audit due"), DAILY),
    Topic("organisation.status_ending.v1", Label("Statü sona eriyor", "A status is about to end"), DAILY),
    Topic(SWITCHED_OFF, Label("Bir web kancası kapatıldı", "A webhook was switched off"), AT_ONCE),
    Topic(
        PETITIONER_BOUNCED,
        Label("Dilekçe sahibinin e-posta adresi çalışmıyor", "A petitioner's e-mail address does not work"),
        AT_ONCE,
    ),
    Topic(ADDRESS_BOUNCED, Label("Bir e-posta adresi çalışmıyor", "An e-mail address does not work"), DAILY),
)

_BY_NAME: Mapping[str, Topic] = {topic.name: topic for topic in TOPICS}
_LATE = ("note_silence", "report_draft_problem", "lapse_unpaid")
_REFUSED_STAGES = ("rejected", "permission_refused", "declined")


def topic_of(happening: Happening, office: str) -> str:
    """The topic under which this office hears the event: the most particular that it has."""
    return next(name for name in (*_particular(happening, office), happening.event) if name)


def _particular(happening: Happening, office: str) -> list[str]:
    data, event, role = happening.data, happening.event, role_of(office)
    if "move" not in data:
        return []
    found = []
    if data.get("turn") == role or (data.get("turn") == "petitioner" and role in ORGANISATION_ROLES):
        found.append(f"{event}/turn")
    if data.get("move") in _LATE:
        found.append(f"{event}/late")
    if data.get("outcome") == "refused" or data.get("to") in _REFUSED_STAGES:
        found.append(f"{event}/refused")
    if data.get("to") in ("answered", "forwarded", "proposal_accepted") and role in ORGANISATION_ROLES:
        found.append(f"{event}/outcome")
    return [name for name in found if name in _BY_NAME]


def default_of(topic: str) -> str:
    """The stream of a topic for whoever chose nothing; what nobody can choose goes out at once."""
    known = _BY_NAME.get(topic)
    return AT_ONCE if known is None else known.default


@dataclass(frozen=True, kw_only=True)
class Preference:
    """What a recipient chose. Version 0: nothing yet.

    `streams`: topic → stream, for the topics where it differs from the default. `language` None: the
    installation's. `mail`: whether mail is sent. `elsewhere`: the address on the other channel.
    `token`: whoever knows it may switch the mails off; it stands in every mail.
    """

    recipient: str
    language: str | None = None
    mail: bool = True
    elsewhere: str | None = None
    streams: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    version: int = 0

    def stream_of(self, topic: str) -> str:
        """How the recipient wants to hear of the topic."""
        return self.streams.get(topic) or default_of(topic)


def known_topics() -> frozenset[str]:
    """The names that may be chosen."""
    return frozenset(_BY_NAME)


def person(user_id: str) -> str:
    """The recipient key of a user."""
    return f"person@{user_id}"


def is_person(recipient: str) -> bool:
    """Whether the recipient is a user, who has an account and can choose."""
    return role_of(recipient) == "person"


def is_personal(office: str) -> bool:
    """Whether this is no office but a petitioner or a signatory, who is reached alone and at once."""
    return role_of(office) in PERSONAL


def louder(one: str, other: str) -> str:
    """The more urgent of two streams."""
    return min(one, other, key=STREAMS.index)


def as_markdown() -> str:
    """The topics and their defaults as a reader of the documentation sees them."""
    words = {AT_ONCE: "at once", DAILY: "daily", WEEKLY: "weekly", OFF: "off"}
    lines = ["| topic | Türkçe | English | unless chosen otherwise |", "|---|---|---|---|"]
    lines += [f"| `{each.name}` | {each.label.tr} | {each.label.en} | {words[each.default]} |" for each in TOPICS]
    return "\n".join(lines) + "\n"
