"""The interface for people: the OpenAPI document as one plain page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from markupsafe import Markup

from services.gateway.pages.frame import framed
from services.kernel.text import Sentence
from services.runtime.language import say


def page(document: Mapping[str, Any], language: str) -> str:
    """The page for an OpenAPI document, whose own sentences are in `language` already."""
    words = _words(language)
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    sections = [
        (tag["name"], tag["description"], [each for each in operations if tag["name"] in each[2]["tags"]])
        for tag in document["tags"]
    ]
    contents = _join(
        '<li><a href="#{}">{}</a></li>', [(_anchor(name), words[name]) for name, _, rows in sections if rows]
    )
    parts = [
        Markup(
            '<header><h1>İmece API</h1><p>{}</p><p><a href="/api/v1/openapi.json">OpenAPI 3.1</a></p></header>'
        ).format(document["info"]["description"]),
        Markup('<nav aria-label="{}"><ul>{}<li><a href="#schemas">{}</a></li></ul></nav>').format(
            words["Contents"], contents, words["Objects"]
        ),
        Markup("<main>"),
    ]
    for name, about, rows in sections:
        if rows:
            parts.append(Markup('<h2 id="{}">{}</h2><p>{}</p>').format(_anchor(name), words[name], about))
            parts += [_operation(document, words, *row) for row in rows]
    parts.append(Markup('<h2 id="schemas">{}</h2>').format(words["Objects"]))
    parts += [_schema(words, name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    parts.append(Markup("</main>"))
    return framed("İmece API", Markup("\n").join(parts), language)


_WORDS = (
    "Contents",
    "Objects",
    "Parameters",
    "Name",
    "Where",
    "Kind",
    "Meaning",
    "Body",
    "Answers",
    "Status",
    "needed",
    "Identity",
    "Reference",
    "Registry",
    "Expertise",
    "Open data",
    "Imports",
    "Petitions",
    "Signatures",
    "Strategic plan",
    "Protocols",
    "Work queues",
    "Calendar",
    "Events and notifications",
    "System",
    "Demo clock",
    "No sign-in needed.",
)


@cache
def _words(language: str) -> dict[str, str]:
    return {word: say(Sentence(word), language) for word in _WORDS}


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _join(template: str, rows: list[tuple[Any, ...]]) -> Markup:
    return Markup("").join(Markup(template).format(*row) for row in rows)  # noqa: S704 - templates are constants; format escapes


def _operation(
    document: Mapping[str, Any], words: Mapping[str, str], method: str, path: str, operation: Mapping[str, Any]
) -> Markup:
    parts = [
        Markup('<h3 id="{}"><span class="method">{}</span> <code>{}</code></h3><p>{}</p>').format(
            operation["operationId"], method, path, operation["summary"]
        )
    ]
    if "description" in operation:
        parts.append(Markup("<p>{}</p>").format(operation["description"]))
    if not operation["security"]:
        parts.append(Markup("<p>{}</p>").format(words["No sign-in needed."]))
    rows = [_parameter(document, words, each) for each in operation["parameters"]]
    parts.append(_table(words, ("Parameters", "Where", "Kind", "Meaning"), rows))
    if "requestBody" in operation:
        (content,) = operation["requestBody"]["content"].values()
        parts.append(Markup("<p>{}: {}</p>").format(words["Body"], _kind(content["schema"])))
    answers = [
        (
            status,
            Markup(", ").join(_kind(each["schema"]) for each in answer.get("content", {}).values()),
            answer["description"],
        )
        for status, answer in operation["responses"].items()
    ]
    parts.append(_table(words, ("Status", "Answers", "Meaning"), answers))
    return Markup("\n").join(parts)


def _parameter(document: Mapping[str, Any], words: Mapping[str, str], given: Mapping[str, Any]) -> tuple[Any, ...]:
    parameter = given
    if "$ref" in given:
        parameter = document["components"]["parameters"][given["$ref"].rpartition("/")[2]]
    name = Markup("<code>{}</code>").format(parameter["name"])
    if parameter.get("required"):
        name += Markup(" ({})").format(words["needed"])
    return name, parameter["in"], _kind(parameter["schema"]), parameter.get("description", "")


def _table(words: Mapping[str, str], head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Markup:
    if not rows:
        return Markup("")
    return Markup('<div class="wide"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>').format(
        _join('<th scope="col">{}</th>', [(words[name],) for name in head]),
        Markup("").join(Markup("<tr>{}</tr>").format(_join("<td>{}</td>", [(cell,) for cell in row])) for row in rows),
    )


def _kind(schema: Mapping[str, Any]) -> Markup:
    """A schema in a few words, with links to named ones."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{}">{}</a>').format(name, name)
    if "anyOf" in schema:
        return Markup(" | ").join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return Markup(" | ").join(Markup("<code>{}</code>").format(each) for each in schema["enum"])
    kinds = schema.get("type", "any")
    text = Markup(" | ").join([kinds] if isinstance(kinds, str) else kinds)
    if "items" in schema:
        return Markup("{} [{}]").format(text, _kind(schema["items"]))
    details = [schema[name] for name in ("format", "pattern") if name in schema]
    bounds = [
        f"{sign} {schema[name]}"
        for name, sign in (("minimum", "≥"), ("maximum", "≤"), ("minLength", "≥"), ("maxLength", "≤"))
        if name in schema
    ]
    return text + Markup("").join(Markup(" <code>{}</code>").format(each) for each in (*details, *bounds))


def _schema(words: Mapping[str, str], name: str, schema: Mapping[str, Any]) -> Markup:
    needed = set(schema.get("required", ()))
    rows = [
        (
            Markup("<code>{}</code>{}").format(field, f" ({words['needed']})" if field in needed else ""),
            _kind(inner),
            inner.get("description", ""),
        )
        for field, inner in schema.get("properties", {}).items()
    ]
    return Markup('<h3 id="schema-{}">{}</h3>').format(name, name) + _table(words, ("Name", "Kind", "Meaning"), rows)
