"""Quotation marks of every kind, well kept and badly kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.text import paragraphs, quotations

PIECES = ["😀", "e\u0301", "\n\n", "''", "``", "n't ", *"ab .,!?\"'“”‘’«»‹›„‟‚`\n—s0()"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=120).map("".join)


def quoted(text: str) -> list[str]:
    return [text[one.start : one.end] for one in quotations(text)]


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_quotations_are_nested_and_stay_in_their_paragraph(text: str) -> None:
    found = quotations(text)
    blocks = paragraphs(text)
    open_ends: list[int] = []
    for one in found:
        assert any(block.start <= one.start < one.end <= block.end for block in blocks)
        while open_ends and open_ends[-1] <= one.start:
            open_ends.pop()
        assert one.depth == len(open_ends)
        assert all(one.end <= end for end in open_ends)
        open_ends.append(one.end)
        assert one.start <= one.inside.start <= one.inside.end <= one.end
        assert one.open or one.close or one.continues
        for mark in (one.open, one.close):
            assert mark is None or not mark.of(text).isalnum()
    assert [one.start for one in found] == sorted(one.start for one in found)


@given(TEXTS.filter(lambda text: text.strip()))
@settings(max_examples=300, deadline=None)
def test_an_odd_mark_spoils_nothing_after_its_paragraph(text: str) -> None:
    rest = "\n\nAmara said so. “We will go,” she added."
    before, after = quotations(text + rest), quotations(rest)
    moved = [(one.start + len(text), one.end + len(text)) for one in after]
    assert [(one.start, one.end) for one in before][-len(moved) :] == moved


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"No," he said.', ['"No,"']),
        ("“No,” he said.", ["“No,”"]),
        ("'No, not today,' he said.", ["'No, not today,'"]),
        ("‘No, not today,’ he said.", ["‘No, not today,’"]),
        ("«No,» he said, and ‹no› again.", ["«No,»", "‹no›"]),
        ("„No“, he said. »Yes«, she said.", ["„No“", "»Yes«"]),
        ("``No,'' he said.", ["``No,''"]),
        ("「No」", ["「No」"]),
        ("“He told me ‘never again’ twice,” she said.", ["“He told me ‘never again’ twice,”", "‘never again’"]),
        ("\"He told me 'never again' twice,\" she said.", ["\"He told me 'never again' twice,\"", "'never again'"]),
        ('“No", he said. "Yes”, she said.', ['“No"', '"Yes”']),
        ("Right,” she said.", ["Right,”"]),
        ("“We are ready, she said.", ["“We are ready, she said."]),
        ("He said,” I will,” and left.", ["” I will,”"]),
        ("‘20 people left,’ he said.", ["‘20 people left,’"]),
        ("'Cause it's late,' she said. 'We go.'", ["'Cause it's late,'", "'We go.'"]),
        ("In the ‘90s, he said, ‘We won,’ and left.", ["‘We won,’"]),
        ("The song of '69 was 'fine,' he said.", ["'fine,'"]),
        ("“😀 né\u0301e,” she said.", ["“😀 né\u0301e,”"]),
    ],
)
def test_marks_of_every_style(text: str, expected: list[str]) -> None:
    assert quoted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I don't know what they're doing; it's the players' union.",
        "In the '90s we sang rock 'n' roll.",
        "The boss’ car and the dogs’ bowls aren’t here.",
        "A 6' 2\" man.",
        "Tell 'em 'tis over.",
    ],
)
def test_apostrophes_and_inches_are_no_quotations(text: str) -> None:
    assert quoted(text) == []


def test_an_apostrophe_does_not_close() -> None:
    assert quoted("'I don't know the players' names,' he said.") == ["'I don't know the players' names,'"]


def test_inches_do_not_close() -> None:
    assert quoted('"It is a 5" pipe," he said.') == ['"It is a 5" pipe,"']


def test_a_quotation_over_paragraphs_reopens_without_closing() -> None:
    text = "“We began in May.\n\n“We ended in June,” she said.\n\n“That is all.”"
    found = quotations(text)
    assert [(text[one.start : one.end], one.continues) for one in found] == [
        ("“We began in May.", False),
        ("“We ended in June,”", True),
        ("“That is all.”", False),
    ]
    assert [one.close is None for one in found] == [True, False, False]


def test_scare_quotes_are_told_from_speech() -> None:
    found = quotations("The “experts” met. “No,” he said. “We shall see about all of that”")
    assert [one.scare for one in found] == [True, False, False]


def test_only_one_quotation_begins_where_the_paragraph_does_for_want_of_a_mark() -> None:
    found = quotations("She said «no» and left” “y” z” “w” end")
    assert [one.start for one in found].count(0) == 1
    assert max(one.depth for one in found) <= 1


def test_nesting_without_end_is_cut() -> None:
    assert max(one.depth for one in quotations("“a " * 50 + "” " * 50)) < 8
