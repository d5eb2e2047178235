"""Whether two attributed contents assert the same claim: ``SameClaim.from_pretrained().score(pairs)``.

Most pairs are told apart by their words and by one product of vectors.  Only those in doubt are
read by the sentence encoder, side by side, and by its upper layers once more, together.
"""

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
from safetensors.torch import load_file
from torch import Tensor

from models.same_embedding import WIDTH, Embedder, Encoded
from models.same_features import clean, pair
from models.same_joint import JointReader
from models.same_likeness import likeness
from models.same_linear import Floats, Linear, sigmoid
from models.same_turns import turned

WEIGHTS: Final = Path(__file__).parent / "weights"
_NOBODY: Final = "someone"
_TURNED: Final = 0.1  # how likely what turns the other round is the same at most
_TOGETHER: Final = 256  # pairs whose texts are held at once
# Of a hundred pairs that come to 0.5 one is below these: the probability at sight, the score of what was read.
_HOPELESS_AT_SIGHT: Final = 0.07
_HOPELESS_READ: Final = -2.25


class SameError(Exception):
    """The weights of the decision are missing or broken."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a claim's text asserts, when, and who is said to assert it."""

    text: str
    date: datetime.date | None = None
    source: str | None = None


Pair = tuple[Assertion, Assertion]
Vectors = NDArray[np.float32]


class Comparison:
    """Takes pairs of assertions to numbers, which are the same for both orders of a pair.

    Args:
        embedder: The sentence encoder.
        stems: How much each stem of a word tells; the others tell ``stems[""]``.
        pieces: How much each word piece counts, (vocabulary,).
    """

    def __init__(self, embedder: Embedder, stems: dict[str, float], pieces: Vectors) -> None:
        self.embedder, self.stems, self.pieces = embedder, stems, pieces

    def at_sight(self, pairs: Sequence[Pair], cosines: Sequence[float] | None = None) -> list[dict[str, float]]:
        """The features of words, names, numbers, sources and dates, and how alike the texts' vectors are."""
        if cosines is None:
            both = self.embed([side.text for sides in pairs for side in sides])
            cosines = np.einsum("nd,nd->n", both[0::2], both[1::2]).tolist()
        return [
            pair((a.text, b.text), (a.source, b.source), (a.date, b.date), self.stems)
            | {"cosine": cosine, "cosine squared": cosine**2, "cosine to the fourth": cosine**4}
            for (a, b), cosine in zip(pairs, cosines, strict=True)
        ]

    def encoded(self, pairs: Sequence[Pair]) -> list[tuple[Encoded, Encoded]]:
        """Both sides as the encoder reads them, each by itself."""
        sides = list(dict.fromkeys(side for both in pairs for side in both))
        read = self.embedder.encode([(side.source or _NOBODY, clean(side.text)) for side in sides])
        known = dict(zip(sides, read, strict=True))
        return [(known[a], known[b]) for a, b in pairs]

    def word_by_word(self, pairs: Sequence[tuple[Encoded, Encoded]]) -> list[dict[str, float]]:
        """The features of what was read."""
        return [likeness(a, b, self.pieces) for a, b in pairs]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length, (n, 384); a text that comes several times is read once."""
        known = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        vectors: Vectors = self.embedder.embed(list(known))[[known[text] for text in texts]]
        return vectors


@dataclass(frozen=True, slots=True)
class Decision:
    """How features become a probability."""

    version: str
    at_sight: Linear
    """Of the features at sight alone."""
    doubt: float
    """What is less likely than this at sight is not read."""
    read: Linear
    """Of all features."""
    calibration: tuple[float, float]
    """What the mean of the scores of ``read`` and of the joint reader is multiplied with, and what is added."""

    def likely(self, read: Floats, joint: Floats) -> Floats:
        """The probability of pairs that were read, (n,), by both scores, (n,) each."""
        return sigmoid(self.calibration[0] * (read + joint) / 2 + self.calibration[1])


class SameClaim:
    """Decides whether pairs assert the same claim. One may serve several threads."""

    width = WIDTH

    def __init__(self, comparison: Comparison, joint: JointReader, decision: Decision) -> None:
        self.comparison, self._joint, self._decision = comparison, joint, decision

    @property
    def version(self) -> str:
        """The version of the weights."""
        return self._decision.version

    @classmethod
    def from_pretrained(cls, path: Path | None = None) -> SameClaim:
        """Load what training wrote.

        Args:
            path: A folder of weights; None for those that travel with the project.

        Raises:
            SameError: Files are missing or broken.
            BackboneError: The sentence encoder's are.
        """
        folder = path or WEIGHTS
        embedder = Embedder.from_package()
        try:
            config = json.loads((folder / "same.json").read_text(encoding="utf-8"))
            weights = load_file(folder / "same.safetensors")
            pieces = (weights.pop("pieces").float() / 100).numpy()
            decision = Decision(
                str(config["version"]),
                Linear.from_json(config["at_sight"]),
                float(config["doubt"]),
                Linear.from_json(config["read"]),
                (float(config["calibration"][0]), float(config["calibration"][1])),
            )
            joint = JointReader.from_trained(embedder.network, weights)
            return cls(Comparison(embedder, dict(config["stems"]), pieces), joint, decision)
        except (OSError, ValueError, TypeError, KeyError, IndexError, RuntimeError, SafetensorError) as error:
            raise SameError(f"broken weights same.json and same.safetensors in {folder}: {error}") from error

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length whose products tell how alike texts are, (n, 384)."""
        return self.comparison.embed(texts)

    def score(self, pairs: Sequence[Pair], cosines: Sequence[float] | None = None, *, decide: bool = False) -> Floats:
        """The probability that both of each pair assert the same claim, (n,); 0.5 and more means the same.

        It is calibrated, and the same for both orders of a pair.

        Args:
            pairs: Any number n of pairs.
            cosines: The products of what ``embed`` gives for the texts of each pair, if they are known: that
                saves most of the time, and changes nothing else.
            decide: Nothing is wanted but which pairs have 0.5 and more.  Those that can hardly have it are told
                roughly: they are not read, or not together.
        """
        out = np.zeros(len(pairs))
        for start in range(0, len(pairs), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            out[part] = self._score(pairs[part], None if cosines is None else cosines[part], decide)
        return out

    def _score(self, pairs: Sequence[Pair], cosines: Sequence[float] | None, decide: bool) -> Floats:
        features = self.comparison.at_sight(pairs, cosines)
        out = sigmoid(self._decision.at_sight.scores(features))
        doubt, least = self._decision.doubt, -np.inf
        if decide:
            doubt, least = max(doubt, _HOPELESS_AT_SIGHT), _HOPELESS_READ
        doubtful = np.flatnonzero(out >= doubt).tolist()
        if doubtful:
            encoded = self.comparison.encoded([pairs[row] for row in doubtful])
            words = self.comparison.word_by_word(encoded)
            read = self._decision.read.scores([features[row] | more for row, more in zip(doubtful, words, strict=True)])
            joint, together = read.copy(), np.flatnonzero(read >= least)
            joint[together] = self._joint.score([encoded[row] for row in together]).double().numpy()
            out[doubtful] = self._decision.likely(read, joint)
        turns = [row for row in doubtful if turned(pairs[row][0].text, pairs[row][1].text)]
        out[turns] = np.minimum(out[turns], _TURNED)
        return out


def weights_to_save(pieces: Tensor, joint: JointReader) -> dict[str, Tensor]:
    """What ``from_pretrained`` reads as ``same.safetensors``."""
    return {"pieces": pieces} | {name: value.half().contiguous() for name, value in joint.trained().items()}


def config_to_save(decision: Decision, stems: dict[str, float]) -> dict[str, Any]:
    """What ``from_pretrained`` reads as ``same.json``."""
    return {
        "version": decision.version,
        "at_sight": decision.at_sight.as_json(),
        "doubt": decision.doubt,
        "read": decision.read.as_json(),
        "calibration": [round(one, 4) for one in decision.calibration],
        "stems": stems,
    }
