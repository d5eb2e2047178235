"""On which day a web page says that it was published.

Only what is said of the page counts: a day that its text tells of, or that stands at another story or in the footer,
is none, and no day is better than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final

from lxml.etree import Element, iterwalk
from lxml.html import HtmlElement

_FIRST: Final = date(1800, 1, 1)  # before it are the zeros of computers' calendars: the years 1, 1601 and 1753
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_DAY: Final = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(?P<year>[0-9]{4})(?![0-9])"
# 3/5/2001 is not here: whether that is March or May depends on who wrote it.
_DAYS: Final = tuple(
    re.compile(rf"(?<![a-z0-9]){one}", re.IGNORECASE | re.ASCII)  # "ſ" is no "s" of September
    for one in (
        r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})(?![0-9])",
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?![0-9])",
        rf"{_DAY}[\s-](?:of )?{_MONTH},?[\s-]{_YEAR}",
        rf"{_MONTH}\s{_DAY},?\s{_YEAR}",
    )
)
_PATH: Final = re.compile(r"://[^?#]*?/([0-9]{4})([-/])([0-9]{2})\2([0-9]{2})(?=[-/?#]|$)")
_LONGEST: Final = 150  # code points of what tells a day

# Most telling first; without what stands between their words, for that is written in many ways.
_METAS: Final = (
    "articlepublishedtime", "ogarticlepublishedtime", "ogpublishedtime", "datepublished", "ogdatepublished",
    "rnewsdatepublished", "originalpublicationdate", "articlepublished", "articlepublisheddate",
    "articlepublicationdate", "publisheddate", "publishedtime", "publicationdate", "publishdate", "publishtime",
    "parselypubdate", "btpubdate", "ogpubdate", "pubdate", "sailthrudate", "citationpublicationdate", "citationdate",
    "dctermsissued", "dcdateissued", "dctermscreated", "dcdatecreated", "dctermsdate", "dcdate", "date",
)  # fmt: skip

_ELSEWHERE: Final = frozenset(
    ("aside", "nav", "footer", "ul", "ol", "dl", "blockquote", "figure", "form", "script", "style", "template")
)
_ARTICLE_TYPE: Final = re.compile(r"(?:Article|BlogPosting|Report)\s*$")
_PUBLISHED: Final = frozenset(
    ("published", "dt-published", "date-published", "publish-date", "published-date", "pubdate", "entry-date")
)
_DATE_CLASS: Final = re.compile(
    r"(?!.*(?:event|current|today))(?:[a-z]+[-_]+)*(?:date|dateline|datetime|byline|posted|timestamp)(?:[-_](?:on|time))?"
)
_UPDATE: Final = re.compile(r"updat|modif|edited", re.IGNORECASE)
_UPDATE_NEXT: Final = re.compile(r"(?:updated|modified|edited)(?: on| at)?\W*$", re.IGNORECASE)
_PUBLISH: Final = re.compile(r"publish|posted", re.IGNORECASE)
_RUNNING: Final = 20  # words of a paragraph at least


def day_in(told: object) -> str | None:
    """The day that a text tells, as YYYY-MM-DD; of several the earliest: articles are published, then updated.

    Args:
        told: A text, or anything that JSON may have in its place.
    """
    if not isinstance(told, str):
        return None
    text = " ".join(told[:_LONGEST].split())
    days = (_checked(one["year"], one["month"], one["day"]) for form in _DAYS for one in form.finditer(text))
    return min(filter(None, days), default=None)


def stated_day(tree: HtmlElement, address: str | None) -> str | None:
    """The day on which a page says that it was published: in its metadata, its address, or beside its headline.

    Args:
        tree: The page.
        address: Where it is, if that is known.
    """
    return _in_metadata(tree) or _in_address(address or "") or _shown(tree)


def _checked(year: str, month: str, day: str) -> str | None:
    number = int(month) if month.isdecimal() else _MONTHS.index(month.lower()) + 1
    try:
        told = date(int(year), number, int(day))
    except ValueError:
        return None
    # Where the page comes from it may be tomorrow.
    return told.isoformat() if _FIRST <= told <= datetime.now(UTC).date() + timedelta(days=1) else None


def _in_metadata(tree: HtmlElement) -> str | None:
    days: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name")
        if not name and (head := meta.getparent()) is not None and head.tag == "head":
            name = meta.get("itemprop")  # in the body it may be another story's
        if name and (day := day_in(meta.get("content"))):
            days.setdefault(re.sub(r"[^a-z]", "", name.lower()), day)
    return next((days[name] for name in _METAS if name in days), None)


def _in_address(address: str) -> str | None:
    found = _PATH.search(address)
    return found and _checked(found[1], found[3], found[4])


def _shown(tree: HtmlElement) -> str | None:
    """The day that stands at the headline: what is marked as the article's, or else the earliest there."""
    place = _place(tree)
    if place is None:
        return None
    days: list[str] = []
    for element in _at_headline(place):
        classes = element.get("class", "").lower().split()
        props = element.get("itemprop", "").split()
        is_marked = "datePublished" in props or "pubdate" in element.attrib or not _PUBLISHED.isdisjoint(classes)
        # Where no article is marked the headline may be the site's name, and beside that stands today's date.
        is_date = element.tag == "time" or (place.tag != "body" and any(map(_DATE_CLASS.fullmatch, classes)))
        if not is_marked and not is_date:
            continue
        shown = _beginning(element)
        told = (element.get("datetime"), element.get("content"), element.get("title"), shown)
        day = next((day for text in told if text and len(text) <= _LONGEST and (day := day_in(text))), None)
        if day is not None and is_marked:
            return day
        named = " ".join((*classes, *props, shown))
        is_update = _UPDATE.search(named) and not _PUBLISH.search(named)
        if day is not None and not is_update and not _UPDATE_NEXT.search(_before(element)):
            days.append(day)
    return min(days, default=None)


def _place(tree: HtmlElement) -> HtmlElement | None:
    """Where the article is: what its headline stands in, or the only article."""
    headlines = list(islice(tree.iter("h1"), 10))
    for is_place in (_is_article, lambda one: one.tag == "main"):
        for headline in headlines:
            for one in headline.iterancestors():
                if is_place(one):
                    return one
    articles = list(islice(filter(_is_article, tree.iter(Element)), 2))
    if articles:
        return articles[0] if len(articles) == 1 else None
    return tree.find(".//body") if len(headlines) == 1 else None


def _is_article(element: HtmlElement) -> bool:
    return (
        element.tag == "article"
        or "hentry" in element.get("class", "").split()
        or _ARTICLE_TYPE.search(element.get("itemtype", "")) is not None
    )


def _at_headline(place: HtmlElement) -> Iterator[HtmlElement]:
    """The elements before an article's text; one paragraph may stand before the day, as an introduction."""
    has_begun = _is_article(place)
    others = {one for one in place.iterdescendants(Element) if _is_article(one)}
    if not has_begun and len(others) == 1:
        others.clear()
    walker = iterwalk(place, events=("start",))
    paragraphs = 0
    for _, element in walker:
        has_begun = has_begun or element.tag == "h1"
        if element.tag in _ELSEWHERE or element in others:
            walker.skip_subtree()
        elif len((_beginning(element) if element.tag == "p" else element.text or "").split()) >= _RUNNING:
            paragraphs += 1
            if paragraphs > 1:
                return
            walker.skip_subtree()  # a day that a sentence tells is not the page's
        elif has_begun:
            yield element


def _before(element: HtmlElement) -> str:
    """What is written right before an element."""
    previous, parent = element.getprevious(), element.getparent()
    if previous is None:
        return "" if parent is None else parent.text or ""
    return (previous.tail or "").strip() or _beginning(previous)


def _beginning(element: HtmlElement) -> str:
    """The beginning of what is written in an element: enough to see whether it is long."""
    return " ".join(piece[:_LONGEST] for piece in islice(element.itertext(), 40)).strip()
