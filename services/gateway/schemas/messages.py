"""What the interface takes and gives of messages to people: choices, deliveries, suppressed addresses."""

from __future__ import annotations

from marshmallow import fields

from services.contracts.notifications import DELIVERY_STATES, LANGUAGES, MAX_TOPICS, STREAMS
from services.gateway.fields import AnswerSchema, Flag, Items, Moment, Part, RequestSchema, Shaped, Text, Word
from services.gateway.schemas import PageQuery, _Page

TOPIC = r"^[a-z_]+(\.[a-z0-9_]+)*(/[a-z_]+)?$"


def _said(text: str) -> dict[str, str]:
    return {"description": text}


class ChosenStreamSchema(RequestSchema):
    """How I want to hear of a topic."""

    event = Shaped(TOPIC, "protocol.moved.v1", 120, required=True)
    stream = Word(STREAMS, required=True)


class PreferenceChangeSchema(RequestSchema):
    """My choice; topics that are left out go as by default, all else stays as it is."""

    language = Word(LANGUAGES, allow_none=True, metadata=_said("Null: the installation's."))
    mail = Flag(metadata=_said("Whether mail is sent to me; as before where left out."))
    elsewhere = Text(
        200, allow_none=True, metadata=_said("My address on the other channel, such as a telephone number; null: none.")
    )
    events = Items(Part(ChosenStreamSchema), MAX_TOPICS, metadata=_said("Topics and streams."))


class TopicSchema(AnswerSchema):
    """Something that I may choose a stream for."""

    event = fields.String(required=True, metadata=_said("The event, with what is particular of it behind a slash."))
    label = fields.String(required=True)
    default = Word(STREAMS, required=True)
    stream = Word(STREAMS, required=True, metadata=_said("What counts for me."))


class PreferenceSchema(AnswerSchema):
    """What I am sent, when and in which language."""

    language = Word(LANGUAGES, required=True, allow_none=True)
    mail = fields.Boolean(required=True)
    elsewhere = fields.String(required=True, allow_none=True)
    channels = fields.List(fields.String(), required=True, metadata=_said("What this installation can send through."))
    events = fields.List(fields.Nested(TopicSchema), required=True)
    version = fields.Integer(required=True, metadata=_said("0 until something was chosen."))


class MessagesQuery(PageQuery):
    """Which deliveries."""

    state = Word(DELIVERY_STATES)


class MessageSchema(AnswerSchema):
    """A message and what became of it; no address and no text."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    recipient = fields.String(
        required=True, metadata=_said("person@<user>, petitioner@<petition> or supporter@<signature>.")
    )
    channel = fields.String(required=True)
    occasion = fields.String(required=True, metadata=_said("at_once, daily or weekly."))
    notices = fields.Integer(required=True, metadata=_said("Of how many events it tells."))
    state = Word(DELIVERY_STATES, required=True)
    attempts = fields.Integer(required=True)
    cause = fields.String(required=True, allow_none=True, metadata=_said("The class of the last failure."))
    next_at = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    sent_at = Moment(required=True, allow_none=True, metadata=_said("When the mail server took it."))


class MessagePageSchema(_Page):
    """A page of deliveries, the newest first."""

    items = fields.List(fields.Nested(MessageSchema), required=True)


class SuppressionSchema(AnswerSchema):
    """An address that gets no mail, masked."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    address = fields.String(required=True, metadata={"examples": ["k…@example.org"]})
    recipient = fields.String(required=True)
    cause = fields.String(required=True)
    since = Moment(required=True)


class SuppressionPageSchema(_Page):
    """A page of suppressed addresses, the newest first."""

    items = fields.List(fields.Nested(SuppressionSchema), required=True)


class SubscriptionSchema(AnswerSchema):
    """Whether the mails of a link are on."""

    mail = fields.Boolean(required=True)
