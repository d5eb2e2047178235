"""Train the guess of what the decision will be: ``python -m models.training guess``."""

from __future__ import annotations

import datetime
import json
from itertools import pairwise
from pathlib import Path
from typing import Final

import click
import numpy as np
from numpy.typing import NDArray

from models.claims import readable
from models.same import WEIGHTS, Assertion, SameClaim
from models.same_guess import FILE, guess_features
from models.training.corpora import read_lines

_LIKELY: Final = 0.6
_BANDS: Final = np.linspace(_LIKELY, 1.0, 9)
_RIDGE: Final = 3.0


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("../shared/data"), show_default=True)
@click.option("--claims", type=click.IntRange(min=100), default=12_000, show_default=True, help="Contents to pair.")
@click.option("--pairs", type=click.IntRange(min=100), default=4_000, show_default=True, help="Pairs to learn from.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
def guess(data: Path, claims: int, pairs: int, seed: int, out: Path) -> None:
    """Fit the guess to what the decision says of pairs of the corpora's contents."""
    same = SameClaim.from_pretrained(out)
    rng = np.random.default_rng(seed)
    articles, assertions = read_assertions(data)
    chosen = rng.permutation(len(assertions))[:claims]
    click.echo(f"reading {len(chosen)} contents")
    vectors = same.embed([assertions[n].text for n in chosen])
    ones, others, cosines = likely_pairs(vectors, [articles[n] for n in chosen], pairs, rng)
    told = [(assertions[chosen[one]], assertions[chosen[other]]) for one, other in zip(ones, others, strict=True)]
    click.echo(f"deciding on {len(told)} pairs")
    score = np.clip(same.score(told), 1e-4, 1 - 1e-4)
    rows = [guess_features(a, b, cos, same.comparison.stems) for (a, b), cos in zip(told, cosines, strict=True)]
    names = sorted(rows[0])
    numbers = np.array([[row[name] for name in names] for row in rows])
    mean, scale = numbers.mean(0), numbers.std(0)
    scale[scale < 1e-6] = 1.0
    standard, target = (numbers - mean) / scale, np.log(score / (1 - score))
    crossed = np.zeros(len(told))
    for fold in range(5):
        left = np.arange(len(told)) % 5 == fold
        weights, constant = _fit(standard[~left], target[~left])
        crossed[left] = standard[left] @ weights + constant
    _report(cosines, score, 1 / (1 + np.exp(-crossed)))
    weights, constant = _fit(standard, target)
    config = {"features": names, "constant": round(constant, 6)}
    config |= {n: [round(float(x), 6) for x in v] for n, v in (("mean", mean), ("scale", scale), ("weights", weights))}
    (out / FILE).write_text(json.dumps(config) + "\n", encoding="utf-8")


def read_assertions(data: Path) -> tuple[list[str], list[Assertion]]:
    """All different contents of the corpora, each with its article's id.

    Raises:
        FileNotFoundError: A corpus is missing.
    """
    found: dict[str, tuple[str, Assertion]] = {}
    for part in ("train", "dev", "world"):
        for article in read_lines(data / "attributions" / f"{part}.jsonl"):
            day = datetime.date.fromisoformat(article["date"]) if article.get("date") else None
            for one in article["attributions"]:
                text, source = (
                    readable([article["text"][start:end] for start, end in one[role] or ()])
                    for role in ("content", "source")
                )
                if text:
                    found.setdefault(text, (article["id"], Assertion(text, day, source or None)))
    return [id_ for id_, _ in found.values()], [one for _, one in found.values()]


def likely_pairs(
    vectors: NDArray[np.float32], articles: list[str], wanted: int, rng: np.random.Generator
) -> tuple[list[int], list[int], list[float]]:
    """Pairs of different articles whose vectors are alike, as many of each degree as there are."""
    ones, others = [], []
    for start in range(0, len(vectors), 1000):
        near = np.argwhere(vectors[start : start + 1000] @ vectors.T >= _LIKELY)
        near = near[near[:, 0] + start < near[:, 1]]
        ones.append(near[:, 0] + start)
        others.append(near[:, 1])
    one, other = np.concatenate(ones), np.concatenate(others)
    apart = np.array(articles)[one] != np.array(articles)[other]
    one, other = one[apart], other[apart]
    cosines = np.einsum("ij,ij->i", vectors[one], vectors[other])
    bands = [np.flatnonzero((cosines >= low) & (cosines < high + (high == 1.0))) for low, high in pairwise(_BANDS)]
    kept = np.concatenate([rng.permutation(band)[: wanted // len(bands)] for band in bands])
    kept = rng.permutation(kept)
    return one[kept].tolist(), other[kept].tolist(), cosines[kept].tolist()


def _fit(features: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    constant = float(target.mean())
    moments = features.T @ features + _RIDGE * np.eye(features.shape[1])
    return np.asarray(np.linalg.solve(moments, features.T @ (target - constant)), dtype=np.float64), constant


def _report(cosines: list[float], score: NDArray[np.float64], guessed: NDArray[np.float64]) -> None:
    likely, same = np.array(cosines) >= 0.7, score >= 0.5
    click.echo(f"of pairs with a cosine of 0.7, {(same & likely).sum() / likely.sum():.1%} are the same")
    click.echo("guess at least: kept of the same, kept of all")
    for least in (0.05, 0.1, 0.15, 0.2, 0.3):
        kept = guessed >= least
        click.echo(f"{least:14.2f}: {kept[same & likely].mean():16.1%}, {kept[likely].mean():.1%}")
    click.echo(f"mean difference of guess and decision: {np.abs(guessed - score)[likely].mean():.3f}")
