"""Expertise, documents and open data over HTTP."""

from __future__ import annotations

import gzip
import hashlib
import time
import uuid
from typing import Any
from urllib.parse import quote

import pytest
import requests
from harness import Client, System, until

PDF = b"%PDF-1.7\n" + bytes(200_000)


@pytest.fixture(scope="module")
def organisation(embedded: System) -> dict[str, Any]:
    body = {"name": f"Çizenler {uuid.uuid4().hex[:8]}", "form": "association", "province_code": "34"}
    return dict(embedded.client("registrar").post("/organisations", body))


@pytest.fixture(scope="module")
def own(embedded: System, organisation: dict[str, Any]) -> Client:
    embedded.add_office("expert", "organisation_representative", {"organisation_id": organisation["id"]})
    return embedded.client("expert")


def upload(client: Client, path: str, content: bytes, name: str = "Rapor – Şişli.pdf", **form: str) -> Any:
    return client.session.post(client.url + path, data={"title": "Rapor", **form}, files={"file": (name, content)})


def test_an_organisation_says_what_it_offers_and_a_municipality_finds_it(
    embedded: System, own: Client, organisation: dict[str, Any]
) -> None:
    path = f"/organisations/{organisation['id']}/expertise"
    offer = {"tags": ["mapping"], "text": "Katılımcı haritalama", "provinces": ["34"]}
    assert 428 == own.ask("PUT", path, offer).status
    answer = own.ask("PUT", path, offer, version=0)
    assert (200, '"1"') == (answer.status, answer.headers["ETag"])
    assert (412, 1) == ((again := own.ask("PUT", path, offer, version=0)).status, again.body["version"])
    unit = embedded.client("unit")
    found = unit.get(f"/expertise?tag=mapping&province=34&query={quote('HARİTALAMA')}")
    assert organisation["id"] in [item["organisation_id"] for item in found["items"]]
    assert answer.body == unit.get(path)
    assert ["mapping"] == unit.get(f"/organisations/{organisation['id']}")["expertise"]
    assert 403 == unit.ask("PUT", path, offer, version=1).status
    assert "mapping" in [item["code"] for item in unit.get("/expertise-tags")["items"]]
    wrong = own.ask("PUT", path, {"tags": ["astrology"]}, version=1)
    assert (422, "tags.0") == (wrong.status, wrong.body["errors"][0]["field"])


def test_a_document_is_sent_downloaded_as_a_file_and_removed(
    embedded: System, own: Client, organisation: dict[str, Any]
) -> None:
    path = f"/organisations/{organisation['id']}/documents"
    sent = upload(own, path, PDF)
    assert 201 == sent.status_code, sent.text
    made = sent.json()
    assert f"/api/v1{path}/{made['id']}" == sent.headers["Location"]
    assert ("application/pdf", len(PDF), hashlib.sha256(PDF).hexdigest()) == (
        made["media_type"],
        made["size"],
        made["sha256"],
    )
    unit = embedded.client("unit")
    assert [made] == unit.get(path)["items"]
    got = unit.session.get(f"{unit.url}{path}/{made['id']}")
    assert (200, PDF) == (got.status_code, got.content)
    assert "application/octet-stream" == got.headers["Content-Type"]
    assert "nosniff" == got.headers["X-Content-Type-Options"]
    assert "no-store" == got.headers["Cache-Control"]
    expected = "attachment; filename=\"Rapor _ _i_li.pdf\"; filename*=UTF-8''Rapor%20%E2%80%93%20%C5%9Ei%C5%9Fli.pdf"
    assert expected == got.headers["Content-Disposition"]
    known = unit.session.get(f"{unit.url}{path}/{made['id']}", headers={"If-None-Match": got.headers["ETag"]})
    assert (304, b"") == (known.status_code, known.content)
    assert 403 == unit.ask("DELETE", f"{path}/{made['id']}").status
    assert 204 == own.ask("DELETE", f"{path}/{made['id']}").status
    assert 404 == own.ask("GET", f"{path}/{made['id']}").status


def test_what_is_no_document_is_refused(own: Client, organisation: dict[str, Any]) -> None:
    path = f"/organisations/{organisation['id']}/documents"
    refused = upload(own, path, b"MZ is a program")
    assert (422, "file") == (refused.status_code, refused.json()["errors"][0]["field"])
    assert 413 == upload(own, path, bytes(11 * 1024 * 1024)).status_code
    assert 403 == upload(own, f"/organisations/{uuid.uuid4()}/documents", PDF).status_code
    assert 415 == own.ask("POST", path, {"title": "x"}).status


def test_a_copy_of_the_open_data_that_is_sent_as_a_document_takes_nothing_away(
    embedded: System, own: Client, organisation: dict[str, Any]
) -> None:
    url = f"{embedded.url}/api/v1/open-data/datapackage.json"
    published = until(lambda: (found := requests.get(url, timeout=10)).status_code == 200 and found).content
    assert 422 == upload(own, f"/organisations/{organisation['id']}/documents", published).status_code
    assert published == requests.get(url, timeout=10).content


@pytest.mark.parametrize("name", ["organisations.csv", "organisations.json", "datapackage.json"])
def test_everyone_gets_the_open_data_packed_and_cached(embedded: System, name: str) -> None:
    url = f"{embedded.url}/api/v1/open-data/{name}"
    deadline = time.monotonic() + 30
    while (plain := requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=10)).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert 200 == plain.status_code
    assert len(plain.content) == int(plain.headers["Content-Length"])
    assert f'"{hashlib.sha256(plain.content).hexdigest()}"' == plain.headers["ETag"]
    assert "public, max-age=3600" == plain.headers["Cache-Control"]
    assert "Accept-Encoding" == plain.headers["Vary"]
    assert plain.headers["Last-Modified"].endswith("GMT")
    packed = requests.get(url, headers={"Accept-Encoding": "gzip"}, timeout=10, stream=True)
    assert "gzip" == packed.headers["Content-Encoding"]
    assert plain.content == gzip.decompress(packed.raw.read(decode_content=False))
    assert plain.headers["ETag"] != packed.headers["ETag"]
    for answer in (plain, packed):
        known = requests.get(url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=10)
        assert (304, b"") == (known.status_code, known.content)
