"""A weighted sum of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_WIDEST: Final = 6.0  # standard deviations that a feature of an odd text may be away


@dataclass(frozen=True, slots=True)
class Linear:
    """A logistic regression on F named features, each measured in its standard deviations."""

    names: tuple[str, ...]
    mean: Floats
    scale: Floats
    weights: Floats
    constant: float

    def scores(self, rows: Sequence[Mapping[str, float]]) -> Floats:
        """Log odds of (n,) rows of features."""
        features = np.array([[row[name] for name in self.names] for row in rows]).reshape(-1, len(self.names))
        return np.asarray(self.standardised(features) @ self.weights + self.constant)

    def standardised(self, features: Floats) -> Floats:
        """Features as they are weighed, (n, F)."""
        return np.asarray(((features - self.mean) / self.scale).clip(-_WIDEST, _WIDEST))

    def as_json(self) -> dict[str, Any]:
        """What ``from_json`` reads: of each feature mean, scale and weight, and the constant."""
        numbers = zip(self.mean.tolist(), self.scale.tolist(), self.weights.tolist(), strict=True)
        features = {
            name: [round(number, 6) for number in three] for name, three in zip(self.names, numbers, strict=True)
        }
        return {"features": features, "constant": round(self.constant, 6)}

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> Linear:
        """Read what ``as_json`` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        mean, scale, weights = np.array(list(config["features"].values()), dtype=np.float64).T
        return cls(tuple(config["features"]), mean, scale, weights, float(config["constant"]))


def sigmoid(scores: Floats) -> Floats:
    """The probabilities of log odds."""
    return np.asarray(1 / (1 + np.exp(-scores.clip(-30, 30))))
