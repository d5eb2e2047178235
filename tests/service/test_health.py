"""Readiness tells what is wrong, check by check, without waiting behind those who read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import create_engine

from models.records import Reading
from service.api.problems import ProblemSchema
from service.errors import NotReady
from service.reading import Gate
from tests.fakes import FakeReader


class Counts(FakeReader):
    """Knows how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def read_one(self, *args: object, **kwargs: object) -> Reading:
        self.asked += 1
        return super().read_one(*args, **kwargs)  # type: ignore[arg-type]


@contextmanager
def reading(gate: Gate) -> Iterator[None]:
    """Somebody reads all the while."""
    inside, leave = threading.Event(), threading.Event()

    def read() -> None:
        with gate():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=read)
    thread.start()
    assert inside.wait(10)
    try:
        yield
    finally:
        leave.set()
        thread.join()


def test_a_reading_of_a_short_while_ago_proves_the_model(app: Flask) -> None:
    app.config["READER"] = reader = Counts()
    client = app.test_client()
    client.post("/v1/analyses", json={"text": "It rained."})
    assert reader.asked == 1
    for _ in range(3):
        assert client.get("/readyz").status_code == 200
    assert reader.asked == 1


def test_an_idle_model_is_asked_once_in_a_while(app: Flask) -> None:
    app.config["READER"] = reader = Counts()
    for _ in range(3):
        assert app.test_client().get("/readyz").status_code == 200
    assert reader.asked == 1


def test_readiness_does_not_wait_for_a_reading(app: Flask) -> None:
    app.config["READER"] = reader = Counts()
    with reading(app.config["GATE"]):
        assert app.test_client().get("/readyz").status_code == 200
    assert reader.asked == 0


def test_a_reading_without_end_is_not_ready(app: Flask) -> None:
    gate = app.config["GATE"]
    with reading(gate):
        gate._begun = time.perf_counter() - 121
        response = app.test_client().get("/readyz")
    assert (response.status_code, response.json["checks"]["model"]) == (503, "A reading does not come to an end.")


def test_each_failing_check_is_told_and_nothing_secret(app: Flask) -> None:
    def broken() -> None:
        raise RuntimeError("amqp://whosaid:password@broker")

    def known() -> None:
        raise NotReady("The store of pages is full.")

    app.config["CHECKS"] |= {"broken": broken, "known": known}
    app.config["STORE"].engine = create_engine("postgresql+psycopg://whosaid:password@127.0.0.1:1/none")
    response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert ProblemSchema().validate(response.json) == {}
    assert {name: response.json["checks"][name] for name in ("database", "model", "broken", "known")} == {
        "database": "The database does not answer.",
        "model": "ok",
        "broken": "It fails; the log says why.",
        "known": "The store of pages is full.",
    }
    assert "password" not in response.text
    assert response.headers["Retry-After"]


def test_a_service_that_stops_is_not_ready(app: Flask) -> None:
    app.config["IS_STOPPING"] = lambda: True
    client = app.test_client()
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_a_database_that_does_not_answer_is_no_fault(app: Flask) -> None:
    app.config["STORE"].engine = create_engine("postgresql+psycopg://whosaid:password@127.0.0.1:1/none")
    response = app.test_client().get("/v1/claims")
    assert (response.status_code, response.json["type"]) == (503, "/problems/not-ready")
    assert response.headers["Retry-After"]
    assert "password" not in response.text
