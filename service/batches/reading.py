"""A chunk is read: its articles in few, full micro-batches, its results kept as they come."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Final, Protocol, TypeVar

import marshmallow as ma
from sqlalchemy.exc import InterfaceError, OperationalError

from models.records import Article, Habit, Reading
from service.api.analyses import analysis_record
from service.api.parsing import parse_json
from service.api.problems import field_errors
from service.api.records import ArticleRequestSchema
from service.batches import chunks, records
from service.batches.chunks import Gone, Line, Outcome, Work
from service.batches.lease import Lease
from service.config import PREFIX, Settings
from service.errors import Invalid, ServiceError, TooLarge
from service.intake import page_of
from service.keeping import Keeper
from service.operations import metrics
from service.pages import Page
from service.store.articles import Handed
from service.store.engine import Store

_SAVE_SECONDS: Final = 1.0
_SAVE_AT_ONCE: Final = 50
_LONGEST_WAIT: Final = 10.0
_LIMITS: Final = "54"  # how PostgreSQL's codes begin for what is too long or too much

_log = logging.getLogger(__name__)
T = TypeVar("T")


class ReadsMany(Protocol):
    """What a worker needs of a Reader."""

    @property
    def version(self) -> str:
        """The version of its weights."""

    def read(self, articles: Iterable[str | Article], *, habit: Habit | None = None) -> Iterator[Reading]:
        """Read articles, in their order."""


class Stopping(Exception):
    """The worker is to end; what is not read yet is for others."""


@dataclass(frozen=True)
class Desk:
    """What a worker works with."""

    name: str
    settings: Settings
    store: Store
    reader: ReadsMany
    keeper: Keeper
    stopping: threading.Event = field(default_factory=threading.Event)

    def patiently(self, act: Callable[[], T], waiting: Callable[[], AbstractContextManager[None]] = nullcontext) -> T:
        """Do something with the database, again until it can: its disk may be full, or it may be starting.

        Args:
            act: What is to be done.
            waiting: What each wait is spent in: that the database is away is no article's fault.

        Raises:
            Stopping: The worker is to end.
        """
        wait = 0.2
        while True:
            try:
                return act()
            except (OperationalError, InterfaceError) as error:
                if str(getattr(error.orig, "sqlstate", None)).startswith(_LIMITS):
                    raise  # it would be the same however often it is tried
                _log.warning("the database cannot be used now: %s", error.orig)
                with waiting():
                    if self.stopping.wait(wait):
                        raise Stopping from error
                wait = min(2 * wait, _LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An article that can be read."""

    line: Line
    page: Page
    habit: Habit
    external_id: str | None


def read_chunk(desk: Desk, chunk: int) -> None:
    """Read what is left of a chunk, if nobody else has it."""
    seconds = desk.settings.batch_lease
    try:
        work = desk.patiently(lambda: chunks.claim(desk.store, chunk, desk.name, seconds))
        if work is None:
            return
        with Lease(desk.store, work, seconds, desk.settings.article_timeout) as lease:
            try:
                _read(desk, work, lease)
            except Stopping:
                chunks.give_back(desk.store, work)
    except Gone:
        _log.info("chunk %d is somebody else's now, or its batch was cancelled", chunk)
    except Stopping:
        pass


def _read(desk: Desk, work: Work, lease: Lease) -> None:
    done: list[Outcome] = []
    saved = time.monotonic()
    for outcome in _outcomes(desk, work, lease):
        lease.is_lively()
        done.append(outcome)
        is_due = work.is_careful or len(done) >= _SAVE_AT_ONCE or time.monotonic() - saved >= _SAVE_SECONDS
        if is_due or desk.stopping.is_set():
            _save(desk, work, lease, done, is_last=False)
            done, saved = [], time.monotonic()
        if desk.stopping.is_set():
            raise Stopping
    _save(desk, work, lease, done, is_last=True)


def _save(desk: Desk, work: Work, lease: Lease, done: Sequence[Outcome], *, is_last: bool) -> None:
    with lease.not_reading():
        desk.patiently(lambda: chunks.save(desk.store, work, done, desk.settings.batch_lease, is_last=is_last))
    read = sum(one.is_done for one in done)
    metrics.BATCH_ITEMS.labels("done").inc(read)
    metrics.BATCH_ITEMS.labels("failed").inc(len(done) - read)


def _outcomes(desk: Desk, work: Work, lease: Lease) -> Iterator[Outcome]:
    if not work.is_careful:
        yield from _together(desk, work, lease, work.lines)
        return
    for line in work.lines:
        name = partial(chunks.name_reading, desk.store, work, line[0], desk.settings.batch_lease)
        desk.patiently(name, lease.not_reading)
        yield from _together(desk, work, lease, [line])


def _together(desk: Desk, work: Work, lease: Lease, lines: Sequence[Line]) -> Iterator[Outcome]:
    """Read articles together, the shortest first, so that like goes with like."""
    entries: list[_Entry] = []
    for line in lines:
        try:
            entries.append(_entry(line, work, desk.settings.max_body_bytes))
        except Exception as error:
            yield _failed(line, error)
    met = Counter[str]()
    turns: dict[int, int] = {}  # what comes again is kept after what came before
    for entry in entries:
        names = {f"id {entry.external_id}", f"url {entry.page.url}"} - {"id None", "url None"}
        turn = max((met[name] for name in names), default=0)
        turns[entry.line[0]] = turn
        met.update({name: turn + 1 - met[name] for name in names})
    entries.sort(key=lambda entry: (turns[entry.line[0]], entry.habit, len(entry.page.text)))
    for (_, habit), group in groupby(entries, lambda entry: (turns[entry.line[0]], entry.habit)):
        yield from _read_group(desk, work, lease, habit, list(group))


def _read_group(desk: Desk, work: Work, lease: Lease, habit: Habit, entries: list[_Entry]) -> Iterator[Outcome]:
    readings = desk.reader.read((entry.page.article for entry in entries), habit=habit)
    for n, entry in enumerate(entries):
        try:
            reading = next(readings)
        except Exception as error:
            if len(entries) == 1:
                yield _failed(entry.line, error, entry.external_id)
                return
            # One of them spoils it for all: which one is seen when each is alone.
            for one in entries[n:]:
                yield from _read_group(desk, work, lease, habit, [one])
            return
        try:
            yield _done(desk, work, lease, entry, reading)
        except (Stopping, Gone):
            raise
        except Exception as error:
            yield _failed(entry.line, error, entry.external_id)


def _done(desk: Desk, work: Work, lease: Lease, entry: _Entry, reading: Reading) -> Outcome:
    kept: str | None = None
    if work.store:
        handed = Handed(entry.page, entry.external_id)
        keep = partial(desk.keeper.keep, handed, entry.habit, lambda: reading)
        kept = desk.patiently(keep, lease.not_reading).id
    analysis = analysis_record(entry.page, reading, desk.reader.version, entry.habit)
    return records.done(entry.line[0], entry.external_id, kept, analysis)


def _failed(line: Line, error: Exception, external_id: str | None = None) -> Outcome:
    if not isinstance(error, ServiceError):
        _log.exception("article %d cannot be read", line[0], exc_info=error)
        error = ServiceError("Reading this article failed; the log of the worker says how.")
    return records.failed(line, error, external_id)


def _entry(line: Line, work: Work, limit: int) -> _Entry:
    """An article as POST /v1/articles takes it; ``id`` may stand for ``external_id``.

    Raises:
        ServiceError: It is not one.
    """
    raw = line[1]
    if len(raw) > limit:
        raise TooLarge(
            f"The article has {len(raw):,} bytes or more; at most {limit:,} are allowed.",
            limit=limit,
            observed=len(raw),
            setting=PREFIX + "MAX_BODY_BYTES",
        )
    row = _with_external_id(parse_json(raw))
    try:
        asked = ArticleRequestSchema().load(row, unknown=ma.EXCLUDE if work.ignore_unknown else ma.RAISE)
    except ma.ValidationError as error:
        raise Invalid(errors=field_errors(error.messages)) from None
    return _Entry(line, page_of(asked), asked.get("habit", work.habit), asked.get("external_id"))


def _with_external_id(row: Any) -> Any:
    if not isinstance(row, dict) or "id" not in row:
        return row
    row = dict(row)
    own = row.pop("id")
    if isinstance(own, bool) or not isinstance(own, (str, int)):
        raise Invalid(errors=[{"field": "id", "message": "Must be a string or a whole number."}])
    if row.setdefault("external_id", str(own)) != str(own):
        raise Invalid(errors=[{"field": "id", "message": "Send either id or external_id, or the same in both."}])
    return row
