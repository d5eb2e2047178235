"""What can be listed: which filters find it, and how each item is written; for the API and the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, literal_column, select, text
from sqlalchemy.orm import Session, joinedload, selectinload

from models.records import ROLES
from service.api.linked import article_node, claim_node, speaker_node
from service.api.paging import MAX_PAGE, rows_of
from service.api.records import article_head, claim_record, speaker_records
from service.store.engine import Store
from service.store.tables import Appearance, Article, Claim, Cluster, NameWord, Speaker, SpeakerName, TrackedClaim
from service.tracking.speakers import name_key

T = TypeVar("T")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A list and its items' forms.

    ``query`` makes the query from filters and whether the database is SQLite; ``records`` is what JSON
    and NDJSON hold of a page's rows, ``columns`` what CSV holds of a record, by title, and ``nodes`` what
    JSON-LD holds of rows and their records.
    """

    name: str
    seq: Any
    query: Callable[[Mapping[str, Any], bool], Select[Any]]
    records: Callable[[Session, Sequence[T]], list[Record]]
    columns: Mapping[str, Callable[[Record], Any]]
    node: Callable[[T, Record], Record]

    def walk(
        self, store: Store, asked: Mapping[str, Any], show: Callable[[Session, Sequence[T]], list[Record]]
    ) -> Iterator[tuple[list[Record], str | None]]:
        """All items, page by page, each read by itself: no transaction stays open while the caller works.

        Args:
            store: Where they are.
            asked: Filters; ``cursor``, to begin there; ``limit``, the most items; without it all.
            show: Rows as they are wanted.

        Yields:
            Items, and the cursor of the next; the last one's is None unless the limit cut the list off.

        Raises:
            Invalid: The cursor is not of this list.
        """
        limit, asked = asked.get("limit"), {"limit": MAX_PAGE, **asked}
        while True:
            with store.read() as session:
                rows, following = rows_of(session, self.query(asked, store.is_embedded), self.seq, asked)
                items = show(session, rows)
            yield items, following
            if following is None or limit is not None:
                return
            asked["cursor"] = following


def _published(query: Select[Any], asked: Mapping[str, Any]) -> Select[Any]:
    """Only those of articles that the filters on publisher and date let through."""
    if "publisher" in asked:
        query = query.where(Article.publisher == asked["publisher"])
    if "published_from" in asked:
        query = query.where(Article.published_on >= asked["published_from"])
    if "published_to" in asked:
        query = query.where(Article.published_on <= asked["published_to"])
    return query


def _articles(asked: Mapping[str, Any], _: bool) -> Select[Any]:
    return _published(select(Article), asked)


CLAIM_PARTS: Final = (
    selectinload(Claim.article),
    joinedload(Claim.appearance).joinedload(Appearance.speaker),
    joinedload(Claim.tracked).joinedload(TrackedClaim.cluster),
    selectinload(Claim.spans),
)
"""What a claim's record is made of."""


def _claims(asked: Mapping[str, Any], is_embedded: bool) -> Select[Any]:
    return matching(select(Claim).join(Claim.article), asked, is_embedded).options(*CLAIM_PARTS)


def matching(query: Select[Any], asked: Mapping[str, Any], is_embedded: bool) -> Select[Any]:
    """Only those of claims, joined with their articles, that the filters let through."""
    query = _published(query, asked)
    if "article" in asked:
        query = query.where(Article.id == asked["article"])
    if asked.keys() & {"speaker", "speaker_name", "kind"}:
        query = query.join(Claim.appearance).join(Appearance.speaker)
    if "speaker" in asked:
        query = query.where(Speaker.id == asked["speaker"])
    if "speaker_name" in asked:
        query = query.where(_goes_by(asked["speaker_name"]))
    if "kind" in asked:
        query = query.where(Speaker.kind == asked["kind"])
    for name in ("type", "category"):
        if name in asked:
            query = query.where(getattr(Claim, name) == asked[name])
    for name in ("confidence", "check_worthiness"):
        if f"min_{name}" in asked:
            query = query.where(getattr(Claim, name) >= asked[f"min_{name}"])
    if "q" in asked:
        query = query.where(_matches(asked["q"], is_embedded))
    if "cluster" in asked:
        query = query.where(Claim.tracked.has(TrackedClaim.cluster.has(Cluster.id == asked["cluster"])))
    return query


def _matches(words: str, is_embedded: bool) -> ColumnElement[bool]:
    """Full-text search: all words, in any of their forms."""
    if not is_embedded:
        cut = func.translate(words, "/-_.@:", "      ")  # as its words were
        return literal_column("claims.search").op("@@")(func.plainto_tsquery(literal_column("'whosaid'"), cut))
    # Each word in quotation marks: nothing in it is an operator.
    quoted = " ".join('"' + word.replace('"', '""') + '"' for word in words.split())
    found = text("SELECT rowid FROM claim_search WHERE claim_search MATCH :words").bindparams(words=quoted)
    return Claim.seq.in_(found.columns(Claim.seq).scalar_subquery())


def _speakers(asked: Mapping[str, Any], _: bool) -> Select[Any]:
    query = select(Speaker).options(selectinload(Speaker.names))
    for name in ("kind", "qid"):
        if name in asked:
            query = query.where(getattr(Speaker, name) == asked[name])
    if "name" in asked:
        query = query.where(_goes_by(asked["name"]))
    return query


def _goes_by(name: str) -> ColumnElement[bool]:
    """Speakers one of whose names has, for each word of this one, a word that begins with it."""
    query = select(SpeakerName.speaker_seq)
    for word in name_key(name).split() or [name]:
        # A range, in an index that is ordered by code points; of LIKE the databases make different things.
        begins = (NameWord.word >= word, NameWord.word < word + chr(0x10FFFF))
        query = query.where(SpeakerName.seq.in_(select(NameWord.name_seq).where(*begins)))
    return Speaker.seq.in_(query)


def _texts(spans: Sequence[Record]) -> str:
    return " … ".join(span["text"] for span in spans)


def _places(spans: Sequence[Record]) -> str:
    return " ".join(f"{span['start']}-{span['end']}" for span in spans)


def _member(name: str) -> Callable[[Record], Any]:
    return lambda record: record[name]


def _of_speaker(name: str) -> Callable[[Record], Any]:
    return lambda record: (record["speaker"] or {}).get(name)


_ABOUT: Final = ("title", "url", "publisher", "published")

ARTICLES: Final[Listing[Article]] = Listing(
    name="articles",
    seq=Article.seq,
    query=_articles,
    records=lambda _, rows: [article_head(one) for one in rows],
    columns={
        **{name: _member(name) for name in ("id", "external_id", *_ABOUT, "byline", "language", "created", "updated")},
        "model": lambda record: record["model"]["version"],
        "habit": lambda record: record["model"]["habit"],
    },
    node=lambda one, _: article_node(one),
)

CLAIMS: Final[Listing[Claim]] = Listing(
    name="claims",
    seq=Claim.seq,
    query=_claims,
    records=lambda _, rows: [claim_record(one) for one in rows],
    columns={
        **{name: _member(name) for name in ("id", "text")},
        "speaker": _of_speaker("name"),
        "speaker_id": _of_speaker("id"),
        "speaker_kind": _of_speaker("kind"),
        **{
            name: _member(name)
            for name in ("type", "category", "category_probability", "check_worthiness", "confidence")
        },
        **{name: _member(name) for name in ("article", *_ABOUT)},
        **{role: lambda record, role=role: _texts(record[role]) for role in ROLES},  # type: ignore[misc]
        **{f"{role}_spans": lambda record, role=role: _places(record[role]) for role in ROLES},  # type: ignore[misc]
        "context": lambda record: (record["context"] or {}).get("text"),
        "cluster": _member("cluster"),
    },
    node=lambda one, record: claim_node(one, record),
)

SPEAKERS: Final[Listing[Speaker]] = Listing(
    name="speakers",
    seq=Speaker.seq,
    query=_speakers,
    records=speaker_records,
    columns={
        **{name: _member(name) for name in ("id", "name", "kind")},
        "aliases": lambda record: "; ".join(record["aliases"]),
        **{name: _member(name) for name in ("qid", "articles", "claims", "first_seen", "last_seen")},
    },
    node=lambda _, record: speaker_node(record),
)

LISTINGS: Final[Mapping[str, Listing[Any]]] = {one.name: one for one in (CLAIMS, ARTICLES, SPEAKERS)}
