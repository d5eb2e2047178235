"""The same claim again: what the decision promises, and how it decides by the shipped weights."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.same import WEIGHTS, Assertion, SameClaim, SameError

pytestmark = pytest.mark.model

DAY = datetime.date(2024, 5, 31)
HARBOUR = Assertion("that the harbour will reopen on Monday", DAY, "Mayor Ines Duarte")


@pytest.fixture(scope="module")
def decide() -> SameClaim:
    return SameClaim.from_pretrained()


def one(decide: SameClaim, a: Assertion, b: Assertion) -> float:
    return float(decide.score([(a, b)])[0])


def test_texts_become_vectors_of_unit_length(decide: SameClaim) -> None:
    vectors = decide.embed(["The harbour will reopen.", "", "😀", "word " * 5000])
    assert vectors.shape == (4, decide.width)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert decide.embed([]).shape == (0, decide.width)


def test_a_vector_does_not_depend_on_its_company(decide: SameClaim) -> None:
    texts = ["The harbour will reopen.", "Rain is expected in the north for the rest of the week, she said."]
    assert np.allclose(decide.embed(texts)[0], decide.embed(texts[:1])[0], atol=1e-5)


def test_scores_are_probabilities_in_the_order_of_the_pairs(decide: SameClaim) -> None:
    other = Assertion("that bread is too dear", DAY, "Kofi Mensah")
    scores = decide.score([(HARBOUR, other), (HARBOUR, HARBOUR), (other, HARBOUR)])
    assert scores.dtype == np.float64
    assert ((scores > 0) & (scores < 1)).all()
    assert scores[1] > 0.9 > 0.1 > scores[0]
    assert scores[0] == pytest.approx(scores[2], abs=1e-6)
    assert decide.score([]).shape == (0,)


def test_what_is_not_known_is_no_obstacle(decide: SameClaim) -> None:
    bare = Assertion(HARBOUR.text)
    assert one(decide, bare, bare) > 0.8
    assert one(decide, bare, HARBOUR) == pytest.approx(one(decide, HARBOUR, bare), abs=1e-6)


@pytest.mark.parametrize("text", ["", "   ", "“”", "😀😀", "\ud800", "A" * 100_000, "word " * 50_000, "12,,..5 %"])
def test_odd_texts_have_a_score(decide: SameClaim, text: str) -> None:
    odd = Assertion(text, None, text[:50])
    assert 0 < one(decide, odd, HARBOUR) < 0.5
    assert 0 < one(decide, odd, odd) < 1


def test_quotation_marks_and_spaces_change_little(decide: SameClaim) -> None:
    a = Assertion("“We will rebuild every school in the valley,”", DAY, "Amara Diallo")
    b = Assertion("''We will   rebuild every school in the valley''", DAY, "Amara Diallo")
    assert one(decide, a, b) == pytest.approx(one(decide, a, a), abs=0.03)


def test_missing_and_broken_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(SameError, match=r"same\.json"):
        SameClaim.from_pretrained(tmp_path)
    for file in ("same.json", "same.safetensors"):
        (tmp_path / file).write_bytes((WEIGHTS / file).read_bytes())
    config = json.loads((tmp_path / "same.json").read_text(encoding="utf-8"))
    (tmp_path / "same.json").write_text(json.dumps({"version": config["version"]}), encoding="utf-8")
    with pytest.raises(SameError, match="broken"):
        SameClaim.from_pretrained(tmp_path)


def test_other_sources_of_the_same_plan_make_a_difference(decide: SameClaim) -> None:
    mine = Assertion("to vote for the new bridge", DAY, "Amara Diallo")
    assert one(decide, mine, mine) > one(decide, mine, replace(mine, source="Bruno Lund"))
