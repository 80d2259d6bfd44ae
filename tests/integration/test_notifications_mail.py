"""Mail to people over a real SMTP server: once each, in their language, whatever the server answers."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import ssl
import subprocess
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import eventlet
import pytest
from harness import free_port, until
from machine import new_postgres
from mail_server import REFUSES_US, Mail, MailServer, mail_server
from sqlalchemy import select, text

from services.kernel.actor import Actor
from services.kernel.errors import Unavailable, error_from_plain
from services.notifications.adapters import mail as smtp_line
from services.notifications.adapters.post import PostRows, place, take_report
from services.notifications.adapters.repository import Repository
from services.notifications.adapters.tables import DELIVERIES, METADATA, NOTIFICATIONS
from services.notifications.application import posting
from services.notifications.application.posting import Suppression
from services.notifications.domain.delivery import LEASE, fingerprint
from services.notifications.domain.happening import Notification, notification_id
from services.notifications.service import NotificationsService
from services.notifications.service import dispatch as posting_desk
from services.notifications.service.post import DeliveryShelf
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.migration import upgrade
from services.runtime.settings import Settings

TURN = "protocol.moved.v1/turn"
DAY = 24 * 3600
PARAMS = {
    "title": "Engelsiz sokaklar",
    "municipality_name": "Şişli Belediyesi",
    "authority_name": "Şişli Kaymakamlığı",
    "organisation_name": "Yer Çizenler",
    "turn": "mayor",
    "to": "permission_refused",
    "done_on": "2026-03-02",
}


class Gateway:
    """What the gateway answers: who holds which office, and where they are reached."""

    def __init__(self) -> None:
        self.offices: dict[str, list[str]] = {}
        self.addresses: dict[str, str | None] = {}
        self.away = False
        self.hangs_seconds = 0.0
        self.asked = 0

    def holders(self, offices: list[str], on: str) -> dict[str, list[dict[str, Any]]]:  # noqa: ARG002 - the RPC
        self._answer()
        return {
            office: [{"user_id": user, "email": self.addresses[user]} for user in self.offices.get(office, [])]
            for office in offices
        }

    def mailboxes(self, user_ids: list[str]) -> dict[str, str | None]:
        self._answer()
        return {user: self.addresses.get(user) for user in user_ids}

    def _answer(self) -> None:
        self.asked += 1
        eventlet.sleep(self.hangs_seconds)
        if self.away or self.hangs_seconds:
            raise Unavailable("away")


class Petitions:
    """What petitions answers: the one place where petitioners' addresses are kept."""

    def __init__(self) -> None:
        self.contacts: dict[str, dict[str, Any]] = {}
        self.hangs_seconds = 0.0
        self.asked = 0

    def contact_of(self, recipient: str) -> dict[str, Any] | None:
        self.asked += 1
        eventlet.sleep(self.hangs_seconds)
        if self.hangs_seconds:
            raise Unavailable("away")
        return self.contacts.get(recipient)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of notifications, once of each kind."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('mail') / 'notifications.sqlite'}")
        upgrade(made, "notifications")
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        upgrade(made, "notifications")
        yield made
        made.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(tmp_path_factory.mktemp("mails"), free_port()) as made:
        yield made


class House:
    """The service over its database, with a real mail server behind it."""

    def __init__(self, database: Database, server: MailServer) -> None:
        self.database, self.server = database, server
        self.gateway, self.petitions, self.time = Gateway(), Petitions(), Time()
        self.settings = Settings(
            smtp_url=f"smtp+plain://127.0.0.1:{server.port}",
            mail_from="imece@sisli.example.org",
            public_url="https://imece.example.org",
            delivery_delays="30,120,600",
        )
        self.service = self.replica()

    def replica(self) -> NotificationsService:
        made: Any = NotificationsService()
        made.database, made.settings, made.time = self.database, self.settings, self.time
        made.gateway, made.petitions = self.gateway, self.petitions
        return made  # type: ignore[no-any-return]

    def holder(self, name: str = "reader", *, language: str | None = "en") -> tuple[str, str, str]:
        """A new office with one holder: (office, user, address)."""
        user, office = str(uuid.uuid4()), f"mayor@{uuid.uuid4().hex[:8]}"
        address = f"{name}@{uuid.uuid4().hex[:8]}.example.org"
        self.gateway.offices[office], self.gateway.addresses[user] = [user], address
        if language:
            self.choose(user, language=language)
        return office, user, address

    def choose(self, user: str, **wanted: Any) -> dict[str, Any]:
        version = answer(self.service.preferences(user_id=user))["version"]
        return answer(self.service.choose(user_id=user, expected_version=version, **wanted))

    def tell(self, office: str, template: str = "protocol.moved.v1/refuse", topic: str = TURN, **params: Any) -> str:
        event_id = str(uuid.uuid4())
        told = Notification(
            id=notification_id(event_id, office),
            office=office,
            event_id=event_id,
            event=template.partition("/")[0],
            subject_id=str(uuid.uuid4()),
            reference="34-35/2026/7",
            template=template,
            params=PARAMS | params,
            created_at=self.time.now(),
            topic=topic,
        )
        with self.database.write() as connection:
            Repository(connection).tell([told])
        return event_id

    def run(self) -> None:
        self.service.tell_people()
        self.service.send_mails()

    def wait(self, seconds: float) -> None:
        self.time.offset += timedelta(seconds=seconds)

    def deliveries(self, recipient: str) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            rows = connection.execute(
                select(DELIVERIES).where(DELIVERIES.c.recipient == recipient).order_by(DELIVERIES.c.created_at)
            )
            return [dict(row) for row in rows.mappings()]

    def states(self, user: str) -> list[tuple[str, str | None]]:
        return [(each["state"], each["cause"]) for each in self.deliveries(f"person@{user}")]


@pytest.fixture
def house(database: Database, server: MailServer) -> House:
    server.empty()
    with database.write() as connection:
        connection.execute(DELIVERIES.delete())
    return House(database, server)


def answer(reply: dict[str, Any]) -> Any:
    if "error" in reply:
        raise error_from_plain(reply["error"])
    return reply["result"]


ON_ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""


def one(mails: list[Mail]) -> Mail:
    assert 1 == len(mails)
    return mails[0]


def test_whoever_holds_the_office_gets_one_mail_in_plain_text_and_html(house: House) -> None:
    office, user, address = house.holder()
    house.tell(office)
    house.run()
    house.run()
    mail = one(house.server.to(address))
    assert [("sent", None)] == house.states(user)
    assert "Permission refused (34-35/2026/7)" == mail.message["Subject"]
    for shown in (mail.text, mail.html):
        assert "Şişli Kaymakamlığı refused permission." in shown
        assert "Next to act: the mayor (Şişli Belediyesi)." in shown
        assert "formal service alone counts (7201/7-a)" in shown
        assert "https://imece.example.org/" in shown
        assert re.search(r"https://imece\.example\.org/unsubscribe/[0-9a-f-]{36}", shown), "a page for people"
        assert "/api/v1/unsubscribe/" not in shown
    assert '<html lang="en">' in mail.html
    assert "imece@sisli.example.org" == mail.sender


@ON_ONE_DATABASE
def test_a_mail_has_the_headers_that_mail_programs_need(house: House) -> None:
    office, user, address = house.holder()
    house.tell(office)
    house.run()
    mail = one(house.server.to(address))
    message = mail.message
    assert "\nList-Unsubscribe: <https://imece.example.org/api/v1/unsubscribe/" in mail.raw, (
        "no program reads it otherwise"
    )
    (delivery,) = house.deliveries(f"person@{user}")
    assert f"<{delivery['id']}@sisli.example.org>" == message["Message-ID"] == delivery["message_id"]
    assert "auto-generated" == message["Auto-Submitted"]
    assert "en" == message["Content-Language"]
    assert "List-Unsubscribe=One-Click" == message["List-Unsubscribe-Post"]
    assert str(message["List-Unsubscribe"]).startswith("<https://imece.example.org/api/v1/unsubscribe/")
    assert message["Date"].datetime.tzinfo is not None


@ON_ONE_DATABASE
def test_words_come_in_the_language_that_was_chosen_else_in_the_installations(house: House) -> None:
    office, _, address = house.holder(language=None)
    house.tell(office)
    house.run()
    assert "İzin" in str(one(house.server.to(address)).message["Subject"])


@ON_ONE_DATABASE
def test_what_is_written_by_people_cannot_become_html(house: House) -> None:
    office, _, address = house.holder()
    house.tell(office, title="<script>alert(1)</script>")
    house.run()
    html = one(house.server.to(address)).html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_petitioner_gets_a_receipt_with_a_link_that_needs_no_sign_in(house: House) -> None:
    petition = str(uuid.uuid4())
    house.petitions.contacts[f"petitioner@{petition}"] = {
        "email": "dilekce@example.org",
        "language": "tr",
        "values": {"tracking_code": "ABCD-EFGH"},
    }
    house.tell(f"petitioner@{petition}", "petition.submitted.v1", "petition.submitted.v1", number="34-35/2026/D7")
    house.run()
    mail = one(house.server.to("dilekce@example.org"))
    assert "Dilekçe alındı" in str(mail.message["Subject"])
    assert "https://imece.example.org/tracking/ABCD-EFGH" in mail.text


def test_an_organisation_without_an_account_is_reached_by_the_address_of_its_petition(house: House) -> None:
    office = f"organisation_representative@{uuid.uuid4()}"
    told = house.tell(office, "petition.moved.v1/reply", "petition.moved.v1/outcome", number="34-35/2026/D7")
    with house.database.read() as connection:
        subject = connection.execute(
            select(NOTIFICATIONS.c.subject_id).where(NOTIFICATIONS.c.event_id == told)
        ).scalar_one()
    house.petitions.contacts[f"petitioner@{subject}"] = {"email": "dernek@example.org", "language": "tr", "values": {}}
    house.run()
    assert "Dilekçe cevaplandı" in str(one(house.server.to("dernek@example.org")).message["Subject"])


@ON_ONE_DATABASE
def test_a_signature_is_confirmed_by_a_link_that_petitions_gives(house: House) -> None:
    support = f"supporter@{uuid.uuid4()}"
    values = {"confirm_url": "https://imece.example.org/confirm/xyz"}
    house.petitions.contacts[support] = {"email": "imza@example.org", "language": "en", "values": values}
    house.tell(support, "petition.support_requested.v1", "petition.support_requested.v1", number="34-35/2026/D7")
    house.run()
    assert "https://imece.example.org/confirm/xyz" in one(house.server.to("imza@example.org")).html


def test_no_address_and_no_text_is_kept(house: House) -> None:
    office, _, address = house.holder("nobody")
    house.tell(office)
    house.run()
    with house.database.read() as connection:
        for table in METADATA.sorted_tables:
            kept = str(connection.execute(select(table)).all())
            assert address not in kept, table.name


def test_whoever_left_no_address_is_passed_over(house: House) -> None:
    office, user, _ = house.holder()
    house.gateway.addresses[user] = None
    house.tell(office)
    house.tell(f"petitioner@{uuid.uuid4()}", "petition.submitted.v1")
    house.run()
    assert [("suppressed", "no_address")] == house.states(user)


def test_an_outage_of_the_mail_server_costs_no_mail_and_doubles_none(house: House) -> None:
    offices = [house.holder() for _ in range(5)]
    house.server.stop()
    for office, _, _ in offices:
        house.tell(office)
    house.run()
    assert [[("waiting", "channel_away")]] * 5 == [house.states(user) for _, user, _ in offices]
    assert {0} == {each["attempts"] for _, user, _ in offices for each in house.deliveries(f"person@{user}")}
    house.server.start()
    house.wait(31)
    house.run()
    for _, user, address in offices:
        assert 1 == len(house.server.to(address))
        assert [("sent", None)] == house.states(user)


def test_an_outage_that_does_not_end_makes_dead_letters_which_can_be_sent_later(house: House) -> None:
    office, user, address = house.holder()
    house.service.settings = replace(house.settings, smtp_url="smtp+plain://127.0.0.1:1")
    house.tell(office)
    house.run()
    house.wait(6 * DAY)
    house.service.send_mails()
    assert [("waiting", "channel_away")] == house.states(user)
    house.wait(DAY)
    house.service.send_mails()
    assert [("failed", "channel_away")] == house.states(user)
    house.service.settings = house.settings
    shelf = next(each for each in house.service.shelves(house.database, house.settings) if type(each) is DeliveryShelf)
    (letter,) = shelf.page(0, 10)
    assert ("delivery", f"person@{user}", "channel_away") == (letter["kind"], letter["of"], letter["cause"])
    assert letter == shelf.redrive(letter["id"])
    house.run()
    assert 1 == len(house.server.to(address))
    assert 0 == shelf.count()


def test_of_a_petitioner_whose_address_does_not_work_the_clerk_is_told_with_the_number(house: House) -> None:
    refused = f"nobody@{uuid.uuid4().hex[:8]}.example.org"
    clerk = Actor(role="registry_clerk", municipality="34-35").to_plain()
    for _ in range(2):
        petition = str(uuid.uuid4())
        petitioner = f"petitioner@{petition}"
        house.petitions.contacts[petitioner] = {"email": refused, "language": "tr", "values": {}}
        for _ in range(2):
            house.tell(petitioner, "petition.submitted.v1", "petition.submitted.v1", number="34-35/2026/D7")
            house.run()
        told = answer(house.service.list_notifications(actor=clerk, language="en"))["items"]
        own = one([each for each in told if each["subject_id"] == petition])
        assert ("mail.petitioner_address_bounced", "34-35/2026/7") == (own["event"], own["reference"])
        assert refused not in str(own)


def test_an_address_refused_for_good_gets_no_mail_again_and_is_a_task_for_the_administrator(house: House) -> None:
    office, user, address = house.holder("nobody")
    house.tell(office)
    house.run()
    house.tell(office)
    house.run()
    assert [("failed", "address_refused"), ("suppressed", "bouncing")] == house.states(user)
    admin = Actor(role="administrator", user_id=str(uuid.uuid4())).to_plain()
    newest = answer(house.service.list_notifications(actor=admin, language="en"))["items"][0]
    masked = f"n…@{address.partition('@')[2]}"
    assert "mail.address_bounced" == newest["event"]
    assert masked in newest["body"]
    mayor = Actor(role="mayor", municipality="34-35", user_id=user).to_plain()
    own = answer(house.service.list_notifications(actor=mayor, language="en"))["items"][0]
    assert "Your e-mail address does not work" == own["title"]
    (listed,) = [
        each for each in answer(house.service.list_suppressions(size=200))["items"] if each["address"] == masked
    ]
    answer(house.service.allow_again(suppression_id=listed["id"]))
    house.gateway.addresses[user] = address.replace("nobody", "somebody")
    house.tell(office)
    house.run()
    assert ("sent", None) == house.states(user)[-1]


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("name", "cause"),
    [("policy", "message_refused"), ("spam", "message_refused"), ("moved", "address_refused")],
)
def test_only_a_refusal_of_the_address_itself_marks_it(house: House, name: str, cause: str) -> None:
    office, user, _ = house.holder(name)
    house.tell(office)
    house.run()
    assert [("failed", cause)] == house.states(user)
    house.gateway.addresses[user] = house.gateway.addresses[user].replace(name, "reader")  # type: ignore[union-attr]
    house.tell(office)
    house.run()
    assert ("sent", None) == house.states(user)[-1]


@ON_ONE_DATABASE
@pytest.mark.parametrize("name", ["full", "greylisted", "later"])
def test_what_a_server_puts_off_is_tried_again_with_growing_pauses_and_then_given_up(house: House, name: str) -> None:
    office, user, _ = house.holder(name)
    house.tell(office)
    house.run()
    for attempt, pause in enumerate([30, 120, 600], start=1):
        (delivery,) = house.deliveries(f"person@{user}")
        assert ("waiting", "not_now", attempt) == (delivery["state"], delivery["cause"], delivery["attempts"])
        house.wait(pause - 5)
        house.service.send_mails()
        assert attempt == house.deliveries(f"person@{user}")[0]["attempts"]
        house.wait(6)
        house.service.send_mails()
    assert [("failed", "not_now")] == house.states(user)


def test_one_bad_recipient_holds_up_no_other_and_one_connection_carries_many(house: House) -> None:
    names = ["reader", "nobody", "full", "spam", "reader", "greylisted", "policy", "reader"]
    everyone = [house.holder(name) for name in names]
    for office, _, _ in everyone:
        house.tell(office)
    house.run()
    good = [address for _, _, address in everyone if address.startswith("reader")]
    mails = [one(house.server.to(address)) for address in good]
    assert 1 == len({mail.connection for mail in mails})


def test_two_replicas_send_each_mail_once(house: House) -> None:
    offices = [house.holder() for _ in range(40)]
    for office, _, _ in offices:
        house.tell(office)
    replicas = [house.replica() for _ in range(2)]
    for work in ("tell_people", "send_mails"):
        for thread in [eventlet.spawn(getattr(each, work)) for each in replicas]:
            thread.wait()
    assert sorted(address for _, _, address in offices) == sorted(mail.to[0] for mail in house.server.mails())


def test_a_process_that_dies_after_handing_over_makes_the_same_mail_twice_under_one_id(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, user, address = house.holder()
    house.tell(office)
    house.service.tell_people()
    with monkeypatch.context() as broken:
        broken.setattr(PostRows, "settle", lambda *_: (_ for _ in ()).throw(InterruptedError))
        with pytest.raises(InterruptedError):
            house.service.send_mails()
    house.service.send_mails()
    assert 1 == len(house.server.to(address)), "the lease still runs"
    house.wait(LEASE.total_seconds() + 1)
    house.service.send_mails()
    assert 1 == len(house.server.to(address)), "the database has not answered for long enough"
    monkeypatch.setattr(posting_desk, "_STEADY_SECONDS", 0.0)
    house.service.send_mails()
    assert 1 == len({mail.message["Message-ID"] for mail in house.server.to(address)})
    assert 2 == len(house.server.to(address))
    assert [("sent", None)] == house.states(user)


def test_a_mail_that_was_handed_over_while_the_database_was_away_is_noted_when_it_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, user, address = house.holder()
    house.tell(office)
    house.service.tell_people()
    settle, refusals = PostRows.settle, iter([Unavailable("away")] * 3)

    def away_at_first(rows: PostRows, *more: Any) -> bool:
        if (refusal := next(refusals, None)) is not None:
            raise refusal
        return settle(rows, *more)

    monkeypatch.setattr(PostRows, "settle", away_at_first)
    monkeypatch.setattr(posting_desk, "_NOTE_AGAIN_SECONDS", 0.01)
    house.service.send_mails()
    house.wait(LEASE.total_seconds() + 1)
    house.service.send_mails()
    assert (1, [("sent", None)]) == (len(house.server.to(address)), house.states(user))


def test_a_run_that_takes_too_long_gives_back_what_it_has_not_sent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    offices = [house.holder() for _ in range(4)]
    for office, _, _ in offices:
        house.tell(office)
    house.service.tell_people()
    with monkeypatch.context() as hasty:
        hasty.setattr("services.notifications.service.dispatch._RUN_SECONDS", -1.0)
        house.service.send_mails()
    assert [[("waiting", None)]] * 4 == [house.states(user) for _, user, _ in offices]
    house.service.send_mails()
    assert [[("sent", None)]] * 4 == [house.states(user) for _, user, _ in offices]


def test_without_the_directory_of_users_their_mails_wait_and_petitioners_get_theirs(house: House) -> None:
    office, user, address = house.holder()
    petitioner = f"petitioner@{uuid.uuid4()}"
    house.petitions.contacts[petitioner] = {"email": "biri@example.org", "language": "tr", "values": {}}
    house.tell(office)
    house.tell(petitioner, "petition.submitted.v1")
    house.service.tell_people()
    house.gateway.away = True
    house.service.send_mails()
    assert [("waiting", "directory_away")] == house.states(user)
    assert 1 == len(house.server.to("biri@example.org"))
    house.gateway.away = False
    house.wait(31)
    house.service.send_mails()
    assert 1 == len(house.server.to(address))


def test_the_link_of_a_mail_stops_the_mails_and_nothing_else(house: House) -> None:
    office, user, address = house.holder()
    house.tell(office)
    house.run()
    token = str(one(house.server.to(address)).message["List-Unsubscribe"]).rpartition("/")[2].rstrip(">")
    assert {"mail": True} == answer(house.service.subscription(token=token))
    for _ in range(2):
        assert {"mail": False} == answer(house.service.unsubscribe(token=token))
    house.tell(office)
    house.run()
    assert 1 == len(house.server.to(address))
    mayor = Actor(role="mayor", municipality=office.partition("@")[2], user_id=user).to_plain()
    assert 2 == answer(house.service.list_notifications(actor=mayor))["total"]
    assert "NotFound" == house.service.unsubscribe(token=str(uuid.uuid4()))["error"]["kind"]


def test_a_mail_that_was_on_its_way_when_its_reader_stopped_them_is_not_sent(house: House) -> None:
    office, user, address = house.holder()
    house.tell(office)
    house.service.tell_people()
    house.choose(user, mail=False)
    house.service.send_mails()
    assert [("suppressed", "unsubscribed")] == house.states(user)
    assert [] == house.server.to(address)


def test_a_digest_is_one_mail_that_tells_everything_in_order(house: House) -> None:
    office, user, address = house.holder()
    house.choose(user, language="en", events=[{"event": TURN, "stream": "daily"}])
    for number in range(3):
        house.tell(office, title=f"Sokak {number}")
    house.run()
    assert [] == house.server.to(address)
    house.wait(25 * 3600)
    house.run()
    house.run()
    mail = one(house.server.to(address))
    assert "İmece, summary of the day: 3" == mail.message["Subject"]
    places = [mail.text.index(f"Sokak {number}") for number in range(3)]
    assert sorted(places) == places


@ON_ONE_DATABASE
def test_a_very_long_digest_says_how_much_it_leaves_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifications.service.dispatch._LONGEST_DIGEST", 2)
    office, user, address = house.holder()
    house.choose(user, language="en", events=[{"event": TURN, "stream": "daily"}])
    for _ in range(5):
        house.tell(office)
    house.run()
    house.wait(25 * 3600)
    house.run()
    assert "And 3 more in İmece." in one(house.server.to(address)).text


def test_a_report_of_a_mail_server_marks_the_address(house: House) -> None:
    office, user, address = house.holder()
    house.tell(office)
    house.run()
    sent = one(house.server.to(address)).message
    report = status_report(str(sent["Message-ID"]), address)
    assert 1 == take_report(house.database, report, house.time.now())
    assert [("failed", "address_refused")] == house.states(user)
    house.tell(office)
    house.run()
    assert 1 == len(house.server.to(address))
    shown = [each["address"] for each in answer(house.service.list_suppressions(size=200))["items"]]
    assert f"r…@{address.partition('@')[2]}" in shown


@ON_ONE_DATABASE
def test_a_report_about_a_strangers_mail_changes_nothing(house: House) -> None:
    assert 0 == take_report(house.database, status_report("<x@example.org>", "a@example.org"), house.time.now())


def status_report(message_id: str, address: str) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example.org\r\nTo: imece@sisli.example.org\r\nSubject: Undelivered\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\nSubject: x\r\n\r\n--b--\r\n"
    ).encode()


# what must hold up nobody


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> float:
    """A run and a question that nobody answers, both twenty times as fast; how long such a question takes."""
    monkeypatch.setattr(posting_desk, "_RUN_SECONDS", posting_desk._RUN_SECONDS / 20)  # noqa: SLF001
    return Settings().rpc_timeout / 20


def petitioners(house: House, count: int) -> list[str]:
    """So many petitioners who were told something; their addresses."""
    made = []
    for _ in range(count):
        recipient, address = f"petitioner@{uuid.uuid4()}", f"biri@{uuid.uuid4().hex[:8]}.example.org"
        house.petitions.contacts[recipient] = {"email": address, "language": "tr", "values": {}}
        house.tell(recipient, "petition.submitted.v1")
        made.append(address)
    return made


def test_while_petitions_hangs_people_get_their_mails_and_petitioners_afterwards(house: House, hasty: float) -> None:
    addresses = petitioners(house, 30)
    people = [house.holder() for _ in range(30)]
    for office, _, _ in people:
        house.tell(office)
    house.service.tell_people()
    house.petitions.hangs_seconds = hasty
    for _ in range(5):
        house.service.send_mails()
    assert [[("sent", None)]] * 30 == [house.states(user) for _, user, _ in people]
    assert 30 == len(house.server.mails())
    assert house.petitions.asked <= 5, "once for each run"
    house.petitions.hangs_seconds = 0
    house.wait(31)
    for _ in range(3):
        house.service.send_mails()
    assert sorted(addresses) == sorted(mail.to[0] for mail in house.server.mails() if mail.to[0] in addresses)


@ON_ONE_DATABASE
def test_while_the_gateway_hangs_petitioners_get_their_mails(house: House, hasty: float) -> None:
    people = [house.holder() for _ in range(3)]
    for office, _, _ in people:
        house.tell(office)
    addresses = petitioners(house, 3)
    house.service.tell_people()
    house.gateway.hangs_seconds = hasty
    house.service.send_mails()
    assert sorted(addresses) == sorted(mail.to[0] for mail in house.server.mails())
    assert [[("waiting", "directory_away")]] * 3 == [house.states(user) for _, user, _ in people]


@pytest.mark.parametrize("odd", ["a@[x.org", "a@x..org", "a(b@example.org", "=?utf-8?q?x?=@example.org"])
def test_an_address_that_is_none_holds_up_no_other(house: House, odd: str) -> None:
    (office, user, _), (other, _, address) = house.holder(), house.holder()
    house.gateway.addresses[user] = odd
    house.tell(office)
    house.tell(other)
    house.run()
    assert [("failed", "address_refused")] == house.states(user)
    assert 1 == len(house.server.to(address))


def test_a_mail_that_cannot_be_written_is_a_dead_letter_and_holds_up_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (office, user, broken), (other, _, address) = house.holder(), house.holder()
    compose = smtp_line.compose

    def stumbles(message: Any, *more: Any) -> Any:
        if message.to == broken:
            raise AttributeError(broken)
        return compose(message, *more)

    monkeypatch.setattr(smtp_line, "compose", stumbles)
    house.tell(office)
    house.tell(other)
    house.run()
    assert [("failed", "message_refused")] == house.states(user)
    assert 1 == len(house.server.to(address))
    assert broken not in caplog.text


@ON_ONE_DATABASE
def test_a_line_break_in_a_name_is_no_fault_of_the_address(house: House) -> None:
    office, user, address = house.holder()
    house.tell(office)
    with house.database.write() as connection:
        connection.execute(NOTIFICATIONS.update().where(NOTIFICATIONS.c.office == office).values(reference="34\n35"))
    house.run()
    assert [("sent", None)] == house.states(user)
    assert "Permission refused (34 35)" == one(house.server.to(address)).message["Subject"]


def test_a_mail_that_ends_its_process_comes_to_an_end_and_takes_no_other_with_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting_desk, "_STEADY_SECONDS", 0.0)
    others = [house.holder() for _ in range(3)]
    office, user, poison = house.holder()
    for each in (office, *(other for other, _, _ in others)):
        house.tell(each)
    house.service.tell_people()
    send, died = smtp_line.Smtp.send, 0

    def ends(smtp: smtp_line.Smtp, message: Any) -> Any:
        if message.to == poison:
            raise KeyboardInterrupt
        return send(smtp, message)

    monkeypatch.setattr(smtp_line.Smtp, "send", ends)
    for _ in range(20):
        try:
            house.service.send_mails()
        except KeyboardInterrupt:
            died += 1
        house.wait(LEASE.total_seconds() + 1)
    assert 1 + 3 == died, "the first time, and once for each pause"
    assert [("failed", "message_refused")] == house.states(user)
    assert [[("sent", None)]] * 3 == [house.states(each) for _, each, _ in others]


@pytest.mark.parametrize("name", ["closing", "leaving"])
def test_a_server_that_hangs_up_at_one_mail_gets_the_others_at_once(house: House, name: str) -> None:
    first = house.holder(name)
    everyone = [first, *(house.holder() for _ in range(3))]
    for office, _, _ in everyone:
        house.tell(office)
        house.wait(0.001)
    house.run()
    assert [[("waiting", "channel_away")], *[[("sent", None)]] * 3] == [house.states(user) for _, user, _ in everyone]
    assert [1] == [each["attempts"] for each in house.deliveries(f"person@{first[1]}")]


def test_a_server_that_refuses_us_is_asked_twice_and_afterwards_those_behind_come_first(house: House) -> None:
    everyone = [house.holder() for _ in range(5)]
    for office, _, _ in everyone:
        house.tell(office)
    house.service.tell_people()
    refuses = house.server.folder / REFUSES_US
    refuses.touch()
    try:
        house.service.send_mails()
    finally:
        refuses.unlink()
    attempts = sorted(each["attempts"] for _, user, _ in everyone for each in house.deliveries(f"person@{user}"))
    assert [0, 0, 0, 1, 1] == attempts
    assert [[("waiting", "channel_away")]] * 5 == [house.states(user) for _, user, _ in everyone]
    house.wait(31)
    house.service.send_mails()
    assert 3 == len(house.server.mails()), "what the server refused waits longer"
    house.wait(120)
    house.service.send_mails()
    assert sorted(address for _, _, address in everyone) == sorted(each.to[0] for each in house.server.mails())


@ON_ONE_DATABASE
@pytest.mark.parametrize("patience", [300, 0.2])
def test_a_server_may_think_long_after_the_final_dot(
    house: House, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    monkeypatch.setattr(smtp_line, "_STEP_SECONDS", 0.5)
    monkeypatch.setattr(smtp_line, "_THINKING_SECONDS", patience)
    office, user, address = house.holder("thorough")
    house.tell(office)
    house.run()
    if patience < 1:
        assert [("waiting", "not_now")] == house.states(user), "it may have taken the mail"
        return
    assert (1, [("sent", None)]) == (len(house.server.to(address)), house.states(user))


def test_while_a_server_thinks_no_other_process_takes_the_mail_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting_desk, "_STEADY_SECONDS", 0.0)
    monkeypatch.setattr(posting_desk, "_RENEW_SECONDS", 0.01)
    everyone = [house.holder() for _ in range(3)]
    for office, _, _ in everyone:
        house.tell(office)
    house.service.tell_people()
    send, other = smtp_line.Smtp.send, house.replica()

    def thinks(smtp: smtp_line.Smtp, message: Any) -> Any:
        for _ in range(4):
            house.wait(LEASE.total_seconds() * 0.6)
            eventlet.sleep(0.05)
            before = len(house.server.mails())
            other.send_mails()
            assert before == len(house.server.mails())
        return send(smtp, message)

    monkeypatch.setattr(smtp_line.Smtp, "send", thinks)
    house.service.send_mails()
    assert sorted(address for _, _, address in everyone) == sorted(each.to[0] for each in house.server.mails())
    assert [[("sent", None)]] * 3 == [house.states(user) for _, user, _ in everyone]


def test_an_event_gets_its_places_as_a_whole_however_many_offices_hear_of_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    while place(house.database):
        pass
    monkeypatch.setattr("services.notifications.adapters.post._PLACED_AT_ONCE", 3)
    events = [str(uuid.uuid4()) for _ in range(4)]
    now = house.time.now()
    with house.database.write() as connection:
        for event_id in events:
            offices = [f"mayor@{uuid.uuid4().hex[:8]}" for _ in range(5)]
            Repository(connection).tell(
                [
                    Notification(
                        id=notification_id(event_id, office), office=office, event_id=event_id,
                        event="protocol.moved.v1", subject_id=event_id, reference="", template="protocol.moved.v1/refuse",
                        params=PARAMS, created_at=now, topic=TURN,
                    )
                    for office in offices
                ]
            )  # fmt: skip
    assert [5, 5, 5, 5, 0] == [place(house.database) for _ in range(5)]
    with house.database.read() as connection:
        order = connection.execute(
            select(NOTIFICATIONS.c.event_id)
            .where(NOTIFICATIONS.c.event_id.in_(events))
            .order_by(NOTIFICATIONS.c.position)
        ).scalars()
        assert [each for each in sorted(events) for _ in range(5)] == list(order)


# stopping, for people without an account


@pytest.mark.parametrize("kind", ["petitioner", "supporter"])
def test_whoever_stops_the_mails_of_one_petition_gets_none_of_another(house: House, kind: str) -> None:
    address = f"biri@{uuid.uuid4().hex[:8]}.example.org"
    told = "petition.support_requested.v1" if kind == "supporter" else "petition.submitted.v1"
    for number in range(2):
        recipient = f"{kind}@{uuid.uuid4()}"
        house.petitions.contacts[recipient] = {"email": address, "language": "tr", "values": {}}
        house.tell(recipient, told, told)
        house.run()
        mail_program = str(one(house.server.to(address)).message["List-Unsubscribe"])
        if number == 0:
            token = mail_program.rpartition("/")[2].rstrip(">")
            for _ in range(2):
                assert {"mail": False} == answer(house.service.unsubscribe(token=token))
    assert [("suppressed", "unsubscribed")] == [(each["state"], each["cause"]) for each in house.deliveries(recipient)]
    office, user, _ = house.holder()
    house.gateway.addresses[user] = address
    house.tell(office)
    house.run()
    assert [("sent", None)] == house.states(user), "with an account the same person chooses there"


@ON_ONE_DATABASE
def test_an_address_that_was_stopped_and_bounces_stays_stopped_when_the_bounce_is_taken_back(house: House) -> None:
    with house.database.write() as connection:
        rows = PostRows(connection)
        for cause in ("unsubscribed", "address_refused", "unsubscribed"):
            rows.suppress(
                Suppression(
                    id=str(uuid.uuid4()),
                    address_hash="f" * 64,
                    masked="…",
                    recipient="petitioner@x",
                    cause=cause,
                    since=house.time.now(),
                )
            )
        assert {("f" * 64, "unsubscribed"), ("f" * 64, "address_refused")} == rows.suppressed(["f" * 64])
        (bounce,) = [
            each
            for each in rows.suppressions(1, 200).items
            if (each.address_hash, each.cause) == ("f" * 64, "address_refused")
        ]
        assert rows.allow_again(bounce.id)
        assert {("f" * 64, "unsubscribed")} == rows.suppressed(["f" * 64])


def test_an_address_cannot_be_tried_against_what_is_kept_of_it(house: House) -> None:
    office, user, address = house.holder()
    house.tell(office)
    house.run()
    (delivery,) = house.deliveries(f"person@{user}")
    assert hashlib.sha256(address.encode()).hexdigest() != delivery["address_hash"]
    with house.database.write() as connection:
        secret = PostRows(connection).secret()
        assert secret == PostRows(connection).secret()
    assert fingerprint(secret, address) == delivery["address_hash"]
    assert None is delivery["holder"]


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, as a town's own mail server may have."""
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return paths


@ON_ONE_DATABASE
@pytest.mark.parametrize("trusted", [True, False])
def test_mail_goes_over_tls_to_a_server_whose_certificate_is_trusted_and_to_no_other(
    house: House,
    certificate: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trusted: bool,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert ssl.create_default_context().cert_store_stats()["x509"] == 1
    office, user, address = house.holder()
    with mail_server(tmp_path / "tls", free_port(), *certificate) as secure:
        house.service.settings = replace(house.settings, smtp_url=f"smtp://127.0.0.1:{secure.port}")
        house.tell(office)
        house.run()
        assert [("sent", None) if trusted else ("waiting", "channel_away")] == house.states(user)
        assert [trusted] == [mail.tls for mail in secure.to(address)] or not trusted


@ON_ONE_DATABASE
def test_nothing_is_sent_in_the_clear_where_tls_is_demanded(house: House) -> None:
    office, user, address = house.holder()
    house.service.settings = replace(house.settings, smtp_url=f"smtp://127.0.0.1:{house.server.port}")
    house.tell(office)
    house.run()
    assert [("waiting", "channel_away")] == house.states(user)
    assert [] == house.server.to(address)


# another channel


@ON_ONE_DATABASE
def test_another_channel_gets_what_its_reader_chose(house: House, tmp_path: Path) -> None:
    came: list[dict[str, Any]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            came.append({"path": self.path, **body})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    gate = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    try:
        house.service.settings = replace(house.settings, channel_url=f"json://127.0.0.1:{gate.server_port}/sms/{{to}}")
        office, user, address = house.holder()
        house.choose(user, language="en", elsewhere="+90 212 000 00 00", mail=False)
        house.tell(office)
        house.service.tell_people()
        house.service.send_elsewhere()
        house.service.send_mails()
        until(lambda: came)
    finally:
        gate.shutdown()
    assert ["Permission refused (34-35/2026/7)"] == [each["message"] for each in came]
    assert "+90" in came[0]["path"] or "%2B90" in came[0]["path"]
    assert [] == house.server.to(address)
    assert [("sent", None)] == house.states(user)


# what people may choose and see


def test_a_choice_counts_from_now_on_and_needs_the_version_that_was_seen(house: House) -> None:
    _, user, _ = house.holder(language=None)
    found = answer(house.service.preferences(user_id=user))
    assert (0, True, None) == (found["version"], found["mail"], found["language"])
    assert "at_once" == {each["event"]: each["stream"] for each in found["events"]}[TURN]
    events = [{"event": TURN, "stream": "weekly"}]
    made = answer(house.service.choose(user_id=user, expected_version=0, events=events))
    assert 1 == made["version"]
    assert "weekly" == {each["event"]: each["stream"] for each in made["events"]}[TURN]
    assert "Conflict" == house.service.choose(user_id=user, expected_version=0, events=events)["error"]["kind"]
    odd = [{"event": "no.such.topic", "stream": "daily"}]
    assert "Invalid" == house.service.choose(user_id=user, expected_version=1, events=odd)["error"]["kind"]


def test_what_a_choice_does_not_name_stays_and_the_link_of_a_mail_stops_every_channel(house: House) -> None:
    _, user, _ = house.holder(language=None)
    house.choose(user, language="en", mail=False, elsewhere="+90 212 000 00 00")
    kept = house.choose(user, events=[{"event": TURN, "stream": "weekly"}])
    assert ("en", False, "+90 212 000 00 00") == (kept["language"], kept["mail"], kept["elsewhere"])
    changed = house.choose(user, language=None, mail=True)
    assert (None, True, "+90 212 000 00 00") == (changed["language"], changed["mail"], changed["elsewhere"])
    assert "at_once" == {each["event"]: each["stream"] for each in changed["events"]}[TURN]
    with house.database.read() as connection:
        token = str(posting.chosen(PostRows(connection), f"person@{user}").token)
    answer(house.service.unsubscribe(token=token))
    stopped = answer(house.service.preferences(user_id=user))
    assert (False, None) == (stopped["mail"], stopped["elsewhere"])


def test_people_see_their_own_log_and_the_administrator_everyones_without_addresses(house: House) -> None:
    office, user, address = house.holder()
    house.tell(office)
    house.run()
    own = answer(house.service.list_deliveries(actor=None, user_id=user))
    assert [("sent", "mail", 1)] == [(each["state"], each["channel"], each["notices"]) for each in own["items"]]
    assert 0 == answer(house.service.list_deliveries(actor=None, user_id=str(uuid.uuid4())))["total"]
    admin = Actor(role="administrator").to_plain()
    everyone = answer(house.service.list_deliveries(actor=admin, user_id=str(uuid.uuid4()), state="sent"))
    assert f"person@{user}" in {each["recipient"] for each in everyone["items"]}
    assert address not in str(everyone)


def test_the_metrics_tell_what_waits_and_what_was_given_up(house: House) -> None:
    readings = {name: value for name, _, _, value in house.service.delivery_readings(house.database)}
    assert {"imece_deliveries_waiting", "imece_deliveries_oldest_seconds", "imece_deliveries_failed"} == set(readings)
    office, _, _ = house.holder("spam")
    house.tell(office)
    house.service.tell_people()
    assert 1 == dict_of(house)["imece_deliveries_waiting"]
    house.service.send_mails()
    assert (0, 1) == (dict_of(house)["imece_deliveries_waiting"], dict_of(house)["imece_deliveries_failed"])


def dict_of(house: House) -> dict[str, float]:
    return {name: value for name, _, _, value in house.service.delivery_readings(house.database)}


def test_what_offices_were_told_before_the_upgrade_is_not_mailed_after_it(tmp_path: Path) -> None:
    old = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    upgrade(old, "notifications", "0002")
    with old.write() as connection:
        connection.execute(
            text(
                "INSERT INTO notifications (id, office, event_id, event, subject_id, reference, template, params,"
                " created_at) VALUES (:id, 'mayor@34-35', :id, 'protocol.moved.v1', :id, '', 'protocol.moved.v1', '{}',"
                " '2026-01-01 00:00:00')"
            ),
            {"id": uuid.uuid4().hex},
        )
    upgrade(old, "notifications")
    service: Any = NotificationsService()
    service.database, service.settings, service.time, service.gateway = old, Settings(), Time(), Gateway()
    service.tell_people()
    with old.read() as connection:
        assert [1] == list(connection.execute(text("SELECT position FROM notifications")).scalars())
        assert 0 == connection.execute(text("SELECT count(*) FROM notices")).scalar_one()
    old.close()
