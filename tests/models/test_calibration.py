"""Probabilities are fitted to what came of them, and measured where they were not fitted."""

from __future__ import annotations

import numpy as np
import pytest

from models.reader import tempered
from models.training.calibration import (
    best_options,
    calibrate,
    calibration_error,
    confidences,
    crossed,
    option,
    reliability,
    temperature,
)


def test_the_error_is_the_mean_distance_of_saying_and_being() -> None:
    said, right = np.array([0.95, 0.95, 0.25, 0.25]), np.array([True, False, False, False])
    assert reliability(said, right) == [(0.25, 0.0, 2), (pytest.approx(0.95), 0.5, 2)]
    assert calibration_error(said, right) == pytest.approx((0.45 + 0.25) / 2)
    assert calibration_error(np.array([1.0]), np.array([True])) == 0
    assert calibration_error(np.array([]), np.array([], dtype=bool)) == 0


def test_fitted_confidence_means_what_it_says() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 2))
    right = rng.random(4000) < 1 / (1 + np.exp(-(1.5 * features[:, 0] - 0.5 * features[:, 1] + 0.3)))
    weights = calibrate(features[:2000], right[:2000])
    assert weights == pytest.approx([1.5, -0.5, 0.3], abs=0.25)
    assert calibration_error(confidences(features[2000:], weights), right[2000:]) < 0.05


def test_a_temperature_undoes_exaggeration() -> None:
    rng = np.random.default_rng(1)
    choices = []
    for _ in range(3000):
        scores = rng.normal(size=4)
        chosen = rng.choice(4, p=np.exp(scores) / np.exp(scores).sum())
        choices.append((3 * scores, np.arange(4) == chosen))
    heat = temperature(choices)
    assert heat == pytest.approx(3, rel=0.15)
    assert calibration_error(*best_options(choices, heat)) < 0.05 < calibration_error(*best_options(choices, 1.0))
    assert calibration_error(*option(choices, heat, 2)) < 0.05


def test_each_half_is_measured_by_the_other() -> None:
    said, right = crossed([0.2, 0.8], lambda one, other: (np.array([one]), np.array([other > 0.5])))
    assert (said.tolist(), right.tolist()) == ([0.2, 0.8], [True, False])


def test_tempering_keeps_the_order_and_sums_to_one() -> None:
    cooler, same = tempered((0.7, 0.2, 0.1, 0.0), 2.0), tempered((0.7, 0.2, 0.1, 0.0), 1.0)
    assert same == pytest.approx((0.7, 0.2, 0.1, 0.0), abs=1e-4)
    assert sum(cooler) == pytest.approx(1, abs=1e-3)
    assert cooler[0] < 0.7
    assert list(cooler) == sorted(cooler, reverse=True)
