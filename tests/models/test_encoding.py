"""Texts become words, pieces and windows, and nothing of the text is lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from models.encoding import QUOTE_CLOSES, QUOTE_OPENS, QUOTED_DOUBLE, Encoder, windows
from models.reader import WEIGHTS, load_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return load_tokenizer(WEIGHTS)


@pytest.fixture(scope="module")
def encoder(tokenizer: PreTrainedTokenizerFast) -> Encoder:
    return Encoder(tokenizer)


def test_each_word_has_its_pieces_and_features(encoder: Encoder) -> None:
    text = "“Go home,” said AMARA 7 McLuhan.\nUnquestionably."
    found = encoder.encode(text)
    words = [span.of(text) for span in found.spans]
    features = dict(zip(words, found.features.tolist(), strict=True))
    assert features["“"][1] == QUOTED_DOUBLE | QUOTE_OPENS
    assert features["”"][1] == QUOTED_DOUBLE | QUOTE_CLOSES
    assert features["home"] == [0, QUOTED_DOUBLE, 2]
    assert [features[word][0] for word in ("said", "Go", "AMARA", "McLuhan", "7", ".")] == [0, 1, 2, 3, 4, 5]
    assert [features[word][2] for word in ("“", "Unquestionably")] == [3, 3]
    assert found.breaks.tolist() == [0, words.index("Unquestionably")]
    assert found.starts[-1] == len(found.pieces) >= len(words)


@given(
    st.text(st.sampled_from(list("ab.“” \n😀")), max_size=400),
    st.integers(4, 40),
    st.integers(0, 12),
    st.integers(1, 40),
)
@settings(max_examples=150, deadline=None)
def test_windows_cover_every_word_once(encoder: Encoder, text: str, core: int, context: int, first_core: int) -> None:
    found = encoder.encode(text)
    at = 0
    for window in windows(found, core=core, context=context, first_core=first_core):
        assert window.first <= window.core.start < window.core.end <= window.last
        assert window.core.start == at
        size = int(found.starts[window.last] - found.starts[window.first])
        assert size <= max(core, first_core) + 2 * context + 2 or window.core.end - window.core.start == 1
        at = window.core.end
    assert at == len(found)


def test_a_batch_pads_to_the_longest(encoder: Encoder) -> None:
    texts = [encoder.encode(text) for text in ("Rain.", "“Go home now,” said Amara.")]
    batch = encoder.collate([(text, next(windows(text, core=100, context=0)), "world") for text in texts])
    assert batch.word_mask.sum(1).tolist() == [2, 9]
    assert batch.piece_mask.sum(1).tolist() == [len(text.pieces) + 2 for text in texts]
    assert (batch.piece_word[0] == batch.word_mask.shape[1]).sum() == batch.pieces.shape[1] - len(texts[0].pieces)


def test_noise_without_spaces_stays_cheap(encoder: Encoder) -> None:
    assert len(encoder.encode("x" * 1_000_000).pieces) < 100
