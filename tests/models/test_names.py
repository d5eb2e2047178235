"""Names of one person become one, names of two stay two."""

from __future__ import annotations

import pytest

from models.names import Mention, find_entities, fold, plain_name
from models.text import words


def entities(text: str, *names: str, kind: str = "person") -> dict[str, int]:
    """Each entity's name and how many mentions it has; ``names`` are told in the order of the text."""
    spans = words(text)
    mentions, at = [], 0
    for name in names:
        at = text.index(name, at)
        first = next(n for n, span in enumerate(spans) if span.start >= at)
        last = next(n for n, span in enumerate(spans) if span.end >= at + len(name)) + 1
        mentions.append(Mention(first, last, kind))  # type: ignore[arg-type]
        at += len(name)
    return {one.name: len(one.mentions) for one in find_entities(text, spans, mentions)}


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
    ],
)
def test_people(names: tuple[str, ...], found: dict[str, int]) -> None:
    assert entities(", and ".join(names) + ".", *names) == found


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
        ("The Lund Post wrote. The Post wrote.", ("The Lund Post", "The Post"), {"Lund Post": 2}),
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


def test_names_are_compared_plainly() -> None:
    assert plain_name("Mrs.  Ines\nDuarte’s") == "Ines Duarte"
    assert fold("Žižek") == "zizek"
