"""Attributions that the network itself marked, for articles that nobody did (self-training).

What it is sure of teaches; what it doubts teaches nothing either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from models.decoding import spans_in_text
from models.reader import Reader, scan
from models.training.corpora import Example, Marked

_SURE: Final = 0.75
_POSSIBLE: Final = 0.15


def marked_by(reader: Reader, examples: Sequence[Example]) -> list[Example]:
    """The examples with the attributions that a Reader finds in them, each read in its habit."""
    out: list[Example] = []
    for example in examples:
        text = reader.encoder.encode(example.text)
        config = reader.config
        found = scan(
            reader.network,
            reader.encoder,
            [text],
            example.habit,
            threshold=_POSSIBLE,
            core=config.core,
            context=config.context,
        )[0].attributions
        out.append(
            replace(
                example,
                attributions=tuple(
                    Marked(
                        {
                            "source": spans_in_text(text.spans, roles.source),
                            "cue": spans_in_text(text.spans, [(cue.first, cue.last)]),
                            "content": spans_in_text(text.spans, roles.content),
                        },
                        doubtful=cue.probability < _SURE,
                    )
                    for cue, roles in found
                ),
            )
        )
    return out
