"""Connections: short transactions that are whole or not at all, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from service.config import PREFIX

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_BUSY_SECONDS: Final = 60
_WRITING: Final = 7_419_236_501  # any number that no other program locks
_MOST_VARIABLES: Final = 10_000  # of a statement; SQLite takes three times as many
_SETTING: Final = PREFIX + "DATABASE_URL"  # named in messages: who reads them has nothing else of ours before them
_PRAGMAS: Final = {
    "journal_mode": "wal",  # readers and the writer do not wait for each other
    "synchronous": 2,  # FULL: what was acknowledged survives a loss of power
    "foreign_keys": 1,
    "busy_timeout": 1000 * _BUSY_SECONDS,
}


T = TypeVar("T")


class StoreError(Exception):
    """The database cannot be used; the message says why."""


class Store:
    """A database.

    Args:
        url: Where it is, as SQLAlchemy writes it: ``sqlite:///file`` or ``postgresql://…``.

    Raises:
        StoreError: There is no such kind of database.

    Safe for several threads; not for use on both sides of a fork.
    """

    def __init__(self, url: str) -> None:
        parsed = parsed_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        try:
            self.engine = create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise StoreError(f"{_SETTING}: no database can be at {_hidden(url)}: {error}") from None
        if self.engine.dialect.name not in ("sqlite", "postgresql"):
            raise StoreError(f"{_SETTING}: the database must be SQLite or PostgreSQL, not {self.engine.dialect.name}")
        self.is_embedded = self.engine.dialect.name == "sqlite"
        if self.is_embedded:
            event.listen(self.engine, "connect", _set_up)
            event.listen(self.engine, "begin", _begin)
        self._writes = self.engine.execution_options(whosaid_writes=True)
        # In SQLite a transaction sees one state anyway; in PostgreSQL each statement would see its own.
        self._one_state = {} if self.is_embedded else {"isolation_level": "REPEATABLE READ"}

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with Session(self.engine.execution_options(**self._one_state)) as session:
            yield session

    @contextmanager
    def write(self, *, alone: bool = True) -> Iterator[Session]:
        """A session whose changes are all kept at its end, or none if an error leaves it.

        Args:
            alone: Keep other writers out; those who lock the rows that they change need not.
        """
        with Session(self._writes) as session, session.begin():
            if alone and not self.is_embedded:
                # One writer at a time, as in SQLite: who looks for a speaker or an article and makes it if
                # there is none must not meet another who does the same.
                session.execute(select(func.pg_advisory_xact_lock(_WRITING)))
            yield session

    @contextmanager
    def count(self) -> Iterator[Session]:
        """A session for one change of one row, by one statement; in PostgreSQL it waits for no other writer.

        A loss of power may undo it.
        """
        with Session(self._writes) as session, session.begin():
            if not self.is_embedded:
                session.execute(text("SET LOCAL synchronous_commit = off"))
            yield session

    def upgrade(self) -> None:
        """Bring the tables up to date; does nothing if they are."""
        with self._writes.begin() as connection:
            command.upgrade(_config(connection), "head")

    def is_current(self) -> bool:
        """Whether the tables are those that this version works with."""
        with self.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        return found == _newest()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def parsed_url(url: str) -> URL:
    """A database's address, taken apart.

    Raises:
        StoreError: It is none.
    """
    try:
        return make_url(url)
    except ArgumentError as error:
        raise StoreError(f"{_SETTING}: no database can be at {_hidden(url)}: {error}") from None
    except ValueError:
        # The error quotes what it took for the port: the end of a password that has a colon and an at sign.
        raise StoreError(f"{_SETTING}: no database can be at {_hidden(url)}: its port is no number") from None


def first_line(error: Exception) -> str:
    """What an error of the database says, without SQLAlchemy's explanations and the server's hints below it."""
    return next(iter(str(error).splitlines()), type(error).__name__)


@cache
def _newest() -> str | None:
    """The last migration; it does not change while the process lives."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _set_up(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where _begin says, not where the driver guesses
    cursor = connection.cursor()
    for name, value in _PRAGMAS.items():
        cursor.execute(f"PRAGMA {name} = {value}")
        found = cursor.execute(f"PRAGMA {name}").fetchone()[0]
        if str(found).lower() != str(value) and not (name == "journal_mode" and found == "memory"):
            raise StoreError(f"SQLite keeps {name} at {found}: the database must be on a local disk")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another one wrote in between.
    writes = connection.get_execution_options().get("whosaid_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _hidden(url: str) -> str:
    """The address without what is between its colon and its at sign: a password."""
    return url if "@" not in url else f"{url.split('://')[0]}://…@{url.rsplit('@', 1)[1]}"


def batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Values in portions that a statement can take."""
    return (values[at : at + _MOST_VARIABLES] for at in range(0, len(values), _MOST_VARIABLES))
