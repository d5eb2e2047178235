"""With OpenTelemetry each request and each stage is a span; without it nothing is missed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from models.records import Reading
from service.operations import tracing
from tests.conftest import ROOT
from tests.fakes import FakeReader

TEXT = "“We will rebuild,” said Amara."


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


def test_a_request_and_its_stages_are_spans(client: FlaskClient, spans: InMemorySpanExporter) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client.post("/v1/articles", json={"text": TEXT}, headers={"traceparent": parent})
    *stages, request = spans.get_finished_spans()
    assert [one.name for one in stages if one.name != "compare"] == ["page", "read", "store"]
    assert request.name == "POST /v1/articles"
    assert request.kind is trace.SpanKind.SERVER
    assert request.attributes is not None
    assert dict(request.attributes) == {
        "http.request.method": "POST",
        "http.route": "/v1/articles",
        "http.response.status_code": 201,
    }
    assert f"{request.context.trace_id:032x}" == parent[3:35]
    assert {one.parent and one.parent.span_id for one in stages} == {request.context.span_id}


def test_each_request_is_a_trace_of_its_own(app: Flask, spans: InMemorySpanExporter) -> None:
    class Broken(FakeReader):
        def read_one(self, *_: object, **__: object) -> Reading:
            raise RuntimeError

    app.config["READER"] = Broken()
    client = app.test_client()
    client.post("/v1/analyses", json={"text": TEXT})
    client.get("/healthz")
    found = {one.name: one for one in spans.get_finished_spans()}
    failed, healthy = found["POST /v1/analyses"], found["GET /healthz"]
    assert failed.context.trace_id != healthy.context.trace_id
    assert healthy.parent is None
    assert failed.status.status_code is trace.StatusCode.ERROR


def test_lines_name_the_span(spans: InMemorySpanExporter) -> None:
    assert tracing.ids() == {}
    with tracing.span("read"):
        inside = tracing.ids()
    (one,) = spans.get_finished_spans()
    assert inside["trace_id"] == f"{one.context.trace_id:032x}"


def test_nothing_is_missed_without_opentelemetry() -> None:
    code = """
import sys
sys.modules["opentelemetry"] = None
from service.app import create_app
from service.config import load_settings
from service.operations import tracing
from tests.fakes import FakeReader
tracing.start("1")
client = create_app(load_settings({"database_url": "sqlite://"}, environ={}), FakeReader()).test_client()
assert client.post("/v1/analyses", json={"text": "It rained."}).status_code == 200
assert tracing.ids() == {}
assert not any(name.startswith("opentelemetry.") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_spans_are_sent_only_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(trace, "set_tracer_provider", made.append)
    tracing.start("1")
    assert made == []
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    tracing.start("1")
    (provider,) = made
    assert provider.resource.attributes["service.name"] == "whosaid"
    provider.shutdown()
