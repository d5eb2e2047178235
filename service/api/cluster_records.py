"""The shapes of clusters, and how rows become them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import marshmallow as ma
from marshmallow import fields, validate

from service.api.records import (
    MAX_QUERY,
    ArticleHeadSchema,
    DatesSchema,
    NextSchema,
    SpeakerHeadSchema,
    StoredClaimSchema,
    article_head,
    claim_record,
    speaker_head,
)
from service.api.schemas import Text
from service.store.tables import Cluster, TrackedClaim

MAX_TIMELINE: Final = 500


class ClusterArgumentsSchema(DatesSchema):
    """Which clusters to list."""

    q = Text(
        validate=validate.Length(min=1, max=MAX_QUERY),
        metadata={"description": "Only with a claim with all of these words, in any of their forms."},
    )
    speaker = Text(metadata={"description": "Only with a claim of this speaker, by their id."})
    articles = fields.Integer(
        validate=validate.Range(min=2, max=1_000_000),
        metadata={"description": "Only of at least so many articles."},
    )


class ClusterHeadSchema(ma.Schema):
    """Claims of different articles that assert the same."""

    id = fields.String(
        required=True,
        metadata={"description": "Stays the same while more of its claims than of any other's stay together."},
    )
    text = fields.String(required=True, metadata={"description": "The text of the claim that appeared first."})
    articles = fields.Integer(required=True, metadata={"description": "In how many articles it is."})
    claims = fields.Integer(required=True, metadata={"description": "How many claims assert it."})
    first_published = fields.String(
        required=True, allow_none=True, metadata={"description": "When it appeared first, if any article tells."}
    )
    last_published = fields.String(
        required=True, allow_none=True, metadata={"description": "When it appeared last, if any article tells."}
    )
    speakers = fields.List(
        fields.Nested(SpeakerHeadSchema),
        required=True,
        metadata={"description": "Who asserts it, the first ones first."},
    )
    publishers = fields.List(
        fields.String(), required=True, metadata={"description": "Who published it, the first ones first."}
    )


class TimelineEntrySchema(ma.Schema):
    """A claim in its cluster."""

    score = fields.Float(
        required=True,
        metadata={"description": "The calibrated probability that it asserts the same as the first one, 0 to 1."},
    )
    claim = fields.Nested(StoredClaimSchema, required=True, metadata={"description": "The claim."})
    article = fields.Nested(ArticleHeadSchema, required=True, metadata={"description": "Where it is."})


class ClusterSchema(ClusterHeadSchema):
    """A cluster with its claims."""

    first = fields.Nested(
        TimelineEntrySchema, required=True, metadata={"description": "The first appearance, as in the timeline."}
    )
    timeline = fields.List(
        fields.Nested(TimelineEntrySchema),
        required=True,
        metadata={
            "description": "Its claims as they were published, the first ones first, those without a date last."
            f" The first {MAX_TIMELINE}; GET /v1/claims lists all of a cluster."
        },
    )


class ClusterPageSchema(NextSchema):
    """A page of clusters."""

    items = fields.List(fields.Nested(ClusterHeadSchema), required=True, metadata={"description": "Latest first."})


def cluster_head(one: Cluster, members: Sequence[TrackedClaim]) -> dict[str, Any]:
    """A cluster without its claims.

    Args:
        one: The cluster.
        members: All of its claims, in their order.
    """
    dated = [member.claim.article.published for member in members if member.claim.article.published is not None]
    speakers = {
        member.claim.appearance.speaker.seq: member.claim.appearance.speaker
        for member in members
        if member.claim.appearance is not None
    }
    publishers = dict.fromkeys(member.claim.article.publisher for member in members)
    return {
        "id": one.id,
        "text": members[0].claim.text,
        "articles": one.articles,
        "claims": one.claims,
        "first_published": dated[0] if dated else None,
        "last_published": dated[-1] if dated else None,
        "speakers": [speaker_head(speaker) for speaker in speakers.values()],
        "publishers": [publisher for publisher in publishers if publisher is not None],
    }


def whole_cluster(one: Cluster, members: Sequence[TrackedClaim]) -> dict[str, Any]:
    """A cluster with its claims."""
    timeline = [_entry(member) for member in members[:MAX_TIMELINE]]
    return cluster_head(one, members) | {"first": timeline[0], "timeline": timeline}


def _entry(one: TrackedClaim) -> dict[str, Any]:
    return {"score": one.probability, "claim": claim_record(one.claim), "article": article_head(one.claim.article)}
