"""GRU-D: what decays with gaps, and what does not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnncli.cells.named import cell_named
from rnncli.errors import UsageError
from rnncli.layers.unroll import unroll
from tests.cells.begun import HIDDEN, INPUTS, begun, inputs

STEPS = 30


def with_gaps(observed: Tensor) -> Tensor:
    """Inputs [1, T, 2 + 3]: two of no gaps, then the last value, whether it was observed, and the gap before it."""
    values = inputs(1, len(observed))[0, :, 0]
    rows, last, gap = [], 0.0, 1.0
    for value, seen in zip(values.tolist(), observed.tolist(), strict=True):
        last = value if seen else last
        rows.append((last, float(seen), gap))
        gap = 1.0 if seen else gap + 1.0
    return torch.cat([inputs(1, len(observed))[..., 1:], torch.tensor([rows], dtype=torch.float64)], dim=-1)


def weights_of_all(scale: float = 0.4) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    shapes = cell_named("grud").shapes(INPUTS + 2, HIDDEN)
    return {
        name: scale * torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()
    }


def grud_of_the_paper(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """Equations 9 to 13 of Che et al. for one value beside which two others have no gaps: [T, H]."""
    w_r, w_z, w_n = weights["weight_ih"].chunk(3)
    u_r, u_z, u_n = weights["weight_hh"].chunk(3)
    b_r, b_z, b_n = weights["bias"].chunk(3)
    h, outputs, mean = torch.zeros(HIDDEN, dtype=x.dtype), [], 0.0
    for step in x:
        last, m, delta = step[2:]
        gamma_x = torch.exp(-torch.clamp(weights["decay_x"][0] * delta + weights["bias_x"][0], min=0))
        gamma_h = torch.exp(-torch.clamp(weights["decay_h"] * delta + weights["bias_h"], min=0))
        value = m * last + (1 - m) * (gamma_x * last + (1 - gamma_x) * mean)
        seen = torch.stack([step[0], step[1], value, m, gamma_x])
        decayed = gamma_h * h
        r = torch.sigmoid(w_r @ seen + u_r @ decayed + b_r)
        z = torch.sigmoid(w_z @ seen + u_z @ decayed + b_z)
        candidate = torch.tanh(w_n @ seen + u_n @ (r * decayed) + b_n)
        h = (1 - z) * decayed + z * candidate
        outputs.append(h)
    return torch.stack(outputs)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.8])
def test_grud_is_the_formula_of_its_paper(missing: float) -> None:
    observed = torch.rand(STEPS, generator=torch.Generator().manual_seed(4)) >= missing
    weights, x = weights_of_all(), with_gaps(observed)
    outputs = unroll(cell_named("grud"), weights, x, None, torch)[0][0]
    assert torch.allclose(outputs, grud_of_the_paper(weights, x[0]), atol=1e-10)


def test_a_state_begins_to_fade_with_gaps_and_not_between_neighbours() -> None:
    weights = begun(cell_named("grud"), "chrono:20", hidden=400)
    faded = [torch.clamp(weights["decay_h"] * gap + weights["bias_h"], min=0) for gap in (1, 2, 11)]
    assert not faded[0].any()
    assert faded[1].min() > 0
    assert torch.allclose(faded[2], 10 * faded[1])
    steps = 1 / faded[1]
    assert 1 <= steps.min() < 2
    assert 19 < steps.max() <= 20


def test_what_is_missing_goes_to_the_mean_the_longer_it_is_and_what_is_there_does_not() -> None:
    cell, weights = cell_named("grud"), begun(cell_named("grud"))
    last, gaps = torch.full((40,), 2.0, dtype=torch.float64), torch.arange(1.0, 41, dtype=torch.float64)
    assert cell.prepared is not None
    for observed in (0.0, 1.0):
        x = torch.stack([last, torch.full_like(last, observed), gaps], dim=1)
        value = cell.prepared(weights, x, torch)[0][:, 0]
        assert value[0] == 2
        assert (value == 2).all() if observed else bool((value.diff() < 0).all() and value[-1] < 0.1)


def test_a_long_gap_leaves_nothing_of_what_was_before_it() -> None:
    cell, weights = cell_named("grud"), weights_of_all()
    weights["decay_h"] = torch.ones(HIDDEN, dtype=torch.float64)
    x = with_gaps(torch.ones(STEPS, dtype=torch.bool))
    other = x.clone()
    other[0, :10] += 1
    for gap, same in ((1.0, False), (1e3, True)):
        x[0, 10, -1] = other[0, 10, -1] = gap
        here, there = (unroll(cell, weights, data, None, torch)[0][0, 10:] for data in (x, other))
        assert torch.equal(here, there) == same


def test_a_grid_that_a_layer_changes_is_not_one_whose_gaps_are_known() -> None:
    with pytest.raises(UsageError, match="grud follows gaps of its grid, which 3/2 changes"):
        cell_named("conv:3/2:grud")
