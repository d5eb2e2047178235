"""Traces by OpenTelemetry, where it is installed (the extra ``tracing``); else nothing happens here.

Where they go is told by OpenTelemetry's own variables, such as OTEL_EXPORTER_OTLP_ENDPOINT.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

try:
    from opentelemetry import context, propagate, trace
except ImportError:
    trace = None  # type: ignore[assignment]


def start(version: str) -> None:
    """Send spans to where the environment says; in each process, after it was forked."""
    if trace is None or not any(name.startswith("OTEL_EXPORTER_OTLP_") for name in os.environ):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", "whosaid")
    provider = TracerProvider(resource=Resource.create({"service.name": name, "service.version": version}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


@contextmanager
def span(name: str) -> Iterator[None]:
    """A span of what happens inside."""
    if trace is None:
        yield
        return
    with trace.get_tracer("whosaid").start_as_current_span(name):
        yield


class RequestSpan:
    """The span of a request, from where it comes in to where its answer goes out.

    Args:
        method: The request's method.
        route: The template of its path; empty if it has none.
        headers: Its headers; a ``traceparent`` among them makes this a part of the caller's trace.
    """

    def __init__(self, method: str, route: str, headers: Iterable[tuple[str, str]]) -> None:
        if trace is None:
            return
        self._span = trace.get_tracer("whosaid").start_span(
            f"{method} {route}".strip(),
            propagate.extract({name.lower(): value for name, value in headers}, context.Context()),
            trace.SpanKind.SERVER,
            {"http.request.method": method, "http.route": route},
        )
        self._token = context.attach(trace.set_span_in_context(self._span))

    def end(self, status: int) -> None:
        """Close it; a status of 500 or more counts as an error."""
        if trace is None:
            return
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(trace.StatusCode.ERROR)
        self._span.end()
        context.detach(self._token)


def ids() -> dict[str, Any]:
    """The ids of the span that is open here, as log lines carry them; empty if none is."""
    here = None if trace is None else trace.get_current_span().get_span_context()
    if here is None or not here.is_valid:
        return {}
    return {"trace_id": f"{here.trace_id:032x}", "span_id": f"{here.span_id:016x}"}
