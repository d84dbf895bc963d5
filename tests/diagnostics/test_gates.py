"""How long units keep what they hold, by cells of which it is known."""

from __future__ import annotations

import math

import pytest
import torch

from rnncli.cells.named import cell_named
from rnncli.diagnostics.gates import layer_activity
from rnncli.diagnostics.unrolling import Stack, paths

INPUTS, HIDDEN, STEPS = 3, 8, 200


@pytest.mark.parametrize(("name", "gate", "bias"), [("slstm", 1, 3.0), ("mlstm", 1, 3.0), ("mamba", 1, -3.0)])
def test_units_whose_gate_is_open_to_the_same_width_keep_for_as_long(name: str, gate: int, bias: float) -> None:
    cell = cell_named(name)
    shapes = cell.shapes(INPUTS, HIDDEN)
    weights = {key: torch.zeros(shape, dtype=torch.float64) for key, shape in shapes.items()}
    weights["bias"][gate * HIDDEN : (gate + 1) * HIDDEN] = bias
    weights["weight_ih"][: gate * HIDDEN] = 0.1
    x = torch.randn(4, STEPS, INPUTS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    kept = layer_activity(network := Stack(cell, [weights]), paths(network, x)[1][0]).kept
    rate = math.log1p(math.exp(bias)) if name == "mamba" else math.log1p(math.exp(-bias))
    assert kept.min() > 0.9 / rate
    assert kept.max() < 1.1 / rate
