"""Databases for tests: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from flask import Flask

from service.app import create_app
from service.config import load_settings
from service.reading import Reads
from service.store.engine import Store
from tests.fakes import FakeReader, FakeSame

POSTGRES = os.environ.get("WHOSAID_TEST_POSTGRES", "postgresql://postgres@127.0.0.1/postgres")
"""A server on which databases may be made and dropped."""

ENGINES = ("sqlite", "postgresql")


@contextmanager
def database(engine: str, folder: Path) -> Iterator[str]:
    """The address of a new, empty database."""
    if engine == "sqlite":
        yield f"sqlite:///{folder}/store.db"
        return
    name = f"whosaid_{token_hex(6)}"
    try:
        server = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL: {error}")
    with server:
        server.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        try:
            yield f"{POSTGRES.rsplit('/', 1)[0]}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@contextmanager
def opened(engine: str, folder: Path) -> Iterator[Store]:
    """A new store with its tables."""
    with database(engine, folder) as url:
        store = Store(url)
        store.upgrade()
        try:
            yield store
        finally:
            store.close()


@contextmanager
def served(engine: str, folder: Path, reader: Reads | None = None, **settings: Any) -> Iterator[Flask]:
    """The application on a new database."""
    with opened(engine, folder) as store:
        chosen = {"database_url": store.engine.url.render_as_string(False), **settings}
        app = create_app(load_settings(chosen, environ={}), reader or FakeReader(), FakeSame())
        try:
            yield app
        finally:
            app.config["STORE"].close()
