"""What there is to tell of a batch: its state, its progress, its results from any place on."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.batches import chunks
from service.store.batches import Batch, Result
from service.store.engine import Store

_RECENT: Final = 200
"""The rate is that of the last so many articles."""

_AT_ONCE: Final = 100


def batch_record(session: Session, batch: Batch) -> dict[str, Any]:
    """A batch as callers get it."""
    rate = _rate(session, batch)
    waiting = batch.total - batch.done - batch.failed
    left: float | None = None
    if batch.state in chunks.LIVE:
        left = round(waiting / rate, 1) if rate else None
    elif batch.state == "finished":
        left = 0.0
    where = f"/v1/batches/{batch.id}"
    return {
        "id": batch.id,
        "state": batch.state,
        "total": batch.total,
        "done": batch.done,
        "failed": batch.failed,
        "articles_per_second": None if rate is None else round(rate, 2),
        "seconds_left": left,
        "created": _moment(batch.created),
        "started": _moment(batch.started),
        "ended": _moment(batch.ended),
        "options": {"store": batch.store, "habit": batch.habit, "ignore_unknown": batch.ignore_unknown},
        "callback": None
        if batch.callback_url is None
        else {
            "url": batch.callback_url,
            "state": batch.callback_state or "waiting",
            "attempts": batch.callback_attempts,
            "error": batch.callback_error,
        },
        "links": {"self": where, "results": f"{where}/results", "errors": f"{where}/errors"},
    }


def _rate(session: Session, batch: Batch) -> float | None:
    """Articles per second: of late while it runs, of all of it once it is over."""
    finished = batch.done + batch.failed
    if batch.started is None or not finished:
        return None
    since, count = chunks.aware(batch.started), finished
    if batch.ended is None and finished > _RECENT:
        created = session.scalar(
            select(Result.created).where(Result.batch_seq == batch.seq, Result.place == finished - _RECENT)
        )
        if created is not None:
            since, count = chunks.aware(created), _RECENT
    until = chunks.now() if batch.ended is None else chunks.aware(batch.ended)
    return count / max((until - since).total_seconds(), 1e-3)


def results_after(
    session: Session, batch: int, place: int, most: int, *, only_failed: bool = False
) -> list[tuple[int, bytes]]:
    """The results that follow a place, with their own places, as JSON, in the order in which they were finished."""
    query = select(Result.place, Result.record).where(Result.batch_seq == batch, Result.place > place)
    if only_failed:
        query = query.where(Result.is_done.is_(False))
    found = session.execute(query.order_by(Result.place).limit(most))
    return [(row.place, zlib.decompress(row.record)) for row in found]


def each_result(store: Store, batch: int, place: int) -> Iterator[tuple[int, bytes]]:
    """All results that follow a place and are there by now; a few are held at a time, and no transaction for long."""
    while True:
        with store.read() as session:
            some = results_after(session, batch, place, _AT_ONCE)
        if not some:
            return
        yield from some
        place = some[-1][0]


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else chunks.aware(moment).isoformat()
