"""Each article's result is kept once, whatever happens to the workers; on both databases alike."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from models.records import Article, Habit, Reading
from service.batches import chunks, records, upkeep, worker
from service.batches.chunks import Gone, Outcome, Work
from service.batches.crew import CANNOT_START
from service.batches.engine import Engine
from service.batches.intake import Options, take_in
from service.batches.lease import Lease
from service.batches.reading import Desk, Stopping, read_chunk
from service.batches.results import batch_record, each_result
from service.config import load_settings
from service.keeping import Keeper
from service.store.batches import Batch, Chunk, Result
from service.store.engine import Store, StoreError
from service.store.tables import Article as StoredArticle
from tests.databases import ENGINES, opened
from tests.fakes import FakeReader, FakeSame


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with opened(request.param, tmp_path) as store:
        yield store


class Moody(FakeReader):
    """Raises at some texts, and counts what it is asked to read."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, articles: Iterable[str | Article], *, habit: Habit | None = None) -> Iterator[Reading]:
        for one in articles:
            text = one if isinstance(one, str) else one.text
            self.asked.append(text)
            if "RAISE" in text:
                raise ArithmeticError
            yield self.read_one(one, habit=habit)


def desk(store: Store, reader: Any = None, name: str = "worker") -> Desk:
    reader = reader or FakeReader()
    return Desk(name, load_settings(environ={}), store, reader, Keeper(store, reader.version, FakeSame()))


def text(number: int) -> str:
    return f"“We go,” said Amara. This is number {number}."


def hand_in(store: Store, count: int = 10, /, **options: Any) -> int:
    lines = (json.dumps({"id": n, "text": text(n)}).encode() for n in range(1, count + 1))
    id_ = take_in(store, lines, Options(habit="world", **options))
    with store.read() as session:
        return session.scalars(select(Batch.seq).where(Batch.id == id_)).one()


def one_chunk(store: Store) -> int:
    (chunk,) = chunks.take_waiting(store, 1)
    return chunk


def results(store: Store, batch: int) -> list[dict[str, Any]]:
    return [json.loads(record) for _, record in each_result(store, batch, 0)]


def told(store: Store, batch: int) -> dict[str, Any]:
    with store.read() as session:
        return batch_record(session, session.get_one(Batch, batch))


def expire(store: Store) -> None:
    with store.write() as session:
        past = chunks.now() - timedelta(seconds=1)
        session.execute(update(Chunk).where(Chunk.state == "running").values(held_until=past))


def outcome(number: int) -> Outcome:
    return records.done(number, None, None, {})


def claimed(store: Store, chunk: int, name: str = "worker") -> Work:
    work = chunks.claim(store, chunk, name, 30)
    assert work is not None
    return work


def test_a_chunk_is_read_and_the_batch_is_over(store: Store) -> None:
    batch = hand_in(store)
    assert told(store, batch)["state"] == "queued"
    read_chunk(desk(store), one_chunk(store))
    found = told(store, batch)
    assert (found["state"], found["total"], found["done"], found["failed"], found["seconds_left"]) == (
        "finished", 10, 10, 0, 0.0,
    )  # fmt: skip
    assert sorted(one["number"] for one in results(store, batch)) == list(range(1, 11))
    assert {one["external_id"] for one in results(store, batch)} == {str(n) for n in range(1, 11)}
    with store.read() as session:
        assert session.scalars(select(Chunk.body)).all() == [None]


def test_a_message_that_comes_twice_is_read_once(store: Store) -> None:
    batch, reader = hand_in(store), Moody()
    chunk = one_chunk(store)
    for _ in range(3):
        read_chunk(desk(store, reader), chunk)
    assert (len(reader.asked), len(results(store, batch))) == (10, 10)


def test_one_of_many_gets_a_chunk(store: Store) -> None:
    hand_in(store)
    chunk = one_chunk(store)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda n: chunks.claim(store, chunk, f"worker {n}", 30), range(8)))
    assert sum(one is not None for one in got) == 1


def test_messages_are_sent_once_for_each_chunk(store: Store) -> None:
    hand_in(store, 1000)
    with ThreadPoolExecutor(4) as pool:
        taken = [one for some in pool.map(lambda _: chunks.take_waiting(store, 3), range(4)) for one in some]
    assert len(taken) == len(set(taken)) >= 3
    assert chunks.take_waiting(store, 3) == []
    chunks.put_back(store, taken)
    assert len(chunks.take_waiting(store, 100)) == 5


def test_batches_take_turns(store: Store) -> None:
    hand_in(store, 1000)
    small = hand_in(store, 1)
    first, second, *_ = chunks.take_waiting(store, 100)
    with store.read() as session:
        owners = [session.get_one(Chunk, one).batch_seq for one in (first, second)]
    assert small in owners


def test_who_has_lost_a_chunk_keeps_nothing(store: Store) -> None:
    batch = hand_in(store)
    chunk = one_chunk(store)
    slow = claimed(store, chunk, "slow")
    expire(store)
    assert upkeep.recover(store) == 1
    quick = claimed(store, one_chunk(store), "quick")
    with pytest.raises(Gone):
        chunks.save(store, slow, [outcome(1)], 30, is_last=False)
    chunks.save(store, quick, [outcome(1)], 30, is_last=False)
    with pytest.raises(Gone):
        chunks.renew(store, slow, 30)
    assert [one["number"] for one in results(store, batch)] == [1]
    assert told(store, batch)["done"] == 1


def test_what_is_saved_again_is_kept_once(store: Store) -> None:
    batch = hand_in(store)
    work = claimed(store, one_chunk(store))
    for _ in range(2):  # as after an error that left open whether the first had come through
        chunks.save(store, work, [outcome(1), outcome(2)], 30, is_last=False)
    assert (told(store, batch)["done"], len(results(store, batch))) == (2, 2)


def test_what_a_dead_worker_has_finished_is_not_read_again(store: Store) -> None:
    batch, reader = hand_in(store), Moody()
    work = claimed(store, one_chunk(store))
    chunks.save(store, work, [outcome(n) for n in range(1, 8)], 30, is_last=False)
    expire(store)
    upkeep.recover(store)
    read_chunk(desk(store, reader), one_chunk(store))
    assert reader.asked == [text(n) for n in (8, 9, 10)]
    assert told(store, batch)["state"] == "finished"


def test_an_article_that_kills_workers_is_reported_and_the_others_are_read(store: Store) -> None:
    batch = hand_in(store)
    deaths = 0
    while told(store, batch)["state"] != "finished":
        for chunk in chunks.take_waiting(store, 100):
            work = claimed(store, chunk)
            numbers = [number for number, _ in work.lines]
            if not work.is_careful and 4 not in numbers:
                chunks.save(store, work, [outcome(n) for n in numbers], 30, is_last=True)
                continue
            for number in numbers if work.is_careful else []:
                chunks.name_reading(store, work, number, 30)
                if number == 4:
                    break
                chunks.save(store, work, [outcome(number)], 30, is_last=False)
            deaths += 1
        expire(store)
        upkeep.recover(store)
        assert deaths < 10
    assert deaths == 3
    found = told(store, batch)
    assert (found["done"], found["failed"]) == (9, 1)
    (bad,) = (one for one in results(store, batch) if one["type"] == "error")
    assert (bad["number"], bad["external_id"], bad["error"]["type"]) == (4, "4", "/problems/unreadable")
    assert "3 workers" in bad["error"]["detail"]


def test_a_worker_that_is_told_to_stop_gives_back_what_it_has_not_read(store: Store) -> None:
    batch = hand_in(store)
    mine = desk(store)

    class Stopped(FakeReader):
        def read_one(self, article: str | Article, *, habit: Habit | None = None) -> Reading:
            mine.stopping.set()
            return super().read_one(article, habit=habit)

    chunk = one_chunk(store)
    stopping = Desk("stopping", mine.settings, store, Stopped(), mine.keeper, mine.stopping)
    read_chunk(stopping, chunk)
    assert told(store, batch)["done"] == 1
    with store.read() as session:
        row = session.get_one(Chunk, chunk)
        assert (row.state, row.attempts) == ("waiting", 0)
    read_chunk(desk(store), one_chunk(store))
    assert told(store, batch)["done"] == 10


def test_a_cancelled_batch_keeps_what_it_has(store: Store) -> None:
    batch = hand_in(store, 1000)
    running = claimed(store, one_chunk(store))
    chunks.save(store, running, [outcome(1)], 30, is_last=False)
    with store.write() as session:
        chunks.cancel(session, session.get_one(Batch, batch))
    with pytest.raises(Gone):
        chunks.save(store, running, [outcome(2)], 30, is_last=False)
    found = told(store, batch)
    assert (found["state"], found["done"], found["seconds_left"]) == ("cancelled", 1, None)
    assert chunks.take_waiting(store, 100) == []
    assert [one["number"] for one in results(store, batch)] == [1]


def test_an_article_at_which_the_reader_stumbles_does_not_cost_the_others(store: Store) -> None:
    lines = [json.dumps({"text": text(n) + " RAISE" * (n == 2)}).encode() for n in range(4)]
    id_ = take_in(store, lines, Options(habit="world"))
    read_chunk(desk(store, Moody()), one_chunk(store))
    with store.read() as session:
        batch = session.scalars(select(Batch).where(Batch.id == id_)).one()
    found = {one["number"]: one for one in results(store, batch.seq)}
    assert [found[n]["type"] for n in (1, 2, 3, 4)] == ["result", "result", "error", "result"]
    assert found[3]["error"]["type"] == "/problems/internal"


def test_a_later_revision_in_a_batch_is_what_stays(store: Store) -> None:
    texts = [f"{'It rained. ' * more}“We {verb},” said Amara." for more, verb in ((9, "go"), (0, "stay"), (5, "rest"))]
    lines = [json.dumps({"id": "one", "text": text}).encode() for text in texts]
    take_in(store, lines, Options(habit="world", store=True))
    read_chunk(desk(store), one_chunk(store))
    with store.read() as session:
        assert session.scalars(select(StoredArticle.text)).all() == texts[-1:]


def test_a_database_that_takes_no_such_row_is_not_asked_again(store: Store) -> None:
    class Full(psycopg.errors.ProgramLimitExceeded):
        sqlstate = "54000"

    asked = []

    def act() -> None:
        asked.append(1)
        raise OperationalError("INSERT", {}, Full("index row size exceeds the maximum"))

    with pytest.raises(OperationalError):
        desk(store).patiently(act)
    assert asked == [1]


def test_whoever_follows_the_results_misses_none(store: Store) -> None:
    batch = hand_in(store, 2000)
    seen: list[int] = []
    over = threading.Event()

    def follow() -> None:
        place = 0
        while True:
            is_end = over.is_set()
            for at, record in each_result(store, batch, place):
                seen.append(json.loads(record)["number"])
                place = at
            if is_end:
                return

    def work(name: str) -> None:
        while taken := chunks.take_waiting(store, 2):
            for chunk in taken:
                read_chunk(desk(store, name=name), chunk)

    follower = threading.Thread(target=follow)
    follower.start()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, ("a", "b", "c")))
    work("last")
    over.set()
    follower.join()
    assert told(store, batch)["state"] == "finished"
    assert sorted(seen) == list(range(1, 2001))
    with store.read() as session:
        places = session.scalars(select(Result.place).order_by(Result.place)).all()
    assert places == list(range(1, 2001))


def test_lost_messages_are_sent_again_when_nobody_reads(store: Store) -> None:
    hand_in(store, 400)
    taken = chunks.take_waiting(store, 100)
    upkeep.resend(store, 30)
    assert chunks.take_waiting(store, 100) == []  # they have just been sent
    with store.write() as session:
        session.execute(update(Chunk).values(sent=chunks.now() - timedelta(minutes=1)))
    running = claimed(store, taken[0])
    upkeep.resend(store, 30)
    assert chunks.take_waiting(store, 100) == []  # somebody reads, and will come to them
    chunks.give_back(store, running)
    upkeep.resend(store, 30)
    assert sorted(chunks.take_waiting(store, 100)) == sorted(taken)


def test_old_batches_are_removed_with_all_that_they_have(store: Store) -> None:
    old, new, broken = hand_in(store), hand_in(store), hand_in(store)
    for chunk in chunks.take_waiting(store, 2):
        read_chunk(desk(store), chunk)
    with store.write() as session:
        session.execute(update(Batch).where(Batch.seq.in_((old, new))).values(ended=chunks.now() - timedelta(days=29)))
        session.execute(update(Batch).where(Batch.seq == old).values(ended=chunks.now() - timedelta(days=31)))
        abandoned = chunks.now() - timedelta(hours=1)
        session.execute(update(Batch).where(Batch.seq == broken).values(state="receiving", touched=abandoned))
    upkeep.retire(store, 0)
    with store.read() as session:
        assert set(session.scalars(select(Batch.seq))) == {old, new}
    upkeep.retire(store, 30)
    with store.read() as session:
        assert session.scalars(select(Batch.seq)).all() == [new]
        assert set(session.scalars(select(Result.batch_seq))) == {new}
        assert set(session.scalars(select(Chunk.batch_seq))) == {new}


def test_a_worker_waits_for_a_database_that_is_away(store: Store) -> None:
    tries: list[int] = []

    def act() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("", {}, OSError("the disk is full"))
        return "kept"

    assert desk(store).patiently(act) == "kept"
    stopping = desk(store)
    stopping.stopping.set()
    tries.clear()
    with pytest.raises(Stopping):
        stopping.patiently(act)


@pytest.fixture
def watched(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, threading.Event]:
    """A worker that may read for a third of a second, and what is set where it would be killed."""
    killed = threading.Event()
    monkeypatch.setattr(Lease, "_end", lambda _: killed.set())
    mine = desk(store)
    return replace(mine, settings=replace(mine.settings, article_timeout=0.3)), killed  # type: ignore[arg-type]


def away() -> OperationalError:
    return OperationalError("", {}, OSError("the database is away"))


def test_waiting_for_the_database_is_no_reading(
    store: Store, watched: tuple[Desk, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, killed = watched
    batch = hand_in(store, 1, store=True)
    with store.write() as session:
        session.execute(update(Chunk).values(attempts=1))  # somebody died of it, so that it is read carefully
    failures = {"name": [away()] * 3, "keep": [away()] * 3}

    def patient(name: str, act: Any) -> Any:
        def tried(*given: Any) -> Any:
            if failures[name]:
                raise failures[name].pop()
            return act(*given)

        return tried

    monkeypatch.setattr(chunks, "name_reading", patient("name", chunks.name_reading))
    monkeypatch.setattr(mine.keeper, "keep", patient("keep", mine.keeper.keep))
    read_chunk(mine, one_chunk(store))
    assert not killed.is_set()
    assert told(store, batch)["done"] == 1


def test_who_hangs_while_an_article_is_kept_is_killed(
    store: Store, watched: tuple[Desk, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, killed = watched
    hand_in(store, 1, store=True)
    kept = mine.keeper.keep
    monkeypatch.setattr(mine.keeper, "keep", lambda *given: killed.wait(10) and kept(*given))
    read_chunk(mine, one_chunk(store))
    assert killed.is_set()


def test_who_hangs_with_a_chunk_that_is_lost_is_killed(store: Store, watched: tuple[Desk, threading.Event]) -> None:
    _, killed = watched
    batch = hand_in(store)
    work = claimed(store, one_chunk(store))
    with store.write() as session:
        chunks.cancel(session, session.get_one(Batch, batch))
    with Lease(store, work, 30, 0.3):
        assert killed.wait(10)


def test_a_batch_is_kept_though_no_messages_can_be_sent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(store)
    engine = Engine(load_settings({"broker_url": "redis://127.0.0.1:1/0"}, environ={}))

    def fail(*_: Any) -> None:
        raise away()

    with monkeypatch.context() as patch:
        patch.setattr(chunks, "put_back", fail)
        engine.dispatch(store)
        patch.setattr(chunks, "take_waiting", fail)
        engine.dispatch(store)
    with store.write() as session:
        session.execute(update(Chunk).values(sent=chunks.now() - timedelta(minutes=1)))
    upkeep.resend(store, 30)
    assert len(chunks.take_waiting(store, 100)) == 1


@pytest.mark.parametrize(("error", "is_hopeless"), [(StoreError("wrong tables"), True), (away(), False)])
def test_a_database_that_is_away_at_a_workers_start_is_not_hopeless(
    error: Exception, is_hopeless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(worker, "_opened", fail)
    monkeypatch.setattr(worker, "_log_to", lambda *_: None)
    status = worker.work(load_settings(environ={}))
    assert (status == CANNOT_START, status == 0) == (is_hopeless, False)


def test_results_wait_for_room_on_the_disk(tmp_path: Path) -> None:
    with opened("sqlite", tmp_path) as store:
        batch = hand_in(store, 150)
        room = [0]

        @event.listens_for(store.engine, "checkout")
        def limit(connection: Any, *_: Any) -> None:
            # SQLite itself says that the disk is full when the file would have more pages than this.
            connection.execute(f"PRAGMA max_page_count = {room[0] or 1_000_000_000}")

        with store.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        chunk = one_chunk(store)
        room[0] = pages + 6
        mine = desk(store)
        failures: list[str] = []
        mine_warns = logging.getLogger("service.batches.reading")
        handler = logging.Handler()
        handler.emit = lambda record: failures.append(record.getMessage())  # type: ignore[method-assign]
        mine_warns.addHandler(handler)
        worker = threading.Thread(target=read_chunk, args=(mine, chunk))
        worker.start()
        try:
            while not any("full" in one for one in failures):
                worker.join(0.05)
                assert worker.is_alive()
            assert told(store, batch)["done"] < 150
            room[0] = 0
            worker.join(30)
        finally:
            mine.stopping.set()
            worker.join()
            mine_warns.removeHandler(handler)
        assert told(store, batch)["state"] == "finished"
        assert sorted(one["number"] for one in results(store, batch)) == list(range(1, 151))
