"""``whosaid claims``, ``speakers`` and ``export``: what is kept, for a person or as a file."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

import click

from models.records import AttributionType, Category, SpeakerKind
from service import commands

if TYPE_CHECKING:
    from rich.table import Table

    from service.api.lists import Listing
    from service.store.engine import Store

F = TypeVar("F", bound=Callable[..., Any])

_ID: Final = re.compile(r"speaker-[0-9a-f]+")
_FORMATS: Final = ("csv", "ndjson", "json", "jsonld")
_LISTS: Final = ("claims", "articles", "speakers")
_FITTING: Final = {"articles": {"publisher", "published_from", "published_to"}, "speakers": {"kind"}}
_MOST: Final = 20
_DAY: Final = click.DateTime(("%Y-%m-%d",))
_LIMIT: Final = click.option(
    "--limit", type=click.IntRange(min=1), default=_MOST, show_default=True, help="How many at most."
)
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line instead.")
_CLAIM_FILTERS: Final = (
    click.option("--speaker", type=commands.SAID, help="Only of this speaker: a name, or parts of it, or an id."),
    click.option("--kind", type=click.Choice(get_args(SpeakerKind)), help="Only of speakers of this kind."),
    click.option("--category", type=click.Choice(get_args(Category)), help="Only of this category."),
    click.option("--type", "type_", type=click.Choice(get_args(AttributionType)), help="Only of this type."),
    click.option("--publisher", type=commands.SAID, help="Only of this publisher."),
    click.option("--from", "from_", type=_DAY, help="Only what appeared on this day or later."),
    click.option("--to", "to_", type=_DAY, help="Only what appeared on this day or earlier."),
    click.option("--q", type=commands.SAID, help="Only with all of these words, in any of their forms."),
)


def _filtered(command: F) -> F:
    for option in reversed(_CLAIM_FILTERS):
        command = option(command)
    return command


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """Options as the API's filters."""
    speaker = options.get("speaker") or ""
    is_id = _ID.fullmatch(speaker) is not None
    day = {name: value and value.date() for name, value in options.items() if name in ("from_", "to_")}
    asked = {
        **{name: options.get(name) for name in ("kind", "category", "publisher", "q")},
        "type": options.get("type_"),
        "speaker" if is_id else "speaker_name": speaker or None,
        "published_from": day.get("from_"),
        "published_to": day.get("to_"),
    }
    return {name: value for name, value in asked.items() if value is not None}


@click.command()
@_filtered
@_LIMIT
@_JSON
def claims(limit: int, as_json: bool, **options: Any) -> None:
    """Print claims that are kept, the latest first."""
    from service.api.lists import CLAIMS
    from service.display import claims_table

    with commands.open_store() as store:
        _show(CLAIMS, store, _asked(options), limit, as_json, claims_table)


@click.command()
@click.option("--name", type=commands.SAID, help="Only who goes by this name, or by parts of it.")
@click.option("--kind", type=click.Choice(get_args(SpeakerKind)), help="Only of this kind.")
@click.option("--qid", type=commands.SAID, help="Only the one with this Wikidata identifier.")
@_LIMIT
@_JSON
def speakers(limit: int, as_json: bool, **options: Any) -> None:
    """Print speakers that are kept, the latest found first."""
    from service.api.lists import SPEAKERS
    from service.display import speakers_table

    with commands.open_store() as store:
        asked = {name: value for name, value in options.items() if value is not None}
        _show(SPEAKERS, store, asked, limit, as_json, speakers_table)


def _show(
    listing: Listing[Any],
    store: Store,
    asked: dict[str, Any],
    limit: int,
    as_json: bool,
    table: Callable[[list[dict[str, Any]]], Table],
) -> None:
    from rich.console import Console

    pages = listing.walk(store, asked, listing.records)
    records = islice((one for page, _ in pages for one in page), limit + 1)
    try:
        if as_json:
            commands.write_utf8()
            for one in islice(records, limit):
                click.echo(json.dumps(one, ensure_ascii=False))
        elif found := list(records):
            Console().print(table(found[:limit]))
            if len(found) > limit:
                click.echo(f"These are the latest {limit}; there are more: see --limit.", err=True)
        else:
            click.echo(f"No {listing.name} found.")
        sys.stdout.flush()
    except BrokenPipeError:
        commands.forget_output()


@click.command()
@click.option("--format", "form", type=click.Choice(_FORMATS), required=True, help="The form of the file.")
@click.option(
    "--out",
    type=click.Path(allow_dash=True, path_type=Path, dir_okay=False),
    default="-",
    help="Where to write, all of it or nothing; standard output without it.",
)
@click.option("--what", type=click.Choice(_LISTS), default=_LISTS[0], show_default=True, help="What to export.")
@_filtered
def export(form: str, out: Path, what: str, **options: Any) -> None:
    """Write what is kept to a file: the records that the API gives."""
    from service.api.formats import written
    from service.api.lists import LISTINGS

    listing, asked = LISTINGS[what], _asked(options)
    fitting = {
        "claims": asked.keys(),
        "articles": {"publisher", "published_from", "published_to"},
        "speakers": {"kind"},
    }
    if rest := asked.keys() - fitting[what]:
        raise click.UsageError(f"{what} cannot be filtered by {', '.join(sorted(rest))}.")
    if str(out) != "-" and not out.parent.is_dir():
        raise click.ClickException(f"there is no folder {out.parent}")
    try:
        with commands.open_store() as store, commands.output(out) as target:
            for piece in written(listing, store, asked, form):
                target.write(piece)
            target.flush()
    except BrokenPipeError:
        if str(out) != "-":
            raise
        commands.forget_output()
    except OSError as error:
        raise click.ClickException(f"cannot write {out}: {error.strerror}") from None
