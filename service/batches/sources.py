"""Files and folders as the lines of a batch: NDJSON, texts, web pages, web archives, each also by gzip."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, cast

from service.batches.intake import lines_of
from service.config import Settings

_NDJSON: Final = (".ndjson", ".jsonl")
_TEXT: Final = (".txt",)
_PAGE: Final = (".html", ".htm")
_WARC: Final = (".warc",)
KNOWN: Final = (*_NDJSON, *_TEXT, *_PAGE, *_WARC)


class SourceError(Exception):
    """A file that is no archive; the message names it."""


def find_files(archives: Sequence[Path]) -> list[tuple[Path, str]]:
    """All files to read, with the names that their articles get, in an order that stays the same.

    Raises:
        SourceError: One is not there or of no kind that is known; in folders such files are left out.
    """
    found = []
    for archive in archives:
        if archive.is_dir():
            inside = sorted(one for one in archive.rglob("*") if one.is_file() and _kind(one) in KNOWN)
            found += [(one, one.relative_to(archive).as_posix()) for one in inside]
        elif not archive.is_file():
            raise SourceError(f"there is no {archive}")
        elif _kind(archive) not in KNOWN:
            raise SourceError(f"{archive} is none of {', '.join(KNOWN)}, or these with .gz")
        else:
            found.append((archive, archive.name))
    if not found:
        raise SourceError(f"there is nothing to read; known are {', '.join(KNOWN)}, also with .gz")
    return found


def fingerprint(files: Sequence[tuple[Path, str]], **options: Any) -> str:
    """What tells these files, as they are now, and what is to be done with them."""
    told = [[str(path.resolve()), name, path.stat().st_size, path.stat().st_mtime_ns] for path, name in files]
    return sha256(json.dumps([told, options], sort_keys=True).encode()).hexdigest()


def lines_from(files: Sequence[tuple[Path, str]], settings: Settings) -> Iterator[bytes]:
    """The articles of files, each as a line.

    Raises:
        SourceError: A file cannot be read.
    """
    for path, name in files:
        try:
            yield from _lines(path, name, settings)
        except (OSError, EOFError) as error:
            raise SourceError(f"cannot read {path}: {error}") from None


def _lines(path: Path, name: str, settings: Settings) -> Iterator[bytes]:
    kind, is_gzip = _kind(path), path.suffix == ".gz"
    if kind in _WARC:
        yield from _pages(path)
        return
    if kind in _NDJSON:
        local = replace(settings, max_batch_bytes=1 << 62, max_gzip_ratio=1 << 20)  # it is on the disk already
        with path.open("rb") as file:
            yield from lines_of(file, is_gzip, local)
        return
    with cast(IO[bytes], gzip.open(path)) if is_gzip else path.open("rb") as file:
        raw = file.read()
    if kind in _PAGE:
        yield _line(external_id=name, html=_decoded(raw))
    else:
        # What is not UTF-8 becomes lone surrogates, which the article's error then names.
        yield _line(external_id=name, text=raw.decode("utf-8-sig", "surrogateescape"))


def _pages(path: Path) -> Iterator[bytes]:
    """The web pages that a web archive holds."""
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    with path.open("rb") as file:
        try:
            for record in ArchiveIterator(file):
                if record.rec_type != "response" or record.http_headers is None:
                    continue
                kind = record.http_headers.get_header("Content-Type", "")
                if record.http_headers.get_statuscode() != "200" or "html" not in kind:
                    continue
                address = record.rec_headers.get_header("WARC-Target-URI", "").strip("<>")
                id_ = record.rec_headers.get_header("WARC-Record-ID", "").strip("<>")
                yield _line(external_id=id_, url=address, html=_decoded(record.content_stream().read()))
        except ArchiveLoadFailed as error:
            raise SourceError(f"{path} is not a web archive: {error}") from None


def _decoded(raw: bytes) -> str:
    from trafilatura.utils import decode_file

    return str(decode_file(raw))


def _line(**article: str) -> bytes:
    line = json.dumps({name: value for name, value in article.items() if value}, ensure_ascii=False)
    try:
        return line.encode()
    except UnicodeEncodeError:
        return json.dumps(article).encode()


def _kind(path: Path) -> str:
    return path.with_suffix("").suffix.lower() if path.suffix == ".gz" else path.suffix.lower()
