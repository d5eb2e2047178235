"""The tables.  Ids that callers see are opaque strings; ``seq`` gives each table an order of arrival."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts up by itself in SQLite

_CODE_POINTS = Text().with_variant(Text(collation="C"), "postgresql")


class Base(DeclarativeBase):
    """All tables; a ``seq`` is never used again, so that what comes later is always greater."""

    __table_args__: Any = {"sqlite_autoincrement": True}  # noqa: RUF012


class Article(Base):
    """An article as it was read last.

    It is known again by its external id, its address or its text: each is unique.
    """

    __tablename__ = "articles"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    external_id: Mapped[str | None] = mapped_column(String(200), unique=True)
    url: Mapped[str | None] = mapped_column(String(2000), unique=True)
    text_hash: Mapped[str] = mapped_column(String(64), unique=True)
    text: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    byline: Mapped[str | None] = mapped_column(Text)
    publisher: Mapped[str | None] = mapped_column(Text, index=True)
    published: Mapped[str | None] = mapped_column(String(40))
    published_on: Mapped[date | None] = mapped_column(Date, index=True)
    language: Mapped[str] = mapped_column(String(40))
    boilerplate: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    habit: Mapped[str] = mapped_column(String(20))
    model: Mapped[str] = mapped_column(String(40))
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    claims: Mapped[list[Claim]] = relationship(
        back_populates="article", cascade="all, delete-orphan", order_by="Claim.place", passive_deletes=True
    )
    cast: Mapped[list[Appearance]] = relationship(
        back_populates="article", cascade="all, delete-orphan", order_by="Appearance.place", passive_deletes=True
    )


class Speaker(Base):
    """A speaker across articles."""

    __tablename__ = "speakers"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    is_known: Mapped[bool]
    """Whether one of its names tells it from all others, so that other articles' mentions are it too."""
    is_decided: Mapped[bool] = mapped_column(default=False)
    """Whether a caller merged, split or named it: it is remembered even if no article has it."""
    qid: Mapped[str | None] = mapped_column(String(20), unique=True)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    names: Mapped[list[SpeakerName]] = relationship(
        back_populates="speaker", cascade="all, delete-orphan", order_by="SpeakerName.seq", passive_deletes=True
    )


class SpeakerName(Base):
    """A name that a speaker goes by; ``key`` and ``last`` are what is compared, see ``service.tracking.speakers``."""

    __tablename__ = "speaker_names"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    speaker_seq: Mapped[int] = mapped_column(ForeignKey("speakers.seq", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text, index=True)
    last: Mapped[str] = mapped_column(Text, index=True)
    identifies: Mapped[bool] = mapped_column(default=False)
    """Whether other articles' speakers of this name are this one."""

    speaker: Mapped[Speaker] = relationship(back_populates="names")
    words: Mapped[list[NameWord]] = relationship(cascade="all, delete-orphan", passive_deletes=True)

    __table_args__ = (UniqueConstraint("speaker_seq", "key"), {"sqlite_autoincrement": True})


class NameWord(Base):
    """A word of a name's key, in the order of code points: names are found by how their words begin."""

    __tablename__ = "name_words"
    __table_args__: Any = {}  # noqa: RUF012

    word: Mapped[str] = mapped_column(_CODE_POINTS, primary_key=True)
    name_seq: Mapped[int] = mapped_column(
        ForeignKey("speaker_names.seq", ondelete="CASCADE"), primary_key=True, index=True
    )


class Appearance(Base):
    """A speaker in an article: how it calls them, and who else they might be."""

    __tablename__ = "appearances"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    article_seq: Mapped[int] = mapped_column(ForeignKey("articles.seq", ondelete="CASCADE"))
    place: Mapped[int] = mapped_column(Integer)
    speaker_seq: Mapped[int] = mapped_column(ForeignKey("speakers.seq"), index=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    aliases: Mapped[list[str]] = mapped_column(JSON)
    candidates: Mapped[list[str]] = mapped_column(JSON)
    """Ids of speakers that it may be as well."""

    article: Mapped[Article] = relationship(back_populates="cast")
    speaker: Mapped[Speaker] = relationship()

    __table_args__ = (UniqueConstraint("article_seq", "place"), {"sqlite_autoincrement": True})


class Claim(Base):
    """One attributed content of an article."""

    __tablename__ = "claims"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    article_seq: Mapped[int] = mapped_column(ForeignKey("articles.seq", ondelete="CASCADE"), index=True)
    place: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(String(20))
    category: Mapped[str] = mapped_column(String(20))
    category_probability: Mapped[float]
    check_worthiness: Mapped[float]
    confidence: Mapped[float]
    context_start: Mapped[int | None]
    context_end: Mapped[int | None]
    appearance_seq: Mapped[int | None] = mapped_column(ForeignKey("appearances.seq", ondelete="SET NULL"), index=True)

    article: Mapped[Article] = relationship(back_populates="claims")
    appearance: Mapped[Appearance | None] = relationship()
    spans: Mapped[list[ClaimSpan]] = relationship(
        cascade="all, delete-orphan", order_by="ClaimSpan.place", passive_deletes=True
    )
    tracked: Mapped[TrackedClaim | None] = relationship(viewonly=True)


class ClaimSpan(Base):
    """A span of a claim's attribution, in code points of the article's text."""

    __tablename__ = "claim_spans"
    __table_args__: Any = {}  # noqa: RUF012

    claim_seq: Mapped[int] = mapped_column(ForeignKey("claims.seq", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    role: Mapped[str] = mapped_column(String(10))
    start: Mapped[int] = mapped_column(Integer)
    end: Mapped[int] = mapped_column(Integer)


class Cluster(Base):
    """Claims of different articles that assert the same; see ``service.tracking.clusters``."""

    __tablename__ = "clusters"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    claims: Mapped[int] = mapped_column(Integer)
    articles: Mapped[int] = mapped_column(Integer, index=True)


class TrackedClaim(Base):
    """A claim as it is compared with others.

    A claim that changes is tracked anew, under another ``seq``: a ``seq`` and its vector stay what they are.
    """

    __tablename__ = "tracked_claims"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    claim_seq: Mapped[int] = mapped_column(ForeignKey("claims.seq", ondelete="CASCADE"), unique=True)
    version: Mapped[str] = mapped_column(String(40), index=True)
    """What made the vector."""
    vector: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """See ``service.tracking.vectors``."""
    first_seq: Mapped[int | None] = mapped_column(_SEQUENCE, index=True)
    """The tracked claim that it repeats; itself, if it repeats none."""
    probability: Mapped[float]
    """Of asserting the same as that one."""
    cluster_seq: Mapped[int | None] = mapped_column(ForeignKey("clusters.seq"), index=True)

    claim: Mapped[Claim] = relationship(viewonly=True)
    cluster: Mapped[Cluster | None] = relationship(viewonly=True)


class SamePair(Base):
    """Two tracked claims that assert the same, ``one_seq`` being the smaller."""

    __tablename__ = "same_claims"
    __table_args__: Any = {}  # noqa: RUF012

    one_seq: Mapped[int] = mapped_column(ForeignKey("tracked_claims.seq", ondelete="CASCADE"), primary_key=True)
    other_seq: Mapped[int] = mapped_column(
        ForeignKey("tracked_claims.seq", ondelete="CASCADE"), primary_key=True, index=True
    )
    probability: Mapped[float]


class KeptAnswer(Base):
    """The answer to a request that its caller gave a key to; see ``service.api.idempotency``."""

    __tablename__ = "kept_answers"
    __table_args__: Any = {}  # noqa: RUF012

    caller: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Of method, address and body."""
    created: Mapped[float] = mapped_column(index=True)
    """In seconds since 1970."""
    holder: Mapped[str] = mapped_column(String(32))
    held_until: Mapped[float]
    """In seconds since 1970; of interest while there is no answer."""
    status: Mapped[int | None]
    headers: Mapped[list[list[str]] | None] = mapped_column(JSON)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Compressed by zlib."""


class ApiKey(Base):
    """A key that opens the API: who has it is told by ``name``, what it opens by ``scopes``."""

    __tablename__ = "api_keys"

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(String(20), unique=True)
    """How the key begins; it may be seen."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the whole key, which is kept nowhere."""
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    requests_per_minute: Mapped[int | None] = mapped_column(BigInteger)
    """Its own limit; None for the setting's, 0 for none."""
    characters_per_day: Mapped[int | None] = mapped_column(BigInteger)
    minute: Mapped[int] = mapped_column(BigInteger, default=0)
    """The minute of Unix time that ``requests`` counts in."""
    requests: Mapped[int] = mapped_column(BigInteger, default=0)
    day: Mapped[int] = mapped_column(BigInteger, default=0)
    """The day of Unix time that ``characters`` counts in."""
    characters: Mapped[int] = mapped_column(BigInteger, default=0)
