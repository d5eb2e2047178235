"""A request that waits longer than its deadline is not read; web pages wait for their turn as well."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest
from flask import Flask

from service.api.problems import ProblemSchema
from service.reading import Gate
from tests.service.test_health import Counts, reading

PAGE = (
    "<html><body><article>"
    + "<p>“We will rebuild it before winter comes,” said Amara.</p>" * 9
    + "</article></body></html>"
)


@pytest.mark.parametrize("body", [{"text": "It rained."}, {"html": PAGE}])
def test_who_waits_too_long_is_told_to_come_again(app: Flask, body: dict[str, str]) -> None:
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], deadline=0)
    app.config["READER"] = reader = Counts()
    with reading(app.config["GATE"]):
        response = app.test_client().post("/v1/analyses", json=body)
    assert (response.status_code, response.json["type"]) == (503, "/problems/deadline-passed")
    assert ProblemSchema().validate(response.json) == {}
    assert response.headers["Retry-After"] == "5"
    assert response.json["setting"] == "WHOSAID_DEADLINE"
    assert reader.asked == 0
    # The place is free again.
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], deadline=60)
    assert app.test_client().post("/v1/analyses", json=body).status_code == 200


def test_whose_turn_comes_in_time_is_read() -> None:
    gate = Gate(1)
    done = threading.Event()

    def wait() -> None:
        with gate(time.perf_counter() + 30):
            done.set()

    with reading(gate):
        thread = threading.Thread(target=wait)
        thread.start()
        assert not done.wait(0.05)
    thread.join(30)
    assert done.is_set()


def test_an_error_gives_the_turn_back() -> None:
    gate = Gate(0)
    for _ in range(3):
        with pytest.raises(ArithmeticError), gate():
            raise ArithmeticError
    assert gate.seconds_since == float("inf")
