"""One module a group of commands; here is what they share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from models.records import HABITS, Habit

if TYPE_CHECKING:
    from models.reader import Reader
    from models.same import SameClaim
    from service.store.engine import Store

# What is imported inside of functions, here and in the commands, takes seconds, and --help should not.

_READING = (
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


def reads(command: Any) -> Any:
    """Give a command the options of all commands that read."""
    for option in reversed(_READING):
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


def load_same(weights: Path | None) -> SameClaim:
    """What tells whether two contents assert the same claim.

    Raises:
        click.ClickException: The weights cannot be loaded.
    """
    from models.same import SameClaim, SameError
    from models.same_embedding import BackboneError

    try:
        return SameClaim.from_pretrained(weights)
    except (SameError, BackboneError) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def open_store() -> Iterator[Store]:
    """The database of the settings; the embedded one is brought up to date first, as ``whosaid serve`` does.

    Raises:
        click.ClickException: It cannot be used.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from service.config import SettingsError, load_settings
    from service.store.engine import Store, StoreError

    try:
        with closing(Store(load_settings().database_url)) as store:
            if store.is_embedded:
                store.upgrade()
            elif not store.is_current():
                raise click.ClickException("the database's tables are not current: run whosaid db upgrade")
            yield store
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        raise click.ClickException(f"the database cannot be used: {error}") from None


def check_files(source: Path, out: Path) -> None:
    """Refuse what cannot be read, and what cannot be written without being destroyed.

    Raises:
        click.ClickException: There is no such file or folder, or both are one file.
    """
    if str(source) != "-" and not source.is_file():
        raise click.ClickException(f"there is no file {source}")
    if str(out) == "-":
        return
    if not out.parent.is_dir():
        raise click.ClickException(f"there is no folder {out.parent}")
    if out.exists() and str(source) != "-" and out.samefile(source):
        raise click.ClickException("--out must be another file than --ndjson")


def opened(source: Path) -> IO[bytes]:
    """A file to read.

    Raises:
        click.ClickException: It cannot be read.
    """
    try:
        return source.open("rb")
    except OSError as error:
        raise click.ClickException(f"cannot read {source}: {error.strerror}") from None


def output(out: Path) -> AbstractContextManager[IO[str]]:
    """Standard output, or a file that appears when all of it is written."""
    from service.archives import whole_file

    if str(out) == "-":
        write_utf8()
        return nullcontext(sys.stdout)
    if out.exists() and not out.is_file():  # /dev/null must not be replaced by a file
        return out.open("w", encoding="utf-8", newline="\n")
    return whole_file(out)


def write_utf8() -> None:
    """JSON is UTF-8, whatever the terminal's encoding."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")


def forget_output() -> None:
    """Whoever read standard output has gone; nothing is left to say to them."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
