"""Alembic's entry to petitions' database."""

from services.petitions.adapters.tables import METADATA
from services.runtime.migration import run

run(METADATA)
