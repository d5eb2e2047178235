"""``/v1/claims``: who said what, in all articles."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView
from sqlalchemy import ColumnElement, Select, func, literal_column, select, text
from sqlalchemy.orm import joinedload, selectinload

from service.api import Blueprint
from service.api.articles import published_in
from service.api.paging import page
from service.api.records import (
    ClaimArgumentsSchema,
    ClaimPageSchema,
    StoredClaimSchema,
    claim_record,
    existing,
    known_id,
)
from service.store.tables import Appearance, Article, Claim, Cluster, Speaker, TrackedClaim

blueprint = Blueprint("claims", __name__, url_prefix="/v1/claims", description="Find claims in all articles.")

WITH_ALL = (
    joinedload(Claim.article),
    joinedload(Claim.appearance).joinedload(Appearance.speaker),
    joinedload(Claim.tracked).joinedload(TrackedClaim.cluster),
    selectinload(Claim.spans),
)
"""What a claim's record needs, got at once."""


@blueprint.route("")
class Claims(MethodView):
    """All claims."""

    @blueprint.arguments(ClaimArgumentsSchema, location="query")
    @blueprint.response(200, ClaimPageSchema)
    @blueprint.problems(422)
    @blueprint.doc(operationId="listClaims")
    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        """List claims, the latest stored first.

        The filters go together: a claim is listed if it passes all of them. Dates and publisher are
        those of its article; an article without a date passes no filter on dates. As long as next
        is not null there is another page: ask again with the same filters and cursor set to it.
        """
        store = current_app.config["STORE"]
        query = matching(select(Claim).join(Claim.article), asked, store.is_embedded).options(*WITH_ALL)
        with store.read() as session:
            return page(session, query, Claim.seq, asked, claim_record)


@blueprint.route("/<string(minlength=7):id_>")  # "search" is no id
class One(MethodView):
    """One claim."""

    @blueprint.response(200, StoredClaimSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="getClaim")
    def get(self, id_: str) -> dict[str, Any]:
        """Get a claim.

        With who said it, and where: source, cue and content are spans of its article's text.
        """
        with current_app.config["STORE"].read() as session:
            claim = session.scalar(select(Claim).where(Claim.id == known_id(id_, "claim")).options(*WITH_ALL))
            return claim_record(existing(claim, id_, "claim"))


def matching(query: Select[Any], asked: dict[str, Any], is_embedded: bool) -> Select[Any]:
    """Only those of claims, joined with their articles, that the filters let through."""
    query = published_in(query, asked)
    if "article" in asked:
        query = query.where(Article.id == asked["article"])
    if "speaker" in asked or "kind" in asked:
        query = query.join(Claim.appearance).join(Appearance.speaker)
    if "speaker" in asked:
        query = query.where(Speaker.id == asked["speaker"])
    if "kind" in asked:
        query = query.where(Speaker.kind == asked["kind"])
    for name in ("type", "category"):
        if name in asked:
            query = query.where(getattr(Claim, name) == asked[name])
    if "q" in asked:
        query = query.where(_matches(asked["q"], is_embedded))
    if "cluster" in asked:
        query = query.where(Claim.tracked.has(TrackedClaim.cluster.has(Cluster.id == asked["cluster"])))
    return query


def _matches(words: str, is_embedded: bool) -> ColumnElement[bool]:
    """Full-text search: all words, in any of their forms."""
    if not is_embedded:
        return literal_column("claims.search").op("@@")(func.plainto_tsquery("english", words))
    # Each word in quotation marks: nothing in it is an operator.
    quoted = " ".join('"' + word.replace('"', '""') + '"' for word in words.split())
    found = text("SELECT rowid FROM claim_search WHERE claim_search MATCH :words").bindparams(words=quoted)
    return Claim.seq.in_(found.columns(Claim.seq).scalar_subquery())
