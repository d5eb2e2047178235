"""What a caller sends -> an article: a web page's own text, or a pasted text with its boilerplate marked."""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import trafilatura
from lxml.html import HtmlElement
from trafilatura.metadata import extract_metadata, extract_url
from trafilatura.settings import Document
from trafilatura.utils import load_html

from models.records import Article
from service.pages.boilerplate import Block, find_boilerplate
from service.pages.dates import stated_day
from service.pages.linked_data import read_linked_data, without_linked_data
from service.security.markup import MAX_ATTRIBUTES, has_too_many_attributes

# It warns of each page that it cannot read; the caller gets an error for that.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

MAX_TITLE: Final = 1_000
MAX_BYLINE: Final = 1_000
MAX_PUBLISHER: Final = 200
MAX_URL: Final = 2_000
MAX_PUBLISHED: Final = 40
MAX_LANGUAGE: Final = 40
"""What is told of an article has limits, whoever tells it: code points, and for addresses bytes as well."""

_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_LANGUAGE_PLACES: Final = (
    "/html/@lang",
    "//meta[@http-equiv='content-language' or @name='language']/@content",
    "//meta[@property='og:locale']/@content",
)
_REFERENCE: Final = re.compile(r"&#(?:[Xx](?P<hex>[0-9A-Fa-f]+)|(?P<decimal>[0-9]+));?")
_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


class PageError(Exception):
    """No article was found in the page."""


@dataclass(frozen=True, slots=True)
class Page:
    """An article, and what its web page says of it; ``boilerplate`` is what is not its own in its text."""

    text: str
    boilerplate: tuple[Block, ...]
    title: str | None = None
    byline: str | None = None
    publisher: str | None = None
    url: str | None = None
    published: str | None = None
    language: str | None = None

    @property
    def article(self) -> Article:
        """What the Reader is to read."""
        return Article(self.text, self.title, tuple(block.span for block in self.boilerplate))


def read_text(text: str) -> Page:
    """A pasted text: exactly as it is, with its boilerplate marked."""
    return Page(text, tuple(find_boilerplate(text)))


def read_page(html: str, url: str | None = None) -> Page:
    """The article of a web page, without menus, comments and the like; nothing is fetched.

    Title, byline, publisher, day and address are those that the page tells in its JSON-LD, OpenGraph
    or other metadata, or shows at its headline. What is no string there, or too long, is left out; names are cut.

    Args:
        html: The page.
        url: Where it is, if known.

    Raises:
        PageError: There is no article in it.
    """
    if has_too_many_attributes(html):
        raise PageError(f"The page has an element with more than {MAX_ATTRIBUTES:,} attributes.")
    try:
        tree = load_html(_REFERENCE.sub(_allowed, html))
        if tree is None:
            raise PageError("No article was found in the page.")
        about = _about(tree, url)
        found = trafilatura.bare_extraction(
            tree, url=about["url"], include_comments=False, include_tables=False, as_dict=False
        )
    except (ValueError, RecursionError) as error:
        raise PageError("The page cannot be taken apart.") from error
    if not isinstance(found, Document) or not found.text or not found.text.strip():
        raise PageError("No article was found in the page.")
    return Page(found.text, tuple(find_boilerplate(found.text)), **about)


def _allowed(reference: re.Match[str]) -> str:
    """A character reference, or a space: the parser takes in what XML forbids, and then the page cannot be copied."""
    digits = (reference["hex"] or reference["decimal"]).lstrip("0")
    number = int(digits[:8] or "0", 16 if reference["hex"] else 10)
    return " " if number > sys.maxunicode or _FORBIDDEN.match(chr(number)) else reference[0]


def _about(tree: HtmlElement, url: str | None) -> dict[str, str | None]:
    """What a page tells of its article, by the names of ``Page``."""
    with without_linked_data(tree):
        try:
            # The day that it finds may be any day on the page. It is not used, so let it not look for long.
            found = extract_metadata(tree, url, {"original_date": True, "extensive_search": False})
            canonical = extract_url(tree)
        except (TypeError, ValueError, RecursionError):
            found, canonical = Document(), None  # the text is worth having all the same
    own = [one for one in (found.url, canonical) if one and not _names_site(one)]
    address = url or next((one for one in own if _whole(one, MAX_URL)), None)
    written = [str(one) for one in tree.xpath("//link[@rel='canonical']/@href")] + _graph(tree, "url")
    addresses = [*own, *(one for one in written if not _names_site(one)), *([url] if url else [])]
    headlines = [one.text_content() for one in tree.iter("h1")]
    told = read_linked_data(tree, addresses, [*headlines, *_graph(tree, "title")])
    publisher = told.publisher or next(iter(_graph(tree, "site_name")), told.site) or found.sitename
    return {
        "title": _name(told.title or found.title, MAX_TITLE),
        "byline": _name(told.byline or found.author, MAX_BYLINE),
        "publisher": _name(publisher, MAX_PUBLISHER),
        "url": address,
        "published": told.published or stated_day(tree, address),
        "language": _language(tree),
    }


def _graph(tree: HtmlElement, name: str) -> list[str]:
    """What a page tells in OpenGraph."""
    return [str(told) for told in tree.xpath("//meta[@property=$name]/@content", name=f"og:{name}") if told.strip()]


def _names_site(url: str) -> bool:
    """Whether an address is a site's and no article's: all pages of some sites say that they are the first one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.path in ("", "/") and not parts.query and not parts.fragment


def _name(told: object, most: int) -> str | None:
    """What a page tells, cut if it is too long; JSON-LD may have anything where a string should be."""
    return told.strip()[:most].rstrip() or None if isinstance(told, str) else None


def _whole(told: object, most: int) -> str | None:
    """The same for what is of no use when it is cut; limits are in bytes."""
    return told if isinstance(told, str) and 0 < len(told.encode()) <= most else None


def _language(tree: HtmlElement) -> str | None:
    """The language tag that a page gives itself."""
    for place in _LANGUAGE_PLACES:
        for written in tree.xpath(place):
            tag = str(written).strip().replace("_", "-")
            if len(tag) <= MAX_LANGUAGE and _LANGUAGE_TAG.fullmatch(tag):
                return tag
    return None
