"""What a caller sends -> an article: a web page's own text, or a pasted text with its boilerplate marked."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Final

import trafilatura
from lxml.html import HtmlElement
from trafilatura.settings import Document
from trafilatura.utils import load_html

from models.records import Article
from service.pages.boilerplate import Block, find_boilerplate
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
    or other metadata. What is no string there, or too long, is left out; names are cut.

    Args:
        html: The page.
        url: Where it is, if known.

    Raises:
        PageError: There is no article in it.
    """
    if has_too_many_attributes(html):
        raise PageError(f"The page has an element with more than {MAX_ATTRIBUTES:,} attributes.")
    try:
        tree = load_html(html)
        language = None if tree is None else _language(tree)
        found = trafilatura.bare_extraction(
            html if tree is None else tree,
            url=url,
            include_comments=False,
            include_tables=False,
            with_metadata=True,
            as_dict=False,
        )
    except (ValueError, RecursionError) as error:
        raise PageError("The page cannot be taken apart.") from error
    if not isinstance(found, Document) or not found.text or not found.text.strip():
        raise PageError("No article was found in the page.")
    return Page(
        found.text,
        tuple(find_boilerplate(found.text)),
        _name(found.title, MAX_TITLE),
        _name(found.author, MAX_BYLINE),
        _name(found.sitename, MAX_PUBLISHER),
        url or _whole(found.url, MAX_URL),
        _whole(found.date, MAX_PUBLISHED),
        language,
    )


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
