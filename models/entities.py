"""The people, organizations and places that an article names, each with all its mentions.

"Mohammad Baqer Qalibaf" and "Qalibaf" are one person; two people of one surname stay two, and
a surname that may be either's belongs to both until more is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz.distance import OSA

from models.names import (
    PART_OF_NAME,
    Mention,
    NameKind,
    fold,
    initials,
    long_forms,
    name_tokens,
    plain_name,
    spelled_out,
    suffix_of,
    without_offices,
)
from models.records import Span

_PAPERS: Final = frozenset(
    (
        "post", "times", "journal", "guardian", "tribune", "star", "globe", "observer", "herald", "independent",
        "telegraph", "mail", "economist", "atlantic", "gazette", "register", "hill", "sun", "chronicle", "standard",
        "courier", "examiner", "yorker", "inquirer", "monitor", "mirror", "dispatch", "sentinel", "age", "australian",
    )
)  # fmt: skip
"""Last words of newspapers' names, of which many begin with "The"."""
_OF_ITSELF: Final = frozenset(
    (
        "the", "of", "for", "and", "party", "inc", "corp", "corporation", "group", "company", "companies", "co", "ltd",
        "limited", "plc", "llc", "ag", "sa", "organization", "organisation", "council", "movement", "bank", "news",
        "agency", "foundation", "university", "institute", "institution", "association", "airlines", "airways", "air",
        "union", "committee", "commission", "ministry", "department", "newspaper", "magazine", "tv", "television",
        "radio", "network", "international", "holdings", "holding", "research", "center", "centre", "polls", "poll",
        "campaign", "club", "fc", "team", "school", "college", "hospital", "church", "court", "board", "authority",
        "service", "services", "society", "federation", "alliance", "coalition", "front", "partners", "brothers",
        "motors", "motor", "electric", "energy", "oil", "steel", "media", "press", "post", "times", "journal",
        "technologies", "systems", "industries", "enterprises", "trust", "fund", "capital", "securities", "report",
    )
)  # fmt: skip
"""Words that an organization's name may be said with or without: Amazon is Amazon Inc., but not Amazon Music."""
_LONGEST_LINE: Final = 250  # code points that are looked at of a headline
_INITIALS: Final = 2  # letters of a token that is no name
_MIDDLE_NAME: Final = 4  # letters from which on a middle name may be spelled otherwise
_MOST_AKIN: Final = 200  # entities that share a word with a name and are looked at, and
_MANY: Final = 5000  # words of names from which on nobody looks for misspelt ones: no article has so many
_LONG_NAME: Final = 5  # letters from which on a surname may be misspelt by one
_LONGER_NAME: Final = 8  # … and by two


@dataclass(slots=True)
class Entity:
    """What some of a text's mentions name.

    ``name`` is the fullest of them, ``mentions`` are in the order of the text and ``fullest`` is
    the number of the mention that ``name`` is from.
    """

    kind: NameKind
    name: str
    tokens: tuple[str, ...]
    fullest: int
    mentions: list[int] = field(default_factory=list)


def find_entities(
    text: str, words: Sequence[Span], mentions: Sequence[Mention], forms: Mapping[str, str] | None = None
) -> list[Entity]:
    """Put mentions together that name the same.

    Args:
        text: A text.
        words: Its words.
        mentions: Names in it, in order.
        forms: Its ``long_forms``; None to find them here.

    Returns:
        Entities in the order of their first mentions.  A mention may belong to several people.
    """
    names = [plain_name(text[words[one.first].start : words[one.last - 1].end]) for one in mentions]
    forms = long_forms(text) if forms is None else forms
    names = [
        without_offices(name) if one.kind == "person" else spelled_out(name, forms)
        for name, one in zip(names, mentions, strict=True)
    ]
    tokens = [name_tokens(name) for name in names]
    spelled = _spelled_out(text, words, mentions)
    found: list[Entity] = []
    index: dict[tuple[NameKind, str], list[Entity]] = {}
    known: dict[tuple[NameKind, str], list[Entity]] = {}

    def order(number: int) -> tuple[bool, int, bool, int]:
        # Fuller names first, so that each shorter one meets those that it may stand for; but a name in
        # a headline, where all is in capitals, may hold more than the name.
        size = len(tokens[number])
        in_capitals = size > 2 and _in_capitals(text, words[mentions[number].first].start)
        return in_capitals, -size, suffix_of(names[number]) is None, number

    for number in sorted(range(len(mentions)), key=order):
        kind, name, mine = mentions[number].kind, names[number], tokens[number]
        if not mine:
            continue
        owners = known.get((kind, name)) or _owners(kind, name, mine, index, spelled)
        if not owners:
            owners = [Entity(kind, name, mine, number)]
            found += owners
            for token in {*mine, initials(mine), *(short for short, at in spelled.items() if at == number)} - {""}:
                index.setdefault((kind, token), []).extend(owners)
        known[kind, name] = owners
        for one in owners:
            one.mentions.append(number)
    for one in found:
        one.mentions.sort()
        if one.kind != "person":
            one.name = _with_its_article(text, words, mentions, one)
    return sorted(found, key=lambda one: one.mentions[0])


def _owners(
    kind: NameKind,
    name: str,
    mine: tuple[str, ...],
    index: Mapping[tuple[NameKind, str], Sequence[Entity]],
    spelled: Mapping[str, int],
) -> list[Entity]:
    """The entities that a name may stand for.

    Args:
        kind: What it names.
        name: The name.
        mine: Its tokens.
        index: The entities so far by kind and by token, or by their initials.
        spelled: See ``_spelled_out``.
    """
    akin = {id(one): one for token in mine for one in index.get((kind, token), ())[-_MOST_AKIN:]}
    suffix = suffix_of(name)
    same = [one for one in akin.values() if (len(mine) == 1 and not suffix) or suffix_of(one.name) == suffix]
    if kind == "person":
        owners = _people(mine, same)
        if not owners and len(mine) > 1 and not suffix:
            ruling = [one for one in akin.values() if suffix_of(one.name) and PART_OF_NAME & {mine[0], one.tokens[0]}]
            owners = _people(mine, ruling) if len(ruling) == 1 else []
        return _misspelt(mine[0], index) if not owners and len(mine) == 1 and not suffix else owners
    owners = _things(name, mine, same, kind)
    if len(mine) == 1:
        if mine[0] in spelled:
            owners = [one for one in same if spelled[mine[0]] in one.mentions] or owners
        if not owners and name.isupper():
            # An organization's initials that were taken for a place.
            owners = [one for one in index.get(("organization", mine[0]), ()) if initials(one.tokens) == mine[0]]
        if not owners and not name.isupper():
            # A surname that was taken for the name of a thing.
            people = index.get(("person", mine[0]), ())
            owners = [one for one in people if len(one.tokens) > 1 and one.tokens[-1] == mine[0]]
    return owners


def _in_capitals(text: str, at: int) -> bool:
    """Whether the line there is one in which nearly every word begins with a capital."""
    begin, end = text.rfind("\n", max(at - _LONGEST_LINE, 0), at) + 1, text.find("\n", at, at + _LONGEST_LINE)
    if end < 0 or (not begin and at > _LONGEST_LINE):
        return False
    long = [word for word in text[begin:end].split() if len(word) > 3 and word[0].isalpha()]
    return len(long) > 3 and sum(word[0].isupper() for word in long) >= 0.8 * len(long)


def _spelled_out(text: str, words: Sequence[Span], mentions: Sequence[Mention]) -> dict[str, int]:
    """Short forms that stand in brackets behind a name, each with the number of that mention."""
    out: dict[str, int] = {}
    for number, one in enumerate(mentions):
        if one.kind == "person" or one.last + 2 >= len(words):
            continue
        before, short, behind = (span.of(text) for span in words[one.last : one.last + 3])
        if before == "(" and behind == ")" and len(short) > 1 and short[0].isupper() and short[-1].isupper():
            out.setdefault(fold(short), number)
    return out


def _people(mine: tuple[str, ...], people: Sequence[Entity]) -> list[Entity]:
    if len(mine) == 1:
        by_surname = [one for one in people if one.tokens[-1] == mine[0]]
        return by_surname or [one for one in people if mine[0] in one.tokens]
    for one in people:
        if mine[-1] == one.tokens[-1] and mine[0] == one.tokens[0] and _may_be_between(mine[1:-1], one.tokens[1:-1]):
            return [one]
    within = [one for one in people if _is_subsequence(mine, one.tokens)]
    if len(within) == 1:
        return within
    joined = f" {' '.join(mine)} "
    return [one for one in people if len(one.tokens) > 1 and f" {' '.join(one.tokens)} " in joined][:1]


def _may_be_between(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one person may be called both in the middle: "George H. W.", "George Herbert Walker", but "George W."."""
    initials_of = [all(len(part) <= _INITIALS for part in name) for name in (one, other)]
    if not one or not other:
        return True
    if all(initials_of):
        return "".join(one) == "".join(other)
    if any(initials_of):
        letters, names = ("".join(one), other) if initials_of[0] else ("".join(other), one)
        return all(letter == name[0] for letter, name in zip(letters, names, strict=False))
    short, long = sorted((one, other), key=len)
    rest = iter(long)
    return all(any(_is_like(part, name) for name in rest) for part in short)


def _is_like(one: str, other: str) -> bool:
    """Whether two middle names are the same, one the other's first letter, or the other spelled otherwise."""
    size = max(len(one), len(other))
    if one == other or one[0] != other[0]:
        return one == other
    if size < _MIDDLE_NAME or 1 in (len(one), len(other)):
        return 1 in (len(one), len(other))
    return OSA.distance(one, other) <= (2 if size > _MIDDLE_NAME + 1 else 1)


def _misspelt(surname: str, index: Mapping[tuple[NameKind, str], Sequence[Entity]]) -> list[Entity]:
    """The one person of a full name whose surname is all but spelled so: nobody else is called by it alone."""
    room = (len(surname) >= _LONG_NAME) + (len(surname) >= _LONGER_NAME)
    room = 0 if len(index) > _MANY else room
    akin = {
        id(one): one
        for (kind, token), people in (index.items() if room else ())
        if kind == "person" and token[0] == surname[0] and OSA.distance(token, surname, score_cutoff=room) <= room
        if not (abs(len(token) - len(surname)) > 1 and (token.startswith(surname) or surname.startswith(token)))
        for one in people
        if len(one.tokens) > 1 and one.tokens[-1] == token
    }
    return list(akin.values()) if len(akin) == 1 else []


def _with_its_article(text: str, words: Sequence[Span], mentions: Sequence[Mention], entity: Entity) -> str:
    """A thing's name without "The", unless it is a paper's: large in mid-sentence, or never small or left out."""
    name = entity.name
    bare = name[4:] if name[:4].lower() == "the " and len(name) > 4 else name
    if entity.tokens[-1] not in _PAPERS:
        return bare
    articles = set()
    for number in entity.mentions:
        first = mentions[number].first
        at = first if fold(words[first].of(text)) == "the" else first - 1
        article = words[at].of(text) if at >= 0 else ""
        articles.add(article if fold(article) == "the" else "")
        if article == "The" and at > 0 and words[at - 1].of(text).islower():
            return f"The {bare}"
    return f"The {bare}" if articles == {"The"} else bare


def _things(name: str, mine: tuple[str, ...], things: Sequence[Entity], kind: str) -> list[Entity]:
    core = _without_article(mine)
    same = [one for one in things if _without_article(one.tokens) == core]
    if same:
        return same
    if len(mine) == 1 and name.isupper() and len(name) > 1:
        fits = [one for one in things if initials(one.tokens) == mine[0]]
        if len(fits) == 1:
            return fits
    if kind == "place" or (len(core) == 1 and name.isupper()):
        return []  # "NSTF" is not the NSTF Awards
    longer = [one for one in things if one.tokens[-len(core) :] == core or _begins(_without_article(one.tokens), core)]
    return longer[:1] if (len(longer) == 1 or len(core) > 1) and name[:1].isupper() else []


def _begins(long: tuple[str, ...], core: tuple[str, ...]) -> bool:
    """Whether an organization may be called by the first words of its name alone."""
    return long[: len(core)] == core and (len(core) > 1 or _OF_ITSELF.issuperset(long[1:]))


def _without_article(tokens: tuple[str, ...]) -> tuple[str, ...]:
    return tokens[1:] if len(tokens) > 1 and tokens[0] == "the" else tokens


def _is_subsequence(short: Sequence[str], long: Sequence[str]) -> bool:
    rest = iter(long)
    return all(one in rest for one in short)
