"""Paragraphs, sentences and words are offset-true on any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.records import Span
from models.text import attribution_type, paragraphs, sentences, words

PIECES = ["😀", "e\u0301", "\u2029", "\x0c", "Mr. ", *"ab A.!?\"'“”‘’«»„\n\r\t…—,;:0 é"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=120).map("".join) | st.text(max_size=60)


def covered(text: str, spans: list[Span]) -> bool:
    """Whether the spans are in order, disjoint, stripped, and leave out nothing but white space."""
    at = 0
    for span in spans:
        piece = span.of(text)
        if span.start < at or not piece or piece != piece.strip() or text[at : span.start].strip():
            return False
        at = span.end
    return not text[at:].strip()


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_paragraphs_sentences_and_words_leave_out_nothing_but_white_space(text: str) -> None:
    blocks = paragraphs(text)
    assert covered(text, blocks)
    assert covered(text, sentences(text))
    assert covered(text, words(text))
    for sentence in sentences(text, blocks):
        assert any(block.start <= sentence.start and sentence.end <= block.end for block in blocks)


def pieces(text: str, spans: list[Span]) -> list[str]:
    return [span.of(text) for span in spans]


def test_each_line_is_a_paragraph_where_lines_are_not_wrapped() -> None:
    text = "The bridge is open.\nBuses run again.\n\nSchools stay closed.\r\nSo do shops."
    assert pieces(text, paragraphs(text)) == [
        "The bridge is open.",
        "Buses run again.",
        "Schools stay closed.",
        "So do shops.",
    ]


def test_wrapped_lines_are_joined() -> None:
    text = (
        "The bridge over the river is open again after two weeks of\n"
        "repairs, and the buses run as they did before the storm came\n"
        "down the valley.\n"
        "\n"
        "Schools stay closed until the end of the month because of the\n"
        "damage to their roofs."
    )
    assert [piece.split()[0] for piece in pieces(text, paragraphs(text))] == ["The", "Schools"]


def test_sentences_do_not_end_at_abbreviations() -> None:
    text = "Dr. A. Okafor of the U.S. mission spoke. 😀 Then Mr. Lund left! Why?"
    assert pieces(text, sentences(text)) == [
        "Dr. A. Okafor of the U.S. mission spoke.",
        "😀 Then Mr. Lund left!",
        "Why?",
    ]


def test_words_are_runs_of_letters_or_single_marks() -> None:
    assert pieces("don't go: 3.5é😀", words("don't go: 3.5é😀")) == ["don", "'", "t", "go", ":", "3", ".", "5é", "😀"]


@pytest.mark.parametrize("unit", ["He said so. ", "“a ", '"', "' ", "a, b; ", "\n", "“He” said ‘no’.\n"])
def test_long_texts_are_read_to_their_end(unit: str) -> None:
    text = unit * 20_000 + "End."
    assert paragraphs(text)[-1].end == sentences(text)[-1].end == len(text)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\0", "\ud800", "\ud800. \udfff", "\u0301", "😀" * 50])
def test_odd_texts_do_no_harm(text: str) -> None:
    assert covered(text, paragraphs(text))
    assert covered(text, sentences(text))


@pytest.mark.parametrize(
    ("text", "content", "expected"),
    [
        ("“We will go,” Amara said.", "“We will go,”", "direct"),
        ("“We will go,” Amara said.", "We will go,", "direct"),
        ("Amara said “we” would go.", "“we” would go", "mixed"),
        ("Amara said that we would go.", "that we would go", "indirect"),
        ("“Bruno thinks it will rain,” Amara said.", "it will rain", "indirect"),
        ('"We will go, Amara said.', '"We will go', "direct"),
    ],
)
def test_the_type_tells_how_much_is_quoted(text: str, content: str, expected: str) -> None:
    start = text.index(content)
    assert attribution_type(text, [Span(start, start + len(content))]) == expected


def test_the_type_of_a_content_in_two_pieces() -> None:
    text = "“We will go,” Amara said, “and come back.”"
    assert attribution_type(text, [Span(26, 42), Span(0, 13)]) == "direct"
    assert attribution_type(text, []) == "indirect"


def test_a_quotation_inside_another_does_not_hide_it() -> None:
    text = "“My ‘friend’ told me that we would never get paid,” he said. “Fine.”"
    start = text.index("that we")
    content = [Span(start, text.index(" he said"))]
    assert attribution_type(text, content) == "direct"
