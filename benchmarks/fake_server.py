"""``whosaid serve`` with readers that need no weights: ``python -m benchmarks.fake_server PORT``."""

from __future__ import annotations

import sys

from flask import Flask

from service.batches.crew import Crew
from service.config import load_settings
from service.operations import logs, share_counts
from service.server import Server
from service.store.engine import Store


class FakeServer(Server):
    """A server whose application reads with stand-ins."""

    def create_app(self) -> Flask:
        """The application; its parts are imported in the process that needs them."""
        from service.app import create_app
        from tests.fakes import EagerReader, FakeSame

        return create_app(self.settings, EagerReader(), FakeSame())


if __name__ == "__main__":
    settings = load_settings({"port": sys.argv[1]})
    logs.configure(settings.log_level, settings.log_format)
    store = Store(settings.database_url)
    store.upgrade()
    store.close()
    share_counts()
    FakeServer(settings, Crew(settings, 0)).run()
