"""What the corpora lack: other quotation marks, other names, menus, capitals.

Every change is made to the text and to the spans together, so that what was
marked stays marked.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from models.records import Span
from models.text import paragraphs, quotations
from models.training.corpora import Example, Marked, Name

_STYLES: Final = (
    ("“", "”"),
    ('"', '"'),
    ("‘", "’"),
    ("'", "'"),
    ("«", "»"),
    ("„", "“"),
    ("“", '"'),
    ('"', "”"),
)
_STYLE_WEIGHTS: Final = (4, 6, 2, 2, 1, 1, 1, 1)

_MENU: Final = (
    "Home", "News", "World", "Politics", "Business", "Sport", "Culture", "Opinion", "Video", "Podcasts", "Live",
    "Weather", "Travel", "Health", "Science", "Technology", "Education", "Log in", "Sign up", "Subscribe", "My account",
    "Skip to main content", "Share this article", "Share on social media", "Print", "Email", "Copy link", "Comments",
    "Read more", "Related stories", "Related topics", "Most read", "Most popular", "Trending now", "Top stories",
    "Editor's picks", "Recommended for you", "Advertisement", "Sponsored content", "Promoted stories", "Hot opinion",
    "About us", "Contact us", "Terms of use", "Privacy policy", "Cookie settings", "Accessibility", "Careers",
    "Advertise with us", "Site map", "RSS feed", "Archive", "Newsletter", "Subscribe for our daily newsletter",
    "By subscribing I accept the terms of use", "All rights reserved", "Follow us", "Download the app", "Tags",
    "Sign up to get the day's main stories by email.", "Enter your email address", "Thank you for registering.",
    "This site uses cookies to improve your experience.", "Support our journalism", "Become a member",
    "Reading time: 3 minutes", "Published on", "Updated at", "By our staff", "Share", "Save", "Next", "Previous",
    "Customer service", "Feedback", "Help centre", "Jobs", "Magazine", "Crossword", "Obituaries", "Photo gallery",
)  # fmt: skip
_CREDITS: Final = (
    "(photo credit: {name})", "Photo: {name}", "(Photo by {name})", "Image: {name}/Handout", "File photo: {name}",
    "Picture by {name}", "{name} / file", "(credit: {name})", "By {name}", "BY {NAME}", "Analysis by {name}",
    "{name} is a reporter for this newspaper.", "Reporting by {name}; editing by {other}",
)  # fmt: skip


def edit(example: Example, changes: Iterable[tuple[int, int, str]]) -> Example:
    """The example with pieces of its text replaced; spans move along.

    Args:
        example: An article.
        changes: (start, end, new text), not overlapping.  A span that begins or ends inside of a
            replaced piece grows to hold the new piece.
    """
    ordered = sorted(changes)
    starts, ends = [start for start, _, _ in ordered], [end for _, end, _ in ordered]
    shifts, pieces, at = [0], [], 0
    for start, end, new in ordered:
        pieces += [example.text[at:start], new]
        shifts.append(shifts[-1] + len(new) - (end - start))
        at = end
    text = "".join([*pieces, example.text[at:]])

    def begin(position: int) -> int:
        number = bisect_right(ends, position)  # changes that end before or at it
        inside = number < len(starts) and starts[number] < position
        return (starts[number] if inside else position) + shifts[number]

    def finish(position: int) -> int:
        number = bisect_left(starts, position)  # changes that start before it
        inside = number and ends[number - 1] > position
        return (ends[number - 1] if inside else position) + shifts[number]

    def move(span: Span) -> Span:
        return Span(begin(span.start), finish(span.end))

    return replace(
        example,
        text=text,
        attributions=None
        if example.attributions is None
        else tuple(
            Marked(
                {
                    role: tuple(new for new in map(move, spans) if new.start < new.end)
                    for role, spans in one.roles.items()
                },
                one.category,
                one.doubtful,
            )
            for one in example.attributions
        ),
        names=None
        if example.names is None
        else tuple(Name(moved, one.kind) for one in example.names if (moved := move(one.span)).start < moved.end),
    )


def without_address(example: Example) -> Example:
    """The example without the web address that is its first paragraph: most articles begin with their own words."""
    first, _, rest = example.text.partition("\n\n")
    return edit(example, [(0, len(example.text) - len(rest), "")]) if "://" in first else example


def restyle_quotations(example: Example, rng: Random) -> Example:
    """All double quotation marks in another style."""
    opening, closing = rng.choices(_STYLES, _STYLE_WEIGHTS)[0]
    changes = []
    for quotation in quotations(example.text):
        if quotation.family == "double" and not quotation.depth:
            if quotation.open:
                changes.append((*quotation.open, opening))
            if quotation.close:
                changes.append((*quotation.close, closing))
    return edit(example, changes)


def unclose_quotations(example: Example, rng: Random) -> Example:
    """Some quotations lose a mark."""
    changes = []
    for quotation in quotations(example.text):
        if rng.random() < 0.15:
            mark = quotation.close if rng.random() < 0.8 else quotation.open
            if mark:
                changes.append((*mark, ""))
    return edit(example, changes)


def rename_people(example: Example, rng: Random, names: Sequence[tuple[str, ...]]) -> Example:
    """People get other names, each always the same one: full names, and first or last names alone."""
    people: dict[str, tuple[str, ...]] = {}
    changes = []
    for name in example.names or ():
        old = name.span.of(example.text)
        words = old.split()
        if name.kind != "person" or not all(word[:1].isupper() for word in words):
            continue
        key = words[-1].lower()
        new = people.setdefault(key, rng.choice(names))
        changes.append((*name.span, " ".join(new) if len(words) > 1 else new[-1]))
    kept: list[tuple[int, int, str]] = []
    for change in sorted(changes):
        if not kept or change[0] >= kept[-1][1]:
            kept.append(change)
    return edit(example, kept)


def capitalize(example: Example, rng: Random) -> Example:
    """A headline, a kicker or a paragraph's first words in capitals."""
    blocks = paragraphs(example.text)
    if not blocks:
        return example
    block = blocks[0] if rng.random() < 0.6 else rng.choice(blocks)
    end = block.end if block.end - block.start < 150 else min(block.start + rng.randint(8, 40), block.end)
    old = example.text[block.start : end]
    new = old.upper()
    # Some letters become two in capitals; spans inside would no longer fit.
    return (
        edit(example, [(block.start + n, block.start + n + 1, c) for n, c in enumerate(new)])
        if len(new) == len(old)
        else example
    )


@dataclass(frozen=True, slots=True)
class Augmenter:
    """Changes examples at random.

    Args:
        names: Full names of people to put in.
        teasers: First lines of other articles, for menus.
    """

    names: Sequence[tuple[str, ...]]
    teasers: Sequence[str]

    def __call__(self, example: Example, rng: Random) -> Example:
        """A changed example, or the same."""
        if rng.random() < 0.35:
            return example
        if rng.random() < 0.3:
            example = rename_people(example, rng, self.names)
        if rng.random() < 0.4:
            example = restyle_quotations(example, rng)
        if rng.random() < 0.15:
            example = unclose_quotations(example, rng)
        if rng.random() < 0.15:
            example = capitalize(example, rng)
        if rng.random() < 0.25:
            example = self.surround(example, rng)
        return example

    def surround(self, example: Example, rng: Random) -> Example:
        """A page's menus, captions, credits and teasers before, behind and between the paragraphs."""
        separator = "\n\n" if "\n\n" in example.text else "\n"
        blocks = paragraphs(example.text)
        changes = []
        if rng.random() < 0.7:
            changes.append((0, 0, self._menu(rng) + separator))
        if rng.random() < 0.7:
            changes.append((len(example.text), len(example.text), separator + self._menu(rng)))
        inner = [block.start for block in blocks[1:]]
        for at in sorted(rng.sample(inner, min(len(inner), rng.randint(0, 3)))):
            line = self._credit(rng) if rng.random() < 0.5 else rng.choice(_MENU)
            changes.append((at, at, line + separator))
        return edit(example, changes)

    def _menu(self, rng: Random) -> str:
        lines: list[str] = []
        for _ in range(rng.randint(1, 4)):
            kind = rng.random()
            if kind < 0.35:
                lines += rng.sample(_MENU, rng.randint(2, 9))
            elif kind < 0.5:
                lines.append(" ".join(rng.sample(_MENU, rng.randint(4, 14))))
            elif kind < 0.65:
                lines.append(self._credit(rng))
            else:
                lines.append(rng.choice(("Most read", "Related stories", "Read more", "Top stories", "Opinion")))
                numbered = rng.random() < 0.5
                for number in range(1, rng.randint(3, 7)):
                    teaser = rng.choice(self.teasers)
                    lines.append(f"{number} {teaser}" if numbered else teaser)
                    if rng.random() < 0.3:
                        lines.append(self._credit(rng))
        return rng.choice(("\n", "\n", "\n\n")).join(lines)

    def _credit(self, rng: Random) -> str:
        name, other = (" ".join(rng.choice(self.names)) for _ in range(2))
        return rng.choice(_CREDITS).format(name=name, NAME=name.upper(), other=other)
