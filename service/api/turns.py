"""What requests with an article have in common: whose habit is followed, and their turn at the Reader."""

from __future__ import annotations

from typing import Any

from flask import current_app, g

from models.records import Habit, Reading
from service.config import Settings
from service.operations import metrics
from service.pages import Page
from service.security import access
from service.stages import stage


def habit_of(asked: dict[str, Any]) -> Habit:
    """The habit that a request is to be read in."""
    habit: Habit = asked.get("habit", current_app.config["SETTINGS"].habit)
    return habit


def read(page: Page, habit: Habit) -> Reading:
    """Read an article when it is its turn.

    Raises:
        Overloaded: Too many wait already.
        DeadlinePassed: Its turn did not come in time.
        RateLimited: The caller's key has not so many characters left today.
    """
    settings: Settings = current_app.config["SETTINGS"]
    access.count_characters(len(page.text))
    try:
        with current_app.config["GATE"](g.begun + settings.deadline), stage("read"):
            reading: Reading = current_app.config["READER"].read_one(page.article, habit=habit)
    except Exception:
        access.count_characters(-len(page.text))
        raise
    metrics.ARTICLES_READ.inc()
    metrics.CHARACTERS_READ.inc(len(page.text))
    return reading
