"""Speakers across articles: a full name is one speaker; what is ambiguous is kept apart and flagged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from secrets import token_hex
from typing import Final

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from models.names import name_tokens
from models.records import Speaker as SpeakerInArticle
from service.errors import Conflict
from service.store.tables import Appearance, NameWord, Speaker, SpeakerName

_MOST_CANDIDATES: Final = 10


def name_key(name: str) -> str:
    """What is compared of a name: its words in small letters, without diacritics, marks and a leading "the"."""
    tokens = name_tokens(name)
    return " ".join(tokens[1:] if len(tokens) > 1 and tokens[0] == "the" else tokens)


def tells_apart(name: str, kind: str) -> bool:
    """Whether a name is enough to know its bearer in another article.

    A person's full name is, a surname is not; an organization's name is, "the company" is not; groups
    and documents are what they are only in their article.
    """
    if kind == "person":
        return len(name_tokens(name)) > 1 and name[:1].isupper()
    return kind == "organization" and name[:1].isupper()


def find_speaker(session: Session, one: SpeakerInArticle) -> tuple[Speaker, list[str]]:
    """The speaker that an article's speaker is, made if there is none yet, and the ids of others that it may be.

    Names of one article have been put together before; see ``models.names``.
    """
    key = name_key(one.name)
    known = list(
        session.scalars(
            select(Speaker)
            .join(SpeakerName)
            .where(SpeakerName.key == key, Speaker.kind == one.kind, Speaker.is_known)
            .order_by(Speaker.seq)
        ).unique()
    )
    if tells_apart(one.name, one.kind) and len(known) == 1:
        speaker, candidates = known[0], list[str]()
    else:
        is_known = tells_apart(one.name, one.kind) and not known
        candidates = [other.id for other in known] or _akin(session, one)
        speaker = Speaker(
            id=f"speaker-{token_hex(10)}", name=one.name, kind=one.kind, is_known=is_known, created=datetime.now(UTC)
        )
        session.add(speaker)
    collect_names(speaker, [one.name, *one.aliases])
    session.flush()
    return speaker, candidates


def _akin(session: Session, one: SpeakerInArticle) -> list[str]:
    """Known people who share the last name, and the first if both have one."""
    mine = name_tokens(one.name)
    if one.kind != "person" or not mine:
        return []
    same = select(Speaker, SpeakerName.key).join(SpeakerName).where(SpeakerName.last == mine[-1], Speaker.is_known)
    found = dict[str, None]()
    for speaker, key in session.execute(same.where(Speaker.kind == "person").order_by(Speaker.seq)):
        if len(mine) == 1 or key.split(" ")[0] == mine[0]:
            found[speaker.id] = None
    return list(found)[:_MOST_CANDIDATES]


def collect_names(speaker: Speaker, names: Sequence[str]) -> None:
    """Remember names that a speaker goes by."""
    have = {one.key for one in speaker.names}
    for name in names:
        key = name_key(name)
        if key and key not in have:
            have.add(key)
            words = [NameWord(word=word) for word in dict.fromkeys(key.split())]
            speaker.names.append(SpeakerName(name=name, key=key, last=key.rsplit(" ", 1)[-1], words=words))


def merge_speakers(session: Session, into: Speaker, other: Speaker) -> None:
    """Make two speakers one; later articles' mentions of either name are then the one too.

    Raises:
        Conflict: They are one already, of different kinds, or have different external identifiers.
    """
    if into is other:
        raise Conflict("A speaker cannot be merged into itself.")
    if into.kind != other.kind:
        raise Conflict(f"{into.id} is a {into.kind}, {other.id} a {other.kind}.")
    if into.qid and other.qid:
        raise Conflict(f"{into.id} is {into.qid}, {other.id} is {other.qid}.")
    names, qid = [one.name for one in other.names], other.qid
    session.execute(update(Appearance).where(Appearance.speaker_seq == other.seq).values(speaker_seq=into.seq))
    session.expire_all()
    session.delete(other)
    session.flush()
    into.qid = into.qid or qid
    into.is_known = True
    collect_names(into, names)
    for one in session.scalars(select(Appearance).where(Appearance.speaker_seq == into.seq)):
        one.candidates = []  # somebody decided
    session.flush()


def split_speaker(session: Session, speaker: Speaker, articles: Sequence[str]) -> Speaker:
    """Make a speaker of its own of those whom some articles mean.

    Two known speakers may then share a name: later articles' mentions of it are kept apart, with both as
    candidates.

    Raises:
        Conflict: It speaks in none of the articles, or in no others.
    """
    theirs = list(session.scalars(select(Appearance).where(Appearance.speaker_seq == speaker.seq)))
    moved = [one for one in theirs if one.article.id in articles]
    if not moved or len(moved) == len(theirs):
        where = "in none of these articles" if not moved else "in no other article than these"
        raise Conflict(f"{speaker.id} speaks {where}.")
    name = max((one.name for one in moved), key=len)
    apart = Speaker(
        id=f"speaker-{token_hex(10)}",
        name=name,
        kind=speaker.kind,
        is_known=speaker.is_known and tells_apart(name, speaker.kind),
        created=datetime.now(UTC),
    )
    session.add(apart)
    collect_names(apart, [each for one in moved for each in (one.name, *one.aliases)])
    for one in moved:
        one.speaker = apart
        one.candidates = []
    session.flush()
    return apart


def drop_unused(session: Session, speakers: Sequence[int]) -> None:
    """Remove speakers, given by ``seq``, that no article has any more and that nobody gave an identifier."""
    unused = select(Speaker).where(
        Speaker.seq.in_(speakers), Speaker.qid.is_(None), ~exists().where(Appearance.speaker_seq == Speaker.seq)
    )
    for speaker in session.scalars(unused):
        session.delete(speaker)
