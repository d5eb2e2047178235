"""What all tests share."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models.reader import WEIGHTS, Reader
from service.app import create_app
from service.config import load_settings
from tests.fakes import FakeReader, FakeSame

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The application with a reader that needs no weights, room for 20 kB, and an embedded database."""
    chosen = {"max_body_bytes": 20_000, "max_waiting": 2, "database_url": f"sqlite:///{tmp_path}/whosaid.db"}
    app = create_app(load_settings(chosen, environ={}), FakeReader(), FakeSame())
    app.config["STORE"].upgrade()
    yield app
    app.config["STORE"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The real Reader with the shipped weights."""
    return Reader.from_pretrained(WEIGHTS)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the corpora; tests skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the corpora are not beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def referee(shared: Path) -> Any:
    """The program that the corpora are measured with."""
    spec = importlib.util.spec_from_file_location("referee", shared / "tools" / "score_attributions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
