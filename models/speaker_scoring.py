"""Whether speakers are right, counted like the referee of the project's data."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from models.names import normal
from models.scoring import pairs

_SUFFIXES: Final = frozenset(("jr", "sr", "ii", "iii", "iv"))
_PRONOUNS: Final = frozenset(
    ("he", "she", "they", "it", "i", "we", "you", "who", "which", "that", "his", "her", "their", "its")
)


def comparable(name: str | None) -> str | None:
    """A name as it is compared, see ``normal``; None for none."""
    return normal(name) or None


def speaker_right(gold: str | None, kind: str | None, name: str | None, people: Iterable[str | None]) -> bool:
    """Whether a name is that of the gold speaker: the same, or for a person the same last name.

    Args:
        gold: The speaker's name, None where there is none.
        kind: What the speaker is.
        name: The name that was found.
        people: All gold people of the article (``comparable``): a last name that several share is not enough.
    """
    right, found = comparable(gold), comparable(name)
    if right == found:
        return True
    if right is None or found is None or kind != "person":
        return False
    last = _last(right)
    return _last(found) == last and not any(one != right and _last(one) == last for one in people if one)


def people_of(gold: Iterable[Mapping[str, Any]]) -> set[str | None]:
    """The gold people of an article."""
    return {comparable(one["speaker"]) for one in gold if one.get("kind") == "person" and one.get("speaker")}


def count_speakers(
    text: str, gold: Sequence[Mapping[str, Any]], pred: Sequence[Mapping[str, Any]], *, skip_doubtful: bool = False
) -> dict[str, float]:
    """One article's counts, of gold attributions that some prediction matches; ratios come from ``speaker_figures``.

    Args:
        text: The article's text.
        gold: What people found, with ``speaker``, ``kind`` and ``category``.
        pred: What the Reader found, with ``speaker`` (``{"name", "kind"}`` or None) and ``category``.
        skip_doubtful: Leave out gold attributions with a true ``doubtful``.
    """
    out: defaultdict[str, float] = defaultdict(float)
    people = people_of(gold)
    for i, j in pairs(text, gold, pred):
        one, other = gold[i], pred[j]
        if "speaker" not in one or (skip_doubtful and one.get("doubtful")):
            continue
        speaker = other.get("speaker") or {}
        right = speaker_right(one["speaker"], one.get("kind"), speaker.get("name"), people)
        source = " ".join(text[start:end] for start, end in one["source"]).strip().lower()
        groups = ["speakers.all", f"speakers.{one.get('kind')}"]
        if not source or source in _PRONOUNS:
            groups.append(f"pronouns.{source or 'no source'}")
        for group in groups:
            out[f"{group}.n"] += 1
            out[f"{group}.right"] += right
        out["kind.n"] += 1
        out["kind.right"] += one.get("kind") == speaker.get("kind", "unknown")
        if one.get("category") and other.get("category"):
            out[f"category.{one['category']}.gold"] += 1
            out[f"category.{other['category']}.pred"] += 1
            out[f"category.{one['category']}.right"] += one["category"] == other["category"]
    return dict(out)


def speaker_figures(counts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Shares of right speakers and kinds, F1 of categories and their mean, from articles' counts."""
    sums: defaultdict[str, float] = defaultdict(float)
    for one in counts:
        for name, value in one.items():
            sums[name] += value
    out = {name[:-2]: sums[name[:-2] + ".right"] / value for name, value in sorted(sums.items()) if name.endswith(".n")}
    f1 = {}
    for name in sorted({name.rsplit(".", 1)[0] for name in sums if name.startswith("category.")}):
        both = sums[f"{name}.gold"] + sums[f"{name}.pred"]
        f1[f"{name}.f1"] = 2 * sums[f"{name}.right"] / both if both else 0.0
    if f1:
        f1["category.macro_f1"] = sum(f1.values()) / len(f1)
    return out | f1


def _last(name: str) -> str:
    words = [word for word in re.sub(r"[^\w\s'’-]", " ", name).split() if word not in _SUFFIXES]
    return words[-1] if words else name
