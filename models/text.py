"""Where a text's paragraphs, sentences, quotations and words are.

All of it is offset-true: ``text[span.start:span.end]`` is the piece, counted in
Unicode code points of the text as it was handed in.  Nothing is normalised.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import nupunkt

from models.quotations import Quotation, find_quotations
from models.records import AttributionType, Span

__all__ = ["Quotation", "attribution_type", "paragraphs", "quotations", "sentences", "words"]

_WORD: Final = re.compile(r"\w+|[^\w\s]")
# What str.splitlines breaks lines at; the first group breaks paragraphs wherever it stands.
_LINE_END: Final = re.compile(r"([\u2029\x0c])|\r\n|[\n\r\x0b\x1c\x1d\x1e\x85\u2028]")
_ENDS_SENTENCE: Final = re.compile(r"[.!?…:。！？][\"'”’»)\]]*\Z")
_WRAP_COLUMNS: Final = range(40, 101)


def words(text: str) -> list[Span]:
    """The words: each run of letters and digits, and each other character that is not white space."""
    return [Span(*match.span()) for match in _WORD.finditer(text)]


def paragraphs(text: str) -> list[Span]:
    r"""The paragraphs of a text, in order, without the white space around them.

    Blank lines, U+2029 and form feeds always separate paragraphs.  Whether a single line break
    does is decided once for the whole text: it does not if the text is hard-wrapped, that is if at
    least a third of such breaks have no end of a sentence before and a small letter (or one of a
    script without capitals) behind them.  In hard-wrapped text two lines belong together when the
    first is full: at most 100 columns long, and with the next line's first word it would be
    longer than 85 % of the widest such line.

    Args:
        text: Any text.

    Returns:
        Spans that do not overlap and cover every character but white space.
    """
    lines = _lines(text)
    width = _wrap_width(text, lines)
    out: list[Span] = []
    for number, (line, runs_on) in enumerate(lines):
        if number and runs_on and width and _is_full(text, lines[number - 1][0], line, width):
            out[-1] = Span(out[-1].start, line.end)
        else:
            out.append(line)
    return out


def quotations(text: str, paragraphs: Sequence[Span] | None = None) -> list[Quotation]:
    """The quotations of a text by start, outer before inner; see ``models.quotations``.

    Args:
        text: Any text.
        paragraphs: Its paragraphs, if they are known already.
    """
    return find_quotations(text, _paragraphs(text) if paragraphs is None else paragraphs)


def sentences(text: str, paragraphs: Sequence[Span] | None = None) -> list[Span]:
    """The sentences of a text, in order, each in one paragraph, without the white space around them.

    Where they end is decided by nupunkt, an unsupervised splitter that knows common abbreviations.

    Args:
        text: Any text.
        paragraphs: Its paragraphs, if they are known already.

    Returns:
        Spans that do not overlap and cover every character but white space.
    """
    out: list[Span] = []
    for block in _paragraphs(text) if paragraphs is None else paragraphs:
        for start, end in nupunkt.sent_spans(block.of(text)):
            piece = text[block.start + start : block.start + end]
            if stripped := piece.strip():
                begin = block.start + start + len(piece) - len(piece.lstrip())
                out.append(Span(begin, begin + len(stripped)))
    return out


def attribution_type(
    text: str, content: Sequence[Span], quotations: Sequence[Quotation] | None = None
) -> AttributionType:
    """Whether a content is quoted: all of it (``direct``), a part (``mixed``) or nothing (``indirect``).

    At least 90 % of the content's characters other than white space in quotations is all of it.
    A quotation counts if one of its marks belongs to the content, or if 90 % of what is between its
    marks does; so a clause from the middle of someone's quoted speech is indirect.

    Args:
        text: The text.
        content: The spans of the content, in any order; they may overlap.
        quotations: The text's quotations as ``quotations`` gives them, if they are known already.
    """
    if quotations is None:
        quotations = _quotations(text)
    content = _merged(content)
    total = sum(_weight(text, *span) for span in content)
    quoted: list[Span] = []
    for quotation in _touching(quotations, content):
        inner = quotation.inside
        has_mark = any(mark and _overlap(content, mark) for mark in (quotation.open, quotation.close))
        shared = sum(_weight(text, *span) for span in _overlap(content, inner))
        if has_mark or (shared and shared >= 0.9 * _weight(text, *inner)):
            quoted += _overlap(content, Span(quotation.start, quotation.end))
    inside = sum(_weight(text, *span) for span in _merged(quoted))
    if not inside:
        return "indirect"
    return "direct" if inside >= 0.9 * total else "mixed"


_paragraphs, _quotations = paragraphs, quotations  # for functions with an argument of that name


def _touching(quotations: Sequence[Quotation], content: Sequence[Span]) -> list[Quotation]:
    """The quotations that share a character with the content."""
    if not content:
        return []
    first = bisect_left(quotations, content[0].start, key=lambda q: q.start)
    while first and (
        first == len(quotations)
        or quotations[first].depth
        or quotations[first - 1].depth
        or quotations[first - 1].end > content[0].start
    ):
        first -= 1
    last = bisect_left(quotations, content[-1].end, key=lambda q: q.start)
    return [q for q in quotations[first:last] if _overlap(content, Span(q.start, q.end))]


def _overlap(spans: Sequence[Span], other: Span) -> list[Span]:
    pairs = (Span(max(s.start, other.start), min(s.end, other.end)) for s in spans)
    return [span for span in pairs if span.start < span.end]


def _merged(spans: Sequence[Span]) -> list[Span]:
    """The same characters in spans that are in order and do not overlap."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start <= out[-1].end:
            out[-1] = Span(out[-1].start, max(out[-1].end, end))
        elif start < end:
            out.append(Span(start, end))
    return out


def _weight(text: str, start: int, end: int) -> int:
    """How many characters other than white space there are."""
    return sum(map(len, text[start:end].split()))


def _lines(text: str) -> list[tuple[Span, bool]]:
    """The lines that are not blank, stripped, and whether only a single line break stands before each."""
    out: list[tuple[Span, bool]] = []
    at, single = 0, False
    while at <= len(text):
        match = _LINE_END.search(text, at)
        end = match.start() if match else len(text)
        line = text[at:end]
        stripped = line.strip()
        if stripped:
            start = at + len(line) - len(line.lstrip())
            out.append((Span(start, start + len(stripped)), single))
        single = bool(stripped) and match is not None and match.group(1) is None
        at = match.end() if match else len(text) + 1
    return out


def _wrap_width(text: str, lines: Sequence[tuple[Span, bool]]) -> int:
    """The columns at which a hard-wrapped text is wrapped; 0 for any other text."""
    pairs = [(lines[i - 1][0], line) for i, (line, runs_on) in enumerate(lines) if i and runs_on]
    going_on = sum(
        1
        for first, second in pairs
        if text[second.start].isalpha()
        and not text[second.start].isupper()
        and not _ENDS_SENTENCE.search(text, max(first.start, first.end - 4), first.end)
    )
    widths = [first.end - first.start for first, _ in pairs if first.end - first.start in _WRAP_COLUMNS]
    return max(widths) if widths and going_on * 3 >= len(pairs) else 0


def _is_full(text: str, first: Span, second: Span, width: int) -> bool:
    """Whether the second line's first word found no place in the first line."""
    length = first.end - first.start
    word = text[second.start : min(second.end, second.start + width)].split(maxsplit=1)[0]
    return length <= width and second.end - second.start <= _WRAP_COLUMNS[-1] and length + 1 + len(word) > 0.85 * width
