"""What two attributed contents have in common, and what speaks against their being the same claim."""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.same_words import (
    HE,
    MANY,
    MEASURES,
    MODALS,
    NEGATIONS,
    NUMBERS,
    OPPOSITES,
    PRONOUNS,
    QUANTIFIERS,
    SCALES,
    SHE,
    SMALL_WORDS,
    TIMES,
)

LONGEST: Final = 2_000
"""Code points of a text that are compared."""

_WORD: Final = re.compile(r"[$€£]?\d[\d,]*(?:\.\d+)?%?|\w+(?:[’']\w+)?|[$€£%]")
_LEADING: Final = re.compile(r"^(?:that|to|whether|if|how|what|who|which|of|for|as)\b\s*", re.IGNORECASE)
_QUOTES: Final = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "`": "'"})
_ABBREVIATIONS: Final = (
    (re.compile(r"\b(?:[Uu]\.\s?[Ss]\.?(?:\s?[Aa]\.?)?|USA)(?=\W|$)"), "United States"),  # "us." is a pronoun
    (re.compile(r"\bu\.k\.(?=\W|$)", re.IGNORECASE), "United Kingdom"),
    (re.compile(r"\be-mail", re.IGNORECASE), "email"),
    (re.compile(r"\bper cent\b", re.IGNORECASE), "percent"),
)
_RUN: Final = 400  # words at most that are searched for a common run


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two contents, taken apart."""

    words: tuple[str, ...]
    """All words, in lower case."""
    stems: tuple[str, ...]
    heavy: frozenset[str]
    """Stems of the words that carry meaning."""
    names: frozenset[str]
    numbers: tuple[float, ...]
    percents: bool
    negations: int
    modals: frozenset[str]
    quantifiers: frozenset[str]
    times: frozenset[str]
    quoted: float
    """The share of characters inside quotation marks."""
    grams: Counter[str]


@dataclass(frozen=True, slots=True)
class Source:
    """Who is said to assert it, taken apart."""

    words: frozenset[str]
    names: tuple[str, ...]
    pronoun: str
    gender: str
    many: bool
    measures: bool
    possessive: bool


def clean(text: str) -> str:
    """A content without what only ties it to its sentence: marks of quotation, "that", "to"."""
    text = unicodedata.normalize("NFKC", text[:LONGEST]).translate(_QUOTES).replace("''", '"')
    for pattern, full in _ABBREVIATIONS:
        text = pattern.sub(full, text)
    text = " ".join(text.replace('"', " ").split())
    return _LEADING.sub("", text).strip(" ,.;:'")


def stem(word: str) -> str:
    """A word without its commonest endings."""
    word = word.removesuffix("'s").replace("'", "")
    for ending, rest in (("ies", "y"), ("ing", ""), ("ied", "y"), ("ed", ""), ("ers", ""), ("er", ""), ("ly", ""),
                         ("es", ""), ("s", ""), ("e", "")):  # fmt: skip
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + rest
            break
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] else word


@lru_cache(maxsize=8192)
def side(text: str) -> Side:
    """Take a content apart."""
    tidy = clean(text)
    raw = _WORD.findall(tidy)
    words = tuple(word.lower() for word in raw)
    stems = tuple(stem(word) for word in words)
    heavy = frozenset(one for one, word in zip(stems, words, strict=True) if word not in SMALL_WORDS)
    names = frozenset(
        stem(word.lower())
        for number, word in enumerate(raw)
        if word[0].isupper() and (number or word.lower() not in SMALL_WORDS) and word.lower() not in SMALL_WORDS | TIMES
    )
    numbers, percents = _numbers(words)
    marked = text[:LONGEST].translate(_QUOTES).replace("''", '"')
    inside = sum(len(part) for part in marked.split('"')[1::2])
    joined = " ".join(words)
    return Side(
        words,
        stems,
        heavy,
        names,
        numbers,
        percents,
        sum(word in NEGATIONS for word in words),
        frozenset(MODALS[word] for word in words if word in MODALS),
        frozenset(QUANTIFIERS[word] for word in words if word in QUANTIFIERS),
        frozenset(low for word, low in zip(raw, words, strict=True) if low in TIMES and word not in ("may", "march")),
        inside / max(len(marked), 1),
        Counter(joined[k : k + 4] for k in range(len(joined) - 3)),
    )


def _numbers(words: Sequence[str]) -> tuple[tuple[float, ...], bool]:
    values: list[float] = []
    percents = False
    for number, word in enumerate(words):
        percents |= word in ("percent", "%") or word.endswith("%")
        if word in SCALES and number and values and (words[number - 1] in NUMBERS or words[number - 1][-1].isdigit()):
            values[-1] *= SCALES[word]
        elif word in NUMBERS:
            values.append(float(NUMBERS[word]))
        elif any(mark.isdigit() for mark in word):
            digits = re.sub(r"[^\d.]", "", word).strip(".")
            try:
                values.append(float(digits))
            except ValueError:
                continue
    return tuple(values), percents


@lru_cache(maxsize=8192)
def source(text: str) -> Source:
    """Take a source apart; an empty one is nobody."""
    raw = re.findall(r"\w+", unicodedata.normalize("NFKC", text[:LONGEST]).translate(_QUOTES))
    words = [word.lower() for word in raw]
    pronoun = PRONOUNS.get(words[0], "") if words and len(words) <= 2 else ""
    names = tuple(
        low
        for word, low in zip(raw, words, strict=True)
        if word[0].isupper()
        and len(word) > 1
        and low not in SMALL_WORDS
        and low not in PRONOUNS
        and low not in HE | SHE
    )
    gender = pronoun if pronoun in ("he", "she") else ""
    if not gender and words:
        gender = "he" if HE & set(words) else "she" if SHE & set(words) else ""
    return Source(
        frozenset(stem(word) for word in words if word not in SMALL_WORDS and len(word) > 1),
        names,
        pronoun,
        gender,
        bool(MANY & set(words)),
        bool(MEASURES & set(words)),
        text.rstrip().endswith(("'s", "’s")) or (pronoun in ("he", "she") and words[0] in ("his", "her")),
    )


def pair(
    texts: tuple[str, str],
    sources: tuple[str | None, str | None],
    dates: tuple[datetime.date | None, datetime.date | None],
    weight: dict[str, float],
) -> dict[str, float]:
    """The features of a pair that need no network; the same for both orders.

    Args:
        texts: The contents.
        sources: Who is said to assert them.
        dates: When.
        weight: How much each stem tells; others tell ``weight[""]``.
    """
    a, b = side(texts[0]), side(texts[1])
    usual = weight.get("", 1.0)

    def heft(stems: frozenset[str]) -> float:
        return sum(weight.get(one, usual) for one in stems)

    shared = a.heavy & b.heavy
    only_a, only_b = heft(a.heavy - b.heavy), heft(b.heavy - a.heavy)
    common, mass_a, mass_b = heft(shared), heft(a.heavy), heft(b.heavy)
    smaller, larger = sorted((mass_a, mass_b))
    grams = sum((a.grams & b.grams).values())
    gram_sizes = sorted((sum(a.grams.values()), sum(b.grams.values())))
    run, matched = _common_runs(a.stems, b.stems)
    lengths = sorted((len(a.words), len(b.words)))
    a_only, b_only = a.heavy - b.heavy, b.heavy - a.heavy
    names, names_less = a.names & b.names, sorted((len(a.names), len(b.names)))
    words_a, words_b = frozenset(a.words), frozenset(b.words)
    fresh_a, fresh_b = words_a - words_b, words_b - words_a
    out = {
        "jaccard": common / max(common + only_a + only_b, 1e-6),
        "contained": common / max(smaller, 1e-6) if smaller else 0.0,
        "covered": common / max(larger, 1e-6) if larger else 0.0,
        "extra less": math.log1p(min(only_a, only_b)),
        "extra more": math.log1p(max(only_a, only_b)),
        "common": math.log1p(common),
        "grams": grams / max(gram_sizes[1], 1),
        "grams contained": grams / max(gram_sizes[0], 1),
        "run": run / max(lengths[0], 1),
        "run words": math.log1p(run),
        "matched": matched / max(lengths[0], 1),
        "matched long": matched / max(lengths[1], 1),
        "ratio": math.log((lengths[1] + 1) / (lengths[0] + 1)),
        "shorter": math.log1p(lengths[0]),
        "longer": math.log1p(lengths[1]),
        "negation": float(min(abs(a.negations - b.negations), 2)),
        "negation odd": float((a.negations > 0) != (b.negations > 0)),
        "opposites": float(
            sum(
                bool(fresh_a & one and fresh_b & other) or bool(fresh_a & other and fresh_b & one)
                for one, other in OPPOSITES
            )
        ),
        "modal": float(len(a.modals ^ b.modals)),
        "quantifier": float(len(a.quantifiers ^ b.quantifiers)),
        "names common": math.log1p(len(names)),
        "names contained": len(names) / max(names_less[0], 1),
        "names differ": float(min(len(a.names - b.names - b.heavy), len(b.names - a.names - a.heavy))),
        "names extra": float(max(len(a.names - b.names - b.heavy), len(b.names - a.names - a.heavy))),
        "only names": float(
            max(len(a.heavy & a.names) / max(len(a.heavy), 1), len(b.heavy & b.names) / max(len(b.heavy), 1))
        ),
        "times differ": float(bool(a.times and b.times and not a.times & b.times)),
        "quoted less": min(a.quoted, b.quoted),
        "quoted more": max(a.quoted, b.quoted),
        "differ": float(min(len(a_only), len(b_only))),
        "any empty": float(not a.words or not b.words),
    }
    out |= _number_features(a, b)
    out |= _source_features(source(sources[0] or ""), source(sources[1] or ""), a, b)
    out |= _date_features(*dates)
    return out


def _number_features(a: Side, b: Side) -> dict[str, float]:
    def near(some: Sequence[float], others: Sequence[float], by: float) -> int:
        return sum(any(abs(one - other) <= by * max(abs(one), abs(other)) for other in others) for one in some)

    # "0" and "0:0": of numbers that stand several times, as many count as both have.
    equal, alike = (min(near(a.numbers, b.numbers, by), near(b.numbers, a.numbers, by)) for by in (0.002, 0.12))
    fewer, more = sorted((len(a.numbers), len(b.numbers)))
    return {
        "numbers equal": math.log1p(equal),
        "numbers differ": float(fewer - min(alike, fewer)) / max(fewer, 1),
        "numbers not exact": float(fewer - min(equal, fewer)) / max(fewer, 1),
        "numbers one": float(bool(more) and not fewer),
        "percents": float(a.percents and b.percents),
    }


def _source_features(a: Source, b: Source, text_a: Side, text_b: Side) -> dict[str, float]:
    named = bool(a.names and b.names)
    last = named and (a.names[-1] in b.names or b.names[-1] in a.names)
    union = len(a.words | b.words)
    missing = (not a.words and not a.pronoun) + (not b.words and not b.pronoun)
    about = any(stem(name) in text.names for one, text in ((a, text_b), (b, text_a)) for name in one.names) and not last
    return {
        "source same": float(last),
        "source differs": float(named and not set(a.names) & set(b.names)),
        "source equal": float(bool(a.words or a.pronoun) and a.words == b.words and a.pronoun == b.pronoun),
        "source words": len(a.words & b.words) / max(union, 1),
        "source missing": float(missing),
        "source pronoun": float(bool(a.pronoun) + bool(b.pronoun)),
        "source both free": float(not a.names and not b.names),
        "source gender": float(bool(a.gender and b.gender and a.gender != b.gender)),
        "source many": float(a.many + b.many),
        "source one many": float(a.many != b.many),
        "source both many": float(a.many and b.many and not last),
        "source measures": float(a.measures + b.measures),
        "source about": float(about),
        "source possessive": float(a.possessive or b.possessive),
    }


def _date_features(a: datetime.date | None, b: datetime.date | None) -> dict[str, float]:
    if a is None or b is None:
        return {"days": math.log1p(30), "days few": 0.0, "dated": 0.0}
    days = abs((a - b).days)
    return {"days": math.log1p(min(days, 400)), "days few": float(days <= 2), "dated": 1.0}


def _common_runs(a: Sequence[str], b: Sequence[str]) -> tuple[int, int]:
    """Words of the longest common run, and words in runs of three and more."""
    a, b = a[:_RUN], b[:_RUN]
    if not a or not b:
        return 0, 0
    words = {word: number for number, word in enumerate(dict.fromkeys((*a, *b)))}
    one: NDArray[np.int64] = np.array([words[word] for word in a])
    other: NDArray[np.int64] = np.array([words[word] for word in b])
    ends = np.zeros((len(one) + 1, len(other) + 1), dtype=np.int64)
    for row in range(len(one)):
        ends[row + 1, 1:] = np.where(other == one[row], ends[row, :-1] + 1, 0)
    in_run = np.zeros((2, max(len(one), len(other))), dtype=bool)
    for row, column in zip(*np.nonzero(ends[1:, 1:] >= 3), strict=True):
        length = ends[row + 1, column + 1]
        in_run[0, row - length + 1 : row + 1] = True
        in_run[1, column - length + 1 : column + 1] = True
    return int(ends.max()), int(in_run.sum(1).min())
