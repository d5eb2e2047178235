"""Candidates for an attribution's speaker, and what tells of them."""

from __future__ import annotations

import numpy as np
import pytest

from models.casting import Casting
from models.clues import CANDIDATE_TYPES, FEATURES, SHARED, Candidate, Cited
from models.encoding import Encoder
from models.given_names import GIVEN_PARTS, GivenNames, parts
from models.names import Mention
from models.nouns import NOUN_CLASSES, head_word, noun_class, root
from models.reader import WEIGHTS, load_tokenizer
from models.records import Habit
from models.rivals import RIVAL_FEATURES, Rival, compared
from models.speakers import casting_of
from models.text import words
from tests.fakes import NO_GIVEN_NAMES


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(load_tokenizer(WEIGHTS))


def place(text: str, phrase: str, at: int) -> tuple[int, int]:
    """A phrase that begins there as a range of words."""
    spans = words(text)
    inside = [number for number, span in enumerate(spans) if at <= span.start < at + len(phrase)]
    return inside[0], inside[-1] + 1


def casting(
    encoder: Encoder, text: str, *names: str, given: GivenNames | None = None, habit: Habit = "world"
) -> Casting:
    """What gathers the candidates of a text in which each person's name is told, in order."""
    mentions, at = [], 0
    for name in names:
        at = text.index(name, at)
        mentions.append(Mention(*place(text, name, at), "person"))
        at += len(name)
    return casting_of(text, encoder.encode(text), mentions, habit, given or NO_GIVEN_NAMES)


def candidates(encoder: Encoder, text: str, source: str, cue: str, *names: str) -> dict[str | None, Candidate]:
    """The candidates by name for an attribution, the last one of such words."""
    cited = Cited((place(text, source, text.rindex(source)),), place(text, cue, text.rindex(cue)))
    found = casting(encoder, text, *names).candidates(cited)
    assert all(len(one.features) == FEATURES for one in found)
    return {one.name: one for one in found}


def own(one: Candidate) -> list[float]:
    """A candidate's features but for those that compare it with others."""
    return one.features[:-RIVAL_FEATURES]


def test_a_source_that_is_a_name_has_that_name_alone(encoder: Encoder) -> None:
    text = "Ines Duarte met Tomas Rehn. Duarte said that it rained."
    assert set(candidates(encoder, text, "Duarte", "said", "Ines Duarte", "Tomas Rehn", "Duarte")) == {"Ines Duarte"}


@pytest.mark.parametrize(("title", "who"), [("Mr.", "Bram Lund"), ("Mrs.", "Eva Lund"), ("Miss", "Eva Lund")])
def test_a_title_tells_whom_a_shared_surname_means(encoder: Encoder, title: str, who: str) -> None:
    text = f"Mrs. Eva Lund met Mr. Bram Lund. {title} Lund said that it rained."
    assert set(candidates(encoder, text, "Lund", "said", "Eva Lund", "Bram Lund", "Lund")) == {who}


def test_names_that_are_listed_stand_together(encoder: Encoder) -> None:
    text = "Ines Duarte met Tomas Rehn. Later Duarte and Rehn said that it rained."
    found = candidates(encoder, text, "Duarte and Rehn", "said", "Ines Duarte", "Tomas Rehn", "Duarte", "Rehn")
    assert {"Ines Duarte and Tomas Rehn", "Ines Duarte", "Tomas Rehn"} <= set(found)


def test_a_campaign_is_called_by_a_surname(encoder: Encoder) -> None:
    text = "Ines Duarte met Tomas Rehn. Her campaign said that it rained."
    found = candidates(encoder, text, "Her campaign", "said", "Ines Duarte", "Tomas Rehn")
    assert {"Duarte campaign", "Rehn campaign", "Her campaign"} <= set(found)
    text = "Tom Reed Jr. left. His campaign said that it rained."
    assert "Reed campaign" in candidates(encoder, text, "His campaign", "said", "Tom Reed Jr.")


def test_others_who_are_not_named_stand_beside_the_full_name(encoder: Encoder) -> None:
    text = "Ines Duarte is ill. Mayor Duarte and other leaders of towns said that it rained."
    found = candidates(encoder, text, "Mayor Duarte and other leaders of towns", "said", "Ines Duarte", "Duarte")
    assert "Ines Duarte and other leaders of towns" in found
    text = "Bakers and other friends of Ines Duarte said that it rained."
    found = candidates(encoder, text, "Bakers and other friends of Ines Duarte", "said", "Ines Duarte")
    assert not [name for name in found if name and name.startswith("Ines Duarte and")]


def test_the_first_of_several_stands_for_all_in_one_habit(encoder: Encoder) -> None:
    text = "Mr. Duarte and Tomas Rehn said that it rained."
    spoken = Cited((place(text, "Mr. Duarte and Tomas Rehn", 0),), place(text, "said", text.index("said")))
    found = casting(encoder, text, "Duarte", "Tomas Rehn", habit="polnear").candidates(spoken)
    assert [one.name for one in found] == ["Duarte"]
    text = "Friends of Duarte and Tomas Rehn said that it rained."
    spoken = Cited((place(text, "Friends of Duarte and Tomas Rehn", 0),), place(text, "said", text.index("said")))
    assert len(casting(encoder, text, "Duarte", "Tomas Rehn", habit="polnear").candidates(spoken)) > 2


def test_what_a_person_owns_is_called_by_the_full_name(encoder: Encoder) -> None:
    text = "Ines Duarte is ill. Mayor Duarte’s lawyers said that she rests."
    found = candidates(encoder, text, "Mayor Duarte’s lawyers", "said", "Ines Duarte", "Duarte")
    assert {"Ines Duarte’s lawyers", "Mayor Ines Duarte’s lawyers"} <= set(found)


def test_short_forms_in_brackets_are_left_out_and_other_words_may_be(encoder: Encoder) -> None:
    text = "The Harbour Workers (HW) council said that it would strike."
    found = candidates(encoder, text, "The Harbour Workers (HW) council", "said")
    assert "Harbour Workers council" in found
    assert not [name for name in found if name and "HW" in name]
    text = "The Harbour Workers (HW) met. The HW said that it would strike."
    assert "Harbour Workers" in candidates(encoder, text, "The HW", "said")
    text = "The Harbour (and River) council said that it would strike."
    found = candidates(encoder, text, "The Harbour (and River) council", "said")
    assert {"Harbour council", "Harbour (and River) council"} <= set(found)


def test_i_may_be_the_author_and_he_may_not(encoder: Encoder) -> None:
    assert candidates(encoder, "I believe that it rains.", "I", "believe")["the author"].type == "author"
    assert "the author" not in candidates(encoder, "He believes that it rains.", "He", "believes")


TALKS = "Talks began between Rehn and Kenya’s Speaker of the Assembly, Ines Duarte. Both smiled. “We hope,” "


def test_the_kenyan_is_who_was_said_to_be_of_kenya(encoder: Encoder) -> None:
    text = f"{TALKS}the Kenyan said."
    assert set(candidates(encoder, text, "the Kenyan", "said", "Rehn", "Ines Duarte")) == {"Ines Duarte"}
    text = f"{TALKS}the Norwegian said."
    assert "Rehn" in candidates(encoder, text, "the Norwegian", "said", "Rehn", "Ines Duarte")


def test_a_title_tells_more_than_what_stands_near(encoder: Encoder) -> None:
    text = f"{TALKS}the speaker said."
    found = candidates(encoder, text, "the speaker", "said", "Rehn", "Ines Duarte")
    share = SHARED + len(CANDIDATE_TYPES) + 9 + 23 + 6 + 16 + 12  # see Clues.of: the title's share
    assert found["Ines Duarte"].features[share] == 1
    assert found["Rehn"].features[share] == 0


def test_who_leads_the_sentence_before_is_told_from_who_is_only_named_there(encoder: Encoder) -> None:
    text = "Ines Duarte met Tomas Rehn. Later she said that it rained."
    found = candidates(encoder, text, "she", "said", "Ines Duarte", "Tomas Rehn")
    assert own(found["Ines Duarte"])[-4:] == pytest.approx([0, 1, 1 / (1 + np.log1p(7)), 1])
    assert own(found["Tomas Rehn"])[-4:] == [0, 0, 0, 0]
    owner = "Ines Duarte's town liked Tomas Rehn. Later he said that it rained."
    found = candidates(encoder, owner, "he", "said", "Ines Duarte", "Tomas Rehn")
    assert own(found["Ines Duarte"])[-4:] == [0, 0, 0, 0]


def test_who_was_cited_a_sentence_ago_is_near(encoder: Encoder) -> None:
    text = "Ines Duarte met Tomas Rehn. Duarte said no. She said why."
    casted = casting(encoder, text, "Ines Duarte", "Tomas Rehn", "Duarte")
    first = Cited((place(text, "Duarte", text.index("Duarte said")),), place(text, "said", text.index("said no")))
    chosen = casted.candidates(first)[0]
    casted.decide(first, chosen.name, chosen)
    second = Cited((place(text, "She", text.index("She")),), place(text, "said", text.index("said why")))
    found = {one.name: one.features for one in casted.candidates(second)}
    before = SHARED + len(CANDIDATE_TYPES) + 7  # see Clues.apart: in the sentence before
    assert (found["Ines Duarte"][before], found["Tomas Rehn"][before]) == (1, 0)


@pytest.mark.parametrize(
    ("phrase", "about"),
    [
        ("the 2014 report by the bank", "report"),
        ("Kenya’s banking regulator", "regulator"),
        ("the driver, who fled", "driver"),
        ("she", "she"),
        ("the", "the"),
        ("the players’", "players"),
    ],
)
def test_the_word_that_a_phrase_is_about(phrase: str, about: str) -> None:
    lower = [span.of(phrase).lower() for span in words(phrase)]
    assert lower[head_word(lower, 0, len(lower))] == about


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("governor", "person"),
        ("lawmakers", "group"),
        ("women", "group"),
        ("surveys", "document"),
        ("studies", "document"),
        ("ministry", "organization"),
        ("agencies", "organization"),
        ("rain", None),
    ],
)
def test_what_nouns_mean(word: str, told: str | None) -> None:
    number = noun_class(word)
    assert (None if number < 0 else NOUN_CLASSES[number]) == told


def test_relatives_share_a_root() -> None:
    assert root("iranian") == root("iran")
    assert root("gov") == root("governor")


def test_a_given_name_agrees_with_a_pronoun_or_not(encoder: Encoder) -> None:
    text = "Ines Duarte met Tomas Rehn. Later she said that it rained."
    table = np.zeros(GIVEN_PARTS, dtype=np.float32)
    table[parts("ines")] = 1
    table[parts("tomas")] -= 1
    of = casting(encoder, text, "Ines Duarte", "Tomas Rehn", given=GivenNames(table))
    for source, sign in (("she", 1), ("Later", 0)):
        cited = Cited((place(text, source, text.rindex(source)),), place(text, "said", text.rindex("said")))
        leans = {one.name: own(one)[-8:-6] for one in of.candidates(cited) if one.entity is not None}
        assert leans["Ines Duarte"][0] > 0.5 > -0.5 > leans["Tomas Rehn"][0]
        assert all(agrees == sign * lean for lean, agrees in leans.values())


def test_who_alone_is_called_so_is_told_from_who_stands_nearer(encoder: Encoder) -> None:
    text = "Mayor Ines Duarte met Tomas Rehn and Eva Lund. The mayor said that it rained."
    found = candidates(encoder, text, "The mayor", "said", "Ines Duarte", "Tomas Rehn", "Eva Lund")
    titled = {name: found[name].features[-RIVAL_FEATURES:][:2] for name in ("Ines Duarte", "Tomas Rehn", "Eva Lund")}
    assert titled["Ines Duarte"] == [1.0, 1.0]
    assert titled["Tomas Rehn"] == titled["Eva Lund"] == [-1.0, 0.0]


def test_she_is_the_nearest_woman(encoder: Encoder) -> None:
    text = "Mrs. Ines Duarte met Mr. Tomas Rehn. Later she said that it rained."
    found = candidates(encoder, text, "she", "said", "Ines Duarte", "Tomas Rehn")
    assert found["Ines Duarte"].features[-5] == 1.0
    assert found["Tomas Rehn"].features[-5] == 0.0
    assert (found["Ines Duarte"].features[-1], found["Tomas Rehn"].features[-1]) == (1.0, -1.0)


def test_rivals_that_are_alike_do_not_stand_out() -> None:
    alike = compared([Rival(titled=1.0, fits=0.0, named_at=3), Rival(titled=1.0, fits=0.0, cited_at=9), Rival()])
    assert [row[:2] for row in alike] == [[0.0, 0.0], [0.0, 0.0], [-1.0, 0.0]]
    assert [row[4:] for row in alike] == [[1.0, 0.0, 0.0, 0.0, 0.5], [0.0, 0.0, 1.0, 0.0, 0.5], [0.0] * 5]
    assert compared([]) == []
    assert compared([Rival(titled=0.5)])[0][:2] == [0.5, 1.0]


@pytest.mark.parametrize("source", ["Bram Lund Jr.", "Bram Lund Jr"])
def test_a_jr_speaks_for_himself(encoder: Encoder, source: str) -> None:
    text = "Bram Lund met Ines Duarte. Later Bram Lund Jr. said that it rained."
    found = candidates(encoder, text, source, "said", "Bram Lund", "Ines Duarte", "Bram Lund")
    assert set(found) == {"Bram Lund Jr."}
