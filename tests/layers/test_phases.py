"""A dilated layer, phase by phase and step by step."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.cells.named import cell_named
from rnncli.layers.unroll import unroll


@pytest.mark.parametrize("steps", [1, 4, 5, 12, 14])
@pytest.mark.parametrize("name", ["dilated:5:lstm", "dilated:5:fir", "dilated:1:gru"])
def test_phases_side_by_side_have_the_bits_of_one_step_after_another(name: str, steps: int) -> None:
    cell, random = cell_named(name), np.random.default_rng(0)
    weights = {key: random.standard_normal(shape, np.float32) for key, shape in cell.shapes(3, 4).items()}
    before, x = (random.standard_normal((2, n, 3), np.float32) for n in (7, steps))
    _, state = unroll(cell, weights, before)
    outputs, last = unroll(cell, weights, x, state)
    expected, after = [], state
    for t in range(steps):
        output, after = cell.step(weights, x[:, t], after, np)
        expected.append(output)
    assert np.array_equal(outputs, np.stack(expected, axis=1))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(last, after, strict=True))
