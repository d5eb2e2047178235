"""Archives come in: first whole onto the disk, then cut into chunks, in short transactions.

A slow or broken upload never touches the database, and an answer means that all of it is there.
"""

from __future__ import annotations

import errno
import gzip
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import IO, Any, Final, Protocol, cast

from sqlalchemy import insert, select, update
from sqlalchemy.exc import OperationalError

from models.records import Habit
from service.batches import chunks
from service.batches.upkeep import remove
from service.config import PREFIX, Settings
from service.errors import BadRequest, Invalid, NoSpace, TooLarge
from service.store.batches import Batch, Chunk
from service.store.engine import Store

CHUNK_BYTES: Final = 200_000
CHUNK_LINES: Final = 200
"""A chunk is some four groups of the Reader's: half a minute of one core, so that little is lost with a worker."""

_PIECE: Final = 1 << 20
_IN_MEMORY: Final = 1 << 20
_CHUNKS_AT_ONCE: Final = 20
_RATIO_FROM: Final = 10_000_000  # so much may come of anything: short texts that repeat are no bombs
_FULL: Final = ("disk is full", "No space left", "disk I/O error", "could not extend file")


class Readable(Protocol):
    """A body that is still arriving."""

    def read(self, size: int, /) -> bytes:
        """Some of it; nothing at its end."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is to be done with a batch."""

    habit: Habit
    store: bool = False
    ignore_unknown: bool = False
    callback_url: str | None = None
    callback_secret: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Spooled:
    """A body that is here whole, as it was sent."""

    file: IO[bytes]
    size: int
    digest: str


def spool(body: Readable, folder: Path, limit: int) -> Spooled:
    """Put a body on the disk, in a file that goes away by itself.

    Args:
        body: What arrives.
        folder: Where there is room.
        limit: The most bytes.

    Raises:
        TooLarge: There are more.
        NoSpace: They do not fit.
    """
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115
    size, digest = 0, sha256()
    try:
        while piece := body.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise too_large(size, limit, "MAX_BATCH_BYTES", "archive")
            file.write(piece)
            digest.update(piece)
        file.seek(0)
    except OSError as error:
        file.close()
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoSpace(f"The disk is full after {size:,} bytes of the archive.", observed=size) from None
        raise
    except BaseException:
        file.close()
        raise
    return Spooled(file, size, digest.hexdigest())


def too_large(observed: int, limit: int, setting: str, what: str) -> TooLarge:
    """That something is too long, and for which setting."""
    return TooLarge(
        f"The {what} has {observed:,} bytes or more; at most {limit:,} are allowed.",
        limit=limit,
        observed=observed,
        setting=PREFIX + setting,
    )


def lines_of(file: IO[bytes], is_gzip: bool, settings: Settings) -> Iterator[bytes]:
    """The lines of an archive, without their ends; of one that is too long only so much that this can be seen.

    Raises:
        TooLarge: It is too long when unpacked, or unpacks to suspiciously much.
        BadRequest: It is not gzip as it should be.
    """
    longest = settings.max_body_bytes
    out = cast(IO[bytes], gzip.GzipFile(fileobj=file, mode="rb")) if is_gzip else file
    size, is_first = 0, True
    try:
        while line := out.readline(longest + 2):
            size += len(line)
            rest = line
            while not rest.endswith(b"\n") and (rest := out.readline(_PIECE)):
                size += len(rest)
                _check_size(size, file, is_gzip, settings)
            _check_size(size, file, is_gzip, settings)
            if is_first:
                line, is_first = line.removeprefix(b"\xef\xbb\xbf"), False
            yield line.rstrip(b"\r\n")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadRequest(f"The body is not whole gzip: {error}.") from None


def _check_size(size: int, file: IO[bytes], is_gzip: bool, settings: Settings) -> None:
    if size > settings.max_batch_bytes:
        raise too_large(size, settings.max_batch_bytes, "MAX_BATCH_BYTES", "archive")
    if is_gzip and size > _RATIO_FROM and size > settings.max_gzip_ratio * file.tell():
        ratio = size // max(file.tell(), 1)
        raise TooLarge(
            f"The archive unpacks to {ratio} times its size or more; at most {settings.max_gzip_ratio} are allowed.",
            limit=settings.max_gzip_ratio,
            observed=ratio,
            setting=PREFIX + "MAX_GZIP_RATIO",
        )


def take_in(store: Store, lines: Iterable[bytes], options: Options) -> str:
    """Make a batch of lines, each an article; its id.

    All of it is kept or, if anything is wrong, nothing.

    Raises:
        Invalid: There are no articles.
        NoSpace: The database's disk is full.
    """
    id_ = f"batch-{token_hex(10)}"
    moment = chunks.now()
    with store.write(alone=False) as session:
        made = Batch(id=id_, state="receiving", created=moment, touched=moment, **vars(options))
        session.add(made)
        session.flush()
        seq = made.seq
    try:
        total = 0
        for some in _grouped(_cut(lines)):
            rows = [_row(seq, first, part) for first, part in some]
            total += sum(1 for _, part in some for line in part if line.strip())
            with store.write(alone=False) as session:
                session.execute(insert(Chunk), rows)
                session.execute(update(Batch).where(Batch.seq == seq).values(touched=chunks.now()))
        if not total:
            raise Invalid(errors=[{"field": "items", "message": "There are no articles."}])
        with store.write(alone=False) as session:
            found = session.scalars(select(Batch).where(Batch.seq == seq).with_for_update()).one()
            found.state, found.total, found.touched = "queued", total, chunks.now()
            session.execute(update(Chunk).where(Chunk.batch_seq == seq).values(state="waiting"))
    except BaseException as error:
        remove(store, seq)
        if isinstance(error, OperationalError) and any(sign in str(error.orig) for sign in _FULL):
            raise NoSpace("The database's disk is full.") from None
        raise
    return id_


def _row(batch: int, first: int, part: list[bytes]) -> dict[str, Any]:
    return {"batch_seq": batch, "first": first, "body": chunks.pack(part), "state": "arriving", "attempts": 0}


def _cut(lines: Iterable[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Lines in chunks, each with the number of its first line, counted from 1."""
    part: list[bytes] = []
    first, size = 1, 0
    for line in lines:
        part.append(line)
        size += len(line)
        if size >= CHUNK_BYTES or len(part) >= CHUNK_LINES:
            yield first, part
            first, part, size = first + len(part), [], 0
    if part:
        yield first, part


def _grouped(parts: Iterable[tuple[int, list[bytes]]]) -> Iterator[list[tuple[int, list[bytes]]]]:
    some: list[tuple[int, list[bytes]]] = []
    for part in parts:
        if any(line.strip() for line in part[1]):
            some.append(part)
        if len(some) == _CHUNKS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some
