"""The histories' anchors, and the search for what was tampered with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from services.protocols.adapters.repository import act_from
from services.protocols.adapters.tables import ACTS, ANCHORS, PROTOCOLS, TEXTS
from services.protocols.domain.case import DRAFT, EXPIRE_CLOCK, RECOUNT, REPLACE_TEXT, ActRecord, sha256_of
from services.protocols.domain.chain import GENESIS, faults
from services.protocols.domain.partner import FLAG, FOLLOW, RETURN, SETTLE, partner_of, review_after
from services.runtime.database import Database

NOT_MOVES = (DRAFT, REPLACE_TEXT, EXPIRE_CLOCK, RECOUNT, FOLLOW, FLAG, SETTLE, RETURN)
_ANCHOR_LOCK = 7_204_003
_HEADS_AT_ONCE = 5_000
_CASES_AT_ONCE = 200


def anchor(database: Database, now: datetime) -> str | None:
    """Write down where up to 5,000 histories end that changed since they were last anchored; returns the anchor's hash.

    Anchors are chained too. Their hashes go to the log, so that a copy lies outside the database.
    None when nothing changed.
    """
    with database.write() as connection:
        if database.dialect == "postgresql":
            # Anchors are a chain: two replicas may not add to the same end.
            connection.execute(select(func.pg_advisory_xact_lock(_ANCHOR_LOCK)))
        # By version and not by time: what was recorded earlier may be committed later.
        fresh = (
            select(PROTOCOLS.c.id)
            .where(PROTOCOLS.c.anchored_version < PROTOCOLS.c.version)
            .order_by(PROTOCOLS.c.id)
            .limit(_HEADS_AT_ONCE)
        )
        rows = connection.execute(
            update(PROTOCOLS)
            .where(PROTOCOLS.c.id.in_(fresh))
            .values(anchored_version=PROTOCOLS.c.version)
            .returning(PROTOCOLS.c.id, PROTOCOLS.c.version, PROTOCOLS.c.head_hash)
        ).all()
        if not rows:
            return None
        heads = [[row.id, row.version, row.head_hash] for row in sorted(rows, key=lambda row: str(row.id))]
        last = connection.execute(select(ANCHORS.c.hash).order_by(ANCHORS.c.id.desc()).limit(1)).scalar_one_or_none()
        previous = last or GENESIS
        digest = _digest(previous, heads)
        connection.execute(insert(ANCHORS).values(previous_hash=previous, heads=heads, hash=digest, made_at=now))
    return digest


def _digest(previous: str, heads: list[list[Any]]) -> str:
    text = json.dumps(heads, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def verify(database: Database, known_anchor: str | None = None) -> Iterator[str]:
    """Everything that is wrong, one line each, naming the file and the row.

    `known_anchor`: a hash kept outside the database; it must still be there.
    """
    with database.snapshot() as connection:
        yield from _chains(connection)
        yield from _anchors(connection, known_anchor)


def _chains(connection: Connection) -> Iterator[str]:
    after = ""
    while True:
        cases = connection.execute(
            select(
                PROTOCOLS.c.id,
                PROTOCOLS.c.reference,
                PROTOCOLS.c.version,
                PROTOCOLS.c.head_hash,
                PROTOCOLS.c.stage,
                PROTOCOLS.c.facts,
                PROTOCOLS.c.text_version,
                PROTOCOLS.c.text_sha256,
                PROTOCOLS.c.approved_sha256,
                PROTOCOLS.c.organisation_id,
                PROTOCOLS.c.organisation_name,
                PROTOCOLS.c.review,
            )
            .where(PROTOCOLS.c.id > after if after else PROTOCOLS.c.id.is_not(None))
            .order_by(PROTOCOLS.c.id)
            .limit(_CASES_AT_ONCE)
        ).all()
        if not cases:
            return
        acts: dict[str, list[Any]] = {case.id: [] for case in cases}
        for row in connection.execute(
            select(ACTS).where(ACTS.c.protocol_id.in_(list(acts))).order_by(ACTS.c.protocol_id, ACTS.c.number)
        ):
            acts[row.protocol_id].append(act_from(row))
        for case in cases:
            own = acts[case.id]
            for fault in faults((act.number, act.previous_hash, act.hash, act.content()) for act in own):
                yield f"{case.reference}: {fault}"
            last = own[-1].number if own else 0
            if last < case.version:
                yield f"{case.reference}: cut off: rows {last + 1} to {case.version} are missing"
            elif own and own[-1].hash != case.head_hash:
                yield f"{case.reference}: row {last} is not the row that the file ends with"
            yield from (f"{case.reference}: {fault}" for fault in _drift(case, own))
            yield from (f"{case.reference}: {fault}" for fault in _texts(connection, case))
        after = cases[-1].id


def _drift(case: Any, acts: list[ActRecord]) -> Iterator[str]:
    """Where the file says otherwise than its history: people act on the file."""
    if acts and case.stage != acts[-1].to_stage:
        yield f"the file stands at {case.stage}, its history ends at {acts[-1].to_stage}"
    if acts and case.facts != replay(acts):
        yield "the file's facts are not those of its history"
    if acts and case.review != replay_review(acts):
        yield "the file's legal review is not that of its history"
    partner, name = partner_of(acts)
    if acts and (partner != case.organisation_id or name not in (None, case.organisation_name)):
        yield "the file's partner is not that of its history"


def replay_review(acts: list[ActRecord]) -> dict[str, Any]:
    """The newest legal review, from the history alone."""
    review: dict[str, Any] = {}
    for act in acts:
        review = review_after(review, act)
    return review


def replay(acts: list[ActRecord]) -> dict[str, dict[str, Any]]:
    """The facts of the present round, from the history alone."""
    facts: dict[str, dict[str, Any]] = {}
    for act in acts:
        if act.to_stage == acts[0].to_stage and act.from_stage not in ("", act.to_stage):
            facts = {}
        elif act.move not in NOT_MOVES:
            told = {name: value for name, value in act.fields.items() if name != "text"}
            facts[act.move] = {**told, "done_on": act.done_on.isoformat()}
    return facts


def _texts(connection: Connection, case: Any) -> Iterator[str]:
    """Texts that are not what their hashes say."""
    last = None
    for row in connection.execute(select(TEXTS).where(TEXTS.c.protocol_id == case.id).order_by(TEXTS.c.version)):
        if sha256_of(row.text) != row.sha256:
            yield f"the text of version {row.version} was changed"
        last = row
    if last is None or (last.version, last.sha256) != (case.text_version, case.text_sha256):
        yield "the newest text is missing or another"
    signed = case.facts.get("sign", {}).get("text_sha256", case.approved_sha256)
    if case.approved_sha256 != signed:
        yield "the signed text is not the approved one"


def _anchors(connection: Connection, known_anchor: str | None) -> Iterator[str]:
    previous, found = GENESIS, False
    for row in connection.execute(select(ANCHORS).order_by(ANCHORS.c.id)):
        if row.previous_hash != previous:
            yield f"anchor {row.id} does not follow the one before: an anchor was changed or removed"
        if _digest(row.previous_hash, row.heads) != row.hash:
            yield f"anchor {row.id} was changed"
        yield from _heads(connection, row.id, row.heads)
        previous = row.hash
        found = found or row.hash == known_anchor
    if known_anchor is not None and not found:
        yield f"the known anchor {known_anchor[:12]}… is not in the database: anchors were removed or changed"


def _heads(connection: Connection, anchor_id: int, heads: list[list[Any]]) -> Iterator[str]:
    """Anchored rows that are gone or another now."""
    for start in range(0, len(heads), _CASES_AT_ONCE):
        part = heads[start : start + _CASES_AT_ONCE]
        references = dict(
            connection.execute(
                select(PROTOCOLS.c.id, PROTOCOLS.c.reference).where(PROTOCOLS.c.id.in_([head[0] for head in part]))
            )
            .tuples()
            .all()
        )
        kept = {
            (row.protocol_id, row.number): row.hash
            for row in connection.execute(
                select(ACTS.c.protocol_id, ACTS.c.number, ACTS.c.hash).where(
                    ACTS.c.protocol_id.in_([head[0] for head in part])
                )
            )
        }
        for protocol_id, version, digest in part:
            name = references.get(protocol_id)
            if name is None:
                yield f"{protocol_id}: the whole file is missing; anchor {anchor_id} knows it"
            elif (protocol_id, version) not in kept:
                yield f"{name}: cut off: row {version} is missing; anchor {anchor_id} knows it"
            elif kept[protocol_id, version] != digest:
                yield f"{name}: row {version} is not the row that anchor {anchor_id} knows"
