"""The shapes of what is stored, and how rows become them."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import marshmallow as ma
from marshmallow import fields, validate
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.records import CATEGORIES, KINDS, ROLES
from service.api.paging import PageArgumentsSchema
from service.api.schemas import (
    TYPES,
    AnalysisRequestSchema,
    BlockSchema,
    ModelSchema,
    Pattern,
    SpanSchema,
    Text,
    format_field,
    span_record,
)
from service.errors import NotFound
from service.pages import MAX_PUBLISHER
from service.store.tables import Appearance, Article, Claim, Speaker

MAX_EXTERNAL_ID = 200
MAX_QUERY = 500
MAX_NAME = 300

T = TypeVar("T")

_NAMES = "Parts will do: each word must begin a word of one of their names; accents and capitals do not matter."
_ID = re.compile(r"[a-z]+-[0-9a-f]{1,50}")


class ArticleRequestSchema(AnalysisRequestSchema):
    """An article to store."""

    external_id = Text(
        validate=validate.Length(max=MAX_EXTERNAL_ID),
        metadata={"description": "Your own id of the article: sent again, the article is updated."},
    )
    publisher = Text(validate=validate.Length(max=MAX_PUBLISHER), metadata={"description": "Who published it."})


class ArticleHeadSchema(ma.Schema):
    """A stored article, without its text."""

    id = fields.String(required=True, metadata={"description": "Names the article."})
    external_id = fields.String(required=True, allow_none=True, metadata={"description": "Your own id of it."})
    title = fields.String(required=True, allow_none=True, metadata={"description": "The headline."})
    byline = fields.String(required=True, allow_none=True, metadata={"description": "Its authors."})
    publisher = fields.String(required=True, allow_none=True, metadata={"description": "Who published it."})
    url = fields.String(required=True, allow_none=True, metadata={"description": "Where the article is."})
    published = fields.String(required=True, allow_none=True, metadata={"description": "When it appeared."})
    language = fields.String(required=True, metadata={"description": "Its language, a BCP 47 tag."})
    created = fields.String(required=True, metadata={"description": "When it was stored first.", "format": "date-time"})
    updated = fields.String(required=True, metadata={"description": "When it was stored last.", "format": "date-time"})
    model = fields.Nested(ModelSchema, required=True, metadata={"description": "What read it."})


class SpeakerHeadSchema(ma.Schema):
    """A speaker across articles."""

    id = fields.String(required=True, metadata={"description": "Names the speaker in all articles."})
    name = fields.String(required=True, metadata={"description": "Their name."})
    kind = fields.String(required=True, validate=validate.OneOf(KINDS), metadata={"description": "What it is."})


class AppearanceSchema(SpeakerHeadSchema):
    """A speaker as one article has them."""

    called = fields.String(required=True, metadata={"description": "The fullest name that the article gives."})
    role = fields.String(
        required=True, allow_none=True, metadata={"description": "An office or title that the article states."}
    )
    aliases = fields.List(fields.String(), required=True, metadata={"description": "Other names in the article."})
    candidates = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Ids of speakers that it may be as well: names too much alike to be told apart."},
    )


class StoredClaimSchema(ma.Schema):
    """A stored claim."""

    id = fields.String(required=True, metadata={"description": "Stays the same for the same article and spans."})
    article = fields.String(required=True, metadata={"description": "The article's id."})
    title = fields.String(required=True, allow_none=True, metadata={"description": "The article's headline."})
    url = fields.String(required=True, allow_none=True, metadata={"description": "Where the article is."})
    publisher = fields.String(required=True, allow_none=True, metadata={"description": "Who published the article."})
    published = fields.String(required=True, allow_none=True, metadata={"description": "When the article appeared."})
    text = fields.String(required=True, metadata={"description": "The content made readable."})
    speaker = fields.Nested(
        SpeakerHeadSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null if the article does not tell."},
    )
    type = fields.String(required=True, validate=validate.OneOf(TYPES), metadata={"description": "How it is quoted."})
    category = fields.String(
        required=True, validate=validate.OneOf(CATEGORIES), metadata={"description": "The likeliest category."}
    )
    category_probability = fields.Float(required=True, metadata={"description": "How likely the category is, 0 to 1."})
    check_worthiness = fields.Float(
        required=True, metadata={"description": "The probability that it is about facts that can be checked, 0 to 1."}
    )
    confidence = fields.Float(
        required=True, metadata={"description": "The attribution's calibrated confidence, 0 to 1."}
    )
    source = fields.List(fields.Nested(SpanSchema), required=True, metadata={"description": "Who, in the text."})
    cue = fields.List(fields.Nested(SpanSchema), required=True, metadata={"description": "The attributing words."})
    content = fields.List(fields.Nested(SpanSchema), required=True, metadata={"description": "What is attributed."})
    context = fields.Nested(
        SpanSchema, required=True, allow_none=True, metadata={"description": "The sentence that the content begins in."}
    )
    cluster = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The id of its cluster; null if no other article has a claim that asserts the same."},
    )


class StoredArticleSchema(ArticleHeadSchema):
    """A stored article with its claims."""

    text = fields.String(required=True, metadata={"description": "The text that all offsets count in."})
    boilerplate = fields.List(
        fields.Nested(BlockSchema), required=True, metadata={"description": "Lines that are not the article's own."}
    )
    speakers = fields.List(
        fields.Nested(AppearanceSchema), required=True, metadata={"description": "Its speakers, in order."}
    )
    claims = fields.List(
        fields.Nested(StoredClaimSchema), required=True, metadata={"description": "Its claims, in order."}
    )


class NextSchema(ma.Schema):
    """Where a list goes on."""

    next = fields.String(
        required=True, allow_none=True, metadata={"description": "The cursor of the next page; null at the end."}
    )


class ArticlePageSchema(NextSchema):
    """A page of articles."""

    items = fields.List(fields.Nested(ArticleHeadSchema), required=True, metadata={"description": "Latest first."})


class ClaimPageSchema(NextSchema):
    """A page of claims."""

    items = fields.List(fields.Nested(StoredClaimSchema), required=True, metadata={"description": "Latest first."})


class StoredSpeakerSchema(SpeakerHeadSchema):
    """A speaker across articles, with what is known of them."""

    aliases = fields.List(fields.String(), required=True, metadata={"description": "All names that they go by."})
    qid = fields.String(required=True, allow_none=True, metadata={"description": "Their Wikidata identifier."})
    articles = fields.Integer(required=True, metadata={"description": "In how many articles they speak."})
    claims = fields.Integer(required=True, metadata={"description": "How many claims are theirs."})
    first_seen = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The day of the first article they speak in, of those whose day is known."},
    )
    last_seen = fields.String(
        required=True, allow_none=True, metadata={"description": "The day of the last such article."}
    )


class SpeakerChangeSchema(ma.Schema):
    """What to change of a speaker."""

    class Meta:
        """A misspelt field must not pass in silence."""

        unknown = ma.RAISE

    name = Text(validate=validate.Length(max=MAX_NAME), metadata={"description": "The name to show."})
    qid = Text(
        allow_none=True,
        validate=Pattern(r"^Q[1-9][0-9]{0,11}$", error="Must be a Wikidata identifier like Q42."),
        metadata={"description": "The Wikidata identifier, or null for none."},
    )


class MergeSchema(ma.Schema):
    """Who is the same."""

    class Meta:
        """A misspelt field must not pass in silence."""

        unknown = ma.RAISE

    speaker = Text(required=True, metadata={"description": "The id of the speaker that is taken in, and is then gone."})


class SplitSchema(ma.Schema):
    """Who is not the same."""

    class Meta:
        """A misspelt field must not pass in silence."""

        unknown = ma.RAISE

    articles = fields.List(
        Text(metadata={"description": "An article’s id."}),
        required=True,
        validate=validate.Length(min=1, max=1000),
        metadata={"description": "Ids of the articles that mean somebody else."},
    )


class SpeakerPageSchema(NextSchema):
    """A page of speakers."""

    items = fields.List(fields.Nested(StoredSpeakerSchema), required=True, metadata={"description": "Latest first."})


class DatesSchema(PageArgumentsSchema):
    """Filters on the articles."""

    publisher = Text(metadata={"description": "Only of this publisher."})
    published_from = fields.Date(metadata={"description": "Only what appeared on this day or later."})
    published_to = fields.Date(metadata={"description": "Only what appeared on this day or earlier."})


class ArticleArgumentsSchema(DatesSchema):
    """Which articles to list."""

    format = format_field()


class ClaimArgumentsSchema(DatesSchema):
    """Which claims to list."""

    format = format_field()
    q = Text(
        validate=validate.Length(min=1, max=MAX_QUERY),
        metadata={"description": "Only claims with all of these words, in any of their forms."},
    )
    article = Text(metadata={"description": "Only of this article, by its id."})
    speaker = Text(metadata={"description": "Only of this speaker, by their id."})
    speaker_name = Text(
        validate=validate.Length(max=MAX_QUERY),
        metadata={"description": f"Only of speakers of this name. {_NAMES}"},
    )
    kind = fields.String(validate=validate.OneOf(KINDS), metadata={"description": "Only of speakers of this kind."})
    type = fields.String(validate=validate.OneOf(TYPES), metadata={"description": "Only of this type."})
    category = fields.String(validate=validate.OneOf(CATEGORIES), metadata={"description": "Only of this category."})
    cluster = Text(metadata={"description": "Only of this cluster, by its id."})
    min_confidence = fields.Float(
        validate=validate.Range(min=0, max=1), metadata={"description": "Only with this confidence or more."}
    )
    min_check_worthiness = fields.Float(
        validate=validate.Range(min=0, max=1), metadata={"description": "Only with this check-worthiness or more."}
    )


class SpeakerArgumentsSchema(PageArgumentsSchema):
    """Which speakers to list."""

    format = format_field()
    name = Text(
        validate=validate.Length(min=1, max=MAX_QUERY),
        metadata={"description": f"Only those who go by this name. {_NAMES}"},
    )
    qid = Text(metadata={"description": "Only the one with this Wikidata identifier."})
    kind = fields.String(validate=validate.OneOf(KINDS), metadata={"description": "Only of this kind."})


def known_id(id_: str, what: str) -> str:
    """An id from an address.

    Raises:
        NotFound: It cannot be one.
    """
    if not _ID.fullmatch(id_):
        raise _nothing(id_, what)
    return id_


def existing(one: T | None, id_: str, what: str) -> T:
    """What was looked for by its id.

    Raises:
        NotFound: It is not there.
    """
    if one is None:
        raise _nothing(id_, what)
    return one


def _nothing(id_: str, what: str) -> NotFound:
    return NotFound(f"There is no {what} {id_[:60]!r}.")


def article_head(one: Article) -> dict[str, Any]:
    """An article without its text."""
    names = ("id", "external_id", "title", "byline", "publisher", "url", "published", "language")
    return {
        **{name: getattr(one, name) for name in names},
        "created": _moment(one.created),
        "updated": _moment(one.updated),
        "model": {"version": one.model, "habit": one.habit},
    }


def whole_article(session: Session, one: Article) -> dict[str, Any]:
    """An article with its claims; candidates that are gone since are left out."""
    candidates = {id_ for each in one.cast for id_ in each.candidates}
    there = set(session.scalars(select(Speaker.id).where(Speaker.id.in_(candidates)))) if candidates else set()
    return {
        **article_head(one),
        "text": one.text,
        "boilerplate": one.boilerplate,
        "speakers": [_appearance(each, there) for each in one.cast],
        "claims": [claim_record(each) for each in one.claims],
    }


def claim_record(one: Claim) -> dict[str, Any]:
    """A claim with its spans."""
    text = one.article.text
    names = ("id", "text", "type", "category", "category_probability", "check_worthiness", "confidence")
    context = None
    if one.context_start is not None and one.context_end is not None:
        context = span_record(text, one.context_start, one.context_end)
    return {
        **{name: getattr(one, name) for name in names},
        "article": one.article.id,
        **{name: getattr(one.article, name) for name in ("title", "url", "publisher", "published")},
        "speaker": None if one.appearance is None else speaker_head(one.appearance.speaker),
        **{role: [span_record(text, s.start, s.end) for s in one.spans if s.role == role] for role in ROLES},
        "context": context,
        "cluster": None if one.tracked is None or one.tracked.cluster is None else one.tracked.cluster.id,
    }


def speaker_head(one: Speaker) -> dict[str, Any]:
    """A speaker's name and kind."""
    return {"id": one.id, "name": one.name, "kind": one.kind}


def speaker_records(session: Session, rows: Sequence[Speaker]) -> list[dict[str, Any]]:
    """Speakers with what is known of them, counted for all at once."""
    query = (
        select(
            Appearance.speaker_seq,
            func.count(Appearance.article_seq.distinct()),
            func.count(Claim.seq),
            func.min(Article.published_on),
            func.max(Article.published_on),
        )
        .join(Appearance.article)
        .outerjoin(Claim, Claim.appearance_seq == Appearance.seq)
        .where(Appearance.speaker_seq.in_([one.seq for one in rows]))
        .group_by(Appearance.speaker_seq)
    )
    counted = {seq: (articles, claims, first, last) for seq, articles, claims, first, last in session.execute(query)}
    return [_speaker(one, *counted.get(one.seq, (0, 0, None, None))) for one in rows]


def _speaker(one: Speaker, articles: int, claims: int, first: date | None, last: date | None) -> dict[str, Any]:
    return {
        **speaker_head(one),
        "aliases": [name.name for name in one.names if name.name != one.name],
        "qid": one.qid,
        "articles": articles,
        "claims": claims,
        "first_seen": first and first.isoformat(),
        "last_seen": last and last.isoformat(),
    }


def _appearance(one: Appearance, there: Set[str]) -> dict[str, Any]:
    candidates = [id_ for id_ in one.candidates if id_ in there]
    told = {"called": one.name, "role": one.role, "aliases": one.aliases, "candidates": candidates}
    return speaker_head(one.speaker) | told


def _moment(moment: datetime) -> str:
    # SQLite forgets the zone; all moments are kept in UTC.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
