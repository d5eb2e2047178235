"""Databases for tests: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest

from service.store.engine import Store

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
