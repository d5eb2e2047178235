"""Who may stand behind "he", "the minister", "Clinton" or nothing at all: candidates and what tells of them.

For each attribution of an article, in order, candidates are gathered: the people, organizations
and places that the article names, the source's own words, what earlier sources came to, and
nobody.  The network's speaker head scores each from the states of its words and of the source's,
and from its features; ``models.speakers`` makes the best ones the article's speakers.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.names import HE, SHE, Entity, Mention, find_entities, fold, normal
from models.records import Span

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
_LOOKED_AT: Final = 1000  # mentions on either side of a source
_NEAR: Final = 60  # words behind the source in which a mention may explain it
_ENDINGS: Final = ("ians", "ian", "ia", "ans", "an", "ese", "ish", "is", "i", "a", "s")
_BESIDE: Final = 10  # words on either side of a mention that may describe it
_MOST_DESCRIBED: Final = 12  # mentions of an entity that are looked at for descriptions
_TOLD: Final = 8  # words of a source that are looked for there
_FOLLOWING: Final = 30  # words behind a mention in which a pronoun may stand for it
_SHORT_FORMS: Final = {
    "gov": "governor", "sen": "senator", "rep": "representative", "pres": "president", "prof": "professor",
    "gen": "general", "sec": "secretary", "lt": "lieutenant", "col": "colonel", "dr": "doctor",
    "congressman": "representative", "congresswoman": "representative", "republicans": "republican",
    "democrats": "democrat", "democratic": "democrat", "gop": "republican", "candidate": "nominee",
    "chairman": "chair", "chairwoman": "chair", "spokeswoman": "spokesman", "spokesperson": "spokesman",
}  # fmt: skip

SHARED: Final = len(_PRONOUNS) + 6
"""How many features tell of the attribution alone."""
FEATURES: Final = SHARED + len(CANDIDATE_TYPES) + 6 + 23 + 10 + 4
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
        self._entities_at: list[list[int]] = [[] for _ in mentions]
        for number, one in enumerate(self.entities):
            for at in one.mentions:
                self._entities_at[at].append(number)
        # Who has spoken so far: numbers of attributions, by entity, by name, and by name without an entity.
        self._uses: dict[tuple[str, str | int], list[int]] = {}
        self._bare: dict[str, Candidate] = {}
        self._spoken, self._last_paragraph = 0, -1
        self._lower = [text[span.start : span.end].lower() for span in words]
        self._gender = [self._genders(one) for one in self.entities]
        self._pronouns = [self._pronoun_shares(one) for one in self.entities]
        self._beside = [self._words_beside(one) for one in self.entities]
        self._names = [frozenset(one.tokens) for one in self.entities]

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
        earlier = (one for key, one in reversed(self._bare.items()) if key and key not in by_key)
        out += [Candidate("earlier", one.name, one.words, one.words) for one in islice(earlier, _MOST_EARLIER)]
        named = self._is_name(source) or range(0)
        alone = [one for one in out if one.entity is not None and one.words and one.words[0] in named]
        out = alone or [*out, Candidate("nobody", None)]
        ranks = self._ranks(out, first)
        for one, rank in zip(out, ranks, strict=True):
            one.features = shared + self._features(one, source, first, last, own, rank)
        return out

    def decide(self, cited: Cited, name: str | None, candidate: Candidate | None) -> None:
        """Tell who an attribution's speaker is before the next one's candidates are asked for."""
        key, entity = normal(name), candidate.entity if candidate else None
        number = self._spoken
        tags: list[tuple[str, str | int]] = [("name", key)]
        if entity is None:
            tags.append(("bare", key))
            self._bare.pop(key, None)
            self._bare[key] = Candidate("earlier", name, candidate.words if candidate else None)
        else:
            tags.append(("entity", entity))
        for tag in tags:
            self._uses.setdefault(tag, []).append(number)
        self._spoken += 1
        self._last_paragraph = int(self.paragraph_of[cited.cue[0]])

    def _named(self, source: Places, first: int, last: int) -> list[Candidate]:
        """The entities that are named nearest: in the source, then before it, then behind."""
        found: dict[int, tuple[int, int, int]] = {}  # entity: distance, entity, mention
        at = bisect_left(self.mentions, first, key=lambda one: one.first)
        inside = [number for a, b in source for number in self._near(a, b)]
        for number in reversed(inside):
            for entity in self._entities_at[number]:
                found.setdefault(entity, (-1, entity, number))
        for number in range(at - 1, max(at - _LOOKED_AT, 0) - 1, -1):
            if len(found) >= _MOST_ENTITIES:
                break
            for entity in self._entities_at[number]:
                found.setdefault(entity, (first - self.mentions[number].first, entity, number))
        behind = 0
        for number in range(at, min(at + _LOOKED_AT, len(self.mentions))):
            if behind >= _MOST_ENTITIES:
                break
            for entity in self._entities_at[number]:
                if entity not in found and self.entities[entity].mentions[0] >= at:
                    behind += 1
                    found[entity] = ((self.mentions[number].first - last) + _NEAR, entity, number)
        out = []
        for _, number, chosen in sorted(found.values())[:_MOST_ENTITIES]:
            near, one = self.mentions[chosen], self.entities[number]
            full = self.mentions[one.fullest]
            out.append(Candidate(one.kind, one.name, (near.first, near.last), (full.first, full.last), number))
        return out

    def _is_name(self, source: Places) -> range | None:
        """Where the name stands that a source is nothing but, an article aside: it speaks for itself."""
        if len(source) != 1:
            return None
        first, last = source[0]
        while last - first > 1 and self._lower[first] in _ARTICLES:
            first += 1
        near = self._near(first, last)
        if len(near) == 1 and (self.mentions[near[0]].first, self.mentions[near[0]].last) == (first, last):
            return range(first, last)
        return None

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
        near = self._near(begin, end)
        at = next((at for at in near if self.mentions[at].last < end and self.mentions[at].kind != "place"), None)
        owner = None if at is None else self.mentions[at]
        if at is None or owner is None or self._lower[owner.last] not in ("'", "’"):
            return out
        tail = owner.last + (2 if owner.last + 1 < end and self._lower[owner.last + 1] == "s" else 1)
        if tail >= end:
            return out
        before = self.text[self.words[begin].start : self.words[owner.first].start]
        behind = self.text[self.words[owner.last].start : self.words[end - 1].end]
        for number in self._entities_at[at][:2]:
            entity = self.entities[number]
            if len(entity.tokens) > owner.last - owner.first:
                name = " ".join((before + entity.name + behind).split())
                out.append(Candidate("phrase", name, (begin, end), (begin, end)))
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
            elif self._near(a, b):
                kind[-2] = 1.0
            else:
                kind[-3] = 1.0
            if size > 2 and self._lower[b - 1] in _RELATIVES:
                kind[-4] = 1.0
        return [float(self.habit), *kind, float(bool(self.quoted[cited.cue[0]]))]

    def _near(self, first: int, last: int) -> range:
        """The numbers of the mentions that begin in a range of words."""
        begin, end = (bisect_left(self.mentions, at, key=lambda one: one.first) for at in (first, last))
        return range(begin, end)

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
        tags: list[tuple[str, str | int]] = [("name", key)]
        if one.entity is not None:
            tags = [("entity", one.entity), ("bare", key)]
        spoke = [numbers for tag in tags if (numbers := self._uses.get(tag))]
        latest = self._spoken - 1 - max(numbers[-1] for numbers in spoke) if spoke else None
        uses = sum(map(len, spoke))
        here = int(self.paragraph_of[min(first, len(self.paragraph_of) - 1)])
        same_block = self._last_paragraph == here
        out += [
            float(latest == 0),
            float(latest == 1),
            float(latest is not None and latest > 1),
            float(latest == 0 and same_block),
            min(math.log1p(uses) / 3, 1.0),
            uses / max(self._spoken, 1),
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
                0.0, 0.0, 0.0, 0.0,
            ]  # fmt: skip
        entity, number = self.entities[one.entity], one.entity
        count = len(entity.mentions)
        he, she = self._gender[number]
        return [
            *out,
            min(math.log1p(count) / 4, 1.0),
            float(self.mentions[entity.mentions[0]].first < 60),
            float(len(entity.tokens) > 1),
            float(he),
            float(she),
            float(bool(own) and self._is_part(own, number)),
            min((end - near) / 10, 1.0),
            0.0,
            float(self._lower[end - 1] in own and not inside),
            len(self._names[number] & own) / max(len(own), 1),
            *self._pronouns[number],
            *self._description(source, number),
        ]

    def _description(self, source: Places, number: int) -> tuple[float, float]:
        """How much of the source stands beside some mention of an entity, and whether its last word does.

        "The Osaka governor" is who was "Governor Hana Sato of Osaka" before.
        """
        if not source:
            return 0.0, 0.0
        words = [self._lower[at] for at in range(*source[0])]
        told = [_root(word) for word in words if len(word) > 2 and word not in _ARTICLES and word not in _LINKS][:_TOLD]
        if not told:
            return 0.0, 0.0
        best = max((sum(word in near for word in told) for near in self._beside[number]), default=0)
        return best / len(told), float(any(told[-1] in near for near in self._beside[number]))

    def _words_beside(self, entity: Entity) -> list[frozenset[str]]:
        """For its first mentions, the words just before and behind, with those of the name."""
        out = []
        for number in entity.mentions[:_MOST_DESCRIBED]:
            one = self.mentions[number]
            near = self._lower[max(one.first - _BESIDE, 0) : one.last + _BESIDE]
            out.append(frozenset(map(_root, near)))
        return out

    def _pronoun_shares(self, entity: Entity) -> tuple[float, float]:
        """How often "he" and "she" follow its mentions before anybody else is named, as shares of at most 1."""
        he = she = 0
        for number in entity.mentions:
            first = self.mentions[number].last
            last = min(first + _FOLLOWING, len(self.words))
            for behind in self.mentions[number + 1 : number + 8]:
                if behind.first >= last:
                    break
                if behind.kind == "person":
                    last = behind.first
            follow = self._lower[first:last]
            he += any(word in _PRONOUNS[0] for word in follow)
            she += any(word in _PRONOUNS[1] for word in follow)
        return he / (he + she + 1), she / (he + she + 1)

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


@lru_cache(maxsize=50_000)
def _root(word: str) -> str:
    """What a word has in common with its relatives: "Iran" and "Iranian", "Gov." and "governor", plurals."""
    word = _SHORT_FORMS.get(word, word)
    ending = next((one for one in _ENDINGS if word.endswith(one) and len(word) - len(one) >= 4), "")
    return word[: len(word) - len(ending)]
