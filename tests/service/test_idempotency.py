"""A request with an Idempotency-Key is done once, however often it is sent; on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import text, update
from werkzeug.test import TestResponse

from models.records import Reading
from service.api import batches, idempotency
from service.app import create_app
from service.batches.intake import Options, take_in
from service.errors import Overloaded
from service.store.engine import Store
from service.store.tables import KeptAnswer
from tests.databases import ENGINES, served
from tests.fakes import FakeReader, FakeSame

TEXT = "“We will rebuild,” said Amara. Bruno said that the bridge is closed."
URL = "/v1/articles"


@pytest.fixture(params=ENGINES)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    with served(request.param, tmp_path) as app:
        yield app


def send(client: FlaskClient, key: str, path: str = URL, **body: Any) -> TestResponse:
    return client.post(path, json=body or {"text": TEXT}, headers={"Idempotency-Key": key})


def kept(app: Flask) -> int:
    with app.config["STORE"].read() as session:
        return int(session.execute(text("SELECT count(*) FROM kept_answers")).scalar_one())


def age(app: Flask, **columns: float) -> None:
    """Let time pass for all keys."""
    with app.config["STORE"].write() as session:
        session.execute(
            update(KeptAnswer).values({name: getattr(KeptAnswer, name) - by for name, by in columns.items()})
        )


def test_the_same_request_gets_the_same_answer(client: FlaskClient) -> None:
    first = send(client, "a", text=TEXT, title="Bridge")
    assert (first.status_code, first.headers.get("Idempotency-Replayed")) == (201, None)
    client.delete(first.headers["Location"])
    again = send(client, "a", title="Bridge", text=TEXT)  # as JSON it is the same
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert (again.data, again.content_type) == (first.data, first.content_type)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert client.get(first.headers["Location"]).status_code == 404  # nothing was done again


def test_another_request_with_the_key_is_refused(client: FlaskClient) -> None:
    speakers = [one["id"] for one in send(client, "a").json["speakers"]]
    other = send(client, "a", text="It rained.")
    assert (other.status_code, other.json["type"]) == (422, "/problems/key-reused")
    elsewhere = send(client, "a", f"/v1/speakers/{speakers[0]}/merge", speaker=speakers[1])
    assert elsewhere.status_code == 422
    assert send(client, "b", text="It rained.").status_code == 201


def test_without_a_key_nothing_is_remembered(client: FlaskClient, app: Flask) -> None:
    assert client.post(URL, json={"text": TEXT}).status_code == 201
    assert client.post(URL, json={"text": TEXT}).status_code == 200
    assert kept(app) == 0


@pytest.mark.parametrize("key", ["", "k" * 256, "naïve", "a\tb"])
def test_a_bad_key_is_named(client: FlaskClient, app: Flask, key: str) -> None:
    response = send(client, key)
    assert response.status_code == 422
    assert response.json["errors"][0]["field"] == "Idempotency-Key"
    assert client.get(URL).json["items"] == []


def test_each_caller_has_keys_of_its_own(app: Flask) -> None:
    @app.before_request
    def know() -> None:
        from flask import request

        g.caller = request.headers.get("X-Caller")

    client = app.test_client()

    def ask(caller: str, body: str) -> int:
        return client.post(URL, json={"text": body}, headers={"Idempotency-Key": "a", "X-Caller": caller}).status_code

    assert [ask("one", TEXT), ask("two", "It rained."), ask("one", "It rained.")] == [201, 201, 422]


def test_speakers_are_merged_once(client: FlaskClient) -> None:
    amara, bruno = (one["id"] for one in send(client, "a").json["speakers"])
    answers = [send(client, "b", f"/v1/speakers/{amara}/merge", speaker=bruno) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json == answers[1].json


def test_what_failed_is_done_again(client: FlaskClient, app: Flask) -> None:
    class Busy(FakeReader):
        def read_one(self, *_: object, **__: object) -> Reading:
            raise Overloaded(retry_after=1)

    class Broken(FakeReader):
        def read_one(self, *_: object, **__: object) -> Reading:
            raise RuntimeError

    assert send(client, "a", text="").status_code == 422
    for reader, status in ((Busy(), 429), (Broken(), 500), (FakeReader(), 201)):
        app.config["READER"] = reader
        assert send(client, "a").status_code == status


def test_the_same_request_at_once_is_done_once(app: Flask) -> None:
    inside, leave = threading.Event(), threading.Event()

    class Slow(FakeReader):
        def read_one(self, *args: Any, **how: Any) -> Reading:
            inside.set()
            leave.wait(20)
            return super().read_one(*args, **how)

    app.config["READER"] = Slow()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: send(app.test_client(), "a"))
        assert inside.wait(20)
        second = send(app.test_client(), "a")
        leave.set()
        assert first.result().status_code == 201
    assert (second.status_code, second.json["type"]) == (409, "/problems/in-progress")
    assert second.headers["Retry-After"] == "1"
    assert send(app.test_client(), "a").data == first.result().data


def test_many_at_once_are_stored_once(app: Flask) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(app.test_client(), "a"), range(8)))
    assert {one.status_code for one in answers} <= {201, 409}
    assert len({one.data for one in answers if one.status_code == 201}) == 1


def test_a_process_that_died_does_not_hold_its_key_for_ever(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(idempotency, "_keep", lambda *_: None)  # killed when the article was stored
        stored = send(client, "a").json
    assert send(client, "a").status_code == 409
    age(app, held_until=idempotency.HELD_SECONDS)
    again = send(client, "a")
    assert (again.status_code, again.json["claims"]) == (200, stored["claims"])
    assert send(client, "a").headers["Idempotency-Replayed"] == "true"


def test_who_lost_a_key_does_not_overwrite_its_answer(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, others = idempotency._keep, list[TestResponse]()

    def late(*how: Any) -> None:
        monkeypatch.setattr(idempotency, "_keep", keep)
        age(app, held_until=idempotency.HELD_SECONDS)
        others.append(send(app.test_client(), "a"))
        keep(*how)

    monkeypatch.setattr(idempotency, "_keep", late)
    assert send(client, "a").status_code == 201
    assert others[0].status_code == 200
    assert send(client, "a").data == others[0].data


def test_a_long_archive_holds_its_key_while_it_comes_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "HELD_SECONDS", 3)
    archive = {"items": [{"text": f"It rained {number} times."} for number in range(5)]}
    others = list[TestResponse]()

    def slow(store: Store, lines: Iterable[bytes], options: Options) -> str:
        return take_in(store, slowly(lines), options)

    def slowly(lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            time.sleep(0.8)
            others.append(send(app.test_client(), "a", "/v1/batches", **archive))
            yield line

    with monkeypatch.context() as patched:
        patched.setattr(batches, "take_in", slow)
        first = send(app.test_client(), "a", "/v1/batches", **archive)
    assert first.status_code == 202
    assert [one.status_code for one in others] == [409] * 5
    assert send(app.test_client(), "a", "/v1/batches", **archive).data == first.data


def test_an_archive_that_paused_until_it_was_sent_again_is_kept_once(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = {"items": [{"text": "It rained."}, {"text": "It snowed."}]}
    others = list[TestResponse]()

    def paused(store: Store, lines: Iterable[bytes], options: Options) -> str:
        return take_in(store, pausing(lines), options)

    def pausing(lines: Iterable[bytes]) -> Iterator[bytes]:
        monkeypatch.setattr(batches, "take_in", take_in)
        yield next(iter(lines))
        age(app, held_until=idempotency.HELD_SECONDS)
        others.append(send(app.test_client(), "a", "/v1/batches", **archive))
        monkeypatch.setattr(idempotency, "HELD_SECONDS", 0)
        yield from lines

    monkeypatch.setattr(batches, "take_in", paused)
    assert send(client, "a", "/v1/batches", **archive).status_code == 409
    assert others[0].status_code == 202
    assert [one["id"] for one in client.get("/v1/batches").json["items"]] == [others[0].json["id"]]


def test_keys_are_forgotten_after_their_time(client: FlaskClient, app: Flask) -> None:
    assert send(client, "a").status_code == 201
    age(app, created=24 * 3600)
    send(client, "b")
    assert kept(app) == 1
    assert send(client, "a", text="It rained.").status_code == 201


def test_another_process_gives_the_same_answer(client: FlaskClient, app: Flask) -> None:
    first = send(client, "a")
    other = create_app(app.config["SETTINGS"], FakeReader(), FakeSame())
    assert send(other.test_client(), "a").data == first.data
    other.config["STORE"].close()


def test_a_key_is_part_of_the_contract(client: FlaskClient) -> None:
    import yaml

    paths = yaml.safe_load(client.get("/openapi.yaml").text)["paths"]
    for path in (URL, "/v1/speakers/{id}/merge", "/v1/speakers/{id}/split"):
        post = paths[path]["post"]
        assert "Idempotency-Key" in {one.get("name") for one in post["parameters"]}
        assert {"409", "422"} <= set(post["responses"])
