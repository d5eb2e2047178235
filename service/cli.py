"""The command line: ``service.commands`` has a module for each group of commands."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

from service import __version__
from service.commands.articles import add
from service.commands.batch import batch
from service.commands.evaluation import evaluate
from service.commands.keys import keys
from service.commands.listing import claims, export, speakers
from service.commands.reading import read
from service.commands.same import same
from service.commands.serving import db, serve
from service.commands.working import worker


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


for _command in (read, add, batch, claims, speakers, export, evaluate, same, serve, worker, db, keys):
    main.add_command(_command)


if __name__ == "__main__":
    main()
