"""What people look at in a browser: a landing page, and the API's documentation; nothing comes from elsewhere.

Swagger UI's files come with the package flask-swagger-ui, of which nothing else is used.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, redirect, request, send_from_directory
from werkzeug.wrappers import Response as Answer

_OWN: Final = Path(__file__).parent
_SWAGGER_UI: Final = Path(str(files("flask_swagger_ui"))) / "dist"
_FILES: Final = {
    "whosaid.css": _OWN,
    "docs.js": _OWN,
    "swagger-ui.css": _SWAGGER_UI,
    "swagger-ui-bundle.js": _SWAGGER_UI,
    "favicon-32x32.png": _SWAGGER_UI,
}

blueprint = Blueprint("web", __name__)


@blueprint.get("/")
def landing() -> Response:
    """Where everything is."""
    return send_from_directory(_OWN, "index.html")


@blueprint.get("/docs")
def documentation() -> Answer:
    """The API's documentation, read from openapi.yaml."""
    if request.path.endswith("/"):
        # The page's links are relative, so that it works below any address, and would all lead nowhere from here.
        return redirect("../docs")
    return send_from_directory(_OWN, "docs.html")


@blueprint.get("/docs/<any(" + ", ".join(f"'{name}'" for name in _FILES) + "):name>")
def file(name: str) -> Response:
    """A file that the pages need."""
    return send_from_directory(_FILES[name], name)
