"""Files and folders as the lines of a batch: NDJSON, texts, web pages, web archives, each also by gzip."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, cast

from service.api.records import MAX_EXTERNAL_ID
from service.batches.intake import lines_of
from service.config import Settings
from service.errors import BadRequest

_NDJSON: Final = (".ndjson", ".jsonl")
_TEXT: Final = (".txt",)
_PAGE: Final = (".html", ".htm")
_WARC: Final = (".warc",)
KNOWN: Final = (*_NDJSON, *_TEXT, *_PAGE, *_WARC)

_MARK: Final = 12
_PIECE: Final = 1 << 20


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
            found += [(one, _named(one, one.relative_to(archive).as_posix())) for one in inside]
        elif not archive.is_file():
            raise SourceError(f"there is no {archive}")
        elif _kind(archive) not in KNOWN:
            raise SourceError(f"{archive} is none of {', '.join(KNOWN)}, or these with .gz")
        else:
            found.append((archive, _named(archive, archive.name)))
    if not found:
        raise SourceError(f"there is nothing to read; known are {', '.join(KNOWN)}, also with .gz")
    return found


def _named(path: Path, name: str) -> str:
    """A name that no other file has: folders hold files of the same names, and would replace each other's articles."""
    mark = sha256(os.fsencode(path.resolve())).hexdigest()[:_MARK]
    return f"{name[_MARK + 1 - MAX_EXTERNAL_ID :]}-{mark}"


def fingerprint(files: Sequence[tuple[Path, str]], **options: Any) -> str:
    """What tells these files, as they are now, and what is to be done with them."""
    told = [[str(path.resolve()), name, path.stat().st_size, path.stat().st_mtime_ns] for path, name in files]
    return sha256(json.dumps([told, options], sort_keys=True).encode()).hexdigest()


def lines_from(files: Sequence[tuple[Path, str]], settings: Settings, language: str | None = None) -> Iterator[bytes]:
    """The articles of files, each as a line.

    Args:
        files: What ``find_files`` found.
        settings: Their limits hold for lines.
        language: Of texts and web pages; lines of NDJSON say it themselves.

    Raises:
        SourceError: A file cannot be read, or is not whole.
    """
    for path, name in files:
        try:
            yield from _lines(path, name, settings, language)
        except (OSError, EOFError, zlib.error, BadRequest) as error:
            raise SourceError(f"cannot read {path}: {str(error) or 'it is not whole'}") from None


def _lines(path: Path, name: str, settings: Settings, language: str | None) -> Iterator[bytes]:
    kind = _kind(path)
    if kind in _WARC:
        yield from _pages(path, language)
        return
    if kind in _NDJSON:
        local = replace(settings, max_batch_bytes=1 << 62, max_gzip_ratio=1 << 20)  # it is on the disk already
        with path.open("rb") as file:
            yield from lines_of(file, _is_gzip(path), local)
        return
    with _opened(path) as file:
        raw = file.read()
    if kind in _PAGE:
        yield _line(external_id=name, html=_decoded(raw), language=language)
    else:
        # What is not UTF-8 becomes lone surrogates, which the article's error then names.
        yield _line(external_id=name, text=raw.decode("utf-8-sig", "surrogateescape"), language=language)


def _pages(path: Path, language: str | None) -> Iterator[bytes]:
    """The web pages that a web archive holds.

    Raises:
        EOFError: It ends within a record.
    """
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    with _opened(path) as file:
        # Were it to read HTTP's headers itself, it would take a record that breaks off in them for the archive's end.
        archive = ArchiveIterator(file, no_record_parse=True)
        try:
            for record in archive:
                if record.length is None:  # which every record has to tell
                    raise EOFError
                if record.rec_type == "response":
                    yield from _page(archive, record, language)
                while record.raw_stream.read(_PIECE):
                    pass
                if record.raw_stream.tell() < record.length:
                    raise EOFError
        except ArchiveLoadFailed as error:
            raise SourceError(f"{path} is not a web archive: {error}") from None
        file.read(1)  # if gzip is not whole it says so again, where nobody takes that for the archive's end


def _page(archive: Any, record: Any, language: str | None) -> Iterator[bytes]:
    """The web page that a response of a web archive is, if it is one."""
    address = record.rec_headers.get_header("WARC-Target-URI", "").strip("<>")
    record.http_headers = archive.loader.load_http_headers("response", address, record.raw_stream, record.length)
    if record.http_headers is None or record.http_headers.get_statuscode() != "200":
        return
    if "html" in record.http_headers.get_header("Content-Type", "").lower():
        id_ = record.rec_headers.get_header("WARC-Record-ID", "").strip("<>")
        yield _line(external_id=id_, url=address, html=_decoded(record.content_stream().read()), language=language)


def _decoded(raw: bytes) -> str:
    from trafilatura.utils import decode_file

    return str(decode_file(raw))


def _line(**article: str | None) -> bytes:
    told = {name: value for name, value in article.items() if value}
    try:
        return json.dumps(told, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(told).encode()


def _kind(path: Path) -> str:
    return path.with_suffix("").suffix.lower() if _is_gzip(path) else path.suffix.lower()


def _is_gzip(path: Path) -> bool:
    return path.suffix == ".gz"


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if _is_gzip(path) else path.open("rb")
