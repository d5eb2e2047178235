"""Names with ł, ø, ı and the like are found without their bars, as ``models.names.fold`` has it since."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_PLAIN: Final = {"ł": "l", "ı": "i", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"}

_names = sa.table(
    "speaker_names",
    *(sa.column(name) for name in ("seq", "speaker_seq", "key", "last")),
    sa.column("identifies", sa.Boolean()),
)
_words = sa.table("name_words", sa.column("word"), sa.column("name_seq"))


def upgrade() -> None:
    """Bring their keys up to date; a speaker's two names that are one now become one."""
    bind, plain = op.get_bind(), str.maketrans(_PLAIN)
    barred = sa.or_(*(_names.c.key.contains(letter) for letter in _PLAIN))
    for seq, speaker, key, identifies in bind.execute(
        sa.select(_names.c.seq, _names.c.speaker_seq, _names.c.key, _names.c.identifies).where(barred)
    ).all():
        new = key.translate(plain)
        bind.execute(sa.delete(_words).where(_words.c.name_seq == seq))
        same = bind.scalar(sa.select(_names.c.seq).where(_names.c.speaker_seq == speaker, _names.c.key == new))
        if same is None:
            values = {"key": new, "last": new.rsplit(" ", 1)[-1]}
            bind.execute(sa.update(_names).where(_names.c.seq == seq).values(values))
            bind.execute(sa.insert(_words), [{"word": word, "name_seq": seq} for word in dict.fromkeys(new.split())])
            continue
        bind.execute(sa.delete(_names).where(_names.c.seq == seq))
        if identifies:
            bind.execute(sa.update(_names).where(_names.c.seq == same).values(identifies=True))


def downgrade() -> None:
    """The keys stay: which letters they had is not known any more."""
