"""Strategic plans, proposals and signatures over HTTP."""

from __future__ import annotations

import csv
import io
from importlib import resources
from typing import Any

import pytest
import requests
from harness import Client, System
from sqlalchemy import select

from services.petitions.adapters.tables import SUPPORT
from services.petitions.domain.support import token_of

SAMPLE = resources.files("services.petitions").joinpath("data/sample_plan.csv").read_bytes()
PLAN = {"title": "2025–2029 Stratejik Planı", "first_year": "2025", "last_year": "2029"}


def send(client: Client, data: bytes = SAMPLE, **form: str) -> requests.Response:
    return client.session.post(f"{client.url}/plans/imports", data={**PLAN, **form}, files={"file": ("plan.csv", data)})


@pytest.fixture(scope="module")
def everyone(embedded: System) -> Client:
    return Client(embedded.url, None)


@pytest.fixture(scope="module")
def plan(embedded: System, everyone: Client) -> dict[str, Any]:
    tried = send(embedded.client("unit"))
    assert (201, "ready") == (tried.status_code, tried.json()["state"]), tried.text
    assert tried.json() == embedded.client("auditor").get(tried.headers["Location"].removeprefix("/api/v1"))
    assert "applied" == send(embedded.client("clerk"), apply="true").json()["state"]
    return dict(everyone.get("/municipalities/34-35/plan"))


@pytest.fixture(scope="module")
def proposal(embedded: System, plan: dict[str, Any]) -> dict[str, Any]:
    """A proposal to an activity, on paper at the counter, opened for signatures."""
    body = {
        "kind": "partnership_proposal",
        "municipality": "34-35",
        "subject": "=HYPERLINK harita",
        "body": "Gönüllülerle haritalama öneriyor, gereğini arz ediyorum.",
        "petitioner": {"type": "organisation", "name": "=Harita Topluluğu", "address": "Şişli"},
        "activity_id": plan["goals"][0]["targets"][0]["activities"][0]["id"],
        "support": {"public_title": "Birlikte <haritalayalım>", "public_text": "Mahallemizin haritasını çıkaralım."},
    }
    return dict(embedded.client("clerk").post("/petitions", {**body, "channel": "counter"}))


def test_everyone_reads_the_plan_with_its_version(everyone: Client, plan: dict[str, Any]) -> None:
    answer = everyone.ask("GET", "/municipalities/34-35/plan")
    assert f'"{plan["version"]}"' == answer.headers["ETag"]
    known = everyone.ask("GET", "/municipalities/34-35/plan", If_None_Match=answer.headers["ETag"])
    assert 304 == known.status
    assert 404 == everyone.ask("GET", "/municipalities/34-10/plan").status
    taken = everyone.session.get(f"{everyone.url}/municipalities/34-35/plan.csv")
    assert taken.content.startswith(b"\xef\xbb\xbfrow;code;")


def test_the_plan_that_was_taken_out_is_the_same_when_it_is_sent_again(
    embedded: System, everyone: Client, plan: Any
) -> None:
    taken = everyone.session.get(f"{everyone.url}/municipalities/34-35/plan.csv").content
    again = send(embedded.client("unit"), taken).json()
    assert ("ready", 15, 0, 0) == (again["state"], again["unchanged"], again["changed"], again["figures"])


def test_problems_come_with_their_rows_in_the_callers_language(embedded: System) -> None:
    wrong = "row,code,title\ngoal,A1,Amaç\nactivity,F7.7.7,Faaliyet\n".encode()
    refused = send(embedded.client("unit"), wrong, apply="true")
    assert (201, "refused") == (refused.status_code, refused.json()["state"])
    assert [{"row": 3, "field": "parent", "message": "F7.7.7 belongs to nothing: there is no “Target” 7.7."}] == (
        refused.json()["problems"]
    )
    assert 422 == send(embedded.client("unit"), b"Ad,Telefon\nx,y\n").status_code
    assert 403 == send(embedded.client("auditor")).status_code
    assert 403 == send(embedded.client("besiktas.unit"), municipality="34-35").status_code


def test_what_does_not_fit_is_shown_to_the_municipality_alone(embedded: System, plan: Any) -> None:
    found = embedded.client("mayor").get("/municipalities/34-35/plan/warnings")
    assert {"missing_measure", "annual_looks_cumulative", "done_without_budget", "programme_differs"} == {
        each["rule"] for each in found["items"]
    }
    assert 404 == embedded.client("besiktas.unit").ask("GET", "/municipalities/34-35/plan/warnings").status
    assert 403 == embedded.client("commission").ask("GET", "/municipalities/34-35/plan/warnings").status


def test_a_proposal_stands_at_its_activity_and_in_the_list(
    embedded: System, everyone: Client, plan: dict[str, Any], proposal: dict[str, Any]
) -> None:
    activity = plan["goals"][0]["targets"][0]["activities"][0]["id"]
    page = everyone.get(f"/municipalities/34-35/plan/activities/{activity}")
    assert page["proposals"]["institutions"]["total"] >= 1
    found = embedded.client("unit").get(f"/municipalities/34-35/proposals?activity={activity}")
    assert proposal["id"] in [each["id"] for each in found["items"]]
    assert "F1.1.1" == found["groups"]["activities"][0]["activity"]["code"]
    assert 404 == embedded.client("besiktas.unit").ask("GET", "/municipalities/34-35/proposals").status
    elsewhere = {"kind": "opinion", "municipality": "34-10", "subject": "x", "body": "y", "activity_id": activity}
    refused = everyone.ask("POST", "/petitions", {**elsewhere, "petitioner": {"type": "citizen"}})
    assert (422, "activity_id") == (refused.status, refused.body["errors"][0]["field"])


def test_the_registry_closes_the_public_part_with_a_reason(embedded: System, everyone: Client) -> None:
    body = {"kind": "petition", "municipality": "34-35", "subject": "Rampa", "body": "Bu rampa çok dardır."}
    opened = {"public_title": "Bir kişi hakkında", "public_text": "Herkes okumasın."}
    clerk, who = embedded.client("clerk"), {"type": "citizen", "name": "Başvuru Sahibi"}
    made = clerk.post("/petitions", {**body, "channel": "counter", "petitioner": who, "support": opened})
    path = f"/petitions/{made['id']}/support"
    assert "Bir kişi hakkında" == everyone.get(path)["title"]
    assert 401 == everyone.ask("DELETE", path, {"reason": "x"}).status
    assert 403 == embedded.client("unit").ask("DELETE", path, {"reason": "x"}).status
    assert 422 == clerk.ask("DELETE", path, {}).status
    assert 204 == clerk.ask("DELETE", path, {"reason": "Kişi hakkında"}).status
    assert 404 == everyone.ask("GET", path).status
    assert 409 == clerk.ask("DELETE", path, {"reason": "Yine"}).status


def test_the_export_opens_in_a_spreadsheet_and_runs_nothing(embedded: System, proposal: dict[str, Any]) -> None:
    unit = embedded.client("unit")
    got = unit.session.get(f"{unit.url}/municipalities/34-35/proposals.csv", headers={"Accept-Language": "tr"})
    assert (200, "text/csv; charset=utf-8") == (got.status_code, got.headers["Content-Type"])
    assert 'attachment; filename="oneriler-34-35.csv"' == got.headers["Content-Disposition"]
    assert got.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(got.content.decode("utf-8-sig")), delimiter=";"))
    assert ["Sayı", "Başvuru tarihi", "Tür", "Aşama", "Sonuç", "Paydaş türü", "Kurum"] == rows[0][:7]
    mine = next(row for row in rows if row[0] == proposal["number"])
    told = ["İş birliği önerisi", "Kayda alındı", "", "Sivil toplum kuruluşu", "'=Harita Topluluğu", "F1.1.1"]
    assert told == mine[2:8]
    assert "HYPERLINK" not in got.text
    assert [] == [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_signing_by_account_and_by_mail(embedded: System, everyone: Client, proposal: dict[str, Any]) -> None:
    path = f"/petitions/{proposal['id']}"
    shown = everyone.get(f"{path}/support")
    assert ("Birlikte <haritalayalım>", 0, True) == (shown["title"], shown["supporters"], shown["open"])
    assert proposal["tracking_code"] not in str(shown)
    assert proposal["id"] in [each["id"] for each in everyone.get("/municipalities/34-35/petitions")["items"]]

    signed = embedded.client("unit").post(f"{path}/supports", {}, status=202)
    assert ("confirmed", 1) == (signed["state"], everyone.get(f"{path}/support")["supporters"])
    assert signed == embedded.client("unit").post(f"{path}/supports", {}, status=202)
    assert 422 == everyone.ask("POST", f"{path}/supports", {}).status
    asked = everyone.post(f"{path}/supports", {"email": "destek@example.org"}, status=202)
    assert asked == everyone.post(f"{path}/supports", {"email": "DESTEK@example.org"}, status=202)

    database = embedded.database("petitions")
    with database.read() as connection:
        secret = connection.execute(select(SUPPORT.secrets.c.secret)).scalar_one()
        waiting = connection.execute(
            select(SUPPORT.supports.c.id).where(SUPPORT.supports.c.state == "pending")
        ).scalar_one()
    token = token_of(secret, waiting)
    page = requests.get(f"{embedded.url}/support/{token}", headers={"Accept-Language": "tr"}, timeout=10)
    assert (200, True, True) == (
        page.status_code,
        "Desteğimi onayla" in page.text,
        "&lt;haritalayalım&gt;" in page.text,
    )
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert 1 == everyone.get(f"{path}/support")["supporters"]  # whoever only looks confirms nothing
    pressed = {"Content-Type": "application/x-www-form-urlencoded"}
    thanks = requests.post(f"{embedded.url}/support/{token}/confirmation", headers=pressed, timeout=10)
    assert (200, 2) == (thanks.status_code, everyone.get(f"{path}/support")["supporters"])
    assert 2 == everyone.post(f"/supports/{token}/confirmation", status=200)["petition"]["supporters"]
    assert 204 == everyone.ask("DELETE", f"/supports/{token}").status
    assert 404 == everyone.ask("POST", f"/supports/{token}/confirmation").status
    gone = requests.post(f"{embedded.url}/support/{token}/withdrawal", headers={"Accept-Language": "en"}, timeout=10)
    assert "not valid any more" in gone.text
    requests.post(f"{embedded.url}/support/{signed['token']}/withdrawal", timeout=10)
    assert 0 == everyone.get(f"{path}/support")["supporters"]


def test_a_petition_that_nobody_opened_is_not_seen(embedded: System, everyone: Client) -> None:
    body = {"kind": "petition", "municipality": "34-35", "subject": "Kaldırım", "body": "Onarılmasını arz ederim."}
    closed = everyone.post("/petitions", {**body, "petitioner": {"type": "citizen", "name": "Deneme Kişi"}})
    assert 404 == everyone.ask("GET", f"/petitions/{closed['id']}/support").status
    assert 404 == everyone.ask("POST", f"/petitions/{closed['id']}/supports", {"email": "a@example.org"}).status
