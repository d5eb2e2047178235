"""The CRF against counting all tag sequences by hand."""

from itertools import pairwise, product

import pytest
import torch

from models.crf import CRF, spans_of, tag_count, tag_spans


def _score(crf: CRF, emissions: torch.Tensor, tags: tuple[int, ...]) -> float:
    transitions, begin, end = crf.scores()
    total = begin[tags[0]] + end[tags[-1]] + sum(emissions[at, tag] for at, tag in enumerate(tags))
    return float((total + sum(transitions[a, b] for a, b in pairwise(tags))).detach())


@pytest.fixture
def crf() -> CRF:
    torch.manual_seed(3)
    crf = CRF(2)
    for weight in (crf.transitions, crf.begin, crf.end):
        torch.nn.init.normal_(weight)
    return crf


def test_log_partition_sums_all_sequences(crf: CRF) -> None:
    emissions = torch.randn(1, 4, tag_count(2))
    scores = [_score(crf, emissions[0], tags) for tags in product(range(9), repeat=4)]
    mask = torch.ones(1, 4, dtype=torch.bool)
    assert crf.log_partition(emissions, mask).item() == pytest.approx(
        torch.tensor(scores).logsumexp(0).item(), abs=1e-3
    )


def test_best_is_the_highest_sequence_and_its_probability(crf: CRF) -> None:
    emissions = torch.randn(1, 4, tag_count(2))
    scores = {tags: _score(crf, emissions[0], tags) for tags in product(range(9), repeat=4)}
    top = max(scores, key=lambda tags: scores[tags])
    paths, log_p = crf.best(emissions, torch.ones(1, 4, dtype=torch.bool))
    assert tuple(paths[0]) == top
    expected = scores[top] - torch.tensor(list(scores.values())).logsumexp(0).item()
    assert log_p.item() == pytest.approx(expected, abs=1e-3)


def test_padding_changes_nothing(crf: CRF) -> None:
    emissions = torch.randn(2, 7, tag_count(2))
    mask = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    alone = crf.log_partition(emissions[1:, :4], mask[1:, :4])
    assert crf.log_partition(emissions, mask)[1].item() == pytest.approx(alone.item(), abs=1e-4)
    assert crf.best(emissions, mask)[0][1] == crf.best(emissions[1:, :4], mask[1:, :4])[0][0]


def test_gold_loss_is_loss_with_one_allowed_tag(crf: CRF) -> None:
    tags = torch.tensor([tag_spans([(0, 1, 3), (1, 4, 5)], 6)])
    emissions, mask = torch.randn(1, 6, 9), torch.ones(1, 6, dtype=torch.bool)
    allowed = torch.nn.functional.one_hot(tags, 9).bool()
    assert crf.gold_loss(emissions, mask, tags).item() == pytest.approx(
        crf.loss(emissions, mask, allowed).item(), abs=1e-3
    )


def test_nothing_is_learned_from_words_where_every_tag_is_allowed(crf: CRF) -> None:
    emissions = torch.randn(1, 5, 9, requires_grad=True)
    allowed = torch.ones(1, 5, 9, dtype=torch.bool)
    loss = crf.loss(emissions, torch.ones(1, 5, dtype=torch.bool), allowed).sum()
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-4)
    assert emissions.grad is not None
    assert emissions.grad.abs().max().item() < 1e-4


def test_forward_backward_marginals_sum_to_one(crf: CRF) -> None:
    emissions = torch.randn(2, 6, 9)
    mask = torch.tensor([[True] * 6, [True] * 3 + [False] * 3])
    log_z, forward, backward = crf.forward_backward(emissions, mask)
    marginals = (forward + backward - log_z[:, None, None]).exp().sum(2)
    assert torch.allclose(marginals[mask], torch.ones(9), atol=1e-3)


def test_tags_round_trip() -> None:
    spans = [(0, 0, 1), (1, 1, 4), (0, 4, 6)]
    assert spans_of(tag_spans(spans, 7)) == spans


def test_of_overlapping_spans_the_first_wins_and_spans_are_clipped() -> None:
    assert spans_of(tag_spans([(0, -3, 2), (1, 1, 4), (1, 4, 99)], 6)) == [(0, 0, 2), (1, 4, 6)]


def test_scores_far_apart_do_not_break_the_sum(crf: CRF) -> None:
    emissions = torch.zeros(1, 30, 9, requires_grad=True)
    with torch.no_grad():
        emissions[..., 0] = 500
    loss = crf.log_partition(emissions, torch.ones(1, 30, dtype=torch.bool)).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert emissions.grad is not None
    assert torch.isfinite(emissions.grad).all()
