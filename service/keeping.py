"""The one door by which articles get into the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from sqlalchemy.orm import Session

from models.claims import find_claims
from models.records import Habit, Reading
from models.same import Assertion
from service.stages import stage
from service.store.articles import (
    Changed,
    Handed,
    day_of,
    delete_article,
    find_article,
    is_read,
    save_article,
    tells_more,
    will_move,
)
from service.store.engine import Store
from service.tracking.claims import Compared, Decides, Tracker, assertion_of


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored article's id, and whether it is new."""

    id: str
    is_new: bool


class Keeper:
    """Keeps articles with what was found in them, and finds who said the same before.

    Args:
        store: Where.
        model: The version of the weights that read them.
        same: What decides whether two claims are the same.

    Safe for several threads.
    """

    def __init__(self, store: Store, model: str, same: Decides) -> None:
        self.store, self.model = store, model
        self.tracker = Tracker(store, same)

    def is_known(self, handed: Handed, habit: Habit) -> bool:
        """Whether an article is stored already, as reading it again would have it.

        Raises:
            Conflict: It is two stored articles.
        """
        with self.store.read() as session:
            known = find_article(session, handed)
            return known is not None and is_read(known, handed, self.model, habit)

    def holds(self, handed: Handed, habit: Habit) -> bool:
        """Whether keeping an article would change nothing.

        Raises:
            Conflict: It is two stored articles.
        """
        with self.store.read() as session:
            known = find_article(session, handed)
            return known is not None and is_read(known, handed, self.model, habit) and not tells_more(known, handed)

    def keep(self, handed: Handed, habit: Habit, read: Callable[[], Reading]) -> Kept:
        """Store an article in place of the one that it is, if there is one: all of it or nothing.

        Args:
            handed: The article.
            habit: Whose way of marking attributions to follow.
            read: Reads it; called only if it is not known, and outside of any transaction.

        Raises:
            Conflict: It is two stored articles.
        """
        reading = None if self.is_known(handed, habit) else read()
        while True:
            with stage("compare"):
                compared = self._compare(handed, reading)
            try:
                with stage("store"), self.store.write() as session:
                    track = partial(self.tracker.track, compared=compared)
                    return Kept(*save_article(session, handed, reading, self.model, habit, track, self.tracker.decide))
            except Changed:  # by somebody else, since it was looked for
                reading = read()

    def remove(self, session: Session, id_: str) -> bool:
        """Remove an article with its claims; whether it was there."""
        return delete_article(session, id_, self.tracker.decide)

    def _compare(self, handed: Handed, reading: Reading | None) -> Compared | None:
        """What takes long of finding the same claims: it must not keep other writers waiting."""
        with self.store.read() as session:
            known = find_article(session, handed)
            day = day_of(handed.page.published or (known.published if known else None))
            if reading is not None:
                assertions = _assertions(reading, day)
            elif known is not None and will_move(known, handed):
                assertions = [replace(assertion_of(claim), date=day) for claim in known.claims]
            else:
                return None
            seq = None if known is None else known.seq
        return self.tracker.compare(assertions, seq)


def _assertions(reading: Reading, day: date | None) -> list[Assertion]:
    return [
        Assertion(claim.text, day, None if claim.speaker is None else reading.speakers[claim.speaker].name)
        for claim in find_claims(reading)
    ]
