"""Examples for the contract: one short article and all that becomes of it."""

from __future__ import annotations

from typing import Any, Final

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
    "model": {"version": "3", "habit": "world"},
}

EXAMPLE_IDS: Final = {
    "article": "article-1f0c2d3e4b5a69788796",
    "claim": "claim-25afe1bf7e33c419d23e",
    "speaker": "speaker-770177b2c7284e1a538e",
    "cluster": "cluster-0b9d2d3e4f5a69788796",
    "batch": "batch-1f0c2d3e4b5a69788796",
}
"""An id of each kind of record, the same in all examples."""

_SPEAKER = {"id": EXAMPLE_IDS["speaker"], "name": "Ines Duarte", "kind": "person"}
_MODEL = {"version": "3", "habit": "world"}

_HEAD: dict[str, Any] = {
    "id": EXAMPLE_IDS["article"],
    "external_id": "harbour-1",
    "title": "Harbour to reopen",
    "byline": None,
    "publisher": "Harbour News",
    "url": "https://news.example/harbour",
    "published": "2024-05-31",
    "language": "en",
    "created": "2024-05-31T09:30:00+00:00",
    "updated": "2024-05-31T09:30:00+00:00",
    "model": _MODEL,
}


def _stored(claim: dict[str, Any], attribution: dict[str, Any], id_: str) -> dict[str, Any]:
    """A claim of the analysis as it is stored."""
    spans = {role: attribution[role] for role in ("source", "cue", "content")}
    kept = {name: value for name, value in claim.items() if name != "attribution"}
    about = {"id": id_, "article": EXAMPLE_IDS["article"], "speaker": _SPEAKER, "cluster": EXAMPLE_IDS["cluster"]}
    of_article = {name: _HEAD[name] for name in ("title", "url", "publisher", "published")}
    return kept | about | of_article | spans


_CLAIMS = [
    _stored(claim, ANALYSIS["attributions"][claim["attribution"]], id_)
    for claim, id_ in zip(ANALYSIS["claims"], (EXAMPLE_IDS["claim"], "claim-c6b52ae156e47fd5cc1b"), strict=True)
]

_STORED_SPEAKER: dict[str, Any] = {
    **_SPEAKER,
    "aliases": ["Mayor Duarte"],
    "qid": None,
    "articles": 1,
    "claims": 2,
    "first_seen": "2024-05-31",
    "last_seen": "2024-05-31",
}
_CURSOR = "WzQyLCI3YjFjMDk5ZmUyZDQiXQ"

_BATCH_REQUEST: dict[str, Any] = {"items": [{"id": "harbour-1", **REQUEST}], "options": {"store": True}}

_BATCH: dict[str, Any] = {
    "id": EXAMPLE_IDS["batch"],
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
        "self": f"/v1/batches/{EXAMPLE_IDS['batch']}",
        "results": f"/v1/batches/{EXAMPLE_IDS['batch']}/results",
        "errors": f"/v1/batches/{EXAMPLE_IDS['batch']}/errors",
    },
}

_ERROR = {
    "type": "/problems/invalid",
    "title": "Some fields are not valid",
    "status": 422,
    "errors": [{"field": "text", "message": "Must not be empty."}],
}

_ELSEWHERE = "article-9c0c2d3e4b5a69788796"
_TIMELINE = [
    {"score": 1.0, "claim": _CLAIMS[0], "article": _HEAD},
    {
        "score": 0.93,
        "claim": _CLAIMS[0] | {"id": "claim-7be1fa5cc1bbf7e33c41", "article": _ELSEWHERE},
        "article": _HEAD | {"id": _ELSEWHERE, "publisher": "The Coast", "published": "2024-06-02"},
    },
]
_CLUSTER: dict[str, Any] = {
    "id": EXAMPLE_IDS["cluster"],
    "text": _CLAIMS[0]["text"],
    "articles": 2,
    "claims": 2,
    "first_published": "2024-05-31",
    "last_published": "2024-06-02",
    "speakers": [_SPEAKER],
    "publishers": ["Harbour News", "The Coast"],
}

EXAMPLES: dict[str, Any] = {
    "AnalysisRequest": REQUEST,
    "Analysis": ANALYSIS,
    "ArticleRequest": {**REQUEST, "external_id": "harbour-1", "publisher": "Harbour News"},
    "StoredArticle": {
        **_HEAD,
        "text": _TEXT,
        "boilerplate": [],
        "speakers": [{**_SPEAKER, "called": "Ines Duarte", "role": "Mayor", "aliases": [], "candidates": []}],
        "claims": _CLAIMS,
    },
    "ArticlePage": {"items": [_HEAD], "next": _CURSOR},
    "StoredClaim": _CLAIMS[0],
    "ClaimPage": {"items": _CLAIMS, "next": _CURSOR},
    "StoredSpeaker": _STORED_SPEAKER,
    "SpeakerPage": {"items": [_STORED_SPEAKER], "next": None},
    "SpeakerChange": {"name": "Inês Duarte", "qid": "Q42"},
    "Merge": {"speaker": "speaker-0b1c2d3e4f5a69788796"},
    "Split": {"articles": [EXAMPLE_IDS["article"]]},
    "Search": {
        "text": "The port opens again at the beginning of the week.",
        "speaker": "Ines Duarte",
        "date": "2024-06-01",
        "filters": {"published_from": "2024-05-01"},
    },
    "SimilarClaims": {"items": [_CLAIMS[0] | {"score": 0.93}]},
    "ClusterPage": {"items": [_CLUSTER], "next": None},
    "Cluster": {**_CLUSTER, "first": _TIMELINE[0], "timeline": _TIMELINE},
    "BatchRequest": _BATCH_REQUEST,
    "NewBatch": {**_BATCH, "callback_secret": None},
    "Batch": _BATCH,
    "BatchPage": {"items": [_BATCH], "next": _CURSOR},
    "BatchResultPage": {
        "items": [
            {
                "type": "result",
                "number": 1,
                "external_id": "harbour-1",
                "article": EXAMPLE_IDS["article"],
                "analysis": ANALYSIS,
                "error": None,
            }
        ],
        "next": _CURSOR,
    },
    "BatchErrorPage": {"items": [{"number": 7, "external_id": None, "error": _ERROR}], "next": _CURSOR},
    "Status": {"status": "ok"},
    "Readiness": {"status": "ok", "checks": {"database": "ok", "model": "ok"}},
    "Info": {
        "name": "whosaid",
        "version": "0.1.0",
        "model": _MODEL,
        "same_claim": {"version": "1"},
        "habits": ["world", "polnear"],
        "languages": ["en"],
        "needs_key": True,
        "limits": {
            "max_body_bytes": 1_000_000,
            "max_waiting": 4,
            "idempotency_hours": 24,
            "deadline": 60,
            "requests_per_minute": 600,
            "characters_per_day": 0,
            "max_batch_bytes": 1_000_000_000,
            "max_gzip_ratio": 100,
            "keep_batches": 30,
            "max_title": 1_000,
            "max_url": 2_000,
        },
    },
}
"""By the names of the schemas: what a body of it looks like."""

PROBLEMS: dict[str, dict[str, Any]] = {
    "bad-json": {"detail": "The body is not JSON: Expecting value (line 1, column 10)."},
    "unauthorized": {"detail": "Send an API key: Authorization: Bearer and the key, or X-API-Key."},
    "forbidden": {"detail": "The key ws_5f2c has not the scope write.", "scope": "write"},
    "not-found": {"detail": "There is no article 'article-0'."},
    "method-not-allowed": {"detail": "The method is not allowed for the requested URL."},
    "conflict": {"detail": "The external_id and the url are of two different articles."},
    "too-large": {
        "detail": "The body has 2,000,000 bytes or more; at most 1,000,000 are allowed.",
        "limit": 1_000_000,
        "observed": 2_000_000,
        "setting": "WHOSAID_MAX_BODY_BYTES",
    },
    "wrong-content-type": {"detail": "The content type must be application/json, not 'text/plain'."},
    "invalid": {"errors": [{"field": "text", "message": "Must not be empty."}]},
    "overloaded": {
        "detail": "16 requests are waiting already.",
        "limit": 16,
        "observed": 17,
        "setting": "WHOSAID_MAX_WAITING",
    },
    "rate-limited": {
        "detail": "The key may have 600 requests in a minute; 600 are used, and this would be 1 more.",
        "limit": 600,
        "observed": 601,
        "setting": "WHOSAID_REQUESTS_PER_MINUTE",
    },
    "in-progress": {"detail": "The request with the Idempotency-Key 'harbour-1' is being worked on."},
    "key-reused": {
        "detail": "The Idempotency-Key 'harbour-1' came with another request before; use a new one for each."
    },
    "deadline-passed": {
        "detail": "The turn to be read did not come in time; nothing was read.",
        "setting": "WHOSAID_DEADLINE",
    },
    "not-ready": {"detail": "The database does not answer.", "checks": {"database": "The database does not answer."}},
    "internal": {"detail": "Something went wrong that should not have; nothing was stored."},
}
"""By the names of the problems: what one of them says besides its title."""
