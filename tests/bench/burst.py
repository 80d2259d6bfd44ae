"""Ten thousand events at once: how fast they are taken, when the last office and the last person is told, and memory.

    make bench-burst [EVENTS=10000]

The events are clocks of protocols that ran out, as after a long downtime. Each concerns one office or two, and each
office has two holders: one without an address, one with mails at once or a daily digest. The ceiling is a bare insert
of as many rows as there are notifications, a commit each, in the same run.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import eventlet

eventlet.monkey_patch()

from harness import PASSWORD, System, distributed_system, free_port
from mail_server import MailServer, mail_server
from sqlalchemy import MetaData, func, insert, select, text

from services.kernel.actor import SYSTEM
from services.kernel.events import Scope
from services.notifications.adapters.tables import NOTICES, NOTIFICATIONS
from services.runtime.outbox import Message, post

EVENTS = int(os.environ.get("EVENTS", "10000"))
MAILS = int(os.environ.get("MAILS", "500"))
"""How many of them concern the office whose holder wants mails at once; the others are for the digest."""


def message(number: int, organisation: str, owner: str) -> Message:
    case = str(uuid.uuid4())
    return Message(
        name="clock.expired.v1",
        subject_id=case,
        subject_version=2,
        occurred_at=datetime.now(UTC),
        actor=SYSTEM,
        scope=Scope("34-35", None, organisation),
        data={
            "protocol_id": case, "reference": f"34-35/2026/{number}", "title": "Deneme", "municipality": "34-35",
            "municipality_name": "Şişli Belediyesi", "authority": "K34-35", "authority_name": "Şişli Kaymakamlığı",
            "organisation_id": organisation, "organisation_name": "Yer Çizenler", "petition_id": None,
            "clock_id": str(uuid.uuid4()), "kind": "PUBLISH_SUMMARY", "article": "5393/23", "whose": owner,
            "started_on": "2026-09-07", "due_on": "2026-09-14", "state": "expired",
        },
    )  # fmt: skip


def memory(system: System, service: str) -> int:
    """Resident memory of the service's processes, in MB."""
    pages = 0
    for process in system.processes[service]:
        pages += int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def counted(system: System, table: Any) -> int:
    with system.database("notifications").read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def person(system: System, name: str, role: str, stream: str) -> str:
    admin, address = system.client("admin"), f"{name}@belediye.example.org"
    user = admin.post("/users", {"username": f"test.{name}", "password": PASSWORD, "full_name": name, "email": address})
    admin.post(
        "/memberships", {"user_id": user["id"], "role": role, "valid_from": "2020-01-01", "municipality": "34-35"}
    )
    own = system.client(name)
    chosen = own.get("/preferences")
    events = [{"event": each["event"], "stream": stream} for each in chosen["events"]]
    own.ask("PUT", "/preferences", {"language": "tr", "events": events}, version=chosen["version"])
    return address


def bare(system: System, many: int) -> float:
    """Seconds for so many notifications, one commit each, in a plain loop."""
    database = system.database("notifications")
    row = {
        "office": "nobody@-", "event": "x", "subject_id": str(uuid.uuid4()), "reference": "", "template": "x",
        "params": {}, "created_at": datetime.now(UTC),
    }  # fmt: skip
    with database.write() as connection:
        connection.execute(text("CREATE TABLE bare (LIKE notifications INCLUDING ALL)"))
    alike = NOTIFICATIONS.to_metadata(MetaData(), name="bare")
    began = time.monotonic()
    for _ in range(many):
        with database.write() as connection:
            connection.execute(insert(alike).values(**row, id=str(uuid.uuid4()), event_id=str(uuid.uuid4())))
    took = time.monotonic() - began
    with database.write() as connection:
        connection.execute(text("DROP TABLE bare"))
    return took


def burst(system: System, mail: MailServer) -> None:
    organisation = system.organisation()
    # The registry hears of each expired clock too; the rapporteur owns the few that go out at once.
    digest = person(system, "burst.clerk", "registry_clerk", "daily")
    at_once = person(system, "burst.commission", "commission_rapporteur", "at_once")
    ceiling = bare(system, 2_000) / 2_000
    offices, notices = counted(system, NOTIFICATIONS), counted(system, NOTICES)
    before = {service: memory(system, service) for service in ("protocols", "notifications")}
    messages = [
        message(n, organisation, "commission_rapporteur" if n < MAILS else "registry_clerk") for n in range(EVENTS)
    ]
    expected, people = EVENTS + MAILS, 2 * (EVENTS + MAILS)
    began = time.monotonic()
    for start in range(0, EVENTS, 500):
        with system.database("protocols").write() as connection:
            post(connection, messages[start : start + 500])
    posted = time.monotonic() - began
    highest = dict(before)
    last_office = last_person = last_mail = 0.0
    while not (last_office and last_person and last_mail):
        now = time.monotonic() - began
        assert now < 900, "the burst does not end"
        last_office = last_office or (now if counted(system, NOTIFICATIONS) - offices >= expected else 0.0)
        last_person = last_person or (now if counted(system, NOTICES) - notices >= people else 0.0)
        last_mail = last_mail or (now if len(mail.to(at_once)) >= MAILS else 0.0)
        highest = {service: max(highest[service], memory(system, service)) for service in highest}
        eventlet.sleep(0.5)
    print(
        f"{EVENTS:,} events committed in {posted:.1f} s; {expected:,} office notifications, {people:,} personal notices"
    )
    print(f"last office told    {last_office:6.1f} s  {expected / last_office:6.0f}/s"
          f"  {ceiling * expected / last_office:.2f} of bare commits ({1 / ceiling:.0f}/s)")  # fmt: skip
    print(f"last person noted   {last_person:6.1f} s")
    print(f"last of {MAILS} mails   {last_mail:6.1f} s")
    for service, megabytes in highest.items():
        print(f"memory {service:<14} {before[service]} MB at rest, {megabytes} MB at most")
    print(f"mails to the one with a digest until now: {len(mail.to(digest))}")


def main() -> None:
    server, amqp = os.environ["IMECE_TEST_POSTGRES_URL"], os.environ["IMECE_TEST_AMQP_URL"]
    with tempfile.TemporaryDirectory() as place, mail_server(Path(place) / "mail", free_port()) as mail:
        settings = {
            "IMECE_SMTP_URL": f"smtp+plain://127.0.0.1:{mail.port}",
            "IMECE_MAIL_FROM": "imece@belediye.example.org",
        }
        with distributed_system(server, amqp, Path(place), **settings) as system:
            burst(system, mail)


if __name__ == "__main__":
    main()
