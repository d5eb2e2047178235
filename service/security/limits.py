"""How much each key may do: requests in a minute, characters in a day.

The counts are in the key's row, so that they hold over all processes and machines. A window begins with the
minute or the day (UTC), and what would go over the limit is refused and not counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import case, select, update
from sqlalchemy.orm import InstrumentedAttribute

from service.config import PREFIX, Settings
from service.errors import RateLimited
from service.security.keys import Key
from service.store.engine import Store
from service.store.tables import ApiKey


@dataclass(frozen=True, slots=True)
class Window:
    """A limit, and what is left of it until it begins anew."""

    name: str
    seconds: int
    limit: int
    left: int
    resets: int
    """Seconds until then."""
    number: int
    """Which one it is: how many of its length went before it in Unix time."""


@dataclass(frozen=True, slots=True)
class _Limit:
    name: str
    seconds: int
    window: InstrumentedAttribute[int]
    used: InstrumentedAttribute[int]
    says: str


_REQUESTS: Final = _Limit("requests", 60, ApiKey.minute, ApiKey.requests, "requests in a minute")
_CHARACTERS: Final = _Limit("characters", 86_400, ApiKey.day, ApiKey.characters, "characters in a day")


class Limits:
    """Counts what keys do.

    Args:
        store: Where the keys are.
        settings: The limits of keys that have none of their own.

    Safe for several threads.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings

    def count_request(self, key: Key) -> Window | None:
        """Count a request; None if the key has no limit.

        Raises:
            RateLimited: The key has sent too many in this minute.
        """
        own, setting = key.requests_per_minute, self._settings.requests_per_minute
        return self._count(_REQUESTS, key, setting if own is None else own, 1, "REQUESTS_PER_MINUTE")

    def count_characters(self, key: Key, number: int) -> Window | None:
        """Count what is read for a key; None if it has no limit.

        Args:
            key: Whose.
            number: Code points.

        Raises:
            RateLimited: That is more than what the key has left today.
        """
        own, setting = key.characters_per_day, self._settings.characters_per_day
        return self._count(_CHARACTERS, key, setting if own is None else own, number, "CHARACTERS_PER_DAY")

    def give_back_characters(self, key: Key, number: int, counted: Window) -> Window | None:
        """Give back what was counted and then not read; None if another day has begun, which owes nothing for it.

        Args:
            key: Whose.
            number: Code points, no more than were counted.
            counted: The day in which they were.
        """
        one = _CHARACTERS
        # Whether it is still that day is for the row to say, as it is when counting: clocks may differ.
        row = (ApiKey.seq == key.seq, one.window == counted.number)
        used = case((one.used > number, one.used - number), else_=0)
        values: dict[Any, Any] = {one.used: used}
        with self._store.count() as session:
            now_used = session.scalar(update(ApiKey).where(*row).values(values).returning(one.used))
        if now_used is None:
            return None
        resets = max(0, (counted.number + 1) * one.seconds - int(time.time()))
        return replace(counted, left=max(0, counted.limit - now_used), resets=resets)

    def _count(self, one: _Limit, key: Key, limit: int, number: int, setting: str) -> Window | None:
        if not limit:
            return None
        now = time.time()
        window = int(now) // one.seconds
        resets = (window + 1) * one.seconds - int(now)
        # A window that another machine's clock has begun is not begun again by a clock that is behind.
        used = case((one.window >= window, one.used + number), else_=number)
        latest = case((one.window >= window, one.window), else_=window)
        values: dict[Any, Any] = {one.window: latest, one.used: used}
        row = ApiKey.seq == key.seq
        with self._store.count() as session:
            counting = update(ApiKey).where(row, used <= limit).values(values)
            counted = session.execute(counting.returning(one.window, one.used)).one_or_none()
            if counted is None:
                before = session.execute(select(one.window, one.used).where(row)).one_or_none()
                spent = before[1] if before is not None and before[0] >= window else 0
        if counted is not None:
            return Window(one.name, one.seconds, limit, limit - counted[1], resets, counted[0])
        raise RateLimited(
            f"The key may have {limit:,} {one.says}; {spent:,} are used, and this would be {number:,} more.",
            retry_after=resets,
            headers=rate_headers([Window(one.name, one.seconds, limit, max(0, limit - spent), resets, window)]),
            limit=limit,
            observed=spent + number,
            setting=PREFIX + setting,
        )


def rate_headers(windows: list[Window]) -> dict[str, str]:
    """The headers that tell limits and what is left, as the IETF's draft on RateLimit headers has them."""
    if not windows:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{one.name}";q={one.limit};w={one.seconds}' for one in windows),
        "RateLimit": ", ".join(f'"{one.name}";r={one.left};t={one.resets}' for one in windows),
    }
