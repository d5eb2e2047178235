"""How alike two attributed contents are to the sentence encoder, as a whole and word by word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.same_embedding import Encoded

SMALL: Final = 0.3
"""How much a word counts that ties others together ("the", "of"), measured by one that carries meaning."""

_LIMITS: Final = (0.5, 0.7)
_QUANTILES: Final = (0.1, 0.25, 0.5)


def likeness(a: Encoded, b: Encoded, weights: NDArray[np.float32]) -> dict[str, float]:
    """The features of a pair that need the encoder; the same for both orders.

    Args:
        a: One side.
        b: The other.
        weights: How much each word piece counts, (vocabulary,).
    """
    alike = a.states @ b.states.T
    if not alike.size:
        alike = np.zeros((max(len(a.ids), 1), max(len(b.ids), 1)), dtype=np.float32)
    sides = np.array([_covered(a.ids, alike.max(1), weights), _covered(b.ids, alike.max(0), weights)])
    names = ("covered", *(f"below {one}" for one in _LIMITS), *(f"quantile {one}" for one in _QUANTILES))
    out = {}
    for number, name in enumerate(names):
        out[f"words {name}, less"] = float(sides[:, number].min())
        out[f"words {name}, more"] = float(sides[:, number].max())
    whole = float(a.whole @ b.whole)
    return out | {
        "sources' cosine": float(a.source @ b.source),
        "wholes' cosine": whole,
        "wholes' cosine squared": whole**2,
        "wholes' cosine to the fourth": whole**4,
    }


def _covered(ids: NDArray[np.int64], best: NDArray[np.float32], weights: NDArray[np.float32]) -> Sequence[float]:
    """How well the other side has this side's words: on average, shares of poorly matched ones, and quantiles."""
    weight = weights[ids] if len(ids) else np.ones(len(best), dtype=np.float32)
    weight = weight / max(float(weight.sum()), 1e-6)
    order = np.argsort(best, kind="stable")
    reached = np.cumsum(weight[order])
    return [
        float(weight @ best),
        *(float(weight[best < limit].sum()) for limit in _LIMITS),
        *(float(best[order[min(int(np.searchsorted(reached, one)), len(best) - 1)]]) for one in _QUANTILES),
    ]
