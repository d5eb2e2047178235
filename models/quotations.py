"""Quotation marks: which open, which close, and what lies between them.

Every paragraph is read on its own, so an odd mark can never spoil more than
the paragraph that it stands in.  A quotation that runs on through several
paragraphs is one piece in each; the later pieces say ``continues``.

Each mark gets a *lean* (opens, closes, either) from its own shape and from the
characters beside it, then one pass with a small stack pairs them.  All of it
takes time linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from models.records import Span

MarkFamily = Literal["double", "single", "angle", "single angle", "corner", "white corner"]

MAX_DEPTH: Final = 8
"""Deeper nesting than this is noise: the outermost open mark is then taken as unclosed."""

SCARE_WORDS: Final = 3
"""The most words that a scare quotation has."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """One quotation, or one paragraph's piece of it.

    Attributes:
        start: Offset of the opening mark, or where the paragraph starts if that is missing.
        end: Offset behind the closing mark, or where an unclosed quotation is taken to end.
        open: The opening mark; None if it is missing (``Right," he said.``).
        close: The closing mark; None if it is missing.
        depth: 0 for an outermost quotation, 1 for one inside it, and so on (below ``MAX_DEPTH``).
        family: What kind of marks these are; ``"`` and ``“ ”``, ``''`` and ``„ “`` are all "double".
        words: The number of words (runs of letters and digits) between the marks.
        continues: It goes on with the quotation that the paragraph before left unclosed.
        scare: See ``is_scare``.
    """

    start: int
    end: int
    open: Span | None
    close: Span | None
    depth: int
    family: MarkFamily
    words: int
    continues: bool = False
    scare: bool = False

    @property
    def inside(self) -> Span:
        """What stands between the marks, white space included."""
        return Span(self.open.end if self.open else self.start, self.close.start if self.close else self.end)


class _Mark(NamedTuple):
    start: int
    end: int
    family: MarkFamily
    shape: int  # what the mark itself says: _OPENS, _CLOSES or _EITHER
    lean: int  # what its neighbours say
    sure: bool  # for a closing mark: it cannot well be an apostrophe or inches


@dataclass(slots=True)
class _Open:
    """A mark on the stack that waits for its closing mark."""

    mark: _Mark
    guess: bool = False  # only a quotation if it gets closed
    cut: int | None = None  # where it ends if it is never closed: before the next opening mark of its family


_EITHER, _OPENS, _CLOSES = 0, 1, 2

_SHAPES: Final[dict[str, tuple[MarkFamily, int]]] = {
    '"': ("double", _EITHER),
    "＂": ("double", _EITHER),
    "''": ("double", _EITHER),
    "“": ("double", _OPENS),
    "‟": ("double", _OPENS),
    "„": ("double", _OPENS),
    "``": ("double", _OPENS),
    "‘‘": ("double", _OPENS),
    "”": ("double", _CLOSES),
    "’’": ("double", _CLOSES),
    "'": ("single", _EITHER),
    "＇": ("single", _EITHER),
    "‘": ("single", _OPENS),
    "‛": ("single", _OPENS),
    "‚": ("single", _OPENS),
    "`": ("single", _OPENS),
    "’": ("single", _CLOSES),
    "«": ("angle", _OPENS),
    "»": ("angle", _CLOSES),
    "‹": ("single angle", _OPENS),
    "›": ("single angle", _CLOSES),
    "「": ("corner", _OPENS),
    "｢": ("corner", _OPENS),
    "」": ("corner", _CLOSES),
    "｣": ("corner", _CLOSES),
    "『": ("white corner", _OPENS),
    "』": ("white corner", _CLOSES),
}
# A mark between two letters or digits is an apostrophe (don't, Hawai‘i): not even looked at.
_MARK: Final = re.compile(
    r"""``|''|‘‘|’’|["＂“‟„”«»‹›「｢」｣『』‚]|(?<!\w)['＇‘‛’`]|['＇‘‛’`](?!\w)""",
)
_QUOTES: Final = frozenset("".join(_SHAPES))
_BEFORE_OPENING: Final = frozenset("([{<—–-―/*_>¡¿|~=+")
_AFTER_CLOSING: Final = frozenset(",.;:!?)]}>—–-―/…*_|")
_SPEECH_END: Final = frozenset(",.!?…;:—–-")
_SENTENCE_END: Final = frozenset(",.!?…")
# Words that lose their beginning, and with it start with an apostrophe: '90s, 'n', 'em, 'tis.
_CLIPPED: Final = re.compile(
    r"(?:\d\d(?!\d)s?|n|em|tis|twas|twere|til|till|cause|cuz|cos|bout|round|neath|nuff|course|kay)(?!\w)",
    re.IGNORECASE,
)
# What may open speech all the same, if its mark closes behind speech before another opens: '20 people died,' he said.
_CLOSES_SPEECH: Final = re.compile(r"(?!\d\ds)(?:[^\n‘'’＇]|(?<=\w)['’＇]){1,400}?(?<=[,.!?…])['’＇](?!\w)")
# Words that lose their end: the players' union, goin' home, the good ol' days.
_TAIL: Final = re.compile(r"(?:[szx]|in|\b(?:o|ol|an|th|lil|mo|po|wi))\Z", re.IGNORECASE)


def find_quotations(text: str, paragraphs: Sequence[Span]) -> list[Quotation]:
    """Find the quotations of a text.

    Args:
        text: Any text.
        paragraphs: Its paragraphs, in order, not overlapping.

    Returns:
        The quotations by start, outer before inner.  Any two are disjoint or one lies in the
        other, and each lies in one paragraph.
    """
    found: list[Quotation] = []
    pending: MarkFamily | None = None
    for number, paragraph in enumerate(paragraphs):
        following = paragraphs[number + 1].start if number + 1 < len(paragraphs) else len(text)
        pairing = _Paragraph(text, paragraph, pending, _family_at(text, following))
        found += pairing.quotations()
        pending = pairing.left_open
    return found


def is_scare(words: int, inside: str, closed: bool) -> bool:
    """Whether a quotation looks like a scare quote, a term or a title more than like speech.

    It is closed, has one to ``SCARE_WORDS`` words and no punctuation of speech before its closing
    mark: ``the “experts” said``, but not ``“No,” he said``.
    """
    return closed and 1 <= words <= SCARE_WORDS and inside.rstrip()[-1:] not in _SENTENCE_END


def _family_at(text: str, at: int) -> MarkFamily | None:
    mark = _MARK.match(text, at)
    return _SHAPES[mark.group()][0] if mark else None


def _wordlike(char: str) -> bool:
    """A letter, a digit, or what is put on one: accents may stand as characters of their own."""
    return char.isalnum() or (char > "\u02ff" and unicodedata.category(char)[0] == "M")


def _read_marks(text: str, paragraph: Span) -> list[_Mark]:
    """The paragraph's marks, apostrophes left out as far as their neighbours give them away."""
    marks = []
    first, last = paragraph
    for match in _MARK.finditer(text, first, last):
        start, end = match.span()
        glyph = match.group()
        family, shape = _SHAPES[glyph]
        # Other marks between this one and the word do not matter: "'No,' he says" and 'no,'" she says.
        left = start - 1
        while left >= first and left > start - 4 and text[left] in _QUOTES:
            left -= 1
        right = end
        while right < last and right < end + 3 and text[right] in _QUOTES:
            right += 1
        before = text[left] if left >= first else " "
        after = text[right] if right < last else " "
        if family == "single":
            mark = _read_single(text, start, glyph, shape, before, after)
            if mark:
                marks.append(mark)
            continue
        free_before = before.isspace() or before in _BEFORE_OPENING
        free_after = after.isspace() or after in _AFTER_CLOSING
        opening = free_before and not after.isspace() and not (before.isspace() and after in ",.;:!?)")
        closing = free_after and not before.isspace() and before not in "([{"
        if before.isspace() and not after.isspace() and after in ",.;:!?)" and right == end:
            closing = True
        lean = _EITHER if opening == closing else _OPENS if opening else _CLOSES
        sure = not (shape == _EITHER and before.isdigit() and left == start - 1)
        marks.append(_Mark(start, end, family, shape, lean, sure))
    return marks


def _read_single(text: str, start: int, glyph: str, shape: int, before: str, after: str) -> _Mark | None:
    """A single mark, or None if it is an apostrophe: these lean one way only."""
    touches_before = start > 0 and _wordlike(text[start - 1])
    touches_after = start + 1 < len(text) and _wordlike(text[start + 1])
    if touches_before and touches_after:
        return None
    if shape != _CLOSES and not touches_before:
        free = before.isspace() or before in _BEFORE_OPENING or before in ":"
        if free and not after.isspace() and after not in ",.;:!?)" and not _is_clipped(text, start + 1):
            return _Mark(start, start + 1, "single", shape, _OPENS, True)
    if glyph in "'＇’‘" and not touches_after and not before.isspace():
        if text[start - 1 : start] in "nN" and text[start - 2 : start - 1] in ("'", "’", "‘"):
            return None  # rock 'n' roll
        follows = text[start + 1 : start + 3]
        weak = (
            touches_before
            and len(follows) == 2
            and follows[0].isspace()
            and follows[1].isalnum()
            and _TAIL.search(text, max(0, start - 4), start) is not None
        )
        return _Mark(start, start + 1, "single", shape, _CLOSES, not weak and not before.isdigit())
    return None


def _is_clipped(text: str, at: int) -> bool:
    """Whether a word that lost its beginning starts there, and no speech that begins with such a word."""
    return _CLIPPED.match(text, at) is not None and _CLOSES_SPEECH.match(text, at) is None


class _Paragraph:
    """Pairs the marks of one paragraph."""

    def __init__(self, text: str, span: Span, pending: MarkFamily | None, reopened: MarkFamily | None) -> None:
        self.text = text
        self.span = span
        self.pending = pending  # what the paragraph before left open
        self.reopened = reopened  # what the next paragraph begins with
        self.left_open: MarkFamily | None = None
        self.stack: list[_Open] = []
        self.found: list[Quotation] = []
        self.has_double = False

    def quotations(self) -> list[Quotation]:
        marks = _read_marks(self.text, self.span)
        closes_next = _closing_ahead(marks)
        for mark, ahead in zip(marks, closes_next, strict=True):
            self._take(mark, ahead)
        while self.stack:
            self._give_up(self.stack.pop(), self.span.end)
        return _nested(self.found)

    def _take(self, mark: _Mark, closes_next: bool) -> None:
        if mark.start == self.span.start and mark.family == self.pending:
            self._push(mark)
        elif mark.family == "single":
            if mark.lean == _OPENS:
                self._push(mark)
            elif (
                self.stack
                and self.stack[-1].mark.family == "single"
                and (mark.shape != _OPENS or self.text[self.stack[-1].mark.start] == "‚")
                and (mark.sure or not closes_next)
            ):
                self._close(len(self.stack) - 1, mark)
        elif mark.family == "double":
            self._take_double(mark, closes_next)
        else:
            self._take_bracket(mark)

    def _take_double(self, mark: _Mark, closes_next: bool) -> None:
        at = self._opened("double")
        if at is not None and not mark.sure and closes_next:
            return  # "a 5" pipe", he said: inches
        if mark.shape == _OPENS:
            low = at is not None and self.text[self.stack[at].mark.start] == "„"
            if at is not None and (mark.lean == _CLOSES or (low and mark.lean == _EITHER)):
                self._close(at, mark)
            else:
                self._push(mark)
        elif at is not None and (mark.shape == _CLOSES or mark.lean != _OPENS):
            self._close(at, mark)
        elif mark.lean == _OPENS or (mark.lean == _EITHER and mark.shape == _EITHER and mark.sure):
            self._push(mark)
        elif closes_next and mark.sure:
            self._push(mark, guess=True)  # He said,” I will,” and left.
        elif mark.shape == _CLOSES or (mark.sure and self.text[mark.start - 1] in _SPEECH_END):
            self._close_from_start(mark)

    def _take_bracket(self, mark: _Mark) -> None:
        """Marks whose shape tells them apart; »the other way round« is told by the neighbours."""
        at = self._opened(mark.family)
        reverse = at is not None and self.stack[at].mark.shape == _CLOSES
        if at is not None and (mark.shape == _OPENS) == reverse and not (reverse and mark.lean == _OPENS):
            self._close(at, mark)
        elif mark.shape == _OPENS and (not reverse and (mark.lean != _CLOSES or "angle" not in mark.family)):
            self._push(mark)
        elif mark.shape == _CLOSES and "angle" in mark.family and mark.lean == _OPENS:
            self._push(mark, guess=True)

    def _opened(self, family: MarkFamily) -> int | None:
        """Where on the stack the innermost open quotation of this family is."""
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at].mark.family == family:
                return at
        return None

    def _push(self, mark: _Mark, guess: bool = False) -> None:
        at = self._opened(mark.family)
        if at is not None and self.stack[at].cut is None:
            above = self.stack[at + 1].mark if at + 1 < len(self.stack) else mark
            self.stack[at].cut = above.start
        if len(self.stack) >= MAX_DEPTH:
            self._give_up(self.stack.pop(0), mark.start)
        self.stack.append(_Open(mark, guess))

    def _close(self, at: int, mark: _Mark) -> None:
        while len(self.stack) > at + 1:
            self._give_up(self.stack.pop(), mark.start)
        opened = self.stack.pop().mark
        self._add(opened.start, mark.end, opened, mark)

    def _close_from_start(self, mark: _Mark) -> None:
        """A closing mark without an opening one: all from the paragraph's start, if no quotation is there yet."""
        if self.stack and self.stack[0].mark.family != "single":
            return
        if not self.has_double:
            self.stack.clear()
            self._add(self.span.start, mark.end, None, mark)

    def _give_up(self, opened: _Open, end: int) -> None:
        """An opening mark that is never closed."""
        mark = opened.mark
        runs_on = not self.stack and end == self.span.end and self.reopened == mark.family
        if mark.family == "single" and not (runs_on and mark.start == self.span.start):
            return  # an apostrophe, as far as anyone can tell
        if opened.guess:
            return
        if opened.cut is not None and not runs_on:
            end = opened.cut
        elif not self.stack and end == self.span.end:
            self.left_open = mark.family
        self._add(mark.start, end, mark, None)

    def _add(self, start: int, end: int, opened: _Mark | None, closed: _Mark | None) -> None:
        inner = self.text[opened.end if opened else start : closed.start if closed else end]
        if not inner or inner.isspace():
            return
        if closed is None:
            end = start + len(self.text[start:end].rstrip())
        words = sum(1 for _ in re.finditer(r"\w+", inner))
        family = (opened or closed or _NONE).family
        self.has_double |= family == "double"
        self.found.append(
            Quotation(
                start,
                end,
                Span(opened.start, opened.end) if opened else None,
                Span(closed.start, closed.end) if closed else None,
                depth=0,
                family=family,
                words=words,
                continues=start == self.span.start and self.pending == family,
                scare=is_scare(words, inner, opened is not None and closed is not None),
            )
        )


_NONE: Final = _Mark(0, 0, "double", _EITHER, _EITHER, False)


def _closing_ahead(marks: Sequence[_Mark]) -> list[bool]:
    """For each mark: is the next mark of its family that can be trusted a closing one?"""
    out = [False] * len(marks)
    ahead: dict[MarkFamily, bool] = {}
    for i in range(len(marks) - 1, -1, -1):
        mark = marks[i]
        out[i] = ahead.get(mark.family, False)
        if mark.sure:
            ahead[mark.family] = mark.lean == _CLOSES or (mark.lean == _EITHER and mark.shape == _CLOSES)
    return out


def _nested(found: list[Quotation]) -> list[Quotation]:
    """Put a paragraph's quotations in order and number their depths."""
    found.sort(key=lambda q: (q.start, -q.end))
    ends: list[int] = []
    for i, quotation in enumerate(found):
        while ends and ends[-1] <= quotation.start:
            ends.pop()
        if ends:
            found[i] = replace(quotation, depth=len(ends))
        ends.append(quotation.end)
    return found
