"""Attributions to claims: what is asserted, readable by itself, of which category, and how check-worthy."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, pairwise, repeat
from typing import Final

from models.quotations import find_quotations
from models.records import CATEGORIES, AttributionType, Category, Reading, Span

_PARTNERS: Final = {"“": '”"', "‘": "’'", '"': '"”', "'": "'’", "«": "»", "„": '“”"', "`": "`'’"}
_EDGE: Final = " \t\r\n,;:–—-"
_STRAIGHT: Final = re.compile(r'(?<!\d)"|"(?!\s\w)')  # but not for inches
_MINUS: Final = ("-", "–")
_ENDS: Final = re.compile(r"[.!?…][\"'”’»)\]]*\s*\Z")
_THAT: Final = re.compile(
    r"that\b(?!['’])"
    r"(?! (?:accusation|account|allegation|argument|assertion|charge|claim|conclusion|criticism|description|idea|notion"
    r"|suggestion|view|day|night)\b)"  # "rejected that claim"
    r"[\s,]*"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One attributed content.

    ``id`` stays the same for the same text and spans.  ``attribution`` and ``speaker`` are places in
    the reading's tuples.  ``category`` is the likeliest, with its probability; ``check_worthiness``
    is the probability that the claim is about facts that can be checked today.  ``context`` is the
    sentence that the content begins in.
    """

    id: str
    attribution: int
    text: str
    speaker: int | None
    type: AttributionType
    category: Category
    category_probability: float
    check_worthiness: float
    confidence: float
    context: Span | None


def find_claims(reading: Reading) -> list[Claim]:
    """The claims of a reading, one for each attribution whose content says something."""
    digest = sha256(reading.text.encode(errors="surrogatepass"))
    out = []
    for number, one in enumerate(reading.attributions):
        text = readable([span.of(reading.text) for span in one.content], _breaks(reading.text, one.content))
        if not text:
            continue
        mine = digest.copy()
        mine.update(repr([[list(span) for span in role] for role in (one.source, one.cue, one.content)]).encode())
        category, probability, worth = category_of(one.categories)
        out.append(
            Claim(
                mine.hexdigest()[:24],
                number,
                text,
                one.speaker,
                one.type,
                category,
                probability,
                worth,
                one.confidence,
                _sentence(reading.sentences, one.content[0].start),
            )
        )
    return out


def category_of(probabilities: Sequence[float]) -> tuple[Category, float, float]:
    """The likeliest category, its probability, and the check-worthiness: the probability of ``factual``.

    What is said of the future or as an opinion cannot be checked today, and check-worthiness says
    nothing of whether it would be worth the trouble.
    """
    if not probabilities:
        return "other", 0.0, 0.0
    best = max(range(len(CATEGORIES)), key=lambda number: probabilities[number])
    return CATEGORIES[best], probabilities[best], probabilities[CATEGORIES.index("factual")]


def readable(pieces: Sequence[str], breaks: Sequence[bool] = ()) -> str:
    """Contents as one text: without "that" before, marks around, and commas left hanging.

    Quotation marks around all of it go; those around a part stay if both are there.

    Args:
        pieces: The pieces.
        breaks: For each but the last, whether a sentence ends between it and the next.
    """
    kept: list[str] = []
    for piece, breaks_off in zip(pieces, chain([False], breaks, repeat(False)), strict=False):
        bare = _bare(piece)
        if bare and breaks_off and kept and not _ENDS.search(kept[-1]):
            kept[-1] += "."
        kept += [bare] if bare else []
    text = " ".join(kept)
    for opening, closing in (("„", "“") if "„" in text else ("“", "”"), ("«", "»")):
        if text.count(opening) != text.count(closing):
            text = text.replace(opening, "").replace(closing, "")
    if len(_STRAIGHT.findall(text)) % 2:
        text = _STRAIGHT.sub("", text)
    return text.strip().rstrip(_EDGE)


def _breaks(text: str, content: Sequence[Span]) -> list[bool]:
    """Whether a sentence ends between each two pieces: “No,” she said. “It is late.”."""
    return [
        _ENDS.search(text, max(one.end, next_.start - 8), next_.start) is not None
        and next((char.isupper() or char.isdigit() for char in next_.of(text) if char.isalnum()), False)
        for one, next_ in pairwise(content)
    ]


def _bare(piece: str) -> str:
    whole = " ".join(piece.split()).rstrip(_EDGE)
    text = whole.lstrip(_EDGE)
    if text[:1].isdigit() and whole[: -len(text)].endswith(_MINUS):
        text = whole[-len(text) - 1 :]
    that = _THAT.match(text)
    if that and that.end() < len(text):
        text = text[that.end() :]
    # Most begin with a word: there is no need to look for the mark that such a one begins with.
    around = None if text[:1].isalnum() else next(iter(find_quotations(text, [Span(0, len(text))])), None)
    if around and around.open and around.close and (around.open.start, around.close.end) == (0, len(text)):
        text = text[around.open.end : around.close.start]
    elif text[:1] in _PARTNERS:
        inner, closing = text[1:], _PARTNERS[text[0]]
        at = next((n for n, char in enumerate(inner) if char in closing and _ends_word(inner, n)), len(inner))
        # The first mark's partner is the last character, or missing: the marks are around all of it.
        if at >= len(inner) - 2:
            text = inner[:at] + inner[at + 1 :]
    text = text.rstrip(_EDGE)
    return text if any(char.isalnum() for char in text) else ""


def _ends_word(text: str, at: int) -> bool:
    """Whether a mark closes: apostrophes stand between letters."""
    return not (at + 1 < len(text) and text[at + 1].isalnum())


def _sentence(sentences: Sequence[Span], offset: int) -> Span | None:
    at = bisect_right(sentences, offset, key=lambda span: span.start) - 1
    return sentences[at] if at >= 0 else None
