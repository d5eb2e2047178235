"""``/v1/clusters``: the same claim across articles."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service.api import Blueprint
from service.api.cluster_records import (
    ClusterArgumentsSchema,
    ClusterPageSchema,
    ClusterSchema,
    cluster_head,
    whole_cluster,
)
from service.api.lists import matching
from service.api.paging import page
from service.api.records import existing, known_id
from service.store.tables import Appearance, Claim, Cluster, TrackedClaim
from service.tracking.clusters import order

blueprint = Blueprint("clusters", __name__, url_prefix="/v1/clusters", description="The same claim across articles.")

_OF_CLAIMS = ("q", "speaker", "publisher", "published_from", "published_to")


@blueprint.route("")
class Clusters(MethodView):
    """All clusters."""

    @blueprint.arguments(ClusterArgumentsSchema, location="query")
    @blueprint.response(200, ClusterPageSchema)
    @blueprint.problems(422)
    @blueprint.doc(operationId="listClusters")
    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        """List clusters, the latest found first.

        A cluster is what claims of at least two articles assert alike. It is listed if one of its
        claims passes all the filters on claims. As long as next is not null there is another page:
        ask again with the same filters and cursor set to it.
        """
        store = current_app.config["STORE"]
        query = select(Cluster)
        if "articles" in asked:
            query = query.where(Cluster.articles >= asked["articles"])
        filters = {name: asked[name] for name in _OF_CLAIMS if name in asked}
        if filters:
            claims = select(TrackedClaim.cluster_seq).join(TrackedClaim.claim).join(Claim.article)
            query = query.where(Cluster.seq.in_(matching(claims, filters, store.is_embedded)))
        with store.read() as session:
            return page(session, query, Cluster.seq, asked, lambda one: cluster_head(one, _members(session, one.seq)))


@blueprint.route("/<id_>")
class One(MethodView):
    """One cluster."""

    @blueprint.response(200, ClusterSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="getCluster")
    def get(self, id_: str) -> dict[str, Any]:
        """Get a cluster with its first appearance and its timeline.

        Who asserted it first, and who after that, in the order of publication. A cluster is gone
        when articles that are removed or stored anew leave its claims in one article only.
        """
        with current_app.config["STORE"].read() as session:
            found = session.scalar(select(Cluster).where(Cluster.id == known_id(id_, "cluster")))
            one = existing(found, id_, "cluster")
            return whole_cluster(one, _members(session, one.seq))


def _members(session: Session, cluster: int) -> list[TrackedClaim]:
    """The claims of a cluster, in the order of their publication."""
    claim = joinedload(TrackedClaim.claim)
    found = session.scalars(
        select(TrackedClaim)
        .where(TrackedClaim.cluster_seq == cluster)
        .options(
            joinedload(TrackedClaim.cluster),
            claim.joinedload(Claim.article),
            claim.joinedload(Claim.appearance).joinedload(Appearance.speaker),
            claim.selectinload(Claim.spans),
            claim.joinedload(Claim.tracked),
        )
    )
    return sorted(found, key=_order)


def _order(one: TrackedClaim) -> Any:
    return order(one.claim.article.published, one.claim.article.text_hash, one.claim.place)
