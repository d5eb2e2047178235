"""One module a group of commands; here is what they share."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from models.records import HABITS, Habit

if TYPE_CHECKING:
    from models.reader import Reader

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


def write_utf8() -> None:
    """JSON is UTF-8, whatever the terminal's encoding."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")


def forget_output() -> None:
    """Whoever read standard output has gone; nothing is left to say to them."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
