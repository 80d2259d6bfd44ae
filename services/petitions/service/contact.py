"""Where people without an account are reached."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.kernel.actor import PETITIONER
from services.petitions.service.support import SUPPORTER, SupportDesk
from services.runtime.entrypoints import rpc

Plain = dict[str, Any]


class ContactDesk(SupportDesk):
    """Asked at the moment of sending, so that no address is copied."""

    @rpc
    def contact_of(self, recipient: str) -> Plain | None:
        """Where a recipient without an account is reached, asked when a message leaves; None when nowhere.

        `petitioner@<petition id>`: {email, language, values {number, tracking_code, municipality_name}};
        `supporter@<support id>`: see `SupportDesk.supporter_contact`.
        """
        office, _, id_ = recipient.partition("@")
        if office == SUPPORTER:
            return self.supporter_contact(recipient)
        if office != PETITIONER or not _is_id(id_):
            return None
        with self.case_context().read() as store:
            case = store.get(id_)
        if case is None or not case.petitioner.email:
            return None
        values = {
            "number": case.reference,
            "tracking_code": case.tracking_code,
            "municipality_name": case.municipality.name,
        }
        return {"email": case.petitioner.email, "language": case.language, "values": values}


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
