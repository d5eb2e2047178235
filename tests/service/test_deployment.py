"""Dockerfile and compose.yaml say nothing that whosaid does not know."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from service.cli import main
from service.config import PREFIX, documentation
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


def test_the_image_sets_and_starts_what_exists() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    set_here = set(re.findall(rf"\b({PREFIX}\w+)=", text))
    assert set_here
    assert set_here <= SETTINGS
    command = re.search(r'^CMD \["(\w+)"\]', text, re.MULTILINE)
    assert command is not None
    assert command[1] in main.commands
