"""The guards of the procedure: each permits an act or says why not, with its article."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.kernel.text import Sentence
from services.kernel.workflow import Act, Guard, guard
from services.protocols.domain.case import ProtocolCase
from services.protocols.domain.vote import Votes

NOT_NEEDED = ("exempt", "not_needed")
TO_BE_DETERMINED = ("discretionary", "legal_review")


def standing_of(case: ProtocolCase, act: Act) -> str:
    """What art. 75 says of the partner: as asked for this act, else as last known."""
    known = act.known.get("standing") or case.standing
    return str(known.get("permission", "required"))


def _votes(act: Act, name: str = "votes") -> Votes | None:
    found = act.fields.get(name)
    return found if isinstance(found, Votes) else None


@guard("5393/22")
def votes_add_up(_case: ProtocolCase, act: Act) -> Sentence | None:
    """The recorded numbers are possible; recused members (5393/27) are not among those present."""
    votes = _votes(act)
    return votes.fault() if votes else None


@guard("5393/22")
def full_membership_is_the_councils(_case: ProtocolCase, act: Act) -> Sentence | None:
    """A full membership given with the votes equals the municipality's."""
    known = act.known.get("full_membership")
    for name in ("votes", "without_commission_votes"):
        votes = _votes(act, name)
        if votes and known and votes.full_membership != known:
            return Sentence(
                "The council has {known} members, the votes name {given}.", known=known, given=votes.full_membership
            )
    return None


@guard("5393/22")
def quorum_was_present(_case: ProtocolCase, act: Act) -> Sentence | None:
    """The council met with more than half of its full membership, or a quarter when called again."""
    votes = _votes(act)
    return votes.quorum_fault() if votes and not votes.fault() else None


@guard("5393/22")
def majority_accepted(_case: ProtocolCase, act: Act) -> Sentence | None:
    """More than half of those present, never below a quarter of full membership; ties by the chair or by lot."""
    votes = _votes(act)
    return votes.accepting_fault() if votes and not votes.fault() else None


@guard("5393/22")
def majority_did_not_accept(_case: ProtocolCase, act: Act) -> Sentence | None:
    """A rejection cannot be recorded with votes that accept."""
    votes = _votes(act)
    if votes and not votes.fault() and votes.is_unsettled:
        return votes.accepting_fault()
    if votes and not votes.fault() and votes.accepting_fault() is None:
        return Sentence("These votes accept the motion; they cannot be recorded as a rejection.")
    return None


@guard("5393/21")
def decided_directly_by_vote(_case: ProtocolCase, act: Act) -> Sentence | None:
    """Deciding without a commission needs a recorded vote of its own, by more than half of those present."""
    votes = _votes(act, "without_commission_votes")
    if votes is None:
        return None
    return votes.fault() or votes.quorum_fault() or votes.accepting_fault()


@guard("5393/21")
def zoning_goes_to_commission(case: ProtocolCase, _act: Act) -> Sentence | None:
    """Zoning matters cannot be decided without the commission."""
    if case.zoning:
        return Sentence("A zoning matter cannot be decided without the commission.")
    return None


@guard("5393/23; 5216/14")
def full_membership_insisted(_case: ProtocolCase, act: Act) -> Sentence | None:
    """The council insists by more than half of its full membership, absent members counted."""
    votes = _votes(act)
    return votes.insisting_fault() if votes and not votes.fault() else None


@guard("5393/23; 5216/14")
def full_membership_did_not_insist(_case: ProtocolCase, act: Act) -> Sentence | None:
    """A decision cannot be dropped with votes that insist."""
    votes = _votes(act)
    if votes and not votes.fault() and votes.insisting_fault() is None:
        return Sentence("These votes insist on the decision; it cannot be recorded as dropped.")
    return None


@guard("5393/75")
def partner_can_be_a_party(case: ProtocolCase, act: Act) -> Sentence | None:
    """The partner has legal personality and exists."""
    if standing_of(case, act) == "not_possible":
        return Sentence("The organisation cannot be a party: it has no legal personality or is dissolved.")
    return None


@guard("5393/23")
def not_sent_yet(case: ProtocolCase, _act: Act) -> Sentence | None:
    """A decision is sent to the civil authority once."""
    if case.done("transmit"):
        return Sentence("The decision was sent on {on}.", on=case.date_of("transmit"))
    return None


@guard("5393/23")
def sent_before_stamped(case: ProtocolCase, _act: Act) -> Sentence | None:
    """The authority stamps what the municipality has sent; an unsent decision does not enter into force."""
    if not case.done("transmit"):
        return Sentence("The municipality has not recorded yet that it sent the decision.")
    return None


@guard("5393/75-c")
def stamped_before_requested(case: ProtocolCase, _act: Act) -> Sentence | None:
    """Permission is asked after the decision was sent and stamped."""
    if not case.done("stamp"):
        return Sentence("The civil authority has not stamped the council's decision yet.")
    return None


@guard("5393/75-c")
def request_has_its_own_letter(case: ProtocolCase, act: Act) -> Sentence | None:
    """The permission request is not the transmittal: it has a letter number of its own."""
    sent = case.facts.get("transmit", {}).get("letter_no")
    if sent and act.fields.get("letter_no") == sent:
        return Sentence(
            "Letter {letter} sent the decision. The permission request needs a letter of its own.", letter=sent
        )
    return None


@guard("5393/23")
def summary_not_published_yet(case: ProtocolCase, _act: Act) -> Sentence | None:
    """The summary is published once, after the decision became final."""
    if case.newest_clock("PUBLISH_SUMMARY") is None:
        return Sentence("The decision is not final yet.")
    if case.done("publish_summary"):
        return Sentence("The summary was published on {on}.", on=case.date_of("publish_summary"))
    return None


@guard("5393/23")
def published_after_finality(case: ProtocolCase, act: Act) -> Sentence | None:
    """A summary is announced after the decision became final."""
    clock = case.newest_clock("PUBLISH_SUMMARY")
    if clock is not None and act.done_on < clock.started_on:
        return Sentence(
            "The decision became final on {on}; the summary cannot have been published before.", on=clock.started_on
        )
    return None


@guard("2577/7")
def filed_within_the_period(case: ProtocolCase, act: Act) -> Sentence | None:
    """An annulment action is filed within its period; it may be recorded later."""
    clock = case.newest_clock("SUIT")
    if clock is not None and clock.due_on is not None and act.done_on > clock.due_on:
        return Sentence(
            "The period to file suit ended on {on}. If it was filed in time, give the day it was filed.",
            on=clock.due_on,
        )
    return None


@guard("5393/75-c")
def form_is_named_in_the_law(case: ProtocolCase, act: Act) -> Sentence | None:
    """Only partners of a kind that art. 75/c knows can be exempt; unions, cooperatives and companies are not named."""
    if standing_of(case, act) == "legal_review":
        return Sentence(
            "Article 75/c does not name organisations of this kind; it cannot be exempt. Require permission."
        )
    return None


@guard("5393/23")
def text_is_final(case: ProtocolCase, _act: Act) -> Sentence | None:
    """Only a text that the council approved can be signed."""
    if case.approved_sha256 is None:
        return Sentence("No text has been approved by the council.")
    return None


@guard("5393/23")
def decision_was_stamped(case: ProtocolCase, _act: Act) -> Sentence | None:
    """A protocol is signed after the decision reached the civil authority."""
    if not case.done("stamp"):
        return Sentence("The council's decision has not been stamped by the civil authority; it is not in force.")
    return None


@guard("5393/75-c")
def permitted_or_exempt(case: ProtocolCase, act: Act) -> Sentence | None:
    """Signing needs the permission, or an exemption that still holds on the signing day."""
    if any(case.done(move) for move in ("grant", "grant_with_conditions", "determine_exempt")):
        return None
    if standing_of(case, act) in NOT_NEEDED:
        return None
    return Sentence(
        "There is no permission, and the organisation's exemption does not hold on the signing day. Ask for a legal review."
    )


@guard("5393/38-g")
def signed_text_is_the_approved_text(case: ProtocolCase, act: Act) -> Sentence | None:
    """What is signed is what was approved, to the letter: the hashes are equal."""
    given = act.fields.get("text_sha256")
    if given is not None and case.approved_sha256 is not None and given.lower() != case.approved_sha256:
        return Sentence(
            "The text to be signed is not the approved text: its SHA-256 is {given}…, the approved one's {approved}….",
            given=str(given)[:12],
            approved=case.approved_sha256[:12],
        )
    return None


@guard("4721/85; 5253")
def both_sides_sign(_case: ProtocolCase, act: Act) -> Sentence | None:
    """Each party has a signatory."""
    signatories: list[dict[str, Any]] = list(act.fields.get("signatories") or ())
    missing = {"municipality", "organisation"} - {each["party"] for each in signatories}
    if not missing:
        return None
    who: dict[str, Any] = {
        "municipality": {"tr": "belediye", "en": "the municipality"},
        "organisation": {"tr": "kuruluş", "en": "the organisation"},
    }
    return Sentence("A signatory is missing for {party}.", party=who[min(missing)])


@guard("4721/85; 5253")
def mandate_is_valid(_case: ProtocolCase, act: Act) -> Sentence | None:
    """The organisation's signatory holds a mandate on the signing day."""
    for each in act.fields.get("signatories") or ():
        if each["party"] != "organisation":
            continue
        until: date | None = each.get("mandate_until")
        since: date | None = each.get("mandate_from")
        if until is None:
            return Sentence("Say until when the organisation's signatory is authorised, from the authority document.")
        if until < act.done_on or (since is not None and since > act.done_on):
            return Sentence(
                "The mandate of the organisation's signatory does not cover the signing day {on}.", on=act.done_on
            )
    return None


@guard("5393/23")
def return_period_is_over(case: ProtocolCase, act: Act) -> Sentence | None:
    """A decision becomes final when the mayor's period to return it has run out."""
    clock = case.newest_clock("MAYOR_RETURN")
    if clock is not None and clock.state == "expired":
        return None
    return _still_running(clock.due_on if clock else None, act)


@guard("5393/24")
def commission_period_is_over(case: ProtocolCase, act: Act) -> Sentence | None:
    """The item goes onto the agenda without a report only after the commission's period."""
    clock = case.newest_clock("COMMISSION_REPORT")
    if clock is not None and clock.state == "expired":
        return None
    return _still_running(clock.due_on if clock else None, act)


@guard("2577/10")
def silence_period_is_over(case: ProtocolCase, act: Act) -> Sentence | None:
    """Silence counts as refusal only after the period; the authority may still answer."""
    clock = case.newest_clock("PERMISSION_SILENCE")
    if clock is not None and clock.state == "expired":
        return None
    return _still_running(clock.due_on if clock else None, act)


@guard()
def term_is_over(case: ProtocolCase, act: Act) -> Sentence | None:
    """A protocol ends by itself on the last day of its term."""
    clock = case.newest_clock("TERM")
    if clock is not None and clock.state == "expired":
        return None
    return _still_running(clock.due_on if clock else None, act)


def _still_running(due_on: date | None, _act: Act) -> Sentence:
    if due_on is None:
        return Sentence("The period is not running.")
    return Sentence("The period runs until the end of {on}.", on=due_on)


VOTE_GUARDS: tuple[Guard[ProtocolCase], ...] = (votes_add_up, full_membership_is_the_councils, quorum_was_present)
"""What every recorded vote must satisfy."""
