"""What the decision on two contents will be, as well as it can be told without reading them anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from models.same_features import pair

if TYPE_CHECKING:
    from models.same import Assertion

FILE: Final = "same_guess.json"


class Guess:
    """Guesses from the texts' words, sources and dates, and from the cosines of vectors that are known already.

    Args:
        config: ``features``, their ``mean``, ``scale`` and ``weights``, and ``constant``, as training wrote them.
        stems: See ``models.same.Comparison``.
    """

    def __init__(self, config: dict[str, Any], stems: dict[str, float]) -> None:
        self.stems = stems
        self._names = tuple(config["features"])
        self._mean, self._scale, self._weights = (np.array(config[name]) for name in ("mean", "scale", "weights"))
        self._constant = float(config["constant"])

    @classmethod
    def from_pretrained(cls, folder: Path, stems: dict[str, float]) -> Guess:
        """Load what training wrote; the errors are those of reading a file."""
        return cls(json.loads((folder / FILE).read_text(encoding="utf-8")), stems)

    def __call__(self, pairs: Sequence[tuple[Assertion, Assertion]], cosines: Sequence[float]) -> NDArray[np.float64]:
        """Probabilities that both of each pair assert the same, (n,)."""
        if not pairs:
            return np.zeros(0)
        rows = [guess_features(a, b, cosine, self.stems) for (a, b), cosine in zip(pairs, cosines, strict=True)]
        numbers = np.array([[row[name] for name in self._names] for row in rows])
        scores = (numbers - self._mean) / self._scale @ self._weights + self._constant
        likely: NDArray[np.float64] = 1 / (1 + np.exp(-scores))
        return likely


def guess_features(a: Assertion, b: Assertion, cosine: float, stems: dict[str, float]) -> dict[str, float]:
    """What a guess is made from, by name; the same for both orders."""
    told = pair((a.text, b.text), (a.source, b.source), (a.date, b.date), stems)
    return told | {"cosine": cosine, "cosine squared": cosine**2, "cosine to the fourth": cosine**4}
