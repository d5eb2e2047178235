"""Linear-chain conditional random fields over BILOU tags.

Spans of k roles are tagged with 4 k + 1 tags: 0 is outside; role r (0-based) has
begin, inside, last, unit = 4 r + 1 … 4 r + 4 (Ratinov and Roth, CoNLL 2009).
Tag sequences that spell no spans have probability 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import torch
from torch import Tensor, nn

BEGIN, INSIDE, LAST, UNIT = 1, 2, 3, 4
_NEVER: Final = -1e4


def tag_count(roles: int) -> int:
    """How many tags spans of that many roles need."""
    return 4 * roles + 1


def tag_spans(spans: Iterable[tuple[int, int, int]], size: int) -> list[int]:
    """Tags of spans (role, first, last exclusive) over ``size`` words; of overlapping spans the first wins."""
    tags = [0] * size
    for role, first, last in spans:
        first, last = max(first, 0), min(last, size)
        if first >= last or any(tags[first:last]):
            continue
        base = 4 * role
        if last - first == 1:
            tags[first] = base + UNIT
        else:
            tags[first:last] = [base + BEGIN, *[base + INSIDE] * (last - first - 2), base + LAST]
    return tags


def spans_of(tags: Sequence[int]) -> list[tuple[int, int, int]]:
    """Spans (role, first, last exclusive) of a valid tag sequence."""
    out: list[tuple[int, int, int]] = []
    first = 0
    for at, tag in enumerate(tags):
        if not tag:
            continue
        role, kind = divmod(tag - 1, 4)
        if kind + 1 in (BEGIN, UNIT):
            first = at
        if kind + 1 in (LAST, UNIT):
            out.append((role, first, at + 1))
    return out


class CRF(nn.Module):
    """Scores tag sequences.  N sequences, W words, L tags in all shapes below."""

    def __init__(self, roles: int) -> None:
        super().__init__()
        size = tag_count(roles)
        self.transitions = nn.Parameter(torch.zeros(size, size))
        """From tag (row) to tag (column)."""
        self.begin = nn.Parameter(torch.zeros(size))
        self.end = nn.Parameter(torch.zeros(size))
        opens = torch.tensor([tag > 0 and (tag - 1) % 4 + 1 in (BEGIN, INSIDE) for tag in range(size)])
        continues = torch.tensor([tag > 0 and (tag - 1) % 4 + 1 in (INSIDE, LAST) for tag in range(size)])
        role = torch.tensor([-1, *[number // 4 for number in range(size - 1)]])
        # A tag that leaves its span open must be followed by one that continues the same role's, and no other.
        allowed = (opens[:, None] == continues[None, :]) & (~opens[:, None] | (role[:, None] == role[None, :]))
        self._barrier: Tensor
        self._no_begin: Tensor
        self._no_end: Tensor
        self.register_buffer("_barrier", torch.where(allowed, 0.0, _NEVER), persistent=False)
        self.register_buffer("_no_begin", torch.where(continues, _NEVER, 0.0), persistent=False)
        self.register_buffer("_no_end", torch.where(opens, _NEVER, 0.0), persistent=False)

    def scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Transition (L, L), begin (L,) and end (L,) scores, with what is impossible ruled out."""
        return self.transitions + self._barrier, self.begin + self._no_begin, self.end + self._no_end

    def log_partition(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Log of the summed scores of all tag sequences: (N,).

        Args:
            emissions: Tag scores, (N, W, L), float32.
            mask: True for words, (N, W); the words come first.
        """
        return self._forward(emissions, mask)[0]

    def loss(self, emissions: Tensor, mask: Tensor, allowed: Tensor) -> Tensor:
        """Negative log-likelihood (N,) of the set of sequences whose every tag is allowed, (N, W, L) bool.

        One allowed tag a word is a plain gold sequence; a word with all allowed is left out.
        """
        held = emissions.masked_fill(~allowed, _NEVER)
        return self.log_partition(emissions, mask) - self.log_partition(held, mask)

    def gold_loss(self, emissions: Tensor, mask: Tensor, tags: Tensor) -> Tensor:
        """Negative log-likelihood (N,) of one tag sequence each, (N, W); faster than ``loss``."""
        transitions, begin, end = self.scores()
        weight = mask.float()
        score = (emissions.gather(2, tags.unsqueeze(2)).squeeze(2) * weight).sum(1)
        score = score + (transitions[tags[:, :-1], tags[:, 1:]] * weight[:, 1:]).sum(1)
        final = tags.gather(1, mask.sum(1, keepdim=True) - 1).squeeze(1)
        return self.log_partition(emissions, mask) - score - begin[tags[:, 0]] - end[final]

    def _forward(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        transitions, begin, end = self.scores()
        steps = transitions.exp()
        alpha = begin + emissions[:, 0]
        alphas = [alpha]
        for emission, here in zip(emissions.unbind(1)[1:], mask.unsqueeze(2).unbind(1)[1:], strict=True):
            top = alpha.amax(1, keepdim=True).detach()
            reached = ((alpha - top).exp() @ steps).clamp_min(1e-30).log() + top + emission
            alpha = torch.where(here, reached, alpha)
            alphas.append(alpha)
        return torch.logsumexp(alpha + end, 1), alphas

    @torch.no_grad()
    def forward_backward(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log partition (N,), forward and backward log scores, each (N, W, L), emission in the forward ones."""
        transitions, _, end = self.scores()
        log_z, alphas = self._forward(emissions, mask)
        steps = transitions.exp().T
        beta = end.expand(emissions.shape[0], -1)
        betas = [beta]
        for at in range(emissions.shape[1] - 1, 0, -1):
            ahead = beta + emissions[:, at]
            top = ahead.amax(1, keepdim=True)
            reached = ((ahead - top).exp() @ steps).clamp_min(1e-30).log() + top
            beta = torch.where(mask[:, at, None], reached, beta)
            betas.append(beta)
        return log_z, torch.stack(alphas, 1), torch.stack(betas[::-1], 1)

    @torch.no_grad()
    def best(self, emissions: Tensor, mask: Tensor) -> tuple[list[list[int]], Tensor]:
        """The best tag sequences (Viterbi) and their log probabilities, (N,)."""
        transitions, begin, end = self.scores()
        score = begin + emissions[:, 0]
        back: list[Tensor] = []
        stay = torch.arange(score.shape[1]).expand_as(score)
        for at in range(1, emissions.shape[1]):
            top, origin = (score.unsqueeze(2) + transitions).max(1)
            here = mask[:, at, None]
            score = torch.where(here, top + emissions[:, at], score)
            back.append(torch.where(here, origin, stay))
        final, tag = (score + end).max(1)
        path = [tag]
        for origin in reversed(back):
            tag = origin.gather(1, tag.unsqueeze(1)).squeeze(1)
            path.append(tag)
        rows = torch.stack(path[::-1], 1).tolist()
        lengths = mask.sum(1).tolist()
        return [row[:n] for row, n in zip(rows, lengths, strict=True)], final - self.log_partition(emissions, mask)
