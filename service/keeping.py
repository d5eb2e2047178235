"""The one door by which articles get into the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.records import Habit, Reading
from service.stages import stage
from service.store.articles import Changed, Handed, find_article, is_read, save_article
from service.store.engine import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored article's id, and whether it is new."""

    id: str
    is_new: bool


class Keeper:
    """Keeps articles with what was found in them.

    Args:
        store: Where.
        model: The version of the weights that read them.

    Safe for several threads.
    """

    def __init__(self, store: Store, model: str) -> None:
        self.store, self.model = store, model

    def is_known(self, handed: Handed, habit: Habit) -> bool:
        """Whether an article is stored already, as reading it again would have it.

        Raises:
            Conflict: It is two stored articles.
        """
        with self.store.read() as session:
            known = find_article(session, handed)
            return known is not None and is_read(known, handed, self.model, habit)

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
            try:
                with stage("store"), self.store.write() as session:
                    return Kept(*save_article(session, handed, reading, self.model, habit))
            except Changed:  # by somebody else, since it was looked for
                reading = read()
