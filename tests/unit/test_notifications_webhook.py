"""Where a webhook may lead, how a delivery is signed, and when it is tried again."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.webhooks import EVENTS, WANTED
from services.kernel.errors import Invalid
from services.notifications.domain.network import is_inside, may_be_reached, networks_of, read_address
from services.notifications.domain.webhook import (
    EVERY_EVENT,
    Destination,
    Webhook,
    destination,
    next_try,
    outcome_of,
    signature,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

CLOSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1",
    "127.255.255.254", "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1",
    "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:10.0.0.1", "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:53aa:64c:0:0:0:1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::", "3fff::1",
    "2002:808:808::1",
    "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
    "2606:4700::1111%eth0",
]  # fmt: skip
OPEN = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1",
    "192.167.255.255", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
]  # fmt: skip


@pytest.mark.parametrize("text", CLOSED)
def test_an_address_that_is_not_of_the_open_internet_is_refused(text: str) -> None:
    assert not may_be_reached(read_address(text), ())


@pytest.mark.parametrize("text", OPEN)
def test_an_address_of_the_open_internet_is_reached(text: str) -> None:
    assert may_be_reached(read_address(text), ())


@given(st.ip_addresses(v=4))
def test_what_python_calls_not_global_is_refused_in_every_wrapping(address: IPv4Address) -> None:
    forms = [
        address,
        IPv6Address(f"::ffff:{address}"),
        IPv6Address(f"64:ff9b::{address}"),
    ]
    reached = {may_be_reached(read_address(str(each)), ()) for each in forms}
    assert 1 == len(reached)
    assert address.is_global or reached == {False}
    six_to_four = f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1"
    assert not may_be_reached(read_address(six_to_four), ())


@given(st.ip_addresses(v=6))
def test_only_global_unicast_of_ipv6_is_reached(address: IPv6Address) -> None:
    if may_be_reached(read_address(str(address)), ()) and address.ipv4_mapped is None:
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("64:ff9b::10.1.2.3", True),
        ("10.2.0.1", False),
        ("fd00:1::5", True),
    ],
)
def test_a_network_that_the_house_allows_is_reached_and_its_neighbours_are_not(text: str, *, expected: bool) -> None:
    inside = networks_of("10.1.0.0/16, fd00:1::/64")
    assert (expected, expected) == (may_be_reached(read_address(text), inside), is_inside(read_address(text), inside))


def test_no_setting_allows_no_network() -> None:
    assert () == networks_of("")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org", Destination("https", "example.org", 443, "/")),
        ("https://Example.org.:8443/a//b?c=d&e", Destination("https", "example.org", 8443, "/a//b?c=d&e")),
        ("http://10.1.2.3/x", Destination("http", "10.1.2.3", 80, "/x")),
        ("https://[2606:4700::1111]:1/", Destination("https", "2606:4700::1111", 1, "/")),
        ("https://example.org?x", Destination("https", "example.org", 443, "/?x")),
    ],
)
def test_an_address_is_taken_apart(url: str, expected: Destination) -> None:
    assert expected == destination(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "ftp://example.org", "file:///etc/passwd", "https://", "https:///x", "https://user@example.org",
        "https://user:secret@example.org", "https://@example.org", "https://example.org#part", "https://example.org/#",
        "https://example.org:0", "https://example.org:99999", "https://example.org:x", "https://exa mple.org",
        "https://example.org/a b", "https://example.org/\r\nX: y", "https://şişli.bel.tr", "https://example.org\\@127.0.0.1",
        "https://[fe80::1%25eth0]/", "https://[::1", "javascript:alert(1)", "https://" + "a" * 2000 + ".org",
        "https://exa%6dple.org/",
    ],
)  # fmt: skip
def test_an_address_that_could_mislead_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        destination(url)
    assert ["url"] == [each["field"] for each in refusal.value.details["errors"]]


def test_the_signature_is_an_hmac_over_time_and_body() -> None:
    expected = hmac.new(b"gizli", b'1767225600.{"a":"\xc3\xa7"}', hashlib.sha256).hexdigest()
    assert f"v1={expected}" == signature("gizli", 1767225600, '{"a":"ç"}'.encode())


def test_tries_are_as_many_as_pauses_and_one() -> None:
    pauses = (30.0, 120.0)
    expected = [NOON + timedelta(seconds=30), NOON + timedelta(seconds=120), None]
    assert expected == [next_try(attempts, pauses, NOON) for attempts in (1, 2, 3)]


@pytest.mark.parametrize(
    ("status", "arrived", "gone"),
    [(200, True, False), (204, True, False), (299, True, False), (199, False, False), (301, False, False),
     (304, False, False), (400, False, False), (410, False, True), (500, False, False)],
)  # fmt: skip
def test_only_a_status_of_the_200s_is_success(status: int, *, arrived: bool, gone: bool) -> None:
    assert (arrived, gone) == (outcome_of(status).arrived, outcome_of(status).gone)


def test_a_webhook_wants_the_events_it_names_or_all() -> None:
    def wants(*events: str) -> bool:
        made = Webhook(id="", office="", owner={}, url="", events=events, secret="", state="active", created_at=NOON)
        return made.wants("protocol.moved.v1")

    assert (True, True, False) == (wants("protocol.moved.v1"), wants(EVERY_EVENT), wants("protocol.drafted.v1"))


def test_what_can_be_wanted_is_what_is_told() -> None:
    assert {"protocol.moved.v1", "organisation.updated.v1", "petition.submitted.v1"} < set(EVENTS)
    assert {EVERY_EVENT} == set(WANTED) - set(EVENTS)


def test_an_address_is_read_once() -> None:
    assert ip_address("8.8.8.8") == read_address("::ffff:8.8.8.8")
