"""Articles are stored whole or not at all, known again, and nothing is lost; on both databases alike."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from models.records import Reading
from service.errors import Conflict
from service.pages import read_text
from service.store.articles import Changed, Handed, delete_article, get_article, is_read, save_article
from service.store.engine import Store, StoreError
from service.store.tables import Base, NameWord, Speaker, SpeakerName
from tests.conftest import ROOT
from tests.databases import ENGINES, database, opened
from tests.fakes import FakeReader

TEXT = "“We will rebuild,” said Amara. Bruno said that the bridge is closed."
TABLES = ("articles", "claims", "claim_spans", "appearances", "speakers", "speaker_names")


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with opened(request.param, tmp_path) as store:
        yield store


def handed(body: str = TEXT, external_id: str | None = None, **about: Any) -> Handed:
    return Handed(replace(read_text(body), **about), external_id)


def save(store: Store, one: Handed) -> tuple[str, bool]:
    with store.write() as session:
        return save_article(session, one, FakeReader().read_one(one.page.text), "1", "world")


def counts(store: Store) -> dict[str, int]:
    with store.read() as session:
        return {table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES}  # noqa: S608


def claims(store: Store, id_: str) -> list[tuple[str, str]]:
    with store.read() as session:
        article = get_article(session, id_)
        assert article is not None
        return [(one.id, one.text) for one in article.claims]


def test_an_article_is_stored_with_claims_and_speakers(store: Store) -> None:
    id_, is_new = save(store, handed(url="https://news.example/1", published="2024-05-31T09:30:00Z"))
    assert is_new
    with store.read() as session:
        article = get_article(session, id_)
        assert article is not None
        assert [one.speaker.name for one in article.cast] == ["Amara", "Bruno"]
        first, second = article.claims
        assert (first.text, first.appearance.speaker.name) == ("We will rebuild", "Amara")  # type: ignore[union-attr]
        assert [(one.role, TEXT[one.start : one.end]) for one in second.spans] == [
            ("source", "Bruno"),
            ("cue", "said"),
            ("content", "that the bridge is closed"),
        ]
        assert str(article.published_on) == "2024-05-31"


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (handed(), handed(title="Bridge")),
        (handed(url="https://news.example/1"), handed(TEXT + " More.", url="https://news.example/1")),
        (handed(external_id="a"), handed(TEXT + " More.", "a", url="https://news.example/1")),
    ],
    ids=["text", "url", "external id"],
)
def test_the_same_article_is_updated_and_its_claims_keep_their_ids(store: Store, first: Handed, again: Handed) -> None:
    id_, _ = save(store, first)
    before, claims_before = counts(store), claims(store, id_)
    assert save(store, again) == (id_, False)
    assert (counts(store), claims(store, id_)) == (before, claims_before)


def test_a_changed_article_loses_what_it_no_longer_says(store: Store) -> None:
    id_, _ = save(store, handed(external_id="a"))
    kept, _ = claims(store, id_)
    save(store, handed("“We will rebuild,” said Amara. Chen said that it rained.", "a"))
    now = claims(store, id_)
    assert now[0] == kept
    assert now[1][1] == "it rained"
    with store.read() as session:
        names = set(session.execute(text("SELECT name FROM speakers")).scalars())
    assert names == {"Amara", "Chen"}
    assert counts(store)["claim_spans"] == 6


def test_an_article_that_is_two_stored_ones_is_refused(store: Store) -> None:
    save(store, handed(external_id="a"))
    save(store, handed(TEXT + " More.", url="https://news.example/2"))
    before = counts(store)
    with pytest.raises(Conflict, match="two stored articles"):
        save(store, handed(external_id="b", url="https://news.example/2"))
    assert counts(store) == before


def test_what_is_read_already_needs_no_reading(store: Store) -> None:
    one = handed(external_id="a")
    with pytest.raises(Changed), store.write() as session:
        save_article(session, one, None, "1", "world")
    id_, _ = save(store, one)
    with store.write() as session:
        assert save_article(session, handed(external_id="a", title="New"), None, "1", "world") == (id_, False)
    with store.read() as session:
        article = get_article(session, id_)
        assert article is not None
        assert article.title == "New"
        assert is_read(article, one, "1", "world")
        assert not is_read(article, one, "2", "world")


def test_a_removed_article_leaves_nothing(store: Store) -> None:
    id_, _ = save(store, handed())
    with store.write() as session:
        assert delete_article(session, id_)
        assert not delete_article(session, "article-none")
    assert set(counts(store).values()) == {0}


def test_an_error_in_the_middle_stores_nothing(store: Store) -> None:
    class Broken(Exception):
        pass

    def break_off() -> None:
        with store.write() as session:
            save_article(session, handed(), FakeReader().read_one(TEXT), "1", "world")
            raise Broken

    with pytest.raises(Broken):
        break_off()
    assert set(counts(store).values()) == {0}


def test_a_full_name_is_one_speaker_and_a_short_one_is_not(store: Store) -> None:
    def read(body: str, *names: str) -> tuple[Handed, Reading]:
        reading = FakeReader().read_one(body)
        speakers = tuple(replace(one, name=name) for one, name in zip(reading.speakers, names, strict=True))
        return handed(body), replace(reading, speakers=speakers)

    for body, *names in (
        ("“Go,” said Amara. Bruno said that it rained.", "Amara Diallo", "Bruno"),
        ("“Stay,” said Amara. Bruno said that it snowed.", "Amara DIALLO", "Bruno"),
        ("“Wait,” said Amara.", "Diallo"),
    ):
        one, reading = read(body, *names)
        with store.write() as session:
            save_article(session, one, reading, "1", "world")
    with store.read() as session:
        found = session.execute(text("SELECT name, is_known FROM speakers ORDER BY seq")).all()
        full = session.execute(text("SELECT id FROM speakers WHERE name = 'Amara Diallo'")).scalar_one()
        flagged = session.execute(text("SELECT candidates FROM appearances ORDER BY seq DESC LIMIT 1")).scalar_one()
    assert [(name, bool(known)) for name, known in found] == [
        ("Amara Diallo", True), ("Bruno", False), ("Bruno", False), ("Diallo", False),
    ]  # fmt: skip
    assert full in str(flagged)


def test_a_read_sees_one_state(store: Store) -> None:
    save(store, handed())
    count = text("SELECT count(*) FROM articles")
    with store.read() as session:
        assert session.scalar(count) == 1
        save(store, handed(f"{TEXT} More."))
        assert session.scalar(count) == 1
    assert counts(store)["articles"] == 2


def test_fifty_writers_at_once_all_succeed(store: Store) -> None:
    def write(number: int) -> bool:
        return save(store, handed(f"{TEXT} Number {number}.", str(number)))[1]

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(write, range(50)))
    assert counts(store)["articles"] == 50
    assert counts(store)["claims"] == 100


def test_the_same_article_at_once_is_stored_once(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = {id_ for id_, _ in pool.map(lambda _: save(store, handed(external_id="a")), range(8))}
    assert (len(ids), counts(store)["articles"]) == (1, 1)


def test_the_tables_are_what_the_classes_say(store: Store) -> None:
    assert store.is_current()
    store.upgrade()
    with store.engine.connect() as connection:
        ours = {
            "include_object": lambda _, name, *__: not str(name).startswith(("claim_search", "search", "claims_by"))
        }
        found = compare_metadata(MigrationContext.configure(connection, opts=ours), Base.metadata)
    assert found == []


@pytest.mark.parametrize("engine", ENGINES)
def test_tables_can_be_made_and_removed(engine: str, tmp_path: Path) -> None:
    from alembic import command

    from service.store.engine import _config

    with database(engine, tmp_path) as url:
        store = Store(url)
        assert not store.is_current()
        store.upgrade()
        with store.engine.begin() as connection:
            command.downgrade(_config(connection), "base")
        assert not store.is_current()
        store.upgrade()
        assert save(store, handed())[1]
        store.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_names_of_before_are_found_without_bars(engine: str, tmp_path: Path) -> None:
    from alembic import command

    from service.store.engine import _config

    with database(engine, tmp_path) as url:
        store = Store(url)
        with store.engine.begin() as connection:
            command.upgrade(_config(connection), "0005")
        moment = datetime(2024, 5, 1, tzinfo=UTC)
        with store.write() as session:
            speaker = Speaker(id="speaker-1", kind="person", name="Łucja Nowałk", is_known=True, created=moment)
            for key, identifies in (("łucja nowałk", True), ("lucja nowalk", False), ("łucja", False)):
                words = [NameWord(word=word) for word in key.split()]
                last = key.rsplit(" ", 1)[-1]
                speaker.names.append(SpeakerName(name=key, key=key, last=last, identifies=identifies, words=words))
            session.add(speaker)
        store.upgrade()
        with store.read() as session:
            names = {one.key: one for one in session.scalars(select(SpeakerName))}
            assert {key: (one.last, one.identifies) for key, one in names.items()} == {
                "lucja nowalk": ("nowalk", True),
                "lucja": ("lucja", False),
            }
            assert {key: {word.word for word in one.words} for key, one in names.items()} == {
                "lucja nowalk": {"lucja", "nowalk"},
                "lucja": {"lucja"},
            }
        store.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://a:secret@b/c", "c"),
        ("nonsense", "WHOSAID_DATABASE_URL: no database"),
        ("oracle+x://u:secret@h/d", "…@h/d"),
        ("postgresql://u@h:abc/d", "WHOSAID_DATABASE_URL: .*no number"),
        ("postgresql://u:a@b:secret@h/d", "…@h/d: its port is no number"),
    ],
)
def test_other_databases_are_refused_without_their_passwords(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says) as error:
        Store(url)
    assert "secret" not in str(error.value)


WRITER = """
import sys
from tests.service.store.test_store import handed, save, TEXT
from service.store.engine import Store
store = Store(sys.argv[1])
for number in range(100_000):
    id_, _ = save(store, handed(f"{TEXT} Number {number} of {sys.argv[2]}.", f"{sys.argv[2]}-{number}"))
    print(id_, flush=True)
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_writer_leaves_whole_articles_and_loses_none(engine: str, tmp_path: Path) -> None:
    with opened(engine, tmp_path) as store:
        acknowledged = []
        for turn in range(3):
            command = [sys.executable, "-c", WRITER, str(store.engine.url.render_as_string(False)), str(turn)]
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                acknowledged += [process.stdout.readline().strip() for _ in range(5 + 7 * turn)]
                os.kill(process.pid, signal.SIGKILL)
                acknowledged += [line.strip() for line in process.stdout if line.endswith("\n")]
        for id_ in acknowledged:
            assert len(claims(store, id_)) == 2
        found = counts(store)
        assert found["articles"] >= len(acknowledged) >= 36
        assert found["claims"] == 2 * found["articles"]
        assert found["claim_spans"] == 6 * found["articles"]
