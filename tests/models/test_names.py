"""Names as words."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from models.names import Mention, fold, long_forms, plain_name, whole_names, without_offices
from models.text import words


def mentions_of(text: str, *names: str, kind: str = "person") -> list[Mention]:
    """Names, told in the order of the text."""
    spans = words(text)
    mentions, at = [], 0
    for name in names:
        at = text.index(name, at)
        first = next(n for n, span in enumerate(spans) if span.start >= at)
        last = next(n for n, span in enumerate(spans) if span.end >= at + len(name)) + 1
        mentions.append(Mention(first, last, kind))  # type: ignore[arg-type]
        at += len(name)
    return mentions


@pytest.mark.parametrize(
    ("text", "parts", "whole"),
    [
        ("Gerda “Tata” Lund left.", ("Gerda “Tata", "Lund"), ["Gerda “Tata” Lund"]),
        ('Deputy Amara "Ama" Diallo left.', ("Amara", "Diallo"), ['Amara "Ama" Diallo']),
        ('R. "Bob" Sato left.', ("R", 'Bob" Sato'), ['R. "Bob" Sato']),
        ("Ines Duarte, “Tata” Lund left.", ("Ines Duarte", "Lund"), ["Ines Duarte", "Lund"]),
        ("Ines Duarte “met” Eva Lund.", ("Ines Duarte", "Eva Lund"), ["Ines Duarte", "Eva Lund"]),
    ],
)
def test_a_nickname_does_not_part_a_name(text: str, parts: tuple[str, ...], whole: list[str]) -> None:
    spans = words(text)
    found = whole_names(text, spans, mentions_of(text, *parts))
    assert [text[spans[one.first].start : spans[one.last - 1].end] for one in found] == whole


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Eng. Omar Badawi", "Omar Badawi"),
        ("H E Omar Badawi", "Omar Badawi"),
        ("H.E. Omar Badawi", "Omar Badawi"),
        ("He Yun", "He Yun"),
        ("Dr.", "Dr."),
    ],
)
def test_titles_are_no_part_of_a_name(text: str, name: str) -> None:
    spans = words(text)
    found = whole_names(text, spans, [Mention(0, len(spans), "person")])
    assert [text[spans[one.first].start : spans[one.last - 1].end] for one in found] == [name]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The Kilifi Water Board (KWB) met.", {"KWB": "Kilifi Water Board"}),
        ("At the 9th Lund Forum for Science (LFS) awards", {"LFS": "Lund Forum for Science"}),
        ("Fishers of the Association against Dredging (AAD) left", {"AAD": "Association against Dredging"}),
        ("the Anti-Flood Fund (A.F.F.)", {"A.F.F.": "Anti-Flood Fund"}),
        ("the chief executive (CE) left", {}),  # no name
        ("Bruno Lund (KWB) left", {}),
        ("Kilifi\nWater Board (KWB)", {}),
        ("the Board (K)", {}),
        ("Talks at The Lund Council (TLC)", {"TLC": "The Lund Council"}),
        ("The \uff9e (AB) met", {}),
        ("(KWB)", {}),
    ],
)
def test_short_forms_in_brackets_tell_long_ones(text: str, found: dict[str, str]) -> None:
    assert long_forms(text) == found


@pytest.mark.parametrize(
    "make", [lambda n: "a" + 40 * n * " " + "b", lambda n: 40 * n * "(KWB) ", lambda n: 40 * n * "(A"]
)
def test_short_forms_are_found_in_linear_time(make: Callable[[int], str]) -> None:
    def seconds(size: int) -> float:
        taken = []
        for _ in range(5):
            begun = time.perf_counter()
            long_forms(make(size))
            taken.append(time.perf_counter() - begun)
        return min(taken)

    assert seconds(800) < 30 * max(seconds(100), 0.001)  # quadratic: 64 times as long


def test_names_are_compared_plainly() -> None:
    assert plain_name("Mrs.  Ines\nDuarte’s") == "Ines Duarte"
    assert fold("Žižek") == "zizek"


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [
        ("Bram Lund Jr. left.", "Bram Lund", "Bram Lund Jr."),
        ("Bram Lund, Sr., left.", "Bram Lund", "Bram Lund, Sr."),
        ("King Amara III left.", "King Amara", "King Amara III"),
        ("It was King Amara III.", "King Amara", "King Amara III"),
        ("Bram Lund, a junior, left.", "Bram Lund", "Bram Lund"),
        ("Bram Lund", "Bram Lund", "Bram Lund"),
        ("Bram Lund,", "Bram Lund", "Bram Lund"),
    ],
)
def test_a_jr_is_a_part_of_a_name(text: str, part: str, whole: str) -> None:
    spans = words(text)
    (found,) = whole_names(text, spans, mentions_of(text, part))
    assert text[spans[found.first].start : spans[found.last - 1].end] == whole


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Lin Mei-hua (林美華) left", "Lin Mei-hua"),
        ("Seo Jae-in said so", "Seo Jae-in"),
        ("Tan Ing-wen", "Tan Ing-wen"),
        ("Lund Far-right", "Lund"),
        ("Lund Co-chair", "Lund"),
        ("Lund mei-hua", "Lund"),
        ("Lund Mei-hua-li", "Lund"),
        ("Lund, Mei-hua", "Lund"),
    ],
)
def test_a_given_name_of_two_syllables_belongs_to_its_surname(text: str, whole: str) -> None:
    spans = words(text)
    (found,) = whole_names(text, spans, [Mention(0, 1, "person")])
    assert text[spans[found.first].start : spans[found.last - 1].end] == whole


def test_a_title_with_its_dot_is_nobody() -> None:
    text = "Supt. Ines Duarte left"
    ines = Mention(2, 4, "person")
    assert whole_names(text, words(text), [Mention(0, 1, "person"), ines]) == [ines]


@pytest.mark.parametrize("name", ["Ines Duarte KC", "Ines Duarte, MP", "Ines Duarte OBE KC", "Ines Duarte, Ph.D."])
def test_letters_behind_a_name_are_no_part_of_it(name: str) -> None:
    assert without_offices(name) == "Ines Duarte"


def test_a_whole_name_that_was_missed_is_told_by_its_surname_elsewhere() -> None:
    text = "Lin Mei-hua left, Lin said. Seo Jae-in stayed."
    spans = words(text)
    (missed, surname) = whole_names(text, spans, [Mention(6, 7, "person")])
    assert (missed, surname) == (Mention(0, 4, "person"), Mention(6, 7, "person"))


def test_a_given_name_that_is_a_name_by_itself_is_left_alone() -> None:
    text = "Lin Mei-hua left"
    mentions = [Mention(0, 1, "person"), Mention(1, 4, "person")]
    assert whole_names(text, words(text), mentions) == mentions


def test_a_relative_who_was_missed_is_told_by_the_surname() -> None:
    text = "Bram Lund left. Eva Lund, Judge Lund, the Ana Lund School and In Lund stayed."
    spans = words(text)
    found = whole_names(text, spans, [Mention(4, 6, "person")])
    assert found == [Mention(0, 2, "person"), Mention(4, 6, "person")]
