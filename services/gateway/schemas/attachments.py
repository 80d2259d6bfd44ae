"""What the interface takes and gives of the files of petitions."""

from __future__ import annotations

from marshmallow import fields

from services.contracts.attachments import ATTACHMENT_KINDS
from services.gateway.fields import AnswerSchema, File, Flag, Identifier, Moment, RequestSchema, Text, Word


class AttachmentForm(RequestSchema):
    """A file with what it is to its petition."""

    file = File(
        required=True,
        metadata={
            "description": "PDF, PNG, JPEG, TIFF, DOCX, XLSX or ODT without macros, or text in UTF-8, "
            "under a name that ends accordingly."
        },
    )
    title = Text(200, 0, metadata={"description": "Shown in lists; the file's name where none is given."})
    kind = Word(
        ATTACHMENT_KINDS,
        load_default="annex",
        metadata={"description": "A reply is the municipality's, and the petitioner sees it with the answer."},
    )


class AttachmentSchema(AnswerSchema):
    """A file of a petition, without its content."""

    id = Identifier(required=True)
    petition_id = Identifier(required=True)
    kind = Word(ATTACHMENT_KINDS, required=True)
    kind_label = fields.String(required=True)
    title = fields.String(required=True)
    file_name = fields.String(required=True)
    media_type = fields.String(required=True)
    size = fields.Integer(required=True, metadata={"description": "Bytes."})
    sha256 = fields.String(required=True)
    added_at = Moment(required=True)
    added_by = fields.String(required=True, metadata={"description": "The office or the petitioner, never a person."})
    may_remove = Flag(required=True, metadata={"description": "Whether the caller may remove it now."})


class AttachmentsSchema(AnswerSchema):
    """The files of a petition."""

    items = fields.List(fields.Nested(AttachmentSchema), required=True)
