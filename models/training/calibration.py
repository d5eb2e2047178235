"""Probabilities that mean what they say: fitted on dev, and measured on what they were not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.encoding import EncodedText, Encoder
from models.network import CATEGORIES, Network
from models.reader import CONTEXT, CORE, confidence_features, scan
from models.scoring import matched, pairs
from models.training.corpora import Example
from models.training.evaluation import Found, as_gold

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Choices = Sequence[tuple[Floats, Bools]]
"""For each choice its options' scores, (options,), and which are right, (options,)."""

_BINS: Final = 10

T = TypeVar("T")


def calibrate(features: Floats, right: Bools) -> list[float]:
    """Fit confidence to whether a person marked the attribution too.

    Args:
        features: See ``confidence_features``, (N, 2).
        right: Whether it is one, (N,).

    Returns:
        Weights of a logistic regression, and its constant.
    """
    inputs = np.column_stack([features, np.ones(len(features))])

    def loss(weights: Floats) -> float:
        scores = inputs @ weights
        return float(np.logaddexp(0, np.where(right, -scores, scores)).sum() + 1e-3 * (weights**2).sum())

    return [round(float(weight), 4) for weight in minimize(loss, np.array([1.0, 0.0, 0.0])).x]


def confidences(features: Floats, weights: Sequence[float]) -> Floats:
    """The confidences that weights give, (N,)."""
    return np.asarray(1 / (1 + np.exp(-(features @ np.array(weights[:2]) + weights[2]))))


def outcomes(predicted: Sequence[tuple[Example, EncodedText, Found]], threshold: float) -> tuple[Floats, Bools]:
    """Each prediction's features, (N, 2), and whether it is right: all roles overlap a gold attribution's, (N,)."""
    features, right = [], []
    for example, words, found in predicted:
        kept = [one for one in found if one[0].probability >= threshold]
        good = matched(example.text, example.gold, [as_gold(words, *one) for one in kept])
        features += [confidence_features(*one) for one in kept]
        right += good
    return np.array(features).reshape(-1, 2), np.array(right, dtype=bool)


def calibration_error(confidences: Floats, right: Bools) -> float:
    """The expected calibration error: how far confidence and share of right ones are apart, over tenths of confidence.

    Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    return float(sum(abs(said - was) * count for said, was, count in reliability(confidences, right))) / max(
        len(right), 1
    )


def reliability(confidences: Floats, right: Bools) -> list[tuple[float, float, int]]:
    """Mean confidence, share of right ones and their number for each tenth of confidence that occurs."""
    tenth = np.minimum((confidences * _BINS).astype(int), _BINS - 1)
    rows = ((tenth == number) for number in range(_BINS))
    return [(float(confidences[row].mean()), float(right[row].mean()), int(row.sum())) for row in rows if row.any()]


def temperature(choices: Choices) -> float:
    """What to divide scores by so that their softmax means what it says (temperature scaling, as above)."""
    known = [(scores, right) for scores, right in choices if right.any()]

    def loss(log_of_it: Floats) -> float:
        total = 0.0
        for scores, right in known:
            scaled = scores / np.exp(log_of_it[0])
            total += float(np.logaddexp.reduce(scaled) - np.logaddexp.reduce(scaled[right]))
        return total

    best = minimize(loss, np.zeros(1), method="Nelder-Mead", bounds=[(-2.0, 2.0)])
    return round(float(np.exp(best.x[0])), 3)


def best_options(choices: Choices, heat: float) -> tuple[Floats, Bools]:
    """Each choice's highest probability and whether that option is right, (N,) both."""
    likely, right = [], []
    for scores, good in choices:
        at = int(scores.argmax())
        likely.append(float(np.exp(scores[at] / heat - np.logaddexp.reduce(scores / heat))))
        right.append(bool(good[at]))
    return np.array(likely), np.array(right, dtype=bool)


def option(choices: Choices, heat: float, number: int) -> tuple[Floats, Bools]:
    """One option's probability in each choice, and whether it is right, (N,) both."""
    likely = [float(np.exp(scores[number] / heat - np.logaddexp.reduce(scores / heat))) for scores, _ in choices]
    return np.array(likely), np.array([bool(right[number]) for _, right in choices])


def category_choices(
    network: Network, encoder: Encoder, examples: Sequence[Example], threshold: float
) -> list[tuple[Floats, Bools]]:
    """The categories' scores of what the network finds, where it matches a marked attribution with a category."""
    texts = [encoder.encode(example.text) for example in examples]
    seen = scan(network, encoder, texts, examples[0].habit, threshold=threshold, core=CORE, context=CONTEXT, whole=True)
    out = []
    for example, words, one in zip(examples, texts, seen, strict=True):
        found = [as_gold(words, *each) for each in one.attributions]
        for mine, theirs in pairs(example.text, example.gold, found):
            category = example.gold[mine].get("category")
            if category:
                scores = np.log(np.maximum(one.categories[theirs], 1e-9))
                out.append((scores, np.array([name == category for name in CATEGORIES])))
    return out


def crossed(halves: Sequence[T], apply: Callable[[T, T], tuple[Floats, Bools]]) -> tuple[Floats, Bools]:
    """Probabilities and what came of them for two halves, each fitted on the other.

    Args:
        halves: What is known of each.
        apply: Fits on its first argument and gives the second's probabilities, and whether each is right.
    """
    first, second = halves
    said, was = zip(apply(first, second), apply(second, first), strict=True)
    return np.concatenate(said), np.concatenate(was)
