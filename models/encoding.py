"""Texts to tensors: words, their features, and the windows that the network sees.

A text becomes one sequence of words (``models.text.words``), each with its word
pieces and features.  The sequence is cut into windows of whole paragraphs where
that is possible; each window has a core, in which cues are looked for, and some
context on both sides, which the core's sources and contents may reach into.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from models.records import HABITS, Habit, Span
from models.text import paragraphs, quotations, words

T = TypeVar("T")

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Ints = NDArray[np.int64]

SHAPES: Final = ("lower", "capital", "upper", "mixed", "number", "mark")
"""How a word is written: the tokenizer itself does not see capitals."""

QUOTED_DOUBLE, QUOTED_SINGLE, QUOTE_OPENS, QUOTE_CLOSES = 1, 2, 4, 8
"""Bits of a word's quotation feature: what it stands in, and whether it is a mark."""
QUOTE_STATES: Final = 16

PLACES: Final = ("in a paragraph", "its first word", "in a short paragraph", "its first word")
"""Where in its paragraph a word stands."""

NO_HABIT: Final = len(HABITS)
"""The habit number of text whose attributions nobody marked."""

LETTERS: Final = 12
"""How many letters of a word are looked at: its first eight and its last four."""
LETTER_COUNT: Final = 224

_ASCII: Final = 96  # numbers of letters beyond it begin here
_LARGE: Final = (ord("A") - 31, ord("Z") - 31)
_SHORT_PARAGRAPH: Final = 12  # words: headlines, captions, teasers and menus are this short


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text as the network reads it.

    ``spans`` are the words' places in the text.  ``starts`` has shape (words + 1,): where each word's
    pieces begin in ``pieces``.  ``features`` has shape (words, 3): shape, quotation bits, place.
    ``letters`` has shape (words, LETTERS), 0 for none: the tokenizer sees neither capitals nor diacritics.
    ``breaks`` holds the numbers of the words that begin a paragraph.
    """

    spans: Sequence[Span]
    pieces: Ints
    starts: Ints
    features: Ints
    letters: NDArray[np.uint8]
    breaks: Ints

    def __len__(self) -> int:
        """The number of words."""
        return len(self.spans)

    @property
    def blocks(self) -> list[Span]:
        """The paragraphs as ranges of words."""
        ends = [*self.breaks.tolist(), len(self)]
        return [Span(first, last) for first, last in pairwise(ends) if first < last]


@dataclass(frozen=True, slots=True)
class Window:
    """Words ``first`` to ``last`` of a text, of which ``core`` (a half-open range) is the window's own."""

    first: int
    last: int
    core: Span


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows side by side.

    Shapes, with B windows, T word pieces and W words: ``pieces`` and ``piece_mask`` (B, T);
    ``piece_features`` (B, T, 3); ``piece_word`` (B, T), the word number of each piece, W for none;
    ``word_mask`` (B, W); ``letters`` (B, W, LETTERS); ``habit`` (B,).
    """

    pieces: torch.Tensor
    piece_mask: torch.Tensor
    piece_features: torch.Tensor
    piece_word: torch.Tensor
    word_mask: torch.Tensor
    letters: torch.Tensor
    habit: torch.Tensor


class Encoder:
    """Turns texts into what the network takes.

    Args:
        tokenizer: The backbone's tokenizer, which lowers case and splits at white space and marks.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self._pieces_of = lru_cache(maxsize=100_000)(self._split)
        self._letters_of = lru_cache(maxsize=100_000)(_letters)
        self.cls, self.sep, self.pad = (
            int(number) for number in (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
        )
        self.mask, self.unknown = int(tokenizer.mask_token_id), int(tokenizer.unk_token_id)

    def _split(self, word: str) -> tuple[int, ...]:
        """The word's pieces, at least one; a lone surrogate is read as a question mark."""
        readable = word.encode(errors="replace").decode()
        return tuple(self._tokenizer.encode(readable, add_special_tokens=False)) or (self.unknown,)

    def encode(self, text: str) -> EncodedText:
        """The text's words, word pieces and features; linear in its length."""
        spans = words(text)
        blocks = paragraphs(text)
        pieces: list[int] = []
        starts = np.zeros(len(spans) + 1, dtype=np.int64)
        features = np.zeros((len(spans), 3), dtype=np.int64)
        letters = []
        for number, (start, end) in enumerate(spans):
            word = text[start:end]
            # Nothing but noise is this long; the first letters tell as much as all of them.
            pieces.extend(self._pieces_of(word[:64]))
            starts[number + 1] = len(pieces)
            features[number, 0] = _shape(word)
            letters.append(self._letters_of(word[:8] + word[-4:] if len(word) > LETTERS else word))
        word_starts = np.fromiter((span.start for span in spans), dtype=np.int64, count=len(spans))
        _mark_quotations(text, blocks, word_starts, features)
        breaks = np.searchsorted(word_starts, np.array([block.start for block in blocks], dtype=np.int64))
        for begin, end in pairwise([*breaks.tolist(), len(spans)]):
            if end - begin <= _SHORT_PARAGRAPH:
                features[begin:end, 2] = 2
            features[begin, 2] += 1
        spelling = np.frombuffer(b"".join(letters), dtype=np.uint8).reshape(-1, LETTERS)
        return EncodedText(spans, np.asarray(pieces, dtype=np.int64), starts, features, spelling, breaks)

    def collate(self, items: Sequence[tuple[EncodedText, Window, Habit | None]]) -> Batch:
        """One batch of windows, padded to the longest."""
        width = max(int(t.starts[w.last] - t.starts[w.first]) for t, w, _ in items) + 2
        count = max(w.last - w.first for _, w, _ in items)
        shape = (len(items), width)
        pieces = np.full(shape, self.pad, dtype=np.int64)
        mask = np.zeros(shape, dtype=bool)
        features = np.zeros((*shape, 3), dtype=np.int64)
        of_word = np.full(shape, count, dtype=np.int64)
        word_mask = np.zeros((len(items), count), dtype=bool)
        letters = np.zeros((len(items), count, LETTERS), dtype=np.int32)
        for row, (text, window, _) in enumerate(items):
            begin, end = int(text.starts[window.first]), int(text.starts[window.last])
            size = end - begin
            pieces[row, 0], pieces[row, size + 1] = self.cls, self.sep
            pieces[row, 1 : size + 1] = text.pieces[begin:end]
            mask[row, : size + 2] = True
            lengths = np.diff(text.starts[window.first : window.last + 1])
            numbers = np.repeat(np.arange(window.last - window.first), lengths)
            of_word[row, 1 : size + 1] = numbers
            features[row, 1 : size + 1] = text.features[window.first + numbers]
            word_mask[row, : window.last - window.first] = True
            letters[row, : window.last - window.first] = text.letters[window.first : window.last]
        habits = [NO_HABIT if habit is None else HABITS.index(habit) for _, _, habit in items]
        return Batch(
            torch.from_numpy(pieces),
            torch.from_numpy(mask),
            torch.from_numpy(features),
            torch.from_numpy(of_word),
            torch.from_numpy(word_mask),
            torch.from_numpy(letters),
            torch.tensor(habits),
        )


def windows(text: EncodedText, *, core: int, context: int, first_core: int | None = None) -> Iterator[Window]:
    """Cut a text into windows whose cores cover it once.

    A core ends where a paragraph ends, if one ends in its second half; else at the word that fills it.

    Args:
        text: The text.
        core: The most word pieces in a core.
        context: The most word pieces of context on either side.
        first_core: The most word pieces in the first core (training shifts the cuts with it).
    """
    starts, total = text.starts, len(text)
    begin, room = 0, core if first_core is None else first_core
    while begin < total:
        end = reach(starts, begin, room)
        if end < total:
            at = int(np.searchsorted(text.breaks, end, side="right")) - 1
            paragraph = int(text.breaks[at]) if at >= 0 else 0
            if paragraph > begin and starts[paragraph] - starts[begin] >= room // 2:
                end = paragraph
        last = reach(starts, end, context) if end < total else total
        first = bisect_right(starts, int(starts[begin]) - context - 1, 0, begin + 1)
        yield Window(min(first, begin), max(last, end), Span(begin, end))
        begin, room = end, core


def reach(starts: Ints, begin: int, room: int) -> int:
    """The last word number (exclusive) such that its pieces from ``begin`` on fit; at least one word."""
    return max(begin + 1, bisect_right(starts, int(starts[begin]) + room) - 1)


def _letters(word: str) -> bytes:
    """A number below LETTER_COUNT for each letter, LETTERS in all, 0 where there is none."""
    numbers = (ord(c) - 31 if 32 <= ord(c) < 127 else _ASCII + ord(c) % (LETTER_COUNT - _ASCII) for c in word)
    return bytes(numbers).ljust(LETTERS, b"\0")


def batched(items: Iterable[T], budget: int, size: Callable[[T], int]) -> list[list[T]]:
    """Items of like size together, at most ``budget`` a batch, padding counted; the longest first."""
    out: list[list[T]] = []
    for item in sorted(items, key=lambda item: -size(item)):
        if out and (len(out[-1]) + 1) * size(out[-1][0]) <= budget:
            out[-1].append(item)
        else:
            out.append([item])
    return out


def begins_large(letters: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Whether words begin with a large letter, (W,), by their letters, (W, LETTERS); beyond ASCII all letters count."""
    first = letters[:, 0]
    return (first >= _LARGE[0]) & (first <= _LARGE[1]) | (first >= _ASCII)


def _shape(word: str) -> int:
    if not (word[0].isalnum() or word[0] == "_"):
        return 5
    if word.isdigit():
        return 4
    if word.islower():
        return 0
    if word.isupper():
        return 2 if len(word) > 1 else 1
    return 1 if word[0].isupper() and word[1:].islower() else 3


def _mark_quotations(text: str, blocks: Sequence[Span], word_starts: Ints, features: Ints) -> None:
    for quotation in quotations(text, blocks):
        inside = QUOTED_SINGLE if quotation.family == "single" else QUOTED_DOUBLE
        begin, end = np.searchsorted(word_starts, [quotation.start, quotation.end])
        features[begin:end, 1] |= inside
        for mark, bit in ((quotation.open, QUOTE_OPENS), (quotation.close, QUOTE_CLOSES)):
            if mark is not None:
                begin, end = np.searchsorted(word_starts, [mark.start, mark.end])
                features[begin:end, 1] |= bit
