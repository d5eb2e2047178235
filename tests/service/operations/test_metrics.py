"""Metrics are named by templates and problems, and documented."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from sqlalchemy import create_engine, select

from models.records import Reading
from service.batches.reading import Desk, read_chunk
from service.operations import SHARED, share_counts
from service.store.batches import Chunk
from tests.conftest import ROOT
from tests.fakes import FakeReader

TEXT = "“We will rebuild,” said Amara."
SECONDS = "http_server_request_duration_seconds_count"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def requests(route: str, status: int, method: str = "GET") -> float:
    labels = {"http_request_method": method, "http_route": route, "http_response_status_code": str(status)}
    return value(SECONDS, **labels)


def test_requests_are_counted_by_the_template_of_their_path(client: FlaskClient) -> None:
    before = [requests("/v1/articles/{id}", 404), requests("", 404), requests("", 405, "_OTHER")]
    client.get("/v1/articles/article-1")
    client.get("/v1/articles/article-2")
    client.get("/nothing/here")
    client.open("/healthz", method="BREW")
    after = [requests("/v1/articles/{id}", 404), requests("", 404), requests("", 405, "_OTHER")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1, 1]
    assert "article-1" not in client.get("/metrics").text


def test_stages_articles_and_refusals_are_counted(client: FlaskClient) -> None:
    names = ("whosaid_articles_read_total", "whosaid_characters_read_total")
    before = [value(name) for name in names] + [value("whosaid_stage_duration_seconds_count", stage="read")]
    client.post("/v1/analyses", json={"text": TEXT})
    after = [value(name) for name in names] + [value("whosaid_stage_duration_seconds_count", stage="read")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, len(TEXT), 1]


def test_waiting_reading_and_overload_show(app: Flask) -> None:
    inside, leave = threading.Semaphore(0), threading.Event()

    class Slow(FakeReader):
        def read_one(self, *_: object, **__: object) -> Reading:
            inside.release()
            leave.wait(20)
            return super().read_one(TEXT)

    app.config["READER"] = Slow()
    refused = value("whosaid_requests_refused_total", problem="overloaded")

    def ask() -> None:
        app.test_client().post("/v1/analyses", json={"text": TEXT})

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=20)
    while (value("whosaid_requests_reading"), value("whosaid_requests_waiting")) != (1, 2):
        threading.Event().wait(0.01)
    ask()
    leave.set()
    for thread in threads:
        thread.join()
    assert (value("whosaid_requests_reading"), value("whosaid_requests_waiting")) == (0, 0)
    assert value("whosaid_requests_refused_total", problem="overloaded") == refused + 1


def test_batches_are_counted(app: Flask) -> None:
    client = app.test_client()
    sizes = value("whosaid_batch_size_sum")
    for lines in (3, 2):
        body = '{"text": "It rained."}\n' * lines
        assert client.post("/v1/batches", data=body, content_type="application/x-ndjson").status_code == 202
    assert "whosaid_queue_depth 5.0" in client.get("/metrics").text
    assert value("whosaid_batch_size_sum") == sizes + 5
    before = {state: value("whosaid_batch_items_total", state=state) for state in ("done", "failed")}
    store = app.config["STORE"]
    desk = Desk("test", app.config["SETTINGS"], store, FakeReader(), app.config["KEEPER"])
    with store.read() as session:
        handed_in = session.scalars(select(Chunk.seq)).all()
    for chunk in handed_in:
        read_chunk(desk, chunk)
    assert "whosaid_queue_depth 0.0" in client.get("/metrics").text
    assert value("whosaid_batch_items_total", state="done") == before["done"] + 5
    assert value("whosaid_batch_items_total", state="failed") == before["failed"]


def test_metrics_are_told_without_a_database(app: Flask) -> None:
    app.config["STORE"].engine = create_engine("postgresql+psycopg://whosaid@127.0.0.1:1/none")
    assert app.test_client().get("/metrics").status_code == 200


@pytest.mark.parametrize("name", sorted({family.name for family in REGISTRY.collect()}))
def test_every_metric_is_documented(name: str) -> None:
    if not name.startswith(("whosaid_", "http_")):
        return  # of Python and of the process; not there under several processes
    rows = re.findall(r"^\| `([a-z_]+?)(?:_total)?(?:\{[a-z_, ]+\})?` \|", _operations(), re.M)
    assert name in rows


def test_every_documented_metric_exists() -> None:
    rows = set(re.findall(r"^\| `((?:whosaid|http)_[a-z_]+?)(?:_total)?(?:\{[a-z_, ]+\})?` \|", _operations(), re.M))
    assert rows
    assert rows <= {family.name for family in REGISTRY.collect()}


def test_only_counts_are_removed_from_a_folder_that_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = ("counter_1.db", "histogram_22.db", "summary_3.db", "gauge_livesum_4.db", "gauge_mostrecent_5.db")
    others = {"whosaid.db", "whosaid-queue.db", "counter.db", "my_counter_1.db", "gauge_6.txt"}
    for name in (*counts, *others):
        (tmp_path / name).touch()
    monkeypatch.setenv(SHARED, str(tmp_path))
    assert share_counts() == tmp_path
    assert {one.name for one in tmp_path.iterdir()} == others


def _operations() -> str:
    return (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
