"""Chunks: who has which and until when, and how their results are kept, each article's exactly once.

Locks are taken in one order, a batch's row before its chunks', so that nobody waits for each other in a ring.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from service.store.batches import Batch, Chunk, Result
from service.store.engine import Store

Line = tuple[int, bytes]
"""An article as it was handed in, with the number of its line; one that is blank is none."""

LIVE: Final = ("queued", "running")


class Gone(Exception):
    """The chunk is not this worker's any more: its lease ran out, or the batch was cancelled."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one article: its result or its problem, as callers get it, as JSON compressed by zlib."""

    number: int
    is_done: bool
    record: bytes


@dataclass(frozen=True, slots=True)
class Work:
    """A chunk that a worker has."""

    chunk: int
    batch: int
    holder: str
    habit: str
    store: bool
    ignore_unknown: bool
    lines: list[Line]
    """Those that have no result yet."""
    is_careful: bool
    """Whether a worker died of it before, so that articles are read one at a time and named first."""


def pack(lines: Sequence[bytes]) -> bytes:
    """Lines as they are kept."""
    return zlib.compress(b"\n".join(lines), 1)


def unpack(first: int, body: bytes) -> list[Line]:
    """The lines again, blank ones left out."""
    return [(n, line) for n, line in enumerate(zlib.decompress(body).split(b"\n"), first) if line.strip()]


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def take_waiting(store: Store, most: int) -> list[int]:
    """Choose the chunks that messages are to be sent for, and mark them.

    All batches take turns: the first articles of each come before the later ones of any.

    Args:
        store: The database.
        most: How many may be marked at any time.
    """
    with store.read() as session:
        if session.scalar(select(Chunk.seq).where(Chunk.state == "waiting").limit(1)) is None:
            return []
    with store.write(alone=False) as session:
        sent = session.scalar(select(func.count()).where(Chunk.state == "sent")) or 0
        waiting = (
            select(Chunk.seq)
            .where(Chunk.state == "waiting")
            .order_by(Chunk.first, Chunk.seq)
            .limit(max(0, most - sent))
            .with_for_update(skip_locked=True)
        )
        taken = list(session.scalars(waiting))
        session.execute(update(Chunk).where(Chunk.seq.in_(taken)).values(state="sent", sent=now()))
    return taken


def put_back(store: Store, taken: Sequence[int]) -> None:
    """Let chunks wait again whose messages could not be sent."""
    with store.write(alone=False) as session:
        session.execute(update(Chunk).where(Chunk.seq.in_(taken), Chunk.state == "sent").values(state="waiting"))


def claim(store: Store, chunk: int, holder: str, lease: float) -> Work | None:
    """Take a chunk; None if somebody has it or had it, or its batch is over."""
    with store.write(alone=False) as session:
        found = session.get(Chunk, chunk)
        if found is None or found.state not in ("waiting", "sent") or found.body is None:
            return None
        mine = Batch.seq == found.batch_seq
        session.execute(update(Batch).where(mine, Batch.state == "queued").values(state="running", started=now()))
        taken = session.execute(
            update(Chunk)
            .where(Chunk.seq == chunk, Chunk.state.in_(("waiting", "sent")))
            .values(
                state="running",
                holder=holder,
                attempts=Chunk.attempts + 1,
                held_until=now() + timedelta(seconds=lease),
                reading=None,
            )
        )
        batch = session.scalar(select(Batch).where(mine))
        if _rows(taken) != 1 or batch is None:
            return None
        session.refresh(found)
        return Work(
            chunk=chunk,
            batch=batch.seq,
            holder=holder,
            habit=batch.habit,
            store=batch.store,
            ignore_unknown=batch.ignore_unknown,
            lines=left(session, found),
            is_careful=found.attempts > 1,
        )


def left(session: Session, chunk: Chunk) -> list[Line]:
    """The lines of a chunk that have no result yet."""
    lines = unpack(chunk.first, chunk.body or pack([]))
    if not lines:
        return []
    known = set(
        session.scalars(
            select(Result.number).where(
                Result.batch_seq == chunk.batch_seq, Result.number.between(lines[0][0], lines[-1][0])
            )
        )
    )
    return [line for line in lines if line[0] not in known]


def save(store: Store, work: Work, outcomes: Sequence[Outcome], lease: float, *, is_last: bool) -> None:
    """Keep results, and the chunk for longer or, if they are its last, give it up.

    May be called again after an error that leaves open whether anything was kept.

    Raises:
        Gone: The chunk is not the holder's any more; nothing is kept.
    """
    with store.write(alone=False) as session:
        if not record(session, work.batch, outcomes):
            raise Gone
        change = {"state": "done", "body": None} if is_last else {"held_until": now() + timedelta(seconds=lease)}
        if not _change(session, work, **change):
            raise Gone


def renew(store: Store, work: Work, lease: float) -> None:
    """Keep the chunk for longer.

    Raises:
        Gone: It is not the holder's any more.
    """
    with store.write(alone=False) as session:
        if not _change(session, work, held_until=now() + timedelta(seconds=lease)):
            raise Gone


def name_reading(store: Store, work: Work, number: int, lease: float) -> None:
    """Tell which article is read next, in case the worker does not live to tell how it went.

    Raises:
        Gone: The chunk is not the holder's any more.
    """
    with store.write(alone=False) as session:
        if not _change(session, work, reading=number, held_until=now() + timedelta(seconds=lease)):
            raise Gone


def give_up(store: Store, work: Work, why: str) -> None:
    """Let the lease run out now; what follows counts as a failure."""
    with store.write(alone=False) as session:
        _change(session, work, held_until=now() - timedelta(seconds=1), error=why)


def give_back(store: Store, work: Work) -> None:
    """Let others read what is left; nothing is wrong with it."""
    with store.write(alone=False) as session:
        _change(session, work, state="waiting", holder=None, attempts=Chunk.attempts - 1, reading=None)


def record(session: Session, batch: int, outcomes: Sequence[Outcome]) -> bool:
    """Add results to a batch, those that it has already left out; False if there are any, and it is over.

    Their places follow each other while the batch's row is locked, so that whoever reads them in the order
    of their places misses none.
    """
    row = session.scalar(select(Batch).where(Batch.seq == batch).with_for_update())
    if row is None:
        return False
    numbers = [one.number for one in outcomes]
    known = set(session.scalars(select(Result.number).where(Result.batch_seq == batch, Result.number.in_(numbers))))
    moment = now()
    place = row.done + row.failed
    rows = [
        {
            "batch_seq": batch,
            "place": place + n,
            "number": one.number,
            "is_done": one.is_done,
            "created": moment,
            "record": one.record,
        }
        for n, one in enumerate((one for one in outcomes if one.number not in known), 1)
    ]
    if not rows:
        return True
    if row.state not in LIVE:
        return False
    session.execute(insert(Result), rows)
    done = sum(1 for one in rows if one["is_done"])
    row.done += done
    row.failed += len(rows) - done
    row.touched = moment
    if row.done + row.failed == row.total:
        end(row, "finished")
    session.flush()
    return True


def end(batch: Batch, state: str) -> None:
    """A batch is over; whoever asked to be told is told."""
    batch.state, batch.ended = state, now()
    if batch.callback_url is not None:
        batch.callback_state, batch.callback_due = "waiting", batch.ended


def cancel(session: Session, batch: Batch) -> None:
    """Stop a batch: what is read already stays, what is being read is dropped; nothing if it is over."""
    session.refresh(batch, with_for_update=True)
    if batch.state not in LIVE:
        return
    end(batch, "cancelled")
    session.flush()
    session.execute(
        update(Chunk).where(Chunk.batch_seq == batch.seq, Chunk.state != "done").values(state="done", body=None)
    )


def _change(session: Session, work: Work, **values: Any) -> bool:
    """Change a chunk if it is still the holder's."""
    mine = (Chunk.seq == work.chunk, Chunk.state == "running", Chunk.holder == work.holder)
    return _rows(session.execute(update(Chunk).where(*mine).values(**values))) == 1


def _rows(result: Any) -> int:
    return int(result.rowcount)


def aware(moment: datetime | None) -> datetime:
    """A moment as it was kept: SQLite forgets the zone, and all are in UTC."""
    if moment is None:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
