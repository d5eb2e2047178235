"""The people, organizations and places that a text names."""

from __future__ import annotations

import pytest

from models.entities import find_entities
from models.text import words
from tests.models.test_names import mentions_of


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


def test_a_short_form_has_its_long_form_for_a_name_even_if_that_was_not_found() -> None:
    text = "A prize of the Kilifi Water Board (KWB) went to Lund, KWB said. The KWB board (KW) met."
    assert entities(text, "KWB", "KWB", kind="organization") == {"Kilifi Water Board": 2}
    text = "Kilifi Water Board (KWB) met. KWB said no."
    assert entities(text, "Kilifi Water Board (KWB)", "KWB", kind="organization") == {"Kilifi Water Board": 2}


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("Bram Lund met Bram Lund Jr. Lund Jr. left.", ("Bram Lund", "Bram Lund Jr.", "Lund Jr."), (1, 2)),
        ("Eva Lund left. Lund Jr. came.", ("Eva Lund", "Lund Jr."), (1, 1)),
        ("King Amara III waved. King Amara left.", ("King Amara III", "King Amara"), (2,)),
        ("King Amara waved. King Amara III left.", ("King Amara", "King Amara III"), (2,)),
        ("Bram Lund III waved. Bram Lund left.", ("Bram Lund III", "Bram Lund"), (1, 1)),
        ("Kang Yong-ho met Kang Tae-ho.", ("Kang Yong-ho", "Kang Tae-ho"), (1, 1)),
        ("Ada Baqer Lund left. Ada Bagher Lund came.", ("Ada Baqer Lund", "Ada Bagher Lund"), (2,)),
        ("Ada Maria Lund left. Ada M. Lund came.", ("Ada Maria Lund", "Ada M. Lund"), (2,)),
        ("Ada R. M. Lund left. Ada M. Lund came.", ("Ada R. M. Lund", "Ada M. Lund"), (1, 1)),
        ("Ada Rosa Maria Lund left. Ada M. Lund came.", ("Ada Rosa Maria Lund", "Ada M. Lund"), (1, 1)),
        ("Ada Rosa Lund left. Ada Lund came.", ("Ada Rosa Lund", "Ada Lund"), (2,)),
        ("Steve Marten left. Martenez came.", ("Steve Marten", "Martenez"), (1, 1)),
        ("Steve Karlsonn left. Carlson came. Karlson left.", ("Steve Karlsonn", "Carlson", "Karlson"), (2, 1)),
        ("Łucja Nowałk left. Nowalk came.", ("Łucja Nowałk", "Nowalk"), (2,)),
    ],
)
def test_who_is_the_same_person(text: str, names: tuple[str, ...], found: tuple[int, ...]) -> None:
    assert tuple(sorted(entities(text, *names).values(), reverse=True)) == tuple(sorted(found, reverse=True))


def test_a_name_with_its_number_is_the_fullest() -> None:
    assert entities("King Amara waved. King Amara III left.", "King Amara", "King Amara III") == {"King Amara III": 2}


def test_initials_stand_for_a_place() -> None:
    text = "The United Islands wait. The U.I. is calm, and UI boats leave."
    assert entities(text, "United Islands", "U.I.", "UI", kind="place") == {"United Islands": 3}


def test_an_organization_is_not_what_it_makes() -> None:
    assert entities("Kilifi Maps grew. Kilifi said so.", "Kilifi Maps", "Kilifi", kind="organization") == {
        "Kilifi Maps": 1,
        "Kilifi": 1,
    }
    assert entities("Kilifi Bank grew. Kilifi said so.", "Kilifi Bank", "Kilifi", kind="organization") == {
        "Kilifi Bank": 2
    }
