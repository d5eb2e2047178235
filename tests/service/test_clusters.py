"""The same claim across articles: what is together depends on what is stored, and not on how it came in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from models.same import Assertion
from service.keeping import Keeper
from service.pages import read_text
from service.store.articles import Handed, delete_article, text_hash
from service.store.engine import Store
from service.store.tables import Article, Claim, Cluster, TrackedClaim
from service.tracking.claims import LIKELY, SAME
from service.tracking.clusters import order
from tests.databases import ENGINES, opened
from tests.fakes import FakeReader, FakeSame

WORDS = ("taxes", "rise", "soon", "again", "here")
DAYS = (None, "2024-05-01", "2024-05-02", "2024-05-02T08:00:00+02:00", "2024-05-03T01:00:00")

Piece = tuple[str | None, tuple[tuple[str, ...], ...]]
"""An article: when it was published, and the words of its claims."""

pieces: st.SearchStrategy[Piece] = st.tuples(
    st.sampled_from(DAYS),
    st.lists(st.lists(st.sampled_from(WORDS), min_size=2, max_size=4, unique=True).map(tuple), max_size=3).map(tuple),
)


def body(name: str, claims: tuple[tuple[str, ...], ...]) -> str:
    told = "".join(f" Amara said that {' '.join(words)}." for words in claims)
    return f"This is what article {name} has to tell its readers today.{told}"


def keep(keeper: Keeper, name: str, piece: Piece) -> str:
    day, claims = piece
    page = replace(read_text(body(name, claims)), published=day)
    return keeper.keep(Handed(page, name), "world", lambda: FakeReader().read_one(page.text)).id


def remove(store: Store, name: str) -> None:
    with store.write() as session:
        id_ = session.scalar(select(Article.id).where(Article.external_id == name))
        assert id_ is not None
        assert delete_article(session, id_)


Groups = set[frozenset[tuple[str, int]]]


def stored(store: Store) -> Groups:
    """The clusters that are stored, as the places of their claims."""
    with store.read() as session:
        rows = session.execute(
            select(Cluster.id, Article.external_id, Claim.place, Cluster.claims, Cluster.articles)
            .join(TrackedClaim, TrackedClaim.cluster_seq == Cluster.seq)
            .join(Claim, Claim.seq == TrackedClaim.claim_seq)
            .join(Article)
        ).all()
        assert session.scalar(text("SELECT count(*) FROM clusters")) == len({row[0] for row in rows})
    found = [[row for row in rows if row[0] == id_] for id_ in {row[0] for row in rows}]
    for members in found:
        assert (len(members), len({row[1] for row in members})) == tuple(members[0][3:])
    return {frozenset((row[1], row[2]) for row in members) for members in found}


def likeness(one: Assertion, other: Assertion) -> float:
    a, b = FakeSame().embed([one.text, other.text])
    return float(FakeSame().score([(one, other)])[0]) if a @ b >= LIKELY else 0.0


def expected(final: dict[str, Piece]) -> Groups:
    """The clusters by their definition, in the plainest way."""
    claims = sorted(
        (order(day, text_hash(body(name, said)), place), name, Assertion(" ".join(words)))
        for name, (day, said) in final.items()
        for place, words in enumerate(said)
    )
    groups: dict[int, list[int]] = {}
    for number, (_, _, one) in enumerate(claims):
        scores = {first: likeness(claims[first][2], one) for first in groups}
        best = max(scores, key=lambda first: (scores[first], -first), default=None)
        if best is None or scores[best] < SAME:
            groups[number] = [number]
        else:
            groups[best].append(number)
    named = [[(claims[n][1], claims[n][0][3]) for n in group] for group in groups.values()]
    return {frozenset(group) for group in named if len({name for name, _ in group}) > 1}


def empty(store: Store) -> None:
    with store.write() as session:
        for id_ in session.scalars(select(Article.id)).all():
            delete_article(session, id_)
        assert session.scalar(text("SELECT count(*) FROM tracked_claims")) == 0
        assert session.scalar(text("SELECT count(*) FROM clusters")) == 0


@pytest.fixture(params=ENGINES)
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keeper]:
    with opened(request.param, tmp_path) as store:
        yield Keeper(store, "1", FakeSame())


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    final=st.dictionaries(st.sampled_from("abcdef"), pieces, max_size=6),
    before=st.lists(st.tuples(st.sampled_from("abcdefgh"), pieces), max_size=5),
    data=st.data(),
)
def test_clusters_depend_on_what_is_stored_alone(
    keeper: Keeper, final: dict[str, Piece], before: list[tuple[str, Piece]], data: st.DataObject
) -> None:
    empty(keeper.store)
    other = Keeper(keeper.store, "1", FakeSame())  # as in another process
    for number, (name, piece) in enumerate(before):
        keep((keeper, other)[number % 2], name, piece)
    for name in sorted({name for name, _ in before}):
        if name not in final or final[name][0] is None:  # a date that is not sent again stays
            remove(keeper.store, name)
    for name in data.draw(st.permutations(sorted(final))):
        keep(data.draw(st.sampled_from((keeper, other))), name, final[name])
    assert stored(keeper.store) == expected(final)
