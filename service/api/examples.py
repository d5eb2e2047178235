"""Examples for the contract: one short article and what is found in it."""

from __future__ import annotations

from typing import Any

_TEXT = "The harbour will reopen on Monday, Mayor Ines Duarte said. “We are ready,” she added."


def _span(piece: str) -> dict[str, Any]:
    start = _TEXT.index(piece)
    return {"start": start, "end": start + len(piece), "text": piece}


def _range(piece: str) -> dict[str, int]:
    start = _TEXT.index(piece)
    return {"start": start, "end": start + len(piece)}


def _attribution(source: str, cue: str, content: str, kind: str, confidence: float, sentence: int) -> dict[str, Any]:
    return {
        "source": [_span(source)],
        "cue": [_span(cue)],
        "content": [_span(content)],
        "type": kind,
        "confidence": confidence,
        "sentence": sentence,
        "paragraph": 0,
    }


REQUEST: dict[str, Any] = {"text": _TEXT, "title": "Harbour to reopen", "published": "2024-05-31"}

ANALYSIS: dict[str, Any] = {
    "article": {
        "text": _TEXT,
        "title": "Harbour to reopen",
        "url": None,
        "published": "2024-05-31",
        "language": "en",
        "paragraphs": [_range(_TEXT)],
        "sentences": [
            _range("The harbour will reopen on Monday, Mayor Ines Duarte said."),
            _range("“We are ready,” she added."),
        ],
    },
    "attributions": [
        _attribution("Mayor Ines Duarte", "said", "The harbour will reopen on Monday", "indirect", 0.93, 0),
        _attribution("she", "added", "“We are ready,”", "direct", 0.97, 1),
    ],
    "model": {"version": "1", "habit": "world"},
}
