"""Records as linked data: schema.org for what is said, by whom and where, Web Annotation for the places.

The context stands in each document, so that nobody needs a network to understand it.
"""

from __future__ import annotations

from typing import Any, Final

from service.store.tables import Article, Claim

CONTEXT: Final[dict[str, Any]] = {
    "@vocab": "https://schema.org/",
    "oa": "http://www.w3.org/ns/oa#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    **{name: f"oa:{name}" for name in ("Annotation", "SpecificResource", "TextPositionSelector", "TextQuoteSelector")},
    "annotation": {"@reverse": "oa:hasBody"},
    "target": "oa:hasTarget",
    "source": {"@id": "oa:hasSource", "@type": "@id"},
    "selector": "oa:hasSelector",
    **{name: f"oa:{name}" for name in ("exact", "prefix", "suffix")},
    **{name: {"@id": f"oa:{name}", "@type": "xsd:nonNegativeInteger"} for name in ("start", "end")},
    **{
        name: {"@id": f"https://schema.org/{name}", "@type": "@id"}
        for name in ("url", "sameAs", "appearance", "isBasedOn")
    },
}

_AROUND: Final = 32  # code points of a quotation's prefix and suffix: enough to find it again in an edited page
_TYPES: Final = {"person": "Person", "organization": "Organization", "document": "CreativeWork"}


def name_of(id_: str) -> str:
    """A name for linked data; it is no address."""
    return f"urn:whosaid:{id_}"


def speaker_node(record: dict[str, Any]) -> dict[str, Any]:
    """A speaker: a Person, an Organization, a CreativeWork (a report), or a Thing."""
    node = {"@id": name_of(record["id"]), "@type": _TYPES.get(record["kind"], "Thing"), "name": record["name"]}
    if record.get("aliases"):
        node["alternateName"] = record["aliases"]
    if record.get("qid"):
        node["sameAs"] = f"http://www.wikidata.org/entity/{record['qid']}"
    return node


def article_node(one: Article) -> dict[str, Any]:
    """An article without its text."""
    told = {
        "@id": name_of(one.id),
        "@type": "NewsArticle",
        "identifier": one.external_id,
        "headline": one.title,
        "author": one.byline,
        "publisher": one.publisher and {"@type": "Organization", "name": one.publisher},
        "url": one.url,
        "datePublished": one.published,
        "inLanguage": one.language,
    }
    return {name: value for name, value in told.items() if value is not None}


def claim_node(one: Claim, record: dict[str, Any], article: dict[str, Any] | None = None) -> dict[str, Any]:
    """A claim, which is a quotation if any of it is quoted.

    Args:
        one: The claim.
        record: The same, as JSON has it.
        article: How its article is written; None for as ``article_node`` does.
    """
    node: dict[str, Any] = {
        "@id": name_of(one.id),
        "@type": "Claim" if one.type == "indirect" else ["Claim", "Quotation"],
        "text": one.text,
    }
    if one.appearance is not None:
        speaker = one.appearance.speaker
        node["creator"] = speaker_node({**record["speaker"], "qid": speaker.qid})
    where = name_of(one.article.id)
    node |= {"appearance": article or article_node(one.article), "isBasedOn": where}
    targets = [_target(one.article.text, where, span) for span in record["content"]]
    node["annotation"] = {"@type": "Annotation", "target": targets}
    return node


def _target(text: str, source: str, span: dict[str, Any]) -> dict[str, Any]:
    start, end = span["start"], span["end"]
    return {
        "@type": "SpecificResource",
        "source": source,
        "selector": [
            {"@type": "TextPositionSelector", "start": start, "end": end},
            {
                "@type": "TextQuoteSelector",
                "exact": span["text"],
                "prefix": text[max(start - _AROUND, 0) : start],
                "suffix": text[end : end + _AROUND],
            },
        ],
    }


def whole_article_nodes(one: Article, record: dict[str, Any]) -> list[dict[str, Any]]:
    """An article with its text, and its claims."""
    article = {**article_node(one), "articleBody": one.text}
    here = {"@id": article["@id"]}
    return [article, *(claim_node(claim, each, here) for claim, each in zip(one.claims, record["claims"], strict=True))]
