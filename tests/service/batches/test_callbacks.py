"""Whoever handed a batch in is told, with a signature; the service's own network is left alone."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook

from service.batches import callbacks, chunks
from service.batches.callbacks import CallbackError, deliver_due, is_public, make_secret, resolve
from service.batches.intake import Options, take_in
from service.config import load_settings
from service.store.batches import Batch
from service.store.engine import Store
from tests.databases import ENGINES, opened

SETTINGS = load_settings({"callback_hosts": "localhost, 127.0.0.1"}, environ={})


class Receiver(HTTPServer):
    """Answers with the given statuses in turn, and keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.before: Callable[[], object] = lambda: None
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers.items()), body))
        self.server.paths.append(self.path)
        self.server.before()
        status, headers = self.server.answers.pop(0) if self.server.answers else (204, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened("sqlite", tmp_path) as store:
        yield store


def over(store: Store, url: str, state: str = "cancelled") -> str:
    """A batch that is over; its secret."""
    secret = make_secret()
    take_in(store, [b"{}"], Options(habit="world", callback_url=url, callback_secret=secret))
    with store.write() as session:
        chunks.end(session.scalars(select(Batch)).one(), state)
    return secret


def batch(store: Store) -> Batch:
    with store.read() as session:
        return session.scalars(select(Batch)).one()


def url(receiver: Receiver, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{receiver.server_port}/told?by=whosaid"


def make_due(store: Store) -> None:
    with store.write() as session:
        session.execute(update(Batch).values(callback_due=chunks.now()))


def test_the_end_is_told_with_a_signature(store: Store, receiver: Receiver) -> None:
    secret = over(store, url(receiver, "localhost"), "finished")
    deliver_due(store, SETTINGS)
    deliver_due(store, SETTINGS)
    ((headers, body),) = receiver.got
    found = Webhook(secret).verify(body, headers)
    assert (found["type"], found["data"]["id"], found["data"]["state"]) == (
        "batch.finished",
        batch(store).id,
        "finished",
    )
    assert headers["webhook-id"] == f"msg-{batch(store).id}"
    assert headers["Host"] == f"localhost:{receiver.server_port}"
    assert (batch(store).callback_state, batch(store).callback_attempts) == ("delivered", 1)


def test_a_failure_is_tried_again_later_under_the_same_id(store: Store, receiver: Receiver) -> None:
    receiver.answers = [(500, {}), (503, {"Retry-After": "7200"})]
    over(store, url(receiver))
    deliver_due(store, SETTINGS)
    first = batch(store)
    assert (first.callback_state, first.callback_error) == ("waiting", "the receiver answered 500")
    assert timedelta(seconds=3) < chunks.aware(first.callback_due) - chunks.now() < timedelta(seconds=8)
    deliver_due(store, SETTINGS)
    assert len(receiver.got) == 1  # it is not due yet
    make_due(store)
    deliver_due(store, SETTINGS)
    assert chunks.aware(batch(store).callback_due) - chunks.now() > timedelta(minutes=110)
    make_due(store)
    deliver_due(store, SETTINGS)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert (batch(store).callback_state, batch(store).callback_attempts) == ("delivered", 3)
    assert batch(store).callback_error is None


def test_an_address_beyond_ascii_is_escaped(store: Store, receiver: Receiver) -> None:
    over(store, f"http://127.0.0.1:{receiver.server_port}/höhe%20?wer=ü")
    deliver_due(store, SETTINGS)
    assert batch(store).callback_state == "delivered"
    assert receiver.paths == ["/h%C3%B6he%20?wer=%C3%BC"]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_that_is_no_text_is_an_error_like_others(engine: str, tmp_path: Path) -> None:
    with opened(engine, tmp_path) as store, socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"\x15\x03\x01\x00\x02\x02F")  # as TLS answers what is plain

        thread = threading.Thread(target=answer)
        thread.start()
        over(store, f"http://127.0.0.1:{server.getsockname()[1]}/")
        deliver_due(store, SETTINGS)
        thread.join()
        assert batch(store).callback_attempts == 1
        assert "\x00" not in str(batch(store).callback_error)


@pytest.mark.parametrize("answers", [[(410, {})], [(500, {})] * 20], ids=["gone", "never"])
def test_it_is_given_up_in_the_end(store: Store, receiver: Receiver, answers: list[Any]) -> None:
    receiver.answers = answers
    over(store, url(receiver))
    while batch(store).callback_state == "waiting":
        make_due(store)
        deliver_due(store, SETTINGS)
    assert batch(store).callback_state == "failed"
    assert len(receiver.got) in (1, len(callbacks.PAUSES) + 1)
    assert batch(store).callback_due is None


def test_redirects_are_not_followed(store: Store, receiver: Receiver) -> None:
    receiver.answers = [(302, {"Location": url(receiver)})]
    over(store, url(receiver))
    deliver_due(store, SETTINGS)
    assert len(receiver.got) == 1
    assert batch(store).callback_error == "the receiver answered 302"


def test_a_call_is_made_by_one_process_only(store: Store, receiver: Receiver) -> None:
    over(store, url(receiver))
    with_all = [threading.Thread(target=deliver_due, args=(store, SETTINGS)) for _ in range(8)]
    for one in with_all:
        one.start()
    for one in with_all:
        one.join()
    assert len(receiver.got) == 1


def test_a_receiver_that_drips_is_left(store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "_SECONDS_IN_ALL", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                for _ in range(100):
                    connection.sendall(b"H")
                    time.sleep(0.05)

        thread = threading.Thread(target=drip)
        thread.start()
        over(store, f"http://127.0.0.1:{server.getsockname()[1]}/")
        began = time.monotonic()
        deliver_due(store, SETTINGS)
        assert time.monotonic() - began < 3
        thread.join()
    assert (batch(store).callback_error, batch(store).callback_state) == (
        "the receiver took longer than 0.3 seconds",
        "waiting",
    )


def test_who_is_held_up_does_not_change_what_another_has_written(store: Store, receiver: Receiver) -> None:
    over(store, url(receiver))
    later = chunks.now() + timedelta(hours=1)

    def another() -> None:
        with store.write() as session:
            session.execute(update(Batch).values(callback_due=later, callback_attempts=7))

    receiver.before = another
    deliver_due(store, SETTINGS)
    found = batch(store)
    assert (found.callback_state, found.callback_attempts, chunks.aware(found.callback_due)) == ("waiting", 7, later)


def test_nobody_there_is_tried_again(store: Store) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        over(store, f"http://127.0.0.1:{taken.getsockname()[1]}/")
        deliver_due(store, SETTINGS)
    assert "ConnectionRefused" in str(batch(store).callback_error)
    assert batch(store).callback_state == "waiting"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
     "0.0.0.0",
     "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "nonsense"],
)  # fmt: skip
def test_internal_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_others_are(address: str) -> None:
    assert is_public(address)


def test_a_name_with_one_internal_address_is_refused(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    found = ["8.8.8.8", "10.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (one, 80)) for one in found])
    closed = load_settings(environ={})
    with pytest.raises(CallbackError, match=r"10\.0\.0\.1.*WHOSAID_CALLBACK_HOSTS"):
        resolve("http://news.example/", closed)
    over(store, "http://news.example/")
    deliver_due(store, closed)
    assert "10.0.0.1" in str(batch(store).callback_error)
    found.remove("10.0.0.1")
    assert resolve("http://news.example/", closed) == "8.8.8.8"


def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, store: Store, receiver: Receiver
) -> None:
    answers = iter([[(2, 1, 6, "", ("127.0.0.1", 80))]])  # a second question would get no answer
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: next(answers) if host == "news.example" else real(host, *a, **k)
    )
    over(store, f"http://news.example:{receiver.server_port}/")
    deliver_due(store, load_settings({"callback_hosts": "news.example"}, environ={}))
    ((headers, body),) = receiver.got
    assert headers["Host"] == f"news.example:{receiver.server_port}"
    assert json.loads(body)["type"] == "batch.cancelled"
