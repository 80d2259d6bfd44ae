"""Sending to real receivers: over TLS, to checked addresses only, within limits, and nowhere else."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import eventlet
import pytest
from receiver import Receiver, receiving, self_made

from services.notifications.adapters import receiver as adapter
from services.notifications.adapters.receiver import Post, Unreachable, resolve
from services.notifications.domain.network import networks_of
from services.notifications.domain.webhook import Outcome, destination

HERE = networks_of("127.0.0.0/8")
OUTSIDE = "93.184.216.34"
NAME, OTHER = "hook.test", "other.test"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("plain")) as made:
        yield made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return self_made(tmp_path_factory.mktemp("certificate"), NAME)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("secure"), certificate) as made:
        yield made


@pytest.fixture(autouse=True)
def quiet(plain: Receiver) -> None:
    plain.forget()


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The self-made certificate is one that this machine believes, as a house's own authority is."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    adapter._trust.cache_clear()  # noqa: SLF001 - made once in a process
    yield
    adapter._trust.cache_clear()  # noqa: SLF001 - made once in a process


def saying(*answers: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """A resolver that says these one after the other, then the last for ever."""
    left = list(answers)
    return lambda _host, _port: left.pop(0) if len(left) > 1 else left[0]


def send(post: Post, url: str, seconds: float = 5.0) -> Outcome:
    with post.line(destination(url)) as line:
        return line.send({"Imece-Event": "protocol.moved.v1"}, '{"a":"ç"}'.encode(), seconds)


def why(outcome: Outcome) -> str:
    return str(outcome.cause)


def test_a_delivery_arrives_as_it_was_sent(plain: Receiver) -> None:
    assert Outcome(200) == send(Post(HERE), plain.url("/ok?a=b"))
    (got,) = plain.got
    assert ("/ok?a=b", '{"a":"ç"}', "application/json", "Imece-Webhooks/1", f"127.0.0.1:{plain.port}") == (
        got["path"], got["body"], got["headers"]["Content-Type"], got["headers"]["User-Agent"], got["headers"]["Host"],
    )  # fmt: skip


def test_a_certificate_that_this_machine_believes_is_accepted_for_its_name(secure: Receiver, trusted: None) -> None:
    assert Outcome(200) == send(Post(HERE, saying(["127.0.0.1"])), secure.url(host=NAME))
    assert f"{NAME}:{secure.port}" == secure.got[-1]["headers"]["Host"]


def test_a_certificate_for_another_name_is_refused(secure: Receiver, trusted: None) -> None:
    before = len(secure.got)
    assert "certificate" in why(send(Post(HERE, saying(["127.0.0.1"])), secure.url(host=OTHER)))
    assert before == len(secure.got)


def test_a_certificate_that_nobody_signed_is_refused(secure: Receiver) -> None:
    before = len(secure.got)
    assert "certificate" in why(send(Post(HERE, saying(["127.0.0.1"])), secure.url(host=NAME)))
    assert before == len(secure.got)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00::1"]
)
def test_a_name_that_leads_into_the_house_is_refused_at_once(plain: Receiver, address: str) -> None:
    found = send(Post((), saying([address])), f"https://{NAME}:{plain.port}/ok")
    assert f"{NAME} leads into a network that webhooks may not reach." == why(found)


def test_one_inner_address_among_outer_ones_is_refused() -> None:
    assert "may not reach" in why(send(Post((), saying([OUTSIDE, "127.0.0.1"])), f"https://{NAME}/"))


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "0.0.0.0"])
def test_this_machine_is_refused_by_whatever_name(plain: Receiver, host: str) -> None:
    assert "may not reach" in why(send(Post(()), f"https://{host}:{plain.port}/"))


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_this_machine_is_refused_in_old_ways_of_writing(plain: Receiver, host: str) -> None:
    assert send(Post(()), f"https://{host}:{plain.port}/").cause is not None
    assert [] == plain.got


def test_a_name_that_changes_between_check_and_connection_leads_nowhere_else(plain: Receiver) -> None:
    post = Post((), saying([OUTSIDE], ["127.0.0.1"]))
    where = destination(f"https://{NAME}:{plain.port}/ok")
    post.check(where)
    assert "may not reach" in why(send(post, f"https://{NAME}:{plain.port}/ok"))
    assert [] == plain.got


def test_the_connection_goes_to_the_address_that_was_checked(plain: Receiver) -> None:
    asked: list[str] = []

    def resolver(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.99"]

    assert Outcome(200) == send(Post(HERE, resolver), f"http://{NAME}:{plain.port}/ok")
    assert [NAME] == asked


def test_the_next_address_is_tried_where_the_first_does_not_answer(plain: Receiver) -> None:
    post = Post(HERE, saying(["127.0.0.99", "127.0.0.1"]))
    assert Outcome(200) == send(post, f"http://{NAME}:{plain.port}/ok")


def test_plain_http_is_for_allowed_networks_only() -> None:
    post = Post(HERE, saying([OUTSIDE]))
    with pytest.raises(Unreachable, match="https"):
        post.check(destination(f"http://{NAME}/"))
    post.check(destination(f"https://{NAME}/"))
    assert "https" in why(send(post, f"http://{NAME}/"))


def test_a_redirect_is_not_followed(plain: Receiver) -> None:
    found = send(Post(HERE), plain.url("/redirect"))
    assert (302, ["/redirect"]) == (found.status, [each["path"] for each in plain.got])
    assert "points elsewhere" in why(found)


def test_a_proxy_of_the_environment_is_not_used(plain: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert Outcome(200) == send(Post(HERE), plain.url())


@pytest.mark.parametrize("path", ["/slow/5", "/drip"])
def test_a_receiver_has_a_limited_time_in_all(plain: Receiver, path: str) -> None:
    began = time.monotonic()
    assert "did not answer within 0.5 seconds" in why(send(Post(HERE), plain.url(path), 0.5))
    assert time.monotonic() - began < 3


def test_an_answer_without_end_is_cut_off_and_still_an_answer(plain: Receiver) -> None:
    assert Outcome(200) == send(Post(HERE), plain.url("/endless"))


def test_a_receiver_that_breaks_off_is_told_of(plain: Receiver) -> None:
    assert "broke off" in why(send(Post(HERE), plain.url("/cut")))


def test_nobody_at_the_address_is_told_of(plain: Receiver) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    assert "cannot be connected to" in why(send(Post(HERE), f"http://127.0.0.1:{port}/"))


def test_a_name_without_an_address_is_told_of() -> None:
    with pytest.raises(Unreachable, match=r"no address for no\.such\.invalid"):
        Post(HERE).check(destination("https://no.such.invalid/"))


def test_names_are_looked_up_by_eventlets_own_resolver() -> None:
    """The machine's would stop every green thread of the process."""
    assert {"127.0.0.1", "::1"} & set(resolve("localhost", 80))
    assert socket.getaddrinfo.__module__.startswith("eventlet")


def test_several_deliveries_go_side_by_side_on_one_line(plain: Receiver) -> None:
    began = time.monotonic()
    with Post(HERE).line(destination(plain.url("/slow/0.4"))) as line:
        threads = [eventlet.spawn(line.send, {}, b"{}") for _ in range(4)]
        assert [Outcome(200)] * 4 == [thread.wait() for thread in threads]
    assert time.monotonic() - began < 1.4
