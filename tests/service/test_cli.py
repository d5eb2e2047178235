"""The command line: what it prints, what it writes, and how it says no."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import service.server
from models.records import Reading
from models.training.corpora import held_out
from service import cli, commands, config
from tests.fakes import FakeReader

ROOT = Path(__file__).parents[2]
TEXT = "“We will rebuild,” said Amara. Bruno said that the bridge is closed.\n\nNothing else happened.\n"
LOAD_READER = commands.load_reader


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "load_reader", lambda *_: FakeReader())


def run(*arguments: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(cli.main, [str(one) for one in arguments], input=given)


def piped(*arguments: object, **how: Any) -> subprocess.Popen[bytes]:
    """The command line in a process of its own, with real pipes."""
    code = "from service import cli, commands; from tests.fakes import FakeReader; "
    code += "commands.load_reader = lambda *_: FakeReader()"
    return subprocess.Popen([sys.executable, "-c", f"{code}; cli.main()", *map(str, arguments)], cwd=ROOT, **how)


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
    assert "direct, 90%, paragraph 1" in result.output
    assert "Bruno said that the bridge is closed." in " ".join(result.output.split())
    assert "2 attributions: 1 direct, 1 indirect" in result.output
    assert "\x1b" not in result.output


def test_standard_input_is_read(tmp_path: Path) -> None:
    assert "1. Amara" in run("read", "-", given=TEXT.encode()).output


def test_an_attribution_tells_its_paragraph() -> None:
    assert "paragraph 2" in run("read", "-", given=b"It rained.\n\nBruno said that it rained.").output


def test_a_narrow_terminal_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    output = run("read", "-", given=TEXT.encode()).output
    assert max(map(len, output.splitlines())) <= 24
    assert "Bruno said that the bridge is closed." in " ".join(output.split())


def test_roles_have_their_own_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    output = run("read", "-", given=b"Bruno said that it rained.").output
    context = output[output.index("    ") :]
    colours = {context[: context.index(word)].rpartition("\x1b")[2] for word in ("Bruno", "said", "that")}
    assert len(colours) == 3
    assert "" not in colours


def test_nothing_found_is_said() -> None:
    result = run("read", "-", given=b"It rained.")
    assert (result.exit_code, result.output) == (0, "No attributions found.\n")


def test_a_strangers_text_cannot_steer_the_terminal() -> None:
    result = run("read", "-", given="“\x1b[2Jgone\u202e,” said Amara.".encode())
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
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
        "speaker": {"name": "Amara", "kind": "person"},
        "category": "factual",
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


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ...]]:
    """With which weights, habit and threads a Reader was loaded, where settings say something of each."""
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(commands, "load_reader", lambda *how: seen.append(how) or FakeReader())  # type: ignore[func-returns-value]
    for name, value in (("HABIT", "polnear"), ("THREADS", "3"), ("WEIGHTS", tmp_path / "mine")):
        monkeypatch.setenv(f"WHOSAID_{name}", str(value))
    return seen


def test_read_goes_by_the_settings(asked_for: list[tuple[Any, ...]], tmp_path: Path) -> None:
    assert json.loads(run("read", "-", "--json", given=b"It rained.").stdout)["model"]["habit"] == "polnear"
    source = archive(tmp_path / "in.jsonl", {"id": "a", "text": TEXT})
    assert run("read", "--ndjson", source, "--out", "-").exit_code == 0
    assert asked_for == [(tmp_path / "mine", "polnear", 3)] * 2
    run("read", "-", "--habit", "world", "--threads", "1", "--weights", tmp_path / "other", given=b"It rained.")
    assert asked_for[2] == (tmp_path / "other", "world", 1)


def test_evaluate_goes_by_its_options_alone(asked_for: list[tuple[Any, ...]], tmp_path: Path) -> None:
    assert run("evaluate", archive(tmp_path / "gold.jsonl", gold_row("a"))).exit_code == 0
    assert asked_for == [(None, "world", None)]


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


def test_a_failure_halfway_leaves_the_output_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(FakeReader):
        def read(self, articles: Iterable[Any], **how: Any) -> Iterator[Reading]:
            yield from list(super().read(articles))[:1]
            raise RuntimeError("out of memory")

    monkeypatch.setattr(commands, "load_reader", lambda *_: Broken())
    source = archive(tmp_path / "in.jsonl", {"id": "a", "text": TEXT}, {"id": "b", "text": TEXT})
    out = tmp_path / "out.jsonl"
    out.write_text("as before")
    assert isinstance(run("read", "--ndjson", source, "--out", out).exception, RuntimeError)
    assert out.read_text() == "as before"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_archive_is_read_in_groups_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Grouping(FakeReader):
        def read(self, articles: Iterable[Any], **how: Any) -> Iterator[Reading]:
            yield from list(super().read(articles))

    monkeypatch.setattr(commands, "load_reader", lambda *_: Grouping())
    rows = [{"id": str(n), "text": TEXT if n % 2 else ""} for n in range(20)]
    out = tmp_path / "out.jsonl"
    assert run("read", "--ndjson", archive(tmp_path / "in.jsonl", *rows), "--out", out).exit_code == 0
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(one["id"], len(one["attributions"])) for one in found] == [(str(n), n % 2 * 2) for n in range(20)]


def test_progress_tells_the_rate(tmp_path: Path) -> None:
    source = archive(tmp_path / "in.jsonl", {"id": "a", "text": TEXT})
    result = run("read", "--ndjson", source, "--out", "-")
    assert "articles/s" in result.stderr
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["a"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    source, out = archive(tmp_path / "in.jsonl", {"id": "a", "text": TEXT}), tmp_path / "out"
    os.mkfifo(out)
    got: list[bytes] = []
    listener = threading.Thread(target=lambda: got.append(out.read_bytes()), daemon=True)
    listener.start()
    result = run("read", "--ndjson", source, "--out", out)
    assert out.is_fifo()
    listener.join()
    assert result.exit_code == 0
    assert json.loads(got[0])["id"] == "a"


def test_who_stops_listening_sees_no_traceback(tmp_path: Path) -> None:
    source = archive(tmp_path / "in.jsonl", *({"id": str(n), "text": TEXT} for n in range(3000)))
    with piped("read", "--ndjson", source, "--out", "-", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["id"] == "0"
        process.stdout.close()
        assert b"Error" not in process.stderr.read()


def test_a_closed_standard_error_leaves_the_output_as_it_was(tmp_path: Path) -> None:
    source, out = archive(tmp_path / "in.jsonl", *["{", {"id": "a", "text": TEXT}] * 2000), tmp_path / "out.jsonl"
    out.write_text("as before")
    with piped("read", "--ndjson", source, "--out", out, "--skip-errors", stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
    assert process.returncode == 1
    assert out.read_text() == "as before"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_an_old_terminal_is_no_error(tmp_path: Path, more: list[str]) -> None:
    file = tmp_path / "article.txt"
    file.write_text(TEXT, encoding="utf-8")
    how = {"stdout": subprocess.PIPE, "env": os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}}
    with piped("read", file, *more, **how) as process:
        assert process.stdout is not None
        output = process.stdout.read()
    assert process.returncode == 0
    assert ("“We will rebuild,”".encode() in output) == bool(more)
    assert b"Amara" in output


def gold_row(id_: str, **more: Any) -> dict[str, Any]:
    one = {"source": [[24, 29]], "cue": [[19, 23]], "content": [[0, 18]], **more}
    return {"id": id_, "text": TEXT, "attributions": [one]}


def test_evaluate_can_keep_to_what_training_never_saw(tmp_path: Path) -> None:
    ids = [str(n) for n in range(40)]
    gold = archive(tmp_path / "gold.jsonl", *map(gold_row, ids))
    figures = json.loads(run("evaluate", gold, "--held-out", "--json").stdout)
    assert 0 < figures["articles"] == sum(map(held_out, ids)) < 40
    seen = archive(tmp_path / "seen.jsonl", gold_row(next(one for one in ids if not held_out(one))))
    assert "no articles to read" in run("evaluate", seen, "--held-out").output


def test_evaluate_can_leave_out_what_is_doubtful(tmp_path: Path) -> None:
    gold = archive(tmp_path / "gold.jsonl", gold_row("a", doubtful=True))
    assert json.loads(run("evaluate", gold, "--json").stdout)["attributions.gold"] == 1
    assert json.loads(run("evaluate", gold, "--json", "--skip-doubtful").stdout)["attributions.gold"] == 0


def test_evaluate_prints_percent_by_level_role_and_type(tmp_path: Path) -> None:
    output = run("evaluate", archive(tmp_path / "gold.jsonl", gold_row("a"))).output
    lines = {line.rsplit(maxsplit=3)[0].strip(): line.split()[-3:] for line in output.splitlines() if "." in line}
    assert lines["exact, all roles"] == ["66.7", "50.0", "100.0"]
    assert lines["direct: overlap, all roles"] == ["100.0"] * 3
    assert lines["source spans, exact"] == ["66.7", "50.0", "100.0"]


@pytest.mark.parametrize("wrong", ["one", {"source": [[0, 1, 2]]}, {"cue": "ab"}, {"content": [["0", 1]]}])
def test_evaluate_refuses_what_is_no_attribution(tmp_path: Path, wrong: Any) -> None:
    gold = archive(tmp_path / "gold.jsonl", gold_row("a"), {"id": "b", "text": TEXT, "attributions": [wrong]})
    result = run("evaluate", gold)
    assert result.exit_code == 1
    assert "see article 2" in result.output


@pytest.mark.parametrize("command", ["read", "evaluate"])
def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(commands, "load_reader", LOAD_READER)
    file = archive(tmp_path / "gold.jsonl", gold_row("a"))
    result = run(command, file, "--weights", tmp_path / "none")
    assert result.exit_code == 1
    assert f"no weights in {tmp_path / 'none'}" in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_help_does_not_wait_for_torch() -> None:
    code = (
        "import sys; from service import cli; cli.main(['--help'], standalone_mode=False);"
        " sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True)
    assert done.returncode == 0
    assert b"evaluate" in done.stdout
