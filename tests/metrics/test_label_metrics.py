"""Metrics of class labels: examples worked by hand, scikit-learn's documented ones, and laws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.metrics import labels as metrics
from rnncli.registry import METRICS, find

EVERY = [
    metrics.accuracy,
    metrics.balanced_accuracy,
    metrics.macro_f1,
    metrics.auc,
    metrics.log_loss,
    metrics.calibration_error,
]


def sure(codes: list[int], classes: int) -> np.ndarray:
    """Probabilities that say these classes."""
    return np.eye(classes)[codes] * 0.7 + 0.3 / classes


def some(seed: int = 0, n: int = 60, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, n), rng.dirichlet(np.ones(classes), n)


# Examples

WORKED = np.array([0, 0, 1, 1, 2]), sure([0, 1, 1, 1, 0], 4)  # a fourth class is neither given nor said


def test_the_confusion_matrix_has_true_classes_down_and_said_ones_across() -> None:
    expected = [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(metrics.confusion_matrix(*WORKED), expected)


def test_rates_of_a_class_that_does_not_occur_are_undefined() -> None:
    found = metrics.class_rates(metrics.confusion_matrix(*WORKED))
    np.testing.assert_allclose(found.precision, [1 / 2, 2 / 3, np.nan, np.nan])
    np.testing.assert_allclose(found.recall, [1 / 2, 1, 0, np.nan])
    np.testing.assert_allclose(found.f1, [1 / 2, 4 / 5, 0, np.nan])
    np.testing.assert_array_equal(found.count, [2, 2, 1, 0])


def test_a_class_that_does_not_occur_counts_nowhere() -> None:
    assert metrics.accuracy(*WORKED) == pytest.approx(3 / 5)
    assert metrics.balanced_accuracy(*WORKED) == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert metrics.macro_f1(*WORKED) == pytest.approx((1 / 2 + 4 / 5 + 0) / 3)


def test_a_class_that_is_only_said_counts_in_f1_alone() -> None:
    labels, probabilities = np.array([0, 0, 0, 1]), sure([0, 0, 2, 1], 3)
    assert metrics.balanced_accuracy(labels, probabilities) == pytest.approx((2 / 3 + 1) / 2)
    assert metrics.macro_f1(labels, probabilities) == pytest.approx((4 / 5 + 1 + 0) / 3)


def test_scikit_learns_documented_examples() -> None:
    assert metrics.balanced_accuracy(np.array([0, 1, 0, 0, 1, 0]), sure([0, 1, 0, 0, 0, 1], 2)) == pytest.approx(0.625)
    assert metrics.macro_f1(np.array([0, 1, 2, 0, 1, 2]), sure([0, 2, 1, 0, 0, 1], 3)) == pytest.approx(4 / 15)
    second = np.array([0.1, 0.4, 0.35, 0.8])
    assert metrics.auc(np.array([0, 0, 1, 1]), np.stack([1 - second, second], axis=1)) == pytest.approx(0.75)
    spam = np.array([[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]])
    assert metrics.log_loss(np.array([1, 0, 0, 1]), spam) == pytest.approx(0.21616, abs=1e-5)
    np.testing.assert_array_equal(
        metrics.confusion_matrix(np.array([2, 0, 2, 2, 0, 1]), sure([0, 0, 2, 2, 0, 2], 3)),
        [[2, 0, 0], [0, 0, 1], [1, 0, 2]],
    )


def test_equal_probabilities_are_half_in_order() -> None:
    labels, second = np.array([0, 1, 0, 1]), np.array([0.5, 0.5, 0.2, 0.8])
    assert metrics.auc(labels, np.stack([1 - second, second], axis=1)) == pytest.approx(3.5 / 4)


def test_the_auc_of_more_classes_is_the_mean_of_those_on_both_sides() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.5, 0.3, 0.2], [0.3, 0.4, 0.3], [0.4, 0.6, 0.0], [0.2, 0.5, 0.3]])
    assert metrics.auc(labels, probabilities) == pytest.approx((3 / 4 + 4 / 4) / 2)  # nothing is of the third


def test_calibration_error_weighs_bins_by_their_rows() -> None:
    labels, top = np.array([0, 1, 0, 0]), np.array([0.9, 0.9, 0.6, 0.6])
    expected = (abs(1 + 0 - 2 * 0.9) + abs(2 - 2 * 0.6)) / 4
    assert metrics.calibration_error(labels, np.stack([top, 1 - top], axis=1)) == pytest.approx(expected)


def test_a_class_held_impossible_costs_no_more_than_the_least_probability() -> None:
    assert metrics.log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-math.log(1e-15))


@pytest.mark.parametrize("metric", EVERY)
def test_of_no_rows_nothing_is_known(metric) -> None:
    assert math.isnan(metric(np.zeros(0, np.int64), np.zeros((0, 3))))


def test_of_one_class_alone_there_is_no_auc() -> None:
    assert math.isnan(metrics.auc(np.array([1, 1]), np.array([[0.5, 0.5], [0.1, 0.9]])))


# Laws


@pytest.mark.parametrize("metric", EVERY)
@pytest.mark.parametrize("classes", [2, 5])
def test_a_weight_is_a_number_of_equal_rows(metric, classes: int) -> None:
    labels, probabilities = some(1, classes=classes)
    weights = np.random.default_rng(2).integers(0, 4, len(labels))
    repeated = metric(np.repeat(labels, weights), np.repeat(probabilities, weights, axis=0))
    assert metric(labels, probabilities, weights.astype(float)) == pytest.approx(repeated)


@pytest.mark.parametrize("metric", EVERY)
def test_neither_the_order_of_rows_nor_of_classes_matters(metric) -> None:
    labels, probabilities = some(3)
    rows, classes = np.random.default_rng(4).permutation(60), np.array([2, 0, 3, 1])
    turned = metric(np.argsort(classes)[labels][rows], probabilities[rows][:, classes])
    assert turned == pytest.approx(metric(labels, probabilities))


@pytest.mark.parametrize("metric", EVERY)
def test_a_class_that_nobody_met_changes_nothing(metric) -> None:
    labels, probabilities = some(5, classes=3)
    wider = np.concatenate([probabilities, np.zeros((60, 1))], axis=1)
    assert metric(labels, wider) == pytest.approx(metric(labels, probabilities))


@pytest.mark.parametrize("classes", [2, 4])
def test_of_certain_truth_every_metric_is_best(classes: int) -> None:
    labels = np.arange(40) % classes
    assert [metric(labels, np.eye(classes)[labels]) for metric in EVERY] == pytest.approx([1, 1, 1, 1, 0, 0])


def test_the_auc_counts_pairs() -> None:
    labels, probabilities = some(6, classes=2)
    yes, no = (np.round(probabilities[labels == side, 1], 1) for side in (1, 0))
    pairs = (yes[:, None] > no) + 0.5 * (yes[:, None] == no)
    second = np.round(probabilities[:, 1], 1)
    assert metrics.auc(labels, np.stack([1 - second, second], axis=1)) == pytest.approx(pairs.mean())


def test_probabilities_that_are_true_are_calibrated() -> None:
    rng = np.random.default_rng(7)
    probabilities = rng.dirichlet(np.ones(3), 200_000)
    labels = (rng.random(200_000)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1)
    assert metrics.calibration_error(labels, probabilities) < 0.01
    sharper = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)
    assert metrics.calibration_error(labels, sharper) > 0.1


def test_every_metric_says_which_values_are_better() -> None:
    found = {name: find(METRICS["labels"], name, "metric").better for name in METRICS["labels"]}
    lower = {name for name, better in found.items() if better == "lower"}
    assert lower == {"log_loss", "calibration_error", "mae", "rmse", "wql"}
    assert {name for name, better in found.items() if better is None} == {"coverage"}
