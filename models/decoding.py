"""Scores to attributions: which words are cues, and what each cue's roles are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.crf import BEGIN, CRF, INSIDE, LAST, UNIT, spans_of
from models.network import CONTENT, SOURCE
from models.records import Span

Floats = NDArray[np.floating]

_LONGEST_CUE: Final = 12  # words; "said in a statement released on Monday by" has eight
_UNLIKELY: Final = 0.02  # words less likely than this to belong to a cue are not looked at


@dataclass(frozen=True, slots=True)
class Cue:
    """Words ``first`` to ``last`` (exclusive), and the probability that an attribution has its cue there."""

    first: int
    last: int
    probability: float

    def moved(self, by: int) -> Cue:
        """The same cue with words counted from another one on."""
        return Cue(self.first + by, self.last + by, self.probability)


def find_cues(crf: CRF, emissions: Tensor, mask: Tensor, threshold: float) -> list[list[Cue]]:
    """The cues of each window, in order and disjoint.

    The likeliest span of words first, then the likeliest that is clear of it, and so on; a cue's
    probability is the sum over all spans that overlap it, as far as no cue before claimed them.

    Args:
        crf: The cue head's CRF.
        emissions: Cue tag scores, (B, W, 5).
        mask: True for words, (B, W).
        threshold: The least probability of a cue.
    """
    log_z, forward, backward = crf.forward_backward(emissions, mask)
    outside = (forward[..., 0] + backward[..., 0] - log_z.unsqueeze(1)).exp()
    within = torch.where(mask, 1 - outside, 0.0).float().numpy()
    transitions, begin, _ = crf.scores()
    entry = torch.empty_like(emissions)  # scores of all ways to reach a word, with its tag, emission left out
    entry[:, 0] = begin
    entry[:, 1:] = forward[:, 1:] - emissions[:, 1:]
    steps: Floats = transitions.numpy()
    found = []
    for row, likely in enumerate(within):
        spans = _span_scores(
            emissions[row].numpy(),
            entry[row].numpy(),
            backward[row].numpy() - float(log_z[row]),
            steps,
            likely,
        )
        found.append(_disjoint(spans, threshold))
    return found


def _disjoint(spans: list[tuple[float, int, int]], threshold: float) -> list[Cue]:
    """Choose spans (log probability, first, last) that do not overlap, the likeliest first.

    What overlaps a chosen span was another reading of the same cue: its probability counts for the
    chosen one, and no more for the words that are left over.
    """
    spans.sort(reverse=True)
    weight, first, last = (np.array(column) for column in zip(*spans, strict=True)) if spans else [np.zeros(0)] * 3
    weight = np.exp(weight)
    free = np.ones(len(spans), dtype=bool)
    cues = []
    for number in range(len(spans)):
        if not free[number]:
            continue
        rivals = free & (first < last[number]) & (first[number] < last)
        probability = float(weight[rivals].sum())
        free &= ~rivals
        if probability >= threshold:
            cues.append(Cue(int(first[number]), int(last[number]), min(probability, 1.0)))
    return sorted(cues, key=lambda cue: cue.first)


def _span_scores(
    emissions: Floats,
    entry: Floats,
    leave: Floats,
    steps: Floats,
    likely: Floats,
) -> list[tuple[float, int, int]]:
    """(log probability, first, last exclusive) of the spans of likely words."""
    out = []
    size = len(likely)
    for first in np.flatnonzero(likely > _UNLIKELY).tolist():
        out.append((float(entry[first, UNIT] + emissions[first, UNIT] + leave[first, UNIT]), first, first + 1))
        score, tag = entry[first, BEGIN] + emissions[first, BEGIN], BEGIN
        for at in range(first + 1, min(first + _LONGEST_CUE, size)):
            if likely[at] <= _UNLIKELY:
                break
            closed = score + steps[tag, LAST] + emissions[at, LAST] + leave[at, LAST]
            out.append((float(closed), first, at + 1))
            score, tag = score + steps[tag, INSIDE] + emissions[at, INSIDE], INSIDE
    return out


@dataclass(frozen=True, slots=True)
class Roles:
    """A cue's source and content as ranges of words, and the probability of just these given the cue."""

    source: tuple[tuple[int, int], ...]
    content: tuple[tuple[int, int], ...]
    probability: float

    def moved(self, by: int) -> Roles:
        """The same roles with words counted from another one on."""
        source, content = (tuple((a + by, b + by) for a, b in role) for role in (self.source, self.content))
        return Roles(source, content, self.probability)


def find_roles(crf: CRF, emissions: Tensor, mask: Tensor, cues: Sequence[Cue]) -> list[Roles]:
    """Each cue's most likely source and content.

    Args:
        crf: The roles head's CRF.
        emissions: Role tag scores, (K, W, 9).
        mask: True for words, (K, W).
        cues: The K cues; their own words belong to no other role.
    """
    paths, log_probability = crf.best(emissions, mask)
    out = []
    for path, cue, log_p in zip(paths, cues, log_probability.exp().tolist(), strict=True):
        pieces: dict[int, list[tuple[int, int]]] = {SOURCE: [], CONTENT: []}
        for role, first, last in spans_of(path):
            # The words on either side of the cue, should it lie inside the span.
            for begin, end in ((first, min(last, cue.first)), (max(first, cue.last), last)):
                if begin < end:
                    pieces[role].append((begin, end))
        out.append(Roles(_joined(pieces[SOURCE]), _joined(pieces[CONTENT]), min(log_p, 1.0)))
    return out


def _joined(pieces: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The pieces with neighbours made one."""
    out: list[tuple[int, int]] = []
    for first, last in pieces:
        if out and out[-1][1] == first:
            out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
    return tuple(out)


def spans_in_text(words: Sequence[Span], pieces: Sequence[tuple[int, int]]) -> tuple[Span, ...]:
    """Ranges of words as spans of the text."""
    return tuple(Span(words[first].start, words[last - 1].end) for first, last in pieces)
