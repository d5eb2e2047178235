"""Who is asking, and whether they may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, TypeVar

from flask import Flask, Response, current_app, g, request

from service.api.routes import template
from service.config import Settings
from service.errors import Forbidden, Unauthorized
from service.security.keys import Key, Scope, known_key, note_use
from service.security.limits import Limits, Window, rate_headers

SCHEMES: Final[dict[str, dict[str, str]]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key: whosaid keys create makes one."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key in its own header."},
}
"""The ways to send a key, as OpenAPI has them."""

_COUNTED_AT_ONCE: Final = 1_000_000
_NOTED_EVERY: Final = timedelta(minutes=1)
STATUSES: Final = (401, 403, 429, 503)
"""How every operation that needs a key can fail: 503 is for a database that does not answer."""


Handler = TypeVar("Handler", bound=Callable[..., Any])


def needs(scope: Scope | None) -> Callable[[Handler], Handler]:
    """Say which scope a handler needs, None for none, where that is not what ``_scope`` takes it to be."""

    def decorate(handler: Handler) -> Handler:
        handler.whosaid_scope = scope  # type: ignore[attr-defined]
        return handler

    return decorate


def register(app: Flask) -> None:
    """Look at the key of each request of the app, if it needs one."""
    settings: Settings = app.config["SETTINGS"]
    app.config["LIMITS"] = Limits(app.config["STORE"], settings)
    app.before_request(_admit)
    app.after_request(_tell_limits)


def declare(app: Flask, contract: dict[str, Any]) -> None:
    """Write into the contract which scope each operation needs, and how a key can fail."""
    contract["components"]["securitySchemes"] = SCHEMES
    declared = {path.replace("_}", "}"): operations for path, operations in contract["paths"].items()}
    for rule in app.url_map.iter_rules():
        operations = declared.get(template(rule.rule), {})
        for method in operations.keys() & {one.lower() for one in rule.methods or ()}:
            scope = _scope(app, rule.rule, rule.endpoint, method.upper())
            operations[method]["security"] = [] if scope is None else [{name: [scope]} for name in SCHEMES]
            if scope is not None:
                found = operations[method]["responses"]
                found |= {str(one): {"$ref": f"#/components/responses/{HTTPStatus(one).name}"} for one in STATUSES}
                operations[method]["responses"] = dict(sorted(found.items()))


def _scope(app: Flask, rule: str, endpoint: str, method: str) -> Scope | None:
    """What a handler says that it needs; else, for all that is under /v1, what its method does."""
    view: Any = app.view_functions[endpoint]
    name = "get" if method == "HEAD" else method.lower()
    handler = getattr(getattr(view, "view_class", None), name, view)
    if hasattr(handler, "whosaid_scope"):
        scope: Scope | None = handler.whosaid_scope
        return scope
    if not rule.startswith("/v1/"):
        return None
    return "read" if method in ("GET", "HEAD") else "write"


def _admit() -> None:
    g.caller, g.key, g.windows = None, None, []
    rule = request.url_rule
    if not current_app.config["SETTINGS"].needs_key or rule is None or request.method == "OPTIONS":
        return
    scope = _scope(current_app, rule.rule, rule.endpoint, request.method)
    if scope is None:
        return
    g.key = key = _key()
    g.caller = key.id
    limits: Limits = current_app.config["LIMITS"]
    _note(limits.count_request(key))
    if scope not in key.scopes:
        raise Forbidden(
            f"The key {key.prefix} has not the scope {scope}.",
            headers={"WWW-Authenticate": f'Bearer realm="whosaid", error="insufficient_scope", scope="{scope}"'},
            scope=scope,
        )
    now = datetime.now(UTC)
    if key.last_used is None or now - key.last_used > _NOTED_EVERY:
        note_use(current_app.config["STORE"], key, now)


def _key() -> Key:
    kind, _, sent = request.headers.get("Authorization", "").partition(" ")
    sent = sent.strip() if kind.lower() == "bearer" else request.headers.get("X-API-Key", "")
    if not sent:
        raise Unauthorized(
            "Send an API key: Authorization: Bearer and the key, or X-API-Key.",
            headers={"WWW-Authenticate": 'Bearer realm="whosaid"'},
        )
    key = known_key(current_app.config["STORE"], sent)
    if key is None:
        raise Unauthorized(
            "This API key is not known, or not any more.",
            headers={"WWW-Authenticate": 'Bearer realm="whosaid", error="invalid_token"'},
        )
    return key


def count_characters(number: int) -> Window | None:
    """Count what is to be read for the caller of this request; see ``Limits.count_characters``.

    Returns:
        The day in which it counts; None if they have no limit.

    Raises:
        RateLimited: That is more than what their key has left today.
    """
    if g.key is None:
        return None
    limits: Limits = current_app.config["LIMITS"]
    counted = limits.count_characters(g.key, number)
    _note(counted)
    return counted


def give_back_characters(number: int, counted: Window | None) -> None:
    """Give the caller back what was counted and then not read; see ``Limits.give_back_characters``.

    Args:
        number: Code points.
        counted: What ``count_characters`` returned.
    """
    if counted is not None:
        limits: Limits = current_app.config["LIMITS"]
        _note(limits.give_back_characters(g.key, number, counted))


@contextmanager
def counting_lines() -> Iterator[Callable[[Iterable[bytes]], Iterator[bytes]]]:
    """Count the lines of an archive, in bytes, while they are taken in; if an error ends that, they count for nothing.

    Raises:
        RateLimited: The caller's key has not so much left today.
    """
    counted: Window | None = None
    number = 0

    def add(more: int) -> None:
        nonlocal counted, number
        latest = count_characters(more)
        # Of an archive that comes in around midnight only what the new day has counted can be given back.
        is_same = counted is not None and latest is not None and latest.number == counted.number
        counted, number = latest, number + more if is_same else more

    def count(lines: Iterable[bytes]) -> Iterator[bytes]:
        more = 0
        for line in lines:
            more += len(line)
            if more >= _COUNTED_AT_ONCE:
                add(more)
                more = 0
            yield line
        add(more)

    try:
        yield count
    except BaseException:
        give_back_characters(number, counted)
        raise


def _note(window: Window | None) -> None:
    if window is not None:
        g.windows = [one for one in g.windows if one.name != window.name] + [window]


def _tell_limits(response: Response) -> Response:
    for name, value in rate_headers(g.get("windows", [])).items():
        response.headers.setdefault(name, value)
    return response
