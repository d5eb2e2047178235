"""Train the decision of whether two contents assert the same claim: ``python -m models.training same``."""

from __future__ import annotations

import datetime
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from scipy.optimize import minimize

from models.same import WEIGHTS, Assertion, Comparison
from models.same_embedding import Embedder
from models.same_features import clean, side
from models.same_likeness import SMALL
from models.same_words import SMALL_WORDS
from models.training.calibration import Bools, Floats, calibration_error
from models.training.corpora import read_lines

_READ: Final = Path(__file__).with_name("same_pairs.tsv")
_FOLDS: Final = 5
_HARD: Final = 0.985  # a cosine beyond which the texts are practically equal
_COMMON: Final = 10  # texts that a stem must be in for its weight to be kept
_RIDGE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Marked:
    """A pair that a person read."""

    assertions: tuple[Assertion, Assertion]
    same: bool
    given: bool
    """Whether it is of pairs.jsonl, and not of those that were read for this project."""
    keys: tuple[object, ...]
    """What it must not share with a pair that is measured."""


def read_pairs(data: Path) -> list[Marked]:
    """The pairs of pairs.jsonl and those that were read for this project.

    Raises:
        FileNotFoundError: A corpus is missing.
    """
    articles = {
        row["id"]: row
        for part in ("train", "dev", "world")
        for row in read_lines(data / "attributions" / f"{part}.jsonl")
    }
    out = [
        _marked((row["a"], row["b"]), row["label"] == "same", True)
        for row in read_lines(data / "claims" / "pairs.jsonl")
    ]
    for line in _READ.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            same, one, one_number, other, other_number = line.split("\t")
            sides = (_side(articles[one], int(one_number)), _side(articles[other], int(other_number)))
            out.append(_marked(sides, same == "1", False))
    return out


def _side(article: dict[str, Any], number: int) -> dict[str, Any]:
    one = article["attributions"][number]
    text, source = (" ".join(article["text"][start:end] for start, end in one[role]) for role in ("content", "source"))
    return {"article": article["id"], "attribution": number, "text": text, "source": source, "date": article["date"]}


def _marked(sides: tuple[dict[str, Any], dict[str, Any]], same: bool, given: bool) -> Marked:
    a, b = (
        Assertion(one["text"], datetime.date.fromisoformat(one["date"]) if one["date"] else None, one["source"] or None)
        for one in sides
    )
    keys = [(one["article"], one["attribution"]) for one in sides] + [clean(one["text"]).lower() for one in sides]
    return Marked((a, b), same, given, tuple(keys))


def folds(pairs: Sequence[Marked], seed: int) -> NDArray[np.int64]:
    """A fold for each pair, so that no attribution and no text is in two of them, (N,).

    Folds have nearly the same numbers of pairs, of same ones, and of those of pairs.jsonl.
    """
    first: dict[object, int] = {}
    parent = list(range(len(pairs)))

    def root(one: int) -> int:
        while parent[one] != one:
            one = parent[one]
        return one

    for number, pair in enumerate(pairs):
        for key in pair.keys:
            parent[root(number)] = root(first.setdefault(key, number))
    groups: dict[int, list[int]] = {}
    for number in range(len(pairs)):
        groups.setdefault(root(number), []).append(number)
    order = list(groups.values())
    np.random.default_rng(seed).shuffle(order)
    order.sort(key=len, reverse=True)
    counts = np.zeros((_FOLDS, 4))
    out = np.zeros(len(pairs), dtype=np.int64)
    for group in order:
        kinds = np.zeros(4)
        for number in group:
            kinds[2 * pairs[number].same + pairs[number].given] += 1
        fold = min(range(_FOLDS), key=lambda one: float(((counts[one] + kinds) ** 2 - counts[one] ** 2).sum()))
        counts[fold] += kinds
        out[group] = fold
    return out


def average_precision(scores: Floats, right: Bools) -> float:
    """The mean precision at each right one, scores of the same size counted together."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    found = np.cumsum(right[order])[ends]
    return float((np.diff(found, prepend=0) * found / (ends + 1)).sum() / max(right.sum(), 1))


def f1(likely: Floats, right: Bools) -> float:
    """F1 of those that are likelier than not."""
    said = likely >= 0.5
    return float(2 * (said & right).sum() / max(said.sum() + right.sum(), 1))


@dataclass(frozen=True, slots=True)
class Decision:
    """A logistic regression on standardised features."""

    mean: Floats
    scale: Floats
    weights: Floats
    constant: float

    def likely(self, features: Floats) -> Floats:
        """Probabilities, (N,)."""
        return np.asarray(1 / (1 + np.exp(-((features - self.mean) / self.scale @ self.weights + self.constant))))


def fit(features: Floats, same: Bools, ridge: float = _RIDGE) -> Decision:
    """Fit the decision to (N, F) features of pairs that a person read, (N,)."""
    mean, scale = features.mean(0), features.std(0)
    scale[scale < 1e-6] = 1.0
    inputs = (features - mean) / scale
    sign = np.where(same, 1.0, -1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = sign * (inputs @ weights[:-1] + weights[-1])
        slope = -sign / (1 + np.exp(margin))
        gradient = np.append(inputs.T @ slope + ridge * weights[:-1], slope.sum())
        return float(np.logaddexp(0, -margin).sum() + ridge / 2 * (weights[:-1] ** 2).sum()), gradient

    best = minimize(loss, np.zeros(inputs.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return Decision(mean, scale, best[:-1], float(best[-1]))


def word_weights(texts: Sequence[str]) -> dict[str, float]:
    """How much each stem tells, by how few texts it is in; "" stands for the rare ones."""
    counts = Counter(stem for text in texts for stem in side(text).heavy)
    return {"": 1.0} | {
        stem: round(math.log(len(texts) / count) / math.log(len(texts)), 2)
        for stem, count in sorted(counts.items())
        if count >= _COMMON
    }


def piece_weights(texts: Sequence[str], embedder: Embedder) -> NDArray[np.float32]:
    """The same for word pieces; marks tell nothing, and small words little."""
    counts = np.zeros(len(embedder.vocabulary()))
    for text in texts:
        counts[list(set(embedder.pieces(text)))] += 1
    weights = np.log(len(texts) / (counts + 1)) / math.log(len(texts))
    for piece, number in embedder.vocabulary().items():
        if not any(mark.isalnum() for mark in piece):
            weights[number] = 0.0
        elif piece in SMALL_WORDS:
            weights[number] *= SMALL
    return np.asarray(weights.clip(0, 1).round(2), dtype=np.float32)


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("../shared/data"), show_default=True)
@click.option("--to", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
@click.option("--version", default="1", show_default=True, help="The version of the weights.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True, help="Of the cross-validation.")
def same(data: Path, to: Path, version: str, repeats: int) -> None:
    """Train the decision of whether two contents assert the same claim, measure it and write it to TO."""
    embedder = Embedder.from_package()
    texts = [text for row in read_lines(data / "attributions" / "train.jsonl") for text in _contents(row)]
    stems, pieces = word_weights(texts), piece_weights(texts, embedder)
    marked = read_pairs(data)
    rows = Comparison(embedder, stems, pieces).features([one.assertions for one in marked])
    names = list(rows[0])
    features = np.array([[row[name] for name in names] for row in rows])
    right = np.array([one.same for one in marked])
    for name, figures in measured(marked, features, names, repeats).items():
        click.echo(f"{name}: " + ", ".join(f"{what} {value:.3f}" for what, value in figures.items()))
    decision = fit(features, right)
    config = {
        "version": version,
        "features": names,
        "mean": decision.mean.round(6).tolist(),
        "scale": decision.scale.round(6).tolist(),
        "weights": decision.weights.round(6).tolist(),
        "constant": round(decision.constant, 6),
        "stems": stems,
    }
    to.mkdir(parents=True, exist_ok=True)
    (to / "same.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (to / "same.safetensors").write_bytes(save({"pieces": (pieces * 100).round().astype(np.uint8)}))
    click.echo(f"written to {to}")


def measured(
    marked: Sequence[Marked], features: Floats, names: Sequence[str], repeats: int
) -> dict[str, dict[str, float]]:
    """What cross-validation says, on all pairs of pairs.jsonl, and on those that are not practically equal texts."""
    right = np.array([one.same for one in marked])
    given = np.array([one.given for one in marked])
    cosine = features[:, list(names).index("cosine")]
    out: dict[str, dict[str, float]] = {}
    figures: dict[str, list[dict[str, float]]] = {}
    for repeat in range(repeats):
        fold = folds(marked, repeat)
        likely = np.zeros(len(marked))
        for number in range(_FOLDS):
            decision = fit(features[fold != number], right[fold != number])
            likely[fold == number] = decision.likely(features[fold == number])
        for name, chosen in (("pairs.jsonl", given), ("pairs.jsonl, hard", given & (cosine < _HARD)),
                             ("read for this project", ~given)):  # fmt: skip
            figures.setdefault(name, []).append(
                {
                    "cosine's AP": average_precision(cosine[chosen], right[chosen]),
                    "AP": average_precision(likely[chosen], right[chosen]),
                    "F1": f1(likely[chosen], right[chosen]),
                    "ECE": calibration_error(likely[chosen], right[chosen]),
                }
            )
    for name, several in figures.items():
        out[name] = {what: float(np.mean([one[what] for one in several])) for what in several[0]}
    return out


def _contents(row: dict[str, Any]) -> Iterator[str]:
    for one in row["attributions"]:
        yield " ".join(row["text"][start:end] for start, end in one["content"])
