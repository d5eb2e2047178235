"""Claims read well by themselves, and keep their spans and ids."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from models.claims import category_of, find_claims, readable
from models.records import Span
from tests.fakes import FakeReader

TEXT = "“We will rebuild,” said Amara. Bruno said that the bridge is closed."


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["that the bridge is closed"], "the bridge is closed"),
        (["“We will rebuild,”"], "We will rebuild"),
        (['"We will rebuild," '], "We will rebuild"),
        (["“The well is dry,”", "“and the river is worse.”"], "The well is dry and the river is worse."),
        (["that the “new” bridge\n is closed,"], "the “new” bridge is closed"),
        (["the „new“ bridge"], "the „new“ bridge"),
        (["“We go"], "We go"),
        (["the mayor’s “plan"], "the mayor’s plan"),
        (["«On part»"], "On part"),
        (["that"], "that"),
        (["“”", ","], ""),
        (["“Don’t go,”"], "Don’t go"),
        (["We are ready,”"], "We are ready"),
        (["“We are", "ready,”"], "We are ready"),
        (["‘The workers’ rights are sacred,’"], "The workers’ rights are sacred"),
        (['"The "new" bridge is closed,"'], 'The "new" bridge is closed'),
        (["``We are ready,''"], "We are ready"),
        (['the 15" screen'], 'the 15" screen'),
        (["“No,” and “yes”"], "“No,” and “yes”"),
        (["that's a lie"], "that's a lie"),
        (["That will not happen"], "That will not happen"),
        (["-0.4% in May,"], "-0.4% in May"),
        (["– 20 buses"], "20 buses"),
        (["“He said ‘no’ to it”"], "He said ‘no’ to it"),
        (["“The players’ union left.”"], "The players’ union left."),
        (["that claim"], "that claim"),
        (["that claims are paid"], "claims are paid"),
    ],
)
def test_text_is_made_readable(pieces: list[str], text: str) -> None:
    assert readable(pieces) == text


@pytest.mark.parametrize(
    ("text", "pieces", "claim"),
    [
        ("“We did not go,” said Amara. “Simple as that.”", 2, "We did not go. Simple as that."),
        ("“The well is dry,” said Amara, “and so is the river.”", 2, "The well is dry and so is the river."),
        ("“Is it dry?” said Amara. “It is.”", 2, "Is it dry? It is."),
        ("“We did not,” said Amara. “go there.”", 2, "We did not go there."),
    ],
)
def test_a_quotation_in_pieces_keeps_its_sentences(text: str, pieces: int, claim: str) -> None:
    reading = FakeReader().read_one(text)
    content = tuple(Span(*found.span()) for found in re.finditer("“[^”]+”", text))
    assert len(content) == pieces
    whole = replace(reading, attributions=(replace(reading.attributions[0], content=content),))
    assert [one.text for one in find_claims(whole)] == [claim]


def test_a_claim_tells_who_what_and_where() -> None:
    reading = FakeReader().read_one(TEXT)
    first, second = find_claims(reading)
    assert (first.text, second.text) == ("We will rebuild", "the bridge is closed")
    assert [reading.speakers[one.speaker or 0].name for one in (first, second)] == ["Amara", "Bruno"]
    assert second.context is not None
    assert second.context.of(TEXT) == "Bruno said that the bridge is closed."
    assert (first.category, first.category_probability, first.check_worthiness) == ("factual", 0.7, 0.7)


def test_an_id_stays_the_same_for_text_and_spans() -> None:
    ids = [[one.id for one in find_claims(FakeReader().read_one(text))] for text in (TEXT, TEXT, TEXT + " ")]
    assert ids[0] == ids[1]
    assert len({*ids[0], *ids[2]}) == 4


def test_check_worthiness_is_the_probability_of_facts() -> None:
    assert category_of((0.2, 0.5, 0.2, 0.1)) == ("opinion", 0.5, 0.2)
    assert category_of(()) == ("other", 0.0, 0.0)
