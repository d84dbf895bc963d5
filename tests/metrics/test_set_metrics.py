"""Metrics and baselines of sets are what a hand works out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.baselines.sets.baseline import SetBaseline, SetDocuments
from rnncli.evaluation.sets.run import said_by
from rnncli.metrics.sets import PredictedSets, SetMetric, log_probability
from rnncli.registry import BASELINES, METRICS, find


def scores(predicted: PredictedSets) -> dict[str, float]:
    metrics: dict[str, SetMetric] = {name: find(METRICS["sets"], name, "metric") for name in METRICS["sets"]}
    return {name: metric.of(predicted) for name, metric in metrics.items()}


def test_the_probability_of_a_set_is_the_product_over_tokens() -> None:
    p = np.array([[0.01, 0.5, 0.2, 0.9]])
    log_p = log_probability(np.repeat(p, 4, axis=0), np.array([[0, 1, 0, 1], [2, 0, 0, 0], [-1] * 4, [0] * 4], np.int8))
    assert log_p[0] == pytest.approx(math.log(0.99 * 0.5 * 0.8 * 0.9))
    assert log_p[1] == pytest.approx(2 * math.log(0.01) + math.log(0.5 * 0.8 * 0.1))
    assert math.isnan(log_p[2])
    assert np.isfinite(log_probability(np.zeros((1, 2)), np.array([[0, 1]], np.int8)))


def test_scores_are_counted_over_steps_and_tokens() -> None:
    expected = np.array([[0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], np.bool_)
    came = np.array([[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 1]], np.bool_)
    found = scores(PredictedSets(np.log([0.5, 0.25, 0.5]), expected, came))
    assert found["cross_entropy"] == pytest.approx(math.log(16) / 3)
    assert found["accuracy"] == pytest.approx(2 / 6)
    assert found["micro_f1"] == pytest.approx(4 / 8)
    assert found["macro_f1"] == pytest.approx((1 + 0) / 2)
    nothing = np.zeros((1, 2), np.bool_)
    assert math.isnan(scores(PredictedSets(np.zeros(1), nothing, nothing))["accuracy"])


def test_baselines_count() -> None:
    hot = np.array([[0, 1], [0, 1], [0, 0], [0, 1], [-1, -1], [0, 0]], np.int8)
    documents = SetDocuments(hot, np.array([0, 3, 6]))
    every: dict[str, SetBaseline] = {name: find(BASELINES["sets"], name, "baseline") for name in BASELINES["sets"]}
    assert [baseline.name for baseline in every.values()] == list(every)
    rows = np.arange(6)
    frequent = every["frequencies"].learn(documents).probabilities(documents, rows)
    assert frequent[0] == pytest.approx([1 / 7, 3.5 / 6])
    stays = every["persistence"].learn(documents).probabilities(documents, rows)
    f = 3.5 / 6
    first, after_on, missing = (2 + 2 * f) / 4, (1 + 2 * f) / 4, f
    assert stays[:, 1] == pytest.approx([first, after_on, after_on, first, after_on, missing])
    said = said_by(every["persistence"].learn(documents), documents)
    assert math.isnan(said.log_probabilities[4])
    assert said.expected[0].tolist() == [False, True]
