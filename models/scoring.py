"""How well predicted attributions agree with gold ones, counted as the field counts.

Everything is measured in tokens, each run of letters and digits or one other
character that is not white space; a span covers every token that it touches.

``count`` gives one article's numbers, ``figures`` sums articles up:

* ``spans.ROLE.exact.f1`` (``.p``, ``.r``): every run of tokens of a role is a span, right if the
  other side has the same.  ``spans.ROLE.jaccard``: the mean over gold spans of the best
  intersection over union; a predicted span beside all gold ones counts as one more, with 0.
* ``attributions.LEVEL.f1`` (``.p``, ``.r``): attributions are matched one to one so that the total
  overlap of their contents is greatest.  A pair is right at the level ``content_overlap`` as it is,
  at ``content_exact`` if its contents are the same, at ``overlap`` if source, cue and content each
  overlap (or are empty on both sides), at ``exact`` if all three are the same.
* ``attributions.source_link``: the share of pairs whose sources overlap (or are both empty);
  ``source_link_given``: of those whose gold attribution has a source.
* ``by_type.TYPE.…``: the same for direct, mixed and indirect gold attributions.  A prediction that
  is matched has its partner's type, any other that of its own content.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import accumulate
from typing import Any, Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from models.records import ROLES, AttributionType, Role

Roles = Mapping[str, Any]
"""One attribution: ``source``, ``cue`` and ``content``, each a list of ``[start, end]``; other keys are not read."""

Counts = Mapping[str, float]
"""Numbers that add up over articles."""

LEVELS: Final = ("content_overlap", "content_exact", "overlap", "exact")
TYPES: Final[tuple[AttributionType, ...]] = ("direct", "mixed", "indirect")

_TOKEN: Final = re.compile(r"\w+|[^\w\s]")
_DOUBLE_MARK: Final = re.compile(r"[\"“”]|''|``")
_SINGLE_MARK: Final = re.compile(r"[‘’']")
_LONGEST_SINGLE: Final = 300  # characters from one single mark to the other

_Tokens = Mapping[Role, frozenset[int]]


def count(text: str, gold: Sequence[Roles], pred: Sequence[Roles], *, skip_doubtful: bool = False) -> dict[str, float]:
    """The numbers of one article.

    Args:
        text: The article's text, which the spans are offsets into.
        gold: What people found.
        pred: What the Reader found.
        skip_doubtful: Leave out gold attributions with a true ``doubtful``, and with each the
            prediction that is matched to it when all are matched.

    Returns:
        Sums for ``figures``.  ``bad_spans`` is the number of spans that were dropped because they
        are empty, reversed or not in the text.
    """
    scored = _Text(text)
    sides = [[_clean(roles, len(text)) for roles in side] for side in (gold, pred)]
    found: defaultdict[str, float] = defaultdict(float)
    found["articles"] = 1
    found["bad_spans"] = sum(
        len(roles.get(role) or ()) - len(kept[role])
        for side, clean in zip((gold, pred), sides, strict=True)
        for roles, kept in zip(side, clean, strict=True)
        for role in ROLES
    )
    gold_tokens, pred_tokens = ([scored.tokens(roles) for roles in side] for side in sides)
    pairs = match(gold_tokens, pred_tokens)
    dropped = {i for i, roles in enumerate(gold) if skip_doubtful and roles.get("doubtful")}
    gold_left = [i for i in range(len(gold)) if i not in dropped]
    dropped_pred = {j for i, j in pairs if i in dropped}
    pred_left = [j for j in range(len(pred)) if j not in dropped_pred]
    pairs = [(i, j) for i, j in pairs if i not in dropped]

    for role in ROLES:
        _count_spans(
            found,
            f"spans.{role}",
            {run for i in gold_left for run in _runs(gold_tokens[i][role])},
            {run for j in pred_left for run in _runs(pred_tokens[j][role])},
        )
    types = {i: scored.type_of(sides[0][i]["content"]) for i in gold_left}
    pred_types = {j: scored.type_of(sides[1][j]["content"]) for j in pred_left}
    pred_types.update({j: types[i] for i, j in pairs})
    for kind in types.values():
        found["attributions.gold"] += 1
        found[f"by_type.{kind}.gold"] += 1
    for kind in pred_types.values():
        found["attributions.pred"] += 1
        found[f"by_type.{kind}.pred"] += 1
    for i, j in pairs:
        for name, value in _judge(gold_tokens[i], pred_tokens[j]):
            found[f"attributions.{name}"] += value
            found[f"by_type.{types[i]}.{name}"] += value
    return dict(found)


def matched(text: str, gold: Sequence[Roles], pred: Sequence[Roles]) -> list[bool]:
    """For each prediction of one article, whether it is right: every role overlaps that of its gold attribution.

    Args:
        text: The article's text, which the spans are offsets into.
        gold: What people found.
        pred: What the Reader found.
    """
    gold_tokens, pred_tokens = _tokens(text, gold), _tokens(text, pred)
    right = [False] * len(pred)
    for i, j in match(gold_tokens, pred_tokens):
        right[j] = all(_agree(gold_tokens[i][role], pred_tokens[j][role]) for role in ROLES)
    return right


def pairs(text: str, gold: Sequence[Roles], pred: Sequence[Roles]) -> list[tuple[int, int]]:
    """Which gold attribution of one article each prediction is matched to: (gold number, predicted number)."""
    return match(_tokens(text, gold), _tokens(text, pred))


def _tokens(text: str, side: Sequence[Roles]) -> list[_Tokens]:
    scored = _Text(text)
    return [scored.tokens(_clean(roles, len(text))) for roles in side]


def figures(counts: Iterable[Counts]) -> dict[str, float]:
    """The figures of all articles together, by name as the module's docstring lists them.

    Shares are between 0 and 1, and 0 where nothing was counted; ``articles``, ``attributions.gold``,
    ``attributions.pred`` and ``bad_spans`` are numbers.
    """
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    out: dict[str, float] = {
        name: total[name] for name in ("articles", "attributions.gold", "attributions.pred", "bad_spans")
    }
    for role in ROLES:
        group = f"spans.{role}"
        _add_f1(out, f"{group}.exact", total[f"{group}.right"], total[f"{group}.gold"], total[f"{group}.pred"])
        out[f"{group}.jaccard"] = _ratio(total[f"{group}.jaccard_sum"], total[f"{group}.jaccard_units"])
    for group in ("attributions", *(f"by_type.{kind}" for kind in TYPES)):
        for level in LEVELS:
            _add_f1(
                out,
                f"{group}.{level}",
                total[f"{group}.{level}"],
                total[f"{group}.gold"],
                total[f"{group}.pred"],
            )
        out[f"{group}.source_link"] = _ratio(total[f"{group}.linked"], total[f"{group}.pairs"])
        out[f"{group}.source_link_given"] = _ratio(total[f"{group}.linked_given"], total[f"{group}.pairs_given"])
    return out


def match(gold: Sequence[_Tokens], pred: Sequence[_Tokens]) -> list[tuple[int, int]]:
    """Match attributions one to one so that the total overlap of their contents is greatest.

    Among equal totals the greater intersection over union of the contents decides, then whether
    the cues overlap, then whether the sources do.  Two attributions without any content may be
    matched if their cues overlap.

    Args:
        gold: Token numbers by role.
        pred: Token numbers by role.

    Returns:
        Pairs (gold number, predicted number) by gold number.
    """
    size = max(len(gold), len(pred))
    weights = np.zeros((size, size), dtype=np.int64)
    for i, right in enumerate(gold):
        for j, guess in enumerate(pred):
            weights[i, j] = _weight(right, guess)
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if weights[i, j]]


def _weight(gold: _Tokens, pred: _Tokens) -> int:
    """How gladly two attributions are matched; 0 if they never are."""
    ours, theirs = gold["content"], pred["content"]
    common = len(ours & theirs)
    if common:
        closeness = 600 * common // len(ours | theirs)
    elif not ours and not theirs and gold["cue"] & pred["cue"]:
        closeness = 1
    else:
        return 0
    closeness += 200 * _agree(gold["cue"], pred["cue"]) + 150 * _agree(gold["source"], pred["source"])
    return common * 1_000_000 + closeness


def _agree(gold: Set[int], pred: Set[int]) -> bool:
    """Whether they overlap, or are both empty."""
    return bool(gold & pred) or not (gold or pred)


def _judge(gold: _Tokens, pred: _Tokens) -> Iterator[tuple[str, bool]]:
    """What is right about a pair."""
    yield "content_overlap", True
    yield "content_exact", gold["content"] == pred["content"]
    yield "overlap", all(_agree(gold[role], pred[role]) for role in ROLES)
    yield "exact", all(gold[role] == pred[role] for role in ROLES)
    linked, given = _agree(gold["source"], pred["source"]), bool(gold["source"])
    yield "pairs", True
    yield "linked", linked
    yield "pairs_given", given
    yield "linked_given", linked and given


def _count_spans(
    found: defaultdict[str, float], group: str, gold: Set[tuple[int, int]], pred: Set[tuple[int, int]]
) -> None:
    found[f"{group}.gold"] += len(gold)
    found[f"{group}.pred"] += len(pred)
    found[f"{group}.right"] += len(gold & pred)
    best = (max((_iou(span, other) for other in pred), default=0.0) for span in gold)
    found[f"{group}.jaccard_sum"] += sum(best)
    astray = sum(1 for span in pred if not any(_iou(span, other) for other in gold))
    found[f"{group}.jaccard_units"] += len(gold) + astray


def _iou(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Intersection over union of two ranges; of ranges apart 0."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common / (max(one[1], other[1]) - min(one[0], other[0])) if common > 0 else 0.0


def _runs(tokens: Iterable[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers as half-open ranges."""
    out: list[tuple[int, int]] = []
    for token in sorted(tokens):
        if out and out[-1][1] == token:
            out[-1] = (out[-1][0], token + 1)
        else:
            out.append((token, token + 1))
    return out


def _clean(roles: Roles, size: int) -> dict[Role, list[tuple[int, int]]]:
    return {role: [(s, e) for s, e in roles.get(role) or () if 0 <= s < e <= size] for role in ROLES}


def _add_f1(out: dict[str, float], name: str, right: float, gold: float, pred: float) -> None:
    out[f"{name}.f1"] = _ratio(2 * right, gold + pred)
    out[f"{name}.p"] = _ratio(right, pred)
    out[f"{name}.r"] = _ratio(right, gold)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


class _Text:
    """A text's tokens and its quotations.

    Scores must not move when the Reader learns to pair marks better, so the quotations here follow
    the measure's own plain rules, line by line, and not ``models.quotations``.
    """

    def __init__(self, text: str) -> None:
        spans = [token.span() for token in _TOKEN.finditer(text)]
        self.starts = [start for start, _ in spans]
        self.ends = [end for _, end in spans]
        self.text = text
        self.quotations = list(_quotations(text))
        # How many characters other than white space there are before each offset.
        self.weights = list(accumulate((not char.isspace() for char in text), initial=0))

    def tokens(self, roles: Mapping[Role, Sequence[tuple[int, int]]]) -> _Tokens:
        """The numbers of the tokens that each role's spans touch."""
        return {
            role: frozenset(
                token
                for start, end in spans
                for token in range(bisect_right(self.ends, start), bisect_left(self.starts, end))
            )
            for role, spans in roles.items()
        }

    def type_of(self, content: Sequence[tuple[int, int]]) -> AttributionType:
        """Direct if 90 % of the content's characters are in quotations, indirect if none is, else mixed.

        A quotation counts if the content has the outer character of one of its marks, or 90 % of
        what is inside.
        """
        pieces = _merge(content)
        quoted = 0
        for start, end, closing in self.quotations:
            mine = self._weigh(pieces, start, end)
            if not mine:
                continue
            inner = self.weights[end - closing] - self.weights[min(start + 1, end - closing)]
            marked = self._weigh(pieces, start, start + 1) or (closing and self._weigh(pieces, end - 1, end))
            if marked or (inner and mine >= 0.9 * inner):
                quoted += mine
        if not quoted:
            return "indirect"
        total = sum(self.weights[end] - self.weights[start] for start, end in pieces)
        return "direct" if quoted >= 0.9 * total else "mixed"

    def _weigh(self, pieces: Sequence[tuple[int, int]], start: int, end: int) -> int:
        """How many characters of the pieces, white space left out, lie in the range."""
        return sum(
            self.weights[min(last, end)] - self.weights[max(first, start)]
            for first, last in pieces
            if first < end and last > start
        )


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def _quotations(text: str) -> Iterator[tuple[int, int, int]]:
    """Quotations as (start, end, length of the closing mark or 0), with their marks."""
    at = 0
    for line in text.split("\n"):
        doubles = _double_quotations(line)
        gaps = zip(
            [0, *(end for _, end, _ in doubles)],
            [*(start for start, _, _ in doubles), len(line)],
            strict=True,
        )
        singles = (quotation for first, last in gaps for quotation in _single_quotations(line, first, last))
        for start, end, closing in (*doubles, *singles):
            yield at + start, at + end, closing
        at += len(line) + 1


def _double_quotations(line: str) -> list[tuple[int, int, int]]:
    """From each mark to the next that may close it; an unclosed one runs to the line's end.

    A closing mark before all others closes a quotation from the line's start.
    """
    out: list[tuple[int, int, int]] = []
    opened: int | None = None
    for mark in _DOUBLE_MARK.finditer(line):
        if opened is None:
            if mark.group() != "”":
                opened = mark.start()
            elif not out:
                out.append((0, mark.end(), 1))
        elif mark.group() not in ("“", "``"):
            out.append((opened, mark.end(), len(mark.group())))
            opened = None
    if opened is not None:
        out.append((opened, len(line), 0))
    return out


def _single_quotations(line: str, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """Pairs of single marks between two places of a line: the first opens before, the second closes after a word."""
    opened: int | None = None
    for mark in _SINGLE_MARK.finditer(line, first, last):
        at, glyph = mark.start(), mark.group()
        before = line[at - 1] if at else " "
        after = line[at + 1] if at + 1 < len(line) else " "
        if _may_open(glyph, before, after):
            opened = at
        elif opened is not None and _may_close(line[opened], glyph, before, after):
            if 1 < at - opened <= _LONGEST_SINGLE:
                yield opened, at + 1, 1
            opened = None


def _may_open(glyph: str, before: str, after: str) -> bool:
    return glyph != "’" and not before.isalnum() and before not in ".,!?" and (after.isalpha() or after in '[(“"')


def _may_close(opening: str, glyph: str, before: str, after: str) -> bool:
    return glyph in ("’" if opening == "‘" else "'’") and not after.isalnum() and not before.isspace()
