"""What storing an article costs beside analysing it, in a store of any size: ``python -m benchmarks.storing``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
from flask.testing import FlaskClient

from benchmarks.claims import Seeds, fill
from models.same import SameClaim
from service.app import create_app
from service.config import load_settings
from service.store.engine import Store


def both(client: FlaskClient, articles: list[dict[str, str]]) -> tuple[float, float, int]:
    """Seconds for analysing and for storing articles, one after the other, and how many claims were stored."""
    analysing = storing = 0.0
    claims = 0
    for article in articles:
        begun = time.perf_counter()
        analysed = client.post("/v1/analyses", json=article)
        between = time.perf_counter()
        stored = client.post("/v1/articles", json=article)
        ended = time.perf_counter()
        if (analysed.status_code, stored.status_code) != (200, 201):
            raise click.ClickException(f"refused: {analysed.text}, {stored.text}")
        analysing, storing = analysing + between - begun, storing + ended - between
        claims += len(stored.json["claims"])
        client.delete(stored.headers["Location"])
    return analysing, storing, claims


@click.command()
@click.option("--sizes", default="0,100000,1000000", show_default=True, help="Claims that are stored already.")
@click.option("--database", default="sqlite:///benchmark.db", show_default=True, help="A database for this alone.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("../shared/data"), show_default=True)
@click.option("--seeds", type=int, default=8000, show_default=True, help="Contents that the claims are mixed of.")
@click.option("--articles", type=int, default=20, show_default=True, help="How many are stored at each size.")
def main(sizes: str, database: str, data: Path, seeds: int, articles: int) -> None:
    """Analyse and store the same articles, side by side."""
    same = SameClaim.from_pretrained()
    known = Seeds(same, data, seeds)
    lines = (data / "attributions" / "dev.jsonl").read_text(encoding="utf-8").splitlines()[:articles]
    rows = [json.loads(line) for line in lines]
    bodies = [{"text": row["text"], **({"published": row["date"]} if row.get("date") else {})} for row in rows]
    store = Store(database)
    store.upgrade()
    client = create_app(load_settings({"database_url": database}, environ={}), same=same).test_client()
    both(client, bodies[:2])
    for size in map(int, sizes.split(",")):
        fill(store, known, same.version, size)
        both(client, bodies[:1])  # the new claims are loaded
        analysing, storing, claims = both(client, bodies)
        click.echo(
            f"{size:9d} claims: analysing {1000 * analysing / len(bodies):6.0f} ms, storing"
            f" {1000 * storing / len(bodies):6.0f} ms an article of {claims / len(bodies):.0f} claims,"
            f" ratio {storing / analysing:.2f}"
        )


if __name__ == "__main__":
    main()
