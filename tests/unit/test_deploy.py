"""The files under deploy/: no engine runs them here, so their shape and their words are checked."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from services.cli import main
from services.runtime.settings import SERVICES, Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
KNOWN = {f"IMECE_{each.name.upper()}": each.metadata["read"] for each in fields(Settings)}
METRICS_PORT = 9464
NEEDED = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")
OPTIONAL = re.compile(r"\$\{[A-Z_]+:-([^}]*)\}")

STRINGS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}
HEALTHCHECK = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "disable": {"type": "boolean"},
        "test": {"type": "array", "items": {"type": "string"}, "contains": {"const": "CMD"}, "minItems": 2},
        "interval": DURATION,
        "timeout": DURATION,
        "start_period": DURATION,
        "retries": {"type": "integer", "minimum": 1},
    },
}
SERVICE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image", "networks", "restart"],
    "properties": {
        # Named by a tag: neither floating nor bound to one registry.
        "image": {"type": "string", "pattern": r"^([a-z0-9-]+/)?[a-z0-9-]+:(?!latest)[a-z0-9.-]+$"},
        "build": {
            "type": "object",
            "additionalProperties": False,
            "required": ["context", "dockerfile"],
            "properties": {"context": {"type": "string"}, "dockerfile": {"type": "string"}},
        },
        "command": STRINGS,
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "restart": {"enum": ["no", "unless-stopped"]},
        "init": {"type": "boolean"},
        "stop_grace_period": DURATION,
        "read_only": {"type": "boolean"},
        "tmpfs": STRINGS,
        "cap_drop": STRINGS,
        "security_opt": STRINGS,
        "hostname": {"type": "string"},
        "networks": STRINGS,
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^127\.0\.0\.1:\d+:\d+$"}},
        "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^[^:]+:/[^:]+(:ro)?$"}},
        "healthcheck": HEALTHCHECK,
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["condition"],
                "properties": {
                    "condition": {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}
                },
            },
        },
    },
}
COMPOSE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "services", "networks", "volumes"],
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "additionalProperties": SERVICE},
        "networks": {
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    {"type": "null"},
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"internal": {"type": "boolean"}},
                    },
                ]
            },
        },
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
    },
}
PROMETHEUS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["scrape_configs", "rule_files"],
    "properties": {
        "global": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"scrape_interval": DURATION, "evaluation_interval": DURATION},
        },
        "rule_files": STRINGS,
        "scrape_configs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["job_name", "dns_sd_configs"],
                "properties": {
                    "job_name": {"type": "string"},
                    "dns_sd_configs": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["names", "type", "port"],
                            "properties": {
                                "names": STRINGS,
                                "type": {"const": "A"},
                                "port": {"type": "integer"},
                                "refresh_interval": DURATION,
                            },
                        },
                    },
                    "relabel_configs": {"type": "array"},
                },
            },
        },
    },
}
ALERTS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["groups"],
    "properties": {
        "groups": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "rules"],
                "properties": {
                    "name": {"type": "string"},
                    "rules": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["alert", "expr", "for", "labels", "annotations"],
                            "properties": {
                                "alert": {"type": "string", "pattern": "^Imece[A-Za-z]+$"},
                                "expr": {"type": "string"},
                                "for": DURATION,
                                "labels": {
                                    "type": "object",
                                    "required": ["severity"],
                                    "properties": {"severity": {"enum": ["page", "ticket"]}},
                                },
                                "annotations": {"type": "object", "required": ["summary"]},
                            },
                        },
                    },
                },
            },
        },
    },
}


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def compose_services() -> dict[str, dict[str, Any]]:
    return dict(read("compose.yaml")["services"])


def own_services() -> dict[str, dict[str, Any]]:
    return {name: each for name, each in compose_services().items() if each["image"].startswith("imece:")}


def without_variables(text: str) -> str:
    return OPTIONAL.sub(r"\1", NEEDED.sub("word", text))


def accepts(arguments: list[str]) -> click.Command:
    """The command that click finds for these arguments; raises UsageError for anything it would refuse."""
    command: click.Command = main
    context = click.Context(main, info_name="imece")
    rest = arguments
    while isinstance(command, click.Group):
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        context = click.Context(command, info_name=command.name, parent=context)
    command.parse_args(context, list(rest))
    return command


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", dockerfile))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def last_stage() -> list[tuple[str, str]]:
    lines = instructions((DEPLOY / "Dockerfile").read_text())
    start = max(number for number, (word, _) in enumerate(lines) if word == "FROM")
    return lines[start:]


def image_environment() -> dict[str, str]:
    words = [word for name, rest in last_stage() if name == "ENV" for word in shlex.split(rest)]
    return dict(word.split("=", 1) for word in words)


@pytest.mark.parametrize(
    ("name", "schema"),
    [("compose.yaml", COMPOSE), ("prometheus.yml", PROMETHEUS), ("alerts.yml", ALERTS)],
)
def test_the_file_has_the_shape_its_reader_expects(name: str, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(read(name))


def test_the_schema_notices_a_misspelt_key() -> None:
    found = read("compose.yaml")
    found["services"]["registry"]["enviroment"] = {}
    with pytest.raises(jsonschema.ValidationError, match="enviroment"):
        jsonschema.Draft202012Validator(COMPOSE).validate(found)


def test_every_service_of_imece_has_a_process_of_its_own() -> None:
    served = [each["command"][1] for each in own_services().values() if each["command"][0] == "serve"]
    assert sorted(SERVICES) == sorted(served)


def test_a_process_is_found_under_the_name_of_its_service() -> None:
    for name, each in own_services().items():
        if each["command"][0] == "serve":
            assert name == each["command"][1]


@pytest.mark.parametrize("name", sorted(own_services()))
def test_the_command_line_takes_the_command(name: str) -> None:
    assert own_services()[name]["command"][0] == accepts(own_services()[name]["command"]).name


def test_the_command_line_refuses_a_service_that_is_not_there() -> None:
    with pytest.raises(click.UsageError):
        accepts(["serve", "petitions-to-come"])


@pytest.mark.parametrize("name", sorted(own_services()))
def test_the_environment_is_read_as_distributed_mode(name: str) -> None:
    environment = image_environment() | own_services()[name]["environment"]
    own = {key: without_variables(value) for key, value in environment.items() if key.startswith("IMECE_")}
    assert "distributed" == Settings.from_environment(own).mode


def test_environment_variables_are_settings() -> None:
    named = set(image_environment()) | {key for each in own_services().values() for key in each["environment"]}
    assert set() == {name for name in named if name.startswith("IMECE_")} - set(KNOWN)


def test_passwords_come_from_the_environment_alone() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    for each in compose_services().values():
        for name, value in each.get("environment", {}).items():
            if "PASS" in name:
                assert NEEDED.fullmatch(value), name
    for password in re.findall(r"://[^:/\s]+:([^@\s]+(?:\s[^@]*)?)@", text):
        assert NEEDED.fullmatch(password)


def test_no_default_password_is_offered() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    assert [] == [name for name in re.findall(r"\$\{([A-Z_]+):-", text) if "PASS" in name]


def test_only_the_door_and_prometheus_are_published_and_only_here() -> None:
    published = {name: each["ports"] for name, each in compose_services().items() if "ports" in each}
    assert {"gateway": ["127.0.0.1:8000:8000"], "prometheus": ["127.0.0.1:9090:9090"]} == published


def test_what_is_used_is_declared() -> None:
    found = read("compose.yaml")
    for each in found["services"].values():
        assert set(each["networks"]) <= set(found["networks"])
        assert set(each.get("depends_on", {})) <= set(found["services"])
        for volume in each.get("volumes", []):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith("./") else source in found["volumes"]


def test_waiting_for_health_needs_a_health_check() -> None:
    found = compose_services()
    for each in found.values():
        for name, needed in each.get("depends_on", {}).items():
            if needed["condition"] == "service_healthy":
                assert "test" in found[name]["healthcheck"]


def test_services_start_after_the_migration_and_come_back_when_they_die() -> None:
    for each in own_services().values():
        if each["command"][0] == "serve":
            assert "service_completed_successfully" == each["depends_on"]["migrate"]["condition"]
            assert "unless-stopped" == each["restart"]


def test_the_migration_runs_once() -> None:
    assert "no" == compose_services()["migrate"]["restart"]


def test_a_process_has_longer_to_stop_than_it_takes_to_drain() -> None:
    for each in own_services().values():
        assert Settings().drain_deadline < int(each["stop_grace_period"].removesuffix("s"))


def test_every_service_is_scraped_where_it_shows_its_metrics() -> None:
    (job,) = read("prometheus.yml")["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    _, _, port = image_environment()["IMECE_METRICS_ADDRESS"].rpartition(":")
    assert set(SERVICES) == set(found["names"])
    assert set(found["names"]) <= set(compose_services())
    assert METRICS_PORT == found["port"] == int(port)


def test_prometheus_shares_a_network_with_what_it_scrapes() -> None:
    found = compose_services()
    for name in SERVICES:
        assert set(found["prometheus"]["networks"]) & set(found[name]["networks"])


def test_rule_files_are_mounted() -> None:
    mounted = {volume.split(":")[0] for volume in compose_services()["prometheus"]["volumes"]}
    assert {f"./{name}" for name in read("prometheus.yml")["rule_files"]} <= mounted


def test_alerts_ask_for_metrics_that_exist() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "services").rglob("*.py"))
    for group in read("alerts.yml")["groups"]:
        for rule in group["rules"]:
            for metric in re.findall(r"\bimece_[a-z_]+", rule["expr"]):
                name = re.sub(r"_(count|sum|bucket)$", "", metric)
                assert f'"{name}"' in source, metric
            for jobs in re.findall(r'entrypoint=~?"([a-z_|]+)"', rule["expr"]):
                for job in jobs.split("|"):
                    assert f"def {job}(" in source, job
            for services in re.findall(r'service=~?"([a-z_|]+)"', rule["expr"]):
                assert set(services.split("|")) <= set(SERVICES)


def test_both_services_with_legal_periods_are_watched_for_looking_and_for_reminding() -> None:
    (rule,) = [
        rule
        for group in read("alerts.yml")["groups"]
        for rule in group["rules"]
        if rule["alert"] == "ImeceClocksNotLookedAt"
    ]
    for service in ("protocols", "petitions"):
        for job in ("look_for_due_clocks", "remind_owners"):
            assert f'absent(imece_entrypoint_seconds_count{{service="{service}",entrypoint="{job}"}})' in rule["expr"]


def test_every_alert_is_explained() -> None:
    page = (ROOT / "docs/how-to/run-distributed.md").read_text()
    alerts = [rule["alert"] for group in read("alerts.yml")["groups"] for rule in group["rules"]]
    assert [] == [name for name in alerts if f"`{name}`" not in page]


# the image


def test_the_image_stands_on_a_python_that_the_project_takes() -> None:
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    bases = {rest.split()[0] for word, rest in instructions((DEPLOY / "Dockerfile").read_text()) if word == "FROM"}
    assert {f"python:{needed.removeprefix('>=')}-slim"} == bases


def test_the_image_does_not_run_as_root() -> None:
    (user,) = [rest for word, rest in last_stage() if word == "USER"]
    assert user not in ("root", "0")


def test_the_image_runs_a_command_that_exists() -> None:
    words = {word: yaml.safe_load(rest) for word, rest in last_stage() if word in ("ENTRYPOINT", "CMD")}
    assert [main.name if main.name != "main" else "imece"] == words["ENTRYPOINT"]
    assert "run" == accepts(words["CMD"]).name


def test_the_image_is_built_from_files_that_exist_and_are_sent_along() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for word, rest in instructions((DEPLOY / "Dockerfile").read_text()):
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored


def test_the_image_asks_its_health_where_it_is_told() -> None:
    (check,) = [rest for word, rest in last_stage() if word == "HEALTHCHECK"]
    assert f"http://127.0.0.1:{METRICS_PORT}/healthz" in check


def test_the_image_keeps_its_data_on_a_volume() -> None:
    (volume,) = [rest for word, rest in last_stage() if word == "VOLUME"]
    assert image_environment()["IMECE_DATA_DIR"] == volume


def test_the_constraints_are_used() -> None:
    assert (
        "pip install --no-cache-dir --disable-pip-version-check -c constraints.txt ."
        in (DEPLOY / "Dockerfile").read_text()
    )


# the town's server


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "imece.service").read_text().splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_starts_a_command_that_exists_and_restarts_it() -> None:
    program, *arguments = shlex.split(unit()["ExecStart"][0])
    assert "imece" == Path(program).name
    assert "run" == accepts(arguments).name
    assert ["always"] == unit()["Restart"]


def test_the_unit_sets_known_settings_and_runs_embedded() -> None:
    environment = dict(each.split("=", 1) for each in unit()["Environment"])
    assert "embedded" == Settings.from_environment(environment).mode


def test_the_unit_waits_longer_than_draining_takes() -> None:
    assert Settings().drain_deadline < int(unit()["TimeoutStopSec"][0])


# the sample of the environment


def sample() -> dict[str, str]:
    lines = re.findall(r"(?m)^#?(IMECE_[A-Z_]+)=(.*)$", (DEPLOY / "imece.env.sample").read_text())
    assert len(lines) == len(dict(lines))
    return dict(lines)


def test_the_sample_names_exactly_the_settings() -> None:
    assert list(KNOWN) == list(sample())


def test_the_sample_shows_the_defaults() -> None:
    assert Settings() == Settings.from_environment(sample())


def test_the_sample_changes_nothing_as_it_is() -> None:
    assert [] == [line for line in (DEPLOY / "imece.env.sample").read_text().splitlines() if line and line[0] != "#"]
