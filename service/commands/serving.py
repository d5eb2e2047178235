"""``whosaid serve`` and ``whosaid db``."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from models.records import HABITS
from service import commands


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--workers", type=int, help="Processes, each with its own model.")
@click.option("--threads", type=int, help="Cores that each process reads with.")
@click.option("--habit", type=click.Choice(HABITS), help="Whose way of marking attributions to follow.")
@click.option("--weights", type=click.Path(exists=True, file_okay=False), help="Folder of trained weights.")
def serve(**options: Any) -> None:
    """Answer over HTTP; docs/settings.md lists all settings."""
    from service.server import run

    with commands.explained():
        run(commands.chosen(**options))


@click.group()
def db() -> None:
    """Look after the database that WHOSAID_DATABASE_URL names."""


@db.command()
def upgrade() -> None:
    """Bring its tables up to date; does nothing if they are."""
    from service.store.engine import Store

    with commands.explained(), closing(Store(commands.chosen().database_url)) as store:
        store.upgrade()
    click.echo("the tables are up to date")


@db.command()
def track() -> None:
    """Look for the same claims among those that were stored before whosaid did, or with other weights.

    It can be broken off and begun again, and the service may run meanwhile.
    """
    from models.same import SameError
    from service.tracking.claims import Tracker

    done = 0
    try:
        with commands.open_store() as store:
            for done in Tracker(store, commands.load_same(None)).track_rest():
                if done % 100 == 0:
                    click.echo(f"{done} articles", err=True)
    except SameError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"the claims of {done} articles are tracked now")
