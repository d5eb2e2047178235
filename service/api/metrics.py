"""``/metrics``: what Prometheus asks for."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, Flask, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from service.batches.chunks import LIVE
from service.operations.metrics import QUEUE_DEPTH, scrape
from service.security import access
from service.store.batches import Batch

page = Blueprint("metrics", __name__)


def register(app: Flask) -> None:
    """Put the metrics on the app."""
    app.register_blueprint(page)
    app.config["REFRESH"] = [count_queue]  # what brings gauges up to date before the answer


def count_queue() -> None:
    """How much of all batches is still to be read; if the database does not answer, what it was."""
    left = select(func.sum(Batch.total - Batch.done - Batch.failed)).where(Batch.state.in_(LIVE))
    with suppress(SQLAlchemyError), current_app.config["STORE"].read() as session:
        QUEUE_DEPTH.set(session.scalar(left) or 0)


@page.get("/metrics")
@access.needs("admin")
def metrics() -> Response:
    """All metrics of all processes."""
    return Response(scrape(current_app.config["REFRESH"]), content_type=CONTENT_TYPE_LATEST)
