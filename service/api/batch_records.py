"""The shapes of batches: what is asked for, what is told of them, and their results."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields, validate

from models.records import HABITS
from service.api.paging import MAX_PAGE, PageArgumentsSchema
from service.api.problems import FieldErrorSchema
from service.api.records import MAX_EXTERNAL_ID, ArticleRequestSchema
from service.api.schemas import AnalysisSchema, Text, Url
from service.batches.callbacks import check_secret
from service.pages import MAX_URL

STATES = ("queued", "running", "finished", "cancelled")


class OptionsSchema(ma.Schema):
    """What is to be done with the articles."""

    class Meta:
        """A misspelt option must not pass in silence."""

        unknown = ma.RAISE

    store = fields.Boolean(
        metadata={"description": "Keep the articles, as POST /v1/articles does; otherwise they are only analysed."},
    )
    habit = fields.String(
        validate=validate.OneOf(HABITS),
        metadata={"description": "Whose way of marking attributions to follow where an article does not say."},
    )
    ignore_unknown = fields.Boolean(
        metadata={"description": "Leave out fields of articles that are not known, rather than refuse the article."},
    )
    callback_url = Url(
        validate=validate.Length(max=MAX_URL),
        metadata={
            "description": "Where to tell that the batch is over, signed as Standard Webhooks has it.",
            "format": "uri",
        },
    )
    callback_secret = Text(
        metadata={
            "description": "What to sign with: whsec_ and the base64 of 24 to 64 bytes. Without it one is made and"
            " told in this answer only. With NDJSON it is the header Callback-Secret."
        }
    )

    @ma.validates("callback_secret")
    def _can_sign(self, value: str, **_: Any) -> None:
        try:
            check_secret(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class BatchArgumentsSchema(OptionsSchema):
    """What is to be done with the articles of an NDJSON body."""

    class Meta:
        """A secret has no place in an address, where logs would keep it."""

        unknown = ma.RAISE
        exclude = ("callback_secret",)


class BatchItemSchema(ArticleRequestSchema):
    """An article of a batch."""

    id = Text(
        validate=validate.Length(max=MAX_EXTERNAL_ID), metadata={"description": "The same as external_id, for short."}
    )


class BatchRequestSchema(ma.Schema):
    """Articles, and what is to be done with them."""

    class Meta:
        """A misspelt field must not pass in silence."""

        unknown = ma.RAISE

    items = fields.List(
        fields.Nested(BatchItemSchema),
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "The articles; one that is not valid is reported and does not stop the others."},
    )
    options = fields.Nested(OptionsSchema, metadata={"description": "What is to be done with them."})


class BatchOptionsSchema(ma.Schema):
    """What is done with the articles."""

    store = fields.Boolean(required=True, metadata={"description": "Whether they are kept."})
    habit = fields.String(required=True, metadata={"description": "Whose way of marking is followed."})
    ignore_unknown = fields.Boolean(required=True, metadata={"description": "Whether unknown fields are left out."})


class CallbackSchema(ma.Schema):
    """How far the callback has come."""

    url = fields.String(required=True, metadata={"description": "Who is told."})
    state = fields.String(
        required=True,
        validate=validate.OneOf(("waiting", "delivered", "failed")),
        metadata={"description": "failed: it was tried for days, or the receiver answered 410."},
    )
    attempts = fields.Integer(required=True, metadata={"description": "How often it was tried."})
    error = fields.String(
        required=True, allow_none=True, metadata={"description": "What was wrong with the last attempt."}
    )


class BatchLinksSchema(ma.Schema):
    """Where things are."""

    self = fields.String(required=True, metadata={"description": "The batch."})
    results = fields.String(required=True, metadata={"description": "Its results."})
    errors = fields.String(required=True, metadata={"description": "The articles without a result."})


class BatchSchema(ma.Schema):
    """A batch and how far it has come."""

    id = fields.String(required=True, metadata={"description": "Names the batch."})
    state = fields.String(
        required=True,
        validate=validate.OneOf(STATES),
        metadata={
            "description": "finished: every article is done or failed. cancelled: what was read until then is kept."
        },
    )
    total = fields.Integer(required=True, metadata={"description": "How many articles it has."})
    done = fields.Integer(required=True, metadata={"description": "How many have a result."})
    failed = fields.Integer(required=True, metadata={"description": "How many are reported with an error."})
    articles_per_second = fields.Float(
        required=True, allow_none=True, metadata={"description": "Of late while it runs, of all of it when it is over."}
    )
    seconds_left = fields.Float(
        required=True, allow_none=True, metadata={"description": "At this rate; null if that cannot be told."}
    )
    created = fields.String(required=True, metadata={"description": "When it was handed in.", "format": "date-time"})
    started = fields.String(
        required=True, allow_none=True, metadata={"description": "When the first was read.", "format": "date-time"}
    )
    ended = fields.String(
        required=True, allow_none=True, metadata={"description": "When it was over.", "format": "date-time"}
    )
    options = fields.Nested(BatchOptionsSchema, required=True)
    callback = fields.Nested(
        CallbackSchema, required=True, allow_none=True, metadata={"description": "Null if nobody is to be told."}
    )
    links = fields.Nested(BatchLinksSchema, required=True)


class NewBatchSchema(BatchSchema):
    """A batch that was just handed in."""

    callback_secret = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What callbacks are signed with; it is not told again. Null if there is no callback."},
    )


class ItemProblemSchema(ma.Schema):
    """Why an article has no result: problem details, as RFC 9457 has them."""

    type = fields.String(
        required=True,
        metadata={"description": "What kind of problem; the address explains it.", "format": "uri-reference"},
    )
    title = fields.String(required=True, metadata={"description": "The kind of problem in words."})
    status = fields.Integer(required=True, metadata={"description": "What POST /v1/articles would have answered."})
    detail = fields.String(metadata={"description": "What happened this time."})
    errors = fields.List(fields.Nested(FieldErrorSchema), metadata={"description": "The fields that are not valid."})
    limit = fields.Integer(metadata={"description": "The limit that was passed."})
    observed = fields.Integer(metadata={"description": "What was counted; at least so much."})
    setting = fields.String(metadata={"description": "The setting that holds the limit."})


class BatchResultSchema(ma.Schema):
    """What became of an article."""

    type = fields.String(
        required=True, validate=validate.OneOf(("result", "error")), metadata={"description": "Whether it was read."}
    )
    number = fields.Integer(
        required=True, metadata={"description": "Its place in what was handed in: the line or item, counted from 1."}
    )
    external_id = fields.String(required=True, allow_none=True, metadata={"description": "Your own id of it."})
    article = fields.String(
        required=True, allow_none=True, metadata={"description": "The id that it is stored under; null if it is not."}
    )
    analysis = fields.Nested(
        AnalysisSchema, required=True, allow_none=True, metadata={"description": "As POST /v1/analyses answers."}
    )
    error = fields.Nested(
        ItemProblemSchema, required=True, allow_none=True, metadata={"description": "Why there is no analysis."}
    )


class BatchErrorSchema(ma.Schema):
    """An article without a result."""

    number = fields.Integer(
        required=True, metadata={"description": "Its place in what was handed in: the line or item, counted from 1."}
    )
    external_id = fields.String(required=True, allow_none=True, metadata={"description": "Your own id of it."})
    error = fields.Nested(ItemProblemSchema, required=True)


class BatchPageSchema(ma.Schema):
    """A page of batches."""

    items = fields.List(fields.Nested(BatchSchema), required=True, metadata={"description": "Latest first."})
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "The cursor of the next page; null at the end."}
    )


_NEXT = (
    "The cursor of what follows; null when the batch is over and this is all. While it runs, ask again later:"
    " what is finished later comes later in the list, and nothing is left out."
)


class BatchResultPageSchema(ma.Schema):
    """A page of results."""

    items = fields.List(
        fields.Nested(BatchResultSchema), required=True, metadata={"description": "As they were finished."}
    )
    next = fields.String(required=True, allow_none=True, metadata={"description": _NEXT})


class BatchErrorPageSchema(ma.Schema):
    """A page of articles without a result."""

    items = fields.List(
        fields.Nested(BatchErrorSchema), required=True, metadata={"description": "As they were finished."}
    )
    next = fields.String(required=True, allow_none=True, metadata={"description": _NEXT})


class BatchListArgumentsSchema(PageArgumentsSchema):
    """Which batches to list."""

    state = fields.String(validate=validate.OneOf(STATES), metadata={"description": "Only those in this state."})


class ResultArgumentsSchema(ma.Schema):
    """From which place on."""

    class Meta:
        """A misspelt argument must not pass in silence."""

        unknown = ma.RAISE

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=MAX_PAGE),
        metadata={"description": "How many items a page has at most; NDJSON has all of them."},
    )
    cursor = fields.String(
        validate=validate.Length(min=1, max=500),
        metadata={"description": "The member next of the page before, or cursor of an NDJSON line."},
    )
