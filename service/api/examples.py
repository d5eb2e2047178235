"""Examples for the contract: one short article and what is found in it."""

from __future__ import annotations

from typing import Any

_FIRST = "The harbour will reopen on Monday, Mayor Ines Duarte said."
_SECOND = "“We are ready,” she added."
_TEXT = f"{_FIRST} {_SECOND}"


def _span(piece: str) -> dict[str, Any]:
    start = _TEXT.index(piece)
    return {"start": start, "end": start + len(piece), "text": piece}


def _range(piece: str) -> dict[str, int]:
    start = _TEXT.index(piece)
    return {"start": start, "end": start + len(piece)}


def _attribution(
    source: str, cue: str, content: str, kind: str, confidence: float, sentence: int, mention: str
) -> dict[str, Any]:
    return {
        "source": [_span(source)],
        "cue": [_span(cue)],
        "content": [_span(content)],
        "type": kind,
        "confidence": confidence,
        "sentence": sentence,
        "paragraph": 0,
        "speaker": "speaker-1",
        "mention": _span(mention),
        "candidates": [{"name": "Ines Duarte", "kind": "person", "probability": 0.98}],
    }


def _claim(
    id_: str, attribution: int, text: str, kind: str, category: str, worth: float, context: str
) -> dict[str, Any]:
    return {
        "id": id_,
        "attribution": attribution,
        "text": text,
        "speaker": "speaker-1",
        "type": kind,
        "category": category,
        "category_probability": 0.9,
        "check_worthiness": worth,
        "confidence": 0.95,
        "context": _span(context),
    }


REQUEST: dict[str, Any] = {"text": _TEXT, "title": "Harbour to reopen", "published": "2024-05-31"}

ANALYSIS: dict[str, Any] = {
    "article": {
        "text": _TEXT,
        "title": "Harbour to reopen",
        "byline": None,
        "publisher": None,
        "url": None,
        "published": "2024-05-31",
        "language": "en",
        "boilerplate": [],
        "paragraphs": [_range(_TEXT)],
        "sentences": [
            _range(_FIRST),
            _range(_SECOND),
        ],
    },
    "attributions": [
        _attribution(
            "Mayor Ines Duarte", "said", "The harbour will reopen on Monday", "indirect", 0.93, 0, "Ines Duarte"
        ),
        _attribution("she", "added", "“We are ready,”", "direct", 0.97, 1, "Ines Duarte"),
    ],
    "speakers": [
        {
            "id": "speaker-1",
            "name": "Ines Duarte",
            "kind": "person",
            "role": "Mayor",
            "aliases": [],
            "attributions": [0, 1],
        }
    ],
    "claims": [
        _claim("5d1f0c9ab2e84d7730b1c6aa", 0, "The harbour will reopen on Monday", "indirect", "future", 0.06, _FIRST),
        _claim("90be1f7a3c5544d2a8e61b07", 1, "We are ready", "direct", "opinion", 0.08, _SECOND),
    ],
    "model": {"version": "2", "habit": "world"},
}

BATCH_REQUEST: dict[str, Any] = {"items": [{"id": "harbour-1", **REQUEST}], "options": {"store": True}}

BATCH: dict[str, Any] = {
    "id": "batch-1f0c2d3e4b5a69788796",
    "state": "running",
    "total": 20000,
    "done": 4980,
    "failed": 20,
    "articles_per_second": 5.1,
    "seconds_left": 2941.2,
    "created": "2024-06-01T09:30:00+00:00",
    "started": "2024-06-01T09:30:01+00:00",
    "ended": None,
    "options": {"store": True, "habit": "world", "ignore_unknown": False},
    "callback": None,
    "links": {
        "self": "/v1/batches/batch-1f0c2d3e4b5a69788796",
        "results": "/v1/batches/batch-1f0c2d3e4b5a69788796/results",
        "errors": "/v1/batches/batch-1f0c2d3e4b5a69788796/errors",
    },
}

SEARCH: dict[str, Any] = {
    "text": "The port opens again at the beginning of the week.",
    "speaker": "Ines Duarte",
    "date": "2024-06-01",
    "filters": {"published_from": "2024-05-01"},
}
