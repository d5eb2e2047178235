"""``/v1/speakers``: who speaks, across articles."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from service.api import Blueprint
from service.api.paging import page
from service.api.records import SpeakerArgumentsSchema, SpeakerPageSchema, StoredSpeakerSchema, known_id, speaker_head
from service.errors import NotFound
from service.store.tables import Appearance, Claim, Speaker, SpeakerName
from service.tracking.speakers import name_key

blueprint = Blueprint("speakers", __name__, url_prefix="/v1/speakers", description="Find speakers in all articles.")


@blueprint.route("")
class Speakers(MethodView):
    """All speakers."""

    @blueprint.arguments(SpeakerArgumentsSchema, location="query")
    @blueprint.response(200, SpeakerPageSchema)
    @blueprint.problems(422)
    @blueprint.doc(operationId="listSpeakers")
    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        """List speakers, the latest found first."""
        query = select(Speaker).options(selectinload(Speaker.names))
        if "kind" in asked:
            query = query.where(Speaker.kind == asked["kind"])
        if "name" in asked:
            key = name_key(asked["name"])
            query = query.where(Speaker.names.any(or_(SpeakerName.key == key, SpeakerName.last == key)))
        with current_app.config["STORE"].read() as session:
            return page(session, query, Speaker.seq, asked, lambda one: _record(session, one))


@blueprint.route("/<id_>")
class One(MethodView):
    """One speaker."""

    @blueprint.response(200, StoredSpeakerSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="getSpeaker")
    def get(self, id_: str) -> dict[str, Any]:
        """Get a speaker with names and counts."""
        with current_app.config["STORE"].read() as session:
            speaker = session.scalar(
                select(Speaker).where(Speaker.id == known_id(id_, "speaker")).options(selectinload(Speaker.names))
            )
            if speaker is None:
                raise NotFound(f"There is no speaker {id_!r}.")
            return _record(session, speaker)


def _record(session: Session, one: Speaker) -> dict[str, Any]:
    mine = Appearance.speaker_seq == one.seq
    return {
        **speaker_head(one),
        "aliases": [name.name for name in one.names if name.name != one.name],
        "qid": one.qid,
        "articles": session.scalar(select(func.count(Appearance.article_seq.distinct())).where(mine)),
        "claims": session.scalar(select(func.count()).select_from(Claim).join(Claim.appearance).where(mine)),
    }
