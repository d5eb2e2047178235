"""whosaid add, claims, speakers and export: the same records as the API's, on both databases."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service import cli, commands
from service.app import create_app
from service.config import load_settings
from tests.databases import ENGINES, database
from tests.fakes import FakeReader, FakeSame

TEXT = "“We will rebuild,” said Amara. Bruno said that the bridge is closed."
PAGE = f"""<!doctype html><html lang="en"><head><title>Bridge closed</title></head><body><article><h1>Bridge closed</h1>
<p>{TEXT}</p><p>{"The works on the bridge went on for a long time and nobody knew when they would end. " * 5}</p>
</article></body></html>"""


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(commands, "load_reader", lambda *_: FakeReader())
    monkeypatch.setattr(commands, "load_same", lambda *_: FakeSame())
    with database(request.param, tmp_path) as url:
        monkeypatch.setenv("WHOSAID_DATABASE_URL", url)
        if request.param == "postgresql":
            assert "run whosaid db upgrade" in run("claims").output
            run("db", "upgrade")
        yield url


def run(*arguments: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(cli.main, [str(one) for one in arguments], input=given)


def archive(path: Path, *rows: Any) -> Path:
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows))
    return path


def text(path: Path, content: str = TEXT) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def summary(result: Result) -> str:
    return result.stdout.splitlines()[-1]


@pytest.mark.usefixtures("url")
def test_files_are_kept(tmp_path: Path) -> None:
    files = text(tmp_path / "a.txt"), text(tmp_path / "b.html", PAGE), text(tmp_path / "c", "Chen said that it rained.")
    result = run("add", *files, "--publisher", "Lund Daily", "--published", "2024-05-31")
    assert (result.exit_code, summary(result)) == (0, "3 new, 0 updated, 0 unchanged, 0 failed")
    found = [json.loads(line) for line in run("claims", "--json").stdout.splitlines()]
    assert found[0]["text"] == "it rained"
    assert {(one["publisher"], one["published"]) for one in found} == {("Lund Daily", "2024-05-31")}
    assert {one["title"] for one in found} == {None, "Bridge closed"}
    assert summary(run("add", *files)) == "0 new, 0 updated, 3 unchanged, 0 failed"
    assert summary(run("add", files[0], "--title", "New")) == "0 new, 1 updated, 0 unchanged, 0 failed"


@pytest.mark.usefixtures("url")
def test_standard_input_is_kept() -> None:
    assert summary(run("add", "-", given=PAGE.encode())) == "1 new, 0 updated, 0 unchanged, 0 failed"
    assert json.loads(run("claims", "--json", "--limit", "1").stdout)["title"] == "Bridge closed"


@pytest.mark.usefixtures("url")
def test_an_archive_is_kept(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "text": TEXT, "title": "One", "publisher": "Lund Daily", "attributions": []},
        {"external_id": "b", "html": PAGE, "url": "https://news.example/b", "published": "2024-05-31"},
        {"id": "c", "text": "It rained.", "title": None},
        "",
    ]
    file = archive(tmp_path / "in.jsonl", *rows)
    result = run("add", "--ndjson", file)
    assert (result.exit_code, summary(result)) == (0, "3 new, 0 updated, 0 unchanged, 0 failed")
    kept = [json.loads(line) for line in run("export", "--what", "articles", "--format", "ndjson").stdout.splitlines()]
    assert [(one["external_id"], one["title"]) for one in kept] == [("c", None), ("b", "Bridge closed"), ("1", "One")]
    changed = archive(tmp_path / "in.jsonl", {"id": 1, "text": TEXT + " More."}, {"id": "c", "text": "It rained."})
    assert summary(run("add", "--ndjson", changed)) == "0 new, 1 updated, 1 unchanged, 0 failed"


@pytest.mark.usefixtures("url")
def test_what_cannot_be_kept_is_named_and_left_out(tmp_path: Path) -> None:
    file = archive(
        tmp_path / "in.jsonl",
        "{",
        {"id": "a", "text": TEXT},
        {"id": "b"},
        {"id": "c", "text": "Die Brücke bleibt geschlossen, sagte die Ministerin am Montag in der Hauptstadt."},
        {"id": "d", "text": "It rained.", "published": "May"},
        {"id": "a", "text": "It snowed.", "url": "https://news.example/a"},
        {"id": "e", "text": "It thundered.", "url": "https://news.example/e"},
        {"id": "a", "text": "It dawned.", "url": "https://news.example/e"},
    )
    result = run("add", "--ndjson", file)
    assert (result.exit_code, summary(result)) == (3, "2 new, 1 updated, 0 unchanged, 5 failed")
    said = result.stderr
    for each in ("1: not JSON", "3: text: Missing", "4: text: This is German", "5: published:", "8: This is two"):
        assert f"line {each}" in said
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"ab\xff")
    result = run("add", bad, text(tmp_path / "empty.txt", " "))
    assert (result.exit_code, summary(result)) == (3, "0 new, 0 updated, 0 unchanged, 2 failed")
    assert "bad.txt: not UTF-8 at byte 2" in result.stderr
    assert "empty.txt: text: Must not be empty." in result.stderr


@pytest.mark.usefixtures("url")
def test_a_language_that_is_said_is_not_doubted(tmp_path: Path) -> None:
    german = "Die Brücke bleibt geschlossen, sagte die Ministerin am Montag in der Hauptstadt."
    file = text(tmp_path / "a.txt", german)
    assert summary(run("add", file)) == "0 new, 0 updated, 0 unchanged, 1 failed"
    assert summary(run("add", file, "--language", "en")) == "1 new, 0 updated, 0 unchanged, 0 failed"
    lines = archive(tmp_path / "in.jsonl", {"id": 1, "text": german}, {"id": 2, "text": german, "language": "de"})
    result = run("add", "--ndjson", lines, "--language", "en-GB")
    assert summary(result) == "0 new, 1 updated, 0 unchanged, 1 failed"
    assert "line 2: language: Only English" in result.stderr
    refused = run("add", file, "--language", "de")
    assert (refused.exit_code, "Only English is read" in refused.stderr) == (2, True)


@pytest.mark.usefixtures("url")
def test_add_goes_by_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Listening(FakeReader):
        def read(self, articles: Any, **how: Any) -> Iterator[Any]:
            seen.append(how["habit"])
            return super().read(articles, **how)

    monkeypatch.setattr(commands, "load_reader", lambda *how: seen.append(how) or Listening())  # type: ignore[func-returns-value]
    for name, value in (("HABIT", "polnear"), ("THREADS", "3"), ("WEIGHTS", tmp_path)):
        monkeypatch.setenv(f"WHOSAID_{name}", str(value))
    assert run("add", "-", given=TEXT.encode()).exit_code == 0
    assert run("add", "-", "--habit", "world", given=PAGE.encode()).exit_code == 0
    assert seen == [(tmp_path, "polnear", 3), "polnear", (tmp_path, "world", 3), "world"]


@pytest.mark.usefixtures("url")
def test_the_reader_gets_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Grouping(FakeReader):
        def read(self, articles: Any, **how: Any) -> Iterator[Any]:
            yield from list(super().read(articles))

    monkeypatch.setattr(commands, "load_reader", lambda *_: Grouping())
    rows = [{"id": n % 8, "text": f"{TEXT} Number {n}."} for n in range(10)]
    assert summary(run("add", "--ndjson", archive(tmp_path / "in.jsonl", *rows))).startswith("8 new, 2 updated")
    assert len(run("claims", "--json", "--limit", "100").stdout.splitlines()) == 16


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("add",), "Missing argument"),
        (("add", "/nowhere/a.txt"), "no file /nowhere/a.txt"),
        (("add", "a", "b", "--title", "T"), "go with one FILE"),
        (("claims", "--category", "wrong"), "wrong"),
        (("export", "--format", "csv", "--out", "/nowhere/a"), "no folder /nowhere"),
        (("export", "--format", "csv", "--what", "articles", "--speaker", "A"), "cannot be filtered by speaker_name"),
        (("export", "--format", "csv", "--speaker", ""), "must not be empty"),
        (("claims", "--q", " "), "must not be empty"),
        (("speakers", "--name", "\udcff"), "is not UTF-8"),
        (("export",), "--format"),
    ],
)
def test_wrong_use_is_explained(given: tuple[str, ...], says: str) -> None:
    result = run(*given)
    assert result.exit_code != 0
    assert says in result.output


@pytest.fixture
def kept(url: str, tmp_path: Path) -> str:
    rows = [
        {"id": "a", "text": TEXT, "publisher": "Lund Daily", "published": "2024-05-31"},
        {"id": "b", "text": "“=1+1,” said Amára.", "publisher": "Rehn Post", "published": "2024-06-02"},
    ]
    run("add", "--ndjson", archive(tmp_path / "kept.jsonl", *rows))
    return url


@pytest.mark.usefixtures("kept")
def test_claims_are_shown_and_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    output = run("claims").output
    assert "Amara" in output
    assert "We will rebuild" in output
    assert "Lund Daily, 2024-05-31" in " ".join(output.split())
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, run("claims").output.splitlines())) <= 40
    assert run("claims", "--q", "nothing").output == "No claims found.\n"

    def texts(*options: str) -> list[str]:
        return [json.loads(line)["text"] for line in run("claims", "--json", *options).stdout.splitlines()]

    assert texts("--speaker", "ama") == ["=1+1", "We will rebuild"]
    assert texts("--from", "2024-06-01") == texts("--publisher", "Rehn Post") == ["=1+1"]
    assert texts("--to", "2024-06-01", "--type", "direct") == ["We will rebuild"]
    assert texts("--q", "bridges", "--kind", "person", "--category", "factual") == ["the bridge is closed"]
    speaker = json.loads(run("claims", "--json", "--q", "bridges").stdout)["speaker"]["id"]
    assert texts("--speaker", speaker) == ["the bridge is closed"]
    more = run("claims", "--limit", "1")
    assert "there are more" in more.stderr


@pytest.mark.usefixtures("kept")
def test_speakers_are_shown() -> None:
    output = run("speakers", "--name", "bru").output
    assert "Bruno" in output
    assert "2024-05-31" in output
    assert "Amara" not in output
    assert json.loads(run("speakers", "--name", "bru", "--json").stdout)["claims"] == 1
    assert run("speakers", "--qid", "Q1").output == "No speakers found.\n"


@pytest.mark.parametrize("what", ["claims", "articles", "speakers"])
def test_an_export_holds_what_the_api_gives(kept: str, tmp_path: Path, what: str) -> None:
    app = create_app(load_settings({"database_url": kept}, environ={}), FakeReader(), FakeSame())
    client, out = app.test_client(), tmp_path / "out"
    for form in ("csv", "ndjson", "json", "jsonld"):
        result = run("export", "--what", what, "--format", form, "--out", out)
        assert (result.exit_code, result.output) == (0, "")
        mine = out.read_bytes().decode()
        assert run("export", "--what", what, "--format", form).stdout_bytes.decode() == mine
        theirs = client.get(f"/v1/{what}", query_string={"format": form}).text
        if form == "json":
            assert json.loads(mine) == json.loads(theirs)
        elif form == "ndjson":
            assert mine.splitlines() == theirs.splitlines()[:-1]
        else:
            assert mine == theirs
    app.config["STORE"].close()


@pytest.mark.usefixtures("kept")
def test_an_export_can_be_filtered(tmp_path: Path) -> None:
    table = run("export", "--format", "csv", "--speaker", "amara", "--from", "2024-06-01").stdout
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert (row["text"], row["publisher"]) == ("'=1+1", "Rehn Post")


@pytest.mark.usefixtures("kept")
def test_an_export_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = text(tmp_path / "out.csv", "as before")
    monkeypatch.setattr("service.api.formats.csv_rows", lambda *_: 1 / 0)
    assert isinstance(run("export", "--format", "csv", "--out", out).exception, ZeroDivisionError)
    assert out.read_text() == "as before"


def test_a_database_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHOSAID_DATABASE_URL", "sqlite:////nowhere/at/all.db")
    for command in (["claims"], ["speakers"], ["export", "--format", "csv"]):
        result = run(*command)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: WHOSAID_DATABASE_URL: the database cannot be used: ")
        assert len(result.stderr.splitlines()) == 1
