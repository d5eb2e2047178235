"""Celery as it is used here: messages that name chunks, one kind of task, any broker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from celery import Celery
from sqlalchemy.exc import SQLAlchemyError

from service.batches import chunks, queue
from service.config import Settings
from service.store.engine import Store, parsed_url

READ_CHUNK: Final = "whosaid.read_chunk"

WINDOW: Final = 32
"""How many chunks are named by messages that nobody has taken yet; the next ones follow when they are."""

_VISIBILITY_SECONDS: Final = 3600
_CONNECT_SECONDS: Final = 3

_log = logging.getLogger(__name__)


class Engine:
    """Sends messages, and knows how they are received.

    Args:
        settings: ``broker_url`` says which broker; empty for the embedded one.

    Safe for several threads; not for use on both sides of a fork.
    """

    def __init__(self, settings: Settings) -> None:
        self.is_embedded = not settings.broker_url
        self.celery = Celery(
            "whosaid", broker=settings.broker_url or f"{queue.SCHEME}://localhost", set_as_current=False
        )
        self.celery.conf.update(
            task_default_queue=settings.broker_queue,
            task_serializer="json",
            accept_content=["json"],
            task_ignore_result=True,
            broker_transport_options=self._transport_options(settings),
            broker_connection_timeout=_CONNECT_SECONDS,
            broker_connection_retry_on_startup=True,
            broker_connection_max_retries=None,
            # A worker that reads answers no heartbeats; who is alive is told by the chunks' leases.
            broker_heartbeat=0,
            # What was received and not yet begun goes back to the broker; what was begun is in the database.
            task_acks_late=True,
            task_reject_on_worker_lost=True,
            worker_prefetch_multiplier=1,
            worker_cancel_long_running_tasks_on_connection_loss=True,
            worker_enable_remote_control=False,
            worker_hijack_root_logger=False,
            worker_redirect_stdouts=False,
        )

    def _transport_options(self, settings: Settings) -> dict[str, Any]:
        options: dict[str, Any] = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2}
        if self.is_embedded:
            return options | {"file": str(data_folder(settings) / "whosaid-queue.db")}
        if settings.broker_url.startswith("redis"):
            # Redis hands a message out again after this time.  A chunk takes a minute or so; were it longer, the
            # second worker would find the chunk taken.
            options |= {
                "visibility_timeout": _VISIBILITY_SECONDS,
                "socket_connect_timeout": _CONNECT_SECONDS,
                "socket_timeout": 30,
                "socket_keepalive": True,
            }
        return options

    def on_chunk(self, read: Callable[[int], None]) -> None:
        """Say what is done with a chunk that a message names."""
        self.celery.task(read, name=READ_CHUNK)

    def dispatch(self, store: Store) -> None:
        """Send messages for the next chunks; those that cannot be sent wait for the next call, or for upkeep."""
        try:
            self._dispatch(store)
        except SQLAlchemyError as error:
            # Whoever hands in a batch that is kept must not be told that it is not.
            _log.warning("no messages can be sent, the database cannot be used now: %s", error)

    def _dispatch(self, store: Store) -> None:
        taken = chunks.take_waiting(store, WINDOW)
        try:
            while taken:
                self.send(taken[0])
                taken = taken[1:]
        except Exception as error:
            # Whatever a broker's client raises: the chunks are kept, and the workers try again.
            _log.warning("no messages can be sent, %d chunks wait: %s", len(taken), error)
            chunks.put_back(store, taken)

    def send(self, chunk: int) -> None:
        """Send one message."""
        self.celery.send_task(READ_CHUNK, [chunk], retry=False)

    def check(self) -> None:
        """Connect to the broker.

        Raises:
            Exception: It does not answer; which one depends on the broker.
        """
        with self.celery.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_CONNECT_SECONDS)
            connection.default_channel  # noqa: B018  # opens the embedded one's file


def data_folder(settings: Settings) -> Path:
    """Where uploads and the embedded broker's messages go: beside the embedded database, if nothing else is said.

    Raises:
        service.store.engine.StoreError: Nothing else is said, and the database's address is none.
    """
    if settings.data_folder:
        return Path(settings.data_folder)
    url = parsed_url(settings.database_url)
    if url.drivername.startswith("sqlite") and url.database and url.database != ":memory:":
        return Path(url.database).absolute().parent
    return Path.cwd()
