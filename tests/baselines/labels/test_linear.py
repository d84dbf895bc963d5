"""Features, logistic and ridge regression: at the optimum, by hand, and the same whatever does not matter."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.baselines.labels import features, logistic, ridge
from rnncli.baselines.labels.logistic import logistic_regression
from rnncli.baselines.labels.majority import majority, training_quantiles
from rnncli.baselines.labels.ridge import ridge_regression
from rnncli.baselines.labels.sequences import Sequences
from rnncli.metrics.labels import accuracy, log_loss


def flat(parts: list[np.ndarray], categories: tuple[int, ...] | None = None, *, per_step: bool = False) -> Sequences:
    """Sequences of [rows, channels] each."""
    offsets = np.cumsum([0, *map(len, parts)])
    return Sequences(np.concatenate(parts), offsets, categories or (0,) * parts[0].shape[1], per_step)


def waves(seed: int, count: int, *, per_step: bool = False) -> tuple[Sequences, np.ndarray]:
    """Sequences of three classes that differ in spread and slope; one channel of noise, steps missing."""
    rng = np.random.default_rng(seed)
    labels, parts = np.arange(count) % 3, []
    for label in labels:
        n = int(rng.integers(8, 30))
        part = np.stack([rng.normal(0, [1, 2, 1][label], n) + [0, 0, 0.3][label] * np.arange(n), rng.normal(size=n)], 1)
        part[rng.random(n) < 0.1, 0] = np.nan
        parts.append(part)
    return flat(parts, per_step=per_step), labels


# Features


def test_a_summary_by_hand() -> None:
    given = flat([np.array([[2.0], [np.nan], [4.0], [9.0]]), np.full((2, 1), np.nan)])
    found = features.summaries(given, (np.zeros(0, np.int64),))
    spread = np.sqrt(((2 - 5) ** 2 + (4 - 5) ** 2 + (9 - 5) ** 2) / 3)
    slope = np.polyfit([0, 2, 3], [2, 4, 9], 1)[0]
    #            length mean spread  least .25 .5 .75 most first last slope change missing
    expected = [4, 5, spread, 2, 3, 4, 6.5, 9, 2, 9, slope, (2 + 5) / 2, 1 / 4]
    np.testing.assert_allclose(found[0], expected)
    np.testing.assert_array_equal(found[1], [2, *[np.nan] * 11, 1])


def test_quartiles_are_numpys() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n, 1)) for n in range(1, 30)]
    found = features.summaries(flat(parts), (np.zeros(0, np.int64),))[:, 3:8]
    np.testing.assert_allclose(found, [np.quantile(part, [0, 0.25, 0.5, 0.75, 1]) for part in parts])


def test_categories_are_the_shares_of_the_commonest() -> None:
    codes = np.repeat(np.arange(80.0), np.arange(80) + 1)[:, None]
    common = features.fitted(flat([codes], (80,)), np.zeros(1, np.int64))[0].common
    np.testing.assert_array_equal(common[0], np.arange(16, 80))
    found = features.summaries(flat([np.array([[20.0], [20], [79], [-1], [np.nan], [3]])], (80,)), common)[0]
    np.testing.assert_allclose(found[[0, 1 + 4, 1 + 63, -1]], [6, 2 / 6, 1 / 6, 1 / 6])
    assert found[1:-1].sum() == pytest.approx(3 / 6)


def test_a_row_is_seen_with_the_one_before_it_in_its_sequence() -> None:
    given = flat([np.array([[1.0, 0], [2, 1]]), np.array([[3.0, 1], [np.nan, np.nan]])], (0, 2), per_step=True)
    found = features.fitted(given, np.arange(4))[0]
    raw = features._features(given, np.arange(4), found.common)
    before = [np.nan] * 5
    np.testing.assert_array_equal(
        raw,
        [
            [1, 0, 1, 0, 0, *before],
            [2, 0, 0, 1, 0, 1, 0, 1, 0, 0],
            [3, 0, 0, 1, 0, *before],
            [np.nan, 1, 0, 0, 1, 3, 0, 0, 1, 0],
        ],
    )


def test_standardised_features_have_mean_0_and_deviation_1_in_training_and_outliers_stay_finite() -> None:
    given, _ = waves(1, 60)  # features: a length, and twelve of each channel
    fitted, rows = features.fitted(given, np.arange(60))
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=0.05)  # what is missing is 0
    np.testing.assert_allclose(rows.std(axis=0), [1] * 24 + [0])  # of the second channel nothing is missing
    wild = flat([np.full((3, 2), 1e300), np.zeros((0, 2))])
    assert np.isfinite(fitted.of(wild, np.arange(2))).all()


# Logistic regression


def separable(seed: int = 0, n: int = 300, width: int = 6, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, width)) @ rng.normal(size=(width, width))  # correlated
    odds = rows @ rng.normal(size=(width, classes)) + rng.gumbel(size=(n, classes))
    return rows, odds.argmax(axis=1)


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 100.0])
def test_at_the_weights_found_the_gradient_is_0(penalty: float) -> None:
    rows, labels = separable()
    found = logistic.fit(rows, labels, 4, penalty)
    error = found.probabilities(rows) - np.eye(4)[labels]
    assert np.abs(rows.T @ error + penalty * found.weights).max() < 1e-4 * len(rows)
    assert np.abs(error.sum(axis=0)).max() < 1e-4 * len(rows)  # intercepts are not penalised


def test_no_weights_near_by_are_better() -> None:
    rows, labels = separable(1)
    found, rng = logistic.fit(rows, labels, 4), np.random.default_rng(2)

    def loss(model: logistic.Linear) -> float:
        return len(labels) * log_loss(labels, model.probabilities(rows)) + 0.5 * (model.weights**2).sum()

    for size in (1e-3, 1e-2, 0.1):
        moved = logistic.Linear(
            found.weights + size * rng.normal(size=(6, 4)), found.intercepts + size * rng.normal(size=4)
        )
        assert loss(moved) > loss(found)


def test_two_classes_apart_by_hand() -> None:
    # Rows at -1 and 1: by symmetry W = (-w, w), where both rows pull alike and w = 2 (1 - sigmoid(2 w))
    found = logistic.fit(np.array([[-1.0], [1.0]]), np.array([0, 1]), 2)
    w = found.weights[0, 1]
    assert w == pytest.approx(-found.weights[0, 0])
    assert w == pytest.approx(2 * (1 - 1 / (1 + np.exp(-2 * w))), abs=1e-6)
    np.testing.assert_allclose(found.intercepts, 0, atol=1e-8)


def test_fifty_classes_and_features_that_are_copies_converge() -> None:
    rows, labels = separable(3, 1_000, 8, 50)
    rows = np.concatenate([rows, rows, rows[:, :1] * 1e-3], axis=1)
    codes = np.unique(labels, return_inverse=True)[1]
    found = logistic.fit(rows, codes, codes.max() + 1)
    error = found.probabilities(rows) - np.eye(codes.max() + 1)[codes]
    assert np.abs(rows.T @ error + found.weights).max() < 1e-4 * len(rows)


def test_the_same_rows_give_the_same_weights() -> None:
    rows, labels = separable(4)
    np.testing.assert_array_equal(logistic.fit(rows, labels, 4).weights, logistic.fit(rows, labels, 4).weights)


def test_a_quadratic_is_minimised_in_few_steps() -> None:
    curve = np.array([1.0, 0.5, 0.1])
    calls = []

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        calls.append(1)
        return 0.5 * float(curve @ (at - 3) ** 2), curve * (at - 3)

    np.testing.assert_allclose(logistic.minimised(loss, np.zeros(3)), 3, atol=1e-4)
    assert len(calls) < 30


# As baselines


def test_logistic_regression_tells_classes_by_their_summaries() -> None:
    (trained, truth), (asked, labels) = waves(5, 240), waves(6, 150)
    made = logistic_regression.of(trained, truth, 3, asked)
    assert accuracy(labels, made) > 0.8
    assert log_loss(labels, made) < log_loss(labels, majority.of(trained, truth, 3, asked)) / 2


def test_examples_without_a_label_and_classes_without_an_example_take_no_part() -> None:
    (trained, truth), (asked, _) = waves(7, 60), waves(8, 30)
    hidden = np.where(np.arange(60) < 30, truth, -1)
    made = logistic_regression.of(trained, hidden, 5, asked)
    alone = logistic_regression.of(trained.select(np.arange(30)), truth[:30], 5, asked)
    np.testing.assert_allclose(made, alone, atol=0.02)  # scales come from labelled examples too
    np.testing.assert_array_equal(made[:, 3:], 0)


def test_of_one_class_it_is_certain() -> None:
    data, _ = waves(9, 10)
    np.testing.assert_array_equal(logistic_regression.of(data, np.ones(10, np.int64), 3, data), [[0, 1, 0]] * 10)


def test_steps_are_labelled_by_their_row_and_the_one_before() -> None:
    rng = np.random.default_rng(10)
    parts = [rng.normal(size=(50, 1)) for _ in range(20)]
    labels = np.concatenate([np.r_[0, part[:-1, 0] > 0.2] for part in parts]).astype(np.int64)
    data = flat(parts, per_step=True)
    made = logistic_regression.of(data, labels, 2, data)
    assert made.shape == (1000, 2)
    assert accuracy(labels, made) > 0.95


def test_majority_gives_the_shares_of_training() -> None:
    data, _ = waves(11, 5)
    np.testing.assert_allclose(majority.of(data, np.array([0, 0, 2, -1, 0]), 3, data), [[0.75, 0, 0.25]] * 5)


def test_numbers_have_the_quantiles_of_training_or_a_line_with_the_quantiles_of_its_errors() -> None:
    rng = np.random.default_rng(12)
    parts = [rng.normal(size=(20, 1)) + rng.normal() for _ in range(300)]
    labels = np.array([3 * part.mean() for part in parts]) + rng.normal(0, 0.5, 300)
    trained, asked = flat(parts[:200]), flat(parts[200:])
    levels = (0.1, 0.5, 0.9)
    line = ridge_regression.of(trained, np.where(np.arange(200) % 7, labels[:200], np.nan), levels, asked)
    usual = training_quantiles.of(trained, labels[:200], levels, asked)
    np.testing.assert_allclose(usual[0], np.quantile(labels[:200], levels))
    truth = labels[200:]
    assert np.abs(truth - line[:, 1]).mean() < 0.3 * np.abs(truth - usual[:, 1]).mean()
    for made in (line, usual):
        assert 0.68 <= ((made[:, 0] <= truth) & (truth <= made[:, 2])).mean() <= 0.92
        assert (np.diff(made, axis=1) >= 0).all()


def test_errors_are_those_of_fits_that_left_the_example_out() -> None:
    rng = np.random.default_rng(13)
    rows, labels = rng.normal(size=(30, 4)), rng.normal(size=30)
    weights, intercept, errors = ridge.fit(rows, labels, 0.0)
    np.testing.assert_allclose(weights, np.linalg.lstsq(np.c_[rows, np.ones(30)], labels, rcond=None)[0][:4])
    for left_out in range(5):
        kept = np.delete(np.arange(30), left_out)
        slope, level, _ = ridge.fit(rows[kept], labels[kept], 0.0)
        assert errors[left_out] == pytest.approx(labels[left_out] - rows[left_out] @ slope - level)
    assert intercept == pytest.approx(float((labels - rows @ weights).mean()))
