"""Preferences, the log of deliveries, suppressed addresses and the link of a mail, over HTTP with a real mail server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from harness import Client, System, embedded_system, free_port, until
from mail_server import MailServer, mail_server
from sqlalchemy import select

from services.notifications.adapters.tables import PREFERENCES


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(tmp_path_factory.mktemp("mails"), free_port()) as server:
        yield server


@pytest.fixture(scope="module")
def house(post: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """An embedded İmece that sends mail; two of its offices have an address."""
    settings = {
        "IMECE_SMTP_URL": f"smtp+plain://127.0.0.1:{post.port}",
        "IMECE_MAIL_FROM": "imece@example.org",
        "IMECE_LANGUAGE": "en",
    }
    with embedded_system(tmp_path_factory.mktemp("house"), **settings) as system:
        for office, address in (("mayor", "mayor@example.org"), ("clerk", "nobody@example.org")):
            user = system.client(office).get("/me")["id"]
            found = system.client("admin").ask("GET", f"/users/{user}").body
            changed = system.client("admin").ask(
                "PATCH", f"/users/{user}", {"email": address}, version=found["version"]
            )
            assert 200 == changed.status
        yield system


def in_turn(system: System) -> dict[str, Any]:
    """A draft that was just submitted to the mayor."""
    return system.client("unit").move(system.draft(), "submit_to_mayor")


def link(mail: Any, system: System) -> str:
    path = str(mail.message["List-Unsubscribe"]).strip("<>").partition("/api/v1")[2]
    return f"{system.url}/api/v1{path}"


def test_whose_turn_it_is_gets_a_mail_and_may_stop_them_with_one_click(house: System, post: MailServer) -> None:
    in_turn(house)
    mail = until(lambda: post.to("mayor@example.org"))[0]
    assert "Draft submitted to the mayor" in mail.message["Subject"]
    url = link(mail, house)
    assert {"mail": True} == requests.get(url, timeout=10).json()
    one_click = requests.post(url, data={"List-Unsubscribe": "One-Click"}, timeout=10)
    assert (200, {"mail": False}) == (one_click.status_code, one_click.json())
    as_form = requests.post(url, files={"List-Unsubscribe": (None, "One-Click")}, timeout=10)
    assert (200, {"mail": False}) == (as_form.status_code, as_form.json())
    mayor = house.client("mayor")
    assert mayor.get("/preferences")["mail"] is False
    before = mayor.get("/notifications")["total"]
    in_turn(house)
    assert until(lambda: mayor.get("/notifications")["total"] > before)
    assert 404 == requests.post(url[:-1] + ("0" if url[-1] != "0" else "1"), timeout=10).status_code


def test_the_footer_of_a_mail_leads_to_a_page_that_stops_them_with_one_button(house: System, post: MailServer) -> None:
    clerk = house.client("clerk")
    version = clerk.get("/preferences")["version"]
    assert 200 == clerk.ask("PUT", "/preferences", {"mail": True, "events": []}, version=version).status
    token = one_token(house, clerk.get("/me")["id"])
    url = f"{house.url}/unsubscribe/{token}"
    asked = requests.get(url, headers={"Accept-Language": "tr"}, timeout=10)
    assert (200, "text/html; charset=utf-8") == (asked.status_code, asked.headers["Content-Type"])
    assert f'<form method="post" action="/unsubscribe/{token}">' in asked.text
    assert "Bu e-postaları durdur" in asked.text
    assert "script" not in asked.text
    assert "form-action 'self'" in asked.headers["Content-Security-Policy"]
    assert clerk.get("/preferences")["mail"] is True
    for _ in range(2):
        done = requests.post(url, headers={"Accept-Language": "en"}, timeout=10)
        assert (200, False) == (done.status_code, "<form" in done.text)
        assert "The e-mails are stopped." in done.text
    now = clerk.get("/preferences")
    assert now["mail"] is False
    again = clerk.ask("PUT", "/preferences", {"mail": True, "events": []}, version=now["version"])
    assert 200 == again.status
    unknown = requests.get(f"{house.url}/unsubscribe/{uuid.uuid4()}", headers={"Accept-Language": "en"}, timeout=10)
    assert "This link is not known here" in unknown.text


def one_token(system: System, user: str) -> str:
    """The word of the links in this person's mails."""
    with system.database("notifications").read() as connection:
        whose = select(PREFERENCES.c.token).where(PREFERENCES.c.recipient == f"person@{user}")
        return str(connection.execute(whose).scalar_one())


def test_a_choice_is_made_from_the_version_that_was_seen(house: System) -> None:
    unit = house.client("unit")
    seen = unit.ask("GET", "/preferences")
    assert '"0"' == seen.headers["ETag"]
    assert ["mail"] == seen.body["channels"]
    turn = "protocol.moved.v1/turn"
    body = {"language": "tr", "events": [{"event": turn, "stream": "weekly"}]}
    assert 428 == unit.ask("PUT", "/preferences", body).status
    made = unit.ask("PUT", "/preferences", body, version=0)
    assert (200, '"1"') == (made.status, made.headers["ETag"])
    chosen = {each["event"]: each for each in made.body["events"]}
    assert ("weekly", "at_once") == (chosen[turn]["stream"], chosen[turn]["default"])
    assert 412 == unit.ask("PUT", "/preferences", body, version=0).status
    odd = {"events": [{"event": "no.such.topic", "stream": "weekly"}]}
    assert 422 == unit.ask("PUT", "/preferences", odd, version=1).status


def test_an_address_that_does_not_work_is_listed_masked_and_can_be_allowed_again(
    house: System, post: MailServer
) -> None:
    moved = in_turn(house)
    house.client("mayor").move(moved, "refer_to_council")  # the clerk's turn, whose address does not work
    admin, clerk = house.client("admin"), house.client("clerk")
    (listed,) = until(lambda: admin.get("/suppressions")["items"])
    assert ("n…@example.org", "address_refused") == (listed["address"], listed["cause"])
    assert "Your e-mail address does not work" in [each["title"] for each in clerk.get("/notifications")["items"]]
    assert "An e-mail address does not work" in [each["title"] for each in admin.get("/notifications")["items"]]
    (given_up,) = admin.get("/deliveries?state=failed")["items"]
    assert given_up["id"] in [each["id"] for each in admin.get("/dead-letters")["items"]]
    assert "example.org" not in str(admin.get("/deliveries"))
    assert 403 == clerk.ask("GET", "/suppressions").status
    assert [204, 404] == [admin.ask("DELETE", f"/suppressions/{listed['id']}").status for _ in range(2)]


def test_everyone_sees_the_own_log_alone(house: System, post: MailServer) -> None:
    assert 0 == house.client("auditor").get("/deliveries")["total"]
    own = house.client("mayor").get("/deliveries")["items"]
    assert {f"person@{house.client('mayor').get('/me')['id']}"} == {each["recipient"] for each in own}
    assert 401 == Client(house.url, None).ask("GET", "/deliveries").status
