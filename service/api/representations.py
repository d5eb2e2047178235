"""Which form of a resource a caller gets, and whether they have it already.

Forms: by ``Accept``, or by ``?format=`` for people in a browser.  JSON lists have pages; the other forms hold
the whole list, written while it is read.  Tags: strong ones, of the bytes of the answer.  flask-smorest's own
demand If-Match and answer 304 as an error; here it is the caller's choice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from hashlib import sha256
from itertools import chain
from typing import Any, Final, TypeVar

import marshmallow as ma
from flask import Response, current_app, jsonify, request
from werkzeug.datastructures import MIMEAccept

from service.api.formats import csv_rows, ndjson_lines, written
from service.api.linked import CONTEXT
from service.api.lists import Listing
from service.api.paging import rows_of
from service.api.schemas import FORMATS
from service.errors import NotAcceptable, Outdated
from service.store.engine import Store

T = TypeVar("T")

TAG_HEADER: Final[dict[str, Any]] = {
    "ETag": {"description": "Changes when the answer does.", "schema": {"type": "string"}}
}
_CONDITIONS: Final = {
    "get": ("If-None-Match", "The ETag of what you have; if it is still the same, the answer is 304 without a body."),
    "patch": ("If-Match", "The ETag of the JSON that you have seen; if it has changed since, nothing is done (412)."),
}
_CONDITIONS["delete"] = _CONDITIONS["patch"]


def condition(handler: Any) -> dict[str, Any] | None:
    """The header by which the caller of a handler may tell what they have, as the contract has it."""
    name, about = _CONDITIONS.get(handler.__name__, ("", ""))
    if not name:
        return None
    return {"name": name, "in": "header", "required": False, "description": about, "schema": {"type": "string"}}


def tagged(handler: Any) -> Any:
    """Give a handler's answers a tag, and leave out what the caller has already."""

    @wraps(handler)
    def answer(*args: Any, **kwargs: Any) -> Response:
        response: Response = current_app.make_response(handler(*args, **kwargs))
        if response.status_code == 204:
            return response
        if request.method in ("GET", "HEAD"):
            response.headers["Cache-Control"] = "private, no-cache"  # may be kept, but not used without asking
            response.vary.add("Accept")
        if not response.is_streamed:
            tag = tag_of(response.get_data())
            response.set_etag(tag)
            # Not make_conditional, which looks at If-Match, too, and answers 412 with the whole resource.
            if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(tag):
                response.status_code = 304
        return response

    return answer


def tag_of(body: bytes) -> str:
    """A strong tag."""
    return sha256(body).hexdigest()[:32]


def check_unchanged(schema: type[ma.Schema], record: dict[str, Any]) -> None:
    """Make sure that a resource is still what the caller has seen, if they tell what that was.

    Raises:
        Outdated: It is not.
    """
    if request.if_match and tag_of(jsonify(schema().dump(record)).get_data()) not in request.if_match:
        raise Outdated("This is not any more what the If-Match header names; get it again and look.")


def accepted() -> MIMEAccept:
    """What the request takes, by its Accept header; charset and profile are no matter: there is one of each form."""
    return MIMEAccept((kind.partition(";")[0].strip(), quality) for kind, quality in request.accept_mimetypes)


def form_asked(asked: Mapping[str, Any], offered: Sequence[str]) -> str:
    """The form that a caller wants.

    Raises:
        NotAcceptable: It is none of those offered.
    """
    types = [FORMATS[form] for form in offered]
    if "format" in asked:
        form: str = asked["format"]
        if form not in offered:
            raise NotAcceptable(f"This is not there as {form}, only as {', '.join(offered)}.")
        return form
    if not request.accept_mimetypes:
        return offered[0]
    best = accepted().best_match(types)
    if best is None:
        raise NotAcceptable(f"This is there as {', '.join(types)}; the Accept header takes none of them.")
    return offered[types.index(best)]


def list_answer(listing: Listing[T], store: Store, asked: dict[str, Any]) -> Any:
    """A list in the form that is asked for: a page in JSON, all of it in the others.

    Raises:
        NotAcceptable: There is no such form.
        Invalid: The cursor is not of this list.
    """
    form = form_asked(asked, list(FORMATS))
    if form == "json":
        with store.read() as session:
            rows, following = rows_of(session, listing.query(asked, store.is_embedded), listing.seq, asked)
            return {"items": listing.records(session, rows), "next": following}
    pieces = written(listing, store, asked, form, ends=True)
    # With the first page in hand, an error can still be told as one.
    begun = chain([next(pieces)], pieces)
    response = _response(_told(begun) if form == "ndjson" else begun, form, listing.name)
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _told(pieces: Iterator[str]) -> Iterator[str]:
    """NDJSON whose last line tells if it could not be finished."""
    try:
        yield from pieces
    except Exception:
        yield ndjson_lines([{"type": "error", "title": "The list is not whole", "status": 500}])
        raise


def one_answer(
    listing: Listing[T],
    record: dict[str, Any],
    nodes: Callable[[], list[dict[str, Any]]],
    asked: Mapping[str, Any],
    offered: Sequence[str] = tuple(FORMATS),
) -> Any:
    """One resource in the form that is asked for.

    Raises:
        NotAcceptable: There is no such form.
    """
    form = form_asked(asked, offered)
    if form == "json":
        return record
    if form == "csv":
        cells = [cell(record) for cell in listing.columns.values()]
        return _response([csv_rows([list(listing.columns), cells])], form, record["id"])
    if form == "ndjson":
        return _response([ndjson_lines([record])], form, record["id"])
    graph = nodes()
    node = graph[0] if len(graph) == 1 else {"@graph": graph}
    return _response([json.dumps({"@context": CONTEXT, **node}, ensure_ascii=False) + "\n"], form, record["id"])


def _response(pieces: Any, form: str, name: str) -> Response:
    response = Response(pieces, content_type=FORMATS[form])
    if form == "csv":
        response.content_type = "text/csv; charset=utf-8; header=present"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
