"""Settings are read once, and everything wrong with them is said at once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from services.kernel.calendar import Rules
from services.kernel.errors import Invalid
from services.runtime.settings import SERVICES, Settings, settings_table

WRONG = {
    "IMECE_HTTP_ADDRESS": "8000",
    "IMECE_METRICS_ADDRESS": "127.0.0.1:99999",
    "IMECE_LANGUAGE": "de",
    "IMECE_DEMO": "perhaps",
    "IMECE_DEMO_CLOCK": "2",
    "IMECE_SESSION_HOURS": "0",
    "IMECE_SESSION_IDLE_MINUTES": "soon",
    "IMECE_TRUSTED_PROXIES": "-1",
    "IMECE_MAX_UPLOAD_MEGABYTES": "0",
    "IMECE_MAX_BODY_KILOBYTES": "1e6",
    "IMECE_HALF_DAY_IS_WORKING_DAY": "belki",
    "IMECE_ADMINISTRATIVE_LEAVE_IS_HOLIDAY": "x",
    "IMECE_ROLL_OVER": "x",
    "IMECE_MAYOR_RETURN_FROM": "sitting",
    "IMECE_MAYOR_MAY_WAIVE_RETURN": "x",
    "IMECE_PERMISSION_SILENCE_DAYS": "366",
    "IMECE_DOCUMENT_REQUEST_PAUSES_SILENCE": "x",
    "IMECE_AUDIT_WARNING_DAYS": "0",
    "IMECE_STATUS_ENDING_WARNING_DAYS": "90,soon",
    "IMECE_MAX_WORKERS": "1",
    "IMECE_RPC_TIMEOUT": "0",
    "IMECE_HANDLER_DEADLINE": "-1",
    "IMECE_SCHEDULER_INTERVAL": "nan",
    "IMECE_RELAY_INTERVAL": "inf",
    "IMECE_DRAIN_DEADLINE": "x",
    "IMECE_ANCHOR_INTERVAL": "0",
    "IMECE_OPEN_DATA_HOUR": "24",
    "IMECE_HOUSEKEEPING_INTERVAL": "0",
    "IMECE_REPLIES_KEPT_DAYS": "0",
    "IMECE_MESSAGES_KEPT_DAYS": "30",
    "IMECE_RETRY_DELAYS": "1,soon",
    "IMECE_LOG_LEVEL": "info",
    "IMECE_PUBLIC_URL": "imece.example.org",
    "IMECE_DOCUMENTS_URL": "s3://host/bucket",
    "IMECE_SMTP_URL": "mail.example.org:587",
    "IMECE_MAIL_FROM": "imece",
    "IMECE_DIGEST_HOUR": "24",
    "IMECE_DIGEST_WEEKDAY": "0",
    "IMECE_DELIVERY_DELAYS": "soon",
    "IMECE_WEBHOOK_NETWORKS": "10.0.0.0/33",
    "IMECE_REMINDER_DAYS": "0",
    "IMECE_REMINDER_HEAD_DAYS": "0",
    "IMECE_MAX_ATTACHMENT_MEGABYTES": "0",
    "IMECE_ATTACHMENTS_EACH": "0",
    "IMECE_PETITIONS_PER_HOUR": "0",
    "IMECE_TRACKING_PER_MINUTE": "0",
    "IMECE_COMPLETION_PAUSES_ANSWER": "x",
    "IMECE_COMPLETION_DAYS": "0",
    "IMECE_FEE_NOTICE": "stop",
    "IMECE_FORWARDED_COUNTS_FROM": "today",
}
FREE = {
    "data_dir",
    "documents_dir",
    "demo_password",
    "scan_command",
    "channel_url",
    "amqp_url",
    "database_url",
    *(f"{name}_database_url" for name in SERVICES),
}
"""Settings that take any text."""
SERVER, BROKER = "postgresql://imece@db.example:5432", "amqp://imece@mq.example:5672//"


def refused(environ: dict[str, str]) -> list[str]:
    """The variables named in the refusal, in its order."""
    with pytest.raises(Invalid) as error:
        Settings.from_environment(environ)
    return [each["field"] for each in error.value.details["errors"]]


def test_every_default_works_embedded() -> None:
    assert Settings() == Settings.from_environment({})
    assert "embedded" == Settings().mode


def test_every_setting_is_read_from_its_variable() -> None:
    assert {each.name for each in fields(Settings)} == {name.removeprefix("IMECE_").lower() for name in WRONG} | FREE


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_cannot_be_read_is_named(name: str) -> None:
    assert [name] == refused({name: WRONG[name]})


def test_all_wrong_values_are_named_at_once() -> None:
    assert set(WRONG) == set(refused(WRONG))


def test_a_refusal_says_what_would_be_right() -> None:
    with pytest.raises(Invalid) as error:
        Settings.from_environment({"IMECE_LANGUAGE": "de"})
    assert {"values": "tr, en"} == error.value.details["errors"][0]["message"]["values"]


def test_a_mail_server_needs_a_sender() -> None:
    assert ["IMECE_MAIL_FROM"] == refused({"IMECE_SMTP_URL": "smtp://mail.example.org:587"})


def test_a_variable_of_ours_that_is_no_setting_is_named() -> None:
    assert ["IMECE_LANGAUGE"] == refused({"IMECE_LANGAUGE": "tr"})


def test_variables_of_the_tests_and_of_others_are_left_alone() -> None:
    assert Settings() == Settings.from_environment({"IMECE_TEST_AMQP_URL": "x", "PATH": "/bin", "LANGUAGE": "de"})


@pytest.mark.parametrize("each", fields(Settings), ids=lambda each: each.name)
def test_an_empty_variable_means_the_default(each: object) -> None:
    name = f"IMECE_{each.name.upper()}"  # type: ignore[attr-defined]
    assert Settings() == Settings.from_environment({name: ""})


def test_values_are_taken() -> None:
    found = Settings.from_environment(
        {
            "IMECE_DATA_DIR": "/srv/imece",
            "IMECE_DEMO": "Yes",
            "IMECE_ROLL_OVER": "off",
            "IMECE_MAX_WORKERS": "4",
            "IMECE_RETRY_DELAYS": "0.5,2",
            "IMECE_METRICS_ADDRESS": "off",
            "IMECE_HTTP_ADDRESS": "[::1]:80",
        }
    )
    assert (Path("/srv/imece"), True, False, 4, (0.5, 2.0), "off", "[::1]:80") == (
        found.data_dir, found.demo, found.roll_over, found.max_workers, found.delays, found.metrics_address,
        found.http_address,
    )  # fmt: skip


def test_a_broker_makes_the_mode_distributed() -> None:
    assert "distributed" == Settings.from_environment({"IMECE_AMQP_URL": BROKER, "IMECE_DATABASE_URL": SERVER}).mode


def test_distributed_mode_needs_a_database_server_for_every_service() -> None:
    assert ["IMECE_DATABASE_URL"] == refused({"IMECE_AMQP_URL": BROKER})
    three = {f"IMECE_{name.upper()}_DATABASE_URL": f"{SERVER}/x" for name in SERVICES[:3]}
    assert ["IMECE_DATABASE_URL"] == refused({"IMECE_AMQP_URL": BROKER, **three})


@pytest.mark.parametrize("name", ["IMECE_DATABASE_URL", "IMECE_GATEWAY_DATABASE_URL"])
def test_a_database_server_needs_distributed_mode_since_only_sqlite_commits_in_the_order_of_ids(name: str) -> None:
    assert ["IMECE_AMQP_URL"] == refused({name: SERVER})


def test_the_demo_clock_works_embedded_only() -> None:
    distributed = {"IMECE_AMQP_URL": BROKER, "IMECE_DATABASE_URL": SERVER}
    assert ["IMECE_DEMO_CLOCK"] == refused({**distributed, "IMECE_DEMO_CLOCK": "true"})


@pytest.mark.parametrize("scheme", ["postgresql://", "postgres://", "postgresql+psycopg://"])
def test_each_service_has_a_database_of_its_own_with_our_driver(scheme: str) -> None:
    settings = Settings(database_url=f"{scheme}imece@db/", protocols_database_url=f"{scheme}p@other/files")
    assert "postgresql+psycopg://imece@db/imece_registry" == settings.database_of("registry")
    assert "postgresql+psycopg://p@other/files" == settings.database_of("protocols")


def test_embedded_databases_are_files_in_the_data_folder(tmp_path: Path) -> None:
    assert f"sqlite:///{tmp_path}/registry.sqlite" == Settings(data_dir=tmp_path).database_of("registry")


def test_the_rules_of_counting_follow_the_settings() -> None:
    settings = Settings(half_day_is_working_day=False, administrative_leave_is_holiday=True, roll_over=False)
    assert Rules(half_day_is_working_day=False, administrative_leave_is_holiday=True, roll_over=False) == settings.rules


def test_the_table_of_settings_has_a_row_for_each() -> None:
    rows = settings_table().splitlines()[2:]
    assert [f"| `IMECE_{each.name.upper()}` " for each in fields(Settings)] == [
        row.split("|")[0] + "|" + row.split("|")[1] for row in rows
    ]
