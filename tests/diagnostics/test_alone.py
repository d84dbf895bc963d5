"""Layers judged by their own recurrence, and the gradient across layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.cells.named import cell_named
from rnncli.diagnostics.checks.depth import across
from rnncli.diagnostics.flow import Flow, gradient_by_lag
from rnncli.diagnostics.unrolling import Stack, unrolled
from rnncli.diagnostics.verdict import judge

RNN, LSTM = cell_named("rnn"), cell_named("lstm")
STEPS, HIDDEN = 40, 6


def recurrence(gain: float, inputs: float = 1.0) -> dict[str, Tensor]:
    """A linear layer that keeps `gain` of its state and passes on so much of its input."""
    eye = torch.eye(HIDDEN, dtype=torch.float64)
    return {"weight_ih": inputs * eye, "weight_hh": gain * eye, "bias": torch.zeros(HIDDEN, dtype=torch.float64)}


def data(series: int = 4) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(series, STEPS, HIDDEN, dtype=torch.float64, generator=generator)


def flow(*layers: dict[str, Tensor], residual: bool = False) -> Flow:
    return gradient_by_lag(
        Stack(RNN, list(layers), "linear", residual), data(), lambda outputs, _: outputs[:, -1].sum(dim=1)
    )


def test_what_a_layer_keeps_is_its_own_whatever_lies_above_it() -> None:
    found = flow(recurrence(0.5), recurrence(0.9))
    assert [layer.own.share_left(10) for layer in found.layers] == pytest.approx([0.5**10, 0.9**10])


def test_a_layer_below_one_that_explodes_is_not_blamed() -> None:
    found = flow(recurrence(0.9), recurrence(1.3))
    assert [judge(layer, ()).name for layer in found.layers] == ["healthy", "exploding"]


def test_a_layer_that_forgets_below_one_that_remembers_is_named() -> None:
    found = flow(recurrence(0.3), recurrence(0.95))
    assert [judge(layer, (12,)).name for layer in found.layers] == ["vanishing", "healthy"]
    assert (found.layers[0].share_left(12) or 0) > 0.1  # by all layers together it is heard


def test_of_the_last_layer_its_own_gradient_is_the_whole_one() -> None:
    shapes = [LSTM.shapes(3, 4), LSTM.shapes(4, 4)]
    generator = torch.Generator().manual_seed(1)
    layers = [
        {name: 0.6 * torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in one.items()}
        for one in shapes
    ]
    found = gradient_by_lag(Stack(LSTM, layers), data()[..., :3], lambda out, _: out[:, -1].square().sum(dim=1))
    np.testing.assert_allclose(found.layers[1].own.profile(), found.layers[1].profile(), rtol=1e-10)


def test_the_gradient_of_a_layer_is_that_of_a_loss_that_reaches_it_at_one_step() -> None:
    layers = [recurrence(0.7, 0.4), recurrence(0.9, 0.5)]
    exact = Stack(RNN, layers, "tanh").exact()
    found = gradient_by_lag(Stack(RNN, layers, "tanh"), data(1), lambda out, _: out[:, -1].sum(dim=1)).layers[0]
    below = Stack(RNN, exact.layers[:1], "tanh")
    hidden, states, _ = unrolled(below, data(1))
    upper, _, _ = unrolled(Stack(RNN, exact.layers[1:], "tanh"), torch.zeros_like(hidden))
    before = unrolled(exact, data(1))[1][1][-2][0].detach()
    last = torch.tanh(0.5 * hidden[:, -1] + 0.9 * before)
    expected = torch.autograd.grad(last.sum(), [state[0] for state in states[0]])
    assert upper.shape == hidden.shape
    np.testing.assert_allclose(found.own.profile(), [float(one.norm()) for one in reversed(expected)], rtol=1e-9)


def test_the_gradient_across_layers_is_what_comes_down_at_one_step() -> None:
    share, _ = across(flow(recurrence(0.5), recurrence(0.9, 0.01), recurrence(0.9, 0.1)).layers)
    assert share == pytest.approx(0.001)


def test_a_residual_takes_the_gradient_past_a_layer_that_lets_none_through() -> None:
    share, _ = across(flow(recurrence(0.5), recurrence(0.9, 0.001), residual=True).layers)
    assert share == pytest.approx(1.001)


def test_one_layer_has_nothing_across() -> None:
    assert across(flow(recurrence(0.5)).layers) == (None, None)
