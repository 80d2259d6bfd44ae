"""The route table and the way of one request through it.

Refusals come in this order: no such path (404), no such method (405), no sign-in (401),
no office or the wrong one (403), bad input (422), a missing version (428); then the
service that owns the thing decides. Every answer leaves through the schema that the
OpenAPI document shows.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO, ClassVar, TypeVar
from urllib.parse import parse_qsl

from marshmallow import Schema
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.exceptions import MethodNotAllowed as WrongMethod
from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.wrappers import Request, Response

from services.gateway import fields
from services.gateway.errors import (
    TITLE,
    MethodNotAllowed,
    PayloadTooLarge,
    PreconditionRequired,
    Throttled,
    Unauthenticated,
    UnsupportedMediaType,
    status_of,
)
from services.gateway.identity import application as identity
from services.gateway.identity.application import Desk, SignedIn
from services.gateway.rate import Rate
from services.kernel.actor import PETITIONER, Actor
from services.kernel.errors import Conflict, Forbidden, ImeceError, Invalid, NotFound, Unavailable
from services.kernel.text import Sentence
from services.runtime import log
from services.runtime.clockwork import Time
from services.runtime.form import Form, Sent, Taking
from services.runtime.language import LANGUAGES, say
from services.runtime.schema import load
from services.runtime.settings import Settings
from services.runtime.web import RECEIVED

LOG = logging.getLogger(__name__)

BASE = "/api/v1"
JSON = "application/json"
PROBLEM = "application/problem+json"
ANY_SCOPE = "*"

_KEY = re.compile(r"[\x20-\x7e]{1,200}\Z")
_VERSION = re.compile(r'"(\d{1,9})"\Z', re.ASCII)
_MEMBERSHIP = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_PETITION_KEY = re.compile(r"[0-9A-Za-z-]{20,64}\Z", re.ASCII)
_MOST_PARAMETERS = 50
_PIECE = 64 * 1024
_SOON = 5
"""Seconds after which it is worth trying again what was not available."""


@dataclass(frozen=True)
class Ports:
    """What the handlers reach through the door."""

    registry: Any
    protocols: Any
    petitions: Any
    notifications: Any
    desk: Desk
    settings: Settings
    time: Time
    readiness: Callable[[], Mapping[str, bool]]
    move_demo_clock: Callable[[datetime], None]


@dataclass(frozen=True)
class Download:
    """A file that is sent piece by piece; `compressed` opens the same packed by gzip, for callers who take that.

    `sha256` is the file's and its ETag, `size` and `compressed_size` are in bytes. `media_type` is of this one
    file, where the route's own says only that there are several.
    """

    plain: Callable[[], BinaryIO]
    sha256: str
    size: int
    compressed: Callable[[], BinaryIO] | None = None
    compressed_size: int = 0
    media_type: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a handler gives back; JSON by default, a Download for a file.

    `version` becomes the ETag, `location` the address of what was made.
    """

    data: Any = None
    status: int | None = None
    version: int | None = None
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request, understood: who calls, from which office, and what is asked.

    `body` is JSON as it came, checked by the route's schema; `query` and a form have their values read.
    """

    route: Route
    ports: Ports
    table: Table
    language: str
    address: str
    params: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    key: str
    key_given: bool
    expected_version: int | None
    signed: SignedIn | None
    office: Actor | None
    petition_key: str | None = None

    @property
    def anyone(self) -> dict[str, Any]:
        """Who acts on a route that is open to anyone: the office, or a petitioner, as it travels to the services."""
        acting = self.office or Actor(PETITIONER, self.signed.user.id if self.signed else None)
        return acting.to_plain()

    @property
    def actor(self) -> Actor:
        """The office that acts; only on routes that need one."""
        if self.office is None:
            message = f"{self.route.name} is open to callers without an office"
            raise LookupError(message)
        return self.office

    @property
    def who(self) -> dict[str, Any]:
        """The acting office as it travels to the services."""
        return self.actor.to_plain()

    @property
    def caller(self) -> SignedIn:
        """The person who signed in; only on routes that need a sign-in."""
        if self.signed is None:
            message = f"{self.route.name} is open to callers without a sign-in"
            raise LookupError(message)
        return self.signed


T = TypeVar("T")
Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One row of the table: everything that the dispatcher and the OpenAPI document need to know."""

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    description: str
    answer: type[Schema] | None
    status: int
    query: type[Schema] | None
    body: type[Schema] | None
    body_optional: bool
    access: str
    roles: tuple[str, ...]
    if_match: str
    etag: bool
    command: str | None
    content_type: str
    also: Mapping[int, type[Schema] | None]
    when: Callable[[Settings], bool] | None
    upload: Callable[[Settings], int] | None = None
    rate: Rate | None = None
    any_body: bool = False

    @property
    def name(self) -> str:
        """The handler's name, also the OpenAPI operation id."""
        return self.handler.__name__

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    def exists(self, settings: Settings) -> bool:
        """Whether the path is there under these settings."""
        return self.when is None or self.when(settings)


class Table:
    """The routes, in the order in which they are documented."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self.routes: list[Route] = list(routes)

    def route(
        self,
        method: str,
        path: str,
        *,
        tag: str,
        summary: str,
        description: str = "",
        answer: type[Schema] | None = None,
        status: int = 200,
        query: type[Schema] | None = None,
        body: type[Schema] | None = None,
        body_optional: bool = False,
        access: str = "office",
        roles: Sequence[str] = (),
        if_match: str = "none",
        etag: bool = False,
        command: str | None = None,
        content_type: str = JSON,
        also: Mapping[int, type[Schema] | None] | None = None,
        base: str = BASE,
        when: Callable[[Settings], bool] | None = None,
        upload: Callable[[Settings], int] | None = None,
        rate: Rate | None = None,
        any_body: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Add a handler.

        `access`: "public", "anyone" (a sign-in counts where there is one), "user" (signed in) or "office"
        (signed in and acting from one).
        `roles`: the offices that may come in; none means every one.
        `if_match`: "none", "needed" or "honoured".
        `command`: the name under which a delegation may allow it; by default the handler's;
        ANY_SCOPE where every delegation does, or the service knows better.
        `also`: further statuses that the handler itself gives.
        `when`: the settings under which the path exists.
        `upload`: where the body is a form with files, how many bytes it may have. The schema then says which
        field is a file (`fields.File`); the caller is admitted before the form is read; `call.body` holds
        the form's values as the schema read them, each file as `form.Sent`.
        `rate`: how often one address may come without a sign-in; with `access` "office", how often one office may.
        `any_body`: the body is not looked at, whatever it is.
        """

        def add(handler: Handler) -> Handler:
            self.routes.append(
                Route(
                    method,
                    f"{base}{path}",
                    handler,
                    tag,
                    summary,
                    description,
                    answer,
                    status,
                    query,
                    body,
                    body_optional,
                    access,
                    tuple(roles),
                    if_match,
                    etag,
                    command,
                    content_type,
                    dict(also or {}),
                    when,
                    upload,
                    rate,
                    any_body,
                )
            )
            return handler

        return add


class _Shaped(BaseConverter):
    part_isolating = True
    shape: ClassVar[dict[str, Any]]


class _IdConverter(_Shaped):
    regex = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    shape: ClassVar[dict[str, Any]] = {"type": "string", "format": "uuid"}

    def to_python(self, value: str) -> str:
        return value.lower()


class _CodeConverter(_Shaped):
    regex = r"[0-9]{2}-[0-9]{2,3}"
    shape: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[0-9]{2}-[0-9]{2,3}$", "examples": ["34-35"]}


class _WordConverter(_Shaped):
    regex = r"[a-z][a-z0-9_]{0,63}"
    shape: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"}


class _NumberConverter(_Shaped):
    regex = r"[1-9][0-9]{0,8}"
    shape: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[1-9][0-9]{0,8}$", "examples": ["2"]}


class _TokenConverter(_Shaped):
    regex = r"[a-z2-7]{26}"
    shape: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[a-z2-7]{26}$"}


class _TrackingConverter(_Shaped):
    regex = r"[0-9A-Za-z][0-9A-Za-z-]{24,38}[0-9A-Za-z]"
    shape: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": "^[0-9A-Za-z][0-9A-Za-z-]{24,38}[0-9A-Za-z]$",
        "examples": ["8KQ2V-3M7ZD-0TXCB-RH5WN-9G4FYJ"],
    }


_CONVERTERS: dict[str, type[_Shaped]] = {
    "id": _IdConverter,
    "code": _CodeConverter,
    "word": _WordConverter,
    "number": _NumberConverter,
    "tracking": _TrackingConverter,
    "token": _TokenConverter,
}
_KINDS = {
    "code": "code",
    "move": "word",
    "name": "word",
    "row": "number",
    "support_token": "token",
    "tracking_code": "tracking",
}
_PARAMETER = re.compile(r"\{(\w+)\}")


def parameters(path: str) -> list[tuple[str, dict[str, Any]]]:
    """The parameters of a path template with their JSON schemas."""
    return [(name, _CONVERTERS[_KINDS.get(name, "id")].shape) for name in _PARAMETER.findall(path)]


class Gateway:
    """Takes a request through the table; holds no state besides the table."""

    def __init__(self, table: Table, describe: Callable[[Table, Settings], dict[str, Any]]) -> None:
        self.table = table
        self._describe = describe
        self._routes = {route.name: route for route in table.routes}
        if len(self._routes) != len(table.routes):
            message = "two routes have handlers of the same name"
            raise ValueError(message)
        self._map = Map(
            [
                Rule(
                    _PARAMETER.sub(lambda m: f"<{_KINDS.get(m[1], 'id')}:{m[1]}>", route.path),
                    methods=[route.method],
                    endpoint=route.name,
                )
                for route in table.routes
            ],
            converters=dict(_CONVERTERS),
            merge_slashes=False,
        )

    def openapi(self, settings: Settings | None = None) -> dict[str, Any]:
        """The OpenAPI document; by default of all routes, also of those that a setting switches on."""
        return self._describe(self.table, settings or Settings(demo_clock=True))

    def handle(self, request: Request, ports: Ports) -> Response:
        """The answer to `request`, whatever happens."""
        language = preferred_language(request.headers.get("Accept-Language"), ports.settings.language)
        return _sealed(_guarded(request, language, lambda: self._answer(request, ports, language)), language)

    def announced(self, request: Request, ports: Ports) -> Response | Taking | None:
        """What to do with a form by its header alone, see `runtime.web.http_door`.

        A refusal, where the route takes files; None for all the others, which answer as to any body.
        """
        try:
            route, _ = self._match(request, ports.settings)
        except ImeceError:
            return None
        if route.upload is None:
            return None
        taking = Taking(route.upload(ports.settings), ports.settings.documents)

        def admit() -> Response | Taking:
            _admit(route, request, ports)
            _query(route, request)
            _expected_version(route, request)
            _key(route, request)
            return taking

        language = preferred_language(request.headers.get("Accept-Language"), ports.settings.language)
        answer = _guarded(request, language, admit)
        return answer if isinstance(answer, Taking) else _sealed(answer, language)

    def _answer(self, request: Request, ports: Ports, language: str) -> Response:
        route, params = self._match(request, ports.settings)
        request.environ["imece.route"] = route.path
        signed, office = _admit(route, request, ports)
        query = _query(route, request)
        body = _body(route, request)
        expected_version = _expected_version(route, request)
        key = _key(route, request)
        call = Call(
            route=route,
            ports=ports,
            table=self.table,
            language=language,
            address=request.remote_addr or "",
            params=params,
            query=query,
            body=body,
            key=key or str(uuid.uuid4()),
            key_given=key is not None,
            expected_version=expected_version,
            signed=signed,
            office=office,
            petition_key=_petition_key(request),
        )
        return _respond(call, route.handler(call), request)

    def _match(self, request: Request, settings: Settings) -> tuple[Route, Mapping[str, str]]:
        request.environ["imece.route"] = "unknown"
        adapter = self._map.bind("imece")
        try:
            name, params = adapter.match(request.path, request.method)
        except WrongMethod as error:
            allowed = [
                method
                for method in error.valid_methods or ()
                if self._routes[adapter.match(request.path, method)[0]].exists(settings)
            ]
            if not allowed:
                raise _nothing_here() from None
            request.environ["imece.route"] = "wrong method"
            raise MethodNotAllowed(allowed) from None
        except HTTPException:
            raise _nothing_here() from None
        route = self._routes[name]
        if not route.exists(settings):
            raise _nothing_here()
        return route, params


def _guarded(request: Request, language: str, act: Callable[[], T]) -> T | Response:
    """What `act` gives; the problem as an answer when it raises, whatever it is."""
    try:
        return act()
    except RequestEntityTooLarge:
        return problem(PayloadTooLarge(), language)
    except HTTPException as error:
        return _unreadable(error, language)
    except ImeceError as error:
        return problem(error, language)
    except Exception as error:  # noqa: BLE001 - the last line of defence; the caller gets an id, we get the place
        _report(error, request)
        return problem(error, language)


def _nothing_here() -> NotFound:
    return NotFound(Sentence("There is nothing at this address."))


def _admit(route: Route, request: Request, ports: Ports) -> tuple[SignedIn | None, Actor | None]:
    """Who calls and from which office, as far as the route needs to know."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if route.access == "public" or (route.access == "anyone" and not kind):
        if route.rate is not None and RECEIVED not in request.environ:  # a form was counted when it was announced
            route.rate.take(route.name, request.remote_addr or "", ports.settings)
        return None, None
    if kind.lower() != "bearer" or not token:
        raise Unauthenticated(
            Sentence("Sign in first: POST /api/v1/sessions gives a token for the header Authorization: Bearer …")
        )
    signed = identity.signed_in(ports.desk, token)
    acting_as = _acting_as(request)
    seat = identity.choose_seat(signed, acting_as)
    if route.access == "user" or (route.access == "anyone" and not signed.seats):
        return signed, seat.actor(signed.user.id) if seat else None
    if not signed.seats:
        raise Forbidden(Sentence("You hold no office today, so there is nothing you may do here."), code="no_office")
    if seat is None and acting_as is None:
        raise Forbidden(
            Sentence("You hold several offices. Say in the header Imece-Acting-As which membership acts."),
            code="office_not_chosen",
        )
    if seat is None:
        raise Forbidden(
            Sentence("The membership in Imece-Acting-As is not one of yours today."), code="not_your_office"
        )
    actor = seat.actor(signed.user.id)
    _admit_office(route, actor, ports.settings)
    return signed, actor


def _admit_office(route: Route, actor: Actor, settings: Settings) -> None:
    """Whether this office may come in by this route, now, under the delegation that it acts by."""
    if route.roles and actor.role not in route.roles:
        raise Forbidden(Sentence("Your office may not do this."), code="wrong_office")
    if route.rate is not None and route.access == "office":
        route.rate.take_for_office(route.name, actor.office, settings)
    command = route.command or route.name
    if route.writes and actor.scope and command not in (ANY_SCOPE, *actor.scope):
        raise Forbidden(Sentence("The delegation under which you act does not cover this."), code="outside_delegation")


def _petition_key(request: Request) -> str | None:
    text = request.headers.get("Imece-Petition-Key")
    if text is not None and _PETITION_KEY.match(text) is None:
        raise Invalid(
            Sentence("Imece-Petition-Key holds the key that was given when the petition was submitted."),
            code="malformed_petition_key",
        )
    return text


def _acting_as(request: Request) -> str | None:
    text = request.headers.get("Imece-Acting-As")
    if text is not None and _MEMBERSHIP.match(text) is None:
        raise Invalid(Sentence("Imece-Acting-As holds the id of one of your memberships."), code="malformed_acting_as")
    return text


def _query(route: Route, request: Request) -> Mapping[str, Any]:
    """The query parameters, read and checked; unknown and repeated ones are refused."""
    try:
        pairs = parse_qsl(
            request.query_string.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        raise Invalid(Sentence("The query of this address cannot be read."), code="malformed_query") from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise Invalid.field(name, Sentence("This is given more than once."))
        given[name] = value
    _demand_holdable(given)
    if route.query is None:
        if given:
            raise Invalid.fields([(name, Sentence("This field is not known here.")) for name in given])
        return {}
    return load(_schema(route.query), given)


def _body(route: Route, request: Request) -> Mapping[str, Any]:
    """The JSON body, checked by the route's schema and otherwise as it came."""
    if not route.writes or route.any_body:
        return {}
    if route.upload is not None:
        return _form(route, request)
    raw = request.get_data(cache=False)
    if route.body is None:
        if raw.strip() not in (b"", b"{}"):
            raise Invalid(Sentence("This address takes no body."), code="unexpected_body")
        return {}
    if not raw:
        if route.body_optional:
            load(_schema(route.body), {})
            return {}
        raise Invalid(Sentence("This address needs a JSON body."), code="body_missing")
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    body = _json(raw)
    if not isinstance(body, dict):
        raise Invalid(Sentence("The body must be a JSON object."), code="malformed_json")
    _demand_holdable(body)
    load(_schema(route.body), body)
    return body


def _form(route: Route, request: Request) -> Mapping[str, Any]:
    """The form's values as the route's schema reads them."""
    received = request.environ.get(RECEIVED)
    if not isinstance(received, Form):
        if not request.content_length and "Transfer-Encoding" not in request.headers:
            raise Invalid(Sentence("This address needs a form with a file."), code="body_missing")
        raise UnsupportedMediaType(form=True)
    given: dict[str, Any] = {}
    for name, value in received.fields:
        if isinstance(value, Sent) and not value.name and not value.size:
            continue  # so browsers send a file that nobody chose
        if name in given:
            raise Invalid.field(name, Sentence("This is given more than once."))
        given[name] = value
    _demand_holdable({name: value for name, value in given.items() if isinstance(value, str)})
    if route.body is None:
        message = f"{route.name} takes a form without a schema"
        raise LookupError(message)
    return load(_schema(route.body), given)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except _Twin as twin:
        raise Invalid.field(str(twin), Sentence("This is given more than once.")) from None
    except UnicodeDecodeError:
        raise Invalid(Sentence("The body is not UTF-8 text."), code="malformed_json") from None
    except (ValueError, RecursionError):
        raise Invalid(Sentence("The body is not valid JSON."), code="malformed_json") from None


class _Twin(Exception):
    """A name that stands twice in one object."""


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twin(name)
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _demand_holdable(value: Mapping[str, Any]) -> None:
    try:
        path = fields.unholdable(value)
    except RecursionError:
        raise Invalid(Sentence("The body is nested too deeply."), code="malformed_json") from None
    if path is not None:
        raise Invalid.field(path, Sentence("This text holds a character that cannot be stored."))


def _expected_version(route: Route, request: Request) -> int | None:
    if route.if_match == "none":
        return None
    text = request.headers.get("If-Match")
    if text is None:
        if route.if_match == "needed":
            raise PreconditionRequired
        return None
    match = _VERSION.match(text.strip())
    if match is None:
        raise Invalid(
            Sentence('If-Match holds the version number in quotation marks, for example "3".'),
            code="malformed_if_match",
        )
    return int(match[1])


def _key(route: Route, request: Request) -> str | None:
    text = request.headers.get("Idempotency-Key")
    if text is None or route.method != "POST":
        return None
    if _KEY.match(text) is None or not text.strip():
        raise Invalid(
            Sentence("Idempotency-Key holds 1 to 200 letters, digits and signs (ASCII)."),
            code="malformed_idempotency_key",
        )
    return text


def _respond(call: Call, answer: Answer, request: Request) -> Response:
    route = call.route
    status = answer.status or route.status
    headers = dict(answer.headers)
    if answer.location is not None:
        headers["Location"] = answer.location
    if answer.version is not None:
        headers["ETag"] = f'"{answer.version}"'
        if route.method == "GET" and _known(request.headers.get("If-None-Match"), headers["ETag"]):
            return Response(status=304, headers=headers)
    if status == 204:  # noqa: PLR2004 - No Content
        return Response(status=204, headers=headers)
    if isinstance(answer.data, Download):
        return _file(answer.data, route.content_type, headers, request)
    if route.content_type != JSON:
        return Response(answer.data, status, headers, content_type=f"{route.content_type}; charset=utf-8")
    schema = route.also.get(status) or route.answer
    said = localise(answer.data, call.language)
    return _json_response(_schema(schema).dump(said) if schema else said, status, headers)


def _file(download: Download, content_type: str, headers: dict[str, str], request: Request) -> Response:
    """The file in pieces, so that memory stays flat however large it is."""
    packed = download.compressed is not None and request.accept_encodings["gzip"] > 0
    # Each form has a tag of its own; a caller who knows either knows the content.
    headers["ETag"] = f'"{download.sha256}-gzip"' if packed else f'"{download.sha256}"'
    if download.compressed is not None:
        headers["Vary"] = "Accept-Encoding"
    known = request.headers.get("If-None-Match")
    if _known(known, f'"{download.sha256}"') or _known(known, f'"{download.sha256}-gzip"'):
        return Response(status=304, headers=headers)
    headers["Content-Length"] = str(download.compressed_size if packed else download.size)
    if packed:
        headers["Content-Encoding"] = "gzip"
    stream = download.compressed() if packed and download.compressed is not None else download.plain()
    content_type = download.media_type or content_type
    charset = "; charset=utf-8" if content_type.startswith("text/") else ""
    response = Response(_pieces(stream), 200, headers, content_type=content_type + charset)
    response.call_on_close(stream.close)
    return response


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece


@cache
def _schema(kind: type[Schema]) -> Schema:
    """One instance of each schema; making one costs more than using it."""
    return kind()


def _known(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


def _json_response(data: Any, status: int, headers: Mapping[str, str], content_type: str = JSON) -> Response:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, dict(headers), content_type=content_type)


def localise(value: Any, language: str) -> Any:
    """`value` with every sentence in it said in `language`.

    A plain sentence becomes text; one with an `article` becomes `{message, article}`;
    an object that holds the same in both languages becomes the one asked for.
    """
    if isinstance(value, Mapping):
        if "template" in value:
            spoken = say(value, language)
            return {"message": spoken, "article": value["article"]} if "article" in value else spoken
        if len(value) == len(LANGUAGES) and all(each in value for each in LANGUAGES):
            return localise(value[language], language)
        return {name: localise(inner, language) for name, inner in value.items()}
    if isinstance(value, Sentence):
        return say(value, language)
    if isinstance(value, (list, tuple)):
        return [localise(inner, language) for inner in value]
    return value


def preferred_language(header: str | None, default: str) -> str:
    """Turkish or English, whichever the caller likes better; `default` when neither is asked for."""
    best, best_quality = default, 0.0
    for part in (header or "").split(","):
        name, _, parameters_ = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        quality = _quality(parameters_)
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best


def _quality(text: str) -> float:
    match = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", text)
    return float(match[1]) if match else 0.0 if text.strip() else 1.0


def problem(error: Exception, language: str) -> Response:
    """The error as `application/problem+json`; one that nobody decided on shows its correlation id only."""
    status = status_of(error) if isinstance(error, ImeceError) else None
    if status is None or not isinstance(error, ImeceError):
        return _problem(
            500,
            "internal_error",
            Sentence("Something went wrong on our side. Tell us this number: {id}", id=log.correlation_id() or "-"),
            language,
        )
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if "errors" in error.details:
        more["errors"] = [
            {"field": each["field"], "message": localise(each["message"], language)} for each in error.details["errors"]
        ]
    if "reasons" in error.details:
        more["reasons"] = [_reason(each, language) for each in error.details["reasons"]]
    if isinstance(error, Conflict) and "version" in error.details:
        more["version"] = error.details["version"]
        headers["ETag"] = f'"{error.details["version"]}"'
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(error.seconds)
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(_SOON)
    return _problem(status, error.stable_code, error.message, language, more=more, headers=headers)


def _problem(
    status: int,
    code: str,
    detail: Sentence,
    language: str,
    *,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    document = {
        "type": "about:blank",
        "title": say(TITLE[status], language),
        "status": status,
        "code": code,
        "detail": say(detail, language),
        **(more or {}),
    }
    identifier = log.correlation_id()
    if identifier is not None:
        document["correlation_id"] = identifier
    return _json_response(document, status, headers or {}, PROBLEM)


def _reason(reason: Any, language: str) -> dict[str, Any]:
    said = localise(reason, language)
    return said if isinstance(said, dict) else {"message": said}


def _unreadable(error: HTTPException, language: str) -> Response:
    """Werkzeug could not read the request: 408 and 413 keep their meaning, the rest is 400."""
    if error.code == 408:  # noqa: PLR2004 - Request Timeout
        return _problem(408, "request_timeout", Sentence("The request did not arrive in time."), language)
    return _problem(400, "unreadable_request", Sentence("The request cannot be read."), language)


def _report(error: Exception, request: Request) -> None:
    """Log where it broke; the exception's own text may hold persons' data and is left out."""
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    LOG.error(
        "unexpected %s",
        type(error).__name__,
        extra={"method": request.method, "route": request.environ.get("imece.route"), "frames": "".join(frames)},
    )


_SEALS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def _sealed(response: Response, language: str) -> Response:
    """Headers of every answer: nothing is cached, framed, guessed at or sent on."""
    for name, value in _SEALS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Content-Language", language)
    response.headers.setdefault("Vary", "Accept-Language, Authorization, Imece-Acting-As, Imece-Petition-Key")
    return response
