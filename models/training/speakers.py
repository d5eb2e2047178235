"""Teaching who is speaking: attributions whose speaker is known, their candidates, and the speaker head's loss.

The candidates come from the names that the network itself finds, as they will when it serves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.casting import Casting
from models.clues import Cited
from models.encoding import EncodedText, Encoder
from models.given_names import GivenNames
from models.network import KINDS, Network
from models.reader import CONTEXT, CORE, Seen, scan
from models.speaker_scoring import people_of, speaker_right
from models.speakers import casting_of, head_inputs
from models.training.averaging import copied, draw
from models.training.corpora import Example, Pronoun
from models.training.samples import Cast, Sought, words_of

_AT_ONCE: Final = 32  # texts that are scanned together
_TOGETHER: Final = 48  # attributions a step of the head alone
_KIND_WEIGHT: Final = 0.5
_AVERAGING: Final = 0.99  # decay of the moving average of the head's weights, which is what is kept


def cast(network: Network, encoder: Encoder, examples: Sequence[Example]) -> list[Cast]:
    """What is to be learnt of the speakers of examples; nothing where nobody marked any.

    Each attribution's candidates are gathered after those before it were decided rightly.
    """
    out = []
    given = GivenNames(network.given_names.numpy())
    for at in range(0, len(examples), _AT_ONCE):
        part = examples[at : at + _AT_ONCE]
        texts = [encoder.encode(example.text) for example in part]
        # No cue is as likely as this: only names and states are wanted.
        seen = scan(network, encoder, texts, part[0].habit, threshold=2.0, core=CORE, context=CONTEXT, whole=True)
        out += [_cast(*one, given) for one in zip(part, texts, seen, strict=True)]
    return out


def _cast(example: Example, text: EncodedText, seen: Seen, given: GivenNames) -> Cast:
    casting = casting_of(example.text, text, seen.names, example.habit, given)
    if example.pronoun:
        return Cast(seen.states, tuple(_of_pronoun(example.pronoun, text, casting)))
    return Cast(seen.states, tuple(_of_attributions(example, text, casting)))


def _of_attributions(example: Example, text: EncodedText, casting: Casting) -> list[Sought]:
    if not example.tells_speakers:
        return []
    people = people_of(example.gold)
    cited = []
    for one, marked in zip(example.gold, example.attributions or (), strict=True):
        source, cue, content = (words_of(text, marked.roles[role]) for role in ("source", "cue", "content"))
        place = max(cue, key=lambda piece: piece[1] - piece[0]) if cue else next(iter([*content, *source]), None)
        if place is not None:
            cited.append((Cited(tuple(source), place if cue else (place[0], place[0] + 1)), one))
    out = []
    for where, one in sorted(cited, key=lambda item: item[0].cue):
        candidates = casting.candidates(where)
        right = [speaker_right(one["speaker"], one["kind"], c.name, people) for c in candidates]
        named = [r and speaker_right(one["speaker"], None, c.name, ()) for r, c in zip(right, candidates, strict=True)]
        right = named if any(named) else right
        if any(right) and not one.get("doubtful"):
            kind = KINDS.index(one["kind"]) if one["kind"] else -1
            out.append(Sought(where, casting.clues.head(where), candidates, np.array(right), kind))
        casting.decide(where, one["speaker"], next((c for c, r in zip(candidates, right, strict=True) if r), None))
    return out


def _of_pronoun(pronoun: Pronoun, text: EncodedText, casting: Casting) -> list[Sought]:
    """A pronoun as a source, with the word behind it as the cue."""
    place = words_of(text, [pronoun.span])[0]
    named = words_of(text, pronoun.names)
    where = Cited((place,), (min(place[1], len(text) - 1), min(place[1] + 1, len(text))))
    candidates = casting.candidates(where)
    right = [
        c.entity is not None
        and any(
            casting.mentions[n].first < last and first < casting.mentions[n].last
            for n in casting.entities[c.entity].mentions
            for first, last in named
        )
        for c in candidates
    ]
    sought = Sought(where, casting.clues.head(where), candidates, np.array(right), KINDS.index("person"))
    return [sought] if any(right) else []


def fit_speakers(
    network: Network, casts: Sequence[Cast], *, epochs: int, rate: float, seed: int, show: Callable[[str], None]
) -> None:
    """Train the speaker head alone; the rest of the network stays as it is."""
    torch.manual_seed(seed)
    head = network.speaker.train()
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.05)
    rng, step = Random(seed), 0
    found = [_inputs(one.states, each) for one in casts for each in one.sought]
    together = min(_TOGETHER, len(found))
    steps = epochs * (len(found) // together)
    averaged = copied(head)
    for epoch in range(epochs):
        rng.shuffle(found)
        total = 0.0
        for at in range(0, len(found) - together + 1, together):
            optimizer.param_groups[0]["lr"] = rate * min((step + 1) / 50, 1.0) * (1 - step / steps)
            loss = _loss(network, found[at : at + together]) / together
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += float(loss.detach())
            step += 1
            draw(averaged, head, step, _AVERAGING)
        show(f"epoch {epoch + 1}  loss {total / max(len(found) // together, 1):.4f}")
    head.load_state_dict(averaged)
    head.eval()


@torch.inference_mode()
def speaker_choices(network: Network, casts: Sequence[Cast]) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """The candidates' scores, and which are right, (C,) both, for each attribution whose speaker is known."""
    out = []
    for known in casts:
        states = torch.from_numpy(known.states)
        for one in known.sought:
            inputs = head_inputs(states, one.cited, one.about, one.candidates)
            scores = network.speaker(*inputs, torch.zeros(len(one.right), dtype=torch.long))[:, 0]
            out.append((scores.double().numpy(), one.right))
    return out


def speaker_accuracy(network: Network, casts: Sequence[Cast]) -> float:
    """The share of attributions whose likeliest candidate is right, of those that have a right one."""
    good = [bool(right[scores.argmax()]) for scores, right in speaker_choices(network, casts)]
    return sum(good) / max(len(good), 1)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What the speaker head takes for one attribution, and what it should answer; see ``SpeakerHead``."""

    source: Tensor
    candidates: Tensor
    features: Tensor
    right: NDArray[np.bool_]
    kind: int


def _inputs(states: NDArray[np.float16], one: Sought) -> _Inputs:
    source, candidates, features = head_inputs(torch.from_numpy(states).float(), one.cited, one.about, one.candidates)
    return _Inputs(source.half(), candidates.half(), features, one.right, one.kind)


def _loss(network: Network, items: Sequence[_Inputs]) -> Tensor:
    count = len(items)
    owner = torch.repeat_interleave(torch.arange(count), torch.tensor([len(one.right) for one in items]))
    right = torch.from_numpy(np.concatenate([one.right for one in items]))
    out = network.speaker(
        torch.cat([one.source for one in items]).float(),
        torch.cat([one.candidates for one in items]).float(),
        torch.cat([one.features for one in items]),
        owner,
    )
    return choice_loss(out, owner, right, torch.tensor([one.kind for one in items]))


def choice_loss(out: Tensor, owner: Tensor, right: Tensor, kinds: Tensor) -> Tensor:
    """The summed loss of A attributions with C candidates.

    Args:
        out: What the speaker head gives, (C, 6).
        owner: The attribution that each candidate is one of, (C,).
        right: Which candidates are right, (C,) bool; at least one of each attribution's.
        kinds: The kind of each attribution's speaker, (A,); -1 where nobody marked one.
    """
    count, scores = len(kinds), out[:, 0]
    loss = _log_sums(scores, owner, count) - _log_sums(scores.masked_fill(~right, -1e4), owner, count)
    of_kind = kinds[owner]
    known = right & (of_kind >= 0)
    weight = 1 / torch.zeros(count).index_add(0, owner, right.float())[owner]
    kind_loss = functional.cross_entropy(out[known, 1:], of_kind[known], reduction="none") * weight[known]
    return loss.sum() + _KIND_WEIGHT * kind_loss.sum()


def _log_sums(scores: Tensor, owner: Tensor, count: int) -> Tensor:
    top = torch.full((count,), -1e9).scatter_reduce(0, owner, scores.detach(), "amax")
    return top + torch.zeros(count).index_add(0, owner, (scores - top[owner]).exp()).clamp_min(1e-20).log()
