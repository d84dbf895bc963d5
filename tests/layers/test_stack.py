"""Layers on top of each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnncli.cells.gru import CELL
from rnncli.layers.stack import layer_weights, stack
from rnncli.layers.unroll import unroll


def network(layers: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    shapes = [CELL.shapes(4 if index else 3, 4) for index in range(layers)]
    return {f"layer{i}.{name}": random.standard_normal(s) for i, part in enumerate(shapes) for name, s in part.items()}


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_stack_maps_inputs_to_hidden_units_at_every_step(layers: int, residual: bool) -> None:
    weights = network(layers)
    x = np.ones((2, 7, 3))
    result = stack(lambda i, x: unroll(CELL, layer_weights(weights, i), x)[0], layers, x, residual)
    assert result.shape == (2, 7, 4)


def test_each_layer_reads_the_one_below() -> None:
    assert stack(lambda index, x: x + 10**index, 3, np.zeros(1), residual=False) == 111


def test_a_residual_adds_the_input_of_every_layer_but_the_first() -> None:
    assert stack(lambda index, x: 10 * x, 3, np.ones(1), residual=True) == (10 * 11) * 11


def test_a_layer_that_comes_back_to_a_grid_adds_what_last_passed_there() -> None:
    def halved_and_doubled(index: int, x: np.ndarray) -> np.ndarray:
        return [x, x[:, :, ::2], x, np.repeat(x, 2, 2)][index]

    frames = np.arange(8.0).reshape(1, 1, 4, 2)
    coarse = 2 * frames[:, :, ::2]  # the layer that stays on the coarse grid has its own residual
    found = stack(halved_and_doubled, 4, frames, residual=True)
    assert np.array_equal(found, np.repeat(coarse, 2, 2) + frames)


def test_dropout_acts_between_layers_only() -> None:
    assert stack(lambda index, x: x + 1, 3, np.zeros(1), residual=False, between=lambda x: 10 * x) == 111


def test_dropout_keeps_the_shape() -> None:
    weights = {name: torch.from_numpy(weight) for name, weight in network(2).items()}
    result = stack(
        lambda i, x: unroll(CELL, layer_weights(weights, i), x, None, torch)[0],
        2,
        torch.ones(2, 7, 3, dtype=torch.float64),
        residual=True,
        between=lambda x: torch.nn.functional.dropout(x, 0.5),
    )
    assert result.shape == (2, 7, 4)


def test_weights_of_a_layer_are_found_by_its_whole_number() -> None:
    weights = {"layer1.bias": 1, "layer10.bias": 2, "head.bias": 3}
    assert layer_weights(weights, 1) == {"bias": 1}
