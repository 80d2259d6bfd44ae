"""Alembic's entry: the tables of the registry."""

from services.registry.adapters.tables import METADATA
from services.runtime.migration import run

run(METADATA)
