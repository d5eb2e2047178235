"""Dev figures while training, and the cues' thresholds, which are chosen on dev."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from models.decoding import Cue, Roles, spans_in_text
from models.encoding import EncodedText, Encoder
from models.names import whole_names
from models.network import NAME_KINDS, Network
from models.reader import CONTEXT, CORE, scan
from models.scoring import count, figures
from models.training.corpora import Example
from models.training.samples import words_of

THRESHOLDS: Final = tuple(step / 100 for step in range(25, 76, 5))

Found = Sequence[tuple[Cue, Roles]]


def predict(
    network: Network, encoder: Encoder, examples: Sequence[Example], *, core: int, context: int
) -> list[tuple[Example, EncodedText, Found]]:
    """What the network finds at the lowest threshold, for each example in its own habit."""
    texts = [encoder.encode(example.text) for example in examples]
    seen = scan(network, encoder, texts, examples[0].habit, threshold=THRESHOLDS[0], core=core, context=context)
    return [(example, words, one.attributions) for example, words, one in zip(examples, texts, seen, strict=True)]


def as_gold(words: EncodedText, cue: Cue, roles: Roles) -> dict[str, Any]:
    """An attribution in the form of the gold files."""
    return {
        "source": spans_in_text(words.spans, roles.source),
        "cue": spans_in_text(words.spans, [(cue.first, cue.last)]),
        "content": spans_in_text(words.spans, roles.content),
    }


def best_threshold(predicted: Sequence[tuple[Example, EncodedText, Found]]) -> tuple[float, dict[str, float]]:
    """The threshold with the highest mean of overlap and exact over all roles, and its figures."""
    best, chosen, flat = -math.inf, THRESHOLDS[0], dict[str, float]()
    for threshold in THRESHOLDS:
        report = figures(
            count(
                example.text,
                example.gold,
                [as_gold(words, *one) for one in found if one[0].probability >= threshold],
            )
            for example, words, found in predicted
        )
        score = report["attributions.overlap.f1"] + report["attributions.exact.f1"]
        if score > best:
            best, chosen, flat = score, threshold, report
    return chosen, flat


def evaluate(
    network: Network, encoder: Encoder, dev: Sequence[Sequence[Example]], *, core: int, context: int
) -> tuple[float, dict[str, float]]:
    """Score the network on several dev sets, each at its own best threshold.

    Returns:
        The mean over sets of overlap and exact of all roles, in percent, and each set's figures.
    """
    out: dict[str, float] = {}
    scores = []
    for examples in dev:
        threshold, report = best_threshold(predict(network, encoder, examples, core=core, context=context))
        habit = examples[0].habit
        out[f"{habit} threshold"] = threshold
        for level in ("content_overlap", "overlap", "exact"):
            out[f"{habit} {level}"] = 100 * report[f"attributions.{level}.f1"]
        for role in ("source", "cue", "content"):
            out[f"{habit} {role}"] = 100 * report[f"spans.{role}.exact.f1"]
        out[f"{habit} direct"] = 100 * report["by_type.direct.content_overlap.f1"]
        scores += [out[f"{habit} overlap"], out[f"{habit} exact"]]
    return sum(scores) / len(scores), out


def name_figures(network: Network, encoder: Encoder, examples: Sequence[Example]) -> dict[str, float]:
    """F1 of names, in percent, by kind: span and kind must be right."""
    texts = [encoder.encode(example.text) for example in examples]
    seen = scan(network, encoder, texts, examples[0].habit, threshold=2.0, core=CORE, context=CONTEXT, whole=True)
    counts: Counter[tuple[str, str]] = Counter()
    for example, text, one in zip(examples, texts, seen, strict=True):
        gold = {(name.kind, *place) for name in example.names or () for place in words_of(text, [name.span])}
        found = {(name.kind, name.first, name.last) for name in whole_names(example.text, text.spans, one.names)}
        for what, group in (("gold", gold), ("found", found), ("right", gold & found)):
            counts.update((kind, what) for kind, _, _ in group)
    return {
        kind: 200 * counts[kind, "right"] / max(counts[kind, "gold"] + counts[kind, "found"], 1) for kind in NAME_KINDS
    }
