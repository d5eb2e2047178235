"""The same claim, found again: likely equals by their vectors, then a trained decision on both texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.same import Assertion
from service.store.engine import Store, batches
from service.store.tables import Appearance, Article, Claim, SameClaim, TrackedClaim
from service.tracking.clusters import Groups
from service.tracking.vectors import Index, Vectors, pack, unpack

LIKELY: Final = 0.6
"""The least cosine of two claims that may be the same; all but one in a hundred that people call the same have it."""

MOST: Final = 20
"""With how many of the nearest a new claim is compared, besides the first claims that these repeat."""

SAME: Final = 0.5
"""The least probability at which two claims count as the same."""

Pair = tuple[Assertion, Assertion]


class Decides(Protocol):
    """What the service needs of ``models.same.SameClaim``."""

    @property
    def version(self) -> str:
        """The version of its weights."""

    @property
    def width(self) -> int:
        """How many numbers a vector has."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, (n, width)."""

    def score(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Probabilities that both assert the same, (n,)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found out about an article's claims before the transaction that stores them."""

    seen: int
    """The latest tracked claim that they were compared with."""
    vectors: dict[str, bytes]
    """By text, as they are stored."""
    near: dict[str, list[int]]
    """The likely equals by text."""
    scores: dict[Pair, float]


class Tracker:
    """Finds the same claim again.

    Args:
        store: Where the claims are.
        same: What tells vectors and decides.

    Safe for several threads.
    """

    def __init__(self, store: Store, same: Decides) -> None:
        self.store, self.same = store, same
        self.index = Index(store, same.version, same.width)

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Vectors as they are stored."""
        return pack(self.same.embed(texts)) if texts else []

    def compare(self, assertions: Sequence[Assertion]) -> Compared:
        """Find and score the likely equals of an article's claims, in no transaction."""
        texts = list(dict.fromkeys(one.text for one in assertions))
        stored = self.embed(texts)
        vectors = unpack(stored, self.same.width)
        seen = self.index.refresh()
        found = self.index.search(vectors, MOST, least=LIKELY)
        near = {text: [seq for seq, _ in each] for text, each in zip(texts, found, strict=True)}
        with self.store.read() as session:
            self._add_firsts(session, near, dict(zip(texts, vectors, strict=True)))
            others = read_assertions(session, {seq for each in near.values() for seq in each})
        pairs = [(one, others[seq]) for one in assertions for seq in near[one.text] if seq in others]
        row = {text: number for number, text in enumerate(texts)}
        alike = vectors @ vectors.T >= LIKELY
        pairs += [(a, b) for a, b in combinations(assertions, 2) if alike[row[a.text], row[b.text]]]
        scores: dict[Pair, float] = {}
        self._score(scores, pairs)
        return Compared(seen, dict(zip(texts, stored, strict=True)), near, scores)

    def track(self, session: Session, article: Article, groups: Groups, compared: Compared | None) -> None:
        """Track a stored article's claims, in the transaction that stores it.

        Args:
            session: One that writes.
            article: The article; its claims are not tracked now.
            groups: Told of the new claims.
            compared: What was found out before; None to do it here.
        """
        claims = article.claims
        told = [assertion_of(claim) for claim in claims]
        if compared is None or not {one.text for one in told} <= compared.vectors.keys():
            compared = self.compare(told)
        rows = [
            TrackedClaim(
                claim_seq=claim.seq, version=self.same.version, vector=compared.vectors[claim.text], probability=1.0
            )
            for claim in claims
        ]
        session.add_all(rows)
        session.flush()
        assertions = {row.seq: one for row, one in zip(rows, told, strict=True)}
        pairs = {(other, seq) for seq, one in assertions.items() for other in compared.near[one.text]}
        pairs |= self._later(session, rows, compared.seen)
        assertions |= read_assertions(session, {one for one, _ in pairs} - assertions.keys())
        pairs = {pair for pair in pairs if pair[0] in assertions}  # others may have gone since
        self._score(compared.scores, [(assertions[one], assertions[other]) for one, other in pairs])
        same = [
            {"one_seq": one, "other_seq": other, "probability": probability}
            for one, other in sorted(pairs)
            if (probability := compared.scores[_pair(assertions[one], assertions[other])]) >= SAME
        ]
        if same:
            session.execute(insert(SameClaim), same)
        groups.add(row.seq for row in rows)

    def _later(self, session: Session, rows: Sequence[TrackedClaim], seen: int) -> set[tuple[int, int]]:
        """The likely equals of new claims among each other and those that others stored in the meantime."""
        query = select(TrackedClaim.seq, TrackedClaim.vector).where(TrackedClaim.seq > seen)
        found = session.execute(query.where(TrackedClaim.version == self.same.version).order_by(TrackedClaim.seq)).all()
        if not found or not rows:
            return set()
        alike = unpack([row.vector for row in rows], self.same.width) @ unpack([v for _, v in found], self.same.width).T
        mine, others = np.nonzero(alike >= LIKELY)
        near = {(found[other][0], rows[one].seq) for one, other in zip(mine.tolist(), others.tolist(), strict=True)}
        return {(other, one) for other, one in near if other < one}

    def _add_firsts(self, session: Session, near: dict[str, list[int]], vectors: dict[str, Vectors]) -> None:
        """Compare with the first claims that the nearest repeat, too: of many alike, they may not be the nearest."""
        every = sorted({seq for each in near.values() for seq in each})
        firsts, stored = dict[int, int](), dict[int, bytes]()
        for some in batches(every):
            repeated = select(TrackedClaim.seq, TrackedClaim.first_seq).where(TrackedClaim.seq.in_(some))
            firsts |= {row.seq: row.first_seq for row in session.execute(repeated) if row.first_seq}
        for some in batches(sorted(set(firsts.values()) - set(every))):
            asked = select(TrackedClaim.seq, TrackedClaim.vector).where(TrackedClaim.seq.in_(some))
            stored |= {row.seq: row.vector for row in session.execute(asked)}
        for text, seqs in near.items():
            for first in sorted({firsts[seq] for seq in seqs if firsts.get(seq) in stored}):
                if unpack([stored[first]], self.same.width)[0] @ vectors[text] >= LIKELY:
                    seqs.append(first)

    def _score(self, scores: dict[Pair, float], pairs: Iterable[Pair]) -> None:
        """Fill in scores that are missing."""
        new = list(dict.fromkeys(pair for one, other in pairs if (pair := _pair(one, other)) not in scores))
        if new:
            scores.update(zip(new, self.same.score(new).tolist(), strict=True))


def assertion_of(claim: Claim) -> Assertion:
    """What a stored claim asserts."""
    source = None if claim.appearance is None else claim.appearance.name
    return Assertion(claim.text, claim.article.published_on, source)


def read_assertions(session: Session, seqs: Iterable[int]) -> dict[int, Assertion]:
    """What tracked claims assert, by their ``seq``; those that are gone are left out."""
    out = {}
    query = (
        select(TrackedClaim.seq, Claim.text, Article.published_on, Appearance.name)
        .join(TrackedClaim.claim)
        .join(Claim.article)
        .outerjoin(Claim.appearance)
    )
    for some in batches(sorted(seqs)):
        for seq, text, day, source in session.execute(query.where(TrackedClaim.seq.in_(some))):
            out[seq] = Assertion(text, day, source)
    return out


def _pair(one: Assertion, other: Assertion) -> Pair:
    """Two assertions in an order of their own, so that their score does not depend on which came first."""
    return (one, other) if _key(one) <= _key(other) else (other, one)


def _key(one: Assertion) -> tuple[str, str, str]:
    return one.text, str(one.date), one.source or ""
