"""Where each answer leads: the contract's links between operations."""

from __future__ import annotations

from typing import Any, Final, NamedTuple


class Link(NamedTuple):
    """From an operation's good answers to another operation, with its parameters and its whole body."""

    start: str
    target: str
    description: str
    parameters: dict[str, str]
    body: Any


def _link(start: str, target: str, description: str, body: Any = None, **parameters: str) -> Link:
    """A link whose parameters are places in the answer (JSON pointers)."""
    return Link(start, target, description, {name: _in(place) for name, place in parameters.items()}, body)


def _in(place: str) -> str:
    return f"$response.body#{place}"


LINKS: Final = (
    _link("analyse", "storeArticle", "Keep the article.", "$request.body"),
    _link("storeArticle", "getArticle", "The article again.", id="/id"),
    _link("storeArticle", "deleteArticle", "Take it out.", id="/id"),
    _link("storeArticle", "getClaim", "Its first claim; the same for each.", id="/claims/0/id"),
    _link("storeArticle", "getSpeaker", "Its first speaker; the same for each.", id="/speakers/0/id"),
    _link("storeArticle", "listClaims", "Its claims.", article="/id"),
    _link("listArticles", "getArticle", "One of the list.", id="/items/0/id"),
    _link("listArticles", "listArticles", "The next page.", cursor="/next"),
    _link("getArticle", "deleteArticle", "Take it out.", id="/id"),
    _link("listClaims", "getClaim", "One of the list.", id="/items/0/id"),
    _link("listClaims", "listClaims", "The next page.", cursor="/next"),
    _link("getClaim", "getArticle", "The article that has it.", id="/article"),
    _link("getClaim", "getSpeaker", "Who said it.", id="/speaker/id"),
    _link(
        "getClaim",
        "splitSpeaker",
        "This article means somebody else.",
        {"articles": [_in("/article")]},
        id="/speaker/id",
    ),
    _link("listSpeakers", "getSpeaker", "One of the list.", id="/items/0/id"),
    _link("listSpeakers", "listSpeakers", "The next page.", cursor="/next"),
    _link("listSpeakers", "mergeSpeakers", "Two that are one.", {"speaker": _in("/items/1/id")}, id="/items/0/id"),
    _link("getSpeaker", "changeSpeaker", "Mend the name.", id="/id"),
    _link("getSpeaker", "listClaims", "What they said.", speaker="/id"),
    _link("changeSpeaker", "getSpeaker", "The speaker again.", id="/id"),
    _link("mergeSpeakers", "getSpeaker", "The speaker again.", id="/id"),
    _link("splitSpeaker", "getSpeaker", "The new speaker.", id="/id"),
    _link("getClaim", "listSimilarClaims", "Claims that assert the same.", id="/id"),
    _link("getClaim", "getCluster", "All that assert it.", id="/cluster"),
    _link("listSimilarClaims", "getClaim", "The likeliest.", id="/items/0/id"),
    _link("searchClaims", "getClaim", "The likeliest.", id="/items/0/id"),
    _link("searchClaims", "listSimilarClaims", "More that assert the same as the likeliest.", id="/items/0/id"),
    _link("listClusters", "getCluster", "One of the list.", id="/items/0/id"),
    _link("listClusters", "listClusters", "The next page.", cursor="/next"),
    _link("getCluster", "listClaims", "All of its claims.", cluster="/id"),
    _link("getCluster", "getClaim", "The one that appeared first.", id="/first/claim/id"),
    _link("createBatch", "getBatch", "How far it has come.", id="/id"),
    _link("createBatch", "listBatchResults", "What was found.", id="/id"),
    _link("createBatch", "listBatchErrors", "What has no result.", id="/id"),
    _link("createBatch", "cancelBatch", "Stop it.", id="/id"),
    _link("listBatches", "getBatch", "One of the list.", id="/items/0/id"),
    _link("listBatches", "listBatches", "The next page.", cursor="/next"),
    _link("getBatch", "listBatchResults", "What was found.", id="/id"),
    _link("listBatchResults", "getArticle", "An article that was stored.", id="/items/0/article"),
)
