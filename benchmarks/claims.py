"""A database full of claims: real contents' vectors, mixed, so that they crowd together as those of news do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from models.claims import readable
from models.same import Assertion, SameClaim
from models.training.corpora import read_lines
from service.store.engine import Store
from service.store.tables import Appearance, Article, Claim, Speaker, TrackedClaim
from service.tracking.vectors import pack

CLAIMS_OF_AN_ARTICLE = 25
TOGETHER = 25_000
PUBLISHERS = 50

Vectors = NDArray[np.float32]


class Seeds:
    """Contents of the corpora, with their vectors."""

    def __init__(self, same: SameClaim, data: Path, count: int) -> None:
        assertions = read_assertions(data)
        chosen = np.random.default_rng(0).permutation(len(assertions))[:count]
        self.assertions: list[Assertion] = [assertions[n] for n in chosen]
        click.echo(f"embedding {len(chosen)} contents of the corpora", err=True)
        self.vectors = same.embed([one.text for one in self.assertions])

    def mix(self, count: int, rng: np.random.Generator) -> tuple[Vectors, NDArray[np.int64]]:
        """Vectors between two contents', nearer to the first, with some noise; and which the first is."""
        one, other = rng.integers(0, len(self.vectors), (2, count))
        share = rng.uniform(0.5, 0.95, (count, 1)).astype(np.float32)
        noise = rng.normal(0, 0.2 / np.sqrt(self.vectors.shape[1]), (count, self.vectors.shape[1])).astype(np.float32)
        mixed = share * self.vectors[one] + (1 - share) * self.vectors[other] + noise
        unit: Vectors = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
        return unit, one


def read_assertions(data: Path) -> list[Assertion]:
    """All different contents of the corpora but for dev, whose articles are to be new ones."""
    found: dict[str, Assertion] = {}
    for part in ("train", "world"):
        for article in read_lines(data / "attributions" / f"{part}.jsonl"):
            day = date.fromisoformat(article["date"]) if article.get("date") else None
            for one in article["attributions"]:
                text, source = (
                    readable([article["text"][start:end] for start, end in one[role]]) for role in ("content", "source")
                )
                if text:
                    found.setdefault(text, Assertion(text, day, source or None))
    return list(found.values())


def fill(
    store: Store, seeds: Seeds, version: str, up_to: int, look: Callable[[Vectors, int], None] | None = None
) -> None:
    """Store claims until there are so many, each the only one of its kind; those that are there already stay.

    ``look`` sees the vectors, also of those, and the first one's number.
    """
    with store.read() as session:
        have = session.scalar(select(func.count()).select_from(Claim).where(Claim.id.like("claim-0%"))) or 0
    for start in range(0, up_to, TOGETHER):
        vectors, which = seeds.mix(
            min(TOGETHER, up_to - start), np.random.default_rng([start, up_to - start < TOGETHER])
        )
        if start + len(vectors) > have:
            with store.write() as session:
                _insert(session, seeds, version, vectors, which, start)
        if look is not None:
            look(vectors, start)
    with store.engine.connect() as connection:  # as either database does by itself sooner or later
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def claim_id(number: int) -> str:
    """The id of a claim that was made."""
    return f"claim-0{number:x}"


def _insert(
    session: Session, seeds: Seeds, version: str, vectors: Vectors, which: NDArray[np.int64], first: int
) -> None:
    start = {table: (session.scalar(select(func.max(table.seq))) or 0) + 1 for table in (Article, Claim, TrackedClaim)}
    one = session.scalar(select(Speaker).where(Speaker.id == "speaker-0"))
    if one is None:
        one = Speaker(id="speaker-0", name="Ada Byron", kind="person", is_known=True, created=datetime.now(UTC))
        session.add(one)
        session.flush()
    articles, cast, claims, tracked, now = [], [], [], [], datetime.now(UTC)
    for number in range(-(-len(vectors) // CLAIMS_OF_AN_ARTICLE)):
        seq = start[Article] + number
        day = date(2020, 1, 1) + timedelta(days=seq % 2000)
        articles.append(
            {"seq": seq, "id": f"article-{seq:x}", "text_hash": f"{seq:064x}", "text": "…", "language": "en",
             "publisher": f"Publisher {seq % PUBLISHERS}", "published": str(day), "published_on": day,
             "boilerplate": [], "habit": "world", "model": "0", "created": now, "updated": now}
        )  # fmt: skip
        cast.append({"seq": seq, "article_seq": seq, "place": 0, "speaker_seq": one.seq, "name": "Ada Byron",
                     "aliases": [], "candidates": []})  # fmt: skip
    for number, (vector, seed) in enumerate(zip(pack(vectors), which.tolist(), strict=True)):
        seq, article = start[Claim] + number, start[Article] + number // CLAIMS_OF_AN_ARTICLE
        claims.append(
            {"seq": seq, "id": claim_id(first + number), "article_seq": article, "place": number % CLAIMS_OF_AN_ARTICLE,
             "text": seeds.assertions[seed].text, "type": "indirect", "category": "factual",
             "category_probability": 1.0, "check_worthiness": 1.0, "confidence": 1.0, "appearance_seq": article}
        )  # fmt: skip
        own = start[TrackedClaim] + number
        tracked.append({"seq": own, "claim_seq": seq, "version": version, "vector": vector, "first_seq": own,
                        "probability": 1.0})  # fmt: skip
    for table, rows in ((Article, articles), (Appearance, cast), (Claim, claims), (TrackedClaim, tracked)):
        session.execute(insert(table), rows)
    if session.get_bind().dialect.name == "postgresql":  # what was numbered here must not be numbered again
        for table in (Article, Appearance, Claim, TrackedClaim):
            name = table.__tablename__
            session.execute(select(func.setval(f"{name}_seq_seq", select(func.max(table.seq)).scalar_subquery())))
