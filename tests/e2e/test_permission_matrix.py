"""Every role tries every move of both procedures, in its own tenant and in another, over HTTP.

The rows come from the procedures' tables. Who may see a file at all is said here anew.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from harness import Client, System, today
from petition_builder import ACTORS, CSO, Way
from protocol_builder import OFFICES, Walk

from services.gateway.http import Route
from services.gateway.table import TABLE
from services.kernel.actor import PETITIONER, ROLES
from services.petitions.adapters.repository import Stores as PetitionStores
from services.petitions.domain.case import PetitionCase
from services.petitions.domain.code import new_code, sha256_of
from services.petitions.domain.procedure import MOVES as PETITION_MOVES
from services.protocols.adapters.repository import Stores
from services.protocols.domain.case import ProtocolCase
from services.protocols.domain.procedure import MOVES

OWN, OTHER, NOWHERE = "own", "other", "no"
TENANTS = {
    "unit_officer": "municipality",
    "registry_clerk": "municipality",
    "mayor": "municipality",
    "commission_rapporteur": "municipality",
    "authority_clerk": "authority",
    "authority_head": "authority",
    "organisation_representative": "organisation_id",
}
MAKERS = {(row.name, row.sources[0]): row.by for row in MOVES}
ATTEMPTS = [
    pytest.param(move, stage, role, where, id=f"{role}-{move}-{stage}-{where}")
    for move, stage in MAKERS
    for role in ROLES
    for where in ((OWN, OTHER) if role in TENANTS else (NOWHERE,))
]
DETOURS = {
    "partner_consent": ("council_decision", "amend"),
    "reconsideration": ("mayor_check", "return_to_council"),
    "document_completion": ("authority_review", "request_documents"),
    "permission_refused": ("authority_review", "refuse"),
    "litigation": ("permission_refused", "file_suit"),
    "suspended": ("in_force", "suspend"),
}
"""Stages beside the usual way: where one comes from, and by which move."""


def walk_to(stage: str, move: str, organisation: str) -> Walk:
    """A file that stands at the stage and reached it just now, so that none of its periods is over."""
    permission = "discretionary" if stage == "authority_determination" else "required"
    for days in range(30):
        walk = Walk(permission=permission, on=today() - timedelta(days=days), organisation=organisation)
        _go(walk, stage)
        if move == "stamp":
            walk.do("transmit")
        if walk.on <= today():
            return walk
    raise AssertionError(f"{stage} is further away than a month")


def _go(walk: Walk, stage: str) -> None:
    if stage in DETOURS:
        before, move = DETOURS[stage]
        _go(walk, before)
        walk.do(move)
    else:
        walk.to(stage)


class Matrix:
    """The offices of all roles in two tenants, and files at every stage."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._stores = Stores(system.database("protocols"), system.settings().rules)
        self._files: dict[tuple[str, str], ProtocolCase] = {}
        self.organisation = system.organisation("Yetki Sınama Derneği", office=False)
        other = system.organisation("Başka Bir Dernek", office=False)
        self._tenants = {
            OWN: {"municipality": "34-35", "authority": "K34-35", "organisation_id": self.organisation},
            OTHER: {"municipality": "34-23", "authority": "K34-23", "organisation_id": other},
        }
        self._clients: dict[tuple[str, str], Client] = {}

    def client(self, role: str, where: str) -> Client:
        if (role, where) not in self._clients:
            kind, name = TENANTS.get(role), f"matrix.{role}.{where}"
            self._system.add_office(name, role, {kind: self._tenants[where][kind]} if kind else {})
            self._clients[role, where] = self._system.client(name)
        return self._clients[role, where]

    def file(self, move: str, stage: str, *, fresh: bool) -> ProtocolCase:
        """A file to be moved, or the one at which everybody fails."""
        if fresh or (move, stage) not in self._files:
            found = self._store(walk_to(stage, move, self.organisation))
            if fresh:
                return found
            self._files[move, stage] = found
        return self._files[move, stage]

    def _store(self, walk: Walk) -> ProtocolCase:
        with self._stores.write() as store:
            walk.case.reference = store.next_reference("34-35", today().year)
            store.add(walk.case, [], OFFICES["unit_officer"], walk.procedure)
        return walk.case


@pytest.fixture(scope="module")
def matrix(embedded: System) -> Matrix:
    return Matrix(embedded)


def sees(role: str, where: str, case: ProtocolCase) -> bool:
    """The auditor sees every file, a tenant its own; the civil authority from the day on which it was sent there."""
    if role == "auditor":
        return True
    return where == OWN and (not role.startswith("authority_") or case.done("transmit"))


@pytest.mark.parametrize(("move", "stage", "role", "where"), ATTEMPTS)
def test_an_office_makes_the_moves_of_its_role_in_its_own_tenant_only(
    move: str, stage: str, role: str, where: str, matrix: Matrix
) -> None:
    may = where == OWN and role in MAKERS[move, stage]
    case = matrix.file(move, stage, fresh=may)
    answer = matrix.client(role, where).ask("POST", f"/protocols/{case.id}/moves/{move}", version=case.version)
    expected = {200, 409, 422} if may else {403} if sees(role, where, case) else {404}
    assert answer.status in expected, (answer.status, answer.body)
    assert "wrong_stage" not in str(answer.body)


# petitions

KEY, NOBODY = "key", "nobody"
PETITION_MAKERS: dict[tuple[str, str], tuple[str, ...]] = {}
for _row in PETITION_MOVES:
    for _source in _row.sources[:1]:
        PETITION_MAKERS.setdefault((_row.name, _source), _row.by)
HANDLES = ("registry_clerk", "unit_officer", "mayor", "organisation_representative")
"""Offices that see the petitions of their own tenant."""
KIND_OF = {
    "extend": "information_request", "notify_fee": "information_request", "record_payment": "information_request",
    "lapse_unpaid": "information_request",
}  # fmt: skip
WAYS: dict[str, tuple[str, ...]] = {
    "received": (),
    "registered": ("register",),
    "awaiting_completion": ("return_for_completion",),
    "proposal_accepted": ("register", "accept_proposal"),
}
PETITION_ATTEMPTS = [
    pytest.param(move, stage, role, where, id=f"{role}-{move}-{stage}-{where}")
    for move, stage in PETITION_MAKERS
    for role in (*ROLES, PETITIONER)
    for where in ((KEY, NOBODY) if role == PETITIONER else (OWN, OTHER) if role in TENANTS else (NOWHERE,))
]


class PetitionMatrix:
    """Petitions at every stage, for the offices of the matrix and for whoever has their key."""

    def __init__(self, system: System, offices: Matrix) -> None:
        self._system, self._offices = system, offices
        settings = system.settings()
        self._stores = PetitionStores(system.database("petitions"), settings.rules, settings.ladder)
        self._files: dict[tuple[str, str], PetitionCase] = {}
        self.key = new_code()
        self._anyone = {KEY: Client(system.url, None), NOBODY: Client(system.url, None)}
        self._anyone[KEY].session.headers["Imece-Petition-Key"] = self.key

    def client(self, role: str, where: str) -> Client:
        return self._anyone[where] if role == PETITIONER else self._offices.client(role, where)

    def file(self, move: str, stage: str, *, fresh: bool) -> PetitionCase:
        """A petition to be moved, or the one at which everybody fails."""
        if not fresh and (move, stage) in self._files:
            return self._files[move, stage]
        kind = KIND_OF.get(move, "partnership_proposal")
        steps = ("register", "notify_fee") if move in ("record_payment", "lapse_unpaid") else WAYS[stage]
        found = Way(
            kind,
            petitioner=replace(CSO, organisation_id=self._offices.organisation),
            on=today(),
            key_sha256=sha256_of(self.key),
        )
        for step in steps:
            found.do(step)
        with self._stores.write() as store:
            found.case.reference = store.next_reference("34-35", today().year)
            store.add(found.case, [], ACTORS["system"], found.procedure)
        if not fresh:
            self._files[move, stage] = found.case
        return found.case


@pytest.fixture(scope="module")
def petitions(embedded: System, matrix: Matrix) -> PetitionMatrix:
    return PetitionMatrix(embedded, matrix)


def sees_petition(role: str, where: str) -> bool:
    """The auditor, the municipality's offices that handle it, and the petitioner: by organisation or by key."""
    return role == "auditor" or where == KEY or (where == OWN and role in HANDLES)


@pytest.mark.parametrize(("move", "stage", "role", "where"), PETITION_ATTEMPTS)
def test_an_office_makes_the_moves_of_a_petition_that_are_its_own(
    move: str, stage: str, role: str, where: str, petitions: PetitionMatrix
) -> None:
    may = where in (OWN, KEY) and role in PETITION_MAKERS[move, stage]
    case = petitions.file(move, stage, fresh=may)
    answer = petitions.client(role, where).ask("POST", f"/petitions/{case.id}/moves/{move}", version=case.version)
    expected = {200, 409, 422} if may else {403} if sees_petition(role, where) else {404}
    assert answer.status in expected, (answer.status, answer.body)
    assert "wrong_stage" not in str(answer.body)


PLACEHOLDERS: dict[str, Any] = {"code": "34-35", "move": "accept", "name": "protocol", "row": "2"}


@pytest.mark.parametrize(
    "route", [each for each in TABLE.routes if each.access in ("user", "office")], ids=lambda r: r.name
)
def test_nobody_comes_in_without_a_sign_in(route: Route, embedded: System) -> None:
    path = re.sub(r"\{(\w+)\}", lambda found: str(PLACEHOLDERS.get(found[1], uuid.uuid4())), route.path)
    for headers in ({}, {"Authorization": "Bearer nobody"}):
        answer = Client(embedded.url, None).ask(route.method, path.removeprefix("/api/v1"), **headers)
        assert (401, "unauthenticated", "Bearer") == (answer.status, answer.code, answer.headers["WWW-Authenticate"])
