"""Whether a protocol with an organisation needs the civil authority's permission: 5393/75 as a table.

The rows are read from the top; the first that fits decides. Each says the permission, the
ground, the article and the sentences that a clerk can copy into a letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from string import Formatter
from typing import Any

from services.kernel.text import Sentence
from services.registry.domain.status import Decision, Status, StatusHistory
from services.registry.domain.vocabulary import Form, Ground, MunicipalityKind, Permission, State, StatusKind

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """One row: the forms it is about, the status it asks for, and what follows.

    `state`: only for organisations in this state. `status`: only where a status of this
    kind holds on the day; it becomes the evidence. `missing`: the status whose absence is
    told in the explanation. `settled`: False where the row is a reading of the law, not its words.
    """

    id: str
    forms: frozenset[Form]
    permission: Permission
    ground: Ground
    article: str
    explanation: tuple[str, ...]
    state: State | None = None
    status: StatusKind | None = None
    missing: StatusKind | None = None
    settled: bool = True


_PUBLIC_BODY = (
    "Joint service projects with public bodies are made by council decision and agreement; the permission of "
    "the civil authority is not needed (5393/75-a)."
)
_NAMED = "Law 5393 article 75-c names such bodies; the permission of the highest local civil authority is not needed."
_REQUIRED = (
    "For other associations and foundations the permission of the highest local civil authority is required "
    "(5393/75-c)."
)
_NO_PERMISSION = (
    "This status held on {on}; the permission of the highest local civil authority is not needed (5393/75-c)."
)
_UMBRELLA = (
    "Law 5393 article 75-c speaks of associations and foundations; it is read to cover their umbrella "
    "organisations too, so the permission of the highest local civil authority is required."
)
_NOT_NAMED = (
    "Law 5393 article 75-c does not name such bodies; the legal unit must examine whether and how a joint "
    "project is possible."
)


def _row(rule_id: str, forms: str, outcome: str, article: str, *explanation: str, **conditions: Any) -> Rule:
    permission, _, ground = outcome.partition("/")
    return Rule(
        id=rule_id,
        forms=frozenset(Form(form) for form in forms.split()) if forms != "*" else frozenset(Form),
        permission=Permission(permission),
        ground=Ground(ground or "none"),
        article=article,
        explanation=explanation,
        **conditions,
    )


RULES: tuple[Rule, ...] = (
    _row(
        "dissolved",
        "*",
        "not_possible",
        "5393/75-c",
        "{name} has been dissolved; a dissolved body cannot be a party to an agreement (5393/75-c).",
        state=State.DISSOLVED,
    ),
    _row("public_body", "public_body", "not_needed/public_body", "5393/75-a", "{name} is a public body.", _PUBLIC_BODY),
    _row(
        "municipality",
        "municipality",
        "not_needed/public_body",
        "5393/75-a",
        "{name} is a municipality and thus a public body.",
        _PUBLIC_BODY,
    ),
    _row(
        "professional_body",
        "professional_body",
        "exempt/professional_body",
        "5393/75-c",
        "{name} is a professional organisation with the character of a public body.",
        _NAMED,
    ),
    _row(
        "trades_chamber",
        "trades_chamber",
        "exempt/trades_chamber",
        "5393/75-c",
        "{name} is a chamber of tradesmen and craftsmen founded under law 5362.",
        _NAMED,
    ),
    _row(
        "public_benefit_association",
        "association",
        "exempt/public_benefit_association",
        "5393/75-c",
        "{name} is an association working for public benefit (5253/27).",
        _NO_PERMISSION,
        status=StatusKind.PUBLIC_BENEFIT,
    ),
    _row(
        "tax_exempt_foundation",
        "foundation",
        "exempt/tax_exempt_foundation",
        "5393/75-c",
        "{name} is a foundation to which the President has granted tax exemption (4962/20).",
        _NO_PERMISSION,
        status=StatusKind.TAX_EXEMPT,
    ),
    _row(
        "other_association",
        "association",
        "required",
        "5393/75-c",
        "No public-benefit status of {name} is recorded for {on} (5253/27).",
        _REQUIRED,
        missing=StatusKind.PUBLIC_BENEFIT,
    ),
    _row(
        "other_foundation",
        "foundation",
        "required",
        "5393/75-c",
        "No tax exemption of {name} is recorded for {on} (4962/20).",
        _REQUIRED,
        missing=StatusKind.TAX_EXEMPT,
    ),
    _row(
        "umbrella_with_public_benefit",
        "federation confederation",
        "required",
        "5393/75-c",
        "{name} is an umbrella organisation of associations.",
        _UMBRELLA,
        (
            "A public-benefit status is recorded for it; whether the exemption of public-benefit associations "
            "covers umbrella organisations is not settled, so it is not relied on."
        ),
        status=StatusKind.PUBLIC_BENEFIT,
        settled=False,
    ),
    _row(
        "umbrella",
        "federation confederation",
        "required",
        "5393/75-c",
        "{name} is an umbrella organisation of associations.",
        _UMBRELLA,
        settled=False,
    ),
    _row(
        "association_branch",
        "association_branch",
        "not_possible",
        "5253/2-h",
        "{name} is a branch of an association; a branch has no legal personality (5253/2-h).",
        (
            "The association itself must be the party: it signs, or authorises the branch in writing. Look at "
            "the standing of the association."
        ),
    ),
    _row(
        "platform",
        "platform",
        "not_possible",
        "5253/2-f",
        "{name} is a platform; a platform has no legal personality (5253/2-f).",
        "Its member organisations may sign, each with its own standing.",
    ),
    _row(
        "foundation_university",
        "foundation_university",
        "discretionary",
        "2709/130",
        "{name} is a foundation university; universities have public legal personality (Constitution, article 130).",
        (
            "Civil authorities differ on whether a foundation university needs the permission of 5393/75-c; "
            "the highest local civil authority determines it."
        ),
        settled=False,
    ),
    _row(
        "foreign_association",
        "foreign_association",
        "legal_review",
        "5253/5",
        (
            "{name} is a foreign association; it first needs the permission of the Ministry of Interior to "
            "cooperate in Türkiye (5253/5)."
        ),
        "The legal unit must see that permission and examine what else is needed before the draft goes on.",
    ),
    _row("union", "union", "legal_review", "5393/75-c", "{name} is a trade union.", _NOT_NAMED),
    _row("cooperative", "cooperative", "legal_review", "5393/75-c", "{name} is a cooperative.", _NOT_NAMED),
    _row("company", "company", "legal_review", "5393/75-c", "{name} is a company.", _NOT_NAMED),
)


@dataclass(frozen=True)
class Place:
    """The municipality for which the standing is asked."""

    name: str
    kind: MunicipalityKind
    authority: str


@dataclass(frozen=True)
class Standing:
    """The answer for one day.

    `evidence` is the revision of the status that the answer rests on, None where it rests on
    the form alone. `until` is the last day on which the answer stays the same by what is
    known now, None while no end is known.
    """

    permission: Permission
    ground: Ground
    article: str
    evidence: Status | None
    explanation: tuple[Sentence, ...]
    on: date
    until: date | None
    rule: str


def standing_of(
    name: str,
    form: Form,
    state: State,
    history: StatusHistory,
    on: date,
    *,
    place: Place | None = None,
    known_at: datetime | None = None,
    known_on: date | None = None,
    explained: bool = True,
) -> Standing:
    """The standing on `on`, as the registry knew it at `known_at` (`known_on` is its date), or knows it now.

    `explained`: False leaves the explanation empty, for lists and events, which do not show it.
    """
    rule, evidence = _decide(form, state, history, on, known_at)
    explanation: list[Sentence] = []
    if explained:
        values = {"name": name, "on": on}
        explanation = [_sentence(template, values) for template in rule.explanation]
        if evidence is not None and rule.ground is not Ground.NONE:
            explanation[1:1] = _decision(evidence)
        if rule.missing is not None:
            explanation[1:1] = _past(rule.missing, history, on, known_at)
        explanation += _circumstances(name, state, rule, place, known_on)
    return Standing(
        permission=rule.permission,
        ground=rule.ground,
        article=rule.article,
        evidence=evidence if rule.ground is not Ground.NONE else None,
        explanation=tuple(explanation),
        on=on,
        until=_until(form, state, history, on) if known_at is None else None,
        rule=rule.id,
    )


def _decide(
    form: Form, state: State, history: StatusHistory, on: date, known_at: datetime | None = None
) -> tuple[Rule, Status | None]:
    for rule in RULES:
        if form not in rule.forms or rule.state not in (None, state):
            continue
        evidence = history.holding(rule.status, on, known_at) if rule.status else None
        if rule.status is None or evidence is not None:
            return rule, evidence
    message = f"no rule of 5393/75 is about {form}"
    raise LookupError(message)


def _until(form: Form, state: State, history: StatusHistory, on: date) -> date | None:
    """The day before the first one on which another row, or another status, decides."""
    days = history.changes_after(on)
    now = _decide(form, state, history, on) if days else None
    for day in days:
        if _decide(form, state, history, day) != now:
            return day - _ONE_DAY
    return None


def _decision(status: Status) -> list[Sentence]:
    """The act behind the evidence, as far as it is recorded."""
    act: Decision = status.decision
    told = []
    if act.decision_no and act.decision_on:
        told.append(
            Sentence("The decision is dated {on} and numbered {number}.", on=act.decision_on, number=act.decision_no)
        )
    elif act.decision_on:
        told.append(Sentence("The decision is dated {on}; its number is not recorded.", on=act.decision_on))
    elif act.decision_no:
        told.append(Sentence("The decision is numbered {number}; its date is not recorded.", number=act.decision_no))
    else:
        told.append(
            Sentence("Date and number of the decision are not recorded; look at the decision before relying on it.")
        )
    if act.gazette_no and act.gazette_on:
        told.append(
            Sentence(
                "It was published in the Official Gazette of {on}, number {number}.",
                on=act.gazette_on,
                number=act.gazette_no,
            )
        )
    elif act.gazette_on:
        told.append(Sentence("It was published in the Official Gazette of {on}.", on=act.gazette_on))
    if status.ends_on is not None:
        told.append(Sentence("The last day of this status is {day}.", day=status.ends_on))
    return told


def _past(kind: StatusKind, history: StatusHistory, on: date, known_at: datetime | None) -> list[Sentence]:
    """Why a status that once held, or will hold, does not count on the day."""
    told = []
    for status in sorted(history.known(known_at), key=lambda status: (status.valid_from, status.id)):
        if status.kind != kind or (status.ends_on is not None and status.ends_on < status.valid_from):
            continue
        if status.valid_from > on:
            told.append(Sentence("A status is recorded that begins only on {day}.", day=status.valid_from))
        elif status.revoked_on is not None and status.revoked_on <= on:
            told.append(
                Sentence(
                    "The status that began on {day} was revoked on {end}.", day=status.valid_from, end=status.revoked_on
                )
            )
        elif status.valid_to is not None:
            told.append(
                Sentence("The status that began on {day} ended on {end}.", day=status.valid_from, end=status.valid_to)
            )
    return told


def _circumstances(name: str, state: State, rule: Rule, place: Place | None, known_on: date | None) -> list[Sentence]:
    told = []
    if state is State.TO_VERIFY:
        told.append(
            Sentence("The record of {name} has not been verified; look at its documents before deciding.", name=name)
        )
    if place is not None and place.kind is MunicipalityKind.METROPOLITAN:
        told.append(
            Sentence("Law 5393 article 75 applies to metropolitan municipalities by way of law 5216 article 28.")
        )
    if place is not None and rule.permission in (Permission.REQUIRED, Permission.DISCRETIONARY):
        told.append(
            Sentence(
                "The highest local civil authority for {municipality} is: {authority}.",
                municipality=place.name,
                authority=place.authority,
            )
        )
    if known_on is not None:
        told.append(Sentence("This answer rests on what was recorded by {day}.", day=known_on))
    return told


def _sentence(template: str, values: Mapping[str, Any]) -> Sentence:
    return Sentence(template, **{field: values[field] for field in _used(template)})


@cache
def _used(template: str) -> list[str]:
    return sorted({field for _, field, _, _ in Formatter().parse(template) if field})
