"""Log lines are for programs or people, tell of each request, and keep secrets and texts to themselves."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from models.records import Reading
from service.app import create_app
from service.config import load_settings
from service.operations import logs
from service.security.keys import create_key
from service.store.engine import Store
from service.store.tables import Base
from tests.databases import ENGINES, opened
from tests.fakes import FakeReader

PRIVATE = "“Nobody may read this,” said Amara."


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_request_is_a_line(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    client = app.test_client()
    client.post("/v1/analyses?x=secret", json={"text": PRIVATE}, headers={"X-Request-ID": "mine"})
    client.get("/v1/articles/article-1")
    first, second = lines(capsys)
    assert first.pop("duration_ms") >= 0
    assert first.pop("timestamp").endswith("Z")
    assert set(first.pop("stages_ms")) == {"page", "read"}
    assert first.pop("pid") == os.getpid()
    assert first == {
        "event": "request",
        "level": "info",
        "logger": "whosaid.access",
        "request_id": "mine",
        "method": "POST",
        "route": "/v1/analyses",
        "status": 200,
        "client": "127.0.0.1",
    }
    assert (second["route"], second["status"]) == ("/v1/articles/{id}", 404)
    assert second["request_id"] != "mine"


def test_a_stream_ends_when_its_last_piece_is_sent(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    app.add_url_rule("/stream", "stream", lambda: (str(n) for n in range(3)))
    logs.configure("info", "json")
    response = app.test_client().get("/stream", headers={"X-Request-ID": "mine"})
    assert lines(capsys) == []
    assert response.text == "012"
    response.close()
    (line,) = lines(capsys)
    assert (line["route"], line["request_id"]) == ("/stream", "mine")


def test_lines_for_people_are_no_json(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "console")
    app.test_client().get("/healthz")
    line = capsys.readouterr().err
    assert "route" in line
    assert "/healthz" in line
    with pytest.raises(json.JSONDecodeError):
        json.loads(line)


def test_the_level_is_the_least_that_is_written(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "json")
    app.test_client().get("/healthz")
    logging.getLogger("some.library").warning("of %s", "others")
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("of others", "warning", "some.library")


def test_faults_tell_where_but_not_the_article(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(FakeReader):
        def read_one(self, article: Any, **_: object) -> Reading:
            text = article.text
            raise ValueError("it is broken\n" + text)

    app = create_app(load_settings({"database_url": f"sqlite:///{tmp_path}/a.db", "keys": "on"}, environ={}), Broken())
    app.config["STORE"].upgrade()
    key = create_key(app.config["STORE"], "one", ["read"])
    logs.configure("debug", "json")
    app.test_client().post("/v1/analyses", json={"text": PRIVATE}, headers={"X-API-Key": key})
    app.test_client().post("/v1/analyses", json={"text": PRIVATE}, headers={"X-API-Key": key[:-1]})
    written = capsys.readouterr().err
    fault = next(json.loads(line) for line in written.splitlines() if "exception" in line)
    assert "read_one" in fault["exception"]
    assert fault["exception"].endswith("ValueError: it is broken")
    assert key[:16] in written
    assert key[17:40] not in written
    assert "Nobody may" not in written
    app.config["STORE"].close()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_databases_complaints_are_without_values(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("debug", "json")
    with opened(engine, tmp_path) as store:
        assert isinstance(store, Store)
        try:
            with store.write() as session:
                session.execute(Base.metadata.tables["claims"].insert().values(id="a", text=PRIVATE, place=None))
        except Exception:
            logging.getLogger("whosaid").exception("it failed")
    written = capsys.readouterr().err
    assert "IntegrityError" in written
    assert "Nobody may" not in written


def test_causes_are_told_first() -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise RuntimeError("x" * 1_000) from error
    except RuntimeError as error:
        told = logs.trace_of(error)
    assert told.index("KeyError: 'first'") < told.index("RuntimeError: xxx")
    assert len(told.splitlines()[-1]) < 250
