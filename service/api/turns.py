"""What requests with an article have in common: whose habit is followed, and their turn at the Reader."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from flask import current_app, g

from models.records import Habit, Reading
from service.config import Settings
from service.intake import page_of
from service.operations import metrics
from service.pages import Page
from service.reading import Gate
from service.security import access
from service.stages import stage


def habit_of(asked: dict[str, Any]) -> Habit:
    """The habit that a request is to be read in."""
    habit: Habit = asked.get("habit", current_app.config["SETTINGS"].habit)
    return habit


def page_for(asked: dict[str, Any]) -> Page:
    """The article that a request is about; a web page is taken apart when it is its turn, for that takes long as well.

    Raises:
        Invalid: There is no article, or it is in another language.
        Overloaded: Too many wait already.
        DeadlinePassed: Its turn did not come in time.
    """
    with _turn() if "html" in asked else nullcontext():
        return page_of(asked)


def read(page: Page, habit: Habit) -> Reading:
    """Read an article when it is its turn.

    Raises:
        Overloaded: Too many wait already.
        DeadlinePassed: Its turn did not come in time.
        RateLimited: The caller's key has not so many characters left today.
    """
    counted = access.count_characters(len(page.text))
    try:
        with _turn(), stage("read"):
            reading: Reading = current_app.config["READER"].read_one(page.article, habit=habit)
    except Exception:
        access.give_back_characters(len(page.text), counted)
        raise
    metrics.ARTICLES_READ.inc()
    metrics.CHARACTERS_READ.inc(len(page.text))
    return reading


def _turn() -> AbstractContextManager[None]:
    settings: Settings = current_app.config["SETTINGS"]
    gate: Gate = current_app.config["GATE"]
    return gate(g.begun + settings.deadline)
