"""What requests with an article have in common: the page that they hand in, and its reading."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import current_app

from models.records import Habit, Reading
from service.api.timing import stage
from service.errors import Invalid
from service.pages import Page, PageError, read_page, read_text
from service.pages.language import foreign_language, language_name

_SAID = ("title", "publisher", "url", "published", "language")


def page_of(asked: dict[str, Any]) -> Page:
    """The article to read; what the caller says of it wins over what the page says.

    Raises:
        Invalid: There is no article, or it is in another language.
    """
    field = "text" if "text" in asked else "html"
    with stage("page"):
        try:
            page = read_text(asked["text"]) if field == "text" else read_page(asked["html"], asked.get("url"))
        except PageError as error:
            raise Invalid(errors=[{"field": field, "message": str(error)}]) from None
    language = asked.get("language")
    if language is None and (foreign := foreign_language(page.text)):
        message = (
            f"This is {language_name(foreign)} ({foreign}); only English is read. With language: en it is read anyway."
        )
        raise Invalid(errors=[{"field": field, "message": message}])
    said = {name: asked[name] for name in _SAID if name in asked}
    told = page.language if page.language and page.language.lower().startswith("en") else "en"
    return replace(page, **{"language": told, **said})


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
