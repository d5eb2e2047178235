"""``/v1/claims/{id}/similar`` and ``/v1/claims/search``: who has said the same."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import current_app
from flask.views import MethodView
from marshmallow import fields, validate
from sqlalchemy import select

from models.same import Assertion
from service.api import Blueprint
from service.api.lists import CLAIM_PARTS, matching
from service.api.records import (
    ClaimArgumentsSchema,
    StoredClaimSchema,
    claim_record,
    existing,
    known_id,
)
from service.api.schemas import Text
from service.security import access
from service.store.tables import Claim, TrackedClaim
from service.tracking.claims import Tracker, assertion_of

MAX_SIMILAR = 100
MAX_CLAIM = 2_000

blueprint = Blueprint("similar", __name__, url_prefix="/v1/claims", description="Find claims that assert the same.")


def _limit() -> fields.Integer:
    return fields.Integer(
        load_default=10,
        validate=validate.Range(min=1, max=MAX_SIMILAR),
        metadata={"description": "How many items at most."},
    )


class SimilarArgumentsSchema(ClaimArgumentsSchema):
    """Which similar claims to list."""

    class Meta(ClaimArgumentsSchema.Meta):
        """There is one page only."""

        exclude = ("cursor", "format")

    limit = _limit()


class FiltersSchema(ClaimArgumentsSchema):
    """Among which claims to search."""

    class Meta(ClaimArgumentsSchema.Meta):
        """There is one page only."""

        exclude = ("cursor", "format", "limit")


class SearchSchema(ma.Schema):
    """A claim to look for."""

    class Meta:
        """A misspelt field must not pass in silence."""

        unknown = ma.RAISE

    text = Text(
        required=True,
        validate=validate.Length(max=MAX_CLAIM),
        metadata={"description": "What is asserted, in any words."},
    )
    speaker = Text(
        validate=validate.Length(max=300), metadata={"description": "The name of who asserts it, if that matters."}
    )
    date = fields.Date(metadata={"description": "The day on which it was asserted, if that matters."})
    filters = fields.Nested(FiltersSchema, load_default=dict, metadata={"description": "Among which claims to search."})
    limit = _limit()


class SimilarClaimSchema(StoredClaimSchema):
    """A stored claim that is like another."""

    score = fields.Float(
        required=True, metadata={"description": "The calibrated probability that both assert the same, 0 to 1."}
    )


class SimilarClaimsSchema(ma.Schema):
    """Claims that are like another."""

    items = fields.List(
        fields.Nested(SimilarClaimSchema), required=True, metadata={"description": "The likeliest first."}
    )


@blueprint.route("/<id_>/similar")
class Similar(MethodView):
    """Claims like one that is stored."""

    @blueprint.arguments(SimilarArgumentsSchema, location="query")
    @blueprint.response(200, SimilarClaimsSchema)
    @blueprint.problems(404, 422)
    @blueprint.doc(operationId="listSimilarClaims")
    def get(self, asked: dict[str, Any], id_: str) -> dict[str, Any]:
        """List the claims that are likeliest to assert the same as this one.

        The likeliest first, each with its probability as score; 0.5 and more means that both assert
        the same. There is one page only; the filters say among which claims to look.
        """
        with current_app.config["STORE"].read() as session:
            claim = session.scalar(select(Claim).where(Claim.id == known_id(id_, "claim")).options(*CLAIM_PARTS))
            claim = existing(claim, id_, "claim")
            one, seq = assertion_of(claim), claim.seq
        return _similar(one, asked.pop("limit"), asked, seq)


@blueprint.route("/search")
class Search(MethodView):
    """Claims like one that is sent."""

    @blueprint.arguments(SearchSchema)
    @blueprint.response(200, SimilarClaimsSchema)
    @blueprint.problems(400, 413, 415, 422)
    @blueprint.doc(operationId="searchClaims")
    @access.needs("read")
    def post(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Search for the claims that are likeliest to assert the same as a text.

        In any words: it is the assertion that is compared, with who makes it and when where that is
        told. The likeliest first, each with its probability as score; 0.5 and more means that both
        assert the same. Nothing is stored.
        """
        one = Assertion(asked["text"], asked.get("date"), asked.get("speaker"))
        return _similar(one, asked["limit"], asked["filters"])


def _similar(one: Assertion, limit: int, filters: dict[str, Any], itself: int | None = None) -> dict[str, Any]:
    tracker: Tracker = current_app.config["KEEPER"].tracker
    among = None
    if filters or itself is not None:
        tracked = select(TrackedClaim.seq).join(TrackedClaim.claim).join(Claim.article)
        among = matching(tracked, filters, tracker.store.is_embedded).where(Claim.seq != (itself or 0))
    scores = tracker.similar(one, limit, among)
    theirs = select(TrackedClaim.seq, Claim).join(TrackedClaim.claim).where(TrackedClaim.seq.in_(scores))
    with tracker.store.read() as session:  # only now: who holds one connection must not wait for a second
        found = [(scores[seq], claim) for seq, claim in session.execute(theirs.options(*CLAIM_PARTS))]
        found.sort(key=lambda item: (-item[0], item[1].seq))
        return {"items": [claim_record(claim) | {"score": score} for score, claim in found]}
