"""An article of a batch as its results have it."""

from __future__ import annotations

import json
from typing import Any

from service.batches.chunks import Line
from service.errors import ServiceError


def failed_item(line: Line, error: ServiceError, external_id: str | None = None) -> dict[str, Any]:
    """An article that has no result; its own id is looked for in the line if it is not told."""
    number, raw = line
    problem = {"type": f"/problems/{error.name}", "title": error.title, "status": error.status}
    if error.detail:
        problem["detail"] = error.detail
    return {
        "type": "error",
        "number": number,
        "external_id": external_id if external_id is not None else _own_id(raw),
        "article": None,
        "analysis": None,
        "error": problem | error.extra,
    }


def done_item(number: int, external_id: str | None, article: str | None, analysis: dict[str, Any]) -> dict[str, Any]:
    """An article that was read."""
    return {
        "type": "result",
        "number": number,
        "external_id": external_id,
        "article": article,
        "analysis": analysis,
        "error": None,
    }


def _own_id(raw: bytes) -> str | None:
    try:
        row = json.loads(raw)
        found = row.get("external_id", row.get("id"))
    except (ValueError, RecursionError, AttributeError):
        return None
    if isinstance(found, bool) or not isinstance(found, (str, int)):
        return None
    return str(found)[:200].encode("utf-8", "replace").decode()
