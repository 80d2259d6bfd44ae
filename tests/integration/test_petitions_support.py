"""Signing petitions on both databases: once each, no hint who signed, nothing kept that is not needed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import test_petitions_plan
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from machine import together
from sqlalchemy import select, update
from test_petitions_plan import NOW, SISLI, Caller, petition

from services.contracts.petitions import EVENTS
from services.kernel.errors import Invalid, NotFound, Refused
from services.petitions.adapters.tables import METADATA, PETITIONS, RUNTIME, SUPPORT
from services.petitions.domain.support import KEPT, MOST_ASKS, PAUSE, folded_email
from services.runtime.database import Database

petitions_database = test_petitions_plan.petitions_database
database = test_petitions_plan.database
petitions = test_petitions_plan.petitions

PUBLIC = {"public_title": "Parka rampa", "public_text": "Maçka Parkı'nın girişine rampa yapılsın."}
ADDRESS = "destek@example.org"


@pytest.fixture
def opened(database: Database) -> str:
    return petition(database, **PUBLIC)


def sign(petitions: Caller, petition_id: str, email: str | None = ADDRESS, **who: Any) -> dict[str, Any]:
    return dict(petitions.request_support(petition_id=petition_id, request={"email": email}, **who))


def rows(database: Database) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(SUPPORT.supports).order_by(SUPPORT.supports.c.asked_at)).all())


def told(database: Database) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(RUNTIME.outbox).order_by(RUNTIME.outbox.c.id)).all())


def link(petitions: Caller, database: Database, email: str = ADDRESS) -> str:
    """The token in the mail that goes to the address."""
    mine = next(row for row in rows(database) if row.email == email)
    contact = petitions.service.supporter_contact(f"supporter@{mine.id}")
    assert email == contact["email"]
    token = str(contact["values"]["confirm_url"]).rpartition("/")[2]
    assert (f"https://imece.example/support/{token}", 26) == (contact["values"]["confirm_url"], len(token))
    return token


def supporters(petitions: Caller, petition_id: str) -> int:
    return int(petitions.get_supported(petition_id=petition_id)["supporters"])


def test_the_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    with database.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
    assert [] == [each for each in found if "plan" in str(each) or "support" in str(each)]


@pytest.mark.parametrize(
    ("stage", "is_public"),
    [("received", False), ("registered", True), ("assigned", True), ("awaiting_completion", True), ("answered", True),
     ("proposal_accepted", True), ("declined", False), ("withdrawn", False), ("forwarded", False)],
)  # fmt: skip
def test_a_petition_is_public_from_its_registration_and_while_it_is_on_the_table(
    database: Database, petitions: Caller, stage: str, *, is_public: bool
) -> None:
    made = petition(database, **PUBLIC, stage=stage)
    assert ([made] if is_public else []) == [
        each["id"] for each in petitions.list_supported(municipality=SISLI)["items"]
    ]
    if not is_public:
        for ask in (lambda: petitions.get_supported(petition_id=made), lambda: sign(petitions, made)):
            with pytest.raises(NotFound):
                ask()


def test_a_signature_counts_once_it_is_confirmed(database: Database, petitions: Caller, opened: str) -> None:
    assert {"state": "confirmation_sent", "token": None} == sign(petitions, opened)
    assert 0 == supporters(petitions, opened)
    token = link(petitions, database)
    assert ("pending", "Parka rampa") == (
        (found := petitions.support_of(token=token))["state"], found["petition"]["title"],
    )  # fmt: skip
    for _ in range(2):
        confirmed = petitions.confirm_support(token=token)
        assert ("confirmed", 1) == (confirmed["state"], confirmed["petition"]["supporters"])
    assert 1 == supporters(petitions, opened)


def test_the_event_says_no_address_and_no_name(database: Database, petitions: Caller, opened: str) -> None:
    sign(petitions, opened)
    (event,) = told(database)
    assert ("petition.support_requested.v1", opened, SISLI) == (event.name, event.subject_id, event.municipality)
    assert {} == EVENTS[event.name]().validate(event.data)
    assert rows(database)[0].id == event.data["support_id"]
    assert "@" not in json.dumps(event.data)


def test_after_the_confirmation_the_address_is_gone_and_nobody_can_be_written_to(
    database: Database, petitions: Caller, opened: str
) -> None:
    sign(petitions, opened)
    petitions.confirm_support(token=link(petitions, database))
    (row,) = rows(database)
    assert row.email is None
    assert "example.org" not in str(row)
    assert petitions.service.supporter_contact(f"supporter@{row.id}") is None
    assert petitions.service.supporter_contact("supporter@nobody") is None


def test_the_answer_does_not_tell_whether_an_address_signed_before(
    database: Database, petitions: Caller, opened: str
) -> None:
    first = sign(petitions, opened)
    waiting = sign(petitions, opened)
    petitions.confirm_support(token=link(petitions, database))
    petitions.be_at(NOW + PAUSE)
    signed = sign(petitions, opened)
    assert first == waiting == signed == sign(petitions, opened, "baska@example.org")
    assert 1 == supporters(petitions, opened)
    # Who signed before gets a mail as well, and with it the way to take the signature back.
    petitions.withdraw_support(token=link(petitions, database))
    assert (0, ["baska@example.org"]) == (supporters(petitions, opened), [row.email for row in rows(database)])


def test_one_mailbox_is_not_filled(database: Database, petitions: Caller, opened: str) -> None:
    for minutes in range(0, 300, 10):
        petitions.be_at(NOW + timedelta(minutes=minutes))
        sign(petitions, opened, ADDRESS.upper() if minutes % 20 else "destek+x@example.org")
    assert (1, MOST_ASKS) == (len(rows(database)), len(told(database)))
    petitions.be_at(NOW + timedelta(minutes=300) + KEPT)
    sign(petitions, opened)
    assert MOST_ASKS + 1 == len(told(database))


def test_many_at_once_from_one_address_or_account_are_one_signature(
    database: Database, petitions: Caller, opened: str
) -> None:
    answers = together(*(lambda: sign(Caller(database), opened) for _ in range(6)))
    assert [{"state": "confirmation_sent", "token": None}] * 6 == answers
    assert (1, 1) == (len(rows(database)), len(told(database)))
    answers = together(*(lambda: sign(Caller(database), opened, None, user_id="u1") for _ in range(6)))
    assert 1 == len({answer["token"] for answer in answers})
    assert (2, 1) == (len(rows(database)), supporters(petitions, opened))
    token = link(petitions, database)
    together(*(lambda: Caller(database).confirm_support(token=token) for _ in range(4)))
    assert 2 == supporters(petitions, opened)


def test_an_account_signs_at_once_and_takes_over_what_its_address_began(
    database: Database, petitions: Caller, opened: str
) -> None:
    sign(petitions, opened)
    signed = sign(petitions, opened, None, user_id="u1", account_email=ADDRESS.title())
    assert ("confirmed", 1, 1) == (signed["state"], len(rows(database)), supporters(petitions, opened))
    assert rows(database)[0].email is None
    assert signed == sign(petitions, opened, None, user_id="u1", account_email="yeni@example.org")
    petitions.withdraw_support(token=signed["token"])
    assert [] == rows(database)


def test_a_withdrawn_signature_is_erased_at_once(database: Database, petitions: Caller, opened: str) -> None:
    sign(petitions, opened)
    token = link(petitions, database)
    petitions.confirm_support(token=token)
    petitions.withdraw_support(token=token)
    assert [] == rows(database)
    for ask in (petitions.confirm_support, petitions.withdraw_support, petitions.support_of):
        with pytest.raises(NotFound):
            ask(token=token)


def test_what_nobody_confirms_within_a_week_is_erased(database: Database, petitions: Caller, opened: str) -> None:
    sign(petitions, opened)
    sign(petitions, opened, "ikinci@example.org")
    petitions.confirm_support(token=link(petitions, database, "ikinci@example.org"))
    petitions.be_at(NOW + timedelta(days=1))
    sign(petitions, opened, "ikinci@example.org")
    token = link(petitions, database)
    petitions.be_at(NOW + KEPT)
    with pytest.raises(NotFound):
        petitions.confirm_support(token=token)
    petitions.service.clear_supports()
    assert ["confirmed"] == [row.state for row in rows(database)]
    petitions.be_at(NOW + timedelta(days=1) + KEPT)
    petitions.service.clear_supports()
    assert ([None], 1) == ([row.email for row in rows(database)], supporters(petitions, opened))


def test_only_petitions_that_were_opened_are_seen_and_signed(
    database: Database, petitions: Caller, opened: str
) -> None:
    closed = petition(database)
    withdrawn = petition(database, **PUBLIC, stage="withdrawn")
    answered = petition(database, **PUBLIC, stage="answered", outcome="accepted")
    for hidden in (closed, withdrawn):
        with pytest.raises(NotFound):
            petitions.get_supported(petition_id=hidden)
        with pytest.raises(NotFound):
            sign(petitions, hidden)
    with pytest.raises(Refused):
        sign(petitions, answered)
    listed = petitions.list_supported(municipality=SISLI)
    assert ({opened: True, answered: False}, 2) == (
        {each["id"]: each["open"] for each in listed["items"]}, listed["total"],
    )  # fmt: skip
    assert {"id", "municipality", "kind", "title", "text", "stage", "outcome", "filed_on", "supporters", "open"} == set(
        listed["items"][0]
    )
    assert 0 == petitions.list_supported(municipality="34-10")["total"]


def test_a_signature_that_comes_after_the_answer_does_not_count(
    database: Database, petitions: Caller, opened: str
) -> None:
    sign(petitions, opened)
    token = link(petitions, database)
    with database.write() as connection:
        connection.execute(update(PETITIONS).where(PETITIONS.c.id == opened).values(stage="answered"))
    with pytest.raises(Refused):
        petitions.confirm_support(token=token)
    with database.write() as connection:
        connection.execute(update(PETITIONS).where(PETITIONS.c.id == opened).values(stage="withdrawn"))
    assert {"state": "pending", "petition": None} == petitions.support_of(token=token)
    petitions.withdraw_support(token=token)
    assert [] == rows(database)


def test_signatures_of_two_petitions_cannot_be_told_to_be_the_same_persons(
    database: Database, petitions: Caller, opened: str
) -> None:
    sign(petitions, opened)
    sign(petitions, petition(database, **PUBLIC))
    first, second = rows(database)
    assert first.mail_hash != second.mail_hash
    assert first.token_hash != second.token_hash


@pytest.mark.parametrize("email", ["", " ", "a", "a@b", "a@@b.c", "a b@c.de", None])
def test_what_is_no_address_is_refused(petitions: Caller, opened: str, email: str | None) -> None:
    with pytest.raises(Invalid):
        sign(petitions, opened, email)


def test_addresses_are_compared_without_case_and_without_what_follows_a_plus() -> None:
    assert {"ad@example.org"} == {
        folded_email(each) for each in ("AD@Example.org", " ad+1@example.org", "ad@EXAMPLE.ORG")
    }
    assert "+@example.org" == folded_email("+@example.org")
