"""Only who has a good key with the right scope gets in, and nothing tells what keys there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update

from service.api.problems import ProblemSchema
from service.app import create_app
from service.config import load_settings
from service.security.keys import create_key, revoke_key
from service.store.tables import ApiKey
from tests.conftest import ROOT
from tests.fakes import FakeReader, FakeSame

ARTICLE = {"text": "“We will rebuild,” said Amara."}
NEEDS: dict[str, Callable[..., Any]] = {
    "read": lambda client, **how: client.get("/v1/claims", **how),
    "write": lambda client, **how: client.post("/v1/articles", json=ARTICLE, **how),
    "admin": lambda client, **how: client.get("/metrics", **how),
}
OPEN = ("/healthz", "/readyz", "/v1/info", "/openapi.yaml", "/problems/unauthorized")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Flask]:
    """The application with keys on."""
    chosen = {"database_url": f"sqlite:///{tmp_path}/whosaid.db", "keys": "on"}
    app = create_app(load_settings(chosen, environ={}), FakeReader(), FakeSame())
    app.config["STORE"].upgrade()
    yield app
    app.config["STORE"].close()


@pytest.fixture
def client(locked: Flask) -> FlaskClient:
    return locked.test_client()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("path", OPEN)
def test_health_and_contract_are_open(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == client.head(path).status_code == 200


def test_a_head_needs_what_its_get_needs(locked: Flask, client: FlaskClient) -> None:
    reads = bearer(create_key(locked.config["STORE"], "one", ["read"]))
    assert [client.head(path).status_code for path in ("/v1/claims", "/metrics")] == [401, 401]
    assert [client.head(path, headers=reads).status_code for path in ("/v1/claims", "/metrics")] == [200, 403]


def test_info_says_whether_a_key_is_needed(client: FlaskClient, app: Flask) -> None:
    assert client.get("/v1/info").json["needs_key"] is True
    assert app.test_client().get("/v1/info").json["needs_key"] is False


@pytest.mark.parametrize("scope", NEEDS)
def test_a_key_opens_what_its_scope_says(locked: Flask, client: FlaskClient, scope: str) -> None:
    key = create_key(locked.config["STORE"], "one", [scope])  # type: ignore[list-item]
    for other, ask in NEEDS.items():
        response = ask(client, headers=bearer(key))
        if other == scope:
            assert response.status_code in (200, 201)
            assert ask(client, headers={"X-API-Key": key}).status_code in (200, 201)
            continue
        assert response.status_code == 403
        assert ProblemSchema().validate(response.json) == {}
        assert (response.json["scope"], response.json["type"]) == (other, "/problems/forbidden")
        assert f'error="insufficient_scope", scope="{other}"' in response.headers["WWW-Authenticate"]


def test_analyses_need_read_although_they_are_posted(locked: Flask, client: FlaskClient) -> None:
    reads, writes = (create_key(locked.config["STORE"], one, [one]) for one in ("read", "write"))  # type: ignore[list-item]
    assert client.post("/v1/analyses", json=ARTICLE, headers=bearer(reads)).status_code == 200
    assert client.post("/v1/analyses", json=ARTICLE, headers=bearer(writes)).status_code == 403


@pytest.mark.parametrize("scope", NEEDS)
def test_nobody_gets_in_without_a_key(client: FlaskClient, scope: str) -> None:
    response = NEEDS[scope](client)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="whosaid"'
    assert ProblemSchema().validate(response.json) == {}


@pytest.mark.parametrize(
    "sent",
    [
        "Bearer x",
        "Bearer whosaid_",
        "Bearer whosaid_00000000_x",
        "Bearer \xff",
        "bearer  {}x",
        "Bearer {prefix}",
        "Bearer {prefix}_",
        "Basic {}",
    ],
)
def test_a_wrong_key_does_not_open(locked: Flask, client: FlaskClient, sent: str) -> None:
    key = create_key(locked.config["STORE"], "one", ["read"])
    sent = sent.format(key, prefix=key[:16])
    response = client.get("/v1/claims", headers={"Authorization": sent})
    assert response.status_code == 401
    assert ('error="invalid_token"' in response.headers["WWW-Authenticate"]) == (not sent.startswith("Basic"))


def test_a_revoked_or_expired_key_does_not_open(locked: Flask, client: FlaskClient) -> None:
    store = locked.config["STORE"]
    key = create_key(store, "one", ["read"], expires=datetime.now(UTC) + timedelta(hours=1))
    assert client.get("/v1/claims", headers=bearer(key)).status_code == 200
    with store.write() as session:
        session.execute(update(ApiKey).values(expires=datetime.now(UTC) - timedelta(seconds=1)))
    assert client.get("/v1/claims", headers=bearer(key)).status_code == 401
    other = create_key(store, "two", ["read"])
    assert revoke_key(store, other[:16])
    assert not revoke_key(store, other[:16])
    assert client.get("/v1/claims", headers=bearer(other)).status_code == 401


def test_the_database_has_only_the_digest(locked: Flask) -> None:
    store = locked.config["STORE"]
    key = create_key(store, "one", ["read"])
    with store.read() as session:
        row = str(session.execute(text("SELECT * FROM api_keys")).one())
    assert key[:16] in row
    assert key[17:] not in row


def test_the_last_use_is_kept(locked: Flask, client: FlaskClient) -> None:
    store = locked.config["STORE"]
    key = create_key(store, "one", ["read"])
    before = datetime.now(UTC)
    client.get("/v1/claims", headers=bearer(key))
    with store.read() as session:
        used = session.query(ApiKey).one().last_used
    assert used is not None
    assert before <= used.replace(tzinfo=UTC) <= datetime.now(UTC)


def test_the_caller_is_the_keys_id(locked: Flask, client: FlaskClient) -> None:
    from flask import g

    seen = []
    locked.after_request(lambda response: seen.append((g.caller, g.key and g.key.prefix)) or response)  # type: ignore[func-returns-value]
    key = create_key(locked.config["STORE"], "one", ["read"])
    client.get("/v1/claims", headers=bearer(key))
    client.get("/healthz")
    assert seen[0][0].startswith("key-")
    assert seen == [(seen[0][0], key[:16]), (None, None)]


@pytest.mark.parametrize(
    ("host", "keys", "needed"),
    [
        ("127.0.0.1", "auto", False),
        ("::1", "auto", False),
        ("localhost", "auto", False),
        ("0.0.0.0", "auto", True),
        ("::", "auto", True),
        ("10.0.0.1", "auto", True),
        ("whosaid.example", "auto", True),
        ("127.0.0.1", "on", True),
        ("0.0.0.0", "off", False),
    ],
)
def test_keys_are_needed_where_others_can_come(host: str, keys: str, needed: bool) -> None:
    assert load_settings({"host": host, "keys": keys}, environ={}).needs_key is needed


def test_the_contract_tells_scopes_and_refusals() -> None:
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    assert set(contract["components"]["securitySchemes"]) == {"bearer", "header"}
    scopes = {}
    for path, operations in contract["paths"].items():
        for method, one in operations.items():
            if method == "parameters":
                continue
            scopes[one["operationId"]] = [scope for way in one["security"] for scope in way.get("bearer", [])]
            if scopes[one["operationId"]]:
                assert {"401", "403", "429", "503"} <= set(one["responses"]), (method, path)
    assert (scopes["analyse"], scopes["storeArticle"], scopes["listClaims"]) == (["read"], ["write"], ["read"])
    assert (scopes["searchClaims"], scopes["createBatch"], scopes["cancelBatch"]) == (["read"], ["write"], ["write"])
    assert (scopes["deleteArticle"], scopes["getHealth"], scopes["getInfo"]) == (["write"], [], [])
