"""Who is speaking in articles of the corpora where nobody had marked it, as read for this project.

``speaker_labels.tsv`` holds places in the articles' texts, and no text of theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from models.records import Span
from models.training.corpora import Example, Marked, article_key

LABELS: Final = Path(__file__).with_name("speaker_labels.tsv")


def read_speaker_labels(examples: Iterable[Example], file: Path = LABELS) -> list[Example]:
    """The articles among some examples whose speakers were read, with just the attributions that have one now.

    Args:
        examples: Articles.
        file: A line for each attribution: the article's ``article_key``, the places of
            its source and of its cue, the place of the speaker's name ("-" for nobody, "=" before a name that does
            not stand so in the text), the speaker's kind.
    """
    found: defaultdict[str, list[Sequence[str]]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            article, *label = line.split("\t")
            found[article].append(label)
    out = []
    for one in examples:
        labels = found.get(article_key(one.id), ())
        if labels:
            marked, gold = [], list[dict[str, Any]]()
            for source, cue, speaker, kind in labels:
                marked.append(Marked({"source": _spans(source), "cue": _spans(cue), "content": ()}))
                gold.append({"source": _spans(source), "speaker": _name(one.text, speaker), "kind": kind})
            out.append(replace(one, attributions=tuple(marked), gold=gold))
    return out


def _spans(places: str) -> tuple[Span, ...]:
    return () if places == "-" else tuple(Span(*map(int, place.split("-"))) for place in places.split(" "))


def _name(text: str, speaker: str) -> str | None:
    if speaker == "-":
        return None
    if speaker.startswith("="):
        return speaker[1:]
    (place,) = _spans(speaker)
    return " ".join(place.of(text).split())
