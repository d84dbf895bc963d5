"""Temperature scaling: it finds a temperature that is known, never does harm, and asks nobody's name."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.tasks.labels.temperature import fitted_temperature


def drawn(temperature: float, n: int = 20_000, classes: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels drawn from softmax(logits / temperature)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (n, classes))
    return logits, (logits / temperature + rng.gumbel(size=(n, classes))).argmax(axis=1)


def loss(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    scaled = logits / temperature
    return float((np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(labels)), labels]).mean())


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7, 3.0])
def test_a_known_temperature_is_found(temperature: float) -> None:
    assert fitted_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_has_a_lower_loss_and_1_never_has() -> None:
    for seed in range(20):
        logits, labels = drawn(float(np.exp(np.random.default_rng(seed).normal())), n=25, seed=seed)
        best = fitted_temperature(logits, labels)
        others = [1.0, *np.geomspace(0.5, 4, 40)]
        assert all(loss(logits, labels, best) <= loss(logits, labels, other) + 1e-12 for other in others)


def test_it_stays_within_bounds() -> None:
    logits, labels = drawn(1.0)
    assert fitted_temperature(logits, logits.argmax(axis=1)) == pytest.approx(0.5)
    assert fitted_temperature(logits, logits.argmin(axis=1)) == pytest.approx(4.0)
    assert fitted_temperature(
        np.where(logits > logits.min(axis=1, keepdims=True), logits, -np.inf), labels
    ) == pytest.approx(4.0)


def test_the_order_of_classes_and_what_is_added_to_logits_change_nothing() -> None:
    logits, labels = drawn(1.5, n=500)
    order = np.array([3, 0, 4, 1, 2])
    expected = fitted_temperature(logits, labels)
    assert fitted_temperature(logits[:, order], np.argsort(order)[labels]) == pytest.approx(expected)
    assert fitted_temperature(logits + 7.0, labels) == pytest.approx(expected)
    probabilities = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    assert fitted_temperature(np.log(probabilities), labels) == pytest.approx(expected)


def test_of_too_little_nothing_is_learnt() -> None:
    logits, labels = drawn(3.0, n=40)
    assert fitted_temperature(logits[:19], labels[:19]) == 1.0
    assert fitted_temperature(logits, np.where(np.arange(40) < 19, labels, -1)) == 1.0
    assert fitted_temperature(logits, labels) != 1.0
    assert fitted_temperature(np.zeros((40, 5)), labels) == 1.0
