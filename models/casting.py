"""Who may stand behind "he", "the minister", "Clinton" or nothing at all: candidates and what tells of them.

For each attribution of an article, in order, candidates are gathered: the people, organizations
and places that the article names, the source's own words, what earlier sources came to, and
nobody.  The network's speaker head scores each from the states of its words and of the source's,
and from its features; ``models.speakers`` makes the best ones the article's speakers.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.names import HE, SHE, Entity, Mention, find_entities, fold
from models.records import Span

Floats = NDArray[np.float32]
Places = Sequence[tuple[int, int]]
"""Ranges of words."""

CandidateType = Literal["person", "organization", "place", "phrase", "earlier", "nobody"]

CANDIDATE_TYPES: Final[tuple[CandidateType, ...]] = (
    "person", "organization", "place", "phrase", "earlier", "nobody",
)  # fmt: skip

_PRONOUNS: Final = (
    frozenset(("he", "him", "his", "himself")),
    frozenset(("she", "her", "hers", "herself")),
    frozenset(("they", "them", "their", "theirs", "themselves")),
    frozenset(("it", "its", "itself")),
    frozenset(("i", "me", "my", "we", "us", "our", "myself", "ourselves")),
    frozenset(("who", "whom", "whose")),
    frozenset(("which", "that", "this", "these", "those", "what")),
    frozenset(("you", "your", "one", "some", "many", "others", "everyone", "people")),
)
_ARTICLES: Final = frozenset(("the", "a", "an"))
_RELATIVES: Final = frozenset(("who", "which", "that", "whose", "whom"))
_LINKS: Final = frozenset(("in", "on", "at", "from", "of", "by", "for", "with", "to", "about"))
_PARTICIPLES: Final = ("ing", "ed", "led", "held")
_BEFORE: Final = frozenset(("by", "in", "from", "to", "with", "as", "and", "for", "of"))
_MOST_ENTITIES: Final = 30
_MOST_EARLIER: Final = 8
_NEAR: Final = 60  # words behind the source in which a mention may explain it


SHARED: Final = len(_PRONOUNS) + 6
"""How many features tell of the attribution alone."""
FEATURES: Final = SHARED + len(CANDIDATE_TYPES) + 6 + 23 + 10
"""How many features a candidate has."""


@dataclass(frozen=True, slots=True)
class Cited:
    """An attribution as ranges of words: its source and its cue."""

    source: tuple[tuple[int, int], ...]
    cue: tuple[int, int]


@dataclass(slots=True)
class Candidate:
    """Who an attribution's speaker may be.

    ``words`` are the words that speak for it here (the nearest mention, the phrase) and ``fullest``
    those of its fullest mention; None for nobody.
    """

    type: CandidateType
    name: str | None
    words: tuple[int, int] | None = None
    fullest: tuple[int, int] | None = None
    entity: int | None = None
    features: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Turn:
    """What an earlier attribution came to."""

    key: str
    name: str
    words: tuple[int, int] | None
    entity: int | None
    paragraph: int
    at: int


class Casting:
    """The candidates of an article's attributions, to be asked for in order.

    Args:
        text: The article's text.
        words: Its words.
        quoted: Whether each word stands in a quotation, (words,).
        paragraph_of: Each word's paragraph number, (words,).
        mentions: The names in it, in order.
        habit: The number of the habit that is followed.
    """

    def __init__(
        self,
        text: str,
        words: Sequence[Span],
        quoted: NDArray[np.bool_],
        paragraph_of: NDArray[np.int64],
        mentions: Sequence[Mention],
        habit: int,
    ) -> None:
        self.text, self.words, self.quoted, self.paragraph_of = text, words, quoted, paragraph_of
        self.mentions, self.habit = mentions, habit
        self.entities = find_entities(text, words, mentions)
        self._turns: list[_Turn] = []
        self._gender = [self._genders(one) for one in self.entities]
        self._lower = [text[span.start : span.end].lower() for span in words]
        self._names = [frozenset(one.tokens) for one in self.entities]
        self._entity_at = {mentions[n].first: at for at, one in enumerate(self.entities) for n in one.mentions}
        self._firsts = [[mentions[n].first for n in one.mentions] for one in self.entities]

    def candidates(self, cited: Cited) -> list[Candidate]:
        """The candidates for one attribution, with their features."""
        source = cited.source
        first = source[0][0] if source else cited.cue[0]
        last = source[-1][1] if source else cited.cue[1]
        shared = self._shared(cited)
        own = {self._lower[at] for a, b in source for at in range(a, b)}
        out = self._named(source, first, last)
        by_key = {normal(one.name): one for one in out if one.name}
        for one in self._phrases(source):
            key = normal(one.name)
            if key and key not in by_key:
                by_key[key] = one
                out.append(one)
        seen = 0
        for turn in reversed(self._turns):
            if seen == _MOST_EARLIER:
                break
            if turn.entity is None and turn.key and turn.key not in by_key:
                by_key[turn.key] = Candidate("earlier", turn.name, turn.words, turn.words)
                out.append(by_key[turn.key])
                seen += 1
        out.append(Candidate("nobody", None))
        ranks = self._ranks(out, first)
        for one, rank in zip(out, ranks, strict=True):
            one.features = shared + self._features(one, source, first, last, own, rank)
        return out

    def decide(self, cited: Cited, name: str | None, candidate: Candidate | None) -> None:
        """Tell who an attribution's speaker is before the next one's candidates are asked for."""
        at = cited.cue[0]
        self._turns.append(
            _Turn(
                normal(name) if name else "",
                name or "",
                candidate.words if candidate else None,
                candidate.entity if candidate else None,
                int(self.paragraph_of[at]),
                at,
            )
        )

    def _named(self, source: Places, first: int, last: int) -> list[Candidate]:
        ranked = []
        for number, entity in enumerate(self.entities):
            firsts = self._firsts[number]
            inside = [n for n, at in zip(entity.mentions, firsts, strict=True) if any(a <= at < b for a, b in source)]
            at = bisect_left(firsts, first)
            before = entity.mentions[at - 1] if at else None
            after = entity.mentions[at] if at < len(firsts) else None
            if inside:
                chosen, distance = inside[-1], -1
            elif before is not None:
                chosen, distance = before, first - self.mentions[before].first
            elif after is not None:
                chosen, distance = after, (self.mentions[after].first - last) + _NEAR
            else:
                continue
            ranked.append((distance, number, chosen))
        ranked.sort()
        out = []
        for _, number, chosen in ranked[:_MOST_ENTITIES]:
            entity, near, full = (
                self.entities[number],
                self.mentions[chosen],
                self.mentions[self.entities[number].fullest],
            )
            out.append(Candidate(entity.kind, entity.name, (near.first, near.last), (full.first, full.last), number))
        return out

    def _phrases(self, source: Places) -> list[Candidate]:
        """The source's own words, and parts of them that may be what it is called by."""
        out: list[Candidate] = []
        if not source:
            return out
        first, last = source[0]
        lower = self._lower
        if lower[first] in _RELATIVES and last - first == 1:
            # What it relates to ends just before it.
            last = first - 1 if first and lower[first - 1] == "," else first
            first = max(last - 6, 0)
            return [self._phrase(begin, last) for begin in range(last - 1, first - 1, -1) if lower[begin][0].isalnum()]
        while last - first > 1 and not (lower[last - 1][0].isalnum() or lower[last - 1] in ')%"”'):
            last -= 1
        starts = [first]
        if last - first > 1 and lower[first] in _BEFORE:
            starts.append(first + 1)
        if lower[starts[-1]] in _ARTICLES and last - starts[-1] > 1:
            starts.append(starts[-1] + 1)
        ends = [last]
        for at in range(first + 1, last):
            if lower[at] == "," or lower[at] in _RELATIVES or lower[at] in ("–", "—", "("):
                ends.append(at)
                break
        links = [at for at in range(first + 1, ends[-1]) if lower[at] in _LINKS or lower[at].endswith(_PARTICIPLES)]
        ends += links[:4]
        ends += [at for at in range(first + 1, last) if lower[at] in ("'", "’")][:1]
        for begin in starts:
            for end in ends:
                if end - begin > (lower[begin] in _ARTICLES):
                    out.append(self._phrase(begin, end))
                    out += self._spelled_out(begin, end)
        return out

    def _spelled_out(self, begin: int, end: int) -> list[Candidate]:
        """A phrase that begins with an owner: "Davis' report" with the full name, "Clinton's campaign" without "'s"."""
        out: list[Candidate] = []
        owner = next((one for one in self._near(begin, end) if one.last < end and one.kind != "place"), None)
        if owner is None or self._lower[owner.last] not in ("'", "’"):
            return out
        tail = owner.last + (2 if owner.last + 1 < end and self._lower[owner.last + 1] == "s" else 1)
        if tail >= end:
            return out
        number = self._entity_at.get(owner.first)
        entity = None if number is None else self.entities[number]
        before = self.text[self.words[begin].start : self.words[owner.first].start]
        behind = self.text[self.words[owner.last].start : self.words[end - 1].end]
        if entity is not None and len(entity.tokens) > owner.last - owner.first:
            out.append(
                Candidate("phrase", " ".join((before + entity.name + behind).split()), (begin, end), (begin, end))
            )
        if self._lower[tail:end] == ["campaign"]:
            surname = self.text[self.words[owner.last - 1].start : self.words[owner.last - 1].end]
            out.append(Candidate("phrase", f"{surname} campaign", (begin, end), (begin, end)))
        return out

    def _phrase(self, begin: int, end: int) -> Candidate:
        name = " ".join(self.text[self.words[begin].start : self.words[end - 1].end].split())
        return Candidate("phrase", name, (begin, end), (begin, end))

    def _shared(self, cited: Cited) -> list[float]:
        """What is told of the attribution itself: its habit, and what its source is made of."""
        source = cited.source
        kind = [0.0] * (len(_PRONOUNS) + 4)
        if not source:
            kind[-1] = 1.0
        else:
            a, b = source[0]
            size = sum(y - x for x, y in source)
            head = [number for number, group in enumerate(_PRONOUNS) if self._lower[a] in group]
            if head and size <= 2:
                kind[head[0]] = 1.0
            elif any(a <= m.first < b for m in self._near(a, b)):
                kind[-2] = 1.0
            else:
                kind[-3] = 1.0
            if size > 2 and self._lower[b - 1] in _RELATIVES:
                kind[-4] = 1.0
        return [float(self.habit), *kind, float(bool(self.quoted[cited.cue[0]]))]

    def _near(self, first: int, last: int) -> Sequence[Mention]:
        begin = bisect_left(self.mentions, first, key=lambda m: m.first)
        return self.mentions[begin : bisect_left(self.mentions, last, key=lambda m: m.first)]

    def _ranks(self, candidates: Sequence[Candidate], first: int) -> list[int]:
        """How many candidates of the same type were mentioned later before the source."""
        order: dict[str, list[int]] = {}
        for one in candidates:
            if one.words and one.words[0] < first:
                order.setdefault(one.type, []).append(one.words[0])
        for places in order.values():
            places.sort()
        return [
            len(order[one.type]) - bisect_right(order[one.type], one.words[0])
            if one.words and one.words[0] < first
            else -1
            for one in candidates
        ]

    def _features(self, one: Candidate, source: Places, first: int, last: int, own: set[str], rank: int) -> list[float]:
        """Plain numbers that tell of a candidate for a source; about 0 to 1 each."""
        out = [float(one.type == kind) for kind in CANDIDATE_TYPES]
        key = normal(one.name) if one.name else ""
        turns = self._turns
        latest = next((n for n, turn in enumerate(reversed(turns)) if self._is(turn, one, key)), None)
        uses = sum(self._is(turn, one, key) for turn in turns)
        here = int(self.paragraph_of[min(first, len(self.paragraph_of) - 1)])
        same_block = bool(turns) and turns[-1].paragraph == here
        out += [
            float(latest == 0),
            float(latest == 1),
            float(latest is not None and latest > 1),
            float(latest == 0 and same_block),
            min(math.log1p(uses) / 3, 1.0),
            uses / max(len(turns), 1),
        ]
        if one.words is None:
            return out + [0.0] * (FEATURES - len(out) - SHARED)
        near, end = one.words
        inside = any(a <= near < b for a, b in source)
        before = not inside and near < first
        distance = 0 if inside else (first - end if before else near - last)
        blocks = abs(here - int(self.paragraph_of[near]))
        out += [
            float(inside),
            float(before),
            float(not inside and not before),
            math.log1p(max(distance, 0)) / 8,
            float(distance < 2),
            float(distance < 6),
            float(blocks == 0),
            float(blocks == 1),
            min(blocks / 10, 1.0),
            float(rank == 0),
            float(rank == 1),
            float(rank == 2),
            min(max(rank, 0) / 10, 1.0),
            float(bool(self.quoted[near])),
            float(end < len(self._lower) and self._lower[end] in ("'", "’")),
            float(near == 0 or self.paragraph_of[near - 1] != self.paragraph_of[near]),
            float(near > 0 and self._lower[near - 1] in (".", "”", '"', "!", "?")),
            float(inside and bool(source) and near == source[0][0]),
            float(inside and end == source[-1][1] if source else False),
            float(inside and (near, end) == tuple(source[0]) if source else False),
            float(inside and any(self._lower[at] in ("and", ",") for at in range(source[0][0], near))),
            float(inside and any(self._lower[at] in ("'", "’", "s") for at in range(source[0][0], near))),
            float(inside and end < last and self._lower[end] in ("and", ",")),
        ]
        if one.entity is None:
            size = end - near
            starts_article = self._lower[near] in _ARTICLES
            words = set(self._lower[near:end])
            return [
                *out,
                0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
                min(size / 10, 1.0),
                float(starts_article),
                float(self._lower[end - 1] in own and not inside),
                len(words & own) / max(len(own), 1),
            ]  # fmt: skip
        entity, number = self.entities[one.entity], one.entity
        count = len(entity.mentions)
        he, she = self._gender[number]
        return [
            *out,
            min(math.log1p(count) / 4, 1.0),
            float(self._firsts[number][0] < 60),
            float(len(entity.tokens) > 1),
            float(he),
            float(she),
            float(bool(own) and self._is_part(own, number)),
            min((end - near) / 10, 1.0),
            0.0,
            float(self._lower[end - 1] in own and not inside),
            len(self._names[number] & own) / max(len(own), 1),
        ]

    def _is(self, turn: _Turn, one: Candidate, key: str) -> bool:
        if one.entity is not None and turn.entity is not None:
            return one.entity == turn.entity
        return turn.key == key

    def _is_part(self, own: set[str], number: int) -> bool:
        return {fold(word) for word in own if word[0].isalnum()} <= self._names[number]

    def _genders(self, entity: Entity) -> tuple[bool, bool]:
        """Whether a title before some mention tells of a man, of a woman."""
        titles = set()
        for number in entity.mentions:
            at = self.mentions[number].first
            for where in (at - 1, at - 2, at):
                if 0 <= where < len(self.words):
                    titles.add(fold(self.words[where].of(self.text)))
        return bool(titles & HE), bool(titles & SHE)


_OUTER: Final = ' \t.,;:!?"“”()[]'
_POSSESSIVE: Final = re.compile(r"[’']s?$")


def normal(name: str | None) -> str:
    """A name as it is compared: small letters, one line, no possessive, no marks around it."""
    return _POSSESSIVE.sub("", " ".join((name or "").lower().split()).strip(_OUTER))
