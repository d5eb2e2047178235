"""whosaid under gunicorn."""

from __future__ import annotations

import logging
import mmap
import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from service.batches.crew import Crew
from service.config import Settings
from service.operations import forget_counts, logs, share_counts
from service.operations.cores import cores

if TYPE_CHECKING:
    from flask import Flask

    from service.store.engine import Store

_OTHERS = 4  # threads beside those that read or wait, so that health checks are always answered
_APP_LOAD_ERROR = 4  # the exit status that gunicorn takes as: starting again will not help

_log = logging.getLogger(__name__)


class Server(BaseApplication):
    """gunicorn with whosaid's application and settings."""

    def __init__(self, settings: Settings, crew: Crew) -> None:
        self.settings, self.crew = settings, crew
        self._stopping = mmap.mmap(-1, 1)  # seen by all processes
        super().__init__()

    def load_config(self) -> None:
        """Hand whosaid's settings to gunicorn."""
        settings = self.settings
        for name, value in {
            "bind": f"{_bracketed(settings.host)}:{settings.port}",
            "workers": settings.workers,
            # A thread that reads does not keep the process from showing life, however long it takes.
            "worker_class": _Worker,
            "threads": settings.max_waiting + 1 + _OTHERS,
            "timeout": settings.timeout,
            "graceful_timeout": settings.stop_seconds,
            # torch does not survive a fork: each process loads its own model.
            "preload_app": False,
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": settings.log_level,
            "logger_class": _Logger,
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108
            "proc_name": "whosaid",
            "child_exit": _forget,
            "on_exit": self._clear,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made in each worker."""
        # Imported here, in the worker: the parent must never touch torch.
        from sqlalchemy.exc import SQLAlchemyError

        from models.reader import WeightsError
        from models.same import SameError
        from models.same_embedding import BackboneError
        from service.store.engine import StoreError

        try:
            app = self.create_app()
        except (WeightsError, SameError, BackboneError, StoreError) as error:
            _log.error("cannot start: %s", error)
            sys.exit(_APP_LOAD_ERROR)
        try:
            app.config["KEEPER"].tracker.index.refresh()  # no caller should wait for it
        except SQLAlchemyError:
            _log.warning("the stored claims are not loaded yet: see /readyz")
        app.config["IS_STOPPING"] = self.is_stopping
        return app

    def create_app(self) -> Flask:
        """The application itself."""
        from service import __version__
        from service.app import create_app
        from service.operations import tracing

        tracing.start(__version__)
        return create_app(self.settings)

    def is_stopping(self) -> bool:
        """Whether the service was told to stop."""
        return self._stopping[0] != 0

    def run(self) -> None:
        """Serve until told to stop."""
        _Arbiter(self).run()

    def drain(self) -> None:
        """Be no longer ready, and give those who ask that some time to see it before connections are refused."""
        self._stopping[0] = 1
        time.sleep(self.settings.drain_seconds)

    def _clear(self, _: Any) -> None:
        """The end of the parent process; gunicorn's workers do not come here."""
        self.crew.stop()
        forget_counts()


class _Arbiter(Arbiter):
    """gunicorn's parent process, which stops in two steps and looks after the workers of batches as well."""

    def manage_workers(self) -> None:
        """Start the processes that are missing."""
        super().manage_workers()
        self.app.crew.check()

    def handle_term(self) -> None:
        """SIGTERM."""
        self.app.drain()
        super().handle_term()


class _Worker(ThreadWorker):
    """gunicorn's process with threads, which refuses connections as soon as it takes no more."""

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take connections or not."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            # Else the kernel would let callers connect, and they would wait in vain for the end of this process.
            for one in self.sockets:
                one.close()


class _Logger(Logger):
    """gunicorn's lines through our own logging."""

    def setup(self, cfg: Any) -> None:
        """Leave all to the root logger."""
        super().setup(cfg)
        for one in (self.error_log, self.access_log):
            one.handlers.clear()
            one.propagate = True


def _forget(_: Any, worker: Any) -> None:
    """A worker that is gone neither reads nor waits."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def run(settings: Settings) -> None:
    """Serve until told to stop; an embedded database is brought up to date first.

    Raises:
        service.store.engine.StoreError: It cannot be used.
        sqlalchemy.exc.SQLAlchemyError: Its file cannot.
        service.config.SettingsError: A folder cannot be made.
    """
    logs.configure(settings.log_level, settings.log_format)
    _prepare(settings)
    share_counts()  # before anything that counts is imported or started
    try:
        crew = Crew(settings, settings.batch_workers)
    except BaseException:
        forget_counts()
        raise
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    threads = settings.threads or max(1, cores() // settings.workers)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    Server(replace(settings, threads=threads), crew).run()


def _prepare(settings: Settings) -> None:
    """Others than the embedded database are upgraded by ``whosaid db upgrade``: several services may use them."""
    from service.store.engine import Store

    store = Store(settings.database_url)
    try:
        if store.is_embedded:
            store.upgrade()
        where = f"{_bracketed(settings.host)}:{settings.port}"
        if not settings.needs_key:
            _log.warning(
                "API KEYS ARE OFF: whoever reaches %s may read, store and delete everything. "
                "WHOSAID_KEYS=on needs a key of each request.",
                where,
            )
        elif _lacks_keys(store):
            _log.warning("there is no API key yet, so %s refuses all requests: whosaid keys create NAME", where)
    finally:
        store.close()


def _lacks_keys(store: Store) -> bool:
    """Whether no key is known to be good; a database that is away may come back, and must not stop the start."""
    from sqlalchemy.exc import SQLAlchemyError

    from service.security.keys import has_keys
    from service.store.engine import first_line

    try:
        return store.is_current() and not has_keys(store)
    except SQLAlchemyError as error:
        _log.warning("the database cannot be used yet, see /readyz: %s", first_line(error))
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
