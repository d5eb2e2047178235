"""``Idempotency-Key``: a request that is sent again is answered again and not done again.

The key is held before the work begins, and the answer is kept before it is sent, each in a transaction of
its own.  A process that dies in between leaves a key that is held for a while; whoever tries again after that
has the work done once more, so what it stores must come to the same: articles are known again by themselves.
"""

from __future__ import annotations

import json
import logging
import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from hashlib import sha256
from secrets import token_hex
from typing import Any, Final, TypeVar, cast

from flask import Response, current_app, g, request
from sqlalchemy import CursorResult, delete, update
from sqlalchemy.exc import SQLAlchemyError

from service.errors import Held, Invalid, Reused
from service.store.engine import Store
from service.store.tables import KeptAnswer

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
MAX_KEY: Final = 255

HELD_SECONDS: Final = 120
"""How long a key is held for one that does not answer: longer than an article waits and is read.

What takes longer says so by ``held_on``.
"""

T = TypeVar("T")

_KEY: Final = re.compile(r"[!-~]([ -~]*[!-~])?")
_log = logging.getLogger(__name__)

PARAMETER: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Any text of your own, best a UUID, that names this request. Sent again with the same body it gets"
    f" the same answer, marked by the header {REPLAYED}, and nothing is done again; with another body it is refused"
    " (422), and while the first one is worked on as well (409). It is remembered as long as /v1/info says.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": f"^{_KEY.pattern}$"},
}


@dataclass(frozen=True, slots=True)
class _Hold:
    """A key that is held by this request."""

    caller: str
    key: str
    holder: str


def idempotent(handler: Any, body: Callable[..., str] | None = None) -> Any:
    """Let callers send a request again.

    Args:
        handler: A handler that answers once it has stored; errors are raised, and are not remembered.
        body: Given the handler's arguments, tells the body; None takes them as JSON.
    """
    told = body or _canonical

    @wraps(handler)
    def answer(self: Any, *args: Any, **kwargs: Any) -> Any:
        if HEADER not in request.headers:
            return handler(self, *args, **kwargs)
        key = _checked(request.headers[HEADER])
        asked = f"{request.method} {request.full_path}\n{told(*args)}"
        store: Store = current_app.config["STORE"]
        held = _hold(store, str(g.get("caller") or ""), key, sha256(asked.encode(errors="surrogatepass")).hexdigest())
        if isinstance(held, Response):
            return held
        g.held = held
        try:
            response = current_app.make_response(handler(self, *args, **kwargs))
        except BaseException:
            with suppress(SQLAlchemyError):  # it is free once its time is over
                _release(store, held)
            raise
        _keep(store, held, response)
        return response

    return answer


def held_on(items: Iterable[T]) -> Iterator[T]:
    """The same items; as long as they come, the request's key is held, if it has one.

    Raises:
        Held: They paused for so long that the same request, sent again, has taken the key over.
    """
    held: _Hold | None = g.get("held")
    renewed = time.monotonic()
    for item in items:
        if held and time.monotonic() - renewed > HELD_SECONDS / 4:
            _renew(current_app.config["STORE"], held)
            renewed = time.monotonic()
        yield item


def _canonical(*args: Any) -> str:
    return json.dumps(args, sort_keys=True, default=str)


def _checked(key: str) -> str:
    if len(key) <= MAX_KEY and _KEY.fullmatch(key):
        return key
    message = f"Must be 1 to {MAX_KEY} printable ASCII characters; this has {len(key)}."
    raise Invalid(errors=[{"field": HEADER, "message": message}], limit=MAX_KEY, observed=len(key))


def _hold(store: Store, caller: str, key: str, fingerprint: str) -> _Hold | Response:
    """Hold a key for this request, or find the answer that was given before.

    Raises:
        Reused: It belongs to another request.
        Held: The same request is being worked on.
    """
    now, holder = time.time(), token_hex(16)
    life = current_app.config["SETTINGS"].idempotency_hours * 3600
    with store.write() as session:
        session.execute(delete(KeptAnswer).where(KeptAnswer.created < now - life))
        known = session.get(KeptAnswer, (caller, key))
        if known is None:
            known = KeptAnswer(caller=caller, key=key, fingerprint=fingerprint, created=now)
            session.add(known)
        elif known.fingerprint != fingerprint:
            raise Reused(f"The {HEADER} {key!r} came with another request before; use a new one for each.")
        elif known.status is not None:
            return _again(known)
        elif known.held_until > now:
            raise _is_held(key)
        known.holder, known.held_until = holder, now + HELD_SECONDS
    return _Hold(caller, key, holder)


def _again(known: KeptAnswer) -> Response:
    response = Response(
        zlib.decompress(known.body or b""),
        status=known.status,
        headers=[(name, value) for name, value in known.headers or []],
    )
    response.headers[REPLAYED] = "true"
    return response


def _keep(store: Store, held: _Hold, response: Response) -> None:
    headers = [[name, value] for name, value in response.headers if name != "Content-Length"]
    try:
        with store.write() as session:
            session.execute(
                update(KeptAnswer)
                .where(*_mine(held))
                .values(status=response.status_code, headers=headers, body=zlib.compress(response.get_data(), 1))
            )
    except SQLAlchemyError:  # the work is done: that it is not remembered must not look like a failure
        _log.exception("the answer of request %s is not remembered", g.request_id)


def _renew(store: Store, held: _Hold) -> None:
    with store.write() as session:
        mine = update(KeptAnswer).where(*_mine(held)).values(held_until=time.time() + HELD_SECONDS)
        if not cast("CursorResult[Any]", session.execute(mine)).rowcount:
            raise _is_held(held.key)


def _is_held(key: str) -> Held:
    return Held(f"The request with the {HEADER} {key!r} is being worked on.", retry_after=1)


def _release(store: Store, held: _Hold) -> None:
    with store.write() as session:
        session.execute(delete(KeptAnswer).where(*_mine(held)))


def _mine(held: _Hold) -> tuple[Any, ...]:
    """Only while nobody else has taken the key over."""
    return KeptAnswer.caller == held.caller, KeptAnswer.key == held.key, KeptAnswer.holder == held.holder
