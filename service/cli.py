"""The command line: read articles, serve, evaluate."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from time import monotonic
from typing import IO, TYPE_CHECKING, Any

import click

from models.records import HABITS, ROLES, Article, Habit, Reading
from service import __version__

if TYPE_CHECKING:
    from models.reader import Reader

# What is imported inside of functions takes seconds, and --help should not.

_EXIT_SKIPPED = 3

_reading_options = (
    click.option(
        "--habit",
        type=click.Choice(HABITS),
        default=HABITS[0],
        show_default=True,
        help="Whose way of marking attributions to follow.",
    ),
    click.option("--threads", type=click.IntRange(min=1), help="Cores to use."),
    click.option(
        "--weights", type=click.Path(path_type=Path), help="Folder of trained weights, instead of the shipped ones."
    ),
)


def _reads(command: Any) -> Any:
    for option in reversed(_reading_options):
        command = option(command)
    return command


def load_reader(weights: Path | None, habit: Habit, threads: int | None) -> Reader:
    """The Reader.

    Raises:
        click.ClickException: The weights cannot be loaded.
    """
    from models.reader import Reader, WeightsError

    try:
        return Reader.from_pretrained(weights, habit=habit, threads=threads)
    except WeightsError as error:
        raise click.ClickException(str(error)) from None


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from models.reader import WEIGHTS, weights_version

        click.echo(f"whosaid {__version__}, weights {weights_version(WEIGHTS) or 'missing'}")
        context.exit()


@click.group()
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the versions."
)
def main() -> None:
    """Find who said what in news articles."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal lacks some of an article's characters


@main.command()
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path, dir_okay=False), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@click.option(
    "--ndjson",
    type=click.Path(allow_dash=True, path_type=Path, dir_okay=False),
    metavar="IN",
    help='Read an archive: lines {"id", "text"}; - for standard input.',
)
@click.option(
    "--out",
    type=click.Path(allow_dash=True, path_type=Path, dir_okay=False),
    help="Where the archive's attributions go; - for standard output.",
)
@click.option(
    "--skip-errors",
    is_flag=True,
    help=f"Leave out lines of the archive that cannot be read, and exit with {_EXIT_SKIPPED}.",
)
@_reads
def read(
    file: Path | None,
    as_json: bool,
    ndjson: Path | None,
    out: Path | None,
    skip_errors: bool,
    habit: Habit,
    threads: int | None,
    weights: Path | None,
) -> None:
    """Print the attributions of FILE (- for standard input), or of all articles of an archive."""
    if (file is None) == (ndjson is None):
        raise click.UsageError("Give either FILE or --ndjson IN.")
    if ndjson is None:
        if out is not None or skip_errors:
            raise click.UsageError("--out and --skip-errors go with --ndjson.")
        assert file is not None  # noqa: S101
        _read_file(file, as_json, load_reader, weights, habit, threads)
        return
    if out is None:
        raise click.UsageError("--ndjson needs --out.")
    if as_json:
        raise click.UsageError("--json goes with FILE.")
    _check_files(ndjson, out)
    skipped = _read_archive(load_reader(weights, habit, threads), ndjson, out, skip_errors)
    if skipped:
        click.echo(f"{skipped} lines left out", err=True)
        sys.exit(_EXIT_SKIPPED)


def _read_file(file: Path, as_json: bool, load: Any, *how: Any) -> None:
    from rich.console import Console

    from service.display import show_reading
    from service.pages import read_text

    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise click.ClickException(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8: byte {raw[error.start]:#04x} at {error.start}") from None
    reading = load(*how).read_one(read_text(text).article)
    try:
        if as_json:
            _write_utf8()
            click.echo(json.dumps(_as_json(reading), ensure_ascii=False, indent=1))
        else:
            show_reading(reading, Console())
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()


def _as_json(reading: Reading) -> dict[str, Any]:
    from models.claims import find_claims

    return {
        "attributions": [
            {
                **{
                    role: [
                        {"start": span.start, "end": span.end, "text": span.of(reading.text)}
                        for span in getattr(one, role)
                    ]
                    for role in ROLES
                },
                "type": one.type,
                "confidence": one.confidence,
                "speaker": one.speaker,
                "candidates": [asdict(who) for who in one.candidates],
            }
            for one in reading.attributions
        ],
        "speakers": [asdict(one) for one in reading.speakers],
        "claims": [
            asdict(one) | {"context": one.context and one.context.of(reading.text)} for one in find_claims(reading)
        ],
    }


def _check_files(source: Path, out: Path) -> None:
    if str(source) != "-" and not source.is_file():
        raise click.ClickException(f"there is no file {source}")
    if str(out) == "-":
        return
    if not out.parent.is_dir():
        raise click.ClickException(f"there is no folder {out.parent}")
    if out.exists() and str(source) != "-" and out.samefile(source):
        raise click.ClickException("--out must be another file than --ndjson")


def _read_archive(reader: Reader, source: Path, out: Path, skip_errors: bool) -> int:
    """Read an archive into a file; the number of lines that were left out."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from service.archives import Item, LineError, read_items, to_line

    skipped = 0

    def refuse(error: LineError) -> None:
        nonlocal skipped
        if not skip_errors:
            raise error
        skipped += 1
        click.echo(str(error), err=True)

    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[done]} articles"),
        TextColumn("{task.fields[rate]:.1f} articles/s"),
        TimeRemainingColumn(),
    )
    try:
        with ExitStack() as stack:
            lines = sys.stdin.buffer if str(source) == "-" else stack.enter_context(_opened(source))
            size = source.stat().st_size if str(source) != "-" else None
            progress = stack.enter_context(Progress(*columns, console=Console(stderr=True)))
            task = progress.add_task("reading", total=size, done=0, rate=0.0)
            items: deque[Item] = deque()  # read ahead of the readings by the Reader

            def articles() -> Iterator[Article]:
                try:
                    for item in read_items(lines, lambda length: progress.advance(task, length), refuse):
                        items.append(item)
                        yield item.article
                except BrokenPipeError:  # from refuse
                    raise
                except OSError as error:
                    raise click.ClickException(f"cannot read {source}: {error.strerror}") from None

            target = stack.enter_context(_output(out))
            begun = monotonic()
            for done, reading in enumerate(reader.read(articles()), 1):
                target.write(to_line(items.popleft().id, reading) + "\n")
                progress.update(task, done=done, rate=done / max(monotonic() - begun, 1e-3))
            target.flush()
    except LineError as error:
        raise click.ClickException(f"{source}, {error}") from None
    except BrokenPipeError:
        if str(out) != "-":
            raise  # nobody reads standard error: click ends quietly, and a half-written file is not kept
        _forget_output()
    except OSError as error:
        raise click.ClickException(f"cannot write {out}: {error.strerror}") from None
    return skipped


def _opened(source: Path) -> IO[bytes]:
    try:
        return source.open("rb")
    except OSError as error:
        raise click.ClickException(f"cannot read {source}: {error.strerror}") from None


def _output(out: Path) -> AbstractContextManager[IO[str]]:
    from service.archives import whole_file

    if str(out) == "-":
        _write_utf8()
        return nullcontext(sys.stdout)
    if out.exists() and not out.is_file():  # /dev/null must not be replaced by a file
        return out.open("w", encoding="utf-8", newline="\n")
    return whole_file(out)


def _write_utf8() -> None:
    """JSON is UTF-8, whatever the terminal's encoding."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")


def _forget_output() -> None:
    """Whoever read standard output has gone; nothing is left to say to them."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@main.command()
@click.argument("gold", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--skip-doubtful", is_flag=True, help="Leave out what people marked as doubtful.")
@click.option("--held-out", is_flag=True, help="Only the fixed fifth of world.jsonl that training never sees.")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@_reads
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
    readings = load_reader(weights, habit, threads).read(read_text(row["text"]).article for row in rows)
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


@main.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--workers", type=int, help="Processes, each with its own model.")
@click.option("--threads", type=int, help="Cores that each process reads with.")
@click.option("--habit", type=click.Choice(HABITS), help="Whose way of marking attributions to follow.")
@click.option("--weights", type=click.Path(exists=True, file_okay=False), help="Folder of trained weights.")
def serve(**options: Any) -> None:
    """Answer over HTTP; docs/settings.md lists all settings."""
    from service.config import SettingsError, load_settings
    from service.server import run
    from service.store.engine import StoreError

    try:
        run(load_settings(options))
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from None


@main.group()
def db() -> None:
    """Look after the database that WHOSAID_DATABASE_URL names."""


@db.command()
def upgrade() -> None:
    """Bring its tables up to date; does nothing if they are."""
    from sqlalchemy.exc import SQLAlchemyError

    from service.config import SettingsError, load_settings
    from service.store.engine import Store, StoreError

    try:
        store = Store(load_settings().database_url)
        store.upgrade()
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        raise click.ClickException(f"the database cannot be used: {error}") from None
    click.echo("the tables are up to date")


if __name__ == "__main__":
    main()
