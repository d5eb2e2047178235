"""``whosaid same``: which pairs of contents assert the same claim."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service import commands

if TYPE_CHECKING:
    from models.same import Assertion

_TOGETHER = 256  # pairs are scored at once


@click.command()
@click.option(
    "--ndjson",
    type=click.Path(allow_dash=True, path_type=Path, dir_okay=False),
    metavar="PAIRS",
    required=True,
    help='Pairs to score: lines {"a": {"text", "date", "source"}, "b": {…}}; - for standard input.',
)
@click.option(
    "--out",
    type=click.Path(allow_dash=True, path_type=Path, dir_okay=False),
    required=True,
    help="Where the scores go; - for standard output.",
)
@click.option(
    "--weights", type=click.Path(path_type=Path), help="Folder of trained weights, instead of the shipped ones."
)
def same(ndjson: Path, out: Path, weights: Path | None) -> None:
    """Write {"score": p} for each pair: how likely both contents assert the same claim, 0.5 and more being the same.

    A date (2024-05-31) and a source may be absent or null; other keys are ignored.
    """
    from service.archives import LineError

    commands.check_files(ndjson, out)
    decide = commands.load_same(weights)
    try:
        with ExitStack() as stack:
            lines = sys.stdin.buffer if str(ndjson) == "-" else stack.enter_context(commands.opened(ndjson))
            pairs = _pairs(lines)
            target = stack.enter_context(commands.output(out))
            while some := list(islice(pairs, _TOGETHER)):
                target.writelines(json.dumps({"score": score}) + "\n" for score in decide.score(some).tolist())
            target.flush()
    except LineError as error:
        raise click.ClickException(f"{ndjson}, {error}") from None
    except BrokenPipeError:
        if str(out) != "-":
            raise
        commands.forget_output()
    except OSError as error:
        raise click.ClickException(f"cannot read {ndjson} or write {out}: {error.strerror}") from None


def _pairs(lines: Iterable[bytes]) -> Iterator[tuple[Assertion, Assertion]]:
    from service.archives import read_object

    for number, line in enumerate(lines, 1):
        if line.strip():
            row = read_object(number, line)
            yield _assertion(row, "a", number), _assertion(row, "b", number)


def _assertion(row: dict[str, Any], name: str, number: int) -> Assertion:
    from models.same import Assertion
    from service.archives import LineError

    side = row.get(name)
    if not isinstance(side, dict):
        raise LineError(f"line {number}: {name} must be an object")
    for field, needed in (("text", True), ("date", False), ("source", False)):
        if needed and field not in side:
            raise LineError(f"line {number}: {name}.{field} is missing")
        if not isinstance(side.get(field), str) and (needed or side.get(field) is not None):
            raise LineError(f"line {number}: {name}.{field} must be a string" + ("" if needed else " or null"))
    try:
        date = datetime.datetime.fromisoformat(side["date"]).date() if side.get("date") else None
    except ValueError:
        raise LineError(f"line {number}: {name}.date must be a date such as 2024-05-31") from None
    return Assertion(side["text"], date, side.get("source"))
