"""Batches over HTTP, their chunks read in this process; on both databases alike."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api import examples
from service.api.batch_records import (
    BatchErrorPageSchema,
    BatchPageSchema,
    BatchRequestSchema,
    BatchResultPageSchema,
    BatchSchema,
    NewBatchSchema,
)
from service.batches import chunks
from service.batches.reading import Desk, read_chunk
from tests.databases import ENGINES, served
from tests.fakes import FakeReader

NDJSON = "application/x-ndjson"
TEXT = "“We will rebuild,” said Amara. Bruno said that the bridge is closed."


@pytest.fixture(params=ENGINES)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    limits = {"max_body_bytes": 20_000, "max_batch_bytes": 100_000, "data_folder": str(tmp_path)}
    with served(request.param, tmp_path, **limits) as app:
        yield app


def read_all(app: Flask) -> None:
    desk = Desk("worker", app.config["SETTINGS"], app.config["STORE"], FakeReader(), app.config["KEEPER"])
    with desk.store.read() as session:
        waiting = list(session.scalars(chunks.select(chunks.Chunk.seq).where(chunks.Chunk.state != "done")))
    for chunk in waiting:
        read_chunk(desk, chunk)


def lines(*rows: Any) -> bytes:
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in rows)


def hand_in(client: FlaskClient, *rows: Any, query: str = "", **headers: str) -> Any:
    response = client.post(f"/v1/batches{query}", data=lines(*rows), content_type=NDJSON, headers=headers)
    assert response.status_code == 202, response.json
    assert NewBatchSchema().validate(response.json) == {}
    assert response.headers["Location"] == response.json["links"]["self"]
    return response.json


def test_an_archive_is_read_in_the_background(client: FlaskClient, app: Flask) -> None:
    made = hand_in(client, {"id": "a", "text": TEXT}, {"external_id": "b", "text": "It rained.", "title": "Rain"})
    assert (made["state"], made["total"], made["started"]) == ("queued", 2, None)
    read_all(app)
    found = client.get(made["links"]["self"]).json
    assert BatchSchema().validate(found) == {}
    assert (found["state"], found["done"], found["failed"], found["seconds_left"]) == ("finished", 2, 0, 0)
    assert found["articles_per_second"] > 0
    listed = client.get(made["links"]["results"]).json
    assert BatchResultPageSchema().validate(listed) == {}
    assert listed["next"] is None
    by_id = {one["external_id"]: one for one in listed["items"]}
    assert by_id["a"]["analysis"] == client.post("/v1/analyses", json={"text": TEXT}).json
    assert (by_id["b"]["number"], by_id["b"]["analysis"]["article"]["title"]) == (2, "Rain")
    assert {one["article"] for one in listed["items"]} == {None}


def test_gzip_is_unpacked(client: FlaskClient, app: Flask) -> None:
    body = gzip.compress(lines({"text": TEXT}))
    made = client.post("/v1/batches", data=body, content_type=NDJSON, headers={"Content-Encoding": "gzip"})
    assert (made.status_code, made.json["total"]) == (202, 1)


def test_a_list_is_a_batch_as_well(client: FlaskClient, app: Flask) -> None:
    assert BatchRequestSchema().validate(examples.EXAMPLES["BatchRequest"]) == {}
    assert BatchSchema().validate(examples.EXAMPLES["Batch"]) == {}
    made = client.post("/v1/batches", json=examples.EXAMPLES["BatchRequest"])
    assert (made.status_code, made.json["options"]["store"]) == (202, True)
    read_all(app)
    (one,) = client.get(made.json["links"]["results"]).json["items"]
    assert one["external_id"] == "harbour-1"
    assert client.get(f"/v1/articles/{one['article']}").json["external_id"] == "harbour-1"


def test_articles_are_kept_if_that_is_asked_for(client: FlaskClient, app: Flask) -> None:
    made = hand_in(client, {"id": "a", "text": TEXT}, {"id": "b", "text": TEXT + " More."}, query="?store=true")
    read_all(app)
    found = client.get(made["links"]["results"]).json["items"]
    for one in found:
        kept = client.get(f"/v1/articles/{one['article']}").json
        assert (kept["external_id"], len(kept["claims"])) == (one["external_id"], len(one["analysis"]["claims"]))
    assert len(client.get("/v1/speakers").json["items"]) == 4


def test_a_bad_article_is_reported_and_stops_nobody(client: FlaskClient, app: Flask) -> None:
    bad: dict[int, tuple[Any, str, str]] = {
        2: (b"no json", "bad-json", "not JSON"),
        3: (b"[]", "invalid", ""),
        4: (b'{"text": "\xff"}', "bad-json", "UTF-8"),
        5: ({"id": "five"}, "invalid", "text or html"),
        6: ({"text": "a", "txet": "b"}, "invalid", "txet"),
        7: ({"text": "x" * 30_000}, "too-large", "MAX_BODY_BYTES"),
        8: ({"text": " "}, "invalid", "empty"),
        9: ({"id": 1.5, "text": "a"}, "invalid", "id"),
        10: ({"id": "a", "external_id": "b", "text": "a"}, "invalid", "external_id"),
        11: ({"text": "Il a dit que la maison était grande et que le jardin était très beau. " * 9}, "invalid", "fr"),
        12: ({"html": "<p></p>"}, "invalid", "html"),
        13: ({"text": TEXT, "habit": "mine"}, "invalid", "habit"),
        14: ({"text": "\ud800"}, "invalid", "surrogates"),
    }
    made = hand_in(client, {"text": TEXT}, *(row for row, _, _ in bad.values()), b"", {"id": 9, "text": TEXT})
    assert made["total"] == 15
    read_all(app)
    found = client.get(made["links"]["self"]).json
    assert (found["state"], found["done"], found["failed"]) == ("finished", 2, 13)
    listed = client.get(made["links"]["errors"]).json
    assert BatchErrorPageSchema().validate(listed) == {}
    errors = {one["number"]: one for one in listed["items"]}
    assert errors.keys() == bad.keys()
    for number, (_, name, says) in bad.items():
        assert errors[number]["error"]["type"] == f"/problems/{name}", errors[number]
        assert says in json.dumps(errors[number]["error"]), errors[number]
        assert client.get(errors[number]["error"]["type"]).status_code == 200
    assert errors[5]["external_id"] == "five"
    assert {one["number"] for one in client.get(made["links"]["results"]).json["items"] if one["type"] == "result"} == {
        1, 16,
    }  # fmt: skip


def test_unknown_fields_may_be_left_out(client: FlaskClient, app: Flask) -> None:
    made = hand_in(client, {"text": TEXT, "desk": "news"}, query="?ignore_unknown=true")
    read_all(app)
    assert client.get(made["links"]["self"]).json["done"] == 1


def test_results_are_read_page_by_page_while_the_batch_runs(client: FlaskClient, app: Flask) -> None:
    made = hand_in(client, *({"id": n, "text": f"{TEXT} {n}"} for n in range(400)))
    first = client.get(made["links"]["results"]).json
    assert (first["items"], first["next"] is None) == ([], False)
    app.config["ENGINE"].dispatch(app.config["STORE"])
    desk = Desk("worker", app.config["SETTINGS"], app.config["STORE"], FakeReader(), app.config["KEEPER"])
    with desk.store.read() as session:
        first_chunk = session.scalars(chunks.select(chunks.Chunk.seq).order_by(chunks.Chunk.first)).first()
    assert first_chunk is not None
    read_chunk(desk, first_chunk)
    found: list[int] = []
    cursor = first["next"]
    for _ in range(4):
        listed = client.get(made["links"]["results"], query_string={"limit": 70, "cursor": cursor}).json
        found += [one["number"] for one in listed["items"]]
        cursor = listed["next"]
    assert len(found) == 200
    read_all(app)
    while cursor is not None:
        listed = client.get(made["links"]["results"], query_string={"limit": 70, "cursor": cursor}).json
        found += [one["number"] for one in listed["items"]]
        cursor = listed["next"]
    assert sorted(found) == list(range(1, 401))


def test_lines_can_be_resumed_after_any_of_them(client: FlaskClient, app: Flask) -> None:
    made = hand_in(client, *({"id": n, "text": f"{TEXT} {n}"} for n in range(20)), {"id": "bad"})

    def ask(**query: str) -> list[Any]:
        response = client.get(made["links"]["results"], query_string=query, headers={"Accept": NDJSON})
        assert response.mimetype == NDJSON
        return [json.loads(line) for line in response.text.splitlines()]

    (summary,) = ask()
    assert (summary["type"], summary["state"], summary["total"]) == ("summary", "queued", 21)
    read_all(app)
    *found, end = ask(cursor=summary["next"])
    assert end == {"type": "summary", "state": "finished", "done": 20, "failed": 1, "total": 21, "next": None}
    assert sorted(one["number"] for one in found) == list(range(1, 22))
    *rest, _ = ask(cursor=found[12]["cursor"])
    assert rest == found[13:]
    as_json = client.get(made["links"]["results"]).json["items"]
    assert [{name: value for name, value in one.items() if name != "cursor"} for one in found] == as_json


def test_a_cancelled_batch_keeps_its_results(client: FlaskClient, app: Flask) -> None:
    made = hand_in(client, *({"text": f"{TEXT} {n}"} for n in range(10)))
    for _ in range(2):
        response = client.delete(made["links"]["self"])
        assert (response.status_code, response.json["state"]) == (200, "cancelled")
    read_all(app)
    assert client.get(made["links"]["results"]).json == {"items": [], "next": None}
    over = hand_in(client, {"text": TEXT})
    read_all(app)
    assert client.delete(over["links"]["self"]).json["state"] == "finished"
    listed = client.get("/v1/batches").json
    assert BatchPageSchema().validate(listed) == {}
    assert [one["id"] for one in listed["items"]] == [over["id"], made["id"]]
    assert [one["id"] for one in client.get("/v1/batches?state=cancelled").json["items"]] == [made["id"]]


def test_the_same_request_is_one_batch(client: FlaskClient) -> None:
    first = hand_in(client, {"text": TEXT}, **{"Idempotency-Key": "k"})
    assert hand_in(client, {"text": TEXT}, **{"Idempotency-Key": "k"}) == first
    assert len(client.get("/v1/batches").json["items"]) == 1
    other = client.post("/v1/batches", data=b"{}", content_type=NDJSON, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json["type"]) == (422, "/problems/key-reused")


@pytest.mark.parametrize(
    ("how", "status", "says"),
    [
        ({"data": b"", "content_type": NDJSON}, 422, "no articles"),
        ({"data": b"{}", "content_type": "text/plain"}, 415, "text/plain"),
        ({"data": b"{}", "content_type": NDJSON, "headers": {"Content-Encoding": "br"}}, 415, "br"),
        ({"data": b"{}", "content_type": NDJSON, "headers": {"Content-Encoding": "gzip"}}, 400, "gzip"),
        ({"data": b"x" * 100_001, "content_type": NDJSON}, 413, "WHOSAID_MAX_BATCH_BYTES"),
        ({"data": b"x" * 20_001, "content_type": "application/json"}, 413, "WHOSAID_MAX_BODY_BYTES"),
        ({"json": {"items": []}}, 422, "items"),
        ({"json": {"items": [{}], "more": 1}}, 422, "more"),
        ({"json": {"items": [{}], "options": {"stroe": True}}}, 422, "options.stroe"),
        ({"json": {"items": [{}]}, "query_string": {"store": "true"}}, 422, "store"),
        ({"data": b"{}", "content_type": NDJSON, "query_string": {"stroe": "true"}}, 422, "stroe"),
        ({"data": b"{}", "content_type": NDJSON, "query_string": {"callback_url": "ftp://a"}}, 422, "callback_url"),
        ({"data": b"{}", "content_type": NDJSON, "query_string": {"callback_url": "http://127.0.0.1/"}}, 422, "public"),
        ({"data": b"{}", "content_type": NDJSON, "headers": {"Callback-Secret": "whsec_MDEy"}}, 422, "24 to 64"),
        ({"json": {"items": [{}], "options": {"callback_secret": "x" * 40}}}, 422, "whsec_"),
    ],
)
def test_a_request_that_cannot_be_taken_is_explained(
    client: FlaskClient, how: dict[str, Any], status: int, says: str
) -> None:
    response = client.post("/v1/batches", **how)
    assert response.status_code == status, response.json
    assert says in response.text
    assert client.get("/v1/batches").json["items"] == []


def test_a_secret_is_told_once(client: FlaskClient) -> None:
    options = {"callback_url": "http://8.8.8.8/"}
    made = client.post("/v1/batches", json={"items": [{"text": TEXT}], "options": options}).json
    assert made["callback_secret"].startswith("whsec_")
    found = client.get(made["links"]["self"]).json
    assert "callback_secret" not in found
    assert found["callback"] == {"url": "http://8.8.8.8/", "state": "waiting", "attempts": 0, "error": None}


@pytest.mark.parametrize("path", ["", "/results", "/errors"])
def test_there_is_no_other_batch(client: FlaskClient, path: str) -> None:
    assert client.get(f"/v1/batches/batch-0123{path}").status_code == 404
    made = hand_in(client, {"text": TEXT})
    if path:
        assert client.get(f"{made['links']['self']}{path}?cursor=x").status_code == 422


def test_a_broker_that_is_away_stops_no_batch(tmp_path: Path) -> None:
    with served("sqlite", tmp_path, broker_url="redis://127.0.0.1:1/0") as app:
        client = app.test_client()
        assert client.get("/readyz").status_code == 503
        made = hand_in(client, {"text": TEXT})
        read_all(app)
        assert client.get(made["links"]["self"]).json["state"] == "finished"
