"""Petitions over HTTP: by a citizen without a sign-in, by an organisation, on paper, from filing to an answer."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from harness import Client, System, today, until

SUBJECT = "Parktaki rampanın onarılması"
BODY = "Maçka Parkı girişindeki rampa kırıktır. Onarılması hususunda gereğini arz ederim."
CITIZEN = {"type": "citizen", "name": "Başvuru Sahibi", "address": "Şişli, İstanbul", "email": "basvuran@example.org"}


def petition(**fields: Any) -> dict[str, Any]:
    return {
        "kind": "petition",
        "municipality": "34-35",
        "subject": SUBJECT,
        "body": f"{BODY} {uuid.uuid4()}",
        "petitioner": dict(CITIZEN),
        "signature": {"kind": "e_signature"},
        **fields,
    }


class Petitioner(Client):
    """Someone without a sign-in who keeps what they were given."""

    def submit(self, **fields: Any) -> dict[str, Any]:
        self.made = self.post("/petitions", petition(**fields))
        self.session.headers["Imece-Petition-Key"] = self.made["petition_key"]
        return self.look()

    def look(self) -> dict[str, Any]:
        return dict(self.get(f"/petitions/{self.made['id']}"))

    def track(self) -> dict[str, Any]:
        return dict(self.get(f"/tracking/{self.made['tracking_code']}"))


def move(client: Client, case: dict[str, Any], name: str, status: int = 200, **fields: Any) -> dict[str, Any]:
    current = client.get(f"/petitions/{case['id']}")["version"] if status == 200 else case["version"]
    return dict(client.post(f"/petitions/{case['id']}/moves/{name}", fields, version=current, status=status))


@pytest.fixture
def citizen(embedded: System) -> Petitioner:
    return Petitioner(embedded.url, None)


@pytest.fixture(scope="module")
def unit(embedded: System) -> str:
    clerk = embedded.client("clerk")
    made = clerk.post("/municipalities/34-35/units", {"name": "Park ve Bahçeler", "topics": ["park", "rampa"]})
    return str(made["id"])


def test_a_citizen_without_a_sign_in_petitions_completes_follows_and_is_answered(
    embedded: System, citizen: Petitioner, unit: str
) -> None:
    clerk, officer = embedded.client("clerk"), embedded.client("unit")
    case = citizen.submit(petitioner={"type": "citizen", "name": "Başvuru Sahibi"})
    assert ["address", "signature"] == [each["element"] for each in citizen.made["missing"]]
    assert {"received", "registry_clerk"} == {case["stage"], case["whose_turn"]["role"]}
    assert unit == clerk.get(f"/petitions/{case['id']}")["suggested_unit"]["id"]

    case = move(clerk, case, "register", registry_no="E-1/2026")
    case = move(clerk, case, "return_for_completion", missing=["address"], reason="Adresiniz yok.")
    assert "completion" == citizen.track()["awaits"]
    case = move(citizen, case, "complete", address="Şişli, İstanbul")
    assert "registered" == case["stage"]
    case = move(clerk, case, "assign", unit=unit)
    case = move(officer, case, "reply", outcome="accepted", reason="Rampa onarılacaktır.")

    seen = citizen.look()
    assert "answered" == seen["stage"]
    assert "Rampa onarılacaktır." == seen["answer"]["reason"]
    page = citizen.track()
    assert ("answered", "accepted", None) == (page["stage"], page["outcome"], page["whose_turn"])
    assert not {SUBJECT, BODY, "Başvuru Sahibi", "basvuran@example.org"} & set(map(str, page.values()))
    steps = [each["move"] for each in citizen.get(f"/petitions/{case['id']}/timeline")["items"]]
    assert ["submit", "register", "return_for_completion", "complete", "assign", "reply"] == steps


def test_what_came_on_paper_is_registered_with_one_question_and_gets_a_receipt(embedded: System) -> None:
    clerk = embedded.client("clerk")
    received = (today() - timedelta(days=2)).isoformat()
    made = clerk.post("/petitions", petition(channel="counter", received_on=received, registry_no="E-77"))
    assert ("registered", received, None) == (made["stage"], made["filed_on"], made["petition_key"])
    for path, kind, start in (
        ("receipt", "application/pdf", b"%PDF-"),
        ("paper", "application/pdf", b"%PDF-"),
        ("paper?format=docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK"),
    ):
        answer = clerk.session.get(f"{clerk.url}/petitions/{made['id']}/{path}")
        assert (200, kind) == (answer.status_code, answer.headers["Content-Type"])
        assert answer.content.startswith(start)
    stranger = Client(embedded.url, None)
    assert {404} == {
        stranger.ask("GET", f"/petitions/{made['id']}{part}").status for part in ("", "/receipt", "/paper", "/timeline")
    }
    # At the counter the clerk writes down what the petitioner brings.
    case = move(clerk, made, "return_for_completion", missing=["signature"])
    assert "registered" == move(clerk, case, "complete", signature="handwritten")["stage"]


def test_the_tracking_page_is_cheap_anonymous_and_in_the_readers_language(
    embedded: System, citizen: Petitioner
) -> None:
    citizen.submit()
    stranger = Client(embedded.url, None)
    path = f"/tracking/{citizen.made['tracking_code']}"
    first = stranger.ask("GET", path)
    assert ("Received", "private, max-age=30") == (first.body["stage_label"], first.headers["Cache-Control"])
    assert 304 == stranger.ask("GET", path, If_None_Match=first.headers["ETag"]).status
    assert "Alındı" == stranger.ask("GET", path, Accept_Language="tr").body["stage_label"]
    page = stranger.session.get(f"{embedded.url}{path}", headers={"Accept-Language": "tr"})
    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["Content-Type"])
    assert "Belediyenin Yazı İşleri" in page.text
    for told in (page.text, str(first.body)):
        assert not [each for each in (SUBJECT, CITIZEN["name"], CITIZEN["email"], citizen.made["id"]) if each in told]
    assert 404 == stranger.ask("GET", "/tracking/" + "0" * 26).status
    assert 404 == stranger.session.get(f"{embedded.url}/tracking/{'0' * 26}").status_code


def test_the_same_request_gets_the_same_answer_with_its_key_again(embedded: System) -> None:
    body, key = petition(), str(uuid.uuid4())
    one, two = (Client(embedded.url, None).post("/petitions", body, Idempotency_Key=key) for _ in range(2))
    assert one == two
    assert one["petition_key"]


def test_petitions_and_protocols_wait_in_one_queue_by_due_date(embedded: System, citizen: Petitioner) -> None:
    protocol = embedded.draft()
    case = citizen.submit()
    move(embedded.client("clerk"), case, "register")
    move(embedded.client("unit"), move(embedded.client("clerk"), case, "assign", unit=_some_unit(embedded)), "extend", 409,
         reason="other_body", notified_on=today().isoformat())  # fmt: skip
    work = embedded.client("unit").get("/work?size=200")
    dates = [each["due_on"] or "9999" for each in work["items"] if not each["legal_review"]]
    assert sorted(dates) == dates
    assert {case["id"], protocol["id"]} <= {each["subject"]["id"] for each in work["items"]}
    assert {"petition", "protocol"} == {each["subject"]["kind"] for each in work["items"]}
    pages = [embedded.client("unit").get(f"/work?size=2&page={page}")["items"] for page in (1, 2)]
    assert [each["subject"]["id"] for each in work["items"][:4]] == [each["subject"]["id"] for p in pages for each in p]


def _some_unit(system: System) -> str:
    made = system.client("clerk").post("/municipalities/34-35/units", {"name": f"Birim {uuid.uuid4()}"})
    return str(made["id"])


def test_an_organisations_proposal_becomes_a_protocol_and_its_steps_appear_on_the_petition(system: System) -> None:
    organisation = system.organisation("Öneren Dernek")
    representative = system.client(f"org.{list(system.organisations).index('Öneren Dernek') + 1}")
    made = representative.post(
        "/petitions", petition(kind="partnership_proposal", petitioner={"type": "organisation", "address": "İstanbul"})
    )
    case = representative.get(f"/petitions/{made['id']}")
    assert (organisation, "e_signature", []) == (case["organisation_id"], case["signature"]["kind"], case["missing"])
    clerk, officer = system.client("clerk"), system.client("unit")
    case = move(clerk, case, "register")
    fields = {"title": "Mahalle haritası", "municipal_duty": "5393/14", "term_months": 12}
    move(officer, case, "accept_proposal", **fields, starts_on=(today() + timedelta(days=60)).isoformat())
    linked = until(lambda: representative.get(f"/petitions/{made['id']}")["links"]["protocol"])
    protocol = officer.get(f"/protocols/{linked['id']}")
    assert ("drafting", organisation) == (protocol["stage"], protocol["organisation_id"])
    officer.move(protocol, "submit_to_mayor")
    until(lambda: representative.get(f"/petitions/{made['id']}")["links"]["protocol"]["stage"] == "mayor_review")
    page = Client(system.url, None).get(f"/tracking/{made['tracking_code']}")
    assert (linked["reference"], "With the mayor") == (page["protocol"]["reference"], page["protocol"]["stage_label"])
    steps = [each["move"] for each in representative.get(f"/petitions/{made['id']}/timeline")["items"]]
    assert ["submit", "register", "accept_proposal", "link_protocol", "follow_protocol"] == steps


def test_the_procedure_is_shown_as_a_table_and_a_drawing(embedded: System) -> None:
    auditor = embedded.client("auditor")
    table = auditor.get("/procedures/petition")
    assert ("petition", 15, 30) == (
        table["name"],
        *next((each["length"], each["extended_to"]) for each in table["clocks"] if each["kind"] == "INFO_ACCESS"),
    )
    assert {"Constitution/40", "3071/7", "2577/10"} <= set(table["articles"])
    assert auditor.get("/procedures/petition/diagram").startswith("stateDiagram-v2")
