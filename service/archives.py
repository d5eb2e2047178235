"""Files with one JSON object a line: articles in, attributions out."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from models.claims import category_of
from models.records import ROLES, Article, Attribution, Reading
from service.pages import read_text


class LineError(Exception):
    """A line that cannot be read; the message names line and field."""


@dataclass(frozen=True, slots=True)
class Item:
    """An article of an archive."""

    id: str | int
    article: Article


def read_items(lines: IO[bytes], advance: Callable[[int], None], refuse: Callable[[LineError], None]) -> Iterator[Item]:
    """The articles of an archive, blank lines left out.

    Args:
        lines: The archive.
        advance: Told of the number of bytes of each line.
        refuse: Told of each line that cannot be read; may raise it.
    """
    for number, line in enumerate(lines, 1):
        advance(len(line))
        if line.strip():
            try:
                yield _item(number, line)
            except LineError as error:
                refuse(error)


def read_object(number: int, line: bytes) -> dict[str, Any]:
    """The object of a line.

    Raises:
        LineError: It has none.
    """
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise LineError(f"line {number}: not UTF-8 at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise LineError(f"line {number}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise LineError(f"line {number}: must be an object")
    return row


def _item(number: int, line: bytes) -> Item:
    row = read_object(number, line)
    for name, kinds in (("id", (str, int)), ("text", str)):
        if name not in row:
            raise LineError(f"line {number}: {name} is missing")
        if not isinstance(row[name], kinds) or isinstance(row[name], bool):
            raise LineError(f"line {number}: {name} must be a string")
    return Item(row["id"], read_text(row["text"]).article)


def to_line(id_: str | int, reading: Reading) -> str:
    """A reading as a line; ``speaker`` is null where the article does not tell."""
    attributions: list[dict[str, Any]] = [
        {
            **{role: [list(span) for span in getattr(one, role)] for role in ROLES},
            "type": one.type,
            "confidence": one.confidence,
            "speaker": _speaker(reading, one),
            "category": category_of(one.categories)[0] if one.categories else None,
        }
        for one in reading.attributions
    ]
    line = json.dumps({"id": id_, "attributions": attributions}, ensure_ascii=False)
    # Only an id can hold what UTF-8 cannot.
    return line if _is_writable(line) else json.dumps({"id": id_, "attributions": attributions})


def _speaker(reading: Reading, one: Attribution) -> dict[str, str] | None:
    if one.speaker is None:
        return None
    speaker = reading.speakers[one.speaker]
    return {"name": speaker.name, "kind": speaker.kind}


def _is_writable(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """A file to write that appears under its name only when all of it is written."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        # mkstemp keeps others out; a file of results has the rights of any new file.
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
