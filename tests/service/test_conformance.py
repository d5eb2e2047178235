"""Whatever is sent, in whatever order: each answer is one that openapi.yaml promises."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import yaml
from flask import Flask, Response, request
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.api.contract import Operation, operations
from service.api.examples import EXAMPLES
from service.api.links import LINKS, Link
from service.api.routes import template
from service.api.spec import generate
from service.app import create_app
from service.batches.reading import Desk, read_chunk
from service.config import load_settings
from service.security.keys import SCOPES, create_key
from service.store.batches import Chunk
from tests.databases import ENGINES, database
from tests.fakes import EagerReader, FakeSame
from tests.serving import serving

CONTRACT = yaml.safe_load(generate())
OPERATIONS = list(operations(CONTRACT))

CONFIG = """
seed = 3
hooks = "hooks.py"
continue-on-failure = true

[generation]
max-examples = 20
database = "none"

[phases.stateful.generation]
max-examples = 100

# Not every page has an article in it, and blank texts and lone surrogates are beyond JSON Schema.
[checks]
positive_data_acceptance.enabled = false
# A body that is both wrong and too long may be refused for its length.
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429]

# An article that is not valid is reported among the results, and fails no batch.
[[operations]]
include-operation-id = "createBatch"
checks.negative_data_rejection.enabled = false

# To delete a batch is to cancel it: what it has done stays.
[[operations]]
include-operation-id = ["getBatch", "listBatchResults", "listBatchErrors"]
checks.use_after_free.enabled = false
"""

HOOKS = """
import schemathesis


@schemathesis.serializer("application/x-ndjson")
def as_it_is(_, value):
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_no_request_and_no_sequence_of_requests_breaks_the_contract(engine: str, tmp_path: Path) -> None:
    seen: dict[tuple[str, str], set[int]] = defaultdict(set)
    config = tmp_path / "schemathesis.toml"
    with database(engine, tmp_path) as url:
        chosen = {"database_url": url, "data_folder": tmp_path, "keys": "on", "requests_per_minute": 0}
        app = create_app(load_settings(chosen | {"max_body_bytes": 20_000}, environ={}), EagerReader(), FakeSame())
        app.config["STORE"].upgrade()
        key = {"Authorization": "Bearer " + create_key(app.config["STORE"], "test", SCOPES)}
        (tmp_path / "hooks.py").write_text(HOOKS)
        config.write_text(f"headers = {json.dumps(key)}\n".replace(": ", " = ", 1) + CONFIG)

        @app.after_request
        def note(response: Response) -> Response:
            seen[template(str(request.url_rule)), request.method.lower()].add(response.status_code)
            return response

        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = key["Authorization"]
        seed(client)
        with serving(app) as address, reading_batches(app):
            program = [sys.executable, "-m", "schemathesis.cli", "--config-file", config]
            done = subprocess.run(
                [*program, "run", address + "/openapi.yaml"], cwd=tmp_path, capture_output=True, text=True
            )
        app.config["STORE"].close()
    assert done.returncode == 0, done.stdout + done.stderr
    for one in OPERATIONS:  # the others need luck here; what links lead to is tested below
        assert "{" in one.path or {200, 201, 202} & seen[one.path, one.method], f"no good answer of {one.name}"


def read_batches(app: Flask) -> None:
    """Do what a worker would do with all chunks that wait."""
    store, keeper = app.config["STORE"], app.config["KEEPER"]
    desk = Desk("test", app.config["SETTINGS"], store, app.config["READER"], keeper)
    with store.read() as session:
        waiting = list(session.scalars(select(Chunk.seq).where(Chunk.state != "done")))
    for chunk in waiting:
        read_chunk(desk, chunk)


@contextmanager
def reading_batches(app: Flask) -> Iterator[None]:
    """Do so again and again."""
    is_over = Event()

    def work() -> None:
        while not is_over.wait(0.2):
            read_batches(app)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def seed(client: FlaskClient) -> None:
    """Store articles with a speaker who can be split, one to merge with, and a claim that two make; and a batch."""
    harbour = EXAMPLES["ArticleRequest"]
    told = {"text": harbour["text"] + " Ships wait.", "published": harbour["published"]}
    said = ("Bo said never.", "Cleo said nay.", "This was said, too.", "This was also said.")
    for body in [harbour, told, *({"text": text} for text in said)]:
        assert client.post("/v1/articles", json=body).status_code == 201
    assert client.post("/v1/batches", json=EXAMPLES["BatchRequest"]).status_code == 202


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.start}-{link.target}")
def test_each_link_leads_to_a_good_answer(client: FlaskClient, link: Link) -> None:
    client.application.config["READER"] = EagerReader()
    seed(client)
    assert follow(client, link, *perform(client, link.start)).status_code < 300


def perform(client: FlaskClient, name: str, *before: str) -> tuple[Any, TestResponse]:
    """Any good request of an operation, and the answer to it."""
    one = next(one for one in OPERATIONS if one.name == name)
    body = example(one)
    if "{" in one.path:
        link = next(link for link in LINKS if link.target == name and link.start not in (name, *before))
        response = follow(client, link, *perform(client, link.start, name, *before))
    else:
        response = client.open(
            one.path, method=one.method, json=body, query_string={"limit": 2} if one.method == "get" else {}
        )
    read_batches(client.application)
    assert response.status_code < 300, response.text
    return body, response


def follow(client: FlaskClient, link: Link, body: Any, response: TestResponse) -> TestResponse:
    """What the operation that a link leads to answers."""

    def value(expression: Any) -> Any:
        if isinstance(expression, dict):
            return {key: value(inner) for key, inner in expression.items()}
        if isinstance(expression, list):
            return [value(inner) for inner in expression]
        if expression == "$request.body":
            return body
        found = response.json
        for step in expression.removeprefix("$response.body#/").split("/"):
            found = found[int(step) if isinstance(found, list) else step]
        return found

    target = next(one for one in OPERATIONS if one.name == link.target)
    values = {name: value(expression) for name, expression in link.parameters.items()}
    asked = {name: values.pop(name) for name in set(values) if "{" + name + "}" not in target.path}
    sent = example(target) if link.body is None else value(link.body)
    return client.open(target.path.format(**values), method=target.method, json=sent, query_string=asked)


def example(one: Operation) -> Any:
    """The example of an operation's body; None if it has none."""
    if "requestBody" not in one.record:
        return None
    (name,) = one.record["requestBody"]["content"]["application/json"]["examples"]
    return CONTRACT["components"]["examples"][name]["value"]
