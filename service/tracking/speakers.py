"""Speakers across articles: a full name is one speaker; what is ambiguous is kept apart and flagged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from secrets import token_hex
from typing import Final

from sqlalchemy import Text, cast, exists, select
from sqlalchemy.orm import Session, selectinload

from models.names import OFFICES, PART_OF_NAME, initials, name_tokens
from models.records import Speaker as SpeakerInArticle
from service.errors import Conflict
from service.store.tables import Appearance, NameWord, Speaker, SpeakerName

_MOST_CANDIDATES: Final = 10
_WITH_KIN: Final = ("person", "organization")


def name_key(name: str) -> str:
    """What is compared of a name: its words in small letters, without diacritics, marks and a leading "the"."""
    tokens = name_tokens(name)
    return " ".join(tokens[1:] if len(tokens) > 1 and tokens[0] == "the" else tokens)


def tells_apart(name: str, kind: str) -> bool:
    """Whether a name is enough to know its bearer in another article.

    A person's full name is, a surname or an office is not; an organization's name is, "the company" is not;
    groups and documents are what they are only in their article.
    """
    bare = name[4:] if name[:4].lower() == "the " else name
    if not bare[:1].isupper():
        return False
    if kind == "person":
        return sum(one not in OFFICES or one in PART_OF_NAME for one in name_tokens(name)) > 1
    return kind == "organization"


def _stands_for(alias: str, name: str, kind: str) -> bool:
    """Whether an alias that an article uses may be taken for the name in others.

    A person's first and last name may, and an organization's initials; "the Post" may not.
    """
    short, full = name_tokens(alias), name_tokens(name)
    if kind == "person":
        return tells_apart(alias, kind) and (short[0], short[-1]) == (full[0], full[-1])
    return kind == "organization" and alias.isupper() and len(alias) > 1 and short == (initials(full),)


Found = tuple[Speaker, list[str]]
"""A speaker, and the ids of others that it may be."""


class Directory:
    """Who goes by the names of an article's speakers, looked up for all of them at once.

    Args:
        session: One that writes.
        speakers: The article's speakers.
    """

    def __init__(self, session: Session, speakers: Sequence[SpeakerInArticle]) -> None:
        self._session = session
        self._met: dict[int, Speaker] = {}  # by their Python identity: they may have names that are not stored yet
        keys = {name_key(name) for one in speakers for name in (one.name, *one.aliases)} - {""}
        lasts = {name_key(one.name).rpartition(" ")[2] for one in speakers if one.kind in _WITH_KIN} - {""}
        self._known: dict[str, list[Speaker]] = {}
        self._akin: dict[str, list[tuple[str, str, str]]] = {}
        identified = select(SpeakerName.key, Speaker).join(SpeakerName.speaker).where(SpeakerName.identifies)
        identified = identified.order_by(Speaker.seq).options(selectinload(Speaker.names))
        for key, speaker in session.execute(identified.where(SpeakerName.key.in_(keys))) if keys else ():
            self._known.setdefault(key, []).append(speaker)
        akin = select(SpeakerName.last, Speaker.id, Speaker.kind, SpeakerName.key).join(SpeakerName.speaker)
        akin = akin.where(Speaker.is_known, SpeakerName.last.in_(lasts)).order_by(Speaker.seq)
        for last, id_, kind, key in session.execute(akin) if lasts else ():
            self._akin.setdefault(last, []).append((id_, kind, key))

    def find(self, one: SpeakerInArticle, before: Found | None = None) -> Found:
        """The speaker that an article's speaker is; one is made, for the next flush to store, if there is none yet.

        Names of one article have been put together before; see ``models.names``.

        Args:
            one: The article's speaker.
            before: Who it was when the article was stored before: that stays, as callers may have decided it.
        """
        if before is not None:
            self._collect(before[0], [one.name, *one.aliases])
            return before
        is_full = tells_apart(one.name, one.kind)
        short = [alias for alias in one.aliases if is_full and _stands_for(alias, one.name, one.kind)]
        known = self._identified(one.kind, [one.name]) or [
            # So far only the short form was known; with a full name of its own it would be another.
            each
            for each in self._identified(one.kind, short)
            if not each.is_decided and name_key(each.name) in map(name_key, short)
        ]
        akin = self._kin(one)
        if len(known) == 1:
            speaker = known[0]
            if name_key(speaker.name) in map(name_key, short) and not speaker.is_decided:
                speaker.name = one.name
            candidates = (
                [] if is_full and len(name_tokens(one.name)) > 1 else [id_ for id_ in akin if id_ != speaker.id]
            )
        else:
            # "The Post" is nobody's name where there is a Washington Post.
            is_short = one.name[:4].lower() == "the " and " " not in name_key(one.name)
            is_known = is_full and not known and not (akin and is_short)
            candidates = [other.id for other in known] or akin
            speaker = _new(self._session, one.name, one.kind, is_known=is_known)
            short = short if is_known else []
        telling = [one.name, *short] if speaker.is_known and is_full else []
        self._collect(speaker, [one.name, *one.aliases], telling)
        return speaker, candidates[:_MOST_CANDIDATES]

    def _collect(self, speaker: Speaker, names: Sequence[str], identifying: Sequence[str] = ()) -> None:
        collect_names(speaker, names, identifying)
        self._met[id(speaker)] = speaker

    def _identified(self, kind: str, names: Sequence[str]) -> list[Speaker]:
        """Who is identified by one of some names, in the order of arrival."""
        keys = {name_key(name) for name in names}
        found = {id(one): one for key in keys for one in self._known.get(key, ()) if one.kind == kind}
        for one in self._met.values():
            if one.kind == kind and any(name.identifies and name.key in keys for name in one.names):
                found[id(one)] = one
        return sorted(found.values(), key=lambda one: (one.seq is None, one.seq or 0))

    def _kin(self, one: SpeakerInArticle) -> list[str]:
        """Known people who share the last name, and the first if both have one; organizations whose names end alike."""
        key = name_key(one.name)
        if one.kind not in _WITH_KIN or not key:
            return []
        first, _, last = key.rpartition(" ")
        rows = list(self._akin.get(last, ()))
        rows += [
            (met.id, met.kind, name.key)
            for met in self._met.values()
            if met.is_known
            for name in met.names
            if name.last == last
        ]
        found = dict[str, None]()
        for id_, kind, other in rows:
            if kind != one.kind:
                continue
            if one.kind == "organization":
                is_akin = other.endswith(f" {key}")
            else:
                is_akin = other != key and (not first or other.split(" ")[0] == key.split(" ")[0])
            if is_akin:
                found[id_] = None
        return list(found)


def _new(session: Session, name: str, kind: str, *, is_known: bool) -> Speaker:
    now = datetime.now(UTC)
    speaker = Speaker(
        id=f"speaker-{token_hex(10)}", name=name, kind=kind, is_known=is_known, is_decided=False, created=now
    )
    session.add(speaker)
    return speaker


def collect_names(speaker: Speaker, names: Sequence[str], identifying: Sequence[str] = ()) -> None:
    """Remember names that a speaker goes by, and which of them identify it in other articles."""
    have = {one.key: one for one in speaker.names}
    for name in names:
        key = name_key(name)
        if key and key not in have:
            words = [NameWord(word=word) for word in dict.fromkeys(key.split())]
            have[key] = SpeakerName(name=name, key=key, last=key.rsplit(" ", 1)[-1], identifies=False, words=words)
            speaker.names.append(have[key])
        if key and name in identifying:
            have[key].identifies = True


def merge_speakers(session: Session, into: Speaker, other: Speaker) -> None:
    """Make two speakers one; later articles' mentions of either name are then the one too.

    That the other's name is this one's is the caller's word, even if it is but a surname: others of that
    name are then candidates.  Groups and documents are merged in these articles only.

    Raises:
        Conflict: They are one already, of different kinds, or have different external identifiers.
    """
    if into is other:
        raise Conflict("A speaker cannot be merged into itself.")
    if into.kind != other.kind:
        raise Conflict(f"{into.id} is a {into.kind}, {other.id} a {other.kind}.")
    if into.qid and other.qid:
        raise Conflict(f"{into.id} is {into.qid}, {other.id} is {other.qid}.")
    names, qid, gone = [one.name for one in other.names], other.qid, other.id
    told = [one.name for one in other.names if one.identifies]
    if into.kind in ("person", "organization"):
        told += [other.name, into.name]
    mine = select(Appearance).where(Appearance.speaker_seq == other.seq)
    for one in session.scalars(mine):
        one.speaker = into
        one.candidates = []  # somebody decided
    for one in session.scalars(select(Appearance).where(cast(Appearance.candidates, Text).contains(gone))):
        others = dict.fromkeys(into.id if id_ == gone else id_ for id_ in one.candidates)
        one.candidates = [id_ for id_ in others if one.speaker is not into or id_ != into.id]
    session.flush()
    session.delete(other)
    session.flush()
    into.qid = into.qid or qid
    into.is_known = into.is_known or bool(told)
    into.is_decided = True
    collect_names(into, [*names, into.name], told)
    session.flush()


def split_speaker(session: Session, speaker: Speaker, articles: Sequence[str]) -> Speaker:
    """Make a speaker of its own of those whom some articles mean.

    Two known speakers may then share a name: later articles' mentions of it are kept apart, with both as
    candidates.  What only those articles call it, unless it is shown by that name, is the new one's alone.

    Raises:
        Conflict: It speaks in none of the articles, or in no others.
    """
    theirs = list(session.scalars(select(Appearance).where(Appearance.speaker_seq == speaker.seq)))
    moved = [one for one in theirs if one.article.id in articles]
    others = [one for one in theirs if one.article.id not in articles]
    if not moved or not others:
        where = "in none of these articles" if not moved else "in no other article than these"
        raise Conflict(f"{speaker.id} speaks {where}.")
    identifying = {one.key for one in speaker.names if one.identifies}
    names = _called(moved)
    told = [name for name in names if name_key(name) in identifying]
    apart = _new(session, max((one.name for one in moved), key=len), speaker.kind, is_known=bool(told))
    apart.is_decided = speaker.is_decided = True
    collect_names(apart, names, told)
    for one in moved:
        one.speaker = apart
        one.candidates = []
    gone = {name_key(name) for name in names} - {name_key(name) for name in (speaker.name, *_called(others))}
    speaker.names = [one for one in speaker.names if one.key not in gone]
    speaker.is_known = any(one.identifies for one in speaker.names)
    session.flush()
    return apart


def _called(appearances: Sequence[Appearance]) -> list[str]:
    """All names that articles have for a speaker."""
    return list(dict.fromkeys(name for one in appearances for name in (one.name, *one.aliases)))


def rename_speaker(session: Session, speaker: Speaker, name: str) -> None:
    """Give a speaker another name to show; if it is a full one, other articles' speakers of it are this one.

    Raises:
        Conflict: Other articles' speakers of it are another one.
    """
    is_full, key = tells_apart(name, speaker.kind), name_key(name)
    if is_full and not any(one.identifies and one.key == key for one in speaker.names):
        known = select(Speaker).join(Speaker.names).where(SpeakerName.identifies, SpeakerName.key == key)
        other = session.scalar(known.where(Speaker.kind == speaker.kind).order_by(Speaker.seq).limit(1))
        if other is not None:
            raise Conflict(f"{other.id} goes by that name; merge the two if they are the same.")
    speaker.name, speaker.is_decided = name, True
    speaker.is_known = speaker.is_known or is_full
    collect_names(speaker, [name], [name] if is_full else [])


def drop_unused(session: Session, speakers: Sequence[int]) -> None:
    """Remove speakers, given by ``seq``, that no article has any more and that no caller decided about."""
    unused = select(Speaker).where(
        Speaker.seq.in_(speakers),
        Speaker.qid.is_(None),
        ~Speaker.is_decided,
        ~exists().where(Appearance.speaker_seq == Speaker.seq),
    )
    for speaker in session.scalars(unused):
        session.delete(speaker)
