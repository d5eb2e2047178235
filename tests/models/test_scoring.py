"""The measure gives the same figures as the referee that the corpora come with, and knows simple cases."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from models.scoring import count, figures, matched

TEXT = "“We will go,” said Amara. Bruno said that the bridge is closed."
DIRECT = {"source": [[19, 24]], "cue": [[14, 18]], "content": [[0, 13]]}
INDIRECT = {"source": [[26, 31]], "cue": [[32, 36]], "content": [[37, 62]]}


def measured(gold: list[Any], pred: list[Any], **how: Any) -> dict[str, float]:
    return figures([count(TEXT, gold, pred, **how)])


def test_finding_everything_is_perfect() -> None:
    found = measured([DIRECT, INDIRECT], [INDIRECT, DIRECT])
    assert all(found[f"attributions.{level}.f1"] == 1 for level in ("content_overlap", "overlap", "exact"))
    assert found["by_type.direct.exact.f1"] == found["by_type.indirect.exact.f1"] == 1


def test_finding_nothing_is_nothing() -> None:
    assert measured([DIRECT], [])["attributions.content_overlap.f1"] == 0
    assert measured([], [])["attributions.content_overlap.f1"] == 0


def test_a_content_without_its_mark_overlaps_but_is_not_exact() -> None:
    found = measured([DIRECT], [DIRECT | {"content": [[1, 13]]}])
    assert (found["attributions.overlap.f1"], found["attributions.exact.f1"]) == (1, 0)
    assert (found["spans.source.exact.f1"], found["spans.content.exact.f1"]) == (1, 0)


def test_another_source_is_not_right() -> None:
    wrong = DIRECT | {"source": INDIRECT["source"]}
    found = measured([DIRECT], [wrong])
    assert (found["attributions.content_overlap.f1"], found["attributions.overlap.f1"]) == (1, 0)
    assert matched(TEXT, [DIRECT, INDIRECT], [wrong, INDIRECT]) == [False, True]


def test_spans_beside_the_text_are_counted_and_dropped() -> None:
    found = measured([DIRECT], [DIRECT | {"source": [[19, 24], [5, 5], [90, 95], [-1, 2]]}])
    assert found["bad_spans"] == 3
    assert found["attributions.exact.f1"] == 1


def test_doubtful_attributions_count_neither_way() -> None:
    gold = [DIRECT, INDIRECT | {"doubtful": True}]
    assert measured(gold, [DIRECT], skip_doubtful=True)["attributions.exact.f1"] == 1
    assert measured(gold, [DIRECT, INDIRECT], skip_doubtful=True)["attributions.exact.f1"] == 1
    assert measured(gold, [DIRECT])["attributions.exact.f1"] == pytest.approx(2 / 3)


def disturbed(rng: Random, text: str, gold: list[Any]) -> list[Any]:
    """Attributions that are lost, shifted, given another's source, or doubled."""
    out = []
    for one in gold:
        if rng.random() < 0.15:
            continue
        new = {role: [list(span) for span in one[role]] for role in ("source", "cue", "content")}
        if rng.random() < 0.2:
            new["source"] = rng.choice(gold)["source"]
        for role in new:
            for span in new[role]:
                if rng.random() < 0.2:
                    span[0] = max(0, span[0] + rng.randint(-30, 30))
                    span[1] = span[1] + rng.randint(-30, 60)
        out += [new] * (2 if rng.random() < 0.05 else 1)
    return out


@pytest.mark.shared
def test_the_figures_are_the_referees(shared: Path, referee: Any) -> None:
    rng = Random(7)
    with (shared / "data/attributions/dev.jsonl").open(encoding="utf-8") as lines:
        gold = [json.loads(line) for line in islice(lines, 25)]
    pred = [{"id": one["id"], "attributions": disturbed(rng, one["text"], one["attributions"])} for one in gold]
    theirs = referee.score(gold, pred, boot=0)
    ours = figures(
        count(one["text"], one["attributions"], guess["attributions"]) for one, guess in zip(gold, pred, strict=True)
    )
    compared = 0
    for name, value in ours.items():
        *path, last = name.split(".")
        spot = theirs
        for part in path:
            spot = spot.get(part, {})
        if last not in spot and "f1" not in spot:
            continue  # the referee has no such figure by type
        if last in ("jaccard", "source_link", "source_link_given"):
            expected = spot[last]["value"]
        elif last in ("f1", "p", "r"):
            expected = spot[last]
        else:
            continue
        compared += 1
        assert value == pytest.approx(expected, abs=6e-6), name
    assert compared > 50
    assert ours["bad_spans"] == theirs["bad_spans"] > 0
    assert 0.2 < ours["attributions.exact.f1"] < 0.8
