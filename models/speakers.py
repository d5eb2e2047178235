"""Sources to the article's speakers: the speaker head's choice for each attribution, put together."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.casting import Casting
from models.clues import Candidate, Cited
from models.encoding import QUOTED_DOUBLE, QUOTED_SINGLE, EncodedText
from models.given_names import GivenNames
from models.names import HE, OFFICES, OPENS_SENTENCE, SHE, Mention, fold, normal, plain_name
from models.network import SpeakerHead
from models.nouns import APOSTROPHES
from models.records import HABITS, KINDS, Habit, Span, Speaker, SpeakerCandidate, SpeakerKind

_RANKED: Final = 3
_LONGEST_ROLE: Final = 8  # words
_NO_ROLE: Final = frozenset(("who", "which", "whose", "whom", "that", "and", "or", "but", "as", "in", "on", "at"))
_TELLS_MORE: Final = frozenset(
    ("according", "no", "said", "told", "says", "along", "like", "with", "by", "for", "from")
)
_SPEAKS: Final = frozenset(("said", "says", "told"))
_POINTS: Final = frozenset(("his", "her", "their", "its", "my", "our", "one", "another"))
_COURTESY: Final = (HE | SHE | {"dr", "sheikh", "datuk"}) - {"king", "queen", "prince", "princess"}
"""What stands between an office and a name, and is none."""
_ENDS_ROLE: Final = frozenset(',.;:–—“”"‘’()[]')


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who an attribution's speaker is: a number among the article's speakers, the words that decided, the ranking."""

    speaker: int | None
    mention: Span | None
    candidates: tuple[SpeakerCandidate, ...]


def casting_of(
    text: str, encoded: EncodedText, mentions: Sequence[Mention], habit: Habit, given: GivenNames
) -> Casting:
    """What gathers an encoded text's candidates."""
    quoted = (encoded.features[:, 1] & (QUOTED_SINGLE | QUOTED_DOUBLE)) > 0
    paragraph_of = np.searchsorted(encoded.breaks, np.arange(len(encoded)), side="right") - 1
    return Casting(text, encoded.spans, quoted, paragraph_of, mentions, HABITS.index(habit), given)


def head_inputs(
    states: Tensor, cited: Cited, about: int | None, candidates: Sequence[Candidate]
) -> tuple[Tensor, Tensor, Tensor]:
    """What the speaker head takes for one attribution: (1, 3 H), (C, 2 H) and (C, FEATURES).

    Args:
        states: Of the text's words, (words, H).
        cited: The attribution.
        about: The word that its source is about.
        candidates: Who its speaker may be.
    """
    head = () if about is None else [(about, about + 1)]
    source = torch.cat([_mean(states, cited.source), _mean(states, head), _mean(states, [cited.cue])])
    means: dict[tuple[int, int] | None, Tensor] = {None: states.new_zeros(states.shape[1], dtype=torch.float32)}
    for one in candidates:
        for words in (one.words, one.fullest):
            if words not in means:
                means[words] = _mean(states, [words] if words else ())
    rows = torch.stack([torch.cat([means[one.words], means[one.fullest]]) for one in candidates])
    features = torch.from_numpy(np.array([one.features for one in candidates], dtype=np.float32))
    return source[None], rows, features


def _mean(states: Tensor, pieces: Sequence[tuple[int, int]]) -> Tensor:
    """The mean state of the words of some ranges, (H,); zeros for none."""
    if len(pieces) == 1:
        return states[pieces[0][0] : pieces[0][1]].mean(0, dtype=torch.float32)
    if not pieces:
        return states.new_zeros(states.shape[1], dtype=torch.float32)
    return torch.cat([states[first:last] for first, last in pieces]).mean(0, dtype=torch.float32)


@torch.inference_mode()
def find_speakers(
    head: SpeakerHead,
    casting: Casting,
    states: Tensor,
    attributions: Sequence[Cited],
    temperature: float = 1.0,
) -> tuple[tuple[Speaker, ...], list[Verdict]]:
    """Decide on every attribution's speaker, in order.

    Args:
        head: The network's speaker head.
        casting: Gathers the candidates.
        states: Of the text's words, (words, H).
        attributions: In the order of the text.
        temperature: What the candidates' scores are divided by before they become probabilities.

    Returns:
        The article's speakers in the order of their first attributions, and each attribution's verdict.
    """
    chosen: list[Candidate] = []
    ranked: list[list[tuple[Candidate, float, NDArray[np.float32]]]] = []
    for cited in attributions:
        candidates = casting.candidates(cited)
        source, rows, features = head_inputs(states, cited, casting.clues.head(cited), candidates)
        out = head(source, rows, features, torch.zeros(len(candidates), dtype=torch.long))
        likely, kinds = (out[:, 0] / temperature).softmax(0).numpy(), out[:, 1:].softmax(1).numpy()
        order = np.argsort(-likely, kind="stable")[:_RANKED].tolist()
        ranked.append([(candidates[n], float(likely[n]), kinds[n]) for n in order])
        chosen.append(candidates[order[0]])
        casting.decide(cited, chosen[-1].name, chosen[-1])

    groups: dict[object, list[int]] = {}
    for number, one in enumerate(chosen):
        if one.name is not None:
            groups.setdefault(one.entity if one.entity is not None else normal(one.name), []).append(number)
    speakers, speaker_of = [], dict[int, int]()
    for numbers in groups.values():
        kind: SpeakerKind = KINDS[int(np.sum([ranked[n][0][2] for n in numbers], axis=0).argmax())]
        speakers.append(_speaker(casting, chosen[numbers[0]], kind, [attributions[n] for n in numbers]))
        speaker_of.update(dict.fromkeys(numbers, len(speakers) - 1))
    verdicts = []
    for number, rows_of in enumerate(ranked):
        best, place = chosen[number], speaker_of.get(number)
        guesses = [
            SpeakerCandidate(one.name, KINDS[int(kinds.argmax())] if one.name else "unknown", round(likely, 4))
            for one, likely, kinds in rows_of
        ]
        if place is not None:
            guesses[0] = SpeakerCandidate(best.name, speakers[place].kind, guesses[0].probability)
        verdicts.append(Verdict(place, _span(casting, best.words), tuple(guesses)))
    return tuple(speakers), verdicts


def _speaker(casting: Casting, candidate: Candidate, kind: SpeakerKind, cited: Sequence[Cited]) -> Speaker:
    if candidate.entity is None:
        return Speaker(candidate.name or "", kind)
    entity = casting.entities[candidate.entity]
    places = [casting.mentions[number] for number in entity.mentions]
    spoken: defaultdict[str, int] = defaultdict(int)
    for one in places:
        span = _span(casting, (one.first, one.last))
        spoken[plain_name(span.of(casting.text)) if span else ""] += 1
    aliases = tuple(name for name in spoken if name and name != entity.name)
    return Speaker(entity.name, kind, _role(casting, places, cited) if kind == "person" else None, aliases)


def _role(casting: Casting, mentions: Sequence[Mention], cited: Sequence[Cited]) -> str | None:
    """An office or title beside a mention: before it, or between commas behind it."""
    ends = {first: last for one in cited for first, last in one.source}
    starts = sorted(ends)
    for mention in mentions:
        at = bisect_right(starts, mention.first) - 1
        within = at >= 0 and mention.first < ends[starts[at]]
        role = _before(casting, starts[at], mention.first) if within else None
        end = ends[starts[at]] if within else None
        role = role or _behind(casting, mention.last, end) or _office(casting, mention.first)
        if role:
            return role
    return None


def _before(casting: Casting, first: int, last: int) -> str | None:
    """All that a source says before the name."""
    words = [span.of(casting.text) for span in casting.words[first:last]]
    while words and fold(words[0]) in ("the", "a", "an", "by", "to"):
        first, words = first + 1, words[1:]
    is_apart = False  # "the mine manager, Ines Duarte"
    while words:
        dot = words[-1] == "."
        if words[-1] == ",":
            is_apart = True
        elif len(words) == dot or fold(words[-1 - dot]) not in _COURTESY:
            break
        last, words = last - 1 - dot, words[: len(words) - 1 - dot]
    if not words or len(words) > _LONGEST_ROLE or "," in words:
        return None
    if words[-1] in APOSTROPHES or _is_owner(words, len(words) - 2):
        return None  # "CNN's Ines Duarte"
    if is_apart and (fold(words[0]) in _POINTS or _names_someone(casting, first, last)):
        return None
    if not any(word.isalpha() and len(word) > 2 for word in words) or _NO_ROLE & {fold(word) for word in words}:
        return None
    return _text(casting, first, last)


def _names_someone(casting: Casting, first: int, last: int) -> bool:
    """Whether some words name a person who is no owner of anything."""
    people = (casting.mentions[number] for number in casting.clues.near(first, last))
    return any(one.kind == "person" and casting.clues.lower[one.last] not in APOSTROPHES for one in people)


def _behind(casting: Casting, at: int, end: int | None) -> str | None:
    """An apposition that tells an office: ", the foreign minister of Iraq,"; it may end where the source does."""
    words = [span.of(casting.text) for span in casting.words[at : at + 2 * _LONGEST_ROLE + 5]]
    if words[:1] != [","]:
        return None
    first = 3 if len(words) > 3 and words[1].isdigit() and words[2] == "," else 1  # an age
    close = None if end is None or end <= at + first else end - at
    last = first
    while last < len(words) and last != close and (words[last] not in _ENDS_ROLE or _is_owner(words, last)):
        last += 1
    tokens = {fold(word) for word in words[first:last]}
    if last - first > 2 * _LONGEST_ROLE or not tokens & OFFICES or tokens & _SPEAKS:
        return None
    begins = fold(words[first])
    if begins in _NO_ROLE or begins in _TELLS_MORE or begins.endswith(("ed", "ing")):
        return None
    if (last != close and words[last : last + 1] != [","]) or any(
        casting.mentions[number].kind == "person" for number in casting.clues.near(at + first, at + last)
    ):
        return None
    if begins in ("the", "a", "an"):
        first += 1
    return _text(casting, at + first, at + last)


def _is_owner(words: Sequence[str], at: int) -> bool:
    """Whether a mark is that of "the county's"."""
    return words[at] in APOSTROPHES and words[at + 1 : at + 2] == ["s"]


def _office(casting: Casting, at: int) -> str | None:
    """Capitals before the name that end in an office: "Foreign Minister"."""
    words, first = casting.words, at
    while first and at - first < 5 and words[first - 1].of(casting.text)[:1].isupper():
        is_elsewhere = casting.clues.paragraph_of[first - 1] != casting.clues.paragraph_of[at]
        if is_elsewhere or fold(words[first - 1].of(casting.text)) in OPENS_SENTENCE:
            break
        first -= 1
    if first == at or fold(words[at - 1].of(casting.text)) not in OFFICES:
        return None
    return _text(casting, first, at)


def _text(casting: Casting, first: int, last: int) -> str:
    return " ".join(casting.text[casting.words[first].start : casting.words[last - 1].end].split())


def _span(casting: Casting, words: tuple[int, int] | None) -> Span | None:
    return None if words is None else Span(casting.words[words[0]].start, casting.words[words[1] - 1].end)
