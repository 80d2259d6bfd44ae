"""Corrections, successions, audits and the watch on real databases, the same way in both."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import new_postgres, together
from sqlalchemy import Date, bindparam, func, select, text
from test_registry_databases import REGISTRAR, Caller, Counter, grant, new_key, register

from services.kernel.actor import Actor
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from services.registry.adapters.repository import OrganisationRows
from services.registry.adapters.tables import METADATA, ORGANISATIONS, RUNTIME, WATCH_CLAIMS
from services.registry.domain.vocabulary import Form
from services.runtime.database import Database, Id
from services.runtime.migration import upgrade

AUDITOR = Actor(role="auditor", user_id="a").to_plain()


class Protocols:
    """Stands for the protocols service in previews."""

    def open_protocols_of(self, organisation_id: str) -> dict[str, int]:
        return {"open": len(organisation_id) and 3}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An empty registry of the newest shape."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('upkeep') / 'registry.sqlite'}")
        upgrade(made, "registry")
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        upgrade(made, "registry")
        yield made
        made.close()


@pytest.fixture
def registry(database: Database) -> Caller:
    """The service on 2 March 2026."""
    made = Caller(database, 2026, 3, 2, 9)
    made.service.protocols = Protocols()
    return made


def representative(organisation: dict[str, Any]) -> dict[str, Any]:
    return Actor("organisation_representative", "rep", organisation_id=organisation["id"]).to_plain()


def propose(registry: Caller, organisation: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = registry.propose_correction(
        actor=representative(organisation),
        organisation_id=organisation["id"],
        correction={"changes": changes},
        key=new_key(),
    )
    return made


def decide(registry: Caller, correction: dict[str, Any], **accept: bool) -> dict[str, Any]:
    decisions = [{"field": name, "accept": said, "reason": "Belge"} for name, said in accept.items()]
    made: dict[str, Any] = registry.decide_correction(
        actor=REGISTRAR,
        correction_id=correction["id"],
        decision={"decisions": decisions},
        expected_version=correction["version"],
        key=new_key(),
    )
    return made


def succeed(registry: Caller, old: dict[str, Any], **order: Any) -> dict[str, Any]:
    given_ = {"kind": "merge", "effective_on": "2026-03-01", "basis": "Genel kurul kararı", **order}
    made: dict[str, Any] = registry.succeed(
        actor=REGISTRAR, organisation_id=old["id"], order=given_, expected_version=None, key=new_key()
    )
    return made


def preview(registry: Caller, old: dict[str, Any], **order: Any) -> dict[str, Any]:
    given_ = {"kind": "merge", "effective_on": "2026-03-01", "basis": "Genel kurul kararı", **order}
    made: dict[str, Any] = registry.preview_succession(actor=REGISTRAR, organisation_id=old["id"], order=given_)
    return made


def into(*heirs: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"organisation_id": heir["id"]} for heir in heirs]


def contents(database: Database) -> dict[str, int]:
    """How many rows every table has."""
    with database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in METADATA.sorted_tables
        }


def outbox(database: Database, subject_id: str) -> list[Any]:
    """What was told of the organisation, in order."""
    table = RUNTIME.outbox
    with database.read() as connection:
        return list(connection.execute(select(table).where(table.c.subject_id == subject_id).order_by(table.c.id)))


def told(database: Database, organisation: dict[str, Any], name: str) -> list[Any]:
    return [row.data for row in outbox(database, organisation["id"]) if row.name == f"organisation.{name}.v1"]


# corrections


def test_a_correction_is_kept_as_it_was_proposed_and_decided(database: Database, registry: Caller) -> None:
    about = register(registry, founded_on="2001-05-04")
    made = propose(registry, about, founded_on="2002-05-04", email="bilgi@ornek.org", phone=None, name=about["name"])
    assert ["founded_on", "email"] == [each["field"] for each in made["fields"]]
    partly = decide(registry, made, founded_on=True)
    found = registry.get_correction(actor=AUDITOR, correction_id=made["id"])
    assert partly == found
    assert ("partly_decided", "2002-05-04", ["accepted", "open"]) == (
        found["state"], registry.get_organisation(organisation_id=about["id"])["founded_on"],
        [each["state"] for each in found["fields"]],
    )  # fmt: skip
    registry.withdraw_correction(
        actor=representative(about), correction_id=made["id"], expected_version=2, key=new_key()
    )
    assert "decided" == registry.get_correction(actor=AUDITOR, correction_id=made["id"])["state"]
    (proposed,), (decided,) = told(database, about, "correction_proposed"), told(database, about, "correction_decided")
    assert (["founded_on", "email"], ["founded_on"], [], ["email"]) == (
        proposed["fields"], decided["accepted"], decided["declined"], decided["waiting"],
    )  # fmt: skip
    assert "ornek" not in str([proposed, decided])
    assert {about["id"]} == {row.organisation_id for row in outbox(database, about["id"]) if "correction" in row.name}


def test_a_field_that_the_registrar_changed_meanwhile_is_not_overwritten(registry: Caller) -> None:
    about = register(registry, district="Eski")
    made = propose(registry, about, district="Yeni", address="Adres")
    registry.update_organisation(
        actor=REGISTRAR, organisation_id=about["id"], changes={"district": "Başka"}, key=new_key(), expected_version=1
    )
    assert [True, False] == [
        each["stale"] for each in registry.get_correction(actor=AUDITOR, correction_id=made["id"])["fields"]
    ]
    with pytest.raises(Refused):
        decide(registry, made, district=True, address=True)
    assert "Başka" == registry.get_organisation(organisation_id=about["id"])["district"]
    decided = decide(registry, made, district=False, address=True)
    assert ("decided", "Adres") == (
        decided["state"], registry.get_organisation(organisation_id=about["id"])["address"],
    )  # fmt: skip


def test_two_proposals_for_one_field_at_the_same_time_leave_one(database: Database, registry: Caller) -> None:
    about = register(registry)
    jobs = [lambda n=n: propose(Caller(database, 2026, 3, 2, 9), about, district=f"İlçe {n}") for n in range(4)]
    ends = together(*jobs)
    assert [1, 3] == [
        len([each for each in ends if isinstance(each, dict)]), len([each for each in ends if isinstance(each, Refused)]),
    ]  # fmt: skip


def test_a_correction_is_decided_by_who_saw_its_newest_state(registry: Caller) -> None:
    made = propose(registry, register(registry), district="Şişli", address="Adres")
    decide(registry, made, district=True)
    with pytest.raises(Conflict):
        decide(registry, made, address=True)


def test_corrections_are_seen_by_the_registrar_the_auditor_and_their_own_organisation(registry: Caller) -> None:
    about, other = register(registry), register(registry)
    made = propose(registry, about, district="Şişli")
    for actor, total in ((REGISTRAR, 1), (AUDITOR, 1), (representative(about), 1), (representative(other), 0)):
        assert total == registry.list_corrections(actor=actor, organisation=about["id"])["total"]
    with pytest.raises(NotFound):
        registry.get_correction(actor=representative(other), correction_id=made["id"])
    with pytest.raises(NotFound):
        registry.propose_correction(
            actor=representative(other),
            organisation_id=about["id"],
            correction={"changes": {"district": "X"}},
            key=new_key(),
        )
    with pytest.raises(Forbidden):
        registry.propose_correction(
            actor=REGISTRAR, organisation_id=about["id"], correction={"changes": {"district": "X"}}, key=new_key()
        )


def test_a_page_of_corrections_costs_the_same_number_of_queries_whatever_its_size(
    database: Database, registry: Caller
) -> None:
    for _ in range(3):
        propose(registry, register(registry), district="Şişli")
    counter = Counter(database)
    registry.list_corrections(actor=REGISTRAR, size=1)
    one, counter.n = counter.n, 0
    registry.list_corrections(actor=REGISTRAR, size=200)
    assert one == counter.n == 4


# successions


def test_a_preview_shows_what_would_change_and_changes_nothing(database: Database, registry: Caller) -> None:
    old, other = register(registry, registry_no="34-801-001"), register(registry)
    grant(registry, old)
    before = contents(database)
    new = {"name": "Yeni Birlik Derneği", "form": "association"}
    shown = preview(registry, old, successors=[new], also=[other["id"]])
    assert before == contents(database)
    assert ([(None, True, "required")], ["5253/27"], 6) == (
        [(each["id"], each["new"], each["standing"]["permission"]) for each in shown["successors"]],
        [each["article"] for each in shown["not_passing"]], shown["protocols"]["open"],
    )  # fmt: skip
    assert [("34-801-001", ["Yeni Birlik Derneği"])] == [
        (each["registry_no"], [heir["name"] for heir in each["leads_to"]]) for each in shown["numbers"]
    ]
    assert ["dissolved", "dissolved"] == [each["after"]["state"] for each in shown["organisations"]]


def test_several_organisations_merge_into_a_new_one_and_all_point_to_it(database: Database, registry: Caller) -> None:
    old, other = register(registry), register(registry)
    new = {"name": "Büyük Birlik Derneği", "form": "association", "registry_no": "34-802-001"}
    gone = succeed(registry, old, successors=[new], also=[other["id"]])
    (heir,) = gone["successors"]
    assert ("dissolved", [heir]) == (
        gone["state"],
        registry.get_organisation(organisation_id=other["id"])["successors"],
    )
    assert "Büyük Birlik Derneği" == registry.get_organisation(organisation_id=heir)["name"]
    assert {old["id"], other["id"]} == {
        each["id"] for each in registry.succession_of(organisation_id=heir)["predecessors"]
    }
    for each in (old, other):
        (event_,) = told(database, each, "succeeded")
        assert ("merge", heir, False) == (event_["kind"], event_["protocols_to"]["id"], event_["continues"])
        assert "dissolved" == told(database, each, "updated")[-1]["state"]


def test_a_chain_leads_to_its_end_and_never_back(registry: Caller) -> None:
    a, b, c, d = (register(registry) for _ in range(4))
    succeed(registry, a, successors=into(b))
    succeed(registry, b, successors=into(c))
    succeed(
        registry, c, kind="split", successors=[*into(d), {"name": "Kol Derneği", "form": "association"}], protocols_to=1
    )
    ends = registry.succession_of(organisation_id=a["id"])["leads_to"]
    assert {d["name"], "Kol Derneği"} == {each["name"] for each in ends}
    for wrong, code in ((a, "was_succeeded"), (d, "succession_leads_back")):
        with pytest.raises(Refused) as refusal:
            succeed(registry, wrong, successors=into(a if wrong is d else d))
        assert code == refusal.value.details["reasons"][0]["code"]
    with pytest.raises(Refused) as refusal:
        succeed(registry, register(registry), successors=into(a))
    assert "successor_was_succeeded" == refusal.value.details["reasons"][0]["code"]


def test_a_split_may_leave_the_old_one_alive_and_says_who_gets_the_protocols(
    database: Database, registry: Caller
) -> None:
    old = register(registry)
    new = {"name": "Ayrılan Dernek", "form": "association"}
    left = succeed(registry, old, kind="split", successors=[new], continues=True, protocols_to=0)
    (event_,) = told(database, old, "succeeded")
    assert ("active", [], True, "Ayrılan Dernek") == (
        left["state"], left["successors"], event_["continues"], event_["protocols_to"]["name"],
    )  # fmt: skip
    assert [(1, "registered"), (2, "updated"), (2, "succeeded")] == [
        (row.subject_version, row.name.split(".")[1]) for row in outbox(database, old["id"])
    ]
    assert 2 == registry.get_organisation(organisation_id=old["id"])["version"]
    assert [("split", True)] == [
        (each["kind"], each["continues"]) for each in registry.succession_of(organisation_id=old["id"])["records"]
    ]
    stay = succeed(
        registry, old, kind="split", successors=[new | {"name": "İkinci"}], continues=True, protocols_to=old["id"]
    )
    assert old["id"] == told(database, stay, "succeeded")[-1]["protocols_to"]["id"]


def test_a_former_number_still_leads_to_its_bearer_and_nobody_else_gets_it(
    database: Database, registry: Caller
) -> None:
    about = register(registry, registry_no="34-803-001")
    renamed = succeed(registry, about, kind="rename", registry_no="35-803-001", name="Taşınan Dernek")
    assert (about["id"], [about["name"]], 2) == (
        renamed["id"], [each["name"] for each in renamed["former"]], renamed["version"],
    )  # fmt: skip
    with database.read() as connection:
        rows = OrganisationRows(connection)
        assert [about["id"]] * 2 == [rows.numbered(Form.ASSOCIATION, key) for key in ("34803001", "35803001")]
    with pytest.raises(Refused):
        register(registry, registry_no="34-803-001")
    for query in (about["name"], "34803001", "Taşınan Dernek"):
        assert about["id"] in [
            each["id"] for each in registry.search_organisations(actor=REGISTRAR, query=query)["items"]
        ]
    back = succeed(registry, about, kind="rename", registry_no="34-803-001")
    assert ["34-803-001", "35-803-001"] == [each["registry_no"] for each in back["former"]]


def test_two_mergers_at_the_same_time_end_in_one(database: Database, registry: Caller) -> None:
    a, b = register(registry), register(registry)
    ends = together(
        lambda: succeed(Caller(database, 2026, 3, 2, 9), a, successors=into(b)),
        lambda: succeed(Caller(database, 2026, 3, 2, 9), b, successors=into(a)),
    )
    assert [1, 1] == [sum(isinstance(each, kind) for each in ends) for kind in (dict, Refused)]


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"successors": [{"name": "X"}]}, "successors.0.form"),
        ({"successors": [{"name": "X", "form": "association", "tax_no": "4540536921"}]}, "successors.0.tax_no"),
        ({"kind": "split", "successors": [], "continues": True}, "successors"),
        ({"kind": "rename", "tax_no": "1"}, "tax_no"),
        ({"successors": [], "protocols_to": True}, "protocols_to"),
    ],
)
def test_an_order_that_cannot_be_read_names_the_field(registry: Caller, order: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        succeed(registry, register(registry), **order)
    assert field in [each["field"] for each in refusal.value.details["errors"]]


# audits and the watch


def look(database: Database, *moment: int) -> None:
    """What every replica does every few seconds."""
    Caller(database, *moment).service.look_what_falls_due()


def test_each_rung_of_a_due_audit_is_told_once_by_whoever_looks(database: Database, registry: Caller) -> None:
    about = grant(registry, register(registry), valid_from="2024-05-10")
    assert "2026-05-10" == about["audit_due_on"]
    for day in ((2026, 3, 10), (2026, 3, 11), (2026, 3, 12), (2026, 5, 9), (2026, 5, 10), (2026, 5, 11), (2026, 6, 1)):
        together(lambda day=day: look(database, *day), lambda day=day: look(database, *day))
    assert [60, 0, -1] == [each["days_before"] for each in told(database, about, "audit_due")]
    assert ["later", "today", "overdue"] == [each["urgency"] for each in told(database, about, "audit_due")]


def test_after_days_of_downtime_only_the_newest_rung_is_told(database: Database, registry: Caller) -> None:
    about = grant(registry, register(registry), valid_from="2020-01-01", valid_to="2026-07-01")
    look(database, 2026, 6, 20)
    look(database, 2026, 6, 21)
    assert [30] == [each["days_before"] for each in told(database, about, "status_ending")]
    with database.read() as connection:
        claimed = connection.execute(
            select(WATCH_CLAIMS.c.rung).where(
                WATCH_CLAIMS.c.organisation_id == about["id"], WATCH_CLAIMS.c.kind == "status_ending"
            )
        ).scalars()
        assert [30, 90] == sorted(claimed)


def test_a_recorded_audit_moves_the_due_date_and_the_next_round_is_told_anew(
    database: Database, registry: Caller
) -> None:
    about = grant(registry, register(registry), valid_from="2024-01-01")
    look(database, 2026, 3, 2)
    made = registry.record_audit(
        actor=REGISTRAR,
        organisation_id=about["id"],
        audit={"audited_on": "2026-02-20", "outcome": "shortcomings", "report_no": "7"},
        key=new_key(),
        expected_version=about["version"],
    )
    assert ("2028-02-20", about["version"] + 1) == (made["audit_due_on"], made["organisation_version"])
    look(database, 2028, 2, 20)
    assert [-1, 0] == [each["days_before"] for each in told(database, about, "audit_due")]
    assert [made["id"]] == [each["id"] for each in registry.list_audits(organisation_id=about["id"])["items"]]


def test_the_watch_lists_what_is_due_by_a_day_and_is_read_by_index(database: Database, registry: Caller) -> None:
    soon = grant(registry, register(registry, province_code="76"), valid_from="2024-04-01")
    later = grant(registry, register(registry, province_code="76"), valid_from="2025-09-01", valid_to="2026-09-01")
    wanted = {"actor": AUDITOR, "province": "Iğdır"}
    assert [soon["id"]] == [
        each["organisation"]["id"] for each in registry.status_watch(kind="audit_due", **wanted)["items"]
    ]
    for kind, before, expected in (
        ("audit_due", "2026-03-31", []),
        ("audit_due", "2027-12-31", [soon["id"], later["id"]]),
        ("status_ending", "2026-08-31", []),
        ("status_ending", "2026-09-01", [later["id"]]),
    ):
        found = registry.status_watch(kind=kind, before=before, **wanted)
        assert (expected, len(expected)) == ([each["organisation"]["id"] for each in found["items"]], found["total"])
    counter = Counter(database)
    registry.status_watch(kind="audit_due", before="2030-01-01", actor=AUDITOR, size=1)
    one, counter.n = counter.n, 0
    registry.status_watch(kind="audit_due", before="2030-01-01", actor=AUDITOR, size=200)
    assert one == counter.n
    plan = "EXPLAIN " if database.dialect == "postgresql" else "EXPLAIN QUERY PLAN "
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        asked = (
            f"{plan} SELECT id FROM organisations WHERE audit_due_on <= '2026-05-01' ORDER BY audit_due_on, id LIMIT 50"
        )
        assert "organisations_by_audit_due_on" in str(list(connection.execute(text(asked))))
    with pytest.raises(Forbidden):
        registry.status_watch(kind="audit_due", actor=Actor("mayor", "m", municipality="34-35").to_plain())


def test_when_a_status_ends_its_dates_leave_the_watch_with_the_day(database: Database, registry: Caller) -> None:
    about = grant(registry, register(registry), valid_from="2024-01-01", valid_to="2026-03-05")
    Caller(database, 2026, 3, 6, 9).service.turn_the_day()
    with database.read() as connection:
        row = connection.execute(
            select(ORGANISATIONS.c.audit_due_on, ORGANISATIONS.c.status_ends_on).where(
                ORGANISATIONS.c.id == about["id"]
            )
        ).one()
    assert (None, None) == tuple(row)


def test_the_watch_knows_the_statuses_that_were_on_record_before_it_began(database_url: str) -> None:
    made = Database(database_url)
    upgrade(made, "registry", "0003")
    held, ended, gone = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
    with made.write() as connection:
        for key, state, valid_to in (
            (held, "active", "2031-12-31"), (ended, "active", "2021-12-31"), (gone, "dissolved", None),
        ):  # fmt: skip
            connection.execute(
                text(
                    "INSERT INTO organisations (id, version, name, form, expertise, state, folded, name_key,"
                    " standing_permission) VALUES (:id, 1, 'o', 'association', '[]', :state, 'o', 'o', 'exempt')"
                ).bindparams(bindparam("id", type_=Id)),
                {"id": key, "state": state},
            )
            connection.execute(
                text(
                    "INSERT INTO organisation_statuses (id, revision, organisation_id, kind, valid_from, valid_to,"
                    " recorded_at) VALUES (:id, 1, :of, 'public_benefit', '2020-02-29', :valid_to, '2020-03-01')"
                ).bindparams(bindparam("id", type_=Id), bindparam("of", type_=Id), bindparam("valid_to", type_=Date)),
                {"id": key, "of": key, "valid_to": valid_to and date.fromisoformat(valid_to)},
            )
    upgrade(made, "registry")
    with made.read() as connection:
        table = ORGANISATIONS.c
        rows = connection.execute(select(table.id, table.audit_due_on, table.status_ends_on, table.former))
        found = {row[0]: tuple(row[1:]) for row in rows}
    made.close()
    assert {
        held: (date(2022, 2, 28), date(2031, 12, 31), []), ended: (None, None, []), gone: (None, None, []),
    } == found  # fmt: skip


# what held on a day, and what was known when


SPAN = 40
FIRST = date(2020, 1, 1)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["grant", "correct", "revoke"]), st.integers(0, SPAN), st.none() | st.integers(0, SPAN)
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_service_answers_any_day_at_any_moment_as_a_naive_model_does(
    database: Database, acts: list[tuple[str, int, int | None]]
) -> None:
    registry = Caller(database, 2026, 3, 2, 9)
    organisation = register(registry)
    known: dict[str, tuple[int, int | None, int | None]] = {}
    log: list[tuple[datetime, dict[str, tuple[int, int | None, int | None]]]] = []
    for number, (what, begins, ends) in enumerate(acts):
        moment = datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(minutes=number)
        registry.be_at(2026, 3, 2, 10, number)
        target = max(known, default=None)
        try:
            if what == "revoke" and target is not None:
                registry.revoke_status(
                    actor=REGISTRAR, organisation_id=organisation["id"], status_id=target,
                    revocation={"revoked_on": str(FIRST + timedelta(days=begins))}, key=new_key(),
                )  # fmt: skip
                known = {**known, target: (*known[target][:2], begins)}
            elif what == "grant" or target is not None:
                corrects = target if what == "correct" else None
                until = None if ends is None else str(FIRST + timedelta(days=ends))
                changed = grant(
                    registry, organisation, valid_from=str(FIRST + timedelta(days=begins)), valid_to=until, corrects=corrects
                )  # fmt: skip
                key = corrects or next(each["id"] for each in changed["statuses"] if each["id"] not in known)
                known = {**known, key: (begins, ends, None)}
        except (Invalid, Refused):
            continue
        log.append((moment, known))
    for at in [None, *(moment for moment, _ in log)]:
        state = (
            log[-1][1] if log and at is None else next((known_ for m, known_ in reversed(log) if at and m <= at), {})
        )
        for day in (0, SPAN // 2, SPAN, *(begins for _, begins, _ in acts)):
            expected = any(
                begins <= day and (ends is None or day <= ends) and (revoked is None or day < revoked)
                for begins, ends, revoked in state.values()
            )
            asked = {"on": str(FIRST + timedelta(days=day)), "known_at": at.isoformat() if at else None}
            found = registry.standing(organisation_id=organisation["id"], **asked)
            assert ("exempt" if expected else "required") == found["permission"]
