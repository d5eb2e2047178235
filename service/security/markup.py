"""Web pages that are made to keep the parser busy."""

from __future__ import annotations

import re
from typing import Final

MAX_ATTRIBUTES: Final = 2_000
"""Attributes of one element: the parser compares each with all before it, 100,000 take it minutes."""

# As HTML's tokenizer has it. Nothing is ever read twice: what a quantifier took, it keeps.
_ATTRIBUTE: Final = r"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?)?"""
_ATTRIBUTES: Final = re.compile(_ATTRIBUTE)
_TAG: Final = re.compile(rf"<[A-Za-z][^\s/>]*+(?:{_ATTRIBUTE})*+")


def has_too_many_attributes(html: str) -> bool:
    """Whether an element of a page has more than ``MAX_ATTRIBUTES``."""
    return any(
        tag.end() - tag.start() > 2 * MAX_ATTRIBUTES
        and sum(1 for _ in _ATTRIBUTES.finditer(html, tag.start(), tag.end())) > MAX_ATTRIBUTES
        for tag in _TAG.finditer(html)
    )
