"""The corpora, read where they lie.

Formats and origins are in the data folder's README; nothing of it is copied into the project.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from models.records import ROLES, Habit, Span

_NAME_KINDS: Final = {"PERSON": "person", "ORGANIZATION": "organization", "LOCATION": "place"}


@dataclass(frozen=True, slots=True)
class Marked:
    """An attribution as people marked it; ``doubtful`` ones teach nothing either way."""

    roles: dict[str, tuple[Span, ...]]
    category: str | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a text and its kind: person, organization or place."""

    span: Span
    kind: str


@dataclass(frozen=True, slots=True)
class Example:
    """An article with what is known of it; None where nobody marked any."""

    id: str
    text: str
    habit: Habit
    attributions: tuple[Marked, ...]
    names: tuple[Name, ...] | None = None
    gold: Sequence[dict[str, Any]] = field(default=(), repr=False)
    """The attributions as the file has them, for evaluation."""


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file with one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def read_attributions(path: Path, habit: Habit) -> list[Example]:
    """The articles of a file of attributions."""
    return [
        Example(
            id=row["id"],
            text=row["text"],
            habit=habit,
            attributions=tuple(
                Marked(
                    {role: tuple(Span(*span) for span in one[role]) for role in ROLES},
                    one.get("category"),
                    bool(one.get("doubtful")),
                )
                for one in row["attributions"]
            ),
            names=None
            if row.get("names") is None
            else tuple(
                Name(Span(start, end), _NAME_KINDS[kind]) for start, end, kind in row["names"] if kind in _NAME_KINDS
            ),
            gold=row["attributions"],
        )
        for row in read_lines(path)
    ]


def held_out(id_: str) -> bool:
    """Whether an article of world.jsonl is in the fixed fifth that is never trained on."""
    return sha256(id_.encode()).digest()[0] % 5 == 0


@dataclass(frozen=True, slots=True)
class Corpora:
    """What is trained on, and the two dev sets."""

    polnear: list[Example]
    world: list[Example]
    polnear_dev: list[Example]
    world_dev: list[Example]
    person_names: list[tuple[str, ...]]
    """Full names of people of worldwide news, as words: they stand in for others in augmentation."""


def read_corpora(data: Path) -> Corpora:
    """Read all corpora under the data folder.

    Raises:
        FileNotFoundError: A corpus is missing.
    """
    folder = data / "attributions"
    world = read_attributions(folder / "world.jsonl", "world")
    return Corpora(
        polnear=read_attributions(folder / "train.jsonl", "polnear"),
        world=[one for one in world if not held_out(one.id)],
        polnear_dev=read_attributions(folder / "dev.jsonl", "polnear"),
        world_dev=[one for one in world if held_out(one.id)],
        person_names=_person_names(data / "names" / "newswire_train.jsonl"),
    )


def _person_names(path: Path) -> list[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for article in read_lines(path):
        for sentence in article["sents"]:
            words: list[str] = []
            for word, tag in [*zip(sentence["tokens"], sentence["tags"], strict=True), ("", "O")]:
                if tag == "I-Person" and words:
                    words.append(word)
                    continue
                if 2 <= len(words) <= 4 and all(w[0].isupper() for w in words):
                    found.add(tuple(words))
                words = [word] if tag == "B-Person" else []
    return sorted(found)
