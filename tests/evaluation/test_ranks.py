"""Ranks and their critical differences, beside those that are published."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.evaluation.ranks import (
    Ranks,
    chi_squared_above,
    critical_difference,
    friedman,
    holm,
    ranked,
    studentized_range,
)

# AUC of C4.5 with m, cf, both or neither tuned, on 14 data sets: Demsar (2006), table 6
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.978, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
NAMES = ("C4.5", "m", "cf", "m+cf")


def of_demsar(alpha: float) -> Ranks:
    return ranked(dict(zip(NAMES, -DEMSAR.T, strict=True)), "series", alpha)


def test_ranks_and_critical_differences_are_those_of_the_paper() -> None:
    found = of_demsar(0.05)
    assert [round(rank, 3) for rank in found.mean.values()] == [3.143, 2.0, 2.893, 1.964]
    assert round(found.critical, 2) == 1.25
    assert round(of_demsar(0.10).critical, 2) == 1.12
    assert found.p == pytest.approx(chi_squared_above(9.28 / 0.93, 3), rel=0.3)  # the paper's, but for ties
    assert of_demsar(0.10).alike == (("m+cf", "m", "cf"), ("cf", "C4.5"))


@pytest.mark.parametrize(
    ("k", "five", "ten"),
    [(2, 1.960, 1.645), (3, 2.343, 2.052), (4, 2.569, 2.291), (5, 2.728, 2.459), (10, 3.164, 2.920)],
)
def test_critical_values_are_those_of_the_table(k: int, five: float, ten: float) -> None:
    assert round(studentized_range(k, 0.05) / math.sqrt(2), 3) == pytest.approx(five, abs=0.0011)
    assert round(studentized_range(k, 0.10) / math.sqrt(2), 3) == pytest.approx(ten, abs=0.0011)


@pytest.mark.parametrize(
    ("x", "degrees", "above"),
    [(3.841, 1, 0.05), (5.991, 2, 0.05), (7.815, 3, 0.05), (9.488, 4, 0.05), (23.21, 10, 0.01)],
)
def test_chi_squared_is_that_of_the_tables(x: float, degrees: int, above: float) -> None:
    assert chi_squared_above(x, degrees) == pytest.approx(above, rel=2e-3)


def test_equal_forecasters_have_equal_ranks_and_nothing_to_tell() -> None:
    same = np.arange(6.0)
    found = ranked({"a": same, "b": same, "c": same}, "series", 0.05)
    assert (set(found.mean.values()), found.p, found.alike) == ({2.0}, 1.0, (("a", "b", "c"),))


def test_too_few_blocks_tell_nothing() -> None:
    found = ranked({"a": np.arange(4.0), "b": np.arange(4.0) + 1}, "series", 0.05)
    assert found.to_json()["critical_difference"] is None
    assert found.mean == {"a": 1.0, "b": 2.0}


def test_a_block_without_a_loss_of_one_is_left_out() -> None:
    found = ranked({"a": np.array([1.0, math.nan] * 5), "b": np.array([2.0, 0.0] * 5)}, "series", 0.05)
    assert (found.count, found.mean["a"]) == (5, 1.0)


def test_the_test_keeps_its_level_where_nobody_is_better() -> None:
    draw = np.random.default_rng(0)
    chances = [friedman(np.argsort(draw.normal(size=(20, 4)), axis=1).argsort(axis=1) + 1.0) for _ in range(2_000)]
    assert 0.035 < np.mean(np.array(chances) < 0.05) < 0.065


def test_a_critical_difference_shrinks_with_the_root_of_the_blocks() -> None:
    assert critical_difference(4, 400, 0.05) == pytest.approx(critical_difference(4, 100, 0.05) / 2)


def test_holm_is_hand_worked() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.isnan(holm([0.01, math.nan])[1])
    assert holm([0.01, math.nan])[0] == 0.01
