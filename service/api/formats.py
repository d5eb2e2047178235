"""Lists as files: JSON, CSV, NDJSON and JSON-LD, written piece by piece."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from io import StringIO
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from service.api.linked import CONTEXT
from service.api.lists import Listing, Record
from service.store.engine import Store

FORMULA: Final = "=+-@\t\r\n＝＋－＠"
"""A cell that begins with one of these is a formula to some spreadsheet."""

T = TypeVar("T")


def written(
    listing: Listing[T], store: Store, asked: Mapping[str, Any], form: str, *, ends: bool = False
) -> Iterator[str]:
    """A list as a file.

    Args:
        listing: The list.
        store: Where its items are.
        asked: Filters; ``cursor``, to begin there; ``limit``, the most items; without it all.
        form: One of ``service.api.schemas.FORMATS``.
        ends: Close NDJSON with a line ``{"type": "end", "items": …, "next": …}``: a reader who misses it
            knows that something is missing.  The other forms show that themselves, but for CSV.

    Yields:
        Pieces that end where lines end.

    Raises:
        Invalid: The cursor is not of this list; with the first piece.
    """
    if form == "jsonld":
        pages = listing.walk(store, asked, partial(_nodes, listing))
        head = json.dumps({"@context": CONTEXT}, ensure_ascii=False)[:-1]
        yield from _one_object(f'{head}, "@graph": [', pages, ended=False)
        return
    pages = listing.walk(store, asked, listing.records)
    if form == "csv":
        before = csv_rows([list(listing.columns)])
        for records, _ in pages:
            yield before + csv_rows([cell(record) for cell in listing.columns.values()] for record in records)
            before = ""
    elif form == "ndjson":
        count, end = 0, None
        for records, following in pages:
            yield ndjson_lines(records)
            count, end = count + len(records), following
        if ends:
            yield ndjson_lines([{"type": "end", "items": count, "next": end}])
    else:
        yield from _one_object('{"items": [', pages, ended=True)


def _nodes(listing: Listing[T], session: Session, rows: Sequence[T]) -> list[Record]:
    return [listing.node(*both) for both in zip(rows, listing.records(session, rows), strict=True)]


def _one_object(head: str, pages: Iterable[tuple[list[Record], str | None]], *, ended: bool) -> Iterator[str]:
    """One JSON object with a line for each item."""
    before, end = head + "\n", None
    for items, following in pages:
        if items or end is None:
            yield before + ",\n".join(json.dumps(one, ensure_ascii=False) for one in items)
            before = ",\n"
        end = following
    yield f'\n], "next": {json.dumps(end)}}}\n' if ended else "\n]}\n"


def ndjson_lines(records: Iterable[Record]) -> str:
    """Records, one a line."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)


def csv_rows(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as RFC 4180 has them, none of whose cells a spreadsheet would run.

    A text that begins like a formula gets an apostrophe in front, as OWASP advises; nothing else is changed.
    """
    out = StringIO()
    csv.writer(out).writerows([_inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def _inert(cell: Any) -> Any:
    return "'" + cell if isinstance(cell, str) and cell[:1] and cell[0] in FORMULA else cell
