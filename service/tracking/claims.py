"""The same claim, found again: likely equals by their vectors, then a trained decision on both texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from models.same import Assertion
from service.store.engine import Store, batches
from service.store.tables import Appearance, Article, Claim, TrackedClaim
from service.tracking.clusters import Groups, write_same
from service.tracking.vectors import POOL, Index, Near, Vectors, nearest, pack, unpack

LIKELY: Final = 0.7
"""The least cosine of two claims that may be the same; all but two in a hundred that people call the same have it."""

MOST: Final = 20
"""With how many of the nearest a new claim is compared, and with how many of the first claims that others repeat."""

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

    def score(self, pairs: Sequence[Pair], cosines: Sequence[float], *, decide: bool = False) -> NDArray[np.float64]:
        """Probabilities that both assert the same, (n,), from the products of their texts' vectors.

        With ``decide`` nothing matters but which are 0.5 and more.
        """


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found out about an article's claims before the transaction that stores them."""

    seen: int
    """The latest tracked claim that they were compared with."""
    vectors: dict[str, bytes]
    """By text, as they are stored."""
    near: dict[str, Near]
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

    def track_rest(self) -> Iterator[int]:
        """Track the claims that were stored without, or with other weights; how many articles are done so far.

        Each article is a transaction of its own, so that this can be broken off at any time and begun again.
        """
        done, last = 0, 0
        rest = select(Claim.article_seq).outerjoin(Claim.tracked).order_by(Claim.article_seq).limit(1)
        rest = rest.where(or_(TrackedClaim.seq.is_(None), TrackedClaim.version != self.same.version))
        while True:
            with self.store.read() as session:
                seq = session.scalar(rest.where(Claim.article_seq > last))
                article = None if seq is None else session.get(Article, seq)
                told = [assertion_of(claim) for claim in article.claims] if article else []
            if seq is None:
                return
            compared = self.compare(told, seq)
            with self.store.write() as session:
                article = session.get(Article, seq)
                if article is not None:
                    groups = Groups(session, self.decide)
                    groups.remove(article.seq)
                    self.track(session, article, groups, compared)
                    groups.settle()
            done, last = done + 1, seq
            yield done

    def similar(self, one: Assertion, limit: int, among: Select[Any] | None = None) -> dict[int, float]:
        """The tracked claims that are likeliest to assert the same, by ``seq``, with their probabilities.

        Args:
            one: What is asserted.
            limit: How many at most.
            among: A query for the ``TrackedClaim.seq`` of those that are looked at; None for all.
        """
        vector = unpack(self.embed([one.text]), self.same.width)
        near = dict(self.index.search(vector, 2 * limit, among=among)[0])
        with self.store.read() as session:
            others = read_assertions(session, near)
        told = self.same.score([_pair(one, other) for other in others.values()], [near[seq] for seq in others])
        scores = dict(zip(others, told.tolist(), strict=True))
        return {seq: scores[seq] for seq in sorted(scores, key=lambda seq: (-scores[seq], seq))[:limit]}

    def compare(self, assertions: Sequence[Assertion], article_seq: int | None = None) -> Compared:
        """Find and score the likely equals of an article's claims in others, in no transaction.

        Args:
            assertions: Of its claims.
            article_seq: The article, if it is stored already.
        """
        texts = list(dict.fromkeys(one.text for one in assertions))
        stored = self.embed(texts)
        vectors = unpack(stored, self.same.width)
        seen = self.index.refresh()
        found = self.index.search(vectors, POOL, least=LIKELY)
        with self.store.read() as session:
            near = self._chosen(session, dict(zip(texts, found, strict=True)), dict(zip(texts, vectors, strict=True)))
            others = read_assertions(session, {seq for each in near.values() for seq, _ in each}, article_seq)
        scores: dict[Pair, float] = {}
        self._score(
            scores, ((one, others[seq], cos) for one in assertions for seq, cos in near[one.text] if seq in others)
        )
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
            compared = self.compare(told, article.seq)
        rows = [
            TrackedClaim(
                claim_seq=claim.seq, version=self.same.version, vector=compared.vectors[claim.text], probability=1.0
            )
            for claim in claims
        ]
        session.add_all(rows)
        session.flush()
        assertions = {row.seq: one for row, one in zip(rows, told, strict=True)}
        likely = {(other, seq): cos for seq, one in assertions.items() for other, cos in compared.near[one.text]}
        likely |= self._later(session, rows, compared.seen)
        assertions |= read_assertions(session, {other for other, _ in likely} - assertions.keys())
        pairs = [(*pair, cos) for pair, cos in sorted(likely.items()) if pair[0] in assertions]  # others may have gone
        self._score(compared.scores, [(assertions[one], assertions[other], cos) for one, other, cos in pairs])
        same = ((one, other, compared.scores[_pair(assertions[one], assertions[other])]) for one, other, _ in pairs)
        write_same(session, (found for found in same if found[2] >= SAME))
        groups.add(row.seq for row in rows)

    def _later(self, session: Session, rows: Sequence[TrackedClaim], seen: int) -> dict[tuple[int, int], float]:
        """The likely equals of new claims among those that others stored in the meantime."""
        if not rows:
            return {}
        query = select(TrackedClaim.seq, TrackedClaim.vector).where(TrackedClaim.version == self.same.version)
        found = session.execute(query.where(TrackedClaim.seq > seen, TrackedClaim.seq < rows[0].seq)).all()
        if not found:
            return {}
        alike = unpack([v for _, v in found], self.same.width) @ unpack([row.vector for row in rows], self.same.width).T
        places = np.argwhere(alike >= LIKELY).tolist()
        return {(found[other].seq, rows[one].seq): float(alike[other, one]) for other, one in places}

    def _chosen(self, session: Session, likely: dict[str, Near], vectors: dict[str, Vectors]) -> dict[str, Near]:
        """Of likely equals the nearest, and the first claims that others of them repeat."""
        every = {seq for each in likely.values() for seq, _ in each}
        firsts, stored = dict[int, int](), dict[int, bytes]()
        for some in batches(sorted(every)):
            asked = select(TrackedClaim.seq, TrackedClaim.first_seq).where(TrackedClaim.seq.in_(some))
            firsts |= {row.seq: row.first_seq for row in session.execute(asked) if row.first_seq}
        for some in batches(sorted(set(firsts.values()) - every)):
            of = select(TrackedClaim.seq, TrackedClaim.vector).where(TrackedClaim.seq.in_(some))
            stored |= {row.seq: row.vector for row in session.execute(of)}
        out = {}
        for text, each in likely.items():
            known = dict(each)
            for first in {firsts[seq] for seq in known if firsts.get(seq) in stored}:
                known[first] = float(unpack([stored[first]], self.same.width)[0] @ vectors[text])
            leading = {firsts.get(seq, seq) for seq, _ in each}
            of_firsts = [(seq, cos) for seq, cos in known.items() if seq in leading and cos >= LIKELY]
            out[text] = list(dict([*each[:MOST], *sorted(of_firsts, key=nearest)[:MOST]]).items())
        return out

    def decide(self, session: Session, one: int, others: Sequence[int]) -> dict[int, float]:
        """Which of some tracked claims assert the same as one does, with their probabilities."""
        if not others:
            return {}
        told, stored = read_assertions(session, [one, *others]), dict[int, bytes]()
        for some in batches([one, *others]):
            asked = select(TrackedClaim.seq, TrackedClaim.vector).where(TrackedClaim.seq.in_(some))
            stored |= {row.seq: row.vector for row in session.execute(asked)}
        cosines = unpack([stored[seq] for seq in others], self.same.width) @ unpack([stored[one]], self.same.width)[0]
        likely = [(seq, cos) for seq, cos in zip(others, cosines.tolist(), strict=True) if cos >= LIKELY]
        scores: dict[Pair, float] = {}
        self._score(scores, [(told[one], told[seq], cos) for seq, cos in likely])
        return {seq: p for seq, _ in likely if (p := scores[_pair(told[one], told[seq])]) >= SAME}

    def _score(self, scores: dict[Pair, float], likely: Iterable[tuple[Assertion, Assertion, float]]) -> None:
        """Fill in scores that are missing."""
        new = {pair: cos for one, other, cos in likely if (pair := _pair(one, other)) not in scores}
        if new:
            scores.update(zip(new, self.same.score(list(new), list(new.values()), decide=True).tolist(), strict=True))


def assertion_of(claim: Claim) -> Assertion:
    """What a stored claim asserts."""
    source = None if claim.appearance is None else claim.appearance.name
    return Assertion(claim.text, claim.article.published_on, source)


def read_assertions(session: Session, seqs: Iterable[int], besides: int | None = None) -> dict[int, Assertion]:
    """What tracked claims assert, by their ``seq``; those that are gone, or of one article, are left out."""
    out = {}
    query = (
        select(TrackedClaim.seq, Claim.text, Article.published_on, Appearance.name)
        .join(TrackedClaim.claim)
        .join(Claim.article)
        .outerjoin(Claim.appearance)
        .where(Claim.article_seq != (besides or 0))
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
