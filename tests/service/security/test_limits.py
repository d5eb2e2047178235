"""Each key has its limits, exactly, however many processes count; on both databases alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g

from models.records import Reading
from service.app import create_app
from service.config import load_settings
from service.errors import RateLimited
from service.security import access
from service.security.keys import Key, create_key, known_key
from service.security.limits import Limits
from service.store.engine import Store
from service.store.tables import ApiKey
from tests.conftest import ROOT
from tests.databases import ENGINES, opened
from tests.fakes import FakeReader, FakeSame


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with opened(request.param, tmp_path) as store:
        yield store


@pytest.fixture(autouse=True)
def _early_in_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.security.limits.time.time", lambda: 1_800_000_010.0)


def limited(store: Store, **own: int | None) -> tuple[str, Key]:
    key = create_key(store, "one", ["read", "write"], **own)
    known = known_key(store, key)
    assert known is not None
    return key, known


def limits(store: Store, **chosen: int) -> Limits:
    return Limits(store, load_settings(chosen, environ={}))


def test_as_many_as_the_limit_and_no_more(store: Store) -> None:
    _, key = limited(store)
    some = limits(store, requests_per_minute=3)
    left = [some.count_request(key) for _ in range(3)]
    assert [one and (one.left, one.resets) for one in left] == [(2, 50), (1, 50), (0, 50)]
    for _ in range(2):
        with pytest.raises(RateLimited) as refused:
            some.count_request(key)
    assert refused.value.retry_after == 50
    assert refused.value.extra == {"limit": 3, "observed": 4, "setting": "WHOSAID_REQUESTS_PER_MINUTE"}


def test_a_new_minute_begins_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _, key = limited(store, requests_per_minute=1)
    some = limits(store)
    assert some.count_request(key)
    monkeypatch.setattr("service.security.limits.time.time", lambda: 1_800_000_061.0)
    assert some.count_request(key)
    # A machine whose clock is behind does not begin it again.
    monkeypatch.setattr("service.security.limits.time.time", lambda: 1_800_000_010.0)
    with pytest.raises(RateLimited):
        some.count_request(key)


def test_a_keys_own_limits_win(store: Store) -> None:
    some = limits(store, requests_per_minute=1, characters_per_day=10)
    _, free = limited(store, requests_per_minute=0, characters_per_day=0)
    assert [some.count_request(free) for _ in range(3)] == [None] * 3
    assert some.count_characters(free, 1_000) is None
    _, own = limited(store, characters_per_day=20)
    counted = some.count_characters(own, 15)
    assert counted is not None
    with pytest.raises(RateLimited):
        some.count_characters(own, 6)
    given_back = some.give_back_characters(own, 15, counted)
    assert given_back is not None
    assert given_back.left == 20
    assert some.count_characters(own, 20) is not None


BEFORE_MIDNIGHT, AFTER_MIDNIGHT = 1_800_057_595.0, 1_800_057_605.0


def set_clock(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    monkeypatch.setattr("service.security.limits.time.time", lambda: now)


@pytest.mark.parametrize("others", [0, 400])
def test_a_new_day_gives_back_nothing_of_the_old_one(
    store: Store, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    _, key = limited(store, characters_per_day=1_000)
    some = limits(store)
    set_clock(monkeypatch, BEFORE_MIDNIGHT)
    counted = some.count_characters(key, 1_000)
    assert counted is not None
    set_clock(monkeypatch, AFTER_MIDNIGHT)
    if others:
        assert some.count_characters(key, others) is not None
        assert some.give_back_characters(key, 1_000, counted) is None
    else:  # the row is still of the old day
        given_back = some.give_back_characters(key, 1_000, counted)
        assert given_back is not None
        assert (given_back.left, given_back.resets) == (1_000, 0)
    latest = some.count_characters(key, 1_000 - others)
    assert latest is not None
    assert latest.left == 0
    with pytest.raises(RateLimited):
        some.count_characters(key, 1)


def test_what_was_counted_is_given_back_although_the_limit_is_lower_now(store: Store) -> None:
    _, key = limited(store)
    counted = limits(store, characters_per_day=1_000).count_characters(key, 900)
    assert counted is not None
    some = limits(store, characters_per_day=100)
    assert some.give_back_characters(key, 300, counted) is not None
    with store.read() as session:
        assert session.query(ApiKey).one().characters == 600


COUNTS = """
import sys
import service.security.limits
from service.config import load_settings
from service.errors import RateLimited
from service.security.keys import known_key
from service.security.limits import Limits
from service.store.engine import Store
service.security.limits.time.time = lambda: 1_800_000_010.0
store = Store(sys.argv[1])
limits, key = Limits(store, load_settings({}, environ={})), known_key(store, sys.argv[2])
counted = 0
for _ in range(40):
    try:
        limits.count_request(key)
        counted += 1
    except RateLimited:
        pass
print(counted)
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_several_processes_count_together(engine: str, tmp_path: Path) -> None:
    with opened(engine, tmp_path) as store:
        key, _ = limited(store, requests_per_minute=50)
        command = [sys.executable, "-c", COUNTS, store.engine.url.render_as_string(False), key]

        def count(_: int) -> int:
            return int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout)

        with ThreadPoolExecutor(2) as pool:
            counted = list(pool.map(count, range(2)))
        assert sum(counted) == 50


def locked(tmp_path: Path, reader: Any = None, **chosen: Any) -> Flask:
    chosen |= {"database_url": f"sqlite:///{tmp_path}/whosaid.db", "keys": "on"}
    app = create_app(load_settings(chosen, environ={}), reader or FakeReader(), FakeSame())
    app.config["STORE"].upgrade()
    return app


def test_a_caller_is_told_what_is_left(tmp_path: Path) -> None:
    app = locked(tmp_path, requests_per_minute=2, characters_per_day=100)
    client = app.test_client()
    headers = {"Authorization": f"Bearer {create_key(app.config['STORE'], 'one', ['read'])}"}
    first = client.post("/v1/analyses", json={"text": "x" * 60}, headers=headers)
    assert first.headers["RateLimit-Policy"] == '"requests";q=2;w=60, "characters";q=100;w=86400'
    assert first.headers["RateLimit"].startswith('"requests";r=1;t=50, "characters";r=40;t=')
    over = client.post("/v1/analyses", json={"text": "x" * 60}, headers=headers)
    assert (over.status_code, over.json["type"], over.json["limit"]) == (429, "/problems/rate-limited", 100)
    assert '"characters";r=40' in over.headers["RateLimit"]
    third = client.get("/v1/claims", headers=headers)
    assert (third.status_code, third.headers["Retry-After"]) == (429, "50")
    assert client.get("/healthz").status_code == 200
    app.config["STORE"].close()


def test_what_was_not_read_is_not_counted(tmp_path: Path) -> None:
    class Broken(FakeReader):
        def read_one(self, *args: Any, **kwargs: Any) -> Reading:
            raise RuntimeError

    app = locked(tmp_path, Broken(), characters_per_day=100)
    headers = {"Authorization": f"Bearer {create_key(app.config['STORE'], 'one', ['read'])}"}
    assert app.test_client().post("/v1/analyses", json={"text": "x" * 60}, headers=headers).status_code == 500
    with app.config["STORE"].read() as session:
        assert session.query(ApiKey).one().characters == 0
    app.config["STORE"].close()


def test_an_article_that_fails_after_midnight_gives_nothing_to_the_new_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(FakeReader):
        def read_one(self, *args: Any, **kwargs: Any) -> Reading:
            set_clock(monkeypatch, AFTER_MIDNIGHT)
            app.config["LIMITS"].count_characters(key, 40)  # another request
            raise RuntimeError

    app = locked(tmp_path, Late(), characters_per_day=100)
    secret, key = limited(app.config["STORE"])
    set_clock(monkeypatch, BEFORE_MIDNIGHT)
    headers = {"Authorization": f"Bearer {secret}"}
    assert app.test_client().post("/v1/analyses", json={"text": "x" * 60}, headers=headers).status_code == 500
    with app.config["STORE"].read() as session:
        assert session.query(ApiKey).one().characters == 40
    app.config["STORE"].close()


def test_an_archive_that_breaks_off_after_midnight_gives_back_what_the_new_day_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = locked(tmp_path, characters_per_day=1_000)
    _, key = limited(app.config["STORE"])
    monkeypatch.setattr("service.security.access._COUNTED_AT_ONCE", 30)
    set_clock(monkeypatch, BEFORE_MIDNIGHT)

    def archive() -> Iterator[bytes]:
        yield from [b"x" * 30] * 2
        set_clock(monkeypatch, AFTER_MIDNIGHT)
        app.config["LIMITS"].count_characters(key, 500)  # another request
        yield from [b"x" * 30] * 2
        assert g.windows[0].left == 1_000 - 500 - 60
        raise RuntimeError

    with app.test_request_context():
        g.key, g.windows = key, []
        with pytest.raises(RuntimeError), access.counting_lines() as count:
            list(count(archive()))
        assert g.windows[0].left == 1_000 - 500
    app.config["STORE"].close()


def test_an_archive_counts_when_it_is_handed_in(tmp_path: Path) -> None:
    app = locked(tmp_path, characters_per_day=100)
    headers = {"Authorization": f"Bearer {create_key(app.config['STORE'], 'one', ['write', 'read'])}"}
    client, line = app.test_client(), '{"text": "It rained."}\n'

    def hand_in(lines: int) -> int:
        return client.post(
            "/v1/batches", data=line * lines, headers=headers, content_type="application/x-ndjson"
        ).status_code

    assert [hand_in(5), hand_in(3), hand_in(3), hand_in(1), hand_in(1)] == [429, 202, 429, 202, 429]
    assert len(client.get("/v1/batches", headers=headers).json["items"]) == 2
    app.config["STORE"].close()


def test_counting_waits_for_no_other_writer_on_postgresql(tmp_path: Path) -> None:
    with opened("postgresql", tmp_path) as store:
        _, key = limited(store, requests_per_minute=5)
        with store.write(), ThreadPoolExecutor(1) as pool:  # an article is being stored
            assert pool.submit(limits(store).count_request, key).result(timeout=20)
