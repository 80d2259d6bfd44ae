"""From an organisation's proposal to a protocol in force: everyone who should know knows, once, by mail and by webhook.

Every service runs twice, on PostgreSQL and RabbitMQ, with a real mail server and a real receiver of webhooks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import eventlet
import pytest
from harness import PASSWORD, Client, System, today, until
from mail_server import MailServer
from receiver import Receiver, receiving

KADIKOY = {
    "unit": ("unit_officer", {"municipality": "34-23"}),
    "clerk": ("registry_clerk", {"municipality": "34-23"}),
    "mayor": ("mayor", {"municipality": "34-23"}),
    "commission": ("commission_rapporteur", {"municipality": "34-23"}),
    "authority.clerk": ("authority_clerk", {"authority": "K34-23"}),
    "authority": ("authority_head", {"authority": "K34-23"}),
}
VOTES = {"mode": "open", "present": 38, "accept": 30, "reject": 8, "abstain": 0, "full_membership": 45}

P, D = "petition", "protocol"
UNIT = (
    (P, "Petition assigned to a unit"),
    (P, "A protocol came of the proposal"),
)
STEPS = (
    (D, "Draft referred to the council"),
    (D, "Draft referred to a commission"),
    (D, "Commission report given"),
    (D, "Protocol accepted by the council"),
    (D, "The mayor lets the decision stand"),
    (D, "Decision sent to the civil authority"),
    (D, "Decision received by the civil authority"),
    (D, "Permission requested"),
    (D, "Permission granted"),
    (D, "Protocol signed"),
    (D, "Protocol in force"),
)
EXPECTED: dict[str, tuple[tuple[str, str], ...]] = {
    "organisation": (
        (P, "Petition registered"),
        (P, "Petition assigned to a unit"),
        (P, "Proposal accepted"),
        (P, "A protocol came of the proposal"),
        (D, "New protocol draft"),
        (D, "Draft submitted to the mayor"),
        *STEPS,
    ),
    "unit": (*UNIT, *STEPS),
    "clerk": (
        (P, "Petition received"),
        (P, "Proposal accepted"),
        (D, "Draft referred to the council"),
        (D, "Commission report given"),
        (D, "The mayor lets the decision stand"),
        (D, "Decision received by the civil authority"),
        (D, "Permission granted"),
        (D, "Protocol signed"),
        (D, "Protocol in force"),
    ),
    "mayor": (
        (P, "Proposal accepted"),
        (D, "Draft submitted to the mayor"),
        (D, "Protocol accepted by the council"),
        (D, "Decision received by the civil authority"),
        (D, "Permission granted"),
    ),
    "commission": ((D, "Draft referred to a commission"),),
    "authority.clerk": (
        (D, "Decision sent to the civil authority"),
        (D, "Permission requested"),
        (D, "Permission granted"),
        (D, "Protocol in force"),
    ),
    "authority": ((D, "Permission requested"), (D, "Protocol in force")),
}
"""Every message that should arrive: office → (of the petition or the protocol, its title). Nobody hears of its own act."""


@dataclass
class Story:
    """What came of the walk: both files, and everything that arrived."""

    petition: dict[str, Any]
    protocol: dict[str, Any]
    secret: str
    hook: str


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("receiver")) as made:
        yield made


def office(system: System, name: str, role: str, tenant: dict[str, str]) -> None:
    """A user with an address who wants to hear of everything at once, in English."""
    admin = system.client("admin")
    username = f"test.kadikoy.{name}"
    user = admin.post(
        "/users",
        {"username": username, "password": PASSWORD, "full_name": f"{role} of Kadıköy", "email": address(name)},
    )
    admin.post("/memberships", {"user_id": user["id"], "role": role, "valid_from": "2020-01-01", **tenant})
    own = system.client(f"kadikoy.{name}")
    chosen = own.get("/preferences")
    everything = [{"event": each["event"], "stream": "at_once"} for each in chosen["events"]]
    own.ask("PUT", "/preferences", {"language": "en", "events": everything}, version=chosen["version"])


def address(name: str) -> str:
    return f"{name}@kadikoy.example.org"


@pytest.fixture(scope="module")
def story(doubled: System, mail: MailServer, receiver: Receiver) -> Story:
    system, today_ = doubled, today().isoformat()
    made = system.client("registrar").post(
        "/organisations", {"name": "KEDV", "form": "foundation", "province_code": "34"}
    )
    for name, (role, tenant) in KADIKOY.items():
        office(system, name, role, tenant)
    office(system, "organisation", "organisation_representative", {"organisation_id": made["id"]})

    def of(name: str) -> Client:
        return system.client(f"kadikoy.{name}")

    hook = of("clerk").post("/webhooks", {"url": receiver.url(), "events": ["*"]})
    case = of("organisation").post(
        "/petitions",
        {
            "kind": "partnership_proposal",
            "municipality": "34-23",
            "subject": "Mahalle kreşi için iş birliği",
            "body": "Mahallemizde bir kreşin birlikte işletilmesini öneriyoruz. Gereğini arz ederiz.",
            "petitioner": {
                "type": "organisation", "name": "KEDV", "address": "İstanbul", "organisation_id": made["id"],
                "authorised_person": "Yönetim Kurulu Başkanlığı", "mandate": "Yönetim kurulu kararı",
            },
            "signature": {"kind": "account"},
        },
    )  # fmt: skip

    def step(name: str, move: str, **fields: Any) -> None:
        seen = of(name).get(f"/petitions/{case['id']}")
        of(name).post(f"/petitions/{case['id']}/moves/{move}", fields, version=seen["version"], status=200)

    unit = of("clerk").post("/municipalities/34-23/units", {"name": "Sosyal Destek Hizmetleri", "topics": ["kreş"]})
    step("clerk", "register", registry_no="E-2026/1")
    step("clerk", "assign", unit=unit["id"])
    step(
        "unit", "accept_proposal", title="Mahalle kreşi", subject="Kreşin ortak işletilmesi",
        municipal_duty="Sosyal hizmet ve yardım (5393/14-a)", starts_on=(today() + timedelta(days=90)).isoformat(),
        term_months=12,
    )  # fmt: skip
    linked = until(lambda: of("unit").get(f"/petitions/{case['id']}")["links"]["protocol"], 60)
    protocol = of("unit").get(f"/protocols/{linked['id']}")

    def move(name: str, what: str, **fields: Any) -> None:
        nonlocal protocol
        seen = of(name).get(f"/protocols/{protocol['id']}")
        protocol = of(name).move(seen, what, **fields)

    sitting = {"sitting_on": today_, "votes": VOTES}
    move("unit", "submit_to_mayor")
    move("mayor", "refer_to_council")
    move("clerk", "refer_to_commission", sitting_on=today_, decision_no="1", commission="Sosyal Hizmetler")
    move("commission", "report", opinion="favourable", text="Uygundur.")
    move("clerk", "accept", decision_no="2", **sitting)
    move("mayor", "waive_return")
    move("clerk", "transmit", sent_on=today_, letter_no="G-1")
    move("authority.clerk", "stamp", received_on=today_, registry_no="K-1")
    move("mayor", "request_permission", sent_on=today_, letter_no="G-2")
    move("authority", "grant", letter_no="K-2", decided_on=today_)
    move(
        "mayor", "sign", signed_on=today_, text_sha256=protocol["approved_text_sha256"],
        signatories=[
            {"party": "municipality", "title": "Belediye Başkanı"},
            {"party": "organisation", "title": "Yönetim Kurulu Başkanı", "mandate_until": "2099-12-31"},
        ],
    )  # fmt: skip
    assert "in_force" == protocol["stage"]
    return Story(case, protocol, hook["secret"], hook["id"])


def arrived(story: Story, mail: MailServer) -> dict[str, Counter[tuple[str, str]]]:
    """All mails about the two files, whoever got them: address → which file and the title, how often."""
    found: dict[str, Counter[tuple[str, str]]] = {}
    for each in mail.mails():
        for what, reference in ((P, story.petition["number"]), (D, story.protocol["reference"])):
            if reference in each.text:
                title = str(each.message["Subject"]).removesuffix(f" ({reference})")
                for to in each.to:
                    found.setdefault(to, Counter())[what, title] += 1
                break
    return found


def told(system: System, story: Story, name: str) -> Counter[str]:
    """The office's notifications about the two files, by title."""
    items = system.client(f"kadikoy.{name}").get("/notifications?size=200")["items"]
    return Counter(
        each["title"] for each in items if each["subject_id"] in (story.petition["id"], story.protocol["id"])
    )


def test_everyone_who_should_know_knows_once_by_mail_and_nobody_else_does(story: Story, mail: MailServer) -> None:
    expected = {address(name): Counter(messages) for name, messages in EXPECTED.items()}
    many = sum(each.total() for each in expected.values())
    until(lambda: many <= sum(each.total() for each in arrived(story, mail).values()), 60)
    eventlet.sleep(3)  # what would come twice, or to the wrong person, comes now
    assert expected == arrived(story, mail)


def test_every_mail_says_the_same_as_the_offices_notifications(story: Story, doubled: System, mail: MailServer) -> None:
    for name, expected in EXPECTED.items():
        assert Counter(title for _, title in expected) == told(doubled, story, name), name


def test_the_webhook_got_every_event_of_both_files_once_signed_and_in_their_order(
    story: Story, doubled: System, receiver: Receiver
) -> None:
    subjects = (story.petition["id"], story.protocol["id"])
    happened = [each for each in feed(doubled.client("kadikoy.clerk")) if each["subject_id"] in subjects]

    def sent() -> list[dict[str, Any]]:
        return [
            each for each in map(json.loads, (got["body"] for got in receiver.got)) if each["subject_id"] in subjects
        ]

    until(lambda: len(sent()) >= len(happened), 60)
    for subject in subjects:
        expected = [each["id"] for each in happened if each["subject_id"] == subject]
        assert expected == [each["id"] for each in sent() if each["subject_id"] == subject]
    for got in receiver.got:
        signed = f"{got['headers']['Imece-Timestamp']}.{got['body']}".encode()
        expected_signature = hmac.new(story.secret.encode(), signed, hashlib.sha256).hexdigest()
        assert f"v1={expected_signature}" == got["headers"]["Imece-Signature"]


def feed(client: Client) -> list[dict[str, Any]]:
    """Everything that happened and the office may see."""
    found, cursor = [], ""
    while True:
        page = client.get(f"/events?limit=200{cursor}")
        if not page["items"]:
            return found
        found += page["items"]
        cursor = f"&after={page['next']}"


def test_the_proposal_and_the_protocol_know_each_other(story: Story, doubled: System) -> None:
    proposer = doubled.client("kadikoy.organisation")
    assert {"id": story.petition["id"]} == proposer.get(f"/protocols/{story.protocol['id']}")["links"]["petition"]
    shown = until(lambda: _at(proposer, story, "in_force"))
    assert story.protocol["reference"] == shown["links"]["protocol"]["reference"]
    tracked = Client(doubled.url, None).get(f"/tracking/{story.petition['tracking_code']}")
    assert "in_force" == tracked["protocol"]["stage"]
    steps = proposer.get(f"/petitions/{story.petition['id']}/timeline?size=200")["items"]
    assert "link_protocol" in {each["move"] for each in steps}
    followed = [each["fields"]["move"] for each in steps if each["move"] == "follow_protocol"]
    assert {"submit_to_mayor", "accept", "grant", "sign"} <= set(followed)


def _at(client: Client, story: Story, stage: str) -> dict[str, Any] | None:
    seen = dict(client.get(f"/petitions/{story.petition['id']}"))
    return seen if seen["links"]["protocol"]["stage"] == stage else None
