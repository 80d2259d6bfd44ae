"""Alembic's entry: the tables of notifications."""

from services.notifications.adapters.tables import METADATA
from services.runtime.migration import run

run(METADATA)
