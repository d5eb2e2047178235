"""The Reader behind a gate: how many requests read, wait, or are sent away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from models.records import Article, Habit, Reading
from service.config import PREFIX
from service.errors import Overloaded


class Reads(Protocol):
    """What the service needs of a Reader."""

    @property
    def version(self) -> str:
        """The version of its weights."""

    def read_one(self, article: str | Article, *, habit: Habit | None = None) -> Reading:
        """Read one article."""


class Gate:
    """Lets one request read at a time: one reading already keeps all of the process's cores busy.

    Args:
        max_waiting: How many others may wait for their turn.
    """

    def __init__(self, max_waiting: int) -> None:
        self.max_waiting = max_waiting
        self._turn = threading.Lock()
        self._places = threading.Semaphore(max_waiting + 1)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Wait for the turn and hold it.

        Raises:
            Overloaded: Too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise Overloaded(
                f"{self.max_waiting} requests are waiting already.",
                retry_after=1,
                limit=self.max_waiting,
                observed=self.max_waiting + 1,
                setting=PREFIX + "MAX_WAITING",
            )
        try:
            with self._turn:
                yield
        finally:
            self._places.release()
