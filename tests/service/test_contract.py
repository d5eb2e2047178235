"""openapi.yaml is current, valid and true; settings are documented."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import schemathesis
import yaml
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from models.records import Reading
from service.api import examples
from service.api.schemas import AnalysisRequestSchema, AnalysisSchema
from service.api.spec import generate
from service.app import create_app
from service.config import SettingsError, documentation, load_settings
from service.security.keys import SCOPES, create_key
from tests.conftest import ROOT
from tests.fakes import FakeReader, FakeSame

CONTRACT = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))


def test_openapi_is_current() -> None:
    assert (ROOT / "openapi.yaml").read_text(encoding="utf-8") == generate(), "run make openapi"


def test_openapi_check_notices_a_difference(tmp_path: Path) -> None:
    old = tmp_path / "openapi.yaml"
    old.write_text("openapi: 3.1.0\n")
    command = [sys.executable, "-m", "service.api.spec", "--check"]
    assert subprocess.run([*command, old], cwd=ROOT, capture_output=True).returncode == 1
    assert subprocess.run([*command, ROOT / "openapi.yaml"], cwd=ROOT).returncode == 0


def test_openapi_is_valid() -> None:
    validate(CONTRACT)


def test_openapi_is_served(client: FlaskClient) -> None:
    assert yaml.safe_load(client.get("/openapi.yaml").text) == CONTRACT


def test_each_operation_has_a_name_and_says_what_it_does() -> None:
    operations = [one for path in CONTRACT["paths"].values() for verb, one in path.items() if verb != "parameters"]
    assert len({one["operationId"] for one in operations}) == len(operations) >= 4
    assert all(one["summary"] for one in operations)


def test_the_examples_are_true(client: FlaskClient) -> None:
    assert AnalysisRequestSchema().validate(examples.REQUEST) == {}
    assert AnalysisSchema().validate(examples.ANALYSIS) == {}
    text = examples.ANALYSIS["article"]["text"]
    for one in examples.ANALYSIS["attributions"]:
        for span in one["source"] + one["cue"] + one["content"]:
            assert text[span["start"] : span["end"]] == span["text"]


def test_a_response_keeps_to_its_schema(client: FlaskClient) -> None:
    response = client.post("/v1/analyses", json={"text": "“Go,” said Amara."})
    assert AnalysisSchema().validate(response.json) == {}


@schemathesis.serializer("application/x-ndjson")
def _as_it_is(_: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


def _schema() -> schemathesis.BaseSchema:
    folder = tempfile.mkdtemp(prefix="whosaid-")
    chosen = {"database_url": f"sqlite:///{folder}/whosaid.db", "keys": "on", "requests_per_minute": 0}
    app: Flask = create_app(load_settings(chosen, environ={}), FakeReader(), FakeSame())
    app.config["STORE"].upgrade()
    found = schemathesis.openapi.from_wsgi("/openapi.yaml", app)
    key = create_key(app.config["STORE"], "test", SCOPES)

    @found.auth()
    class Auth:
        def get(self, *_: object) -> str:
            return key

        def set(self, case: schemathesis.Case, data: str, *_: object) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    return found


schema = _schema()


@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_request_breaks_the_contract(case: schemathesis.Case) -> None:
    # Not every page has an article in it, and blank texts and lone surrogates are beyond JSON Schema.
    excluded = [positive_data_acceptance]
    if case.operation.label == "POST /v1/batches":
        excluded.append(negative_data_rejection)  # an article that is not valid is reported, and fails no batch
    case.call_and_validate(excluded_checks=excluded)


def test_health_readiness_and_info(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    info = client.get("/v1/info").json
    assert (info["name"], info["model"], info["same_claim"], info["habits"]) == (
        "whosaid",
        {"version": "fake", "habit": "world"},
        {"version": "fake"},
        ["world", "polnear"],
    )
    assert info["limits"] == {
        "max_body_bytes": 20_000,
        "max_batch_bytes": 10_000_000_000,
        "max_gzip_ratio": 100,
        "keep_batches": 30,
        "max_waiting": 2,
        "idempotency_hours": 24,
        "deadline": 60,
        "requests_per_minute": 600,
        "characters_per_day": 0,
        "max_title": 1000,
        "max_url": 2000,
    }
    assert info["needs_key"] is False
    checks = {"database": "ok", "broker": "ok", "model": "ok"}
    assert client.get("/readyz").json == {"status": "ok", "checks": checks}


def test_a_reader_that_finds_nothing_is_not_ready(app: Flask) -> None:
    class Blind(FakeReader):
        def read_one(self, *_: object, **__: object) -> Reading:
            return super().read_one("It rained.")

    app.config["READER"] = Blind()
    unready = app.test_client().get("/readyz")
    assert (unready.status_code, unready.json["type"]) == (503, "/problems/not-ready")


def test_a_request_id_is_kept_or_made(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "a-1"}).headers["X-Request-ID"] == "a-1"
    made = [client.get("/healthz", headers={"X-Request-ID": "a b"}).headers["X-Request-ID"] for _ in range(2)]
    assert len(set(made)) == 2
    assert "a b" not in made


def test_server_timing_names_the_stages(client: FlaskClient) -> None:
    timing = client.post("/v1/analyses", json={"text": "It rained."}).headers["Server-Timing"]
    assert [part.split(";")[0] for part in timing.split(", ")] == ["page", "read", "total"]


def test_every_setting_is_documented() -> None:
    rows = [
        tuple(cell.strip().strip("`") for cell in line.strip("|\n").split("|"))
        for line in (ROOT / "docs/settings.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `WHOSAID_")
    ]
    assert rows == documentation()


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("WHOSAID_PORT", "x", "WHOSAID_PORT must be a whole number"),
        ("WHOSAID_PORT", "70000", "between 0 and 65535"),
        ("WHOSAID_HABIT", "mine", "world, polnear"),
        ("WHOSAID_PROT", "1", "no setting WHOSAID_PROT"),
    ],
)
def test_a_bad_setting_is_named(variable: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load_settings(environ={variable: value})


def test_options_win_over_the_environment() -> None:
    environ = {"WHOSAID_PORT": "1", "WHOSAID_WORKERS": "2", "HOME": "/"}
    found = load_settings({"port": 3, "workers": None}, environ)
    assert (found.port, found.workers) == (3, 2)
