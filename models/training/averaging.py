"""A moving average of weights while they are trained, which is better and steadier than what they end at."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

Weights = dict[str, Tensor]

_EARLY: Final = 10  # steps in which the average follows closely, for it begins at what is not trained yet


def copied(module: nn.Module) -> Weights:
    """The weights of a module as they are now."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


@torch.no_grad()
def draw(averaged: Weights, module: nn.Module, step: int, decay: float) -> None:
    """Draw an average, in place, towards the weights of a module after its ``step``-th step."""
    keep = min(decay, step / (step + _EARLY))
    for name, value in module.state_dict().items():
        averaged[name].lerp_(value, 1 - keep)
