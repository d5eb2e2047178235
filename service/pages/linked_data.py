"""What a web page tells of its article in JSON-LD, with schema.org's words."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any, Final

from lxml.html import HtmlElement

from service.pages.dates import day_in

Node = dict[str, Any]

_SCRIPTS: Final = ("application/ld+json", "application/settings+json")
_ARTICLES: Final = ("article", "blogposting", "report")  # how their types end: NewsArticle, LiveBlogPosting
_SITES: Final = ("website", "organization")
_MOST: Final = 50  # authors, addresses and the like of one article
_LONGEST: Final = 10_000  # code points of a text that is looked at

_CDATA: Final = re.compile(r"<!\[CDATA\[|\]\]>")
_LAST_COMMA: Final = re.compile(r",(?=\s*[}\]])")
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>")
_BY: Final = re.compile(r"^by\s+", re.IGNORECASE)
_NO_NAME: Final = re.compile(r"https?:|\S+@\S+$", re.IGNORECASE)
_SCHEME: Final = re.compile(r"^(?:https?:)?//(?:www\.)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a page's own article, and the name of its site."""

    title: str | None = None
    byline: str | None = None
    publisher: str | None = None
    published: str | None = None
    site: str | None = None


def read_linked_data(tree: HtmlElement, addresses: Collection[str], titles: Collection[str]) -> Told:
    """What a page's JSON-LD tells of its own article; of others that it tells of, nothing is taken.

    Args:
        tree: The page.
        addresses: Where it says that it is.
        titles: Its headlines, which tell the article among several whose addresses do not.
    """
    nodes = _nodes(tree)
    known: dict[str, Node] = {}
    for node in nodes:
        if isinstance(id_ := node.get("@id"), str) and len(node) > 1:  # nothing but an @id is a reference
            known.setdefault(id_, node)
    site = _site(nodes)
    article = _own([node for node in nodes if _is(node, _ARTICLES)], known, addresses, titles)
    if article is None:
        return Told(site=site)
    people = [one for one in _things(article.get("author"), known) if _is(one, ("person",), or_untold=True)]
    authors = [name for one in people for name in _of(one)]
    return Told(
        _text(article.get("headline")) or _text(article.get("name")),
        "; ".join(dict.fromkeys(authors)) or None,
        next((name for one in _things(article.get("publisher"), known) for name in _of(one)), None),
        next((day for told in _list(article.get("datePublished")) if (day := day_in(told))), None),
        site,
    )


@contextmanager
def without_linked_data(tree: HtmlElement) -> Iterator[None]:
    """A page as it is without its JSON-LD.

    trafilatura puts together what all of it tells, whomever it is about, and where it is broken, looks for names
    with expressions that take minutes over one that is made for that.
    """
    scripts = [(one, one.get("type")) for one in tree.iter("script") if one.get("type") in _SCRIPTS]
    for script, _ in scripts:
        script.set("type", "text/plain")
    try:
        yield
    finally:
        for script, kind in scripts:
            script.set("type", kind)


def _nodes(tree: HtmlElement) -> list[Node]:
    """What a page tells about by itself, not as a part or a neighbour of something else."""
    nodes: list[Node] = []
    for script in tree.iter("script"):
        if not script.get("type", "").strip().lower().startswith(_SCRIPTS[0]):
            continue
        waiting = deque([_parsed(script.text or "")])
        while waiting:
            one = waiting.popleft()
            if isinstance(one, list):
                waiting.extend(one)
            elif isinstance(one, dict):
                nodes.append(one)
                waiting.extend(one[key] for key in ("@graph", "mainEntity") if key in one)
    return nodes


def _parsed(script: str) -> Any:
    """What is written in a script; None if nothing can be made of it. Comment marks and last commas are usual slips."""
    script = _CDATA.sub("", script)
    begin = min((at for at in map(script.find, "{[") if at >= 0), default=0)
    script = script[begin : max(map(script.rfind, "}]")) + 1]
    for written in (script, _LAST_COMMA.sub("", script)):
        try:
            return json.loads(written, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _own(
    articles: Sequence[Node], known: dict[str, Node], addresses: Collection[str], titles: Collection[str]
) -> Node | None:
    """The article that is the page's own: the only one, or the one that is told by its address or else its headline."""
    if len(articles) > 1:
        here = {_bare(address) for address in addresses} - {""}
        there = [one for one in articles if not here.isdisjoint(_addresses(one, known))]
        if len(there) != 1:
            wanted = {_text(title) for title in titles} - {None}
            named = [one for one in there or articles if {_text(one.get(key)) for key in ("headline", "name")} & wanted]
            there = named or there
        articles = there
    return next(iter(articles), None)


def _addresses(article: Node, known: dict[str, Node]) -> set[str]:
    """Where an article says that it is."""
    told = [one for key in ("url", "@id", "mainEntityOfPage") for one in _list(article.get(key))]
    for page in [known.get(_id(one), one) for one in told]:
        if isinstance(page, dict):
            told += [*_list(page.get("@id")), *_list(page.get("url"))]
    return {_bare(one) for one in told if isinstance(one, str)}


def _bare(address: str) -> str:
    """What is compared of an address: not how to get there, and no place within the page."""
    return _SCHEME.sub("", address.strip().partition("#")[0]).rstrip("/")


def _site(nodes: Sequence[Node]) -> str | None:
    """Whose page it is, if it tells of one site or organization."""
    for kind in _SITES:
        names = {name for node in nodes if _is(node, (kind,)) if (name := _text(node.get("name")))}
        if len(names) == 1:
            return names.pop()
    return None


def _things(told: Any, known: dict[str, Node]) -> Iterator[Node]:
    """Who is told of: a name, a node, a reference to one of the page's, or several of them."""
    for one in _list(told):
        if isinstance(one, str):
            yield known.get(one, {"name": one})
        elif isinstance(one, dict):
            yield one if "name" in one else known.get(_id(one), one)


def _of(thing: Node) -> Iterator[str]:
    """The names of somebody; an address is none."""
    told = _list(thing.get("name"))
    if not told:
        told = [" ".join(filter(None, (_text(thing.get(key)) for key in ("givenName", "familyName"))))]
    for one in told:
        if (name := _BY.sub("", _text(one) or "")) and not _NO_NAME.match(name):
            yield name


def _is(node: Node, kinds: tuple[str, ...], *, or_untold: bool = False) -> bool:
    """Whether a node's type ends like one of these."""
    types = [one for one in _list(node.get("@type")) if isinstance(one, str)]
    return any(one.lower().endswith(kinds) for one in types) or (or_untold and not types)


def _id(node: Any) -> str:
    """The id of a node or of a reference."""
    told = node.get("@id") if isinstance(node, dict) else node
    return told if isinstance(told, str) else ""


def _list(told: Any) -> list[Any]:
    """One or several as several."""
    return [] if told is None else told[:_MOST] if isinstance(told, list) else [told]


def _text(told: Any) -> str | None:
    """A text as a person sees it; it may hold tags, references, and half characters, which cannot be stored."""
    if not isinstance(told, str):
        return None
    text = _TAG.sub("", unescape(told[:_LONGEST]))
    return " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split()) or None
