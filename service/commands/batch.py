"""``whosaid batch``: archives that are on this machine, through the same engine as ``POST /v1/batches``."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from models.records import HABITS
from service import commands

if TYPE_CHECKING:
    from service.batches.crew import Crew
    from service.config import Settings
    from service.store.engine import Store

_EXIT_FAILED = 3
_EXIT_INTERRUPTED = 130
_LOOK_SECONDS = 0.5


@click.command()
@click.argument("archives", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="ARCHIVE…")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write DIR/results.ndjson."
)
@click.option("--store", is_flag=True, help="Keep the articles and their claims in the database.")
@click.option("--habit", type=click.Choice(HABITS), help="Whose way of marking attributions to follow.")
@commands.says_language("Of texts and web pages; with en all are read, also what looks like another language.")
@click.option("--workers", type=click.IntRange(min=0), help="Processes to start here; 1, or 0 where a broker is set.")
@click.option("--anew", is_flag=True, help="Begin anew, though the same was begun or done before.")
def batch(
    archives: tuple[Path, ...],
    out: Path | None,
    store: bool,
    habit: str | None,
    language: str | None,
    workers: int | None,
    anew: bool,
) -> None:
    """Read archives: files, and folders with files in them.

    Known are .ndjson and .jsonl (an article a line, as POST /v1/articles takes it; other fields are left out), .txt and
    .html (an article a file) and .warc, also with .gz. Interrupted by Ctrl-C or worse, the same command
    goes on where it was.
    """
    if out is None and not store:
        raise click.UsageError("Give --out DIR, --store, or both.")
    from service.batches.crew import Crew
    from service.batches.sources import SourceError
    from service.errors import ServiceError

    settings = commands.chosen(habit=habit)
    try:
        with commands.open_store(settings) as opened:
            count = workers if workers is not None else int(not settings.broker_url)
            crew = Crew(settings, count, is_quiet=True)  # first, as it may find that its folder cannot be made
            id_ = _handed_in(opened, settings, archives, store, out, language, anew)
            failed = _watch(opened, settings, id_, out, crew)
    except (SourceError, ServiceError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("interrupted: the same command goes on from here", err=True)
        sys.exit(_EXIT_INTERRUPTED)
    if failed:
        click.echo(f"{failed} articles could not be read", err=True)
        sys.exit(_EXIT_FAILED)


def _handed_in(
    store: Store,
    settings: Settings,
    archives: tuple[Path, ...],
    keep: bool,
    out: Path | None,
    language: str | None,
    anew: bool,
) -> str:
    """The batch of these archives, if there is one; otherwise a new one."""
    from sqlalchemy import select

    from service.batches.engine import Engine
    from service.batches.intake import Options, take_in
    from service.batches.sources import find_files, fingerprint, lines_from
    from service.store.batches import Batch

    files = find_files(archives)
    if out is not None:
        _try_out(out)  # an archive of a day's reading should not be handed in for nothing
    # Where no language is said, it has no part in it: what was begun before there was the option goes on.
    said = {} if language is None else {"language": language}
    origin = fingerprint(files, store=keep, habit=settings.habit, **said)
    known = select(Batch.id).where(Batch.origin == origin, Batch.state.in_(("queued", "running", "finished")))
    if anew:
        _forget(store, origin, out)
    else:
        with store.read() as session:
            found = session.scalar(known.order_by(Batch.seq.desc()).limit(1))
        if found is not None:
            click.echo(f"{found} goes on", err=True)
            return found
    options = Options(habit=settings.habit, store=keep, ignore_unknown=True, origin=origin)
    made = take_in(store, lines_from(files, settings, language), options)
    Engine(settings).dispatch(store)
    click.echo(f"{made} is handed in", err=True)
    return made


def _try_out(folder: Path) -> None:
    """Make the folder, and a file in it that goes away by itself.

    Raises:
        click.ClickException: They cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise click.ClickException(f"cannot write into {folder}: {error.strerror}") from None


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Tell that a folder cannot be written to any more, and that nothing is lost by it.

    Raises:
        click.ClickException: It cannot.
    """
    try:
        yield
    except OSError as error:
        raise click.ClickException(
            f"cannot write into {folder}: {error.strerror}; the same command goes on from here"
        ) from None


def _forget(store: Store, origin: str, out: Path | None) -> None:
    """Cancel what is left of earlier batches of the same archives, and remove what they have begun to write."""
    from sqlalchemy import select

    from service.batches import chunks
    from service.store.batches import Batch

    with store.write(alone=False) as session:
        earlier = session.scalars(select(Batch).where(Batch.origin == origin).order_by(Batch.seq)).all()
        for one in earlier:
            chunks.cancel(session, one)
        parts = [_part(out, one.id) for one in earlier] if out is not None else []
    for part in parts:
        part.unlink(missing_ok=True)


def _part(folder: Path, id_: str) -> Path:
    """Where a batch's results are until they are whole."""
    return folder / f".{id_}.part"


def _watch(store: Store, settings: Settings, id_: str, out: Path | None, crew: Crew) -> int:
    """Show how far a batch has come, and write its results as they come; how many articles have none."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from sqlalchemy import select

    from service.batches.chunks import LIVE
    from service.batches.results import batch_record
    from service.store.batches import Batch

    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("reading", total=None, told="")
        export = None if out is None else _Export(store, id_, out)
        # An exception at any moment may be swallowed where it comes, as in the database's clean-up.
        interrupted = threading.Event()
        default = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
        try:
            while True:
                with store.read() as session:
                    found = session.scalars(select(Batch).where(Batch.id == id_)).one()
                    told = batch_record(session, found)
                finished = told["done"] + told["failed"]
                progress.update(task, total=told["total"], completed=finished, told=_in_words(told))
                if export is not None:
                    export.go_on()
                if told["state"] not in LIVE:
                    break
                crew.check()
                if crew.is_hopeless:
                    raise click.ClickException("the workers cannot start")
                if interrupted.wait(_LOOK_SECONDS):
                    raise KeyboardInterrupt
        finally:
            signal.signal(signal.SIGINT, default)
            crew.stop()
            if export is not None:
                export.close()
    if told["state"] == "cancelled":
        raise click.ClickException(f"{id_} was cancelled; --anew begins again")
    if export is not None:
        export.finish()
    return int(told["failed"])


class _Export:
    """A batch's results as a file, which has its name when it has all of them.

    Its lines are the results in the order of their places, so that their number tells how far it is.

    Raises:
        click.ClickException: It cannot be written; so do the methods.
    """

    def __init__(self, store: Store, id_: str, folder: Path) -> None:
        from sqlalchemy import select

        from service.store.batches import Batch

        self._store, self._folder, self._place = store, folder, 0
        with store.read() as session:
            self._batch = session.scalars(select(Batch.seq).where(Batch.id == id_)).one()
        self._part = _part(folder, id_)
        with _writing(folder):
            self._file = self._part.open("a+b")
            self._file.seek(0)
            whole = 0
            for line in self._file:
                if line.endswith(b"\n"):
                    whole += len(line)
                    self._place += 1
            self._file.truncate(whole)  # a line that was cut off is written again

    def go_on(self) -> None:
        """Write what has come."""
        from service.batches.results import each_result

        with _writing(self._folder):
            for place, record in each_result(self._store, self._batch, self._place):
                self._file.write(record + b"\n")
                self._place = place
            self._file.flush()

    def close(self) -> None:
        """Let go of the file."""
        with _writing(self._folder):  # which writes what is left, if writing failed before
            self._file.close()

    def finish(self) -> None:
        """Give the files their names."""
        errors = self._folder / ".errors.part"
        with _writing(self._folder):
            with self._part.open("rb") as results, errors.open("wb") as out:
                out.writelines(line for line in results if _is_error(line))
            errors.replace(self._folder / "errors.ndjson")
            self._part.replace(self._folder / "results.ndjson")


def _is_error(line: bytes) -> bool:
    record: dict[str, Any] = json.loads(line)
    return bool(record["type"] == "error")


def _in_words(told: dict[str, Any]) -> str:
    words = [f"{told['done'] + told['failed']} of {told['total']} articles"]
    if told["failed"]:
        words.append(f"{told['failed']} failed")
    if told["articles_per_second"] is not None:
        words.append(f"{told['articles_per_second']} articles/s")
    if told["seconds_left"] is not None:
        words.append(f"{timedelta(seconds=round(told['seconds_left']))} left")
    return ", ".join(words)
