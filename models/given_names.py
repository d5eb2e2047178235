"""What a given name tells of whether a person is "he" or "she": a small table, learnt from names and pronouns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

GIVEN_PARTS: Final = 8192
"""How many weights the table has; parts of names share them by chance."""


class GivenNames:
    """How given names lean.

    Args:
        weights: Of the parts of names, in log odds of "she", (GIVEN_PARTS,).
    """

    def __init__(self, weights: NDArray[np.float32]) -> None:
        self._weights = weights

    def lean(self, tokens: tuple[str, ...]) -> float:
        """From -1 for a name whose bearer is surely "he" to 1 for "she"; 0 for a surname alone.

        Args:
            tokens: The name, see ``models.names.name_tokens``.
        """
        given = given_name(tokens)
        if given is None:
            return 0.0
        return float(np.tanh(self._weights[parts(given)].sum() / 2))


def given_name(tokens: tuple[str, ...]) -> str | None:
    """The first word of a full name that is no initial; None if there is none before the surname."""
    return next((one for one in tokens[:-1] if len(one) > 2), None)


@lru_cache(maxsize=20_000)
def parts(given: str) -> NDArray[np.int64]:
    """The numbers of a given name's weights: of all of it, its beginning and its endings."""
    return np.array([crc32(one.encode()) % GIVEN_PARTS for one in _parts(f"<{given}>")])


def _parts(name: str) -> Iterator[str]:
    yield name
    yield name[:4]
    for size in (2, 3, 4):
        yield name[-size:]
