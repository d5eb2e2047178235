"""Request ids and the times of a request's stages, in response headers."""

from __future__ import annotations

import re
import time
import uuid

from flask import Flask, Response, g, request

from service import stages

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def register(app: Flask) -> None:
    """Give each request an id (the caller's own, if it sends a plain one) and a clock."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
    g.begun, g.stages = time.perf_counter(), stages.begin()


def _finish(response: Response) -> Response:
    g.stages["total"] = time.perf_counter() - g.begun
    response.headers["X-Request-ID"] = g.request_id
    response.headers["Server-Timing"] = ", ".join(f"{name};dur={1000 * took:.1f}" for name, took in g.stages.items())
    return response
