"""The tables of the registry."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

from services.runtime.database import Id, Json, Moment, Serial, runtime_tables

METADATA = MetaData()
RUNTIME = runtime_tables(METADATA)


def _plain(length: int) -> TypeEngine[str]:
    """Text compared byte by byte in both databases, so that keys sort alike and ranges use the index."""
    return String(length, collation="C").with_variant(String(length, collation="BINARY"), "sqlite")


ORGANISATIONS = Table(
    "organisations",
    METADATA,
    # Its own number, since SQLite's full-text index points at rows by number.
    Column("row_no", Serial, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("name", String(300), nullable=False),
    Column("form", String(30), nullable=False),
    Column("registry_no", String(50)),
    Column("province_code", String(2)),
    Column("district", String(100)),
    Column("founded_on", Date),
    Column("field", String(200)),
    Column("tax_no", String(10)),
    Column("email", String(254)),
    Column("phone", String(40)),
    Column("website", String(300)),
    Column("address", String(500)),
    Column("expertise", Json, nullable=False),
    Column("state", String(20), nullable=False),
    # Derived: how it is found, sorted and filtered.
    Column("number_key", String(8)),
    # The registry number, and name with province and district, as imports compare them.
    Column("registry_key", _plain(50)),
    Column("identity_key", _plain(450), nullable=False, server_default=""),
    Column("folded", Text, nullable=False),
    Column("name_key", _plain(700), nullable=False),
    Column("standing_permission", String(20), nullable=False),
    Column("standing_until", Date),
    # What it was called before, and who took its place.
    Column("former", Json, nullable=False, server_default="[]"),
    Column("successors", Json, nullable=False, server_default="[]"),
    # The watch over its statuses: when it was audited, when it must be again, the last day of what holds now.
    Column("last_audit_on", Date),
    Column("audit_due_on", Date),
    Column("status_ends_on", Date),
)
for _watched in ("audit_due_on", "status_ends_on"):
    Index(
        f"organisations_by_{_watched}",
        ORGANISATIONS.c[_watched],
        ORGANISATIONS.c.id,
        postgresql_where=text(f"{_watched} IS NOT NULL"),
        sqlite_where=text(f"{_watched} IS NOT NULL"),
    )
Index(
    "organisations_by_number",
    ORGANISATIONS.c.form,
    ORGANISATIONS.c.number_key,
    unique=True,
    postgresql_where=text("number_key IS NOT NULL"),
    sqlite_where=text("number_key IS NOT NULL"),
)
Index(
    "organisations_by_registry_key",
    ORGANISATIONS.c.registry_key,
    postgresql_where=text("registry_key IS NOT NULL"),
    sqlite_where=text("registry_key IS NOT NULL"),
)
Index("organisations_by_identity", ORGANISATIONS.c.identity_key)
Index("organisations_by_name", ORGANISATIONS.c.name_key, ORGANISATIONS.c.id)
Index("organisations_by_province", ORGANISATIONS.c.province_code, ORGANISATIONS.c.name_key, ORGANISATIONS.c.id)
Index("organisations_by_form", ORGANISATIONS.c.form, ORGANISATIONS.c.name_key, ORGANISATIONS.c.id)
Index("organisations_by_standing", ORGANISATIONS.c.standing_permission, ORGANISATIONS.c.name_key, ORGANISATIONS.c.id)
Index(
    "organisations_by_until",
    ORGANISATIONS.c.standing_until,
    postgresql_where=text("standing_until IS NOT NULL"),
    sqlite_where=text("standing_until IS NOT NULL"),
)

# What was recorded of an organisation when; a row for each version that changed its facts, never changed itself.
RECORDS = Table(
    "organisation_records",
    METADATA,
    Column("organisation_id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(200), nullable=False),
    Column("facts", Json, nullable=False),
)

# Revisions of statuses: rows are added; of an old one only `superseded_at` is ever written.
STATUSES = Table(
    "organisation_statuses",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("organisation_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("revoked_on", Date),
    Column("recorded_at", Moment, nullable=False),
    Column("superseded_at", Moment),
    Column("decision_no", String(60)),
    Column("decision_on", Date),
    Column("gazette_no", String(60)),
    Column("gazette_on", Date),
    Column("revocation_no", String(60)),
    Column("revocation_decided_on", Date),
    Column("revocation_gazette_no", String(60)),
    Column("revocation_gazette_on", Date),
    Column("reason", String(500)),
    Column("source", String(300)),
    Column("recorded_by", String(200)),
)
Index("organisation_statuses_by_organisation", STATUSES.c.organisation_id, STATUSES.c.recorded_at)

# Every folded word that a name holds: where a mistyped word finds what was meant.
WORDS = Table(
    "organisation_words",
    METADATA,
    Column("word", _plain(40), primary_key=True),
    Column("reversed", _plain(40), nullable=False),
)
Index("organisation_words_by_end", WORDS.c.reversed)

MUNICIPALITIES = Table(
    "municipalities",
    METADATA,
    Column("code", String(10), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("province_code", String(2), nullable=False),
    Column("province", String(50), nullable=False),
    Column("district", String(100)),
    Column("authority_code", String(10), nullable=False),
    Column("authority_kind", String(20), nullable=False),
    Column("authority_name", String(200), nullable=False),
    Column("full_membership", Integer),
    Column("sittings", Json, nullable=False),
    Column("folded", Text, nullable=False),
    Column("name_key", _plain(500), nullable=False),
)
Index("municipalities_by_name", MUNICIPALITIES.c.name_key, MUNICIPALITIES.c.code)
Index("municipalities_by_province", MUNICIPALITIES.c.province_code, MUNICIPALITIES.c.name_key, MUNICIPALITIES.c.code)

CALENDAR_DAYS = Table(
    "calendar_days",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("day_on", Date, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("name", String(200), nullable=False),
    Column("source", String(500), nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("added_by", String(200), nullable=False),
    UniqueConstraint("day_on", "version", name="calendar_days_by_day"),
)

IMPORTS = Table(
    "imports",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("source", String(100), nullable=False),
    Column("layout", String(40), nullable=False),
    Column("file_name", String(200)),
    Column("file_sha256", String(64)),
    # The fields that the kept columns of the file hold, in the order of the columns; and those columns.
    Column("holds", Json, nullable=False),
    Column("keep", Json, nullable=False),
    Column("state", String(10), nullable=False),
    Column("phase", String(10)),
    # Whether it is to be applied once it is compared.
    Column("wanted", Boolean, nullable=False),
    Column("requested_at", Moment, nullable=False),
    Column("requested_by", Json, nullable=False),
    Column("acted_by", Json, nullable=False),
    Column("touched_at", Moment, nullable=False),
    Column("parts", Integer),
    Column("position", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("of", Integer, nullable=False),
    Column("read", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("vanished", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("review", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("problem", Json),
    Column("applied_at", Moment),
    Column("undone_at", Moment),
    # The order in which imports were applied, and the applied one of the same source that it was compared with.
    Column("applied_no", Integer),
    Column("base_id", Id),
    # What the registrar said of rows under review, by row number.
    Column("decisions", Json, nullable=False),
    # Who works at it and until when, how often it failed, and when its rows were thrown away.
    Column("holder", String(36)),
    Column("lease_until", Moment),
    Column("tries", Integer, nullable=False),
    Column("cleaned_at", Moment),
)
Index(
    "imports_running",
    IMPORTS.c.kind,
    IMPORTS.c.source,
    unique=True,
    postgresql_where=text("state = 'running'"),
    sqlite_where=text("state = 'running'"),
)
Index("imports_by_age", IMPORTS.c.requested_at, IMPORTS.c.id)
Index("imports_by_source", IMPORTS.c.kind, IMPORTS.c.source, IMPORTS.c.applied_no)

# The kept cells of the file, compressed: any replica can do the work, and a killed one's work goes on.
IMPORT_PARTS = Table(
    "import_parts",
    METADATA,
    Column("import_id", Id, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("first_row", Integer, nullable=False),
    Column("last_row", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

IMPORT_ROWS = Table(
    "import_rows",
    METADATA,
    Column("import_id", Id, primary_key=True),
    # The row's number in the file; those that are not in the file are counted from VANISHED on.
    Column("place", Integer, primary_key=True),
    Column("outcome", String(10), nullable=False),
    Column("organisation_id", Id),
    Column("status_id", Id),
    Column("code", String(10)),
    Column("registry_no", String(50)),
    Column("name", String(300)),
    Column("form", String(30)),
    Column("registry_key", _plain(50)),
    Column("identity_key", _plain(450)),
    Column("digest", _plain(32)),
    # The version of the organisation that it was compared with, and the one that it was given.
    Column("version_before", Integer),
    Column("version_after", Integer),
    Column("settled", Boolean, nullable=False),
    Column("changes", Json),
    Column("reasons", Json),
    Column("candidates", Json),
)
Index("import_rows_by_outcome", IMPORT_ROWS.c.import_id, IMPORT_ROWS.c.outcome, IMPORT_ROWS.c.place)
Index("import_rows_by_organisation", IMPORT_ROWS.c.import_id, IMPORT_ROWS.c.organisation_id)
Index("import_rows_by_digest", IMPORT_ROWS.c.import_id, IMPORT_ROWS.c.digest)

# Organisations that a source left out or called inactive, so that they are to be verified until it lists them again.
IMPORT_DOUBTS = Table(
    "import_doubts",
    METADATA,
    Column("import_id", Id, primary_key=True),
    Column("organisation_id", Id, primary_key=True),
    Column("source", String(100), nullable=False),
    Column("ended_by", Id),
)
Index("import_doubts_of_organisation", IMPORT_DOUBTS.c.organisation_id, IMPORT_DOUBTS.c.source)
Index("import_doubts_by_end", IMPORT_DOUBTS.c.ended_by)

# What is left of a municipality that an undone import had added: its version counts on if it comes back.
MUNICIPALITY_REMOVALS = Table(
    "municipality_removals",
    METADATA,
    Column("code", String(10), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("removed_at", Moment, nullable=False),
    Column("removed_by", String(200), nullable=False),
)

# Registry numbers that an organisation bore before: they still lead to it, and nobody else gets them.
FORMER_NUMBERS = Table(
    "organisation_numbers",
    METADATA,
    Column("form", String(30), primary_key=True),
    Column("number_key", String(8), primary_key=True),
    Column("organisation_id", Id, nullable=False),
)
Index("organisation_numbers_by_organisation", FORMER_NUMBERS.c.organisation_id)

CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("organisation_id", Id, nullable=False),
    Column("note", Text),
    Column("proposed_at", Moment, nullable=False),
    Column("proposed_by", String(200), nullable=False),
    Column("proposals", Json, nullable=False),
    # Derived from the proposals.
    Column("state", String(20), nullable=False),
)
Index("corrections_by_age", CORRECTIONS.c.proposed_at, CORRECTIONS.c.id)
Index("corrections_by_state", CORRECTIONS.c.state, CORRECTIONS.c.proposed_at, CORRECTIONS.c.id)
Index("corrections_by_organisation", CORRECTIONS.c.organisation_id, CORRECTIONS.c.proposed_at, CORRECTIONS.c.id)

SUCCESSIONS = Table(
    "successions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("organisation_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("basis", Text, nullable=False),
    Column("protocols_to", Id),
    Column("continues", Boolean, nullable=False),
    Column("former_name", String(300), nullable=False),
    Column("former_registry_no", String(50)),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(200), nullable=False),
)
Index("successions_by_organisation", SUCCESSIONS.c.organisation_id, SUCCESSIONS.c.recorded_at)

SUCCESSION_HEIRS = Table(
    "succession_heirs",
    METADATA,
    Column("succession_id", Id, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("organisation_id", Id, nullable=False),
)
Index("succession_heirs_by_organisation", SUCCESSION_HEIRS.c.organisation_id)

AUDITS = Table(
    "organisation_audits",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("organisation_id", Id, nullable=False),
    Column("audited_on", Date, nullable=False),
    Column("report_no", String(100)),
    Column("outcome", String(30), nullable=False),
    Column("source", String(300)),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(200), nullable=False),
)
Index("organisation_audits_by_organisation", AUDITS.c.organisation_id, AUDITS.c.audited_on, AUDITS.c.id)

# What was told of a due date: each rung once, whoever looks and however often.
WATCH_CLAIMS = Table(
    "watch_claims",
    METADATA,
    Column("organisation_id", Id, primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("due_on", Date, primary_key=True),
    Column("rung", Integer, primary_key=True, autoincrement=False),
    Column("claimed_at", Moment, nullable=False),
)

# What organisations offer; `folded` is their own words and the names of their tags, as they are searched.
EXPERTISE = Table(
    "organisation_expertise",
    METADATA,
    Column("organisation_id", Id, primary_key=True),
    Column("id", Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("tags", Json, nullable=False),
    Column("text", Text),
    Column("provinces", Json, nullable=False),
    Column("valid_until", Date),
    Column("folded", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("changed_by", String(200), nullable=False),
)
# A row for each tag and each province of an offer; the province ANYWHERE for one that names none.
EXPERTISE_MARKS = Table(
    "organisation_expertise_marks",
    METADATA,
    Column("kind", String(10), primary_key=True),
    Column("value", String(40), primary_key=True),
    Column("organisation_id", Id, primary_key=True),
)
Index("organisation_expertise_marks_by_organisation", EXPERTISE_MARKS.c.organisation_id)
# What was offered when; a row for each version, never changed itself.
EXPERTISE_RECORDS = Table(
    "organisation_expertise_records",
    METADATA,
    Column("organisation_id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(200), nullable=False),
    Column("offer", Json, nullable=False),
)
# Documents by what is in them; of a removed one only the row is left, without its title, until its file is gone too.
DOCUMENTS = Table(
    "organisation_documents",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("organisation_id", Id, nullable=False),
    Column("title", String(200), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("added_by", String(200), nullable=False),
    Column("removed_at", Moment),
    Column("removed_by", String(200)),
    # When its file was thrown away, or found to be another document's too.
    Column("cleared_at", Moment),
)
Index("organisation_documents_by_organisation", DOCUMENTS.c.organisation_id, DOCUMENTS.c.added_at)
Index("organisation_documents_by_content", DOCUMENTS.c.sha256)
Index(
    "organisation_documents_to_clear",
    DOCUMENTS.c.removed_at,
    postgresql_where=text("removed_at IS NOT NULL AND cleared_at IS NULL"),
    sqlite_where=text("removed_at IS NOT NULL AND cleared_at IS NULL"),
)

# The nightly publications of the registry: one a day, its files in the store.
SNAPSHOTS = Table(
    "open_data_snapshots",
    METADATA,
    Column("made_on", Date, primary_key=True),
    Column("made_at", Moment, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("files", Json, nullable=False),
    Column("holder", String(36)),
    Column("lease_until", Moment),
)
