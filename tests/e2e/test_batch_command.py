"""``whosaid batch`` goes on where it was, however it was interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from models.reader import Reader
from service.batches.sources import find_files
from service.store.batches import Batch, Result
from service.store.engine import Store
from service.store.tables import Article
from tests.conftest import ROOT
from tests.e2e.engines import wait_until
from tests.e2e.test_server import free_port
from tests.whosaid import COMMAND

pytestmark = pytest.mark.e2e

TEXT = "“We will rebuild,” said Amara. Bruno said that the bridge is closed."


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    rows = [{"id": n, "text": f"{TEXT} {n}", "more": True} for n in range(600)]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "b.txt").write_text("Chen said that it rained.")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/whosaid.db")
    store.upgrade()
    yield store
    store.close()


def start(
    folder: Path, *arguments: object, environ: dict[str, str] | None = None, **how: Any
) -> subprocess.Popen[bytes]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("WHOSAID_")}
    own |= {
        "WHOSAID_DATABASE_URL": f"sqlite:///{folder}/whosaid.db",
        "WHOSAID_BATCH_LEASE": "2",
        "TEST_PAUSE": "0.01",
        **(environ or {}),
    }
    return subprocess.Popen([*COMMAND, "batch", *map(str, arguments)], cwd=ROOT, env=own, **how)


def finished(store: Store) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(Result)) or 0


def test_an_interrupted_archive_is_read_to_its_end(archive: Path, store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for one, status in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        before = finished(store)
        process = start(tmp_path, archive, "--out", out)
        wait_until(lambda n=before: finished(store) > n + 20, "progress")  # type: ignore[misc]
        process.send_signal(one)
        assert process.wait(60) == status
        assert not (out / "results.ndjson").exists()
    with start(tmp_path, archive, "--out", out, "--store", stderr=subprocess.PIPE) as other:
        # Another batch, for it is to be kept as well.
        assert other.stderr is not None
        assert b"is handed in" in other.stderr.read()
        assert other.wait(120) == 0
    with start(tmp_path, archive, "--out", out, stderr=subprocess.PIPE) as again:
        assert again.stderr is not None
        assert b"goes on" in again.stderr.read()
        assert again.wait(120) == 0
    rows = [json.loads(line) for line in (out / "results.ndjson").read_text().splitlines()]
    assert sorted(one["number"] for one in rows) == list(range(1, 602))
    assert {one["external_id"] for one in rows} == {*map(str, range(600)), find_files([archive])[1][1]}
    assert (out / "errors.ndjson").read_text() == ""
    with store.read() as session:
        assert [tuple(one) for one in session.execute(select(Batch.store, Batch.state).order_by(Batch.seq))] == [
            (False, "finished"), (True, "finished"),
        ]  # fmt: skip
        assert session.scalar(select(func.count()).select_from(Article)) == 601


def test_anew_ends_what_was_begun(archive: Path, store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(tmp_path, archive, "--out", out)
    wait_until(lambda: finished(store) > 20, "progress")
    process.kill()
    process.wait(60)
    assert start(tmp_path, archive, "--out", out, "--anew").wait(120) == 0
    with store.read() as session:
        assert session.scalars(select(Batch.state).order_by(Batch.seq)).all() == ["cancelled", "finished"]
    assert sorted(one.name for one in out.iterdir()) == ["errors.ndjson", "results.ndjson"]


def test_a_database_that_fails_is_told(archive: Path, tmp_path: Path) -> None:
    environ = {"WHOSAID_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/none"}
    process = start(tmp_path, archive, "--store", environ=environ, stderr=subprocess.PIPE)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"the database cannot be used" in told
    assert b"Traceback" not in told


def test_articles_that_cannot_be_read_are_listed(store: Store, tmp_path: Path) -> None:
    archive = tmp_path / "archive.jsonl"
    archive.write_text(json.dumps({"id": "good", "text": TEXT}) + "\n{}\n")
    process = start(tmp_path, archive, "--out", tmp_path / "out", stderr=subprocess.PIPE)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 3
    assert b"1 articles could not be read" in told
    (error,) = (tmp_path / "out" / "errors.ndjson").read_text().splitlines()
    assert (json.loads(error)["number"], json.loads(error)["error"]["status"]) == (2, 422)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("nowhere", "--store"), b"no nowhere"), ((__file__, "--store"), b"none of .ndjson"), ((".",), b"Give --out")],
)
def test_wrong_use_is_explained(tmp_path: Path, arguments: tuple[str, ...], says: bytes) -> None:
    process = start(tmp_path, *arguments, stderr=subprocess.PIPE)
    _, told = process.communicate(timeout=60)
    assert process.returncode != 0
    assert says in told
    assert b"Traceback" not in told


@pytest.mark.model
def test_the_real_reader_reads_archives(store: Store, reader: Reader, tmp_path: Path) -> None:
    archive = tmp_path / "archive.jsonl"
    texts = [f"{TEXT} The harbour will reopen on day {n}, Mayor Ines Duarte said." for n in range(12)]
    archive.write_text("".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts)))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WHOSAID_")}
    environ["WHOSAID_DATABASE_URL"] = f"sqlite:///{tmp_path}/whosaid.db"
    command = [*COMMAND[:2], "service.cli", "batch", str(archive), "--out", str(tmp_path / "out")]
    subprocess.run(command, cwd=ROOT, env=environ, check=True, timeout=300)
    rows = [json.loads(line) for line in (tmp_path / "out" / "results.ndjson").read_text().splitlines()]
    assert sorted(one["number"] for one in rows) == list(range(1, 13))
    for row, reading in zip(sorted(rows, key=lambda one: one["number"]), reader.read(texts), strict=True):
        found = row["analysis"]["attributions"]
        assert [one["content"][0]["start"] for one in found] == [one.content[0].start for one in reading.attributions]
        assert len(found) >= 2
