"""Whether two attributed contents assert the same claim."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a claim's text asserts, when, and who is said to assert it."""

    text: str
    date: datetime.date | None = None
    source: str | None = None
