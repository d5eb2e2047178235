"""What requests with an article have in common: whose habit is followed, and their turn at the Reader."""

from __future__ import annotations

from typing import Any

from flask import current_app

from models.records import Habit, Reading
from service.pages import Page
from service.stages import stage


def habit_of(asked: dict[str, Any]) -> Habit:
    """The habit that a request is to be read in."""
    habit: Habit = asked.get("habit", current_app.config["SETTINGS"].habit)
    return habit


def read(page: Page, habit: Habit) -> Reading:
    """Read an article when it is its turn.

    Raises:
        Overloaded: Too many wait already.
    """
    with current_app.config["GATE"](), stage("read"):
        reading: Reading = current_app.config["READER"].read_one(page.article, habit=habit)
    return reading
