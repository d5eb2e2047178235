"""Whole services with their workers, brokers and databases, to be broken at will."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from kombu import Connection

from service.store.engine import Store
from tests.conftest import ROOT
from tests.databases import database
from tests.e2e.test_server import ask, free_port
from tests.whosaid import COMMAND

RABBITMQ = os.environ.get("WHOSAID_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")
ENGINES = ("embedded", "redis", "rabbitmq")
LEASE, ARTICLE_TIMEOUT = 3, 4

NDJSON = {"Content-Type": "application/x-ndjson"}


def wait_until(happens: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError):
            if found := happens():
                return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen")


class Redis:
    """A server of our own, which keeps nothing on the disk."""

    def __init__(self) -> None:
        if shutil.which("redis-server") is None:
            pytest.skip("no redis-server")
        self.port = free_port()
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with Connection(self.url) as connection:
            wait_until(lambda: connection.ensure_connection(max_retries=50, interval_start=0.1) and True, "redis", 10)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Service:
    """A service, and workers beside it.

    Args:
        database_url: Its database.
        broker_url: Its broker; empty for the embedded one.
        folder: For what it keeps.
        **settings: Others.
    """

    def __init__(self, database_url: str, broker_url: str, folder: Path, **settings: object) -> None:
        self.port, self.database_url, self.broker_url = free_port(), database_url, broker_url
        self.log = folder / "log"
        self.settings: dict[str, object] = {
            "database_url": database_url,
            "broker_url": broker_url,
            "broker_queue": f"whosaid-{token_hex(4)}",
            "data_folder": folder,
            "port": self.port,
            "batch_lease": LEASE,
            "article_timeout": ARTICLE_TIMEOUT,
            **settings,
        }
        self.store = Store(database_url)
        self.store.upgrade()
        self.web: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("WHOSAID_")}
        environ |= {f"WHOSAID_{name.upper()}": str(value) for name, value in self.settings.items()}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*COMMAND, *command],
                cwd=ROOT,
                env=environ | {"TEST_PAUSE": "0.01"},
                stdout=log,
                stderr=log,
            )

    def serve(self) -> None:
        self.web = self._start("serve")
        wait_until(lambda: ask(self.port, "GET", "/healthz")[0] == 200, "the start")

    def work(self) -> subprocess.Popen[bytes]:
        self.workers.append(self._start("worker"))
        return self.workers[-1]

    def hand_in(self, count: int, **texts: str) -> str:
        """A batch of so many articles; some have other texts, by their number."""
        rows = [{"id": n, "text": texts.get(f"n{n}", f"“We go,” said Amara. Number {n}.")} for n in range(1, count + 1)]
        body = "\n".join(json.dumps(row) for row in rows).encode()
        status, headers, answer = ask(self.port, "POST", "/v1/batches", body, **NDJSON)
        assert status == 202, answer
        return headers["Location"]

    def get(self, path: str) -> Any:
        status, _, answer = ask(self.port, "GET", path)
        assert status == 200, answer
        return json.loads(answer)

    def done(self, batch: str) -> int:
        found = self.get(batch)
        return int(found["done"] + found["failed"])

    def wait_for(self, batch: str, count: int) -> None:
        wait_until(lambda: self.done(batch) >= count, f"{count} articles", 150)

    def each_once(self, batch: str, count: int) -> list[Any]:
        """The results of a batch, when it is over: one for each article."""
        wait_until(lambda: self.get(batch)["state"] == "finished", f"the end, see {self.log}", 150)
        status, _, answer = ask(self.port, "GET", f"{batch}/results", Accept="application/x-ndjson")
        *found, summary = (json.loads(line) for line in answer.splitlines())
        assert (status, summary["next"], summary["total"]) == (200, None, count)
        assert sorted(one["number"] for one in found) == list(range(1, count + 1))
        assert all(one["external_id"] == str(one["number"]) for one in found)
        return found

    def reading_pids(self) -> list[int]:
        """The processes that read: the children of those that watch over them."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                told = (process / "environ").read_bytes().split(b"\0")
                if b"--attached" in words and f"WHOSAID_PORT={self.port}".encode() in told:
                    found.append(int(process.name))
        return found

    def kill_readers(self) -> list[int]:
        pids = wait_until(self.reading_pids, "a worker")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return list(pids)

    def stop(self) -> None:
        for process in (*self.workers, self.web):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (*self.workers, self.web):
            if process is not None:
                process.wait(60)
        self.workers, self.web = [], None

    def close(self) -> None:
        self.stop()
        assert not self.reading_pids()
        self.store.close()
        if self.broker_url.startswith("amqp"):
            with Connection(self.broker_url) as connection:
                connection.default_channel.queue_delete(str(self.settings["broker_queue"]))


def end_connections(service: Service) -> None:
    """What a restart of PostgreSQL does to its clients."""
    name = service.database_url.rsplit("/", 1)[1]
    with psycopg.connect(service.database_url.rsplit("/", 1)[0] + "/postgres", autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (name,),
        )


@contextmanager
def running(engine: str, folder: Path, **settings: object) -> Iterator[tuple[Service, Redis | None]]:
    """A service on an engine, not started yet."""
    redis = Redis() if engine == "redis" else None
    broker = redis.url if redis else {"embedded": "", "rabbitmq": RABBITMQ}[engine]
    try:
        if engine == "rabbitmq":
            try:
                with Connection(broker, connect_timeout=2) as connection:
                    connection.ensure_connection(max_retries=1)
            except OSError as error:
                pytest.skip(f"no RabbitMQ: {error}")
        with database("sqlite" if engine == "embedded" else "postgresql", folder) as url:
            service = Service(url, broker, folder, **settings)
            try:
                yield service, redis
            finally:
                service.close()
    finally:
        if redis is not None:
            redis.kill()
