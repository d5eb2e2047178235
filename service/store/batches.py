"""The tables of batches: what was handed in, its chunks while they are worked on, and the results."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables import Base

_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")


class Batch(Base):
    """An archive that was handed in at once.

    Its state is ``receiving`` (nobody sees it yet), ``queued``, ``running``, ``finished`` or ``cancelled``.
    """

    __tablename__ = "batches"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    origin: Mapped[str | None] = mapped_column(String(64), index=True)
    """What a command knows it again by, to go on after an interruption."""
    habit: Mapped[str] = mapped_column(String(20))
    store: Mapped[bool]
    ignore_unknown: Mapped[bool]
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    failed: Mapped[int] = mapped_column(BigInteger, default=0)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    touched: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    """When something of it arrived last; who hands in and dies leaves it behind."""
    started: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    callback_url: Mapped[str | None] = mapped_column(Text)
    callback_secret: Mapped[str | None] = mapped_column(Text)
    callback_state: Mapped[str | None] = mapped_column(String(20))
    """``waiting``, ``delivered`` or ``failed``; None if there is none."""
    callback_attempts: Mapped[int] = mapped_column(Integer, default=0)
    callback_due: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)
    callback_error: Mapped[str | None] = mapped_column(Text)


class Chunk(Base):
    """Some articles of a batch that one worker reads in a row; its row says who has it and until when.

    Its state is ``arriving``, ``waiting``, ``sent`` (a message names it), ``running`` or ``done``.
    """

    __tablename__ = "batch_chunks"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    batch_seq: Mapped[int] = mapped_column(ForeignKey("batches.seq", ondelete="CASCADE"))
    first: Mapped[int] = mapped_column(BigInteger)
    """The number of its first line."""
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Its lines, compressed by zlib; None once it is done."""
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    """How often a worker took it and did not give it back."""
    holder: Mapped[str | None] = mapped_column(String(80))
    held_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reading: Mapped[int | None] = mapped_column(BigInteger)
    """The number of the article that is being read, where they are read one at a time."""
    sent: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    error: Mapped[str | None] = mapped_column(Text)
    """What became of the last worker that had it."""

    __table_args__: Any = (
        Index("ix_batch_chunks_batch", "batch_seq"),
        Index("ix_batch_chunks_next", "state", "first", "seq"),
        {"sqlite_autoincrement": True},
    )


class Result(Base):
    """What became of one article of a batch, in the order in which they were finished."""

    __tablename__ = "batch_results"

    batch_seq: Mapped[int] = mapped_column(ForeignKey("batches.seq", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    """1 for the first that was finished; what comes later is always greater."""
    number: Mapped[int] = mapped_column(BigInteger)
    is_done: Mapped[bool]
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    record: Mapped[bytes] = mapped_column(LargeBinary)
    """As JSON, compressed by zlib."""

    __table_args__: Any = (
        Index("ix_batch_results_number", "batch_seq", "number", unique=True),
        Index("ix_batch_results_failed", "batch_seq", "is_done", "place"),
    )
