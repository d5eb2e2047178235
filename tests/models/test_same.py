"""The same claim again: what the decision promises, and how it decides by the shipped weights."""

from __future__ import annotations

import datetime
import json
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
    assert decide.embed(texts)[0] @ decide.embed(texts[:1])[0] > 0.999


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


def said(text: str, source: str | None = "Bruno Lund", day: int = 31) -> Assertion:
    return Assertion(text, datetime.date(2024, 5, day), source)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (
            said("“We will rebuild every school in the valley by autumn,”"),
            said("that every school in the valley would be rebuilt by autumn", "Lund", 30),
        ),
        (
            said("to raise the fuel tax by 5 percent", "the government"),
            said("a 5 percent rise of the tax on fuel", None),
        ),
        (
            said("that he never took money from the mining company"),
            said("“I have never taken a cent from that mining company.”", "Lund", 28),
        ),
        (
            said("that 40 people had died in the floods", "Police"),
            said("40 people were killed by the floods", "the police"),
        ),
        (
            said("the minister of lying to parliament", "critics"),
            said("that the minister had lied to parliament", "critics"),
        ),
        (
            said("a ban on plastic bags in all shops", "Lund"),
            said("to ban plastic bags from all shops", "Bruno Lund", 2),
        ),
    ],
)
def test_a_claim_in_other_words_is_the_same(decide: SameClaim, a: Assertion, b: Assertion) -> None:
    assert one(decide, a, b) >= 0.5


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (said("that 40 people had died in the floods"), said("that 112 people had died in the floods")),
        (said("the bridge is safe for heavy traffic"), said("the bridge is not safe for heavy traffic")),
        (said("to vote for the new budget", "Amara Diallo"), said("to vote for the new budget", "Bruno Lund")),
        (said("that Norway attacked Denmark over fish"), said("that Denmark attacked Norway over fish")),
        (said("that prices will rise in spring"), said("that prices will fall in spring")),
        (said("all teachers would get a pay rise"), said("some teachers may get a pay rise")),
        (said("former governor Ines Duarte", "the farmers"), said("former governor Ines Duarte", "one critic")),
        (
            said("58 percent of voters support the mayor", "A poll"),
            said("that voters should support the mayor", "Chen"),
        ),
        (said("that rain would stop the match on Saturday"), said("that the match on Sunday would be sold out")),
    ],
)
def test_another_claim_in_the_same_words_is_not(decide: SameClaim, a: Assertion, b: Assertion) -> None:
    assert one(decide, a, b) < 0.5


def test_a_cosine_that_is_known_changes_nothing(decide: SameClaim) -> None:
    other = said("that the harbour opens again on Monday", None)
    mine, others = decide.embed([HARBOUR.text, other.text])
    assert decide.score([(HARBOUR, other)], [float(mine @ others)])[0] == pytest.approx(
        one(decide, HARBOUR, other), abs=0.01
    )


def test_a_score_does_not_depend_on_its_company(decide: SameClaim) -> None:
    pairs = [(HARBOUR, said(f"that the harbour opens {word} on Monday")) for word in ("again", "late", "not")] * 100
    scores = decide.score(pairs)
    assert np.allclose(scores, np.tile(decide.score(pairs[:3]), 100), atol=0.01)


def test_deciding_costs_less_and_finds_the_same(decide: SameClaim) -> None:
    pairs = [(HARBOUR, said(f"that the {place} {does} on {day}"))
             for place in ("harbour", "port", "school") for does in ("will reopen", "opens again", "closes")
             for day in ("Monday", "Tuesday")]  # fmt: skip
    whole, quick = decide.score(pairs), decide.score(pairs, decide=True)
    assert ((quick >= 0.5) == (whole >= 0.5)).all()
    assert 0 < (whole >= 0.5).sum() < len(pairs)
    assert np.allclose(quick[quick >= 0.5], whole[quick >= 0.5], atol=1e-6)
