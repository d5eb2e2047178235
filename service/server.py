"""whosaid under gunicorn."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from service.config import Settings

_OTHERS = 4  # threads beside those that read or wait, so that health checks are always answered
_APP_LOAD_ERROR = 4  # the exit status that gunicorn takes as: starting again will not help


class Server(BaseApplication):
    """gunicorn with whosaid's application and settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
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
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made in each worker."""
        # Imported here, in the worker: the parent must never touch torch.
        from sqlalchemy.exc import SQLAlchemyError

        from models.reader import WeightsError
        from models.same import SameError
        from models.same_embedding import BackboneError
        from service.app import create_app
        from service.store.engine import StoreError

        try:
            app = create_app(self.settings)
        except (WeightsError, SameError, BackboneError, StoreError) as error:
            logging.getLogger("gunicorn.error").error("cannot start: %s", error)
            sys.exit(_APP_LOAD_ERROR)
        try:
            app.config["KEEPER"].tracker.index.refresh()  # no caller should wait for it
        except SQLAlchemyError:
            logging.getLogger("gunicorn.error").warning("the stored claims are not loaded yet: see /readyz")
        return app


def run(settings: Settings) -> None:
    """Serve until told to stop; an embedded database is brought up to date first.

    Raises:
        service.store.engine.StoreError: It cannot be used.
    """
    _prepare(settings.database_url)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    threads = settings.threads or max(1, cores() // settings.workers)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    Server(_with_threads(settings, threads)).run()


def _prepare(database_url: str) -> None:
    """Others than the embedded database are upgraded by ``whosaid db upgrade``: several services may use them."""
    from service.store.engine import Store

    store = Store(database_url)
    if store.is_embedded:
        store.upgrade()
    store.close()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _with_threads(settings: Settings, threads: int) -> Settings:
    values: dict[str, Any] = vars(settings) | {"threads": threads}
    return Settings(**values)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
