"""``/v1/batches``: archives that are read in the background."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import marshmallow as ma
from flask import Response, current_app, g, request, url_for
from flask.views import MethodView
from sqlalchemy import select

from service.api import Blueprint
from service.api.batch_records import (
    BatchArgumentsSchema,
    BatchErrorPageSchema,
    BatchListArgumentsSchema,
    BatchPageSchema,
    BatchRequestSchema,
    BatchResultPageSchema,
    BatchSchema,
    NewBatchSchema,
    OptionsSchema,
    ResultArgumentsSchema,
)
from service.api.idempotency import held_on
from service.api.paging import cursor_of, page, place_of
from service.api.parsing import Parser, drain
from service.api.problems import field_errors
from service.api.records import existing, known_id
from service.api.representations import accepted
from service.batches import chunks
from service.batches.callbacks import CallbackError, make_secret, resolve
from service.batches.engine import Engine, data_folder
from service.batches.intake import Options, Spooled, lines_of, spool, take_in, too_large
from service.batches.results import batch_record, each_result, results_after
from service.config import Settings
from service.errors import Invalid, NoSpace, TooLarge, WrongContentType
from service.operations import metrics
from service.security import access
from service.store.batches import Batch
from service.store.engine import Store

NDJSON = "application/x-ndjson"
_ALSO_NDJSON = (NDJSON, "application/ndjson", "application/jsonl", "application/jsonlines")
_NDJSON_EXAMPLE = """\
{"cursor": "WzEs", "type": "result", "number": 1, "external_id": "harbour-1", "analysis": {}}
{"type": "summary", "state": "running", "done": 1, "failed": 0, "total": 2, "next": "WzEs"}
"""
_SECRET_HEADER = "Callback-Secret"  # noqa: S105
_DRAINED = 50_000_000

blueprint = Blueprint("batches", __name__, url_prefix="/v1/batches", description="Read archives in the background.")


@blueprint.route("")
class Batches(MethodView):
    """All batches."""

    @blueprint.arguments(BatchArgumentsSchema, location="query")
    @blueprint.idempotent(body=lambda *_: _fingerprint())
    @blueprint.response(202, NewBatchSchema)
    @blueprint.problems(400, 413, 415, 422, 507)
    @blueprint.doc(
        operationId="createBatch",
        requestBody={
            "required": True,
            "description": "A JSON object, or NDJSON (also with Content-Encoding: gzip): an article a line.",
            "content": {
                "application/json": {"schema": BatchRequestSchema},
                NDJSON: {
                    "schema": {"type": "string", "format": "binary"},
                    "example": '{"text": "It rained."}\n{"text": "It snowed."}\n',
                },
            },
        },
    )
    def post(self, asked: dict[str, Any]) -> Any:
        """Hand in an archive.

        Articles are those of POST /v1/articles. As NDJSON, one a line, also compressed by gzip, an
        archive may be as long as max_batch_bytes of /v1/info says; options are query parameters then. As a
        JSON object it is limited like any other body. The answer comes when all of it is kept; then it
        is read in the background, and no article fails the others.
        """
        body = _body()
        options = _options(asked, body)
        if isinstance(body, Spooled):
            lines = lines_of(body.file, _encoding() == "gzip", current_app.config["SETTINGS"])
        else:
            lines = iter([json.dumps(item).encode() for item in body["items"]])
        with access.counting_lines() as count:
            id_ = take_in(_store(), held_on(count(lines)), options)
        engine: Engine = current_app.config["ENGINE"]
        engine.dispatch(_store())
        answer = _get(id_) | {"callback_secret": options.callback_secret}
        metrics.BATCH_SIZE.observe(answer["total"])
        return answer, 202, {"Location": url_for("batches.One", id_=id_)}

    @blueprint.arguments(BatchListArgumentsSchema, location="query")
    @blueprint.response(200, BatchPageSchema)
    @blueprint.problems(422)
    @blueprint.doc(operationId="listBatches")
    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        """List batches, the latest first.

        Also those that are over, until the service forgets them (keep_batches of /v1/info). As long
        as next is not null there is another page: ask again with the same filters and cursor set to
        it.
        """
        query = select(Batch).where(Batch.state != "receiving")
        if "state" in asked:
            query = query.where(Batch.state == asked["state"])
        with _store().read() as session:
            return page(session, query, Batch.seq, asked, lambda one: batch_record(session, one))


@blueprint.route("/<id_>")
class One(MethodView):
    """One batch."""

    @blueprint.response(200, BatchSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="getBatch")
    def get(self, id_: str) -> dict[str, Any]:
        """Tell how far a batch has come.

        Its state, how many of its articles are done or have failed, how fast it is and how long it
        will take at that rate. Ask again every few seconds until the state is finished or
        cancelled.
        """
        return _get(id_)

    @blueprint.response(200, BatchSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="cancelBatch")
    def delete(self, id_: str) -> dict[str, Any]:
        """Cancel a batch: nothing more of it is read.

        Results that are there by then stay, and articles that were stored stay stored. A batch that is
        over is not changed.
        """
        with _store().write(alone=False) as session:
            found = session.scalar(select(Batch).where(Batch.id == known_id(id_, "batch"), Batch.state != "receiving"))
            chunks.cancel(session, existing(found, id_, "batch"))
        return _get(id_)


@blueprint.route("/<id_>/results")
class Results(MethodView):
    """What was found."""

    @blueprint.arguments(ResultArgumentsSchema, location="query")
    @blueprint.response(200, BatchResultPageSchema)
    @blueprint.alt_response(200, schema={"type": "string"}, content_type=NDJSON, example=_NDJSON_EXAMPLE, success=True)
    @blueprint.problems(404, 422)
    @blueprint.doc(operationId="listBatchResults")
    def get(self, asked: dict[str, Any], id_: str) -> Any:
        """Get results, in the order in which they were finished, also while the batch runs.

        With Accept: application/x-ndjson all that are there come at once, one a line, each with the cursor
        that goes on after it; the last line is a summary, without which the answer was cut off.
        """
        batch, mark = _found(id_), f"results-{id_}"
        place = place_of(asked["cursor"], mark) if "cursor" in asked else 0
        if accepted().best_match(["application/json", *_ALSO_NDJSON]) in _ALSO_NDJSON:
            lines = _ndjson(_store(), batch, place, mark)
            return Response(lines, content_type=NDJSON, headers={"X-Accel-Buffering": "no"})
        return _page(batch, place, asked["limit"], mark, only_failed=False)


@blueprint.route("/<id_>/errors")
class Errors(MethodView):
    """What has no result."""

    @blueprint.arguments(ResultArgumentsSchema, location="query")
    @blueprint.response(200, BatchErrorPageSchema)
    @blueprint.problems(404, 422)
    @blueprint.doc(operationId="listBatchErrors")
    def get(self, asked: dict[str, Any], id_: str) -> dict[str, Any]:
        """Get the articles that have no result, each with its problem.

        The problem is the one that POST /v1/articles would have answered. number is the article's
        place in what was handed in. As long as next is not null there may be more: ask again with
        cursor set to it.
        """
        batch, mark = _found(id_), f"errors-{id_}"
        place = place_of(asked["cursor"], mark) if "cursor" in asked else 0
        found = _page(batch, place, asked["limit"], mark, only_failed=True)
        keep = ("number", "external_id", "error")
        return found | {"items": [{name: one[name] for name in keep} for one in found["items"]]}


def _fingerprint() -> str:
    """What tells whether a body is the same as one that came before."""
    body = _body()
    told = body.digest if isinstance(body, Spooled) else json.dumps(body, sort_keys=True)
    return f"{_encoding()} {request.headers.get(_SECRET_HEADER)} {told}"


@blueprint.teardown_request
def _close(_: BaseException | None) -> None:
    if isinstance(body := g.pop("body", None), Spooled):
        body.file.close()


def _body() -> dict[str, Any] | Spooled:
    """The archive: JSON as it is, or NDJSON on the disk."""
    if "body" not in g:
        g.body = _received()
    body: dict[str, Any] | Spooled = g.body
    return body


def _received() -> dict[str, Any] | Spooled:
    if request.mimetype not in _ALSO_NDJSON:
        if request.mimetype and request.mimetype != "application/json":
            raise WrongContentType(f"The content type must be application/json or {NDJSON}, not {request.mimetype!r}.")
        try:
            # Items are looked at when they are read: one that is not valid must not fail the others.
            asked = cast(dict[str, Any], _JSON.load(Parser().load_json(request, _JSON)))
        except ma.ValidationError as error:
            raise Invalid(errors=field_errors(error.messages)) from None
        return asked
    if _encoding() not in ("identity", "gzip"):
        raise WrongContentType(f"The Content-Encoding must be gzip or none, not {_encoding()!r}.")
    settings: Settings = current_app.config["SETTINGS"]
    limit = settings.max_batch_bytes
    try:
        if (request.content_length or 0) > limit:
            raise too_large(request.content_length or 0, limit, "MAX_BATCH_BYTES", "archive")
        return spool(request.stream, data_folder(settings), limit)
    except (TooLarge, NoSpace):
        drain(request, _DRAINED)
        raise


def _encoding() -> str:
    return request.headers.get("Content-Encoding", "identity").lower()


class _JSONBodySchema(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    items = ma.fields.List(ma.fields.Raw(allow_none=True), required=True, validate=ma.validate.Length(min=1))
    options = ma.fields.Nested(OptionsSchema)


_JSON = _JSONBodySchema()


def _options(asked: dict[str, Any], body: dict[str, Any] | Spooled) -> Options:
    settings: Settings = current_app.config["SETTINGS"]
    if not isinstance(body, Spooled):
        if request.args:
            name = next(iter(request.args))
            message = "With a JSON body, options go into its member options."
            raise Invalid(errors=[{"field": name, "message": message}])
        asked = body.get("options") or OptionsSchema().load({})
    elif _SECRET_HEADER in request.headers:
        asked = asked | _secret(request.headers[_SECRET_HEADER])
    url = asked.get("callback_url")
    if url is None and "callback_secret" in asked:
        raise Invalid(errors=[{"field": "callback_url", "message": "A secret is of no use without it."}])
    if url is not None:
        asked = {"callback_secret": make_secret()} | asked
        _check_callback(url, settings)
    return Options(**({"habit": settings.habit} | asked))


def _secret(value: str) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], OptionsSchema(only=["callback_secret"]).load({"callback_secret": value}))
    except ma.ValidationError as error:
        message = str(error.messages_dict["callback_secret"][0])
        raise Invalid(errors=[{"field": _SECRET_HEADER, "message": message}]) from None


def _check_callback(url: str, settings: Settings) -> None:
    """An early word to whoever has mistyped; what counts is the look at each call."""
    try:
        resolve(url, settings)
    except CallbackError as error:
        raise Invalid(errors=[{"field": "callback_url", "message": f"{error}."}]) from None


def _ndjson(store: Store, batch: int, place: int, mark: str) -> Iterator[bytes]:
    for at, record in each_result(store, batch, place):
        place = at
        yield b'{"cursor": "%s", %s\n' % (cursor_of(at, mark).encode(), record[1:])
    with store.read() as session:
        found = session.get(Batch, batch)
        if found is None:
            return
        told = {name: getattr(found, name) for name in ("state", "done", "failed", "total")}
        is_all = found.state not in chunks.LIVE and place >= found.done + found.failed
    yield json.dumps({"type": "summary", **told, "next": None if is_all else cursor_of(place, mark)}).encode() + b"\n"


def _page(batch: int, place: int, limit: int, mark: str, *, only_failed: bool) -> dict[str, Any]:
    with _store().read() as session:
        # The state first: what ends in between is then seen whole the next time.
        is_live = session.scalar(select(Batch.state).where(Batch.seq == batch)) in chunks.LIVE
        found = results_after(session, batch, place, limit + 1, only_failed=only_failed)
    has_more, found = len(found) > limit, found[:limit]
    after = found[-1][0] if found else place
    return {
        "items": [json.loads(record) for _, record in found],
        "next": cursor_of(after, mark) if has_more or is_live else None,
    }


def _found(id_: str) -> int:
    with _store().read() as session:
        query = select(Batch.seq).where(Batch.id == known_id(id_, "batch"), Batch.state != "receiving")
        return existing(session.scalar(query), id_, "batch")


def _get(id_: str) -> dict[str, Any]:
    with _store().read() as session:
        query = select(Batch).where(Batch.id == known_id(id_, "batch"), Batch.state != "receiving")
        return batch_record(session, existing(session.scalar(query), id_, "batch"))


def _store() -> Store:
    store: Store = current_app.config["STORE"]
    return store
