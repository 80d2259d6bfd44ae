"""What becomes of a message after each try, and what reports of mail servers mean."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from services.contracts.petitions import EMAIL as PETITIONERS
from services.kernel.mailbox import EMAIL, is_email
from services.notifications.adapters.bounce import Report, reports
from services.notifications.adapters.mail import compose, wire_form
from services.notifications.application.dispatch import Told, notices_of, whole_events
from services.notifications.application.posting import Letter, Message
from services.notifications.domain.delivery import Delivery, Tried, after, fingerprint, masked
from services.notifications.domain.happening import Notification
from services.notifications.domain.preference import STREAMS, TOPICS, as_markdown, default_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAUSES = (30.0, 120.0, 600.0)


def delivery(**changes: object) -> Delivery:
    known: dict[str, object] = {
        "id": "7c2f0f5e-0000-4000-8000-000000000001",
        "recipient": "person@7c2f0f5e-0000-4000-8000-000000000002",
        "channel": "mail",
        "occasion": "at_once",
        "notices": ["7c2f0f5e-0000-4000-8000-000000000003"],
        "state": "sending",
        "attempts": 0,
        "next_at": NOON,
        "cause": None,
        "created_at": NOON,
    }
    return Delivery(**known | changes)  # type: ignore[arg-type]


def test_what_was_handed_over_is_sent() -> None:
    done = after(delivery(), Tried(), NOON, PAUSES)
    assert ("sent", 1, None, NOON) == (done.state, done.attempts, done.next_at, done.sent_at)


def test_what_is_put_off_is_tried_after_each_pause_and_then_given_up() -> None:
    found, pauses = delivery(), []
    while found.state != "failed":
        found = after(found, Tried("not_now"), NOON, PAUSES)
        pauses += [(found.next_at - NOON).total_seconds()] if found.next_at else []
    assert list(PAUSES) == pauses
    assert 4 == found.attempts


@pytest.mark.parametrize("cause", ["channel_away", "directory_away"])
def test_an_outage_costs_no_attempt_for_a_week_and_is_over_soon_after_it_ends(cause: str) -> None:
    late = NOON + timedelta(days=7) - timedelta(seconds=1)
    waiting = after(delivery(), Tried(cause), late, PAUSES)
    assert ("waiting", 0, late + timedelta(seconds=30)) == (waiting.state, waiting.attempts, waiting.next_at)
    assert "failed" == after(delivery(), Tried(cause), NOON + timedelta(days=7), PAUSES).state


def test_what_a_server_stumbles_over_stands_behind_the_others_and_is_given_up_after_a_week_at_the_earliest() -> None:
    found, now, pauses = delivery(), NOON, []
    while found.state != "failed":
        found = after(found, Tried("channel_away", answered=True), now, PAUSES)
        pauses += [(found.next_at - now).total_seconds()] if found.next_at else []
        now = found.next_at or now
    assert [120, 600, 600] == pauses[:3], "longer than the first pause of those that are put off with it"
    assert now - NOON >= timedelta(days=7)
    back = after(replace(found, state="sending"), Tried("not_now"), NOON, PAUSES)
    assert "waiting" == back.state, "a try is left for after the outage"


@pytest.mark.parametrize("cause", ["address_refused", "message_refused"])
def test_what_is_refused_for_good_is_given_up_at_once(cause: str) -> None:
    assert ("failed", cause, 1) == (
        (given_up := after(delivery(), Tried(cause), NOON, PAUSES)).state,
        given_up.cause,
        given_up.attempts,
    )


@pytest.mark.parametrize("cause", ["no_address", "unsubscribed", "bouncing"])
def test_what_may_not_be_sent_is_no_failure(cause: str) -> None:
    assert ("suppressed", cause, 0) == (
        (kept := after(delivery(), Tried(cause), NOON, PAUSES)).state,
        kept.cause,
        kept.attempts,
    )


@given(
    causes=st.lists(st.sampled_from([None, "not_now", "channel_away", "message_refused"]), min_size=1, max_size=40),
    step=st.integers(1, 400),
)
def test_every_message_comes_to_an_end(causes: list[str | None], step: int) -> None:
    found, now = delivery(), NOON
    for cause in causes:
        if found.next_at is None:
            break
        now = max(now + timedelta(seconds=step), found.next_at)
        found = after(found, Tried(cause), now, PAUSES)
    assert (found.next_at is None) == (found.state in ("sent", "failed", "suppressed"))
    assert found.attempts <= len(PAUSES) + 1


def test_one_address_has_one_fingerprint_however_it_is_written() -> None:
    assert fingerprint(b"key", "Bilgi@Example.ORG ") == fingerprint(b"key", "bilgi@example.org")
    assert fingerprint(b"key", "bilgi@example.org") != fingerprint(b"key", "bilgi@example.com")
    assert fingerprint(b"key", "bilgi@example.org") != fingerprint(b"other", "bilgi@example.org")


def test_an_address_is_shown_so_that_its_owner_alone_knows_it() -> None:
    assert "b…@example.org" == masked("Bilgi@example.org")


ODD = [
    "", "nobody", "@example.org", "a b@example.org", "a@x\r\nBcc: b@y", 'a"@example.org', "a@[x.org", "a@[127.0.0.1]",
    "a@x..org", "a@.x.org", "a..b@example.org", ".a@example.org", "a(b@example.org", "a:b@example.org", "a;b@example.org",
    "a\\@example.org", "a,b@example.org", "a@b@example.org", "a\x00@example.org", "a@example", "a@x.org]", "a@x.o|rg",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_address_is_not_taken_in(odd: str) -> None:
    assert not is_email(odd)
    assert re.search(EMAIL, odd) is None
    with pytest.raises(ValidationError):
        PETITIONERS(odd)


@pytest.mark.parametrize(
    "good",
    ["bilgi@sisli.bel.tr", "a.b+c@example.org", "o'neil@example.org", "çağrı@şişli.example", "a=b@x-y.example.org"],
)
def test_what_is_an_address_is_taken_in(good: str) -> None:
    assert is_email(good)
    assert good == PETITIONERS(good)


@given(st.from_regex(EMAIL) | st.from_regex(r"^[^@]+@[^@]+\.[^@]+$"))
def test_every_address_that_goes_into_a_header_comes_out_of_it_as_it_was(address: str) -> None:
    try:
        to = wire_form(address)
    except ValueError:
        return
    mail = compose(message(to), "imece@example.org", "https://imece.example.org", NOON)
    assert f"\r\nTo: {to}\r\n" in mail.as_bytes().decode(errors="surrogateescape")


def test_a_line_break_in_a_subject_becomes_a_blank() -> None:
    mail = compose(message("a@example.org", "34\r\n35"), "imece@example.org", "https://imece.example.org", NOON)
    assert str(mail["Subject"]).endswith("(34 35)")


@pytest.mark.parametrize("odd", [*ODD, "=?utf-8?q?x?=@example.org", f"{'a' * 65}@example.org"])
def test_what_is_no_address_is_not_written_into_a_header(odd: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the address is not repeated in it
        wire_form(odd)


def message(to: str, reference: str = "34-35/2026/7") -> Message:
    told = Notification(
        id="x", office="mayor@34-35", event_id="x", event="petition.submitted.v1", subject_id="x", reference=reference,
        template="petition.submitted.v1", created_at=NOON, topic="x",
        params={"number": "34-35/2026/D7", "municipality_name": "Şişli Belediyesi", "kind": "petition"},
    )  # fmt: skip
    sent = delivery(message_id="<x@example.org>")
    return Message(delivery=sent, to=to, language="en", letter=Letter([told], 1), token="t", values={})


def test_a_domain_in_turkish_letters_is_sent_in_ascii() -> None:
    assert "bilgi@xn--ili-rzab.example" == wire_form("bilgi@şişli.example")


def test_every_topic_has_a_label_in_both_languages_and_a_default() -> None:
    assert len({each.name for each in TOPICS}) == len(TOPICS)
    assert [] == [each.name for each in TOPICS if not (each.label.tr and each.label.en and each.default in STREAMS)]
    assert "| `protocol.moved.v1/turn` | Protokolde sıra dairenizde | A protocol awaits your office | at once |" in (
        as_markdown().splitlines()
    )


def test_what_nobody_can_choose_is_told_at_once() -> None:
    assert "at_once" == default_of("petition.support_requested.v1")


# reports of mail servers


def report(status: str = "5.1.1", action: str = "failed", returned: str = "message/rfc822") -> bytes:
    """As Postfix writes one."""
    original = "Message-ID: <x@example.org>\r\nTo: birim@example.org\r\nSubject: x\r\n\r\n"
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.org (Mail Delivery System)\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nTo: imece@example.org\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n"
        ' boundary="A1B2"\r\n\r\nThis is a MIME-encapsulated message.\r\n\r\n'
        "--A1B2\r\nContent-Description: Notification\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nI'm sorry.\r\n\r\n"
        "--A1B2\r\nContent-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.org\r\nArrival-Date: Mon,  2 Mar 2026 12:00:00 +0300\r\n\r\n"
        "Final-Recipient: rfc822; birim@example.org\r\nOriginal-Recipient: rfc822;birim@example.org\r\n"
        f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 no\r\n\r\n"
        f"--A1B2\r\nContent-Description: Undelivered Message\r\nContent-Type: {returned}\r\n\r\n{original}\r\n--A1B2--\r\n"
    ).encode()


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_of_a_failure_names_the_mail_and_the_address(returned: str) -> None:
    assert [Report("<x@example.org>", "birim@example.org")] == reports(report(returned=returned))


@pytest.mark.parametrize(
    ("status", "action"), [("4.4.1", "delayed"), ("2.0.0", "delivered"), ("5.7.1", "failed"), ("4.2.2", "failed")]
)
def test_delays_successes_and_refusals_of_policy_say_nothing_about_the_address(status: str, action: str) -> None:
    assert [] == reports(report(status, action))


@pytest.mark.parametrize(
    "raw", [b"", b"Subject: I am away\r\n\r\nUntil Monday.", b"\xff\xfe", b"Content-Type: multipart/report"]
)
def test_whatever_else_comes_to_the_mailbox_is_passed_over(raw: bytes) -> None:
    assert [] == reports(raw)


@given(st.binary(max_size=400), st.integers(0, 900))
def test_a_damaged_report_breaks_nothing(noise: bytes, place: int) -> None:
    whole = report()
    reports(whole[:place] + noise + whole[place + len(noise) :])


# from offices to people


def told(position: int, event: int, office: str, topic: str = "protocol.moved.v1") -> Told:
    return Told(
        position=position,
        id=str(uuid.UUID(int=position)),
        office=office,
        event_id=str(uuid.UUID(int=1000 + event)),
        topic=topic,
        event="protocol.moved.v1",
        subject_id=str(uuid.UUID(int=2000)),
    )


def test_who_holds_two_offices_hears_of_an_event_once_and_in_the_louder_way() -> None:
    both = [told(1, 1, "unit_officer@34-35"), told(2, 1, "mayor@34-35", "protocol.moved.v1/turn")]
    holders = {"unit_officer@34-35": ["a"], "mayor@34-35": ["a", "b"]}
    found = {each.recipient: each for each in notices_of(both, holders, {}, NOON)}
    assert {"person@a", "person@b"} == set(found)
    assert ("at_once", both[1].id) == (found["person@a"].stream, found["person@a"].notification_id)


@given(events=st.lists(st.integers(1, 4), min_size=1, max_size=6), limit=st.integers(1, 12))
def test_an_event_is_passed_on_as_a_whole_and_something_always_is(events: list[int], limit: int) -> None:
    rows = [
        told(position, number, f"mayor@{position}")
        for position, number in enumerate([n for n, size in enumerate(events) for _ in range(size)], start=1)
    ]
    passed = whole_events(rows[:limit], limit)
    assert rows[: len(passed)] == list(passed)
    assert passed
    rest = {each.event_id for each in rows[len(passed) :]}
    assert len({each.event_id for each in passed}) == 1 or not rest & {each.event_id for each in passed}
