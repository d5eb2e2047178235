"""What two contents have in common, and what speaks against their being the same claim."""

from __future__ import annotations

import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.same_features import clean, pair, side, source, stem
from models.same_turns import turned

STEMS = {"": 1.0, "bridg": 0.5}


def features(a: str, b: str, sources: tuple[str | None, str | None] = (None, None)) -> dict[str, float]:
    return pair((a, b), sources, (None, None), STEMS)


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("that “the bridge is closed,”", "the bridge is closed"),
        ("''We will rebuild'' in the U.S.", "We will rebuild in the United States"),
        ("to  vote\nfor e-mail", "vote for email"),
        ("", ""),
        ("“”", ""),
    ],
)
def test_what_only_ties_a_content_to_its_sentence_goes(text: str, tidy: str) -> None:
    assert clean(text) == tidy


def test_forms_of_a_word_are_one() -> None:
    for one, other in pairwise(("close", "closes", "closed", "closing")):
        assert stem(one) == stem(other)


def test_numbers_are_read() -> None:
    assert side("about two million people and $1,250.50 or 4.5%").numbers == (2e6, 1250.5, 4.5)
    assert side("4 percent").percents


def test_numbers_agree_or_differ() -> None:
    same = features("it costs $5 million", "the price is 5,000,000 dollars")
    other = features("it costs $5 million", "it costs $7 million")
    assert same["numbers differ"] == 0 < same["numbers equal"]
    assert other["numbers differ"] == 1
    assert features("it costs much", "it costs $7 million")["numbers one"] == 1


def test_what_turns_a_claim_round_is_seen() -> None:
    assert features("the bridge is safe", "the bridge is not safe")["negation odd"] == 1
    assert features("prices rose in May", "prices fell in May")["opposites"] == 1
    assert features("he will pay", "he may pay")["modal"] == 2
    assert features("most of them agree", "few of them agree")["quantifier"] == 2
    assert features("it opens on Monday", "it opens on Friday")["times differ"] == 1
    assert features("Ann Lee met Bo Ek", "Ann Lee met Cy Fox")["names differ"] == 2


def test_a_cut_is_contained() -> None:
    cut = features("We will rebuild every school in the valley", "“rebuild every school in the valley” by May")
    assert cut["run"] > 0.6
    assert cut["grams contained"] > 0.6


def test_sources_agree_or_differ() -> None:
    text = "to close the bridge"
    assert features(text, text, ("Mayor Ines Duarte", "Duarte"))["source same"] == 1
    assert features(text, text, ("Ines Duarte", "Kofi Mensah"))["source differs"] == 1
    assert features(text, text, ("he", "Mrs. Duarte"))["source gender"] == 1
    assert features(text, text, (None, "Duarte"))["source missing"] == 1
    assert features(text, "Duarte's plan to close the bridge", ("Duarte", "Mensah"))["source about"] == 1
    assert source("his").possessive
    assert source("two polls").many


def test_dates_count_by_their_distance() -> None:
    day = datetime.date(2024, 5, 31)
    near = pair(("x", "x"), (None, None), (day, day), STEMS)
    far = pair(("x", "x"), (None, None), (day, datetime.date(1999, 1, 1)), STEMS)
    assert near["days"] == 0 < far["days"]
    assert features("x", "x")["dated"] == 0


@settings(deadline=None)
@given(st.text(), st.text(), st.none() | st.text(max_size=30), st.none() | st.text(max_size=30))
def test_any_two_texts_have_features_in_either_order(a: str, b: str, one: str | None, other: str | None) -> None:
    forth, back = features(a, b, (one, other)), features(b, a, (other, one))
    assert forth == pytest.approx(back)
    assert all(abs(value) < 1e4 for value in forth.values())


@pytest.mark.parametrize(
    ("a", "b", "turns"),
    [
        ("the bridge is safe", "the bridge is not safe", True),
        ("the bridge is safe", "“the bridge is safe”", False),
        ("the bridge is not safe", "the bridge isn't safe", False),
        ("it cost 5 million", "it cost 7 million", True),
        ("it cost $5 million", "it cost 5,000,000", False),
        ("prices rose again", "prices fell again", True),
        ("all of the schools", "some of the schools", True),
        ("Ann met Bo there", "Bo met Ann there", True),
        ("he is rich", "she is rich", False),
        ("the bridge is safe", "a school is not open", False),
        ("the bridge is safe", "the bridge is safe, and no one who has ever used it doubts that", False),
        ("", "not", False),
    ],
)
def test_one_content_turns_the_other_round(a: str, b: str, turns: bool) -> None:
    assert turned(a, b) == turned(b, a) == turns
