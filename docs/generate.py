#!/usr/bin/env python3
"""Writes what the documentation repeats of the program: run it after a change of a table, or `make diagrams`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from marshmallow import Schema
from marshmallow import fields as kinds

from services.contracts.petitions import EVENTS as PETITION_EVENTS
from services.contracts.protocols import EVENTS
from services.contracts.registry import TOLD
from services.contracts.subscriptions import queue_name, subscribers_of
from services.kernel.workflow import Procedure
from services.notifications.domain.audience import as_markdown
from services.notifications.domain.preference import as_markdown as topics_as_markdown
from services.petitions.domain.policy import Policy as PetitionPolicy
from services.petitions.domain.procedure import petition_procedure
from services.protocols.domain.policy import Policy
from services.protocols.domain.procedure import WAIVER, protocol_procedure
from services.registry.application import open_data
from services.runtime.settings import Settings, settings_table

ROOT = Path(__file__).resolve().parents[1]

NOTE = "<!-- Written by docs/generate.py from the program; change the program, then run make diagrams. -->\n"
BEGIN, END = "<!-- picture: begin -->\n", "<!-- picture: end -->"

PRODUCERS: Mapping[str, Mapping[str, type[Schema]]] = {
    "protocols": EVENTS,
    "petitions": PETITION_EVENTS,
    "registry": TOLD,
}

_ROLES = {
    "unit_officer": "ilgili müdürlük",
    "registry_clerk": "Yazı İşleri",
    "mayor": "belediye başkanı",
    "commission_rapporteur": "ihtisas komisyonu",
    "authority_clerk": "mülki idare yazı işleri",
    "authority_head": "vali / kaymakam",
    "organisation_representative": "kuruluş temsilcisi",
    "petitioner": "başvuran",
    "system": "İmece itself, when a clock runs out",
}
_FROM_MANY = 4
"""A move from more stages than this is told in words below the picture."""


def rendered() -> dict[Path, str]:
    """Every generated file with its text as it should be now."""
    readme = ROOT / "README.md"
    return {
        ROOT / "docs/reference/settings.md": settings_page(),
        ROOT / "docs/reference/procedure.md": procedure_page(),
        ROOT / "docs/reference/events.md": events_page(),
        ROOT / "docs/reference/audience.md": audience_page(),
        ROOT / "docs/reference/open-data.md": open_data_page(),
        ROOT / "deploy/imece.env.sample": environment_sample(),
        readme: with_picture(readme.read_text()),
    }


def settings_page() -> str:
    """The table of settings."""
    return (
        f"# Settings\n\n{NOTE}\n"
        "Every setting is an environment variable and is read once, at the start. Every default works embedded.\n"
        "A variable that begins with `IMECE_` and stands not in this table stops the start with one clear line,\n"
        "so that a misspelt name is not passed over. An empty value means the default.\n\n"
        "With `IMECE_AMQP_URL` the mode is distributed, without it embedded.\n"
        "The settings under which the law leaves a choice are explained in [the law](../explanation/law.md).\n\n"
        f"{settings_table()}"
    )


def environment_sample() -> str:
    """Every setting with its default, commented out."""
    lines = [
        "# Settings of İmece; written by docs/generate.py. Take the # away from the lines you change.",
        "# What each means: docs/reference/settings.md",
        "",
    ]
    for each in fields(Settings):
        default = str(each.default).lower() if isinstance(each.default, bool) else each.default
        lines += [
            f"# {each.metadata['meaning']} ({each.metadata['values']})",
            f"#IMECE_{each.name.upper()}={default}",
            "",
        ]
    return "\n".join(lines)


def procedure_page() -> str:
    """Stages, moves and clocks of a protocol and of a petition, with the drawings in both languages."""
    return f"""# The procedures

{NOTE}
The same rows run the cases, answer `GET /api/v1/procedures/protocol` and `…/petition`, and make this page.
Articles are written law/article: 5393/23 is article 23 of law 5393. Guards are the names of refusals.
Every move may also carry a `note`. A date of an act lies between the previous act and today.
A clock may be met until the end of its last day and expires with the next one (Europe/Istanbul).

- [A protocol](#the-procedure-of-a-protocol)
- [A petition](#the-procedure-of-a-petition)

{_procedure("protocol", protocol_procedure(Policy()), _WAIVER)}
{_procedure("petition", petition_procedure(PetitionPolicy()), _KEY)}"""


_WAIVER = f"""With `IMECE_MAYOR_MAY_WAIVE_RETURN=true` there is one more: `{WAIVER.name}` of the mayor,
from `{WAIVER.sources[0]}` to `{WAIVER.to}`.
"""
_KEY = """A petitioner without an account acts with the petition's key (`Imece-Petition-Key`); for what came on paper the
registry does. What the settings `IMECE_COMPLETION_PAUSES_ANSWER`, `IMECE_COMPLETION_DAYS`, `IMECE_FEE_NOTICE` and
`IMECE_FORWARDED_COUNTS_FROM` change is shown here with their defaults.
"""


def _procedure(name: str, procedure: Procedure[Any], more: str) -> str:
    return f"""# The procedure of a {name}

Version {procedure.version} of the table `services/{name}s/domain/procedure.py`.

## Stages of a {name}

{_stages(procedure)}
## Moves of a {name}

{_moves(procedure)}
{more}
## Clocks of a {name}

{_clocks(procedure)}
## Drawing of a {name}

```mermaid
{_drawing(procedure, "en")}```

## Çizim: {_CALLED[name]}

```mermaid
{_drawing(procedure, "tr")}```
"""


_CALLED = {"protocol": "protokol", "petition": "dilekçe"}


def _stages(procedure: Procedure[Any]) -> str:
    rows = ["| stage | Türkçe | English |", "|---|---|---|"]
    for stage in procedure.stages.values():
        end = " (end)" if stage.name in procedure.ends else ""
        rows.append(f"| `{stage.name}`{end} | {stage.label.tr} | {stage.label.en} |")
    return "\n".join(rows) + "\n"


def _moves(procedure: Procedure[Any]) -> str:
    rows = ["| from | move | to | who | needs | may carry | guards | article |", "|---|---|---|---|---|---|---|---|"]
    for move in procedure.moves:
        many = len(move.sources) > _FROM_MANY
        span = f"from `{move.sources[0]}` to `{move.sources[-1]}`, {len(move.sources)} stages"
        sources = span if many else _code(move.sources)
        when = f" ({move.when_label.en})" if move.when_label else ""
        guards = _code(each.name for each in (*move.preconditions, *move.guards))
        target = f"`{move.to}`" if move.to else "stays"
        rows.append(
            f"| {sources} | `{move.name}`{when}<br>{move.label.tr} | {target} | {_code(move.by)} "
            f"| {_code(move.needs)} | {_code(move.takes)} | {guards} | {move.article} |"
        )
    used = dict.fromkeys(role for move in procedure.moves for role in move.by)
    roles = "".join(f"- `{role}`: {_ROLES[role]}\n" for role in used)
    return "\n".join(rows) + f"\n\nRoles:\n{roles}"


_COUNTED = {"TERM": "the protocol's term", "NON_FINAL_WAIT": "4 months from filing"}
"""Clocks whose length follows from the case."""


def _clocks(procedure: Procedure[Any]) -> str:
    rows = [
        "| clock | article | whose | length | starts | met by | stands still | when it runs out |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for term in procedure.terms.values():
        instead = "".join(f", {days} when {condition}" for condition, days in term.length.instead.items())
        unit = term.length.unit.replace("_", " ")
        if term.extended_to:
            instead = f", {term.extended_to} with {_code(term.extended_by)}"
        length = _COUNTED[term.kind] if term.days_of else f"{term.length.days} {unit}s{instead}"
        starts = "; ".join(filter(None, (_listed("entering", term.starts_in), _listed("with", term.starts_with))))
        pause = f"{_code(term.paused_by)} until {_code(term.resumed_by)}" if term.paused_by else ""
        move = f" → `{term.on_expiry}`" if term.on_expiry else ""
        rows.append(
            f"| `{term.kind}` | {term.article} | `{term.whose}` | {length} | {starts} | {_code(term.met_by)} "
            f"| {pause} | {term.effect.en}{move} |"
        )
    return "\n".join(rows) + "\n"


def _listed(word: str, names: tuple[str, ...]) -> str:
    return f"{word} {_code(names)}" if names else ""


def _code(names: object) -> str:
    return ", ".join(f"`{name}`" for name in names)  # type: ignore[attr-defined]


def _drawing(procedure: Procedure[Any], language: str) -> str:
    # A semicolon or a second colon would end a Mermaid statement in the middle of a label.
    lines = procedure.diagram("tr" if language == "tr" else "en").replace(";", ",").splitlines()
    parts = (line.partition(" : ") for line in lines)
    return "".join(f"{head}{mark}{label.replace(':', ',')}\n" for head, mark, label in parts)


def picture() -> str:
    """The way of a protocol without articles and without what leaves it where it is, for a first look."""
    procedure = protocol_procedure(Policy())
    lines = ["stateDiagram-v2", "    direction TB"]
    lines += [f"    {stage.name} : {stage.label.en}" for stage in procedure.stages.values()]
    lines.append(f"    [*] --> {procedure.initial}")
    arrows: dict[tuple[str, str], list[str]] = {}
    for move in procedure.moves:
        if move.to is None or len(move.sources) > _FROM_MANY:
            continue
        label = f"{move.label.en} ({move.when_label.en})" if move.when_label else move.label.en
        for source in move.sources:
            labels = arrows.setdefault((source, move.to), [])
            if label not in labels:
                labels.append(label)
    lines += [
        f"    {source} --> {target} : {' / '.join(labels).replace(':', ',')}"
        for (source, target), labels in arrows.items()
    ]
    lines += [f"    {end} --> [*]" for end in procedure.stages if end in procedure.ends]
    return "\n".join(lines) + "\n"


def with_picture(text: str) -> str:
    """README with the picture between its two marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n```mermaid\n{picture()}```\n\n{END}{after}"


_EVENTS = """# Events

{note}
An event is told once per commit and carried at least once; how, says [delivery](../delivery.md).
Names are `<subject>.<past tense>.v<n>`. A new optional field keeps the version; anything else makes a new one.

The envelope of every event: `id` (UUID, the same however often it is carried), `name`, `occurred_at`,
`subject_id`, `subject_version` (counts up within a subject), `correlation_id`, `actor` (the acting office as
role and office, or null; never a person) and `data`.

In distributed mode the exchange is `<producer>.events` (topic, durable), the routing key is the name, and
each consumer has a quorum queue of its own per event.
"""


def events_page() -> str:
    """Every event: who tells it, who hears it, what it carries."""
    parts = [_EVENTS.format(note=NOTE)]
    for producer, told in PRODUCERS.items():
        parts.append(f"\n## From {producer}\n")
        for name, schema in told.items():
            queues = [queue_name(each.consumer, name) for each in subscribers_of(name)]
            heard = (
                f"Queues: {_code(queues)}.\n\n" if queues else "No service of İmece consumes it; it is in the feed.\n\n"
            )
            parts.append(f"\n### `{name}`\n\n{_first_line(schema)}\n\n{heard}{_shape(schema)}")
    return "".join(parts)


def _first_line(schema: type[Schema]) -> str:
    return (schema.__doc__ or "").strip().splitlines()[0]


def _shape(schema: type[Schema]) -> str:
    rows = ["| field | kind | |", "|---|---|---|"]
    for name, field in schema().fields.items():
        rows.append(f"| `{field.data_key or name}` | {_kind(field)} | {'may be null' if field.allow_none else ''} |")
    return "\n".join(rows) + "\n"


def _kind(field: kinds.Field) -> str:
    if isinstance(field, kinds.List):
        return f"list of {_kind(field.inner)}"
    if isinstance(field, kinds.Nested):
        return f"object: {', '.join(field.schema.fields)}"
    return type(field).__name__.lower()


_OPEN_DATA = """# Open data

{note}
Every night İmece publishes its register of organisations for everyone, without a sign-in:

| address | what |
|---|---|
| `GET /api/v1/open-data/organisations.csv` | all organisations: RFC 4180, UTF-8, comma, CR LF, with a header |
| `GET /api/v1/open-data/organisations.json` | the same rows as a JSON array of objects |
| `GET /api/v1/open-data/datapackage.json` | what the files hold, as a [Data Package]({standard}) |

The package describes every column in Turkish and English, and has licence, number of rows, size and SHA-256 of each file.

The files are made at {hour}:00 Turkish time (`IMECE_OPEN_DATA_HOUR`), at once where there are none yet, once however many
replicas run. They describe the day on which they were made and do not change until the next night. `ETag` and
`Last-Modified` let a reader ask cheaply whether there is something new (`If-None-Match` → 304); with
`Accept-Encoding: gzip` they come packed. The last {kept} publications are kept.

Licence: {licence}.

## Columns

| column | kind | Türkçe | English |
|---|---|---|---|
{columns}

Empty means that the register does not know. In the CSV file a text that begins with `=`, `+`, `-`, `@`, a tab or a carriage
return has an apostrophe before it, so that no spreadsheet takes it for a formula; the JSON file has it as it is.

## What is left out

Institutions alone are published (law 6698). The address or telephone number of a small association is often somebody's
home, and who belongs to an association is special-category data (6698/6). So these facts stay in the register:

| fact | neden | why |
|---|---|---|
{left_out}

What the files of two days differ in says what changed; who changed it is not published.
"""


def open_data_page() -> str:
    """The columns of the open data, and what is left out."""
    columns = [
        f"| `{each.name}` | {each.kind}{' (always there)' if each.required else ''} | "
        f"{each.title.tr}. {each.about.tr} | {each.title.en}. {each.about.en} |"
        for each in open_data.COLUMNS
    ]
    left_out = [f"| `{name}` | {why.tr} | {why.en} |" for name, why in open_data.LEFT_OUT.items()]
    return _OPEN_DATA.format(
        note=NOTE,
        hour=Settings().open_data_hour,
        kept=open_data.KEPT,
        standard="https://specs.frictionlessdata.io/data-package/",
        licence=f"[{open_data.LICENCE['title']}]({open_data.LICENCE['path']})",
        columns="\n".join(columns),
        left_out="\n".join(left_out),
    )


def audience_page() -> str:
    """Who is notified of what."""
    return (
        f"# Who is told of what\n\n{NOTE}\n"
        "Notifications go to offices, not to persons, and never to the office that did the act itself.\n"
        "The rows are those of `services/notifications/domain/audience.py`.\n\n"
        f"{as_markdown()}\n"
        "## What people choose\n\n"
        "Besides the notification of the office in İmece, every person who holds it is sent a message through the\n"
        "channels that are set up, at once or in a digest, as they chose in `PUT /api/v1/preferences`. The rows are\n"
        "those of `services/notifications/domain/preference.py`; `/turn` means that the office must act next. Petitioners\n"
        "and signatories without an account are told at once.\n\n"
        f"{topics_as_markdown()}"
    )


def main() -> None:
    """Write what has changed and say so."""
    for path, text in rendered().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
