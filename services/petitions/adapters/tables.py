"""Petitions' tables."""

from __future__ import annotations

from sqlalchemy import MetaData

from services.petitions.adapters.attachment_tables import attachment_tables
from services.petitions.adapters.case_tables import petition_table, unit_table
from services.petitions.adapters.plan_tables import plan_tables
from services.petitions.adapters.support_tables import support_tables
from services.runtime.casebook import case_tables
from services.runtime.database import runtime_tables

METADATA = MetaData()
RUNTIME = runtime_tables(METADATA)
PETITIONS = petition_table(METADATA)
CASE = case_tables(METADATA, "petitions", "petition_id")
UNITS = unit_table(METADATA)
PLAN = plan_tables(METADATA)
SUPPORT = support_tables(METADATA)
ATTACHMENTS = attachment_tables(METADATA)
