"""What the framework leaves out of the contract: examples, links, headers, and what all operations share."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from service.api.examples import EXAMPLE_IDS, EXAMPLES
from service.api.formats import csv_rows, ndjson_lines
from service.api.linked import CONTEXT, name_of
from service.api.links import LINKS
from service.api.lists import ARTICLES, CLAIMS, SPEAKERS, Listing
from service.api.schemas import FORMATS

Record = dict[str, Any]

COMMON: Final = (500,)
"""Errors that every operation may answer with."""

_KINDS: Final = {one + ("es" if one == "batch" else "s"): one for one in EXAMPLE_IDS}
_LISTS: Final[dict[str, tuple[Listing[Any], str]]] = {
    "Article": (ARTICLES, "NewsArticle"),
    "Claim": (CLAIMS, "Claim"),
    "Speaker": (SPEAKERS, "Person"),
}
_SCHEMA = "#/components/schemas/"
_ALWAYS: Final = ("X-Request-ID", "Server-Timing")
_OF_PROBLEMS: Final = {
    "UNAUTHORIZED": ("WWW-Authenticate",),
    "FORBIDDEN": ("WWW-Authenticate",),
    "CONFLICT": ("Retry-After",),
    "TOO_MANY_REQUESTS": ("Retry-After", "RateLimit", "RateLimit-Policy"),
    "SERVICE_UNAVAILABLE": ("Retry-After",),
}
# The one way to say it that makers of clients pass over, instead of making a type of each alternative.
_EITHER: Final = {
    "if": {"required": ["text"]},
    "then": {"not": {"required": ["html"]}},
    "else": {"required": ["html"]},
}
_ORDER: Final = ("operationId", "tags", "summary", "description", "security", "parameters", "requestBody", "responses")
_HEADERS: Final[dict[str, Record]] = {
    "X-Request-ID": {
        "description": "Names the request in the log: your own X-Request-ID, if it was a plain word, or a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "Server-Timing": {
        "description": "How many milliseconds each stage of the work took.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "After so many seconds another try makes sense.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit": {"description": "What the API key has left, and for how long.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "What the API key may have in all.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "How to send an API key.", "schema": {"type": "string"}},
    "Location": {"description": "Where it is.", "schema": {"type": "string"}},
}


class Operation(NamedTuple):
    """One operation of the contract, and where it is."""

    path: str
    method: str
    record: Record

    @property
    def name(self) -> str:
        """Its operationId."""
        return str(self.record["operationId"])


def operations(spec: Record) -> Iterator[Operation]:
    """All operations, in the order of the contract."""
    for path, item in spec["paths"].items():
        for method, record in item.items():
            if method != "parameters":
                yield Operation(path, method, record)


def complete(spec: Record, meanings: dict[str, str]) -> Record:
    """The contract with all that handlers and schemas do not say themselves.

    Args:
        spec: What the framework made; it is changed.
        meanings: What each schema is, by its name.
    """
    spec["servers"] = [{"url": "/", "description": "The service that this document comes from."}]
    spec["paths"] = {_plain(path): item for path, item in spec["paths"].items()}
    for path, item in spec["paths"].items():
        for parameter in item.get("parameters", ()):
            _describe_id(path, parameter)
    used: set[str] = set()
    for one in operations(spec):
        one.record["responses"] = _responses(one.record["responses"], meanings)
        for body in (one.record.get("requestBody", {}), *one.record["responses"].values()):
            used |= set(_exemplify(body))
    components = spec["components"]
    used_schemas = _reachable(components["schemas"], [spec["paths"], components["responses"]])
    components["schemas"] = {
        name: {"description": meanings[name], **schema}
        for name, schema in components["schemas"].items()
        if name in used_schemas
    }
    components["examples"] = {name: {"value": EXAMPLES[name]} for name in sorted(used)}
    components["headers"] = _HEADERS
    for name, response in components["responses"].items():
        _add_headers(response, *_ALWAYS, *_OF_PROBLEMS.get(name, ()))
    for name in ("AnalysisRequest", "ArticleRequest"):
        components["schemas"][name] |= _EITHER
    _link(spec)
    _let_responses_grow(spec)
    for item in spec["paths"].values():
        for method in item.keys() - {"parameters"}:
            item[method] = {key: item[method][key] for key in sorted(item[method], key=_ORDER.index)}
    return spec


def _plain(path: str) -> str:
    """``id_`` is what Python needs; callers see ``id``."""
    return path.replace("_}", "}")


def _describe_id(path: str, parameter: Record) -> None:
    parameter["name"] = parameter["name"].removesuffix("_")
    if parameter["name"] == "id":
        what = next(one for many, one in _KINDS.items() if path.startswith(f"/v1/{many}/"))
        parameter["description"] = f"The id of the {what}, as an answer of the service gave it."
        parameter["example"] = EXAMPLE_IDS[what]


def _responses(declared: Record, meanings: dict[str, str]) -> Record:
    """In the order of their statuses, with those that all operations share, and with their headers."""
    for common in COMMON:
        declared.setdefault(str(common), {"$ref": f"#/components/responses/{HTTPStatus(common).name}"})
    for status, response in declared.items():
        if "$ref" in response:
            continue
        if response["description"] == HTTPStatus(int(status)).phrase:
            names = {_schema_of(media) for media in response.get("content", {}).values()} & meanings.keys()
            response["description"] = meanings[names.pop()] if names else "It is done; there is nothing to tell."
        _add_headers(response, *_ALWAYS, *(("Location",) if status in ("201", "202") else ()))
    return dict(sorted(declared.items()))


def _add_headers(response: Record, *names: str) -> None:
    shared = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    response["headers"] = shared | response.get("headers", {})


def _exemplify(body: Record) -> Iterator[str]:
    """Give a body without an example the one of its schema, in each of its forms."""
    content = body.get("content", {})
    name = _schema_of(content.get("application/json", {}))
    for kind, media in content.items():
        if "example" in media:
            media["examples"] = {"example": {"value": media.pop("example")}}
        elif name not in EXAMPLES or "examples" in media:
            continue
        elif kind == "application/json":
            media["examples"] = {name: {"$ref": f"#/components/examples/{name}"}}
            yield name
        else:
            media["examples"] = {"example": {"value": _as_form(kind, name)}}


def _as_form(kind: str, name: str) -> Any:
    """The example of a schema as CSV, NDJSON or linked data."""
    listing, type_ = next(of for what, of in _LISTS.items() if what in name)
    items = EXAMPLES[name].get("items", [EXAMPLES[name]])
    if kind == FORMATS["csv"]:
        return csv_rows([list(listing.columns), *([cell(one) for cell in listing.columns.values()] for one in items)])
    if kind == FORMATS["ndjson"]:
        return ndjson_lines(items)
    told = {"text": "text", "name": "name", "headline": "title"}
    nodes = [
        {"@id": name_of(one["id"]), "@type": type_, **{term: one[key] for term, key in told.items() if key in one}}
        for one in items
    ]
    return {"@context": {"@vocab": CONTEXT["@vocab"]}, "@graph": nodes}


def _schema_of(media: Record) -> str:
    return str(media.get("schema", {}).get("$ref", "")).removeprefix(_SCHEMA)


def _link(spec: Record) -> None:
    by_name = {one.name: one.record for one in operations(spec)}
    for link in LINKS:
        record: Record = {"operationId": link.target, "description": link.description, "parameters": link.parameters}
        if link.body is not None:
            record["requestBody"] = link.body
        for status, response in by_name[link.start]["responses"].items():
            if status.startswith("2"):
                response.setdefault("links", {})[link.target] = record


def _let_responses_grow(spec: Record) -> None:
    """Clients must bear with new response fields, so no schema of a response may forbid them."""
    schemas = spec["components"]["schemas"]
    asked = _reachable(schemas, [one.record.get("requestBody", {}) for one in operations(spec)])
    for name in set(schemas) - asked:
        schemas[name].pop("additionalProperties", None)


def _reachable(schemas: Record, waiting: list[Any]) -> set[str]:
    """The names of the schemas that something refers to, through others or not."""
    found: set[str] = set()
    while waiting:
        for reference in _references(waiting.pop()):
            name = reference.removeprefix(_SCHEMA)
            if reference.startswith(_SCHEMA) and name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            yield from _references(value)
