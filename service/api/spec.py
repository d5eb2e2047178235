"""The contract: ``python -m service.api.spec`` prints openapi.yaml, ``--check FILE`` compares it."""

from __future__ import annotations

import argparse
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask import Blueprint, Flask, Response, current_app

from service import __version__
from service.api import Api, analyses, articles, batches, claims, clusters, health, similar, speakers
from service.api.contract import complete
from service.config import load_settings
from service.security import access

DESCRIPTION = """\
Who said what, in whose words, where in the text: whosaid reads news articles and finds
what they attribute to whom, quoted or not.

All offsets count Unicode code points of `article.text` in the response, and ranges are
half-open: `article.text[start:end]` is the span's text. Errors are problem details
(RFC 9457), each with the same members.
"""

page = Blueprint("spec", __name__)


def register(app: Flask) -> Api:
    """Put the API and its contract on the app."""
    app.config |= {
        "API_TITLE": "whosaid",
        "API_VERSION": __version__,
        "OPENAPI_VERSION": "3.1.0",
        "API_SPEC_OPTIONS": {"info": {"description": DESCRIPTION}},
    }
    api = Api(app)
    for resource in (analyses, articles, claims, similar, speakers, clusters, batches, health):
        api.register_blueprint(resource.blueprint)
    app.register_blueprint(page)
    contract = api.spec.to_dict()
    access.declare(app, contract)
    app.config["OPENAPI_YAML"] = cache(lambda: to_yaml(complete(contract, _meanings(api))))  # when somebody asks
    return api


def _meanings(api: Api) -> dict[str, str]:
    """What each schema says of itself, by its name in the contract."""
    found = api.ma_plugin.converter.refs.items()
    return {name: " ".join((key[0].__doc__ or "").replace("``", "`").split()) for key, name in found}


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they read, and what occurs twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """No anchors: not everything that reads YAML knows them."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


@page.get("/openapi.yaml")
def openapi() -> Response:
    """The contract of this very service."""
    return Response(current_app.config["OPENAPI_YAML"](), content_type="application/yaml")


def to_yaml(spec: dict[str, Any]) -> str:
    """The contract as it is committed."""
    ordered = {key: spec[key] for key in ("openapi", "info", "servers", "tags", "paths", "components")}
    return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def generate() -> str:
    """The contract, from the code, without a model."""
    app = Flask("whosaid")
    app.config["SETTINGS"] = load_settings(environ={})
    register(app)
    return str(app.config["OPENAPI_YAML"]())


def main() -> int:
    """Print the contract, or compare it with a file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", type=Path, metavar="FILE", help="fail if FILE is not current")
    file = options.parse_args().check
    if file is None:
        sys.stdout.write(generate())
        return 0
    if file.is_file() and file.read_text(encoding="utf-8") == generate():
        return 0
    sys.stderr.write(f"{file} is not what the code says: run make openapi\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
