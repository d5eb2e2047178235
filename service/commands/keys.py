"""``whosaid keys``: the API keys of the database that WHOSAID_DATABASE_URL names."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from service import commands
from service.config import bounds

if TYPE_CHECKING:
    from service.store.tables import ApiKey

_SCOPES: Final = ("read", "write", "admin")
_REQUESTS, _CHARACTERS = (click.IntRange(*bounds(name)) for name in ("requests_per_minute", "characters_per_day"))
_DAYS: Final = re.compile(r"([1-9][0-9]{0,4})d")


def _expiry(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """A day, a moment, or a number of days from now."""
    if value is None:
        return None
    if found := _DAYS.fullmatch(value):
        return datetime.now(UTC) + timedelta(days=int(found[1]))
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is neither days like 90d nor a date like 2030-12-31") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= datetime.now(UTC):
        raise click.BadParameter(f"{value} is over")
    return moment


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.argument("name", type=commands.SAID)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(_SCOPES),
    multiple=True,
    default=("read", "write"),
    show_default=True,
    help="What the key opens; may be given several times. admin is for /metrics.",
)
@click.option("--expires", callback=_expiry, metavar="WHEN", help="90d, or a date (UTC); without it, never.")
@click.option("--requests-per-minute", type=_REQUESTS, help="Its own limit; 0 for none.")
@click.option("--characters-per-day", type=_CHARACTERS, help="Its own limit; 0 for none.")
def create(name: str, scopes: tuple[Any, ...], expires: datetime | None, **limits: int | None) -> None:
    """Make a key for NAME and print it; nothing can show it again."""
    from service.security.keys import create_key

    with commands.open_store() as store:
        click.echo(create_key(store, name.strip(), scopes, expires=expires, **limits))
    click.echo("This is the only time that the key is shown: only its digest is kept.", err=True)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def list_(as_json: bool) -> None:
    """List all keys, without what is secret of them."""
    from rich.console import Console
    from rich.table import Table

    from service.security.keys import all_keys

    with commands.open_store() as store, store.read() as session:
        found = [_record(one) for one in all_keys(session)]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    if not found:
        click.echo("There are no keys.")
        return
    table = Table(box=None)
    for column in ("prefix", "name", "scopes", "state", "last used"):
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(
            one["prefix"], one["name"], " ".join(one["scopes"]), one["state"], (one["last_used"] or "never")[:16]
        )
    Console().print(table, markup=False)


@keys.command()
@click.argument("key", type=commands.SAID)
def revoke(key: str) -> None:
    """End the key that KEY, its prefix or its id, names; it opens nothing from now on."""
    from service.security.keys import revoke_key

    with commands.open_store() as store:
        if not revoke_key(store, key):
            raise click.ClickException(f"there is no key {key} that could be revoked; whosaid keys list has all")
    click.echo("the key is revoked")


def _record(one: ApiKey) -> dict[str, Any]:
    from service.security.keys import is_good, moment

    moments = {name: moment(getattr(one, name)) for name in ("created", "expires", "revoked", "last_used")}
    return {
        "id": one.id,
        "prefix": one.prefix,
        "name": one.name,
        "scopes": one.scopes,
        "state": "revoked" if one.revoked else "good" if is_good(one) else "expired",
        **{name: found and found.isoformat(timespec="seconds") for name, found in moments.items()},
        "requests_per_minute": one.requests_per_minute,
        "characters_per_day": one.characters_per_day,
    }
