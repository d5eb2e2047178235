"""A real gunicorn over HTTP, with the shipped weights."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.model]

TEXT = "The harbour will reopen on Monday, Mayor Ines Duarte said. “We are ready,” she added."


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers, encode_chunked="Transfer-Encoding" in headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def analyse(port: int, **body: Any) -> tuple[int, Any]:
    status, _, answer = ask(port, "POST", "/v1/analyses", json.dumps(body), **{"Content-Type": "application/json"})
    return status, json.loads(answer)


def start(port: int, log: Any, *options: str) -> subprocess.Popen[bytes]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WHOSAID_")}
    return subprocess.Popen(
        [sys.executable, "-m", "service.cli", "serve", "--port", str(port), *options],
        cwd=ROOT,
        env=environ
        | {
            "WHOSAID_MAX_BODY_BYTES": "200000",
            "WHOSAID_BATCH_WORKERS": "0",
            "WHOSAID_DATABASE_URL": f"sqlite:///{tempfile.mkdtemp(prefix='whosaid-')}/whosaid.db",
        },
        stderr=log,
    )


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def port(log: Path) -> Iterator[int]:
    port = free_port()
    with log.open("wb") as lines:
        process = start(port, lines, "--workers", "2")
    try:
        for _ in range(240):
            assert process.poll() is None, "the server has stopped"
            try:
                if ask(port, "GET", "/readyz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.25)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_an_article_is_analysed(port: int) -> None:
    status, found = analyse(port, text=TEXT)
    assert status == 200
    said, added = found["attributions"]
    assert [span["text"] for span in said["source"]] == ["Mayor Ines Duarte"]
    assert [span["text"] for span in added["source"] + added["cue"] + added["content"]] == [
        "she", "added", "“We are ready,”",
    ]  # fmt: skip
    assert (said["type"], added["type"]) == ("indirect", "direct")


def test_many_callers_at_once_are_answered(port: int) -> None:
    with ThreadPoolExecutor(5) as pool:  # one is read, four wait
        answers = list(pool.map(lambda number: analyse(port, text=f"{TEXT} {number}"), range(24)))
    assert {status for status, _ in answers} == {200}
    assert [found["article"]["text"].split()[-1] for _, found in answers] == [str(number) for number in range(24)]


def test_each_process_has_answered(port: int, log: Path) -> None:
    for number in range(100):
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        answered = {one["pid"] for one in lines if one.get("route") == "/v1/analyses" and one["status"] == 200}
        if len(answered) == 2:
            return
        analyse(port, text=f"{TEXT} Once more, {number}.")
    raise AssertionError("one process answered all")


def test_a_long_body_gets_its_answer(port: int) -> None:
    status, found = analyse(port, text="x" * 3_000_000)
    assert (status, found["limit"]) == (413, 200_000)
    assert found["observed"] > 3_000_000


def test_a_body_in_chunks_is_read_and_limited(port: int) -> None:
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    body = json.dumps({"text": TEXT}).encode()
    assert ask(port, "POST", "/v1/analyses", iter([body[:20], body[20:]]), **headers)[0] == 200
    status, _, answer = ask(port, "POST", "/v1/analyses", iter([b"x" * 60_000] * 5), **headers)
    assert (status, json.loads(answer)["limit"]) == (413, 200_000)


def test_offsets_count_code_points(port: int) -> None:
    _, found = analyse(port, text="😀 " + TEXT)
    text = found["article"]["text"]
    spans = [span for one in found["attributions"] for role in ("source", "cue", "content") for span in one[role]]
    assert len(spans) >= 6
    assert all(text[span["start"] : span["end"]] == span["text"] for span in spans)


def test_broken_weights_stop_the_start(tmp_path: Any) -> None:
    with (tmp_path / "log").open("wb") as lines:
        assert start(free_port(), lines, "--weights", str(tmp_path)).wait(120) != 0
    log = (tmp_path / "log").read_bytes()
    assert b"config.json" in log
    assert b"missing" in log
    assert b"Traceback" not in log
