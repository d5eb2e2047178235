"""A worker process: Celery without a pool of its own, a model, and threads that keep things in order."""

from __future__ import annotations

import logging
import os
import platform
import signal
import threading
import warnings
from collections.abc import Callable
from functools import cache
from secrets import token_hex
from typing import Any, Final

from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_shutting_down
from sqlalchemy.exc import SQLAlchemyError

from service.batches import callbacks, upkeep
from service.batches.crew import CANNOT_START
from service.batches.engine import Engine
from service.batches.reading import Desk, ReadsMany, read_chunk
from service.config import Settings
from service.keeping import Keeper
from service.operations import logs
from service.store.engine import Store, StoreError
from service.tracking.claims import Decides

_BEHIND: Final = 5
"""How much a worker stands back for the requests that a service on the same machine answers."""

_TRY_AGAIN: Final = 1
_TIDY_SECONDS: Final = 3.0
_RETIRE_SECONDS: Final = 600.0
_CALLBACK_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class CannotStart(Exception):
    """The message says why."""


def load(settings: Settings) -> ReadsMany:
    """The Reader that the settings name.

    Raises:
        CannotStart: Its weights cannot be loaded.
    """
    from models.reader import Reader, WeightsError  # with torch, which takes seconds

    try:
        return Reader.from_pretrained(settings.weights or None, habit=settings.habit, threads=settings.threads or None)
    except WeightsError as error:
        raise CannotStart(str(error)) from None


def decide() -> Decides:
    """What decides whether two claims are the same.

    Raises:
        CannotStart: Its weights cannot be loaded.
    """
    from models.same import SameClaim, SameError
    from models.same_embedding import BackboneError

    try:
        return SameClaim.from_pretrained()
    except (SameError, BackboneError) as error:
        raise CannotStart(str(error)) from None


def work(
    settings: Settings,
    *,
    load: Callable[[Settings], ReadsMany] = load,
    decide: Callable[[], Decides] = decide,
    is_attached: bool = False,
    level: int = logging.INFO,
) -> int:
    """Read batches until told to stop; the exit status.

    Args:
        settings: Where they are; ``threads`` says how many cores to use.
        load: Makes the Reader.
        decide: Makes what decides whether two claims are the same.
        is_attached: End when standard input does: whoever has started the process is gone then.
        level: Of what is logged.
    """
    _log_to(settings, level)
    if is_attached:
        os.nice(_BEHIND)
    try:
        store = _opened(settings)
    except StoreError as error:
        _log.error("cannot start: %s", error)
        return CANNOT_START
    except SQLAlchemyError as error:
        _log.error("cannot start while the database cannot be used: %s", error)
        return _TRY_AGAIN
    name, stopping, engine = f"{platform.node()}-{os.getpid()}-{token_hex(4)}", threading.Event(), Engine(settings)

    @cache
    def desk() -> Desk:
        # A service whose batches nobody uses needs no second model in its memory.
        try:
            reader = load(settings)
            keeper = Keeper(store, reader.version, decide())
        except CannotStart as error:
            _log.error("cannot read: %s", error)
            os._exit(CANNOT_START)
        _log.info("reading with model %s", reader.version)
        return Desk(name, settings, store, reader, keeper, stopping)

    def read(chunk: int) -> None:
        read_chunk(desk(), chunk)
        if not stopping.is_set():
            engine.dispatch(store)

    def tidy() -> None:
        upkeep.recover(store)
        upkeep.resend(store, settings.batch_lease)
        engine.dispatch(store)

    engine.on_chunk(read)
    worker_shutting_down.connect(lambda **_: stopping.set(), weak=False)
    if is_attached:
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _repeat(stopping, _TIDY_SECONDS, tidy)
    _repeat(stopping, _RETIRE_SECONDS, lambda: upkeep.retire(store, settings.keep_batches))
    _repeat(stopping, _CALLBACK_SECONDS, lambda: callbacks.deliver_due(store, settings))
    celery: Any = engine.celery.Worker(
        pool="solo",
        concurrency=1,
        hostname=name,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    _log.info("worker %s waits for batches", name)
    celery.start()
    stopping.set()
    return int(celery.exitcode or 0)


def _log_to(settings: Settings, level: int) -> None:
    logs.configure(settings.log_level if level <= logging.INFO else "error", settings.log_format)
    setup_logging.connect(lambda **_: None, weak=False)  # Celery has no say in it
    for chatty in ("celery", "kombu", "alembic"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
    # It warns of root because of pickled messages; these are JSON.
    warnings.simplefilter("ignore", SecurityWarning)


def _opened(settings: Settings) -> Store:
    store = Store(settings.database_url)
    if store.is_embedded:
        store.upgrade()
    elif not store.is_current():
        raise StoreError("the database's tables are not those of this version: run whosaid db upgrade")
    return store


def _repeat(stopping: threading.Event, seconds: float, act: Callable[[], None]) -> None:
    def run() -> None:
        while True:
            try:
                act()
            except SQLAlchemyError as error:
                _log.warning("the database cannot be used now: %s", error)
            except Exception:
                _log.exception("upkeep failed, and is tried again")
            if stopping.wait(seconds):
                return

    threading.Thread(target=run, name="upkeep", daemon=True).start()


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
