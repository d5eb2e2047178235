"""API keys: made, known again, revoked.  A key is shown once, when it is made; what is kept is its digest."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Literal, get_args

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.store.engine import Store
from service.store.tables import ApiKey

Scope = Literal["read", "write", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

_MARK: Final = "whosaid_"
_NOBODY: Final = sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is good now.

    ``requests_per_minute`` and ``characters_per_day`` are its own limits: None for the service's, 0 for none.
    """

    seq: int
    id: str
    prefix: str
    scopes: frozenset[str]
    last_used: datetime | None
    requests_per_minute: int | None
    characters_per_day: int | None


def create_key(
    store: Store,
    name: str,
    scopes: Sequence[Scope],
    *,
    expires: datetime | None = None,
    requests_per_minute: int | None = None,
    characters_per_day: int | None = None,
) -> str:
    """Make a key; the answer is the key itself, which nothing can tell later."""
    prefix = f"{_MARK}{secrets.token_hex(4)}"
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    with store.write() as session:
        session.add(
            ApiKey(
                id=f"key-{secrets.token_hex(10)}",
                name=name,
                prefix=prefix,
                digest=_digest(key),
                scopes=[one for one in SCOPES if one in scopes],
                created=datetime.now(UTC),
                expires=expires,
                requests_per_minute=requests_per_minute,
                characters_per_day=characters_per_day,
            )
        )
    return key


def known_key(store: Store, sent: str) -> Key | None:
    """The key that a caller sent, if it is one and still good."""
    prefix = sent[: sent.rfind("_", 0, len(_MARK) + 9)] if sent.startswith(_MARK) else ""
    with store.read() as session:
        found = session.scalar(select(ApiKey).where(ApiKey.prefix == prefix))
        # In constant time, and for a prefix that nobody has as well: how long it takes tells nothing.
        is_right = hmac.compare_digest(_digest(sent), found.digest if found else _NOBODY)
        if found is None or not is_right or not is_good(found):
            return None
        return Key(
            found.seq, found.id, found.prefix, frozenset(found.scopes), moment(found.last_used),
            found.requests_per_minute, found.characters_per_day,
        )  # fmt: skip


def note_use(store: Store, key: Key, now: datetime) -> None:
    """Keep when a key was used last."""
    with store.count() as session:
        session.execute(update(ApiKey).where(ApiKey.seq == key.seq).values(last_used=now))


def revoke_key(store: Store, named: str) -> bool:
    """End a key that its prefix, its id or it itself names; False if there is none, or it has ended."""
    with store.write() as session:
        found = session.scalar(select(ApiKey).where((ApiKey.id == named) | (ApiKey.prefix == named)))
        if found is None or found.revoked is not None:
            return False
        found.revoked = datetime.now(UTC)
        return True


def all_keys(session: Session) -> Sequence[ApiKey]:
    """All keys, the oldest first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.seq)).all()


def has_keys(store: Store) -> bool:
    """Whether any key is good."""
    with store.read() as session:
        return any(is_good(one) for one in all_keys(session))


def is_good(key: ApiKey) -> bool:
    """Whether it has neither been revoked nor expired."""
    expires = moment(key.expires)
    return key.revoked is None and (expires is None or expires > datetime.now(UTC))


def moment(written: datetime | None) -> datetime | None:
    """A moment as it was stored, in UTC: SQLite forgets the zone."""
    return written.replace(tzinfo=UTC) if written is not None and written.tzinfo is None else written


def _digest(key: str) -> str:
    # A key is 256 random bits: there is nothing to guess, and so nothing that a slow hash would protect.
    return sha256(key.encode(errors="replace")).hexdigest()
