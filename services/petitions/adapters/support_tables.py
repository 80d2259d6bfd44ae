"""The tables of signatures under petitions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table, text

from services.runtime.database import Id, Moment

_WITH_ADDRESS = text("email IS NOT NULL")


@dataclass(frozen=True)
class SupportTables:
    """Signatures, and the secret that their hashes and tokens are made with."""

    supports: Table
    secrets: Table


def support_tables(metadata: MetaData) -> SupportTables:
    """The tables, added to the service's metadata."""
    supports = Table(
        "petition_supports",
        metadata,
        Column("id", Id, primary_key=True),
        Column("petition_id", Id, nullable=False),
        Column("state", String(10), nullable=False),
        # Keyed hashes of who signed, different for each petition.
        Column("mail_hash", String(64)),
        Column("account_hash", String(64)),
        Column("token_hash", String(64), nullable=False, unique=True),
        # The address is here only as long as a mail may have to go to it.
        Column("email", String(254)),
        Column("language", String(2), nullable=False),
        Column("asked_at", Moment, nullable=False),
        Column("asks", Integer, nullable=False),
        Column("confirmed_at", Moment),
    )
    Index("petition_supports_once_by_mail", supports.c.petition_id, supports.c.mail_hash, unique=True)
    Index("petition_supports_once_by_account", supports.c.petition_id, supports.c.account_hash, unique=True)
    Index("petition_supports_by_state", supports.c.petition_id, supports.c.state)
    Index("petition_supports_to_clear", supports.c.asked_at, postgresql_where=_WITH_ADDRESS, sqlite_where=_WITH_ADDRESS)
    secrets = Table(
        "support_secrets",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("secret", LargeBinary, nullable=False),
    )
    return SupportTables(supports, secrets)
