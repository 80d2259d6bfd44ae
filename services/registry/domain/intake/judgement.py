"""What a row of a file would do to the registry: nothing here guesses, what is not clear goes to review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from services.kernel.text import Sentence
from services.registry.domain.intake.diff import Change, apply, diff
from services.registry.domain.intake.reading import Reading
from services.registry.domain.vocabulary import State

VANISHED = 1_000_000_000
"""Rows that are not in the file are counted from here on."""
MOST_CANDIDATES = 20


class Outcome(StrEnum):
    """What a row does, or why it does nothing."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    VANISHED = "vanished"
    REJECTED = "rejected"
    REVIEW = "review"
    KEPT = "kept"


@dataclass(slots=True)
class Known:
    """What the registry has: an organisation, or a municipality under its code.

    `record` is JSON-able. `succeeded`: others took its place. `doubted`: it is to be verified because
    this very source left it out, or called it inactive. `formerly`: it was found by a number that it
    bore before and bears no more.
    """

    id: str
    version: int
    record: dict[str, Any]
    registry_key: str | None = None
    succeeded: bool = False
    doubted: bool = False
    formerly: bool = False


@dataclass(frozen=True)
class Decision:
    """What the registrar said of a row: the `same` as an organisation, `new`, or to `skip`."""

    decision: str
    organisation_id: str | None = None


@dataclass(slots=True)
class Row:
    """One row of an import as it is kept.

    `version_before`: what the organisation was compared at; `version_after`: what it was given.
    """

    place: int
    outcome: Outcome
    organisation_id: str | None = None
    status_id: str | None = None
    code: str | None = None
    registry_no: str | None = None
    name: str | None = None
    form: str | None = None
    registry_key: str | None = None
    identity_key: str | None = None
    digest: str | None = None
    version_before: int | None = None
    version_after: int | None = None
    settled: bool = False
    changes: tuple[Change, ...] = ()
    reasons: list[tuple[str | None, Sentence]] = field(default_factory=list)
    candidates: list[dict[str, Any]] = field(default_factory=list)


_LIKE_ASSOCIATIONS = frozenset({"association", "association_branch", "federation", "confederation"})


def judge_organisation(
    row: Row,
    reading: Reading,
    numbered: Sequence[Known],
    namesakes: Sequence[Known],
    decision: Decision | None = None,
    decided: Known | None = None,
) -> Row:
    """Fill in the row. `numbered`: organisations with the row's registry number; `namesakes`: with its identity.

    `decided` is the organisation that a decision `same` names.
    """
    _describe(row, reading)
    if decision is not None:
        row.settled = True
        return _decided(row, reading, numbered, decision, decided)
    found, doubt = _find(row, reading.said.get("form"), numbered, namesakes)
    if doubt is not None:
        put_under_review(row, *doubt)
        if not reading.wrong:
            return row
    return _weigh(row, reading, found)


def _describe(row: Row, reading: Reading) -> None:
    said = reading.said
    row.registry_no, row.name, row.form = said.get("registry_no"), said.get("name"), said.get("form")
    row.registry_key, row.identity_key = reading.registry_key, reading.identity_key


class _Doubt(NamedTuple):
    """Which organisations it may be about, and why nobody can tell."""

    candidates: Sequence[Known]
    why: Sentence


def _find(
    row: Row, form: str | None, numbered: Sequence[Known], namesakes: Sequence[Known]
) -> tuple[Known | None, _Doubt | None]:
    """The one organisation that it is about, or why that is not clear; neither for a new one."""
    by_number = row.registry_key is not None
    known = numbered if by_number else namesakes
    mine = [each for each in known if form is None or each.record.get("form") == form]
    if len(mine) == 1 and not mine[0].formerly:
        return mine[0], None
    return None, _doubt_of_number(form, mine, numbered, namesakes) if by_number else _doubt_of_name(mine, namesakes)


def _doubt_of_number(
    form: str | None, mine: Sequence[Known], numbered: Sequence[Known], namesakes: Sequence[Known]
) -> _Doubt | None:
    alike = [known for known in numbered if _alike(form, known.record.get("form"))]
    bare = [known for known in namesakes if known.registry_key is None]
    for candidates, why in (
        (mine, _BORNE_BEFORE if len(mine) == 1 else _SEVERAL_NUMBERED),
        (alike, Sentence("An organisation of another form has this registry number.")),
        (bare, Sentence("An organisation without a registry number has the same name, province and district.")),
    ):
        if candidates:
            return _Doubt(candidates, why)
    return None


def _doubt_of_name(mine: Sequence[Known], namesakes: Sequence[Known]) -> _Doubt | None:
    if mine:
        return _Doubt(mine, Sentence("Several organisations have this name, province and district."))
    if namesakes:
        return _Doubt(namesakes, Sentence("An organisation of another form has the same name, province and district."))
    return None


_BORNE_BEFORE = Sentence("An organisation bore this registry number before; now it has another.")
_SEVERAL_NUMBERED = Sentence("Several organisations have this registry number.")


def _alike(form: str | None, other: str | None) -> bool:
    return form in _LIKE_ASSOCIATIONS and other in _LIKE_ASSOCIATIONS


def put_under_review(row: Row, candidates: Sequence[Known], why: Sentence) -> None:
    """A person decides; the candidates are what the row may be about."""
    row.outcome = Outcome.REVIEW
    row.reasons.append((None, why))
    row.candidates = [_candidate(known) for known in candidates[:MOST_CANDIDATES]]


def _candidate(known: Known) -> dict[str, Any]:
    record = known.record
    return {
        "organisation_id": known.id,
        "name": record["name"],
        "registry_no": record.get("registry_no"),
        "province_code": record.get("province_code"),
        "district": record.get("district"),
    }


def _decided(row: Row, reading: Reading, numbered: Sequence[Known], decision: Decision, decided: Known | None) -> Row:
    if decision.decision == "skip":
        return _reject(row, [(None, Sentence("The registrar left this row out."))])
    if decision.decision == "same" and decided is None:
        return _reject(
            row, [(None, Sentence("The organisation that this row was settled with is not there any more."))]
        )
    form = reading.said.get("form")
    taken = [known for known in numbered if form is None or known.record.get("form") == form]
    if any(decided is None or known.id != decided.id for known in taken):
        return _reject(row, [("registry_no", Sentence("Another organisation has this registry number."))])
    return _weigh(row, reading, decided)


def _weigh(row: Row, reading: Reading, found: Known | None) -> Row:
    """Compare the row with the organisation it is about, or make it a new one."""
    if found is not None:
        row.organisation_id, row.version_before = found.id, found.version
        row.registry_no = row.registry_no or found.record.get("registry_no")
        row.name = row.name or found.record["name"]
    if reading.wrong:
        return _reject(row, reading.wrong)
    if found is None:
        return _add(row, reading)
    if found.succeeded and not row.settled:
        put_under_review(row, [found], Sentence("Others took the place of this organisation."))
        row.organisation_id = None
        return row
    said = reading.said | _state(found, reading)
    record = found.record
    for name, value in said.items():
        if record.get(name) != value:
            row.changes = diff(record, {**record, **said})
            row.outcome, row.version_after = Outcome.CHANGED, found.version + 1
            return row
    row.outcome, row.version_after = Outcome.UNCHANGED, found.version
    return row


def _state(found: Known, reading: Reading) -> dict[str, str]:
    state = found.record.get("state")
    if reading.inactive and state == State.ACTIVE:
        return {"state": str(State.TO_VERIFY)}
    if not reading.inactive and found.doubted and state == State.TO_VERIFY:
        return {"state": str(State.ACTIVE)}
    return {}


def _add(row: Row, reading: Reading) -> Row:
    needed = [(name, _NEEDED[name]) for name in _NEEDED if name not in reading.said]
    if needed:
        return _reject(row, needed)
    state = State.TO_VERIFY if reading.inactive else State.ACTIVE
    row.changes = diff({}, {**reading.said, "state": str(state)})
    row.outcome, row.version_after = Outcome.ADDED, 1
    return row


_NEEDED = {
    "name": Sentence("Give the full name of the organisation."),
    "form": Sentence("Say which form of organisation it is."),
}


def _reject(row: Row, wrong: Sequence[tuple[str | None, Sentence]]) -> Row:
    row.outcome, row.reasons = Outcome.REJECTED, list(wrong)
    return row


# --- statuses

STATUS_FIELDS = ("kind", "decision_no", "decision_on", "gazette_no", "gazette_on", "valid_from", "valid_to")


@dataclass(slots=True)
class KnownStatus:
    """A status on record: its id, and its record with `source`; `revoked`: it was taken back by decision."""

    id: str
    record: dict[str, Any]
    revoked: bool


def judge_status(
    row: Row, reading: Reading, found: Sequence[Known], held: Mapping[str, Sequence[KnownStatus]], source: str
) -> Row:
    """Fill in the row. `found`: the organisations that it may be about; `held`: the statuses of each."""
    row.registry_no, row.name = reading.said.get("registry_no"), reading.said.get("name")
    if len(found) == 1:
        row.organisation_id, row.version_before = found[0].id, found[0].version
        row.registry_no, row.name = found[0].record.get("registry_no"), found[0].record["name"]
    said = {name: reading.said[name] for name in STATUS_FIELDS if name in reading.said}
    if reading.wrong:
        return _reject(row, reading.wrong)
    if not found:
        return _reject(row, [("registry_no", Sentence("No organisation in the registry has this number or name."))])
    same: Sequence[KnownStatus] = ()
    if len(found) == 1:
        row.identity_key = f"{found[0].id}|{said['kind']}|{said.get('decision_no') or said.get('valid_from') or ''}"
        same = [status for status in held.get(found[0].id, ()) if _same_status(status.record, said)]
    why = _doubt_of_status(found, same, said)
    if why is not None:
        put_under_review(row, found, why)
        row.organisation_id = None
        return row
    return _weigh_status(row, found[0], same[0] if same else None, said, source)


def _doubt_of_status(found: Sequence[Known], same: Sequence[KnownStatus], said: Mapping[str, Any]) -> Sentence | None:
    if len(found) > 1:
        return Sentence("Several organisations have this registry number or name.")
    if found[0].succeeded:
        return Sentence("Others took the place of this organisation.")
    if len(same) > 1:
        return Sentence("Several statuses on record fit this row.")
    if same and same[0].revoked and diff(same[0].record, {**same[0].record, **said}):
        return Sentence("This status was revoked; the row says otherwise of it.")
    return None


def _weigh_status(
    row: Row, organisation: Known, status: KnownStatus | None, said: Mapping[str, Any], source: str
) -> Row:
    before = {} if status is None else status.record
    row.version_after = organisation.version
    if status is not None:
        row.status_id = status.id
        row.outcome = Outcome.UNCHANGED
        if not diff(before, {**before, **said}):
            return row
    row.changes = diff(before, {**before, **said, "source": source})
    row.outcome = Outcome.ADDED if status is None else Outcome.CHANGED
    row.version_after = organisation.version + 1
    return row


def _same_status(record: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    """The same kind and decision; where a number is missing on either side, the same beginning."""
    if record["kind"] != said["kind"]:
        return False
    if record.get("decision_no") and said.get("decision_no"):
        return bool(record["decision_no"] == said["decision_no"])
    begins = said.get("valid_from") or said.get("gazette_on") or said.get("decision_on")
    return bool(record["valid_from"] == begins)


# --- municipalities


def judge_municipality(row: Row, reading: Reading, found: Known | None) -> Row:
    """Fill in the row. `found`: the municipality with the row's code."""
    said = {name: value for name, value in reading.said.items() if name != "code"}
    row.code, row.name = reading.said.get("code"), said.get("name") or (found.record["name"] if found else None)
    row.identity_key = row.code
    if reading.wrong:
        return _reject(row, reading.wrong)
    if found is None:
        row.changes = diff({}, said)
        row.outcome, row.version_after = Outcome.ADDED, 1
        return row
    row.version_before, row.version_after = found.version, found.version
    row.changes = diff(found.record, {**found.record, **said})
    row.outcome = Outcome.CHANGED if row.changes else Outcome.UNCHANGED
    if row.changes:
        row.version_after = found.version + 1
    return row


# --- what is not in the file


def stated(changes: Sequence[Change]) -> dict[str, Any]:
    """The record of what a row adds."""
    return apply(changes, {})
