"""The files of petitions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from services.contracts.attachments import SentAttachment
from services.kernel.actor import PETITIONER, Actor
from services.kernel.errors import Invalid, NotFound
from services.kernel.text import Sentence
from services.petitions.adapters.access import admitted
from services.petitions.adapters.attachment import AttachmentFiles, AttachmentRows
from services.petitions.application import attachment as files
from services.petitions.application.attachment import Sent
from services.petitions.domain.access import Admitted
from services.petitions.domain.attachment import (
    KINDS,
    Attachment,
    Kind,
    check_may_add,
    clean_name,
    may_remove,
    named,
    no_such_file,
)
from services.petitions.domain.case import ADD_FILE, REMOVE_FILE, note_file, signed_on_scan
from services.petitions.service.case import CaseDesk
from services.petitions.service.desk import Plain
from services.runtime.blob import Space, Store, is_sum, store_of
from services.runtime.content import ENDINGS, agrees, media_type
from services.runtime.contents import clear_removed, clear_unknown
from services.runtime.entrypoints import every, rpc
from services.runtime.schema import load

_WRONG_KIND = Sentence(
    "Send a PDF, a picture (PNG, JPEG, TIFF), a DOCX, XLSX or ODT document, or plain text (TXT, UTF-8), under a name "
    "that ends accordingly. Not taken: documents with macros, locked ones, and files that are two things at once."
)


class AttachmentDesk(CaseDesk):
    """Questions and commands about the files of petitions."""

    @rpc
    def list_attachments(self, actor: Plain, petition_id: str, petition_key: str | None = None) -> Plain:
        """The petition's files that the caller sees. Raises NotFound."""
        with self.database.read() as connection:
            who = admitted(connection, Actor.from_plain(actor), petition_id, petition_key)
            found = files.list_attachments(AttachmentRows(connection), who)
        return {"items": [_shown(who, each) for each in found]}

    @rpc
    def get_attachment(
        self, actor: Plain, petition_id: str, attachment_id: str, petition_key: str | None = None
    ) -> Plain:
        """One file without its content, which is in the store under `sha256`. Raises NotFound."""
        with self.database.read() as connection:
            who = admitted(connection, Actor.from_plain(actor), petition_id, petition_key)
            return _shown(who, files.get_attachment(AttachmentRows(connection), who, attachment_id))

    @rpc
    def may_attach(
        self, actor: Plain, petition_id: str, petition_key: str | None = None, kind: str = Kind.ANNEX
    ) -> Plain:
        """Nothing where the caller may add a file of this kind. Raises NotFound, Forbidden, Refused.

        Asked before a file is put into the store: a stranger's never gets there.
        """
        with self.database.read() as connection:
            who = admitted(connection, Actor.from_plain(actor), petition_id, petition_key)
        check_may_add(who, Kind(kind))
        return {}

    @rpc
    def add_attachment(
        self, actor: Plain, petition_id: str, attachment: Plain, key: str, petition_key: str | None = None
    ) -> Plain:
        """See `files.add_attachment`; its content was put into the store before, and goes again when it is refused."""
        store = self._store()
        try:
            with self.database.read() as connection:
                who = admitted(connection, Actor.from_plain(actor), petition_id, petition_key)
            given = load(SentAttachment(), attachment)
            sent = self._examined(store, given)

            def effect(connection: Connection, _acting: Actor) -> Plain:
                there = self._admitted(connection, actor, petition_id, petition_key)
                contents, rows = AttachmentFiles(connection, store), AttachmentRows(connection)
                most, now = self.settings.attachments_each, self.time.now()
                before = {each.id for each in rows.of(there.id)}
                added = files.add_attachment(rows, contents, there, sent, most=most, now=now)
                if added.id not in before:
                    self._note(connection, there, ADD_FILE, added, now)
                return _shown(there, added)

            request = {"petition_id": petition_id, "attachment": attachment}
            return self.once(_as_caller(who), key, "add_attachment", request, effect)
        finally:
            if is_sum(attachment.get("sha256")):
                with self.database.write() as connection:
                    AttachmentFiles(connection, store).let_go(attachment["sha256"])

    @rpc
    def remove_attachment(
        self, actor: Plain, petition_id: str, attachment_id: str, key: str, petition_key: str | None = None
    ) -> Plain:
        """See `files.remove_attachment`; the answer is its id alone, since answers are remembered for days."""
        with self.database.read() as connection:
            who = admitted(connection, Actor.from_plain(actor), petition_id, petition_key)

        def effect(connection: Connection, _acting: Actor) -> Plain:
            there = self._admitted(connection, actor, petition_id, petition_key)
            now = self.time.now()
            removed = files.remove_attachment(AttachmentRows(connection), there, attachment_id, now=now)
            self._note(connection, there, REMOVE_FILE, removed, now)
            return {"id": removed.id}

        request = {"petition_id": petition_id, "attachment_id": attachment_id}
        return self.once(_as_caller(who), key, "remove_attachment", request, effect)

    @every("housekeeping_interval")
    def clear_removed_attachments(self) -> None:
        """Throw away the contents of files that were removed."""
        clear_removed(self.database, self._store(), AttachmentFiles, self.time.now())

    @every("housekeeping_interval")
    def clear_unknown_attachments(self) -> None:
        """Throw away contents that came in more than a day ago and that no petition has."""
        clear_unknown(self.database, self._store(), AttachmentFiles, self.time.now())

    def _store(self) -> Store:
        return store_of(self.settings, Space.PETITIONS)

    def _admitted(self, connection: Connection, actor: Plain, petition_id: str, petition_key: str | None) -> Admitted:
        return admitted(connection, Actor.from_plain(actor), petition_id, petition_key, to_change=True)

    def _note(self, connection: Connection, who: Admitted, move: str, file: Attachment, now: datetime) -> None:
        """The act in the petition's history, and what a scan tells of the signature."""
        store, context = self._stores().on(connection), self.case_context()
        case = store.locked(who.id)
        if case is None:
            raise no_such_file()
        if file.kind is Kind.SCAN:
            scans = [each for each in AttachmentRows(connection).of(who.id) if each.kind is Kind.SCAN]
            case.petitioner = signed_on_scan(case, there=bool(scans))
        note_file(case, move, file.kind, file.sha256, who.actor, now, store.calendar())
        store.save(case, [], who.actor, context.procedure)

    def _examined(self, store: Store, given: Plain) -> Sent:
        """The file, looked at outside of any transaction: what is kept under a sum never changes."""
        if given["size"] > self.settings.largest_attachment:
            most = self.settings.largest_attachment
            raise Invalid.field("file", Sentence("The file is larger than {most} bytes.", most=most))
        try:
            with store.open(given["sha256"]) as file:
                found = media_type(file)
        except NotFound:
            raise files.gone() from None
        if found is None:
            raise Invalid.field("file", _WRONG_KIND)
        name = named(clean_name(given["file_name"]), ENDINGS[found][0])
        if not agrees(found, name):
            raise Invalid.field("file", _WRONG_KIND)
        return Sent(Kind(given["kind"]), given["title"], name, found, given["size"], given["sha256"])


def _as_caller(who: Admitted) -> Plain:
    """Whose Idempotency-Keys these are: all who hold one petition's key are one caller, and of no other petition."""
    return Actor(PETITIONER, who.id).to_plain() if who.actor.role == PETITIONER else who.actor.to_plain()


def _shown(who: Admitted, attachment: Attachment) -> Plain:
    return {
        **vars(attachment),
        "kind_label": KINDS[attachment.kind].to_plain(),
        "added_at": attachment.added_at.isoformat(),
        "may_remove": may_remove(who, attachment),
    }
