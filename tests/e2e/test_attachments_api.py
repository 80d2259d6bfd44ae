"""The files of petitions over HTTP: for those who may, as files to be saved, from the right store."""

from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from harness import Client, System, embedded_system
from s3_server import S3, client, s3_process

PDF = b"%PDF-1.7\n" + bytes(200_000)
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A bucket's server of this module alone, so that it may be stopped."""
    with s3_process(tmp_path_factory.mktemp("s3")) as started:
        yield started


@pytest.fixture(scope="module")
def system(server: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that keeps its documents in a bucket and asks a scanner."""
    folder = tmp_path_factory.mktemp("attachments")
    script = folder / "scanner.sh"
    script.write_text("#!/bin/sh\n! grep -q EICAR-STANDARD-ANTIVIRUS-TEST-FILE\n")
    script.chmod(0o700)
    more = {"IMECE_MAX_ATTACHMENT_MEGABYTES": "1", "IMECE_ATTACHMENTS_EACH": "3", "IMECE_LOG_LEVEL": "DEBUG"}
    with embedded_system(
        folder, IMECE_DOCUMENTS_URL=server.new_bucket(), IMECE_SCAN_COMMAND=f"'{script}'", **more
    ) as started:
        yield started


@pytest.fixture
def petition(system: System) -> dict[str, Any]:
    """A citizen's petition, made without a sign-in; with its key."""
    body = {
        "kind": "petition",
        "municipality": "34-35",
        "subject": "Kaldırım",
        "body": "Kaldırımın onarılmasını arz ederim.",
        "petitioner": {"type": "citizen", "name": "Deneme Kişi", "address": "Şişli"},
    }
    return dict(Client(system.url, None).post("/petitions", body))


def send(client: Client, petition: dict[str, Any], content: bytes = PDF, name: str = "Ek – 1.pdf", **more: Any) -> Any:
    headers, url = more.pop("headers", {}), f"{client.url}/petitions/{petition['id']}/attachments"
    return client.session.post(url, data=more, files={"file": (name, content)}, headers=headers, timeout=30)


def test_the_clerk_adds_the_scan_at_once_and_the_petitioner_sees_it_without_a_sign_in(
    system: System, petition: dict[str, Any]
) -> None:
    clerk, nobody = system.client("clerk"), Client(system.url, None)
    sent = send(clerk, petition, kind="scan", title="Islak imzalı dilekçe")
    assert 201 == sent.status_code, sent.text
    made, path = sent.json(), f"/petitions/{petition['id']}/attachments"
    assert f"/api/v1{path}/{made['id']}" == sent.headers["Location"]
    assert ("scan", "application/pdf", len(PDF), hashlib.sha256(PDF).hexdigest()) == (
        made["kind"], made["media_type"], made["size"], made["sha256"],
    )  # fmt: skip
    key = {"Imece-Petition-Key": petition["petition_key"]}
    listed = nobody.session.get(nobody.url + path, headers=key).json()["items"]
    assert [(made["id"], False)] == [(each["id"], each["may_remove"]) for each in listed]
    got = nobody.session.get(f"{nobody.url}{path}/{made['id']}", headers=key)
    assert (200, PDF, "application/pdf") == (got.status_code, got.content, got.headers["Content-Type"])
    assert "nosniff" == got.headers["X-Content-Type-Options"]
    assert "no-store" == got.headers["Cache-Control"]
    assert "sandbox" in got.headers["Content-Security-Policy"]
    expected = "attachment; filename=\"Ek _ 1.pdf\"; filename*=UTF-8''Ek%20%E2%80%93%201.pdf"
    assert expected == got.headers["Content-Disposition"]
    known = nobody.session.get(f"{nobody.url}{path}/{made['id']}", headers=key | {"If-None-Match": got.headers["ETag"]})
    assert (304, b"") == (known.status_code, known.content)


def test_strangers_learn_nothing_and_their_files_are_kept_nowhere(system: System, petition: dict[str, Any]) -> None:
    path = f"/petitions/{petition['id']}/attachments"
    nobody = Client(system.url, None)
    assert (404, 404) == (nobody.ask("GET", path).status, send(nobody, petition).status_code)
    for office in ("besiktas.unit", "registrar", "commission", "authority"):
        client = system.client(office)
        assert (404, 404) == (client.ask("GET", path).status, send(client, petition).status_code)
    assert 403 == send(system.client("mayor"), petition).status_code
    assert 422 == nobody.ask("GET", path, Imece_Petition_Key="x").status
    assert [] == system.client("auditor").get(path)["items"]


def test_the_petitioner_adds_and_removes_until_the_petition_is_registered(
    system: System, petition: dict[str, Any]
) -> None:
    nobody, key = Client(system.url, None), {"Imece-Petition-Key": petition["petition_key"]}
    path = f"/petitions/{petition['id']}/attachments"
    one, two = (send(nobody, petition, b"%PDF-" + uuid.uuid4().bytes, headers=key).json() for _ in range(2))
    assert f"petitioner@{petition['id']}" == one["added_by"]
    assert 403 == system.client("clerk").ask("DELETE", f"{path}/{one['id']}").status
    assert 204 == nobody.ask("DELETE", f"{path}/{one['id']}", **key).status
    assert [two["id"]] == [each["id"] for each in system.client("unit").get(path)["items"]]
    moved = f"/petitions/{petition['id']}/moves/register"
    clerk = system.client("clerk")
    told = [each["move"] for each in clerk.get(f"/petitions/{petition['id']}/timeline")["items"]]
    assert ["submit", "add_file", "add_file", "remove_file"] == told
    clerk.post(moved, {}, version=len(told), status=200)
    assert 409 == nobody.ask("DELETE", f"{path}/{two['id']}", **key).status


def test_what_is_no_document_too_large_too_many_or_infected_is_refused_kindly(
    system: System, petition: dict[str, Any]
) -> None:
    clerk, macros = system.client("clerk"), io.BytesIO()
    with zipfile.ZipFile(macros, "w") as archive:
        for name in ("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"):
            archive.writestr(name, "x")
    for content, name in (
        (b"MZ\x90\x00", "a.pdf"),
        (PDF, "a.docx"),
        (macros.getvalue(), "a.docx"),
        (EICAR, "a.txt"),
        (bytes(1024 * 1024 + 1), "a.pdf"),
    ):
        refused = send(clerk, petition, content, name)
        assert (422, "file") == (refused.status_code, refused.json()["errors"][0]["field"])
        assert "Eicar" not in refused.text
    assert 413 == send(clerk, petition, bytes(1200 * 1024)).status_code
    for _ in range(3):
        assert 201 == send(clerk, petition, b"%PDF-" + uuid.uuid4().bytes).status_code
    assert 409 == send(clerk, petition, b"%PDF-one too many").status_code
    assert 415 == clerk.ask("POST", f"/petitions/{petition['id']}/attachments", {"kind": "scan"}).status
    assert 3 == len(clerk.get(f"/petitions/{petition['id']}/attachments")["items"])


def test_other_documents_pass_the_scanner_too_and_lie_in_the_same_bucket(system: System) -> None:
    path = f"/organisations/{system.organisation()}/documents"
    registrar = system.client("registrar")
    infected = {"file": ("a.txt", EICAR)}
    refused = requests.post(
        registrar.url + path, data={"title": "x"}, files=infected, headers=registrar.session.headers, timeout=30
    )
    assert 422 == refused.status_code
    sent = registrar.session.post(registrar.url + path, data={"title": "x"}, files={"file": ("a.pdf", PDF)})
    assert 201 == sent.status_code, sent.text
    got = registrar.session.get(f"{registrar.url}{path}/{sent.json()['id']}")
    assert (200, PDF) == (got.status_code, got.content)
    kept = [
        str(each) for each in (Path(system.environment["IMECE_DATA_DIR"]) / "documents").rglob("*") if each.is_file()
    ]
    assert [] == kept


def test_one_address_sends_only_so_many_files_an_hour_without_a_sign_in(
    system: System, petition: dict[str, Any]
) -> None:
    nobody = Client(system.url, None)
    taken = 0
    while (answer := send(nobody, petition, b"x")).status_code == 404:
        taken += 1
        assert taken <= 6
    assert 429 == answer.status_code
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert 3 <= taken  # the others of this module sent three; a form counts once, although it is looked at twice
    assert 201 == send(system.client("clerk"), petition).status_code


def test_while_the_bucket_is_away_files_wait_and_everything_else_goes_on(
    system: System, server: S3, petition: dict[str, Any], tmp_path: Path
) -> None:
    clerk, path = system.client("clerk"), f"/petitions/{petition['id']}/attachments"
    made = send(clerk, petition).json()
    server.process.terminate()
    server.process.wait()
    for answer in (send(clerk, petition, PDF + b"2"), clerk.session.get(f"{clerk.url}{path}/{made['id']}")):
        assert (503, "unavailable") == (answer.status_code, answer.json()["code"])
    assert [made["id"]] == [each["id"] for each in clerk.get(path)["items"]]
    assert 200 == requests.get(f"{system.url}/readyz", timeout=10).status_code
    now = clerk.get(f"/petitions/{petition['id']}")["version"]
    clerk.post(f"/petitions/{petition['id']}/moves/register", {}, version=now, status=200)
    with s3_process(tmp_path, port=server.port):
        address = system.environment["IMECE_DOCUMENTS_URL"]
        client(address).create_bucket(Bucket=address.rpartition("/")[2])
        assert 201 == send(clerk, petition, PDF + b"2").status_code


def test_the_secret_of_the_bucket_is_in_no_log(system: System) -> None:
    logs = "".join(log.read_text() for log in system.folder.glob("*.log"))
    assert "very/secret" not in logs
    assert "very%2F" not in logs
    assert "AWS4" not in logs
