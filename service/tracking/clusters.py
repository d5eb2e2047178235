"""Clusters: claims of different articles that assert the same.

Claims have an order: by when their articles were published, those of which that is not known last.  In this order, a
claim repeats the first claim of another article that asserts the same and repeats none itself; of several, the one that
it is likeliest to be the same as.  A first claim and those that repeat it are a cluster if they are of two articles or
more.  So whatever is in a cluster asserts the same as its first appearance, a chain of claims each a little like the
one before cannot grow, and what the clusters are depends on what is stored, and not on how it came in.  Claims of one
article are not compared with each other: where it says something twice, both repeat the first claim of another article.

When claims come or go, only those later ones are looked at again that what is first has changed for.  Of many that are
alike, not every two have been compared; where a first claim goes or is none any more, whichever is first in its place
is compared with those that repeated it.  A cluster keeps its id as long as more of its claims than of any other's stay
together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, union_all, update
from sqlalchemy.orm import Session

from service.store.engine import batches
from service.store.tables import Article, Claim, Cluster, SamePair, TrackedClaim

_PLAIN: Final = {"synchronize_session": False}

Decide = Callable[[Session, int, Sequence[int]], dict[int, float]]
"""Which of some tracked claims assert the same as one does, with their probabilities."""

Order = tuple[bool, datetime, str, int]


def order(published: str | None, text_hash: str, place: int) -> Order:
    """What claims are sorted by."""
    when = datetime.max if published is None else datetime.fromisoformat(published)
    return published is None, when if when.tzinfo else when.replace(tzinfo=UTC), text_hash, place


@dataclass(slots=True)
class _Tracked:
    """A tracked claim in memory; ``same`` are those that assert the same, once they have been looked up."""

    seq: int
    order: Order
    first: int | None
    same: list[tuple[_Tracked, float]] = field(default_factory=list)
    is_looked_up: bool = False


class Groups:
    """The clusters, kept right through the changes of one transaction; ``settle`` at its end.

    Args:
        session: One that writes.
        decide: Compares claims that have not been compared yet; without it, they count as different.
    """

    def __init__(self, session: Session, decide: Decide | None = None) -> None:
        self._session, self._decide = session, decide
        self._all: dict[int, _Tracked] = {}
        self._open: set[int] = set()
        self._firsts: set[int] = set()
        self._clusters: set[int] = set()
        self._left: set[int] = set()

    def remove(self, article_seq: int) -> None:
        """Track an article's claims no more."""
        query = select(TrackedClaim.seq, TrackedClaim.first_seq, TrackedClaim.cluster_seq).join(TrackedClaim.claim)
        mine = self._session.execute(query.where(Claim.article_seq == article_seq)).all()
        for one in self._look_up(seq for seq, first, _ in mine if seq == first):
            self._open |= {other.seq for other, _ in one.same if other.order > one.order}
        self._firsts |= {first for _, first, _ in mine if first is not None}
        self._clusters |= {cluster for _, _, cluster in mine if cluster is not None}
        gone = [seq for seq, _, _ in mine]
        self._left |= set(self._repeating(seq for seq, first, _ in mine if seq == first))
        self._open |= self._left
        self._session.execute(delete(TrackedClaim).where(TrackedClaim.seq.in_(gone)), execution_options=_PLAIN)
        self._open -= set(gone)
        self._left -= set(gone)
        self._all.clear()  # what is gone is in it

    def add(self, seqs: Iterable[int]) -> None:
        """Track new claims; all that assert the same have been written down."""
        seqs = set(seqs)
        self._open |= seqs
        if self._left:  # one of them may be what those repeated, as its article has it now
            self._left |= seqs

    def settle(self) -> None:
        """Find what is first, and who belongs together, where that may have changed."""
        self._find_firsts()
        self._regroup()

    def _find_firsts(self) -> None:
        waiting = [(one.order, one.seq) for one in self._look_up(self._open)]
        heapify(waiting)
        met, changed = set(self._open), []
        while waiting:  # in their order: what a claim depends on has been decided before
            one = self._all[heappop(waiting)[1]]
            firsts = [(-p, other.order, other.seq) for other, p in one.same if other.order < one.order]
            firsts = [found for found in firsts if self._all[found[2]].first == found[2]]
            likeliest, _, first = min(firsts, default=(-1.0, one.order, one.seq))
            before, one.first = one.first, first
            if before != first:
                changed.append({"seq": one.seq, "first_seq": first, "probability": -likeliest})
                self._firsts |= {first} if before is None else {first, before}
            if (before == one.seq) != (first == one.seq):
                if first == one.seq:
                    self._compare(one)
                elif before == one.seq:
                    self._left |= set(self._repeating([one.seq]))
                later = {other.seq for other, _ in one.same if other.order > one.order} - met
                met |= later
                for other in self._look_up(later):
                    heappush(waiting, (other.order, other.seq))
        if changed:
            self._session.execute(update(TrackedClaim), changed)
        self._open.clear()

    def _compare(self, one: _Tracked) -> None:
        """Compare a claim that is first now with those that repeated what it takes the place of."""
        if self._decide is None:
            return
        done = {other.seq for other, _ in one.same}
        instead = [other.seq for other, _ in one.same if other.order > one.order and other.first == other.seq]
        left = set(self._repeating(instead)) | (self._left if one.seq in self._left else set())
        others = [other for other in self._look_up(left - done) if other.order > one.order]
        others = [other for other in others if other.order[2] != one.order[2]]  # of another article
        new = self._decide(self._session, one.seq, [other.seq for other in others])
        for other, probability in new.items():
            one.same.append((self._all[other], probability))
            self._all[other].same.append((one, probability))
        write_same(self._session, [(one.seq, other, probability) for other, probability in new.items()])

    def _repeating(self, firsts: Iterable[int]) -> list[int]:
        return [
            seq
            for some in batches(sorted(firsts))
            for seq in self._session.scalars(select(TrackedClaim.seq).where(TrackedClaim.first_seq.in_(some)))
        ]

    def _look_up(self, seqs: Iterable[int]) -> list[_Tracked]:
        """Claims with all that assert the same."""
        wanted = sorted(set(seqs))
        if not wanted:  # as for most claims; to write the queries takes longer than to ask them
            return []
        new = [seq for seq in wanted if seq not in self._all or not self._all[seq].is_looked_up]
        about = select(
            TrackedClaim.seq, Article.published, Article.text_hash, Claim.place, TrackedClaim.first_seq
        ).join(TrackedClaim.claim).join(Claim.article)  # fmt: skip
        for some in batches(new):
            for row in self._session.execute(about.where(TrackedClaim.seq.in_(some))):
                self._know(row).is_looked_up = True
            pairs = union_all(
                select(SamePair.one_seq.label("mine"), SamePair.other_seq.label("other"), SamePair.probability)
                .where(SamePair.one_seq.in_(some)),
                select(SamePair.other_seq, SamePair.one_seq, SamePair.probability)
                .where(SamePair.other_seq.in_(some)),
            ).subquery()  # fmt: skip
            others = about.join(pairs, pairs.c.other == TrackedClaim.seq).add_columns(pairs.c.mine, pairs.c.probability)
            for row in self._session.execute(others):
                self._all[row.mine].same.append((self._know(row), row.probability))
        return [self._all[seq] for seq in wanted if seq in self._all]

    def _know(self, row: Any) -> _Tracked:
        if row.seq not in self._all:
            self._all[row.seq] = _Tracked(row.seq, order(row.published, row.text_hash, row.place), row.first_seq)
        return self._all[row.seq]

    def _regroup(self) -> None:
        """Give the claims whose first claim may have changed their clusters."""
        sizes: dict[int, tuple[int, int]] = {}
        kept: list[tuple[int, int, int]] = []
        for some in batches(sorted(self._firsts)):
            repeating, theirs = TrackedClaim.first_seq, TrackedClaim.first_seq.in_(some)
            size = select(repeating, func.count(), func.count(Claim.article_seq.distinct())).join(TrackedClaim.claim)
            counted = self._session.execute(size.where(theirs).group_by(repeating))
            sizes |= {first or 0: (claims, articles) for first, claims, articles in counted}
            held = select(-func.count(), TrackedClaim.cluster_seq, repeating).where(theirs)
            held = held.where(TrackedClaim.cluster_seq.is_not(None)).group_by(TrackedClaim.cluster_seq, repeating)
            kept += [(less, cluster or 0, first or 0) for less, cluster, first in self._session.execute(held)]
        given: dict[int, int] = {}
        for _, had_seq, first in sorted(kept):  # those with the most claims of a cluster keep it
            self._clusters.add(had_seq)
            if sizes[first][1] > 1 and first not in given and had_seq not in given.values():
                given[first] = had_seq
        for first in sorted({first for first, (_, articles) in sizes.items() if articles > 1} - given.keys()):
            cluster = Cluster(id=f"cluster-{token_hex(10)}", claims=0, articles=0)
            self._session.add(cluster)
            self._session.flush()
            given[first] = cluster.seq
        for first in sorted(given.keys() | {first for _, _, first in kept}):
            self._move(first, given.get(first), *sizes[first])
        ended = self._clusters - set(given.values())
        self._session.execute(delete(Cluster).where(Cluster.seq.in_(ended)), execution_options=_PLAIN)

    def _move(self, first: int, cluster: int | None, claims: int, articles: int) -> None:
        moved = update(TrackedClaim).where(
            TrackedClaim.first_seq == first, TrackedClaim.cluster_seq.is_distinct_from(cluster)
        )
        self._session.execute(moved.values(cluster_seq=cluster), execution_options=_PLAIN)
        counted = update(Cluster).where(Cluster.seq == cluster).values(claims=claims, articles=articles)
        self._session.execute(counted, execution_options=_PLAIN)


def write_same(session: Session, same: Iterable[tuple[int, int, float]]) -> None:
    """Write down which tracked claims assert the same, and how likely it is."""
    rows = [{"one_seq": min(a, b), "other_seq": max(a, b), "probability": p} for a, b, p in same]
    if rows:
        session.execute(insert(SamePair), rows)
