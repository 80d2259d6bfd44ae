"""Who consumes what: the one table that bindings, tests and documentation are read from.

Pure data. Exchange `<producer>.events`, routing key the event's name,
queue `<consumer>.on.<event>`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subscription:
    """One consumer hears one event of one producer."""

    consumer: str
    producer: str
    event: str


SUBSCRIPTIONS: tuple[Subscription, ...] = (
    # notifications tells the offices concerned
    Subscription("notifications", "protocols", "protocol.drafted.v1"),
    Subscription("notifications", "protocols", "protocol.moved.v1"),
    Subscription("notifications", "protocols", "protocol.entered_into_force.v1"),
    Subscription("notifications", "protocols", "protocol.flagged.v1"),
    Subscription("notifications", "protocols", "protocol.review_settled.v1"),
    Subscription("notifications", "protocols", "protocol.partner_changed.v1"),
    Subscription("notifications", "protocols", "clock.started.v1"),
    Subscription("notifications", "protocols", "clock.met.v1"),
    Subscription("notifications", "protocols", "clock.expired.v1"),
    Subscription("notifications", "protocols", "clock.moved.v1"),
    Subscription("notifications", "protocols", "clock.reminder_due.v1"),
    Subscription("notifications", "petitions", "petition.submitted.v1"),
    Subscription("notifications", "petitions", "petition.moved.v1"),
    Subscription("notifications", "petitions", "petition.protocol_linked.v1"),
    Subscription("notifications", "petitions", "petition.clock_started.v1"),
    Subscription("notifications", "petitions", "petition.clock_expired.v1"),
    Subscription("notifications", "petitions", "petition.clock_moved.v1"),
    Subscription("notifications", "petitions", "petition.reminder_due.v1"),
    Subscription("notifications", "petitions", "petition.support_requested.v1"),
    Subscription("notifications", "registry", "organisation.registered.v1"),
    Subscription("notifications", "registry", "organisation.updated.v1"),
    Subscription("notifications", "registry", "organisation.status_granted.v1"),
    Subscription("notifications", "registry", "organisation.status_revoked.v1"),
    Subscription("notifications", "registry", "organisation.correction_proposed.v1"),
    Subscription("notifications", "registry", "organisation.correction_decided.v1"),
    Subscription("notifications", "registry", "organisation.audit_due.v1"),
    Subscription("notifications", "registry", "organisation.status_ending.v1"),
    # protocols keeps its own view of standing and the calendar
    Subscription("protocols", "registry", "organisation.registered.v1"),
    Subscription("protocols", "registry", "organisation.updated.v1"),
    Subscription("protocols", "registry", "organisation.status_granted.v1"),
    Subscription("protocols", "registry", "organisation.status_revoked.v1"),
    Subscription("protocols", "registry", "organisation.removed.v1"),
    Subscription("protocols", "registry", "organisation.succeeded.v1"),
    Subscription("protocols", "registry", "calendar.day_added.v1"),
    # protocols drafts what a municipality accepted
    Subscription("protocols", "petitions", "petition.proposal_accepted.v1"),
    # petitions shows what came of a proposal, and counts by the same calendar
    Subscription("petitions", "protocols", "protocol.drafted.v1"),
    Subscription("petitions", "protocols", "protocol.moved.v1"),
    Subscription("petitions", "protocols", "protocol.draft_failed.v1"),
    Subscription("petitions", "registry", "calendar.day_added.v1"),
)


def queue_name(consumer: str, event: str) -> str:
    """The durable queue in which `event` waits for `consumer`."""
    return f"{consumer}.on.{event}"


def exchange_name(service: str) -> str:
    """The topic exchange to which `service` publishes its events."""
    return f"{service}.events"


def subscriptions_of(consumer: str) -> tuple[Subscription, ...]:
    """What `consumer` hears, in the order of the table."""
    return tuple(row for row in SUBSCRIPTIONS if row.consumer == consumer)


def subscribers_of(event: str) -> tuple[Subscription, ...]:
    """Who hears `event`, in the order of the table."""
    return tuple(row for row in SUBSCRIPTIONS if row.event == event)
