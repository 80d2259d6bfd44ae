"""Signing petitions: what everyone sees of them, and the way of one signature."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, Row

from services.contracts.support import SupportClosing, SupportRequest
from services.kernel.actor import SYSTEM, Actor
from services.kernel.errors import Forbidden, Invalid, Refused
from services.kernel.events import Scope
from services.kernel.text import Sentence
from services.petitions.adapters.messages import messages
from services.petitions.adapters.support import SupportRows, petition_shown, supporters_of
from services.petitions.application.case import demand_seen
from services.petitions.domain import support
from services.petitions.domain.case import close_support
from services.petitions.domain.events import PetitionSupportRequestedV1
from services.petitions.domain.procedure import CLERK, OPEN
from services.petitions.domain.support import CONFIRMED, Asked
from services.petitions.service.case import CaseDesk
from services.petitions.service.desk import Plain
from services.runtime import outbox
from services.runtime.entrypoints import every, rpc
from services.runtime.schema import load

SUPPORTER = "supporter"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class SupportDesk(CaseDesk):
    """Questions and commands about signatures."""

    @rpc
    def list_supported(self, municipality: str, page: int = 1, size: int = 50) -> Plain:
        """One page of the municipality's petitions that may be signed, or could be; for everyone."""
        with self.database.read() as connection:
            found, total = SupportRows(connection).page(municipality, page, size)
        return {"items": found, "page": page, "size": size, "total": total}

    @rpc
    def get_supported(self, petition_id: str) -> Plain:
        """One petition that its petitioner opened for signatures; for everyone. Raises NotFound."""
        with self.database.read() as connection:
            return _shown(connection, SupportRows(connection).petition(petition_id))

    @rpc
    def close_support(self, actor: Plain, petition_id: str, reason: str, key: str) -> Plain:
        """Take the public words of a petition away; the act and its reason stand in its history.

        Raises NotFound, Forbidden (an office other than the municipality's registry), Refused (nothing is public).
        """
        given = load(SupportClosing(), {"reason": reason})["reason"]

        def effect(connection: Connection, acting: Actor) -> Plain:
            store, context = self._stores().on(connection), self.case_context()
            case, looker = demand_seen(store.locked(petition_id), acting, None)
            if looker.role != CLERK:
                raise Forbidden(Sentence("Only the registry of the municipality closes the public part of a petition."))
            if case.public_title is None:
                raise Refused(Sentence("This petition has no public part."))
            close_support(case, given, looker, context.now, store.calendar())
            store.save(case, [], looker, context.procedure)
            return {"id": case.id, "version": case.version}

        return self.once(actor, key, "close_support", {"petition_id": petition_id, "reason": given}, effect)

    @rpc
    def request_support(
        self, petition_id: str, request: Plain, user_id: str | None = None, account_email: str | None = None
    ) -> Plain:
        """Sign a petition: an account at once, an address once it is confirmed by mail.

        The answer to an address is the same whether or not it signed before. Raises NotFound, Refused, Invalid.
        """
        asked = load(SupportRequest(), request)
        if user_id is None and not asked["email"]:
            raise Invalid.field("email", Sentence("Give an e-mail address, or sign in."))
        now = self.time.now()
        with self.database.write() as connection:
            rows = SupportRows(connection)
            petition = rows.petition(petition_id)
            support.demand_open(is_open=petition.stage in OPEN)
            secret = rows.secret()
            address = asked["email"] if user_id is None else account_email
            wish = Asked(
                mail_hash=support.mail_hash(secret, petition.id, address) if address else None,
                account_hash=support.account_hash(secret, petition.id, user_id) if user_id else None,
                email=address,
                language=asked["language"] or self.settings.language,
            )
            support_id, to_be_mailed = rows.sign(petition.id, wish, secret, now)
            if to_be_mailed:
                event = PetitionSupportRequestedV1(**_told(petition), support_id=support_id)
                outbox.post(connection, messages([event], Scope(municipality=petition.municipality), SYSTEM, now))
        if user_id is None:
            return {"state": "confirmation_sent", "token": None}
        return {"state": CONFIRMED, "token": support.token_of(secret, support_id)}

    @rpc
    def support_of(self, token: str) -> Plain:
        """What a token speaks for: {state, petition}; changes nothing. Raises NotFound.

        `petition` is null where it was withdrawn: the signature can be taken back all the same.
        """
        with self.database.read() as connection:
            rows = SupportRows(connection)
            found = rows.of_token(token, self.time.now())
            petition = rows.find(found.petition_id)
            return {"state": found.state, "petition": petition and _shown(connection, petition)}

    @rpc
    def confirm_support(self, token: str) -> Plain:
        """Let a signature count; again and again is the same.

        Raises NotFound for a token that is not valid any more, and Refused where the petition was dealt with meanwhile.
        """
        with self.database.write() as connection:
            rows, now = SupportRows(connection), self.time.now()
            found = rows.of_token(token, now, to_change=True)
            petition = rows.petition(found.petition_id)
            if found.state != CONFIRMED:
                support.demand_open(is_open=petition.stage in OPEN)
                rows.confirm(found.id, now)
            return {"state": CONFIRMED, "petition": _shown(connection, petition)}

    @rpc
    def withdraw_support(self, token: str) -> None:
        """Take a signature back; nothing of it remains. Raises NotFound."""
        with self.database.write() as connection:
            rows = SupportRows(connection)
            rows.withdraw(rows.of_token(token, self.time.now(), to_change=True).id)

    @every("housekeeping_interval")
    def clear_supports(self) -> None:
        """Erase signatures that nobody confirmed within a week, and addresses that are needed no more."""
        done = 1
        while done:
            with self.database.write() as connection:
                done = SupportRows(connection).clear(self.time.now())

    def supporter_contact(self, recipient: str) -> Plain | None:
        """Where the mail to `supporter@<id>` goes, asked at the moment of sending: {email, language, values}.

        None when the signature was confirmed, withdrawn or erased meanwhile.
        """
        kind, _, support_id = recipient.partition("@")
        if kind != SUPPORTER or _ID.match(support_id) is None:
            return None
        with self.database.read() as connection:
            found = SupportRows(connection).contact(support_id, self.time.now())
        if found is None:
            return None
        url = f"{self.settings.public_url.rstrip('/')}/support/{found['token']}"
        # The page behind it confirms and withdraws; opening it does neither, since mail programs open links.
        values = {"confirm_url": url, "withdraw_url": url, "number": found["number"], "title": found["title"]}
        return {"email": found["email"], "language": found["language"], "values": values}


def _shown(connection: Connection, petition: Row[Any]) -> Plain:
    return petition_shown(petition, supporters_of(connection, [petition.id]).get(petition.id, 0))


def _told(petition: Row[Any]) -> Plain:
    return {
        "subject_id": petition.id,
        "subject_version": petition.version,
        "petition_id": petition.id,
        "number": petition.number,
        "kind": petition.kind,
        "municipality": petition.municipality,
        "municipality_name": petition.municipality_name,
        "organisation_id": petition.organisation_id,
        "organisation_name": petition.organisation_name,
        "petitioner_type": petition.petitioner_type,
    }
