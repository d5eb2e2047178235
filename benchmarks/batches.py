"""How much of the Reader's speed a batch keeps: ``python -m benchmarks.batches``.

Every article must come out once, with a worker and with two, through the embedded engine or the one that is named.
Articles are made of the corpora's sentences, drawn anew for each.  The Reader alone reads some of the same articles in
a process of its own, before and after; on a machine that is not idle the CPU seconds tell more than those of the clock.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import click
from sqlalchemy import select

from models.text import paragraphs, sentences
from service.batches import chunks
from service.batches.crew import Crew
from service.batches.engine import Engine
from service.batches.intake import Options, take_in
from service.config import Settings, load_settings
from service.store.batches import Batch, Result
from service.store.engine import Store

ALONE = """
import json, os, sys, time
os.nice(5)
from models.reader import Reader
reader = Reader.from_pretrained(threads=int(sys.argv[1]))
texts = [json.loads(line)["text"] for line in sys.stdin]
list(reader.read(texts[:20]))
wall, cpu = time.perf_counter(), time.process_time()
count = sum(1 for _ in reader.read(texts))
print(json.dumps([count, time.perf_counter() - wall, time.process_time() - cpu]))
"""


@dataclass(frozen=True)
class Speed:
    """Articles per second, by the clock and of CPU."""

    wall: float
    cpu: float


def articles(data: Path, count: int, length: int) -> Iterator[bytes]:
    """Lines of articles of so many sentences, three to a paragraph."""
    pool: list[str] = []
    for line in (data / "attributions" / "world.jsonl").read_text(encoding="utf-8").splitlines():
        text = json.loads(line)["text"]
        pool += [" ".join(span.of(text).split()) for span in sentences(text, paragraphs(text))]
    chance = random.Random(6)
    for number in range(count):
        drawn = chance.choices(pool, k=length)
        blocks = [" ".join(drawn[at : at + 3]) for at in range(0, length, 3)]
        yield json.dumps({"id": number, "text": "\n\n".join(blocks), "language": "en"}).encode()


def alone(lines: list[bytes], threads: int) -> Speed:
    """The Reader in a process of its own."""
    environ = os.environ | {"OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", ALONE, str(threads)]
    done = subprocess.run(command, input=b"\n".join(lines), stdout=subprocess.PIPE, env=environ, check=True)
    count, wall, cpu = json.loads(done.stdout)
    return Speed(count / wall, count / cpu)


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1_000_000


@contextmanager
def crew_of(settings: Settings, count: int, store: Store, warm: list[bytes]) -> Iterator[Crew]:
    """Workers that have their models."""
    crew = Crew(settings, count, is_quiet=True)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            crew.check()

    crew.check()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        while not (crew.pids() and all(_megabytes(pid) > 400 for pid in crew.pids())):
            _finish(store, _hand_in(store, settings, warm * count))
        yield crew
    finally:
        over.set()
        watcher.join()
        crew.stop()


def _hand_in(store: Store, settings: Settings, lines: list[bytes]) -> int:
    id_ = take_in(store, lines, Options(habit="world"))
    Engine(settings).dispatch(store)
    with store.read() as session:
        return session.scalars(select(Batch.seq).where(Batch.id == id_)).one()


def _finish(store: Store, batch: int) -> float:
    """Seconds from the first article's beginning to the last one's end."""
    while True:
        with store.read() as session:
            found = session.get_one(Batch, batch)
            if found.state == "finished":
                return (chunks.aware(found.ended) - chunks.aware(found.started)).total_seconds()
        time.sleep(0.2)


def batch(settings: Settings, workers: int, lines: list[bytes], warm: list[bytes]) -> Speed:
    """A batch through an engine; every article must come out once."""
    store = Store(settings.database_url)
    store.upgrade()
    with crew_of(settings, workers, store, warm) as crew:
        before = {pid: _cpu(pid) for pid in crew.pids()}
        memory: list[int] = []
        over = threading.Event()

        def weigh() -> None:
            while not over.wait(1):
                memory.append(max(map(_megabytes, crew.pids())))

        weigher = threading.Thread(target=weigh)
        weigher.start()
        made = _hand_in(store, settings, lines)
        seconds = _finish(store, made)
        over.set()
        weigher.join()
        used = sum(_cpu(pid) - before[pid] for pid in crew.pids())
    with store.read() as session:
        numbers = list(session.scalars(select(Result.number).where(Result.batch_seq == made)))
        found = session.get_one(Batch, made)
    if sorted(numbers) != list(range(1, len(lines) + 1)) or found.failed:
        raise click.ClickException(f"{len(numbers)} results, {found.failed} failed, of {len(lines)} articles")
    store.close()
    third = max(1, len(memory) // 3)
    click.echo(
        f"  a worker's memory: {max(memory[:third])}, {max(memory[-third:])} MB at most in the first and last third"
    )
    return Speed(len(lines) / seconds, len(lines) / used)


@click.command()
@click.option("--articles", "count", default=20_000, show_default=True)
@click.option("--sentences", "length", default=15, show_default=True, help="Of an article.")
@click.option("--sample", default=300, show_default=True, help="How many the Reader reads alone, twice.")
@click.option("--workers", default="1,2", show_default=True, help="Processes, of one core each.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("../shared/data"), show_default=True)
@click.option("--database", default="", help="PostgreSQL, an empty database; without it the embedded one.")
@click.option("--broker", default="", help="Redis or RabbitMQ; without it the embedded one.")
def main(count: int, length: int, sample: int, workers: str, data: Path, database: str, broker: str) -> None:
    """Read a batch with one and more workers, and some of it with the Reader alone."""
    lines = list(articles(data, count, length))
    click.echo(f"{count} articles of {sum(map(len, lines)) // count} bytes")
    few = list(islice(lines, sample))
    speeds: dict[int, Speed] = {}
    with tempfile.TemporaryDirectory() as folder:
        chosen = {
            "database_url": database or f"sqlite:///{folder}/whosaid.db",
            "broker_url": broker,
            "broker_queue": f"benchmark-{os.getpid()}",
            "data_folder": folder,
            "threads": 1,
        }
        settings = load_settings(chosen, environ={})
        before = alone(few, 1)
        for number in map(int, workers.split(",")):
            speeds[number] = batch(replace(settings, batch_workers=number), number, lines, few[:100])
            after = alone(few, 1)
            base = Speed((before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2)
            one = speeds[number]
            click.echo(
                f"{number} workers: {one.wall:.2f} articles/s, {one.cpu:.2f} a CPU second; the Reader alone"
                f" {base.wall:.2f} and {base.cpu:.2f}: {one.cpu / base.cpu:.3f} of it a CPU second"
            )
            before = after
    if {1, 2} <= speeds.keys():
        click.echo(f"two workers against one: {speeds[2].wall / speeds[1].wall:.2f} by the clock")


if __name__ == "__main__":
    main()
