"""Contents in nearly the same words of which one turns the other round: rules for what found pairs hardly show."""

from __future__ import annotations

from typing import Final

from models.same_features import Side, side, stem
from models.same_words import MODALS, NEGATIONS, OPPOSITES

_ALIKE: Final = 0.7  # of the other words that carry meaning must be in both
_LONGER: Final = 3  # words at most; a longer one may have its "not" elsewhere
_HOW_MANY: Final = (
    frozenset(("all", "every", "everyone", "everybody", "always")),
    frozenset(("some", "several", "few", "many", "most", "half", "sometimes", "rarely")),
)
_CONTRARY: Final = (*(pair for pair in OPPOSITES if "he" not in pair[0]), _HOW_MANY)
_TURNING: Final = frozenset(
    stem(word) for words in (NEGATIONS, MODALS, *(one for pair in _CONTRARY for one in pair)) for word in words
)
_NEVER_EQUAL: Final = 0.002  # by which share numbers may differ that are the same


def turned(one: str, other: str) -> bool:
    """Whether two contents are alike but for a negation, numbers, an opposite, how many, or two names' places."""
    a, b = side(one), side(other)
    rest_a, rest_b = _rest(a), _rest(b)
    if not rest_a or abs(len(a.words) - len(b.words)) > _LONGER:
        return False
    if len(rest_a & rest_b) < _ALIKE * len(rest_a | rest_b):
        return False
    words_a, words_b = frozenset(a.words), frozenset(b.words)
    fresh_a, fresh_b = words_a - words_b, words_b - words_a
    return (
        (a.negations - b.negations) % 2 == 1
        or (_others(a, b) and _others(b, a))
        or any(
            (fresh_a & mine and fresh_b & theirs) or (fresh_a & theirs and fresh_b & mine) for mine, theirs in _CONTRARY
        )
        or (sorted(a.words) == sorted(b.words) and _order(a, b) != _order(b, a))
    )


def _rest(one: Side) -> frozenset[str]:
    """The words that are no turning ones, nor numbers."""
    return frozenset(word for word in one.heavy - _TURNING if not any(mark.isdigit() for mark in word))


def _others(a: Side, b: Side) -> bool:
    """Whether one of a's numbers is none of b's."""
    return any(all(abs(mine - their) > _NEVER_EQUAL * max(mine, their) for their in b.numbers) for mine in a.numbers)


def _order(one: Side, other: Side) -> list[str]:
    return [word for word in one.stems if word in one.names & other.names]
