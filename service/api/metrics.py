"""``/metrics``: what Prometheus asks for."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST

from service.operations.metrics import scrape
from service.security import access

page = Blueprint("metrics", __name__)


def register(app: Flask) -> None:
    """Put the metrics on the app."""
    app.register_blueprint(page)


@page.get("/metrics")
@access.needs("admin")
def metrics() -> Response:
    """All metrics of all processes."""
    return Response(scrape(current_app.config["REFRESH"]), content_type=CONTENT_TYPE_LATEST)
