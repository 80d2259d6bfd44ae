"""Every setting of İmece, read once from the environment."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from services.kernel.calendar import Rules
from services.kernel.errors import Invalid
from services.kernel.reminder import Ladder
from services.kernel.text import Sentence

SERVICES = ("registry", "protocols", "petitions", "notifications", "gateway")
"""The services that exist, in the order in which they are started."""

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_A_YEAR = 366 * 86_400.0
_BUCKET = re.compile(r"/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/?\Z", re.ASCII)
_REGION = re.compile(r"region=[a-z0-9-]{1,40}\Z", re.ASCII)
_MAIL = re.compile(r"[^@\s<>\"']{1,64}@[A-Za-z0-9.-]{1,250}\Z")


def _flag(text: str) -> bool:
    if text.strip().lower() in _TRUE:
        return True
    if text.strip().lower() in _FALSE:
        return False
    raise ValueError(text)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return read


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < _A_YEAR:
        raise ValueError(text)
    return number


def _delays(text: str) -> str:
    for part in text.split(","):
        _seconds(part)
    return text


def _days(text: str) -> str:
    for part in text.split(","):
        _whole(1, 730)(part)
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(text)
    return text.rstrip("/")


def _bucket(text: str) -> str:
    parts = urlsplit(text)
    whole = parts.hostname and parts.username and parts.password and _BUCKET.match(parts.path)
    if parts.scheme not in ("s3", "s3s") or not whole or parts.port == 0 or parts.fragment:
        raise ValueError(text)
    if parts.query and _REGION.match(parts.query) is None:
        raise ValueError(text)
    return text


def _command(text: str) -> str:
    if not shlex.split(text):
        raise ValueError(text)
    return text


def _smtp(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("smtp", "smtps", "smtp+plain") or not parts.hostname:
        raise ValueError(text)
    return text


def _mail(text: str) -> str:
    if not _MAIL.match(text):
        raise ValueError(text)
    return text


def _networks(text: str) -> str:
    for part in text.split(","):
        ip_network(part.strip())
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return read


def _address(text: str) -> str:
    if text == "off":
        return text
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the largest TCP port
        raise ValueError(text)
    return text


def _setting(default: Any, read: Callable[[str], Any], meaning: str, values: str) -> Any:
    """A field that knows its reader and its row of the settings table."""
    return field(default=default, metadata={"read": read, "meaning": meaning, "values": values})


@dataclass(frozen=True)
class Settings:
    """The settings, each from `IMECE_<NAME>`; every default works embedded.

    The table of `docs/reference/settings.md` is written from these fields.
    """

    # where
    http_address: str = _setting("127.0.0.1:8000", _address, "Where the gateway answers", "host:port")
    metrics_address: str = _setting(
        "127.0.0.1:9464", _address, "Where metrics, health and readiness of a process answer", "host:port or off"
    )
    data_dir: Path = _setting(  # noqa: RUF009 - a Path does not change
        Path("data"), Path, "Embedded mode: databases and documents", "a folder"
    )
    public_url: str = _setting(
        "http://127.0.0.1:8000", _web_address, "Where people reach İmece; links in mails and receipts", "https://…"
    )
    documents_dir: str = _setting(
        "",
        str,
        "Documents, and files while they are read; on a disk, and in distributed mode one that the services share",
        "a folder; empty: documents in IMECE_DATA_DIR",
    )
    database_url: str = _setting(
        "", str, "PostgreSQL server; each service takes the database imece_<service> there", "postgresql://…/"
    )
    registry_database_url: str = _setting("", str, "Database of registry alone", "postgresql://…/name")
    protocols_database_url: str = _setting("", str, "Database of protocols alone", "postgresql://…/name")
    petitions_database_url: str = _setting("", str, "Database of petitions alone", "postgresql://…/name")
    notifications_database_url: str = _setting("", str, "Database of notifications alone", "postgresql://…/name")
    gateway_database_url: str = _setting("", str, "Database of gateway alone", "postgresql://…/name")
    amqp_url: str = _setting("", str, "RabbitMQ; when set, the mode is distributed", "amqp://…")
    documents_url: str = _setting(
        "",
        _bucket,
        "Documents in a store that speaks S3, instead of a folder; services then need not share a disk",
        "s3://key:secret@host:port/bucket; s3s:// over TLS; ?region=… where there are several",
    )
    scan_command: str = _setting(
        "",
        _command,
        "Virus scanner that reads a file from its input; 0 is clean, 1 is infected, anything else means try again",
        "a command, such as clamdscan --no-summary -",
    )
    # mail and other channels
    smtp_url: str = _setting(
        "",
        _smtp,
        "Mail server; smtp:// demands STARTTLS, smtps:// is TLS from the start, smtp+plain:// sends in the clear",
        "smtp://user:password@host:587; empty: no mail is sent",
    )
    mail_from: str = _setting("", _mail, "Sender of the mails", "an e-mail address; needed with IMECE_SMTP_URL")
    channel_url: str = _setting(
        "",
        str,
        "Another channel, such as an SMS gateway, as an apprise URL in which {to} is the person's address there",
        "an apprise URL; empty: none",
    )
    digest_hour: int = _setting(8, _whole(0, 23), "Hour of the day (Europe/Istanbul) at which digests go out", "0–23")
    digest_weekday: int = _setting(1, _whole(1, 7), "Day of the weekly digest", "1 (Monday) – 7")
    delivery_delays: str = _setting(
        "30,120,600,1800,3600,10800,21600,43200",
        _delays,
        "Seconds before a mail or webhook is tried again; after the last it is given up",
        "seconds, …",
    )
    webhook_networks: str = _setting(
        "",
        _networks,
        "Networks inside the house that webhooks may reach all the same",
        "networks such as 10.1.0.0/16, separated by commas",
    )
    reminder_days: str = _setting(
        "10,5,2", _days, "Days before a due date that its owner is reminded; the clock's own days", "days, …"
    )
    reminder_head_days: int = _setting(
        5, _whole(1, 365), "Days after a missed due date that the head of the office is told", "1–365"
    )
    # people
    language: str = _setting("tr", _one_of("tr", "en"), "Language where the caller asks for none", "tr, en")
    demo: bool = _setting(
        default=False, read=_flag, meaning="Create the demo's offices and organisations at start", values="true, false"
    )
    demo_password: str = _setting("", str, "Password of the demo's users; empty: made at first start", "text")
    demo_clock: bool = _setting(
        default=False, read=_flag, meaning="Allow PUT /demo/clock (embedded mode only)", values="true, false"
    )
    session_hours: int = _setting(12, _whole(1, 24 * 30), "A sign-in ends after so many hours", "1–720")
    session_idle_minutes: int = _setting(
        60, _whole(1, 24 * 60), "A sign-in ends after so many minutes without a request", "1–1440"
    )
    trusted_proxies: int = _setting(0, _whole(0, 5), "Proxies in front whose X-Forwarded-For is believed", "0–5")
    max_body_kilobytes: int = _setting(1024, _whole(16, 102400), "Largest request body", "16–102400")
    max_upload_megabytes: int = _setting(200, _whole(1, 4096), "Largest request with a file", "1–4096")
    max_attachment_megabytes: int = _setting(20, _whole(1, 1024), "Largest attachment of a petition", "1–1024")
    attachments_each: int = _setting(20, _whole(1, 200), "Attachments of one petition", "1–200")
    petitions_per_hour: int = _setting(
        20, _whole(1, 10_000), "Petitions and signatures an hour from one address without a sign-in", "1–10000"
    )
    tracking_per_minute: int = _setting(
        60, _whole(1, 10_000), "Looks at tracking pages a minute from one address", "1–10000"
    )
    # the law where it leaves a choice ([U] in the domain reference)
    half_day_is_working_day: bool = _setting(
        default=True, read=_flag, meaning="Holiday eves (from 13:00) count as working days", values="true, false"
    )
    administrative_leave_is_holiday: bool = _setting(
        default=False, read=_flag, meaning="Administrative leave counts as a holiday", values="true, false"
    )
    roll_over: bool = _setting(
        default=True,
        read=_flag,
        meaning="A period of 5393 or 5216 whose last day is no working day ends with the next one, as in 2577/8",
        values="true, false",
    )
    mayor_return_from: str = _setting(
        "decision",
        _one_of("decision", "record"),
        "The mayor's return period runs from the council's sitting or from the day its decision was recorded",
        "decision, record",
    )
    mayor_may_waive_return: bool = _setting(
        default=False,
        read=_flag,
        meaning="The mayor may let a decision stand before the period ends",
        values="true, false",
    )
    permission_silence_days: int = _setting(
        30, _whole(1, 365), "Days after which the authority's silence opens the way to court (2577/10)", "1–365"
    )
    document_request_pauses_silence: bool = _setting(
        default=True, read=_flag, meaning="Asking for documents pauses the silence period", values="true, false"
    )
    completion_pauses_answer: bool = _setting(
        default=True,
        read=_flag,
        meaning="Asking the petitioner for what is missing stops the period to answer until it is supplied",
        values="true, false",
    )
    completion_days: int = _setting(
        30, _whole(1, 365), "Days a petitioner has to supply what is missing (3071/4, 6-c)", "1–365"
    )
    fee_notice: str = _setting(
        "restart",
        _one_of("restart", "pause"),
        "After the fee of an information request is paid its period begins anew, or goes on (4982/11)",
        "restart, pause",
    )
    forwarded_counts_from: str = _setting(
        "filing",
        _one_of("filing", "receipt"),
        "The period of a forwarded petition runs from its first filing or from its receipt (3071/5)",
        "filing, receipt",
    )
    audit_warning_days: str = _setting(
        "60",
        _days,
        "Days before the audit of a public-benefit association is due that the registrar is told",
        "days, …",
    )
    status_ending_warning_days: str = _setting(
        "90,30", _days, "Days before the last day of a status that registrar and organisation are told", "days, …"
    )
    # machinery
    max_workers: int = _setting(16, _whole(2, 256), "Requests handled at the same time in one process", "2–256")
    rpc_timeout: float = _setting(10.0, _seconds, "Seconds a question to another service may take", "seconds")
    handler_deadline: float = _setting(30.0, _seconds, "Seconds one event may take in a consumer", "seconds")
    scheduler_interval: float = _setting(5.0, _seconds, "Seconds between two looks for clocks that fall due", "seconds")
    relay_interval: float = _setting(
        1.0, _seconds, "Seconds between two looks into the outbox without a wake-up", "seconds"
    )
    drain_deadline: float = _setting(20.0, _seconds, "Seconds to finish work in flight on SIGTERM", "seconds")
    housekeeping_interval: float = _setting(600.0, _seconds, "Seconds between two clean-ups of old answers", "seconds")
    replies_kept_days: int = _setting(
        7, _whole(1, 365), "Days for which a repeated Idempotency-Key gets its first answer", "1–365"
    )
    messages_kept_days: int = _setting(
        365, _whole(31, 3_650), "Days for which it is kept which messages people were sent", "31–3650"
    )
    open_data_hour: int = _setting(
        3, _whole(0, 23), "Hour of the day (Europe/Istanbul) at which the open data are made", "0–23"
    )
    anchor_interval: float = _setting(3600.0, _seconds, "Seconds between two anchors of the histories", "seconds")
    retry_delays: str = _setting(
        "1,5,30,120,600",
        _delays,
        "Seconds before an event is tried again; then it goes to the dead queue",
        "seconds, …",
    )
    log_level: str = _setting(
        "INFO", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "Least level logged", "DEBUG … ERROR"
    )

    @property
    def mode(self) -> Literal["embedded", "distributed"]:
        """Distributed as soon as a broker is named; otherwise everything runs in one process."""
        return "distributed" if self.amqp_url else "embedded"

    @property
    def rules(self) -> Rules:
        """How days are counted."""
        return Rules(
            half_day_is_working_day=self.half_day_is_working_day,
            administrative_leave_is_holiday=self.administrative_leave_is_holiday,
            roll_over=self.roll_over,
        )

    @property
    def delays(self) -> tuple[float, ...]:
        """The retry delays in seconds, growing."""
        return tuple(float(part) for part in self.retry_delays.split(","))

    @property
    def documents(self) -> Path:
        """The folder of documents."""
        return Path(self.documents_dir) if self.documents_dir else self.data_dir / "documents"

    @property
    def largest_upload(self) -> int:
        """Bytes that a request with a file may have."""
        return self.max_upload_megabytes * 1024 * 1024

    @property
    def largest_attachment(self) -> int:
        """Bytes that one attachment of a petition may have."""
        return self.max_attachment_megabytes * 1024 * 1024

    @property
    def delivery_pauses(self) -> tuple[float, ...]:
        """Seconds before each further try of a mail or webhook; after the last it is given up."""
        return tuple(float(part) for part in self.delivery_delays.split(","))

    @property
    def ladder(self) -> Ladder:
        """When the owner of a clock is reminded."""
        before = sorted({int(part) for part in self.reminder_days.split(",")}, reverse=True)
        return Ladder(before=tuple(before), head=self.reminder_head_days)

    @property
    def audit_warnings(self) -> tuple[int, ...]:
        """How many days before an audit is due it is told of."""
        return tuple(int(part) for part in self.audit_warning_days.split(","))

    @property
    def status_ending_warnings(self) -> tuple[int, ...]:
        """How many days before a status ends it is told of."""
        return tuple(int(part) for part in self.status_ending_warning_days.split(","))

    def database_of(self, service: str) -> str:
        """SQLAlchemy URL of the service's own database."""
        own: str = getattr(self, f"{service}_database_url")
        if own:
            return _with_driver(own)
        if self.database_url:
            return _with_driver(f"{self.database_url.rstrip('/')}/imece_{service}")
        return f"sqlite:///{self.data_dir.resolve() / service}.sqlite"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The settings of this process; Invalid names each variable that cannot be read."""
        found: dict[str, Any] = {}
        wrong: list[tuple[str, Sentence]] = []
        for each in fields(cls):
            name = f"IMECE_{each.name.upper()}"
            text = environ.get(name)
            if text is None or text == "":
                continue
            try:
                found[each.name] = each.metadata["read"](text)
            except ValueError:
                wrong.append((name, Sentence("must be one of: {values}", values=each.metadata["values"])))
        settings = cls(**found)
        wrong += [
            (name, Sentence("is not a setting of İmece; see docs/reference/settings.md"))
            for name in environ
            if name.startswith("IMECE_") and not name.startswith("IMECE_TEST_") and name not in _NAMES
        ]
        if settings.smtp_url and not settings.mail_from:
            wrong.append(("IMECE_MAIL_FROM", Sentence("is needed with IMECE_SMTP_URL: the sender of the mails")))
        if settings.demo_clock and settings.mode == "distributed":
            wrong.append(("IMECE_DEMO_CLOCK", Sentence("works in embedded mode only; unset it or IMECE_AMQP_URL")))
        if settings.mode == "distributed" and any(settings.database_of(s).startswith("sqlite") for s in SERVICES):
            wrong.append(("IMECE_DATABASE_URL", Sentence("is needed with IMECE_AMQP_URL: a PostgreSQL address")))
        if settings.mode == "embedded" and not all(settings.database_of(s).startswith("sqlite") for s in SERVICES):
            # The pump follows ids, and only SQLite commits in their order.
            wrong.append(
                ("IMECE_AMQP_URL", Sentence("is needed with a PostgreSQL address: embedded mode works on SQLite only"))
            )
        if wrong:
            raise Invalid.fields(wrong)
        return settings


def _with_driver(url: str) -> str:
    """The URL with our driver named, whatever short form was given."""
    for short in ("postgresql://", "postgres://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    return url


_NAMES = frozenset(f"IMECE_{each.name.upper()}" for each in fields(Settings))


def settings_table() -> str:
    """The settings as a Markdown table."""
    rows = ["| setting | default | values | meaning |", "|---|---|---|---|"]
    for each in fields(Settings):
        default = str(each.default).lower() if isinstance(each.default, bool) else str(each.default)
        shown = f"`{default}`" if default else "–"
        rows.append(
            f"| `IMECE_{each.name.upper()}` | {shown} | {each.metadata['values']} | {each.metadata['meaning']} |"
        )
    return "\n".join(rows) + "\n"
