"""The `imece` command: run, serve, migrate, demo, users, registry, deadline, audit, mail."""

from __future__ import annotations

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet

eventlet.monkey_patch()

import os
import sys
from importlib import import_module
from typing import Any

import click

from services.kernel.calendar import Calendar
from services.kernel.errors import ImeceError, Invalid
from services.registrar import in_one_line, registry
from services.runtime import dead
from services.runtime.clockwork import TIME
from services.runtime.database import database_at
from services.runtime.language import say
from services.runtime.migration import ensure_database, upgrade
from services.runtime.process import Process, configure, wait_until_ready
from services.runtime.settings import SERVICES, Settings, settings_table


def _service_class(name: str) -> type[Any]:
    """The nameko class of a service."""
    found: type[Any] = getattr(import_module(f"services.{name}.service"), f"{name.capitalize()}Service")
    return found


class _Clear(click.Group):
    """Shows every deliberate refusal as one clear line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ImeceError as error:
            raise click.ClickException(in_one_line(error, "en")) from None
        except OSError as error:
            raise click.ClickException(f"{error.strerror or error} {error.filename or ''}".strip()) from None


@click.group(cls=_Clear, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="imece")
def main() -> None:
    """İmece: cooperation protocols between municipalities and civil society, run as the law says."""


main.add_command(registry)


def _settings() -> Settings:
    return Settings.from_environment()


def _migrate(settings: Settings, names: tuple[str, ...]) -> None:
    for name in names:
        url = settings.database_of(name)
        ensure_database(url)
        upgrade(database_at(url), name)


def _demand_free(address: str) -> None:
    """Say that the address is taken before anything is started there."""
    host, _, port = address.rpartition(":")
    try:
        eventlet.listen((host, int(port)), reuse_port=False).close()
    except OSError as error:
        raise click.ClickException(f"{address}: {error.strerror or error}. Choose another with --address.") from None


@main.command()
@click.option("--demo", is_flag=True, help="Create the demo's offices and organisations, and allow the demo clock.")
@click.option("--address", metavar="HOST:PORT", help="Where to answer, instead of IMECE_HTTP_ADDRESS.")
def run(*, demo: bool, address: str | None) -> None:
    """Run everything in this one process (embedded mode)."""
    from dataclasses import replace  # noqa: PLC0415

    os.umask(0o077)  # the files hold people's data: nobody else's business on this machine
    settings = _settings()
    if settings.mode != "embedded":
        raise click.ClickException(
            "IMECE_AMQP_URL is set, so the mode is distributed: use “imece serve SERVICE”, one process a service."
        )
    changes: dict[str, Any] = {}
    if demo:
        changes |= {"demo": True, "demo_clock": True}
    if address:
        changes["http_address"] = address
    settings = replace(settings, **changes)
    configure(settings)
    _demand_free(settings.http_address)
    _migrate(settings, SERVICES)
    process = Process(settings, [_service_class(name) for name in SERVICES])
    process.start()
    host, _, port = settings.http_address.rpartition(":")
    shown = "127.0.0.1" if host in ("0.0.0.0", "") else host  # noqa: S104 - compared, not bound
    click.echo(f"\nİmece answers at http://{shown}:{port}/  (data in {settings.data_dir.resolve()})")
    if settings.demo:
        from services import demo as seeding  # noqa: PLC0415

        seeding.seed(settings, click.echo)
    click.echo("Stop with Ctrl-C.\n")
    process.wait()


@main.command()
@click.argument("service", type=click.Choice(SERVICES))
def serve(service: str) -> None:
    """Run one SERVICE as a process of its own (distributed mode); start as many as you need."""
    settings = _settings()
    if settings.mode != "distributed":
        raise click.ClickException("Set IMECE_AMQP_URL and IMECE_DATABASE_URL first, or use “imece run”.")
    configure(settings)
    wait_until_ready(settings, service)
    process = Process(settings, [_service_class(service)])
    process.start()
    process.wait()


@main.command()
@click.argument("service", nargs=-1, type=click.Choice(SERVICES))
def migrate(service: tuple[str, ...]) -> None:
    """Bring the databases to their newest shape: of each SERVICE named, or of all."""
    settings = _settings()
    _migrate(settings, service or SERVICES)
    click.echo(f"Up to date: {', '.join(service or SERVICES)}.")


@main.command()
@click.option(
    "--url", metavar="URL", help="A running İmece with the demo clock; otherwise one is started for the demo."
)
@click.option("--language", type=click.Choice(["tr", "en"]), default="tr", show_default=True)
def demo(url: str | None, language: str) -> None:
    """Drive three protocols over HTTP to their ends, step by step."""
    from services import demo as demonstration  # noqa: PLC0415

    try:
        demonstration.drive(_settings(), url, language, click.echo)
    except demonstration.Step as refused:
        raise click.ClickException(str(refused)) from None


@main.command()
@click.argument("start", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("length", type=click.IntRange(1, 3660))
@click.argument("unit", type=click.Choice(["working_day", "calendar_day"]))
@click.option("--language", type=click.Choice(["tr", "en"]), default="tr", show_default=True)
def deadline(start: Any, length: int, unit: Any, language: str) -> None:
    """When a period of LENGTH UNITs ends that starts on START, day by day."""
    settings = _settings()
    told = Calendar(settings.rules).deadline(start.date(), length, unit)
    for day in told.days:
        click.echo(f"{day.date.isoformat()}  {'+' if day.counts else ' '}  {say(day.reason, language)}")
    click.echo(say(told.rule, language))
    click.echo(told.due_on.isoformat() if told.due_on else "")


@main.group()
def audit() -> None:
    """The histories of the protocols and of the petitions."""


_WHOSE = click.option(
    "--of",
    "whose",
    type=click.Choice(["protocols", "petitions"]),
    default="protocols",
    show_default=True,
    help="Whose histories; each service has a database of its own.",
)


def _histories(whose: str) -> Any:
    return import_module(f"services.{whose}.adapters.audit")


@audit.command()
@_WHOSE
@click.option("--anchor", metavar="HASH", help="An anchor kept outside the database; it must still be there.")
def verify(whose: str, anchor: str | None) -> None:
    """Find changed, removed, reordered or cut-off rows and name them."""
    faults = 0
    for fault in _histories(whose).verify(database_at(_settings().database_of(whose)), anchor):
        click.echo(fault, err=True)
        faults += 1
    if faults:
        raise click.ClickException(f"{faults} fault(s) found.")
    click.echo("Every history is whole.")


@audit.command(name="anchor")
@_WHOSE
def make_anchor(whose: str) -> None:
    """Anchor the histories now and print the hash, to be kept outside the database."""
    made = _histories(whose).anchor(database_at(_settings().database_of(whose)), TIME.now())
    click.echo(made or "Nothing changed.")


@main.group()
def mail() -> None:
    """What mail servers report."""


@mail.command()
def bounce() -> None:
    """Read a delivery status notification (RFC 3464) from the input, as the pipe of a mail server gives it.

    An address that failed for good gets no mail from then on. Whatever else is read is passed over.
    """
    from services.notifications.adapters.post import take_report  # noqa: PLC0415

    raw = sys.stdin.buffer.read(_LARGEST_REPORT)
    marked = take_report(database_at(_settings().database_of("notifications")), raw, TIME.now())
    click.echo(f"{marked} message(s) marked as undeliverable.")


_LARGEST_REPORT = 10 * 1024 * 1024


@main.group(name="dead-letters", invoke_without_command=True)
@click.pass_context
def dead_letters(context: click.Context) -> None:
    """What was given up and waits for a person; without a subcommand it is listed."""
    if context.invoked_subcommand is None:
        context.invoke(list_dead_letters)


@dead_letters.command(name="list")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many a service."
)
def list_dead_letters(limit: int = 100) -> None:
    """Show id, kind, whose, event, tries, since when and why."""
    settings = _settings()
    total = 0
    for name in SERVICES:
        found = dead.listed(_shelves(name, settings), 0, limit)
        total += found["total"]
        for each in found["items"]:
            cause = each["cause"] if isinstance(each["cause"], str) else say(each["cause"], "en")
            shown = (each["id"], each["kind"], each["of"], each["event"] or "-", each["attempts"], each["since"], cause)
            click.echo("  ".join(map(str, shown)))
    click.echo(f"{total} in all.")


@dead_letters.command()
@click.argument("letter_id", type=click.UUID)
def redrive(letter_id: Any) -> None:
    """Have the dead letter LETTER_ID tried again, with all tries before it."""
    settings = _settings()
    for name in SERVICES:
        if dead.redriven(_shelves(name, settings), str(letter_id)) is not None:
            click.echo("It is tried again; if it fails, it comes back.")
            return
    raise click.ClickException("There is no such dead letter.")


def _shelves(service: str, settings: Settings) -> Any:
    return _service_class(service).shelves(database_at(settings.database_of(service)), settings)


@main.group()
def users() -> None:
    """Users and their offices."""


@users.command()
@click.argument("username")
@click.option("--full-name", required=True)
@click.option("--email")
@click.option("--password", help="Asked for when not given.")
def add(username: str, full_name: str, email: str | None, password: str | None) -> None:
    """Create a user who can sign in."""
    from services.gateway.identity import application as identity  # noqa: PLC0415

    secret = password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    made = identity.create_user(
        _desk(), _command_line(), identity.NewUser(username, secret, full_name, email), _new_key()
    )
    click.echo(f"{made.username} {made.id}")


@users.command()
@click.argument("username")
@click.argument("role")
@click.option("--municipality", metavar="CODE")
@click.option("--authority", metavar="CODE")
@click.option("--organisation", metavar="ID")
@click.option("--from", "valid_from", type=click.DateTime(["%Y-%m-%d"]), default=lambda: TIME.today().isoformat())
@click.option("--to", "valid_to", type=click.DateTime(["%Y-%m-%d"]))
def office(
    username: str,
    role: str,
    municipality: str | None,
    authority: str | None,
    organisation: str | None,
    valid_from: Any,
    valid_to: Any,
) -> None:
    """Give USERNAME the office of ROLE at a municipality, authority or organisation."""
    from services.gateway.identity import application as identity  # noqa: PLC0415
    from services.gateway.identity.domain import Membership  # noqa: PLC0415

    _demand_tenant(municipality, authority, organisation)
    held = identity.grant_membership(
        _desk(),
        _command_line(),
        Membership(
            id=_new_key(),
            user_id=_user(username).id,
            role=role,
            municipality=municipality,
            authority=authority,
            organisation_id=organisation,
            valid_from=valid_from.date(),
            valid_to=valid_to.date() if valid_to else None,
            version=1,
        ),
        _new_key(),
    )
    click.echo(held.id)


def _demand_tenant(municipality: str | None, authority: str | None, organisation: str | None) -> None:
    """A typing error must not make an office of nowhere."""
    from services.registry.adapters.repository import MunicipalityRows, OrganisationRows  # noqa: PLC0415

    with database_at(_settings().database_of("registry")).read() as connection:
        if municipality is not None:
            MunicipalityRows(connection).get(municipality)
        if authority is not None:
            MunicipalityRows(connection).authority(authority)
        if organisation is not None:
            OrganisationRows(connection).get(organisation)


@users.command(name="list")
@click.option("--query")
def list_users(query: str | None) -> None:
    """Users, page after page."""
    from services.gateway.identity import application as identity  # noqa: PLC0415

    page = 1
    while (found := identity.users(_desk(), query, page, 200)).items:
        for each in found.items:
            click.echo(f"{each.username}\t{'active' if each.active else 'off'}\t{each.id}")
        page += 1


@users.command()
@click.argument("username")
@click.option("--password", help="Asked for when not given.")
def password(username: str, password: str | None) -> None:
    """Set a new password; all sign-ins of the user end."""
    from services.gateway.identity import application as identity  # noqa: PLC0415

    secret = password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    identity.change_user(_desk(), _user(username).id, identity.UserChange(password=secret), None)
    click.echo("Changed.")


@users.command()
@click.argument("username")
def off(username: str) -> None:
    """Switch a user off; all sign-ins end."""
    from services.gateway.identity import application as identity  # noqa: PLC0415

    identity.change_user(_desk(), _user(username).id, identity.UserChange(active=False), None)
    click.echo("Switched off.")


def _desk() -> Any:
    from services.gateway.service import desk  # noqa: PLC0415

    settings = _settings()
    return desk(database_at(settings.database_of("gateway")), settings, TIME)


def _command_line() -> Any:
    from services.kernel.actor import Actor  # noqa: PLC0415

    return Actor(role="administrator", user_id="command-line")


def _new_key() -> str:
    import uuid  # noqa: PLC0415

    return str(uuid.uuid4())


def _user(username: str) -> Any:
    from services.gateway.identity import application as identity  # noqa: PLC0415
    from services.kernel.text import Sentence  # noqa: PLC0415

    for each in identity.users(_desk(), username, 1, 200).items:
        if each.username == username.lower():
            return each
    raise Invalid.field("username", Sentence("There is no such user."))


@main.command(name="settings")
def show_settings() -> None:
    """Every setting with its default, as a Markdown table."""
    click.echo(settings_table(), nl=False)


@main.command()
@click.option("--language", type=click.Choice(["tr", "en"]), default="en", show_default=True)
def diagram(language: Any) -> None:
    """The procedure of a protocol as a Mermaid diagram."""
    from services.protocols.domain.policy import Policy  # noqa: PLC0415
    from services.protocols.domain.procedure import protocol_procedure  # noqa: PLC0415

    click.echo(protocol_procedure(Policy()).diagram(language), nl=False)


@main.command()
def openapi() -> None:
    """The OpenAPI description of the HTTP interface, as JSON."""
    import json  # noqa: PLC0415

    from services.gateway.table import GATEWAY  # noqa: PLC0415

    click.echo(json.dumps(GATEWAY.openapi(), ensure_ascii=False, indent=2))


if __name__ == "__main__":
    sys.exit(main())
