"""Request bodies: size, content type, encoding and JSON, each with its own clear error."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, current_app
from webargs.flaskparser import FlaskParser

from service.config import PREFIX, Settings
from service.errors import BadJSON, BadRequest, TooLarge, WrongContentType

_DRAINED = 16  # times the limit: so much of a body that is too long is read
_CHUNK = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


class Parser(FlaskParser):
    """webargs' parser with our own reading of JSON."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": None}
    """A misspelt filter is as wrong as a misspelt field: the schemas' own rule holds."""

    def load_querystring(self, req: Request, schema: Any) -> Any:
        """The query; webargs would take the first of several values, and the others would pass in silence.

        Raises:
            ValidationError: A key that is not declared as a list stands more than once.
        """
        query = super().load_querystring(req, schema)
        several = [name for name, values in req.args.lists() if len(values) > 1 and name not in query.multiple_keys]
        if several:
            raise ma.ValidationError({name: ["Stands more than once; send one value."] for name in several})
        return query

    def load_json(self, req: Request, schema: Any) -> Any:
        """The body as JSON.

        Raises:
            WrongContentType: It says that it is something else.
            TooLarge: It is longer than the limit.
            BadRequest: It is said to be gzip, and is not.
            BadJSON: It is not UTF-8, not JSON, or has a key twice.
        """
        if req.mimetype != "application/json":
            raise WrongContentType(
                f"The content type must be application/json, not {req.mimetype!r}."
                if req.mimetype
                else "There is no Content-Type header; it must be application/json."
            )
        charset = req.mimetype_params.get("charset", "utf-8").lower()
        if charset not in ("utf-8", "utf8"):
            raise WrongContentType(f"The charset must be utf-8, not {charset!r}.")
        return parse_json(read_body(req))


def read_body(req: Request) -> bytes:
    """The whole body, taken out of its gzip if it is in one.

    Raises:
        WrongContentType: It is encoded in another way.
        TooLarge: It is longer than the limit, as it is sent or without its gzip.
        BadRequest: It is said to be gzip, and is not.
    """
    encoding = req.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise WrongContentType(
            f"The body may be sent as it is or with gzip, but its Content-Encoding is {encoding!r}.",
            headers={"Accept-Encoding": "gzip, identity"},
        )
    settings: Settings = current_app.config["SETTINGS"]
    limit = settings.max_body_bytes
    size = req.content_length
    if size is None:
        # Sent in chunks: its length is known once it is here.
        body = b"".join(_pieces(req, limit + 1))
        size = len(body)
    elif size <= limit:
        body = b"".join(_pieces(req, size))
    if size > limit:
        drain(req, limit * _DRAINED)
        raise _too_large(f"The body has {size:,} bytes or more", limit, size)
    return body if encoding == "identity" else b"".join(inflate([body], limit, settings.max_gzip_ratio))


def inflate(pieces: Iterable[bytes], limit: int, ratio: int) -> Iterator[bytes]:
    """The content of a gzip, piece by piece; never more than the limit is in memory.

    Args:
        pieces: The gzip.
        limit: Bytes that its content may have.
        ratio: To how many times its size it may unpack.

    Raises:
        TooLarge: It has more, or so many for what was sent that it can only be a bomb.
        BadRequest: It is no gzip, or breaks off.
    """
    sent = size = 0
    member = zlib.decompressobj(_GZIP)
    begun = False
    try:
        for piece in pieces:
            sent, left = sent + len(piece), piece
            while left or not begun or not member.eof:
                if member.eof:  # a gzip may have several members
                    member = zlib.decompressobj(_GZIP)
                begun = True
                out = member.decompress(left, _CHUNK)
                left = member.unused_data if member.eof else member.unconsumed_tail
                size += len(out)
                if size > limit:
                    raise _too_large(f"The body has {size:,} bytes or more without its gzip", limit, size)
                if size > _CHUNK and size > ratio * sent:
                    raise TooLarge(
                        f"The body unpacks to more than {ratio} times its size.",
                        limit=ratio,
                        observed=size // sent,
                        setting=PREFIX + "MAX_GZIP_RATIO",
                    )
                yield out
                if not left and len(out) < _CHUNK:
                    break
    except zlib.error:
        raise BadRequest("The body is not gzip, as its Content-Encoding says.") from None
    if begun and not member.eof:
        raise BadRequest("The body's gzip breaks off.")


def _too_large(says: str, limit: int, size: int) -> TooLarge:
    return TooLarge(
        f"{says}; at most {limit:,} are allowed.", limit=limit, observed=size, setting=PREFIX + "MAX_BODY_BYTES"
    )


def drain(req: Request, most: int) -> None:
    """Read on for a while: a client that is busy sending would see a broken connection instead of the answer."""
    for _ in _pieces(req, most):
        pass


def _pieces(req: Request, most: int) -> Iterator[bytes]:
    """The body, piece by piece, up to so many bytes."""
    while most > 0 and (piece := req.stream.read(min(most, _CHUNK))):
        most -= len(piece)
        yield piece


def parse_json(body: bytes) -> Any:
    """Strict JSON: UTF-8, no key twice, no NaN or Infinity.

    Raises:
        BadJSON: It is anything else; the detail says what and where.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJSON(f"The body is not UTF-8: byte {body[error.start]:#04x} at offset {error.start}.") from None
    if not text.strip():
        raise BadJSON("The body is empty.")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise BadJSON(f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except RecursionError:
        raise BadJSON("The body is nested too deeply.") from None
    except ValueError as error:  # an integer of thousands of digits
        raise BadJSON(f"The body is not usable JSON: {error}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name in times if times[name] > 1)
        raise BadJSON(f"The key {_shown(twice)} stands twice in one object.")
    return out


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 40 else name[:40] + "…")


def _constant(name: str) -> NoReturn:
    raise BadJSON(f"The body is not JSON: {name} is not a JSON number.")
