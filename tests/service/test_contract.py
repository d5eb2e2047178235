"""openapi.yaml is current, valid and true; settings are documented."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from models.records import Reading
from service.api import examples
from service.api.contract import Operation, operations
from service.api.fields import response_fields
from service.api.links import LINKS, Link
from service.api.schemas import AnalysisRequestSchema, AnalysisSchema
from service.api.spec import generate
from service.config import SettingsError, documentation, load_settings
from tests.conftest import ROOT
from tests.fakes import FakeReader

CONTRACT = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
OPERATIONS = list(operations(CONTRACT))


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


def test_each_operation_has_its_own_name() -> None:
    names = [one.name for one in OPERATIONS]
    assert len(set(names)) == len(names) >= 15


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_each_operation_is_explained_to_a_stranger(one: Operation) -> None:
    assert one.record["summary"].endswith(".")
    assert len(one.record["description"]) > len(one.record["summary"])
    (tag,) = one.record["tags"]
    assert next(known["description"] for known in CONTRACT["tags"] if known["name"] == tag)
    shared = CONTRACT["paths"][one.path].get("parameters", [])
    assert all(parameter["description"] for parameter in one.record.get("parameters", []) + shared)


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_each_operation_names_all_its_statuses(one: Operation) -> None:
    """What a request can get wrong, by what it consists of."""
    expected = {"500"}
    if "requestBody" in one.record:
        expected |= {"400", "413", "415", "422"}
    if any(parameter["in"] == "query" for parameter in one.record.get("parameters", [])):
        expected |= {"422"}
    if "{" in one.path:
        expected |= {"404"}
    if one.name in ("analyse", "storeArticle"):
        expected |= {"429"}
    assert expected <= set(one.record["responses"])
    assert any(status.startswith("2") for status in one.record["responses"])


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_each_body_has_an_example_that_keeps_to_its_schema(one: Operation) -> None:
    bodies = [one.record.get("requestBody", {}), *map(_resolved, one.record["responses"].values())]
    media = [each for body in bodies for each in body.get("content", {}).values()]
    assert media or one.method == "delete"
    for each in media:
        examples = [_resolved(example)["value"] for example in each["examples"].values()]
        assert examples
        for example in examples:
            OAS31Validator(each["schema"] | {"components": CONTRACT["components"]}).validate(example)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.start}-{link.target}")
def test_each_link_leads_to_what_there_is(link: Link) -> None:
    start, target = (next(one for one in OPERATIONS if one.name == name) for name in (link.start, link.target))
    shared = CONTRACT["paths"][target.path].get("parameters", [])
    assert set(link.parameters) <= {one["name"] for one in shared + target.record.get("parameters", [])}
    answers = [_resolved(answer) for status, answer in start.record["responses"].items() if status.startswith("2")]
    for answer in answers:
        assert answer["links"][link.target]["operationId"] == link.target
        (example,) = (_resolved(one)["value"] for one in answer["content"]["application/json"]["examples"].values())
        for place in link.parameters.values():
            found = example
            for step in place.removeprefix("$response.body#/").split("/"):
                found = found[int(step) if isinstance(found, list) else step]


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found = CONTRACT
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_no_response_field_is_gone() -> None:
    file = ROOT / "tests/service/fields.txt"
    promised, found = set(file.read_text(encoding="utf-8").splitlines()), response_fields(CONTRACT)
    gone, new = sorted(promised - found), sorted(found - promised)
    assert not gone, (
        "these response fields were removed, renamed or have another type, which breaks the programs of callers; "
        f"bring them back (a new field may stand beside the old one), or take their lines out of {file.name} in a "
        "release that breaks with the past, and say so in CHANGELOG.md:\n" + "\n".join(gone)
    )
    assert not new, f"these response fields are new; make openapi notes them in {file.name}:\n" + "\n".join(new)


@pytest.mark.parametrize("name", ["check_worthiness", "next", "detail"])
def test_a_renamed_response_field_is_noticed(name: str) -> None:
    changed = deepcopy(CONTRACT)
    for schema in changed["components"]["schemas"].values():
        if name in schema["properties"]:
            schema["properties"]["renamed"] = schema["properties"].pop(name)
    lines = set((ROOT / "tests/service/fields.txt").read_text(encoding="utf-8").splitlines())
    assert any(name in line for line in lines - response_fields(changed))


def test_clients_may_meet_new_response_fields() -> None:
    schemas = CONTRACT["components"]["schemas"]
    assert schemas["ArticleRequest"]["additionalProperties"] is False
    assert all("additionalProperties" not in schemas[name] for name in ("StoredArticle", "Analysis", "Problem"))


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


@pytest.mark.parametrize("name", ["WHOSAID", "WHOSAID_API"])
def test_what_kubernetes_tells_of_a_service_is_no_setting(name: str) -> None:
    told = {
        f"{name}_SERVICE_HOST": "10.0.0.1",
        f"{name}_SERVICE_PORT": "8080",
        f"{name}_SERVICE_PORT_HTTP": "8080",
        f"{name}_PORT": "tcp://10.0.0.1:8080",
        f"{name}_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        f"{name}_PORT_8080_TCP_PROTO": "tcp",
        f"{name}_PORT_8080_TCP_PORT": "8080",
        f"{name}_PORT_8080_TCP_ADDR": "10.0.0.1",
    }
    assert load_settings(environ=told) == load_settings(environ={})
    with pytest.raises(SettingsError, match="no setting"):
        load_settings(environ={f"{name}_SERVICE_NAME": "a"})


def test_no_setting_is_taken_for_kubernetes() -> None:
    with pytest.raises(SettingsError, match="WHOSAID_PORT must be"):
        load_settings(environ={"WHOSAID_PORT": "http://a"})
    for variable, default, _ in documentation():
        try:
            found = getattr(load_settings(environ={variable: "tcp"}), variable.removeprefix("WHOSAID_").lower())
        except SettingsError:
            continue  # it is read, then
        assert found == "tcp" != default


def test_options_win_over_the_environment() -> None:
    environ = {"WHOSAID_PORT": "1", "WHOSAID_WORKERS": "2", "HOME": "/"}
    found = load_settings({"port": 3, "workers": None}, environ)
    assert (found.port, found.workers) == (3, 2)
