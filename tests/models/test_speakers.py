"""The real Reader tells who is speaking, in short articles that were written for it."""

from __future__ import annotations

import pytest

from models.clues import Cited
from models.encoding import Encoder
from models.reader import WEIGHTS, Reader, load_tokenizer
from models.speakers import _role
from tests.models.test_casting import casting

pytestmark = pytest.mark.model


def speakers(reader: Reader, text: str) -> list[tuple[str, str | None]]:
    """The source and the speaker's name of each attribution."""
    reading = reader.read_one(text)
    return [
        (
            " ".join(span.of(text) for span in one.source),
            None if one.speaker is None else reading.speakers[one.speaker].name,
        )
        for one in reading.attributions
    ]


HARBOUR = (
    "The harbour will reopen on Monday, Mayor Ines Duarte said. “We are ready,” she added.\n\n"
    "Tomas Rehn, who owns two boats, said that nobody had asked him. “I read it in the paper,” he complained.\n\n"
    "Duarte said that the fishermen had been told."
)


def test_pronouns_and_surnames_become_names(reader: Reader) -> None:
    found = speakers(reader, HARBOUR)
    assert [name for _, name in found] == [
        "Ines Duarte",
        "Ines Duarte",
        "Tomas Rehn",
        "Tomas Rehn",
        "Ines Duarte",
    ]


def test_a_speaker_has_kind_role_and_aliases(reader: Reader) -> None:
    first, second = reader.read_one(HARBOUR).speakers
    assert (first.name, first.kind, first.role, first.aliases) == ("Ines Duarte", "person", "Mayor", ("Duarte",))
    assert (second.name, second.kind) == ("Tomas Rehn", "person")


def test_two_people_of_one_surname_stay_apart(reader: Reader) -> None:
    found = speakers(
        reader,
        "Bram Lund said that the shop would close in May. His wife, Eva Lund, said that she would miss it.\n\n"
        "“I grew up here,” Eva Lund said.",
    )
    assert [name for _, name in found] == ["Bram Lund", "Eva Lund", "Eva Lund"]


@pytest.mark.parametrize("name", ["Ines Duarte", "President Joe Biden", "Tomas Rehn"])
def test_a_name_may_be_a_texts_first_words(reader: Reader, name: str) -> None:
    found = speakers(reader, f"{name} said that nobody would stand again.\n\nIt rained in Lund on Monday.")
    assert [who for _, who in found] == [name.removeprefix("President ")]


def test_i_inside_a_quotation_is_not_the_articles(reader: Reader) -> None:
    text = "“I will resign if I lose,” Governor Hana Sato told reporters in Osaka. “My family agrees,” she said."
    reading = reader.read_one(text)
    assert {one.name for one in reading.speakers} == {"Hana Sato"}


def test_candidates_are_ranked_and_the_first_is_chosen(reader: Reader) -> None:
    reading = reader.read_one(HARBOUR)
    for one in reading.attributions:
        likely = [who.probability for who in one.candidates]
        assert likely == sorted(likely, reverse=True)
        assert 0 < len(likely) <= 3
        assert sum(likely) <= 1.001
        assert one.speaker is not None
        assert one.candidates[0].name == reading.speakers[one.speaker].name
        assert one.mention is not None
        assert one.mention.of(HARBOUR)


def test_organizations_are_no_people(reader: Reader) -> None:
    reading = reader.read_one(
        "The World Health Council said on Friday that the outbreak was over. The council also thanked the nurses."
    )
    assert reading.speakers[0].name == "World Health Council"
    assert reading.speakers[0].kind == "organization"


def test_categories_sum_to_one(reader: Reader) -> None:
    for one in reader.read_one(HARBOUR).attributions:
        assert sum(one.categories) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "names", "role"),
    [
        ("Mayor Ines Duarte left.", ("Ines Duarte",), "Mayor"),
        ("Deputy Foreign Minister Ines Duarte left.", ("Ines Duarte",), "Deputy Foreign Minister"),
        ("On Monday President Ines Duarte left.", ("Ines Duarte",), "President"),
        ("When Mayor Ines Duarte left, it rained.", ("Ines Duarte",), "Mayor"),
        ("Harbour Reopens\n\nMayor Ines Duarte left.", ("Ines Duarte",), "Mayor"),
        ("Ines Duarte, the foreign minister of Kenya, left.", ("Ines Duarte",), "foreign minister of Kenya"),
        ("It was opened by Ines Duarte, Mayor Tomas Rehn, and others.", ("Ines Duarte", "Tomas Rehn"), None),
        ("Ines Duarte, according to her spokesman, left.", ("Ines Duarte",), None),
        ("Ines Duarte, accompanied by the mayor, left.", ("Ines Duarte",), None),
        ("Ines Duarte, “the general”, left.", ("Ines Duarte",), None),
        ("Mrs. Ines Duarte left.", ("Ines Duarte",), None),
        ("Ines Duarte, 52, the mayor of Lund, left.", ("Ines Duarte",), "mayor of Lund"),
        ("Ines Duarte, the county’s mayor, left.", ("Ines Duarte",), "county’s mayor"),
        ("CNN’s Ines Duarte left.", ("Ines Duarte",), None),
    ],
)
def test_a_role_is_an_office_and_no_more(text: str, names: tuple[str, ...], role: str | None) -> None:
    of = casting(Encoder(load_tokenizer(WEIGHTS)), text, *names)
    assert _role(of, of.mentions[:1], []) == role


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("The mine manager, Ines Duarte, left.", "mine manager"),
        ("Marine biologist Dr Ines Duarte left.", "Marine biologist"),
        ("Prime Minister Sheikh Ines Duarte left.", "Prime Minister"),
        ("CNN’s Ines Duarte left.", None),
        ("Mrs. Ines Duarte left.", None),
    ],
)
def test_what_a_source_has_before_the_name_is_the_role(text: str, role: str | None) -> None:
    of = casting(Encoder(load_tokenizer(WEIGHTS)), text, "Ines Duarte")
    source = (0, of.mentions[0].last)
    assert _role(of, of.mentions, [Cited((source,), (source[1], source[1] + 1))]) == role
