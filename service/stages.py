"""The stages of a piece of work, and how long each takes; whoever begins the work asks for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from service.operations import metrics, tracing

_taken: ContextVar[dict[str, float] | None] = ContextVar("taken", default=None)


def begin() -> dict[str, float]:
    """Measure the stages that follow in this context; the result fills with seconds by stage."""
    taken: dict[str, float] = {}
    _taken.set(taken)
    return taken


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Measure a stage; one that is entered again counts on.  It is a metric and a span as well."""
    begun = time.perf_counter()
    try:
        with tracing.span(name):
            yield
    finally:
        took = time.perf_counter() - begun
        metrics.STAGE_SECONDS.labels(name).observe(took)
        if (taken := _taken.get()) is not None:
            taken[name] = taken.get(name, 0.0) + took
