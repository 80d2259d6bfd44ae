"""The watch over statuses: audits, what falls due, and the daily look that tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from services.contracts.upkeep import NewAudit, WatchWanted
from services.kernel.actor import Actor
from services.registry.adapters.messages import status_shown
from services.registry.adapters.repository import OrganisationRows
from services.registry.adapters.watch import AuditRows, WatchRows
from services.registry.application import watch
from services.registry.application.record import Work
from services.registry.application.watch import TOLD_AT_ONCE
from services.registry.domain.organisation import Organisation
from services.registry.domain.watch import AUDIT_RUNGS, Audit, Watched, WatchKind, urgency, watched
from services.registry.service.desk import Desk, Plain, page_of, province_of
from services.runtime.entrypoints import every, rpc
from services.runtime.schema import load


class WatchDesk(Desk):
    """Questions and commands about audits and what falls due."""

    @rpc
    def record_audit(
        self, actor: Plain, organisation_id: str, audit: Plain, key: str, expected_version: int | None = None
    ) -> Plain:
        """Record an audit of a public-benefit association (registrar); answers with it and the next due date."""
        given = load(NewAudit(), audit)

        def effect(connection: Connection, work: Work, acting: Actor) -> Plain:
            found = watch.record_audit(work, AuditRows(connection), acting, organisation_id, given, expected_version)
            due = watched(found.organisation, WatchKind.AUDIT_DUE, work.today)
            return {
                **audit_shown(found.audit),
                "audit_due_on": due.due_on.isoformat() if due else None,
                "organisation_version": found.organisation.version,
            }

        request = {"organisation_id": organisation_id, "audit": audit, "expected_version": expected_version}
        return self.once_within(actor, key, "record_audit", request, effect)

    @rpc
    def list_audits(self, organisation_id: str, page: int = 1, size: int = 50) -> Plain:
        """A page of an organisation's audits, the newest first. Raises NotFound."""
        with self.database.read() as connection:
            organisation = OrganisationRows(connection).get(organisation_id)
            found, total = AuditRows(connection).page(organisation.id, page, size)
        return page_of([audit_shown(each) for each in found], page, size, total)

    @rpc
    def status_watch(self, actor: Plain, **wanted: Any) -> Plain:
        """A page of what falls due, the nearest first (registrar, auditor)."""
        watch.may_watch(Actor.from_plain(actor))
        asked = load(WatchWanted(), wanted)
        kind, page, size = WatchKind(asked["kind"]), asked["page"], asked["size"]
        today = self.time.today()
        self.bring_standings_to_today()
        before = asked["before"] or today + timedelta(days=max(self._rungs(kind)))
        with self.database.read() as connection:
            keys, total = WatchRows(connection).page(
                kind, before=before, province_code=province_of(asked["province"]), page=page, size=size
            )
            organisations = OrganisationRows(connection).many(keys)
        found = [(each, due) for each in organisations if (due := watched(each, kind, today)) is not None]
        items = [{**_watched_shown(each, due), "urgency": urgency(due.due_on, today)} for each, due in found]
        return page_of(items, page, size, total)

    @every("scheduler_interval")
    def look_what_falls_due(self) -> None:
        """Tell what has reached a rung since the last look; a day on which nothing did costs two short queries."""
        self.bring_standings_to_today()
        for kind in WatchKind:
            rungs = self._rungs(kind)
            with self.database.read() as connection:
                waiting = WatchRows(connection).untold(kind, self.time.today(), rungs, 1)
            told = TOLD_AT_ONCE if waiting else 0
            while told == TOLD_AT_ONCE:
                with self.database.write() as connection:
                    told = watch.tell_what_falls_due(self.work(connection), WatchRows(connection), kind, rungs)

    def _rungs(self, kind: WatchKind) -> Sequence[int]:
        """In days before the due date, as the settings say."""
        warnings = {
            WatchKind.AUDIT_DUE: (*self.settings.audit_warnings, *AUDIT_RUNGS),
            WatchKind.STATUS_ENDING: (*self.settings.status_ending_warnings,),
        }
        return warnings[kind]


def audit_shown(audit: Audit) -> Plain:
    """An audit as it is answered."""
    return {
        "id": audit.id,
        "organisation_id": audit.organisation_id,
        "audited_on": audit.audited_on.isoformat(),
        "report_no": audit.report_no,
        "outcome": str(audit.outcome),
        "source": audit.source,
        "recorded_at": audit.recorded_at.isoformat(),
        "recorded_by": audit.recorded_by,
    }


def _watched_shown(organisation: Organisation, due: Watched) -> Plain:
    return {
        "kind": str(due.kind),
        "organisation": {
            "id": organisation.id,
            "name": organisation.facts.name,
            "registry_no": organisation.facts.registry_no,
            "province_code": organisation.facts.province_code,
        },
        "status": status_shown(due.status),
        "due_on": due.due_on.isoformat(),
        "last_audit_on": organisation.last_audit_on.isoformat() if organisation.last_audit_on else None,
        "article": due.article,
    }
