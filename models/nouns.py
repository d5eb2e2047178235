"""What common nouns tell: a person, a group, a document or an organization; and what is like in words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from models.names import OFFICES

NOUN_CLASSES: Final = ("person", "group", "document", "organization")

ARTICLES: Final = frozenset(("the", "a", "an"))
RELATIVES: Final = frozenset(("who", "which", "that", "whose", "whom"))
LINKS: Final = frozenset(("in", "on", "at", "from", "of", "by", "for", "with", "to", "about"))
PARTICIPLES: Final = ("ing", "ed", "led", "held")
APOSTROPHES: Final = frozenset(("'", "’"))

_ENDS: Final = LINKS | RELATIVES | frozenset((",", "(", "–", "—", ";", "'", "’", "and", "or"))
_DOCUMENTS: Final = frozenset(
    (
        "report", "study", "poll", "survey", "statement", "letter", "book", "textbook", "article", "story", "ad",
        "advertisement", "video", "film", "documentary", "movie", "post", "tweet", "message", "memo", "complaint",
        "ruling", "law", "bill", "act", "document", "paper", "data", "figure", "statistic", "analysis", "review",
        "release", "brief", "editorial", "convention", "constitution", "transcript", "note", "email", "mail", "speech",
        "account", "novel", "column", "headline", "lawsuit", "suit", "petition", "resolution", "treaty", "agreement",
        "plan", "proposal", "policy", "record", "filing", "website", "site", "page", "program", "list", "clip", "spot",
        "chapter", "section", "piece", "commentary", "submission", "indictment", "verdict", "decree", "forecast",
        "estimate", "census", "research", "evidence", "literature", "footage", "recording", "caption", "sign",
    )
)  # fmt: skip
_ORGANIZATIONS: Final = frozenset(
    (
        "government", "ministry", "department", "agency", "court", "commission", "committee", "council", "party",
        "company", "campaign", "administration", "police", "bank", "university", "union", "association",
        "foundation", "authority", "board", "office", "bureau", "house", "senate", "parliament", "congress", "army",
        "military", "navy", "newspaper", "daily", "magazine", "network", "outlet", "channel", "broadcaster", "airline",
        "organization", "organisation", "federation", "club", "institute", "institution", "embassy", "firm", "group",
        "team", "regulator", "tribunal", "panel", "alliance", "coalition", "school", "hospital", "church", "state",
        "country", "city", "corporation", "service", "centre", "center", "league", "cabinet", "opposition", "republic",
        "kingdom", "side", "movement", "fund", "operator", "publisher", "chamber", "inspectorate", "secretariat",
    )
)  # fmt: skip
_PEOPLE: Final = frozenset(
    ("people", "police", "family", "couple", "public", "majority", "crowd", "many", "others", "most", "both", "men")
)
_PERSONS: Final = OFFICES | frozenset(
    (
        "man", "woman", "boy", "girl", "mother", "father", "son", "daughter", "wife", "husband", "brother", "sister",
        "lawyer", "doctor", "teacher", "student", "adviser", "advisor", "aide", "critic", "expert", "economist",
        "scientist", "researcher", "historian", "journalist", "reporter", "columnist", "writer", "nominee", "deputy",
        "lawmaker", "politician", "diplomat", "official", "resident", "witness", "neighbour", "neighbor", "farmer",
        "owner", "executive", "billionaire", "businessman", "businesswoman", "activist", "leader", "candidate",
        "republican", "democrat", "veteran", "actor", "actress", "singer", "player", "striker", "captain", "driver",
        "victim", "suspect", "defendant", "narrator", "host", "moderator", "source", "envoy", "head", "member",
        "friend", "rival", "colleague", "counterpart", "predecessor", "successor", "cleric", "monarch", "emperor",
    )
)  # fmt: skip
_MEN: Final = frozenset(
    ("father", "son", "husband", "brother", "boy", "king", "prince", "actor", "uncle", "grandfather", "nephew", "monk")
)
_WOMEN: Final = frozenset(
    (
        "mother", "daughter", "wife", "sister", "girl", "queen", "princess", "actress", "aunt", "grandmother", "niece",
        "widow", "nun", "lady",
    )
)  # fmt: skip
_PLURALS: Final = (("men", "man"), ("ies", "y"), ("es", ""), ("s", ""))
_MANY: Final = ("ers", "ors", "ists", "ants", "ents", "ians")
_ENDINGS: Final = ("ians", "ian", "ia", "ans", "an", "ese", "ish", "is", "i", "a", "s")
_SHORT_FORMS: Final = {
    "gov": "governor", "sen": "senator", "rep": "representative", "pres": "president", "prof": "professor",
    "gen": "general", "sec": "secretary", "lt": "lieutenant", "col": "colonel", "dr": "doctor",
    "congressman": "representative", "congresswoman": "representative", "republicans": "republican",
    "democrats": "democrat", "democratic": "democrat", "gop": "republican", "candidate": "nominee",
    "chairman": "chair", "chairwoman": "chair", "spokeswoman": "spokesman", "spokesperson": "spokesman",
}  # fmt: skip


@lru_cache(maxsize=50_000)
def root(word: str) -> str:
    """What a word has in common with its relatives: "Iran" and "Iranian", "Gov." and "governor", plurals."""
    word = _SHORT_FORMS.get(word, word)
    ending = next((one for one in _ENDINGS if word.endswith(one) and len(word) - len(one) >= 4), "")
    return word[: len(word) - len(ending)]


def head_word(lower: Sequence[str], first: int, last: int) -> int:
    """The number of the word that a phrase, a range of words, is about: "report" in "the 2014 report by the bank"."""
    at = first
    while at < last and lower[at] in ARTICLES:
        at += 1
    end = next((n for n in range(at + 1, last) if lower[n] in _ENDS), last)
    if end + 1 < last and lower[end] in APOSTROPHES:
        # What is owned, not the owner.
        begin = end + 2 if lower[end + 1] == "s" else end + 1
        if begin < last:
            return head_word(lower, begin, last)
    return max(end - 1, first)


@lru_cache(maxsize=50_000)
def noun_class(word: str) -> int:
    """The place in NOUN_CLASSES of what a noun in small letters means; -1 where it is not known."""
    if word in _PEOPLE:
        return 1
    singles = {word[: len(word) - len(end)] + new for end, new in _PLURALS if word.endswith(end)}
    for number, nouns in ((0, _PERSONS), (2, _DOCUMENTS), (3, _ORGANIZATIONS)):
        if word in nouns:
            return number
        if singles & nouns:
            return 1 if number == 0 else number
    return 1 if word.endswith(_MANY) else -1


def of_a_man(word: str) -> bool:
    """Whether a noun in small letters is a man's."""
    return word in _MEN or (word.endswith("man") and not of_a_woman(word))


def of_a_woman(word: str) -> bool:
    """Whether a noun in small letters is a woman's."""
    return word in _WOMEN or word.endswith("woman")
