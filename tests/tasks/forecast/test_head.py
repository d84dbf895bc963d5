"""Quantiles never cross, are finite, and are the same from torch and from NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnncli.data.panel import Panel
from rnncli.spec import NetworkSpec
from rnncli.tasks.forecast import head as output
from rnncli.tasks.forecast import plan, support
from rnncli.tasks.forecast.spec import ForecastSpec

LEVELS = (0.05, 0.2, 0.5, 0.7, 0.99)
WHOLE = support.Support(
    np.zeros(1, np.bool_), np.zeros(1), np.full(1, np.inf), np.ones(1, np.bool_), np.full(1, 99), np.zeros(1)
)
Weights = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def spec(weekly_waves: Panel) -> ForecastSpec:
    return plan.forecast_spec(weekly_waves, 6, LEVELS)


def network(spec: ForecastSpec, panel: Panel) -> NetworkSpec:
    return plan.network_spec(panel, spec, plan.Sizes(hidden=8, layers=1))


def weights_of(scale: float, seed: int, spec: ForecastSpec, panel: Panel) -> Weights:
    rng = np.random.default_rng(seed)
    shapes = output.shapes(network(spec, panel), spec, len(spec.plain))
    return {name: (scale * rng.normal(size=shape)).astype(np.float32) for name, shape in shapes.items()}


def arguments(seed: int, spec: ForecastSpec, scale: float = 1.0) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    shapes = ((9, 8), (9, spec.horizon, len(spec.plain)), (9, len(spec.plain)), (9, spec.horizon, spec.known))
    return [(scale * rng.normal(size=shape)).astype(np.float32) for shape in shapes]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(weight=st.floats(0.01, 30), size=st.floats(0.01, 1e3), seed=st.integers(0, 999))
def test_quantiles_in_units_ascend_and_are_finite(
    weight: float, size: float, seed: int, spec: ForecastSpec, weekly_waves: Panel
) -> None:
    found = output.quantiles(
        weights_of(weight, seed, spec, weekly_waves), *arguments(seed, spec, size), spec.median, np
    )
    units = output.to_units(found.astype(np.float64), np.full(9, 3.0), np.full(9, 0.5), np.ones(9, np.bool_))
    assert np.isfinite(units).all()
    printed = output.within(units, support.common(9, spec))
    assert (np.diff(printed, axis=2) >= 0).all()
    assert (printed >= 0).all()


def test_torch_and_numpy_agree(spec: ForecastSpec, weekly_waves: Panel) -> None:
    weights, given_ = weights_of(0.5, 1, spec, weekly_waves), arguments(1, spec)
    ours = output.quantiles(weights, *given_, spec.median, np)
    tensors = {name: torch.from_numpy(weight) for name, weight in weights.items()}
    theirs = output.quantiles(tensors, *map(torch.from_numpy, given_), spec.median, torch)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5, atol=1e-5)


def test_the_fan_opens_from_the_median() -> None:
    got = output.fan(np.array([[10.0]]), np.array([[1.0, 2.0, 3.0]]), 2, np)
    assert got.tolist() == [[7.0, 8.0, 10.0, 13.0]]


def test_weights_of_a_mixture_sum_to_one_whatever_their_size() -> None:
    got = output.softmax(np.array([1e4, 0.0, -1e4]), np)
    assert got.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(("unit", "count"), [(-0.5, 0), (0.49, 0), (0.5, 0), (0.51, 1), (1.5, 1), (7.2, 7)])
def test_the_quantile_of_counts_is_that_of_counts_with_noise_rounded(
    unit: float, count: float, spec: ForecastSpec
) -> None:
    printed = output.within(np.full((1, 1, 5), unit), WHOLE)
    assert printed.tolist() == [[[count] * 5]]
    assert not np.signbit(printed).any()


def test_the_rounded_quantiles_of_noisy_counts_are_their_exact_quantiles(spec: ForecastSpec) -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.8, 200_001).astype(np.float64)
    noisy = counts + rng.uniform(-0.5, 0.5, len(counts))
    printed = output.within(np.quantile(noisy, LEVELS)[None, None], WHOLE)
    assert printed[0, 0].tolist() == np.quantile(counts, LEVELS).tolist()


def test_printed_quantiles_keep_to_floor_and_ceiling(spec: ForecastSpec) -> None:
    bounded, units = replace(spec, floor=2.0, ceiling=7.0), np.array([[[1.0, 2.5, 5.0, 8.0, 9.0]]])
    printed = output.within(units, support.common(1, bounded))
    assert printed.tolist() == [[[2.0, 2.5, 5.0, 7.0, 7.0]]]
