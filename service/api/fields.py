"""The response fields that clients rely on: ``python -m service.api.fields FILE`` adds the new ones.

Each line names an operation, a status, a field and its type.  Lines are only ever added by this program:
a field that is gone stays in the file, and a test fails until it is back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from service.api.contract import operations
from service.api.spec import generate

Record = dict[str, Any]


def response_fields(spec: Record) -> set[str]:
    """All fields of all good answers and of the problem."""
    found = {f"problem {field}" for field in _fields(spec, {"$ref": "#/components/schemas/Problem"})}
    for one in operations(spec):
        for status, response in one.record["responses"].items():
            for media in response.get("content", {}).values():
                start = f"{one.method.upper()} {one.path} {status}"
                found |= {f"{start} {field}" for field in _fields(spec, media["schema"])}
    return found


def _fields(spec: Record, schema: Record, place: str = "", seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Each field within a schema, as ``place: type``; ``place?`` if it may be missing."""
    for one in schema.get("anyOf", [schema]):
        reference = one.get("$ref", "")
        if reference in seen:
            continue
        name = reference.rpartition("/")[2]
        inner = spec["components"]["schemas"][name] if name else one
        for field, its in inner.get("properties", {}).items():
            mark = "" if field in inner.get("required", ()) else "?"
            yield f"{place}{field}{mark}: {_type(its)}"
            yield from _fields(spec, its, f"{place}{field}.", (*seen, reference))
        if "items" in inner:
            yield from _fields(spec, inner["items"], f"{place.removesuffix('.')}[].", (*seen, reference))


def _type(schema: Record) -> str:
    kinds = schema.get("type", "object")
    if "anyOf" in schema:
        kinds = [one.get("type", "object") for one in schema["anyOf"]]
    shown = kinds if isinstance(kinds, str) else " or ".join(kinds)
    return f"{shown} of {_type(schema['items'])}" if "items" in schema else shown


def main() -> int:
    """Add the new fields to the file."""
    file = Path(sys.argv[1])
    kept = set(file.read_text(encoding="utf-8").splitlines()) if file.is_file() else set()
    lines = sorted(kept | response_fields(yaml.safe_load(generate())))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
