"""Errors as responses: problem details (RFC 9457), one shape for all."""

from __future__ import annotations

import json
import logging
from typing import Any

import marshmallow as ma
from flask import Blueprint, Flask, Response, g, request, url_for
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from service.errors import (
    KINDS,
    BadRequest,
    Invalid,
    MethodNotAllowed,
    NotFound,
    NotReady,
    ServiceError,
    TooLarge,
    WrongContentType,
)
from service.operations import metrics

CONTENT_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)
_BY_STATUS: dict[int | None, type[ServiceError]] = {
    kind.status: kind for kind in (BadRequest, NotFound, MethodNotAllowed, TooLarge, WrongContentType, Invalid)
}

pages = Blueprint("problems", __name__)


class FieldErrorSchema(ma.Schema):
    """What is wrong with one field."""

    field = ma.fields.String(required=True, metadata={"description": "Where in the body: names joined by dots."})
    message = ma.fields.String(required=True, metadata={"description": "What is wrong, and what would be right."})


class ProblemSchema(ma.Schema):
    """An error, as RFC 9457 has it."""

    type = ma.fields.String(
        required=True,
        metadata={"description": "What kind of problem; the address explains it.", "format": "uri-reference"},
    )
    title = ma.fields.String(required=True, metadata={"description": "The kind of problem in words."})
    status = ma.fields.Integer(required=True, metadata={"description": "The HTTP status."})
    detail = ma.fields.String(metadata={"description": "What happened this time."})
    instance = ma.fields.String(required=True, metadata={"description": "The path that was asked for."})
    request_id = ma.fields.String(required=True, metadata={"description": "The request, as the log names it."})
    errors = ma.fields.List(
        ma.fields.Nested(FieldErrorSchema), metadata={"description": "The fields that are not valid."}
    )
    limit = ma.fields.Integer(metadata={"description": "The limit that was passed."})
    observed = ma.fields.Integer(metadata={"description": "What was counted; at least so much."})
    setting = ma.fields.String(metadata={"description": "The setting that holds the limit."})
    scope = ma.fields.String(metadata={"description": "The scope that the API key lacks."})
    checks = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.String(),
        metadata={"description": "What readiness looked at: ok, or what is wrong."},
    )


def register(app: Flask) -> None:
    """Make every error of the app a problem; those of the framework are the API's own to handle."""
    app.register_blueprint(pages)
    app.register_error_handler(ServiceError, respond)
    app.register_error_handler(SQLAlchemyError, _unanswered)
    app.register_error_handler(Exception, _unexpected)


def respond(error: ServiceError, origin: HTTPException | None = None) -> Response:
    """The response that tells of an error."""
    body: dict[str, Any] = {
        "type": url_for("problems.explain", name=error.name),
        "title": error.title,
        "status": error.status if origin is None else origin.code,
        "instance": request.path,
        "request_id": g.request_id,
    }
    if error.detail:
        body["detail"] = error.detail
    body |= error.extra
    # In ASCII: a field that is named may hold what UTF-8 cannot.
    response = Response(json.dumps(body), status=body["status"], content_type=CONTENT_TYPE)
    if error.status in (401, 403, 429, 503):
        metrics.REFUSED.labels(error.name).inc()
    response.headers.update(error.headers)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if origin is not None and (allowed := getattr(origin, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def translate(error: HTTPException) -> ServiceError:
    """An error of the framework as one of ours."""
    messages = (getattr(error, "data", None) or {}).get("messages")
    if error.code == 422 and messages:
        return Invalid(errors=field_errors(messages.get("json", messages)))
    kind = _BY_STATUS.get(error.code, BadRequest if (error.code or 500) < 500 else ServiceError)
    return kind(error.description)


def field_errors(messages: Any) -> list[dict[str, str]]:
    """Messages of marshmallow as the member ``errors`` has them."""
    return [{"field": where, "message": what} for where, what in _flat(messages)]


def _flat(messages: Any, path: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    if isinstance(messages, dict):
        return [found for key, value in messages.items() for found in _flat(value, (*path, str(key)))]
    if isinstance(messages, list):
        return [found for value in messages for found in _flat(value, path)]
    return [(".".join(part for part in path if part != "_schema"), str(messages))]


def _unanswered(error: SQLAlchemyError) -> Response:
    """The database does not answer, or is busy for too long; all else that it complains of is a fault of ours."""
    if not isinstance(error, (OperationalError, InterfaceError, PoolTimeout)):
        return _unexpected(error)
    _log.warning("request %s: the database does not answer", g.request_id, exc_info=error)
    return respond(NotReady("The database cannot be used now; nothing was stored.", retry_after=5))


def _unexpected(error: Exception) -> Response:
    _log.exception("request %s failed", g.request_id, exc_info=error)
    return respond(ServiceError("Something went wrong that should not have; nothing was stored."))


@pages.get("/problems/<name>")
def explain(name: str) -> Response:
    """What a kind of problem is and what to do about it."""
    for kind in KINDS:
        if kind.name == name:
            about = {"name": kind.name, "status": kind.status, "title": kind.title, "remedy": kind.remedy}
            return Response(json.dumps(about), content_type="application/json")
    raise NotFound(f"There is no kind of problem named {name!r}.")
