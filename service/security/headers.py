"""Headers that keep browsers from doing harm, and which other sites' pages may call the service."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response
from flask_cors import CORS

from service.config import Settings

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_DATA: Final = "default-src 'none'; frame-ancestors 'none'"
_PAGES: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Pages are made of what comes from this service, and of nothing that stands in them."""

TOLD: Final = (
    "Location", "Link", "Retry-After", "RateLimit", "RateLimit-Policy", "Server-Timing", "WWW-Authenticate",
    "X-Request-ID", "ETag", "Idempotency-Replayed",
)  # fmt: skip
"""Headers of ours that other sites' scripts may see."""


def register(app: Flask) -> None:
    """Set them on all responses of the app, unless a handler has set its own."""
    app.after_request(_secure)
    settings: Settings = app.config["SETTINGS"]
    if settings.cors_origins:
        CORS(
            app,
            resources={r"/(v1|healthz|readyz|openapi\.yaml).*": {}},
            origins=origins(settings),
            expose_headers=list(TOLD),
            max_age=600,
        )


def origins(settings: Settings) -> list[str]:
    """The origins that may call."""
    return [one.strip() for one in settings.cors_origins.split(",") if one.strip()]


def _secure(response: Response) -> Response:
    is_page = response.mimetype == "text/html"
    for name, value in (_ALWAYS | {"Content-Security-Policy": _PAGES if is_page else _DATA}).items():
        response.headers.setdefault(name, value)
    return response
