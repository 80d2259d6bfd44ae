"""What the interface takes and gives of signatures under petitions."""

from __future__ import annotations

from marshmallow import fields, validate

from services.contracts.petitions import KINDS
from services.contracts.plan import PETITION_STAGES
from services.gateway.fields import AnswerSchema, Day, Identifier, RequestSchema, Shaped, Word
from services.gateway.schemas import _Page
from services.kernel.mailbox import EMAIL, LONGEST_EMAIL


class SupportedPetitionSchema(AnswerSchema):
    """A petition in its petitioner's own public words; who wrote and who signed it is not told."""

    id = Identifier(required=True)
    municipality = fields.String(required=True)
    kind = Word(KINDS, required=True)
    title = fields.String(required=True)
    text = fields.String(required=True, allow_none=True)
    stage = Word(PETITION_STAGES, required=True)
    outcome = fields.String(required=True, allow_none=True)
    filed_on = Day(required=True)
    supporters = fields.Integer(required=True, metadata={"description": "Confirmed signatures."})
    open = fields.Boolean(required=True, metadata={"description": "Whether it can still be signed."})


class SupportedPetitionPageSchema(_Page):
    """A page of petitions."""

    items = fields.List(fields.Nested(SupportedPetitionSchema), required=True)


class SupportClosingSchema(RequestSchema):
    """Why the public part of a petition is closed."""

    reason = fields.String(
        required=True,
        validate=validate.Length(min=1, max=2_000),
        metadata={"description": "The petitioner reads it in the petition's history."},
    )


class NewSupportSchema(RequestSchema):
    """Where to send the mail that confirms the signature; whoever signed in needs none."""

    email = Shaped(EMAIL, "ad@example.org", LONGEST_EMAIL)
    language = Word(("tr", "en"), metadata={"description": "Of the mail."})


class SupportAskedSchema(AnswerSchema):
    """What became of the wish to sign; for an address the same whether or not it signed before."""

    state = Word(("confirmation_sent", "confirmed"), required=True)
    token = fields.String(
        required=True, allow_none=True, metadata={"description": "For an account: the word that takes it back."}
    )


class SupportSchema(AnswerSchema):
    """A signature, to whoever holds its token."""

    state = Word(("pending", "confirmed"), required=True)
    petition = fields.Nested(SupportedPetitionSchema, required=True)
