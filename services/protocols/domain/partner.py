"""A file and its partner: whose place was taken by whom, and whether the standing is still what the file relies on.

The law does not say what becomes of a running protocol whose partner loses its status (5393/75 is silent). So nothing
is rerouted here: stage, clocks and options stay. The file is flagged for legal review, with the evidence, as an act of
its history; the legal unit's opinion settles the flag, again as an act. What follows, the offices do by ordinary moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.kernel.actor import Actor
from services.kernel.calendar import Calendar, today_in_istanbul
from services.kernel.casework import ActRecord
from services.kernel.errors import Refused
from services.kernel.events import Event
from services.kernel.text import Label, Sentence
from services.kernel.workflow import Act, Procedure
from services.protocols.domain.case import DRAFT, Party, ProtocolCase
from services.protocols.domain.events import ProtocolFlaggedV1, ProtocolPartnerChangedV1, ProtocolReviewSettledV1

FOLLOW, FLAG, SETTLE, RETURN = (
    "follow_succession",
    "flag_legal_review",
    "settle_legal_review",
    "close_legal_review",
)
"""Acts of the history that are not moves of the table."""

LABELS: Mapping[str, Label] = {
    FOLLOW: Label("Protokol, kuruluşun ardılını izledi", "The protocol followed the organisation's succession"),
    FLAG: Label("Hukuki değerlendirme için işaretlendi", "Flagged for legal review"),
    SETTLE: Label("Hukuki değerlendirme sonuçlandırıldı", "Legal review settled"),
    RETURN: Label("Durum yeniden dayanılan gibi; işaret kapandı", "Standing as relied on again; flag closed"),
}

REVIEWER = "unit_officer"
"""Who settles a flagged file: the unit that owns the protocol and asks the legal unit for its opinion."""

NONE, OPEN, SETTLED = "none", "open", "settled"
"""States of a legal review."""

OUTCOMES = ("continues", "seek_permission", "terminate_advised")
RETURNED = "standing_returned"
"""The outcome of a review whose cause went away by itself."""

DISSOLVED = "dissolved"
_STANDING = ("permission", "ground", "article", "on")


@dataclass(frozen=True)
class Partner:
    """An organisation as the registry's newest event told it."""

    id: str
    name: str
    state: str
    version: int
    standing: Mapping[str, Any]
    statuses: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Succession:
    """Who gets the open protocols of an organisation, as the registry told it.

    `version`: of the old organisation then. `heir_version`, `standing`: of the receiver then.
    """

    organisation_id: str
    version: int
    kind: str
    effective_on: date
    heir: Party
    heir_version: int
    standing: Mapping[str, Any]

    @property
    def passes_on(self) -> bool:
        """Whether somebody else gets the protocols; after a rename nobody does."""
        return self.heir.id != self.organisation_id


def next_to_follow(case: ProtocolCase, told: Iterable[Succession]) -> Succession | None:
    """Which of the successions told so far the file follows next, in whatever order they were told; None at the end.

    Only those after the organisation became the partner here: the first that gave its protocols to somebody else,
    otherwise its newest name.
    """
    later = sorted(
        (each for each in told if each.organisation_id == case.organisation.id and each.version > case.party_version),
        key=lambda each: each.version,
    )
    for each in later:
        if each.passes_on:
            return each
    return later[-1] if later and later[-1].heir != case.organisation else None


def follow(case: ProtocolCase, succession: Succession, actor: Actor, now: datetime, calendar: Calendar) -> list[Event]:
    """Let the receiver take the partner's place in this file; nothing else of it changes.

    After a merger or split the file is flagged, since the standing may be another: a status belongs to the legal
    person. A rename leaves the legal person as it was.
    """
    former = case.organisation
    case.organisation = succession.heir
    if succession.passes_on:
        # A rename does not make it the partner anew: an older succession may still be told late.
        case.party_version = succession.heir_version
    fields = {
        "kind": succession.kind,
        "effective_on": succession.effective_on,
        "from": {"id": former.id, "name": former.name},
        "to": {"id": succession.heir.id, "name": succession.heir.name},
        "organisation_version": succession.heir_version,
    }
    _record(case, FOLLOW, fields, actor, now, calendar)
    changed = ProtocolPartnerChangedV1(
        **case.shown(),
        former_organisation_id=former.id,
        former_organisation_name=former.name,
        kind=succession.kind,
        effective_on=succession.effective_on,
        stage=case.stage,
    )
    events: list[Event] = [changed]
    if succession.passes_on:
        cause = Sentence(
            "{name} has taken the place of {former} from {on} on; its standing may be another.",
            name=succession.heir.name,
            former=former.name,
            on=succession.effective_on,
        )
        evidence = {
            "organisation_id": succession.heir.id,
            "organisation_version": succession.heir_version,
            "former_organisation_id": former.id,
            "former_organisation_version": succession.version,
        }
        events.append(_flag(case, "succession", cause, succession.standing, evidence, actor, now, calendar))
    return events


def compare(
    case: ProtocolCase,
    partner: Partner,
    actor: Actor,
    now: datetime,
    procedure: Procedure[ProtocolCase],
    calendar: Calendar,
) -> list[Event]:
    """Flag the file when its permission would now be another than its newest decision relied on.

    Each cause once, however often it is told and in whatever order: compared is the newest that is known of the
    partner, and only where it is newer than what the file itself asked. A standing that returned closes the flag.
    """
    if case.stage in procedure.ends or not _is_newer(partner, case.standing):
        return []
    found, relied = str(partner.standing["permission"]), case.permission
    reviewed = case.review["now"]["permission"] if case.review else relied
    if found == relied:
        return [] if found == reviewed else [_return(case, partner, actor, now, calendar)]
    if found == reviewed and not _asked_since(case, partner):
        return []
    code, cause = _cause(case, partner)
    evidence = {
        "organisation_id": partner.id,
        "organisation_version": partner.version,
        "state": partner.state,
        "status": _status_in_question(case, partner),
    }
    return [_flag(case, code, cause, partner.standing, evidence, actor, now, calendar)]


def settle(case: ProtocolCase, opinion: str, outcome: str, act: Act, calendar: Calendar) -> list[Event]:
    """Settle the open review by the legal unit's opinion; the stage stays. Raises Refused when none is open."""
    if case.review.get("state") != OPEN:
        message = Sentence("No legal review of this file is open.")
        raise Refused(message, {"reasons": [{"code": "no_open_review", "article": "", "message": message.to_plain()}]})
    _record(case, SETTLE, {"opinion": opinion, "outcome": outcome}, act.actor, act.now, calendar)
    return [ProtocolReviewSettledV1(**case.shown(), outcome=outcome, stage=case.stage)]


def review_after(review: Mapping[str, Any], act: ActRecord) -> dict[str, Any]:
    """The review as this act of the history leaves it; the audit follows the same steps."""
    if act.move == FLAG:
        return {
            **act.fields,
            "state": OPEN,
            "since": act.recorded_at.isoformat(),
            "on": act.done_on.isoformat(),
            "flagged_by": act.number,
            "known_version": act.fields["evidence"]["organisation_version"],
            "settled": None,
        }
    if act.move not in (SETTLE, RETURN):
        return dict(review)
    office = Actor.from_plain(act.actor).office
    settled = {**act.fields, "at": act.recorded_at.isoformat(), "on": act.done_on.isoformat(), "office": office}
    known = {
        "now": settled.pop("now", review["now"]),
        "known_version": settled.get("organisation_version", review["known_version"]),
    }
    if act.move == RETURN and review["state"] == SETTLED:
        # An opinion that was given stays; only what is known now changes.
        return {**review, **known}
    return {**review, **known, "state": SETTLED, "settled": settled}


def partner_of(acts: Iterable[ActRecord]) -> tuple[str | None, str | None]:
    """Id and name of the partner by the history alone; the name is known only after a succession."""
    found: tuple[str | None, str | None] = (None, None)
    for act in acts:
        if act.move == DRAFT:
            found = (act.fields.get("organisation_id"), None)
        elif act.move == FOLLOW:
            found = (act.fields["to"]["id"], act.fields["to"]["name"])
    return found


def _is_newer(partner: Partner, relied: Mapping[str, Any]) -> bool:
    """Whether the telling is newer than what the file asked the registry itself for its newest decision."""
    if relied.get("organisation_id") not in (None, partner.id):
        return True
    asked = (int(relied.get("organisation_version", 0)), str(relied.get("on", "")))
    return (partner.version, str(partner.standing.get("on", ""))) > asked


def _asked_since(case: ProtocolCase, partner: Partner) -> bool:
    """Whether the file asked the registry itself after what its review knows: then its own answer counts."""
    relied = case.standing
    if not case.review or relied.get("organisation_id") not in (None, partner.id):
        return False
    return int(relied.get("organisation_version", 0)) > int(case.review["known_version"])


def _flag(
    case: ProtocolCase,
    code: str,
    cause: Sentence,
    found: Mapping[str, Any],
    evidence: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    calendar: Calendar,
) -> ProtocolFlaggedV1:
    article = str(found.get("article", ""))
    fields = {
        "cause": cause.to_plain(),
        "cause_code": code,
        "article": article,
        "was": _short(case.standing),
        "now": _short(found),
        "evidence": evidence,
    }
    _record(case, FLAG, fields, actor, now, calendar)
    return ProtocolFlaggedV1(
        **case.shown(),
        cause=code,
        was=case.permission,
        now=str(found["permission"]),
        article=article,
        stage=case.stage,
    )


def _return(
    case: ProtocolCase, partner: Partner, actor: Actor, now: datetime, calendar: Calendar
) -> ProtocolReviewSettledV1:
    reason = Sentence("The standing of {name} is again the one on which this file relies.", name=partner.name)
    fields = {
        "outcome": RETURNED,
        "reason": reason.to_plain(),
        "now": _short(partner.standing),
        "organisation_version": partner.version,
    }
    _record(case, RETURN, fields, actor, now, calendar)
    return ProtocolReviewSettledV1(**case.shown(), outcome=RETURNED, stage=case.stage)


def _record(
    case: ProtocolCase, move: str, fields: Mapping[str, Any], actor: Actor, now: datetime, calendar: Calendar
) -> None:
    """One row of the history beside the way: it binds no date of later acts."""
    today = today_in_istanbul(now)
    case.record(move, case.stage, Act(actor, fields, today, now, today), calendar, advances=False)
    case.review = review_after(case.review, case.new_acts[-1])


def _short(standing: Mapping[str, Any]) -> dict[str, Any]:
    return {name: standing[name] for name in _STANDING if standing.get(name) is not None}


def _cause(case: ProtocolCase, partner: Partner) -> tuple[str, Sentence]:
    """Why the answer is another, as a code and as a sentence."""
    status, on = _status_in_question(case, partner), _day_of(partner)
    if partner.state == DISSOLVED:
        return DISSOLVED, Sentence("{name} is recorded as dissolved.", name=partner.name)
    if not case.standing.get("evidence"):
        if status is not None:
            return "status_recorded", Sentence(
                "A status of {name} is recorded that the newest decision of this file did not know.", name=partner.name
            )
    elif status is not None and _revoked_by(status, on):
        return "status_revoked", _revoked(status)
    elif status is not None and _ended_before(status, on):
        return "status_ended", Sentence(
            "The status on which this file relies ended on {on}.", on=date.fromisoformat(status["valid_to"])
        )
    else:
        return "status_corrected", Sentence("The record of the status on which this file relies was corrected.")
    return "record_changed", Sentence(
        "The record of {name} has changed; article 75 now gives another answer than this file relies on.",
        name=partner.name,
    )


def _revoked(status: Mapping[str, Any]) -> Sentence:
    on = date.fromisoformat(status["revoked_on"])
    if status.get("revocation_no"):
        return Sentence(
            "The status on which this file relies was revoked from {on} on, by decision {number}.",
            on=on,
            number=status["revocation_no"],
        )
    return Sentence("The status on which this file relies was revoked from {on} on.", on=on)


def _status_in_question(case: ProtocolCase, partner: Partner) -> Mapping[str, Any] | None:
    """The status that the file relies on as it is recorded now; without one, the status that holds now."""
    evidence = case.standing.get("evidence")
    if evidence:
        return next((each for each in partner.statuses if each["id"] == evidence["id"]), None)
    on = _day_of(partner)
    held = (
        each
        for each in partner.statuses
        if each["valid_from"] <= on and not _ended_before(each, on) and not _revoked_by(each, on)
    )
    return next(held, None)


def _day_of(partner: Partner) -> str:
    """The day of the telling; ISO dates compare as text."""
    return str(partner.standing.get("on", ""))


def _ended_before(status: Mapping[str, Any], on: str) -> bool:
    return status.get("valid_to") is not None and bool(status["valid_to"] < on)


def _revoked_by(status: Mapping[str, Any], on: str) -> bool:
    return status.get("revoked_on") is not None and bool(status["revoked_on"] <= on)
