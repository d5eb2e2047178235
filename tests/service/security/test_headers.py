"""Browsers are kept from harm; other sites' pages may call only if a setting names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from service.app import create_app
from service.config import SettingsError, load_settings
from tests.fakes import FakeReader, FakeSame

ORIGIN = "https://news.example"


def test_every_answer_is_kept_safe(client: FlaskClient) -> None:
    for response in (client.get("/healthz"), client.get("/v1/none"), client.get("/problems/invalid")):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in response.headers


def test_pages_run_only_their_own_scripts(app: Flask) -> None:
    own = Response("<p>", headers={"Content-Security-Policy": "own"})
    app.add_url_rule("/page", "page", lambda: Response("<p>", content_type="text/html"))
    app.add_url_rule("/own", "own", lambda: own)
    policy = app.test_client().get("/page").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert app.test_client().get("/own").headers["Content-Security-Policy"] == "own"


def served(tmp_path: Path, **chosen: Any) -> FlaskClient:
    chosen["database_url"] = f"sqlite:///{tmp_path}/whosaid.db"
    return create_app(load_settings(chosen, environ={}), FakeReader(), FakeSame()).test_client()


def test_other_sites_are_let_in_by_name(tmp_path: Path) -> None:
    client = served(tmp_path, cors_origins=f"{ORIGIN}, http://localhost:3000", keys="on")
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    allowed = client.options("/v1/analyses", headers={"Origin": ORIGIN} | asked)
    assert allowed.status_code == 200  # a browser asks first, without the key
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "authorization" in allowed.headers["Access-Control-Allow-Headers"].lower()
    for stranger in ("https://news.example.evil.example", "http://news.example", "null"):
        refused = client.options("/v1/analyses", headers={"Origin": stranger} | asked)
        assert "Access-Control-Allow-Origin" not in refused.headers
    told = client.get("/v1/info", headers={"Origin": ORIGIN})
    assert told.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Retry-After" in told.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in told.headers
    assert "Access-Control-Allow-Origin" not in client.get("/metrics", headers={"Origin": ORIGIN}).headers


@pytest.mark.parametrize(
    "origins", ["*", "news.example", "https://news.example/path", "https://*.example", "https://a b"]
)
def test_origins_are_exact(origins: str) -> None:
    with pytest.raises(SettingsError, match="WHOSAID_CORS_ORIGINS"):
        load_settings(environ={"WHOSAID_CORS_ORIGINS": origins})


def test_only_trusted_proxies_are_believed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "whosaid.access")
    for proxies, client in ((0, "127.0.0.1"), (1, "203.0.113.7")):
        folder = tmp_path / str(proxies)
        folder.mkdir()
        app = served(folder, trusted_proxies=proxies)
        app.get("/healthz", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
        assert caplog.records[-1].client == client
