"""The register of expertise and the open data on both databases, with a real store of files."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import eventlet
import jsonschema
import pytest
import test_registry_databases
from machine import together
from sqlalchemy import func, select, text
from test_registry_databases import (
    ADMINISTRATOR,
    REGISTRAR,
    SISLI_CLERK,
    Caller,
    grant,
    new_key,
    register,
)

from services.contracts.expertise import DocumentAnswer, ExpertiseAnswer, OfferedAnswer
from services.kernel.actor import Actor
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unavailable
from services.registry.adapters.expertise import DocumentFiles, OfferRows
from services.registry.adapters.open_data import SnapshotRows
from services.registry.adapters.tables import DOCUMENTS, EXPERTISE_RECORDS, SNAPSHOTS
from services.registry.application.open_data import COLUMNS
from services.registry.domain.expertise import Document
from services.runtime.blob import Space, store_of
from services.runtime.database import Database
from services.runtime.settings import Settings

database = test_registry_databases.database
OFFER = {"tags": ["mapping", "data_technology"], "text": "Açık harita ve ölçüm", "provinces": ["34"]}


@pytest.fixture
def registry(database: Database, tmp_path: Path) -> Iterator[Caller]:
    made = Caller(database, 2026, 3, 2, 9)
    made.service.settings = Settings(documents_dir=str(tmp_path))
    yield made
    with database.write() as connection:
        connection.execute(SNAPSHOTS.delete())


def owner(organisation: dict[str, Any]) -> dict[str, Any]:
    return Actor(role="organisation_representative", user_id="o", organisation_id=organisation["id"]).to_plain()


def offer(registry: Caller, organisation: dict[str, Any], actor: Any = REGISTRAR, **given: Any) -> dict[str, Any]:
    asked = {"organisation_id": organisation["id"], "offer": {**OFFER, **given}, "key": new_key()}
    return dict(registry.change_expertise(actor=actor, **asked))


def found(registry: Caller, **wanted: Any) -> list[str]:
    page = registry.find_expertise(actor=SISLI_CLERK, **wanted)
    assert {} == OfferedAnswer(many=True).validate(page["items"])
    assert len(page["items"]) == page["total"]
    return [item["organisation_id"] for item in page["items"]]


def test_what_an_organisation_offers_is_recorded_with_office_and_moment_in_every_version(
    database: Database,
    registry: Caller,
) -> None:
    made = register(registry, expertise=["harita okuma", "mapping"])
    assert 0 == registry.get_expertise(organisation_id=made["id"])["version"]
    first = offer(registry, made, owner(made))
    assert {} == ExpertiseAnswer().validate(first)
    assert (1, True, f"organisation_representative@{made['id']}") == (
        first["version"],
        first["holds"],
        first["changed_by"],
    )
    assert first == offer(registry, made)  # nothing is different, so nothing is recorded
    offer(registry, made, tags=["mapping"])
    with database.read() as connection:
        kept = connection.execute(
            select(EXPERTISE_RECORDS.c.version, EXPERTISE_RECORDS.c.recorded_by)
            .where(EXPERTISE_RECORDS.c.organisation_id == made["id"])
            .order_by(EXPERTISE_RECORDS.c.version)
        ).all()
        told = connection.execute(
            text("SELECT data FROM outbox WHERE name = 'organisation.expertise_changed.v1' ORDER BY id DESC LIMIT 1")
        ).scalar_one()
    assert [(1, first["changed_by"]), (2, "registrar@-")] == [tuple(row) for row in kept]
    data = json.loads(told) if isinstance(told, str) else told
    assert {"organisation_id": made["id"], "tags": ["mapping"], "provinces": ["34"], "valid_until": None} == data
    shown = registry.get_organisation(organisation_id=made["id"])
    assert ["mapping", "harita okuma"] == shown["expertise"]
    assert made["version"] + 2 == shown["version"]  # who knows the organisation's tag must see its new tags


def test_only_its_own_representative_and_the_registrar_say_what_it_offers(registry: Caller) -> None:
    made, other = register(registry), register(registry)
    delegate = {**owner(made), "scope": ["sign"]}
    for actor in (owner(other), SISLI_CLERK, ADMINISTRATOR, delegate):
        with pytest.raises(Forbidden):
            offer(registry, made, actor)
    with pytest.raises(NotFound):
        offer(registry, {"id": str(uuid.uuid4())})
    with pytest.raises(Invalid):
        offer(registry, made, tags=["astrology"])
    offer(registry, made)
    with pytest.raises(Conflict):
        registry.change_expertise(
            actor=REGISTRAR, organisation_id=made["id"], offer={}, key=new_key(), expected_version=0
        )
    gone = register(registry, state="dissolved")
    with pytest.raises(Refused):
        offer(registry, gone)


def test_offers_are_found_by_tag_words_and_province_while_they_hold(registry: Caller) -> None:
    mark = uuid.uuid4().hex[:8]
    here = register(registry, name=f"Kâğıthane Ölçüm {mark}")
    everywhere = register(registry, name=f"Işık Ölçüm {mark}")
    over = register(registry, name=f"Eski Ölçüm {mark}")
    offer(registry, here, tags=["mapping"])
    offer(registry, everywhere, tags=["legal_aid"], provinces=[], text=None)
    offer(registry, over, valid_until="2026-03-02")
    assert [over["id"], everywhere["id"], here["id"]] == found(registry, query=mark)
    registry.be_at(2026, 3, 3, 9)
    assert [everywhere["id"], here["id"]] == found(registry, query=mark)
    assert [here["id"]] == found(registry, query=mark, tag="mapping")
    assert [everywhere["id"]] == found(registry, query=mark, province="Ankara")
    assert [everywhere["id"], here["id"]] == found(registry, query=mark, province="34")
    assert [here["id"]] == found(registry, query=f"acik HARİTA {mark}")
    assert [everywhere["id"]] == found(registry, query=f"hukuki destek {mark}")
    assert [everywhere["id"]] == found(registry, query=f"legal aid isik {mark}")
    assert [] == found(registry, query="???")
    offer(registry, here, tags=[], text=None, provinces=[])
    assert [everywhere["id"]] == found(registry, query=mark)
    assert 1 == len(registry.find_expertise(actor=SISLI_CLERK, size=1)["items"])


def test_the_tags_have_names_in_both_languages(registry: Caller) -> None:
    items = registry.expertise_tags()["items"]
    assert 20 <= len(items) <= 30
    assert all(item["label"]["tr"] and item["label"]["en"] and item["area_label"]["tr"] for item in items)


# --- documents


def put(registry: Caller, content: bytes) -> str:
    """As the gateway does it before it asks the registry."""
    return store_of(registry.service.settings, Space.DOCUMENTS).put(io.BytesIO(content), 10**8).sha256


def send(registry: Caller, made: dict[str, Any], content: bytes = b"%PDF-1.7 one", **given: Any) -> dict[str, Any]:
    kept = store_of(registry.service.settings, Space.DOCUMENTS).put(io.BytesIO(content), 10**8)
    document = {"title": "Faaliyet raporu", "file_name": "rapor.pdf", "size": kept.size, "sha256": kept.sha256}
    actor = given.pop("actor", owner(made))
    return dict(
        registry.add_document(
            actor=actor, organisation_id=made["id"], document=document | given, key=given.get("key") or new_key()
        )
    )


def test_a_document_is_kept_listed_and_thrown_away_with_the_last_that_has_its_content(
    database: Database,
    registry: Caller,
) -> None:
    made, other = register(registry), register(registry)
    store = store_of(registry.service.settings, Space.DOCUMENTS)
    content = uuid.uuid4().bytes
    first, second = send(registry, made, b"%PDF-" + content), send(registry, other, b"%PDF-" + content)
    assert {} == DocumentAnswer().validate(first)
    assert [first] == registry.list_documents(organisation_id=made["id"])["items"]
    assert first == registry.get_document(organisation_id=made["id"], document_id=first["id"])
    with pytest.raises(NotFound):
        registry.get_document(organisation_id=other["id"], document_id=first["id"])
    gone = {"organisation_id": made["id"], "document_id": first["id"]}
    with pytest.raises(Forbidden):
        registry.remove_document(actor=owner(other), key=new_key(), **gone)
    assert {"id": first["id"]} == registry.remove_document(actor=owner(made), key=new_key(), **gone)
    registry.service.clear_removed_documents()
    assert store.has(second["sha256"])
    with pytest.raises(NotFound):
        registry.get_document(**gone)
    registry.remove_document(actor=REGISTRAR, organisation_id=other["id"], document_id=second["id"], key=new_key())
    registry.service.clear_removed_documents()
    assert not store.has(second["sha256"])
    with database.read() as connection:
        row = connection.execute(select(DOCUMENTS).where(DOCUMENTS.c.id == second["id"])).one()
    assert ("", "", "registrar@-") == (row.title, row.file_name, row.removed_by)
    assert row.cleared_at is not None


def test_what_is_refused_is_not_kept(registry: Caller) -> None:
    made = register(registry)
    store = store_of(registry.service.settings, Space.DOCUMENTS)
    for content, refusal in ((b"MZ program", Invalid), (b"%PDF-" + bytes(11 * 1024 * 1024), Invalid)):
        with pytest.raises(refusal):
            send(registry, made, content)
        assert not store.has(hashlib.sha256(content).hexdigest())
    with pytest.raises(Forbidden):
        send(registry, made, b"%PDF- of a stranger", actor=SISLI_CLERK)
    assert not store.has(hashlib.sha256(b"%PDF- of a stranger").hexdigest())
    with pytest.raises(Invalid):
        send(registry, made, title="  ")
    with pytest.raises(Unavailable):
        send(registry, made, sha256="0" * 64)
    wrong = {"title": "x", "file_name": "y", "size": "many", "sha256": put(registry, b"%PDF- of a wrong size")}
    with pytest.raises(Invalid):
        registry.add_document(actor=owner(made), organisation_id=made["id"], document=wrong, key=new_key())
    assert not store.has(wrong["sha256"])


def test_what_nobody_registered_within_a_day_is_thrown_away(registry: Caller, tmp_path: Path) -> None:
    kept = send(registry, register(registry), b"%PDF-" + uuid.uuid4().bytes)["sha256"]
    old, fresh = put(registry, b"%PDF- never registered"), put(registry, b"%PDF- not registered yet")
    registry.service.publish_open_data()
    before = (registry.service.time.now() - timedelta(hours=25)).timestamp()
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != fresh:
            os.utime(file, (before, before))
    registry.service.clear_unknown_documents()
    store = store_of(registry.service.settings, Space.DOCUMENTS)
    assert (True, False, True) == (store.has(kept), store.has(old), store.has(fresh))
    assert read(registry, "organisations.csv")


def test_content_that_is_just_being_registered_is_not_thrown_away_by_another_who_lets_it_go(
    database: Database, registry: Caller
) -> None:
    made, store = register(registry), store_of(registry.service.settings, Space.DOCUMENTS)
    sha256 = put(registry, b"%PDF-" + uuid.uuid4().bytes)
    now = registry.service.time.now()
    document = Document(
        str(uuid.uuid4()), made["id"], "Rapor", "r.pdf", "application/pdf", 21, sha256, now, "registrar@-"
    )

    def registering() -> None:
        with database.write() as connection:
            assert DocumentFiles(connection, store).hold(sha256)
            eventlet.sleep(0.2)
            OfferRows(connection).add_document(document)

    def letting_go() -> None:
        eventlet.sleep(0.05)
        with database.write() as connection:
            DocumentFiles(connection, store).let_go(sha256)

    assert [None, None] == together(registering, letting_go)
    assert store.has(sha256)


# --- open data

PACKAGE = {
    "type": "object",
    "required": ["name", "title", "description", "version", "created", "licenses", "resources"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9._-]+$"},
        "licenses": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["name", "path"]},
        },
        "resources": {
            "type": "array",
            "minItems": 2,
            "items": {
                "type": "object",
                "required": ["name", "path", "format", "mediatype", "encoding", "bytes", "hash", "rows", "schema"],
                "properties": {
                    "name": {"type": "string", "pattern": "^[a-z0-9._-]+$"},
                    "path": {"type": "string", "pattern": "^[^/.][^:]*$"},
                    "encoding": {"const": "utf-8"},
                    "bytes": {"type": "integer", "minimum": 1},
                    "rows": {"type": "integer", "minimum": 0},
                    "hash": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
                    "schema": {
                        "type": "object",
                        "required": ["fields", "primaryKey", "missingValues"],
                        "properties": {
                            "fields": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "object",
                                    "required": ["name", "type", "title", "title_en", "description", "description_en"],
                                    "properties": {
                                        "type": {"enum": ["string", "date", "boolean", "array"]},
                                        "title": {"type": "string", "minLength": 1},
                                        "description": {"type": "string", "minLength": 1},
                                        "description_en": {"type": "string", "minLength": 1},
                                    },
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}


def read(registry: Caller, name: str) -> bytes:
    told = registry.open_data(name=name)
    store = store_of(registry.service.settings, Space.OPEN_DATA)
    with store.open(told["sha256"]) as file, store.open(told["gzip_sha256"]) as packed:
        content = file.read()
        assert content == gzip.decompress(packed.read())
    assert told["size"] == len(content)
    return content


def of_type(field: dict[str, Any], value: str) -> bool:
    """Whether the text is a value of the column as the package describes it."""
    constraints = field.get("constraints", {})
    if value == "":
        return not constraints.get("required")
    if "enum" in constraints and value not in constraints["enum"]:
        return False
    if field.get("format") == "uuid":
        return str(uuid.UUID(value)) == value
    if field["type"] == "date":
        return date.fromisoformat(value).isoformat() == value
    return field["type"] != "boolean" or value in field["trueValues"] + field["falseValues"]


def test_the_open_data_are_what_their_package_says(registry: Caller) -> None:
    secret = {
        "email": "kisi@ornek.org.tr",
        "phone": "+90 212 000 00 01",
        "address": "Gizli Sokak 5",
        "tax_no": "4540536920",
    }
    made = register(registry, name='Özel "Tırnak", Derneği', province_code="34", founded_on="2001-05-06", **secret)
    grant(registry, made)
    register(registry, name="=HYPERLINK(1)")
    with pytest.raises(Unavailable):
        registry.open_data(name="organisations.csv")
    registry.service.publish_open_data()
    package = json.loads(read(registry, "datapackage.json"))
    jsonschema.validate(package, PACKAGE)
    for resource in package["resources"]:
        content = read(registry, resource["path"])
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == resource["hash"]
        assert len(content) == resource["bytes"]
        assert not any(value.encode() in content for value in secret.values())
    table, objects = package["resources"]
    fields = table["schema"]["fields"]
    rows = list(csv.reader(io.StringIO(read(registry, "organisations.csv").decode(), newline="")))
    assert [column.name for column in COLUMNS] == [field["name"] for field in fields] == rows[0]
    assert table["rows"] == len(rows) - 1
    assert [] == [(f["name"], v) for row in rows[1:] for f, v in zip(fields, row, strict=True) if not of_type(f, v)]
    listed = {item["id"]: item for item in json.loads(read(registry, "organisations.json"))}
    assert objects["rows"] == len(listed)
    assert ('Özel "Tırnak", Derneği', "İstanbul", True, "2001-05-06") == tuple(
        listed[made["id"]][name] for name in ("name", "province", "public_benefit", "founded_on")
    )
    assert "'=HYPERLINK(1)" in {row[2] for row in rows}


def test_the_open_data_are_made_once_a_day_at_their_hour(database: Database, registry: Caller) -> None:
    registry.service.publish_open_data()
    first = registry.open_data(name="organisations.csv")
    register(registry)
    registry.service.publish_open_data()
    assert first == registry.open_data(name="organisations.csv")
    registry.be_at(2026, 3, 2, 23)  # 02:00 on the 3rd in Istanbul
    registry.service.publish_open_data()
    assert first == registry.open_data(name="organisations.csv")
    registry.be_at(2026, 3, 3, 0)  # 03:00
    registry.service.publish_open_data()
    assert "2026-03-03" == registry.open_data(name="organisations.csv")["made_on"]
    assert first["rows"] + 1 == registry.open_data(name="organisations.csv")["rows"]
    with pytest.raises(NotFound):
        registry.open_data(name="../secrets")


def test_of_two_replicas_one_makes_the_open_data_and_another_takes_over_what_was_begun_and_left(
    database: Database,
    registry: Caller,
) -> None:
    day, now = date(2026, 3, 2), datetime(2026, 3, 2, 9, tzinfo=UTC)

    def claim(holder: str, at: datetime) -> bool:
        with database.write() as connection:
            return SnapshotRows(connection).claim(day, holder, at)

    assert [True, False] == [claim("one", now), claim("two", now)]
    registry.service.publish_open_data()
    with pytest.raises(Unavailable):
        registry.open_data(name="organisations.csv")
    assert claim("two", now + timedelta(minutes=11))
    with database.write() as connection:
        assert not SnapshotRows(connection).finish(day, "one", now, rows=0, files={})
        assert SnapshotRows(connection).finish(day, "two", now, rows=0, files={})
    assert not claim("three", now + timedelta(hours=1))


def test_seven_publications_are_kept(database: Database, registry: Caller) -> None:
    for day in range(1, 10):
        registry.be_at(2026, 5, day, 9)
        registry.service.publish_open_data()
        if day == 1:
            first = registry.open_data(name="datapackage.json")
    registry.service.remove_old_open_data()
    with database.read() as connection:
        assert 7 == connection.execute(select(func.count()).select_from(SNAPSHOTS)).scalar_one()
    assert not store_of(registry.service.settings, Space.OPEN_DATA).has(first["sha256"])
    assert read(registry, "organisations.csv")
