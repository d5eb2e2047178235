"""Whether two attributed contents assert the same claim: ``SameClaim.from_pretrained().score(pairs)``."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from models.same_embedding import WIDTH, Embedder
from models.same_features import clean, pair
from models.same_guess import FILE as GUESS
from models.same_guess import Guess
from models.same_likeness import Encodings, likeness

WEIGHTS: Final = Path(__file__).parent / "weights"
_FILE: Final = "same.json"
_TOGETHER: Final = 256  # pairs whose texts are held at once


class SameError(Exception):
    """The weights of the decision are missing or broken."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a claim's text asserts, when, and who is said to assert it."""

    text: str
    date: datetime.date | None = None
    source: str | None = None


class Comparison:
    """Takes pairs of assertions to numbers.

    Args:
        embedder: The sentence encoder.
        stems: How much each stem of a word tells; the others tell ``stems[""]``.
        pieces: How much each word piece counts, (vocabulary,).
    """

    def __init__(self, embedder: Embedder, stems: dict[str, float], pieces: NDArray[np.float32]) -> None:
        self.embedder, self.stems, self.pieces = embedder, stems, pieces

    def features(self, pairs: Sequence[tuple[Assertion, Assertion]]) -> list[dict[str, float]]:
        """What each pair has in common, by name; the same for both orders."""
        sides = list(dict.fromkeys(side for both in pairs for side in both))
        encodings = dict(zip(sides, self._encodings(sides), strict=True))
        return [
            pair((a.text, b.text), (a.source, b.source), (a.date, b.date), self.stems)
            | likeness(encodings[a], encodings[b], self.pieces)
            for a, b in pairs
        ]

    def _encodings(self, sides: Sequence[Assertion]) -> list[Encodings]:
        contents = [clean(side.text) for side in sides]
        sources = [side.source or "" for side in sides]
        wholes = [f"{source}: {content}" for source, content in zip(sources, contents, strict=True)]
        texts = list(dict.fromkeys((*contents, *sources, *wholes)))
        known = dict(zip(texts, self.embedder.encode(texts), strict=True))
        return [
            Encodings(known[content], known[source].vector, known[whole].vector)
            for content, source, whole in zip(contents, sources, wholes, strict=True)
        ]


class SameClaim:
    """Decides whether pairs assert the same claim. One may serve several threads."""

    width = WIDTH

    def __init__(self, comparison: Comparison, config: dict[str, Any], guess: Guess | None = None) -> None:
        self.comparison, self.version = comparison, str(config["version"])
        self._guess = guess
        self._names = tuple(config["features"])
        self._mean, self._scale, self._weights = (np.array(config[name]) for name in ("mean", "scale", "weights"))
        self._constant = float(config["constant"])

    @classmethod
    def from_pretrained(cls, path: Path | None = None) -> SameClaim:
        """Load what training wrote.

        Args:
            path: A folder of weights; None for those that travel with the project.

        Raises:
            SameError: Files are missing or broken.
            BackboneError: The sentence encoder's are.
        """
        file = (path or WEIGHTS) / _FILE
        try:
            config = json.loads(file.read_text(encoding="utf-8"))
            pieces = np.float32(0.01) * load_file(file.with_suffix(".safetensors"))["pieces"].astype(np.float32)
            guess = Guess.from_pretrained(file.parent, config["stems"]) if file.with_name(GUESS).is_file() else None
            return cls(Comparison(Embedder.from_package(), config["stems"], pieces), config, guess)
        except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
            raise SameError(f"broken weights in {file}: {error}") from error

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length whose products tell how alike texts are, (n, 384)."""
        return self.comparison.embedder.embed(texts)

    def score(self, pairs: Sequence[tuple[Assertion, Assertion]]) -> NDArray[np.float64]:
        """The probability that both of each pair assert the same claim, (n,); 0.5 and more means the same.

        It is calibrated, and the same for both orders of a pair.
        """
        out = np.zeros(len(pairs))
        for start in range(0, len(pairs), _TOGETHER):
            some = self.comparison.features(pairs[start : start + _TOGETHER])
            numbers = np.array([[one[name] for name in self._names] for one in some])
            scores = (numbers - self._mean) / self._scale @ self._weights + self._constant
            out[start : start + _TOGETHER] = 1 / (1 + np.exp(-scores))
        return out

    def guess(self, pairs: Sequence[tuple[Assertion, Assertion]], cosines: Sequence[float]) -> NDArray[np.float64]:
        """What ``score`` will be, as well as the cosines of their texts' vectors tell, in a hundredth of the time."""
        if self._guess is None:
            raise SameError(f"there is no {GUESS}: python -m models.training guess")
        return self._guess(pairs, cosines)
