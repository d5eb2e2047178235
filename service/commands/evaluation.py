"""``whosaid evaluate``: what the Reader finds against what people found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from models.records import ROLES, Habit
from service import commands


@click.command()
@click.argument("gold", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--skip-doubtful", is_flag=True, help="Leave out what people marked as doubtful.")
@click.option("--held-out", is_flag=True, help="Only the fixed fifth of world.jsonl that training never sees.")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@commands.measures
def evaluate(
    gold: Path,
    skip_doubtful: bool,
    held_out: bool,
    as_json: bool,
    habit: Habit,
    threads: int | None,
    weights: Path | None,
) -> None:
    """Read the articles of GOLD and compare with what people found in them."""
    from rich.console import Console
    from rich.progress import track

    from models.scoring import count, figures
    from models.speaker_scoring import count_speakers, speaker_figures
    from service.archives import to_line
    from service.display import show_figures, show_speaker_figures
    from service.pages import read_text

    rows = _gold_rows(gold, held_out)
    readings = commands.load_reader(weights, habit, threads).read(read_text(row["text"]).article for row in rows)
    counts, speaker_counts = [], []
    for row, reading in track(zip(rows, readings, strict=True), "reading", len(rows), console=Console(stderr=True)):
        compared = row["text"], row["attributions"], json.loads(to_line("", reading))["attributions"]
        counts.append(count(*compared, skip_doubtful=skip_doubtful))
        speaker_counts.append(count_speakers(*compared, skip_doubtful=skip_doubtful))
    found, of_speakers = figures(counts), speaker_figures(speaker_counts)
    if as_json:
        click.echo(json.dumps(found | of_speakers, indent=1))
    else:
        show_figures(found, Console())
        if of_speakers:
            show_speaker_figures(of_speakers, Console())


def _gold_rows(gold: Path, held_out: bool) -> list[dict[str, Any]]:
    from models.training.corpora import held_out as is_held_out
    from models.training.corpora import read_lines

    try:
        rows = list(read_lines(gold))
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{gold} is not a file of attributions: {error}") from None
    for number, row in enumerate(rows, 1):
        if not _is_marked(row):
            raise click.ClickException(f"{gold} is not a file of attributions: see article {number}")
    rows = [row for row in rows if not held_out or is_held_out(row["id"])]
    if not rows:
        raise click.ClickException(f"{gold} has no articles to read")
    return rows


def _is_marked(row: Any) -> bool:
    """Whether an object has an article's id, text and attributions; a role may be absent."""
    return (
        isinstance(row, dict)
        and all(isinstance(row.get(name), str) for name in ("id", "text"))
        and isinstance(row.get("attributions"), list)
        and all(
            isinstance(one, dict) and all(_are_spans(one.get(role) or []) for role in ROLES)
            for one in row["attributions"]
        )
    )


def _are_spans(spans: Any) -> bool:
    return isinstance(spans, list) and all(
        isinstance(span, list) and len(span) == 2 and all(isinstance(end, int) for end in span) for span in spans
    )
