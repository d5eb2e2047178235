"""Articles as callers hand them in, over HTTP or in an archive, to pages that can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from service.errors import Invalid
from service.pages import Page, PageError, read_page, read_text
from service.pages.language import foreign_language, language_name
from service.stages import stage

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
    # A page in English that says that it is in another language says nothing of use.
    told = page.language if page.language and page.language.lower().startswith("en") else None
    return replace(page, **{"language": told, **said})
