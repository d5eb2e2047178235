"""An article of a batch as its results have it."""

from __future__ import annotations

import json
import zlib
from typing import Any

from service.batches.chunks import Line, Outcome
from service.errors import ServiceError


def failed(line: Line, error: ServiceError, external_id: str | None = None) -> Outcome:
    """An article that has no result; its own id is looked for in the line if it is not told."""
    number, raw = line
    problem = {"type": f"/problems/{error.name}", "title": error.title, "status": error.status}
    if error.detail:
        problem["detail"] = error.detail
    own_id = external_id if external_id is not None else _own_id(raw)
    return _outcome(number, own_id, error=problem | error.extra)


def done(number: int, external_id: str | None, article: str | None, analysis: dict[str, Any]) -> Outcome:
    """An article that was read, and the id under which it is stored, if it is."""
    return _outcome(number, external_id, article=article, analysis=analysis)


def _outcome(
    number: int,
    external_id: str | None,
    *,
    article: str | None = None,
    analysis: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> Outcome:
    record = {
        "type": "result" if error is None else "error",
        "number": number,
        "external_id": external_id,
        "article": article,
        "analysis": analysis,
        "error": error,
    }
    packed = zlib.compress(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"), 1)
    return Outcome(number, error is None, packed)


def _own_id(raw: bytes) -> str | None:
    try:
        row = json.loads(raw)
        found = row.get("external_id", row.get("id"))
    except (ValueError, RecursionError, AttributeError):
        return None
    if isinstance(found, bool) or not isinstance(found, (str, int)):
        return None
    return str(found)[:200].encode("utf-8", "replace").decode()
