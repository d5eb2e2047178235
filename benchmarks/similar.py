"""How quick and how complete the search for similar claims is: ``python -m benchmarks.similar --claims 1000000``."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from sqlalchemy import select

from benchmarks.claims import PUBLISHERS, Seeds, Vectors, claim_id, fill
from models.same import SameClaim
from service.store.engine import Store
from service.store.tables import Article, Claim, TrackedClaim
from service.tracking.claims import Tracker
from service.tracking.vectors import Index, Near

TOP = 10


class Exact:
    """The nearest of all vectors in full precision."""

    def __init__(self, queries: Vectors) -> None:
        self.queries = queries
        self.cosines = np.full((len(queries), TOP), -2, dtype=np.float32)
        self.numbers = np.zeros((len(queries), TOP), dtype=np.int64)

    def look(self, vectors: Vectors, first: int) -> None:
        """See some more."""
        cosines = np.hstack([self.cosines, self.queries @ vectors.T])
        numbers = np.hstack([self.numbers, np.tile(np.arange(first, first + len(vectors)), (len(self.queries), 1))])
        best = np.argpartition(-cosines, TOP, axis=1)[:, :TOP]
        self.cosines, self.numbers = np.take_along_axis(cosines, best, 1), np.take_along_axis(numbers, best, 1)


def claims_of(store: Store, near: Near) -> set[str]:
    """The claims that were found, by id."""
    ids = select(Claim.id).join(Claim.tracked).where(TrackedClaim.seq.in_([seq for seq, _ in near]))
    with store.read() as session:
        return set(session.scalars(ids))


def timed(name: str, run: Callable[[int], object], times: int) -> None:
    """Print how long a call takes."""
    taken = []
    for number in range(times):
        begun = time.perf_counter()
        run(number)
        taken.append(1000 * (time.perf_counter() - begun))
    p50, p95 = np.percentile(taken, [50, 95])
    click.echo(f"{name:60s} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms")


@click.command()
@click.option("--claims", type=int, default=1_000_000, show_default=True)
@click.option("--database", default="sqlite:///benchmark.db", show_default=True, help="A database for this alone.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("../shared/data"), show_default=True)
@click.option("--seeds", type=int, default=8000, show_default=True, help="Contents that the claims are mixed of.")
@click.option("--queries", type=int, default=200, show_default=True)
def main(claims: int, database: str, data: Path, seeds: int, queries: int) -> None:
    """Fill a database with claims, and search it."""
    same = SameClaim.from_pretrained()
    known = Seeds(same, data, seeds)
    asked, which = known.mix(queries, np.random.default_rng(1))
    exact = Exact(asked)
    store = Store(database)
    store.upgrade()
    begun = time.perf_counter()
    fill(store, known, same.version, claims, exact.look)
    click.echo(f"{claims} claims there in {time.perf_counter() - begun:.0f} s", err=True)

    before, begun = _resident(), time.perf_counter()
    index = Index(store, same.version, same.width)
    index.refresh()
    click.echo(f"loading: {time.perf_counter() - begun:.1f} s, {_resident() - before:.0f} MB")
    found = [claims_of(store, index.search(asked[n : n + 1], TOP)[0]) for n in range(queries)]
    right = [{claim_id(number) for number in each} for each in exact.numbers.tolist()]
    recall = np.mean([len(one & best) / TOP for one, best in zip(found, right, strict=True)])
    click.echo(f"recall@{TOP} against exact search: {recall:.4f}")
    timed("search, one claim", lambda n: index.search(asked[n : n + 1], TOP), queries)
    timed("search, 25 claims at once", lambda n: index.search(asked[25 * (n % 8) :][:25], TOP), 40)
    among = select(TrackedClaim.seq).join(TrackedClaim.claim).join(Claim.article)
    few = [among.where(Article.publisher == f"Publisher {n}") for n in range(PUBLISHERS)]
    timed(f"search, one claim, one of {PUBLISHERS} publishers",
          lambda n: index.search(asked[n : n + 1], TOP, among=few[n % PUBLISHERS]), 40)  # fmt: skip
    tracker = Tracker(store, same)
    tracker.index.refresh()
    told = [known.assertions[n] for n in which]
    timed("search with reading the text and scores", lambda n: tracker.similar(told[n], TOP), queries)


def _resident() -> float:
    """MB that the process has in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
