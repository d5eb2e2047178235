"""Learning from names and the pronouns that stand for them how given names lean."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.clues import PRONOUNS
from models.given_names import GIVEN_PARTS, given_name, parts
from models.names import HE, SHE, name_tokens
from models.training.corpora import Example

_HE, _SHE = PRONOUNS[:2]
_RIDGE: Final = 0.5
_FOLLOWING: Final = 150  # code points behind a name in which a pronoun may stand for it
_PRONOUN: Final = re.compile(r"\b(?:he|his|him|she|her)\b")
_FOLLOWED: Final = 0.3
"""What a pronoun that only follows a name counts: every fourth stands for someone else."""


def fit_given_names(marked: Iterable[Example], named: Iterable[Example]) -> NDArray[np.float32]:
    """The table of ``models.given_names.GivenNames``, (GIVEN_PARTS,).

    Args:
        marked: Examples that tell whom pronouns stand for.
        named: Examples that tell only where people are named.
    """
    weights: defaultdict[tuple[str, bool], float] = defaultdict(float)
    for one in _marked(marked):
        weights[one] = 1
    followed = Counter(_followed(named))
    for (given, she), count in followed.items():
        total = count + followed[given, not she]
        weights[given, she] += _FOLLOWED * count * min(1, 3 / total)
    return _fit(weights)


def _marked(examples: Iterable[Example]) -> Iterator[tuple[str, bool]]:
    """Given names, and whether "she" stands for who bears them."""
    for example in examples:
        if example.pronoun:
            word = example.pronoun.span.of(example.text).lower()
            yield from _told(word, (span.of(example.text) for span in example.pronoun.names))
        for one in example.gold:
            if one.get("kind") == "person" and one.get("speaker"):
                word = " ".join(example.text[start:end] for start, end in one["source"]).lower()
                yield from _told(word, [one["speaker"]])


def _told(word: str, names: Iterable[str]) -> Iterator[tuple[str, bool]]:
    if word in _HE or word in _SHE:
        for name in names:
            given = given_name(name_tokens(name))
            if given is not None and given not in HE and given not in SHE:
                yield given, word in _SHE


def _followed(examples: Iterable[Example]) -> Iterator[tuple[str, bool]]:
    """Given names, and whether "she" is the first pronoun behind, before anybody else is named."""
    for example in examples:
        people = [name.span for name in example.names or () if name.kind == "person"]
        for number, span in enumerate(people):
            end = span.end + _FOLLOWING
            if number + 1 < len(people):
                end = min(end, people[number + 1].start)
            pronoun = _PRONOUN.search(example.text, span.end, end)
            if pronoun:
                yield from _told(pronoun.group(), [span.of(example.text)])


def _fit(weights: Mapping[tuple[str, bool], float]) -> NDArray[np.float32]:
    """Ridge regression of the log odds."""
    rows = np.stack([parts(given) for given, _ in weights])
    she = np.array([1.0 if one else -1.0 for _, one in weights])
    weight = np.array(list(weights.values()))

    def loss(table: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = she * table[rows].sum(1)
        slope = np.zeros(GIVEN_PARTS)
        np.add.at(slope, rows, (-she * weight / (1 + np.exp(margin)))[:, None])
        value = weight @ np.logaddexp(0, -margin) + _RIDGE / 2 * table @ table
        return float(value), slope + _RIDGE * table

    return np.asarray(minimize(loss, np.zeros(GIVEN_PARTS), jac=True, method="L-BFGS-B").x, dtype=np.float32)
