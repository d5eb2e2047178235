"""The training loop: resumable, with its progress shown and the best on dev kept."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.encoding import Batch, Encoder, batched
from models.network import NamedWords, Network, beside
from models.records import HABITS
from models.same_embedding import has_bfloat16
from models.training.augmentation import Augmenter
from models.training.averaging import copied, draw
from models.training.corpora import Example
from models.training.samples import Sample, Targets, collate, samples


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train."""

    epochs: float = 6
    rate: float = 2e-4
    """Learning rate of the encoder at its height."""
    head_rate: float = 1.5e-3
    """Learning rate of the heads and of the features' tables at its height."""
    warmup: float = 0.05
    """Share of the training over which the rates rise; then they fall linearly to 0."""
    budget: int = 2600
    """Word pieces a step, padding counted."""
    core: int = 240
    context: int = 20
    word_dropout: float = 0.05
    polnear_share: float = 1.0
    """How much of PolNeAR an epoch sees: it is the larger corpus, and none of its names are marked by hand."""
    world_copies: int = 2
    """How often each article of world.jsonl is seen in an epoch: there are few, and they are the cleaner ones."""
    averaging: float = 0.998
    """Decay of the moving average of the weights, which is what gets evaluated and kept."""
    name_weight: float = 1.0
    silver_name_weight: float = 0.1
    """Of names that a machine marked: all of PolNeAR's."""
    category_weight: float = 0.5
    group: int = 96
    """Articles that are read at once and put into batches by length."""
    seed: int = 1
    bfloat16: bool = True
    """Whether to compute in it where the processor is faster so."""


@dataclass(slots=True)
class Progress:
    """How far a training has come."""

    epoch: int = 0
    group: int = 0
    """The next group of the epoch."""
    step: int = 0
    seconds: float = 0.0
    best: float = -math.inf


class Trainer:
    """Trains a network.

    Args:
        network: What to train.
        encoder: Its encoder.
        examples: What to train on.
        plan: How.
        augment: Changes an example at random.
        evaluate: Scores the averaged network; the higher, the better.  None: the last one is kept.
        folder: Where ``checkpoint.pt``, ``log.jsonl``, ``best.pt`` and each epoch's weights go.
    """

    def __init__(
        self,
        network: Network,
        encoder: Encoder,
        examples: Sequence[Example],
        plan: Plan,
        augment: Augmenter,
        evaluate: Callable[[Network], tuple[float, dict[str, float]]] | None,
        folder: Path,
    ) -> None:
        self.network, self.encoder, self.plan = network.train(), encoder, plan
        self.examples = list(examples)
        self.augment, self.evaluate, self.folder = augment, evaluate, folder
        self.groups = math.ceil(len(self.examples) / plan.group)
        self.progress = Progress()
        self.averaged = copied(network)
        encoder_weights = {id(weight) for weight in network.encoder.parameters()}
        heads = [weight for weight in network.parameters() if id(weight) not in encoder_weights]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": list(network.encoder.parameters()), "lr": plan.rate, "peak": plan.rate},
                {"params": heads, "lr": plan.head_rate, "peak": plan.head_rate},
            ],
            weight_decay=0.01,
            fused=True,
        )
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, until: float | None = None) -> bool:
        """Train from where the folder's checkpoint left off.

        Args:
            until: Stop after the first group that ends later than this, in ``time.monotonic`` seconds.

        Returns:
            Whether the training is complete.
        """
        self._resume()
        plan, progress = self.plan, self.progress
        while progress.epoch < plan.epochs:
            while progress.group < self.groups and self._done() < plan.epochs:
                begun = time.monotonic()
                losses = [self._step(batch) for batch in self._batches(progress.epoch, progress.group)]
                progress.group += 1
                progress.seconds += time.monotonic() - begun
                self._log({"loss": sum(losses) / max(len(losses), 1)})
                self._save()
                if until is not None and time.monotonic() > until:
                    return False
            progress.epoch, progress.group = progress.epoch + 1, 0
            self._evaluate()
            self._save()
        return True

    def _done(self) -> float:
        """How many epochs are done."""
        return self.progress.epoch + self.progress.group / self.groups

    def _batches(self, epoch: int, group: int) -> Iterator[list[Sample]]:
        """The group's batches; the same ones whenever they are asked for."""
        plan = self.plan
        order = list(range(len(self.examples)))
        Random(f"{plan.seed} {epoch}").shuffle(order)
        found: list[Sample] = []
        for number in order[group * plan.group : (group + 1) * plan.group]:
            rng = Random(f"{plan.seed} {epoch} {number}")
            example = self.examples[number]
            if example.habit == "polnear" and rng.random() >= plan.polnear_share:
                continue
            example = self.augment(example, rng)
            found += samples(example, self.encoder, rng, core=plan.core, context=plan.context)
        out = batched(found, plan.budget, lambda sample: sample.pieces)
        Random(f"{plan.seed} {epoch} {group}").shuffle(out)
        yield from out

    def _step(self, items: Sequence[Sample]) -> float:
        plan, progress = self.plan, self.progress
        rng = Random(f"{plan.seed} step {progress.step}")
        torch.manual_seed(rng.getrandbits(62))
        done = self._done() / plan.epochs
        factor = min(max(done, 1e-3) / plan.warmup, (1 - done) / (1 - plan.warmup))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * max(factor, 0.0)
        batch, targets = collate(items, self.encoder, rng, plan.word_dropout)
        loss = losses(self.network, batch, targets, plan) / len(items)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        progress.step += 1
        draw(self.averaged, self.network, progress.step, plan.averaging)
        return float(loss.detach())

    def _evaluate(self) -> None:
        progress = self.progress
        score = math.inf
        if self.evaluate:
            with self._averaged() as network:
                score, figures = self.evaluate(network)
            self._log({"score": score, **figures})
        _write(self.averaged, self.folder / f"epoch-{progress.epoch}.pt")
        if score >= progress.best:
            progress.best = score
            _write(self.averaged, self.folder / "best.pt")

    @contextmanager
    def _averaged(self) -> Iterator[Network]:
        """The network with the averaged weights, for as long as needed."""
        held = copied(self.network)
        self.network.load_state_dict(self.averaged)
        yield self.network.eval()
        self.network.load_state_dict(held)
        self.network.train()

    def _log(self, figures: dict[str, float]) -> None:
        progress = self.progress
        done = self._done() / self.plan.epochs
        left = progress.seconds * (1 - done) / max(done, 1e-9)
        row = {
            "epoch": round(done * self.plan.epochs, 2),
            "step": progress.step,
            "minutes": round(progress.seconds / 60, 1),
            "minutes_left": round(left / 60, 1),
            **{name: round(value, 4) for name, value in figures.items()},
        }
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
        print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)

    def _save(self) -> None:
        _write(
            {
                "plan": asdict(self.plan),
                "progress": asdict(self.progress),
                "network": self.network.state_dict(),
                "averaged": self.averaged,
                "optimizer": self.optimizer.state_dict(),
            },
            self.folder / "checkpoint.pt",
        )

    def _resume(self) -> None:
        file = self.folder / "checkpoint.pt"
        if not file.exists():
            return
        saved = torch.load(file, weights_only=True)
        if saved["plan"] != asdict(self.plan):
            raise ValueError(f"{file} was made by another plan: {saved['plan']}; move it away or use its plan")
        self.progress = Progress(**saved["progress"])
        self.network.load_state_dict(saved["network"])
        self.averaged = saved["averaged"]
        self.optimizer.load_state_dict(saved["optimizer"])


def losses(network: Network, batch: Batch, targets: Targets, plan: Plan) -> Tensor:
    """The summed loss of a batch; each head counts only what its corpus has labels for."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=plan.bfloat16 and has_bfloat16()):
        words, below = network.words(batch)
        cue_scores = network.cues(words)
        role_scores = network.roles(words, batch.word_mask, targets.cues) if len(targets.cues) else None
        naming = network.naming_words(batch, below)
        sizes = batch.word_mask.sum(1).tolist()
        named = [
            NamedWords(naming[row, : sizes[row]], batch.letters[row, : sizes[row]].numpy()).of(0, sizes[row])
            for row in targets.name_rows.tolist()
        ]
        name_inputs = beside(named) if named else None
        name_scores = network.names(*name_inputs) if name_inputs else None
        known = targets.category >= 0
        category_scores = (
            network.categories(words, targets.cues[known], targets.role_tags[known] > 4) if known.any() else None
        )
    loss = network.cue_crf.loss(cue_scores, batch.word_mask, targets.cue_allowed).sum()
    if role_scores is not None:
        mask = batch.word_mask[targets.cues[:, 0]]
        loss = loss + network.roles_crf.gold_loss(role_scores, mask, targets.role_tags).sum()
    if name_inputs and name_scores is not None:
        mask = name_inputs[1]
        silver = batch.habit[targets.name_rows] == HABITS.index("polnear")
        weight = torch.where(silver, plan.silver_name_weight, plan.name_weight)
        allowed = targets.name_allowed[:, : mask.shape[1]]
        loss = loss + (weight * network.name_crf.loss(name_scores, mask, allowed)).sum()
    if category_scores is not None:
        loss = loss + plan.category_weight * functional.cross_entropy(
            category_scores, targets.category[known], reduction="sum"
        )
    return loss


def _write(state: Mapping[str, object], file: Path) -> None:
    """Write all of it or nothing."""
    part = file.with_suffix(".part")
    torch.save(state, part)
    part.replace(file)
