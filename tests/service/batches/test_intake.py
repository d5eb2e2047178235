"""Archives come in whole or not at all, and are what they were."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from service.api.records import MAX_EXTERNAL_ID
from service.batches import chunks
from service.batches.intake import CHUNK_BYTES, Options, lines_of, spool, take_in
from service.batches.sources import SourceError, find_files, fingerprint, lines_from
from service.config import Settings, load_settings
from service.errors import BadRequest, Invalid, NoSpace, ServiceError, TooLarge
from service.store.batches import Batch, Chunk
from service.store.engine import Store
from tests.databases import opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened("sqlite", tmp_path) as store:
        yield store


def settings(**chosen: object) -> Settings:
    return load_settings(chosen, environ={})


def lines(body: bytes, is_gzip: bool = False, **chosen: object) -> list[bytes]:
    return list(lines_of(io.BytesIO(body), is_gzip, settings(**chosen)))


def kept(store: Store) -> list[tuple[int, bytes]]:
    with store.read() as session:
        found = session.scalars(select(Chunk).order_by(Chunk.first))
        return [line for one in found for line in chunks.unpack(one.first, one.body or b"")]


def test_lines_keep_their_numbers(store: Store) -> None:
    given = [b'{"text": "a"}', b"", b"  ", b'{"text": "b"}'] * 300
    take_in(store, iter(given), Options(habit="world"))
    assert kept(store) == [(n, line) for n, line in enumerate(given, 1) if line.strip()]
    with store.read() as session:
        (batch,) = session.scalars(select(Batch))
        assert (batch.total, batch.state) == (600, "queued")


def test_chunks_are_of_like_size(store: Store) -> None:
    line = json.dumps({"text": "x" * 30_000}).encode()
    take_in(store, [line] * 40, Options(habit="world"))
    with store.read() as session:
        sizes = [len(zlib.decompress(one)) for one in session.scalars(select(Chunk.body)) if one]
    assert len(sizes) == 6
    assert max(sizes) < CHUNK_BYTES + 31_000


def test_line_ends_and_marks_of_byte_order_do_not_matter() -> None:
    assert lines(b"\xef\xbb\xbf{}\r\n[]\n\n1") == [b"{}", b"[]", b"", b"1"]


def test_gzip_may_have_several_members() -> None:
    assert lines(gzip.compress(b"a\n") + gzip.compress(b"b\n"), is_gzip=True) == [b"a", b"b"]


def test_a_line_that_is_too_long_takes_no_memory_and_is_seen_to_be_too_long() -> None:
    long, short = lines(b"x" * 5000 + b"\nshort\n", max_body_bytes=100)
    assert (len(long), short) == (102, b"short")
    assert [len(one) for one in lines(b"x" * 100 + b"\r\n", max_body_bytes=100)] == [100]


@pytest.mark.parametrize(
    ("body", "chosen", "says"),
    [
        (gzip.compress(b"x\n" * 600), {"max_batch_bytes": 1000}, "MAX_BATCH_BYTES"),
        (gzip.compress(b"x" * 1_000_000), {"max_batch_bytes": 1000}, "MAX_BATCH_BYTES"),
        (gzip.compress(b"x" * 30_000_000), {}, "MAX_GZIP_RATIO"),
        (gzip.compress(b"x\n" * 15_000_000), {}, "MAX_GZIP_RATIO"),
    ],
    ids=["many lines", "one line", "bomb", "bomb of lines"],
)
def test_what_unpacks_to_too_much_is_refused(body: bytes, chosen: dict[str, object], says: str) -> None:
    with pytest.raises(TooLarge) as error:
        lines(body, is_gzip=True, **chosen)
    assert error.value.extra["setting"] == f"WHOSAID_{says}"
    assert error.value.extra["observed"] > error.value.extra["limit"]


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"x\n" * 1000)[:-9], b"no gzip", gzip.compress(b"a") + b"b"],
    ids=["broken off", "none", "more behind"],
)
def test_broken_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="gzip"):
        lines(body, is_gzip=True)


def test_a_body_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLarge) as error:
        spool(io.BytesIO(b"x" * 11), tmp_path, 10)
    assert error.value.extra == {"limit": 10, "observed": 11, "setting": "WHOSAID_MAX_BATCH_BYTES"}
    with spool(io.BytesIO(b"x" * 3_000_000), tmp_path, 3_000_000).file as file:
        assert len(file.read()) == 3_000_000
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")

    class Full(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            with open("/dev/full", "wb", buffering=0) as full:
                full.write(b"x")
            raise AssertionError

    with pytest.raises(NoSpace):
        spool(Full(), tmp_path, 10)


def broken_off() -> Iterator[bytes]:
    for _ in range(20_000):
        yield b'{"text": "a"}'
    raise BadRequest("cut off")


@pytest.mark.parametrize(("given", "error"), [(broken_off, BadRequest), (lambda: [b"", b" "], Invalid)])
def test_nothing_stays_of_what_is_not_taken(store: Store, given: object, error: type[ServiceError]) -> None:
    with pytest.raises(error):
        take_in(store, given(), Options(habit="world"))  # type: ignore[operator]
    with store.read() as session:
        assert session.scalars(select(Batch)).all() == session.scalars(select(Chunk)).all() == []


def test_files_and_folders_are_lines(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(b'{"text": "b"}\n'))
    (tmp_path / "deep" / "c.txt").write_bytes("\ufeffIt rained.".encode())
    (tmp_path / "deep" / "d.HTML").write_text("<p>It snowed.</p>")
    (tmp_path / "notes.pdf").write_text("no archive")
    found = find_files([tmp_path])
    assert [name.rpartition("-")[0] for _, name in found] == ["a.jsonl", "b.ndjson.gz", "deep/c.txt", "deep/d.HTML"]
    assert [json.loads(line) for line in lines_from(found, settings())] == [
        {"text": "a"},
        {"text": "b"},
        {"external_id": found[2][1], "text": "It rained."},
        {"external_id": found[3][1], "html": "<p>It snowed.</p>"},
    ]


def test_texts_and_pages_are_in_the_language_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "b.txt").write_text("It rained.")
    (tmp_path / "c.txt").write_bytes(b"ab\xff")
    (tmp_path / "d.html").write_text("<p>It snowed.</p>")
    (tmp_path / "e.warc.gz").write_bytes(web_record("200 OK", "text/html", "<p>It dawned.</p>", 1))
    found = find_files([tmp_path])
    told = [json.loads(line).get("language", "not said") for line in lines_from(found, settings(), "en")]
    assert told == ["not said", "en", "en", "en", "en"]
    assert all("language" not in json.loads(line) for line in lines_from(found, settings()))


def test_files_of_the_same_name_are_other_articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for year in ("2023", "2024"):
        (tmp_path / year).mkdir()
        (tmp_path / year / "a.txt").write_text(year)
    (_, one), (_, other) = find_files([tmp_path / "2023", tmp_path / "2024"])
    assert one != other
    monkeypatch.chdir(tmp_path / "2023")
    assert find_files([Path("a.txt")]) == [(Path("a.txt"), one)]


def test_names_that_are_too_long_keep_their_end(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 150) / ("y" * 150)
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    ((_, name),) = find_files([tmp_path])
    assert len(name) == MAX_EXTERNAL_ID
    assert "y/a.txt-" in name


def web_record(status: str, kind: str, page: str, number: int) -> bytes:
    http = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n{page}".encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://news.example/{number}\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + http + b"\r\n\r\n")


def test_web_archives_are_pages(tmp_path: Path) -> None:
    path, page = tmp_path / "crawl.warc.gz", "<p>“Yes,” said Amélie.</p>"
    kinds = (("404 Not Found", "text/html"), ("200 OK", "TEXT/HTML; charset=utf-8"), ("200 OK", "image/png"))
    path.write_bytes(b"".join(web_record(*kind, page, number) for number, kind in enumerate(kinds)))
    (line,) = lines_from(find_files([path]), settings())
    assert json.loads(line) == {"external_id": "urn:uuid:1", "url": "https://news.example/1", "html": page}


@pytest.mark.parametrize("suffix", ["warc", "warc.gz"])
def test_a_web_archive_that_is_cut_off_does_not_pass_for_whole(tmp_path: Path, suffix: str) -> None:
    records = [web_record("200 OK", "text/html", f"<p>It rained for {n} days.</p>", n) for n in range(2)]
    whole = b"".join(records if suffix.endswith("gz") else map(gzip.decompress, records))
    path = tmp_path / f"crawl.{suffix}"
    path.write_bytes(whole)
    assert len(list(lines_from(find_files([path]), settings()))) == 2
    head = whole.rindex(b"Content-Length") if suffix == "warc" else len(whole) - 100
    body = whole.rindex(b"HTTP/1.1") if suffix == "warc" else len(whole) - 50
    for end in (head, body, body + 5, len(whole) - 5):
        path.write_bytes(whole[:end])
        with pytest.raises(SourceError, match=rf"crawl\.{suffix}"):
            list(lines_from(find_files([path]), settings()))


@pytest.mark.parametrize("name", ["a.txt.gz", "a.html.gz", "a.jsonl.gz"])
def test_damaged_gzip_is_named(tmp_path: Path, name: str) -> None:
    packed = bytearray(gzip.compress(b"It rained. " * 50 + bytes(range(256))))
    packed[20:40] = b"\xff" * 20
    for damaged in (bytes(packed), gzip.compress(b"x\n" * 1000)[:-9]):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(SourceError, match=name):
            list(lines_from(find_files([tmp_path / name]), settings()))


def test_files_that_are_no_archives_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    (tmp_path / "b.warc").write_text("no web archive")
    (tmp_path / "c.jsonl.gz").write_text("no gzip")
    for files, says in ((["a.pdf"], "a.pdf is none of"), (["nowhere"], "no .*nowhere")):
        with pytest.raises(SourceError, match=says):
            find_files([tmp_path / one for one in files])
    with pytest.raises(SourceError, match="not a web archive"):
        list(lines_from(find_files([tmp_path / "b.warc"]), settings()))
    with pytest.raises(SourceError, match=r"c\.jsonl\.gz"):
        list(lines_from(find_files([tmp_path / "c.jsonl.gz"]), settings()))


def test_files_are_known_again_until_they_change(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    files = find_files([tmp_path])
    before = fingerprint(files, store=True)
    assert fingerprint(find_files([tmp_path]), store=True) == before
    assert fingerprint(files, store=False) != before
    (tmp_path / "a.txt").write_text("another")
    assert fingerprint(files, store=True) != before
