"""Callbacks: whoever handed a batch in is told when it is over, as Standard Webhooks has it.

An address from outside must not make the service speak to its own network, so the name is resolved once,
every address that it has must be public, and the connection goes to that very address; redirects are not followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import logging
import random
import socket
import ssl
import threading
import time
from base64 import b64decode, b64encode
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from secrets import token_bytes
from string import punctuation
from typing import Any, Final
from urllib.parse import quote, urlsplit

from sqlalchemy import select, update
from standardwebhooks import Webhook

from service import __version__
from service.batches import chunks
from service.batches.results import batch_record
from service.config import PREFIX, Settings
from service.store.batches import Batch
from service.store.engine import Store

PAUSES: Final = tuple(
    timedelta(seconds=one) for one in (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""How long after each failure the next attempt is; then it is given up."""

_SECONDS: Final = 15
_SECONDS_IN_ALL: Final = 45
_CLAIM: Final = timedelta(seconds=60)
"""After it the call is another process's; longer than one takes."""

_AT_ONCE: Final = 20
_GONE: Final = 410

_log = logging.getLogger(__name__)


class CallbackError(Exception):
    """An address cannot be called; the message says why."""


def make_secret() -> str:
    """A new secret to sign with."""
    return f"whsec_{b64encode(token_bytes(32)).decode()}"


def check_secret(secret: str) -> None:
    """See whether a secret can sign.

    Raises:
        ValueError: It cannot.
    """
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise ValueError("Must be whsec_ and the base64 of 24 to 64 bytes.")


def resolve(url: str, settings: Settings) -> str:
    """The one address that a callback may connect to.

    Raises:
        CallbackError: There is none, or one of the name's addresses is not public.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as error:
        raise CallbackError(f"{host} has no address: {error}") from None
    addresses = [str(one[4][0]) for one in found]
    allowed = {one.strip().lower() for one in settings.callback_hosts.split(",") if one.strip()}
    if host.lower() not in allowed:
        for address in addresses:
            if not is_public(address):
                raise CallbackError(
                    f"{host} is at {address}, which is not a public address; {PREFIX}CALLBACK_HOSTS may allow the host"
                )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address belongs to the internet at large, also where it wraps an address of the older kind."""
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(one, ipaddress.IPv6Address):
        if one in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)))
        for inner in (one.ipv4_mapped, one.sixtofour, *(one.teredo or ())):
            if inner is not None:
                return is_public(str(inner))
    return one.is_global and not one.is_multicast


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def deliver_due(store: Store, settings: Settings) -> None:
    """Make the callbacks that are due; each is made by one process only."""
    with store.read() as session:
        due = list(session.scalars(select(Batch.seq).where(Batch.callback_due <= chunks.now()).limit(_AT_ONCE)))
    for seq in due:
        _deliver(store, settings, seq)


def _deliver(store: Store, settings: Settings, seq: int) -> None:
    claimed = chunks.now() + _CLAIM
    with store.write(alone=False) as session:
        # Who moves the date makes the call; should it die, the next one is due a little later.
        mine = session.execute(
            update(Batch).where(Batch.seq == seq, Batch.callback_due <= chunks.now()).values(callback_due=claimed)
        )
        if mine.rowcount != 1:  # type: ignore[attr-defined]
            return
    with store.read() as session:
        batch = session.get(Batch, seq)
        if batch is None or batch.callback_url is None or batch.callback_secret is None:
            return
        data = {"type": f"batch.{batch.state}", "timestamp": chunks.aware(batch.ended).isoformat()}
        body = json.dumps(data | {"data": batch_record(session, batch)}, ensure_ascii=False)
        url, secret, id_, attempts = batch.callback_url, batch.callback_secret, batch.id, batch.callback_attempts + 1
    wait: timedelta | None = None
    try:
        wait = _post(url, secret, f"msg-{id_}", body, settings)
        error = None
    except CallbackError as found:
        error = str(found)
    except (OSError, http.client.HTTPException, ValueError) as found:
        # What it answered may be anything, also NUL, which PostgreSQL does not take.
        error = "".join(char if char.isprintable() else "\ufffd" for char in f"{type(found).__name__}: {found}"[:500])
    else:
        if wait is not None:
            error = "the receiver asked to be called later"
    outcome: dict[str, Any] = {"callback_attempts": attempts, "callback_error": error, "callback_due": None}
    if error is None:
        outcome["callback_state"] = "delivered"
    elif attempts > len(PAUSES) or error == _answered(_GONE):
        outcome["callback_state"] = "failed"
    else:
        pause = PAUSES[attempts - 1] * random.uniform(1, 1.2)
        outcome["callback_due"] = chunks.now() + max(pause, wait or timedelta())
    _log.info("callback for %s, attempt %d: %s", id_, attempts, error or "delivered")
    with store.write(alone=False) as session:
        # Whoever was held up for longer than the claim has nothing to say any more.
        session.execute(update(Batch).where(Batch.seq == seq, Batch.callback_due == claimed).values(**outcome))


def _post(url: str, secret: str, id_: str, body: str, settings: Settings) -> timedelta | None:
    """Make one call; how long the receiver asks to wait, if it says that it is too busy.

    Raises:
        CallbackError: It must not be called, or does not answer with success.
        OSError: It cannot be reached.
        http.client.HTTPException: What it answers is no HTTP.
    """
    end = time.monotonic() + _SECONDS_IN_ALL
    parts = urlsplit(url)
    address = resolve(url, settings)
    is_secure = parts.scheme == "https"
    connection = _Pinned(parts.hostname or "", parts.port or (443 if is_secure else 80), address, is_secure, end)
    moment = chunks.now()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"whosaid/{__version__}",
        "webhook-id": id_,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(id_, moment, body),
    }
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", quote(target, safe=punctuation), body.encode(), headers)
        response = connection.getresponse()
        if 200 <= response.status < 300:
            return None
        if response.status in (429, 503) and (asked := response.headers.get("Retry-After")):
            return _retry_after(asked)
        raise CallbackError(_answered(response.status))
    except (OSError, http.client.HTTPException):
        if connection.is_cut_off:
            raise CallbackError(f"the receiver took longer than {_SECONDS_IN_ALL:g} seconds") from None
        raise
    finally:
        connection.close()


def _answered(status: int) -> str:
    return f"the receiver answered {status}"


def _retry_after(asked: str) -> timedelta:
    try:
        seconds = float(asked)
    except ValueError:
        seconds = _seconds_until(parsedate_to_datetime(asked))
    return timedelta(seconds=min(max(seconds, 1.0), 24 * 3600))


def _seconds_until(moment: datetime) -> float:
    return (chunks.aware(moment) - chunks.now()).total_seconds()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked at, under the name that was asked for.

    It is cut off at its end: the timeout is one of each read, and a receiver may answer byte by byte.
    """

    def __init__(self, host: str, port: int, address: str, is_secure: bool, end: float) -> None:
        super().__init__(host, port, timeout=_SECONDS)
        self._address, self._is_secure, self._end = address, is_secure, end
        self.default_port = 443 if is_secure else 80
        self.is_cut_off = False
        self._timer: threading.Timer | None = None

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._is_secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        self._timer = threading.Timer(self._end - time.monotonic(), self._cut_off, [self.sock])
        self._timer.daemon = True
        self._timer.start()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().close()

    def _cut_off(self, sock: socket.socket) -> None:
        self.is_cut_off = True
        with suppress(OSError):  # it may be closed by now
            # Not TLS's own: that forgets the encryption, while another thread reads.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
