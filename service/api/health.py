"""What operators ask: is it alive, is it ready, what is it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from flask import current_app
from flask.views import MethodView
from sqlalchemy.exc import SQLAlchemyError

from models.records import HABITS
from service import __version__
from service.api import Blueprint
from service.api.schemas import InfoSchema, ReadinessSchema, StatusSchema
from service.errors import NotReady
from service.pages import MAX_TITLE, MAX_URL
from service.reading import Gate
from service.security import access

_log = logging.getLogger(__name__)

_PROBE = "“It works,” said Whosaid."
_FRESH = 10.0  # seconds for which a reading proves that the model reads

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

    @blueprint.response(200, ReadinessSchema)
    @blueprint.problems(503)
    @blueprint.doc(operationId="getReadiness")
    def get(self) -> dict[str, Any]:
        """Tell whether articles can be read and stored, check by check.

        For whoever sends requests only to services that can take them: the model reads a sentence,
        and the database is asked. 503 until all is well; checks says what is not.
        """
        if current_app.config["IS_STOPPING"]():
            raise NotReady("The service is about to stop.", retry_after=5)
        found = {name: _told(check) for name, check in current_app.config["CHECKS"].items()}
        if set(found.values()) != {"ok"}:
            failed = " ".join(told for told in found.values() if told != "ok")
            raise NotReady(failed, retry_after=5, checks=found)
        return {"status": "ok", "checks": found}


def _told(check: Callable[[], None]) -> str:
    """What a check says; what it did not foresee goes into the log, not to whoever asks."""
    try:
        check()
    except NotReady as error:
        return str(error)
    except Exception:
        _log.exception("a readiness check failed")
        return "It fails; the log says why."
    return "ok"


def check_database() -> None:
    """Whether the database answers and has this version's tables.

    Raises:
        NotReady: It does not.
    """
    try:
        is_current = current_app.config["STORE"].is_current()
    except SQLAlchemyError as error:
        raise NotReady("The database does not answer.") from error
    if not is_current:
        raise NotReady("The database's tables are not those of this version: run whosaid db upgrade.")


def check_model() -> None:
    """Whether the model reads.  A reading of this moment, or a short while ago, proves it without another one.

    Raises:
        NotReady: It does not.
    """
    gate: Gate = current_app.config["GATE"]
    if gate.seconds_reading > current_app.config["SETTINGS"].timeout:
        raise NotReady("A reading does not come to an end.")
    if gate.seconds_since < _FRESH:
        return
    with gate.if_free() as is_free:
        if is_free and not current_app.config["READER"].read_one(_PROBE).attributions:
            raise NotReady("The model finds nothing in a sentence that it knows.")


def check_broker() -> None:
    """Whether the broker of batches answers.

    Raises:
        NotReady: It does not.
    """
    try:
        current_app.config["ENGINE"].check()
    except Exception as error:  # which one depends on the broker
        raise NotReady("The broker of batches does not answer.") from error


CHECKS: Final[dict[str, Callable[[], None]]] = {
    "database": check_database, "broker": check_broker, "model": check_model,
}  # fmt: skip
"""What /readyz asks; parts of the service that need more put it into ``app.config["CHECKS"]``."""


@blueprint.route("/v1/info")
class Info(MethodView):
    """What this service is."""

    @blueprint.response(200, InfoSchema)
    @blueprint.doc(operationId="getInfo")
    @access.needs(None)
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
            "same_claim": {"version": current_app.config["SAME"].version},
            "habits": list(HABITS),
            "languages": ["en"],
            "needs_key": settings.needs_key,
            "limits": {
                "max_body_bytes": settings.max_body_bytes,
                "max_batch_bytes": settings.max_batch_bytes,
                "max_gzip_ratio": settings.max_gzip_ratio,
                "keep_batches": settings.keep_batches,
                "max_waiting": settings.max_waiting,
                "idempotency_hours": settings.idempotency_hours,
                "deadline": settings.deadline,
                "requests_per_minute": settings.requests_per_minute,
                "characters_per_day": settings.characters_per_day,
                "max_title": MAX_TITLE,
                "max_url": MAX_URL,
            },
        }
