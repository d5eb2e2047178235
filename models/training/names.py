"""Fit the names head to a network whose other parts stay as they are.

In windows, as the whole network is trained, the head hardly meets a word's other places; here it sees whole articles,
as when it serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from models.encoding import Encoder, batched
from models.network import NamedWords, Network, beside
from models.reader import CONTEXT, CORE, scan
from models.training.augmentation import rename_people, restyle_quotations
from models.training.averaging import copied, draw
from models.training.corpora import Example
from models.training.samples import label, name_tags

_AT_ONCE: Final = 48  # articles that are scanned together
_MIXED: Final = 4  # so many times as many are mixed before they are learnt from
_WORDS: Final = 1500  # a step, padding counted
_AVERAGING: Final = 0.998  # decay of the moving average of the weights, which is what is kept
_RENAMED, _RESTYLED = 0.5, 0.3  # shares of the articles that are changed so, but in the first epoch

Block = tuple[Tensor, Tensor, Tensor, Tensor]
"""What ``NamedWords.of`` tells of a paragraph, and the name tags that are right there, (n, L) bool."""


def fit_names(
    network: Network,
    encoder: Encoder,
    examples: Sequence[Example],
    people: Sequence[tuple[str, ...]],
    *,
    epochs: int,
    rate: float,
    seed: int,
    show: Callable[[str], None],
) -> None:
    """Train the names head, from what it is.

    Args:
        network: The network.
        encoder: Its encoder.
        examples: Articles and other texts whose names are marked.
        people: Names to put in the place of others.
        epochs: How often all of them are seen.
        rate: The learning rate; it falls linearly to 0.
        seed: Of all that is random.
        show: Told how it goes.
    """
    torch.manual_seed(seed)
    head = nn.ModuleList([network.names, network.name_crf])
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.01)
    averaged, step = copied(head), 0
    for epoch in range(epochs):
        rng, total, steps = Random(f"{seed} {epoch}"), 0.0, 0
        order = rng.sample(examples, len(examples))
        for at in range(0, len(order), _AT_ONCE * _MIXED):
            part = [_changed(one, people, rng) if epoch else one for one in order[at : at + _AT_ONCE * _MIXED]]
            blocks = [
                block for n in range(0, len(part), _AT_ONCE) for block in _blocks(network, encoder, part[n:][:_AT_ONCE])
            ]
            done = (epoch + at / len(order)) / epochs
            optimizer.param_groups[0]["lr"] = rate * (1 - done)
            batches = batched(blocks, _WORDS, lambda block: len(block[0]))
            rng.shuffle(batches)
            network.names.train()
            for batch in batches:
                loss = _loss(network, batch) / len(batch)
                loss.backward()
                nn.utils.clip_grad_norm_(head.parameters(), 5.0)
                optimizer.step()
                optimizer.zero_grad()
                total, steps, step = total + float(loss.detach()), steps + 1, step + 1
                draw(averaged, head, step, _AVERAGING)
            show(f"epoch {epoch + (at + len(part)) / len(order):.2f}  loss {total / steps:.4f}")
    head.load_state_dict(averaged)
    head.eval()


def _changed(example: Example, people: Sequence[tuple[str, ...]], rng: Random) -> Example:
    if rng.random() < _RENAMED:
        example = rename_people(example, rng, people)
    return restyle_quotations(example, rng) if rng.random() < _RESTYLED else example


def _blocks(network: Network, encoder: Encoder, examples: Sequence[Example]) -> Iterator[Block]:
    """The paragraphs of examples, as the network sees them now."""
    texts = [encoder.encode(example.text) for example in examples]
    seen = scan(
        network.eval(), encoder, texts, examples[0].habit, threshold=2.0, core=CORE, context=CONTEXT, whole=True
    )
    for example, text, one in zip(examples, texts, seen, strict=True):
        words = NamedWords(torch.from_numpy(one.states), text.letters)
        tags = name_tags(label(example, text).names or (), 0, len(text))
        for block in text.blocks:
            yield *words.of(*block), tags[block.start : block.end]


def _loss(network: Network, batch: Sequence[Block]) -> Tensor:
    words, mask, letters, others = beside([block[:3] for block in batch])
    dropout = network.config.dropout
    words, others = (functional.dropout(one, dropout) for one in (words, others))
    allowed = pad_sequence([tags for *_, tags in batch], batch_first=True)
    allowed[..., 0] |= ~mask
    return network.name_crf.loss(network.names(words, mask, letters, others), mask, allowed).sum()
