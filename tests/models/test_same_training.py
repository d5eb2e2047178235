"""Training of the same claim: folds, figures, and what reads two sides together."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from transformers import BertConfig, BertModel

from models.same import Assertion, SameClaim
from models.same_embedding import BELOW, WIDTH, Encoded
from models.same_joint import JointReader
from models.training import __main__ as training
from models.training import same
from models.training.same_joint import JointPlan, train_joint

DAY = datetime.date(2024, 5, 31)


def network() -> BertModel:
    torch.manual_seed(0)
    shape = {"hidden_size": WIDTH, "num_hidden_layers": BELOW + 1, "num_attention_heads": 12, "intermediate_size": 64}
    return BertModel(BertConfig(vocab_size=50, **shape), add_pooling_layer=False).eval()


def encoded(random: torch.Generator, length: int) -> Encoded:
    nothing = np.zeros(0, dtype=np.float32)
    states = torch.randn(length, WIDTH, generator=random)
    return Encoded(states[:, 0].long().numpy(), nothing, states[0].numpy(), nothing, states)


def marked(number: int, text: str) -> same.Marked:
    a, b = Assertion(text), Assertion(text + " again")
    return same.Marked((a, b), number % 3 == 0, number % 2 == 0, ((f"article {number}", 0), text))


def test_no_text_is_in_two_folds() -> None:
    pairs = [marked(number, f"text {number % 40}") for number in range(100)]
    fold = same.folds(pairs, 0)
    assert set(fold) == {0, 1, 2, 3, 4}
    for number in range(100):
        assert fold[number] == fold[number % 40]
    sizes = np.bincount(fold)
    assert sizes.max() - sizes.min() <= 6


def test_figures_of_a_ranking() -> None:
    right = np.array([True, False, True, False])
    assert same.average_precision(np.array([0.9, 0.8, 0.7, 0.1]), right) == pytest.approx((1 + 2 / 3) / 2)
    assert same.average_precision(np.full(4, 0.5), right) == pytest.approx(0.5)
    assert same.f1(np.array([0.9, 0.8, 0.2, 0.1]), right) == pytest.approx(0.5)


def test_a_regression_learns_what_tells() -> None:
    random = np.random.default_rng(0)
    right = random.random(400) < 0.4
    rows = [{"tells": float(one) + random.normal(), "does not": random.normal(), "never": 1.0} for one in right]
    linear = same.fit(rows, right)
    weights = dict(zip(linear.names, linear.weights, strict=True))
    assert weights["tells"] > 5 * abs(weights["does not"])
    assert weights["never"] == pytest.approx(0, abs=1e-6)
    scores = linear.scores(rows)
    assert same.average_precision(scores, right) > 0.6
    factor, constant = same.platt(4 * scores + 3, right)
    assert factor == pytest.approx(0.25, abs=0.15)
    assert constant < 0


def test_joint_reading_learns_and_is_kept(tmp_path: Path) -> None:
    random, bert = torch.Generator().manual_seed(1), network()
    before = {name: value.clone() for name, value in bert.state_dict().items()}
    pairs = []
    for number in range(24):
        one = encoded(random, 5 + number % 4)
        other = replace(one, below=one.below + 0.1, source=-one.source) if number % 2 else encoded(random, 6)
        pairs.append((one, other, bool(number % 2)))
    states = [(a.below, b.below, alike) for a, b, alike in pairs]
    told: list[str] = []
    plan = JointPlan(rank=2, epochs=12)
    reader = train_joint(bert, states, plan, 3, told.append)
    assert float(told[-1].split()[-1]) < 0.7 * float(told[0].split()[-1])
    assert all(torch.equal(before[name], value) for name, value in bert.state_dict().items())
    kept = JointReader.from_trained(bert, reader.trained())
    forth = kept.score([(a, b) for a, b, _ in pairs])
    assert torch.allclose(forth, kept.score([(b, a) for a, b, _ in pairs]))
    assert torch.allclose(forth, reader.score([(a, b) for a, b, _ in pairs]), atol=1e-3)
    assert torch.allclose(forth[:1], kept.score([pairs[0][:2]]), atol=1e-4)
    again = train_joint(bert, states, plan, 3)
    assert torch.equal(again.score([(a, b) for a, b, _ in pairs]), reader.score([(a, b) for a, b, _ in pairs]))
    weights = reader.trained()
    del weights["cosine"]
    with pytest.raises(KeyError, match="cosine"):
        JointReader.from_trained(bert, weights)


@pytest.mark.shared
def test_the_pairs_that_were_read_are_found_in_the_corpora(shared: Path) -> None:
    pairs = same.read_pairs(shared / "data")
    assert sum(one.given for one in pairs) == 315
    assert sum(one.same and one.given for one in pairs) == 92
    assert sum(not one.given for one in pairs) > 3000
    assert all(side.text for one in pairs for side in one.assertions)


def test_training_is_a_command() -> None:
    result = CliRunner().invoke(training.main, ["same", "--help"])
    assert result.exit_code == 0
    assert "--data" in result.output


def attribution(text: str, source: str, content: str) -> dict[str, list[list[int]]]:
    return {
        role: [[text.index(part), text.index(part) + len(part)]]
        for role, part in (("source", source), ("content", content))
    }


@pytest.mark.model
def test_training_writes_what_can_be_loaded_and_the_same_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Amara said that bridge 3 is closed. Bruno said that the third bridge is closed."
    one = attribution(text, "Amara", "that bridge 3 is closed")
    other = attribution(text, "Bruno", "that the third bridge is closed")
    articles = [{"id": f"a{n}", "date": "2024-05-31", "text": text, "attributions": [one, other]} for n in range(6)]
    given = [
        {
            "label": label,
            "a": {"article": f"b{n}", "attribution": 0, "text": f"that school {n} opens", "date": None, "source": ""},
            "b": {"article": f"c{n}", "attribution": 0, "text": other_text, "date": "2024-05-31", "source": "Chen"},
        }
        for n in range(8)
        for label, other_text in (("same", f"school {n} will open"), ("related", f"{n} buses were sold"))
    ]
    for name, rows in (
        ("attributions/train", articles),
        ("attributions/world", []),
        ("claims/pairs", given),
    ):
        file = tmp_path / "data" / f"{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    read = tmp_path / "read.tsv"
    named = [sha256(one["id"].encode()).hexdigest()[:12] for one in articles]
    lines = [f"1\t{named[n]}\t0\t{named[n + 1]}\t1\n" for n in range(4)]
    doubtful = f"?\t{named[0]}\t0\t{'f' * 12}\t0\n"
    read.write_text("# pairs\n" + "".join(lines) + doubtful, encoding="utf-8")
    monkeypatch.setattr(same, "_READ", read)
    written = []
    for run in ("one", "two"):
        to = tmp_path / run
        result = CliRunner().invoke(training.main, ["same", "--data", str(tmp_path / "data"), "--to", str(to)])
        assert result.exit_code == 0, result.output
        assert "pairs.jsonl: 16 pairs, 8 the same" in result.output
        written.append([(to / name).read_bytes() for name in ("same.json", "same.safetensors")])
    assert written[0] == written[1]
    decide = SameClaim.from_pretrained(tmp_path / "one")
    bridge = Assertion("that bridge 3 is closed", DAY, "Amara")
    scores = decide.score([(bridge, Assertion("it rained", DAY, "Chen")), (bridge, bridge)])
    assert scores[0] < scores[1]


@pytest.mark.shared
@pytest.mark.model
def test_even_at_sight_is_better_than_the_cosine(shared: Path) -> None:
    """Cross-validated on pairs.jsonl; the model card has the figures of the whole decision."""
    decide = SameClaim.from_pretrained()
    marked = same.read_pairs(shared / "data")
    rows = decide.comparison.at_sight([one.assertions for one in marked])
    right, given = (np.array([getattr(one, name) for one in marked]) for name in ("same", "given"))
    fold, scores = same.folds(marked, 0), np.zeros(len(marked))
    for number in range(5):
        others, left_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        linear = same.fit([rows[row] for row in others], right[others])
        scores[left_out] = linear.scores([rows[row] for row in left_out])
    cosine = same.average_precision(np.array([row["cosine"] for row in rows])[given], right[given])
    assert same.average_precision(scores[given], right[given]) > cosine + 0.05
