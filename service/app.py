"""The WSGI application."""

from __future__ import annotations

import logging

from flask import Flask, Response

from models.reader import Reader
from service import web
from service.api import problems, spec, timing
from service.config import Settings
from service.keeping import Keeper
from service.reading import Gate, Reads
from service.store.engine import Store

_log = logging.getLogger(__name__)


def create_app(settings: Settings, reader: Reads | None = None) -> Flask:
    """Build the application.

    Args:
        settings: What it is to be like.
        reader: What reads articles; None loads the weights that the settings name.

    Raises:
        models.reader.WeightsError: They cannot be loaded.
        service.store.engine.StoreError: The database cannot be used.
    """
    app = Flask("whosaid", static_folder=None)
    app.config["SETTINGS"] = settings
    app.config["READER"] = reader or _load(settings)
    app.config["STORE"] = Store(settings.database_url)
    app.config["KEEPER"] = Keeper(app.config["STORE"], app.config["READER"].version)
    app.config["GATE"] = Gate(settings.max_waiting)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    timing.register(app)
    spec.register(app)
    problems.register(app)
    app.register_blueprint(web.blueprint)
    app.after_request(_secure)
    return app


def _load(settings: Settings) -> Reader:
    reader = Reader.from_pretrained(settings.weights or None, habit=settings.habit, threads=settings.threads or None)
    # The first reading is the slowest; no caller should wait for it.
    reader.read_one("“Ready,” it said.")
    _log.info("model %s is ready", reader.version)
    return reader


def _secure(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
