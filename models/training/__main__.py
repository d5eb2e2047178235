"""``python -m models.training``: train, resume, and put the best network into ``models/weights``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import click
import torch

from models.encoding import Encoder
from models.network import CATEGORIES, FITTED, Network, SpeakerHead
from models.reader import CONTEXT, CORE, WEIGHTS, Reader, ReaderConfig, load_tokenizer
from models.same_embedding import backbone
from models.training.augmentation import Augmenter
from models.training.calibration import (
    Bools,
    Floats,
    best_options,
    calibrate,
    calibration_error,
    category_choices,
    confidences,
    crossed,
    option,
    outcomes,
    reliability,
    temperature,
)
from models.training.corpora import Corpora, Example, read_corpora, read_newswire, read_pronouns
from models.training.evaluation import best_threshold, evaluate, name_figures, predict
from models.training.given_names import fit_given_names
from models.training.labels import read_role_labels, read_speaker_labels
from models.training.loop import Plan, Trainer
from models.training.naming import NamingPlan, fit_naming
from models.training.same import same as same_claim
from models.training.samples import Cast
from models.training.silver import marked_by
from models.training.speakers import cast, fit_speakers, speaker_accuracy, speaker_choices

_FACTUAL = CATEGORIES.index("factual")
_EVERY = 6  # of the pronouns is learnt: they are an encyclopedia's, and more than all sources of the news

_of_data = click.option(
    "--data", type=click.Path(path_type=Path, exists=True), default=Path("../shared/data"), show_default=True
)
_of_run = click.option(
    "--run", type=click.Path(path_type=Path, exists=True), default=Path("runs/network"), show_default=True
)


@click.group()
def main() -> None:
    """Train whosaid's network."""


main.add_command(same_claim)


@main.command()
@_of_data
@click.option("--run", type=click.Path(path_type=Path), default=Path("runs/network"), show_default=True)
@click.option("--epochs", type=click.FloatRange(0, min_open=True), default=Plan().epochs, show_default=True)
@click.option("--seed", type=int, default=Plan().seed, show_default=True)
@click.option(
    "--polnear-share",
    type=click.FloatRange(0, 1),
    default=Plan().polnear_share,
    show_default=True,
    help="Of PolNeAR's articles in an epoch.",
)
@click.option("--world-copies", type=click.IntRange(min=1), default=Plan().world_copies, show_default=True)
@click.option(
    "--start",
    type=click.Path(path_type=Path, exists=True),
    help="Go on from these weights, which also mark the articles that nobody marked.",
)
@click.option("--rate", type=float, default=Plan().rate, show_default=True, help="Of the encoder; the heads' follows.")
@click.option("--minutes", type=float, help="Stop after so long; the same command goes on from there.")
@click.option("--threads", type=click.IntRange(min=1), help="Cores to use.")
def train(
    data: Path,
    run: Path,
    epochs: float,
    seed: int,
    polnear_share: float,
    world_copies: int,
    start: Path | None,
    rate: float,
    minutes: float | None,
    threads: int | None,
) -> None:
    """Train, or go on with the training in RUN."""
    if threads:
        torch.set_num_threads(threads)
    corpora = read_corpora(data)
    plan = Plan()
    plan = replace(
        plan,
        epochs=epochs,
        seed=seed,
        polnear_share=polnear_share,
        world_copies=world_copies,
        rate=rate,
        head_rate=plan.head_rate * rate / plan.rate,
    )
    torch.manual_seed(seed)
    encoder = Encoder(load_tokenizer(backbone()))
    newswire = read_role_labels(corpora.newswire)
    read = [example for example in newswire if example.attributions is not None]
    examples = [*corpora.polnear, *corpora.world * world_copies, *read, *corpora.further]
    network = Network.from_backbone(backbone())
    if start:
        teacher = Reader.from_pretrained(start)
        examples += marked_by(teacher, [example for example in newswire if example.attributions is None])
        network.load_state_dict(teacher.network.state_dict())
    teasers = [example.text.split("\n", 1)[0] for example in corpora.polnear]
    dev = (corpora.world_dev, corpora.polnear_dev)
    trainer = Trainer(
        network,
        encoder,
        examples,
        plan,
        Augmenter(corpora.person_names, teasers),
        lambda network: _evaluate(network, encoder, dev),
        run,
    )
    complete = trainer.run(None if minutes is None else time.monotonic() + 60 * minutes)
    click.echo("complete" if complete else "stopped; run the same command to go on")


@main.command()
@_of_run
@click.option("--weights", type=click.Path(path_type=Path, exists=True), default=WEIGHTS, show_default=True)
@click.option("--share", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Of RUN.")
def mix(run: Path, weights: Path, share: float) -> None:
    """Draw the weights that RUN started from towards its best ones; what names have for themselves is the run's."""
    trained = torch.load(run / "best.pt", weights_only=True)
    for name, value in Reader.from_pretrained(weights).network.state_dict().items():
        if not name.startswith(FITTED):
            trained[name] = (1 - share) * value + share * trained[name]
    torch.save(trained, run / "best.pt")


@main.command()
@_of_data
@_of_run
@click.option("--epochs", type=click.IntRange(min=1), default=NamingPlan().epochs, show_default=True)
@click.option("--seed", type=int, default=NamingPlan().seed, show_default=True)
def naming(data: Path, run: Path, epochs: int, seed: int) -> None:
    """Fit what names and speakers have for themselves to RUN's best network; the rest of it stays as it is."""
    corpora = read_corpora(data)
    network, encoder, told = _with_given_names(corpora, data, run)
    known = {one.id for one in told}
    named = [one for one in (*corpora.newswire, *corpora.further) if one.id not in known]
    # A machine marked PolNeAR's names.
    taught = [replace(one, names=None) if one.habit == "polnear" else one for one in told]
    casts = _cast(network, encoder, told)
    plan = NamingPlan(epochs=epochs, seed=seed)
    fit_naming(network, encoder, list(zip(taught, casts, strict=True)), named, corpora.person_names, plan, click.echo)
    torch.save(network.state_dict(), run / "best.pt")


@main.command()
@_of_data
@_of_run
@click.option("--epochs", type=click.IntRange(min=1), default=6, show_default=True)
@click.option("--rate", type=float, default=1.5e-3, show_default=True)
@click.option("--seed", type=int, default=Plan().seed, show_default=True)
def speakers(data: Path, run: Path, epochs: int, rate: float, seed: int) -> None:
    """Fit a new speaker head to RUN's best network; the rest of it stays as it is."""
    corpora = read_corpora(data)
    network, encoder, told = _with_given_names(corpora, data, run)
    dev = [_cast(network, encoder, examples) for examples in (corpora.world_dev, corpora.polnear_dev)]
    torch.manual_seed(seed)
    network.speaker = SpeakerHead(network.encoder.config.hidden_size, network.config)
    fit_speakers(network, _cast(network, encoder, told), epochs=epochs, rate=rate, seed=seed, show=click.echo)
    click.echo("  ".join(f"right on dev {100 * speaker_accuracy(network, one):.2f}" for one in dev))
    torch.save(network.state_dict(), run / "best.pt")


def _told(corpora: Corpora, data: Path) -> list[Example]:
    """All that teaches who is speaking."""
    marked = [example for example in corpora.polnear if example.tells_speakers]
    pronouns = read_pronouns(data / "coreference")[::_EVERY]
    return [*corpora.world, *marked, *pronouns, *read_speaker_labels([*corpora.polnear, *corpora.newswire])]


def _with_given_names(corpora: Corpora, data: Path, run: Path) -> tuple[Network, Encoder, list[Example]]:
    """RUN's best network with given names learnt, its encoder, and all that teaches who is speaking."""
    network = Network.from_backbone(backbone())
    trained = torch.load(run / "best.pt", weights_only=True)
    network.load_state_dict(network.state_dict() | {k: v for k, v in trained.items() if not k.startswith("speaker.")})
    told = _told(corpora, data)
    named = [*corpora.world, *corpora.polnear, *corpora.newswire, *corpora.further]
    network.given_names.copy_(torch.from_numpy(fit_given_names(told, named)))
    return network.eval(), Encoder(load_tokenizer(backbone())), told


def _cast(network: Network, encoder: Encoder, examples: Sequence[Example]) -> list[Cast]:
    """What is to be learnt of the speakers of examples of any habits."""
    out: list[Cast] = []
    for _, same in groupby(examples, key=lambda example: example.habit):
        out += cast(network, encoder, list(same))
    return out


def _evaluate(network: Network, encoder: Encoder, dev: Sequence[Sequence[Example]]) -> tuple[float, dict[str, float]]:
    """See ``evaluate``; with the share of speakers that are found when all before them are."""
    score, figures = evaluate(network, encoder, dev, core=CORE, context=CONTEXT)
    for examples in dev:
        known = cast(network, encoder, examples)
        figures[f"{examples[0].habit} speakers"] = 100 * speaker_accuracy(network, known)
    return score, figures


@main.command()
@_of_data
@_of_run
@click.option("--to", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
@click.option("--version", required=True, help="The version of the weights.")
def export(data: Path, run: Path, to: Path, version: str) -> None:
    """Fit thresholds and calibration on the dev sets and write what serving needs."""
    corpora = read_corpora(data)
    network = Network.from_backbone(backbone())
    network.load_state_dict(torch.load(run / "best.pt", weights_only=True))
    encoder = Encoder(load_tokenizer(backbone()))
    config = ReaderConfig(version, {}, {})
    for dev in (corpora.world_dev, corpora.polnear_dev):
        habit = dev[0].habit
        predicted = predict(network.eval(), encoder, dev, core=CORE, context=CONTEXT)
        config.thresholds[habit], figures = best_threshold(predicted)
        config.calibration[habit] = calibrate(*outcomes(predicted, config.thresholds[habit]))
        config.category_temperatures[habit] = temperature(
            category_choices(network, encoder, dev, config.thresholds[habit])
        )
        config.speaker_temperatures[habit] = temperature(speaker_choices(network, _cast(network, encoder, dev)))
        click.echo(habit)
        for name, value in figures.items():
            click.echo(f"  {name} {value:.4f}")
    click.echo(config)
    reader = Reader(network, encoder, config)
    reader.save_pretrained(to, backbone() / "tokenizer.json")
    click.echo(f"written to {to}")


@main.command()
@_of_data
@click.option("--weights", type=click.Path(path_type=Path, exists=True), default=WEIGHTS, show_default=True)
def report(data: Path, weights: Path) -> None:
    """Print what the model card tells beside the figures of ``whosaid evaluate``: names and calibration.

    What is fitted on one half of a dev set is measured on the other.
    """
    reader = Reader.from_pretrained(weights)
    network, encoder = reader.network, reader.encoder
    newswire = read_newswire(data / "names" / "newswire_dev.jsonl")
    for kind, value in name_figures(network, encoder, newswire).items():
        click.echo(f"names, {kind}: F1 {value:.1f}")
    corpora = read_corpora(data)
    for dev in (corpora.world_dev, corpora.polnear_dev):
        habit, halves = dev[0].habit, (dev[::2], dev[1::2])
        threshold = reader.config.thresholds[habit]
        found = [outcomes(predict(network, encoder, half, core=CORE, context=CONTEXT), threshold) for half in halves]
        classed = [category_choices(network, encoder, half, threshold) for half in halves]
        known = [speaker_choices(network, _cast(network, encoder, half)) for half in halves]
        for title, figures in (
            ("attributions", crossed(found, lambda one, other: (confidences(other[0], calibrate(*one)), other[1]))),
            ("check-worthiness", crossed(classed, lambda one, other: option(other, temperature(one), _FACTUAL))),
            ("speakers", crossed(known, lambda one, other: best_options(other, temperature(one)))),
        ):
            _show_calibration(f"{habit}, {title}", *figures)


def _show_calibration(title: str, said: Floats, right: Bools) -> None:
    click.echo(f"{title}: expected calibration error {100 * calibration_error(said, right):.1f} points")
    for mean, share, count in reliability(said, right):
        click.echo(f"  said {100 * mean:5.1f} %  right {100 * share:5.1f} %  of {count}")


if __name__ == "__main__":
    sys.exit(main())
