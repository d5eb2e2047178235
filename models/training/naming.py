"""Fit what names and speakers have for themselves, the upper layers and both heads; the rest of the network stays.

Whole articles are read, as when it serves: a name's other places and a candidate that stands far off are as the layers
see them now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from models.encoding import EncodedText, Encoder, batched, windows
from models.network import NamedWords, Network, SpeakerHead, beside
from models.reader import CONTEXT, CORE
from models.same_embedding import has_bfloat16
from models.training.augmentation import rename_people, restyle_quotations, without_address
from models.training.averaging import copied, draw
from models.training.corpora import Example
from models.training.samples import Cast, Sought, label, mask_pieces, name_tags
from models.training.speakers import choice_loss

_CHARACTERS: Final = 16_000  # of articles in a step
_TOGETHER: Final = 8  # windows
_WORDS: Final = 3000  # whose names are tagged at once, padding counted
_AVERAGING: Final = 0.995  # decay of the moving average of the weights, which is what is kept
_WARMUP: Final = 0.05  # share of the training over which the rates rise
_CHANGED: Final = 0.3  # share of the articles with names that are changed, so that nobody knows their speakers
_RENAMED, _RESTYLED, _WITHOUT_ADDRESS = 0.5, 0.3, 0.8  # shares of those that are changed so
_SHIFTED: Final = 0.7  # share of the steps whose windows are cut at other places than when it serves
_WORD_DROPOUT: Final = 0.05
_NAME_WEIGHT: Final = 0.3
_PER_STEP: Final = 48  # what the summed losses are divided by


@dataclass(frozen=True, slots=True)
class NamingPlan:
    """How to train; the rates are those at their height."""

    epochs: int = 4
    rate: float = 1e-4
    """Of the layers."""
    names_rate: float = 3e-4
    speakers_rate: float = 1.5e-3
    seed: int = 1


def fit_naming(
    network: Network,
    encoder: Encoder,
    told: Sequence[tuple[Example, Cast]],
    named: Sequence[Example],
    people: Sequence[tuple[str, ...]],
    plan: NamingPlan,
    show: Callable[[str], None],
) -> None:
    """Train the layers and the names head from what they are, and a new speaker head.

    Args:
        network: The network.
        encoder: Its encoder.
        told: Texts whose speakers are known; names that they tell are learnt, too.
        named: Texts whose names are known.
        people: Names to put in the place of others.
        plan: How.
        show: Told how it goes.
    """
    torch.manual_seed(plan.seed)
    network.speaker = SpeakerHead(network.encoder.config.hidden_size, network.config)
    heads = nn.ModuleDict({"names": network.names, "name_crf": network.name_crf})
    fitted = nn.ModuleDict({"naming": network.naming, "speaker": network.speaker, **heads})
    network.requires_grad_(False)
    fitted.requires_grad_(True)
    optimizer = torch.optim.AdamW(
        [
            {"params": list(network.naming.parameters()), "peak": plan.rate, "weight_decay": 0.01},
            {"params": list(heads.parameters()), "peak": plan.names_rate, "weight_decay": 0.01},
            {"params": list(network.speaker.parameters()), "peak": plan.speakers_rate, "weight_decay": 0.05},
        ],
        lr=plan.rate,
    )
    lessons = [_Lesson(one, encoder.encode(one.text), _Asked.of(known.sought)) for one, known in told]
    lessons += [_Lesson(one, encoder.encode(one.text), None) for one in named]
    lessons = [one for one in lessons if one.asked or one.example.names]
    averaged, step = copied(fitted), 0
    network.eval()
    fitted.train()
    for epoch in range(plan.epochs):
        rng = Random(f"{plan.seed} {epoch}")
        groups = _grouped(rng.sample(lessons, len(lessons)))
        totals = np.zeros(4)
        for number, group in enumerate(groups):
            done = (epoch + number / len(groups)) / plan.epochs
            for rates in optimizer.param_groups:
                rates["lr"] = rates["peak"] * min(max(done, 1e-3) / _WARMUP, (1 - done) / (1 - _WARMUP))
            changed = [_changed(one, encoder, people, rng) for one in group]
            loss, counts = _loss(network, encoder, changed, rng)
            loss.backward()
            nn.utils.clip_grad_norm_(fitted.parameters(), 5.0)
            optimizer.step()
            optimizer.zero_grad()
            totals, step = totals + counts, step + 1
            draw(averaged, fitted, step, _AVERAGING)
            if (number + 1) % 50 == 0 or number + 1 == len(groups):
                of_speakers, asked, of_names, words = totals.tolist()
                show(
                    f"epoch {epoch + (number + 1) / len(groups):.2f}  a speaker {of_speakers / max(asked, 1):.4f}"
                    f"  a word's name {of_names / max(words, 1):.4f}"
                )
    fitted.load_state_dict(averaged)
    network.requires_grad_(True).eval()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A text's attributions whose speakers are known, as the speaker head takes them; A of them, C candidates."""

    places: list[tuple[tuple[int, int], ...]]
    """All ranges of words whose mean states are wanted."""
    sources: Tensor
    """The numbers of the places of the source, its head word and its cue, (A, 3)."""
    candidates: Tensor
    """Of the candidate's words here and its fullest mention, (C, 2)."""
    features: Tensor
    owner: Tensor
    right: Tensor
    kinds: Tensor
    """(A,), -1 where nobody marked one."""

    @classmethod
    def of(cls, sought: Sequence[Sought]) -> _Asked | None:
        """None for none."""
        if not sought:
            return None
        numbers: dict[tuple[tuple[int, int], ...], int] = {}

        def number(*pieces: tuple[int, int] | None) -> int:
            return numbers.setdefault(tuple(one for one in pieces if one), len(numbers))

        every = [one for each in sought for one in each.candidates]
        sources = [
            (
                number(*one.cited.source),
                number(None if one.about is None else (one.about, one.about + 1)),
                number(one.cited.cue),
            )
            for one in sought
        ]
        candidates = [(number(one.words), number(one.fullest)) for one in every]
        sizes = torch.tensor([len(one.candidates) for one in sought])
        return cls(
            list(numbers),
            torch.tensor(sources),
            torch.tensor(candidates),
            torch.from_numpy(np.array([one.features for one in every], dtype=np.float16)),
            torch.repeat_interleave(torch.arange(len(sought)), sizes),
            torch.from_numpy(np.concatenate([one.right for one in sought])),
            torch.tensor([one.kind for one in sought]),
        )

    def means(self, states: Tensor) -> Tensor:
        """The mean states of all places, (places, H), from the words' states, (W, H)."""
        weights = torch.zeros(len(self.places), len(states))
        for row, pieces in enumerate(self.places):
            for first, last in pieces:
                weights[row, first:last] = 1 / sum(b - a for a, b in pieces)
        return weights @ states


@dataclass(frozen=True, slots=True)
class _Lesson:
    example: Example
    text: EncodedText
    asked: _Asked | None


def _grouped(lessons: Sequence[_Lesson]) -> list[list[_Lesson]]:
    """Lessons a step."""
    out: list[list[_Lesson]] = [[]]
    size = 0
    for one in lessons:
        if size > _CHARACTERS:
            out.append([])
            size = 0
        out[-1].append(one)
        size += len(one.example.text)
    return out


def _changed(lesson: _Lesson, encoder: Encoder, people: Sequence[tuple[str, ...]], rng: Random) -> _Lesson:
    """The lesson, at times with other names, other quotation marks or no address; then it is one of names alone."""
    example = lesson.example
    if not example.names or (lesson.asked and rng.random() >= _CHANGED):
        return lesson
    if rng.random() < _RENAMED:
        example = rename_people(example, rng, people)
    if rng.random() < _RESTYLED:
        example = restyle_quotations(example, rng)
    if rng.random() < _WITHOUT_ADDRESS:
        example = without_address(example)
    return lesson if example is lesson.example else _Lesson(example, encoder.encode(example.text), None)


def _loss(
    network: Network, encoder: Encoder, lessons: Sequence[_Lesson], rng: Random
) -> tuple[Tensor, tuple[float, int, float, int]]:
    """The loss of some lessons, and what it is made of: of speakers, their number, of names, the number of words."""
    of_speakers = of_names = torch.zeros(())
    asked = words = 0
    blocks: list[tuple[Tensor, ...]] = []
    for one, states in zip(lessons, _states(network, encoder, lessons, rng), strict=True):
        if one.asked:
            of_speakers = of_speakers + _speaker_loss(network, one.asked, states)
            asked += len(one.asked.kinds)
        if one.example.names:
            known = NamedWords(states, one.text.letters)
            tags = name_tags(label(one.example, one.text).names or (), 0, len(one.text))
            blocks += [(*known.of(*block), tags[block.start : block.end]) for block in one.text.blocks]
            words += len(one.text)
    for batch in batched(blocks, _WORDS, lambda block: len(block[0])):
        of_names = of_names + _name_loss(network, batch)
    loss = (of_speakers + _NAME_WEIGHT * of_names) / _PER_STEP
    return loss, (float(of_speakers.detach()), asked, float(of_names.detach()), words)


def _states(network: Network, encoder: Encoder, lessons: Sequence[_Lesson], rng: Random) -> list[Tensor]:
    """The states of whole texts' words, (W, H) each."""
    shifted = rng.random() < _SHIFTED
    todo = []
    for number, one in enumerate(lessons):
        first = rng.randint(CORE // 4, CORE) if shifted else None
        cut = windows(one.text, core=CORE, context=CONTEXT, first_core=first)
        todo += [(number, one, window) for window in cut]
    todo.sort(key=lambda item: item[1].text.starts[item[2].last] - item[1].text.starts[item[2].first])
    parts: list[list[tuple[int, Tensor]]] = [[] for _ in lessons]
    for at in range(0, len(todo), _TOGETHER):
        some = todo[at : at + _TOGETHER]
        batch = encoder.collate([(one.text, window, one.example.habit) for _, one, window in some])
        mask_pieces(batch, encoder, _WORD_DROPOUT)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16()):
            words = network.naming_words(batch, network.words(batch)[1])
        for row, (number, _, window) in enumerate(some):
            own = words[row, window.core.start - window.first : window.core.end - window.first]
            parts[number].append((window.first, own))
    return [torch.cat([own for _, own in sorted(each, key=lambda part: part[0])]) for each in parts]


def _speaker_loss(network: Network, asked: _Asked, states: Tensor) -> Tensor:
    means = asked.means(functional.dropout(states, network.config.dropout))
    inputs = means[asked.sources].flatten(1), means[asked.candidates].flatten(1), asked.features.float()
    return choice_loss(network.speaker(*inputs, asked.owner), asked.owner, asked.right, asked.kinds)


def _name_loss(network: Network, blocks: Sequence[tuple[Tensor, ...]]) -> Tensor:
    """Of paragraphs: what ``NamedWords.of`` tells of them, and the name tags that are right there, (n, L) bool."""
    words, mask, letters, others = beside([(block[0], block[1], block[2]) for block in blocks])
    words, others = (functional.dropout(one, network.config.dropout) for one in (words, others))
    allowed = pad_sequence([block[3] for block in blocks], batch_first=True)
    allowed[..., 0] |= ~mask
    return network.name_crf.loss(network.names(words, mask, letters, others), mask, allowed).sum()
