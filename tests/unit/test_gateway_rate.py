"""One address may come so often, and no more, over any stretch of time; what is remembered of it stays small."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway import rate
from services.gateway.errors import Throttled
from services.gateway.rate import Buckets, Rate, network_of
from services.runtime.settings import Settings

LIMITS = st.integers(1, 50)
SECONDS = st.sampled_from([1, 60, 3600])
PAUSES = st.lists(st.one_of(st.just(0.0), st.floats(0, 5000, allow_subnormal=False)), min_size=1, max_size=80)


@given(limit=LIMITS, seconds=SECONDS, pauses=PAUSES)
def test_no_stretch_of_time_lets_in_more_than_the_limit_and_what_refills_in_it(
    limit: int, seconds: int, pauses: list[float]
) -> None:
    buckets, now, let_in = Buckets(), 1000.0, []
    for pause in pauses:
        now += pause
        if buckets.take("a", limit, seconds, now) == 0:
            let_in.append(now)
    for first, begin in enumerate(let_in):
        for last in range(first, len(let_in)):
            most = limit + (let_in[last] - begin) * limit / seconds
            assert last - first + 1 <= most + 1e-6


@given(limit=LIMITS, seconds=SECONDS)
def test_a_first_burst_up_to_the_limit_is_let_in(limit: int, seconds: int) -> None:
    buckets = Buckets()
    assert [0.0] * limit == [buckets.take("a", limit, seconds, 5.0) for _ in range(limit)]
    assert buckets.take("a", limit, seconds, 5.0) > 0


@given(limit=LIMITS, seconds=SECONDS, pauses=PAUSES)
def test_whoever_waits_as_long_as_told_is_let_in(limit: int, seconds: int, pauses: list[float]) -> None:
    buckets, now = Buckets(), 1000.0
    for pause in pauses:
        now += pause
        wait = buckets.take("a", limit, seconds, now)
        if wait:
            assert wait <= seconds / limit + 1e-6
            now += math.ceil(wait)
            assert 0 == buckets.take("a", limit, seconds, now)


def test_a_refused_request_costs_nothing() -> None:
    buckets = Buckets()
    assert 0 == buckets.take("a", 1, 60, 0.0)
    assert all(buckets.take("a", 1, 60, second) > 0 for second in range(1, 60))
    assert 0 == buckets.take("a", 1, 60, 60.0)


def test_each_address_has_a_bucket_of_its_own() -> None:
    buckets = Buckets()
    assert [0.0, 0.0] == [buckets.take(name, 1, 60, 0.0) for name in "ab"]


@given(st.lists(st.integers(0, 30), max_size=200))
def test_no_more_addresses_are_remembered_than_may_be_and_the_longest_unseen_goes_first(names: list[int]) -> None:
    buckets = Buckets(most=5)
    for now, name in enumerate(names):
        buckets.take(str(name), 10, 60, float(now))
    seen = list(dict.fromkeys(str(name) for name in reversed(names)))[:5]
    assert list(reversed(seen)) == list(buckets._buckets)  # noqa: SLF001 - what is remembered is what is tested


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "unix:", True),
    ],
)
def test_an_address_is_one_for_ipv4_and_a_household_for_ipv6(one: str, other: str, *, same: bool) -> None:
    assert same is (network_of(one) == network_of(other))


@given(st.text(max_size=10_000))
def test_what_is_no_address_is_remembered_in_a_few_letters(text: str) -> None:
    assert len(network_of(text)) <= 50


def test_an_office_has_one_bucket_wherever_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "_BUCKETS", Buckets())
    seldom, settings = Rate(lambda _: 2, 60), Settings()
    for _ in range(2):
        seldom.take_for_office("test", "unit_officer@34-35", settings)
    with pytest.raises(Throttled) as refusal:
        seldom.take_for_office("test", "unit_officer@34-35", settings)
    assert "Too many requests from this office. Wait 30 seconds and try again." == str(refusal.value)
    seldom.take_for_office("test", "unit_officer@34-10", settings)


def test_the_refusal_says_after_how_many_whole_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "_BUCKETS", Buckets())
    often = Rate(lambda settings: settings.tracking_per_minute, 60)
    settings = Settings(tracking_per_minute=1)
    often.take("tracking", "192.0.2.1", settings)
    with pytest.raises(Throttled) as refusal:
        often.take("tracking", "192.0.2.1", settings)
    assert 60 == refusal.value.seconds
    assert "Too many requests from this address. Wait 60 seconds and try again." == str(refusal.value)
    often.take("another", "192.0.2.1", settings)
    often.take("tracking", "192.0.2.2", settings)
