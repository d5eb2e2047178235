"""Lists in pages: opaque cursors that say where the next page begins."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, TypeVar

import marshmallow as ma
from marshmallow import fields, validate
from sqlalchemy import Select
from sqlalchemy.orm import Session

from service.errors import Invalid

PAGE: Final = 50
MAX_PAGE: Final = 200

_NO_FILTERS: Final = ("limit", "cursor", "format")

T = TypeVar("T")


class PageArgumentsSchema(ma.Schema):
    """Which page of a list."""

    class Meta:
        """A misspelt filter must not pass in silence."""

        unknown = ma.RAISE

    limit = fields.Integer(
        validate=validate.Range(min=1, max=MAX_PAGE),
        metadata={
            "description": f"How many items at most. Without it a page of JSON has {PAGE}; the other forms have all."
        },
    )
    cursor = fields.String(
        validate=validate.Length(min=1, max=500),
        metadata={"description": "The member next of the page before, with the same filters."},
    )


def rows_of(session: Session, query: Select[T], seq: Any, asked: Mapping[str, Any]) -> tuple[Sequence[Any], str | None]:
    """The rows of a page of a list, the latest first, and the cursor of the next page.

    Args:
        session: To read with.
        query: All items.
        seq: The column that tells their order.
        asked: The request's arguments: ``limit``, ``cursor``, and the filters, which the cursor is bound to.

    Raises:
        Invalid: The cursor is not of this list.
    """
    filters = sorted((k, v) for k, v in asked.items() if k not in _NO_FILTERS)
    # With the table: lists may be asked for with the same filters, or none.
    mark = sha256(repr((seq.class_.__tablename__, filters)).encode()).hexdigest()[:12]
    limit = asked.get("limit", PAGE)
    if "cursor" in asked:
        query = query.where(seq < place_of(asked["cursor"], mark))
    found: Sequence[Any] = session.scalars(query.order_by(seq.desc()).limit(limit + 1)).all()
    rows = found[:limit]
    return rows, cursor_of(getattr(rows[-1], seq.key), mark) if len(found) > len(rows) else None


def page(
    session: Session, query: Select[T], seq: Any, asked: Mapping[str, Any], show: Callable[[T], dict[str, Any]]
) -> dict[str, Any]:
    """A page of a list as the response has it; see ``rows_of``."""
    rows, following = rows_of(session, query, seq, asked)
    return {"items": [show(one) for one in rows], "next": following}


def cursor_of(seq: int, mark: str) -> str:
    """A place of a list as callers get it; ``mark`` tells the list."""
    return urlsafe_b64encode(json.dumps([seq, mark]).encode()).decode().rstrip("=")


def place_of(cursor: str, mark: str) -> int:
    """The place that a cursor names.

    Raises:
        Invalid: It is not of this list.
    """
    try:
        seq, found = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if found == mark and isinstance(seq, int) and 0 <= seq < 2**62:
            return seq
    except (ValueError, TypeError):
        pass
    message = "This is no cursor of this list with these filters; begin again without one."
    raise Invalid(errors=[{"field": "cursor", "message": message}])
