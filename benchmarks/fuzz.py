"""Broken and nearly right requests, very many of them, against a real server: ``python -m benchmarks.fuzz --help``.

Each request is made from a good one by a few mutations, and sent over a raw socket, so that nothing mends it on
the way.  What must hold: an answer to each, never 500, none that takes long, and a server that does not grow.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from service.api.examples import EXAMPLE_IDS, EXAMPLES

PATIENCE = 20.0
"""Seconds after which an answer does not count as one."""

_ODD: list[Any] = [
    None, True, False, 0, -1, 1e308, -0.0, 2**63, 10**400, "", " ", "\0", "\ud800", "\udfff\ud800", "😀", "a\u0301",
    "x" * 5_000, "“", "”", "“Go,” said", "\u202e", "null", "<html>", "<!DOCTYPE x [<!ENTITY a 'a'>]>&a;", "\ufeff",
    [], {}, [[]], [None], {"": ""}, "2024-02-30", "9999-12-31", "http://[::1", "http://127.0.0.1/", "en-GB", "%00",
    "../..", "'; --", "\r\nX: y",
]  # fmt: skip
_TARGETS = [
    ("POST", "/v1/analyses", "AnalysisRequest"),
    ("POST", "/v1/articles", "ArticleRequest"),
    ("POST", "/v1/claims/search", "Search"),
    ("POST", "/v1/batches", "BatchRequest"),
    ("PATCH", f"/v1/speakers/{EXAMPLE_IDS['speaker']}", "SpeakerChange"),
    ("POST", f"/v1/speakers/{EXAMPLE_IDS['speaker']}/merge", "Merge"),
    ("POST", f"/v1/speakers/{EXAMPLE_IDS['speaker']}/split", "Split"),
    ("GET", "/v1/claims?q=harbour&limit=5&published_from=2024-01-01", None),
    ("GET", "/v1/articles?format=csv&publisher=Harbour%20News", None),
    ("GET", "/v1/speakers?name=Duarte&kind=person", None),
    ("GET", f"/v1/claims/{EXAMPLE_IDS['claim']}/similar?limit=3", None),
    ("GET", f"/v1/batches/{EXAMPLE_IDS['batch']}/results?cursor=WzEs", None),
    ("GET", "/v1/clusters?articles=2", None),
    ("DELETE", f"/v1/articles/{EXAMPLE_IDS['article']}", None),
]
_HEADERS = [
    (
        "Content-Type",
        ["text/plain", "application/json; charset=utf-16", "application/json;;;", "", "application/x-ndjson"],
    ),
    ("Content-Encoding", ["gzip", "br", "gzip, gzip", "identity", "\x80"]),
    ("Accept", ["text/csv", "application/ld+json", "image/png", "*/*;q=x", ";", "a" * 3_000]),
    ("X-Request-ID", ["\x01", "a b", "x" * 4_000, "né"]),
    ("Idempotency-Key", ["", "k", "k" * 300, "\x7f", "schlüssel"]),
    ("If-None-Match", ["*", '"', 'W/"x"', ",,,", "W/"]),
    ("If-Match", ["*", '"x', "x"]),
    ("Authorization", ["Bearer", "Bearer \xff", "Basic Og==", "Bearer " + "a" * 5_000]),
    ("Content-Length", ["-1", "1e3", "99999999999999999999", "", "1, 2"]),
    ("Transfer-Encoding", ["chunked", "gzip, chunked", "CHUNKED ", "x"]),
    ("Expect", ["100-continue", "x"]),
    ("Range", ["bytes=0-", "bytes=-1", "x"]),
]


def mutate(rng: random.Random, value: Any, depth: int = 0) -> Any:
    """A value with something wrong in it."""
    if rng.random() < 0.25 or not isinstance(value, (dict, list, str)) or not value:
        return rng.choice(_ODD)
    if isinstance(value, str):
        cut = rng.randrange(len(value) + 1)
        middle = rng.choice([str(rng.choice(_ODD)), "", chr(rng.randrange(0x11_0000)), value * rng.randrange(1, 4)])
        return value[:cut] + middle + value[cut + rng.randrange(3) :]
    if isinstance(value, list):
        return value * rng.randrange(3) + [mutate(rng, rng.choice(value), depth + 1)]
    value, key = dict(value), rng.choice(list(value))
    match rng.randrange(4):
        case 0:
            del value[key]
        case 1:
            value[rng.choice(["", "id", "html", "text", key.upper(), "\ud800", "__class__"])] = rng.choice(_ODD)
        case _:
            value[key] = mutate(rng, value[key], depth + 1)
    return value


def body_of(rng: random.Random, good: Any) -> bytes:
    """A body: nearly JSON, or JSON of the wrong shape, or anything."""
    kind = rng.randrange(10)
    if kind == 0:
        return rng.randbytes(rng.randrange(2_000))
    if kind == 1:
        opening = rng.choice(["[", '{"text":', '[{"a":'])
        return (opening * rng.randrange(1, 60_000)).encode()
    if kind == 2:
        return (
            f'{{"text": {"9" * rng.randrange(1, 9_000)}, "limit": -{"1" * 400}e{"9" * rng.randrange(1, 99)}}}'.encode()
        )
    value = good
    for _ in range(rng.randrange(3)):
        value = mutate(rng, value)
    body = json.dumps(value, ensure_ascii=rng.random() < 0.7).encode("utf-8", "surrogatepass")
    if kind == 3 and body:
        at = rng.randrange(len(body))
        body = body[:at] + rng.randbytes(rng.randrange(4)) + body[at + rng.randrange(3) :]
    if kind == 4:
        body = body[: rng.randrange(len(body) + 1)]
    if kind == 5:
        body = body.replace(b"{", b'{"text": "twice", "text": "twice", ', 1)
    return body


def request_of(rng: random.Random) -> tuple[bytes, str]:
    """A request as it goes over the wire, and what it is."""
    method, target, schema = rng.choice(_TARGETS)
    headers = {"Host": "localhost", "Connection": "close"}
    body = b""
    if schema is not None:
        body = body_of(rng, EXAMPLES[schema])
        headers["Content-Type"] = "application/json"
    if rng.random() < 0.15:
        body = gzip.compress(body if rng.random() < 0.8 else bytes(rng.randrange(40_000_000)), 1)
        headers["Content-Encoding"] = "gzip"
        body = body[: rng.randrange(len(body) + 1)] if rng.random() < 0.5 else body
    headers["Content-Length"] = str(len(body))
    if rng.random() < 0.3:
        name, values = rng.choice(_HEADERS)
        headers[name] = rng.choice(values)
    if rng.random() < 0.2:
        cut = rng.randrange(1, len(target) + 1)
        target = (
            target[:cut]
            + rng.choice(["%00", "%ff", "%", "//", "?", "&limit=-1", "é", "\x01", "../", "a" * 3_000])
            + target[cut:]
        )
    if rng.random() < 0.05:
        method = rng.choice(["PUT", "OPTIONS", "TRACE", "get", "X" * 30, "HEAD"])
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("utf-8", "surrogatepass") + b"\r\n" + body, f"{method} {target[:60]}"


def exchange(port: int, sent: bytes) -> tuple[str, float]:
    """The status that a request is answered with: ``closed`` without an answer, ``late`` if it takes too long."""
    begun = time.monotonic()
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has answered before it had all
            while piece := connection.recv(1 << 16):
                if len(answer) < 64:
                    answer += piece
    except TimeoutError:
        return "late", time.monotonic() - begun
    except OSError:
        pass
    status = answer.split(b" ", 2)[1].decode("ascii", "replace") if answer.startswith(b"HTTP/") else "closed"
    return status, time.monotonic() - begun


def memory(process: int) -> float:
    """The megabytes that a process and its children have in memory."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return own / 1024 + sum(memory(int(child)) for child in children)


def fuzz(port: int, server: int, number: int, seed: int, callers: int, say: Callable[[str], None]) -> Counter[str]:
    """Send so many requests from several callers; what the answers were."""
    found: Counter[str] = Counter()
    slowest = [0.0]

    def call(caller: int) -> None:
        rng = random.Random(f"{seed} {caller}")
        for _ in range(number // callers):
            sent, what = request_of(rng)
            status, took = exchange(port, sent)
            found[status] += 1
            slowest[0] = max(slowest[0], took)
            if status in ("late", "500"):
                say(f"{status}: {what}: {sent[:600]!r}")

    begun = time.monotonic()
    threads = [Thread(target=call, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    told = 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.5)
        if found.total() >= told + number // 10:
            told = found.total()
            say(f"{told:,} requests, {memory(server):.0f} MB")
    took = time.monotonic() - begun
    say(f"{found.total():,} requests in {took:.0f} s, the slowest {slowest[0]:.1f} s: {dict(found.most_common())}")
    return found


def main() -> int:
    """Start a server, send, tell; 1 if something was wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--callers", type=int, default=4)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environ = os.environ | {
            "WHOSAID_DATABASE_URL": f"sqlite:///{folder}/whosaid.db",
            "WHOSAID_MAX_BODY_BYTES": "100000",
            "WHOSAID_LOG_LEVEL": "error",
        }
        server = subprocess.Popen([sys.executable, "-m", "benchmarks.fake_server", str(port)], env=environ)
        try:
            ready = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            while exchange(port, ready)[0] != "200":
                if server.poll() is not None:
                    raise SystemExit("the server has stopped")
                time.sleep(0.2)

            def send(number: int, seed: int) -> Counter[str]:
                return fuzz(port, server.pid, number, seed, asked.callers, lambda line: print(line, flush=True))

            found = send(max(asked.requests // 10, 200), asked.seed + 1)  # memory settles
            before = memory(server.pid)
            found += send(asked.requests, asked.seed)
            grown = memory(server.pid) - before
            alive = exchange(port, ready)[0]
        finally:
            server.terminate()
            server.wait(60)
    wrong = {status: found[status] for status in ("500", "late") if found[status]}
    print(f"memory: {before:.0f} MB, then {grown:+.0f} MB; /readyz answers {alive}; wrong: {wrong or 'nothing'}")
    return 1 if wrong or alive != "200" or grown > 0.2 * before else 0


if __name__ == "__main__":
    sys.exit(main())
