"""What was read for this project in articles of the corpora where nobody had marked it.

``role_labels.tsv`` and ``speaker_labels.tsv`` hold places in the articles' texts, and no text of theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from models.names import long_forms, spelled_out
from models.records import ROLES, Span
from models.training.corpora import Example, Marked, article_key

ROLE_LABELS: Final = Path(__file__).with_name("role_labels.tsv")
SPEAKER_LABELS: Final = Path(__file__).with_name("speaker_labels.tsv")


def read_role_labels(examples: Iterable[Example], file: Path = ROLE_LABELS) -> list[Example]:
    """The examples, those whose attributions were read with these.

    Args:
        examples: Articles.
        file: A line for each attribution: the article's ``article_key``, the places of its source, its cue and its
            content, and "?" where it is doubtful; an article without any has a line with its key alone.
    """
    found = _lines(file)
    out = []
    for one in examples:
        labels = found.get(article_key(one.id))
        if labels is not None:
            marked = [
                Marked({role: _spans(label[n]) for n, role in enumerate(ROLES)}, doubtful=label[3] == "?")
                for label in labels
                if label
            ]
            one = replace(one, attributions=tuple(marked))
        out.append(one)
    return out


def read_speaker_labels(examples: Iterable[Example], file: Path = SPEAKER_LABELS) -> list[Example]:
    """The articles among some examples whose speakers were read, with just the attributions that have one now.

    Args:
        examples: Articles.
        file: A line for each attribution: the article's ``article_key``, the places of
            its source and of its cue, the place of the speaker's name ("-" for nobody, "=" before a name that does
            not stand so in the text), the speaker's kind.
    """
    found = _lines(file)
    out = []
    for one in examples:
        labels = found.get(article_key(one.id), ())
        if labels:
            marked, gold, known = [], list[dict[str, Any]](), long_forms(one.text)
            for source, cue, speaker, kind in labels:
                marked.append(Marked({"source": _spans(source), "cue": _spans(cue), "content": ()}))
                name = _name(one.text, speaker)
                name = None if name is None else spelled_out(name, known)
                gold.append({"source": _spans(source), "speaker": name, "kind": kind})
            out.append(replace(one, attributions=tuple(marked), gold=gold))
    return out


def _lines(file: Path) -> dict[str, list[Sequence[str]]]:
    """What is told of each article."""
    found: defaultdict[str, list[Sequence[str]]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            article, *label = line.split("\t")
            found[article].append(label)
    return found


def _spans(places: str) -> tuple[Span, ...]:
    return () if places == "-" else tuple(Span(*map(int, place.split("-"))) for place in places.split(" "))


def _name(text: str, speaker: str) -> str | None:
    if speaker == "-":
        return None
    if speaker.startswith("="):
        return speaker[1:]
    (place,) = _spans(speaker)
    return " ".join(place.of(text).split())
