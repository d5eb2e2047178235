"""Worker processes that are started, watched, and started again when they die."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

from service.batches.engine import data_folder
from service.config import PREFIX, Settings, SettingsError, as_environment
from service.operations.cores import cores

COMMAND: Final = [sys.executable, "-m", "service.cli"]
"""How whosaid is started."""

CANNOT_START: Final = 4
"""The exit status of a worker that another start would not help."""

_LONGEST_PAUSE: Final = 5.0
_SETTLED_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0

_log = logging.getLogger(__name__)


@dataclass
class _Place:
    """A worker's place, and when it may be taken again after a death."""

    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    pause: float = 0.5


class Crew:
    """Some worker processes.

    Args:
        settings: What they are to be like; ``threads`` 0 shares out all cores among them.
        count: How many.
        is_quiet: Whether they log errors only.

    Raises:
        SettingsError: The folder that they share cannot be made.
        service.store.engine.StoreError: The database's address is none.

    They end when this process does, however that comes.
    """

    def __init__(self, settings: Settings, count: int, *, is_quiet: bool = False) -> None:
        threads = str(settings.threads or max(1, cores() // max(1, count)))
        # All of this must be set before torch is loaded.
        self._environment = os.environ | as_environment(settings)
        self._environment |= {
            "WHOSAID_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "TOKENIZERS_PARALLELISM": "false",
        }
        _make_folder(settings)
        self._places = [_Place() for _ in range(count)]
        self._command = [*COMMAND, "worker", "--attached", *(["--quiet"] if is_quiet else [])]
        self.is_hopeless = False
        """Whether a worker said that starting it again will not help."""

    def check(self) -> None:
        """Start those that are missing; to be called every now and then."""
        now = time.monotonic()
        for place in self._places:
            if place.process is not None and place.process.poll() is not None:
                if place.process.returncode:
                    _log.error("a worker ended with %d, another one starts", place.process.returncode)
                    self.is_hopeless |= place.process.returncode == CANNOT_START
                if now - place.started > _SETTLED_SECONDS:
                    place.pause = 0.5
                place.process, place.due = None, now + place.pause
                place.pause = min(2 * place.pause, _LONGEST_PAUSE)
            if place.process is None and now >= place.due:
                place.process, place.started = self._start(), now

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C is for whoever watches, who then tells the workers.
        return subprocess.Popen(  # noqa: S603
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # Celery's farewells; logs go to standard error
            env=self._environment,
            start_new_session=True,
        )

    def pids(self) -> list[int]:
        """The processes that live."""
        return [place.process.pid for place in self._places if place.process and place.process.poll() is None]

    def stop(self) -> None:
        """End all: what they read at the moment is kept or given back."""
        running = [place.process for place in self._places if place.process is not None]
        self._places = []
        for process in running:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + _STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _make_folder(settings: Settings) -> None:
    folder = data_folder(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = PREFIX + ("DATA_FOLDER" if settings.data_folder else "DATABASE_URL")
        raise SettingsError(f"{said}: there can be no folder {folder}: {error.strerror}") from None
