"""Dockerfile and compose.yaml say nothing that whosaid does not know."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from service.cli import main
from service.config import PREFIX, documentation
from service.store.engine import Store
from tests.conftest import ROOT

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
OURS = sorted(name for name, one in SERVICES.items() if one["image"] == "whosaid")
SETTINGS = {variable for variable, _, _ in documentation()}


@pytest.mark.parametrize("name", OURS)
def test_a_container_runs_a_command_with_settings_that_exist(name: str) -> None:
    one = SERVICES[name]
    assert one.get("command", ["serve"])[0] in main.commands
    assert {variable for variable in one["environment"] if variable.startswith(PREFIX)} <= SETTINGS
    assert set(one["depends_on"]) <= SERVICES.keys()


def test_all_containers_share_one_database_and_one_broker() -> None:
    for variable in ("WHOSAID_DATABASE_URL", "WHOSAID_BROKER_URL"):
        assert len({SERVICES[name]["environment"][variable] for name in OURS}) == 1


def test_one_service_builds_the_image_that_the_others_wait_for() -> None:
    (builder,) = (name for name in OURS if "build" in SERVICES[name])
    for name in set(OURS) - {builder}:
        assert SERVICES[name]["pull_policy"] == "never"
        assert builder in SERVICES[name]["depends_on"]
    assert "PIP_EXTRA_INDEX_URL" in SERVICES[builder]["build"]["args"]


def test_the_password_may_be_anything() -> None:
    for name in OURS:
        environ = SERVICES[name]["environment"]
        assert environ["PGPASSWORD"] == SERVICES["database"]["environment"]["POSTGRES_PASSWORD"]
        store = Store(environ["WHOSAID_DATABASE_URL"])
        # What is said to libpq would win over what it finds in its variables.
        _, said = store.engine.dialect.create_connect_args(store.engine.url)
        assert (said["host"], said["user"], said["dbname"]) == ("database", "whosaid", "whosaid")
        assert "password" not in said


def test_tables_wait_for_the_database_itself() -> None:
    asked = SERVICES["database"]["healthcheck"]["test"]
    assert asked[asked.index("--host") + 1] == "127.0.0.1"
    assert SERVICES["tables"]["restart"] == "on-failure"


def test_another_index_is_known_before_anything_is_installed() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("RUN"))
    assert "ARG PIP_EXTRA_INDEX_URL" in lines[:first]


def test_the_image_sets_and_starts_what_exists() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    set_here = set(re.findall(rf"\b({PREFIX}\w+)=", text))
    assert set_here
    assert set_here <= SETTINGS
    command = re.search(r'^CMD \["(\w+)"\]', text, re.MULTILINE)
    assert command is not None
    assert command[1] in main.commands
