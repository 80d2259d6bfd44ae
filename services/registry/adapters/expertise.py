"""What organisations offer in the database, and their documents in the store of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, exists, func, insert, literal, or_, select, update

from services.kernel.errors import NotFound
from services.kernel.text import Sentence
from services.registry.adapters.repository import uuid_of
from services.registry.adapters.search import folded_name, query_words
from services.registry.adapters.tables import DOCUMENTS, EXPERTISE, EXPERTISE_MARKS, EXPERTISE_RECORDS, ORGANISATIONS
from services.registry.domain.expertise import TAGS, Document, Offer
from services.registry.domain.vocabulary import State
from services.runtime.blob import Store
from services.runtime.content import DOCX, JPEG, ODT, PDF, PNG, media_type
from services.runtime.contents import Contents

ANYWHERE = "*"
TAKEN = frozenset({PDF, DOCX, ODT, PNG, JPEG})
"""Kinds of documents, by what is in them."""


class Offering(NamedTuple):
    """An offer beside the organisation that makes it, as a list shows it."""

    organisation: Mapping[str, Any]
    offer: Offer
    documents: int


class OfferRows:
    """Offers and documents in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, organisation_id: str, *, to_change: bool = False) -> Offer | None:
        """What the organisation offers, in one query."""
        statement = select(EXPERTISE).where(EXPERTISE.c.organisation_id == organisation_id)
        row = self._connection.execute(statement.with_for_update() if to_change else statement).one_or_none()
        return None if row is None else _offer(row)

    def save(self, offer: Offer) -> None:
        """Keep a new version of it, and the version in its history."""
        mine = EXPERTISE.c.organisation_id == offer.organisation_id
        row = {
            "id": offer.id,
            "version": offer.version,
            "tags": list(offer.tags),
            "text": offer.text,
            "provinces": list(offer.provinces),
            "valid_until": offer.valid_until,
            "folded": folded_name(offer.text or "", *_names(offer)),
            "changed_at": offer.changed_at,
            "changed_by": offer.changed_by,
        }
        if offer.version == 1:
            self._connection.execute(insert(EXPERTISE).values(organisation_id=offer.organisation_id, **row))
        else:
            self._connection.execute(update(EXPERTISE).where(mine).values(row))
        self._connection.execute(
            delete(EXPERTISE_MARKS).where(EXPERTISE_MARKS.c.organisation_id == offer.organisation_id)
        )
        marks = [("tag", tag) for tag in offer.tags]
        if offer.tags or offer.text:
            marks += [("province", code) for code in offer.provinces or (ANYWHERE,)]
        if marks:
            self._connection.execute(
                insert(EXPERTISE_MARKS),
                [{"kind": kind, "value": value, "organisation_id": offer.organisation_id} for kind, value in marks],
            )
        self._connection.execute(
            insert(EXPERTISE_RECORDS).values(
                organisation_id=offer.organisation_id,
                version=offer.version,
                recorded_at=offer.changed_at,
                recorded_by=offer.changed_by,
                offer={
                    "tags": list(offer.tags),
                    "text": offer.text,
                    "provinces": list(offer.provinces),
                    "valid_until": offer.valid_until and offer.valid_until.isoformat(),
                },
            )
        )

    def find(
        self, *, tag: str | None, query: str | None, province_code: str | None, today: date, page: int, size: int
    ) -> tuple[list[Offering], int]:
        """One page of what is offered today, by the name of the organisation, and how many there are; two queries."""
        offers, marks, organisations = EXPERTISE.c, EXPERTISE_MARKS.c, ORGANISATIONS.c
        provinces = (ANYWHERE,) if province_code is None else (province_code, ANYWHERE)
        wanted = [
            organisations.state != State.DISSOLVED,
            or_(offers.valid_until.is_(None), offers.valid_until >= today),
            exists().where(
                marks.organisation_id == offers.organisation_id,
                marks.kind == "province",
                *([marks.value.in_(provinces)] if province_code else []),
            ),
        ]
        if tag is not None:
            wanted.append(
                exists().where(marks.organisation_id == offers.organisation_id, marks.kind == "tag", marks.value == tag)
            )
        if query and query.strip():
            said = literal(" ").concat(offers.folded).concat(" ").concat(organisations.folded)
            asked = query_words(query)
            wanted += [said.contains(f" {word}", autoescape=True) for word in asked]
            if not asked:
                return [], 0
        joined = EXPERTISE.join(ORGANISATIONS, organisations.id == offers.organisation_id)
        total = self._connection.execute(select(func.count()).select_from(joined).where(*wanted)).scalar_one()
        documents = (
            select(func.count())
            .where(DOCUMENTS.c.organisation_id == offers.organisation_id, DOCUMENTS.c.removed_at.is_(None))
            .scalar_subquery()
        )
        rows = self._connection.execute(
            select(
                EXPERTISE,
                organisations.name,
                organisations.form,
                organisations.province_code.label("seat"),
                documents.label("documents"),
            )
            .select_from(joined)
            .where(*wanted)
            .order_by(organisations.name_key, organisations.id)
            .offset((page - 1) * size)
            .limit(size)
        )
        found = [
            Offering(
                {"id": row.organisation_id, "name": row.name, "form": row.form, "province_code": row.seat},
                _offer(row),
                row.documents,
            )
            for row in rows
        ]
        return found, total

    def document(self, organisation_id: str, document_id: str, *, to_change: bool = False) -> Document:
        """One document of the organisation. Raises NotFound."""
        key = uuid_of(document_id)
        statement = _documents().where(DOCUMENTS.c.id == key, DOCUMENTS.c.organisation_id == organisation_id)
        row = key and self._connection.execute(statement.with_for_update() if to_change else statement).one_or_none()
        if not row:
            raise NotFound(Sentence("There is no such document."))
        return _document(row)

    def documents(self, organisation_id: str) -> list[Document]:
        """Its documents, the newest first."""
        statement = _documents().where(DOCUMENTS.c.organisation_id == organisation_id)
        return [
            _document(row)
            for row in self._connection.execute(statement.order_by(DOCUMENTS.c.added_at.desc(), DOCUMENTS.c.id))
        ]

    def page_of_documents(self, organisation_id: str, page: int, size: int) -> tuple[list[Document], int]:
        """One page of its documents, the newest first, and how many there are."""
        mine = (DOCUMENTS.c.organisation_id == organisation_id, DOCUMENTS.c.removed_at.is_(None))
        total = self._connection.execute(select(func.count()).select_from(DOCUMENTS).where(*mine)).scalar_one()
        statement = select(DOCUMENTS).where(*mine).order_by(DOCUMENTS.c.added_at.desc(), DOCUMENTS.c.id)
        rows = self._connection.execute(statement.offset((page - 1) * size).limit(size))
        return [_document(row) for row in rows], total

    def add_document(self, document: Document) -> None:
        """Keep it."""
        self._connection.execute(insert(DOCUMENTS).values(vars(document)))

    def remove_document(self, document: Document, *, now: datetime, by: str) -> None:
        """Take it away; its file goes with the next housekeeping."""
        self._connection.execute(
            update(DOCUMENTS)
            .where(DOCUMENTS.c.id == document.id)
            .values(removed_at=now, removed_by=by, title="", file_name="")
        )


class DocumentFiles(Contents):
    """The contents of documents in the store, beside the transaction that speaks of them."""

    def __init__(self, connection: Connection, store: Store) -> None:
        super().__init__(connection, store, DOCUMENTS)

    def kind(self, sha256: str) -> str | None:
        """The media type by what is in the file; None when it is none that we take."""
        with self.store.open(sha256) as file:
            return media_type(file, TAKEN)


def _names(offer: Offer) -> Sequence[str]:
    """The names of its tags in both languages, by which it is found too."""
    return [name for tag in offer.tags for name in (TAGS[tag].label.tr, TAGS[tag].label.en)]


def _offer(row: Row[Any]) -> Offer:
    return Offer(
        id=row.id,
        organisation_id=row.organisation_id,
        version=row.version,
        tags=tuple(row.tags),
        text=row.text,
        provinces=tuple(row.provinces),
        valid_until=row.valid_until,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )


def _documents() -> Any:
    return select(DOCUMENTS).where(DOCUMENTS.c.removed_at.is_(None))


def _document(row: Row[Any]) -> Document:
    return Document(
        id=row.id,
        organisation_id=row.organisation_id,
        title=row.title,
        file_name=row.file_name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        added_at=row.added_at,
        added_by=row.added_by,
    )
