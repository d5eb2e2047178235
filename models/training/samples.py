"""Examples to what a training step takes: windows with their gold tags."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.clues import Candidate, Cited
from models.crf import tag_count, tag_spans
from models.encoding import Batch, EncodedText, Encoder, Window, windows
from models.network import CATEGORIES, CONTENT, NAME_KINDS, SOURCE, TAGGED_KINDS
from models.records import Habit, Span
from models.training.corpora import Example

_CUE_TAGS = tag_count(1)
_NAME_TAGS = tag_count(len(TAGGED_KINDS))
_UNSURE = len(TAGGED_KINDS)  # a name of some other kind than NAME_KINDS


@dataclass(frozen=True, slots=True)
class Labels:
    """An example's labels, counted in words of the text."""

    cues: list[tuple[int, int]]
    source: list[list[tuple[int, int]]]
    content: list[list[tuple[int, int]]]
    category: list[int]
    """-1 where nobody marked one."""
    doubtful: list[tuple[int, int]]
    """Words that may or may not belong to a cue."""
    names: list[tuple[int, int, int]] | None
    """Kind, first and last word of each name."""


@dataclass(frozen=True, slots=True)
class Sought:
    """An attribution whose speaker is known: ``right`` (C,) tells the candidates that it is.

    ``about`` is the word that its source is about.
    """

    cited: Cited
    about: int | None
    candidates: Sequence[Candidate]
    right: NDArray[np.bool_]
    kind: int
    """-1 where nobody marked one."""


@dataclass(frozen=True, slots=True)
class Cast:
    """What is to be learnt of an example's speakers, and its words' states when it was last seen, (words, H)."""

    states: NDArray[np.float16]
    sought: tuple[Sought, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A window of an example."""

    text: EncodedText
    labels: Labels
    window: Window
    habit: Habit

    @property
    def pieces(self) -> int:
        """The window's length in word pieces."""
        return int(self.text.starts[self.window.last] - self.text.starts[self.window.first]) + 2


@dataclass(frozen=True, slots=True)
class Targets:
    """A batch's gold.  B windows, W words, K cues.

    ``cue_allowed`` (B, W, 5): the cue tags that are right; ``cues`` (K, 3): window, first and last
    (exclusive) word; ``role_tags`` (K, W); ``category`` (K,), -1 for unknown; ``name_rows`` (N,):
    the windows with names marked, ``name_allowed`` (N, W, 21): the name tags that are right.
    """

    cue_allowed: Tensor
    cues: Tensor
    role_tags: Tensor
    category: Tensor
    name_rows: Tensor
    name_allowed: Tensor


def words_of(text: EncodedText, spans: Iterable[Span]) -> list[tuple[int, int]]:
    """Spans as ranges of words; those that hold none are left out."""
    found = (
        (
            bisect_right(text.spans, span.start, key=lambda word: word.end),
            bisect_left(text.spans, span.end, key=lambda word: word.start),
        )
        for span in spans
    )
    return [(first, last) for first, last in found if first < last]


def label(example: Example, text: EncodedText) -> Labels:
    """The example's labels over the words of its text.

    An attribution without a cue has no place in the network's scheme (one in two hundred) and is left
    out; of a cue in two pieces the longer one stands for it.
    """
    out = Labels([], [], [], [], [], None if example.names is None else [])
    if example.attributions is None:
        out.doubtful.append((0, len(text)))
    for one in example.attributions or ():
        cue = max(words_of(text, one.roles["cue"]), key=lambda piece: piece[1] - piece[0], default=None)
        if cue is None:
            continue
        if one.doubtful:
            out.doubtful.append(cue)
            continue
        out.cues.append(cue)
        out.source.append(words_of(text, one.roles["source"]))
        out.content.append(words_of(text, one.roles["content"]))
        out.category.append(CATEGORIES.index(one.category) if one.category else -1)
    if out.names is not None:
        for name in example.names or ():
            kind = TAGGED_KINDS.index(name.kind) if name.kind in TAGGED_KINDS else _UNSURE
            out.names.extend((kind, first, last) for first, last in words_of(text, [name.span]))
    return out


def samples(example: Example, encoder: Encoder, rng: Random, *, core: int, context: int) -> Iterator[Sample]:
    """The example's windows, cut at other places each time.

    Args:
        example: An example.
        encoder: The network's encoder.
        rng: Chooses the places.
        core: The most word pieces of a window's own.
        context: The most word pieces of context on either side.
    """
    text = encoder.encode(example.text)
    labels = label(example, text)
    for window in windows(text, core=core, context=context, first_core=rng.randint(core // 4, core)):
        yield Sample(text, labels, window, example.habit)


def collate(items: Sequence[Sample], encoder: Encoder, rng: Random, word_dropout: float) -> tuple[Batch, Targets]:
    """A batch of samples.

    Some word pieces are masked out, and some cues get another boundary than the gold one, as the
    roles head will meet cues that the cue head got slightly wrong.
    """
    batch = encoder.collate([(item.text, item.window, item.habit) for item in items])
    mask_pieces(batch, encoder, word_dropout)
    width = batch.word_mask.shape[1]
    allowed = torch.zeros(len(items), width, _CUE_TAGS, dtype=torch.bool)
    cues: list[tuple[int, int, int]] = []
    role_tags: list[list[int]] = []
    categories: list[int] = []
    name_rows: list[int] = []
    name_allowed: list[Tensor] = []
    for row, item in enumerate(items):
        first, last, labels = item.window.first, item.window.last, item.labels
        size = last - first
        padding = [0] * (width - size)
        inside = [number for number, cue in enumerate(labels.cues) if first <= cue[0] and cue[1] <= last]
        tags = tag_spans([(0, a - first, b - first) for a, b in (labels.cues[number] for number in inside)], size)
        allowed[row] = functional.one_hot(torch.tensor(tags + padding), _CUE_TAGS).bool()
        for a, b in labels.doubtful:
            allowed[row, max(a - first, 0) : max(b - first, 0)] = True
        for number in inside:
            a, b = labels.cues[number]
            cues.append((row, *_nudged(a - first, b - first, size, rng)))
            role_tags.append(
                tag_spans(
                    [
                        (role, x - first, y - first)
                        for role, pieces in (
                            (SOURCE, labels.source[number]),
                            (CONTENT, labels.content[number]),
                        )
                        for x, y in pieces
                        if y > first and x < last
                    ],
                    size,
                )
                + padding
            )
            categories.append(labels.category[number])
        if labels.names is not None:
            name_rows.append(row)
            name_allowed.append(name_tags(labels.names, first, width))
    return batch, Targets(
        allowed,
        torch.tensor(cues, dtype=torch.long).view(-1, 3),
        torch.tensor(role_tags, dtype=torch.long).view(-1, width),
        torch.tensor(categories, dtype=torch.long),
        torch.tensor(name_rows, dtype=torch.long),
        torch.stack(name_allowed) if name_allowed else torch.zeros(0, width, _NAME_TAGS, dtype=torch.bool),
    )


def mask_pieces(batch: Batch, encoder: Encoder, share: float) -> None:
    """Mask a share of a batch's word pieces out, in place."""
    if share:
        chosen = (torch.rand(batch.pieces.shape) < share) & (batch.piece_word < batch.word_mask.shape[1])
        batch.pieces[chosen] = encoder.mask


def name_tags(names: Sequence[tuple[int, int, int]], first: int, size: int) -> Tensor:
    """The name tags that are right for ``size`` words from ``first`` on, (size, L) bool."""
    sure = [(kind, x - first, y - first) for kind, x, y in names if kind != _UNSURE]
    out = functional.one_hot(torch.tensor(tag_spans(sure, size)), _NAME_TAGS).bool()
    for kind, x, y in names:
        if kind == _UNSURE:
            out[max(x - first, 0) : max(y - first, 0), tag_count(len(NAME_KINDS)) :] = True
    return out


def _nudged(first: int, last: int, size: int, rng: Random) -> tuple[int, int]:
    """The cue, one time in six with one of its ends a word off."""
    if rng.random() < 1 / 6:
        if rng.random() < 0.5:
            first = min(max(first + rng.choice((-1, 1)), 0), last - 1)
        else:
            last = max(min(last + rng.choice((-1, 1)), size), first + 1)
    return first, last
