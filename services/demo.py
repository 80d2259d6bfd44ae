"""The demo: offices and organisations for a first look, and three protocols driven to their ends.

Organisations are those that public reports name, with their real names and forms. Registry and decision
numbers that are not known stay empty. No person is invented: users are offices.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib import resources
from io import BytesIO
from typing import Any

import eventlet
import requests
from eventlet.green import subprocess

from services.gateway.identity import application as identity
from services.gateway.service import desk
from services.kernel.actor import Actor
from services.kernel.calendar import ISTANBUL
from services.kernel.errors import NotFound, Unavailable, error_from_plain
from services.kernel.text import Sentence
from services.runtime.clockwork import TIME
from services.runtime.database import database_at
from services.runtime.embedded import SWITCHBOARD
from services.runtime.settings import Settings
from services.runtime.sheet import open_sheet

Say = Callable[[str], None]

PASSWORD_FILE = "demo-password"  # noqa: S105 - a file's name
_SOURCE = "made for the demo; decision number and dates not known"
_BEGINNING = date(2020, 1, 1)
_REGISTRAR = Actor(role="registrar", user_id="demo")
_PLANNING = Actor(role="unit_officer", user_id="demo", municipality="34-35")


@dataclass(frozen=True)
class DemoOrganisation:
    """An organisation of the demo; `user` is its representative's user name, if it has one."""

    name: str
    form: str
    province_code: str
    status: str | None = None
    user: str | None = None


ORGANISATIONS = (
    DemoOrganisation("Yer Çizenler Herkes İçin Haritalama Derneği", "association", "34", user="yercizenler"),
    DemoOrganisation("65+ Yaşlı Hakları Derneği", "association", "34"),
    DemoOrganisation("Sivil Toplum Geliştirme Merkezi Derneği", "association", "06"),
    DemoOrganisation("Kadın Emeğini Değerlendirme Vakfı", "foundation", "34", user="kedv"),
    DemoOrganisation("Türkiye Üçüncü Sektör Vakfı", "foundation", "34"),
    DemoOrganisation("Hrant Dink Vakfı", "foundation", "34"),
    DemoOrganisation("Türkiye Kızılay Derneği", "association", "06", status="public_benefit"),
    DemoOrganisation("İstanbul Barosu", "professional_body", "34"),
    DemoOrganisation("Kamu Harcamalarını İzleme Platformu", "platform", "06"),
)

OFFICES: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("admin", "Sistem yöneticiliği", "administrator", {}),
    ("registrar", "Sivil toplum kütüğü", "registrar", {}),
    ("auditor", "Denetim", "auditor", {}),
    ("sisli.unit", "Şişli Belediyesi ilgili müdürlük", "unit_officer", {"municipality": "34-35"}),
    ("sisli.clerk", "Şişli Belediyesi Yazı İşleri Müdürlüğü", "registry_clerk", {"municipality": "34-35"}),
    ("sisli.mayor", "Şişli Belediye Başkanlığı", "mayor", {"municipality": "34-35"}),
    ("sisli.commission", "Şişli Belediye Meclisi ihtisas komisyonu", "commission_rapporteur", {"municipality": "34-35"}),
    ("sisli.kaymakam.clerk", "Şişli Kaymakamlığı Yazı İşleri", "authority_clerk", {"authority": "K34-35"}),
    ("sisli.kaymakam", "Şişli Kaymakamlığı", "authority_head", {"authority": "K34-35"}),
    ("ibb.unit", "İstanbul Büyükşehir Belediyesi ilgili daire", "unit_officer", {"municipality": "34-00"}),
    ("ibb.clerk", "İstanbul Büyükşehir Belediyesi Yazı İşleri ve Kararlar", "registry_clerk", {"municipality": "34-00"}),
    ("ibb.mayor", "İstanbul Büyükşehir Belediye Başkanlığı", "mayor", {"municipality": "34-00"}),
    ("ibb.commission", "İstanbul Büyükşehir Meclisi ihtisas komisyonu", "commission_rapporteur", {"municipality": "34-00"}),
    ("istanbul.vali.clerk", "İstanbul Valiliği Yazı İşleri", "authority_clerk", {"authority": "V34"}),
    ("istanbul.vali", "İstanbul Valiliği", "authority_head", {"authority": "V34"}),
)  # fmt: skip


# the offices and organisations of the demo


def seed(settings: Settings, say: Say) -> None:
    """Create what is missing; safe at every start. Prints address, users and password."""
    password, made_now = _password(settings)
    ids = {each.name: _organisation(each) for each in ORGANISATIONS}
    people = desk(database_at(settings.database_of("gateway")), settings, TIME)
    offices = [*OFFICES] + [
        (each.user, f"{each.name} temsilciliği", "organisation_representative", {"organisation_id": ids[each.name]})
        for each in ORGANISATIONS
        if each.user is not None
    ]
    for username, title, role, tenant in offices:
        _office(people, username, title, role, tenant, password)
    _plan()
    _welcome(settings, [username for username, *_ in offices], password if made_now else None, say)


def _password(settings: Settings) -> tuple[str, bool]:
    """The demo users' password, and whether it was made just now; kept for `imece demo`, readable by the owner alone."""
    path = settings.data_dir / PASSWORD_FILE
    if settings.demo_password:
        return settings.demo_password, False
    if path.exists():
        return path.read_text().strip(), False
    made = secrets.token_urlsafe(12)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(made)
    return made, True


def _organisation(each: DemoOrganisation) -> str:
    fields = {"name": each.name, "form": each.form, "province_code": each.province_code}
    made = _ask("registry", "register_organisation", actor=_REGISTRAR.to_plain(), organisation=fields,
                key=f"demo-{uuid.uuid5(uuid.NAMESPACE_URL, each.name)}")  # fmt: skip
    if each.status is not None:
        status = {"kind": each.status, "valid_from": _BEGINNING.isoformat(), "source": _SOURCE}
        _ask("registry", "grant_status", actor=_REGISTRAR.to_plain(), organisation_id=made["id"], status=status,
             key=f"demo-status-{uuid.uuid5(uuid.NAMESPACE_URL, each.name)}")  # fmt: skip
    return str(made["id"])


def _plan() -> None:
    """A strategic plan for Şişli, where there is none; it is a sample and says so."""
    try:
        _ask("petitions", "get_plan", municipality=_PLANNING.municipality)
    except NotFound:
        file = resources.files("services.petitions").joinpath("data/sample_plan.csv").read_bytes()
        with open_sheet(BytesIO(file)) as sheet:
            keep = _ask("petitions", "plan_columns", header=sheet.header)["keep"]
            plan = {
                "title": "Örnek stratejik plan (deneme verisi)",
                "first_year": 2025,
                "last_year": 2029,
                "apply": True,
                "header": [sheet.header[place] for place in keep],
                "rows": [[number, cells] for number, cells in sheet.rows(keep)],
            }
        _ask("petitions", "import_plan", actor=_PLANNING.to_plain(), plan=plan, key="demo-plan")


def _ask(service: str, method: str, **arguments: Any) -> Any:
    answer = SWITCHBOARD.ask(service, method, arguments, None)
    if "error" in answer:
        raise error_from_plain(answer["error"])
    return answer["result"]


def _office(people: identity.Desk, username: str, title: str, role: str, tenant: dict[str, str], password: str) -> None:
    identity.provide_user(
        people, identity.NewUser(username, password, title), [identity.Office(role, **tenant)], _BEGINNING
    )


def _welcome(settings: Settings, users: list[str], made_password: str | None, say: Say) -> None:
    path = settings.data_dir / PASSWORD_FILE
    if made_password is not None:
        secret = f"{made_password}   (shown once; kept in {path})"
    elif settings.demo_password:
        secret = "the one in IMECE_DEMO_PASSWORD at the first start"  # noqa: S105 - a hint
    else:
        secret = f"kept in {path}"
    say("")
    say("Demo users, one for each office:")
    for start in range(0, len(users), 5):
        say("  " + "  ".join(users[start : start + 5]))
    say(f"Password: {secret}")
    say("")
    say("What to try, in another terminal:")
    say("  .venv/bin/imece demo --url http://" + settings.http_address + "   three protocols, step by step")
    say(f"  http://{settings.http_address}/api/docs   the interface, readable in a browser")


# three protocols, driven over HTTP


class Step(Exception):
    """A step of the demo was answered otherwise than expected."""


@dataclass
class Office:
    """One signed-in office."""

    url: str
    name: str
    token: str
    language: str

    def call(self, method: str, path: str, body: Any = None, version: int | None = None) -> Any:
        """One request; raises Step for anything but success."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": self.language}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        answer = requests.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=30)
        if not answer.ok:
            raise Step(f"{self.name}: {method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


class Demonstration:
    """Signs offices in and walks protocols through their moves."""

    def __init__(self, url: str, password: str, language: str, say: Say) -> None:
        """`url`: where İmece answers."""
        self._url, self._password, self._language, self._say = url, password, language, say
        self._offices: dict[str, Office] = {}
        now = datetime.fromisoformat(self.office("admin").call("GET", "/demo/clock")["now"])
        self._today = now.astimezone(ISTANBUL).date()

    def office(self, name: str) -> Office:
        """The office, signed in once."""
        if name not in self._offices:
            answer = requests.post(
                f"{self._url}/api/v1/sessions", json={"username": name, "password": self._password}, timeout=30
            )
            if answer.status_code != requests.codes.created:
                raise Step(f"{name} cannot sign in: {answer.status_code} {answer.text}")
            self._offices[name] = Office(self._url, name, answer.json()["token"], self._language)
        return self._offices[name]

    def set_date(self, on: date) -> None:
        """Move the whole system to the morning of a day."""
        moment = datetime.combine(on, time(9, 30), ISTANBUL)
        self.office("admin").call("PUT", "/demo/clock", {"now": moment.isoformat()})
        self._today = on
        self._say(f"        · {on.isoformat()}")

    def find(self, name: str) -> str:
        """The id of an organisation."""
        found = self.office("registrar").call("GET", f"/organisations?query={name}")["items"]
        return str(next(each["id"] for each in found if each["name"] == name))

    def draft(self, office: str, municipality: str, organisation: str, title: str, duty: str) -> str:
        """A new draft; returns its id."""
        body = {
            "municipality": municipality,
            "organisation_id": self.find(organisation),
            "kind": "joint_service_project",
            "title": title,
            "subject": title,
            "municipal_duty": duty,
            "starts_on": (self._today + timedelta(days=120)).isoformat(),
            "term_months": 12,
            "zoning": False,
            "text": f"{title}. Taraflar, görevler ve süre bu protokolde yazılıdır.",
            "contributions": [
                {"party": "municipality", "kind": "premises", "recipient": "project", "description": "Toplantı salonu"},
                {
                    "party": "organisation",
                    "kind": "service",
                    "recipient": "project",
                    "description": "Eğitim ve uzmanlık",
                },
            ],
        }
        made = self.office(office).call("POST", "/protocols", body)
        self._say(f"\n{made['reference']}  {organisation} — {title}")
        self._say(f"        standing: {made['standing']['permission']} ({made['standing']['article']})")
        return str(made["id"])

    def step(self, protocol_id: str, office: str, move: str, **fields: Any) -> dict[str, Any]:
        """One move of one office, printed with its article and the clocks that run after it."""
        acting = self.office(office)
        seen = acting.call("GET", f"/protocols/{protocol_id}")
        option = next((each for each in seen["options"] if each["move"] == move), None)
        if option is None:
            raise Step(f"{office} has no move {move} at {seen['stage']}")
        moved = acting.call("POST", f"/protocols/{protocol_id}/moves/{move}", fields, seen["version"])
        article = f"  [{option['article']}]" if option.get("article") else ""
        self._say(f"  {office:22} {option['label']}{article} → {moved['stage_label']}")
        self._show_clocks(moved)
        return dict(moved)

    def _show_clocks(self, protocol: dict[str, Any]) -> None:
        for clock in protocol["clocks"]:
            if clock["state"] == "running":
                article = f" [{clock['article']}]" if clock["article"] else ""
                self._say(f"        ⏱ {clock['due_on']}  {clock['label']}{article}: {clock['effect']}")

    def let_pass(self, protocol_id: str, office: str, kind: str) -> dict[str, Any]:
        """Let a running clock run out."""
        seen = self.office(office).call("GET", f"/protocols/{protocol_id}")
        clock = next(each for each in seen["clocks"] if each["kind"] == kind and each["state"] == "running")
        self.set_date(date.fromisoformat(clock["due_on"]) + timedelta(days=1))
        after = self.office(office).call("GET", f"/protocols/{protocol_id}")
        over = {"tr": "doldu", "en": "ran out"}[self._language]
        self._say(f"  {'':22} {clock['label']} {over} [{clock['article']}] → {after['stage_label']}")
        self._show_clocks(after)
        return dict(after)

    def next_day(self) -> str:
        """Move to the next day and give its date."""
        self.set_date(self._today + timedelta(days=1))
        return self._today.isoformat()


_VOTES = {"mode": "open", "chair": "accept", "abstain": 0, "recused": 0}


def _votes(full: int, present: int, accept: int) -> dict[str, Any]:
    """Example figures; a council's own are recorded by its clerk."""
    return {**_VOTES, "full_membership": full, "present": present, "accept": accept, "reject": present - accept}


def _signatories(until: date) -> list[dict[str, Any]]:
    return [
        {"party": "municipality", "title": "Belediye Başkanı"},
        {"party": "organisation", "title": "Yönetim Kurulu temsilcisi", "mandate_until": until.isoformat()},
    ]


def permission_path(demo: Demonstration) -> str:
    """An association without public-benefit status; the commission stays silent, the district governor permits."""
    case = demo.draft(
        "sisli.unit",
        "34-35",
        "Yer Çizenler Herkes İçin Haritalama Derneği",
        "Mahalle mahalle erişilebilirlik haritası",
        "5393/14: engellilere yönelik hizmetler",
    )
    demo.step(case, "sisli.unit", "submit_to_mayor")
    demo.step(case, "sisli.mayor", "refer_to_council")
    demo.step(
        case,
        "sisli.clerk",
        "refer_to_commission",
        sitting_on=demo.next_day(),
        decision_no="1",
        commission="Plan ve Bütçe",
    )
    demo.let_pass(case, "sisli.clerk", "COMMISSION_REPORT")
    demo.step(case, "sisli.clerk", "accept", sitting_on=demo.next_day(), decision_no="2", votes=_votes(37, 30, 24))
    demo.let_pass(case, "sisli.clerk", "MAYOR_RETURN")
    demo.step(case, "sisli.clerk", "transmit", sent_on=demo.next_day(), letter_no="ornek-1")
    demo.step(case, "sisli.clerk", "publish_summary", published_on=demo.next_day())
    demo.step(case, "sisli.kaymakam.clerk", "stamp", received_on=demo.next_day(), registry_no="ornek-101")
    demo.step(case, "sisli.mayor", "request_permission", sent_on=demo.next_day(), letter_no="ornek-2")
    demo.step(case, "sisli.kaymakam", "grant", decided_on=demo.next_day(), letter_no="ornek-102")
    return _sign(demo, case, "sisli.mayor")


def exempt_path(demo: Demonstration) -> str:
    """An association with public-benefit status, a metropolitan council that decides without a commission."""
    case = demo.draft(
        "ibb.unit",
        "34-00",
        "Türkiye Kızılay Derneği",
        "Afet gönüllüsü eğitimleri",
        "5216/7-v: sosyal ve kültürel hizmetler",
    )
    demo.step(case, "ibb.unit", "submit_to_mayor")
    demo.step(case, "ibb.mayor", "refer_to_council")
    votes = _votes(312, 250, 200)
    demo.step(
        case,
        "ibb.clerk",
        "accept",
        sitting_on=demo.next_day(),
        decision_no="3",
        votes=votes,
        without_commission_votes=votes,
    )
    demo.let_pass(case, "ibb.clerk", "MAYOR_RETURN")
    demo.step(case, "ibb.clerk", "transmit", sent_on=demo.next_day(), letter_no="ornek-3")
    demo.step(case, "ibb.clerk", "publish_summary", published_on=demo.next_day())
    demo.step(case, "istanbul.vali.clerk", "stamp", received_on=demo.next_day(), registry_no="ornek-201")
    return _sign(demo, case, "ibb.mayor")


def refused_path(demo: Demonstration) -> str:
    """The mayor returns the decision, the council insists, the governor refuses."""
    case = demo.draft(
        "ibb.unit",
        "34-00",
        "Kadın Emeğini Değerlendirme Vakfı",
        "Kadın kooperatifleri buluşması",
        "5216/7-v: sosyal ve kültürel hizmetler",
    )
    demo.step(case, "ibb.unit", "submit_to_mayor")
    demo.step(case, "ibb.mayor", "refer_to_council")
    demo.step(
        case,
        "ibb.clerk",
        "refer_to_commission",
        sitting_on=demo.next_day(),
        decision_no="4",
        commission="Toplumsal Cinsiyet Eşitliği",
    )
    demo.step(case, "ibb.commission", "report", opinion="favourable", text="Komisyon projeyi uygun bulmuştur.")
    demo.step(case, "ibb.clerk", "accept", sitting_on=demo.next_day(), decision_no="5", votes=_votes(312, 200, 110))
    demo.step(
        case, "ibb.mayor", "return_to_council", legal_reason="Protokolde bütçe kalemi gösterilmemiştir (5393/60-m)."
    )
    demo.step(case, "ibb.clerk", "insist", sitting_on=demo.next_day(), decision_no="6", votes=_votes(312, 220, 170))
    demo.step(case, "ibb.clerk", "transmit", sent_on=demo.next_day(), letter_no="ornek-4")
    demo.step(case, "ibb.clerk", "publish_summary", published_on=demo.next_day())
    demo.step(case, "istanbul.vali.clerk", "stamp", received_on=demo.next_day(), registry_no="ornek-301")
    demo.step(case, "ibb.mayor", "request_permission", sent_on=demo.next_day(), letter_no="ornek-5")
    last = demo.step(
        case,
        "istanbul.vali",
        "refuse",
        decided_on=demo.next_day(),
        letter_no="ornek-302",
        reason="Proje bütçesi yeterince açıklanmamıştır.",
        legal_ground="5393/75-c",
    )
    return str(last["stage"])


def _sign(demo: Demonstration, case: str, mayor: str) -> str:
    on = demo.next_day()
    approved = demo.office(mayor).call("GET", f"/protocols/{case}")["approved_text_sha256"]
    last = demo.step(
        case,
        mayor,
        "sign",
        signed_on=on,
        text_sha256=approved,
        signatories=_signatories(date.fromisoformat(on) + timedelta(days=365)),
    )
    return str(last["stage"])


def drive(settings: Settings, url: str | None, language: str, say: Say) -> None:
    """The three protocols, on a running system or on one of the demo's own; raises Step when something is refused."""
    with _system(settings, url, say) as (address, password):
        demo = Demonstration(address, password, language, say)
        ends = [path(demo) for path in (permission_path, exempt_path, refused_path)]
    say("")
    say("Ends: " + ", ".join(ends))


@contextmanager
def _system(settings: Settings, url: str | None, say: Say) -> Iterator[tuple[str, str]]:
    """A running İmece and the demo users' password: the one at `url`, else one started for the demo."""
    if url is not None:
        known = settings.demo_password or _kept_password(settings)
        yield url.rstrip("/"), known
        return
    host, _, port = settings.http_address.rpartition(":")
    here = f"http://{host}:{port}"
    if _has_demo_clock(here):
        say(f"Using the İmece that runs at {here}.")
        yield here, settings.demo_password or _kept_password(settings)
        return
    with tempfile.TemporaryDirectory(prefix="imece-demo-") as folder, _started(folder) as started:
        yield started


def _kept_password(settings: Settings) -> str:
    path = settings.data_dir / PASSWORD_FILE
    if not path.exists():
        raise Unavailable(
            Sentence(
                "The demo users' password is not known here. Set IMECE_DEMO_PASSWORD, or run where {path} is.",
                path=str(path),
            )
        )
    return path.read_text().strip()


def _has_demo_clock(url: str) -> bool:
    """Whether a system with the demo clock answers there; without it the route is 404."""
    try:
        return bool(requests.get(f"{url}/api/v1/demo/clock", timeout=3).status_code == requests.codes.unauthorized)
    except requests.RequestException:
        return False


@contextmanager
def _started(folder: str) -> Iterator[tuple[str, str]]:
    password = secrets.token_urlsafe(12)
    with eventlet.listen(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IMECE_")} | {
        "IMECE_DATA_DIR": folder,
        "IMECE_DEMO_PASSWORD": password,
        "IMECE_METRICS_ADDRESS": "off",
        "IMECE_LOG_LEVEL": "WARNING",
    }
    program = [sys.executable, "-m", "services.cli", "run", "--demo", "--address", f"127.0.0.1:{port}"]
    process = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}", password)
        yield f"http://127.0.0.1:{port}", password
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, password: str) -> None:
    """Until the demo's users can sign in."""
    for _ in range(120):
        try:
            answer = requests.post(f"{url}/api/v1/sessions", json={"username": "kedv", "password": password}, timeout=3)
        except requests.RequestException:
            eventlet.sleep(0.5)
            continue
        if answer.status_code == requests.codes.created:
            return
        eventlet.sleep(0.5)
    raise Unavailable(Sentence("The demo's own system did not start."))
