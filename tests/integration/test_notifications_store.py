"""Notifications on real databases: one for each office and event, whatever happens to the deliveries."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import eventlet
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from eventlet.event import Event
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url

from services.kernel.actor import Actor
from services.kernel.errors import error_from_plain
from services.notifications.adapters.messages import happening_of
from services.notifications.adapters.repository import Repository
from services.notifications.adapters.tables import CASES, METADATA, NEWS, NOTIFICATIONS, RUNTIME
from services.notifications.application.telling import hear
from services.notifications.service import NotificationsService
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.envelope import Envelope
from services.runtime.migration import ensure_database, is_current, upgrade
from services.runtime.settings import Settings

POSTGRES = os.environ.get("IMECE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MAYOR = Actor(role="mayor", municipality="34-35").to_plain()
PARTNER_NAME = "Yer Çizenler Herkes İçin Haritalama Derneği"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An empty database of the newest shape, made for this run and dropped after it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('notifications') / 'notifications.sqlite'}"
    else:
        server = make_url(POSTGRES).set(drivername="postgresql+psycopg")
        url = server.set(database=f"imece_test_notifications_{uuid.uuid4().hex[:12]}").render_as_string(
            hide_password=False
        )
        ensure_database(url)
    made = Database(url)
    upgrade(made, "notifications")
    yield made
    made.close()
    if request.param == "postgresql":
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)'))
        admin.dispose()


@pytest.fixture
def service(database: Database) -> NotificationsService:
    """The service's own methods over the test's database."""
    made = NotificationsService()
    made.database = database
    made.settings = Settings()
    made.time = Time()
    return made


class Story:
    """One case and one organisation, with ids that no other test uses."""

    def __init__(self, minute: int = 0) -> None:
        self.protocol_id = str(uuid.uuid4())
        self.organisation_id = str(uuid.uuid4())
        self.reference = f"34-35/2026/{uuid.uuid4().int % 100_000}"
        self.begun = NOON + timedelta(minutes=minute)

    def of_case(self, name: str, version: int, *, by: str | None = None, **data: Any) -> Envelope:
        """An event of the case; the version also tells the minute."""
        return self._envelope(
            name,
            self.protocol_id,
            version,
            by,
            {
                "protocol_id": self.protocol_id,
                "reference": self.reference,
                "title": "Engelsiz sokaklar",
                "municipality": "34-35",
                "municipality_name": "Şişli Belediyesi",
                "authority": "K34-35",
                "authority_name": "Şişli Kaymakamlığı",
                "organisation_id": self.organisation_id,
                "organisation_name": PARTNER_NAME,
                "a_field_of_tomorrow": 1,
                **data,
            },
        )

    def drafted(self) -> Envelope:
        return self.of_case("protocol.drafted.v1", 1, by="unit_officer", stage="drafting")

    def moved(self, version: int, move: str, by: str, path: str, turn: str | None) -> Envelope:
        """A move along `path`, written `from > to`."""
        start, end = path.split(" > ")
        data = {"move": move, "from": start, "to": end, "turn": turn, "due_on": None, "done_on": "2026-03-02"}
        return self.of_case("protocol.moved.v1", version, by=by, **data)

    def clock(self, name: str, version: int, kind: str, whose: str, **data: Any) -> Envelope:
        known = {"kind": kind, "article": "5393/23", "whose": whose, "due_on": "2026-03-09"}
        return self.of_case(name, version, **(known | data))

    def status(self, name: str, version: int) -> Envelope:
        """News of the organisation, `version` minutes after the story began."""
        standing = {
            "permission": "exempt",
            "ground": "public_benefit_association",
            "article": "5393/75",
            "on": "2026-03-02",
        }
        data = {
            "organisation_id": self.organisation_id,
            "registry_no": None,
            "name": PARTNER_NAME,
            "form": "association",
            "state": "active",
            "statuses": [],
            "standing": standing,
        }
        return self._envelope(name, self.organisation_id, version, "registrar", data)

    def _envelope(self, name: str, subject_id: str, version: int, by: str | None, data: dict[str, Any]) -> Envelope:
        tenant = {"registrar": "-", "authority_head": "K34-35"}.get(by or "", "34-35")
        return Envelope(
            id=str(uuid.uuid4()),
            name=name,
            occurred_at=self.begun + timedelta(minutes=version),
            subject_id=subject_id,
            subject_version=version,
            correlation_id=None,
            actor=None if by is None else {"role": by, "office": f"{by}@{tenant}"},
            data=data,
        )


def told(database: Database, *envelopes: Envelope) -> list[tuple[str, str]]:
    """(event, office) of every stored notification of these events, sorted."""
    names = {envelope.id: envelope.name for envelope in envelopes}
    query = select(NOTIFICATIONS.c.event_id, NOTIFICATIONS.c.office).where(NOTIFICATIONS.c.event_id.in_(list(names)))
    with database.read() as connection:
        return sorted((names[row.event_id], row.office) for row in connection.execute(query))


def answer(reply: dict[str, Any]) -> dict[str, Any]:
    """What the asker of an RPC gets."""
    if "error" in reply:
        raise error_from_plain(reply["error"])
    result: dict[str, Any] = reply["result"]
    return result


def test_the_migration_makes_the_tables_that_the_code_expects(database: Database) -> None:
    with database.read() as connection:
        assert is_current(connection, "notifications")
        found = compare_metadata(MigrationContext.configure(connection), METADATA)
    assert [] == found


def test_every_office_concerned_gets_one_notification(service: NotificationsService) -> None:
    story = Story()
    event = story.moved(2, "return_to_council", "mayor", "mayor_check > reconsideration", "registry_clerk")
    service.hear([event])
    assert [
        (event.name, f"organisation_representative@{story.organisation_id}"),
        (event.name, "registry_clerk@34-35"),
        (event.name, "unit_officer@34-35"),
    ] == told(service.database, event)


def test_an_event_delivered_again_changes_nothing(service: NotificationsService) -> None:
    event = Story().moved(2, "submit_to_mayor", "unit_officer", "drafting > mayor_review", "mayor")
    service.hear([event])
    first = told(service.database, event)
    for _ in range(3):
        service.hear([event])
    assert first == told(service.database, event)
    assert first


def test_an_event_delivered_again_after_its_inbox_row_was_pruned_changes_nothing(
    service: NotificationsService,
) -> None:
    event = Story().moved(2, "submit_to_mayor", "unit_officer", "drafting > mayor_review", "mayor")
    service.hear([event])
    first = told(service.database, event)
    with service.database.write() as connection:
        connection.execute(RUNTIME.inbox.delete().where(RUNTIME.inbox.c.event_id == event.id))
    service.hear([event])
    assert first == told(service.database, event)


def test_an_event_that_concerns_nobody_leaves_no_trace(service: NotificationsService) -> None:
    event = Story().clock("clock.met.v1", 2, "MAYOR_RETURN", "mayor")
    service.hear([event])
    with service.database.read() as connection:
        found = connection.execute(select(func.count()).where(RUNTIME.inbox.c.event_id == event.id)).scalar_one()
    assert found == 0
    assert [] == told(service.database, event)


def test_an_event_without_the_fields_it_needs_is_not_swallowed(service: NotificationsService) -> None:
    event = Story().of_case("protocol.moved.v1", 2)
    with pytest.raises(ValidationError):
        service.hear([event])


def whole_story() -> tuple[Story, list[Envelope]]:
    """A case from draft to refusal, with news of its partner before, during and after it."""
    story = Story()
    return story, [
        story.status("organisation.status_granted.v1", 0),
        story.drafted(),
        story.moved(2, "submit_to_mayor", "unit_officer", "drafting > mayor_review", "mayor"),
        story.status("organisation.status_revoked.v1", 3),
        story.moved(4, "refer_to_council", "mayor", "mayor_review > council_agenda", "registry_clerk"),
        story.moved(5, "accept", "registry_clerk", "council_agenda > mayor_check", "mayor"),
        story.clock("clock.started.v1", 5, "MAYOR_RETURN", "mayor"),
        story.clock("clock.expired.v1", 6, "MAYOR_RETURN", "mayor"),
        story.moved(6, "finalise", "system", "mayor_check > transmittal", "registry_clerk"),
        story.status("organisation.status_granted.v1", 7),
    ]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_order_and_number_of_deliveries_change_nothing(database: Database, data: st.DataObject) -> None:
    story, events = whole_story()
    deliveries = data.draw(st.permutations(range(len(events))))
    again = data.draw(st.lists(st.sampled_from(range(len(events))), max_size=5))
    for index in [*deliveries, *again]:
        listen(database, events[index])
    partner, unit, clerk, mayor = (
        f"organisation_representative@{story.organisation_id}",
        "unit_officer@34-35",
        "registry_clerk@34-35",
        "mayor@34-35",
    )
    granted, drafted, submitted, revoked, referred, accepted, started, expired, finalised, granted_again = events
    assert [partner] == offices(database, granted)
    assert [partner] == offices(database, drafted)
    assert sorted([partner, mayor]) == offices(database, submitted)
    assert sorted([partner, unit, clerk]) == offices(database, revoked)
    assert sorted([partner, unit, clerk]) == offices(database, referred)
    assert sorted([partner, unit, mayor]) == offices(database, accepted)
    assert [] == offices(database, started)
    assert sorted([mayor, clerk]) == offices(database, expired)
    assert sorted([partner, unit, clerk, mayor]) == offices(database, finalised)
    assert sorted([partner, unit, clerk]) == offices(database, granted_again)
    with database.read() as connection:
        case = connection.execute(select(CASES).where(CASES.c.protocol_id == story.protocol_id)).one()
    assert ("transmittal", 6, story.begun + timedelta(minutes=1)) == (case.stage, case.version, case.first_at)


def listen(database: Database, envelope: Envelope) -> None:
    """Hear the event as the service does."""
    with database.write() as connection:
        hear(Repository(connection), happening_of(envelope), NOON)


def offices(database: Database, envelope: Envelope) -> list[str]:
    return sorted(office for _, office in told(database, envelope))


def test_news_of_an_organisation_passes_by_cases_that_have_ended(service: NotificationsService) -> None:
    story = Story()
    news = story.status("organisation.status_revoked.v1", 9)
    service.hear([story.drafted()])
    service.hear([story.moved(2, "withdraw", "unit_officer", "drafting > withdrawn", None)])
    service.hear([news])
    assert [f"organisation_representative@{story.organisation_id}"] == offices(service.database, news)


def test_a_municipality_with_several_open_cases_is_told_once_and_shown_them_all(
    service: NotificationsService,
) -> None:
    first, second = Story(), Story()
    second.organisation_id = first.organisation_id
    news = first.status("organisation.status_revoked.v1", 9)
    for event in (first.drafted(), second.drafted(), news):
        service.hear([event])
    clerk = Actor(role="registry_clerk", municipality="34-35").to_plain()
    found = answer(service.list_notifications(actor=clerk, size=200, language="en"))["items"]
    mine = [item for item in found if item["event_id"] == news.id]
    assert len(mine) == 1
    assert f"need a legal review: {', '.join(sorted([first.reference, second.reference]))}." in mine[0]["body"]
    assert mine[0]["reference"] == PARTNER_NAME


def test_duplicates_that_arrive_together_make_one_notification_each(service: NotificationsService) -> None:
    event = Story().moved(2, "accept", "registry_clerk", "council_agenda > mayor_check", "mayor")
    threads = [eventlet.spawn(service.hear, [event]) for _ in range(8)]
    for thread in threads:
        thread.wait()
    assert len(told(service.database, event)) == 3


def until_someone_waits(database: Database) -> None:
    """Return when another transaction waits for a lock; SQLite's second writer waits at once."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    eventlet.sleep(0)
    for _ in range(500):
        if database.dialect == "sqlite":
            return
        with database.read() as connection:
            if connection.execute(waiting).scalar_one():
                return
        eventlet.sleep(0.01)
    pytest.fail("nobody waits")


@pytest.mark.parametrize("outcome", ["commits", "fails"])
def test_a_duplicate_waits_for_the_first_delivery_and_takes_over_when_that_fails(
    service: NotificationsService, outcome: str
) -> None:
    event = Story().moved(2, "accept", "registry_clerk", "council_agenda > mayor_check", "mayor")
    inside, go_on = Event(), Event()

    def first() -> None:
        with service.database.write() as connection:
            hear(Repository(connection), happening_of(event), NOON)
            inside.send()
            go_on.wait()
            if outcome == "fails":
                raise InterruptedError

    one = eventlet.spawn(first)
    inside.wait()
    two = eventlet.spawn(service.hear, [event])
    until_someone_waits(service.database)
    go_on.send()
    two.wait()
    if outcome == "fails":
        with pytest.raises(InterruptedError):
            one.wait()
    else:
        one.wait()
    assert len(told(service.database, event)) == 3


@pytest.mark.parametrize("news_first", [True, False])
def test_a_draft_and_its_partners_news_that_commit_together_see_each_other(
    service: NotificationsService, *, news_first: bool
) -> None:
    story = Story()
    draft, news = story.drafted(), story.status("organisation.status_revoked.v1", 3)
    early, late = (news, draft) if news_first else (draft, news)
    inside, go_on = Event(), Event()

    def first() -> None:
        with service.database.write() as connection:
            hear(Repository(connection), happening_of(early), NOON)
            inside.send()
            go_on.wait()

    one = eventlet.spawn(first)
    inside.wait()
    two = eventlet.spawn(service.hear, [late])
    until_someone_waits(service.database)
    go_on.send()
    one.wait()
    two.wait()
    assert "unit_officer@34-35" in offices(service.database, news)


def test_what_failed_halfway_leaves_nothing_behind(service: NotificationsService) -> None:
    story = Story()
    event = story.drafted()

    def fail_halfway() -> None:
        with service.database.write() as connection:
            hear(Repository(connection), happening_of(event), NOON)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_halfway()
    assert [] == told(service.database, event)
    service.hear([event])
    assert [f"organisation_representative@{story.organisation_id}"] == offices(service.database, event)


def an_office() -> tuple[str, dict[str, Any]]:
    """A partner organisation's office that no other test uses: (organisation, actor)."""
    organisation = str(uuid.uuid4())
    return organisation, Actor(role="organisation_representative", organisation_id=organisation).to_plain()


def told_partner(service: NotificationsService, organisation: str, count: int) -> list[Envelope]:
    """Events that the organisation was told of, newest first; each a minute of clock time apart."""
    events = []
    for index in range(count):
        story = Story()
        story.organisation_id = organisation
        events.append(story.drafted())
        service.time.move_to(NOON + timedelta(minutes=index))
        service.hear([events[-1]])
    return events[::-1]


def test_an_office_sees_its_own_notifications_newest_first(service: NotificationsService) -> None:
    organisation, actor = an_office()
    events = told_partner(service, organisation, 5)
    page = answer(service.list_notifications(actor=actor, page=2, size=2, language="tr"))
    assert [events[2].id, events[3].id] == [item["event_id"] for item in page["items"]]
    assert (2, 2, 5, 5) == (page["page"], page["size"], page["total"], page["unread"])


def test_a_notification_has_the_fields_of_the_interface(service: NotificationsService) -> None:
    organisation, actor = an_office()
    [event] = told_partner(service, organisation, 1)
    [item] = answer(service.list_notifications(actor=actor))["items"]
    assert {
        "id": item["id"],
        "event_id": event.id,
        "event": "protocol.drafted.v1",
        "subject_id": event.subject_id,
        "reference": event.data["reference"],
        "title": item["title"],
        "body": item["body"],
        "created_at": item["created_at"],
        "read_at": None,
    } == item
    assert datetime.fromisoformat(item["created_at"]).utcoffset() == timedelta()
    assert PARTNER_NAME in item["body"]


def test_the_same_notification_is_read_in_either_language(service: NotificationsService) -> None:
    organisation, actor = an_office()
    told_partner(service, organisation, 1)
    titles = [
        answer(service.list_notifications(actor=actor, language=language))["items"][0]["title"]
        for language in ("tr", "en", None)
    ]
    assert ["Yeni protokol taslağı", "New protocol draft", "Yeni protokol taslağı"] == titles


def test_what_was_read_is_no_longer_unread(service: NotificationsService) -> None:
    organisation, actor = an_office()
    told_partner(service, organisation, 3)
    newest = answer(service.list_notifications(actor=actor))["items"][0]
    read = answer(service.mark_read(actor=actor, notification_id=newest["id"]))
    unread = answer(service.list_notifications(actor=actor, unread=True))
    assert {**newest, "read_at": read["read_at"]} == read
    assert newest["id"] not in [item["id"] for item in unread["items"]]
    assert (2, 2) == (unread["total"], unread["unread"])
    assert answer(service.list_notifications(actor=actor))["total"] == 3


def test_the_first_reading_counts(service: NotificationsService) -> None:
    organisation, actor = an_office()
    told_partner(service, organisation, 1)
    [item] = answer(service.list_notifications(actor=actor))["items"]
    first = answer(service.mark_read(actor=actor, notification_id=item["id"]))
    service.time.move_to(NOON + timedelta(days=1))
    assert first == answer(service.mark_read(actor=actor, notification_id=item["id"]))


@pytest.mark.parametrize("whose", ["another office's", "nobody's"])
def test_an_id_that_is_not_the_offices_is_not_found(service: NotificationsService, whose: str) -> None:
    organisation, actor = an_office()
    told_partner(service, organisation, 1)
    [item] = answer(service.list_notifications(actor=actor))["items"]
    wanted = item["id"] if whose == "another office's" else str(uuid.uuid4())
    assert service.mark_read(actor=MAYOR, notification_id=wanted)["error"]["kind"] == "NotFound"
    assert answer(service.list_notifications(actor=actor))["items"] == [item]


def test_wrong_or_unknown_arguments_are_refused(service: NotificationsService) -> None:
    for wrong in ({"page": 0}, {"size": 201}, {"language": "de"}, {"office": "mayor@34-35"}):
        assert service.list_notifications(actor=MAYOR, **wrong)["error"]["kind"] == "Invalid"


def test_no_person_is_stored() -> None:
    columns = {column.name for table in (NOTIFICATIONS, CASES, NEWS) for column in table.c}
    assert not {name for name in columns if "user" in name or "person" in name or "membership" in name}


def test_notifications_survive_a_restart(database: Database, service: NotificationsService) -> None:
    event = Story().drafted()
    service.hear([event])
    again = Database(database.url)
    try:
        listen(again, event)
        assert len(told(again, event)) == 1
    finally:
        again.close()
