"""Metrics of tokens: by hand, and what they are to each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.metrics.tokens import (
    Predicted,
    TokenMetric,
    accuracy,
    bits_per_byte,
    bits_per_token,
    cross_entropy,
    perplexity,
    top_5,
)
from rnncli.registry import METRICS, find

LOGS = np.log(np.array([0.5, 0.25, 0.125, 0.125]))
RANKS = np.array([0, 1, 4, 5])
HALVES = Predicted(LOGS, RANKS, 18.0)


def test_by_hand() -> None:
    assert cross_entropy(HALVES) == pytest.approx((1 + 2 + 3 + 3) / 4 * math.log(2))
    assert bits_per_token(HALVES) == pytest.approx(2.25)
    assert perplexity(HALVES) == pytest.approx(2**2.25)
    assert bits_per_byte(HALVES) == pytest.approx(0.5)
    assert (accuracy(HALVES), top_5(HALVES)) == (0.25, 0.75)


def test_guessing_among_equal_tokens_has_their_number_as_perplexity() -> None:
    assert perplexity(Predicted(np.full(7, -math.log(50)), np.zeros(7, np.int64))) == pytest.approx(50)


def test_what_is_not_known_is_undefined() -> None:
    nothing = Predicted(np.zeros(0), np.zeros(0, np.int64))
    metrics: list[TokenMetric] = [find(METRICS["tokens"], name, "metric") for name in METRICS["tokens"]]
    assert all(math.isnan(metric.of(nothing)) for metric in metrics)
    assert math.isnan(bits_per_byte(Predicted(LOGS, RANKS)))
    assert perplexity(Predicted(np.array([-1e4]), np.zeros(1, np.int64))) == math.inf


def test_which_values_are_better() -> None:
    found = {name: find(METRICS["tokens"], name, "metric").better for name in METRICS["tokens"]}
    assert {name for name, better in found.items() if better == "higher"} == {"accuracy", "top_5"}
