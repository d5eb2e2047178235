"""Each request from its beginning to its end: its id, its stages' times, its line in the log, its metrics, its span."""

from __future__ import annotations

import logging
import re
import time
import uuid
from http import HTTPMethod

import structlog
from flask import Flask, Response, g, request

from service import stages
from service.api.routes import template
from service.operations import metrics, tracing

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

_log = logging.getLogger("whosaid.access")


def register(app: Flask) -> None:
    """Follow each request of the app; must come before all others that look at requests."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
    g.begun, g.stages = time.perf_counter(), stages.begin()
    g.span = tracing.RequestSpan(_method(), _route(), request.headers)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    g.stages["total"] = time.perf_counter() - g.begun
    response.headers["X-Request-ID"] = g.request_id
    response.headers["Server-Timing"] = ", ".join(f"{name};dur={1000 * took:.1f}" for name, took in g.stages.items())
    begun, route, method, status = g.begun, _route(), _method(), response.status_code
    line = {
        "method": method,
        "route": route,
        "status": status,
        "client": request.remote_addr,
        "stages_ms": {name: round(1000 * took, 1) for name, took in g.stages.items() if name != "total"},
    }
    if key := g.get("key"):
        line["key"] = key.prefix
    request_id = g.request_id

    def tell() -> None:
        took = time.perf_counter() - begun
        metrics.REQUEST_SECONDS.labels(method, route, status).observe(took)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            _log.info("request", extra=line | {"duration_ms": round(1000 * took, 1)})

    if response.is_streamed:
        response.call_on_close(tell)  # it ends when its last piece is sent
    else:
        tell()
    g.span.end(status)
    return response


def _route() -> str:
    """The template of the path: paths themselves are without number."""
    return "" if request.url_rule is None else template(request.url_rule.rule)


def _method() -> str:
    return request.method if request.method in HTTPMethod.__members__ else "_OTHER"
