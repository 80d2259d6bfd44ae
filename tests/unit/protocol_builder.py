"""Cases and acts for the tests of the procedure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.kernel.actor import SYSTEM, Actor
from services.kernel.calendar import ISTANBUL, Calendar
from services.kernel.events import Event
from services.kernel.workflow import Act
from services.protocols.domain import case as cases
from services.protocols.domain import partner as partners
from services.protocols.domain.case import Party, ProtocolCase
from services.protocols.domain.partner import Succession
from services.protocols.domain.policy import Policy
from services.protocols.domain.procedure import protocol_procedure
from services.protocols.domain.vote import Votes

START = date(2026, 9, 7)
CALENDAR = Calendar()
POLICY = Policy()
MUNICIPALITY, AUTHORITY, ORGANISATION = "34-35", "K34-35", "6f1c2f3e-0000-4000-8000-000000000001"
FULL = 37

OFFICES = {
    "unit_officer": Actor("unit_officer", "u1", "m1", municipality=MUNICIPALITY),
    "registry_clerk": Actor("registry_clerk", "u2", "m2", municipality=MUNICIPALITY),
    "mayor": Actor("mayor", "u3", "m3", municipality=MUNICIPALITY),
    "commission_rapporteur": Actor("commission_rapporteur", "u4", "m4", municipality=MUNICIPALITY),
    "authority_clerk": Actor("authority_clerk", "u5", "m5", authority=AUTHORITY),
    "authority_head": Actor("authority_head", "u6", "m6", authority=AUTHORITY),
    "organisation_representative": Actor("organisation_representative", "u7", "m7", organisation_id=ORGANISATION),
    "registrar": Actor("registrar", "u8", "m8"),
    "auditor": Actor("auditor", "u9", "m9"),
    "administrator": Actor("administrator", "u10", "m10"),
    "system": SYSTEM,
}


def standing(permission: str = "required") -> dict[str, Any]:
    return {"permission": permission, "ground": "none", "article": "5393/75-c", "evidence": None, "explanation": []}


def votes(accept: int = 25, reject: int = 3, abstain: int = 0, full: int = FULL, **more: Any) -> Votes:
    present = more.pop("present", accept + reject + abstain)
    return Votes(more.pop("mode", "open"), present, accept, reject, abstain, full, **more)


def moment(on: date) -> datetime:
    return datetime.combine(on, time(11), ISTANBUL).astimezone(UTC)


class Walk:
    """One case and the day it is; every move is made by the right office with sensible fields."""

    def __init__(
        self, *, zoning: bool = False, kind: str = "metropolitan_district", permission: str = "required",
        policy: Policy = POLICY, on: date = START, calendar: Calendar = CALENDAR, organisation: str = ORGANISATION,
    ) -> None:  # fmt: skip
        self.procedure = protocol_procedure(policy)
        self.calendar = calendar
        self.on = on
        self.permission = permission
        self.events: list[Event] = []
        self.case, drafted = cases.draft(
            reference="34-35/2026/1",
            fields={
                "kind": "joint_service_project", "title": "T", "subject": "S", "municipal_duty": "D",
                "starts_on": on + timedelta(days=90), "term_months": 12, "zoning": zoning, "text": "metin",
            },
            municipality={
                "code": MUNICIPALITY, "name": "Şişli Belediyesi", "kind": kind,
                "civil_authority": {"code": AUTHORITY, "name": "Şişli Kaymakamlığı"},
            },
            organisation={"id": organisation, "name": "Yer Çizenler"},
            standing=standing(permission),
            actor=OFFICES["unit_officer"],
            now=moment(on),
            procedure=self.procedure,
            calendar=calendar,
        )  # fmt: skip
        self.events += drafted

    def act(self, move: str, office: str | None = None, **fields: Any) -> Act:
        row = self.procedure.row_for(move, self.case.stage)
        actor = OFFICES[office or row.by[0]]
        done_on = fields.get(row.dated_by or "", self.on)
        known: dict[str, Any] = {}
        if "standing" in row.asks:
            known["standing"] = standing(self.permission)
        if "municipality" in row.asks:
            known["full_membership"] = FULL
        if "authority" in row.asks:
            known["authority"] = {"code": AUTHORITY, "name": "Şişli Kaymakamlığı"}
        return Act(actor, fields, self.on, moment(self.on), done_on, known)

    def usual_fields(self, move: str) -> dict[str, Any]:
        """Fields with which the move succeeds when it is possible at all."""
        row = self.procedure.row_for(move, self.case.stage)
        usual = {name: self._usual(name, move) for name in row.needs}
        suit = self.case.newest_clock("SUIT")
        if move == "file_suit" and suit is not None and suit.due_on is not None:
            usual["filed_on"] = min(self.on, suit.due_on)  # filed in time, perhaps recorded later
        return usual

    def _usual(self, name: str, move: str) -> Any:
        if name.endswith("_on"):
            return self.on
        if name == "votes":
            return votes(3, 25) if move in ("reject", "drop") else votes(25, 3)
        special: dict[str, Any] = {
            "without_commission_votes": votes(25, 3),
            "opinion": "favourable",
            "documents": ["tüzük"],
            "letter_no": f"{move}-{self.case.version}",
            "text_sha256": self.case.approved_sha256 or "0" * 64,
            "signatories": [
                {"party": "municipality", "title": "Belediye Başkanı"},
                {"party": "organisation", "title": "Temsilci", "mandate_until": self.on},
            ],
        }
        return special.get(name, f"{name} {self.case.version}")

    def do(self, move: str, office: str | None = None, **fields: Any) -> ProtocolCase:
        given = {**self.usual_fields(move), **fields}
        self.events += cases.perform(self.case, move, self.act(move, office, **given), self.procedure, self.calendar)
        return self.case

    def change_partner(self, settle: str | None = "continues") -> ProtocolCase:
        """The partner merges into another organisation; the unit settles the flag, unless `settle` is None."""
        heir = Party("6f1c2f3e-0000-4000-8000-000000000002", "Birleşik Dernek")
        told = {**standing("required"), "on": self.on.isoformat()}
        merger = Succession(self.case.organisation.id, self.case.party_version + 1, "merge", self.on, heir, 1, told)
        self.events += partners.follow(self.case, merger, SYSTEM, moment(self.on), self.calendar)
        if settle is not None:
            act = Act(OFFICES["unit_officer"], {}, self.on, moment(self.on), self.on)
            self.events += partners.settle(self.case, "Hukuk biriminin görüşü", settle, act, self.calendar)
        return self.case

    def pass_days(self, days: int) -> ProtocolCase:
        self.on += timedelta(days=days)
        self.events += cases.expire_due(self.case, SYSTEM, moment(self.on), self.procedure, self.calendar)
        return self.case

    def let_run_out(self, kind: str) -> ProtocolCase:
        clock = self.case.open_clock(kind)
        assert clock is not None, f"{kind} is not running"
        assert clock.due_on is not None
        return self.pass_days((clock.due_on - self.on).days + 1)

    def to(self, stage: str) -> ProtocolCase:
        """Take the usual way to a stage."""
        for reached, step in ROUTE:
            if self.case.stage == stage:
                return self.case
            if self.case.stage == reached:
                step(self)
        assert self.case.stage == stage, f"{stage} is not on the usual way; stopped at {self.case.stage}"
        return self.case


ROUTE = (
    ("drafting", lambda walk: walk.do("submit_to_mayor")),
    ("mayor_review", lambda walk: walk.do("refer_to_council")),
    ("council_agenda", lambda walk: walk.do("refer_to_commission")),
    ("commission_review", lambda walk: walk.do("report")),
    ("council_decision", lambda walk: walk.do("accept")),
    ("mayor_check", lambda walk: walk.let_run_out("MAYOR_RETURN")),
    ("transmittal", lambda walk: walk.do("transmit")),
    ("transmittal", lambda walk: walk.do("stamp")),
    ("permission_request", lambda walk: walk.do("request_permission")),
    ("authority_review", lambda walk: walk.do("grant")),
    ("signing", lambda walk: walk.do("sign")),
)
