"""Boilerplate: which lines of a pasted text are not the article's own.

People paste whole pages: menus, credits, captions, newsletter prompts, lists of other articles.
Such lines are told from how they are written and what stands around them; in doubt a line is the
article's own, for a quotation that is lost is worse than a menu that is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from models.records import Span

BlockKind = Literal["navigation", "credit", "caption", "teaser", "prompt"]

BLOCK_KINDS: Final[tuple[BlockKind, ...]] = ("navigation", "credit", "caption", "teaser", "prompt")

_SHORT: Final = 6  # words of a menu's entry at most
_MENU: Final = 4  # entries of a menu at least
_LONG: Final = 15  # words of a paragraph at least
_MARKER: Final = 7  # words of a list's heading at most

_CREDIT: Final = re.compile(
    r"\(?\s*(?:(?:file )?(?:photo(?:graph)?|image|picture|video|illustration|graphic)s?(?: credit| courtesy)?s?"
    r"(?: by| from| of)?\s*[:/]|(?:photo|image|picture) (?:credit|by|courtesy)\b|credits?:)",
    re.IGNORECASE,
)
_FILED: Final = re.compile(
    r"\(?file (?:photo|image|picture)\b|in this (?:file )?(?:photo|image|handout)\b", re.IGNORECASE
)
# Whether these brackets end the line is asked first, once: asked behind each agency, it would take a long line minutes.
_CREDIT_AT_END: Final = re.compile(
    r"\((?=[^()]*+\)\s*+\Z)(?:[^()]*\b(?i:photo|image|picture) (?i:credit)\b"
    r"|(?i:photo|image|picture|credit)s?(?: by|:)|[A-Z][^()]*/(?:AP|AFP|Reuters|REUTERS|Getty|EPA|Bloomberg))"
)
_LIST: Final = re.compile(
    r"(?:the )?(?:most (?:read|popular|viewed|shared|commented|watched)|trending(?: now| stories)?|popular now"
    r"|(?:more )?top stories|hot opinion|latest(?: news| stories| headlines)|editors?['’]s? (?:picks?|choice)"
    r"|(?:you )?(?:may|might) also (?:like|be interested in)|recommended(?: for you| stories| reading)?"
    r"|related(?: articles?| stories| content| news| topics?| coverage| links?)?|more (?:from|on|in|stories|news)\b.*"
    r"|read (?:more|next|also)|also read|see also|what to read next|from our partners|sponsored(?: content)?"
    r"|promoted(?: stories| content)?|promo content|around the web|comments?|leave a (?:comment|reply)"
    r"|newsletters?|sign up|subscribe|reporters['’] tweets|sites of interest|tools and services"
    r"|(?:about|contact) us|terms (?:of|and) \w+|privacy policy|site ?map)\s*:?",
    re.IGNORECASE,
)
_LEADS_ON: Final = re.compile(
    r"(?:read (?:more|also|next)|also read|see also|related(?: articles?| stories)?|more|watch|listen|recommended"
    r"|don['’]t miss)\s*(?:[:|»>]|[-–—]\s)",
    re.IGNORECASE,
)
_PROMPT: Final = re.compile(
    r"(?:subscribe|sign up|register|log ?in|sign in|join|follow|like) (?:for|to|now|up|us|our|in|here|today)\b"
    r"|by (?:subscribing|signing up|registering|clicking)\b|enter your e-?mail|your e-?mail address"
    r"|(?:this|our) (?:web ?)?site uses cookies|we use cookies|accept (?:all )?cookies|all rights reserved"
    r"|(?:copyright )?(?:©|\(c\)) ?(?:\d{4}|copyright)|copyright \d{4}|skip to (?:main )?content|click here\b"
    r"|share (?:this|on|via)\b|print this|support our journalism|become a member|download (?:the|our) app"
    r"|get (?:the|our) .{0,40}newsletter|thank you for (?:registering|subscribing)",
    re.IGNORECASE,
)
_ENDS: Final = re.compile(r"[.!?…][\"”’'»)\]]*\Z")
_SENTENCE_ENDS: Final = re.compile(r"[.!?…][\"”’'»)\]]*(?=\s|\Z)")
_MARKS: Final = frozenset('“”"«»„')


@dataclass(frozen=True, slots=True)
class Block:
    """A line that is not the article's own, and what it is."""

    span: Span
    kind: BlockKind

    def as_record(self) -> dict[str, Any]:
        """It as the API answers with it, and as it is stored."""
        return {**self.span._asdict(), "kind": self.kind}


@dataclass(slots=True)
class _Line:
    span: Span
    text: str
    words: int
    ended: bool
    kind: BlockKind | None = None

    @property
    def is_running_text(self) -> bool:
        """Whether it is a paragraph, as articles have them: several sentences, or a long one."""
        return self.ended and (self.words >= _LONG or len(_SENTENCE_ENDS.findall(self.text)) > 1) and self.words > 9

    @property
    def quotes(self) -> bool:
        """Whether it holds a quotation mark."""
        return not _MARKS.isdisjoint(self.text)


def find_boilerplate(text: str) -> list[Block]:
    """The lines of a pasted text that are not the article's own, in order.

    Args:
        text: Pasted text.

    Returns:
        Blocks that do not overlap; empty for a text that is nothing but an article.
    """
    lines = list(_lines(text))
    for line in lines:
        if _PROMPT.match(line.text) and line.words <= 30 and not line.quotes:
            line.kind = "prompt"
        elif _CREDIT.match(line.text) and line.words <= 25:
            line.kind = "credit"
        elif _LEADS_ON.match(line.text) and line.words <= 25:
            line.kind = "teaser"
    _mark_menus(lines)
    _mark_lists(lines)
    _mark_captions(lines)
    return [Block(line.span, line.kind) for line in lines if line.kind]


def _lines(text: str) -> Iterator[_Line]:
    at = 0
    for raw in text.splitlines(keepends=True):
        bare = raw.strip()
        if bare:
            start = at + raw.index(bare[0])
            yield _Line(Span(start, start + len(bare)), bare, len(bare.split()), bool(_ENDS.search(bare)))
        at += len(raw)


def _mark_menus(lines: Sequence[_Line]) -> None:
    """Runs of entries: short, without an end, without a quotation."""
    first = 0
    for at in range(len(lines) + 1):
        if at < len(lines) and _is_entry(lines[at]):
            continue
        if at - first >= _MENU:
            # The last one before the article may be its headline.
            headline = at < len(lines) and lines[at].is_running_text and lines[at - 1].words > 2
            for line in lines[first : at - headline]:
                line.kind = line.kind or "navigation"
        first = at + 1


def _is_entry(line: _Line) -> bool:
    return line.kind is not None or (
        line.words <= _SHORT and not line.ended and not line.quotes and ":" not in line.text
    )


def _mark_lists(lines: Sequence[_Line]) -> None:
    """What follows a heading like "Most read", up to where the article goes on."""
    inside = False
    for at, line in enumerate(lines):
        if line.words <= _MARKER and not line.ended and _LIST.fullmatch(line.text):
            inside = True
        elif inside and line.is_running_text and line.kind is None:
            # A teaser stands alone between headlines; the article goes on for more than a paragraph.
            behind = next((one for one in lines[at + 1 : at + 2] if one.kind is None), None)
            inside = not (behind is not None and (behind.is_running_text or (behind.ended and behind.quotes)))
        if inside:
            line.kind = line.kind or "teaser"


def _mark_captions(lines: Sequence[_Line]) -> None:
    """A line with a credit at its end, one that names itself a picture's, and its like without the credit."""
    bare = set()
    for at, line in enumerate(lines):
        if line.kind is None and line.words <= 80:
            credit = _CREDIT_AT_END.search(line.text)
            if credit or _FILED.match(line.text):
                line.kind = "caption"
                bare.add(line.text[: credit.start()].strip() if credit else line.text)
        elif line.kind == "credit" and at and lines[at - 1].kind is None and _could_be_caption(lines, at - 1):
            lines[at - 1].kind = "caption"
    for line in lines:
        if line.kind is None and line.text in bare:
            line.kind = "caption"


def _could_be_caption(lines: Sequence[_Line], at: int) -> bool:
    """Whether the line before a credit is the picture's: one sentence without a quotation, not the first lines."""
    line = lines[at]
    return at > 0 and line.words <= 60 and not line.quotes and len(_SENTENCE_ENDS.findall(line.text)) <= 2
