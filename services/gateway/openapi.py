"""The OpenAPI 3.1 document, made from the route table and the schemas that answer."""

from __future__ import annotations

from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields

from services.gateway import schemas
from services.gateway.errors import TITLE
from services.gateway.fields import File, Identifier, Pattern
from services.gateway.http import JSON, PROBLEM, Route, Table, parameters
from services.kernel.text import Sentence
from services.runtime.form import MIMETYPE as FORM
from services.runtime.language import say
from services.runtime.settings import Settings

VERSION = "1.0.0"
TAGS = {
    "Identity": Sentence("Signing in, offices, and who may act for whom."),
    "Reference": Sentence("Municipalities, their councils and civil authorities."),
    "Registry": Sentence("Organisations, their dated statuses, and what article 75 asks of them."),
    "Expertise": Sentence("What organisations offer to municipalities, and the documents that show it."),
    "Open data": Sentence("All organisations in files for everyone, made every night, without persons."),
    "Imports": Sentence("Whole lists: what a file would change, applying it, taking it back."),
    "Petitions": Sentence("Petitions, information requests and proposals, from filing to a reasoned answer."),
    "Signatures": Sentence("Petitions that others may sign; numbers are public, names are not."),
    "Strategic plan": Sentence("What a municipality plans, what it reports, and what is proposed to it."),
    "Protocols": Sentence("Cooperation protocols from draft to force, with their legal clocks."),
    "Work queues": Sentence("What the caller's office must do next."),
    "Calendar": Sentence("Working days, holidays and deadlines."),
    "Events and notifications": Sentence("What happened, and what the caller's office was told."),
    "System": Sentence("Health and documentation."),
    "Demo clock": Sentence("Moving the time of a trial installation."),
}
ABOUT = Sentence(
    "Cooperation protocols between municipalities and civil society organisations, run as the law says. "
    "Sign in with POST /api/v1/sessions and send the token as Authorization: Bearer …. "
    "A change of something that exists needs its version in If-Match; every POST takes an Idempotency-Key."
)

_HEADERS: dict[str, dict[str, Any]] = {
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "examples": ["tr", "en"]},
        "description": "tr or en: the language of sentences.",
    },
    "ActingAs": {
        "name": "Imece-Acting-As",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "format": "uuid"},
        "description": "The membership that acts; needed only by those who hold several offices.",
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "pattern": r"^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$",
        },
        "description": "The same key with the same body gives the first answer again; with another body 422.",
    },
    "PetitionKey": {
        "name": "Imece-Petition-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "pattern": "^[0-9A-Za-z-]{20,64}$"},
        "description": "The key that was given when a petition was submitted; it stands for a sign-in as its petitioner.",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$', "examples": ['"3"']},
        "description": "The version that the change is made from, in quotation marks.",
    },
    "IfMatchOptional": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$', "examples": ['"3"']},
        "description": "The version that the change is made from; checked when it is sent.",
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "examples": ['"3"']},
        "description": "The ETag of the version already known; the answer is 304 when it is still current.",
    },
}
_PARAMETER_NAMES = {
    "id": Sentence("The thing's id."),
    "code": Sentence("The municipality's code."),
    "document_id": Sentence("The document's id."),
    "attachment_id": Sentence("The file's id."),
    "status_id": Sentence("The status's id."),
    "clock_id": Sentence("The clock's id."),
    "move": Sentence("The name of the move."),
    "row": Sentence("The row's number in the file."),
    "name": Sentence("The name of the procedure."),
    "token": Sentence("The token of a mail."),
    "tracking_code": Sentence("The petition's tracking code."),
    "unit_id": Sentence("The unit's id."),
    "support_token": Sentence("The word that was mailed to whoever signed."),
}
_MEANING: dict[int, Sentence] = {
    200: Sentence("Done"),
    201: Sentence("Made"),
    202: Sentence("Taken; the work goes on after this answer"),
    204: Sentence("Done; there is nothing to say"),
    304: Sentence("Still the version that you know"),
    **TITLE,
}


_SECURITY: dict[str, list[dict[str, list[str]]]] = {"public": [], "anyone": [{}, {"bearer": []}]}


@cache
def document(table: Table, settings: Settings, language: str = "en") -> dict[str, Any]:
    """The document for the routes that exist under these settings; sentences in `language`."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec(
        title="İmece",
        version=VERSION,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": say(ABOUT, language)},
        servers=[{"url": "/"}],
        tags=[{"name": name, "description": say(about, language)} for name, about in TAGS.items()],
    )
    if plugin.converter is None:
        message = "apispec did not start its marshmallow plugin"
        raise RuntimeError(message)
    converter: Any = plugin.converter
    converter.add_attribute_function(_described)
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for name, header in _HEADERS.items():
        spec.components.parameter(name, "header", {k: v for k, v in header.items() if k != "in"})
    spec.components.schema("Problem", schema=schemas.ProblemSchema)
    for route in table.routes:
        if route.exists(settings):
            spec.path(path=route.path, operations={route.method.lower(): _operation(route, language)})
    return spec.to_dict()


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


def _described(_converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """What apispec does not tell of our own kinds of fields."""
    found: dict[str, Any] = {}
    patterns = [each for each in field.validators if isinstance(each, Pattern)]
    if patterns:
        found["pattern"] = str(patterns[-1].regex.pattern).replace(r"\Z", "$")
    if isinstance(field, Identifier):
        found["format"] = "uuid"
    if isinstance(field, File):
        found |= {"type": "string", "format": "binary"}
    return found


def _operation(route: Route, language: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": say(Sentence(_escaped(route.summary)), language),
        "parameters": _parameters(route, language),
        "responses": _responses(route, language),
        "security": _SECURITY.get(route.access, [{"bearer": []}]),
    }
    about = [say(Sentence(_escaped(route.description)), language)] if route.description else []
    if route.roles:
        about.append(say(Sentence("Offices: {roles}.", roles=", ".join(route.roles)), language))
    if about:
        operation["description"] = " ".join(about)
    if route.body is not None:
        operation["requestBody"] = {
            "required": not route.body_optional,
            "content": {JSON if route.upload is None else FORM: {"schema": route.body}},
        }
    return operation


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _parameters(route: Route, language: str) -> list[Any]:
    found: list[Any] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": shape,
            "description": say(_PARAMETER_NAMES[name], language),
        }
        for name, shape in parameters(route.path)
    ]
    if route.query is not None:
        found.append({"in": "query", "schema": route.query})
    found.append("AcceptLanguage")
    if route.access != "public":
        found.append("ActingAs")
    if route.access == "anyone":
        found.append("PetitionKey")
    if route.method == "POST":
        found.append("IdempotencyKey")
    if route.if_match != "none":
        found.append("IfMatch" if route.if_match == "needed" else "IfMatchOptional")
    if route.etag and route.method == "GET":
        found.append("IfNoneMatch")
    return found


def _responses(route: Route, language: str) -> dict[str, Any]:
    return {
        str(status): _response(route, status, language)
        for status in sorted(
            {route.status, *route.also, *refusals(route), *([304] if route.etag and route.method == "GET" else [])}
        )
    }


def refusals(route: Route) -> set[int]:
    """Every status above 399 that the route can give, by its row alone."""
    statuses = {422, 500}
    statuses |= {400, 408, 413, 503}  # the door itself: unreadable, too slow, too large, shutting down
    if route.access != "public":
        statuses |= {401, 403}
    if "{" in route.path:
        statuses.add(404)
    if route.writes:
        statuses |= {403, 404, 409} if route.access in ("office", "anyone") else set()
    if route.rate is not None:
        statuses.add(429)
    if route.body is not None:
        statuses.add(415)
    if route.if_match != "none":
        statuses.add(412)
    if route.if_match == "needed":
        statuses.add(428)
    return statuses


def _response(route: Route, status: int, language: str) -> dict[str, Any]:
    response: dict[str, Any] = {"description": say(_MEANING[status], language)}
    headers: dict[str, Any] = {}
    if (status == route.status and route.etag) or status == 304:  # noqa: PLR2004 - Not Modified
        headers["ETag"] = {"schema": {"type": "string"}, "description": "The version in quotation marks."}
    if (status == 201 and route.etag) or status == 202:  # noqa: PLR2004 - Created, Accepted
        headers["Location"] = {"schema": {"type": "string", "format": "uri-reference"}}
    if status in (429, 503):
        headers["Retry-After"] = {"schema": {"type": "integer"}, "description": "Seconds."}
    if headers:
        response["headers"] = headers
    schema: type[Schema] | None = route.also.get(status)
    if status >= 400:  # noqa: PLR2004 - the refusals
        content: dict[str, Any] = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        if schema is not None:
            content = {JSON: {"schema": schema}, **content}
        response["content"] = content
    elif status == route.status and status != 204:  # noqa: PLR2004 - No Content
        if route.content_type != JSON:
            response["content"] = {route.content_type: {"schema": {"type": "string"}}}
        else:
            response["content"] = {JSON: {"schema": route.answer or {"type": ["object", "array"]}}}
    return response
