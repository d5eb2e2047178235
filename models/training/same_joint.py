"""Training of what reads two assertions together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from models.same_embedding import has_bfloat16
from models.same_joint import JointReader

_BATCH: Final = 16
_HEAD_RATE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class JointPlan:
    """How it is trained."""

    rank: int = 16
    epochs: int = 3
    rate: float = 1e-3


def train_joint(
    network: BertModel,
    pairs: Sequence[tuple[Tensor, Tensor, bool]],
    plan: JointPlan,
    seed: int,
    show: Callable[[str], None] = lambda _: None,
) -> JointReader:
    """Train on pairs of states; see ``JointReader.forward``.

    Args:
        network: The sentence encoder.
        pairs: Both sides and whether they claim the same.
        plan: How.
        seed: Of all chance.
        show: Told of the progress.
    """
    torch.manual_seed(seed)
    random = Random(seed)
    reader = JointReader(network, plan.rank).train()
    changes: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, value in reader.named_parameters():
        if ".linear." not in name:
            (changes if name.startswith("layers.") else rest).append(value)
    optimizer = torch.optim.AdamW([{"params": changes}, {"params": rest}], weight_decay=0.01)
    steps = plan.epochs * -(-len(pairs) // _BATCH)
    step = 0
    for epoch in range(plan.epochs):
        losses = []
        for batch in _batches(pairs, random):
            pace = min(1.0, (step + 1) / (0.1 * steps)) * (1 - step / steps)
            for group, rate in zip(optimizer.param_groups, (plan.rate, _HEAD_RATE), strict=True):
                group["lr"] = rate * pace
            sides = [(a, b) if random.random() < 0.5 else (b, a) for a, b, _ in batch]
            with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
                scores = reader(sides)
            same = torch.tensor([float(one[2]) for one in batch])
            loss = functional.binary_cross_entropy_with_logits(scores.float(), same)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*changes, *rest], 1.0)
            optimizer.step()
            losses.append(float(loss.detach()))
            step += 1
        show(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}")
    return reader.eval()


def _batches(pairs: Sequence[tuple[Tensor, Tensor, bool]], random: Random) -> list[list[tuple[Tensor, Tensor, bool]]]:
    """Pairs of about one length together, in any order."""
    order = list(pairs)
    random.shuffle(order)
    out = []
    for start in range(0, len(order), 8 * _BATCH):
        some = sorted(order[start : start + 8 * _BATCH], key=lambda one: len(one[0]) + len(one[1]))
        out += [some[first : first + _BATCH] for first in range(0, len(some), _BATCH)]
    random.shuffle(out)
    return out
