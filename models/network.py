"""The network: one encoder, several heads, one forward pass.

The encoder reads a window of text.  One head tags the words of cues.  The roles
head then reads the window once more for each cue, from the words' states and that
cue's, and tags its sources and contents; so attributions may lie inside each
other, and what belongs together is known by construction.  Another head classes what an
attribution's content is.  The heads that tag names and choose speakers have upper
layers of the encoder to themselves, trained for them alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertLayer

from models.clues import FEATURES
from models.crf import CRF, tag_count
from models.encoding import LETTER_COUNT, NO_HABIT, QUOTE_STATES, SHAPES, Batch, begins_large
from models.given_names import GIVEN_PARTS
from models.records import CATEGORIES as CATEGORIES
from models.records import KINDS as KINDS

NAME_KINDS: Final = ("person", "organization", "place")
TAGGED_KINDS: Final = (*NAME_KINDS, "people", "other")
"""What the names head tells apart: "people" are nations, faiths and parties, "other" are events, works, buildings."""
SOURCE, CONTENT = 0, 1
"""The roles head's role numbers."""

FITTED: Final = ("naming.", "names.", "name_crf.", "speaker.", "given_names")
"""How the names of the weights begin that are fitted by themselves, to a network whose other weights stay."""
_HEADS_FILE: Final = "heads.safetensors"
_DISTANCES: Final = 64  # beyond so many words from the cue, far is far


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network's shape."""

    encoder: dict[str, Any]
    """The backbone's BertConfig."""
    naming_layers: int = 3
    """How many of the encoder's upper layers there are twice, once for names and speakers."""
    roles_width: int = 160
    """Width of the roles head."""
    roles_layers: int = 3
    """Convolutions of the roles head; each sees one word to either side, then two, four …"""
    names_width: int = 160
    """Width of the names head."""
    letters_width: int = 96
    """Width of what the names head sees of a word's spelling."""
    speaker_width: int = 96
    """Width of the speaker head."""
    dropout: float = 0.1


class Network(nn.Module):
    """B windows, T word pieces, W words, K cues and H the encoder's width in all shapes below."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        encoder = BertConfig(**config.encoder)
        # Dropped attention costs half the training time on a CPU; the other dropouts do its work.
        encoder.attention_probs_dropout_prob = 0.0
        self.encoder = BertModel(encoder, add_pooling_layer=False)
        self.naming = nn.ModuleList(BertLayer(self.encoder.config) for _ in range(config.naming_layers))
        width = encoder.hidden_size
        self.habit = nn.Embedding(NO_HABIT + 1, width)
        self.features = nn.ModuleList(nn.Embedding(size, width) for size in (len(SHAPES), QUOTE_STATES, 4))
        for table in (self.habit, *self.features):
            nn.init.zeros_(table.weight)
        self.dropout = nn.Dropout(config.dropout)
        self.cue_tags = nn.Linear(width, tag_count(1))
        self.cue_crf = CRF(1)
        self.roles = RolesHead(width, config)
        self.roles_crf = CRF(2)
        self.names = NamesHead(width, config)
        self.name_crf = CRF(len(TAGGED_KINDS))
        self.category = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, len(CATEGORIES)))
        self.speaker = SpeakerHead(width, config)
        self.given_names: Tensor  # what ``models.given_names`` knows, which no gradient teaches
        self.register_buffer("given_names", torch.zeros(GIVEN_PARTS))

    def words(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The words' states, (B, W, H), and what ``naming_words`` takes, the pieces' states (B, T, H)."""
        states = self.encoder(
            inputs_embeds=self._embedded(batch), attention_mask=batch.piece_mask, output_hidden_states=True
        ).hidden_states
        return self._of_words(states[-1], batch), states[-1 - len(self.naming)]

    def naming_words(self, batch: Batch, below: Tensor) -> Tensor:
        """The words' states as names and speakers have them, (B, W, H); see ``words``."""
        for layer in self.naming:
            below = layer(below, batch.piece_mask[:, None, None])
        return self._of_words(below, batch)

    def naming_words_from(self, batch: Batch, first: int) -> Tensor:
        """What ``naming_words`` gives, (B, W, H), if the windows' first pieces stood at another place than 0."""
        places = torch.arange(first, first + batch.pieces.shape[1]).unsqueeze(0)
        below = self.encoder.embeddings(inputs_embeds=self._embedded(batch), position_ids=places)
        for layer in self.encoder.encoder.layer[: len(self.encoder.encoder.layer) - len(self.naming)]:
            below = layer(below, batch.piece_mask[:, None, None])
        return self.naming_words(batch, below)

    def _embedded(self, batch: Batch) -> Tensor:
        extra = self.habit(batch.habit).unsqueeze(1)
        for number, table in enumerate(self.features):
            extra = extra + table(batch.piece_features[..., number])
        embedded: Tensor = self.encoder.embeddings.word_embeddings(batch.pieces) + extra
        return embedded

    def _of_words(self, states: Tensor, batch: Batch) -> Tensor:
        """The mean of the states, (B, T, H), of each word's pieces."""
        rows, count = batch.word_mask.shape
        at = batch.piece_word + torch.arange(rows).unsqueeze(1) * (count + 1)
        flat = states.new_zeros(rows * (count + 1), states.shape[2], dtype=torch.float32)
        flat = flat.index_add(0, at.flatten(), states.flatten(0, 1).float())
        pieces = torch.zeros(rows * (count + 1)).index_add(0, at.flatten(), torch.ones(at.numel()))
        mean = flat / pieces.clamp_min(1.0).unsqueeze(1)
        return self.dropout(mean.view(rows, count + 1, -1)[:, :count])

    def double_upper_layers(self) -> None:
        """Let the layers of names and speakers begin as the encoder's."""
        for mine, layer in zip(reversed(self.naming), reversed(self.encoder.encoder.layer), strict=False):
            mine.load_state_dict(layer.state_dict())

    def cues(self, words: Tensor) -> Tensor:
        """Cue tag scores, (B, W, 5)."""
        return self.cue_tags(words).float()

    def categories(self, words: Tensor, cues: Tensor, content: Tensor) -> Tensor:
        """Scores of the contents' categories, (K, 4).

        Args:
            words: States, (B, W, H).
            cues: Window, first and last (exclusive) word of each cue, (K, 3).
            content: Which words are the content, (K, W) bool.
        """
        weight = content.float()
        mine = torch.bmm(weight.unsqueeze(1), words.index_select(0, cues[:, 0])).squeeze(1) / weight.sum(
            1, keepdim=True
        ).clamp_min(1.0)
        return self.category(torch.cat([_span_means(words, cues), mine], 1)).float()

    def save_pretrained(self, path: Path) -> None:
        """Write ``config.json`` and, in half precision, ``model.safetensors`` and ``heads.safetensors``.

        What names and speakers have for themselves is fitted by itself: in a file of its own, a new one costs little.
        """
        path.mkdir(parents=True, exist_ok=True)
        (path / "config.json").write_text(json.dumps(asdict(self.config), indent=1) + "\n", encoding="utf-8")
        state = {name: value.detach().half().contiguous() for name, value in self.state_dict().items()}
        save_file({name: state.pop(name) for name in list(state) if name.startswith(FITTED)}, path / _HEADS_FILE)
        save_file(state, path / "model.safetensors")

    @classmethod
    def from_backbone(cls, path: Path) -> Network:
        """A network to be trained, its encoder from a folder of a pretrained BERT."""
        encoder = BertConfig.from_pretrained(path).to_diff_dict()
        network = cls(NetworkConfig(encoder))
        weights = {
            name: value
            for name, value in load_file(path / "model.safetensors").items()
            if not name.startswith("pooler.")
        }
        weights.pop("embeddings.position_ids", None)  # older checkpoints carry it, and it is no weight
        network.encoder.load_state_dict(weights)
        network.double_upper_layers()
        return network

    @classmethod
    def from_pretrained(cls, path: Path) -> Network:
        """Read what ``save_pretrained`` wrote; computes in single precision."""
        network = cls(NetworkConfig(**json.loads((path / "config.json").read_text(encoding="utf-8"))))
        state = {k: v for k, v in load_file(path / "model.safetensors").items() if not k.startswith(FITTED)}
        network.load_state_dict({k: v.float() for k, v in (state | load_file(path / _HEADS_FILE)).items()})
        return network.eval()


class NamesHead(nn.Module):
    """Tags names, from the words' states and spelling, and from what the same words are elsewhere in the article."""

    def __init__(self, width: int, config: NetworkConfig) -> None:
        super().__init__()
        inner, letters = config.names_width, config.letters_width
        self.letter = nn.Embedding(LETTER_COUNT, 32, padding_idx=0)
        self.near_letters = nn.Conv1d(32, letters, 3, padding=1)
        self.word = nn.Linear(width, inner)
        self.spelling = nn.Linear(letters, inner)
        self.elsewhere = nn.Linear(width + 1, inner, bias=False)
        self.first = nn.LayerNorm(inner)
        self.mix = nn.ModuleList(nn.Linear(3 * inner, inner) for _ in range(config.roles_layers))
        self.norms = nn.ModuleList(nn.LayerNorm(inner) for _ in range(config.roles_layers))
        self.dropout = nn.Dropout(config.dropout)
        self.plain = nn.Linear(width, tag_count(len(TAGGED_KINDS)))
        self.plain_elsewhere = nn.Linear(width + 1, tag_count(len(TAGGED_KINDS)), bias=False)
        self.tags = nn.Linear(inner, tag_count(len(TAGGED_KINDS)))
        for layer in (self.elsewhere, self.plain_elsewhere, self.tags):
            nn.init.zeros_(layer.weight)

    def forward(self, words: Tensor, mask: Tensor, letters: Tensor, others: Tensor) -> Tensor:
        """Tag scores, (B, W, 21).

        Args:
            words: States, (B, W, H).
            mask: True for words, (B, W).
            letters: See ``Batch``, (B, W, LETTERS).
            others: See ``NamedWords.of``, (B, W, H + 1).
        """
        # Most words of a batch are the same few.
        spellings, of_word = torch.unique(letters.flatten(0, 1), dim=0, return_inverse=True)
        spelled = self.near_letters(self.letter(spellings).transpose(1, 2)).amax(2)
        state = self.word(words) + self.spelling(functional.gelu(spelled))[of_word].view(*letters.shape[:2], -1)
        state = _mixed(functional.gelu(self.first(state + self.elsewhere(others))), mask, self.mix, self.norms)
        return (self.plain(words) + self.plain_elsewhere(others) + self.tags(self.dropout(state))).float()


class NamedWords:
    """The words of an article as the names head takes them.

    It sees what a word that begins with a large letter is in its other places: it mostly names the same.

    Args:
        words: States, (W, H).
        letters: See ``EncodedText``, (W, LETTERS).
    """

    def __init__(self, words: Tensor, letters: NDArray[np.integer[Any]]) -> None:
        self._words, self._letters = words, letters
        large = np.flatnonzero(begins_large(letters))
        spellings, spelling = np.unique(letters[large], axis=0, return_inverse=True)
        at, mine = torch.from_numpy(large), torch.from_numpy(spelling.reshape(-1))
        self._spelling = torch.full((len(words),), -1).index_copy(0, at, mine)
        self._sums = torch.zeros(len(spellings), words.shape[1]).index_add(0, mine, words[at].float())
        self._counts = torch.bincount(mine, minlength=len(spellings)).float().unsqueeze(1)

    def of(self, first: int, last: int) -> tuple[Tensor, Tensor, Tensor]:
        """The states, letters and other places of a range of n words: (n, H), (n, LETTERS), (n, H + 1).

        Of a word's other places their mean state is told, and the logarithm of their number and one; zeros for a
        word that stands once or begins with a small letter.
        """
        words, spelling = self._words[first:last].float(), self._spelling[first:last]
        at = torch.nonzero(spelling >= 0).squeeze(1)
        others = self._counts[spelling[at]] - 1
        means = (self._sums[spelling[at]] - words[at]) / others.clamp_min(1) * (others > 0)
        out = torch.zeros(len(words), words.shape[1] + 1).index_copy(0, at, torch.cat([means, others.log1p()], 1))
        return words, torch.from_numpy(self._letters[first:last].astype(np.int32)), out

    def means(self, values: Tensor) -> Tensor:
        """Numbers of each word, (W, N): their mean over all its places if it begins with a large letter."""
        at = torch.nonzero(self._spelling >= 0).squeeze(1)
        spelling = self._spelling[at]
        sums = torch.zeros(len(self._counts), values.shape[1]).index_add(0, spelling, values[at])
        return values.index_copy(0, at, (sums / self._counts)[spelling])


def beside(ranges: Sequence[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What ``NamedWords.of`` tells of ranges, side by side, with a mask that is True for words."""
    words, letters, others = (pad_sequence(list(one), batch_first=True) for one in zip(*ranges, strict=True))
    sizes = torch.tensor([len(one) for one, _, _ in ranges])
    return words, torch.arange(words.shape[1]) < sizes.unsqueeze(1), letters, others


class RolesHead(nn.Module):
    """Tags one cue's sources and contents."""

    def __init__(self, width: int, config: NetworkConfig) -> None:
        super().__init__()
        inner = config.roles_width
        self.word = nn.Linear(width, 2 * inner)
        self.cue = nn.Linear(width, 2 * inner)
        self.distance = nn.Embedding(2 * _DISTANCES + 1, inner)
        self.first = nn.LayerNorm(inner)
        self.mix = nn.ModuleList(nn.Linear(3 * inner, inner) for _ in range(config.roles_layers))
        self.norms = nn.ModuleList(nn.LayerNorm(inner) for _ in range(config.roles_layers))
        self.tags = nn.Linear(inner, tag_count(2))

    def forward(self, words: Tensor, mask: Tensor, cues: Tensor) -> Tensor:
        """Tag scores, (K, W, 9).

        Args:
            words: States, (B, W, H).
            mask: True for words, (B, W).
            cues: Window, first and last (exclusive) word of each cue, (K, 3).
        """
        count = words.shape[1]
        plain, gated = self.word(words).index_select(0, cues[:, 0]).chunk(2, dim=2)
        shift, gate = self.cue(_span_means(words, cues)).unsqueeze(1).chunk(2, dim=2)
        at = torch.arange(count).unsqueeze(0)
        before, after = at - cues[:, 1:2], at - cues[:, 2:3] + 1
        distance = torch.where(before < 0, before, after.clamp_min(0)).clamp(-_DISTANCES, _DISTANCES) + _DISTANCES
        state = functional.gelu(self.first(plain + shift + gated * gate + self.distance(distance)))
        return self.tags(_mixed(state, mask[cues[:, 0]], self.mix, self.norms)).float()


class SpeakerHead(nn.Module):
    """Scores who an attribution's speaker may be.  A attributions, C candidates of all of them."""

    def __init__(self, width: int, config: NetworkConfig) -> None:
        super().__init__()
        inner = config.speaker_width
        self.source = nn.Linear(3 * width, 2 * inner)
        self.candidate = nn.Linear(2 * width, 2 * inner)
        self.features = nn.Linear(FEATURES, 2 * inner)
        self.norm = nn.LayerNorm(inner)
        self.dropout = nn.Dropout(3 * config.dropout)
        self.hidden = nn.Linear(inner, inner)
        self.scores = nn.Linear(inner, 1 + len(KINDS))

    def forward(self, sources: Tensor, candidates: Tensor, features: Tensor, owner: Tensor) -> Tensor:
        """Each candidate's score, and the scores of the kinds that it may be of: (C, 6).

        Args:
            sources: States of each attribution's source, its head word and its cue, (A, 3 H).
            candidates: Mean states of the candidate's words here and of its fullest mention, (C, 2 H).
            features: See ``models.clues``, (C, FEATURES).
            owner: The attribution that each candidate is one of, (C,).
        """
        told, gate = self.source(sources).index_select(0, owner).chunk(2, dim=1)
        plain, gated = self.candidate(candidates).chunk(2, dim=1)
        known, opened = self.features(features).chunk(2, dim=1)
        state = self.dropout(functional.gelu(self.norm(told + plain + known + (gate + opened) * gated)))
        state = state + functional.gelu(self.hidden(state))
        return self.scores(self.dropout(state)).float()


def _mixed(state: Tensor, mask: Tensor, mixes: nn.ModuleList, norms: nn.ModuleList) -> Tensor:
    """States, (B, W, I), after convolutions that see one word to either side, then two, four and so on."""
    count, here = state.shape[1], mask.unsqueeze(2).to(state.dtype)
    for layer, (mix, norm) in enumerate(zip(mixes, norms, strict=True)):
        state = state * here
        step = 2**layer
        padded = functional.pad(state, (0, 0, step, step))
        near = torch.cat([padded[:, :count], state, padded[:, 2 * step :]], dim=2)
        state = norm(state + functional.gelu(mix(near)))
    return state


def _span_means(words: Tensor, spans: Tensor) -> Tensor:
    """The mean state, (K, H), of the words of each span (window, first, last exclusive), (K, 3)."""
    at = torch.arange(words.shape[1]).unsqueeze(0)
    inside = ((at >= spans[:, 1:2]) & (at < spans[:, 2:3])).to(words.dtype)
    weights = inside / inside.sum(1, keepdim=True).clamp_min(1.0)
    return torch.bmm(weights.unsqueeze(1), words.index_select(0, spans[:, 0])).squeeze(1)
