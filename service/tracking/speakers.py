"""Speakers across articles: a full name is one speaker; what is ambiguous is kept apart and flagged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from datetime import UTC, datetime
from functools import lru_cache
from secrets import token_hex
from typing import Final

from sqlalchemy import Text, cast, exists, select
from sqlalchemy.orm import Session, selectinload

from models.names import OFFICES, PART_OF_NAME, initials, name_tokens, suffix_of
from models.records import Speaker as SpeakerInArticle
from service.errors import Conflict, Invalid
from service.store.tables import Appearance, NameWord, Speaker, SpeakerName

_MOST_CANDIDATES: Final = 10
_LONGEST_KEY: Final = 500  # code points: PostgreSQL indexes no more than 2,704 bytes
_WITH_KIN: Final = ("person", "organization")
_HALF: Final = 2
"""How well a name fits a speaker if only one of them has a "Jr.", see ``_fit``."""


def name_key(name: str) -> str:
    """What is compared of a name: its words in small letters, without diacritics, marks and a leading "the"."""
    tokens = name_tokens(name)
    key = " ".join(tokens[1:] if len(tokens) > 1 and tokens[0] == "the" else tokens)
    return key[:_LONGEST_KEY].rstrip()


def tells_apart(name: str, kind: str) -> bool:
    """Whether a name is enough to know its bearer in another article.

    A person's full name is, a surname or an office is not; an organization's name is, "the company" is not;
    groups and documents are what they are only in their article.
    """
    if not _is_capital(name):
        return False
    if kind == "person":
        return sum(one not in OFFICES or one in PART_OF_NAME for one in name_tokens(name)) > 1
    return kind == "organization"


def _is_capital(name: str) -> bool:
    return (name[4:] if name[:4].lower() == "the " else name)[:1].isupper()


def _is_name(name: str, kind: str) -> bool:
    """Whether somebody may be called so in other articles: a surname, but no "spokesman", "Prime Minister"."""
    is_surname = kind == "person" and _is_capital(name) and not OFFICES.intersection(name_tokens(name)[-1:])
    return is_surname or tells_apart(name, kind)


@lru_cache(maxsize=50_000)
def _spelled(name: str) -> tuple[str, str | None]:
    """A name's key, and the "Jr." that the key is without, wherever it stands: "Charles II of Spain"."""
    return name_key(name), next(filter(None, map(suffix_of, reversed(name.split()[1:]))), None)


def _fit(speaker: Speaker, key: str, suffix: str | None) -> int:
    """How well a name fits a speaker whom its key identifies: father and son are two.

    0 if the speaker is shown with the same "Jr.", or with none as well, 1 if the speaker is also called so,
    2 if one of them has a "Jr." and the other has none, 3 if each has another.
    """
    called = {_spelled(name) for name in (speaker.name, *(one.name for one in speaker.names))}
    shown = {_spelled(speaker.name)} if name_key(speaker.name) == key else called
    suffixes = {each for _, each in called} - {None}
    if (key, suffix) in shown:
        return 0
    if (key, suffix) in called or suffix in suffixes:
        return 1
    return _HALF if suffix is None or not suffixes else _HALF + 1


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


def found_before(cast: Sequence[Appearance], speakers: Sequence[SpeakerInArticle]) -> list[Found | None]:
    """Who the speakers of an article that is read again were before, None for each who was not there.

    They are known by their names; if need be without capitals, marks and "the", where that leaves no choice.
    """
    left, found = list(cast), dict[int, Appearance]()
    tells: tuple[Callable[[str], object], ...] = (str, _spelled)
    for tell in tells:
        were, are = defaultdict[object, list[Appearance]](list), defaultdict[object, list[int]](list)
        for each in left:
            were[each.speaker.kind, tell(each.name)].append(each)
        for place, one in enumerate(speakers):
            if place not in found:
                are[one.kind, tell(one.name)].append(place)
        for key, places in are.items():
            if tell is str or len(places) == len(were[key]) == 1:
                found |= zip(places, were[key], strict=False)
        taken = set(found.values())
        left = [each for each in left if each not in taken]
    return [(found[n].speaker, found[n].candidates) if n in found else None for n in range(len(speakers))]


class Directory:
    """Who goes by the names of an article's speakers, looked up for all of them at once.

    Args:
        session: One that writes.
        speakers: The article's speakers.
    """

    def __init__(self, session: Session, speakers: Sequence[SpeakerInArticle]) -> None:
        self._session = session
        self._met: dict[int, Speaker] = {}  # by their Python identity: they may have names that are not stored yet
        self._listed: dict[tuple[str, str], dict[str | None, set[SpeakerInArticle]]] = {}
        for one in speakers:
            for name in (one.name, *one.aliases):
                self._listed.setdefault((one.kind, name_key(name)), {}).setdefault(_spelled(name)[1], set()).add(one)
        keys = {key for _, key in self._listed} - {""}
        lasts = {name_key(one.name).rpartition(" ")[2] for one in speakers if one.kind in _WITH_KIN} - {""}
        self._known: dict[str, list[Speaker]] = {}
        self._akin: dict[str, list[tuple[str, str, str]]] = {}
        identified = select(SpeakerName.key, Speaker).join(SpeakerName.speaker).where(SpeakerName.identifies)
        identified = identified.order_by(Speaker.seq).options(selectinload(Speaker.names))
        for key, speaker in session.execute(identified.where(SpeakerName.key.in_(keys))) if keys else ():
            self._known.setdefault(key, []).append(speaker)
        akin = select(SpeakerName.last, Speaker.id, Speaker.kind, SpeakerName.name).join(SpeakerName.speaker)
        akin = akin.where(Speaker.is_known, SpeakerName.last.in_(lasts)).order_by(Speaker.seq)
        for last, id_, kind, name in session.execute(akin) if lasts else ():
            self._akin.setdefault(last, []).append((id_, kind, name_key(name)))

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
        known = self._identified(one, [one.name]) or [
            # So far only the short form was known; with a full name of its own it would be another.
            each
            for each in self._identified(one, short)
            if not each.is_decided and _spelled(each.name) in map(_spelled, short)
        ]
        akin = self._kin(one)
        if len(known) == 1:
            speaker = known[0]
            if _spelled(speaker.name) in map(_spelled, short) and not speaker.is_decided:
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

    def _identified(self, one: SpeakerInArticle, names: Sequence[str]) -> list[Speaker]:
        """Whom some names of an article's speaker identify and fit best, in the order of arrival."""
        keys, suffix = {name_key(name) for name in names}, _spelled(one.name)[1]
        found = {id(each): each for key in keys for each in self._known.get(key, ())} | self._met
        fits: dict[int, list[Speaker]] = {}
        for each in found.values():
            mine = [name.key for name in each.names if name.identifies and name.key in keys]
            fit = min((_fit(each, key, suffix) for key in mine), default=_HALF + 1)
            if each.kind == one.kind and fit <= _HALF and not self._fits_another(each, one, keys, fit):
                fits.setdefault(fit, []).append(each)
        best = fits[min(fits)] if fits else []
        return sorted(best, key=lambda each: (each.seq is None, each.seq or 0))

    def _fits_another(self, speaker: Speaker, one: SpeakerInArticle, keys: Set[str], fit: int) -> bool:
        """Whether a speaker may as well be another of the article's, who has a "Jr." that one has not, or none."""
        keys = {name.key for name in speaker.names if name.identifies and (name.key in keys or fit == _HALF)}
        return any(
            suffix != _spelled(one.name)[1] and who != {one} and _fit(speaker, key, suffix) <= fit
            for key in keys
            for suffix, who in self._listed.get((one.kind, key), {}).items()
        )

    def _kin(self, one: SpeakerInArticle) -> list[str]:
        """Known people who share the last name, and the first if both have one; organizations whose names end alike."""
        key = name_key(one.name)
        if one.kind not in _WITH_KIN or not key:
            return []
        first, _, last = key.rpartition(" ")
        rows = list(self._akin.get(last, ()))
        rows += [
            (met.id, met.kind, name_key(name.name))
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
    """Remember names that a speaker goes by, and which of them identify it in other articles.

    One that differs from another by its "Jr." alone is found by that one's key, and has its own key but to be stored.
    """
    have = {one.key: one for one in speaker.names}
    for name in names:
        key, suffix = _spelled(name)
        own = f"{key} {suffix}" if suffix and key in have and _spelled(have[key].name) != (key, suffix) else key
        if key and own not in have:
            words = [NameWord(word=word) for word in dict.fromkeys(key.split())]
            have[own] = SpeakerName(name=name, key=own, last=key.rsplit(" ", 1)[-1], identifies=False, words=words)
            speaker.names.append(have[own])
        if key and name in identifying:
            have[key].identifies = True


def merge_speakers(session: Session, into: Speaker, other: Speaker) -> None:
    """Make two speakers one; later articles' mentions of either name are then the one too.

    That the other's name is this one's is the caller's word, even if it is but a surname: others of that
    name are then candidates.  Groups, documents and descriptions ("the company") are merged in these articles only.

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
    told += [name for name in (other.name, into.name) if _is_name(name, into.kind)]
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
    A surname that a merge made one's name is nobody's again.

    Raises:
        Invalid: It does not speak in one of the articles.
        Conflict: It speaks in no others.
    """
    theirs = list(session.scalars(select(Appearance).where(Appearance.speaker_seq == speaker.seq)))
    speaks = {one.article.id for one in theirs}
    strange = [number for number, id_ in enumerate(articles) if id_ not in speaks]
    if strange:
        message = f"{speaker.id} does not speak in this article."
        raise Invalid(errors=[{"field": f"articles.{number}", "message": message} for number in strange])
    moved = [one for one in theirs if one.article.id in articles]
    others = [one for one in theirs if one.article.id not in articles]
    if not others:
        raise Conflict(f"{speaker.id} speaks in no other article than these.")
    kind, identifying = speaker.kind, {one.key for one in speaker.names if one.identifies}

    def telling(names: Sequence[str]) -> list[str]:
        return [name for name in names if name_key(name) in identifying and tells_apart(name, kind)]

    names, stay = _called(moved), [speaker.name, *_called(others)]
    shown = max(
        (one.name for one in moved), key=lambda name: (tells_apart(name, kind), _is_name(name, kind), len(name))
    )
    apart = _new(session, shown, kind, is_known=bool(telling(names)))
    apart.is_decided = speaker.is_decided = True
    collect_names(apart, names, telling(names))
    for one in moved:
        one.speaker = apart
        one.candidates = []
    gone = {_spelled(name) for name in names} - {_spelled(name) for name in stay}
    stay += [one.name for one in speaker.names if _spelled(one.name) not in gone]
    # Of names that differ by a "Jr." alone those that stay are collected again: one may need the key of one that goes.
    keys = {key for key, _ in gone}
    speaker.names = [one for one in speaker.names if name_key(one.name) not in keys]
    session.flush()
    for name in speaker.names:
        name.identifies = name.identifies and tells_apart(name.name, kind)
    collect_names(speaker, stay, telling(stay))
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
    is_full, (key, suffix) = tells_apart(name, speaker.kind), _spelled(name)
    is_known = any(one.identifies and one.key == key for one in speaker.names)
    if is_full and not (is_known and _fit(speaker, key, suffix) < _HALF):
        known = select(Speaker).join(Speaker.names).where(SpeakerName.identifies, SpeakerName.key == key)
        known = known.where(Speaker.kind == speaker.kind, Speaker.seq != speaker.seq).order_by(Speaker.seq)
        other = next((one for one in session.scalars(known) if _fit(one, key, suffix) < _HALF), None)
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
