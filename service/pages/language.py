"""Which language a text is in."""

from __future__ import annotations

from functools import cache
from typing import Final

from babel import Locale
from py3langid.langid import MODEL_FILE, LanguageIdentifier

READ: Final = "en"
"""The language that is read."""

_LEAST: Final = 60  # letters; less tells too little
_DIFFERENT: Final = 12  # of them at least: "aaaa…" is in no language
_POSSIBLE: Final = 0.01  # a probability
_LOOKED_AT: Final = 20_000  # code points


def foreign_language(text: str) -> str | None:
    """The language of a text that is surely not English, as an ISO 639-1 code; None for all others.

    Args:
        text: A text; only its beginning is looked at.
    """
    text = text[:_LOOKED_AT]
    letters = [char for char in text if char.isalpha()]
    if len(letters) < _LEAST or len(set(letters)) < _DIFFERENT:
        return None
    ranked = _identifier().rank(text)
    # Related languages share what is left, so the likeliest of them need not be likely itself.
    return None if dict(ranked)[READ] > _POSSIBLE else str(ranked[0][0])


def language_name(code: str) -> str:
    """The English name of a language."""
    return str(Locale("en").languages.get(code, code))


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
