"""What tells a candidate for an attribution's speaker from the other ones: plain numbers, for the speaker head.

"The president" is whoever alone is called so, and "she" is the nearest woman, not the nearest person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

RIVAL_FEATURES: Final = 9
"""How many of these features a candidate has."""

FITS: Final = -0.25
"""Who is said to be the other one of man and woman more than this is out."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A candidate beside others.

    Args:
        titled: How much of what the source tells leads up to its name, 0 to 1; ``described``: or stands beside it.
        last_word: Whether the last word of what it tells does, for ``titled`` and ``described``; 0 or 1.
        fits: Whether it may be the source's "he" or "she": 1 to -1, 0 for unknown; None for what is no person.
        named_at: The word of its nearest mention before the source; ``cited_at``: of its last citation.
    """

    titled: float = 0.0
    described: float = 0.0
    last_word: tuple[float, float] = (0.0, 0.0)
    fits: float | None = None
    named_at: int | None = None
    cited_at: int | None = None


def compared(rivals: Sequence[Rival]) -> list[list[float]]:
    """Each candidate's features, -1 to 1 each."""
    may_be = [number for number, one in enumerate(rivals) if one.fits is not None and one.fits > FITS]
    named = _latest([(rivals[number].named_at, number) for number in may_be])
    cited = _latest([(rivals[number].cited_at, number) for number in may_be])
    titled = _leads([one.titled for one in rivals])
    described = _leads([one.described for one in rivals])
    chance = 1 / max(len(may_be), 1)
    out = []
    for number, one in enumerate(rivals):
        row = [titled[number], float(titled[number] > 0), described[number], float(described[number] > 0)]
        for order in (named, cited):
            row += [float(number in order[:1]), float(number in order[1:2])]
        out.append([*row, 0.0 if one.fits is None else -1.0 if one.fits <= FITS else chance])
    return out


def _latest(places: Sequence[tuple[int | None, int]]) -> list[int]:
    """Who has a place, the last one first."""
    return [number for _, number in sorted(((at, number) for at, number in places if at is not None), reverse=True)]


def _leads(shares: Sequence[float]) -> list[float]:
    """By how much each is above the best of the others."""
    if len(shares) < 2:
        return list(shares)
    second, best = sorted(shares)[-2:]
    return [one - (second if one == best else best) for one in shares]
