"""What petitions may be told and answers about the files of a petition."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.contracts.registry import Asked

ATTACHMENT_KINDS = ("scan", "mandate", "annex", "reply")
_LONGEST = 5_000


class SentAttachment(Asked):
    """A file whose content was put into the store; `file_name` as its sender called it."""

    kind = fields.String(load_default="annex", validate=validate.OneOf(ATTACHMENT_KINDS))
    title = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=_LONGEST))
    file_name = fields.String(required=True, validate=validate.Length(max=200))
    size = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    sha256 = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z"))


class AttachmentAnswer(Schema):
    """A file of a petition, without its content. `may_remove`: by the caller, now."""

    id = fields.UUID(required=True)
    petition_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(ATTACHMENT_KINDS))
    kind_label = fields.Dict(required=True)
    title = fields.String(required=True)
    file_name = fields.String(required=True)
    media_type = fields.String(required=True)
    size = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    added_at = fields.AwareDateTime(required=True)
    added_by = fields.String(required=True)
    may_remove = fields.Boolean(required=True)
