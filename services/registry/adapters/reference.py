"""The municipalities that come with the package."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import resources

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from services.registry.adapters.repository import municipality_row
from services.registry.adapters.tables import MUNICIPALITIES
from services.registry.domain.municipality import Authority, Municipality
from services.registry.domain.vocabulary import AuthorityKind, MunicipalityKind

_AT_ONCE = 250


def reference_municipalities() -> Iterator[Municipality]:
    """Every municipality of the package's list; towns are not on it."""
    source = resources.files("services.registry").joinpath("data", "municipalities.csv")
    with source.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield Municipality(
                code=row["code"],
                name=row["name"],
                kind=MunicipalityKind(row["kind"]),
                province_code=row["province_code"],
                province=row["province"],
                district=row["district"] or None,
                authority=Authority(
                    row["civil_authority_code"], AuthorityKind(row["civil_authority_kind"]), row["civil_authority"]
                ),
            )


def seed(connection: Connection) -> None:
    """Add the municipalities that are not there yet; what is there stays as people left it."""
    known = set(connection.execute(select(MUNICIPALITIES.c.code)).scalars())
    rows = [municipality_row(each) for each in reference_municipalities() if each.code not in known]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(
            dialect.insert(MUNICIPALITIES).values(rows[start : start + _AT_ONCE]).on_conflict_do_nothing()
        )
