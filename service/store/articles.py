"""Articles: stored whole or not at all, known again, read, listed and removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from secrets import token_hex
from typing import Final

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session, selectinload

from models.claims import Claim as Found
from models.claims import find_claims
from models.records import ROLES, Attribution, Reading
from service.errors import Conflict
from service.pages import Page
from service.store.engine import batches
from service.store.tables import Appearance, Article, Claim, ClaimSpan, TrackedClaim
from service.tracking.clusters import Decide, Groups
from service.tracking.speakers import Directory, drop_unused, found_before

ABOUT: Final = ("title", "byline", "publisher", "url", "published", "language")
"""What is told of an article beside its text."""


@dataclass(frozen=True, slots=True)
class Handed:
    """An article as it was handed in: its page, and the caller's own id for it."""

    page: Page
    external_id: str | None = None


def text_hash(text: str) -> str:
    """What an article is known again by if nothing else tells."""
    return sha256(text.encode()).hexdigest()


def find_article(session: Session, handed: Handed) -> Article | None:
    """The stored article that an article is, by its external id, its address or its text.

    Raises:
        Conflict: It is two of them.
    """
    page = handed.page
    same: list[tuple[str, ColumnElement[bool]]] = [("text", Article.text_hash == text_hash(page.text))]
    if page.url is not None:
        same.append(("url", Article.url == page.url))
    if handed.external_id is not None:
        same.append(("external_id", Article.external_id == handed.external_id))
    found: dict[str, tuple[Article, str]] = {}
    for name, condition in same:
        article = session.scalar(select(Article).where(condition))
        if article is not None:
            found.setdefault(article.id, (article, name))
    if len(found) > 1:
        told = " and ".join(f"{id_} has its {name}" for id_, (_, name) in found.items())
        raise Conflict(f"This is two stored articles: {told}.")
    return next((article for article, _ in found.values()), None)


def is_read(article: Article, handed: Handed, model: str, habit: str) -> bool:
    """Whether what is stored is what reading it again would give."""
    return (article.text, article.model, article.habit) == (handed.page.text, model, habit) and article.boilerplate == [
        one.as_record() for one in handed.page.boilerplate
    ]


def tells_more(article: Article, handed: Handed) -> bool:
    """Whether what is handed in says something of an article that is not stored."""
    said = {name: getattr(handed.page, name) for name in ABOUT} | {"external_id": handed.external_id}
    return any(value not in (None, getattr(article, name)) for name, value in said.items())


def will_move(article: Article, handed: Handed) -> bool:
    """Whether an article will have been published at another time than what is stored says."""
    return handed.page.published is not None and handed.page.published != article.published


class Changed(Exception):
    """What was stored is not any more what it was when the caller looked; read the article and try again."""


def save_article(
    session: Session,
    handed: Handed,
    reading: Reading | None,
    model: str,
    habit: str,
    track: Callable[[Session, Article, Groups], None] | None = None,
    decide: Decide | None = None,
) -> tuple[str, bool]:
    """Store an article in place of the one that it is, if there is one.

    Args:
        session: One that writes.
        handed: The article.
        reading: What the Reader found in it; None if that is stored already, see ``is_read``.
        model: The version of the Reader's weights.
        habit: The habit that it followed.
        track: Compares the article's claims with others'; called if there are new ones, or their date is another.
        decide: See ``Groups``.

    Returns:
        The article's id, and whether it is new.

    Raises:
        Conflict: It is two stored articles.
        Changed: There is no reading, and none is stored.
    """
    page, now, groups = handed.page, datetime.now(UTC), Groups(session, decide)
    article = find_article(session, handed)
    is_new = article is None
    if reading is None and (article is None or not is_read(article, handed, model, habit)):
        raise Changed
    if article is None:
        article = Article(id=f"article-{token_hex(10)}", created=now)
        session.add(article)
    is_changed = reading is not None or will_move(article, handed)
    if is_changed and not is_new:
        groups.remove(article.seq)
    for name in ABOUT:
        if is_new or getattr(page, name) is not None:
            setattr(article, name, getattr(page, name))
    if is_new or handed.external_id is not None:
        article.external_id = handed.external_id
    article.published_on = day_of(article.published)
    article.language = article.language or "en"
    article.updated = now
    if reading is not None:
        article.text, article.text_hash = page.text, text_hash(page.text)
        article.boilerplate = [one.as_record() for one in page.boilerplate]
        article.model, article.habit = model, habit
        session.flush()
        _replace_claims(session, article, reading)
    session.flush()
    if is_changed:
        if track is not None:
            track(session, article, groups)
        groups.settle()
    return article.id, is_new


def _replace_claims(session: Session, article: Article, reading: Reading) -> None:
    before = [one.speaker_seq for one in article.cast]
    known = found_before(article.cast, reading.speakers)
    kept = {claim.id: claim for claim in article.claims}
    for claim in kept.values():
        claim.appearance = None
    for some in batches([claim.seq for claim in kept.values()]):
        session.execute(delete(ClaimSpan).where(ClaimSpan.claim_seq.in_(some)))
    article.cast.clear()
    session.flush()
    directory = Directory(session, reading.speakers)
    for place, one in enumerate(reading.speakers):
        speaker, candidates = directory.find(one, known[place])
        article.cast.append(
            Appearance(
                place=place,
                speaker=speaker,
                name=one.name,
                role=one.role,
                aliases=list(one.aliases),
                candidates=candidates,
            )
        )
    said: list[tuple[Claim, Attribution]] = []
    for place, found in enumerate(find_claims(reading)):
        id_ = claim_id(article.id, found, reading)
        claim = kept.get(id_) or Claim(id=id_)
        claim.place, claim.text, claim.type = place, found.text, found.type
        claim.category, claim.category_probability = found.category, found.category_probability
        claim.check_worthiness, claim.confidence = found.check_worthiness, found.confidence
        claim.context_start, claim.context_end = found.context or (None, None)
        claim.appearance = None if found.speaker is None else article.cast[found.speaker]
        said.append((claim, reading.attributions[found.attribution]))
    article.claims = [claim for claim, _ in said]
    session.flush()
    rows = [
        {"claim_seq": claim.seq, "place": place, "role": role, "start": span.start, "end": span.end}
        for claim, one in said
        for place, (role, span) in enumerate((role, span) for role in ROLES for span in getattr(one, role))
    ]
    if rows:
        session.execute(insert(ClaimSpan), rows)
    drop_unused(session, before)


def claim_id(article_id: str, claim: Found, reading: Reading) -> str:
    """A claim's id: the same for the same article and spans."""
    said = reading.attributions[claim.attribution]
    spans = [[tuple(span) for span in getattr(said, role)] for role in ROLES]
    return f"claim-{sha256(f'{article_id} {spans}'.encode()).hexdigest()[:20]}"


def get_article(session: Session, id_: str) -> Article | None:
    """A stored article with its claims and speakers."""
    whole = (
        selectinload(Article.claims).selectinload(Claim.spans),
        selectinload(Article.claims).joinedload(Claim.tracked).joinedload(TrackedClaim.cluster),
        selectinload(Article.cast).selectinload(Appearance.speaker),
    )
    return session.scalar(select(Article).where(Article.id == id_).options(*whole))


def delete_article(session: Session, id_: str, decide: Decide | None = None) -> bool:
    """Remove an article with its claims; whether it was there.  ``decide``: see ``Groups``."""
    article = get_article(session, id_)
    if article is None:
        return False
    speakers, groups = [one.speaker_seq for one in article.cast], Groups(session, decide)
    groups.remove(article.seq)
    session.delete(article)
    session.flush()
    groups.settle()
    drop_unused(session, speakers)
    return True


def day_of(published: str | None) -> date | None:
    """The day of a date or a moment in ISO 8601."""
    return None if published is None else datetime.fromisoformat(published).date()
