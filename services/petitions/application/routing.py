"""The municipality's units and what speaks for them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.kernel.actor import Actor
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from services.kernel.text import Sentence
from services.petitions.application.port import Cases, Context
from services.petitions.domain.procedure import CLERK
from services.petitions.domain.routing import Unit


def list_units(context: Context, municipality: str) -> dict[str, Any]:
    """The units of a municipality by name; whom a petition may reach is no secret."""
    with context.read() as store:
        return {"items": [unit_shown(each) for each in store.units(municipality)]}


def add_unit(store: Cases, actor: Actor, municipality: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A new unit of the clerk's own municipality. Raises NotFound, Forbidden, Invalid (the name is taken)."""
    _own(actor, municipality)
    _free_name(store, municipality, fields["name"], None)
    unit = Unit(str(uuid.uuid4()), municipality, fields["name"].strip(), _topics(fields["topics"]))
    store.add_unit(unit)
    return unit_shown(unit)


def change_unit(
    store: Cases,
    actor: Actor,
    municipality: str,
    unit_id: str,
    fields: Mapping[str, Any],
    expected_version: int | None,
) -> dict[str, Any]:
    """Another name, other topics, or no new petitions. Raises NotFound, Forbidden, Invalid, Conflict."""
    _own(actor, municipality)
    unit = store.unit(unit_id)
    if unit is None or unit.municipality != municipality:
        raise NotFound(Sentence("There is no such unit."))
    if expected_version not in (None, unit.version):
        raise _changed(unit.version)
    changes = dict(fields)
    if "name" in changes:
        changes["name"] = changes["name"].strip()
        _free_name(store, municipality, changes["name"], unit.id)
    if "topics" in changes:
        changes["topics"] = _topics(changes["topics"])
    changed = replace(unit, **changes)
    if changed == unit:
        return unit_shown(unit)
    changed = replace(changed, version=unit.version + 1)
    if not store.save_unit(changed):
        raise _changed(unit.version + 1)
    return unit_shown(changed)


def unit_shown(unit: Unit) -> dict[str, Any]:
    """A unit with the words of its topics."""
    return {
        "id": unit.id,
        "municipality": unit.municipality,
        "name": unit.name,
        "topics": list(unit.topics),
        "active": unit.active,
        "version": unit.version,
    }


def _topics(given: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.strip() for each in given if each.strip()))


def _own(actor: Actor, municipality: str) -> None:
    if actor.municipality != municipality:
        raise NotFound(Sentence("There is no such municipality among yours."))
    if actor.role != CLERK:
        raise Forbidden(Sentence("The units are kept by the municipality's registry."))


def _free_name(store: Cases, municipality: str, name: str, own_id: str | None) -> None:
    found = store.unit_named(municipality, name)
    if found is not None and found.id != own_id:
        raise Invalid.field("name", Sentence("Another unit has this name."))


def _changed(version: int) -> Conflict:
    return Conflict(
        Sentence("The unit has changed since you looked: it is at version {version}.", version=version),
        {"version": version},
    )
