"""The files of petitions on both databases and in both stores."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import eventlet
import pytest
import s3_server
from machine import new_postgres, together
from s3_server import s3_process
from sqlalchemy import insert, select, update

from services.contracts.attachments import ATTACHMENT_KINDS, AttachmentAnswer
from services.kernel.actor import PETITIONER, Actor
from services.kernel.errors import Forbidden, Invalid, NotFound, Refused, Unavailable, error_from_plain
from services.petitions.adapters.attachment import AttachmentFiles
from services.petitions.adapters.tables import ATTACHMENTS, CASE, METADATA, PETITIONS
from services.petitions.domain.attachment import Kind
from services.petitions.domain.code import new_code, sha256_of
from services.petitions.service import PetitionsService
from services.runtime import bucket
from services.runtime.blob import Space, Store, store_of
from services.runtime.clockwork import Time
from services.runtime.contents import Contents
from services.runtime.database import Database
from services.runtime.settings import Settings

s3 = s3_server.s3
CLERK = Actor("registry_clerk", "c", municipality="34-35").to_plain()
OFFICER = Actor("unit_officer", "o", municipality="34-35").to_plain()
MAYOR = Actor("mayor", "m", municipality="34-35").to_plain()
AUDITOR = Actor("auditor", "a").to_plain()
ANYONE = Actor(PETITIONER).to_plain()
ORGANISATION = str(uuid.uuid4())
OWN = Actor("organisation_representative", "r", organisation_id=ORGANISATION).to_plain()
STRANGERS = (
    Actor("registry_clerk", "x", municipality="34-10").to_plain(),
    Actor("commission_rapporteur", "x", municipality="34-35").to_plain(),
    Actor("authority_head", "x", authority="K34-35").to_plain(),
    Actor("organisation_representative", "x", organisation_id=str(uuid.uuid4())).to_plain(),
    Actor("registrar", "x").to_plain(),
    Actor("administrator", "x").to_plain(),
    Actor(PETITIONER, "someone signed in").to_plain(),
    ANYONE,
)


class StandingTime(Time):
    """A clock that the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = datetime.now(UTC)

    def now(self) -> datetime:
        self.moment += timedelta(milliseconds=1)
        return self.moment


class Desk:
    """Asks petitions as the gateway does, by keyword arguments and answers in JSON."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.service = PetitionsService()
        self.service.database, self.service.settings, self.service.time = database, settings, StandingTime()

    @property
    def store(self) -> Store:
        return store_of(self.service.settings, Space.PETITIONS)

    def ask(self, method: str, **arguments: Any) -> Any:
        reply = json.loads(json.dumps(getattr(self.service, method)(**json.loads(json.dumps(arguments)))))
        if "error" in reply:
            raise error_from_plain(reply["error"])
        return reply["result"]

    def add(self, petition: str, actor: Any = CLERK, content: bytes | None = None, **given: Any) -> dict[str, Any]:
        """As the gateway does it: asked first, then put, then registered."""
        come = {"actor": actor, "petition_id": petition, "petition_key": given.pop("petition_key", None)}
        kind = given.get("kind", "scan")
        self.ask("may_attach", **come, kind=kind)
        content = b"%PDF-1.7 " + uuid.uuid4().bytes if content is None else content
        kept = self.store.put(io.BytesIO(content), self.service.settings.largest_attachment)
        key = given.pop("key", str(uuid.uuid4()))
        sent = {"kind": kind, "file_name": "dilekçe.pdf", "size": kept.size, "sha256": kept.sha256, **given}
        return dict(self.ask("add_attachment", **come, attachment=sent, key=key))

    def listed(self, petition: str, actor: Any = CLERK, petition_key: str | None = None) -> list[dict[str, Any]]:
        found = self.ask("list_attachments", actor=actor, petition_id=petition, petition_key=petition_key)["items"]
        assert {} == AttachmentAnswer(many=True).validate(found)
        return list(found)

    def get(self, petition: str, file: str, actor: Any = CLERK, petition_key: str | None = None) -> Any:
        return self.ask(
            "get_attachment", actor=actor, petition_id=petition, attachment_id=file, petition_key=petition_key
        )

    def remove(self, petition: str, file: str, actor: Any = CLERK, petition_key: str | None = None) -> Any:
        come = {"actor": actor, "petition_id": petition, "petition_key": petition_key}
        return self.ask("remove_attachment", **come, attachment_id=file, key=str(uuid.uuid4()))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """petitions' own database, once of each kind for this module."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('petitions') / 'petitions.sqlite'}")
        METADATA.create_all(made.engine)
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        METADATA.create_all(made.engine)
        yield made
        made.close()


@pytest.fixture(params=["folder", "bucket"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of a store of each kind."""
    address = "" if request.param == "folder" else request.getfixturevalue("s3").new_bucket()
    return Settings(documents_dir=str(tmp_path), documents_url=address, max_attachment_megabytes=1, attachments_each=4)


@pytest.fixture
def desk(database: Database, settings: Settings) -> Desk:
    return Desk(database, settings)


def petition(database: Database, key: str | None = None, **given: Any) -> str:
    """A petition as POST /petitions leaves it."""
    made = str(uuid.uuid4())
    now = datetime.now(UTC)
    row: dict[str, Any] = {each.name: None for each in PETITIONS.c if each.server_default is None}
    texts = {each.name: "x" for each in PETITIONS.c if not each.nullable and str(each.type).startswith("VARCHAR")}
    days = dict.fromkeys(("filed_on", "received_on", "counts_from", "last_on"), date(2026, 3, 2))
    moments = dict.fromkeys(("since", "created_at", "changed_at"), now)
    row |= texts | days | moments | {"version": 1, "procedure_version": 1, "facts": {}, "draft_problem": []}
    row |= {"id": made, "number": made[:30], "tracking_code": made, "municipality": "34-35", "stage": "received"}
    row |= {"key_sha256": sha256_of(key) if key else None} | given
    with database.write() as connection:
        connection.execute(insert(PETITIONS).values(row))
    return made


def to_stage(database: Database, petition_id: str, stage: str) -> None:
    with database.write() as connection:
        connection.execute(update(PETITIONS).where(PETITIONS.c.id == petition_id).values(stage=stage))


def kept(desk: Desk) -> list[str]:
    return list(desk.store.put_before(datetime.now(UTC) + timedelta(days=1)))


def test_the_contract_and_the_rules_know_the_same_kinds() -> None:
    assert list(ATTACHMENT_KINDS) == [str(kind) for kind in Kind]


def test_the_clerk_adds_the_scan_and_those_who_may_read_it(database: Database, desk: Desk) -> None:
    key = new_code()
    made = petition(database, key, organisation_id=ORGANISATION)
    content = b"%PDF-1.7 scan"
    added = desk.add(made, content=content, title="  Dilekçe,\n ıslak imzalı ", file_name="C:\\tarama\\Dilekçe 1.PDF")
    assert {} == AttachmentAnswer().validate(added)
    assert ("scan", "Dilekçe, ıslak imzalı", "Dilekçe 1.PDF", "application/pdf", "registry_clerk@34-35", True) == tuple(
        added[name] for name in ("kind", "title", "file_name", "media_type", "added_by", "may_remove")
    )
    assert "Ek.txt" == desk.add(petition(database), content=b"x", file_name="Ek")["file_name"]
    for actor in (OFFICER, MAYOR, AUDITOR, OWN):
        (seen,) = desk.listed(made, actor)
        assert (added["id"], False) == (seen["id"], seen["may_remove"])
    assert [added["id"]] == [each["id"] for each in desk.listed(made, ANYONE, key)]
    assert hashlib.sha256(content).hexdigest() == desk.get(made, added["id"], ANYONE, key)["sha256"]
    with desk.store.open(added["sha256"]) as file:
        assert content == file.read()


def test_to_strangers_neither_the_petition_nor_its_files_exist(database: Database, desk: Desk) -> None:
    made = petition(database, new_code(), organisation_id=ORGANISATION)
    other = petition(database, new_code())
    added = desk.add(made)["id"]
    for actor in STRANGERS:
        for key in (None, new_code(), "x" * 26):
            for ask in (desk.listed, desk.add):
                with pytest.raises(NotFound):
                    ask(made, actor, petition_key=key)
            for ask in (desk.get, desk.remove):
                with pytest.raises(NotFound):
                    ask(made, added, actor, key)
    for petition_id, file in ((other, added), (made, str(uuid.uuid4())), (made, "x"), ("x", added)):
        with pytest.raises(NotFound):
            desk.get(petition_id, file)
    assert 1 == len(kept(desk))


def test_a_petitioner_adds_until_the_petition_is_over_and_never_the_reply(database: Database, desk: Desk) -> None:
    key = new_code()
    made = petition(database, key, organisation_id=ORGANISATION)
    first = desk.add(made, ANYONE, petition_key=key, kind="mandate", file_name="yetki.pdf")
    assert ("yetki.pdf", f"petitioner@{made}") == (first["title"], first["added_by"])
    second = desk.add(made, OWN, kind="annex")
    assert f"organisation_representative@{ORGANISATION}" == second["added_by"]
    for actor, held in ((ANYONE, key), (OWN, None)):
        with pytest.raises(Forbidden):
            desk.add(made, actor, petition_key=held, kind="reply")
    for actor in (MAYOR, AUDITOR):
        with pytest.raises(Forbidden):
            desk.add(made, actor)
    to_stage(database, made, "awaiting_completion")
    desk.add(made, ANYONE, petition_key=key)
    to_stage(database, made, "answered")
    with pytest.raises(Refused):
        desk.add(made, ANYONE, petition_key=key)
    desk.add(made, OFFICER, kind="reply")


def test_the_reply_reaches_the_petitioner_with_the_answer(database: Database, desk: Desk) -> None:
    key = new_code()
    made = petition(database, key, stage="assigned", organisation_id=ORGANISATION)
    reply = desk.add(made, OFFICER, kind="reply")["id"]
    for actor, held in ((ANYONE, key), (OWN, None)):
        assert [] == desk.listed(made, actor, held)
        with pytest.raises(NotFound):
            desk.get(made, reply, actor, held)
    assert [reply] == [each["id"] for each in desk.listed(made, MAYOR)]
    to_stage(database, made, "answered")
    assert [reply] == [each["id"] for each in desk.listed(made, ANYONE, key)]


def test_a_reply_sent_with_an_interim_reply_is_visible_from_then_on_and_a_units_annex_is_not(
    database: Database, desk: Desk
) -> None:
    key = new_code()
    made = petition(database, key, stage="assigned")
    sent = desk.add(made, OFFICER, kind="reply")
    desk.add(made, OFFICER, kind="annex")
    assert [] == desk.listed(made, ANYONE, key)
    act = {"petition_id": made, "number": 90, "move": "interim_reply", "from_stage": "assigned", "to_stage": "assigned"}
    more = {"actor": OFFICER, "fields": {}, "known": {}, "done_on": date(2026, 3, 3), "procedure_version": 1}
    with database.write() as connection:
        now = desk.service.time.now()
        connection.execute(
            insert(CASE.acts).values(
                **act, **more, recorded_at=now, calendar_version="", previous_hash="0" * 64, hash="1" * 64
            )
        )
    later = desk.add(made, OFFICER, kind="reply")
    assert [sent["id"]] == [each["id"] for each in desk.listed(made, ANYONE, key)]
    with pytest.raises(NotFound):
        desk.get(made, later["id"], ANYONE, key)
    to_stage(database, made, "answered")
    assert 3 == len(desk.listed(made, ANYONE, key))


def test_a_file_that_comes_or_goes_is_an_act_of_the_history_without_its_name(database: Database, desk: Desk) -> None:
    key = new_code()
    made = petition(database, key, signature="handwritten", kind="petition")
    added = desk.add(made, ANYONE, petition_key=key, file_name="(KİŞİ ADI).pdf", title="(KİŞİ ADI)")
    seen = select(PETITIONS.c.signature_seen, PETITIONS.c.version).where(PETITIONS.c.id == made)
    with database.read() as connection:
        assert (True, 2) == tuple(connection.execute(seen).one())
    desk.remove(made, added["id"], ANYONE, petition_key=key)
    with database.read() as connection:
        acts = connection.execute(select(CASE.acts).where(CASE.acts.c.petition_id == made)).all()
        assert (False, 3) == tuple(connection.execute(seen).one())
    told = {"kind": "scan", "sha256": added["sha256"]}
    assert [("add_file", "petitioner", told), ("remove_file", "petitioner", told)] == [
        (act.move, act.actor["role"], act.fields) for act in acts
    ]


def test_who_added_a_file_removes_it_while_the_petition_is_not_registered(database: Database, desk: Desk) -> None:
    key = new_code()
    made = petition(database, key)
    scan, annex = desk.add(made), desk.add(made, ANYONE, petition_key=key)
    for file, actor, held in ((scan, ANYONE, key), (annex, CLERK, None), (scan, OFFICER, None)):
        with pytest.raises(Forbidden):
            desk.remove(made, file["id"], actor, held)
    assert {"id": annex["id"]} == desk.remove(made, annex["id"], ANYONE, key)
    with pytest.raises(NotFound):
        desk.remove(made, annex["id"], ANYONE, key)
    desk.service.clear_removed_attachments()
    assert [scan["sha256"]] == kept(desk)
    with database.read() as connection:
        row = connection.execute(select(ATTACHMENTS).where(ATTACHMENTS.c.id == annex["id"])).one()
    assert ("", "", f"petitioner@{made}") == (row.title, row.file_name, row.removed_by)
    assert row.cleared_at is not None
    to_stage(database, made, "registered")
    with pytest.raises(Refused):
        desk.remove(made, scan["id"])
    assert not desk.listed(made)[0]["may_remove"]


def test_a_transaction_waits_for_the_store_with_one_removal_at_most(
    database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = petition(database)
    for _ in range(3):
        desk.remove(made, desk.add(made, content=b"%PDF-" + uuid.uuid4().bytes)["id"])
    removed: list[int] = []
    let_go, write = Contents.let_go, Database.write

    def counted(self: Contents, sha256: str) -> None:
        removed[-1] += 1
        let_go(self, sha256)

    @contextmanager
    def noted(self: Database) -> Iterator[Any]:
        removed.append(0)
        with write(self) as connection:
            yield connection

    monkeypatch.setattr(Contents, "let_go", counted)
    monkeypatch.setattr(Database, "write", noted)
    desk.service.clear_removed_attachments()
    assert ([1, 1, 1, 0], []) == (removed, kept(desk))


def test_content_stays_until_the_last_petition_that_has_it_lets_it_go(database: Database, desk: Desk) -> None:
    content = b"%PDF-" + uuid.uuid4().bytes
    one, two = petition(database), petition(database)
    first, second = desk.add(one, content=content), desk.add(two, content=content)
    desk.remove(one, first["id"])
    desk.service.clear_removed_attachments()
    assert desk.store.has(second["sha256"])
    desk.remove(two, second["id"])
    desk.service.clear_removed_attachments()
    assert [] == kept(desk)


@pytest.mark.parametrize(
    ("content", "given"),
    [
        (b"MZ\x90\x00 a program", {}),
        (b"%PDF-1.7", {"file_name": "dilekce.docx"}),
        (b"%PDF-1.7", {"file_name": "dilekce.pdf.exe"}),
        (b"%PDF-1.7", {"file_name": "dilekce\u202efdp.exe"}),
        ("Şişli".encode("cp1254"), {"file_name": "dilekce.txt"}),
        (b"%PDF-1.7", {"title": "x" * 201}),
        (b"%PDF-1.7", {"kind": "scan", "sha256": "x"}),
        (b"%PDF-1.7", {"size": 2 * 1024 * 1024}),
    ],
)
def test_what_is_refused_is_not_kept(content: bytes, given: dict[str, Any], database: Database, desk: Desk) -> None:
    made = petition(database)
    with pytest.raises(Invalid) as refusal:
        desk.add(made, content=content, **given)
    assert refusal.value.details["errors"][0]["field"] in ("file", "title", "sha256")
    assert [] == desk.listed(made)
    assert [] == ([] if "sha256" in given else kept(desk))


def test_a_file_larger_than_allowed_is_not_kept(database: Database, desk: Desk) -> None:
    with pytest.raises(Invalid):
        desk.add(petition(database), content=b"%PDF-" + bytes(1024 * 1024))
    assert [] == kept(desk)


def test_an_infected_file_leaves_nothing(database: Database, desk: Desk, tmp_path: Path) -> None:
    script = tmp_path / "scanner.sh"
    script.write_text("#!/bin/sh\n! grep -q EICAR-STANDARD-ANTIVIRUS-TEST-FILE\n")
    script.chmod(0o700)
    desk.service.settings = replace(desk.service.settings, scan_command=f"'{script}'")
    made = petition(database)
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    with pytest.raises(Invalid):
        desk.add(made, content=eicar, file_name="eicar.txt")
    assert ([], []) == (desk.listed(made), kept(desk))
    assert "text/plain" == desk.add(made, content=b"clean", file_name="temiz.txt")["media_type"]


def test_what_the_same_office_sends_twice_at_once_is_kept_once(database: Database, desk: Desk) -> None:
    made, content = petition(database), b"%PDF-" + uuid.uuid4().bytes
    one, two, three = together(
        lambda: desk.add(made, content=content),
        lambda: desk.add(made, content=content),
        lambda: desk.add(made, OFFICER, content=content),
    )
    assert one["id"] == two["id"] != three["id"]
    assert 2 == len(desk.listed(made))
    assert 1 == len(kept(desk))


def test_a_repeated_request_gets_its_first_answer_and_only_its_own(database: Database, desk: Desk) -> None:
    key, other_key = new_code(), new_code()
    made, other = petition(database, key), petition(database, other_key)
    content = b"%PDF-" + uuid.uuid4().bytes
    first = desk.add(made, ANYONE, content, petition_key=key, key="k1")
    assert first == desk.add(made, ANYONE, content, petition_key=key, key="k1")
    theirs = desk.add(other, ANYONE, content, petition_key=other_key, key="k1")
    assert (other, True) == (theirs["petition_id"], theirs["id"] != first["id"])
    with pytest.raises(NotFound):
        desk.add(made, ANYONE, content, key="k1")


def test_never_more_files_than_allowed_also_when_many_come_at_once(database: Database, desk: Desk) -> None:
    made = petition(database)
    outcomes = together(*[lambda: desk.add(made) for _ in range(8)])
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert (4, 4) == (len(refused), len(desk.listed(made)))
    assert 4 == len(kept(desk))
    desk.remove(made, desk.listed(made)[0]["id"])
    desk.add(made)


def test_what_nobody_registered_within_a_day_is_thrown_away(
    database: Database, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_file = desk.add(petition(database))["sha256"]
    lost = desk.store.put(io.BytesIO(b"%PDF- never registered"), 100).sha256
    elsewhere = store_of(desk.service.settings, Space.DOCUMENTS).put(io.BytesIO(b"%PDF- of the registry"), 100).sha256
    desk.service.clear_unknown_attachments()
    assert desk.store.has(lost)
    monkeypatch.setattr("services.runtime.contents.REGISTERED_WITHIN", -timedelta(minutes=1))
    desk.service.clear_unknown_attachments()
    assert (True, False) == (desk.store.has(kept_file), desk.store.has(lost))
    assert store_of(desk.service.settings, Space.DOCUMENTS).has(elsewhere)


def test_content_that_is_being_registered_is_not_thrown_away_meanwhile(database: Database, desk: Desk) -> None:
    sha256 = desk.store.put(io.BytesIO(b"%PDF-1.7"), 100).sha256
    made = petition(database)

    def registering() -> None:
        with database.write() as connection:
            assert AttachmentFiles(connection, desk.store).hold(sha256)
            eventlet.sleep(0.2)
            row = {"id": str(uuid.uuid4()), "petition_id": made, "kind": "scan", "title": "x", "file_name": "x.pdf"}
            row |= {"media_type": "application/pdf", "size": 8, "sha256": sha256, "added_by": "x"}
            connection.execute(insert(ATTACHMENTS).values(added_at=desk.service.time.now(), **row))

    def letting_go() -> None:
        eventlet.sleep(0.05)
        with database.write() as connection:
            AttachmentFiles(connection, desk.store).let_go(sha256)

    assert [None, None] == together(registering, letting_go)
    assert desk.store.has(sha256)


def test_content_that_is_gone_before_it_is_registered_must_be_sent_again(database: Database, desk: Desk) -> None:
    with pytest.raises(Unavailable):
        desk.add(petition(database), sha256="0" * 64)


def test_while_the_store_is_away_nothing_half_is_recorded_and_afterwards_it_goes_on(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(bucket, "ANSWER_SECONDS", 2.0)
    with s3_process(tmp_path) as server:
        port, desk = (
            server.port,
            Desk(database, Settings(documents_dir=str(tmp_path), documents_url=server.new_bucket())),
        )
        made = petition(database)
        first = desk.add(made)
        sha256 = desk.store.put(io.BytesIO(b"%PDF-1.7 put before"), 100).sha256
    with pytest.raises(Unavailable):
        desk.add(made)
    sent = {"kind": "scan", "file_name": "a.pdf", "size": 19, "sha256": sha256}
    with pytest.raises(Unavailable):
        desk.ask("add_attachment", actor=CLERK, petition_id=made, attachment=sent, key="k")
    assert [first["id"]] == [each["id"] for each in desk.listed(made)]  # what needs no content goes on
    assert first["id"] == desk.get(made, first["id"])["id"]
    desk.remove(made, first["id"])
    with pytest.raises(Unavailable):
        desk.service.clear_removed_attachments()
    assert "very" not in "".join(each.getMessage() for each in caplog.records if each.name.startswith("services"))
    assert [] == [name for _, _, files in os.walk(tmp_path / "petitions") for name in files]
    with s3_process(tmp_path, port=port) as server:
        name = desk.service.settings.documents_url.rpartition("/")[2]
        s3_server.client(server.address(name)).create_bucket(Bucket=name)
        desk.add(made)
        desk.service.clear_removed_attachments()
