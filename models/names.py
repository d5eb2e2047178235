"""The people, organizations and places that an article names, each with all its mentions.

"Mohammad Baqer Qalibaf" and "Qalibaf" are one person; two people of one surname stay two, and
a surname that may be either's belongs to both until more is known.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal

from rapidfuzz.distance import OSA

from models.records import Span

NameKind = Literal["person", "organization", "place"]

HE: Final = frozenset(("mr", "sir", "lord", "king", "prince", "father", "brother"))
SHE: Final = frozenset(("mrs", "ms", "miss", "madam", "madame", "dame", "lady", "queen", "princess", "sister"))
OFFICES: Final = frozenset(
    (
        "president", "premier", "chancellor", "minister", "secretary", "senator", "congressman", "congresswoman",
        "representative", "governor", "mayor", "ambassador", "speaker", "spokesman", "spokeswoman", "spokesperson",
        "chairman", "chairwoman", "chair", "chief", "director", "commissioner", "judge", "justice", "general",
        "colonel", "captain", "admiral", "sergeant", "professor", "doctor", "king", "queen", "prince", "princess",
        "pope", "bishop", "archbishop", "cardinal", "pastor", "sheikh", "coach", "manager", "founder", "editor",
        "author", "leader", "candidate", "attorney", "prosecutor", "analyst", "officer",
    )
)  # fmt: skip
"""Words that tell what someone is."""

PART_OF_NAME: Final = frozenset(("king", "queen", "prince", "princess", "pope", "sheikh"))
"""Those of them that belong to the name."""

_TITLES: Final = frozenset(
    (
        "mr", "mrs", "ms", "miss", "dr", "sir", "dame", "prof", "sen", "rep", "gov", "gen", "col", "capt", "lt",
        "sgt", "rev", "hon", "maj", "cmdr", "cpt", "cap", "eng", "adv",
    )
)  # fmt: skip
_PAPERS: Final = frozenset(
    (
        "post", "times", "journal", "guardian", "tribune", "star", "globe", "observer", "herald", "independent",
        "telegraph", "mail", "economist", "atlantic", "gazette", "register", "hill", "sun", "chronicle", "standard",
        "courier", "examiner", "yorker", "inquirer", "monitor", "mirror", "dispatch", "sentinel", "age", "australian",
    )
)  # fmt: skip
"""Last words of newspapers' names, of which many begin with "The"."""
_LONGEST_LINE: Final = 250  # code points that are looked at of a headline, or before a short form
_SUFFIXES: Final = frozenset(("jr", "sr", "ii", "iii", "iv"))
_SMALL: Final = frozenset(("the", "of", "and", "for", "in", "on", "a", "an", "de", "la", "to", "at"))
_TRIES: Final = 5  # places where a short form stands in brackets at which its long one is looked for
_LETTERS: Final = re.compile(r"\w[\w'’.]*")
_TOKEN: Final = re.compile(r"(?:\b\w\b\.? ?){2,}|\w+")
"""A word, or letters that stand alone side by side: "S.E.C.", "J. K."."""
_NICKNAMED: Final = re.compile(r"""[^\n,;"“”‘]{1,40}[ \xa0]["“‘'](\w[\w-]+)["”’'][ \xa0][^\n,;"“”‘]{1,40}""")
_LONGEST_NICKNAME: Final = 4  # words, its marks counted
_INITIALS: Final = 2  # letters of a token that is no name
_MOST_AKIN: Final = 200  # entities that share a word with a name and are looked at, and
_MANY: Final = 5000  # words of names from which on nobody looks for misspelt ones: no article has so many
_LONG_NAME: Final = 5  # letters from which on a surname may be misspelt by one
_LONGER_NAME: Final = 8  # … and by two
_OUTER: Final = ' \t.,;:!?"“”()[]'
_POSSESSIVE: Final = re.compile(r"['’]s?\Z")
_SHORT_FORM: Final = re.compile(r"(?<!\s)\s*\(([A-Z](?=[^()]*[A-Z])[A-Za-z&.-]{1,9})\)")
"""A short form in brackets, behind what it is short for."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words ``first`` to ``last`` (exclusive) of a text, which name something of a kind."""

    first: int
    last: int
    kind: NameKind


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


def whole_names(text: str, words: Sequence[Span], mentions: Sequence[Mention]) -> list[Mention]:
    """Mentions as the names that they are: titles are left out, a nickname in the middle (Ines "Nes" Duarte) is in.

    Args:
        text: A text.
        words: Its words.
        mentions: Names in it, in order.
    """
    out = [replace(one, first=_behind_titles(text, words, one)) if one.kind == "person" else one for one in mentions]
    for number in range(len(out) - 1, 0, -1):
        before, behind = out[number - 1], out[number]
        if before.kind == behind.kind == "person" and behind.first - before.last <= _LONGEST_NICKNAME:
            begin, end = words[before.first].start, words[behind.last - 1].end
            found = _NICKNAMED.fullmatch(text, begin, end)
            if found and found[1][0].isupper():
                out[number - 1 : number + 1] = [Mention(before.first, behind.last, "person")]
    return out


def _behind_titles(text: str, words: Sequence[Span], mention: Mention) -> int:
    """The first word of a person's name that is no title: "Eng.", "H. E."."""
    first, told = mention.first, [words[at].of(text) for at in range(mention.first, mention.last)]
    while len(told) > 1:
        if fold(told[0]).strip(".") in _TITLES or told[0] in ("HE", "ASI", "."):
            size = 1
        elif [one for one in told if one != "."][:2] == ["H", "E"]:
            size = told.index("E") + 1
        else:
            break
        first, told = first + size, told[size:]
    return first if told and told[0][0].isalnum() else mention.first


def without_short_forms(name: str) -> str:
    """A name without the short forms that stand in brackets in it: "the Kilifi Water Board (KWB)"."""
    return _SHORT_FORM.sub("", name)


def long_forms(text: str) -> dict[str, str]:
    """What the short forms that a text gives in brackets are short for, as it stands there, without an article.

    Schwartz and Hearst, A simple algorithm for identifying abbreviation definitions in biomedical text, 2003; but each
    letter begins a word here, small words may be passed over, and the long form begins with a capital.
    """
    out, tried = dict[str, str](), Counter[str]()
    for found in _SHORT_FORM.finditer(text):
        short = found[1]
        tried[short] += 1
        if short in out or tried[short] > _TRIES:
            continue
        near = max(found.start() - _LONGEST_LINE, 0)
        line = text[max(text.rfind("\n", near, found.start()) + 1, near) : found.start()]
        starts = [_start_of_long_form(line, short, counted) for counted in (False, True)]
        start = max((one for one in starts if one is not None), default=None)
        if start is not None:
            out[short] = " ".join(line[start:].split())
    return out


def _start_of_long_form(line: str, short: str, counted: bool) -> int | None:
    """Where the last words of a line begin whose first letters are a short form's; small words are counted or not."""
    letters = [letter for letter in fold(short) if letter.isalnum()]
    for word in reversed(list(_LETTERS.finditer(line))):
        if not counted and fold(word[0]) in _SMALL:
            continue
        if fold(word[0])[:1] == letters[-1]:
            letters.pop()
        elif fold(word[0]) not in _SMALL:
            return None
        if not letters:
            return word.start() if word[0][0].isupper() else None
    return None


def spelled_out(name: str, forms: Mapping[str, str]) -> str:
    """A name in its long form, without short forms in brackets; ``forms`` is what ``long_forms`` tells."""
    name = without_short_forms(name)
    return forms.get(name, name)


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
        _bare(name) if one.kind == "person" else spelled_out(name, forms)
        for name, one in zip(names, mentions, strict=True)
    ]
    tokens = [name_tokens(name) for name in names]
    spelled = _spelled_out(text, words, mentions)
    found: list[Entity] = []
    index: dict[tuple[NameKind, str], list[Entity]] = {}
    known: dict[tuple[NameKind, str], list[Entity]] = {}

    def order(number: int) -> tuple[bool, int, int]:
        # Fuller names first, so that each shorter one meets those that it may stand for; but a name in
        # a headline, where all is in capitals, may hold more than the name.
        size = len(tokens[number])
        return size > 2 and _in_capitals(text, words[mentions[number].first].start), -size, number

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
    suffix = _suffix(name)
    same = [one for one in akin.values() if len(mine) == 1 or _suffix(one.name) == suffix]
    owners = _people(mine, same) if kind == "person" else _things(name, mine, same, kind)
    if kind == "person" and not owners and len(mine) == 1:
        return _misspelt(mine[0], index)
    if kind != "person" and len(mine) == 1:
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


def plain_name(name: str) -> str:
    """A name in one line, without a title before it and a possessive behind it."""
    pieces = _POSSESSIVE.sub("", " ".join(name.split())).split(" ")
    while len(pieces) > 1 and fold(pieces[0]).strip(".") in _TITLES:
        pieces = pieces[1:]
    return " ".join(pieces)


def surname(name: str) -> str:
    """The last word of a name that is no "Jr."."""
    pieces = name.split()
    return next((one for one in reversed(pieces) if fold(one).strip(".,") not in _SUFFIXES), name)


def normal(name: str | None) -> str:
    """A name as it is compared: small letters, one line, no marks around it, no possessive; empty for none."""
    return _POSSESSIVE.sub("", " ".join((name or "").lower().split()).strip(_OUTER))


@lru_cache(maxsize=50_000)
def name_tokens(name: str) -> tuple[str, ...]:
    """What is compared of a name: its words in small letters, without diacritics, marks and "Jr."."""
    tokens = tuple(filter(None, ("".join(filter(str.isalnum, one)) for one in _TOKEN.findall(fold(name)))))
    kept = tuple(one for one in tokens if one not in _SUFFIXES)
    return kept or tokens


@lru_cache(maxsize=50_000)
def fold(word: str) -> str:
    """Small letters without diacritics."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))


def _bare(name: str) -> str:
    """A person's name without what they are: "Supreme Court Justice Frank Nervo"."""
    pieces = name.split(" ")
    for at in range(len(pieces) - 2, -1, -1):
        word = fold(pieces[at]).strip(".,")
        if word in OFFICES and word not in PART_OF_NAME and fold(pieces[at + 1]).strip(".") not in _SUFFIXES:
            return " ".join(pieces[at + 1 :])
    return name


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


def _suffix(name: str) -> str | None:
    """The "Jr." of a name: father and son are two people."""
    last = fold(name).rsplit(" ", 1)[-1].strip(".")
    return last if last in _SUFFIXES else None


def _people(mine: tuple[str, ...], people: Sequence[Entity]) -> list[Entity]:
    if len(mine) == 1:
        by_surname = [one for one in people if one.tokens[-1] == mine[0]]
        return by_surname or [one for one in people if mine[0] in one.tokens]
    for one in people:
        if mine[-1] == one.tokens[-1] and mine[0] == one.tokens[0] and not _of_other_initials(mine, one.tokens):
            return [one]
    within = [one for one in people if _is_subsequence(mine, one.tokens)]
    if len(within) == 1:
        return within
    joined = f" {' '.join(mine)} "
    return [one for one in people if len(one.tokens) > 1 and f" {' '.join(one.tokens)} " in joined][:1]


def _of_other_initials(mine: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two names have nothing but initials in the middle, and not the same: "George H. W.", "George W."."""
    between = mine[1:-1], other[1:-1]
    return all(one and all(len(token) <= _INITIALS for token in one) for one in between) and between[0] != between[1]


def _misspelt(surname: str, index: Mapping[tuple[NameKind, str], Sequence[Entity]]) -> list[Entity]:
    """The one person of a full name whose surname is all but spelled so: nobody else is called by it alone."""
    room = (len(surname) >= _LONG_NAME) + (len(surname) >= _LONGER_NAME)
    room = 0 if len(index) > _MANY else room
    akin = {
        id(one): one
        for (kind, token), people in (index.items() if room else ())
        if kind == "person" and token[0] == surname[0] and OSA.distance(token, surname, score_cutoff=room) <= room
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
    if same or kind == "place":
        return same
    if len(mine) == 1 and name.isupper() and len(name) > 1:
        fits = [one for one in things if initials(one.tokens) == mine[0]]
        if len(fits) == 1:
            return fits
    if len(core) == 1 and name.isupper():
        return []  # "NSTF" is not the NSTF Awards
    longer = [
        one for one in things if one.tokens[-len(core) :] == core or _without_article(one.tokens)[: len(core)] == core
    ]
    return longer[:1] if (len(longer) == 1 or len(core) > 1) and name[:1].isupper() else []


def _without_article(tokens: tuple[str, ...]) -> tuple[str, ...]:
    return tokens[1:] if len(tokens) > 1 and tokens[0] == "the" else tokens


def initials(tokens: Iterable[str]) -> str:
    """The first letters of a name's words, small ones like "of" left out."""
    return "".join(one[0] for one in tokens if one not in _SMALL)


def _is_subsequence(short: Sequence[str], long: Sequence[str]) -> bool:
    rest = iter(long)
    return all(one in rest for one in short)
