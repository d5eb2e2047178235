"""Two assertions read together: the sentence encoder's upper layers, trained to see whether both claim the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from models.same_embedding import BELOW, FAR, WIDTH, Encoded

_HEAD: Final = 64
_TOGETHER: Final = 32  # pairs are read at once


class LowRank(nn.Module):
    """A linear layer that stays as it is, and a change of low rank to it."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) / linear.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, inputs: Tensor) -> Tensor:
        """As the linear layer does."""
        out: Tensor = self.linear(inputs) + functional.linear(functional.linear(inputs, self.down), self.up)
        return out

    def merged(self) -> nn.Linear:
        """A plain linear layer that does the same."""
        with torch.no_grad():
            self.linear.weight += self.up @ self.down
        return self.linear


class JointReader(nn.Module):
    """Scores pairs of assertions; T and U are the numbers of their word pieces.

    Args:
        network: The sentence encoder, which is not changed.
        rank: Of the changes to its upper layers.
    """

    def __init__(self, network: BertModel, rank: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(deepcopy(layer) for layer in network.encoder.layer[BELOW:])
        for layer in self.layers:
            layer.attention.self.dropout.p = 0.0  # type: ignore[union-attr]
            for name, module in list(layer.named_modules()):
                if isinstance(module, nn.Linear):
                    above, _, last = name.rpartition(".")
                    setattr(layer.get_submodule(above), last, LowRank(module, rank))
        self.sides = nn.Parameter(0.02 * torch.randn(2, WIDTH))
        self.head = nn.Sequential(nn.Linear(3 * WIDTH, _HEAD), nn.GELU(), nn.Dropout(0.2), nn.Linear(_HEAD, 1))
        self.cosine = nn.Parameter(torch.tensor([6.0, -5.0]))

    def forward(self, pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Scores above 0 where both likely claim the same, (B,).

        Args:
            pairs: The states that the lower layers make of each side, (T, 384) and (U, 384), for B pairs.
        """
        longest = max(len(a) + len(b) for a, b in pairs)
        states = torch.zeros(len(pairs), longest, WIDTH)
        sides = torch.zeros(len(pairs), 2, longest)
        for row, (a, b) in enumerate(pairs):
            states[row, : len(a)], sides[row, 0, : len(a)] = a, 1.0
            states[row, len(a) : len(a) + len(b)], sides[row, 1, len(a) : len(a) + len(b)] = b, 1.0
        states = states + sides.transpose(1, 2) @ self.sides
        mask = (FAR * (1 - sides.sum(1)))[:, None, None, :]
        for layer in self.layers:
            states = layer(states, mask)
        a, b = (sides @ states.float() / sides.sum(2, keepdim=True)).unbind(1)
        seen = self.head(torch.cat([(a + b) / 2, (a - b).abs(), a * b], 1)).squeeze(1)
        return seen + self.cosine[0] * functional.cosine_similarity(a, b) + self.cosine[1]

    @torch.inference_mode()
    def score(self, pairs: Sequence[tuple[Encoded, Encoded]]) -> Tensor:
        """The scores of any number of pairs, (n,), the same for both orders of a pair."""
        ordered = [tuple(sorted(both, key=_key)) for both in pairs]
        out = torch.zeros(len(pairs))
        by_length = sorted(range(len(pairs)), key=lambda row: sum(len(one.below) for one in ordered[row]))
        for start in range(0, len(pairs), _TOGETHER):
            rows = by_length[start : start + _TOGETHER]
            out[rows] = self([(ordered[row][0].below, ordered[row][1].below) for row in rows]).float()
        return out

    def trained(self) -> dict[str, Tensor]:
        """The weights that training changes, by name."""
        return {name: value.detach() for name, value in self.state_dict().items() if ".linear." not in name}

    @classmethod
    def from_trained(cls, network: BertModel, weights: Mapping[str, Tensor]) -> JointReader:
        """A reader for use, with the weights of ``trained``.

        Raises:
            KeyError, RuntimeError: Weights are missing or of another shape.
        """
        reader = cls(network, next(len(value) for name, value in weights.items() if name.endswith(".down")))
        missing = [name for name in reader.trained() if name not in weights]
        if missing:
            raise KeyError(missing[0])
        reader.load_state_dict({name: value.float() for name, value in weights.items()}, strict=False)
        for name, module in list(reader.named_modules()):
            if isinstance(module, LowRank):
                above, _, last = name.rpartition(".")
                setattr(reader.get_submodule(above), last, module.merged())
        return reader.eval()


def _key(one: Encoded) -> tuple[int, bytes, bytes]:
    """Longer ones first; the rest only makes the order the same each time."""
    return -len(one.below), one.ids.tobytes(), one.source.tobytes()
