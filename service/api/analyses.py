"""``POST /v1/analyses``: an article in, its attributions out; nothing is stored."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

from flask import current_app
from flask.views import MethodView

from models.claims import Claim, find_claims
from models.records import Attribution, Habit, Reading, Span, Speaker
from service.api import Blueprint
from service.api.schemas import AnalysisRequestSchema, AnalysisSchema, span_record
from service.api.turns import habit_of, page_for, read
from service.pages import Page
from service.security import access

blueprint = Blueprint("analyses", __name__, url_prefix="/v1/analyses", description="Read an article.")

_ABOUT: Final = ("text", "title", "byline", "publisher", "url", "published")


@blueprint.route("")
class Analyses(MethodView):
    """Readings that are not kept."""

    @blueprint.arguments(AnalysisRequestSchema)
    @blueprint.response(200, AnalysisSchema)
    @blueprint.problems(400, 413, 415, 422, 429)
    @blueprint.doc(operationId="analyse")
    @access.needs("read")
    def post(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Find the attributions of an article.

        Give the article's text or its web page. The answer holds every place where the article
        attributes something to someone: who (source), by which words (cue), and what (content); who
        the sources really are (speakers); and what is asserted, readable by itself (claims).
        Offsets count the Unicode code points of article.text, which is exactly the text that was
        sent, or the one that was taken out of the page; its menus, captions and the like are marked
        as boilerplate and attribute nothing. A text in another language than English is refused
        unless the caller says that it is English. Nothing is stored.
        """
        page, habit = page_for(asked), habit_of(asked)
        return analysis_record(page, read(page, habit), current_app.config["READER"].version, habit)


def analysis_record(page: Page, reading: Reading, model: str, habit: Habit) -> dict[str, Any]:
    """What was found in an article, in the form of ``AnalysisSchema``; for the command line, too."""
    return {
        "article": {
            **{name: getattr(page, name) for name in _ABOUT},
            "language": page.language or "en",
            "boilerplate": [block.as_record() for block in page.boilerplate],
            "paragraphs": [span._asdict() for span in reading.paragraphs],
            "sentences": [span._asdict() for span in reading.sentences],
        },
        "attributions": [_attribution(one, reading) for one in reading.attributions],
        "speakers": [_speaker(number, one, reading) for number, one in enumerate(reading.speakers)],
        "claims": [_claim(one, reading) for one in find_claims(reading)],
        "model": {"version": model, "habit": habit},
    }


def _attribution(one: Attribution, reading: Reading) -> dict[str, Any]:
    start = (one.cue or one.content)[0].start
    return {
        "source": _spans(one.source, reading.text),
        "cue": _spans(one.cue, reading.text),
        "content": _spans(one.content, reading.text),
        "type": one.type,
        "confidence": one.confidence,
        "sentence": _place(reading.sentences, start),
        "paragraph": _place(reading.paragraphs, start),
        "speaker": _speaker_id(one.speaker),
        "mention": _span(one.mention, reading.text),
        "candidates": [{"name": who.name, "kind": who.kind, "probability": who.probability} for who in one.candidates],
    }


def _speaker(number: int, one: Speaker, reading: Reading) -> dict[str, Any]:
    return {
        "id": _speaker_id(number),
        "name": one.name,
        "kind": one.kind,
        "role": one.role,
        "aliases": list(one.aliases),
        "attributions": [place for place, said in enumerate(reading.attributions) if said.speaker == number],
    }


def _claim(one: Claim, reading: Reading) -> dict[str, Any]:
    return {
        "id": one.id,
        "attribution": one.attribution,
        "text": one.text,
        "speaker": _speaker_id(one.speaker),
        "type": one.type,
        "category": one.category,
        "category_probability": one.category_probability,
        "check_worthiness": one.check_worthiness,
        "confidence": one.confidence,
        "context": _span(one.context, reading.text),
    }


def _speaker_id(number: int | None) -> str | None:
    return None if number is None else f"speaker-{number + 1}"


def _span(span: Span | None, text: str) -> dict[str, Any] | None:
    return None if span is None else _spans([span], text)[0]


def _spans(spans: Sequence[Span], text: str) -> list[dict[str, Any]]:
    return [span_record(text, *span) for span in spans]


def _place(spans: Sequence[Span], offset: int) -> int:
    """The number of the span that holds the offset."""
    return bisect_right(spans, offset, key=lambda span: span.start) - 1
