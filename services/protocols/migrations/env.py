"""Alembic's entry to protocols' database."""

from services.protocols.adapters.tables import METADATA
from services.runtime.migration import run

run(METADATA)
