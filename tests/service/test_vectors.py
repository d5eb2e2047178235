"""The index: a copy of what is stored, that finds the nearest and nothing that is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from service.keeping import Keeper
from service.store.tables import Claim, TrackedClaim
from service.tracking import vectors
from service.tracking.vectors import Index, pack, unpack
from tests.databases import ENGINES, opened
from tests.fakes import FakeSame
from tests.service.test_clusters import keep, remove


@pytest.fixture(params=ENGINES)
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keeper]:
    with opened(request.param, tmp_path) as store:
        yield Keeper(store, "1", FakeSame())


def texts(keeper: Keeper, index: Index, text: str, count: int = 10, **options: float) -> list[str]:
    found = index.search(FakeSame().embed([text]), count, **options)[0]
    assert [cosine for _, cosine in found] == sorted((cosine for _, cosine in found), reverse=True)
    with keeper.store.read() as session:
        rows = session.execute(select(TrackedClaim.seq, Claim.text).join(TrackedClaim.claim))
        by_seq = {row.seq: row.text for row in rows}
    return [by_seq[seq] for seq, _ in found]


def test_a_byte_a_number_is_enough() -> None:
    some = np.random.default_rng(0).normal(size=(200, 384)).astype(np.float32)
    some /= np.linalg.norm(some, axis=1, keepdims=True)
    again = unpack(pack(some), 384)
    assert np.abs(some @ some.T - again @ again.T).max() < 0.01
    assert np.abs(np.linalg.norm(again, axis=1) - 1).max() < 1e-6
    assert unpack(pack(np.zeros((1, 384), dtype=np.float32)), 384).tolist() == [[0.0] * 384]
    assert unpack(pack(some[:0]), 384).shape == (0, 384)


def test_the_nearest_by_signs_hold_the_nearest() -> None:
    rng = np.random.default_rng(0)
    held = rng.normal(size=(5000, 384)).astype(np.float32)
    asked = held[:20] + 0.8 * rng.normal(size=(20, 384)).astype(np.float32)
    index = Index(None, "1", 384)  # type: ignore[arg-type]
    index._append(list(range(1, 5001)), np.packbits(held > 0, axis=1))
    pools = index._pools(np.packbits(asked > 0, axis=1), vectors.POOL, -1.0)
    assert all(number in pool for number, pool in enumerate(pools, start=1))
    close = index._pools(np.packbits(asked > 0, axis=1), vectors.POOL, 0.7)
    assert all(number in pool for number, pool in enumerate(close, start=1))
    assert sum(map(len, close)) < sum(map(len, pools)) / 10


def test_each_copy_follows_the_database(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "POOL", 2)
    index = Index(keeper.store, "fake", 384)
    assert texts(keeper, index, "taxes rise soon") == []
    for name in "abcdef":
        keep(keeper, name, ("2024-05-01", (("taxes", "rise", "soon"),)))
    keep(keeper, "other", ("2024-05-01", (("taxes", "rise", "here", "again"),)))
    assert texts(keeper, index, "taxes rise soon", 1) == ["taxes rise soon"]
    for name in "abcdef":
        remove(keeper, name)
    assert texts(keeper, index, "taxes rise soon", 1) == ["taxes rise here again"]
    assert texts(keeper, index, "taxes rise soon", 1, least=0.9) == []
    keep(keeper, "other", ("2024-05-01", (("snow", "falls"),)))
    assert texts(keeper, index, "snow falls", 1) == ["snow falls"]
    assert len(texts(keeper, Index(keeper.store, "fake", 384), "snow falls")) == 1
    assert texts(keeper, Index(keeper.store, "another", 384), "snow falls") == []


def test_what_another_thread_has_read_meanwhile_is_not_gone(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(keeper.store, "fake", 384)
    for name in "ab":
        keep(keeper, name, ("2024-05-01", (("taxes", "rise", "soon"),)))
    index.refresh()
    remove(keeper, "a")
    drop = index._drop

    def drop_late(gone: NDArray[np.int64]) -> None:
        drop(gone)
        monkeypatch.setattr(index, "_drop", drop)
        keep(keeper, "c", ("2024-05-01", (("taxes", "rise", "again"),)))
        index.refresh()

    monkeypatch.setattr(index, "_drop", drop_late)
    for _ in range(2):
        assert texts(keeper, index, "taxes rise again") == ["taxes rise again", "taxes rise soon"]
