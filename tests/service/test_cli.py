"""The command line: what it prints, what it writes, and how it says no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import service.server
from service import cli, config
from tests.fakes import FakeReader

TEXT = "“We will rebuild,” said Amara. Bruno said that the bridge is closed.\n\nNothing else happened.\n"


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "load_reader", lambda *_: FakeReader())


def run(*arguments: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(cli.main, [str(one) for one in arguments], input=given)


def archive(path: Path, *rows: Any) -> Path:
    path.write_text(
        "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows), encoding="utf-8"
    )
    return path


def test_a_file_is_read_for_a_person(tmp_path: Path) -> None:
    file = tmp_path / "article.txt"
    file.write_text(TEXT, encoding="utf-8")
    result = run("read", file)
    assert result.exit_code == 0
    assert "1. Amara" in result.output
    assert "Bruno said that the bridge is closed." in " ".join(result.output.split())
    assert "2 attributions: 1 direct, 1 indirect" in result.output
    assert "\x1b" not in result.output


def test_standard_input_is_read(tmp_path: Path) -> None:
    assert "1. Amara" in run("read", "-", given=TEXT.encode()).output


def test_nothing_found_is_said() -> None:
    result = run("read", "-", given=b"It rained.")
    assert (result.exit_code, result.output) == (0, "No attributions found.\n")


def test_a_strangers_text_cannot_steer_the_terminal() -> None:
    result = run("read", "-", given="“\x1b[2Jgone,” said Amara.".encode())
    assert "\x1b" not in result.output
    assert "[2Jgone" in result.output


def test_json_holds_the_spans() -> None:
    found = json.loads(run("read", "-", "--json", given=TEXT.encode()).output)["attributions"]
    assert found[1]["source"] == [{"start": 31, "end": 36, "text": "Bruno"}]
    assert found[1]["type"] == "indirect"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("read",), "either FILE or --ndjson"),
        (("read", "a.txt", "--out", "b"), "go with --ndjson"),
        (("read", "--ndjson", "-"), "needs --out"),
        (("read", "--ndjson", "-", "--out", "-", "--json"), "goes with FILE"),
        (("read", "/nowhere/a.txt"), "cannot read /nowhere/a.txt"),
        (("read", "--ndjson", "/nowhere/a", "--out", "-"), "no file /nowhere/a"),
        (("read", "--ndjson", "-", "--out", "/nowhere/b"), "no folder /nowhere"),
    ],
)
def test_wrong_use_is_explained(given: tuple[str, ...], says: str) -> None:
    result = run(*given, given=b"")
    assert result.exit_code != 0
    assert says in result.output


def test_a_file_that_is_not_utf8_is_refused() -> None:
    result = run("read", "-", given=b"ab\xff")
    assert result.exit_code == 1
    assert "0xff at 2" in result.output


def test_an_archive_becomes_lines_of_the_gold_files_form(tmp_path: Path) -> None:
    source = archive(tmp_path / "in.jsonl", {"id": "a", "text": TEXT, "more": 1}, "", {"id": 2, "text": ""})
    result = run("read", "--ndjson", source, "--out", tmp_path / "out.jsonl")
    assert result.exit_code == 0, result.output
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines())
    assert second == {"id": 2, "attributions": []}
    assert first["id"] == "a"
    assert first["attributions"][0] == {
        "source": [[24, 29]],
        "cue": [[19, 23]],
        "content": [[0, 18]],
        "type": "direct",
        "confidence": 0.9,
        "speaker": None,
        "category": None,
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_an_archive_can_be_piped() -> None:
    given = json.dumps({"id": "\ud800", "text": TEXT}).encode() + b"\n"
    result = run("read", "--ndjson", "-", "--out", "-", given=given)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["id"] == "\ud800"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: must be an object"),
        ('{"text": "a"}', "line 2: id is missing"),
        ('{"id": "a"}', "line 2: text is missing"),
        ('{"id": "a", "text": 1}', "line 2: text must be a string"),
        ('{"id": true, "text": "a"}', "line 2: id must be a string"),
        ("[" * 100_000, "line 2: not JSON"),
    ],
)
def test_a_bad_line_stops_and_nothing_is_written(tmp_path: Path, line: str, says: str) -> None:
    source = archive(tmp_path / "in.jsonl", {"id": "a", "text": TEXT}, line)
    out = tmp_path / "out.jsonl"
    out.write_text("as before")
    result = run("read", "--ndjson", source, "--out", out)
    assert result.exit_code == 1
    assert says in result.output
    assert out.read_text() == "as before"
    assert len(list(tmp_path.iterdir())) == 2


def test_bad_lines_can_be_left_out(tmp_path: Path) -> None:
    source = archive(tmp_path / "in.jsonl", "{", {"id": "a", "text": TEXT}, "[]", {"id": "b", "text": "It rained."})
    result = run("read", "--ndjson", source, "--out", tmp_path / "out.jsonl", "--skip-errors")
    assert result.exit_code == 3
    assert "line 1: not JSON" in result.output
    assert "line 3: must be an object" in result.output
    assert "2 lines left out" in result.output
    assert [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [
        "a",
        "b",
    ]


def test_an_archive_is_never_its_own_output(tmp_path: Path) -> None:
    source = archive(tmp_path / "in.jsonl", {"id": "a", "text": TEXT})
    before = source.read_text()
    result = run("read", "--ndjson", source, "--out", source)
    assert result.exit_code == 1
    assert "another file" in result.output
    assert source.read_text() == before


def test_evaluate_prints_figures(tmp_path: Path) -> None:
    gold = archive(
        tmp_path / "gold.jsonl",
        {
            "id": "a",
            "text": TEXT,
            "attributions": [{"source": [[24, 29]], "cue": [[19, 23]], "content": [[0, 18]]}],
        },
    )
    result = run("evaluate", gold)
    assert result.exit_code == 0, result.output
    figures = json.loads(run("evaluate", gold, "--json").stdout)
    assert figures["attributions.exact.r"] == 1
    assert figures["attributions.exact.p"] == 0.5


def test_evaluate_refuses_other_files(tmp_path: Path) -> None:
    result = run("evaluate", archive(tmp_path / "gold.jsonl", {"id": "a"}))
    assert result.exit_code == 1
    assert "not a file of attributions" in result.output


def test_serve_hands_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[config.Settings] = []
    monkeypatch.setattr(service.server, "run", seen.append)
    assert run("serve", "--port", "0", "--workers", "2").exit_code == 0
    assert (seen[0].port, seen[0].workers, seen[0].host) == (0, 2, "127.0.0.1")


def test_serve_names_a_bad_setting() -> None:
    result = run("serve", "--port", "99999")
    assert result.exit_code == 1
    assert "port must be between 0 and 65535" in result.output


def test_the_version_is_told() -> None:
    assert run("--version").output.startswith("whosaid 0.")
