"""What the network's heads are given."""

from __future__ import annotations

import math

import pytest
import torch

from models.encoding import Encoder, begins_large
from models.network import NamedWords, beside
from models.reader import WEIGHTS, load_tokenizer


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(load_tokenizer(WEIGHTS))


def test_large_letters_are_told_from_small_ones(encoder: Encoder) -> None:
    text = "So it is, Élodie: 3 iPhones for Zed, “so” they say"
    encoded = encoder.encode(text)
    large = [encoded.spans[at].of(text) for at in begins_large(encoded.letters).nonzero()[0]]
    assert large == ["So", "Élodie", "Zed", "“", "”"]  # beyond ASCII nothing is told apart


def test_a_word_is_told_of_its_other_places(encoder: Encoder) -> None:
    text = encoder.encode("So came. Then So and Duarte went, so they say: So")
    words = [text.letters[number].tobytes() for number in range(len(text))]
    so = [number for number, one in enumerate(words) if one == words[0]]
    assert len(so) == 3
    states = torch.randn(len(text), 4)
    mine, letters, others = NamedWords(states, text.letters).of(0, len(text))
    assert torch.equal(mine, states)
    assert letters.shape == text.letters.shape
    for number in range(len(text)):
        if number in so:
            elsewhere = [other for other in so if other != number]
            assert torch.allclose(others[number, :4], states[elsewhere].mean(0), atol=1e-5)
            assert others[number, 4].item() == pytest.approx(math.log(3))
        else:
            assert not others[number].any()
    part = NamedWords(states, text.letters).of(3, 6)
    assert torch.equal(part[2], others[3:6])


def test_ranges_stand_beside_each_other(encoder: Encoder) -> None:
    text = encoder.encode("So came. So went.")
    known = NamedWords(torch.randn(len(text), 4), text.letters)
    words, mask, letters, others = beside([known.of(0, 3), known.of(3, 4)])
    assert mask.tolist() == [[True] * 3, [True, False, False]]
    assert words.shape == (2, 3, 4)
    assert others.shape == (2, 3, 5)
    assert letters.shape == (2, 3, text.letters.shape[1])
