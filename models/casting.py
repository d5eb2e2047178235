"""Who may stand behind "he", "the minister", "Clinton" or nothing at all: the candidates.

For each attribution of an article, in order, candidates are gathered: the people, organizations
and places that the article names, the source's own words, what earlier sources came to, the
author, and nobody.  The network's speaker head scores each from the states of its words and of the
source's, and from what ``models.clues`` tells; ``models.speakers`` makes the best ones the article's speakers.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.clues import FIRST_PERSON, Candidate, Cited, Clues, Places
from models.entities import Entity, find_entities
from models.given_names import GivenNames
from models.names import HE, SHE, Mention, fold, long_forms, normal, spelled_out, surname, whole_names
from models.nouns import APOSTROPHES, ARTICLES, LINKS, PARTICIPLES, RELATIVES, root
from models.records import HABITS, Span
from models.rivals import FITS, compared

AUTHOR: Final = "the author"
"""Who "I" and "we" are outside of quotations, where no name is found for them."""

_BEFORE: Final = frozenset(("by", "in", "from", "to", "with", "as", "and", "for", "of"))
_MOST_ENTITIES: Final = 30
_MOST_EARLIER: Final = 8
_LOOKED_AT: Final = 1000  # mentions on either side of a source
_NEAR: Final = 60  # words behind the source in which a mention may explain it
_LISTING: Final = ARTICLES | {"and", "both", ",", ".", "mr", "mrs", "ms", "sen", "sens", "gov", "senator", "senators"}
_MOST_CAMPAIGNS: Final = 3
_MOST_JOINED: Final = 4  # names that are listed in a source
_BRACKETS: Final = re.compile(r"\s*\([^()]*\)")


class Casting:
    """The candidates of an article's attributions, to be asked for in order.

    Args:
        text: The article's text.
        words: Its words.
        quoted: Whether each word stands in a quotation, (words,).
        paragraph_of: Each word's paragraph number, (words,).
        mentions: The names in it, in order.
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
        habit: int,
        given: GivenNames,
    ) -> None:
        mentions = whole_names(text, words, mentions)
        self.text, self.words, self.mentions = text, words, mentions
        self._long_forms = long_forms(text)
        self.entities = find_entities(text, words, mentions, self._long_forms)
        self._tell_apart(given)
        self.clues = Clues(text, words, quoted, paragraph_of, mentions, self.entities, habit, given)
        self._paragraph_of, self._lower = paragraph_of, self.clues.lower
        self._first_for_all = HABITS[habit] == "polnear"
        self._entities_at, self._near = self.clues.entities_at, self.clues.near
        # Who has spoken so far: numbers of attributions, by entity, by name, and by name without an entity.
        self._uses: dict[tuple[str, str | int], list[int]] = {}
        self._told_at: dict[tuple[str, str | int], int] = {}  # the word where each was cited last
        self._bare: dict[str, Candidate] = {}
        self._spoken, self._last_paragraph = 0, -1

    def _tell_apart(self, given: GivenNames) -> None:
        """Leave "Mrs. Duarte" to the women of those who may be called so, and "Mr. Duarte" to the men."""
        owners: dict[int, list[Entity]] = {}
        for one in self.entities:
            for number in one.mentions if one.kind == "person" else ():
                owners.setdefault(number, []).append(one)
        titles = {number: self._title(number) for number in owners}
        leans: dict[int, float] = {}
        for one in {id(one): one for several in owners.values() for one in several if len(several) > 1}.values():
            told = sum(titles[number] for number in one.mentions if len(owners[number]) == 1)
            leans[id(one)] = float(told) or given.lean(one.tokens)
        for number, several in owners.items():
            out = [one for one in several if len(several) > 1 and leans[id(one)] * titles[number] < FITS]
            for one in out if len(out) < len(several) else ():
                one.mentions.remove(number)

    def _title(self, number: int) -> int:
        """1 for a mention behind "Mrs.", -1 behind "Mr.", else 0."""
        at = self.mentions[number].first - 1
        at -= at > 0 and self.words[at].of(self.text) == "."
        word = fold(self.words[at].of(self.text)) if at >= 0 else ""
        return (word in SHE) - (word in HE)

    def candidates(self, cited: Cited) -> list[Candidate]:
        """The candidates for one attribution, with their features."""
        source = cited.source
        first = source[0][0] if source else cited.cue[0]
        last = source[-1][1] if source else cited.cue[1]
        shared, asked = self.clues.shared(cited), self.clues.asked(source)
        out = self._named(source, first, last)
        by_key = {normal(one.name): one for one in out if one.name}
        for one in [*self._phrases(source), *self._campaigns(source, out)]:
            key = normal(one.name)
            if key and key not in by_key:
                by_key[key] = one
                out.append(one)
        earlier = (one for key, one in reversed(self._bare.items()) if key and key not in by_key)
        out += [Candidate("earlier", one.name, one.words, one.words) for one in islice(earlier, _MOST_EARLIER)]
        named = self._is_name(source) or self._first_of_several(source) or range(0)
        alone = [one for one in out if one.entity is not None and one.words and one.words[0] in named]
        alone = alone or self._of_origin(source, out)
        if not alone:
            if source and self._lower[source[-1][1] - 1] in FIRST_PERSON:
                out.append(Candidate("author", AUTHOR))
            out.append(Candidate("nobody", None))
        out = alone or out
        ranks = self._ranks(out, first)
        cited_at = [self._cited_at(one) for one in out]
        rivals = [self.clues.rival(one, asked, first, at) for one, at in zip(out, cited_at, strict=True)]
        for one, rank, at, rival, beside in zip(out, ranks, cited_at, rivals, compared(rivals), strict=True):
            mine = self.clues.of(one, asked, first, last, rank, self._as_speaker(one, first, at), rival)
            one.features = shared + mine + beside
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
            self._told_at[tag] = cited.source[-1][1] - 1 if cited.source else cited.cue[0]
        self._spoken += 1
        self._last_paragraph = int(self._paragraph_of[cited.cue[0]])

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
        while last - first > 1 and self._lower[first] in ARTICLES:
            first += 1
        near = self._near(first, last)
        if len(near) == 1 and self.mentions[near[0]].first == first:
            end = self.mentions[near[0]].last
            if end == last or self._lower[min(end, last) : max(end, last)] == ["."]:  # of a "Jr."
                return range(first, last)
        return None

    def _first_of_several(self, source: Places) -> range | None:
        """Where the first name stands of a source that is a list of names, if that one stands for all of them."""
        if not self._first_for_all or len(source) != 1:
            return None
        first, last = source[0]
        listed = [self.mentions[number] for number in self._near(first, last)]
        between = set(self._lower[first:last])
        for one in listed:
            between.difference_update(self._lower[one.first : one.last])
        if len(listed) < 2 or "and" not in between or not between <= _LISTING:
            return None
        return range(listed[0].first, listed[0].last)

    def _of_origin(self, source: Places, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Who was named last of those said to be of Kenya, if the source is "the Kenyan" and no more."""
        if len(source) != 1:
            return []
        first, last = source[0]
        word = self.text[self.words[last - 1].start : self.words[last - 1].end]
        origin = root(self._lower[last - 1])
        if last - first != 2 or self._lower[first] != "the" or not word[0].isupper() or self._near(first, last):
            return []
        if word.endswith("s") or origin == self._lower[last - 1]:
            return []
        called = [
            one
            for one in candidates
            if one.type == "person"
            and one.entity is not None
            and one.words
            and one.words[0] < first
            and self.clues.is_called(one.entity, origin)
        ]
        return sorted(called, key=lambda one: one.words or (0, 0))[-1:]

    def _phrases(self, source: Places) -> list[Candidate]:
        """The source's own words, and parts of them that may be what it is called by."""
        out = self._joined(source)
        if not source:
            return out
        first, last = source[0]
        lower = self._lower
        if lower[first] in RELATIVES and last - first == 1:
            # What it relates to ends just before it.
            last = first - 1 if first and lower[first - 1] == "," else first
            first = max(last - 6, 0)
            return [self._phrase(begin, last) for begin in range(last - 1, first - 1, -1) if lower[begin][0].isalnum()]
        while last - first > 1 and not (lower[last - 1][0].isalnum() or lower[last - 1] in ')%"”'):
            last -= 1
        starts = [first]
        if last - first > 1 and lower[first] in _BEFORE:
            starts.append(first + 1)
        if lower[starts[-1]] in ARTICLES and last - starts[-1] > 1:
            starts.append(starts[-1] + 1)
        ends = [last]
        for at in range(first + 1, last):
            if lower[at] == "," or lower[at] in RELATIVES or lower[at] in ("–", "—", "("):
                ends.append(at)
                break
        links = [at for at in range(first + 1, ends[-1]) if lower[at] in LINKS or lower[at].endswith(PARTICIPLES)]
        ends += links[:4]
        ends += [at for at in range(first + 1, last) if lower[at] in APOSTROPHES][:1]
        for begin in starts:
            for end in ends:
                if end - begin > (lower[begin] in ARTICLES):
                    out.append(self._phrase(begin, end))
                    short = _BRACKETS.sub("", out[-1].name or "")
                    out.append(Candidate("phrase", short, (begin, end), (begin, end)))
                    out += self._spelled_out(begin, end)
        return out

    def _campaigns(self, source: Places, named: Sequence[Candidate]) -> list[Candidate]:
        """What "her campaign" or "the campaign" is called: by the surname of one of those who were named last."""
        if not source or source[-1][1] - source[-1][0] > 2 or self._lower[source[-1][1] - 1] != "campaign":
            return []
        people = [one for one in named if one.type == "person" and one.name][:_MOST_CAMPAIGNS]
        return [Candidate("phrase", f"{surname(one.name or '')} campaign", one.words, source[-1]) for one in people]

    def _joined(self, source: Places) -> list[Candidate]:
        """All names of a source that lists several: "Ines Duarte and Tomas Rehn", "Ines Duarte and other mayors".

        PolNeAR's people have the first one for all of them.
        """
        if self._first_for_all:
            return []
        near = [number for first, last in source for number in self._near(first, last)]
        kind = next((self.mentions[number].kind for number in near), None)
        kind = "person" if any(self.mentions[number].kind == "person" for number in near) else kind
        listed = [self._entities_at[number] for number in near if self.mentions[number].kind == kind]
        names = list(dict.fromkeys(self.entities[who[0]].name for who in listed if len(who) == 1))
        if not names or len(source) != 1:
            return []
        words = first, last = source[0]
        ands = [at for at in range(first, last) if self._lower[at] == "and"]
        before = ands and self.mentions[near[0]].last <= ands[-1]
        if before and len(names) == len(near) == 1 and self._lower[ands[-1] + 1 : last][:1] in (["other"], ["others"]):
            others = self._phrase(ands[-1], last).name
            return [Candidate("phrase", f"{names[0]} {others}", words, words)]
        if not 1 < len(names) <= _MOST_JOINED or len(names) < len(listed) or not ands:
            return []
        return [Candidate("phrase", f"{', '.join(names[:-1])} and {names[-1]}", words, words)]

    def _spelled_out(self, begin: int, end: int) -> list[Candidate]:
        """A phrase that begins with an owner: "Davis' report" with the full name, "Clinton's campaign" without "'s"."""
        out: list[Candidate] = []
        near = self._near(begin, end)
        at = next((at for at in near if self.mentions[at].last < end and self.mentions[at].kind != "place"), None)
        owner = None if at is None else self.mentions[at]
        if at is None or owner is None or self._lower[owner.last] not in APOSTROPHES:
            return out
        tail = owner.last + (2 if owner.last + 1 < end and self._lower[owner.last + 1] == "s" else 1)
        if tail >= end:
            return out
        before = self.text[self.words[begin].start : self.words[owner.first].start]
        behind = self.text[self.words[owner.last].start : self.words[end - 1].end]
        size = owner.last - owner.first
        for number in self._entities_at[at][:2]:
            entity = self.entities[number]
            for lead in dict.fromkeys((before, "")) if before else ("",) * (len(entity.tokens) > size):
                name = spelled_out(" ".join((lead + entity.name + behind).split()), self._long_forms)
                out.append(Candidate("phrase", name, (begin, end), (begin, end)))
        if self._lower[tail:end] == ["campaign"]:
            last = self.text[self.words[owner.last - 1].start : self.words[owner.last - 1].end]
            out.append(Candidate("phrase", f"{last} campaign", (begin, end), (begin, end)))
        return out

    def _phrase(self, begin: int, end: int) -> Candidate:
        name = " ".join(self.text[self.words[begin].start : self.words[end - 1].end].split())
        return Candidate("phrase", spelled_out(name, self._long_forms), (begin, end), (begin, end))

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

    def _as_speaker(self, one: Candidate, first: int, cited_at: int | None) -> list[float]:
        """What tells of a candidate as an earlier speaker, about 0 to 1 each; ``cited_at``: see ``_cited_at``."""
        spoke = [numbers for tag in _tags(one) if (numbers := self._uses.get(tag))]
        latest = self._spoken - 1 - max(numbers[-1] for numbers in spoke) if spoke else None
        uses = sum(map(len, spoke))
        here = int(self._paragraph_of[min(first, len(self._paragraph_of) - 1)])
        return [
            float(latest == 0),
            float(latest == 1),
            float(latest is not None and latest > 1),
            float(latest == 0 and self._last_paragraph == here),
            min(math.log1p(uses) / 3, 1.0),
            uses / max(self._spoken, 1),
            *self.clues.apart(cited_at, first),
        ]

    def _cited_at(self, one: Candidate) -> int | None:
        """The word where a candidate was cited last."""
        return max((self._told_at[tag] for tag in _tags(one) if tag in self._told_at), default=None)


def _tags(one: Candidate) -> list[tuple[str, str | int]]:
    """What a candidate is found by among those who have spoken."""
    key = normal(one.name)
    return [("name", key)] if one.entity is None else [("entity", one.entity), ("bare", key)]
