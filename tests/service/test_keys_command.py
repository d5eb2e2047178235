"""whosaid keys: what it prints, and how it says no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service import cli
from service.security.keys import known_key
from service.store.engine import Store


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/whosaid.db"
    monkeypatch.setenv("WHOSAID_DATABASE_URL", url)
    return url


def keys(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["keys", *arguments])


def listed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(keys("list", "--json").stdout)
    return found


def test_a_key_is_printed_alone_and_once(url: str) -> None:
    made = keys("create", "newsroom [red]")
    assert made.exit_code == 0
    key = made.stdout.strip()
    assert key.startswith("whosaid_")
    assert "only time" in made.stderr
    store = Store(url)
    known = known_key(store, key)
    store.close()
    assert known is not None
    assert known.scopes == {"read", "write"}
    table = keys("list").stdout
    assert "newsroom [red]" in table
    assert key[:16] in table
    assert key not in table
    assert key not in keys("list", "--json").stdout


def test_scopes_limits_and_expiry_are_kept() -> None:
    keys("create", "one", "--scope", "admin", "--expires", "2d", "--requests-per-minute", "0")
    keys("create", "two", "--expires", "2999-12-31", "--characters-per-day", "9")
    one, two = listed()
    assert (one["scopes"], one["requests_per_minute"], one["characters_per_day"]) == (["admin"], 0, None)
    assert (two["scopes"], two["requests_per_minute"], two["characters_per_day"]) == (["read", "write"], None, 9)
    assert one["expires"] > one["created"]
    assert two["expires"] == "2999-12-31T00:00:00+00:00"
    assert {one["state"], two["state"]} == {"good"}


def test_a_key_is_revoked_by_prefix_or_id() -> None:
    keys("create", "one")
    keys("create", "two")
    one, two = listed()
    assert keys("revoke", one["prefix"]).exit_code == 0
    assert keys("revoke", two["id"]).exit_code == 0
    assert [key["state"] for key in listed()] == ["revoked", "revoked"]
    again = keys("revoke", one["prefix"])
    assert again.exit_code == 1
    assert "could be revoked" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create", " "], "NAME must not be empty"),
        (["create", "\udcff"], "'\\udcff' is not UTF-8"),
        (["revoke", "\udcff"], "'\\udcff' is not UTF-8"),
        (["create", "one", "--scope", "all"], "'all' is not one of"),
        (["create", "one", "--expires", "soon"], "neither days like 90d nor a date"),
        (["create", "one", "--expires", "2001-01-01"], "2001-01-01 is over"),
        (["create", "one", "--requests-per-minute", "-1"], "-1 is not in the range"),
        (["create", "one", "--requests-per-minute", "99999999999999999999"], "is not in the range 0<=x<=1000000000"),
        (["create", "one", "--characters-per-day", "99999999999999999999"], "is not in the range"),
        (["revoke", "whosaid_none"], "there is no key whosaid_none"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], says: str) -> None:
    result = keys(*arguments)
    assert result.exit_code != 0
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_a_database_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHOSAID_DATABASE_URL", "postgresql://whosaid:password@127.0.0.1:1/none")
    result = keys("list")
    assert result.exit_code == 1
    assert "cannot be used" in result.stderr
    assert "password" not in result.output
