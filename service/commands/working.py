"""``whosaid worker``: read batches, beside the service or on another machine."""

from __future__ import annotations

import logging
import signal
import sys
import threading

import click


@click.command()
@click.option("--processes", type=click.IntRange(min=1), default=1, show_default=True, help="Each loads its own model.")
@click.option("--attached", is_flag=True, hidden=True, help="Be such a process, until standard input ends.")
@click.option("--quiet", is_flag=True, hidden=True)
def worker(processes: int, attached: bool, quiet: bool) -> None:
    """Read batches from the broker and the database that the settings name, until told to stop.

    A process that dies is started again. Start as many workers as there are machines.
    """
    from service.config import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    if attached:
        from service.batches.worker import work

        sys.exit(work(settings, is_attached=True, level=logging.ERROR if quiet else logging.INFO))
    from service.batches.crew import CANNOT_START, Crew

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    crew = Crew(settings, processes)
    while not stop.wait(0.25):
        crew.check()
        if crew.is_hopeless:
            break
    crew.stop()
    sys.exit(CANNOT_START if crew.is_hopeless else 0)
