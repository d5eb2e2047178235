"""``whosaid worker``: read batches, beside the service or on another machine."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from contextlib import closing

import click

from service import commands


@click.command()
@click.option("--processes", type=click.IntRange(min=1), default=1, show_default=True, help="Each loads its own model.")
@click.option("--attached", is_flag=True, hidden=True, help="Be such a process, until standard input ends.")
@click.option("--quiet", is_flag=True, hidden=True)
def worker(processes: int, attached: bool, quiet: bool) -> None:
    """Read batches from the broker and the database that the settings name, until told to stop.

    A process that dies is started again. Start as many workers as there are machines.
    """
    settings = commands.chosen()
    if attached:
        from service.batches.worker import work

        sys.exit(work(settings, is_attached=True, level=logging.ERROR if quiet else logging.INFO))
    from service.batches.crew import CANNOT_START, Crew
    from service.operations import logs
    from service.store.engine import Store

    logs.configure(settings.log_level, settings.log_format)
    with commands.explained():
        with closing(Store(settings.database_url)) as store:
            if store.is_embedded:  # a server may be away for a while, and the processes wait for it; a file is not
                store.upgrade()
        crew = Crew(settings, processes)
    stop = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    while not stop.wait(0.25):
        crew.check()
        if crew.is_hopeless:
            break
    crew.stop()
    sys.exit(CANNOT_START if crew.is_hopeless else 0)
