"""Batches with real processes, brokers and databases, while these are killed: every article once, none lost."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.batches import chunks
from service.batches.engine import Engine
from service.config import load_settings
from service.store.batches import Chunk
from tests.e2e.engines import Redis, Service, end_connections, running, wait_until
from tests.e2e.test_server import ask

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running("embedded", tmp_path_factory.mktemp("embedded")) as (service, _):
        service.serve()
        yield service


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Redis]]:
    """Redis, PostgreSQL and two workers."""
    with running("redis", tmp_path_factory.mktemp("spread"), batch_workers=0) as (service, redis):
        assert redis is not None
        service.serve()
        service.work()
        service.work()
        yield service, redis


def test_nothing_is_to_be_installed(embedded: Service) -> None:
    batch = embedded.hand_in(300, n7="", n8="RAISE")
    found = {one["number"]: one["type"] for one in embedded.each_once(batch, 300)}
    assert [number for number, kind in found.items() if kind == "error"] in ([7, 8], [8, 7])
    assert ask(embedded.port, "GET", "/readyz")[0] == 200


def test_a_killed_worker_is_replaced(embedded: Service) -> None:
    batch = embedded.hand_in(600)
    embedded.wait_for(batch, 50)
    killed = embedded.kill_readers()
    assert embedded.get(batch)["state"] == "running"
    embedded.each_once(batch, 600)
    assert set(embedded.reading_pids()).isdisjoint(killed)


def test_articles_that_kill_or_stop_their_reader_are_reported(embedded: Service) -> None:
    batch = embedded.hand_in(40, n11="CRASH", n12="HANG")
    found = embedded.each_once(batch, 40)
    bad = {one["number"]: one["error"] for one in found if one["type"] == "error"}
    assert {number: error["type"] for number, error in bad.items()} == dict.fromkeys((11, 12), "/problems/unreadable")
    assert "nothing came of it in 4 seconds" in bad[12]["detail"]


def test_a_batch_can_be_cancelled_while_it_is_read(embedded: Service) -> None:
    batch = embedded.hand_in(2000)
    embedded.wait_for(batch, 20)
    status, _, answer = ask(embedded.port, "DELETE", batch)
    told = json.loads(answer)
    assert (status, told["state"]) == (200, "cancelled")
    time.sleep(2)
    assert embedded.get(batch) == told
    after = embedded.hand_in(10)
    embedded.each_once(after, 10)


def test_a_killed_service_goes_on_when_it_is_started_again(embedded: Service) -> None:
    batch = embedded.hand_in(1500)
    embedded.wait_for(batch, 20)
    assert embedded.web is not None
    embedded.web.kill()
    embedded.web.wait()
    wait_until(lambda: not embedded.reading_pids(), "the end of the worker")

    def is_away() -> bool:
        try:
            ask(embedded.port, "GET", "/healthz")
        except (OSError, http.client.HTTPException):
            return True
        return False

    wait_until(is_away, "the end of the service")
    embedded.serve()
    assert embedded.done(batch) < 1500
    embedded.each_once(batch, 1500)


def test_workers_on_other_machines_share_a_batch(spread: tuple[Service, Redis]) -> None:
    service, _ = spread
    wait_until(lambda: len(service.reading_pids()) == 2, "two workers")
    batch = service.hand_in(1000)
    service.each_once(batch, 1000)


def test_messages_may_come_twice(spread: tuple[Service, Redis]) -> None:
    service, _ = spread
    batch = service.hand_in(1000)
    engine = Engine(load_settings({**service.settings}, environ={}))
    with service.store.read() as session:
        everything = list(session.scalars(chunks.select(Chunk.seq)))
    for _ in range(3):
        for chunk in everything:
            engine.send(chunk)
    service.each_once(batch, 1000)


def test_a_broker_that_forgets_everything_stops_no_batch(spread: tuple[Service, Redis]) -> None:
    service, redis = spread
    batch = service.hand_in(3000)
    service.wait_for(batch, 100)
    redis.kill()
    assert ask(service.port, "GET", "/readyz")[0] == 503
    other = service.hand_in(10)  # nobody hears of it yet, and it is kept
    time.sleep(1)
    redis.start()
    service.each_once(batch, 3000)
    service.each_once(other, 10)


def test_a_database_that_is_started_again_loses_nothing(spread: tuple[Service, Redis]) -> None:
    service, _ = spread
    batch = service.hand_in(1500)
    for count in (50, 300, 600):
        service.wait_for(batch, count)
        end_connections(service)
    service.each_once(batch, 1500)


def test_a_worker_of_two_may_die(spread: tuple[Service, Redis]) -> None:
    service, _ = spread
    batch = service.hand_in(1500)
    service.wait_for(batch, 50)
    os.kill(wait_until(service.reading_pids, "workers")[0], signal.SIGKILL)
    service.each_once(batch, 1500)


def test_articles_wait_for_a_worker(tmp_path: Path) -> None:
    with running("rabbitmq", tmp_path, batch_workers=0) as (service, _):
        service.serve()
        batch = service.hand_in(300)
        assert ask(service.port, "GET", "/readyz")[0] == 200
        time.sleep(1)
        assert service.get(batch)["state"] == "queued"
        service.work()
        service.each_once(batch, 300)
        another = service.hand_in(300)
        service.kill_readers()
        service.each_once(another, 300)
