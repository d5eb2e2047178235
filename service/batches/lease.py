"""A worker's hold on a chunk: renewed while it lives, and ended by itself if it hangs."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from service.batches import chunks
from service.batches.chunks import Gone, Work
from service.store.engine import Store

_log = logging.getLogger(__name__)


class Lease:
    """Renews a chunk's lease from a thread of its own.

    Args:
        store: The database.
        work: The chunk.
        seconds: How long a lease lasts.
        most: After so many seconds without a result the process is killed: whatever hangs in it
            cannot be stopped otherwise.
    """

    def __init__(self, store: Store, work: Work, seconds: float, most: float) -> None:
        self._store, self._work, self._seconds, self._most = store, work, seconds, most
        self._over = threading.Event()
        self._deadline: float | None = time.monotonic() + most
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Lease:  # noqa: D105
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:  # noqa: D105
        self._over.set()
        self._thread.join()

    def is_lively(self) -> None:
        """A result has come: the next one has its full time."""
        self._deadline = time.monotonic() + self._most

    @contextmanager
    def not_reading(self) -> Iterator[None]:
        """What happens in here may take as long as it needs."""
        self._deadline = None
        try:
            yield
        finally:
            self.is_lively()

    def _renew(self) -> None:
        beat = min(self._seconds / 3, self._most / 3)
        is_held = True
        while not self._over.wait(beat):
            try:
                deadline = self._deadline
                if deadline is not None and time.monotonic() > deadline:
                    self._end()
                if is_held:
                    chunks.renew(self._store, self._work, self._seconds)
            except Gone:
                is_held = False  # the worker sees that when it saves, unless it hangs
            except SQLAlchemyError as error:
                _log.warning("the lease of chunk %d is not renewed: %s", self._work.chunk, error)

    def _end(self) -> None:
        why = f"nothing came of it in {self._most:g} seconds"
        _log.error("chunk %d: %s, this worker ends", self._work.chunk, why)
        try:
            chunks.give_up(self._store, self._work, why)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
