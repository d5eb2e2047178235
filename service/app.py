"""The WSGI application."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from service import web
from service.api import health, metrics, problems, spec, timing
from service.batches.engine import Engine
from service.config import Settings
from service.keeping import Keeper
from service.pages.language import foreign_language
from service.reading import Gate, Reads
from service.security import access, headers
from service.store.engine import Store
from service.tracking.claims import Decides

if TYPE_CHECKING:
    from models.reader import Reader
    from models.same import SameClaim

_log = logging.getLogger(__name__)


def create_app(settings: Settings, reader: Reads | None = None, same: Decides | None = None) -> Flask:
    """Build the application.

    Args:
        settings: What it is to be like.
        reader: What reads articles; None loads the weights that the settings name.
        same: What decides whether two claims are the same; None loads the shipped weights.

    Raises:
        models.reader.WeightsError: The Reader's weights cannot be loaded.
        models.same.SameError: Those of the decision cannot be loaded.
        models.same_embedding.BackboneError: The sentence encoder cannot be loaded.
        service.store.engine.StoreError: The database cannot be used.
    """
    app = Flask("whosaid", static_folder=None)
    app.config["SETTINGS"] = settings
    app.config["READER"] = reader or _load(settings)
    app.config["STORE"] = Store(settings.database_url)
    app.config["SAME"] = same or _load_same()
    app.config["KEEPER"] = Keeper(app.config["STORE"], app.config["READER"].version, app.config["SAME"])
    app.config["ENGINE"] = Engine(settings)
    app.config["GATE"] = Gate(settings.max_waiting)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    app.config["IS_STOPPING"] = lambda: False  # whoever serves may know better
    app.config["CHECKS"] = dict(health.CHECKS)  # what /readyz asks, by name
    if hops := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops, hops, hops)  # type: ignore[method-assign]
    timing.register(app)
    headers.register(app)
    access.register(app)
    spec.register(app)
    metrics.register(app)
    problems.register(app)
    app.register_blueprint(web.blueprint)
    return app


def _load(settings: Settings) -> Reader:
    from models.reader import Reader  # with torch, which takes seconds

    reader = Reader.from_pretrained(settings.weights or None, habit=settings.habit, threads=settings.threads or None)
    # The first reading is the slowest, and the first look at a language; no caller should wait for them.
    reader.read_one("“Ready,” it said.")
    foreign_language("What tells languages apart is loaded when it is asked for the first time, and that is now.")
    _log.info("model %s is ready", reader.version)
    return reader


def _load_same() -> SameClaim:
    from models.same import SameClaim

    return SameClaim.from_pretrained()
