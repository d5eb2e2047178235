"""One module a resource, schemas beside them; here is what they share."""

from __future__ import annotations

import http
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from itertools import groupby
from typing import Any

import flask_smorest
from werkzeug.exceptions import HTTPException

from service.api.contract import COMMON
from service.api.examples import PROBLEMS
from service.api.idempotency import PARAMETER, idempotent
from service.api.parsing import Parser
from service.api.problems import CONTENT_TYPE, ProblemSchema, respond, translate
from service.api.representations import TAG_HEADER, condition, tagged
from service.api.schemas import FORMATS
from service.errors import KINDS, ServiceError
from service.security import access


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's blueprint with our reading of bodies and our errors."""

    ARGUMENTS_PARSER = Parser()

    def problems(self, *statuses: int) -> Callable[[Any], Any]:
        """Declare which errors a handler may answer with."""

        def decorate(handler: Any) -> Any:
            for status in statuses:
                handler = self.alt_response(status, http.HTTPStatus(status).name)(handler)
            return handler

        return decorate

    def idempotent(self, handler: Any = None, *, body: Callable[..., str] | None = None) -> Any:
        """Let callers name a request by an ``Idempotency-Key``, and declare what that may answer.

        Goes below ``arguments`` and above ``response``: what is not valid is not remembered.

        Args:
            handler: What to decorate; None if ``body`` is given.
            body: Given the handler's arguments, tells the body; None takes them as JSON.
        """
        if handler is None:
            return partial(self.idempotent, body=body)
        wrapped = self.problems(409, 422)(idempotent(handler, body))
        return _with_parameter(wrapped, PARAMETER)

    def represented(self, schema: Any, forms: Sequence[str] = tuple(FORMATS)) -> Callable[[Any], Any]:
        """Declare a resource that callers get in the form that they like, with a tag; the handler chooses it."""

        def decorate(handler: Any) -> Any:
            for form in forms:
                if form != "json":
                    text = {"type": "object"} if form == "jsonld" else {"type": "string"}
                    handler = self.alt_response(200, schema=text, content_type=FORMATS[form], success=True)(handler)
            return self.problems(406)(self.tagged(self.response(200, schema)(handler)))

        return decorate

    def tagged(self, handler: Any) -> Any:
        """Give answers an ETag, and declare what callers may do with it.  Goes above ``response``."""
        wrapped = tagged(handler)
        documented = deepcopy(getattr(handler, "_apidoc", {}))
        for status in documented.get("success_status_codes", []):
            for each in documented["response"]["responses"][status]:
                if status != 204:
                    each.setdefault("headers", {}).update(TAG_HEADER)
        wrapped._apidoc = documented
        if header := condition(handler):
            wrapped = _with_parameter(wrapped, header)
            if handler.__name__ == "get":
                return self.alt_response(304, description="It is still what the caller has.")(wrapped)
            return self.problems(412)(wrapped)
        return wrapped


def _with_parameter(handler: Any, parameter: dict[str, Any]) -> Any:
    handler._apidoc.setdefault("arguments", {}).setdefault("parameters", []).append(dict(parameter))
    return handler


class Api(flask_smorest.Api):
    """flask-smorest's API whose errors are problem details."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None  # each operation declares what it answers

    def handle_http_exception(self, error: HTTPException) -> Any:
        """Every error of the framework as a problem."""
        return respond(translate(error), error)

    def _register_responses(self) -> None:
        for status, kinds in groupby(sorted(KINDS, key=lambda kind: kind.status), lambda kind: kind.status):
            several = list(kinds)
            self.spec.components.response(
                http.HTTPStatus(status).name,
                {
                    "description": "\n\nOr: ".join(f"{kind.title}. {kind.remedy}" for kind in several),
                    "content": {
                        CONTENT_TYPE: {
                            "schema": self.ERROR_SCHEMA,
                            "examples": {kind.name: {"value": _example(kind)} for kind in several},
                        }
                    },
                },
                lazy=status not in (*COMMON, *access.STATUSES),
            )


def _example(kind: type[ServiceError]) -> dict[str, Any]:
    return {
        "type": f"/problems/{kind.name}",
        "title": kind.title,
        "status": kind.status,
        "instance": "/v1/articles",
        "request_id": "6f1c0d3e5b7a4c52",
    } | PROBLEMS.get(kind.name, {})
