"""The same claim across articles: what is together depends on what is stored, and not on how it came in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from models.same import Assertion
from service import commands
from service.cli import main
from service.keeping import Keeper
from service.pages import read_text
from service.store.articles import Handed, delete_article, save_article, text_hash
from service.store.engine import Store
from service.store.tables import Article, Claim, Cluster, TrackedClaim
from service.tracking.claims import LIKELY, MOST, SAME, Compared
from service.tracking.clusters import order
from tests.conftest import ROOT
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


def remove(keeper: Keeper, name: str) -> None:
    with keeper.store.write() as session:
        id_ = session.scalar(select(Article.id).where(Article.external_id == name))
        assert id_ is not None
        assert keeper.remove(session, id_)


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
    for number, (_, name, one) in enumerate(claims):
        scores = {first: likeness(claims[first][2], one) for first in groups if claims[first][1] != name}
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
    max_examples=30,
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
            remove(keeper, name)
    for name in data.draw(st.permutations(sorted(final))):
        keep(data.draw(st.sampled_from((keeper, other))), name, final[name])
    assert stored(keeper.store) == expected(final)


def ids(store: Store) -> dict[str, set[str]]:
    """The clusters' ids, with the articles of each."""
    with store.read() as session:
        rows = session.execute(
            select(Cluster.id, Article.external_id)
            .join(TrackedClaim, TrackedClaim.cluster_seq == Cluster.seq)
            .join(TrackedClaim.claim)
            .join(Claim.article)
        ).all()
    return {id_: {name for found, name in rows if found == id_} for id_ in {row[0] for row in rows}}


SAYS: Piece = ("2024-05-02", (("taxes", "rise", "soon"),))


def test_a_cluster_keeps_its_id_while_it_lasts(keeper: Keeper) -> None:
    for name in "abc":
        keep(keeper, name, SAYS)
    (id_,) = ids(keeper.store)
    keep(keeper, "early", ("2024-05-01", SAYS[1]))  # another is first now
    keep(keeper, "a", ("2024-05-03", (*SAYS[1], ("again", "here"))))
    remove(keeper, "b")
    assert ids(keeper.store) == {id_: {"a", "c", "early"}}
    remove(keeper, "early")
    remove(keeper, "a")
    assert ids(keeper.store) == {}


def test_the_larger_part_keeps_the_id(keeper: Keeper) -> None:
    small, large = (
        ("2024-05-02", (("taxes", "rise", "soon"),)),
        ("2024-05-02", (("again", "rise", "soon", "here", "now"),)),
    )
    for name in "ab":
        keep(keeper, name, small)
    (of_small,) = ids(keeper.store)
    keep(keeper, "middle", ("2024-05-01", (("taxes", "rise", "soon", "here", "now"),)))
    for name in "cde":
        keep(keeper, name, large)
    assert ids(keeper.store) == {of_small: set("abcde") | {"middle"}}
    remove(keeper, "middle")
    parts = ids(keeper.store)
    assert parts[of_small] == set("cde")
    assert sorted(map(sorted, parts.values())) == [["a", "b"], ["c", "d", "e"]]


def test_many_of_the_same_stay_together_whatever_comes_first(keeper: Keeper) -> None:
    many = MOST + 5
    for number in range(many):
        keep(keeper, str(number), (f"2024-05-{30 - number:02}", SAYS[1]))
    (id_,) = ids(keeper.store)
    assert len(ids(keeper.store)[id_]) == many
    for number in reversed(range(many - 2)):
        remove(keeper, str(number + 2))
    assert ids(keeper.store) == {id_: {"0", "1"}}


def test_what_appeared_first_may_be_corrected(keeper: Keeper) -> None:
    many = MOST + 10
    for number in range(many):
        keep(keeper, str(number), (f"2024-05-{1 + number:02}", SAYS[1]))
    (id_,) = ids(keeper.store)
    keep(keeper, "0", ("2024-05-01", (*SAYS[1], ("snow", "falls"))))
    assert ids(keeper.store) == {id_: set(map(str, range(many)))}


@pytest.mark.parametrize("is_late", [False, True])
def test_those_who_do_not_follow_another_first_stay_together(keeper: Keeper, is_late: bool) -> None:
    first, second = (
        ("2024-05-01", (("taxes", "rise", "soon"),)),
        ("2024-05-02", (("taxes", "rise", "soon", "here", "now"),)),
    )
    if not is_late:
        keep(keeper, "first", first)
    keep(keeper, "second", second)
    copies = [str(day) for day in range(30, 2, -1)]
    for day in copies:  # the same as the second, and not as the first
        keep(keeper, day, (f"2024-05-{int(day):02}", (("again", "rise", "soon", "here", "now"),)))
    if is_late:
        keep(keeper, "first", first)
    assert sorted(map(sorted, ids(keeper.store).values())) == [sorted(copies), ["first", "second"]]


def test_fifty_writers_at_once_make_one_cluster(keeper: Keeper) -> None:
    def write(number: int) -> str:
        return keep(Keeper(keeper.store, "1", FakeSame()), str(number), SAYS)

    with ThreadPoolExecutor(50) as pool:
        assert len(set(pool.map(write, range(50)))) == 50
    (articles,) = ids(keeper.store).values()
    assert len(articles) == 50


def test_what_was_stored_in_between_is_not_missed(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = keeper.tracker.compare

    def late(assertions: list[Assertion], article_seq: int | None) -> Compared:
        compared = compare(assertions, article_seq)
        keep(Keeper(keeper.store, "1", FakeSame()), "other", SAYS)
        return compared

    monkeypatch.setattr(keeper.tracker, "compare", late)
    keep(keeper, "mine", SAYS)
    assert list(ids(keeper.store).values()) == [{"mine", "other"}]


def test_a_new_date_alone_moves_a_claim(keeper: Keeper) -> None:
    keep(keeper, "a", SAYS)
    keep(keeper, "b", ("2024-05-03", SAYS[1]))
    first = select(Article.external_id).join(Claim).join(TrackedClaim, TrackedClaim.claim_seq == Claim.seq)
    first = first.where(TrackedClaim.first_seq == TrackedClaim.seq)
    for day, name in (("2024-05-04", "b"), ("2024-05-01", "a")):
        keep(keeper, "a", (day, SAYS[1]))
        with keeper.store.read() as session:
            assert session.scalars(first).all() == [name]


def test_claims_of_before_are_tracked_later(keeper: Keeper) -> None:
    for name in "ab":
        page = read_text(body(name, SAYS[1]))
        with keeper.store.write() as session:
            save_article(session, Handed(page, name), FakeReader().read_one(page.text), "1", "world")
    assert ids(keeper.store) == {}
    assert next(keeper.tracker.track_rest()) == 1  # and is broken off
    keep(keeper, "c", SAYS)
    assert list(keeper.tracker.track_rest()) == [1]
    assert list(ids(keeper.store).values()) == [{"a", "b", "c"}]

    other = FakeSame()
    other.version = "other"
    newer = Keeper(keeper.store, "1", other)
    assert list(newer.tracker.track_rest()) == [1, 2, 3]
    assert list(ids(keeper.store).values()) == [{"a", "b", "c"}]
    assert keep(newer, "d", SAYS)
    assert list(ids(keeper.store).values()) == [{"a", "b", "c", "d"}]


def test_the_command_tracks_what_is_left(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "load_same", lambda _: FakeSame())
    for name in "ab":
        page = read_text(body(name, SAYS[1]))
        with keeper.store.write() as session:
            save_article(session, Handed(page, name), FakeReader().read_one(page.text), "1", "world")
    monkeypatch.setenv("WHOSAID_DATABASE_URL", keeper.store.engine.url.render_as_string(False))
    for done in (2, 0):
        result = CliRunner().invoke(main, ["db", "track"])
        assert (result.exit_code, result.output) == (0, f"the claims of {done} articles are tracked now\n")
    assert list(ids(keeper.store).values()) == [{"a", "b"}]


KEEPER = """
import sys
from itertools import count
from service.keeping import Keeper
from service.store.engine import Store
from tests.fakes import FakeSame
from tests.service.test_clusters import SAYS, keep
keeper = Keeper(Store(sys.argv[1]), "1", FakeSame())
for number in count():
    print(keep(keeper, str(number), SAYS), flush=True)
"""


def test_a_killed_keeper_leaves_every_claim_in_its_cluster(keeper: Keeper) -> None:
    command = [sys.executable, "-c", KEEPER, keeper.store.engine.url.render_as_string(False)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = {process.stdout.readline().strip() for _ in range(12)}
        os.kill(process.pid, signal.SIGKILL)
        acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
    with keeper.store.read() as session:
        articles = set(session.scalars(select(Article.id)))
        told = session.execute(select(Cluster.articles, Cluster.claims)).all()
        together = session.scalars(select(TrackedClaim.cluster_seq)).all()
    assert acknowledged <= articles
    assert told == [(len(articles), len(articles))]
    assert len(together) == len(articles)
    assert None not in together
