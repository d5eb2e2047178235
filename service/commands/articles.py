"""``whosaid add``: articles from files and archives into the store."""

from __future__ import annotations

import re
import sys
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from models.records import Article, Habit
from service import commands

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from models.reader import Reader
    from service.keeping import Keeper
    from service.store.articles import Handed

_EXIT_FAILED: Final = 3
_HTML: Final = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype html|html|head)\b", re.IGNORECASE | re.DOTALL)
_KEYS: Final = ("text", "html", "title", "url", "publisher", "published", "language", "external_id")


@dataclass(frozen=True, slots=True)
class _Entry:
    """An article of a file, or why there is none."""

    where: str
    row: dict[str, Any]
    error: str | None = None


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(allow_dash=True, path_type=Path, dir_okay=False),
)
@click.option(
    "--ndjson",
    is_flag=True,
    help='The files are archives: lines {"id", "text" or "html", "title", "url", "publisher", "published"}.',
)
@click.option("--title", help="The headline, if there is one FILE.")
@click.option("--url", help="Where the article is, if there is one FILE.")
@click.option("--publisher", help="Who published them, where the files do not say it.")
@click.option("--published", help="When they appeared (ISO 8601), where the files do not say it.")
@commands.says_language("Where the files do not say it; with en all are read, also what looks like another language.")
@commands.reads
def add(
    files: tuple[Path, ...],
    ndjson: bool,
    title: str | None,
    url: str | None,
    publisher: str | None,
    published: str | None,
    language: str | None,
    **how: Any,
) -> None:
    """Read articles and keep them: texts, web pages, or - for standard input.

    What was kept before is updated.  What cannot be read is named and left out; the exit status is then 3.
    """
    if (title or url) and (ndjson or len(files) > 1):
        raise click.UsageError("--title and --url go with one FILE.")
    for file in files:
        if str(file) != "-" and not file.is_file():
            raise click.ClickException(f"there is no file {file}")
    told = {"title": title, "url": url, "publisher": publisher, "published": published, "language": language}
    about = {name: value for name, value in told.items() if value is not None}
    settings = commands.chosen(**how)
    with commands.open_store(settings) as store:
        from service.keeping import Keeper

        reader = commands.reader_of(settings)
        keeper = Keeper(store, reader.version, commands.load_same(None))
        counts = _add(files, ndjson, about, keeper, reader, settings.habit)
    click.echo(", ".join(f"{counts[name]} {name}" for name in ("new", "updated", "unchanged", "failed")))
    if counts["failed"]:
        sys.exit(_EXIT_FAILED)


def _add(
    files: tuple[Path, ...], ndjson: bool, about: dict[str, Any], keeper: Keeper, reader: Reader, habit: Habit
) -> Counter[str]:
    """Keep articles; how many were new, updated, unchanged and failed."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from service.errors import ServiceError

    counts: Counter[str] = Counter()
    sizes = [file.stat().st_size if str(file) != "-" else None for file in files]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[done]} articles"),
        TimeRemainingColumn(),
    )

    def fail(where: str, error: str) -> None:
        counts["failed"] += 1
        progress.console.print(f"{where}: {error}", markup=False, highlight=False, soft_wrap=True)

    def keep(where: str, handed: Handed, read: Any, *, known: bool = False) -> None:
        try:
            kept = keeper.keep(handed, habit, read)
        except ServiceError as error:
            fail(where, _said(error))
        else:
            counts["new" if kept.is_new else "updated"] += 1
        progress.update(task, done=counts.total())

    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("adding", total=total, done=0)
        waiting: deque[tuple[str, Handed]] = deque()  # the Reader is ahead of its readings

        def articles() -> Iterator[Article]:
            for entry in _entries(files, ndjson, progress, task):
                try:
                    handed = _handed(entry, about)
                    is_held = keeper.holds(handed, habit)
                    is_known = is_held or keeper.is_known(handed, habit)
                except ServiceError as error:
                    fail(entry.where, _said(error))
                    continue
                if is_held:
                    counts["unchanged"] += 1
                elif is_known:
                    keep(entry.where, handed, lambda page=handed.page: reader.read_one(page.article, habit=habit))
                else:
                    waiting.append((entry.where, handed))
                    yield handed.page.article

        for reading in reader.read(articles(), habit=habit):
            keep(*waiting.popleft(), lambda reading=reading: reading)
    return counts


def _entries(files: tuple[Path, ...], ndjson: bool, progress: Progress, task: TaskID) -> Iterator[_Entry]:
    from service.archives import LineError, read_object

    for file in files:
        with commands.opened(file) if str(file) != "-" else nullcontext(sys.stdin.buffer) as lines:
            if not ndjson:
                raw = _all(lines, file)
                progress.advance(task, len(raw))
                yield _entry(file, raw)
                continue
            for number, line in enumerate(lines, 1):
                progress.advance(task, len(line))
                if line.strip():
                    try:
                        yield _Entry(f"{file}, line {number}", read_object(number, line))
                    except LineError as error:
                        yield _Entry(str(file), {}, str(error))


def _all(lines: IO[bytes], file: Path) -> bytes:
    try:
        return lines.read()
    except OSError as error:
        raise click.ClickException(f"cannot read {file}: {error.strerror}") from None


def _entry(file: Path, raw: bytes) -> _Entry:
    is_page = file.suffix.lower() in (".html", ".htm", ".xhtml") or _HTML.match(raw) is not None
    try:
        return _Entry(str(file), {"html" if is_page else "text": raw.decode("utf-8-sig")})
    except UnicodeDecodeError as error:
        return _Entry(str(file), {}, f"not UTF-8 at byte {error.start}")


def _handed(entry: _Entry, about: dict[str, Any]) -> Handed:
    """An article as it is handed in.

    Raises:
        Invalid: There is none.
    """
    import marshmallow as ma

    from service.api.records import ArticleRequestSchema
    from service.errors import Invalid
    from service.intake import page_of
    from service.store.articles import Handed

    if entry.error is not None:
        raise Invalid(entry.error)
    row = about | {name: entry.row[name] for name in _KEYS if entry.row.get(name) is not None}
    own = entry.row.get("id")
    if "external_id" not in row and isinstance(own, (str, int)) and not isinstance(own, bool):
        row["external_id"] = str(own)
    try:
        asked = ArticleRequestSchema().load(row)
    except ma.ValidationError as error:
        told = [f"{name}: {' '.join(map(str, what))}" for name, what in error.messages_dict.items()]
        raise Invalid("; ".join(told)) from None
    return Handed(page_of(asked), asked.get("external_id"))


def _said(error: Any) -> str:
    """What is wrong, in one line."""
    fields = error.extra.get("errors", [])
    return error.detail or "; ".join(f"{one['field']}: {one['message']}" for one in fields) or error.title
