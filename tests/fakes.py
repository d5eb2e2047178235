"""Stand-ins that are quick and predictable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.given_names import GIVEN_PARTS, GivenNames
from models.records import Article, Attribution, Habit, Reading, Span, Speaker, SpeakerCandidate
from models.same import Assertion
from models.text import attribution_type, paragraphs, sentences

_DIRECT = re.compile(r"(?P<content>[“\"][^”\"]+[”\"]),? (?:(?P<cue>said) (?P<source>[A-Z]\w+))")
_INDIRECT = re.compile(r"(?P<source>[A-Z]\w+) (?P<cue>said) (?P<content>that [^.]+)")

NO_GIVEN_NAMES = GivenNames(np.zeros(GIVEN_PARTS, dtype=np.float32))
"""They lean to nobody."""


class FakeReader:
    """Reads ``“…” said NAME`` and ``NAME said that …``, by pattern."""

    version = "fake"

    def read_one(self, article: str | Article, *, habit: Habit | None = None) -> Reading:
        """Read one article."""
        text = article if isinstance(article, str) else article.text
        found = sorted(
            (match for pattern in (_DIRECT, _INDIRECT) for match in pattern.finditer(text)),
            key=lambda match: match.start("cue"),
        )
        names = list(dict.fromkeys(match["source"] for match in found))
        blocks = paragraphs(text)
        return Reading(
            text,
            tuple(blocks),
            tuple(sentences(text, blocks)),
            tuple(
                Attribution(
                    (Span(*match.span("source")),),
                    (Span(*match.span("cue")),),
                    (Span(*match.span("content")),),
                    attribution_type(text, [Span(*match.span("content"))]),
                    0.9,
                    names.index(match["source"]),
                    Span(*match.span("source")),
                    (SpeakerCandidate(match["source"], "person", 0.8),),
                    (0.7, 0.1, 0.1, 0.1),
                )
                for match in found
            ),
            tuple(Speaker(name, "person") for name in names),
        )

    def read(self, articles: Iterable[str | Article], *, habit: Habit | None = None) -> Iterator[Reading]:
        """Read articles, one after the other."""
        for article in articles:
            yield self.read_one(article, habit=habit)


class EagerReader(FakeReader):
    """Finds something in every text: its first word says the rest, and half of the time is Amara Diallo."""

    def read_one(self, article: str | Article, *, habit: Habit | None = None) -> Reading:
        """Read one article."""
        text = article if isinstance(article, str) else article.text
        blocks = paragraphs(text)
        if not blocks:
            return super().read_one(article)
        start, end = blocks[0]
        middle = start + len(text[start:end].split()[0])
        name = "Amara Diallo" if len(text) % 2 else text[start:middle]
        content = (Span(middle, end),) if middle < end else ()
        one = Attribution(
            (Span(start, middle),),
            (Span(start, start + 1),),
            content,
            attribution_type(text, list(content)),
            0.9,
            0,
            Span(start, middle),
            (SpeakerCandidate(name, "person", 0.8),),
            (0.7, 0.1, 0.1, 0.1),
        )
        return Reading(text, tuple(blocks), tuple(sentences(text, blocks)), (one,), (Speaker(name, "person"),))


class FakeSame:
    """Tells the same claim by its words: two texts are as alike as the words that they share."""

    version = "fake"
    width = 384

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A text's words, hashed and counted."""
        out = np.zeros((len(texts), self.width), dtype=np.float32)
        for row, text in zip(out, texts, strict=True):
            for word in _words(text) or [""]:
                row[crc32(word.encode("utf-8", "replace")) % self.width] += 1
            row /= np.linalg.norm(row)
        return out

    def score(
        self,
        pairs: Sequence[tuple[Assertion, Assertion]],
        cosines: Sequence[float] | None = None,
        *,
        decide: bool = False,
    ) -> NDArray[np.float64]:
        """The share of words that both have."""
        return np.array([_overlap(set(_words(a.text)), set(_words(b.text))) for a, b in pairs], dtype=np.float64)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _overlap(a: set[str], b: set[str]) -> float:
    return len(a & b) / max(len(a | b), 1)
