"""The registrar's commands: bringing whole lists into the registry, and taking them out again."""

from __future__ import annotations

import hashlib
import os
import sys
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click
import eventlet
import requests

from services.contracts.intake import DECISIONS, IMPORT_KINDS
from services.gateway.delivery import Consignment, deliver
from services.kernel.actor import Actor
from services.kernel.calendar import ISTANBUL
from services.kernel.errors import ImeceError
from services.kernel.text import Sentence
from services.protocols.adapters.repository import found_among
from services.protocols.adapters.tables import PROTOCOLS
from services.registry import sample as samples
from services.registry.service.intake import Intake
from services.runtime.clockwork import TIME
from services.runtime.database import Database, database_at
from services.runtime.language import say
from services.runtime.migration import ensure_database, is_current, upgrade
from services.runtime.settings import SERVICES, Settings
from services.runtime.sheet import open_sheet

REGISTRAR = Actor(role="registrar", user_id="command-line")

_POLL_SECONDS = 0.3
_LOOK_AGAIN_SECONDS = 5.0
_ANSWER_SECONDS = 2.0
_SHOWN = 10
"""Rows of a kind that are shown unless told otherwise."""
_PIECE = 1024 * 1024

_PHASES = {
    "receiving": Sentence("Sending"),
    "comparing": Sentence("Comparing"),
    "applying": Sentence("Applying"),
    "undoing": Sentence("Undoing"),
}
_COUNTS = {
    "read": Sentence("rows of the file"),
    "added": Sentence("new"),
    "changed": Sentence("changed"),
    "unchanged": Sentence("unchanged"),
    "vanished": Sentence("not in the file any more, to be verified"),
    "rejected": Sentence("rejected"),
    "review": Sentence("to be decided by you"),
    "kept": Sentence("changed by others since, and left alone"),
}
_STATES = {
    "running": Sentence("is still running"),
    "ready": Sentence("was compared; nothing was changed"),
    "applied": Sentence("was applied"),
    "undone": Sentence("was undone"),
    "failed": Sentence("failed"),
}


def in_one_line(error: ImeceError, language: str) -> str:
    """A refusal with its fields."""
    line = say(error.message, language)
    fields = [f"{each['field']}: {say(each['message'], language)}" for each in error.details.get("errors", [])]
    return " ".join([line, *fields])


class _NearbyPartners:
    """Who has protocols, asked of their database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def organisations(self, ids: Collection[str]) -> set[str]:
        with self._database.read() as connection:
            return found_among(connection, PROTOCOLS.c.organisation_id, ids)

    def municipalities(self, codes: Collection[str]) -> set[str]:
        with self._database.read() as connection:
            return found_among(connection, PROTOCOLS.c.municipality, codes)


class _Counter:
    """The registry's desk for imports, in this process and asked as the gateway asks it over the wire."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def begin_import(self, *, actor: Mapping[str, Any], key: str, **asked: Any) -> Any:
        return self._intake.begin_import(Actor.from_plain(actor), asked, key)

    def add_import_rows(self, *, actor: Mapping[str, Any], **part: Any) -> Any:
        eventlet.sleep(0)
        return self._intake.add_import_rows(Actor.from_plain(actor), **part)

    def finish_upload(self, *, actor: Mapping[str, Any], import_id: str, parts: int) -> Any:
        return self._intake.finish_upload(Actor.from_plain(actor), import_id, parts)

    def abandon_upload(self, *, actor: Mapping[str, Any], import_id: str) -> Any:
        return self._intake.abandon_upload(Actor.from_plain(actor), import_id)

    def get_import(self, *, actor: Mapping[str, Any], import_id: str) -> Any:
        return self._intake.get_import(Actor.from_plain(actor), import_id)


@dataclass(frozen=True)
class _Office:
    """Where the commands work: the registry's database, and whether a running İmece does the work on it."""

    settings: Settings
    language: str
    intake: Intake
    work_is_done_elsewhere: bool

    @classmethod
    def opened(cls, language: str | None) -> _Office:
        settings = Settings.from_environment()
        if settings.demo_clock:
            TIME.keep_in(settings.data_dir / "demo-clock")
        running = settings.mode == "embedded" and _answers(settings.http_address)
        if settings.mode == "embedded" and not running:
            os.umask(0o077)
            for name in SERVICES:
                ensure_database(settings.database_of(name))
                upgrade(database_at(settings.database_of(name)), name)
        database = database_at(settings.database_of("registry"))
        with database.read() as connection:
            if not is_current(connection, "registry"):
                raise click.ClickException(
                    "The registry's database is not of the newest shape: run “imece migrate”, with the settings of the "
                    "İmece that runs."
                )
        intake = Intake(
            database,
            TIME.now,
            _NearbyPartners(database_at(settings.database_of("protocols"))),
            lambda: eventlet.sleep(0),
        )
        return cls(settings, language or settings.language, intake, running)

    def say(self, sentence: Sentence | Mapping[str, Any]) -> str:
        return say(sentence, self.language)

    def echo(self, sentence: Sentence) -> None:
        click.echo(self.say(sentence))

    def get(self, import_id: str) -> dict[str, Any]:
        return self.intake.get_import(REGISTRAR, import_id)

    # sending

    def send(self, path: Path, kind: str, source: str, *, apply: bool) -> dict[str, Any]:
        with path.open("rb") as file:
            sha256 = _sha256(file)
            with open_sheet(file, self._folder()) as sheet:
                how = ", ".join(
                    filter(None, (sheet.format.upper(), sheet.encoding, sheet.delimiter and _shown(sheet.delimiter)))
                )
                click.echo(f"{path.name}: {how}")
                with click.progressbar(length=path.stat().st_size, label=self.say(_PHASES["receiving"])) as bar:
                    sent = deliver(
                        _Counter(self.intake),
                        REGISTRAR.to_plain(),
                        sheet,
                        Consignment(kind, source, apply, path.name, sha256, str(uuid.uuid4())),
                        lambda _: bar.update(max(0, file.tell() - bar.pos)),
                    )
                    bar.update(max(0, (bar.length or 0) - bar.pos))
        return sent

    def _folder(self) -> Path | None:
        """Where what is read lies meanwhile: with the documents where we have such a folder."""
        folder = self.settings.documents
        return folder if folder.is_dir() else None

    # waiting

    def follow(self, imported: Mapping[str, Any]) -> dict[str, Any]:
        """Do the work, or wait for the one who does it, and show how far it is; the import when it rests."""
        found = dict(imported)
        if self.work_is_done_elsewhere and found["state"] == "running":
            self.echo(Sentence("İmece is running here and does the work; this command only waits and may be stopped."))
        working = self._working(found["id"])
        while found["state"] == "running":
            found = self._follow_phase(found, working)
        return found

    def _follow_phase(self, found: dict[str, Any], working: Iterator[None]) -> dict[str, Any]:
        phase = found["phase"]
        with click.progressbar(length=max(1, found["of"]), label=self.say(_PHASES[phase])) as bar:
            while found["state"] == "running" and found["phase"] == phase:
                bar.length = max(1, found["of"])
                bar.update(max(0, found["done"] - bar.pos))
                next(working)
                eventlet.sleep(_POLL_SECONDS)
                found = self.get(found["id"])
            bar.update(max(0, (bar.length or 0) - bar.pos))
        return found

    def _working(self, import_id: str) -> Iterator[None]:
        """Each step looks after the work: starts it, takes it up again, raises what went wrong."""
        while self.work_is_done_elsewhere and _answers(self.settings.http_address):
            yield from self._pause()
        while True:
            worker = eventlet.spawn(self.intake.run, import_id)
            while not worker.dead:
                yield
            worker.wait()
            # Another process may have taken it; should that one be killed, it is ours again.
            yield from self._pause()

    @staticmethod
    def _pause() -> Iterator[None]:
        waited = 0.0
        while waited < _LOOK_AGAIN_SECONDS:
            waited += _POLL_SECONDS
            yield

    # telling

    def tell(self, found: Mapping[str, Any], show: int) -> None:
        """The import in words, with its first rows of the kinds that need a look."""
        click.echo()
        self.echo(
            Sentence(
                "Import {id} of {source} {state}.",
                id=found["id"],
                source=found["source"],
                state=_STATES[found["state"]].to_plain(),
            )
        )
        width = max(len(_number(found[name], self.language)) for name in _COUNTS)
        for name, words in _COUNTS.items():
            if found[name] or name not in ("kept", "vanished", "review"):
                click.echo(f"  {_number(found[name], self.language):>{width}}  {self.say(words)}")
        for outcome, tell in (("rejected", self.why), ("review", self.why), ("changed", self.changes_of)):
            self._tell_rows(found, outcome, show, tell)
        self._tell_rows(found, "vanished", show, lambda _: "")
        self._tell_rows(found, "kept", show, self.why)
        self._tell_next(found)

    def _tell_rows(
        self, found: Mapping[str, Any], outcome: str, show: int, tell: Callable[[Mapping[str, Any]], str]
    ) -> None:
        if not found[outcome] or not show:
            return
        page = self.intake.import_rows(REGISTRAR, found["id"], {"outcome": outcome, "page": 1, "size": min(show, 200)})
        click.echo(f"\n{self.say(_COUNTS[outcome])}:")
        for row in page["items"]:
            place = "" if row["row"] is None else self.say(Sentence("row {row}", row=row["row"]))
            who = " ".join(filter(None, (place, row["registry_no"], row["name"])))
            said = tell(row)
            click.echo(f"  {who}" + (f": {said}" if said else ""))
        if page["total"] > len(page["items"]):
            self.echo(
                Sentence("  … and {more} more", more=_number(page["total"] - len(page["items"]), self.language)),
            )

    def why(self, row: Mapping[str, Any]) -> str:
        reasons = " ".join(
            f"{each['field']}: {self.say(each['message'])}" if each["field"] else self.say(each["message"])
            for each in row["reasons"]
        )
        candidates = "".join(
            "\n    " + "  ".join(filter(None, (each["organisation_id"], each["registry_no"], each["name"])))
            for each in row["candidates"]
        )
        return reasons + candidates

    def changes_of(self, row: Mapping[str, Any]) -> str:
        return "; ".join(f"{each['field']}: {_shown(each['old'])} → {_shown(each['new'])}" for each in row["changes"])

    def _tell_next(self, found: Mapping[str, Any]) -> None:
        if found["state"] == "ready":
            if found["review"]:
                click.echo()
                self.echo(
                    Sentence(
                        "To decide on a row: imece registry settle {id} ROW new (or: skip, same --organisation ID)",
                        id=found["id"],
                    )
                )
            click.echo()
            self.echo(Sentence("To apply it: imece registry apply {id}", id=found["id"]))
        elif found["state"] == "applied":
            click.echo()
            self.echo(Sentence("To take it back: imece registry undo {id}", id=found["id"]))
        elif found["state"] == "failed":
            raise click.ClickException(self.say(found["problem"]) if found["problem"] else found["state"])


def _answers(address: str) -> bool:
    """Whether İmece runs at the address."""
    host, _, port = address.rpartition(":")
    reached = "127.0.0.1" if host in ("0.0.0.0", "", "[::]") else host  # noqa: S104 - compared, not bound
    try:
        answer = requests.get(f"http://{reached}:{port}/healthz", timeout=_ANSWER_SECONDS)
        return answer.ok and "status" in answer.json()
    except (requests.RequestException, TypeError):
        return False


def _sha256(file: BinaryIO) -> str:
    found = hashlib.sha256()
    while piece := file.read(_PIECE):
        found.update(piece)
    return found.hexdigest()


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return {"\t": "TAB"}.get(value, f"“{value}”") if isinstance(value, str) else str(value)


def _number(number: int, language: str) -> str:
    text = f"{number:,}"
    return text.replace(",", ".") if language == "tr" else text


@contextmanager
def _office(language: str | None) -> Iterator[_Office]:
    """The office; refusals are said in one line and in the caller's language."""
    office = _Office.opened(language)
    try:
        yield office
    except ImeceError as error:
        raise click.ClickException(in_one_line(error, office.language)) from None


_language = click.option(
    "--language", type=click.Choice(["tr", "en"]), help="Of what is printed; by default IMECE_LANGUAGE."
)
_show = click.option(
    "--show", type=click.IntRange(0, 200), default=_SHOWN, show_default=True, help="Rows of each kind to print."
)


@click.group()
def registry() -> None:
    """Whole lists of organisations, statuses and municipalities."""


@registry.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--kind", type=click.Choice(IMPORT_KINDS), required=True, help="What the rows are.")
@click.option("--source", required=True, help="The list that this is an edition of; the same name each time.")
@click.option("--apply", is_flag=True, help="Apply at once what a trial would only show.")
@_show
@_language
def import_file(file: Path, kind: str, source: str, *, apply: bool, show: int, language: str | None) -> None:
    """Compare FILE (CSV or XLSX) with the registry and print what would change; with --apply, change it."""
    with _office(language) as office:
        office.tell(office.follow(office.send(file, kind, source, apply=apply)), show)


@registry.command(name="show")
@click.argument("import_id", metavar="ID", type=click.UUID)
@_show
@_language
def show_import(import_id: uuid.UUID, *, show: int, language: str | None) -> None:
    """Print what import ID changes; wait for it when it is running."""
    with _office(language) as office:
        office.tell(office.follow(office.get(str(import_id))), show)


@registry.command(name="apply")
@click.argument("import_id", metavar="ID", type=click.UUID)
@_show
@_language
def apply_import(import_id: uuid.UUID, *, show: int, language: str | None) -> None:
    """Apply what import ID was found to change: all of it or nothing."""
    with _office(language) as office:
        office.tell(office.follow(office.intake.apply_import(REGISTRAR, str(import_id))), show)


@registry.command(name="settle")
@click.argument("import_id", metavar="ID", type=click.UUID)
@click.argument("row", type=click.IntRange(min=1))
@click.argument("decision", type=click.Choice(DECISIONS))
@click.option(
    "--organisation", metavar="ID", type=click.UUID, help="With same: the organisation that the row is about."
)
@_language
def settle_row(
    import_id: uuid.UUID, row: int, decision: str, organisation: uuid.UUID | None, language: str | None
) -> None:
    """Decide on ROW of import ID, which is under review: the same as an organisation, a new one, or to be skipped."""
    with _office(language) as office:
        given = {"decision": decision, "organisation_id": str(organisation) if organisation else None}
        settled = office.intake.settle_import_row(REGISTRAR, str(import_id), row, given)
        said = office.changes_of(settled) or office.why(settled)
        click.echo(f"{office.say(_COUNTS[settled['outcome']])}" + (f": {said}" if said else ""))


@registry.command(name="undo")
@click.argument("import_id", metavar="ID", type=click.UUID)
@_show
@_language
def undo_import(import_id: uuid.UUID, *, show: int, language: str | None) -> None:
    """Take import ID back; what others changed since stays and is named."""
    with _office(language) as office:
        office.tell(office.follow(office.intake.undo_import(REGISTRAR, str(import_id))), show)


@registry.command(name="imports")
@click.option("--source", help="Of this source alone.")
@_language
def list_imports(source: str | None, language: str | None) -> None:
    """The imports, newest first."""
    with _office(language) as office:
        page = 1
        while found := office.intake.list_imports(REGISTRAR, {"source": source, "page": page, "size": 200})["items"]:
            for each in found:
                counts = ", ".join(
                    f"{_number(each[name], office.language)} {office.say(_COUNTS[name])}"
                    for name in ("added", "changed", "vanished", "rejected", "review")
                    if each[name]
                )
                moment = f"{datetime.fromisoformat(each['requested_at']).astimezone(ISTANBUL):%Y-%m-%d %H:%M}"
                click.echo(f"{each['id']}  {moment}  {each['state']:<7}  {each['kind']:<14} {each['source']}  {counts}")
            page += 1


@registry.command()
@click.option("--rows", type=click.IntRange(1, samples.MOST_ROWS), default=samples.ROWS, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same list.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="By default the screen.")
@click.option(
    "--statuses", type=click.Path(dir_okay=False, path_type=Path), help="Also write public-benefit statuses there."
)
def sample(rows: int, seed: int, out: Path | None, statuses: Path | None) -> None:
    """Write a made-up national list of associations as CSV: the real spread over the provinces, no real names."""
    with ExitStack() as files:

        def opened(path: Path) -> TextIO:
            return files.enter_context(path.open("w", encoding="utf-8", newline=""))

        samples.write(opened(out) if out else sys.stdout, opened(statuses) if statuses else None, rows, seed)
