"""How a petition comes in: by its writer without a sign-in, by an organisation, or on paper at the counter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.kernel.actor import PETITIONER, Actor
from services.kernel.calendar import Calendar
from services.kernel.casework import plain
from services.kernel.errors import Forbidden, Invalid, NotFound
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.kernel.workflow import Act
from services.petitions.application.port import Cases, Context
from services.petitions.application.showing import show_clock, summary
from services.petitions.domain import case as cases
from services.petitions.domain.advice import advise
from services.petitions.domain.case import PAPER, WEB, Party, PetitionCase, repeat_key
from services.petitions.domain.code import derived, new_code, new_salt, sha256_of
from services.petitions.domain.petitioner import ACCOUNT, PERSONS, Petitioner
from services.petitions.domain.procedure import CLERK, ORGANISATION
from services.petitions.domain.repeat import follow

_OLDEST_PAPER = timedelta(days=366)
_SALT = "key_salt"


@dataclass(frozen=True)
class _Facts:
    """What the registry said."""

    municipality: Party
    organisation: Mapping[str, Any] | None


def submit_petition(context: Context, actor: Actor, fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Take a petition in; what the law asks for and is not there is listed in `missing`, and it is taken in all the same.

    A petitioner who comes without an office gets `petition_key`; the same request with the same `key` gets it
    again, though it is stored only as a hash. Raises Forbidden (an office that does not submit petitions),
    Invalid, NotFound (municipality, organisation), Unavailable (the registry does not answer).
    """
    fields = {"channel": WEB, "language": context.language, **fields}
    received_on = _received_on(context, actor, fields)
    said = _petitioner(actor, fields)
    request = {"command": "submit", "fields": plain(fields)}
    own_key = _reply_key(actor, request, key)
    with context.read() as store:
        # A repeated command answers as before, also while the registry is away.
        if (known := store.answered(actor, own_key, request)) is not None:
            return _again(context, store, known, key)
    facts = _ask(context, fields["municipality"], said.organisation_id)
    with context.write() as store:
        if (known := store.remembered(actor, own_key, request, context.now)) is not None:
            return _again(context, store, known, key)
        _demand_activity(store, fields)
        calendar = store.calendar()
        salt = new_salt() if actor.role == PETITIONER else None
        case, events = _begun(context, store, actor, fields, _completed(said, facts), facts, received_on, salt, key)
        if case.channel in PAPER:
            events += _registered(context, case, actor, fields, received_on, calendar)
        store.add(case, events, actor, context.procedure)
        # Only what it is known by: advice quotes the text, which has no place among remembered answers.
        known = {"id": case.id, _SALT: salt}
        store.remember(actor, own_key, known)
    return _with_key(_receipt(context, case), known, key)


def _demand_activity(store: Cases, fields: Mapping[str, Any]) -> None:
    """Raises Invalid unless the activity stands in the plan of the municipality that is petitioned."""
    if fields.get("activity_id") is None:
        return
    activity = store.activity(fields["activity_id"])
    if activity is None or activity["municipality"] != fields["municipality"]:
        raise Invalid.field("activity_id", Sentence("This municipality's strategic plan has no such activity."))
    if not activity["open"]:
        raise Invalid.field(
            "activity_id", Sentence("This activity is not in the plan any more; name another, or none.")
        )


def _begun(
    context: Context,
    store: Cases,
    actor: Actor,
    fields: Mapping[str, Any],
    petitioner: Petitioner,
    facts: _Facts,
    received_on: date,
    salt: str | None,
    key: str,
) -> tuple[PetitionCase, list[Event]]:
    earlier = _earlier(context, store, petitioner, fields)
    filed_on = min(earlier.filed_on, received_on) if earlier else received_on
    calendar = store.calendar()
    case, events = cases.submit(
        number=store.next_reference(fields["municipality"], context.today.year),
        fields=fields,
        petitioner=petitioner,
        municipality=facts.municipality,
        tracking_code=new_code(),
        actor=actor,
        now=context.now,
        procedure=context.procedure,
        calendar=calendar,
        filed_on=filed_on,
        received_on=received_on,
        key_sha256=sha256_of(derived(key, salt)) if salt else None,
        key_salt=salt,
        repeats=earlier.id if earlier else None,
        submitted_by=actor.user_id if actor.role == PETITIONER else None,
    )
    if earlier is not None:
        events += follow(case, earlier, context.now, context.procedure, calendar)
    return case, events


def _registered(
    context: Context,
    case: PetitionCase,
    actor: Actor,
    fields: Mapping[str, Any],
    received_on: date,
    calendar: Calendar,
) -> list[Event]:
    """What comes over the counter or by post is registered in the same call."""
    given = {"registered_on": received_on}
    if fields.get("registry_no"):
        given["registry_no"] = fields["registry_no"]
    act = Act(actor, given, context.today, context.now, received_on)
    return cases.perform(case, "register", act, context.procedure, calendar)


def _earlier(context: Context, store: Cases, petitioner: Petitioner, fields: Mapping[str, Any]) -> PetitionCase | None:
    """The open petition that this one only says again: sending it twice does not start the clock anew."""
    key = repeat_key(fields["subject"], fields["body"], petitioner)
    alike = store.open_alike(fields["municipality"], key, sorted(context.procedure.ends))
    found = next((each for each in alike if _is_first(each, petitioner, fields["kind"])), None)
    first = store.locked(found.id) if found else None
    # It may have ended before this transaction held it.
    return None if first is None or first.is_over(context.procedure) else first


def _is_first(case: PetitionCase, petitioner: Petitioner, kind: str) -> bool:
    return case.kind == kind and not case.follows_first and case.petitioner.is_same_as(petitioner)


def _received_on(context: Context, actor: Actor, fields: Mapping[str, Any]) -> date:
    """The day it came in; only registry staff may say another than today."""
    if actor.scope and not {cases.SUBMIT, "register"} & set(actor.scope):
        raise Forbidden(Sentence("The delegation under which you act does not cover this."))
    if actor.role == CLERK:
        if fields["channel"] not in PAPER:
            raise Invalid.field("channel", Sentence("The registry enters what came over the counter or by post."))
        if fields["municipality"] != actor.municipality:
            raise Invalid.field("municipality", Sentence("You register petitions to your own municipality."))
        given: date = fields.get("received_on") or context.today
        if not context.today - _OLDEST_PAPER <= given <= context.today:
            raise Invalid.field(
                "received_on",
                Sentence(
                    "must lie between {earliest} and {latest}",
                    earliest=context.today - _OLDEST_PAPER,
                    latest=context.today,
                ),
            )
        return given
    if actor.role not in (PETITIONER, ORGANISATION):
        raise Forbidden(
            Sentence("Your office does not submit petitions. Petition as an organisation, or without an office.")
        )
    strange = [name for name in ("received_on", "registry_no") if fields.get(name) is not None]
    if fields["channel"] in PAPER:
        strange.append("channel")
    if strange:
        raise Invalid.fields([(name, Sentence("Only the municipality's registry says this.")) for name in strange])
    return context.today


def _petitioner(actor: Actor, fields: Mapping[str, Any]) -> Petitioner:
    """The petitioner as said, and as far as the sign-in vouches for it."""
    given = dict(fields["petitioner"])
    signature = (fields.get("signature") or {}).get("kind")
    organisation = given.get("organisation_id")
    if actor.role == ORGANISATION:
        if given["type"] in PERSONS:
            raise Invalid.field("petitioner.type", Sentence("You act for an organisation; choose the kind that it is."))
        if organisation is not None and organisation != actor.organisation_id:
            raise Invalid.field("petitioner.organisation_id", Sentence("You represent another organisation."))
        given |= {"organisation_id": actor.organisation_id, "vouched": True}
        signature = signature or ACCOUNT
    elif actor.role == PETITIONER:
        if organisation is not None:
            raise Invalid.field(
                "petitioner.organisation_id",
                Sentence("Only its signed-in representative petitions for an organisation of the register."),
            )
        signature = signature or (ACCOUNT if actor.user_id else None)
    elif organisation is not None and given["type"] in PERSONS:
        raise Invalid.field("petitioner.type", Sentence("An organisation is no citizen; choose the kind that it is."))
    if signature == ACCOUNT and (actor.user_id is None or actor.role == CLERK):
        raise Invalid.field("signature.kind", Sentence("Only the petitioner's own sign-in signs by account."))
    # The registry has the paper in its hands; what is only stated is verified later.
    return Petitioner(**given, signature=signature, signature_seen=actor.role == CLERK and signature is not None)


def _completed(said: Petitioner, facts: _Facts) -> Petitioner:
    """The petitioner with the name and seat that the registry holds of the organisation."""
    if facts.organisation is None:
        return said
    known = {"organisation_name": facts.organisation["name"], "address": said.address or facts.organisation["address"]}
    return Petitioner(**{**vars(said), "name": said.name or facts.organisation["name"], **known})


def _ask(context: Context, municipality: str, organisation_id: str | None) -> _Facts:
    """Outside the transaction, so that nobody waits for a lock while another service thinks."""
    found = context.registry.get_municipality(code=municipality)
    organisation = None
    if organisation_id is not None:
        organisation = context.registry.get_organisation(organisation_id=organisation_id)
        if organisation["state"] == "dissolved":
            raise Invalid.field("petitioner.organisation_id", Sentence("This organisation is dissolved."))
    return _Facts(Party(found["code"], found["name"]), organisation)


def _reply_key(actor: Actor, request: Mapping[str, Any], key: str) -> str:
    """Under what a repeated request is known: the caller's key as a hash, since the petition's key comes from it.

    Callers without a sign-in share one office; their requests are told apart by the whole of what they say.
    """
    told = json.dumps(request, sort_keys=True, ensure_ascii=False, default=str) if actor.user_id is None else ""
    return hashlib.sha256(f"{key}\n{told}".encode()).hexdigest()


def _again(context: Context, store: Cases, known: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The answer to a repeated request: the petition that was made, as it stands now."""
    case = store.get(known["id"])
    if case is None:
        raise NotFound(Sentence("There is no such petition."))
    return _with_key(_receipt(context, case), known, key)


def _with_key(receipt: Mapping[str, Any], known: Mapping[str, Any], key: str) -> dict[str, Any]:
    salt = known.get(_SALT)
    return {**receipt, "petition_key": derived(key, salt) if salt else None}


def _receipt(context: Context, case: PetitionCase) -> dict[str, Any]:
    """What the sender gets: what it is known by, when the answer is due, what is missing."""
    told = summary(context.procedure, case)
    names = (
        "id",
        "number",
        "kind",
        "municipality",
        "stage",
        "stage_label",
        "whose_turn",
        "filed_on",
        "due_on",
        "version",
    )
    return {
        **{name: told[name] for name in names},
        "tracking_code": case.tracking_code,
        "repeats": case.repeats,
        "clocks": [show_clock(context.procedure, each) for each in case.clocks],
        "missing": case.petitioner.missing(),
        "advice": _advice(case),
    }


def _advice(case: PetitionCase) -> list[dict[str, Any]]:
    """What an office might take amiss in it; never a reason not to take it in. What came on paper stays as it is."""
    if case.channel in PAPER:
        return []
    found = advise(case.subject, case.body, case.petitioner.type, case.kind)
    return [each.to_plain() for each in found.suggestions]
