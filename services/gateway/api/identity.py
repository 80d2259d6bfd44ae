"""Signing in, who I am, and the administrator's users, offices and delegations."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from services.gateway import schemas as s
from services.gateway.http import BASE, Answer, Call, Table
from services.gateway.identity import application as identity
from services.gateway.identity.application import NewUser, SignedIn, UserChange
from services.gateway.identity.domain import Delegation, Membership, Seat, User, moves_of
from services.kernel.errors import Invalid, NotFound
from services.kernel.text import Sentence

TABLE = Table()
TAG = "Identity"
ADMINISTRATOR = ("administrator",)


@TABLE.route(
    "POST",
    "/sessions",
    tag=TAG,
    summary="Sign in",
    body=s.SignInSchema,
    answer=s.SessionSchema,
    status=201,
    access="public",
    also={401: None, 429: None},
    description="The token goes into the header `Authorization: Bearer <token>`. "
    "A wrong password is 401; too many are 429.",
)
def sign_in(call: Call) -> Answer:
    """Open a session."""
    signed = identity.sign_in(
        call.ports.desk,
        call.body["username"],
        call.body["password"],
        call.address,
        call.key if call.key_given else None,
    )
    data = {
        "token": signed.token,
        "expires_at": signed.session.expires_at,
        "user": vars(signed.user),
        "memberships": [_seat(seat) for seat in signed.seats],
    }
    return Answer(data, location=f"{BASE}/sessions/current")


@TABLE.route("DELETE", "/sessions/current", tag=TAG, summary="Sign out", status=204, access="user")
def sign_out(call: Call) -> Answer:
    """End the session whose token was sent."""
    identity.sign_out(call.ports.desk, call.caller.session.id)
    return Answer()


@TABLE.route("GET", "/me", tag=TAG, summary="Who I am and which offices I hold today", answer=s.MeSchema, access="user")
def me(call: Call) -> Answer:
    """The caller."""
    signed = call.caller
    seat = None if call.office is None else call.office.membership_id or call.office.acting_for
    return Answer({**vars(signed.user), "expires_at": signed.session.expires_at, **_offices(signed), "acting_as": seat})


def _offices(signed: SignedIn) -> dict[str, Any]:
    return {"memberships": [_seat(seat) for seat in signed.seats]}


def _seat(seat: Seat) -> dict[str, Any]:
    return {**vars(seat.membership), "delegated": seat.delegated, "moves": list(seat.moves)}


@TABLE.route(
    "GET", "/users", tag=TAG, summary="List users", query=s.UsersQuery, answer=s.UserPageSchema, roles=ADMINISTRATOR
)
def list_users(call: Call) -> Answer:
    """Users by username."""
    page, size = call.query["page"], call.query["size"]
    return _page(call, identity.users(call.ports.desk, call.query.get("query"), page, size))


@TABLE.route(
    "POST",
    "/users",
    tag=TAG,
    summary="Make a user",
    body=s.NewUserSchema,
    answer=s.UserSchema,
    status=201,
    etag=True,
    roles=ADMINISTRATOR,
)
def create_user(call: Call) -> Answer:
    """A user without any office yet."""
    body = call.body
    new = NewUser(body["username"], body["password"], body["full_name"], body.get("email"))
    return _user(identity.create_user(call.ports.desk, call.actor, new, call.key), made=True)


@TABLE.route("GET", "/users/{id}", tag=TAG, summary="One user", answer=s.UserSchema, etag=True, roles=ADMINISTRATOR)
def get_user(call: Call) -> Answer:
    """A user."""
    return _user(identity.user(call.ports.desk, call.params["id"]))


@TABLE.route(
    "PATCH",
    "/users/{id}",
    tag=TAG,
    summary="Correct a user, set a new password, or switch the user off",
    body=s.UserChangeSchema,
    answer=s.UserSchema,
    etag=True,
    if_match="needed",
    roles=ADMINISTRATOR,
)
def change_user(call: Call) -> Answer:
    """A new password or `active: false` ends all sign-ins."""
    change = UserChange(**call.body)
    return _user(identity.change_user(call.ports.desk, call.params["id"], change, call.expected_version))


def _user(user: User, *, made: bool = False) -> Answer:
    return Answer(vars(user), version=user.version, location=f"{BASE}/users/{user.id}" if made else None)


@TABLE.route(
    "GET",
    "/memberships",
    tag=TAG,
    summary="List memberships",
    query=s.MembershipsQuery,
    answer=s.MembershipPageSchema,
    roles=ADMINISTRATOR,
)
def list_memberships(call: Call) -> Answer:
    """Memberships, the newest first."""
    query = call.query
    found = identity.memberships(
        call.ports.desk, _lower(query.get("user_id")), query.get("role"), query["page"], query["size"]
    )
    return _page(call, found)


@TABLE.route(
    "POST",
    "/memberships",
    tag=TAG,
    summary="Give a user an office",
    body=s.NewMembershipSchema,
    answer=s.MembershipSchema,
    status=201,
    etag=True,
    roles=ADMINISTRATOR,
)
def grant_membership(call: Call) -> Answer:
    """The tenant must exist and be of the kind that the role needs."""
    body = call.body
    membership = Membership(
        id=str(uuid.uuid4()),
        user_id=body["user_id"].lower(),
        role=body["role"],
        municipality=body.get("municipality"),
        authority=body.get("authority"),
        organisation_id=_lower(body.get("organisation_id")),
        valid_from=date.fromisoformat(body["valid_from"]),
        valid_to=_date(body.get("valid_to")),
        version=1,
    )
    _demand_tenant(call, membership)
    return _membership(identity.grant_membership(call.ports.desk, call.actor, membership, call.key), made=True)


def _demand_tenant(call: Call, membership: Membership) -> None:
    """The registry knows the municipality, the civil authority or the organisation."""
    try:
        if membership.municipality is not None:
            call.ports.registry.get_municipality(code=membership.municipality)
    except NotFound:
        raise Invalid.field("municipality", Sentence("There is no such municipality.")) from None
    try:
        if membership.authority is not None:
            call.ports.registry.get_authority(code=membership.authority)
    except NotFound:
        raise Invalid.field("authority", Sentence("There is no such civil authority.")) from None
    try:
        if membership.organisation_id is not None:
            call.ports.registry.get_organisation(organisation_id=membership.organisation_id)
    except NotFound:
        raise Invalid.field("organisation_id", Sentence("There is no such organisation.")) from None


@TABLE.route(
    "GET",
    "/memberships/{id}",
    tag=TAG,
    summary="One membership",
    answer=s.MembershipSchema,
    etag=True,
    roles=ADMINISTRATOR,
)
def get_membership(call: Call) -> Answer:
    """A membership."""
    return _membership(identity.membership(call.ports.desk, call.params["id"]))


@TABLE.route(
    "PATCH",
    "/memberships/{id}",
    tag=TAG,
    summary="Set the last day of an office",
    body=s.MembershipChangeSchema,
    answer=s.MembershipSchema,
    etag=True,
    if_match="needed",
    roles=ADMINISTRATOR,
)
def end_membership(call: Call) -> Answer:
    """Delegations of the membership end with it."""
    valid_to = _date(call.body["valid_to"])
    return _membership(identity.end_membership(call.ports.desk, call.params["id"], valid_to, call.expected_version))


def _membership(membership: Membership, *, made: bool = False) -> Answer:
    location = f"{BASE}/memberships/{membership.id}" if made else None
    return Answer(vars(membership), version=membership.version, location=location)


@TABLE.route(
    "GET",
    "/delegations",
    tag=TAG,
    summary="List delegations",
    query=s.DelegationsQuery,
    answer=s.DelegationPageSchema,
    roles=ADMINISTRATOR,
)
def list_delegations(call: Call) -> Answer:
    """Delegations, the newest first."""
    query = call.query
    found = identity.delegations(
        call.ports.desk,
        _lower(query.get("to_user_id")),
        _lower(query.get("from_membership_id")),
        query["page"],
        query["size"],
    )
    return _page(call, found)


@TABLE.route(
    "POST",
    "/delegations",
    tag=TAG,
    summary="Let a user act for the holder of a membership",
    body=s.NewDelegationSchema,
    answer=s.DelegationSchema,
    status=201,
    etag=True,
    roles=ADMINISTRATOR,
)
def delegate(call: Call) -> Answer:
    """Within dates, scope and a legal basis."""
    body = call.body
    delegation = Delegation(
        id=str(uuid.uuid4()),
        from_membership_id=body["from_membership_id"].lower(),
        to_user_id=body["to_user_id"].lower(),
        valid_from=date.fromisoformat(body["valid_from"]),
        valid_to=date.fromisoformat(body["valid_to"]),
        scope=body["scope"].strip(),
        basis=body["basis"].strip(),
        version=1,
    )
    _demand_moves(call, delegation)
    return _delegation(identity.delegate(call.ports.desk, call.actor, delegation, call.key), made=True)


def _demand_moves(call: Call, delegation: Delegation) -> None:
    """The procedure knows every move that the delegation names."""
    named = moves_of(delegation.scope)
    if not named:
        return
    known = {move["name"] for move in call.ports.protocols.procedure(name="protocol")["moves"]}
    strange = [name for name in named if name not in known]
    if strange:
        raise Invalid.field("scope", Sentence("There is no move called {name}.", name=", ".join(strange)))


@TABLE.route(
    "GET",
    "/delegations/{id}",
    tag=TAG,
    summary="One delegation",
    answer=s.DelegationSchema,
    etag=True,
    roles=ADMINISTRATOR,
)
def get_delegation(call: Call) -> Answer:
    """A delegation."""
    return _delegation(identity.delegation(call.ports.desk, call.params["id"]))


@TABLE.route(
    "PATCH",
    "/delegations/{id}",
    tag=TAG,
    summary="Set the last day of a delegation",
    body=s.DelegationChangeSchema,
    answer=s.DelegationSchema,
    etag=True,
    if_match="needed",
    roles=ADMINISTRATOR,
)
def end_delegation(call: Call) -> Answer:
    """A day in the past ends it at once."""
    valid_to = date.fromisoformat(call.body["valid_to"])
    return _delegation(identity.end_delegation(call.ports.desk, call.params["id"], valid_to, call.expected_version))


def _delegation(delegation: Delegation, *, made: bool = False) -> Answer:
    location = f"{BASE}/delegations/{delegation.id}" if made else None
    return Answer(vars(delegation), version=delegation.version, location=location)


def _page(call: Call, found: identity.Found[Any]) -> Answer:
    return Answer(
        {
            "items": [vars(item) for item in found.items],
            "page": call.query["page"],
            "size": call.query["size"],
            "total": found.total,
        }
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _lower(identifier: str | None) -> str | None:
    return None if identifier is None else identifier.lower()
