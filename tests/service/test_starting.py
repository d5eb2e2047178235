"""What keeps a command from starting, or a batch from being written, is told in one line."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

import service.server
from service import cli
from service.batches import crew
from service.operations import SHARED
from service.store.batches import Batch
from service.store.engine import Store


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What a process that starts changes for all that is in it."""
    for name in ("OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setenv(SHARED, str(tmp_path / "counts"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(service.server, "Server", Served)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


class Served:
    """A server that has nothing to do."""

    def __init__(self, *_: Any) -> None: ...

    def run(self) -> None: ...


class Hopeless(crew.Crew):
    """Workers that cannot start."""

    def check(self) -> None:
        logging.getLogger("service.batches.crew").error("a worker ended")
        self.is_hopeless = True


def run(*arguments: object, **settings: object) -> Result:
    environ = {f"WHOSAID_{name.upper()}": str(value) for name, value in settings.items()}
    return CliRunner().invoke(cli.main, [str(one) for one in arguments], env=environ)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "archive.jsonl"
    file.write_text('{"id": "a", "text": "It rained."}\n')
    return file


@pytest.mark.parametrize("command", [("serve",), ("worker",), ("keys", "list"), ("db", "upgrade")])
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("foo", "no database can be at foo"),
        ("postgresql://whosaid@db:abc/whosaid", "its port is no number"),
        ("sqlite:///{folder}/missing/whosaid.db", "the database cannot be used"),
    ],
)
def test_a_database_that_cannot_be_is_named(
    command: tuple[str, ...], url: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "Crew", Hopeless)
    result = run(*command, database_url=url.format(folder=tmp_path))
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: WHOSAID_DATABASE_URL: ")
    assert says in line


@pytest.mark.parametrize("command", [("serve",), ("worker",), ("batch", "{archive}", "--store")])
def test_a_folder_that_cannot_be_is_named(command: tuple[str, ...], archive: Path, tmp_path: Path) -> None:
    url, folder = f"sqlite:///{tmp_path}/whosaid.db", archive / "data"
    told = (one.format(archive=archive) for one in command)
    result = run(*told, database_url=url, data_folder=folder, log_level="error")
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    (line,) = result.stderr.splitlines()
    assert line == f"Error: WHOSAID_DATA_FOLDER: there can be no folder {folder}: Not a directory"


def test_a_folder_for_counts_that_cannot_be_is_named(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED, str(archive / "counts"))
    result = run("serve", database_url=f"sqlite:///{tmp_path}/whosaid.db", log_level="error")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {SHARED}: ")


@pytest.mark.parametrize("keys", ["on", "off"])
def test_a_server_that_is_away_may_come_back(keys: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"postgresql://whosaid@127.0.0.1:{free.getsockname()[1]}/none"  # bound, so that nobody else answers
        result = run("serve", database_url=url, keys=keys, data_folder=tmp_path, log_format="json")
    assert (result.exit_code, result.exception) == (0, None)
    (line,) = map(json.loads, result.stderr.splitlines())
    assert line["level"] == "warning"
    assert ("/readyz" in line["event"]) == (keys == "on")


def test_a_workers_lines_are_as_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "Crew", Hopeless)
    result = run("worker", database_url=f"sqlite:///{tmp_path}/whosaid.db", log_format="json")
    assert result.exit_code == crew.CANNOT_START
    (line,) = map(json.loads, result.stderr.splitlines())
    assert (line["event"], line["level"]) == ("a worker ended", "error")


def batches(url: str) -> int:
    store = Store(url)
    with store.read() as session:
        found = session.scalar(select(func.count()).select_from(Batch)) or 0
    store.close()
    return found


def test_nothing_is_handed_in_whose_results_cannot_be_written(archive: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/whosaid.db"
    result = run("batch", archive, "--out", archive / "out", "--workers", 0, database_url=url)
    assert result.exit_code == 1
    assert f"cannot write into {archive / 'out'}: Not a directory" in result.stderr
    assert batches(url) == 0


def test_a_disk_that_is_full_later_loses_nothing(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """Tells of it when its buffer is emptied, and once more when it is closed."""

        def seek(self, _: int) -> None: ...

        truncate = seek

        def __iter__(self) -> Iterator[bytes]:
            return iter(())

        def flush(self) -> NoReturn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        close = flush

    def opened(path: Path, *how: Any, **more: Any) -> Any:
        return Full() if path.suffix == ".part" else ordinary(path, *how, **more)

    ordinary = Path.open
    monkeypatch.setattr(Path, "open", opened)
    url, out = f"sqlite:///{tmp_path}/whosaid.db", tmp_path / "out"
    for told in ("is handed in", "goes on"):
        result = run("batch", archive, "--out", out, "--workers", 0, database_url=url)
        assert (result.exit_code, type(result.exception)) == (1, SystemExit)
        assert told in result.stderr
        assert f"cannot write into {out}: No space left on device; the same command goes on" in result.stderr
    assert batches(url) == 1


def test_a_language_that_is_said_makes_another_batch(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hasty(crew.Crew):
        def __init__(self, *_: Any, **__: Any) -> None:
            self.is_hopeless = True

        def check(self) -> None: ...

        def stop(self) -> None: ...

    monkeypatch.setattr(crew, "Crew", Hasty)
    url = f"sqlite:///{tmp_path}/whosaid.db"
    for language, count in (([], 1), (["--language", "en"], 2), (["--language", "en"], 2), ([], 2)):
        assert "the workers cannot start" in run("batch", archive, "--store", *language, database_url=url).stderr
        assert batches(url) == count
