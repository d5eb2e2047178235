"""A real gunicorn with several processes: counts add up, stopping loses nothing, keys hold everywhere."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.e2e.test_server import ask, free_port

pytestmark = pytest.mark.e2e

SERVER = """
import pathlib, time
from service import server
from service.config import load_settings

class Served(server.Server):
    def create_app(self):
        from service.app import create_app
        from tests.fakes import FakeReader, FakeSame

        class Waits(FakeReader):
            def read_one(self, article, *, habit=None):
                text = article if isinstance(article, str) else article.text
                while text.startswith("Wait for") and not pathlib.Path(text.split()[-1]).exists():
                    time.sleep(0.02)
                return super().read_one(article, habit=habit)

        return create_app(self.settings, Waits(), FakeSame())

server.Server = Served
server.run(load_settings())
"""
"""``whosaid serve`` with a Reader that waits for a file if the article says so."""

JSON = {"Content-Type": "application/json"}


@dataclass
class Served:
    port: int
    process: subprocess.Popen[bytes]
    folder: Path
    environ: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return ask(self.port, method, path, body and json.dumps(body), **(JSON if body else {}), **headers)

    def analyse(self, text: str, **headers: str) -> int:
        return self.ask("POST", "/v1/analyses", {"text": text, "language": "en"}, **headers)[0]

    def metric(self, line: str) -> float:
        found = re.search(rf"^{re.escape(line)} (\S+)$", self.ask("GET", "/metrics")[2].decode(), re.M)
        return float(found[1]) if found else 0.0

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "log").read_text(encoding="utf-8").splitlines()]

    def keys(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "service.cli", "keys", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, check=True, text=True).stdout


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[Served]:
    port = free_port()
    ours = {
        "port": port,
        "database_url": f"sqlite:///{folder}/whosaid.db",
        "workers": 2,
        "drain_seconds": 0,
        **settings,
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("WHOSAID_", "PROMETHEUS_"))}
    environ |= {f"WHOSAID_{name.upper()}": str(value) for name, value in ours.items()} | {"TMPDIR": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, env=environ, stderr=log)
    served = Served(port, process, folder, environ)
    try:
        until(lambda: process.poll() is not None or answers(served))
        assert process.poll() is None, (folder / "log").read_text()
        yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def answers(served: Served) -> bool:
    try:
        return served.ask("GET", "/readyz")[0] == 200
    except OSError:
        return False


def until(is_so: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as served:
        yield served


READ = "whosaid_articles_read_total"
READING = "whosaid_requests_reading"


@contextmanager
def both_reading(served: Served, gate: Path) -> Iterator[list[Future[int]]]:
    """Both processes read, until the file is there."""
    waits: list[Future[int]] = []
    with ThreadPoolExecutor(20) as pool:
        try:

            def one_more() -> bool:
                if served.metric(READING) == 2:
                    return True
                # Whichever process takes it: one that reads and has one waiting sends it away.
                waits.append(pool.submit(served.analyse, f"Wait for {gate}"))
                return False

            until(one_more)
            yield waits
        finally:
            gate.touch()


def test_both_processes_read_and_count_together(served: Served, tmp_path: Path) -> None:
    before = served.metric(READ)
    with both_reading(served, tmp_path / "gate") as waits:
        pass
    statuses = [one.result() for one in waits]
    assert set(statuses) <= {200, 429}
    assert statuses.count(200) >= 2
    # Whichever process is asked.
    assert [served.metric(READ) for _ in range(20)] == [before + statuses.count(200)] * 20
    assert served.metric(READING) == 0


def test_a_killed_process_reads_no_more_and_what_it_counted_stays(served: Served, tmp_path: Path) -> None:
    served.analyse("It rained.")
    read = served.metric(READ)
    with both_reading(served, tmp_path / "gate") as waits:
        booted = [line for line in served.log() if line["event"].startswith("Booting worker")]
        os.kill(booted[0]["pid"], signal.SIGKILL)
        until(lambda: served.metric(READING) == 1)
        assert served.metric(READ) == read
    statuses = [one.exception() or one.result() for one in waits]
    assert 200 in statuses
    until(lambda: len([line for line in served.log() if line["event"].startswith("Booting worker")]) == 3)


def test_each_line_is_json_and_keys_that_are_off_are_told(served: Served) -> None:
    lines = served.log()
    assert {"gunicorn.error", "service.server"} <= {line["logger"] for line in lines}
    assert any(line["level"] == "warning" and "API KEYS ARE OFF" in line["event"] for line in lines)


def test_stopping_answers_what_is_in_flight(tmp_path: Path) -> None:
    with serving(tmp_path, drain_seconds=3) as served, ThreadPoolExecutor(1) as pool:
        waits = pool.submit(served.analyse, f"Wait for {tmp_path / 'gate'}")
        until(lambda: served.metric(READING) == 1)
        served.process.send_signal(signal.SIGTERM)
        until(lambda: served.ask("GET", "/readyz")[0] == 503, 3)
        assert served.ask("GET", "/v1/claims")[0] == 200  # until load balancers have turned away
        until(lambda: not answers_at_all(served), 20)
        assert served.process.poll() is None
        (tmp_path / "gate").touch()
        assert waits.result(timeout=20) == 200
        assert served.process.wait(60) == 0
    assert not list(tmp_path.glob("whosaid-metrics-*"))


def answers_at_all(served: Served) -> bool:
    try:
        socket.create_connection(("127.0.0.1", served.port), timeout=5).close()
    except OSError:
        return False
    return True


def test_keys_hold_in_all_processes_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, keys="on", requests_per_minute=0) as served:
        assert any("there is no API key yet" in line["event"] for line in served.log())
        assert served.analyse("It rained.") == 401
        key = served.keys("create", "one", "--scope", "read", "--requests-per-minute", "1000").strip()
        asks = {"X-API-Key": key}
        assert {served.analyse("It rained.", **asks) for _ in range(10)} == {200}
        (listed,) = json.loads(served.keys("list", "--json"))
        assert (listed["name"], listed["scopes"], listed["state"]) == ("one", ["read"], "good")
        assert listed["last_used"]
        served.keys("revoke", listed["prefix"])
        assert {served.analyse("It rained.", **asks) for _ in range(10)} == {401}
        assert key[17:] not in (tmp_path / "log").read_text()
