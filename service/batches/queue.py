"""The embedded broker: messages in an SQLite file, for kombu.

kombu's own transports for files and databases are no longer looked after: one gives half-written messages, the
other keeps delivered ones for ever.  A message that a killed process had is gone; the database knows of its chunk.
"""

from __future__ import annotations

import json
import sqlite3
from queue import Empty
from typing import Any, Final

from kombu.transport import TRANSPORT_ALIASES, virtual

SCHEME: Final = "whosaid"
_BUSY_SECONDS: Final = 30
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, payload TEXT NOT NULL)
"""
_NEXT: Final = """
DELETE FROM messages WHERE id = (SELECT min(id) FROM messages WHERE queue = ?) RETURNING payload
"""


class Channel(virtual.Channel):
    """One user of the file; the transport option ``file`` says where it is."""

    _opened: sqlite3.Connection | None = None

    @property
    def _file(self) -> sqlite3.Connection:
        if self._opened is None:
            path = self.connection.client.transport_options["file"]
            # Autocommit: each statement is a transaction.
            opened = sqlite3.connect(path, _BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            opened.execute("PRAGMA journal_mode = wal")
            opened.execute(_TABLE)
            self._opened = opened
        return self._opened

    def _put(self, queue: str, message: Any, **_: Any) -> None:
        self._file.execute("INSERT INTO messages (queue, payload) VALUES (?, ?)", (queue, json.dumps(message)))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        found = self._file.execute(_NEXT, (queue,)).fetchall()
        if not found:
            raise Empty
        return json.loads(found[0][0])

    def _size(self, queue: str) -> int:
        return int(self._file.execute("SELECT count(*) FROM messages WHERE queue = ?", (queue,)).fetchone()[0])

    def _purge(self, queue: str) -> int:
        return self._file.execute("DELETE FROM messages WHERE queue = ?", (queue,)).rowcount

    def close(self) -> None:
        """Give unacknowledged messages back, and close the file."""
        super().close()  # type: ignore[no-untyped-call]
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class Transport(virtual.Transport):
    """kombu's door to it."""

    Channel = Channel
    driver_type = driver_name = "sqlite"
    polling_interval = 0.2
    connection_errors: Any = (*virtual.Transport.connection_errors, sqlite3.OperationalError)

    def driver_version(self) -> str:
        """SQLite's."""
        return sqlite3.sqlite_version


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
