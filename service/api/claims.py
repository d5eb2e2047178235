"""``/v1/claims``: who said what, in all articles."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView
from sqlalchemy import select

from service.api import Blueprint
from service.api.linked import claim_node
from service.api.lists import CLAIM_PARTS, CLAIMS
from service.api.records import (
    ClaimArgumentsSchema,
    ClaimPageSchema,
    StoredClaimSchema,
    claim_record,
    existing,
    known_id,
)
from service.api.representations import list_answer, one_answer
from service.api.schemas import FormatSchema
from service.store.tables import Claim

blueprint = Blueprint("claims", __name__, url_prefix="/v1/claims", description="Find claims in all articles.")


@blueprint.route("")
class Claims(MethodView):
    """All claims."""

    @blueprint.arguments(ClaimArgumentsSchema, location="query")
    @blueprint.represented(ClaimPageSchema)
    @blueprint.problems(422)
    @blueprint.doc(operationId="listClaims")
    def get(self, asked: dict[str, Any]) -> Any:
        """List claims, the latest stored first.

        The filters go together: a claim is listed if it passes all of them. Dates and publisher are
        those of its article; an article without a date passes no filter on dates.

        A page in JSON, and as long as next is not null there is another one: ask again with the
        same filters and cursor set to it. All of them in the other forms.
        """
        return list_answer(CLAIMS, current_app.config["STORE"], asked)


@blueprint.route("/<string(minlength=7):id_>")  # "search" is no id
class One(MethodView):
    """One claim."""

    @blueprint.arguments(FormatSchema, location="query")
    @blueprint.represented(StoredClaimSchema)
    @blueprint.problems(404, 422)
    @blueprint.doc(operationId="getClaim")
    def get(self, asked: dict[str, Any], id_: str) -> Any:
        """Get a claim.

        With who said it, and where: source, cue and content are spans of its article's text.
        """
        with current_app.config["STORE"].read() as session:
            found = session.scalar(select(Claim).where(Claim.id == known_id(id_, "claim")).options(*CLAIM_PARTS))
            claim = existing(found, id_, "claim")
            record = claim_record(claim)
            return one_answer(CLAIMS, record, lambda: [claim_node(claim, record)], asked)
