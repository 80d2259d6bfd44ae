"""What petitions may be told about signatures."""

from __future__ import annotations

from marshmallow import fields, validate

from services.contracts.registry import Asked

LANGUAGES = ("tr", "en")


class SupportClosing(Asked):
    """Why the public part of a petition is closed; the petitioner reads it."""

    reason = fields.String(required=True, validate=validate.Length(min=1, max=2_000))


class SupportRequest(Asked):
    """A wish to sign; an address is needed where nobody signed in."""

    email = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=254))
    language = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(LANGUAGES))
