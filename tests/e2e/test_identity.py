"""People sign in, hold offices for a time, and act for one another, over HTTP."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from harness import PASSWORD, Answer, Client, System, today

LONG_AGO, YESTERDAY = "2020-01-01", (today() - timedelta(days=1)).isoformat()
TOMORROW, NEXT_YEAR = (today() + timedelta(days=1)).isoformat(), (today() + timedelta(days=365)).isoformat()
BASIS = "Başkanlık oluru"
OFFICE = {"role": "unit_officer", "municipality": "34-35"}


def sign_in(system: System, username: str, password: str = PASSWORD, **headers: str) -> Answer:
    return Client(system.url, None).ask("POST", "/sessions", {"username": username, "password": password}, **headers)


def user(system: System) -> dict[str, Any]:
    name = f"kisi.{uuid.uuid4().hex[:8]}"
    body = {"username": name, "password": PASSWORD, "full_name": "Bir memur"}
    return dict(system.client("admin").post("/users", body))


def office(system: System, user_id: str, valid_from: str = LONG_AGO, valid_to: str | None = None, **of: str) -> str:
    body = {"user_id": user_id, "valid_from": valid_from, "valid_to": valid_to, **(of or OFFICE)}
    return str(system.client("admin").post("/memberships", body)["id"])


def signed_in(system: System, username: str) -> Client:
    return Client(system.url, sign_in(system, username).body["token"])


def delegate(system: System, office_of: str, to: str, scope: str, **dates: str) -> dict[str, Any]:
    lent = system.client(office_of).get("/me")["memberships"][0]["id"]
    span = {"valid_from": LONG_AGO, "valid_to": NEXT_YEAR} | dates
    body = {"from_membership_id": lent, "to_user_id": to, "scope": scope, "basis": BASIS, **span}
    return dict(system.client("admin").post("/delegations", body))


# sign-ins


def test_a_sign_in_gives_a_token_its_end_the_user_and_the_offices(embedded: System) -> None:
    answer = sign_in(embedded, "test.clerk")
    assert 201 == answer.status
    assert {"token", "expires_at", "user", "memberships"} == set(answer.body)
    assert "test.clerk" == answer.body["user"]["username"]
    assert [("registry_clerk", "34-35", False)] == [
        (each["role"], each["municipality"], each["delegated"]) for each in answer.body["memberships"]
    ]
    assert datetime.fromisoformat(answer.body["expires_at"]).utcoffset() is not None
    assert "no-store" == answer.headers["Cache-Control"]
    assert "password" not in str(answer.body)


def test_a_wrong_password_and_an_unknown_user_are_answered_alike(embedded: System) -> None:
    name = user(embedded)["username"]
    wrong, unknown = sign_in(embedded, name, "yanlis-bir-parola"), sign_in(embedded, "kimse.yok", "yanlis-bir-parola")
    assert (401, "wrong_credentials") == (wrong.status, wrong.code) == (unknown.status, unknown.code)
    assert wrong.body["detail"] == unknown.body["detail"]


def test_guessing_is_throttled_even_with_the_right_password_and_says_how_long(embedded: System) -> None:
    name = user(embedded)["username"]
    seen = [sign_in(embedded, name, f"yanlis-bir-parola-{n}").status for n in range(6)]
    answer = sign_in(embedded, name)
    assert [401] * 5 == seen[:5]
    assert (429, "throttled") == (answer.status, answer.code)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert 201 == sign_in(embedded, user(embedded)["username"]).status


def test_signing_out_ends_the_token_and_no_other(embedded: System) -> None:
    name = user(embedded)["username"]
    first, second = signed_in(embedded, name), signed_in(embedded, name)
    assert 204 == first.ask("DELETE", "/sessions/current").status
    assert [401, 200] == [each.ask("GET", "/me").status for each in (first, second)]


def test_a_repeated_sign_in_with_one_key_gives_one_token(embedded: System) -> None:
    name, key = user(embedded)["username"], str(uuid.uuid4())
    first, again = (sign_in(embedded, name, Idempotency_Key=key) for _ in range(2))
    assert (201, 201, first.body["token"]) == (first.status, again.status, again.body["token"])


# users


@pytest.mark.parametrize("office_", ["registrar", "auditor", "unit", "clerk", "mayor", "authority"])
def test_users_and_offices_are_the_administrators_alone(embedded: System, office_: str) -> None:
    client = embedded.client(office_)
    made = {"username": "yeni.biri", "password": PASSWORD, "full_name": "Yeni biri"}
    assert [403] * 5 == [
        client.ask(method, path, body).status
        for method, path, body in (
            ("POST", "/users", made),
            ("GET", "/users", None),
            ("POST", "/memberships", {"user_id": str(uuid.uuid4()), "role": "administrator", "valid_from": LONG_AGO}),
            ("GET", "/memberships", None),
            ("GET", "/delegations", None),
        )
    ]


def test_a_taken_username_is_refused_however_it_is_typed(embedded: System) -> None:
    name = user(embedded)["username"]
    again = {"username": name, "password": PASSWORD, "full_name": "Bir başkası"}
    answer = embedded.client("admin").ask("POST", "/users", again)
    assert (422, ["username"]) == (answer.status, [each["field"] for each in answer.body["errors"]])
    assert 201 == sign_in(embedded, f" {name.upper()} ").status


@pytest.mark.parametrize("password", ["kisa-parola", "x" * 129, "aaaaaaaaaaaaaaaa", "zayif.parolali"])
def test_a_weak_password_is_refused(embedded: System, password: str) -> None:
    body = {"username": "zayif.parolali", "password": password, "full_name": "Bir memur"}
    answer = embedded.client("admin").ask("POST", "/users", body)
    assert (422, {"password"}) == (answer.status, {each["field"] for each in answer.body["errors"]})
    assert password not in str(answer.body)


@pytest.mark.parametrize("change", [{"password": "yepyeni-bir-parola"}, {"active": False}])
def test_a_new_password_and_switching_off_end_all_sign_ins(embedded: System, change: dict[str, Any]) -> None:
    made = user(embedded)
    client = signed_in(embedded, made["username"])
    answer = embedded.client("admin").ask("PATCH", f"/users/{made['id']}", change, version=made["version"])
    assert (200, '"2"') == (answer.status, answer.headers["ETag"])
    assert 401 == client.ask("GET", "/me").status
    assert 401 == sign_in(embedded, made["username"]).status


# offices


@pytest.mark.parametrize(("first", "last"), [(LONG_AGO, YESTERDAY), (TOMORROW, None)])
def test_an_office_outside_its_dates_is_none(embedded: System, first: str, last: str | None) -> None:
    made = user(embedded)
    office(embedded, made["id"], first, last)
    signed = sign_in(embedded, made["username"])
    assert [] == signed.body["memberships"]
    answer = Client(embedded.url, signed.body["token"]).ask("GET", "/protocols")
    assert (403, "no_office") == (answer.status, answer.code)


def test_an_office_that_ends_today_is_held_today(embedded: System) -> None:
    made = user(embedded)
    office(embedded, made["id"], LONG_AGO, today().isoformat())
    assert 200 == signed_in(embedded, made["username"]).ask("GET", "/protocols").status


def test_ending_an_office_ends_it_for_a_sign_in_that_is_open(embedded: System) -> None:
    made = user(embedded)
    held, client = office(embedded, made["id"]), signed_in(embedded, made["username"])
    assert 200 == client.ask("GET", "/work").status
    assert (
        200 == embedded.client("admin").ask("PATCH", f"/memberships/{held}", {"valid_to": YESTERDAY}, version=1).status
    )
    assert "no_office" == client.ask("GET", "/work").code


def test_who_holds_several_offices_says_which_one_acts(embedded: System) -> None:
    made = user(embedded)
    here = office(embedded, made["id"])
    there = office(embedded, made["id"], role="unit_officer", municipality="34-23")
    client = signed_in(embedded, made["username"])
    unsaid = client.ask("GET", "/protocols")
    assert (403, "office_not_chosen") == (unsaid.status, unsaid.code)
    assert None is client.get("/me")["acting_as"]
    draft = embedded.draft()["id"]
    assert [200, 404] == [
        client.ask("GET", f"/protocols/{draft}", Imece_Acting_As=each).status for each in (here, there)
    ]
    strange = embedded.client("clerk").get("/me")["memberships"][0]["id"]
    answer = client.ask("GET", "/protocols", Imece_Acting_As=strange)
    assert (403, "not_your_office") == (answer.status, answer.code)
    assert 422 == client.ask("GET", "/protocols", Imece_Acting_As="benim").status


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"role": "mayor"}, "municipality"),
        ({"role": "mayor", "municipality": "34-35", "authority": "K34-35"}, "authority"),
        ({"role": "mayor", "municipality": "34-99"}, "municipality"),
        ({"role": "organisation_representative", "organisation_id": str(uuid.uuid4())}, "organisation_id"),
        ({"role": "auditor", "valid_to": "2019-01-01"}, "valid_to"),
        ({"role": "auditor", "user_id": str(uuid.uuid4())}, "user_id"),
    ],
)
def test_an_office_that_cannot_be_is_refused_by_its_field(embedded: System, wrong: dict[str, str], field: str) -> None:
    holder = {"user_id": embedded.client("auditor").get("/me")["id"], "valid_from": LONG_AGO}
    answer = embedded.client("admin").ask("POST", "/memberships", holder | wrong)
    assert (422, [field]) == (answer.status, [each["field"] for each in answer.body["errors"]])


# delegations


def test_a_delegate_acts_for_the_office_and_the_history_says_so(embedded: System) -> None:
    deputy = user(embedded)
    lent = delegate(embedded, "mayor", deputy["id"], "all")["from_membership_id"]
    client = signed_in(embedded, deputy["username"])
    moved = client.move(embedded.client("unit").move(embedded.draft(), "submit_to_mayor"), "refer_to_council")
    acts = embedded.client("clerk").get(f"/protocols/{moved['id']}/timeline")["items"]
    assert [("unit_officer", None), ("unit_officer", None), ("mayor", lent)] == [
        (act["actor"]["role"], act["actor"]["acting_for"]) for act in acts
    ]
    assert "mayor@34-35" == acts[-1]["actor"]["office"]
    assert deputy["id"] not in str(acts)


def test_a_delegation_for_named_moves_covers_these_alone(embedded: System) -> None:
    deputy = user(embedded)
    delegate(embedded, "unit", deputy["id"], "submit_to_mayor, revise")
    client, drafted = signed_in(embedded, deputy["username"]), embedded.draft()
    assert ["submit_to_mayor", "revise"] == client.get("/me")["memberships"][0]["moves"]
    path = f"/protocols/{drafted['id']}"
    assert ["submit_to_mayor"] == [option["move"] for option in client.get(path)["options"]]
    assert 403 == client.ask("POST", f"{path}/moves/withdraw", {"reason": "vazgeçildi"}, version=1).status
    text = client.ask("PUT", f"{path}/text", {"text": "başka"}, version=1)
    assert (403, "outside_delegation") == (text.status, text.code)
    assert "mayor_review" == client.move(drafted, "submit_to_mayor")["stage"]


@pytest.mark.parametrize("dates", [{"valid_to": YESTERDAY}, {"valid_from": TOMORROW}])
def test_a_delegation_outside_its_dates_is_none(embedded: System, dates: dict[str, str]) -> None:
    deputy = user(embedded)
    delegate(embedded, "mayor", deputy["id"], "all", **dates)
    assert [] == sign_in(embedded, deputy["username"]).body["memberships"]


def test_a_delegation_ends_with_the_office_it_comes_from(embedded: System) -> None:
    holder, deputy = user(embedded), user(embedded)
    held = office(embedded, holder["id"])
    body = {"from_membership_id": held, "to_user_id": deputy["id"], "scope": "all", "basis": BASIS}
    embedded.client("admin").post("/delegations", body | {"valid_from": LONG_AGO, "valid_to": NEXT_YEAR})
    client = signed_in(embedded, deputy["username"])
    assert 200 == client.ask("GET", "/work").status
    embedded.client("admin").ask("PATCH", f"/memberships/{held}", {"valid_to": YESTERDAY}, version=1)
    assert "no_office" == client.ask("GET", "/work").code


def test_nobody_delegates_to_themselves(embedded: System) -> None:
    me = embedded.client("mayor").get("/me")
    body = {"from_membership_id": me["memberships"][0]["id"], "to_user_id": me["id"], "scope": "all", "basis": BASIS}
    answer = embedded.client("admin").ask(
        "POST", "/delegations", body | {"valid_from": LONG_AGO, "valid_to": NEXT_YEAR}
    )
    assert (422, ["to_user_id"]) == (answer.status, [each["field"] for each in answer.body["errors"]])
