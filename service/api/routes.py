"""Paths as the contract writes them."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

_VARIABLE: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


@cache
def template(rule: str) -> str:
    """A rule of Flask's, ``/v1/articles/<id_>``, as OpenAPI writes it: ``/v1/articles/{id}``."""
    return _VARIABLE.sub(r"{\1}", rule).replace("_}", "}")
