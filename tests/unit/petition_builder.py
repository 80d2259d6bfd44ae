"""Petitions and acts for the tests of their procedure."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from protocol_builder import CALENDAR, MUNICIPALITY, OFFICES, ORGANISATION, moment

from services.kernel.actor import PETITIONER, SYSTEM, Actor
from services.kernel.calendar import Calendar
from services.kernel.clock import Clock
from services.kernel.events import Event
from services.kernel.workflow import Act
from services.petitions.domain import case as cases
from services.petitions.domain.case import Party, PetitionCase
from services.petitions.domain.code import new_code
from services.petitions.domain.petitioner import Petitioner
from services.petitions.domain.policy import Policy
from services.petitions.domain.procedure import petition_procedure

FILED = date(2026, 9, 7)
POLICY = Policy()
ACTORS = OFFICES | {PETITIONER: Actor(PETITIONER)}
CITIZEN = Petitioner(
    "citizen", name="Başvuru Sahibi", address="Şişli", email="basvuran@example.org", signature="account"
)
CSO = Petitioner(
    "organisation", name="Yer Çizenler", address="İstanbul", signature="account", organisation_id=ORGANISATION,
    organisation_name="Yer Çizenler", vouched=True,
)  # fmt: skip
UNITS = ({"id": "11111111-0000-4000-8000-000000000001", "name": "Park ve Bahçeler"},
         {"id": "11111111-0000-4000-8000-000000000002", "name": "Fen İşleri"})  # fmt: skip


class Way:
    """One petition and the day it is; every move is made by the right office with sensible fields."""

    def __init__(
        self, kind: str = "petition", *, petitioner: Petitioner = CITIZEN, policy: Policy = POLICY, on: date = FILED,
        filed_on: date | None = None, channel: str = "web", calendar: Calendar = CALENDAR, key_sha256: str | None = None,
        municipality: str = MUNICIPALITY, number: str = "34-35/2026/D1", subject: str = "Rampa", body: str = "Kırık rampa.",
    ) -> None:  # fmt: skip
        self.procedure = petition_procedure(policy)
        self.calendar = calendar
        self.on = on
        self.events: list[Event] = []
        self.case, told = cases.submit(
            number=number,
            fields={"kind": kind, "subject": subject, "body": body, "channel": channel, "language": "tr"},
            petitioner=petitioner,
            municipality=Party(municipality, "Şişli"),
            tracking_code=new_code(),
            actor=ACTORS[PETITIONER],
            now=moment(on),
            procedure=self.procedure,
            calendar=calendar,
            filed_on=filed_on or on,
            received_on=on,
            key_sha256=key_sha256,
        )
        self.events += told

    def act(self, move: str, office: str | None = None, **fields: Any) -> Act:
        row = self.procedure.row_for(move, self.case.stage)
        actor = ACTORS[office or row.by[0]]
        known: dict[str, Any] = {}
        if "unit" in row.asks:
            known["unit"] = next((each for each in UNITS if each["id"] == fields.get("unit")), UNITS[0])
        if "municipality" in row.asks and fields.get("municipality"):
            known["municipality"] = {"code": fields["municipality"], "name": "Başka"}
        return Act(actor, fields, self.on, moment(self.on), fields.get(row.dated_by or "", self.on), known)

    def usual_fields(self, move: str) -> dict[str, Any]:
        """Fields with which the move succeeds when it is possible at all."""
        row = self.procedure.row_for(move, self.case.stage)
        usual: dict[str, Any] = {name: self._usual(name) for name in row.needs}
        if move == "assign":
            taken = self.case.unit.id if self.case.unit else ""
            usual |= {"unit": next(each["id"] for each in UNITS if each["id"] != taken), "reason": "Konusu gereği"}
        more: dict[str, dict[str, Any]] = {
            "forward": {"authority": "Karayolları Genel Müdürlüğü"},
            "complete": {"address": "Şişli, İstanbul"},
            "reply": {"reason": "Onarılacaktır."},
            "decline_to_examine": {"remedy": "İdare mahkemesi", "remedy_days": 60},
            "extend": {"reason": "other_body"},
            "link_protocol": {"protocol_id": "22222222-0000-4000-8000-000000000001"},
        }
        return usual | more.get(move, {})

    def _usual(self, name: str) -> Any:
        if name.endswith("_on"):
            return self.on
        special: dict[str, Any] = {
            "missing": ["address"],
            "letter": "a",
            "outcome": "accepted",
            "amount": Decimal("125.50"),
            "term_months": 12,
        }
        return special.get(name, f"{name} {self.case.version}")

    def do(self, move: str, office: str | None = None, **fields: Any) -> PetitionCase:
        in_person = {"reason": "Başvuran gişeye geldi"} if office == "registry_clerk" else {}
        given = {**(in_person if move in ("complete", "withdraw") else {}), **self.usual_fields(move), **fields}
        act = self.act(move, office, **given)
        self.events += cases.perform(self.case, move, act, self.procedure, self.calendar)
        return self.case

    def pass_days(self, days: int) -> PetitionCase:
        self.on += timedelta(days=days)
        self.events += cases.expire_due(self.case, SYSTEM, moment(self.on), self.procedure, self.calendar)
        return self.case

    def clock(self, kind: str) -> Clock:
        found = self.case.newest_clock(kind)
        assert found is not None, f"{kind} was never started"
        return found

    def due(self, kind: str) -> date:
        due_on = self.clock(kind).due_on
        assert due_on is not None, f"{kind} stands still"
        return due_on

    def let_run_out(self, kind: str) -> PetitionCase:
        return self.pass_days((self.due(kind) - self.on).days + 1)

    def assigned(self) -> Way:
        self.do("register")
        self.do("assign")
        return self

    def told(self, name: str) -> list[Any]:
        return [event for event in self.events if event.name == name]
