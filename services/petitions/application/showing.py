"""Petitions as people see them; labels in both languages, the caller's is chosen at the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel import clock as clocks
from services.kernel.actor import PETITIONER, Actor
from services.kernel.casework import EXPIRE_CLOCK, RECOUNT, plain, urgency
from services.kernel.text import Label
from services.kernel.workflow import Act, Procedure
from services.petitions.application.port import Context
from services.petitions.domain.case import (
    ADD_FILE,
    CLOSE_SUPPORT,
    FOLLOW_FIRST,
    FOLLOW_PROTOCOL,
    NOTE_PROBLEM,
    NOTE_PROTOCOL,
    REMOVE_FILE,
    STAND_ALONE,
    SUBMIT,
    PetitionCase,
)
from services.petitions.domain.procedure import duties
from services.petitions.domain.routing import Suggestion

KIND_LABELS = {
    "petition": Label("Dilekçe", "Petition"),
    "information_request": Label("Bilgi edinme başvurusu", "Information request"),
    "partnership_proposal": Label("İş birliği önerisi", "Partnership proposal"),
    "opinion": Label("Görüş", "Opinion"),
}
OUTCOME_LABELS = {
    "accepted": Label("Kabul edildi", "Accepted"),
    "partly": Label("Kısmen kabul edildi", "Accepted in part"),
    "refused": Label("Reddedildi", "Refused"),
    "informed": Label("Bilgi verildi", "Information given"),
    "not_examined": Label("İncelenemedi", "Not examined"),
}
TURN_LABELS = {
    "registry_clerk": Label("Belediyenin Yazı İşleri", "The municipality's registry"),
    "unit_officer": Label("Belediyenin ilgili birimi", "The municipality's unit concerned"),
    PETITIONER: Label("Başvuran", "The petitioner"),
}
OWN_LABELS = {
    SUBMIT: Label("Başvuru yapıldı", "Submitted"),
    FOLLOW_PROTOCOL: Label("Protokolde adım", "A step of the protocol"),
    NOTE_PROTOCOL: Label("Protokol açıldı", "A protocol was begun"),
    NOTE_PROBLEM: Label("Taslak açılamadı", "No protocol could be drafted"),
    ADD_FILE: Label("Dosya eklendi", "A file was added"),
    REMOVE_FILE: Label("Dosya çıkarıldı", "A file was removed"),
    CLOSE_SUPPORT: Label("Herkese açık metin kaldırıldı", "The public text was removed"),
    FOLLOW_FIRST: Label("Süre ilk başvuruyla değişti", "The period changed with the first petition"),
    STAND_ALONE: Label("İlk başvuru sona erdi; kendi yolunda sürüyor", "The first is gone; it goes on alone"),
    EXPIRE_CLOCK: Label("Süre doldu", "A period ran out"),
    RECOUNT: Label("Takvim değişti, süreler yeniden sayıldı", "Calendar changed, periods recounted"),
}
"""Acts of the history that are not moves of the table."""

_OFFICE_ONLY = ("note",)
_INTERNAL = {"assign": ("reason",), "forward": ("reason",), "accept_proposal": ("text",)}
"""Move → fields that are between the offices; the petitioner sees that the step was done."""


def summary(procedure: Procedure[PetitionCase], case: PetitionCase) -> dict[str, Any]:
    """The petition as one row of a list: without its text and its writer."""
    return {
        "id": case.id,
        "number": case.reference,
        "kind": case.kind,
        "kind_label": KIND_LABELS[case.kind].to_plain(),
        "subject": case.subject,
        "municipality": case.municipality.id,
        "municipality_name": case.municipality.name,
        "petitioner_type": case.petitioner.type,
        "organisation_id": case.petitioner.organisation_id,
        "organisation_name": case.petitioner.organisation_name,
        "channel": case.channel,
        "activity_id": case.activity_id,
        "unit": {"id": case.unit.id, "name": case.unit.name} if case.unit else None,
        "registry_no": case.registry_no,
        "stage": case.stage,
        "stage_label": procedure.stages[case.stage].label.to_plain(),
        "stage_is_end": case.is_over(procedure),
        "outcome": case.outcome,
        "awaits": case.awaits,
        "whose_turn": whose_turn(procedure, case),
        "since": case.since.isoformat(),
        "filed_on": case.filed_on.isoformat(),
        "received_on": case.received_on.isoformat(),
        "due_on": plain(case.due_on),
        "overdue_since": plain(case.overdue_since(procedure)),
        "version": case.version,
    }


def show(
    context: Context,
    case: PetitionCase,
    actor: Actor,
    relatives: Mapping[str, Mapping[str, str]],
    suggestion: Suggestion | None = None,
) -> dict[str, Any]:
    """The petition as the actor sees it, with its text: for the municipality's offices and the petitioner."""
    procedure, who = context.procedure, case.petitioner
    act = Act(actor, {}, context.today, context.now, context.today)
    linked = {"repeats": case.repeats, "forwarded_from": case.forwarded_from, "forwarded_to": case.forwarded_to}
    return {
        **summary(procedure, case),
        "tracking_code": case.tracking_code,
        "body": case.body,
        "petitioner": {
            "type": who.type,
            "name": who.name,
            "address": who.address,
            "email": who.email,
            "authorised_person": who.authorised_person,
            "mandate": who.mandate,
            "organisation_id": who.organisation_id,
        },
        "signature": {"kind": who.signature} if who.signature else None,
        "language": case.language,
        "missing": who.missing(),
        "asked_for": list(case.facts.get("return_for_completion", {}).get("missing", ())) if case.awaits else [],
        "fee": case.facts.get("notify_fee", {}).get("amount") if case.awaits == "payment" else None,
        "answer": _answer(case),
        "addressee": case.addressee,
        "draft_problem": case.draft_problem,
        "suggested_unit": suggested(suggestion),
        "clocks": [show_clock(procedure, each) for each in case.clocks],
        "options": [
            {
                "move": option.move,
                "label": option.label.to_plain(),
                "enabled": option.enabled,
                "reasons": list(option.reasons),
                "fields": [{"name": name, "required": True} for name in option.needs]
                + [{"name": name, "required": False} for name in (*option.takes, "note")],
                "article": option.article,
            }
            for option in procedure.options(case, act)
        ],
        "links": {
            **{name: dict(relatives[id_]) if id_ and id_ in relatives else None for name, id_ in linked.items()},
            "protocol": {"id": case.protocol.id, "reference": case.protocol.name, "stage": case.protocol_stage}
            if case.protocol
            else None,
        },
        "procedure_version": case.procedure_version,
        "created_at": case.created_at.isoformat(),
    }


def suggested(suggestion: Suggestion | None) -> dict[str, Any] | None:
    """The unit that the words speak for, and which of its topics they name."""
    if suggestion is None:
        return None
    return {"id": suggestion.unit.id, "name": suggestion.unit.name, "topics": list(suggestion.topics)}


def _answer(case: PetitionCase) -> dict[str, Any] | None:
    """The final answer with its remedy; interim ones stand on the timeline."""
    moves = ("reply", "decline_to_examine", "close_with_first")
    reply = next((case.facts[move] for move in moves if case.done(move)), None)
    if reply is None or case.outcome is None:
        return None
    names = ("reason", "remedy", "remedy_days", "published_at", "letter", "letter_no")
    return {
        "outcome": case.outcome,
        "outcome_label": OUTCOME_LABELS[case.outcome].to_plain(),
        "answered_on": reply["done_on"],
        **{name: reply.get(name) for name in names},
    }


def whose_turn(procedure: Procedure[PetitionCase], case: PetitionCase) -> dict[str, Any] | None:
    """The office whose move is awaited, or None at an end."""
    role = procedure.stages[case.stage].turn_of(case)
    if role is None:
        return None
    if role != PETITIONER:
        tenant, name = case.municipality.id, case.municipality.name
        return {"role": role, "tenant": tenant, "office": f"{role}@{tenant}", "name": name}
    organisation = case.petitioner.organisation_id
    office = f"organisation_representative@{organisation}" if organisation else f"{PETITIONER}@{case.id}"
    called = case.petitioner.organisation_name or TURN_LABELS[PETITIONER].to_plain()
    return {"role": role, "tenant": organisation or case.id, "office": office, "name": called}


def show_clock(procedure: Procedure[PetitionCase], clock: clocks.Clock) -> dict[str, Any]:
    """A clock with its effect in both languages."""
    shown = clock.to_plain()
    shown.pop("stages")
    term = procedure.terms[clock.kind]
    return shown | {"label": term.label.to_plain(), "effect": term.effect.to_plain()}


def act_shown(procedure: Procedure[PetitionCase], row: Any, looker: Actor) -> dict[str, Any]:
    """One row of the history: offices, not persons; the petitioner sees what was done, not what was noted on it."""
    labels = {move.name: move.label for move in procedure.moves}
    stages, acting = procedure.stages, Actor.from_plain(row.actor)
    return {
        "number": row.number,
        "move": row.move,
        "label": (labels.get(row.move) or OWN_LABELS[row.move]).to_plain(),
        "from": row.from_stage or None,
        "from_label": stages[row.from_stage].label.to_plain() if row.from_stage else None,
        "to": row.to_stage,
        "to_label": stages[row.to_stage].label.to_plain(),
        "actor": {
            "role": acting.role,
            "tenant": acting.tenant,
            "office": acting.office,
            "acting_for": acting.acting_for,
        },
        "fields": _fields_shown(row.move, row.fields, row.known, is_office=looker.municipality is not None),
        "done_on": row.done_on.isoformat(),
        "recorded_at": row.recorded_at.isoformat(),
        "procedure_version": row.procedure_version,
        "hash": row.hash,
    }


def _fields_shown(move: str, fields: Mapping[str, Any], known: Mapping[str, Any], *, is_office: bool) -> dict[str, Any]:
    hidden = () if is_office else (*_OFFICE_ONLY, *_INTERNAL.get(move, ()))
    shown = {name: value for name, value in fields.items() if name not in hidden}
    for name in ("unit", "municipality"):
        if name in known:
            shown[name] = known[name]["name"]
    return shown


def work_item(context: Context, case: PetitionCase, actor: Actor) -> dict[str, Any]:
    """What the actor's office must do next; it names no person and not the petition's subject."""
    act = Act(actor, {}, context.today, context.now, context.today)
    role = PETITIONER if actor.organisation_id is not None else actor.role
    due_on = duties(case, context.procedure).get(role)
    return {
        "subject": {"kind": "petition", "id": case.id, "title": KIND_LABELS[case.kind].to_plain()},
        "reference": case.reference,
        "stage": case.stage,
        "stage_label": context.procedure.stages[case.stage].label.to_plain(),
        "moves": [
            {"move": option.move, "label": option.label.to_plain()}
            for option in context.procedure.options(case, act)
            if option.enabled
        ],
        "since": case.since.isoformat(),
        "due_on": plain(due_on),
        "urgency": urgency(due_on, context.today),
        "legal_review": None,
    }


def tracked(procedure: Procedure[PetitionCase], row: Mapping[str, Any]) -> dict[str, Any]:
    """The public status page: nothing of the petitioner, nothing of the text."""
    # A proposal that goes on as a protocol has its dates there.
    is_linked = row["stage"] == "proposal_accepted" and row["protocol_reference"] is not None
    term = None if is_linked else procedure.terms.get(row["due_kind"] or "")
    outcome = OUTCOME_LABELS.get(row["outcome"] or "")
    turn = TURN_LABELS.get(row["turn"] or "")
    return {
        "number": row["number"],
        "tracking_code": row["tracking_code"],
        "kind": row["kind"],
        "kind_label": KIND_LABELS[row["kind"]].to_plain(),
        "municipality": row["municipality"],
        "municipality_name": row["municipality_name"],
        "unit": row["unit_name"],
        "stage": row["stage"],
        "stage_label": procedure.stages[row["stage"]].label.to_plain(),
        "stage_is_end": is_linked or row["stage"] in procedure.ends,
        "whose_turn": turn.to_plain() if turn else None,
        "filed_on": plain(row["filed_on"]),
        "since": row["since"].isoformat(),
        "due_on": plain(row["due_on"]) if term else None,
        "due": {
            "kind": term.kind,
            "label": term.label.to_plain(),
            "article": term.article,
            "effect": term.effect.to_plain(),
        }
        if term
        else None,
        "overdue_since": plain(row["overdue_since"]),
        "awaits": row["awaits"],
        "outcome": row["outcome"],
        "outcome_label": outcome.to_plain() if outcome else None,
        "addressee": row["addressee"],
        "forwarded_to": row["next_code"],
        "protocol": {"reference": row["protocol_reference"], "stage": row["protocol_stage"]}
        if row["protocol_reference"]
        else None,
        "version": row["version"],
    }
