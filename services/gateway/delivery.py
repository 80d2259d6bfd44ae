"""The way of a table from the one who sends it to the registry: in parts, and only the columns that it takes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from services.contracts.intake import MAX_CELL, MAX_HEADING, MAX_ROWS_AT_ONCE
from services.kernel.errors import ImeceError, Unavailable
from services.runtime.sheet import Broken, Sheet

LOG = logging.getLogger(__name__)

_RECEIVING = "receiving"


@dataclass(frozen=True)
class Consignment:
    """What is said of a table that is delivered; see the contract `NewImport`."""

    kind: str
    source: str
    apply: bool
    file_name: str | None
    sha256: str
    key: str


def deliver(
    registry: Any,
    actor: Mapping[str, Any],
    sheet: Sheet,
    what: Consignment,
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Give the table to the registry and return the import as it is then.

    `told` hears how many rows have been handed over. With the same key a delivery that was cut off
    goes on, and one that arrived is not repeated. When the table cannot be read to its end, nothing
    of it stays with the registry.
    """
    begun = registry.begin_import(
        actor=actor,
        kind=what.kind,
        source=what.source,
        apply=what.apply,
        header=[heading[:MAX_HEADING] for heading in sheet.header],
        file_name=what.file_name,
        file_sha256=what.sha256,
        key=what.key,
    )
    import_id = begun["id"]
    before = registry.get_import(actor=actor, import_id=import_id)
    if before["phase"] != _RECEIVING:
        return dict(before)
    try:
        rows = _as_they_travel(sheet, begun["keep"])
        parts = handed = 0
        while part := list(islice(rows, MAX_ROWS_AT_ONCE)):
            registry.add_import_rows(actor=actor, import_id=import_id, number=parts, rows=part)
            parts += 1
            handed += len(part)
            told(handed)
        return dict(registry.finish_upload(actor=actor, import_id=import_id, parts=parts))
    except Unavailable:
        raise  # it can be sent again with the same key
    except BaseException:
        _abandon(registry, actor, import_id)
        raise


def _as_they_travel(sheet: Sheet, keep: list[int]) -> Iterator[list[Any]]:
    for number, cells in sheet.rows(keep):
        if isinstance(cells, Broken):
            yield [number, None, cells.reason.to_plain()]
        else:
            # What is longer than any field may be is cut: its row is refused by the registry, which names the field.
            yield [number, [cell[:MAX_CELL] for cell in cells]]


def _abandon(registry: Any, actor: Mapping[str, Any], import_id: str) -> None:
    try:
        registry.abandon_upload(actor=actor, import_id=import_id)
    except ImeceError as error:
        # What went wrong before is what the sender must know; the registry forgets the rest by itself.
        LOG.warning("an upload could not be abandoned", extra={"import": import_id, "cause": error.stable_code})
