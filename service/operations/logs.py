"""Log lines: JSON for programs, colours for people; with the request's id, without the articles' texts."""

from __future__ import annotations

import logging
import os
import sys
from traceback import format_tb
from types import TracebackType
from typing import Any, Final

import structlog
from structlog.types import EventDict, Processor

from service.config import LogFormat, LogLevel
from service.operations import tracing

_MOST: Final = 200
"""Characters of an error's message: what is further on may quote what the caller sent."""


def configure(level: LogLevel, form: LogFormat) -> None:
    """Send all log lines of this process, those of libraries as well, to standard error.

    Args:
        level: The least that is written.
        form: ``auto`` is for people on a terminal and JSON elsewhere.
    """
    is_console = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _add_place,
                _tell_error,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # They tell of each connection, each statement with what is in it, or at length of how they were loaded.
    for chatty in ("urllib3", "sqlalchemy", "alembic", "trafilatura", "faiss"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _add_place(_: Any, __: str, event: EventDict) -> EventDict:
    event.update(pid=os.getpid(), **tracing.ids())
    return event


def _tell_error(_: Any, __: str, event: EventDict) -> EventDict:
    """The traceback of a line's error: where it was and of which type, but no more of its message than its start."""
    told = event.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["exception"] = trace_of(error)
    return event


def trace_of(error: BaseException) -> str:
    """An error and those that led to it, each with the first line of its message."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    frames: TracebackType | None = error.__traceback__
    first = next(iter(str(error).splitlines()), "")
    return (
        ("" if before is None else f"{trace_of(before)}\nthen\n")
        + "".join(format_tb(frames))
        + f"{type(error).__module__}.{type(error).__qualname__}: {first[:_MOST]}"
    )
