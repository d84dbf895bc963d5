"""A cell along a sequence."""

from __future__ import annotations

import numpy as np

from rnncli.cells.lstm import CELL
from rnncli.layers.unroll import unroll


def weights(inputs: int = 3, hidden: int = 4) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.standard_normal(shape) for name, shape in CELL.shapes(inputs, hidden).items()}


def test_a_sequence_of_no_steps_leaves_the_state_alone() -> None:
    state = (np.ones((2, 4)), np.zeros((2, 4)))
    outputs, after = unroll(CELL, weights(), np.zeros((2, 0, 3)), state)
    assert outputs.shape == (2, 0, 4)
    assert after is state


def test_no_series_are_no_outputs() -> None:
    outputs, _ = unroll(CELL, weights(), np.zeros((0, 5, 3)))
    assert outputs.shape == (0, 5, 4)


def test_the_last_output_is_the_last_hidden_state() -> None:
    outputs, (h, _) = unroll(CELL, weights(), np.ones((2, 5, 3)))
    assert np.array_equal(outputs[:, -1], h)


def test_long_inputs_projected_in_pieces_give_the_bits_of_short_ones() -> None:
    x = np.random.default_rng(1).standard_normal((600, 7, 3)).astype(np.float32)
    single = {name: weight.astype(np.float32) for name, weight in weights().items()}
    together = unroll(CELL, single, x)[0]
    assert np.array_equal(together[:50], unroll(CELL, single, x[:50])[0])


def test_what_comes_later_never_changes_an_output() -> None:
    x = np.random.default_rng(1).standard_normal((2, 9, 3))
    changed = x.copy()
    changed[:, 6:] = 1e6
    before, after = (unroll(CELL, weights(), data)[0] for data in (x, changed))
    assert np.array_equal(before[:, :6], after[:, :6])
