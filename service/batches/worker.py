"""A worker process: Celery without a pool of its own, a model, and threads that keep things in order."""

from __future__ import annotations

import logging
import os
import platform
import signal
import threading
import warnings
from collections.abc import Callable
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
    logs.configure(settings.log_level if level <= logging.INFO else "error", settings.log_format)
    setup_logging.connect(lambda **_: None, weak=False)  # Celery has no say in it
    logging.getLogger("celery").setLevel(max(level, logging.WARNING))
    logging.getLogger("kombu").setLevel(max(level, logging.WARNING))
    # It warns of root because of pickled messages; these are JSON.
    warnings.simplefilter("ignore", SecurityWarning)
    if is_attached:
        os.nice(_BEHIND)
    try:
        store = Store(settings.database_url)
        reader = load(settings)
        keeper = Keeper(store, reader.version, decide())
    except (StoreError, CannotStart) as error:
        _log.error("cannot start: %s", error)
        return CANNOT_START
    name = f"{platform.node()}-{os.getpid()}-{token_hex(4)}"
    desk = Desk(name, settings, store, reader, keeper)
    engine = Engine(settings)

    def read(chunk: int) -> None:
        read_chunk(desk, chunk)
        if not desk.stopping.is_set():
            engine.dispatch(store)

    engine.on_chunk(read)
    worker_shutting_down.connect(lambda **_: desk.stopping.set(), weak=False)
    if is_attached:
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _repeat(desk, _TIDY_SECONDS, lambda: _tidy(store, engine, settings.batch_lease))
    _repeat(desk, _RETIRE_SECONDS, lambda: upkeep.retire(store, settings.keep_batches))
    _repeat(desk, _CALLBACK_SECONDS, lambda: callbacks.deliver_due(store, settings))
    celery: Any = engine.celery.Worker(
        pool="solo",
        concurrency=1,
        hostname=name,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel=max(level, logging.WARNING),
    )
    _log.info("worker %s reads batches with model %s", name, reader.version)
    celery.start()
    desk.stopping.set()
    return int(celery.exitcode or 0)


def _tidy(store: Store, engine: Engine, seconds: float) -> None:
    upkeep.recover(store)
    upkeep.resend(store, seconds)
    engine.dispatch(store)


def _repeat(desk: Desk, seconds: float, act: Callable[[], None]) -> None:
    def run() -> None:
        while True:
            try:
                act()
            except SQLAlchemyError as error:
                _log.warning("the database cannot be used now: %s", error)
            except Exception:
                _log.exception("upkeep failed, and is tried again")
            if desk.stopping.wait(seconds):
                return

    threading.Thread(target=run, name="upkeep", daemon=True).start()


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
