"""Writing help over HTTP: for everyone, in both languages, and nothing of it is kept."""

from __future__ import annotations

from io import BytesIO
from zipfile import is_zipfile

import pytest
import requests
from harness import Client, System
from petition_texts import TEXTS, Text
from pypdf import PdfReader

from services.gateway.api import writing

PAPER = {
    "municipality": "Şişli",
    "subject": "Sokak lambası",
    "body": "Lambanın onarılmasını arz ederim.",
    "petitioner_type": "citizen",
    "dated_on": "2026-05-22",
}


@pytest.fixture
def anyone(system: System) -> Client:
    return Client(system.url, None)


def sampled(texts: list[Text]) -> list[Text]:
    return texts[::10]


@pytest.mark.parametrize("text", sampled(TEXTS), ids=lambda text: text.name)
def test_advice_over_http_is_the_advice_of_the_rules(text: Text, embedded: System) -> None:
    body = {"subject": text.subject, "body": text.body, "petitioner_type": text.who, "kind": text.kind}
    known = {name: value for name, value in (text.petitioner or {}).items() if name not in ("signature", "date")}
    if text.petitioner:
        body["petitioner"] = known
    answer = embedded.client("unit").post("/petitions/advice", body, status=200)
    expected = text.codes - {"signature_missing", "date_missing"}
    assert expected == {each["code"] for each in answer["suggestions"]}


def test_advice_needs_no_sign_in_and_says_why_in_the_readers_language(anyone: Client) -> None:
    asked = {"subject": "Yol", "body": "Yolun onarılmasını rica ederim.", "petitioner_type": "citizen"}
    said = {}
    for language in ("tr", "en"):
        answer = anyone.ask("POST", "/petitions/advice", asked, Accept_Language=language)
        assert 200 == answer.status, answer.body
        rica = next(each for each in answer.body["suggestions"] if each["code"] == "rica_instead_of_arz")
        assert ("body", "rica ederim", "arz ederim") == (rica["part"], rica["found"], rica["suggest"])
        assert rica["found"] == asked["body"][rica["start"] : rica["end"]]
        assert "16/12" in rica["why"]
        assert "Yolun onarılmasını arz ederim." in answer.body["draft"]
        said[language] = rica["why"]
    assert said["tr"] != said["en"]


def test_a_text_that_is_too_long_is_refused_by_its_field(anyone: Client) -> None:
    asked = {"subject": "Yol", "body": "a" * 20_001, "petitioner_type": "citizen"}
    answer = anyone.ask("POST", "/petitions/advice", asked)
    assert (422, ["body"]) == (answer.status, [each["field"] for each in answer.body["errors"]])


def test_the_guided_form_is_asked_answered_and_becomes_a_petition(anyone: Client) -> None:
    guide = anyone.get("/petitions/guide?kind=partnership_proposal")
    assert "5393/75" in guide["reminder"]
    answers = {each["code"]: each["example"] for each in guide["questions"] if not each["choices"]}
    asked = {"kind": "partnership_proposal", "petitioner_type": "organisation", "answers": answers}
    made = anyone.post("/petitions/guide", asked, status=200)
    assert made["body"].startswith("ŞİŞLİ BELEDİYE BAŞKANLIĞINA")
    assert [] == made["advice"]["suggestions"]
    missing = anyone.ask("POST", "/petitions/guide", {**asked, "answers": {"need": "Oyun alanı yok."}})
    assert 422 == missing.status
    assert "answers.proposed_activity" in [each["field"] for each in missing.body["errors"]]


def test_a_petition_comes_as_pdf_or_docx_to_be_saved(anyone: Client) -> None:
    url = f"{anyone.url}/petitions/paper"
    pdf, docx = (requests.post(url, params={"format": kind}, json=PAPER, timeout=30) for kind in ("pdf", "docx"))
    assert (200, 200) == (pdf.status_code, docx.status_code)
    assert 'filename="dilekce.pdf"' in pdf.headers["Content-Disposition"]
    assert "Lambanın onarılmasını arz ederim." in PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    assert is_zipfile(BytesIO(docx.content))
    assert 422 == requests.post(url, params={"format": "exe"}, json=PAPER, timeout=30).status_code


def test_a_petition_that_nobody_submitted_is_written_nowhere(embedded: System) -> None:
    secret = "Zümrüdüanka Sokağı'ndaki kaldırım"
    body = {**PAPER, "body": f"{secret} onarılsın, rica ederim.", "name": secret}
    client = Client(embedded.url, None)
    client.post("/petitions/paper", body, status=200)
    client.post("/petitions/advice", {key: body[key] for key in ("subject", "body", "petitioner_type")}, status=200)
    holding = [
        path.name for path in embedded.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()
    ]
    assert [] == holding


def test_every_way_of_writing_help_is_open_and_counted() -> None:
    assert {("anyone", True)} == {(route.access, route.rate is not None) for route in writing.TABLE.routes}
