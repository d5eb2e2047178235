"""whosaid under gunicorn."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from service.batches.crew import Crew, cores
from service.config import Settings

_OTHERS = 4  # threads beside those that read or wait, so that health checks are always answered
_APP_LOAD_ERROR = 4  # the exit status that gunicorn takes as: starting again will not help


class Server(BaseApplication):
    """gunicorn with whosaid's application and settings."""

    def __init__(self, settings: Settings, crew: Crew) -> None:
        self.settings, self.crew = settings, crew
        super().__init__()

    def load_config(self) -> None:
        """Hand whosaid's settings to gunicorn."""
        settings = self.settings
        for name, value in {
            "bind": f"{_bracketed(settings.host)}:{settings.port}",
            "workers": settings.workers,
            # A thread that reads does not keep the process from showing life, however long it takes.
            "worker_class": "gthread",
            "threads": settings.max_waiting + 1 + _OTHERS,
            "timeout": settings.timeout,
            "graceful_timeout": 30,
            # torch does not survive a fork: each process loads its own model.
            "preload_app": False,
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "info",
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108
            "proc_name": "whosaid",
            "on_exit": lambda _: self.crew.stop(),
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made in each worker."""
        # Imported here, in the worker: the parent must never touch torch.
        from models.reader import WeightsError
        from service.app import create_app
        from service.store.engine import StoreError

        try:
            return create_app(self.settings)
        except (WeightsError, StoreError) as error:
            logging.getLogger("gunicorn.error").error("cannot start: %s", error)
            sys.exit(_APP_LOAD_ERROR)

    def run(self) -> None:
        """Serve until told to stop."""
        _Arbiter(self).run()


class _Arbiter(Arbiter):
    """gunicorn's arbiter, which looks after the workers of batches as well."""

    def manage_workers(self) -> None:
        """Start the processes that are missing."""
        super().manage_workers()
        self.app.crew.check()


def run(settings: Settings) -> None:
    """Serve until told to stop; an embedded database is brought up to date first.

    Raises:
        service.store.engine.StoreError: It cannot be used.
    """
    _prepare(settings.database_url)
    crew = Crew(settings, settings.batch_workers)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    threads = settings.threads or max(1, cores() // settings.workers)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    Server(_with_threads(settings, threads), crew).run()


def _prepare(database_url: str) -> None:
    """Others than the embedded database are upgraded by ``whosaid db upgrade``: several services may use them."""
    from service.store.engine import Store

    store = Store(database_url)
    if store.is_embedded:
        store.upgrade()
    store.close()


def _with_threads(settings: Settings, threads: int) -> Settings:
    values: dict[str, Any] = vars(settings) | {"threads": threads}
    return Settings(**values)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
