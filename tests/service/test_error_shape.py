"""Every error is a problem of one shape (RFC 9457)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models.records import Reading
from service.api.problems import ProblemSchema
from service.errors import KINDS
from tests.fakes import FakeReader

URL = "/v1/analyses"

ERRORS: dict[int, Callable[[FlaskClient], TestResponse]] = {
    400: lambda client: client.post(URL, data="{", content_type="application/json"),
    404: lambda client: client.get("/v1/nothing"),
    405: lambda client: client.get(URL),
    413: lambda client: client.post(URL, json={"text": "a" * 30_000}),
    415: lambda client: client.post(URL, data="text"),
    422: lambda client: client.post(URL, json={"text": ""}),
}


@pytest.mark.parametrize("status", ERRORS)
def test_every_error_is_a_problem(client: FlaskClient, status: int) -> None:
    response = ERRORS[status](client)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert ProblemSchema().validate(response.json) == {}
    assert response.json["status"] == status
    assert response.json["request_id"] == response.headers["X-Request-ID"]
    explained = client.get(response.json["type"]).json
    assert (explained["title"], explained["status"]) == (response.json["title"], status)
    assert explained["remedy"]


def test_every_kind_of_problem_is_explained(client: FlaskClient) -> None:
    for kind in KINDS:
        assert client.get(f"/problems/{kind.name}").json["status"] == kind.status
    assert client.get("/problems/none").status_code == 404


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    assert "POST" in client.get(URL).headers["Allow"]


def test_a_fault_tells_nothing_of_the_inside(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeReader):
        def read_one(self, *_: object, **__: object) -> Reading:
            raise RuntimeError("secret")

    app.config["READER"] = Broken()
    response = app.test_client().post(URL, json={"text": "a"}, headers={"X-Request-ID": "mine"})
    assert response.status_code == 500
    assert "secret" not in response.text
    assert ProblemSchema().validate(response.json) == {}
    assert "mine" in caplog.text


def test_too_many_requests_at_once_are_sent_away(app: Flask) -> None:
    inside, leave = threading.Semaphore(0), threading.Event()

    class Slow(FakeReader):
        def read_one(self, *args: object, **kwargs: object) -> Reading:
            inside.release()
            leave.wait(20)
            return super().read_one("It rained.")

    app.config["READER"] = Slow()
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(app.test_client().post(URL, json={"text": "a"}).status_code))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=20)
    gate = app.config["GATE"]
    while gate._places._value:  # all three are in: one reads, two wait
        threading.Event().wait(0.01)
    refused = app.test_client().post(URL, json={"text": "a"})
    leave.set()
    for thread in threads:
        thread.join()
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert refused.json["limit"] == 2
    assert statuses == [200, 200, 200]
    assert app.test_client().post(URL, json={"text": "a"}).status_code == 200
