"""Speakers are counted like the referee counts them."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from models.speaker_scoring import count_speakers, speaker_figures, speaker_right

TEXT = "“We will go,” said Amara. Bruno said that the bridge is closed."
GOLD: list[dict[str, Any]] = [
    {"source": [[19, 24]], "cue": [[14, 18]], "content": [[0, 13]], "speaker": "Amara Diallo", "kind": "person"},
    {"source": [[26, 31]], "cue": [[32, 36]], "content": [[37, 62]], "speaker": None, "kind": "unknown"},
]


@pytest.mark.parametrize(
    ("gold", "kind", "name", "others", "right"),
    [
        ("Amara Diallo", "person", "amara  diallo’s", (), True),
        ("Amara Diallo", "person", "Diallo", (), True),
        ("Amara Diallo", "person", "Diallo", ("kofi diallo",), False),
        ("Amara Diallo", "person", "Amara", (), False),
        ("Tom Reed Jr.", "person", "Reed", (), True),
        ("The Lund Post", "organization", "Lund Post", (), False),
        (None, "unknown", None, (), True),
        (None, "unknown", "Amara", (), False),
        ("Amara Diallo", "person", None, (), False),
    ],
)
def test_names(gold: str | None, kind: str, name: str | None, others: tuple[str, ...], right: bool) -> None:
    assert speaker_right(gold, kind, name, others) is right


def test_shares_are_of_matched_attributions() -> None:
    pred = [
        GOLD[0] | {"speaker": {"name": "Diallo", "kind": "person"}, "category": "factual"},
        {"source": [], "cue": [], "content": [[26, 31]], "speaker": None},
    ]
    found = speaker_figures([count_speakers(TEXT, [GOLD[0] | {"category": "factual"}, GOLD[1]], pred)])
    assert (found["speakers.all"], found["speakers.person"], found["kind"]) == (1, 1, 1)
    assert found["category.macro_f1"] == 1
    assert "speakers.unknown" not in found


def test_speakers_are_right_as_the_referee_says(shared: Path, referee: Any) -> None:
    rng = Random(3)
    golds, preds, counts = [], [], []
    with (shared / "data" / "attributions" / "world.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, islice(lines, 25)):
            names = [one["speaker"] for one in row["attributions"]]
            kept = [one for one in row["attributions"] if rng.random() < 0.9]
            pred = [
                {role: one[role] for role in ("source", "cue", "content")}
                | {"speaker": {"name": name} if (name := rng.choice([one["speaker"], *names[:2]])) else None}
                for one in kept
            ]
            golds.append(row)
            preds.append({"id": row["id"], "attributions": pred})
            counts.append(count_speakers(row["text"], row["attributions"], pred))
    theirs = referee.score(golds, preds, boot=0)["speakers"]
    ours = speaker_figures(counts)
    for mine, key in (("speakers.all", "all_matched"), ("speakers.person", "person_matched")):
        assert ours[mine] == pytest.approx(theirs[key]["value"], abs=1e-5)
