"""Alembic's way in; the connection comes from `runtime.migration.upgrade`."""

from services.gateway.identity.tables import METADATA
from services.runtime.migration import run

run(METADATA)
