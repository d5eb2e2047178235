"""Clients that are generated from openapi.yaml have right types, and tell a whole story to a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.serving import whosaid

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("npm") is None and "CI" not in os.environ, reason="npm is not installed"),
]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both clients, their types checked."""
    folder = tmp_path_factory.mktemp("clients")
    done = subprocess.run([ROOT / "tools/generate_clients.sh", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The address of a real server with the shipped weights, and a key to it."""
    database = f"sqlite:///{tmp_path_factory.mktemp('store')}/whosaid.db"
    with whosaid(database_url=database, keys="on") as address:
        made = subprocess.run(
            [sys.executable, "-m", "service.cli", "keys", "create", "story"],
            env=os.environ | {"WHOSAID_DATABASE_URL": database},
            capture_output=True,
            text=True,
            check=True,
        )
        yield [address, made.stdout.split()[-1]]


def run(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.model
def test_the_python_client_tells_its_story(clients: Path, service: list[str]) -> None:
    assert "tells its story" in run([".venv/bin/python", "story.py", *service], clients / "python")


@pytest.mark.model
def test_the_typescript_client_tells_its_story(clients: Path, service: list[str]) -> None:
    assert "tells its story" in run(["node", "build/story.js", *service], clients / "typescript")


def test_offsets_in_javascript(clients: Path) -> None:
    assert "# pass 9" in run(["node", "--test", "--test-reporter=tap", "build/offsets.test.js"], clients / "typescript")
