"""What got lost is found: chunks whose worker is gone, messages that went astray, batches that nobody needs.

Every worker process does this now and then; none depends on another.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.batches import chunks
from service.batches.chunks import LIVE, Line
from service.batches.records import failed
from service.errors import Unreadable
from service.store.batches import Batch, Chunk, Result
from service.store.engine import Store

TRIES: Final = 3
"""How many workers may die of one article before it is reported."""

_BUSY_RESEND: Final = timedelta(minutes=10)
_ABANDONED: Final = timedelta(minutes=30)
_AT_ONCE: Final = 2000

_log = logging.getLogger(__name__)


def recover(store: Store) -> int:
    """See to the chunks whose leases have run out; how many there were."""
    with store.read() as session:
        query = select(Chunk.seq).where(Chunk.state == "running", Chunk.held_until < chunks.now()).limit(_AT_ONCE)
        expired = list(session.scalars(query))
    for seq in expired:
        with store.write(alone=False) as session:
            _recover(session, seq)
    return len(expired)


def _recover(session: Session, seq: int) -> None:
    chunk = session.get(Chunk, seq)
    if chunk is None:
        return
    # Locked in this order by everyone: the batch first.  Another process may have been quicker.
    batch = session.scalar(select(Batch).where(Batch.seq == chunk.batch_seq).with_for_update())
    session.refresh(chunk, with_for_update=True)
    if batch is None or chunk.state != "running" or chunks.aware(chunk.held_until) >= chunks.now():
        return
    lines = chunks.left(session, chunk)
    if batch.state not in LIVE or not lines:
        chunk.state, chunk.body = "done", None
        return
    why = chunk.error or "the worker was gone"
    _log.warning("chunk %d of %s, attempt %d: %s", seq, batch.id, chunk.attempts, why)
    if chunk.reading is not None and len(lines) > 1:
        _isolate(session, chunk, lines)
        chunk.attempts = TRIES - 1
    elif chunk.reading is not None and chunk.attempts >= TRIES:
        error = Unreadable(f"{chunk.attempts} workers ended while they read this article; the last time {why}.")
        chunks.record(session, batch.seq, [failed(lines[0], error)])
        chunk.state, chunk.body = "done", None
        return
    chunk.state, chunk.holder, chunk.reading, chunk.error = "waiting", None, None, why


def _isolate(session: Session, chunk: Chunk, lines: list[Line]) -> None:
    """Leave the article that was being read alone in its chunk; the others get one of their own."""
    suspect = next((line for line in lines if line[0] == chunk.reading), lines[0])
    others = {number: line for number, line in lines if number != suspect[0]}
    first, last = min(others), max(others)
    rest = chunks.pack([others.get(number, b"") for number in range(first, last + 1)])
    session.add(Chunk(batch_seq=chunk.batch_seq, first=first, body=rest, state="waiting", attempts=0))
    chunk.first, chunk.body = suspect[0], chunks.pack([suspect[1]])


def resend(store: Store, seconds: float) -> None:
    """Let chunks wait again whose messages seem to be lost: nobody has read for some seconds, or they are very old."""
    with store.read() as session:
        busy = session.scalar(
            select(Chunk.seq).where(Chunk.state == "running", Chunk.held_until > chunks.now()).limit(1)
        )
        before = chunks.now() - (timedelta(seconds=seconds) if busy is None else _BUSY_RESEND)
        lost = (Chunk.state == "sent", Chunk.sent < before)
        if session.scalar(select(func.count()).select_from(Chunk).where(*lost)) == 0:
            return
    with store.write(alone=False) as session:
        session.execute(update(Chunk).where(*lost).values(state="waiting"))


def retire(store: Store, keep_days: int) -> None:
    """Remove batches that ended long ago (0 days: never), and those whose arrival broke off."""
    moment = chunks.now()
    with store.read() as session:
        old = (Batch.state == "receiving") & (Batch.touched < moment - _ABANDONED)
        if keep_days:
            old |= Batch.ended < moment - timedelta(days=keep_days)
        found = list(session.scalars(select(Batch.seq).where(old)))
    for seq in found:
        remove(store, seq)


def remove(store: Store, batch: int) -> None:
    """Remove a batch with all that belongs to it, in short transactions."""
    for table, key in ((Result, Result.place), (Chunk, Chunk.seq)):
        while True:
            with store.write(alone=False) as session:
                some = list(session.scalars(select(key).where(table.batch_seq == batch).limit(_AT_ONCE)))
                session.execute(delete(table).where(table.batch_seq == batch, key.in_(some)))
            if len(some) < _AT_ONCE:
                break
    with store.write(alone=False) as session:
        session.execute(delete(Batch).where(Batch.seq == batch))
