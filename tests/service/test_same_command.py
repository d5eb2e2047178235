"""``whosaid same``: scores in, scores out, and errors that name line and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service import cli, commands
from tests.fakes import FakeSame

PAIR = {"a": {"text": "The bridge is closed."}, "b": {"text": "The bridge is closed again."}}


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "load_same", lambda *_: FakeSame())


def run(*arguments: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(cli.main, ["same", *map(str, arguments)], input=given)


def pairs(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_each_pair_has_its_score_in_order(tmp_path: Path) -> None:
    full = {"text": "Rain", "date": "2024-05-31", "source": "Ines", "article": "x"}
    bare = {"text": "Sun", "date": None, "source": None}
    rows = [PAIR, {"a": full, "b": full, "label": "same"}, {"a": full, "b": bare}] * 200
    result = run("--ndjson", pairs(tmp_path / "in", *rows), "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines()]
    assert lines == [{"score": 0.8}, {"score": 1.0}, {"score": 0.0}] * 200


def test_standard_input_and_output() -> None:
    result = run("--ndjson", "-", "--out", "-", given=json.dumps(PAIR).encode() + b"\n\n")
    assert (result.exit_code, result.stdout) == (0, '{"score": 0.8}\n')


def test_no_pairs_have_no_scores() -> None:
    assert run("--ndjson", "-", "--out", "-", given=b"").stdout == ""


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("[1]", "line 2: must be an object"),
        ("{", "line 2: not JSON"),
        ({"a": {"text": "x"}}, "line 2: b must be an object"),
        ({"a": {}, "b": {"text": "x"}}, "line 2: a.text is missing"),
        ({"a": {"text": None}, "b": {"text": "x"}}, "line 2: a.text must be a string"),
        ({"a": {"text": "x"}, "b": {"text": "x", "source": 5}}, "line 2: b.source must be a string or null"),
        ({"a": {"text": "x"}, "b": {"text": "x", "date": 2024}}, "line 2: b.date must be a string or null"),
        ({"a": {"text": "x"}, "b": {"text": "x", "date": "May"}}, "line 2: b.date must be a date such as 2024-05-31"),
    ],
)
def test_a_bad_line_is_told_and_nothing_written(tmp_path: Path, row: Any, told: str) -> None:
    file = tmp_path / "in"
    bad = row if isinstance(row, str) else json.dumps(row)
    file.write_text(json.dumps(PAIR) + "\n" + bad + "\n", encoding="utf-8")
    result = run("--ndjson", file, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert told in result.output
    assert list(tmp_path.iterdir()) == [file]


def test_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    assert "there is no file" in run("--ndjson", tmp_path / "none", "--out", "-").output
    file = pairs(tmp_path / "in", PAIR)
    assert "another file" in run("--ndjson", file, "--out", file).output
    assert "no folder" in run("--ndjson", file, "--out", tmp_path / "none" / "out").output


def test_missing_weights_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    result = run("--ndjson", pairs(tmp_path / "in", PAIR), "--out", "-", "--weights", tmp_path)
    assert result.exit_code == 1
    assert "same.json" in result.output
