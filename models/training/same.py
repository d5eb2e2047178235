"""Train the decision of whether two contents assert the same claim: ``python -m models.training same``."""

from __future__ import annotations

import datetime
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from scipy.optimize import minimize
from transformers import BertModel

from models.same import WEIGHTS, Assertion, Comparison, Decision, config_to_save, weights_to_save
from models.same_embedding import Embedder, Encoded
from models.same_features import clean, side
from models.same_joint import JointReader
from models.same_likeness import SMALL
from models.same_linear import Linear, sigmoid
from models.same_words import SMALL_WORDS
from models.training.calibration import Bools, Floats, calibration_error
from models.training.corpora import article_key, read_lines
from models.training.same_joint import JointPlan, train_joint

_READ: Final = Path(__file__).with_name("same_pairs.tsv")
_FOLDS: Final = 5
_EQUAL: Final = 0.985  # a cosine from which texts are practically equal
_COSINE: Final = 0.81  # what is taken for the same by the cosine alone, for comparison
_COMMON: Final = 10  # texts that a stem must be in for its weight to be kept
_RIDGE: Final = 30.0
_DOUBT: Final = 0.04
_LEAN: Final = 0.2  # in log odds: F1 is best a little below an even chance, and calibration hardly suffers


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
        row["id"]: row for part in ("train", "world") for row in read_lines(data / "attributions" / f"{part}.jsonl")
    }
    named = {article_key(id_): row for id_, row in articles.items()}
    out = [
        _marked((row["a"], row["b"]), row["label"] == "same", True)
        for row in read_lines(data / "claims" / "pairs.jsonl")
    ]
    for line in _READ.read_text(encoding="utf-8").splitlines():
        if not line.startswith(("#", "?")):  # two readers of what is doubtful disagree
            same, one, one_number, other, other_number = line.split("\t")
            sides = (_side(named[one], int(one_number)), _side(named[other], int(other_number)))
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


def fit(rows: Sequence[dict[str, float]], same: Bools) -> Linear:
    """Fit a logistic regression to (N,) rows of features.

    Args:
        rows: Features by name.
        same: Whether the pair asserts the same claim, (N,).
    """
    names = tuple(rows[0])
    features = np.array([[row[name] for name in names] for row in rows])
    mean, scale = features.mean(0), features.std(0)
    scale[scale < 1e-6] = 1.0
    inputs = Linear(names, mean, scale, mean, 0.0).standardised(features)
    sign = np.where(same, 1.0, -1.0)

    def loss(guess: Floats) -> tuple[float, Floats]:
        margin = sign * (inputs @ guess[:-1] + guess[-1])
        slope = -sign / (1 + np.exp(margin.clip(-30, 30)))
        gradient = np.append(inputs.T @ slope + _RIDGE * guess[:-1], slope.sum())
        return float(np.logaddexp(0, -margin).sum() + _RIDGE / 2 * (guess[:-1] ** 2).sum()), gradient

    best = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x
    return Linear(names, mean, scale, best[:-1], float(best[-1]))


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


@dataclass(frozen=True, slots=True)
class Material:
    """N pairs that people read, and what is known of them."""

    given: Bools
    """Which are of pairs.jsonl, (N,)."""
    same: Bools
    """Which assert the same claim, (N,)."""
    at_sight: list[dict[str, float]]
    read: list[dict[str, float]]
    """All features, those at sight among them."""
    encoded: list[tuple[Encoded, Encoded]]

    def decide(
        self, chosen: Sequence[int], network: BertModel, show: Callable[[str], None]
    ) -> tuple[Linear, Linear, JointReader]:
        """Train all three parts of the decision on chosen pairs."""
        same = self.same[chosen]
        states = [(self.encoded[row][0].below, self.encoded[row][1].below, bool(self.same[row])) for row in chosen]
        return (
            fit([self.at_sight[row] for row in chosen], same),
            fit([self.read[row] for row in chosen], same),
            train_joint(network, states, JointPlan(), 0, show),
        )

    def scores(self, parts: tuple[Linear, Linear, JointReader], rows: Sequence[int]) -> Floats:
        """What each part says of some pairs, (3, n)."""
        at_sight, read, joint = parts
        return np.stack(
            [
                at_sight.scores([self.at_sight[row] for row in rows]),
                read.scores([self.read[row] for row in rows]),
                joint.score([self.encoded[row] for row in rows]).double().numpy(),
            ]
        )


def gather(marked: Sequence[Marked], compare: Comparison) -> Material:
    """What is known of all pairs."""
    pairs = [one.assertions for one in marked]
    at_sight, encoded = compare.at_sight(pairs), compare.encoded(pairs)
    words = compare.word_by_word(encoded)
    return Material(
        np.array([one.given for one in marked]),
        np.array([one.same for one in marked]),
        at_sight,
        [first | more for first, more in zip(at_sight, words, strict=True)],
        encoded,
    )


def platt(scores: Floats, same: Bools) -> tuple[float, float]:
    """Factor and constant that make log odds of (n,) scores; Platt, Probabilistic outputs for SVMs, 1999."""
    sign = np.where(same, 1.0, -1.0)

    def loss(guess: Floats) -> float:
        return float(np.logaddexp(0, -sign * (guess[0] * scores + guess[1])).sum())

    best = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return float(best[0]), float(best[1])


def report(material: Material, scores: Floats, fold: NDArray[np.int64]) -> Iterator[str]:
    """Lines with the figures of (3, N) scores, each given by what was trained without the pair's fold, (N,).

    Each fold is calibrated on the others' pairs of pairs.jsonl: those tell how often what looks alike is the same.
    """
    same, given = material.same, material.given
    cosine = np.array([row["cosine"] for row in material.at_sight])
    both = scores[1:].mean(0)
    ways = {"cosine": cosine - _COSINE, "at sight": scores[0], "features": scores[1], "joint": scores[2], "both": both}
    for title, chosen in (
        ("pairs.jsonl", given),
        ("pairs.jsonl without equal texts", given & (cosine < _EQUAL)),
        ("read for this project, without equal texts", ~given & (cosine < _EQUAL)),
    ):
        yield f"{title}: {chosen.sum()} pairs, {(same & chosen).sum()} the same"
        for way, said in ways.items():
            likely = sigmoid(said)
            if way == "both":
                for number in range(_FOLDS):
                    others = given & (fold != number)
                    factor, constant = platt(said[others], same[others])
                    likely[fold == number] = sigmoid(factor * said[fold == number] + constant + _LEAN)
            figures = average_precision(likely[chosen], same[chosen]), f1(likely[chosen], same[chosen])
            error = "" if way == "cosine" else f"  ECE {calibration_error(likely[chosen], same[chosen]):.3f}"
            yield f"  {way:9} AP {figures[0]:.3f}  F1 {figures[1]:.3f}{error}"
    likely = sigmoid(scores[0])
    for limit in (0.02, 0.03, 0.04, 0.06, 0.08, 0.1):
        spared = likely < limit
        yield f"  doubt {limit}: spared {spared.mean():.3f}, {(same & spared).sum()} of {same.sum()} same ones lost"


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("../shared/data"), show_default=True)
@click.option("--to", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
@click.option("--version", default="1", show_default=True, help="The version of the weights.")
def same(data: Path, to: Path, version: str) -> None:
    """Train the decision of whether two contents assert the same claim, cross-validate it, and write it to TO."""
    embedder = Embedder.from_package()
    contents = [one for row in read_lines(data / "attributions" / "train.jsonl") for one in _contents(row)]
    stems = word_weights(contents)
    pieces = piece_weights(contents, embedder)
    marked = read_pairs(data)
    material = gather(marked, Comparison(embedder, stems, pieces))
    fold = folds(marked, 0)
    scores = np.zeros((3, len(marked)))
    for number in range(_FOLDS):
        click.echo(f"fold {number + 1} of {_FOLDS}")
        left_out = np.flatnonzero(fold == number).tolist()
        parts = material.decide(np.flatnonzero(fold != number).tolist(), embedder.network, click.echo)
        scores[:, left_out] = material.scores(parts, left_out)
    for line in report(material, scores, fold):
        click.echo(line)
    at_sight, read, joint = material.decide(range(len(marked)), embedder.network, click.echo)
    factor, constant = platt(scores[1:, material.given].mean(0), material.same[material.given])
    to.mkdir(parents=True, exist_ok=True)
    config = config_to_save(Decision(version, at_sight, _DOUBT, read, (factor, constant + _LEAN)), stems)
    (to / "same.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (to / "same.safetensors").write_bytes(save(weights_to_save(torch.tensor((100 * pieces).round()).byte(), joint)))
    click.echo(f"written to {to}")


def _contents(row: dict[str, Any]) -> Iterator[str]:
    for number in range(len(row["attributions"])):
        yield str(_side(row, number)["text"])
