"""The shapes of requests and responses."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import marshmallow as ma
from marshmallow import ValidationError, fields, validate

from models.records import CATEGORIES, HABITS, KINDS
from service.pages import MAX_LANGUAGE, MAX_PUBLISHED, MAX_TITLE, MAX_URL
from service.pages.boilerplate import BLOCK_KINDS

TYPES = ("direct", "mixed", "indirect")

FORMATS: Final[dict[str, str]] = {
    "json": "application/json",
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "jsonld": "application/ld+json",
}
"""Media types by the names that callers may use."""


class Text(fields.String):
    """A string that is not blank and can be written down anywhere: no NUL, no lone surrogates."""

    def __init__(self, *, metadata: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(metadata={"minLength": 1, **metadata}, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if text is None or not text.strip():
            raise ValidationError("Must not be empty.")
        if "\0" in text:
            raise ValidationError(f"Must not contain NUL; there is one at offset {text.index(chr(0))}.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            surrogate = ord(text[error.start])
            raise ValidationError(
                f"Must not contain lone surrogates; there is U+{surrogate:04X} at offset {error.start}."
            ) from None
        return text


class Pattern(validate.Regexp):
    """A pattern of the whole string, as the contract's dialect has it: Python's ``$`` lets a final newline pass."""

    def __call__(self, value: Any) -> Any:
        """The string itself.

        Raises:
            ValidationError: It does not match.
        """
        if not self.regex.fullmatch(value):
            raise ValidationError(self._format_error(value))
        return value


class Url(Text):
    """A web address; it must fit into an index, whose entries are counted in bytes."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        url = super()._deserialize(value, *args, **kwargs)
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, url))
        except ValueError:
            good = False
        if not good:
            raise ValidationError("Must be an http or https address.")
        if len(url) <= MAX_URL < len(url.encode()):
            raise ValidationError(f"Longer than maximum length {MAX_URL} in bytes of UTF-8.")
        return url


class Published(Text):
    """A day or a moment in ISO 8601, kept as it was written."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        written = super()._deserialize(value, *args, **kwargs)
        try:
            datetime.fromisoformat(written)  # a date's own takes 2024053110, too
        except ValueError:
            message = "Must be a date or a date and time in ISO 8601, like 2024-05-31 or 2024-05-31T09:30:00Z."
            raise ValidationError(message) from None
        return written


class AnalysisRequestSchema(ma.Schema):
    """An article to read: either its text or its web page."""

    class Meta:
        """Unknown keys are errors: a misspelt option must not pass in silence."""

        unknown = ma.RAISE

    text = Text(metadata={"description": "The article's text, read as it stands: offsets count its code points."})
    html = Text(metadata={"description": "The article's web page; its main text is taken out first."})
    title = Text(validate=validate.Length(max=MAX_TITLE), metadata={"description": "The headline."})
    url = Url(
        validate=validate.Length(max=MAX_URL),
        metadata={"description": "Where the article is; the limit holds for its bytes in UTF-8, too.", "format": "uri"},
    )
    published = Published(
        validate=[
            Pattern(r"^[0-9]{4}-?([0-9]{2}-?[0-9]{2}|W[0-9]{2}).*$"),
            validate.Length(max=MAX_PUBLISHED),
        ],
        metadata={"description": "When it appeared: ISO 8601, a date or a date and time."},
    )
    language = Text(
        validate=[
            Pattern(
                r"^[Ee][Nn][Gg]?(-[A-Za-z0-9]{1,8})*$",
                error="Only English is read: must be a language tag (BCP 47) like en or en-GB.",
            ),
            validate.Length(max=MAX_LANGUAGE),
        ],
        metadata={
            "description": "The article's language, a BCP 47 tag. Only English is read; without this field a text that"
            " is surely in another language is refused, with it the text is read as English."
        },
    )
    habit = fields.String(
        validate=validate.OneOf(HABITS),
        metadata={"description": "Whose way of marking attributions to follow; without it the service's default."},
    )

    @ma.validates_schema(skip_on_field_errors=False)
    def _one_of_text_and_html(self, data: dict[str, Any], **_: Any) -> None:
        if "text" in data and "html" in data:
            raise ValidationError("Send either text or html, not both.", "html")

    @ma.pre_load
    def _text_or_html_is_there(self, data: Any, **_: Any) -> Any:
        if isinstance(data, dict) and "text" not in data and "html" not in data:
            raise ValidationError("Missing: send text or html.", "text")
        return data


def format_field() -> fields.String:
    """The argument that tells in which form an answer is wanted."""
    about = "The form of the answer; without it the Accept header decides, or it is JSON."
    return fields.String(validate=validate.OneOf(list(FORMATS)), metadata={"description": about})


class FormatSchema(ma.Schema):
    """In which form."""

    class Meta:
        """A misspelt argument must not pass in silence."""

        unknown = ma.RAISE

    format = format_field()


class RangeSchema(ma.Schema):
    """A half-open range of the article's text."""

    start = fields.Integer(
        required=True,
        validate=validate.Range(min=0),
        metadata={"description": "The first code point's offset."},
    )
    end = fields.Integer(
        required=True,
        validate=validate.Range(min=0),
        metadata={"description": "The offset behind the last code point."},
    )


class SpanSchema(RangeSchema):
    """A piece of the article's text: ``article.text[start:end] == text``, in Unicode code points."""

    text = fields.String(required=True, metadata={"description": "The piece itself."})


def span_record(text: str, start: int, end: int) -> dict[str, Any]:
    """A span of a text in the form of ``SpanSchema``."""
    return {"start": start, "end": end, "text": text[start:end]}


class CandidateSchema(ma.Schema):
    """Who an attribution's speaker may be."""

    name = fields.String(
        required=True, allow_none=True, metadata={"description": "The name; null for nobody that the article names."}
    )
    kind = fields.String(required=True, validate=validate.OneOf(KINDS), metadata={"description": "What it is."})
    probability = fields.Float(
        required=True, validate=validate.Range(min=0, max=1), metadata={"description": "How likely it is."}
    )


class AttributionSchema(ma.Schema):
    """One place where the article attributes something to someone."""

    source = fields.List(
        fields.Nested(SpanSchema),
        required=True,
        metadata={"description": "Who: the words that name the source."},
    )
    cue = fields.List(
        fields.Nested(SpanSchema),
        required=True,
        metadata={"description": "The attributing words, like said."},
    )
    content = fields.List(fields.Nested(SpanSchema), required=True, metadata={"description": "What is attributed."})
    type = fields.String(
        required=True,
        validate=validate.OneOf(TYPES),
        metadata={"description": "direct: all of the content is quoted; mixed: a part; indirect: nothing."},
    )
    confidence = fields.Float(
        required=True,
        validate=validate.Range(min=0, max=1),
        metadata={"description": "The calibrated probability that the attribution is right."},
    )
    sentence = fields.Integer(
        required=True,
        validate=validate.Range(min=0),
        metadata={"description": "The place in article.sentences of the sentence that the cue begins in."},
    )
    paragraph = fields.Integer(
        required=True,
        validate=validate.Range(min=0),
        metadata={"description": "The place in article.paragraphs of the paragraph that the cue begins in."},
    )
    speaker = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The id, in speakers, of who the source really is; null if the article does not tell."
        },
    )
    mention = fields.Nested(
        SpanSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The words that decided who the speaker is; null if none did."},
    )
    candidates = fields.List(
        fields.Nested(CandidateSchema),
        required=True,
        validate=validate.Length(max=3),
        metadata={"description": "The likeliest speakers, the likeliest first; it is the one that was chosen."},
    )


class SpeakerSchema(ma.Schema):
    """Someone or something that the article attributes to."""

    id = fields.String(required=True, metadata={"description": "Names the speaker within this answer only."})
    name = fields.String(required=True, metadata={"description": "The fullest name that the article gives."})
    kind = fields.String(required=True, validate=validate.OneOf(KINDS), metadata={"description": "What it is."})
    role = fields.String(
        required=True, allow_none=True, metadata={"description": "An office or title, where the article states one."}
    )
    aliases = fields.List(
        fields.String(), required=True, metadata={"description": "Other names that the article uses."}
    )
    attributions = fields.List(
        fields.Integer(validate=validate.Range(min=0)),
        required=True,
        metadata={"description": "The places in attributions of those that are this speaker's."},
    )


class ClaimSchema(ma.Schema):
    """What one attribution asserts."""

    id = fields.String(
        required=True, metadata={"description": "Stays the same for the same article text and the same spans."}
    )
    attribution = fields.Integer(
        required=True,
        validate=validate.Range(min=0),
        metadata={"description": "The place in attributions of the one that it is from, with the spans."},
    )
    text = fields.String(
        required=True,
        metadata={
            "description": "The content made readable: marks around it, that before it, hanging commas left out."
        },
    )
    speaker = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The id, in speakers; null if the article does not tell."},
    )
    type = fields.String(
        required=True,
        validate=validate.OneOf(TYPES),
        metadata={"description": "direct: all of the content is quoted; mixed: a part; indirect: nothing."},
    )
    category = fields.String(
        required=True, validate=validate.OneOf(CATEGORIES), metadata={"description": "The likeliest category."}
    )
    category_probability = fields.Float(
        required=True, validate=validate.Range(min=0, max=1), metadata={"description": "How likely the category is."}
    )
    check_worthiness = fields.Float(
        required=True,
        validate=validate.Range(min=0, max=1),
        metadata={"description": "The probability that it is about facts that can be checked today."},
    )
    confidence = fields.Float(
        required=True,
        validate=validate.Range(min=0, max=1),
        metadata={"description": "The calibrated probability that the attribution is right."},
    )
    context = fields.Nested(
        SpanSchema, required=True, allow_none=True, metadata={"description": "The sentence that the content begins in."}
    )


class BlockSchema(RangeSchema):
    """A line of the text that is not the article's own; nothing in it is attributed to anyone."""

    kind = fields.String(
        required=True, validate=validate.OneOf(BLOCK_KINDS), metadata={"description": "What it is instead."}
    )


class ArticleSchema(ma.Schema):
    """The article as it was read."""

    text = fields.String(required=True, metadata={"description": "The text that all offsets count in."})
    title = fields.String(required=True, allow_none=True, metadata={"description": "The headline."})
    byline = fields.String(
        required=True, allow_none=True, metadata={"description": "Its authors, as the web page names them."}
    )
    publisher = fields.String(
        required=True, allow_none=True, metadata={"description": "Its publisher, as the web page names it."}
    )
    url = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Where the article is: as it was sent, or the web page's canonical address."},
    )
    published = fields.String(required=True, allow_none=True, metadata={"description": "When it appeared."})
    language = fields.String(required=True, metadata={"description": "Its language, a BCP 47 tag."})
    boilerplate = fields.List(
        fields.Nested(BlockSchema),
        required=True,
        metadata={"description": "Lines that are not the article's own (menus, captions, lists of other articles)."},
    )
    paragraphs = fields.List(
        fields.Nested(RangeSchema), required=True, metadata={"description": "Its paragraphs in order."}
    )
    sentences = fields.List(
        fields.Nested(RangeSchema), required=True, metadata={"description": "Its sentences in order."}
    )


class ModelSchema(ma.Schema):
    """What has read the article."""

    version = fields.String(required=True, metadata={"description": "The version of the trained weights."})
    habit = fields.String(
        required=True,
        validate=validate.OneOf(HABITS),
        metadata={"description": "The habit that was followed."},
    )


class AnalysisSchema(ma.Schema):
    """What was found in an article."""

    article = fields.Nested(ArticleSchema, required=True)
    attributions = fields.List(
        fields.Nested(AttributionSchema),
        required=True,
        metadata={"description": "In the order of their cues."},
    )
    speakers = fields.List(
        fields.Nested(SpeakerSchema),
        required=True,
        metadata={"description": "Who the article attributes to, in the order of their first attributions."},
    )
    claims = fields.List(
        fields.Nested(ClaimSchema), required=True, metadata={"description": "What is asserted, in the same order."}
    )
    model = fields.Nested(ModelSchema, required=True)


class StatusSchema(ma.Schema):
    """Whether the service is well."""

    status = fields.String(required=True, metadata={"description": "ok"})


class ReadinessSchema(StatusSchema):
    """Whether the service can do its work."""

    checks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "What was looked at: ok, or what is wrong."},
    )


class LimitsSchema(ma.Schema):
    """What the service will take."""

    max_body_bytes = fields.Integer(required=True, metadata={"description": "The longest request body."})
    max_batch_bytes = fields.Integer(
        required=True, metadata={"description": "The longest archive, as sent and unpacked."}
    )
    max_gzip_ratio = fields.Integer(
        required=True, metadata={"description": "To how many times its size a body or an archive may unpack."}
    )
    keep_batches = fields.Integer(
        required=True, metadata={"description": "Days after its end when a batch is removed; 0 for never."}
    )
    max_waiting = fields.Integer(required=True, metadata={"description": "Requests of a process that may wait."})
    idempotency_hours = fields.Integer(
        required=True, metadata={"description": "How long answers are given again to the same Idempotency-Key."}
    )
    deadline = fields.Integer(
        required=True, metadata={"description": "Seconds that a request may wait for its turn to be read."}
    )
    requests_per_minute = fields.Integer(
        required=True, metadata={"description": "Requests of a key in a minute, unless it has its own limit; 0: any."}
    )
    characters_per_day = fields.Integer(
        required=True,
        metadata={"description": "Code points read for a key in a day (UTC), unless it has its own limit; 0: any."},
    )
    max_title = fields.Integer(required=True, metadata={"description": "The longest title, in code points."})
    max_url = fields.Integer(
        required=True, metadata={"description": "The longest url, in code points and in bytes of UTF-8."}
    )


class SameClaimModelSchema(ma.Schema):
    """What decides whether two claims are the same."""

    version = fields.String(required=True, metadata={"description": "The version of the trained weights."})


class InfoSchema(ma.Schema):
    """What this service is."""

    name = fields.String(required=True, metadata={"description": "whosaid"})
    version = fields.String(required=True, metadata={"description": "The version of the service."})
    model = fields.Nested(ModelSchema, required=True)
    same_claim = fields.Nested(SameClaimModelSchema, required=True)
    habits = fields.List(fields.String(), required=True, metadata={"description": "The habits that can be followed."})
    languages = fields.List(fields.String(), required=True, metadata={"description": "The languages that are read."})
    needs_key = fields.Boolean(
        required=True,
        metadata={"description": "Whether requests need an API key; without, whoever reaches the service may do all."},
    )
    limits = fields.Nested(LimitsSchema, required=True)
