"""The Reader behind a gate: how many requests read, wait, or are sent away."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from models.records import Article, Habit, Reading
from service.config import PREFIX
from service.errors import DeadlinePassed, Overloaded
from service.operations import metrics


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
        self._begun: float | None = None
        self._ended = -math.inf

    @contextmanager
    def __call__(self, until: float | None = None) -> Iterator[None]:
        """Wait for the turn and hold it.

        Args:
            until: The moment, of ``time.perf_counter``, at which waiting ends; None for no end.

        Raises:
            Overloaded: Too many wait already.
            DeadlinePassed: The turn did not come in time.
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
            with metrics.WAITING.track_inprogress():
                is_mine = self._turn.acquire(timeout=-1 if until is None else max(0.0, until - time.perf_counter()))
            if not is_mine:
                raise DeadlinePassed(
                    "The turn to be read did not come in time; nothing was read.",
                    retry_after=5,
                    setting=PREFIX + "DEADLINE",
                )
            with self._held(), metrics.READING.track_inprogress():
                yield
        finally:
            self._places.release()

    @contextmanager
    def if_free(self) -> Iterator[bool]:
        """Hold the turn if nobody else does, without waiting; gives whether it is held."""
        if not self._turn.acquire(blocking=False):
            yield False
            return
        with self._held():
            yield True

    @contextmanager
    def _held(self) -> Iterator[None]:
        self._begun = time.perf_counter()
        try:
            yield
            self._ended = time.perf_counter()
        finally:
            self._begun = None
            self._turn.release()

    @property
    def seconds_reading(self) -> float:
        """How long the reading of this moment has been going on; 0 if there is none."""
        begun = self._begun
        return 0.0 if begun is None else time.perf_counter() - begun

    @property
    def seconds_since(self) -> float:
        """How long ago a reading came to a good end last; infinite if none did."""
        return time.perf_counter() - self._ended
