"""Names as words: without titles, possessives and diacritics, in their short and their long forms."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

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

OPENS_SENTENCE: Final = frozenset(
    (
        "on", "in", "at", "when", "while", "as", "but", "and", "or", "after", "before", "since", "if", "though",
        "although", "because", "then", "yet", "so", "by", "for", "from", "with", "to", "of", "that", "this", "was",
        "is", "did", "will", "can", "has", "how", "why", "what", "where", "monday", "tuesday", "wednesday", "thursday",
        "friday", "saturday", "sunday", "january", "february", "march", "april", "may", "june", "july", "august",
        "september", "october", "november", "december", "today", "yesterday", "the", "a", "an", "even", "only", "also",
        "once", "until", "like", "unlike", "both", "not", "there", "here", "he", "she", "it", "they", "we", "his",
        "her", "their", "its", "our", "another", "other", "every", "each", "some", "many", "my", "your",
    )
)  # fmt: skip
"""Words that begin neither an office nor a name, large as they may be."""

_TITLES: Final = frozenset(
    (
        "mr", "mrs", "ms", "miss", "dr", "sir", "dame", "prof", "sen", "rep", "gov", "gen", "col", "capt", "lt",
        "sgt", "rev", "hon", "maj", "cmdr", "cpt", "cap", "eng", "adv", "revd", "rt", "msgr", "mme", "cllr", "ald",
        "supt", "insp", "det", "cpl", "pte", "ofc", "brig", "adm", "amb", "atty", "asst", "dep", "engr", "shri", "smt",
        "datuk", "alhaji", "ustaz",
    )
)  # fmt: skip
_TITLES_IN_CAPITALS: Final = frozenset(("HE", "ASI", "DCI", "DI", "DC", "DS", "DSI", "PC", "WO"))
_LONGEST_LINE: Final = 250  # code points that are looked at before a short form
_SUFFIXES: Final = frozenset(("jr", "sr", "ii", "iii", "iv"))
_SMALL: Final = frozenset(("the", "of", "and", "for", "in", "on", "a", "an", "de", "la", "to", "at"))
_NO_GIVEN_NAME: Final = OPENS_SENTENCE | OFFICES | _TITLES | _SMALL
_TRIES: Final = 5  # places where a short form stands in brackets at which its long one is looked for
_LETTERS: Final = re.compile(r"\w[\w'’.]*")
_TOKEN: Final = re.compile(r"(?:\b\w\b\.? ?){2,}|\w+")
"""A word, or letters that stand alone side by side: "S.E.C.", "J. K."."""
_NICKNAMED: Final = re.compile(r"""[^\n,;"“”‘]{1,40}[ \xa0]["“‘'](\w[\w-]+)["”’'][ \xa0][^\n,;"“”‘]{1,40}""")
_LONGEST_NICKNAME: Final = 4  # words, its marks counted
_SYLLABLE: Final = r"[b-df-hj-np-tv-z]{0,2}h?[wy]?[aeiou]{1,3}(?:ng|[nklmpth])?"
_ROMANIZED: Final = re.compile(rf"[ \xa0](?P<first>(?=[A-Z])(?i:{_SYLLABLE}))-{_SYLLABLE}\b(?!-)")
"""A given name of two syllables behind a surname: "Yung-cheng", "Jae-in"."""
_NO_SYLLABLE: Final = frozenset(
    ("re", "co", "pro", "pre", "non", "pan", "one", "two", "ten", "all", "so", "no", "in", "on")
)
_BARRED: Final = str.maketrans({"ł": "l", "ı": "i", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"})
"""Letters that do not come apart into a plain one and a mark."""
_OUTER: Final = ' \t.,;:!?"“”()[]'
_LETTERS_BEHIND: Final = re.compile(
    r"(?<=\w)(?:,? (?:KC|QC|MP|MSP|MEP|MLA|TD|MD|M\.D\.|PhD|Ph\.D\.?|Esq\.?|[OMCK]BE|FRS|JP)(?!\w))+\Z"
)
"""What someone is entitled to put behind the name."""
_POSSESSIVE: Final = re.compile(r"['’]s?\Z")
_SHORT_FORM: Final = re.compile(r"(?<!\s)\s*\(([A-Z](?=[^()]*[A-Z])[A-Za-z&.-]{1,9})\)")
"""A short form in brackets, behind what it is short for."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words ``first`` to ``last`` (exclusive) of a text, which name something of a kind."""

    first: int
    last: int
    kind: NameKind


def whole_names(text: str, words: Sequence[Span], mentions: Sequence[Mention]) -> list[Mention]:
    """Mentions as the names that they are: titles are left out, a "Jr." and a nickname (Ines "Nes" Duarte) are in.

    So is a given name of two syllables ("Lin Mei-hua"), which the names head may leave out; relatives, too.

    Args:
        text: A text.
        words: Its words.
        mentions: Names in it, in order.
    """
    out = [replace(one, first=_behind_titles(text, words, one)) if one.kind == "person" else one for one in mentions]
    out = [one for one in out if one.last - one.first > 1 or not _is_title(text, words, one.first)]
    out = _with_relatives(text, words, _with_given_names(text, words, out))
    for number in range(len(out) - 1, 0, -1):
        before, behind = out[number - 1], out[number]
        if before.kind == behind.kind == "person" and behind.first - before.last <= _LONGEST_NICKNAME:
            begin, end = words[before.first].start, words[behind.last - 1].end
            found = _NICKNAMED.fullmatch(text, begin, end)
            if found and found[1][0].isupper():
                out[number - 1 : number + 1] = [Mention(before.first, behind.last, "person")]
    ends = [*(one.first for one in out[1:]), len(words)]
    return [_with_suffix(text, words, one, end) for one, end in zip(out, ends, strict=False)]


def _with_given_names(text: str, words: Sequence[Span], mentions: Sequence[Mention]) -> list[Mention]:
    """Mentions, each surname of a person that has a given name of two syllables behind it together with that."""
    alone = {one.first: one for one in mentions if one.kind == "person" and one.last - one.first == 1}
    surnames = {words[at].of(text) for at in alone}
    taken = _words_in(mentions)
    whole = dict[int, Mention]()
    for found in _ROMANIZED.finditer(text) if surnames else ():
        first = bisect_left(words, found.start(), key=lambda word: word.end)
        last = bisect_left(words, found.end(), key=lambda word: word.start)
        is_surname = words[first].end == found.start() and words[first].of(text) in surnames
        is_free = (first in alone or first not in taken) and taken.isdisjoint(range(first + 1, last))
        if is_surname and is_free and found["first"].lower() not in _NO_SYLLABLE:
            whole[first] = Mention(first, last, "person")
    return sorted([*(one for one in mentions if one.first not in whole), *whole.values()], key=lambda one: one.first)


def _with_relatives(text: str, words: Sequence[Span], mentions: Sequence[Mention]) -> list[Mention]:
    """Mentions, and where nothing was found another given name before a surname: "Bram Lund" beside "Eva Lund"."""
    surnames = {words[one.last - 1].of(text) for one in mentions if one.kind == "person" and one.last - one.first > 1}
    taken = _words_in(mentions)
    more = []
    for at in range(1, len(words) - 1) if surnames else ():
        if words[at].of(text) not in surnames:
            continue
        given = words[at - 1].of(text)
        if (
            taken.isdisjoint((at - 1, at))
            and text[words[at - 1].end : words[at].start] == " "
            and len(given) > 1
            and given.isalpha()
            and given.istitle()
            and not words[at + 1].of(text)[0].isupper()  # it would be of more than a person: "the Eva Lund School"
            and fold(given) not in _NO_GIVEN_NAME
        ):
            more.append(Mention(at - 1, at + 1, "person"))
    return sorted([*mentions, *more], key=lambda one: one.first)


def _words_in(mentions: Iterable[Mention]) -> set[int]:
    """The numbers of the words that mentions hold."""
    return {at for one in mentions for at in range(one.first, one.last)}


def _with_suffix(text: str, words: Sequence[Span], mention: Mention, end: int) -> Mention:
    """A person's name with the "Jr." or "III" behind it, which the names head mostly leaves out."""
    at = mention.last
    if mention.kind != "person" or at >= end:
        return mention
    at += words[at].of(text) == "," and at + 1 < end
    word = words[at].of(text)
    if not word[0].isupper() or fold(word).strip(".") not in _SUFFIXES:
        return mention
    is_dotted = at + 1 < end and words[at + 1].of(text) == "." and words[at + 1].start == words[at].end
    return replace(mention, last=at + 1 + (is_dotted and fold(word) in ("jr", "sr")))


def _is_title(text: str, words: Sequence[Span], at: int) -> bool:
    """Whether a word is a title with its dot: "Supt." before a name that was found by itself."""
    behind = [words[n].of(text) for n in range(at + 1, min(at + 3, len(words)))]
    return fold(words[at].of(text)) in _TITLES and behind[:1] == ["."] and behind[1:] != [] and behind[1][0].isupper()


def _behind_titles(text: str, words: Sequence[Span], mention: Mention) -> int:
    """The first word of a person's name that is no title: "Eng.", "H. E."."""
    first, told = mention.first, [words[at].of(text) for at in range(mention.first, mention.last)]
    while len(told) > 1:
        if fold(told[0]).strip(".") in _TITLES or told[0] in _TITLES_IN_CAPITALS or told[0] == ".":
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
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_BARRED))
    return "".join(c for c in plain if not unicodedata.combining(c))


def without_offices(name: str) -> str:
    """A person's name without what they are: "Supreme Court Justice Frank Nervo", "Ines Duarte MP"."""
    name = _LETTERS_BEHIND.sub("", name)
    pieces = name.split(" ")
    for at in range(len(pieces) - 2, -1, -1):
        word = fold(pieces[at]).strip(".,")
        if word in OFFICES and word not in PART_OF_NAME and fold(pieces[at + 1]).strip(".") not in _SUFFIXES:
            return " ".join(pieces[at + 1 :])
    return name


def suffix_of(name: str) -> str | None:
    """The "Jr." of a name: father and son are two people."""
    last = fold(name).rsplit(" ", 1)[-1].strip(".")
    return last if last in _SUFFIXES else None


def initials(tokens: Iterable[str]) -> str:
    """The first letters of a name's words, small ones like "of" left out."""
    return "".join(one[0] for one in tokens if one not in _SMALL)
