"""``whosaid read``: an article for a person, or an archive for a program."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from models.records import Article
from service import commands

if TYPE_CHECKING:
    from models.reader import Reader
    from service.config import Settings

_EXIT_SKIPPED = 3


@click.command()
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
@commands.reads
def read(
    file: Path | None,
    as_json: bool,
    ndjson: Path | None,
    out: Path | None,
    skip_errors: bool,
    **how: Any,
) -> None:
    """Print the attributions of FILE (- for standard input), or of all articles of an archive."""
    if (file is None) == (ndjson is None):
        raise click.UsageError("Give either FILE or --ndjson IN.")
    if ndjson is None:
        if out is not None or skip_errors:
            raise click.UsageError("--out and --skip-errors go with --ndjson.")
        assert file is not None  # noqa: S101
        _read_file(file, as_json, commands.chosen(**how))
        return
    if out is None:
        raise click.UsageError("--ndjson needs --out.")
    if as_json:
        raise click.UsageError("--json goes with FILE.")
    commands.check_files(ndjson, out)
    skipped = _read_archive(commands.reader_of(commands.chosen(**how)), ndjson, out, skip_errors)
    if skipped:
        click.echo(f"{skipped} lines left out", err=True)
        sys.exit(_EXIT_SKIPPED)


def _read_file(file: Path, as_json: bool, settings: Settings) -> None:
    from rich.console import Console

    from service.api.analyses import analysis_record
    from service.display import show_reading
    from service.pages import read_text

    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise click.ClickException(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8: byte {raw[error.start]:#04x} at {error.start}") from None
    page, reader = read_text(text), commands.reader_of(settings)
    reading = reader.read_one(page.article)
    try:
        if as_json:
            commands.write_utf8()
            record = analysis_record(page, reading, reader.version, settings.habit)
            click.echo(json.dumps(record, ensure_ascii=False, indent=1))
        else:
            show_reading(reading, Console())
        sys.stdout.flush()
    except BrokenPipeError:
        commands.forget_output()


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
            lines = sys.stdin.buffer if str(source) == "-" else stack.enter_context(commands.opened(source))
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

            target = stack.enter_context(commands.output(out))
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
        commands.forget_output()
    except OSError as error:
        raise click.ClickException(f"cannot write {out}: {error.strerror}") from None
    return skipped
