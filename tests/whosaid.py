"""``python -m tests.whosaid``: whosaid as it is, with stand-ins that need no weights and may be told to fail."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator

from models.records import Article, Habit, Reading
from service import app, cli
from service.batches import crew, worker
from tests.fakes import FakeReader, FakeSame

COMMAND = [sys.executable, "-m", "tests.whosaid"]


class FaultyReader(FakeReader):
    """Takes its time, and does what articles say: ``CRASH`` and ``HANG`` end the process, ``RAISE`` raises."""

    pause = float(os.environ.get("TEST_PAUSE", "0"))

    def read_one(self, article: str | Article, *, habit: Habit | None = None) -> Reading:
        text = article if isinstance(article, str) else article.text
        time.sleep(self.pause)
        if "CRASH" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "HANG" in text:
            time.sleep(3600)
        if "RAISE" in text:
            raise ArithmeticError(text)
        return super().read_one(article, habit=habit)

    def read(self, articles: Iterable[str | Article], *, habit: Habit | None = None) -> Iterator[Reading]:
        for article in articles:
            yield self.read_one(article, habit=habit)


if __name__ == "__main__":
    crew.COMMAND[:] = COMMAND
    worker.work.__kwdefaults__ |= {"load": lambda settings: FaultyReader(), "decide": FakeSame}
    app._load = lambda settings: FaultyReader()
    app._load_same = FakeSame
    cli.main()
