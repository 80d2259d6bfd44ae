"""Who holds an office on a day, as notifications asks it: on both databases, through the service's own methods."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from machine import new_postgres

from services.gateway.identity import application as identity
from services.gateway.identity.application import NewUser, UserChange
from services.gateway.identity.domain import Delegation, Membership
from services.gateway.service import GatewayService, desk
from services.kernel.actor import Actor
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.migration import upgrade
from services.runtime.settings import Settings

ADMIN = Actor(role="administrator", user_id="test")
ORGANISATION = str(uuid.uuid4())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The gateway over a database of its own, once of each kind."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('holders') / 'gateway.sqlite'}")
        yield _over(made)
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        yield _over(made)
        made.close()


def _over(database: Database) -> Any:
    upgrade(database, "gateway")
    service: Any = GatewayService()
    service.database, service.settings, service.time = database, Settings(), Time()
    return service


class People:
    """Makes users and offices."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.desk = desk(service.database, service.settings, service.time)

    def user(self, *, email: str | None = "biri@example.org") -> str:
        name = f"u{uuid.uuid4().hex[:10]}"
        return identity.create_user(self.desk, ADMIN, NewUser(name, "yeterince-uzun-parola", name, email), name).id

    def office(self, user: str, role: str, first: str = "2026-01-01", last: str | None = None, **tenant: str) -> str:
        known = {"municipality": None, "authority": None, "organisation_id": None} | tenant
        held = Membership(
            id=str(uuid.uuid4()), user_id=user, role=role, valid_from=date.fromisoformat(first),
            valid_to=date.fromisoformat(last) if last else None, version=1, **known,
        )  # fmt: skip
        return identity.grant_membership(self.desk, ADMIN, held, str(uuid.uuid4())).id

    def lend(self, membership: str, to: str, scope: str = "all") -> None:
        lent = Delegation(
            id=str(uuid.uuid4()), from_membership_id=membership, to_user_id=to, valid_from=date(2026, 3, 1),
            valid_to=date(2026, 3, 10), scope=scope, basis="Başkanlık oluru", version=1,
        )  # fmt: skip
        identity.delegate(self.desk, ADMIN, lent, str(uuid.uuid4()))

    def holders(self, office: str, on: str = "2026-03-02") -> set[str]:
        found = self.service.holders(offices=[office, "nonsense", "mayor@"], on=on)["result"]
        assert {office, "nonsense", "mayor@"} == set(found)
        assert [] == found["nonsense"] == found["mayor@"]
        return {each["user_id"] for each in found[office]}


@pytest.fixture
def people(service: Any) -> People:
    return People(service)


@pytest.mark.parametrize(
    ("role", "tenant"),
    [
        ("mayor", {"municipality": "34-35"}),
        ("authority_head", {"authority": "K34-35"}),
        ("organisation_representative", {"organisation_id": ORGANISATION}),
        ("administrator", {}),
    ],
)
def test_an_office_of_every_kind_is_found_by_its_key(people: People, role: str, tenant: dict[str, str]) -> None:
    user = people.user()
    people.office(user, role, **tenant)
    assert user in people.holders(f"{role}@{next(iter(tenant.values()), '-')}")
    assert user not in people.holders(f"{role}@{'06-00' if tenant else '34-35'}")


def test_an_office_is_held_on_its_days_and_on_no_other(people: People) -> None:
    user = people.user()
    people.office(user, "mayor", "2026-03-02", "2026-03-05", municipality="34-11")
    days = ("2026-03-01", "2026-03-02", "2026-03-05", "2026-03-06")
    assert [set(), {user}, {user}, set()] == [people.holders("mayor@34-11", day) for day in days]


def test_who_acts_for_the_holder_in_everything_is_told_as_well(people: People) -> None:
    holder, deputy, helper = people.user(), people.user(), people.user()
    held = people.office(holder, "registry_clerk", municipality="34-12")
    people.lend(held, deputy)
    people.lend(held, helper, "register, assign")
    assert {holder, deputy} == people.holders("registry_clerk@34-12")
    assert {holder} == people.holders("registry_clerk@34-12", "2026-03-11")


def test_whoever_was_switched_off_holds_nothing_and_has_no_mailbox(people: People) -> None:
    user = people.user()
    people.office(user, "unit_officer", municipality="34-13")
    assert {user} == people.holders("unit_officer@34-13")
    identity.change_user(people.desk, user, UserChange(active=False), None)
    assert set() == people.holders("unit_officer@34-13")
    assert {user: None} == people.service.mailboxes(user_ids=[user])["result"]


def test_mailboxes_are_told_of_those_who_have_one(people: People) -> None:
    with_one, without = people.user(), people.user(email=None)
    stranger = str(uuid.uuid4())
    found = people.service.mailboxes(user_ids=[with_one, without, stranger, "no id"])["result"]
    assert {with_one: "biri@example.org", without: None, stranger: None, "no id": None} == found
