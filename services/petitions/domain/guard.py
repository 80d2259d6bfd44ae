"""The guards of the petition procedure: each permits an act or says why not, with its article."""

from __future__ import annotations

from collections.abc import Iterable

from services.kernel.clock import Clock
from services.kernel.text import Label, Sentence
from services.kernel.workflow import Act, guard
from services.petitions.domain.case import (
    COMPLETION,
    INFORMATION_REQUEST,
    OPINION,
    PAPER,
    PARTNERSHIP_PROPOSAL,
    PAYMENT,
    REFUSALS,
    PetitionCase,
)
from services.petitions.domain.petitioner import (
    ACCOUNT,
    ADDRESS,
    AUTHORISED_PERSON,
    ELEMENT_LABELS,
    MANDATE,
    NAME,
    SIGNATURE,
    TITLE,
)

_CLERK = "registry_clerk"
_DETAILS = (NAME, ADDRESS, AUTHORISED_PERSON, MANDATE, SIGNATURE)
_CALLED = {NAME: TITLE}
"""What a body's name is asked for as."""
_SILENT = ("PETITION_ANSWER", "INFO_ACCESS", "NON_FINAL_WAIT")


@guard("3071/7")
def clerk_says_for_whom_it_acts(case: PetitionCase, act: Act) -> Sentence | None:
    """Registry staff act for the petitioner of a paper; of another petition only with a reason, which is kept."""
    if act.actor.role == _CLERK and case.channel not in PAPER and not act.fields.get("reason"):
        return Sentence("This petition did not come on paper. Say in the reason that the petitioner came in person.")
    return None


@guard("3071/6-c")
def completion_is_awaited(case: PetitionCase, _act: Act) -> Sentence | None:
    """Something can be supplied while the municipality has asked for it."""
    if case.awaits != COMPLETION:
        return Sentence("The municipality has not asked for anything that is missing.")
    return None


@guard("3071/6-c")
def something_is_supplied(_case: PetitionCase, act: Act) -> Sentence | None:
    """A completion brings at least one of the things asked for."""
    if any(value for name, value in act.fields.items() if name not in ("note", "reason")):
        return None
    return Sentence("Supply at least one of the things that are missing.")


@guard("3071/6-c")
def only_what_is_missing_is_supplied(case: PetitionCase, act: Act) -> Sentence | None:
    """A completion replaces nothing that is there, unless the municipality asked for it."""
    asked = case.facts.get("return_for_completion", {}).get("missing", ())
    there = [
        name
        for name in _DETAILS
        if act.fields.get(name) and getattr(case.petitioner, name) and not {name, _CALLED.get(name, name)} & set(asked)
    ]
    if there:
        return Sentence(
            "This is there already and was not asked for: {elements}.",
            elements=_listed(ELEMENT_LABELS[each] for each in there),
        )
    return None


@guard("5070/5")
def account_signs_when_signed_in(_case: PetitionCase, act: Act) -> Sentence | None:
    """Only the petitioner's own sign-in signs by account."""
    if act.fields.get("signature") == ACCOUNT and (act.actor.user_id is None or act.actor.role == _CLERK):
        return Sentence("Only the petitioner's own sign-in signs by account.")
    return None


@guard("3071/6-c")
def something_is_named_as_missing(_case: PetitionCase, act: Act) -> Sentence | None:
    """Whoever returns a petition says what is missing; for `other` in words."""
    if "other" in (act.fields.get("missing") or ()) and not act.fields.get("reason"):
        return Sentence("Say in the reason what else is missing.")
    return None


@guard("3071/6")
def letter_c_after_the_time_to_complete(case: PetitionCase, act: Act) -> Sentence | None:
    """What is missing can be supplied first: letter c only after the time for it ran out, and never by itself."""
    if act.fields.get("letter") != "c":
        return None
    clock = case.newest_clock("COMPLETION")
    if clock is not None and clock.state == "expired":
        return None
    if case.awaits == COMPLETION and clock is not None and clock.due_on is not None:
        return Sentence("The petitioner may supply what is missing until the end of {on}.", on=clock.due_on)
    return Sentence("Ask the petitioner for what is missing first.")


@guard("3071/5; 4982/7")
def one_addressee_is_named(_case: PetitionCase, act: Act) -> Sentence | None:
    """A petition is forwarded to one authority: a municipality of this system, or another by its name."""
    if bool(act.fields.get("authority")) == bool(act.fields.get("municipality")):
        return Sentence("Name one addressee: a municipality of this system or another authority.")
    return None


@guard("3071/5; 4982/7")
def addressee_is_another(case: PetitionCase, act: Act) -> Sentence | None:
    """A petition is forwarded to somebody else."""
    if act.fields.get("municipality") == case.municipality.id:
        return Sentence("This municipality has the petition already. Assign it to the unit concerned.")
    return None


@guard()
def was_sent_again(case: PetitionCase, _act: Act) -> Sentence | None:
    """Only a copy goes the way of its first."""
    if not case.follows_first:
        return Sentence("This petition goes its own way.")
    return None


@guard()
def is_not_sent_again(case: PetitionCase, _act: Act) -> Sentence | None:
    """What changes the period is done once, in the first petition; its copies follow."""
    if case.follows_first:
        return Sentence(
            "This petition was sent again. Do this in the first one; whatever happens there happens here too."
        )
    return None


@guard()
def reassigning_has_a_reason(case: PetitionCase, act: Act) -> Sentence | None:
    """Another unit takes over with a reason, so that the trace explains itself."""
    if case.unit is not None and not act.fields.get("reason"):
        return Sentence("Say why another unit takes over.")
    return None


@guard()
def unit_is_another(case: PetitionCase, act: Act) -> Sentence | None:
    """A unit is not given what it has."""
    unit = act.known.get("unit")
    if case.unit is not None and unit is not None and unit["id"] == case.unit.id:
        return Sentence("This unit has the petition already.")
    return None


@guard("4982/11")
def is_an_information_request(case: PetitionCase, _act: Act) -> Sentence | None:
    """Extension and fee belong to requests for information."""
    if case.kind != INFORMATION_REQUEST:
        return Sentence("Only an information request has this step.")
    return None


@guard("4982/11")
def not_extended_yet(case: PetitionCase, _act: Act) -> Sentence | None:
    """The period is extended once."""
    if case.done("extend"):
        return Sentence("The period was extended on {on}; it can be extended once.", on=case.date_of("extend"))
    return None


@guard("4982/11")
def first_period_is_running(case: PetitionCase, _act: Act) -> Sentence | None:
    """Only a period that runs can be extended."""
    clock = case.newest_clock("INFO_ACCESS")
    if clock is None or clock.state != "running":
        return Sentence("The period to give access is not running; it cannot be extended.")
    return None


EXTENSIONS = {
    "another_unit": Label("bilginin başka bir birimden sağlanması", "the information comes from another unit"),
    "other_body": Label("başka bir kurumun görüşünün gerekmesi", "another body's opinion is needed"),
    "several_bodies": Label("başvurunun birden çok kurumu ilgilendirmesi", "several bodies are concerned"),
}
"""Why access to information may take 30 working days."""


@guard("4982/11")
def extension_has_a_lawful_reason(_case: PetitionCase, act: Act) -> Sentence | None:
    """The law knows three reasons."""
    if act.fields.get("reason") in EXTENSIONS:
        return None
    return Sentence("The reason of an extension is one of: {reasons}.", reasons=_listed(EXTENSIONS.values()))


@guard("4982/11")
def notified_before_the_first_period_ends(case: PetitionCase, act: Act) -> Sentence | None:
    """The petitioner is told in writing before the fifteenth working day."""
    clock = case.newest_clock("INFO_ACCESS")
    if clock is not None and clock.state == "running" and clock.due_on is not None and act.done_on >= clock.due_on:
        return Sentence("The petitioner must be notified before {on}, the last of the first 15 days.", on=clock.due_on)
    return None


@guard("4982/11")
def extends_instead_of_interim_replies(case: PetitionCase, _act: Act) -> Sentence | None:
    """A request for information is answered or extended; a progress notice does not stop its period."""
    if case.kind == INFORMATION_REQUEST:
        return Sentence("An information request has no interim reply. Extend the period before day 15.")
    return None


@guard("Constitution/40")
def refusal_names_remedy(case: PetitionCase, act: Act) -> Sentence | None:
    """Whoever refuses, or refuses to examine, names the remedy and its time limit; an opinion has none."""
    unexamined = act.fields.get("letter") is not None and case.kind != OPINION
    if act.fields.get("outcome") not in REFUSALS and not unexamined:
        return None
    if not act.fields.get("remedy") or not act.fields.get("remedy_days"):
        return Sentence("A refusal names the remedy and its time limit in days.")
    return None


@guard("3071/7; 4982/12")
def answer_has_reasons(_case: PetitionCase, act: Act) -> Sentence | None:
    """An answer gives reasons; one that only says where the information was published says where (4982/8)."""
    if act.fields.get("reason") or act.fields.get("published_at"):
        return None
    return Sentence("An answer gives its reasons.")


@guard("4982/8")
def published_information_is_a_request(case: PetitionCase, act: Act) -> Sentence | None:
    """Where it was published is an answer to a request for information alone."""
    if act.fields.get("published_at") and case.kind != INFORMATION_REQUEST:
        return Sentence("Only an information request is answered by saying where it was published.")
    return None


@guard("4982/11")
def fee_is_notified_once(case: PetitionCase, _act: Act) -> Sentence | None:
    """One notice interrupts the period; a second would win time."""
    if case.done("notify_fee"):
        return Sentence("The fee was notified on {on}; it is notified once.", on=case.date_of("notify_fee"))
    return None


@guard("4982/11")
def fee_is_notified_within_the_period(case: PetitionCase, _act: Act) -> Sentence | None:
    """Only a period that runs can be interrupted: a notice after its end undoes no delay."""
    clock = case.newest_clock("INFO_ACCESS")
    if clock is None or clock.state != "running":
        return Sentence("The period to give access is not running; a fee cannot be notified any more.")
    return None


@guard("4982/11")
def payment_is_awaited(case: PetitionCase, _act: Act) -> Sentence | None:
    """A payment answers a fee notice."""
    if case.awaits != PAYMENT:
        return Sentence("No fee is awaited.")
    return None


@guard("3071/6-c")
def completion_period_is_over(case: PetitionCase, act: Act) -> Sentence | None:
    """The petitioner has the whole period to supply what is missing."""
    return _not_expired(case.newest_clock("COMPLETION"), act)


@guard("4982/11")
def payment_period_is_over(case: PetitionCase, act: Act) -> Sentence | None:
    """Unpaid for fifteen working days, the request counts as withdrawn."""
    return _not_expired(case.newest_clock("FEE_PAYMENT"), act)


@guard("2577/10")
def silence_period_is_over(case: PetitionCase, act: Act) -> Sentence | None:
    """Silence opens the remedies only after the period; a late answer stays possible."""
    clocks = [clock for kind in _SILENT if (clock := case.newest_clock(kind)) is not None]
    if any(clock.state == "expired" for clock in clocks):
        return None
    return _not_expired(clocks[0] if clocks else None, act)


@guard("5393/75-c")
def is_an_organisations_proposal(case: PetitionCase, _act: Act) -> Sentence | None:
    """A protocol has an organisation of the register as its partner."""
    if case.kind != PARTNERSHIP_PROPOSAL:
        return Sentence("Only a partnership proposal becomes a protocol.")
    if case.petitioner.organisation_id is None:
        return Sentence("The proposal comes from no organisation of the register, so no protocol can be made of it.")
    return None


@guard()
def no_protocol_yet(case: PetitionCase, _act: Act) -> Sentence | None:
    """One protocol comes of a proposal."""
    if case.protocol is not None:
        return Sentence("The proposal became protocol {reference} already.", reference=case.protocol.name)
    return None


def _listed(labels: Iterable[Label]) -> dict[str, str]:
    """Names one after the other, in both languages."""
    known = list(labels)
    return {"tr": ", ".join(each.tr for each in known), "en": ", ".join(each.en for each in known)}


def _not_expired(clock: Clock | None, _act: Act) -> Sentence | None:
    if clock is not None and clock.state == "expired":
        return None
    if clock is None or clock.due_on is None:
        return Sentence("The period is not running.")
    return Sentence("The period runs until the end of {on}.", on=clock.due_on)
