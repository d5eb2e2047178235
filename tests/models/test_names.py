"""Names of one person become one, names of two stay two."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from models.names import Mention, find_entities, fold, long_forms, plain_name, whole_names
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


def entities(text: str, *names: str, kind: str = "person") -> dict[str, int]:
    """Each entity's name and how many mentions it has; ``names`` are told in the order of the text."""
    found = find_entities(text, words(text), mentions_of(text, *names, kind=kind))
    return {one.name: len(one.mentions) for one in found}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("Mohsen Bagher Karimi", "Karimi"), {"Mohsen Bagher Karimi": 2}),
        (("Karimi", "Mohsen Karimi"), {"Mohsen Karimi": 2}),
        (("Ines Duarte", "Ines"), {"Ines Duarte": 2}),
        (("Pavel Novák", "Novak"), {"Pavel Novák": 2}),
        (("Anna de la Cruz", "de la Cruz"), {"Anna de la Cruz": 2}),
        (("Amara J. Diallo", "Amara Diallo"), {"Amara J. Diallo": 2}),
        (("Dr. Lena Brandt", "Mrs. Brandt"), {"Lena Brandt": 2}),
        (("Kofi Mensah", "Mensah’s"), {"Kofi Mensah": 2}),
        (("Bram Lund", "Eva Lund"), {"Bram Lund": 1, "Eva Lund": 1}),
        (("Tom Reed Jr.", "Tom Reed"), {"Tom Reed Jr.": 1, "Tom Reed": 1}),
        (("Supreme Court Justice Hana Sato", "Sato"), {"Hana Sato": 2}),
        (("Kim Seo-yeon", "Kim"), {"Kim Seo-yeon": 2}),
        (("J. K. Duarte", "J.K. Duarte"), {"J. K. Duarte": 2}),
        (("Lena Brandt", "Brant"), {"Lena Brandt": 2}),
        (("Lena Brandt", "Ole Brand", "Brant"), {"Lena Brandt": 1, "Ole Brand": 1, "Brant": 1}),
        (("Kim Lee", "Lea"), {"Kim Lee": 1, "Lea": 1}),
        (("Tom H. W. Reed", "Tom W. Reed"), {"Tom H. W. Reed": 1, "Tom W. Reed": 1}),
        (("Mr. A", "Brandt"), {"A": 1, "Brandt": 1}),
        (("___", "Brandt"), {"Brandt": 1}),
    ],
)
def test_people(names: tuple[str, ...], found: dict[str, int]) -> None:
    assert entities(", and ".join(names) + ".", *names) == found


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


def test_a_shared_surname_belongs_to_both() -> None:
    assert entities("Bram Lund met Eva Lund. Lund left.", "Bram Lund", "Eva Lund", "Lund") == {
        "Bram Lund": 2,
        "Eva Lund": 2,
    }


def test_a_headline_in_capitals_does_not_lengthen_a_name() -> None:
    text = "Hana Sato Slams North Harbour Bank\n\nSenator Hana Sato was angry."
    assert entities(text, "Hana Sato Slams North Harbour Bank", "Hana Sato") == {"Hana Sato": 2}


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("The World Trade Office waits. The WTO waits.", ("World Trade Office", "WTO"), {"World Trade Office": 2}),
        ("Harbour Roads (HBRD) pays. HBRD pays.", ("Harbour Roads", "HBRD"), {"Harbour Roads": 2}),
        ("The Lund Post wrote. The Post wrote.", ("The Lund Post", "The Post"), {"The Lund Post": 2}),
        ("The Lund Post wrote. But the Lund Post erred.", ("The Lund Post", "Lund Post"), {"Lund Post": 2}),
        ("Talks with The North Bank began. North Bank waits.", ("The North Bank", "North Bank"), {"North Bank": 2}),
        ("Lund Post is right, as The Lund Post wrote.", ("Lund Post", "Lund Post"), {"The Lund Post": 2}),
        ("The Office for Roads pays. The O.R. pays.", ("Office for Roads", "O.R."), {"Office for Roads": 2}),
        (
            "The North Harbour Council waits, the Lund Harbour Council waits, the Harbour Council waits.",
            ("North Harbour Council", "Lund Harbour Council", "Harbour Council"),
            {"North Harbour Council": 2, "Lund Harbour Council": 1},
        ),
        ("NSTF gave the NSTF Awards.", ("NSTF", "NSTF Awards"), {"NSTF": 1, "NSTF Awards": 1}),
    ],
)
def test_organizations(text: str, names: tuple[str, ...], found: dict[str, int]) -> None:
    assert entities(text, *names, kind="organization") == found


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


def test_a_short_form_has_its_long_form_for_a_name_even_if_that_was_not_found() -> None:
    text = "A prize of the Kilifi Water Board (KWB) went to Lund, KWB said. The KWB board (KW) met."
    assert entities(text, "KWB", "KWB", kind="organization") == {"Kilifi Water Board": 2}
    text = "Kilifi Water Board (KWB) met. KWB said no."
    assert entities(text, "Kilifi Water Board (KWB)", "KWB", kind="organization") == {"Kilifi Water Board": 2}


@pytest.mark.parametrize(
    "make", [lambda n: "a" + 40 * n * " " + "b", lambda n: 40 * n * "(KWB) ", lambda n: 40 * n * "(A"]
)
def test_short_forms_are_found_in_linear_time(make: Callable[[int], str]) -> None:
    def seconds(size: int) -> float:
        begun = time.perf_counter()
        long_forms(make(size))
        return time.perf_counter() - begun

    assert seconds(800) < 30 * max(seconds(100), 0.001)  # quadratic: 64 times as long


def test_names_are_compared_plainly() -> None:
    assert plain_name("Mrs.  Ines\nDuarte’s") == "Ines Duarte"
    assert fold("Žižek") == "zizek"
