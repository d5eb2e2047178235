"""The corpora, read where they lie.

Formats and origins are in the data folder's README; nothing of it is copied into the project.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final

from models.records import ROLES, Habit, Span

_NAME_KINDS: Final = {
    "PERSON": "person",
    "ORGANIZATION": "organization",
    "LOCATION": "place",
    "MISC": "people or other",
    "Person": "person",
    "Organization": "organization",
    "Location": "place",
    "NORP": "people",
    "Misc": "other",
    "Facility": "other",
    "Product": "other",
    "PER": "person",
    "ORG": "organization",
    "LOC": "place",
    "politician": "person",
    "organisation": "organization",
    "politicalparty": "organization",
    "country": "place",
    "location": "place",
    "misc": "people or other",
    "event": "other",
    "election": "other",
}
"""The corpora's words for the kinds of names."""

_FURTHER_NAMES: Final = (
    "wikigold",
    "crossner_politics_train",
    "crossner_politics_dev",
    "crossner_politics_test",
    "uner_ewt_dev",
)
_TOGETHER: Final = 10  # sentences of these corpora, which are not in articles

_NO_SPACE_BEFORE: Final = frozenset(".,;:!?)]}%’”-/'")
_ENDINGS: Final = frozenset(("s", "t", "re", "ve", "ll", "d", "m"))
_NO_SPACE_AFTER: Final = frozenset("([{$£€“‘-/#")


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
class Pronoun:
    """A pronoun of a text and the names that it stands for."""

    span: Span
    names: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """An article with what is known of it; None where nobody marked any."""

    id: str
    text: str
    habit: Habit
    attributions: tuple[Marked, ...] | None
    names: tuple[Name, ...] | None = None
    pronoun: Pronoun | None = None
    gold: Sequence[dict[str, Any]] = field(default=(), repr=False)
    """The attributions as the file has them, for evaluation."""

    @property
    def tells_speakers(self) -> bool:
        """Whether someone marked who is speaking."""
        return any("speaker" in one for one in self.gold)


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


def article_key(id_: str) -> str:
    """What an article is called in the files of what was read for this project."""
    return sha256(id_.encode()).hexdigest()[:12]


def held_out(id_: str) -> bool:
    """Whether an article of world.jsonl is in the fixed fifth that is never trained on."""
    return sha256(id_.encode()).digest()[0] % 5 == 0


@dataclass(frozen=True, slots=True)
class Corpora:
    """What is trained on, and the two dev sets."""

    polnear: list[Example]
    world: list[Example]
    newswire: list[Example]
    """Articles of worldwide news with names marked, whose attributions nobody marked."""
    further: list[Example]
    """Sentences of other kinds of text with names marked."""
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
    newswire = list(read_lines(data / "names" / "newswire_train.jsonl"))
    tagged = {row["id"]: row["sents"] for row in newswire}
    world = [
        replace(one, names=_names_in(one.text, tagged[one.id])) if one.id in tagged else one
        for one in read_attributions(folder / "world.jsonl", "world")
    ]
    known = {one.id for one in world}
    further = [row for name in _FURTHER_NAMES for row in _in_groups(data / "names" / f"{name}.jsonl")]
    return Corpora(
        polnear=read_attributions(folder / "train.jsonl", "polnear"),
        world=[one for one in world if not held_out(one.id)],
        newswire=[_untokenized(row) for row in newswire if row["id"] not in known],
        further=[_untokenized(row) for row in further],
        polnear_dev=read_attributions(folder / "dev.jsonl", "polnear"),
        world_dev=[one for one in world if held_out(one.id)],
        person_names=_person_names([*tagged.values(), *(row["sents"] for row in further)]),
    )


def read_newswire(path: Path) -> list[Example]:
    """The articles of a file of tokens with name tags, as running text."""
    return [_untokenized(row) for row in read_lines(path)]


def read_pronouns(folder: Path) -> list[Example]:
    """The pronouns of GAP that stand for a name, from all of its files."""
    out = []
    for file in sorted(folder.glob("gap_*.jsonl")):
        for row in read_lines(file):
            names = tuple(Span(at, at + len(name)) for name, at, is_it in (row["a"], row["b"]) if is_it)
            word, at = row["pronoun"]
            if names:
                pronoun = Pronoun(Span(at, at + len(word)), names)
                out.append(Example(row["id"], row["text"], "world", None, pronoun=pronoun))
    return out


def _in_groups(path: Path) -> Iterator[dict[str, Any]]:
    """A file of sentences, some of them together at a time."""
    lines = list(read_lines(path))
    for at in range(0, len(lines), _TOGETHER):
        yield {"id": f"{path.stem} {at}", "sents": lines[at : at + _TOGETHER]}


def _tagged_names(sents: Sequence[dict[str, Any]]) -> Iterator[tuple[int, int, str]]:
    """First and last token (exclusive, counted through all sentences) and kind of each name."""
    base = 0
    for sentence in sents:
        first, kind = 0, None
        for number, tag in enumerate([*sentence["tags"], "O"]):
            begins, name = tag[:2] != "I-", _NAME_KINDS.get(tag[2:])
            if kind and (begins or name != kind):
                yield base + first, base + number, kind
                kind = None
            if name and (begins or not kind):  # some corpora have no tag for beginnings
                first, kind = number, name
        base += len(sentence["tags"])


def _names_in(text: str, sents: Sequence[dict[str, Any]]) -> tuple[Name, ...]:
    """The tagged names, found again in the running text that the tokens were cut from."""
    places: list[Span | None] = []
    at = 0
    for token in (token for sentence in sents for token in sentence["tokens"]):
        start = text.find(token, at, at + len(token) + 40)
        places.append(Span(start, start + len(token)) if start >= 0 else None)
        if start >= 0:  # the address of an article, say, is not in its text
            at = start + len(token)
    names = []
    for first, last, kind in _tagged_names(sents):
        begin, end = places[first], places[last - 1]
        if begin and end and end.end - begin.start < 120:
            names.append(Name(Span(begin.start, end.end), kind))
    return tuple(names)


def _untokenized(row: dict[str, Any]) -> Example:
    """Tokens as running text; a paragraph ends after one to three sentences, never inside a quotation."""
    rng = Random(row["id"])
    text, places = "", list[Span]()
    joined, quoted, left = True, False, rng.randint(1, 3)
    for sentence in row["sents"]:
        address = len(sentence["tokens"]) == 1 and "://" in sentence["tokens"][0]
        for word in sentence["tokens"]:
            mark = word == '"'
            closes = mark and quoted
            ending = word in _ENDINGS and text[-1:] in ("’", "'")
            if not (joined or closes or ending or word[0] in _NO_SPACE_BEFORE or word == "n't"):
                text += " "
            places.append(Span(len(text), len(text) + len(word)))
            text += word
            quoted ^= mark
            joined = word[-1] in _NO_SPACE_AFTER or (mark and not closes)
        left -= 1
        if address or (left <= 0 and not quoted):
            text, joined, quoted, left = text + "\n\n", True, False, rng.randint(1, 3)
    names = tuple(
        Name(Span(places[first].start, places[last - 1].end), kind) for first, last, kind in _tagged_names(row["sents"])
    )
    return Example(row["id"], text, "world", None, names)


def _person_names(articles: Sequence[Sequence[dict[str, Any]]]) -> list[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for sents in articles:
        tokens = [token for sentence in sents for token in sentence["tokens"]]
        for first, last, kind in _tagged_names(sents):
            words = tokens[first:last]
            if kind == "person" and 2 <= len(words) <= 4 and all(word[0].isupper() for word in words):
                found.add(tuple(words))
    return sorted(found)
