"""Petitions that others may sign, and signing them."""

from __future__ import annotations

from services.gateway.http import ANY_SCOPE, BASE, Answer, Call, Table
from services.gateway.pages import support as pages
from services.gateway.rate import Rate
from services.gateway.schemas import PageQuery
from services.gateway.schemas import supports as s
from services.kernel.errors import NotFound, Refused

TABLE = Table()
TAG = "Signatures"
_HOUR, _MINUTE = 3_600, 60
_LOOKS = Rate(lambda settings: settings.tracking_per_minute, _MINUTE)
_PAGE = {"Content-Security-Policy": pages.POLICY}


@TABLE.route(
    "GET",
    "/municipalities/{code}/petitions",
    tag=TAG,
    summary="The petitions to a municipality that their petitioners opened for signatures",
    description="In the petitioners' own public words, from their registration on; nobody is named.",
    query=PageQuery,
    answer=s.SupportedPetitionPageSchema,
    access="public",
    rate=_LOOKS,
)
def list_supported(call: Call) -> Answer:
    """The newest first, with the number of signatures."""
    query = call.query
    found = call.ports.petitions.list_supported(
        municipality=call.params["code"], page=query["page"], size=query["size"]
    )
    return Answer(found)


@TABLE.route(
    "GET",
    "/petitions/{id}/support",
    tag=TAG,
    summary="A petition that can be signed, and how many did",
    answer=s.SupportedPetitionSchema,
    access="public",
    rate=_LOOKS,
)
def get_supported(call: Call) -> Answer:
    """404 also for a petition that its petitioner did not open."""
    return Answer(call.ports.petitions.get_supported(petition_id=call.params["id"]))


@TABLE.route(
    "DELETE",
    "/petitions/{id}/support",
    tag=TAG,
    summary="Close the public part of a petition",
    description="Its public words are erased and it takes no signatures any more; the petition itself goes on. The act "
    "and its reason stand in the petition's history, where the petitioner reads them.",
    body=s.SupportClosingSchema,
    status=204,
    roles=("registry_clerk",),
    also={409: None},
)
def close_support(call: Call) -> Answer:
    """For words that may not stand in public, such as those about a person."""
    call.ports.petitions.close_support(
        actor=call.who, petition_id=call.params["id"], reason=call.body["reason"], key=call.key
    )
    return Answer()


@TABLE.route(
    "POST",
    "/petitions/{id}/supports",
    tag=TAG,
    summary="Sign a petition",
    description="With a sign-in it counts at once, and the answer holds the word that takes it back. Without one a "
    "mail asks the address to confirm; the answer is the same whether or not the address signed before. Everyone "
    "signs once, so that asking again does no harm. A signature that nobody confirms is erased after seven days.",
    body=s.NewSupportSchema,
    answer=s.SupportAskedSchema,
    status=202,
    access="anyone",
    command=ANY_SCOPE,
    rate=Rate(lambda settings: settings.petitions_per_hour, _HOUR),
)
def request_support(call: Call) -> Answer:
    """The state of the wish to sign."""
    user = call.signed.user if call.signed else None
    asked = call.ports.petitions.request_support(
        petition_id=call.params["id"],
        request={"language": call.language, **call.body},
        user_id=user.id if user else None,
        account_email=user.email if user else None,
    )
    return Answer(asked, location=f"{BASE}/petitions/{call.params['id']}/support")


@TABLE.route(
    "POST",
    "/supports/{support_token}/confirmation",
    tag=TAG,
    summary="Confirm a signature with the word that was mailed",
    answer=s.SupportSchema,
    access="public",
    also={409: None},
)
def confirm_support(call: Call) -> Answer:
    """Once or several times is the same."""
    return Answer(call.ports.petitions.confirm_support(token=call.params["support_token"]))


@TABLE.route(
    "DELETE",
    "/supports/{support_token}",
    tag=TAG,
    summary="Take a signature back",
    status=204,
    access="public",
)
def withdraw_support(call: Call) -> Answer:
    """Nothing of it remains."""
    call.ports.petitions.withdraw_support(token=call.params["support_token"])
    return Answer()


@TABLE.route(
    "GET",
    "/support/{support_token}",
    tag=TAG,
    summary="The page behind the link that is mailed",
    description="It asks before anything is done: programs that look at mails open links too.",
    access="public",
    base="",
    content_type="text/html",
)
def support_page(call: Call) -> Answer:
    """Says so where the link is not valid any more."""
    try:
        found = call.ports.petitions.support_of(token=call.params["support_token"])
    except NotFound as error:
        return Answer(pages.said(error.message, call.language), headers=_PAGE)
    return Answer(pages.page(found, call.params["support_token"], call.language), headers=_PAGE)


@TABLE.route(
    "POST",
    "/support/{support_token}/confirmation",
    tag=TAG,
    summary="Confirm a signature from its page",
    access="public",
    base="",
    content_type="text/html",
)
def confirm_on_page(call: Call) -> Answer:
    """The page, which now thanks."""
    try:
        found = call.ports.petitions.confirm_support(token=call.params["support_token"])
    except (NotFound, Refused) as error:
        return Answer(pages.said(error.message, call.language), headers=_PAGE)
    return Answer(pages.page(found, call.params["support_token"], call.language), headers=_PAGE)


@TABLE.route(
    "POST",
    "/support/{support_token}/withdrawal",
    tag=TAG,
    summary="Take a signature back from its page",
    access="public",
    base="",
    content_type="text/html",
)
def withdraw_on_page(call: Call) -> Answer:
    """A page that says that nothing of it remains."""
    try:
        call.ports.petitions.withdraw_support(token=call.params["support_token"])
    except NotFound as error:
        return Answer(pages.said(error.message, call.language), headers=_PAGE)
    return Answer(pages.said(pages.WITHDRAWN, call.language), headers=_PAGE)
