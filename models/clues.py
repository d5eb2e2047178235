"""What tells of a candidate for an attribution's speaker: plain numbers, for the speaker head."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.entities import Entity
from models.given_names import GivenNames
from models.names import HE, SHE, Mention, fold
from models.nouns import (
    APOSTROPHES,
    ARTICLES,
    LINKS,
    NOUN_CLASSES,
    PARTICIPLES,
    RELATIVES,
    head_word,
    noun_class,
    of_a_man,
    of_a_woman,
    root,
)
from models.records import Span
from models.rivals import RIVAL_FEATURES, Rival

Places = Sequence[tuple[int, int]]
"""Ranges of words."""

CandidateType = Literal["person", "organization", "place", "phrase", "earlier", "author", "nobody"]

CANDIDATE_TYPES: Final[tuple[CandidateType, ...]] = (
    "person", "organization", "place", "phrase", "earlier", "author", "nobody",
)  # fmt: skip

PRONOUNS: Final = (
    frozenset(("he", "him", "his", "himself")),
    frozenset(("she", "her", "hers", "herself")),
    frozenset(("they", "them", "their", "theirs", "themselves")),
    frozenset(("it", "its", "itself")),
    frozenset(("i", "me", "my", "we", "us", "our", "myself", "ourselves")),
    frozenset(("who", "whom", "whose")),
    frozenset(("which", "that", "this", "these", "those", "what")),
    frozenset(("you", "your", "one", "some", "many", "others", "everyone", "people")),
)
FIRST_PERSON: Final = PRONOUNS[4]
_STOPS: Final = frozenset((".", "!", "?"))
_BESIDE: Final = 10  # words on either side of a mention that may describe it
_BEFORE: Final = 10  # words before a name that may be its title
_MOST_DESCRIBED: Final = 12  # mentions of an entity that are looked at for descriptions
_TOLD: Final = 8  # words of a source that are looked for there
_FOLLOWING: Final = 30  # words behind a mention in which a pronoun may stand for it
_LINE: Final = 4  # words of a paragraph that is no more than a name, with "by"

_OF_PHRASE: Final = 16
_OF_ENTITY: Final = 26
SHARED: Final = len(PRONOUNS) + 6 + len(NOUN_CLASSES)
"""How many features tell of the attribution alone."""
_OF_ONE: Final = SHARED + len(CANDIDATE_TYPES) + 9 + 23 + 6 + _OF_PHRASE + _OF_ENTITY
FEATURES: Final = _OF_ONE + RIVAL_FEATURES
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A source whose speaker is looked for: its words, those that describe someone, all of their roots, its noun.

    ``leans`` is 1 for "she" and "his mother", -1 for "he" and "the spokesman", else 0.
    """

    source: Places
    own: frozenset[str]
    told: tuple[str, ...]
    roots: frozenset[str]
    noun: int
    leans: float


class Clues:
    """An article's words, names and what stands beside them.

    Args:
        text: The article's text.
        words: Its words.
        quoted: Whether each word stands in a quotation, (words,).
        paragraph_of: Each word's paragraph number, (words,).
        mentions: The names in it, in order.
        entities: What they name.
        habit: The number of the habit that is followed.
        given: What given names tell.
    """

    def __init__(
        self,
        text: str,
        words: Sequence[Span],
        quoted: NDArray[np.bool_],
        paragraph_of: NDArray[np.int64],
        mentions: Sequence[Mention],
        entities: Sequence[Entity],
        habit: int,
        given: GivenNames,
    ) -> None:
        self.text, self.words, self.quoted, self.paragraph_of = text, words, quoted, paragraph_of
        self.mentions, self.entities, self.habit = mentions, entities, habit
        self.entities_at: list[list[int]] = [[] for _ in mentions]
        for number, one in enumerate(entities):
            for at in one.mentions:
                self.entities_at[at].append(number)
        self.lower = [text[span.start : span.end].lower() for span in words]
        stops = np.fromiter((word in _STOPS for word in self.lower), dtype=np.int64, count=len(words))
        self._stops_before = np.concatenate([[0], np.cumsum(stops)])
        self._gender = [self._genders(one) for one in entities]
        self._leans = [given.lean(one.tokens) if one.kind == "person" else 0.0 for one in entities]
        self._pronouns = [self._pronoun_shares(one) for one in entities]
        self._beside = [self._words_beside(one) for one in entities]
        self._titles = [self._words_of_title(one) for one in entities]
        self._signs = [any(self._is_line(number) for number in one.mentions) for one in entities]
        self._names = [frozenset(one.tokens) for one in entities]
        self._leads = self._leading()
        # How often each is named so that nobody else may be meant.
        self._alone = [sum(len(self.entities_at[at]) == 1 for at in one.mentions) for one in entities]

    def near(self, first: int, last: int) -> range:
        """The numbers of the mentions that begin in a range of words."""
        begin, end = (bisect_left(self.mentions, at, key=lambda one: one.first) for at in (first, last))
        return range(begin, end)

    def head(self, cited: Cited) -> int | None:
        """The word that a source is about; None without a source."""
        return head_word(self.lower, *cited.source[0]) if cited.source else None

    def apart(self, told: int | None, here: int) -> tuple[float, float, float]:
        """Whether a word is in the sentence of another, or in the one before, and how near it is: 1 to 0."""
        if told is None or told > here:
            return 0.0, 0.0, 0.0
        stops = int(self._stops_before[here] - self._stops_before[told])
        return float(stops == 0), float(stops == 1), 1 / (1 + math.log1p(here - told))

    def is_called(self, entity: int, title: str) -> bool:
        """Whether a word of such a root leads up to one of a person's names, or stands in commas behind it."""
        return any(title in words for words in self._titles[entity])

    def shared(self, cited: Cited) -> list[float]:
        """What is told of the attribution itself: its habit, and what its source is made of."""
        source = cited.source
        kind = [0.0] * (len(PRONOUNS) + 4)
        noun = [0.0] * len(NOUN_CLASSES)
        if not source:
            kind[-1] = 1.0
        else:
            a, b = source[0]
            size = sum(y - x for x, y in source)
            head = [number for number, group in enumerate(PRONOUNS) if self.lower[a] in group]
            if head and size <= 2:
                kind[head[0]] = 1.0
            elif self.near(a, b):
                kind[-2] = 1.0
            else:
                kind[-3] = 1.0
            if size > 2 and self.lower[b - 1] in RELATIVES:
                kind[-4] = 1.0
            told = self._class_of(a, b)
            if told >= 0:
                noun[told] = 1.0
        return [float(self.habit), *kind, float(bool(self.quoted[cited.cue[0]])), *noun]

    def asked(self, source: Places) -> Asked:
        """What every candidate of a source is compared with."""
        own = frozenset(self.lower[at] for a, b in source for at in range(a, b))
        words = [self.lower[at] for at in range(*source[0])] if source else []
        told = [root(word) for word in words if len(word) > 2 and word not in ARTICLES and word not in LINKS]
        roots = frozenset(root(word) for word in own if len(word) > 3)
        head = self.lower[head_word(self.lower, *source[0])] if source else ""
        leans = float(head in PRONOUNS[1] or of_a_woman(head)) - float(head in PRONOUNS[0] or of_a_man(head))
        return Asked(source, own, tuple(told[:_TOLD]), roots, noun_class(head), leans)

    def of(
        self,
        one: Candidate,
        asked: Asked,
        first: int,
        last: int,
        rank: int,
        spoken: Sequence[float],
        rival: Rival,
    ) -> list[float]:
        """What tells of a candidate for a source; about 0 to 1 each.

        Args:
            one: The candidate.
            asked: The attribution's source.
            first: Its first word, or the cue's.
            last: Its last word (exclusive), or the cue's.
            rank: How many candidates of the same type were mentioned later before it, -1 for behind.
            spoken: What tells of the candidate as an earlier speaker.
            rival: What it is beside others, see ``rival``.
        """
        out = [float(one.type == kind) for kind in CANDIDATE_TYPES] + [*spoken]
        if one.words is None:
            return out + [0.0] * (_OF_ONE - len(out) - SHARED)
        near, end = one.words
        lower, source = self.lower, asked.source
        here = int(self.paragraph_of[min(first, len(self.paragraph_of) - 1)])
        inside = any(a <= near < b for a, b in source)
        before = not inside and near < first
        distance = 0 if inside else (first - end if before else near - last)
        blocks = abs(here - int(self.paragraph_of[near]))
        owner = end < len(lower) and lower[end] in APOSTROPHES
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
            float(owner),
            float(near == 0 or self.paragraph_of[near - 1] != self.paragraph_of[near]),
            float(near > 0 and lower[near - 1] in (".", "”", '"', "!", "?")),
            float(inside and bool(source) and near == source[0][0]),
            float(inside and end == source[-1][1] if source else False),
            float(inside and (near, end) == tuple(source[0]) if source else False),
            float(inside and any(lower[at] in ("and", ",") for at in range(source[0][0], near))),
            float(inside and any(lower[at] in ("'", "’", "s") for at in range(source[0][0], near))),
            float(inside and end < last and lower[end] in ("and", ",")),
        ]
        between = self._stops_before[max(first, near)] - self._stops_before[min(first, near)]
        out += [
            float(between == 0),
            float(between == 1),
            float(near > 0 and lower[near - 1] in LINKS),
            float(end == first or (end == first - 1 and lower[end] == ",")),
            float(inside and owner and end + 2 < last),
            (end - near) / 10 if end - near < 10 else 1.0,
        ]
        if one.entity is None:
            return out + self._of_phrase(one.words, asked, inside, last) + [0.0] * _OF_ENTITY
        of_entity = self._of_entity(one.entity, one.words, asked, inside, rival)
        return out + [0.0] * _OF_PHRASE + of_entity + self._led(one.entity, first)

    def rival(self, one: Candidate, asked: Asked, first: int, cited_at: int | None) -> Rival:
        """A candidate as it stands beside others, see ``of``; ``cited_at`` is the word where it was cited last."""
        number = one.entity
        if number is None:
            return Rival()
        titled, ends_title = _description(asked.told, self._titles[number])
        described, ends_beside = _description(asked.told, self._beside[number])
        last_word = ends_title, ends_beside
        named_at = one.words[0] if one.words and one.words[0] < first else None
        if one.type != "person":
            return Rival(titled, described, last_word)
        (he, she), (leads_he, leads_she) = self._gender[number], self._pronouns[number]
        leans = self._leans[number] + she - he + leads_she - leads_he
        return Rival(titled, described, last_word, max(-1.0, min(1.0, asked.leans * leans)), named_at, cited_at)

    def _of_phrase(self, words: tuple[int, int], asked: Asked, inside: bool, last: int) -> list[float]:
        first, end = words
        lower = self.lower
        told, source, own = self._class_of(first, end), asked.source, asked.own
        mine = set(lower[first:end])
        behind = lower[end] if inside and end < last else ""
        return [
            *(float(told == number) for number in range(len(NOUN_CLASSES))),
            float(told >= 0 and told == asked.noun),
            float(lower[first] in ARTICLES),
            float(lower[end - 1] in own and not inside),
            len(mine & own) / max(len(own), 1),
            float(any(root(word) in asked.roots for word in mine if len(word) > 3)),
            float(behind == "of"),
            float(behind in LINKS and behind != "of"),
            float(behind.endswith(PARTICIPLES)),
            float(behind in RELATIVES or behind in (",", "(", "–", "—")),
            float(behind in APOSTROPHES),
            float(inside and bool(source) and first > source[0][0] and lower[first - 1] in ARTICLES),
            float(any(self.near(first, end))),
        ]

    def _of_entity(self, number: int, words: tuple[int, int], asked: Asked, inside: bool, rival: Rival) -> list[float]:
        entity, own = self.entities[number], asked.own
        near, end = words
        he, she = self._gender[number]
        leads_he, leads_she = self._pronouns[number]
        at = bisect_left(self.mentions, near, key=lambda one: one.first)
        others = [other for other in self.entities_at[at] if other != number]
        here = int(self.paragraph_of[near])
        last = bisect_left(entity.mentions, at) + 1
        lately = sum(
            here - int(self.paragraph_of[self.mentions[one].first]) < 3
            for one in entity.mentions[max(last - 8, 0) : last]
        )
        return [
            min(math.log1p(len(entity.mentions)) / 4, 1.0),
            float(self.mentions[entity.mentions[0]].first < 60),
            float(len(entity.tokens) > 1),
            float(he),
            float(she),
            float(bool(own) and self._is_part(own, number)),
            float(self.lower[end - 1] in own and not inside),
            len(self._names[number] & own) / max(len(own), 1),
            leads_he,
            leads_she,
            rival.described,
            rival.last_word[1],
            rival.titled,
            rival.last_word[0],
            float(bool(others)),
            self._alone[number] / max(self._alone[number] + sum(self._alone[other] for other in others), 1),
            min(lately / 4, 1.0),
            float(self._signs[number]),
            self._leans[number],
            asked.leans * self._leans[number],
            asked.leans * (leads_she - leads_he),
            asked.leans * (she - he),
        ]

    def _led(self, number: int, here: int) -> list[float]:
        """How lately an entity was what a sentence is about, as "he" of the next one mostly is, by its first name."""
        mentions = self.entities[number].mentions
        before = mentions[: bisect_left(mentions, here, key=lambda at: self.mentions[at].first)]
        led = [at for at in before[-_MOST_DESCRIBED:] if self._leads[at]]
        if not led:
            return [0.0] * 4
        told = self.mentions[led[-1]].first
        return [*self.apart(told, here), len(led) / len(before[-_MOST_DESCRIBED:])]

    def _leading(self) -> list[bool]:
        """For each mention, whether it is the first in its sentence, and no owner of something."""
        out, last = [], (-1, -1)
        for one in self.mentions:
            sentence = int(self.paragraph_of[one.first]), int(self._stops_before[one.first])
            owner = one.last < len(self.lower) and self.lower[one.last] in APOSTROPHES
            out.append(sentence != last and not owner)
            last = sentence
        return out

    def _class_of(self, first: int, last: int) -> int:
        return noun_class(self.lower[head_word(self.lower, first, last)])

    def _words_beside(self, entity: Entity) -> list[frozenset[str]]:
        """For its first mentions, the words just before and behind, with those of the name."""
        out = []
        for number in entity.mentions[:_MOST_DESCRIBED]:
            one = self.mentions[number]
            near = self.lower[max(one.first - _BESIDE, 0) : one.last + _BESIDE]
            out.append(frozenset(map(root, near)))
        return out

    def _words_of_title(self, entity: Entity) -> list[frozenset[str]]:
        """For its first mentions, what leads up to the name, and what stands between commas or brackets behind it.

        "Iran's Speaker of the Assembly, Hana Sato" and "Hana Sato, the Osaka governor,": no other name stands between.
        """
        out = []
        for number in entity.mentions[:_MOST_DESCRIBED]:
            one = self.mentions[number]
            start = max(one.first - _BEFORE, 0)
            for before in range(number - 1, -1, -1):
                if self.mentions[before].last <= start:
                    break
                if self.mentions[before].kind == "person":
                    start = self.mentions[before].last
                    break
            while start < one.first and int(self._stops_before[one.first] - self._stops_before[start]):
                start += 1
            found = self.lower[start : one.first]
            if one.last < len(self.lower) and self.lower[one.last] in (",", "("):
                end = one.last + 1
                while end < min(one.last + _BESIDE, len(self.lower)) and self.lower[end] not in (",", ")", ".", ";"):
                    end += 1
                found += self.lower[one.last + 1 : end]
            out.append(frozenset(map(root, found)))
        return out

    def _is_line(self, number: int) -> bool:
        """Whether a paragraph is no more than this mention, with "by"."""
        one = self.mentions[number]
        here = self.paragraph_of[one.first]
        begin, end = np.searchsorted(self.paragraph_of, [here, here + 1])
        if end - begin - (one.last - one.first) > _LINE:
            return False
        rest = self.lower[begin : one.first] + self.lower[one.last : end]
        return all(word == "by" or not word[0].isalnum() for word in rest)

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
            follow = self.lower[first:last]
            he += any(word in PRONOUNS[0] for word in follow)
            she += any(word in PRONOUNS[1] for word in follow)
        return he / (he + she + 1), she / (he + she + 1)

    def _is_part(self, own: Set[str], number: int) -> bool:
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


def _description(told: Sequence[str], beside: Sequence[frozenset[str]]) -> tuple[float, float]:
    """How much of what a source tells stands beside some mention of an entity, and whether its last word does.

    "The Osaka governor" is who was "Governor Hana Sato of Osaka" before.
    """
    if not told:
        return 0.0, 0.0
    best = max((sum(word in near for word in told) for near in beside), default=0)
    return best / len(told), float(any(told[-1] in near for near in beside))
