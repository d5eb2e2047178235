"""The claims nearest to a text in meaning, among all that are stored.

Each process holds the signs of all vectors, 48 bytes a claim, and looks through all of them; the nearest few hundred
are then compared by their vectors, which the database has.  What a process holds is only a copy: what others stored in
the meantime is read before each search, and what they removed is dropped when it is met.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from math import acos, pi, sqrt
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from service.store.engine import Store, batches
from service.store.tables import TrackedClaim

Vectors = NDArray[np.float32]
Near = list[tuple[int, float]]
"""Tracked claims by their ``seq``, each with its cosine, the nearest first."""

POOL: Final = 200
"""How many of the nearest by signs are compared by their vectors."""
_ENOUGH: Final = 50
_TOGETHER: Final = 10_000  # rows that are read at once


def pack(vectors: Vectors) -> list[bytes]:
    """Vectors as they are stored: a byte for each number, the greatest being ±127; their length is lost."""
    greatest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0), 1e-12)
    return [row.tobytes() for row in np.rint(vectors / greatest * 127).astype(np.int8)]


def unpack(stored: Sequence[bytes], width: int) -> Vectors:
    """Stored vectors, of unit length again, (n, width)."""
    vectors = _numbers(stored, width).astype(np.float32)
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit


class Index:
    """All stored claims by what they mean; safe for several threads.

    Args:
        store: Where they are.
        version: What made the vectors; others are left alone.
        width: How many numbers a vector has.
    """

    def __init__(self, store: Store, version: str, width: int) -> None:
        self._store, self._version, self._width = store, version, width
        self._lock = threading.Lock()
        self._count = 0
        self._seqs = np.empty(0, dtype=np.int64)
        self._codes = np.empty((0, width // 8), dtype=np.uint8)
        self._last = 0

    def refresh(self) -> int:
        """Read what was stored since the last time; the greatest ``seq`` that is known now."""
        with self._store.read() as session:
            session.connection()  # before the lock: who has that must not wait for those who wait for it
            with self._lock:
                # The one writer numbers its claims and commits before the next begins: what is later is greater.
                query = (
                    select(TrackedClaim.seq, TrackedClaim.vector)
                    .where(TrackedClaim.version == self._version, TrackedClaim.seq > self._last)
                    .order_by(TrackedClaim.seq)
                )
                for rows in session.execute(query, execution_options={"yield_per": _TOGETHER}).partitions():
                    vectors = _numbers([vector for _, vector in rows], self._width)
                    self._append([seq for seq, _ in rows], np.packbits(vectors > 0, 1))
                return self._last

    def search(
        self, vectors: Vectors, count: int, *, least: float = -1.0, among: Select[Any] | None = None
    ) -> list[Near]:
        """The nearest claims to each of some vectors.

        Args:
            vectors: Of unit length, (n, width).
            count: How many at most.
            least: The least cosine.
            among: A query for ``TrackedClaim.seq`` of those that are looked at; None for all.
        """
        self.refresh()
        codes = np.packbits(vectors > 0, axis=1)
        if among is not None:
            with self._store.read() as session:
                return self._search_among(session, vectors, codes, count, least, among)
        while True:
            pools = self._pools(codes, max(POOL, 2 * count), least)
            with self._store.read() as session:  # a new one: what other threads have read since is not gone
                found = self._fetch(session, pools)
            if not (gone := np.setdiff1d(np.concatenate([*pools, []]).astype(np.int64), list(found))).size:
                return self._rank(vectors, pools, found, count, least)
            self._drop(gone)

    def _search_among(
        self, session: Session, vectors: Vectors, codes: Any, count: int, least: float, among: Select[Any]
    ) -> list[Near]:
        # Most filters let enough of the nearest through; if one does not, it goes first.
        pools = self._pools(codes, max(POOL, 2 * count), least)
        found = self._fetch(session, pools, among)
        if min((sum(seq in found for seq in pool) for pool in pools), default=0) < max(_ENOUGH, 2 * count):
            allowed = np.fromiter(session.scalars(among.with_only_columns(TrackedClaim.seq)), dtype=np.int64)
            pools = self._pools(codes, max(POOL, 2 * count), least, allowed)
            found = self._fetch(session, pools)
        return self._rank(vectors, pools, found, count, least)

    def _pools(self, codes: Any, size: int, least: float, allowed: Any = None) -> list[NDArray[np.int64]]:
        """The claims whose signs are nearest to some others', by ``seq``."""
        with self._lock:  # for a moment: what is held is only appended to, or replaced
            seqs, held = self._seqs[: self._count], self._codes[: self._count]
        if allowed is not None:
            mine = np.isin(seqs, allowed)
            seqs, held = seqs[mine], held[mine]
        if not len(seqs) or not len(codes):
            return [seqs[:0] for _ in codes]
        apart, places = faiss.knn_hamming(codes, held, min(size, len(seqs)))
        # Vectors at an angle differ in as large a part of their signs as the angle is of a half turn, give or take 3 σ.
        part = acos(max(-1.0, min(1.0, least))) / pi
        bits = self._width * part + 3 * sqrt(self._width * part * (1 - part)) + 1
        return [seqs[row[far <= bits]] for far, row in zip(apart, places, strict=True)]

    def _fetch(self, session: Session, pools: Sequence[Any], among: Select[Any] | None = None) -> dict[int, bytes]:
        wanted = np.unique(np.concatenate([*pools, []])).astype(np.int64).tolist()
        one = aliased(TrackedClaim)
        query = select(one.seq, one.vector)
        if among is not None:  # asked for each of them: a join may begin with all that the filters let through
            query = query.where(among.where(TrackedClaim.seq == one.seq).exists())
        found: dict[int, bytes] = {}
        for some in batches(wanted):
            found.update((seq, vector) for seq, vector in session.execute(query.where(one.seq.in_(some))))
        return found

    def _rank(
        self, vectors: Vectors, pools: Sequence[Any], found: dict[int, bytes], count: int, least: float
    ) -> list[Near]:
        out: list[Near] = []
        for vector, pool in zip(vectors, pools, strict=True):
            mine = [seq for seq in pool.tolist() if seq in found]
            cosines = unpack([found[seq] for seq in mine], self._width) @ vector
            near = sorted(
                ((seq, cos) for seq, cos in zip(mine, cosines.tolist(), strict=True) if cos >= least), key=nearest
            )
            out.append(near[:count])
        return out

    def _append(self, seqs: Sequence[int], codes: Any) -> None:
        need = self._count + len(seqs)
        if need > len(self._seqs):
            room = max(1024, need, len(self._seqs) * 5 // 4)
            self._seqs = np.concatenate([self._seqs[: self._count], np.empty(room - self._count, dtype=np.int64)])
            fresh = np.empty((room - self._count, self._width // 8), dtype=np.uint8)
            self._codes = np.concatenate([self._codes[: self._count], fresh])
        self._seqs[self._count : need], self._codes[self._count : need] = seqs, codes
        self._count, self._last = need, int(seqs[-1])

    def _drop(self, gone: NDArray[np.int64]) -> None:
        with self._lock:
            kept = ~np.isin(self._seqs[: self._count], gone)
            self._seqs, self._codes = self._seqs[: self._count][kept], self._codes[: self._count][kept]
            self._count = len(self._seqs)


def nearest(one: tuple[int, float]) -> tuple[float, int]:
    """What the nearest come first by."""
    return -one[1], one[0]


def _numbers(stored: Sequence[bytes], width: int) -> NDArray[np.int8]:
    return np.frombuffer(b"".join(stored), dtype=np.int8).reshape(-1, width)
