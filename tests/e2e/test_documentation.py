"""The documentation page, in a real browser without a network."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urljoin

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

from service.api.contract import operations
from tests.serving import serving

CHROMIUM = shutil.which("chromium")

needs_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def browse(url: str, folder: Path) -> tuple[str, str]:
    """The page as scripts made it, and what the browser logged."""
    options = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=20000 --dump-dom"
    )
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    done = subprocess.run(
        [str(CHROMIUM), *options.split(), nowhere, f"--user-data-dir={folder}", url],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout, done.stderr


@pytest.mark.e2e
@needs_a_browser
def test_the_documentation_shows_every_operation(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    contract = yaml.safe_load(client.get("/openapi.yaml").text)
    with serving(app) as address:
        page, log = browse(f"{address}/docs#/articles/storeArticle", tmp_path)
    for one in operations(contract):
        assert f'id="operations-{one.record["tags"][0]}-{one.name}"' in page
    assert "All of it is stored or nothing." in page, "the operation that the address names is not unfolded"
    assert "CONSOLE" not in log, "the page has errors, or breaks its own Content-Security-Policy"


def test_pages_load_nothing_from_elsewhere(client: FlaskClient) -> None:
    for page in ("/", "/docs"):
        response = client.get(page, buffered=True)
        assert response.status_code == 200
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "//" not in response.text.replace("<!doctype html>", "")
    assert "<script>" not in client.get("/docs", buffered=True).text
    assert client.get("/docs/docs.js", buffered=True).content_type.startswith("text/javascript")
    assert client.get("/docs/swagger-ui-bundle.js", buffered=True).content_length > 1_000_000
    assert client.get("/docs/oauth2-redirect.html", buffered=True).status_code == 404


@pytest.mark.parametrize("below", ["", "/whosaid"])
def test_an_address_with_a_slash_too_many_leads_to_the_page(client: FlaskClient, below: str) -> None:
    # Relative, as a proxy may have put the service below an address that it knows nothing of.
    response = client.get("/docs/")
    assert (response.status_code, response.headers["Location"]) == (302, "../docs")
    assert urljoin(f"http://news.example{below}/docs/", response.headers["Location"]).endswith(f"example{below}/docs")


def test_the_landing_page_leads_to_what_there_is(client: FlaskClient) -> None:
    page = client.get("/", buffered=True).text
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert {"docs", "openapi.yaml", "v1/info", "readyz"} <= set(links)
    assert {client.get("/" + link, buffered=True).status_code for link in links} == {200}
