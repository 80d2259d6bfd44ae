"""The tables of petitions themselves and of the units that answer them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, MetaData, String, Table, Text, false, text

from services.runtime.database import Id, Json, Moment


def petition_table(metadata: MetaData) -> Table:
    """Petitions; what is personal may be emptied by erasure."""
    petitions = Table(
        "petitions",
        metadata,
        Column("id", Id, primary_key=True),
        Column("number", String(30), nullable=False, unique=True),
        Column("tracking_code", String(40), nullable=False, unique=True),
        Column("kind", String(30), nullable=False),
        Column("municipality", String(10), nullable=False),
        Column("municipality_name", String(200), nullable=False),
        Column("subject", Text),
        Column("body", Text),
        # of the words and the writer's name as filed: found by it when it is sent again
        Column("text_sha256", String(64), nullable=False),
        Column("petitioner_type", String(30), nullable=False),
        Column("petitioner_name", String(300)),
        Column("petitioner_address", String(500)),
        Column("petitioner_email", String(254)),
        Column("authorised_person", String(200)),
        Column("mandate", String(200)),
        Column("signature", String(20)),
        Column("signature_seen", Boolean, nullable=False, server_default=false()),
        Column("organisation_id", Id),
        Column("organisation_name", String(300)),
        # sent by the organisation's own representative
        Column("vouched", Boolean, nullable=False, server_default=false()),
        Column("channel", String(20), nullable=False),
        Column("activity_id", Id),
        Column("language", String(2), nullable=False),
        Column("filed_on", Date, nullable=False),
        Column("received_on", Date, nullable=False),
        Column("counts_from", Date, nullable=False),
        Column("registry_no", String(100)),
        Column("unit_id", Id),
        Column("unit_name", String(200)),
        Column("key_sha256", String(64)),
        Column("key_salt", String(64)),
        Column("outcome", String(20)),
        Column("answer", Text),
        Column("awaits", String(20)),
        Column("addressee", String(200)),
        Column("repeats", Id),
        Column("forwarded_from", Id),
        Column("forwarded_to", Id),
        Column("protocol_id", Id),
        Column("protocol_reference", String(30)),
        Column("protocol_stage", String(40)),
        Column("protocol_version", Integer, nullable=False, server_default="0"),
        Column("draft_problem", Json, nullable=False),
        # the account of a petitioner without an office
        Column("submitted_by", String(64)),
        # what may be shown to everyone when others are asked to sign
        Column("public_title", String(200)),
        Column("public_text", Text),
        Column("stage", String(40), nullable=False),
        Column("since", Moment, nullable=False),
        Column("last_on", Date, nullable=False),
        Column("version", Integer, nullable=False),
        Column("head_hash", String(64), nullable=False),
        Column("procedure_version", Integer, nullable=False),
        Column("facts", Json, nullable=False),
        Column("earlier_clocks", Integer, nullable=False, server_default="0"),
        Column("created_at", Moment, nullable=False),
        Column("changed_at", Moment, nullable=False),
        # the newest version whose hash is in an anchor
        Column("anchored_version", Integer, nullable=False, server_default="0"),
        # derived, so that lists, the work queue and the tracking page are one indexed query
        Column("turn", String(40)),
        Column("work_on", Date),
        Column("duty", String(40)),
        Column("duty_on", Date),
        Column("overdue_since", Date),
        Column("due_on", Date),
        Column("due_kind", String(40)),
    )
    of_municipality, by_age = petitions.c.municipality, (petitions.c.created_at, petitions.c.id)
    Index("petitions_of_municipality", of_municipality, *by_age)
    Index("petitions_of_municipality_at_stage", of_municipality, petitions.c.stage, *by_age)
    Index("petitions_of_municipality_by_kind", of_municipality, petitions.c.kind, *by_age)
    Index("petitions_of_municipality_by_unit", of_municipality, petitions.c.unit_id, *by_age)
    Index("petitions_of_municipality_by_text", of_municipality, petitions.c.text_sha256)
    Index("petitions_work_of_municipality", of_municipality, petitions.c.turn, petitions.c.work_on, petitions.c.id)
    Index("petitions_duty_of_municipality", of_municipality, petitions.c.duty, petitions.c.duty_on)
    Index("petitions_of_organisation", petitions.c.organisation_id, *by_age)
    Index(
        "petitions_work_of_organisation", petitions.c.organisation_id, petitions.c.turn, petitions.c.work_on,
        petitions.c.id,
    )  # fmt: skip
    Index("petitions_by_age", *by_age)
    Index("petitions_by_activity", petitions.c.activity_id, petitions.c.kind)
    Index("petitions_by_protocol", petitions.c.protocol_id)
    fresh = text("anchored_version < version")
    Index("petitions_not_anchored", petitions.c.id, postgresql_where=fresh, sqlite_where=fresh)
    public, by_account = text("public_title IS NOT NULL"), text("submitted_by IS NOT NULL")
    Index("petitions_public", of_municipality, *by_age, postgresql_where=public, sqlite_where=public)
    Index(
        "petitions_of_account", petitions.c.submitted_by, *by_age, postgresql_where=by_account, sqlite_where=by_account
    )
    late = text("overdue_since IS NOT NULL")
    Index(
        "petitions_overdue",
        of_municipality,
        petitions.c.overdue_since,
        petitions.c.id,
        postgresql_where=late,
        sqlite_where=late,
    )
    return petitions


def unit_table(metadata: MetaData) -> Table:
    """Units of municipalities with the words of their topics."""
    units = Table(
        "units",
        metadata,
        Column("id", Id, primary_key=True),
        Column("municipality", String(10), nullable=False),
        Column("name", String(200), nullable=False),
        # folded, so that no two units of a municipality have one name
        Column("name_key", String(200), nullable=False),
        Column("topics", Json, nullable=False),
        Column("active", Boolean, nullable=False),
        Column("version", Integer, nullable=False),
    )
    Index("units_of_municipality", units.c.municipality, units.c.name_key, unique=True)
    return units
