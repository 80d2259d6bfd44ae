"""Every role tries every move, in its own and in another tenant, over HTTP.

Rows come from the procedure's table; what is expected of an office that may not make the move is said here
anew, by who may see a file at all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from harness import Client, System, today

from services.gateway.http import Route
from services.gateway.table import TABLE
from services.kernel.actor import ROLES
from services.protocols.adapters.repository import Stores
from services.protocols.domain.case import Party, ProtocolCase
from services.protocols.domain.procedure import MOVES

sys.path.append(str(Path(__file__).resolve().parents[1] / "unit"))

from protocol_builder import OFFICES, POLICY, Walk
from services.protocols.domain.procedure import protocol_procedure

OWN, OTHER = "own", "other"
MUNICIPAL = ("unit_officer", "registry_clerk", "mayor", "commission_rapporteur")
AUTHORITY = ("authority_clerk", "authority_head")
CENTRAL = ("registrar", "auditor", "administrator")
AUTHORITY_SEES = frozenset(
    "transmittal authority_determination permission_request authority_review document_completion "
    "permission_refused litigation signing in_force suspended".split()
)
"""From the day on which the decision was sent to it, a civil authority sees the file."""

ROWS = {(row.name, row.sources[-1]): row for row in MOVES}
"""A move and one of its sources; the last, since moves possible from many stages begin early."""
