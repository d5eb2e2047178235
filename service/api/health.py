"""What operators ask: is it alive, is it ready, what is it."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView
from sqlalchemy.exc import SQLAlchemyError

from models.records import HABITS
from service import __version__
from service.api import Blueprint
from service.api.schemas import MAX_TITLE, MAX_URL, InfoSchema, StatusSchema
from service.errors import NotReady

_PROBE = "“It works,” said Whosaid."

blueprint = Blueprint("health", __name__, description="Is it alive, is it ready, what is it.")


@blueprint.route("/healthz")
class Health(MethodView):
    """Liveness."""

    @blueprint.response(200, StatusSchema)
    @blueprint.doc(operationId="getHealth")
    def get(self) -> dict[str, str]:
        """Tell whether the process answers.

        For whoever restarts processes that hang. It looks at nothing else: a service that cannot
        read articles now still answers ok.
        """
        return {"status": "ok"}


@blueprint.route("/readyz")
class Readiness(MethodView):
    """Readiness."""

    @blueprint.response(200, StatusSchema)
    @blueprint.problems(503)
    @blueprint.doc(operationId="getReadiness")
    def get(self) -> dict[str, str]:
        """Tell whether articles can be read and stored.

        For whoever sends requests only to services that can take them: the model reads a sentence,
        and the database is asked. 503 until both are well; the detail says what is not.
        """
        reading = current_app.config["READER"].read_one(_PROBE)
        if not reading.attributions:
            raise NotReady("The model finds nothing in a sentence that it knows.")
        try:
            is_current = current_app.config["STORE"].is_current()
        except SQLAlchemyError as error:
            raise NotReady("The database does not answer.") from error
        if not is_current:
            raise NotReady("The database's tables are not those of this version: run whosaid db upgrade.")
        return {"status": "ok"}


@blueprint.route("/v1/info")
class Info(MethodView):
    """What this service is."""

    @blueprint.response(200, InfoSchema)
    @blueprint.doc(operationId="getInfo")
    def get(self) -> dict[str, Any]:
        """Tell versions, limits and what can be asked for.

        Limits are settings of the service, so a client that wants to keep to them should read them
        here.
        """
        settings = current_app.config["SETTINGS"]
        return {
            "name": "whosaid",
            "version": __version__,
            "model": {"version": current_app.config["READER"].version, "habit": settings.habit},
            "habits": list(HABITS),
            "languages": ["en"],
            "limits": {
                "max_body_bytes": settings.max_body_bytes,
                "max_waiting": settings.max_waiting,
                "max_title": MAX_TITLE,
                "max_url": MAX_URL,
            },
        }
