"""What goes into the Reader and what comes out: plain, immutable records.

Every offset counts Unicode code points of the article's text exactly as it was
handed in; spans are half-open, so ``text[span.start:span.end]`` is the span.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Role = Literal["source", "cue", "content"]
AttributionType = Literal["direct", "mixed", "indirect"]
Habit = Literal["world", "polnear"]
SpeakerKind = Literal["person", "organization", "group", "document", "unknown"]
Category = Literal["factual", "opinion", "future", "other"]

CATEGORIES: tuple[Category, ...] = ("factual", "opinion", "future", "other")
KINDS: tuple[SpeakerKind, ...] = ("person", "organization", "group", "document", "unknown")
ROLES: tuple[Role, ...] = ("source", "cue", "content")
HABITS: tuple[Habit, ...] = ("world", "polnear")
"""The annotation habits that the model has learned; the first is the default."""


class Span(NamedTuple):
    """A half-open range of code points of a text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The piece of ``text`` that this span covers."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Article:
    """One article to read.

    ``text`` is read as it stands, nothing is stripped; what lies in its ``ignored`` ranges (in order, not
    overlapping) attributes nothing.
    """

    text: str
    title: str | None = None
    ignored: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Speaker:
    """Someone or something that an article attributes to.

    ``name`` is the fullest that the article gives, ``aliases`` are the other names that it uses, and
    ``role`` is an office or title, where stated ("Foreign Minister").
    """

    name: str
    kind: SpeakerKind
    role: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeakerCandidate:
    """Who an attribution's speaker may be, with the probability; None as name is nobody that the article names."""

    name: str | None
    kind: SpeakerKind
    probability: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """One place where an article attributes something to someone.

    Each role is a tuple of spans in the order of the text, possibly empty.
    ``confidence`` is the calibrated probability, 0 to 1, that a person would
    find an attribution here.
    """

    source: tuple[Span, ...]
    cue: tuple[Span, ...]
    content: tuple[Span, ...]
    type: AttributionType
    confidence: float
    speaker: int | None = None
    """The place in the reading's ``speakers``; None if the article does not tell."""
    mention: Span | None = None
    """The words that decided who the speaker is."""
    candidates: tuple[SpeakerCandidate, ...] = ()
    """The likeliest speakers, at most three; the first is the one that was chosen."""
    categories: tuple[float, ...] = ()
    """The probabilities of factual, opinion, future and other."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the Reader found in one article.

    ``paragraphs`` and ``sentences`` are in the order of the text and do not
    overlap; every attribution's number of either is its place in these tuples.
    """

    text: str
    paragraphs: tuple[Span, ...]
    sentences: tuple[Span, ...]
    attributions: tuple[Attribution, ...]
    speakers: tuple[Speaker, ...] = ()
