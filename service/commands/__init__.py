"""One module a group of commands; here is what they share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from models.records import HABITS, Habit

if TYPE_CHECKING:
    from models.reader import Reader
    from models.same import SameClaim
    from service.config import Settings
    from service.store.engine import Store

# What is imported inside of functions, here and in the commands, takes seconds, and --help should not.

_HABIT: Final = "Whose way of marking attributions to follow"
_READING: Final = (
    click.option("--threads", type=click.IntRange(min=1), help="Cores to use."),
    click.option(
        "--weights", type=click.Path(path_type=Path), help="Folder of trained weights, instead of the shipped ones."
    ),
)


class _Said(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4
    """A text as the API takes it: not blank, and whole characters."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip():
            self.fail(f"{param.human_readable_name if param else 'it'} must not be empty", param, ctx)
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(f"{value!a} is not UTF-8", param, ctx)
        return value


SAID: Final = _Said()


def reads(command: Any) -> Any:
    """Give a command the options of all commands that read; ``chosen`` has what they leave to the settings."""
    habit = click.option("--habit", type=click.Choice(HABITS), help=f"{_HABIT}, if not WHOSAID_HABIT's.")
    return _with(command, habit, *_READING)


def measures(command: Any) -> Any:
    """Give a command these options, but of settings it knows nothing: the same figures come out everywhere."""
    habit = click.option("--habit", type=click.Choice(HABITS), default=HABITS[0], show_default=True, help=f"{_HABIT}.")
    return _with(command, habit, *_READING)


def _with(command: Any, *options: Any) -> Any:
    for option in reversed(options):
        command = option(command)
    return command


def _english(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A language that an article may be said to be in."""
    if value is None:
        return None
    import marshmallow as ma

    from service.api.records import ArticleRequestSchema

    try:
        return str(ArticleRequestSchema().fields["language"].deserialize(value))
    except ma.ValidationError as error:
        raise click.BadParameter(" ".join(map(str, error.messages))) from None


def says_language(help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the option that has texts read which look like another language."""
    return click.option("--language", callback=_english, metavar="TAG", help=help)


@contextmanager
def explained() -> Iterator[None]:
    """Tell what is wrong with the settings, the database or a folder in one line, where a traceback would be.

    Raises:
        click.ClickException: Something is.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from service.config import PREFIX, SettingsError
    from service.store.engine import StoreError, first_line

    try:
        yield
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        said = f"{PREFIX}DATABASE_URL: the database cannot be used: {first_line(error)}"
        raise click.ClickException(said) from None


def chosen(**options: Any) -> Settings:
    """The settings, over which a command's options win that were given.

    Raises:
        click.ClickException: One cannot be used.
    """
    from service.config import load_settings

    with explained():
        return load_settings(options)


def reader_of(settings: Settings) -> Reader:
    """The Reader that settings name.

    Raises:
        click.ClickException: The weights cannot be loaded.
    """
    weights = Path(settings.weights) if settings.weights else None
    return load_reader(weights, settings.habit, settings.threads or None)


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
def open_store(settings: Settings | None = None) -> Iterator[Store]:
    """The database of the settings; the embedded one is brought up to date first, as ``whosaid serve`` does.

    Args:
        settings: Those of the command; None reads the environment's.

    Raises:
        click.ClickException: It cannot be used.
    """
    from service.store.engine import Store

    settings = settings or chosen()
    with explained(), closing(Store(settings.database_url)) as store:
        if store.is_embedded:
            store.upgrade()
        elif not store.is_current():
            raise click.ClickException("the database's tables are not current: run whosaid db upgrade")
        yield store


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
