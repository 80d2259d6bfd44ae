"""The door from end to end: a request in, an answer out, with identity on real databases.

The remote services are small stand-ins that keep their contract; everything of the
gateway itself is real.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import eventlet
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from services.gateway.http import Ports
from services.gateway.identity import application as identity
from services.gateway.identity.application import Desk, NewUser, Office
from services.gateway.identity.password import Argon2
from services.gateway.identity.repository import SqlStore
from services.gateway.identity.tables import ATTEMPTS, METADATA, SESSIONS, USERS
from services.gateway.table import GATEWAY, TABLE
from services.kernel.errors import Conflict, Forbidden, ImeceError, Invalid, NotFound, Refused, Unavailable
from services.kernel.text import Sentence
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.form import Form, Sent, Taking
from services.runtime.migration import ensure_database, is_current, upgrade
from services.runtime.settings import Settings
from services.runtime.web import RECEIVED

POSTGRES = os.environ.get("IMECE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
PASSWORD = "üç kuruşa beş köfte yok"
PASSWORDS = Argon2()
ORGANISATION = "8f14e45f-ceea-467f-a8d5-0000000000aa"
PROTOCOL = "8f14e45f-ceea-467f-a8d5-0000000000bb"
NOTIFICATION = "8f14e45f-ceea-467f-a8d5-0000000000cc"
STATUS = "8f14e45f-ceea-467f-a8d5-0000000000dd"
CLOCK = "8f14e45f-ceea-467f-a8d5-0000000000ee"


class Moved(Time):
    """A system time that the test moves, and the true time beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = datetime.now(UTC)


class Standin:
    """Answers as told, and remembers what it was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Any:
        def answer(**arguments: Any) -> Any:
            json.dumps(arguments)  # only JSON travels
            self.asked.append((method, arguments))
            found = self.answers[method]
            if isinstance(found, Exception):
                raise found
            return found(**arguments) if callable(found) else found

        return answer


def registry() -> Standin:
    municipality = {
        "code": "34-35",
        "name": "Şişli Belediyesi",
        "kind": "metropolitan_district",
        "province_code": "34",
        "province": "İstanbul",
        "district": "Şişli",
        "civil_authority": {"code": "K34-35", "kind": "district_governor", "name": "Şişli Kaymakamlığı"},
        "council": {"full_membership": 37, "sittings": ["2026-05-04"]},
        "legal_profile": {
            "law": "5393",
            "mayor_return_days": 5,
            "commission_size": {"min": 3, "max": 5},
            "commission_working_days": 5,
            "zoning_commission_working_days": 10,
            "sitting_week": 1,
        },
        "version": 3,
    }
    organisation = {
        "id": ORGANISATION,
        "version": 2,
        "name": "Yer Çizenler Herkes İçin Haritalama Derneği",
        "form": "association",
        "registry_no": None,
        "state": "active",
        "expertise": [],
        "statuses": [],
        "warnings": [Sentence("The registry number {number} is odd.", number="x").to_plain()],
    }

    def get_authority(code: str) -> dict[str, Any]:
        if code not in ("K34-35", "V34"):
            raise NotFound("no such authority")
        return {"code": code, "kind": "district_governor", "name": code}

    def get_municipality(code: str) -> dict[str, Any]:
        if code != "34-35":
            raise NotFound(Sentence("There is no such municipality."))
        return municipality

    def get_organisation(organisation_id: str) -> dict[str, Any]:
        if organisation_id != ORGANISATION:
            raise NotFound(Sentence("There is no such organisation."))
        return organisation

    page = {"items": [organisation], "page": 1, "size": 50, "total": 1}
    return Standin(
        {
            "list_municipalities": {**page, "items": [municipality]},
            "get_municipality": get_municipality,
            "get_authority": get_authority,
            "update_municipality": {**municipality, "version": 4},
            "search_organisations": page,
            "get_organisation": get_organisation,
            "register_organisation": organisation,
            "update_organisation": organisation,
            "grant_status": organisation,
            "revoke_status": organisation,
            "standing": {
                "permission": "required",
                "ground": "none",
                "article": "5393/75",
                "evidence": None,
                "on": "2026-05-22",
                "explanation": [Sentence("It holds no status on {day}.", day=date(2026, 5, 22)).to_plain()],
            },
            "deadline": {
                "start": "2026-05-22",
                "length": 5,
                "unit": "working_day",
                "due_on": "2026-06-03",
                "days": [{"date": "2026-05-23", "counts": False, "reason": Sentence("Weekend.").to_plain()}],
                "rule": Sentence("Working days.").to_plain(),
            },
            "calendar_days": {"items": [{"on": "2026-05-27", "kind": "holiday", "name": "Kurban", "source": "2429"}]},
            "add_calendar_day": {"on": "2026-06-05", "kind": "holiday", "name": "x", "source": "y", "version": 1},
            "events": [
                {
                    "position": 4,
                    "id": str(uuid.uuid4()),
                    "name": "organisation.registered.v1",
                    "occurred_at": "2026-05-22T09:00:00+00:00",
                    "subject_id": ORGANISATION,
                    "subject_version": 1,
                    "correlation_id": None,
                    "actor": None,
                    "data": {"name": "Yer Çizenler"},
                }
            ],
        }
    )


def protocols() -> Standin:
    protocol = {
        "id": PROTOCOL,
        "reference": "34-35/2026/1",
        "kind": "joint_service_project",
        "title": "Ortak harita",
        "stage": "drafting",
        "stage_label": {"tr": "Hazırlık", "en": "Drafting"},
        "whose_turn": {"role": "unit_officer", "tenant": "34-35", "office": "unit_officer@34-35", "name": "Şişli"},
        "since": "2026-05-22",
        "version": 1,
        "municipality": "34-35",
        "organisation_id": ORGANISATION,
        "clocks": [],
        "links": {},
        "options": [
            {
                "move": "submit_to_mayor",
                "label": {"tr": "Başkana sun", "en": "Submit to the mayor"},
                "enabled": False,
                "reasons": [
                    {
                        "code": "text_is_there",
                        "article": "5393/14",
                        "message": Sentence("The text is missing.").to_plain(),
                    }
                ],
                "fields": [{"name": "note", "required": False}],
            }
        ],
    }

    def get_protocol(actor: dict[str, Any], protocol_id: str) -> dict[str, Any]:
        if protocol_id != PROTOCOL or actor.get("municipality", "34-35") != "34-35":
            raise NotFound(Sentence("There is no such protocol."))
        return protocol

    return Standin(
        {
            "draft_protocol": protocol,
            "list_protocols": {"items": [protocol], "page": 1, "size": 50, "total": 1},
            "get_protocol": get_protocol,
            "replace_text": {**protocol, "version": 2},
            "move": {**protocol, "version": 2, "stage": "mayor_review"},
            "timeline": {"items": [], "page": 1, "size": 50, "total": 0},
            "explain_clock": {"clock": {"id": CLOCK, "kind": "MAYOR_RETURN"}, "due_on": "2026-06-03", "days": []},
            "procedure": {
                "name": "protocol",
                "version": 1,
                "stages": [],
                "moves": [{"name": name, "label": {"tr": name, "en": name}} for name in ("sign", "submit_to_mayor")],
                "clocks": [],
                "diagram": {"tr": "stateDiagram-v2\n %% tr\n", "en": "stateDiagram-v2\n %% en\n"},
            },
            "work": {"items": [], "page": 1, "size": 50, "total": 0},
            "events": [],
        }
    )


def notifications() -> Standin:
    told = {
        "id": NOTIFICATION,
        "event_id": str(uuid.uuid4()),
        "event": "protocol.moved.v1",
        "subject_id": PROTOCOL,
        "reference": "34-35/2026/1",
        "title": "Sıra sizde",
        "body": "…",
        "created_at": "2026-05-22T09:00:00+00:00",
        "read_at": None,
    }
    return Standin(
        {
            "list_notifications": {"items": [told], "page": 1, "size": 50, "total": 1, "unread": 1},
            "mark_read": {**told, "read_at": "2026-05-22T10:00:00+00:00"},
        }
    )


def petitions() -> Standin:
    return Standin({"work": {"items": [], "page": 1, "size": 50, "total": 0}, "events": []})


class Door:
    """The gateway over one database, with stand-ins behind it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.time = Moved()
        self.settings = Settings(demo_clock=True)
        self.registry, self.protocols, self.notifications = registry(), protocols(), notifications()
        self.petitions = petitions()
        self.ready = {"database": True, "broker": True, "migrations": True}
        self.desk = Desk(
            SqlStore(database),
            PASSWORDS,
            lambda: self.time.wall,
            self.time.today,
            lifetime=timedelta(hours=12),
            idle=timedelta(hours=1),
        )

    @property
    def ports(self) -> Ports:
        return Ports(
            registry=self.registry,
            protocols=self.protocols,
            petitions=self.petitions,
            notifications=self.notifications,
            desk=self.desk,
            settings=self.settings,
            time=self.time,
            readiness=lambda: self.ready,
            move_demo_clock=self.time.move_to,
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        raw: bytes | None = None,
        address: str = "192.0.2.1",
        **headers: str,
    ) -> Response:
        sent = {"Accept-Language": "en", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        path, _, query = path.partition("?")
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        builder = EnvironBuilder(
            path=path,
            query_string=query,
            method=method,
            headers=sent,
            data=data,
            environ_base={"REMOTE_ADDR": address},
        )
        request = Request(builder.get_environ())
        response = GATEWAY.handle(request, self.ports)
        assert "imece.route" in request.environ
        return response

    def api(self, method: str, path: str, body: Any = None, **more: Any) -> Response:
        return self.ask(method, f"/api/v1{path}", body, **more)

    def user(self, *offices: Office, password: str = PASSWORD) -> str:
        """A new user's name."""
        name = f"u{uuid.uuid4().hex}"
        made = NewUser(name, password, "Bir Görevli")
        assert identity.provide_user(self.desk, made, offices, date(2020, 1, 1))
        return name

    def token(self, *offices: Office) -> str:
        return str(self.sign_in(self.user(*offices)).json["token"])  # type: ignore[index]

    def sign_in(self, username: str, password: str = PASSWORD, **more: Any) -> Response:
        return self.api("POST", "/sessions", {"username": username, "password": password}, **more)


ADMIN = Office("administrator")
CLERK = Office("registry_clerk", municipality="34-35")
UNIT = Office("unit_officer", municipality="34-35")
STRANGER = Office("unit_officer", municipality="34-00")
REGISTRAR = Office("registrar")


def code(response: Response) -> tuple[int, str | None]:
    return response.status_code, (response.json or {}).get("code")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An empty database of the newest shape, made for this run and dropped after it."""
    server = make_url(POSTGRES).set(drivername="postgresql+psycopg")
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('gateway') / 'gateway.sqlite'}"
    else:
        url = server.set(database=f"imece_test_gateway_{uuid.uuid4().hex[:12]}").render_as_string(hide_password=False)
        ensure_database(url)
    made = Database(url)
    upgrade(made, "gateway")
    yield made
    made.close()
    if request.param == "postgresql":
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)'))
        admin.dispose()


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database)


def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.read() as connection:
        assert is_current(connection, "gateway")
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert [] == compare_metadata(context, METADATA)


# the order of refusals


def test_an_unknown_path_is_404_whoever_asks(door: Door) -> None:
    assert (404, "not_found") == code(door.api("GET", "/nothing"))
    assert (404, "not_found") == code(door.ask("GET", "/api/v2/me"))
    assert (404, "not_found") == code(door.ask("GET", "/api//v1/me"))
    assert (404, "not_found") == code(door.ask("GET", "/healthz/"))


def test_a_wrong_method_is_405_and_names_the_right_ones(door: Door) -> None:
    response = door.api("DELETE", "/me")
    assert (405, "method_not_allowed") == code(response)
    assert "GET, HEAD" == response.headers["Allow"]


@pytest.mark.parametrize(
    "route", [pytest.param(r, id=r.name) for r in TABLE.routes if r.access not in ("public", "anyone")]
)
def test_without_a_sign_in_nothing_but_the_public_paths_answers(door: Door, route: Any) -> None:
    path = route.path
    for name, value in {
        "id": PROTOCOL,
        "code": "34-35",
        "status_id": STATUS,
        "document_id": STATUS,
        "row": "2",
        "clock_id": CLOCK,
        "move": "sign",
        "name": "protocol",
        "unit_id": STATUS,
    }.items():
        path = path.replace(f"{{{name}}}", value)
    response = door.ask(route.method, path)
    assert (401, "unauthenticated") == code(response)
    assert "Bearer" == response.headers["WWW-Authenticate"]
    assert [] == door.registry.asked + door.protocols.asked + door.petitions.asked + door.notifications.asked


@pytest.mark.parametrize("route", [pytest.param(r, id=r.name) for r in TABLE.routes if r.roles])
def test_another_office_is_refused_before_its_input_is_read(door: Door, route: Any) -> None:
    token = door.token(next(office for office in (Office("auditor"), ADMIN, UNIT) if office.role not in route.roles))
    path = route.path
    known = {"id": PROTOCOL, "code": "34-35", "status_id": STATUS, "document_id": STATUS, "unit_id": STATUS, "row": "2"}
    for name, value in known.items():
        path = path.replace(f"{{{name}}}", value)
    assert (403, "wrong_office") == code(door.ask(route.method, path, {"nonsense": 1}, token=token))


def test_bad_input_is_422_before_a_missing_version_is_428(door: Door) -> None:
    token = door.token(UNIT)
    path = f"/protocols/{PROTOCOL}/text"
    assert (422, "invalid") == code(door.api("PUT", path, {"txt": "x"}, token=token))
    assert (428, "precondition_required") == code(door.api("PUT", path, {"text": "x"}, token=token))


@pytest.mark.parametrize("value", ["3", 'W/"3"', "*", '"x"', '""', '"-1"', '"1", "2"', '"12345678901"'])
def test_a_version_that_is_none_is_422(door: Door, value: str) -> None:
    response = door.api("PUT", f"/protocols/{PROTOCOL}/text", {"text": "x"}, token=door.token(UNIT), If_Match=value)
    assert (422, "malformed_if_match") == code(response)


def test_a_stale_version_is_412_with_the_current_one(door: Door) -> None:
    door.protocols.answers["replace_text"] = Conflict(Sentence("It changed."), {"version": 7})
    response = door.api("PUT", f"/protocols/{PROTOCOL}/text", {"text": "x"}, token=door.token(UNIT), If_Match='"3"')
    assert (412, "conflict") == code(response)
    assert (7, '"7"') == (response.json["version"], response.headers["ETag"])  # type: ignore[index]


@pytest.mark.parametrize(
    "path", ["/users/1", "/users/x", "/protocols/34-35", "/organisations/%00", "/municipalities/34", "/procedures/A"]
)
def test_an_id_that_cannot_be_one_is_404(door: Door, path: str) -> None:
    assert (404, "not_found") == code(door.api("GET", path, token=door.token(ADMIN)))


# what comes in


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "body_missing"),
        (b"{", "malformed_json"),
        (b"[]", "malformed_json"),
        (b"null", "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b"\xff{}", "malformed_json"),
        (b"\xef\xbb\xbf{}", "malformed_json"),
        (b'{"username": "a", "username": "b"}', "invalid"),
        (b'{"a": 1e999}', "invalid"),
        (b'{"username": "a\\u0000", "password": "b"}', "invalid"),
        (b'{"username": "\\ud800", "password": "b"}', "invalid"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", None),
        (b'{"a": ' + b"9" * 5000 + b"}", "malformed_json"),
        (b'{"username": 1, "password": "b"}', "invalid"),
    ],
)
def test_a_body_that_cannot_be_read_is_422(door: Door, raw: bytes, expected: str | None) -> None:
    status, found = code(door.api("POST", "/sessions", raw=raw))
    assert 422 == status
    assert expected in (found, None)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "application/problem+json"]
)
def test_a_body_of_another_kind_is_415(door: Door, kind: str) -> None:
    assert (415, "unsupported_media_type") == code(door.api("POST", "/sessions", raw=b"{}", Content_Type=kind))


def test_a_body_where_none_belongs_is_refused(door: Door) -> None:
    token = door.token(CLERK)
    path = f"/notifications/{NOTIFICATION}/read"
    assert 422 == door.api("POST", path, {"read": True}, token=token).status_code
    assert 200 == door.api("POST", path, {}, token=token).status_code
    assert 200 == door.api("POST", path, token=token).status_code


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=1.5", "page"),
        ("page=", "page"),
        ("size=201", "size"),
        ("size=-1", "size"),
        ("pgae=1", "pgae"),
        ("page=1&page=2", "page"),
        ("stage=A%00", "stage"),
        ("overdue=1", "overdue"),
        ("organisation=x", "organisation"),
        ("municipality=3435", "municipality"),
        ("page=99999999999999999999", "page"),
    ],
)
def test_a_query_that_cannot_be_right_names_its_field(door: Door, query: str, field: str) -> None:
    response = door.api("GET", f"/protocols?{query}", token=door.token(CLERK))
    assert (422, "invalid") == code(response)
    assert [field] == [each["field"] for each in response.json["errors"]]  # type: ignore[index]


def test_a_query_that_is_not_utf_8_is_refused(door: Door) -> None:
    assert (422, "malformed_query") == code(door.api("GET", "/municipalities?query=%ff", token=door.token(CLERK)))
    many = "&".join(f"a{n}=1" for n in range(100))
    assert (422, "malformed_query") == code(door.api("GET", f"/municipalities?{many}", token=door.token(CLERK)))


def test_the_checked_values_reach_the_service(door: Door) -> None:
    door.api("GET", "/protocols?stage=drafting&overdue=true&page=2&size=10", token=door.token(CLERK))
    method, arguments = door.protocols.asked[-1]
    assert "list_protocols" == method
    assert ("drafting", True, 2, 10, None) == tuple(
        arguments[n] for n in ("stage", "overdue", "page", "size", "authority")
    )
    assert ("registry_clerk", "34-35") == (arguments["actor"]["role"], arguments["actor"]["municipality"])


@pytest.mark.parametrize("key", ["", "x" * 201, "ığ", "a\x07"])
def test_an_idempotency_key_that_is_none_is_refused(door: Door, key: str) -> None:
    response = door.api("POST", "/protocols", draft(), token=door.token(UNIT), Idempotency_Key=key)
    assert (422, "malformed_idempotency_key") == code(response)


def test_every_command_travels_with_a_key(door: Door) -> None:
    token = door.token(UNIT)
    door.api("POST", "/protocols", draft(), token=token, Idempotency_Key="my key")
    door.api("POST", "/protocols", draft(), token=token)
    door.api("POST", "/protocols", draft(), token=token)
    keys = [arguments["key"] for _, arguments in door.protocols.asked]
    assert "my key" == keys[0]
    assert 3 == len(set(keys))


def draft() -> dict[str, Any]:
    return {
        "municipality": "34-35",
        "organisation_id": ORGANISATION,
        "kind": "joint_service_project",
        "title": "Ortak harita",
        "subject": "Konu",
        "municipal_duty": "5393/14-a",
        "starts_on": "2026-09-01",
        "term_months": 12,
        "text": "Metin",
        "contributions": [
            {
                "party": "municipality",
                "kind": "premises",
                "recipient": "project",
                "description": "Salon",
                "amount": "1250.00",
            }
        ],
    }


def test_money_is_text_and_never_a_number(door: Door) -> None:
    asked = draft()
    asked["contributions"][0]["amount"] = 1250.0
    response = door.api("POST", "/protocols", asked, token=door.token(UNIT))
    assert ["contributions.0.amount"] == [each["field"] for each in response.json["errors"]]  # type: ignore[index]


# what goes out


def test_a_made_thing_answers_201_with_its_address_and_version(door: Door) -> None:
    response = door.api("POST", "/protocols", draft(), token=door.token(UNIT))
    assert 201 == response.status_code
    assert (f"/api/v1/protocols/{PROTOCOL}", '"1"') == (response.headers["Location"], response.headers["ETag"])


def test_a_known_version_is_not_sent_again(door: Door) -> None:
    token = door.token(UNIT)
    response = door.api("GET", f"/protocols/{PROTOCOL}", token=token)
    assert (200, '"1"', 1) == (response.status_code, response.headers["ETag"], response.json["version"])  # type: ignore[index]
    again = door.api("GET", f"/protocols/{PROTOCOL}", token=token, If_None_Match='"0", W/"1"')
    assert (304, b"") == (again.status_code, again.get_data())
    assert 200 == door.api("GET", f"/protocols/{PROTOCOL}", token=token, If_None_Match='"2"').status_code


@pytest.mark.parametrize(
    ("language", "label"),
    [("tr-TR, en;q=0.5", "Başkana sun"), ("en, tr;q=0.9", "Submit to the mayor"), ("de", "Başkana sun")],
)
def test_sentences_come_in_the_callers_language(door: Door, language: str, label: str) -> None:
    response = door.api("GET", f"/protocols/{PROTOCOL}", token=door.token(UNIT), Accept_Language=language)
    (option,) = response.json["options"]  # type: ignore[index]
    assert label == option["label"]
    assert {"message": "The text is missing.", "article": "5393/14", "code": "text_is_there"} == option["reasons"][0]


def test_a_refusal_shows_every_reason_with_its_article(door: Door) -> None:
    reason = {"code": "majority", "article": "5393/22", "message": Sentence("{need} are needed.", need=19).to_plain()}
    door.protocols.answers["move"] = Refused(Sentence("Refused."), {"reasons": [reason]})
    response = door.api("POST", f"/protocols/{PROTOCOL}/moves/accept", {}, token=door.token(CLERK), If_Match='"1"')
    assert (409, "refused") == code(response)
    assert "application/problem+json" == response.mimetype
    expected = [{"message": "19 are needed.", "article": "5393/22", "code": "majority"}]
    assert expected == response.json["reasons"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid.field("votes", Sentence("They do not add up.")), 422),
        (Forbidden("x"), 403),
        (NotFound("x"), 404),
        (Conflict("x", {"version": 2}), 412),
        (Refused("x", code="sister_city_not_yet"), 409),
        (Unavailable("x"), 503),
    ],
)
def test_every_refusal_of_a_service_has_its_status(door: Door, error: ImeceError, status: int) -> None:
    door.protocols.answers["draft_protocol"] = error
    response = door.api("POST", "/protocols", draft(), token=door.token(UNIT))
    assert (status, error.stable_code) == code(response)
    problem = response.json
    assert problem is not None
    assert {"type", "title", "status", "code", "detail"} <= set(problem)


def test_a_fault_shows_nothing_but_a_number(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    door.protocols.answers["draft_protocol"] = ZeroDivisionError("Ayşe's secret")
    response = door.api("POST", "/protocols", draft(), token=door.token(UNIT))
    assert (500, "internal_error") == code(response)
    assert "secret" not in response.get_data(as_text=True)
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "secret" not in str(vars(record))
    assert "ZeroDivisionError" in record.getMessage()


def test_every_answer_is_sealed(door: Door) -> None:
    for response in (door.ask("GET", "/healthz"), door.api("GET", "/me"), door.ask("GET", "/"), door.api("GET", "/x")):
        assert "nosniff" == response.headers["X-Content-Type-Options"]
        assert "no-store" == response.headers["Cache-Control"]
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in response.headers


# identity


def test_a_sign_in_gives_a_token_and_the_offices_of_today(door: Door) -> None:
    name = door.user(CLERK)
    response = door.sign_in(name)
    assert 201 == response.status_code
    session = response.json
    assert session is not None
    assert [("registry_clerk", "34-35", False)] == [
        (seat["role"], seat["municipality"], seat["delegated"]) for seat in session["memberships"]
    ]
    me = door.api("GET", "/me", token=session["token"]).json
    assert me is not None
    assert (name, session["memberships"][0]["id"]) == (me["username"], me["acting_as"])


def test_neither_tokens_nor_passwords_are_stored(door: Door) -> None:
    name = door.user(CLERK)
    token = door.sign_in(name, Idempotency_Key="k1").json["token"]  # type: ignore[index]
    with door.database.read() as connection:
        rows = [*connection.execute(select(USERS)).all(), *connection.execute(select(SESSIONS)).all()]
    kept = " ".join(str(tuple(row)) for row in rows)
    assert token not in kept
    assert PASSWORD not in kept
    assert "$argon2id$" in kept


def test_a_username_is_taken_as_people_type_it(door: Door) -> None:
    name = door.user(CLERK)
    assert 201 == door.sign_in(f"  {name.upper()} ").status_code


def test_unknown_users_and_wrong_passwords_are_answered_the_same(door: Door) -> None:
    def seen(response: Response) -> Any:
        return response.status_code, response.json

    assert seen(door.sign_in(door.user(CLERK), "wrong")) == seen(door.sign_in("nobody.here", "wrong"))
    assert (401, "wrong_credentials") == code(door.sign_in("nobody.here", "wrong"))


def test_guessing_at_one_user_is_slowed_down_and_forgiven(door: Door) -> None:
    name = door.user(CLERK)
    statuses = [door.sign_in(name, "wrong", address=f"192.0.2.{n}").status_code for n in range(6)]
    assert [401, 401, 401, 401, 401, 429] == statuses
    blocked = door.sign_in(name)
    assert (429, "throttled", "1") == (*code(blocked), blocked.headers["Retry-After"])
    door.time.wall += timedelta(seconds=1)
    assert 201 == door.sign_in(name).status_code
    assert 401 == door.sign_in(name, "wrong").status_code


def test_guessing_from_one_address_is_slowed_down_for_that_address_only(door: Door) -> None:
    address = "2001:db8:1:1::1"
    for n in range(50):
        assert 401 == door.sign_in(f"nobody{n}.{uuid.uuid4().hex[:8]}", "wrong", address=address).status_code
    name = door.user(CLERK)
    assert 429 == door.sign_in(name, address="2001:db8:1:1:ffff::2").status_code
    assert 201 == door.sign_in(name, address="2001:db8:1:2::1").status_code
    with door.database.read() as connection:
        subjects = connection.execute(select(ATTEMPTS.c.subject)).scalars().all()
    assert all(64 == len(subject) for subject in subjects)


def test_a_repeated_sign_in_with_the_same_key_gives_the_same_token(door: Door) -> None:
    name, other = door.user(CLERK), door.user(CLERK)
    first = door.sign_in(name, Idempotency_Key="key")
    again = door.sign_in(name, Idempotency_Key="key")
    assert first.json == again.json
    assert 200 == door.api("GET", "/me", token=first.json["token"]).status_code  # type: ignore[index]
    assert first.json["token"] != door.sign_in(other, Idempotency_Key="key").json["token"]  # type: ignore[index]
    assert first.json["token"] != door.sign_in(name, Idempotency_Key="key2").json["token"]  # type: ignore[index]


def test_signing_out_ends_this_sign_in_and_no_other(door: Door) -> None:
    name = door.user(CLERK)
    one, two = (door.sign_in(name).json["token"] for _ in range(2))  # type: ignore[index]
    assert 204 == door.api("DELETE", "/sessions/current", token=one).status_code
    assert (401, "unauthenticated") == code(door.api("GET", "/me", token=one))
    assert 200 == door.api("GET", "/me", token=two).status_code


def test_a_sign_in_ends_when_it_is_idle_and_when_it_is_old(door: Door) -> None:
    token = door.token(CLERK)
    door.time.wall += timedelta(minutes=59)
    assert 200 == door.api("GET", "/me", token=token).status_code
    door.time.wall += timedelta(minutes=60)
    assert 401 == door.api("GET", "/me", token=token).status_code
    token = door.token(CLERK)
    for _ in range(14):
        door.time.wall += timedelta(minutes=50)
        assert 200 == door.api("GET", "/me", token=token).status_code
    door.time.wall += timedelta(minutes=20)
    assert 401 == door.api("GET", "/me", token=token).status_code


def test_the_demo_clock_ends_no_sign_in_but_ends_offices(door: Door) -> None:
    token, name = door.token(ADMIN), door.user()
    user_id = door.sign_in(name).json["user"]["id"]  # type: ignore[index]
    today = door.time.today()
    office = {
        "user_id": user_id,
        "role": "auditor",
        "valid_from": str(today),
        "valid_to": str(today + timedelta(days=5)),
    }
    assert 201 == door.api("POST", "/memberships", office, token=token).status_code
    auditor = door.sign_in(name).json["token"]  # type: ignore[index]
    assert 200 == door.api("GET", "/work", token=auditor).status_code
    later = (door.time.now() + timedelta(days=30)).isoformat()
    assert 200 == door.api("PUT", "/demo/clock", {"now": later}, token=token).status_code
    assert 200 == door.api("GET", "/me", token=auditor).status_code
    assert (403, "no_office") == code(door.api("GET", "/work", token=auditor))


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer ", "Bearer ığ", "Token x"])
def test_other_ways_of_authorization_are_no_sign_in(door: Door, header: str) -> None:
    assert 401 == door.api("GET", "/me", Authorization=header).status_code


def test_several_offices_need_a_choice(door: Door) -> None:
    session = door.sign_in(door.user(CLERK, UNIT)).json
    assert session is not None
    token, (first, second) = session["token"], session["memberships"]
    assert (403, "office_not_chosen") == code(door.api("GET", "/work", token=token))
    for seat in (first, second):
        assert 200 == door.api("GET", "/work", token=token, Imece_Acting_As=seat["id"]).status_code
        assert seat["role"] == door.protocols.asked[-1][1]["actor"]["role"]
    assert (403, "not_your_office") == code(door.api("GET", "/work", token=token, Imece_Acting_As=str(uuid.uuid4())))
    assert (422, "malformed_acting_as") == code(door.api("GET", "/work", token=token, Imece_Acting_As="x"))
    me = door.api("GET", "/me", token=token).json
    assert me is not None
    assert (None, 2) == (me["acting_as"], len(me["memberships"]))


def test_an_administrator_makes_users_offices_and_delegations(door: Door) -> None:
    token = door.token(ADMIN)
    name = f"new.{uuid.uuid4().hex}"
    new = {"username": name, "password": PASSWORD, "full_name": "Bir Görevli", "email": "gorevli@example.org"}
    made = door.api("POST", "/users", new, token=token)
    assert (201, '"1"') == (made.status_code, made.headers["ETag"])
    user = made.json
    assert user is not None
    assert "password" not in user
    assert user == door.ask("GET", made.headers["Location"], token=token).json
    office = {"user_id": user["id"], "role": "mayor", "municipality": "34-35", "valid_from": "2024-04-01"}
    held = door.api("POST", "/memberships", office, token=token)
    assert 201 == held.status_code
    deputy = door.sign_in(door.user()).json
    assert deputy is not None
    delegation = {
        "from_membership_id": held.json["id"],
        "to_user_id": deputy["user"]["id"],  # type: ignore[index]
        "valid_from": "2024-04-01",
        "valid_to": "2199-01-01",
        "scope": "sign",
        "basis": "Olur 2024/7",
    }
    assert 201 == door.api("POST", "/delegations", delegation, token=token).status_code
    moved = door.api("POST", f"/protocols/{PROTOCOL}/moves/sign", {}, token=deputy["token"], If_Match='"1"')
    assert 200 == moved.status_code
    actor = door.protocols.asked[-1][1]["actor"]
    expected = {
        "role": "mayor",
        "user_id": deputy["user"]["id"],
        "municipality": "34-35",
        "acting_for": held.json["id"],
        "scope": ["sign"],  # type: ignore[index]
    }
    assert expected == {**actor, "scope": list(actor["scope"])}


def test_a_limited_delegation_does_not_reach_beyond_its_moves(door: Door) -> None:
    token = door.token(ADMIN)
    officer = door.sign_in(door.user(UNIT)).json
    deputy = door.sign_in(door.user()).json
    assert officer is not None
    assert deputy is not None
    delegation = {
        "from_membership_id": officer["memberships"][0]["id"],
        "to_user_id": deputy["user"]["id"],
        "valid_from": "2024-04-01",
        "valid_to": "2199-01-01",
        "scope": "submit_to_mayor",
        "basis": "Olur",
    }
    assert 201 == door.api("POST", "/delegations", delegation, token=token).status_code
    assert (403, "outside_delegation") == code(door.api("POST", "/protocols", draft(), token=deputy["token"]))
    assert 200 == door.api("GET", f"/protocols/{PROTOCOL}", token=deputy["token"]).status_code


def test_a_username_is_given_once(door: Door) -> None:
    token, name = door.token(ADMIN), door.user()
    response = door.api("POST", "/users", {"username": name, "password": PASSWORD, "full_name": "x"}, token=token)
    assert (422, ["username"]) == (response.status_code, [each["field"] for each in response.json["errors"]])  # type: ignore[index]


def test_a_repeated_user_is_made_once_and_another_password_is_no_repetition(door: Door) -> None:
    token = door.token(ADMIN)
    new = {"username": f"n{uuid.uuid4().hex}", "password": PASSWORD, "full_name": "x"}
    first, again = (door.api("POST", "/users", new, token=token, Idempotency_Key="u1") for _ in range(2))
    assert (201, first.json) == (again.status_code, again.json)
    for other in ({**new, "full_name": "y"}, {**new, "password": f"{PASSWORD}!"}):
        response = door.api("POST", "/users", other, token=token, Idempotency_Key="u1")
        assert (422, "idempotency_key_reused") == code(response)


@pytest.mark.parametrize("command", ["memberships", "delegations"])
def test_a_repeated_office_or_delegation_is_made_once(door: Door, command: str) -> None:
    token = door.token(ADMIN)
    held = door.sign_in(door.user(CLERK)).json
    other = door.sign_in(door.user()).json
    assert held is not None
    assert other is not None
    body = {
        "memberships": {"user_id": other["user"]["id"], "role": "auditor", "valid_from": "2026-01-01"},
        "delegations": {
            "from_membership_id": held["memberships"][0]["id"],
            "to_user_id": other["user"]["id"],
            "valid_from": "2026-01-01",
            "valid_to": "2026-12-31",
            "scope": "all",
            "basis": "Olur",
        },
    }[command]
    key = uuid.uuid4().hex
    first, again = (door.api("POST", f"/{command}", body, token=token, Idempotency_Key=key) for _ in range(2))
    assert (201, first.json) == (again.status_code, again.json)
    changed = {**body, "valid_from": "2026-01-02"}
    assert (422, "idempotency_key_reused") == code(
        door.api("POST", f"/{command}", changed, token=token, Idempotency_Key=key)
    )


@pytest.mark.parametrize(
    ("office", "field"),
    [
        ({"role": "mayor"}, "municipality"),
        ({"role": "mayor", "municipality": "34-99"}, "municipality"),
        ({"role": "mayor", "municipality": "34-35", "authority": "K34-35"}, "authority"),
        ({"role": "administrator", "municipality": "34-35"}, "municipality"),
        ({"role": "organisation_representative", "organisation_id": STATUS}, "organisation_id"),
        ({"role": "auditor", "valid_to": "2025-12-31"}, "valid_to"),
        ({"role": "auditor", "user_id": STATUS}, "user_id"),
    ],
)
def test_an_office_that_cannot_be_is_refused(door: Door, office: dict[str, Any], field: str) -> None:
    user_id = door.sign_in(door.user()).json["user"]["id"]  # type: ignore[index]
    body = {"user_id": user_id, "valid_from": "2026-01-01", **office}
    response = door.api("POST", "/memberships", body, token=door.token(ADMIN))
    assert (422, [field]) == (response.status_code, [each["field"] for each in response.json["errors"]])  # type: ignore[index]


def test_changes_need_the_version_and_end_what_they_end(door: Door) -> None:
    token = door.token(ADMIN)
    session = door.sign_in(door.user(CLERK)).json
    assert session is not None
    user, seat = f"/users/{session['user']['id']}", f"/memberships/{session['memberships'][0]['id']}"
    assert (428, "precondition_required") == code(door.api("PATCH", user, {"active": False}, token=token))
    stale = door.api("PATCH", seat, {"valid_to": "2021-01-01"}, token=token, If_Match='"9"')
    assert (412, 1) == (stale.status_code, stale.json["version"])  # type: ignore[index]
    ended = door.api("PATCH", seat, {"valid_to": "2021-01-01"}, token=token, If_Match='"1"')
    assert (200, '"2"') == (ended.status_code, ended.headers["ETag"])
    assert (403, "no_office") == code(door.api("GET", "/work", token=session["token"]))
    assert 200 == door.api("PATCH", user, {"active": False}, token=token, If_Match='"1"').status_code
    assert 401 == door.api("GET", "/me", token=session["token"]).status_code
    assert 401 == door.sign_in(session["user"]["username"]).status_code


def test_a_new_password_replaces_the_old_one_and_ends_sign_ins(door: Door) -> None:
    admin, session = door.token(ADMIN), door.sign_in(door.user(CLERK)).json
    assert session is not None
    path, changed = f"/users/{session['user']['id']}", {"password": "bir başka uzun parola"}
    assert 200 == door.api("PATCH", path, changed, token=admin, If_Match='"1"').status_code
    assert 401 == door.api("GET", "/me", token=session["token"]).status_code
    assert 401 == door.sign_in(session["user"]["username"]).status_code
    assert 201 == door.sign_in(session["user"]["username"], "bir başka uzun parola").status_code


def test_lists_are_paged_and_filtered(door: Door) -> None:
    token = door.token(ADMIN)
    names = sorted(door.user(CLERK) for _ in range(3))
    assert 3 <= door.api("GET", "/users", token=token).json["total"]  # type: ignore[index]
    page = door.api("GET", f"/users?query={names[1]}&size=1", token=token).json
    assert page is not None
    assert (1, 1, [names[1]]) == (page["total"], page["size"], [each["username"] for each in page["items"]])
    user_id = page["items"][0]["id"]
    held = door.api("GET", f"/memberships?user_id={user_id}&role=registry_clerk", token=token).json
    assert held is not None
    assert [user_id] == [each["user_id"] for each in held["items"]]
    assert 0 == door.api("GET", f"/delegations?to_user_id={user_id}", token=token).json["total"]  # type: ignore[index]


# the rest of the interface


def test_anyone_may_ask_for_a_deadline(door: Door) -> None:
    response = door.api("GET", "/calendar/deadline?start=2026-05-22&length=5&unit=working_day")
    assert (200, "2026-06-03", "Weekend.") == (
        response.status_code,
        response.json["due_on"],
        response.json["days"][0]["reason"],  # type: ignore[index]
    )


def test_an_empty_search_word_is_no_search_word(door: Door) -> None:
    assert 200 == door.api("GET", "/municipalities?query=&province=", token=door.token(CLERK)).status_code
    assert (None, None) == tuple(door.registry.asked[-1][1][name] for name in ("query", "province"))


def test_standing_explains_itself_in_plain_sentences(door: Door) -> None:
    response = door.api("GET", f"/organisations/{ORGANISATION}/standing?on=2026-05-22", token=door.token(CLERK))
    assert ["It holds no status on May 22, 2026."] == response.json["explanation"]  # type: ignore[index]


@pytest.mark.parametrize("language", ["tr", "en"])
def test_the_diagram_is_text_in_the_callers_language(door: Door, language: str) -> None:
    response = door.api("GET", "/procedures/protocol/diagram", token=door.token(CLERK), Accept_Language=language)
    assert ("text/plain", True) == (response.mimetype, f"%% {language}" in response.get_data(as_text=True))


def test_the_event_feed_answers_all_or_nothing(door: Door) -> None:
    token = door.token(CLERK)
    first = door.api("GET", "/events", token=token).json
    assert first is not None
    assert [first["next"]] == [each["cursor"] for each in first["items"]]
    door.protocols.answers["events"] = Unavailable("away")
    assert 503 == door.api("GET", "/events", token=token).status_code
    door.protocols.answers["events"] = []
    door.registry.answers["events"] = []
    later = door.api("GET", f"/events?after={first['next']}", token=token).json
    assert {"items": [], "next": first["next"]} == later
    assert 4 == next(a["after"] for name, a in reversed(door.registry.asked) if name == "events")
    assert 422 == door.api("GET", "/events?after=AAAA", token=token).status_code


def test_readiness_says_what_is_missing(door: Door) -> None:
    assert (200, "ready") == ((r := door.ask("GET", "/readyz")).status_code, r.json["status"])  # type: ignore[index]
    door.ready["broker"] = False
    response = door.ask("GET", "/readyz")
    assert (503, False, True) == (response.status_code, response.json["broker"], response.json["database"])  # type: ignore[index]


def test_the_demo_clock_moves_forward_only_and_only_where_allowed(door: Door) -> None:
    token = door.token(CLERK)
    past = (door.time.now() - timedelta(days=1)).isoformat()
    far = (door.time.now() + timedelta(days=20_000)).isoformat()
    for now in (past, far, "2026-05-22", "2026-05-22T09:00:00"):
        assert 422 == door.api("PUT", "/demo/clock", {"now": now}, token=token).status_code
    tomorrow = door.time.now() + timedelta(days=1)
    response = door.api("PUT", "/demo/clock", {"now": tomorrow.isoformat()}, token=token)
    assert 200 == response.status_code
    assert tomorrow <= datetime.fromisoformat(response.json["now"])  # type: ignore[index]
    assert tomorrow <= datetime.fromisoformat(door.api("GET", "/demo/clock", token=token).json["now"])  # type: ignore[index]
    door.settings = Settings(demo_clock=False)
    for method in ("PUT", "GET"):
        assert (404, "not_found") == code(door.api(method, "/demo/clock", {"now": past}, token=token))


@pytest.mark.parametrize("path", ["/", "/api/docs"])
def test_the_pages_are_html_under_a_strict_policy(door: Door, path: str) -> None:
    response = door.ask("GET", path)
    assert (200, "text/html") == (response.status_code, response.mimetype)
    assert "script" not in response.headers["Content-Security-Policy"]


def test_a_sister_city_is_refused_by_the_service_with_its_own_code(door: Door) -> None:
    door.protocols.answers["draft_protocol"] = Refused("Not yet.", code="sister_city_not_yet")
    response = door.api("POST", "/protocols", {**draft(), "kind": "sister_city"}, token=door.token(UNIT))
    assert (409, "sister_city_not_yet") == code(response)


def test_failed_sign_ins_of_the_past_are_forgotten(door: Door) -> None:
    def kept() -> int:
        with door.database.read() as connection:
            return connection.execute(select(func.count()).select_from(ATTEMPTS)).scalar_one()

    for n in range(5):
        door.sign_in(f"nobody.{n}.{uuid.uuid4().hex[:8]}", "wrong", address="198.51.100.9")
    assert 6 <= kept()
    door.time.wall += timedelta(days=1)
    door.sign_in("nobody.again", "wrong", address="198.51.100.9")
    assert 2 == kept()


# side by side


def together(*jobs: Any) -> list[Any]:
    """What the jobs give, run at the same time."""
    threads = [eventlet.spawn(job) for job in jobs]
    return [thread.wait() for thread in threads]


def test_copies_of_one_sign_in_that_run_together_get_one_token(door: Door) -> None:
    name = door.user(CLERK)
    answers = together(*[lambda: door.sign_in(name, Idempotency_Key="once")] * 6)
    assert {201} == {answer.status_code for answer in answers}
    assert 1 == len({answer.json["token"] for answer in answers})


def test_people_who_sign_in_together_are_not_taken_for_guessers(door: Door) -> None:
    name = door.user(CLERK)
    answers = together(*[lambda: door.sign_in(name)] * 12)
    assert {201} == {answer.status_code for answer in answers}
    assert 12 == len({answer.json["token"] for answer in answers})


def test_guesses_that_run_together_are_counted_one_by_one(door: Door) -> None:
    name = door.user(CLERK)
    door.sign_in(name, "wrong")
    answers = together(*[lambda: door.sign_in(name, "wrong")] * 12)
    assert 4 == sum(answer.status_code == 401 for answer in answers)
    assert 8 == sum(answer.status_code == 429 for answer in answers)


def test_one_username_asked_for_twice_at_the_same_time_is_given_once(door: Door) -> None:
    token, name = door.token(ADMIN), f"n{uuid.uuid4().hex}"
    new = {"username": name, "password": PASSWORD, "full_name": "x"}
    answers = together(*[lambda: door.api("POST", "/users", new, token=token)] * 4)
    assert [201, 422, 422, 422] == sorted(answer.status_code for answer in answers)


def test_copies_of_one_command_that_run_together_have_one_effect(door: Door) -> None:
    token, user_id = door.token(ADMIN), door.sign_in(door.user()).json["user"]["id"]  # type: ignore[index]
    office = {"user_id": user_id, "role": "auditor", "valid_from": "2026-01-01"}
    answers = together(*[lambda: door.api("POST", "/memberships", office, token=token, Idempotency_Key=user_id)] * 5)
    assert {201} == {answer.status_code for answer in answers}
    assert 1 == door.api("GET", f"/memberships?user_id={user_id}", token=token).json["total"]  # type: ignore[index]


def test_two_changes_of_one_version_do_not_both_succeed(door: Door) -> None:
    token, user_id = door.token(ADMIN), door.sign_in(door.user()).json["user"]["id"]  # type: ignore[index]
    answers = together(
        *[lambda: door.api("PATCH", f"/users/{user_id}", {"full_name": "y"}, token=token, If_Match='"1"')] * 4
    )
    assert [200, 412, 412, 412] == sorted(answer.status_code for answer in answers)


# forms with files


def form_of(**fields_: Any) -> Form:
    return Form(list(fields_.items()))


def file_of(data: bytes = b"name,form\nDernek,association\n", name: str = "liste.csv") -> Sent:
    return Sent(io.BytesIO(data), name, "text/csv", len(data), hashlib.sha256(data).hexdigest())


def head(path: str, token: str | None, **headers: str) -> Request:
    """The head of a form, as the door shows it before the form is read."""
    sent = {"Content-Type": "multipart/form-data; boundary=x", **{n.replace("_", "-"): v for n, v in headers.items()}}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    path, _, query = path.partition("?")
    builder = EnvironBuilder(path=f"/api/v1{path}", query_string=query, method="POST", headers=sent)
    return Request(builder.get_environ())


def announced(door: Door, path: str, token: str | None, **headers: str) -> Any:
    return GATEWAY.announced(head(path, token, **headers), door.ports)


def test_a_form_is_taken_from_whom_the_address_is_for_and_only_there(door: Door) -> None:
    registrar = door.token(REGISTRAR)
    assert Taking(200 * 1024**2, door.settings.documents) == announced(door, "/imports", registrar)
    assert (401, "unauthenticated") == code(announced(door, "/imports", None))
    assert (403, "wrong_office") == code(announced(door, "/imports", door.token(UNIT)))
    assert (422, "invalid") == code(announced(door, "/imports?page=1", registrar))
    assert (422, "malformed_idempotency_key") == code(
        announced(door, "/imports", registrar, Idempotency_Key="ş".encode().decode("latin-1"))
    )
    assert [None, None] == [announced(door, path, registrar) for path in ("/organisations", "/nothing")]
    assert "nosniff" == announced(door, "/imports", None).headers["X-Content-Type-Options"]


def sent_form(door: Door, token: str, form: Form | None) -> Response:
    request = head("/imports", token)
    if form is not None:
        request.environ[RECEIVED] = form
    return GATEWAY.handle(request, door.ports)


def test_only_the_columns_that_the_registry_takes_leave_the_door(door: Door) -> None:
    imported = {"id": PROTOCOL, "kind": "organisations", "source": "x", "state": "running", "phase": "receiving"}
    door.registry.answers |= {
        "begin_import": {"id": PROTOCOL, "state": "running", "keep": [2, 0]},
        "get_import": imported,
        "add_import_rows": {},
        "finish_upload": imported | {"phase": "comparing"},
    }
    table = (
        "name,person,registry_no\n" + "".join(f"Dernek {n},Gizli Kişi,{n}\n" for n in range(1_001)) + "x,y,z,zu viel\n"
    )
    found = sent_form(
        door,
        door.token(REGISTRAR),
        form_of(file=file_of(table.encode()), kind="organisations", source="x", apply="true"),
    )
    assert (202, "comparing") == (found.status_code, (found.json or {})["phase"])
    begun, _, first, second, finished = (arguments for _, arguments in door.registry.asked)
    assert (["name", "person", "registry_no"], True) == (begun["header"], begun["apply"])
    assert hashlib.sha256(table.encode()).hexdigest() == begun["file_sha256"]
    assert (0, 1000, [2, ["0", "Dernek 0"]]) == (first["number"], len(first["rows"]), first["rows"][0])
    assert (1, 2, None) == (second["number"], len(second["rows"]), second["rows"][1][1])
    assert 2 == finished["parts"]
    assert "Gizli" not in json.dumps(door.registry.asked)


def test_a_delivery_that_arrived_before_is_not_repeated(door: Door) -> None:
    door.registry.answers |= {
        "begin_import": {"id": PROTOCOL, "state": "running", "keep": [0]},
        "get_import": {"id": PROTOCOL, "kind": "organisations", "source": "x", "state": "ready", "phase": None},
    }
    found = sent_form(door, door.token(REGISTRAR), form_of(file=file_of(), kind="organisations", source="x"))
    assert (202, "ready") == (found.status_code, (found.json or {})["state"])
    assert ["begin_import", "get_import"] == [method for method, _ in door.registry.asked]


@pytest.mark.parametrize(
    ("error", "abandoned"),
    [(Refused("another one runs"), True), (Unavailable("gone"), False), (LookupError("bug"), True)],
)
def test_what_cannot_be_delivered_is_given_up_unless_it_may_be_sent_again(
    door: Door, error: Exception, *, abandoned: bool
) -> None:
    door.registry.answers |= {
        "begin_import": {"id": PROTOCOL, "state": "running", "keep": [0]},
        "get_import": {"id": PROTOCOL, "phase": "receiving"},
        "add_import_rows": error,
        "abandon_upload": {},
    }
    found = sent_form(door, door.token(REGISTRAR), form_of(file=file_of(), kind="organisations", source="x"))
    assert found.status_code == {Refused: 409, Unavailable: 503}.get(type(error), 500)
    assert abandoned is ("abandon_upload" in [method for method, _ in door.registry.asked])


@pytest.mark.parametrize(
    ("fields_", "wrong"),
    [
        ({"file": "text", "kind": "organisations", "source": "x"}, "file"),
        ({"file": file_of(b""), "kind": "organisations", "source": "x"}, "file"),
        ({"file": file_of(b"", ""), "kind": "organisations", "source": "x"}, "file"),
        ({"file": file_of(), "kind": file_of(), "source": "x"}, "kind"),
        ({"file": file_of(), "kind": "organisations", "source": "\x00"}, "source"),
    ],
)
def test_a_form_is_checked_field_by_field(door: Door, fields_: dict[str, Any], wrong: str) -> None:
    found = sent_form(door, door.token(REGISTRAR), form_of(**fields_))
    assert (422, [wrong]) == (found.status_code, [each["field"] for each in (found.json or {})["errors"]])
    twice = Form([("kind", "organisations"), ("kind", "organisations"), ("file", file_of()), ("source", "x")])
    assert (422, "invalid") == code(sent_form(door, door.token(REGISTRAR), twice))


def test_a_body_that_is_no_form_is_refused_where_a_file_is_taken(door: Door) -> None:
    token = door.token(REGISTRAR)
    assert (415, "unsupported_media_type") == code(door.api("POST", "/imports", {"kind": "organisations"}, token=token))
    assert (422, "body_missing") == code(door.api("POST", "/imports", token=token))
