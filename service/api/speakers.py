"""``/v1/speakers``: who speaks, across articles."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for
from flask.views import MethodView
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from service.api import Blueprint
from service.api.linked import speaker_node
from service.api.lists import SPEAKERS
from service.api.records import (
    MergeSchema,
    SpeakerArgumentsSchema,
    SpeakerChangeSchema,
    SpeakerPageSchema,
    SplitSchema,
    StoredSpeakerSchema,
    existing,
    known_id,
    speaker_records,
)
from service.api.representations import check_unchanged, list_answer, one_answer
from service.api.schemas import FormatSchema
from service.errors import Conflict
from service.store.tables import Speaker
from service.tracking.speakers import merge_speakers, rename_speaker, split_speaker

blueprint = Blueprint("speakers", __name__, url_prefix="/v1/speakers", description="Find speakers in all articles.")


@blueprint.route("")
class Speakers(MethodView):
    """All speakers."""

    @blueprint.arguments(SpeakerArgumentsSchema, location="query")
    @blueprint.represented(SpeakerPageSchema)
    @blueprint.problems(422)
    @blueprint.doc(operationId="listSpeakers")
    def get(self, asked: dict[str, Any]) -> Any:
        """List speakers, the latest found first.

        People, organizations, groups and documents that articles attribute claims to; the same full
        name is the same speaker in all articles.

        A page in JSON, and as long as next is not null there is another one: ask again with the
        same filters and cursor set to it. All of them in the other forms.
        """
        return list_answer(SPEAKERS, current_app.config["STORE"], asked)


@blueprint.route("/<id_>")
class One(MethodView):
    """One speaker."""

    @blueprint.arguments(FormatSchema, location="query")
    @blueprint.represented(StoredSpeakerSchema)
    @blueprint.problems(404, 422)
    @blueprint.doc(operationId="getSpeaker")
    def get(self, asked: dict[str, Any], id_: str) -> Any:
        """Get a speaker with names and counts.

        Counts are of now: they change with every article that is stored or removed. A speaker that
        was merged into another one is gone.
        """
        with current_app.config["STORE"].read() as session:
            record = _record(session, _speaker(session, id_))
        return one_answer(SPEAKERS, record, lambda: [speaker_node(record)], asked)

    @blueprint.arguments(SpeakerChangeSchema)
    @blueprint.tagged
    @blueprint.response(200, StoredSpeakerSchema)
    @blueprint.problems(400, 404, 409, 413, 415, 422)
    @blueprint.doc(operationId="changeSpeaker")
    def patch(self, asked: dict[str, Any], id_: str) -> dict[str, Any]:
        """Change a speaker's name or Wikidata identifier.

        What is not sent stays; null takes the identifier away. The name before stays one of the
        aliases, so later articles still find the speaker by it. Two speakers cannot have the same
        identifier, nor the same full name if later articles know them by it: merge them.
        """
        with current_app.config["STORE"].write() as session:
            speaker = _speaker(session, id_)
            check_unchanged(StoredSpeakerSchema, _record(session, speaker))
            if asked.get("qid"):
                other = session.scalar(select(Speaker).where(Speaker.qid == asked["qid"], Speaker.seq != speaker.seq))
                if other is not None:
                    raise Conflict(f"{other.id} is {asked['qid']} already; merge the two if they are the same.")
            if "qid" in asked:
                speaker.qid = asked["qid"]
            if "name" in asked:
                rename_speaker(session, speaker, asked["name"])
            session.flush()
            return _record(session, speaker)


@blueprint.route("/<id_>/merge")
class Merge(MethodView):
    """Two that are one."""

    @blueprint.arguments(MergeSchema)
    @blueprint.idempotent
    @blueprint.response(200, StoredSpeakerSchema)
    @blueprint.problems(400, 404, 409, 413, 415, 422)
    @blueprint.doc(operationId="mergeSpeakers")
    def post(self, asked: dict[str, Any], id_: str) -> dict[str, Any]:
        """Take another speaker in.

        The other's claims and names are this one's, now and in later articles; the other is gone.
        A description, like "the company" or "the spokesman", is a name in these articles only.

        Split undoes it for articles that you name, each as a whole: two who speak in the same article
        cannot be parted again there.
        """
        with current_app.config["STORE"].write() as session:
            speaker, other = _speaker(session, id_), _speaker(session, asked["speaker"])
            merge_speakers(session, speaker, other)
            return _record(session, speaker)


@blueprint.route("/<id_>/split")
class Split(MethodView):
    """One that is two."""

    @blueprint.arguments(SplitSchema)
    @blueprint.idempotent
    @blueprint.response(201, StoredSpeakerSchema)
    @blueprint.problems(400, 404, 409, 413, 415, 422)
    @blueprint.doc(operationId="splitSpeaker")
    def post(self, asked: dict[str, Any], id_: str) -> Any:
        """Make a new speaker of those whom some articles mean.

        For two people of one name. The claims of the articles that you name go to the new speaker,
        which the answer is; all others stay. A later article with that name only gets a speaker of
        its own, with the two as candidates.

        It must speak in all of these articles, and in others. The Wikidata identifier stays with it,
        even if it came with a merge from the one that is split off: change both where that is wrong.
        """
        with current_app.config["STORE"].write() as session:
            apart = split_speaker(session, _speaker(session, id_), asked["articles"])
            return _record(session, apart), 201, {"Location": url_for("speakers.One", id_=apart.id)}


def _speaker(session: Session, id_: str) -> Speaker:
    query = select(Speaker).where(Speaker.id == known_id(id_, "speaker")).options(selectinload(Speaker.names))
    return existing(session.scalar(query), id_, "speaker")


def _record(session: Session, one: Speaker) -> dict[str, Any]:
    return speaker_records(session, [one])[0]
