"""Web page -> article text."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import trafilatura
from trafilatura.settings import Document

# It warns of each page that it cannot read; the caller gets an error for that.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


class PageError(Exception):
    """No article was found in the page."""


@dataclass(frozen=True, slots=True)
class Page:
    """A web page's article."""

    text: str
    title: str | None = None
    url: str | None = None
    published: str | None = None


def read_page(html: str, url: str | None = None) -> Page:
    """The article of a web page, without menus, comments and the like; nothing is fetched.

    Args:
        html: The page.
        url: Where it is, if known.

    Raises:
        PageError: There is no article in it.
    """
    try:
        found = trafilatura.bare_extraction(
            html, url=url, include_comments=False, include_tables=False, with_metadata=True, as_dict=False
        )
    except (ValueError, RecursionError) as error:
        raise PageError("The page cannot be taken apart.") from error
    if not isinstance(found, Document) or not found.text or not found.text.strip():
        raise PageError("No article was found in the page.")
    return Page(found.text, found.title or None, url or found.url or None, found.date or None)
