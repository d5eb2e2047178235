"""Readings and figures as a person likes to see them in a terminal."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from models.records import ROLES, Attribution, Reading, Role, Span

STYLES: Final[dict[Role, str]] = {"source": "bold cyan", "cue": "bold magenta", "content": "green"}
_TURNS: Final = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")  # they reorder what follows
_LEVELS: Final = {
    "content_overlap": "content overlap",
    "overlap": "overlap, all roles",
    "exact": "exact, all roles",
}


def show_reading(reading: Reading, console: Console) -> None:
    """Print the attributions in their context, and a summary."""
    if not reading.attributions:
        console.print("No attributions found.")
        return
    for number, one in enumerate(reading.attributions, 1):
        console.print(_attribution(number, one, reading))
    console.print(_summary(reading))


def _attribution(number: int, one: Attribution, reading: Reading) -> RenderableType:
    source = " … ".join(_plain(span.of(reading.text)) for span in one.source)
    head = Text.assemble(
        (f"{number}. ", "dim"),
        *_who(one, reading, source),
        ("  ·  ", "dim"),
        (" … ".join(_plain(span.of(reading.text)) for span in one.cue), STYLES["cue"]),
        (f"  ·  {one.type}, {one.confidence:.0%}, paragraph {_paragraph(one, reading)}", "dim"),
    )
    return Group(head, Padding(_in_context(one, reading), (0, 0, 1, 4)))


def _who(one: Attribution, reading: Reading, source: str) -> list[tuple[str, str]]:
    """The speaker, and the source's words where they are others."""
    if one.speaker is None:
        return [(source or "no source named", STYLES["source"] if source else "dim")]
    name = _plain(reading.speakers[one.speaker].name)
    return [(name, STYLES["source"]), *([(f" ({source or 'not named here'})", "dim")] if source != name else [])]


def _paragraph(one: Attribution, reading: Reading) -> int:
    """The paragraph that the attribution begins in, counted from 1."""
    first = min(span.start for role in ROLES for span in getattr(one, role))
    return bisect_right([paragraph.start for paragraph in reading.paragraphs], first)


def _in_context(one: Attribution, reading: Reading) -> Text:
    """The sentences that the attribution touches, its roles in colours; gaps are shown as dots."""
    spans = [(span, STYLES[role]) for role in ROLES for span in getattr(one, role)]
    out = Text()
    before: Span | None = None
    for sentence in _touched(reading.sentences, [span for span, _ in spans]):
        if before is not None:
            out.append(" " if not reading.text[before.end : sentence.start].strip() else " … ")
        at = len(out)
        out.append(_plain(sentence.of(reading.text)))
        for span, style in spans:
            start, end = max(span.start, sentence.start), min(span.end, sentence.end)
            if start < end:
                out.stylize(style, at + start - sentence.start, at + end - sentence.start)
        before = sentence
    return out


def _touched(sentences: tuple[Span, ...], spans: list[Span]) -> Iterator[Span]:
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    for sentence in sentences:
        if sentence.end <= first or sentence.start >= last:
            continue
        if any(span.start < sentence.end and sentence.start < span.end for span in spans):
            yield sentence


def _plain(text: str) -> str:
    """As many characters, none of which moves the cursor or changes colours: the text is a stranger's."""
    return "".join(" " if char.isspace() else "\ufffd" if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs") or unicodedata.bidirectional(char) in _TURNS


def _summary(reading: Reading) -> RenderableType:
    types = Counter(one.type for one in reading.attributions)
    speakers = Counter(
        _plain(reading.speakers[one.speaker].name) for one in reading.attributions if one.speaker is not None
    )
    total = len(reading.attributions)
    lines = [
        Text(f"{total} attribution{'s' * (total != 1)}: " + ", ".join(f"{n} {kind}" for kind, n in types.most_common()))
    ]
    if speakers:
        named = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in speakers.most_common(12))
        lines.append(Text(f"speakers: {named}{', …' if len(speakers) > 12 else ''}", style="dim"))
    return Group(*lines)


def show_figures(figures: Mapping[str, float], console: Console) -> None:
    """Print a measurement by ``models.scoring``, in percent."""
    table = Table("figure", "F1", "precision", "recall", box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"

    def row(title: str, name: str) -> None:
        table.add_row(title, *(f"{100 * figures[f'{name}.{part}']:.1f}" for part in ("f1", "p", "r")))

    for level, title in _LEVELS.items():
        row(title, f"attributions.{level}")
    for role in ROLES:
        row(f"{role} spans, exact", f"spans.{role}.exact")
    for kind in ("direct", "mixed", "indirect"):
        row(f"{kind}: content overlap", f"by_type.{kind}.content_overlap")
        row(f"{kind}: overlap, all roles", f"by_type.{kind}.overlap")
    console.print(table)
    console.print(
        f"{figures['articles']:.0f} articles, {figures['attributions.gold']:.0f} attributions by people,"
        f" {figures['attributions.pred']:.0f} found"
    )


def show_speaker_figures(figures: Mapping[str, float], console: Console) -> None:
    """Print a measurement by ``models.speaker_scoring``, in percent."""
    table = Table("of attributions whose content matches", "right", box=None, header_style="bold")
    table.columns[1].justify = "right"
    for name, value in figures.items():
        table.add_row(name, f"{100 * value:.1f}")
    console.print(table)


def claims_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """Claims by speaker, as rows that wrap."""
    table = Table("who", "what", "where", box=None, header_style="bold", pad_edge=False)
    for one in records:
        speaker = (one["speaker"] or {}).get("name") or "no speaker named"
        place = ", ".join(filter(None, (one["publisher"], one["published"]))) or one["title"] or one["article"]
        claim = Text.assemble(_plain(one["text"]), (f"  {one['type']}, {one['category']}", "dim"))
        table.add_row(Text(_plain(speaker), STYLES["source"] if one["speaker"] else "dim"), claim, Text(_plain(place)))
    table.columns[1].ratio = 1
    return table


def speakers_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """Speakers with their counts, as rows that wrap."""
    table = Table("name", "kind", "claims", "articles", "seen", "id", box=None, header_style="bold", pad_edge=False)
    for column in table.columns[2:4]:
        column.justify = "right"
    table.columns[5].overflow = "fold"  # an id is for copying
    for one in records:
        seen = " – ".join(dict.fromkeys(filter(None, (one["first_seen"], one["last_seen"]))))
        aliases = f"  also {_plain(', '.join(one['aliases']))}" if one["aliases"] else ""
        name = Text.assemble((_plain(one["name"]), STYLES["source"]), (aliases, "dim"))
        table.add_row(name, one["kind"], str(one["claims"]), str(one["articles"]), seen, one["id"])
    return table
