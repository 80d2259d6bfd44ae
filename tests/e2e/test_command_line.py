"""What a person gets from the `imece` command: help, one clear line for every mistake, and data that stays."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from harness import PASSWORD, Client, System, base_environment, embedded_system, today

from services.cli import main

COMMANDS = (
    "run", "serve", "migrate", "demo", "deadline", "audit", "audit verify", "audit anchor", "users", "users add",
    "users office", "users list", "users password", "users off", "settings", "diagram", "openapi",
    "mail", "mail bounce",
    "dead-letters", "dead-letters list", "dead-letters redrive",
    "registry", "registry import", "registry imports", "registry show", "registry apply", "registry undo",
    "registry settle", "registry sample",
)  # fmt: skip


@dataclass
class Said:
    """What a command left on the screen."""

    code: int
    out: str
    err: str

    def refusal(self) -> str:
        """Exit code 1, one line, no traceback."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert (1, 1) == (self.code, len(lines)), self
        return lines[0]


def imece(*arguments: str, folder: Path, **settings: str) -> Said:
    """The command in this process, which spares its start; a fault leaves no line and so is no refusal."""
    environment = base_environment(folder) | settings
    unset: dict[str, str | None] = {name: None for name in os.environ if name.startswith("IMECE_")}
    done = CliRunner().invoke(main, arguments, env=unset | environment, prog_name="imece")
    return Said(done.exit_code, done.stdout, done.stderr)


def process(*arguments: str, folder: Path, **settings: str) -> Said:
    """The command as a person runs it."""
    program = [sys.executable, "-m", "services.cli", *arguments]
    environment = base_environment(folder) | settings
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False, timeout=120)
    return Said(done.returncode, done.stdout, done.stderr)


def at(system: System, *arguments: str) -> Said:
    """The command beside a running system, on its data."""
    settings = {name: value for name, value in system.environment.items() if name.startswith("IMECE_")}
    return imece(*arguments, folder=system.folder, **settings)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(command: str, tmp_path: Path) -> None:
    said = imece(*command.split(), "--help", folder=tmp_path)
    assert (0, "") == (said.code, said.err)
    assert said.out.startswith(f"Usage: imece {command}".rstrip())


def test_the_list_of_commands_is_complete(tmp_path: Path) -> None:
    said = process("--help", folder=tmp_path)
    assert (0, "") == (said.code, said.err)
    told = said.out.partition("Commands:")[2]
    assert {each for each in COMMANDS if " " not in each} == set(re.findall(r"^  ([\w-]+)", told, re.MULTILINE))


def test_a_deadline_is_counted_day_by_day_and_ends_with_its_date(tmp_path: Path) -> None:
    lines = imece("deadline", "2026-10-27", "5", "calendar_day", folder=tmp_path).out.splitlines()
    assert "2026-11-02" == lines[-1]
    assert "2026-10-27" == lines[0][:10]


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"IMECE_HTTP_ADDRESS": "nowhere"}, "IMECE_HTTP_ADDRESS"),
        ({"IMECE_HALF_DAY_IS_WORKING_DAY": "perhaps"}, "IMECE_HALF_DAY_IS_WORKING_DAY"),
        ({"IMECE_MAX_WORKERS": "1"}, "IMECE_MAX_WORKERS"),
        ({"IMECE_SESION_HOURS": "3"}, "IMECE_SESION_HOURS"),
        ({"IMECE_DEMO_CLOCK": "1", "IMECE_AMQP_URL": "amqp://nowhere"}, "IMECE_DEMO_CLOCK"),
        ({"IMECE_RETRY_DELAYS": "soon"}, "IMECE_RETRY_DELAYS"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(settings: dict[str, str], name: str, tmp_path: Path) -> None:
    assert name in imece("migrate", folder=tmp_path, **settings).refusal()


def test_a_service_alone_asks_for_a_broker(tmp_path: Path) -> None:
    assert "IMECE_AMQP_URL" in process("serve", "gateway", folder=tmp_path).refusal()


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in imece("migrate", folder=tmp_path / "file" / "data").refusal()


def test_a_port_that_is_taken_is_one_clear_line(embedded: System, tmp_path: Path) -> None:
    taken = embedded.environment["IMECE_HTTP_ADDRESS"]
    assert taken.rpartition(":")[2] in process("run", folder=tmp_path, IMECE_HTTP_ADDRESS=taken).refusal()


# users


def test_users_and_offices_can_be_kept_from_the_command_line(embedded: System) -> None:
    name, other = f"komut.{uuid.uuid4().hex[:6]}", "baska-uzun-parola"

    def sign_in(password: str) -> int:
        body = {"username": name, "password": password}
        return Client(embedded.url, None).ask("POST", "/sessions", body).status

    assert 0 == at(embedded, "users", "add", name, "--full-name", "Bir memur", "--password", PASSWORD).code
    assert 0 == at(embedded, "users", "office", name, "registry_clerk", "--municipality", "34-35").code
    token = Client(embedded.url, None).post("/sessions", {"username": name, "password": PASSWORD})["token"]
    assert ["registry_clerk"] == [each["role"] for each in Client(embedded.url, token).get("/me")["memberships"]]
    assert f"{name}\tactive" in at(embedded, "users", "list", "--query", name).out
    assert 0 == at(embedded, "users", "password", name, "--password", other).code
    assert [401, 201, 401] == [sign_in(PASSWORD), sign_in(other), Client(embedded.url, token).ask("GET", "/me").status]
    assert 0 == at(embedded, "users", "off", name).code
    assert 401 == sign_in(other)
    assert f"{name}\toff" in at(embedded, "users", "list", "--query", name).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "test.admin", "--full-name", "X", "--password", PASSWORD), "username"),
        (("add", "yeni", "--full-name", "X", "--password", "kisa"), "password"),
        (("office", "test.admin", "mayor"), "municipality"),
        (("office", "test.admin", "king"), "role"),
        (("password", "kimse.yok", "--password", PASSWORD), "username"),
        (("off", "kimse.yok"), "username"),
    ],
)
def test_a_user_that_cannot_be_is_one_clear_line(embedded: System, arguments: tuple[str, ...], said: str) -> None:
    assert said in at(embedded, "users", *arguments).refusal()


# the histories


def _tampered(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as connection:
        assert 1 == connection.execute(statement).rowcount
    connection.close()


@pytest.fixture
def copy(embedded: System, tmp_path: Path) -> tuple[Path, str]:
    """A copy of the protocols' database with a file of two acts, and its reference."""
    moved = embedded.client("unit").move(embedded.draft(), "submit_to_mayor")
    source = sqlite3.connect(embedded.folder / "protocols.sqlite")
    with sqlite3.connect(tmp_path / "protocols.sqlite") as target:
        source.backup(target)
    target.close()
    source.close()
    return tmp_path, moved["reference"]


def test_untouched_histories_are_whole(copy: tuple[Path, str]) -> None:
    assert Said(0, "Every history is whole.\n", "") == imece("audit", "verify", folder=copy[0])


@pytest.mark.parametrize(
    ("tampering", "row"),
    [
        ('UPDATE acts SET fields = \'{"note": "sonradan"}\' WHERE number = 2 AND {own}', "row 2"),
        ("UPDATE acts SET done_on = '2020-01-01' WHERE number = 1 AND {own}", "row 1"),
        ("DELETE FROM acts WHERE number = 1 AND {own}", "row"),
        ("DELETE FROM acts WHERE number = 2 AND {own}", "rows 2 to 2"),
    ],
)
def test_a_tampered_history_is_named_with_its_file_and_row(copy: tuple[Path, str], tampering: str, row: str) -> None:
    folder, reference = copy
    own = f"protocol_id = (SELECT id FROM protocols WHERE reference = '{reference}')"
    _tampered(folder / "protocols.sqlite", tampering.replace("{own}", own))
    said = process("audit", "verify", folder=folder)
    assert (1, "") == (said.code, said.out)
    assert any(reference in line and row in line for line in said.err.splitlines()), said
    assert "Traceback" not in said.err


# whole runs


def test_a_second_start_keeps_the_data_and_the_time(tmp_path: Path) -> None:
    with embedded_system(tmp_path, IMECE_DEMO_CLOCK="true") as system:
        drafted = system.draft()
        moved = system.client("unit").move(drafted, "submit_to_mayor")
        later = f"{today() + timedelta(days=40)}T10:00:00+03:00"
        assert 200 == system.client("admin").ask("PUT", "/demo/clock", {"now": later}).status
        seen = system.client("auditor").get("/events?limit=500")["items"]
        system.stop()
        system.start()
        assert (today() + timedelta(days=40)).isoformat() == system.client("admin").get("/demo/clock")["now"][:10]
        assert moved["version"] == system.client("mayor").get(f"/protocols/{drafted['id']}")["version"]
        assert [each["id"] for each in seen] == [
            each["id"] for each in system.client("auditor").get("/events?limit=500")["items"]
        ]
        assert "Every history is whole." in system.command("audit", "verify")


def test_the_demo_drives_three_protocols_to_their_ends(tmp_path: Path) -> None:
    said = process("demo", "--language", "en", folder=tmp_path, IMECE_HTTP_ADDRESS="127.0.0.1:9")
    assert 0 == said.code, said
    assert "Ends: in_force, in_force, permission_refused" == said.out.splitlines()[-1]
    assert [] == list(tmp_path.iterdir())


# mail


def test_what_a_mail_server_reports_is_taken_from_the_input_and_whatever_else_is_passed_over(embedded: System) -> None:
    settings = {name: value for name, value in embedded.environment.items() if name.startswith("IMECE_")}
    unset: dict[str, str | None] = {name: None for name in os.environ if name.startswith("IMECE_")}
    report = b"Subject: I am away\r\n\r\nUntil Monday."
    done = CliRunner().invoke(main, ["mail", "bounce"], input=report, env=unset | settings, prog_name="imece")
    assert (0, "0 message(s) marked as undeliverable.\n") == (done.exit_code, done.stdout)
