"""The gradient by lag, against what is known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.cells.named import cell_named
from rnncli.diagnostics import flow
from rnncli.diagnostics.flow import Flow, gradient_by_lag
from rnncli.diagnostics.unrolling import Stack, unrolled
from rnncli.diagnostics.verdict import judge
from rnncli.nn.initialise import initialise
from rnncli.nn.recurrent import fused

RNN, LSTM, GRU = (cell_named(name) for name in ("rnn", "lstm", "gru"))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(series: int, steps: int, inputs: int, seed: int = 1) -> Tensor:
    return torch.randn(series, steps, inputs, generator=generator(seed), dtype=torch.float64)


def random_layers(cell: Cell, layers: int, inputs: int, hidden: int) -> list[dict[str, Tensor]]:
    source = generator()
    shapes = [cell.shapes(hidden if index else inputs, hidden) for index in range(layers)]
    return [
        {n: 0.6 * torch.randn(s, generator=source, dtype=torch.float64) for n, s in part.items()} for part in shapes
    ]


def summed(outputs: Tensor, rows: slice) -> Tensor:
    return outputs[:, -1].sum(dim=1)


def squared(outputs: Tensor, rows: slice) -> Tensor:
    return (outputs[:, -1] - 1).square().sum(dim=1)


def linear(rho: float, steps: int = 60) -> Flow:
    """A linear network whose recurrent weights are rho times an orthogonal matrix."""
    weights = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in RNN.shapes(2, 8).items()}
    torch.nn.init.orthogonal_(weights["weight_hh"], gain=rho, generator=generator())
    weights["weight_ih"].fill_(0.1)
    return gradient_by_lag(Stack(RNN, [weights], "linear"), noise(4, steps, 2), squared)


@pytest.mark.parametrize("rho", [0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 1.5])
def test_a_linear_network_decays_by_the_logarithm_of_its_radius(rho: float) -> None:
    rate = linear(rho).layers[0].decay_rate
    assert rate is not None
    assert abs(rate - math.log(rho)) < 0.005


@pytest.mark.parametrize(
    ("rho", "expected"),
    [(0.5, "vanishing"), (0.9, "healthy"), (1.0, "healthy"), (1.1, "exploding"), (1.5, "exploding")],
)
def test_the_verdict_on_a_linear_network_follows_its_radius(rho: float, expected: str) -> None:
    assert judge(linear(rho).layers[0], ()).name == expected


def test_the_longest_season_decides() -> None:
    layer = linear(0.9, 200).layers[0]
    assert [judge(layer, seasons).name for seasons in ((24,), (24, 168))] == ["healthy", "vanishing"]


def test_a_half_life_is_given_in_steps() -> None:
    assert linear(0.9).layers[0].half_life == pytest.approx(math.log(2) / -math.log(0.9), rel=1e-6)


def test_a_network_that_grows_has_no_half_life() -> None:
    assert linear(1.1).layers[0].half_life is None


def test_gradients_too_small_to_square_are_still_measured() -> None:
    layer = linear(0.5, 900).layers[0]
    assert layer.profile()[-1] == pytest.approx(layer.profile()[0] * 0.5**899, rel=1e-6, abs=0)


def test_the_cell_state_of_an_lstm_decays_by_its_forget_gates() -> None:
    weights = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in LSTM.shapes(1, 1).items()}
    weights["weight_ih"][1] = 0.7  # the forget gate follows the input
    weights["bias"][:] = torch.tensor([0.3, 1.0, 0.5, 0.2])
    x = noise(3, 30, 1)
    forget = torch.sigmoid(0.7 * x[:, :, 0] + 1.0).numpy()
    layer = gradient_by_lag(Stack(LSTM, [weights]), x, summed).layers[0]
    for lag in (1, 5, 29):
        expected = forget[:, 30 - lag :].prod(axis=1)
        assert np.allclose(layer.norms["c"][lag] / layer.norms["c"][0], expected, rtol=1e-12)
    assert not layer.norms["h"][1:].any()


def loss_from(
    cell: Cell, layers: list[dict[str, Tensor]], x: Tensor, residual: bool, place: tuple[int, int, int], shift: Tensor
) -> Tensor:
    """The loss when `shift` is added to one part of one layer's state after one step, everywhere it is used."""
    at_layer, at_step, at_part = place
    inputs = x
    for index, weights in enumerate(layers):
        state, outputs = cell.zero_state(x, cell.hidden(weights), torch), []
        for t in range(x.shape[1]):
            state = cell.step(weights, inputs[:, t], state, torch)[1]
            if (index, t) == (at_layer, at_step):
                state = tuple(part + shift if i == at_part else part for i, part in enumerate(state))
            outputs.append(state[0])
        below = torch.stack(outputs, dim=1)
        inputs = below + inputs if residual and index else below
    return squared(inputs, slice(None))


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("cell", [RNN, LSTM, GRU], ids=lambda cell: cell.name)
def test_gradients_equal_finite_differences(cell: Cell, residual: bool) -> None:
    layers, x, hidden = random_layers(cell, 2, 2, 3), noise(2, 10, 2), 3
    report = gradient_by_lag(Stack(cell, layers, residual=residual), x, squared)
    for layer in (0, 1):
        for lag in (1, 4, 9):
            slopes = []
            for unit in range(hidden):
                shift = 1e-5 * torch.eye(hidden, dtype=torch.float64)[unit]
                up, down = (loss_from(cell, layers, x, residual, (layer, 9 - lag, 0), sign * shift) for sign in (1, -1))
                slopes.append((up - down) / 2e-5)
            expected = torch.stack(slopes, dim=1).norm(dim=1).numpy()
            assert np.allclose(report.layers[layer].norms["h"][lag], expected, rtol=1e-5, atol=1e-9)


def test_parameter_gradients_are_those_of_the_mean_loss() -> None:
    (weights,) = random_layers(GRU, 1, 2, 3)
    head = {"head.weight": noise(1, 1, 3)[0].requires_grad_()}
    x, target = noise(5, 12, 2), noise(5, 1, 1, seed=2)[:, 0, 0]

    def loss(outputs: Tensor, rows: slice) -> Tensor:
        return (outputs[:, -1] @ head["head.weight"][0] - target[rows]).square()

    report = gradient_by_lag(Stack(GRU, [weights]), x, loss, head=head)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    outputs, _, _ = unrolled(Stack(GRU, [leaves]), x)
    mean = loss(outputs, slice(None)).mean()
    expected = torch.autograd.grad(mean, [*leaves.values(), head["head.weight"]])
    assert report.loss == pytest.approx(float(mean.detach()))
    assert [parameter.tensor for parameter in report.tensors] == [f"layer0.{n}" for n in weights] + ["head.weight"]
    for parameter, gradient in zip(report.tensors, expected, strict=True):
        assert parameter.gradient == pytest.approx(float(gradient.norm()), rel=1e-9)


def test_the_gates_of_a_tensor_make_up_its_gradient() -> None:
    report = gradient_by_lag(Stack(LSTM, random_layers(LSTM, 1, 2, 3)), noise(3, 12, 2), squared)
    for parameter in report.tensors:
        assert list(parameter.gates) == ["i", "f", "g", "o"]
        assert math.hypot(*parameter.gates.values()) == pytest.approx(parameter.gradient)


def test_series_taken_a_few_at_a_time_give_the_same_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, x = random_layers(LSTM, 2, 2, 3), noise(7, 20, 2)
    whole = gradient_by_lag(Stack(LSTM, layers), x, squared)
    monkeypatch.setattr(flow, "ELEMENTS", 1)
    pieces = gradient_by_lag(Stack(LSTM, layers), x, squared)
    for ours, theirs in zip(pieces.layers, whole.layers, strict=True):
        assert np.allclose(ours.norms["state"], theirs.norms["state"], rtol=1e-12)
    for one, other in zip(pieces.tensors, whole.tensors, strict=True):
        assert one.gradient == pytest.approx(other.gradient)


def test_a_series_has_its_own_gradient_whatever_the_others_are() -> None:
    layers, x = random_layers(LSTM, 1, 2, 3), noise(6, 20, 2)
    stack = Stack(LSTM, layers)
    together, alone = (gradient_by_lag(stack, data, squared).layers[0].norms["state"] for data in (x, x[4:5]))
    assert np.allclose(together[:, 4], alone[:, 0], rtol=1e-12)


def efold(init: str, hidden: int = 32, steps: int = 168) -> float:
    """Steps in which the gradient for the cell state of a fresh LSTM under white noise falls by e."""
    weights = {name: torch.zeros(shape) for name, shape in LSTM.shapes(1, hidden).items()}
    initialise(LSTM, weights, init, generator())
    report = gradient_by_lag(Stack(LSTM, [weights]), noise(8, steps, 1), summed)
    assert report.layers[0].half_life is not None
    return report.layers[0].half_life / math.log(2)


def test_the_default_of_pytorch_forgets_within_a_few_steps() -> None:
    assert efold("uniform") < 4


def test_chrono_initialisation_remembers_a_hundred_steps() -> None:
    assert efold("chrono:168") > 80


def test_orthogonal_initialisation_lies_between() -> None:
    assert 4 < efold("orthogonal") < 80


def test_every_lag_has_a_gradient_where_one_retained_on_the_fused_layer_has_the_origin_only() -> None:
    (weights,), x = random_layers(GRU, 1, 2, 3), noise(2, 30, 2)
    outputs, _ = fused(GRU, {name: tensor.requires_grad_() for name, tensor in weights.items()}, x)
    (retained,) = torch.autograd.grad(squared(outputs, slice(None)).sum(), outputs)
    assert not retained[:, :-1].any()
    assert (gradient_by_lag(Stack(GRU, [weights]), x, squared).layers[0].profile() > 0).all()


def test_a_lag_beyond_the_context_has_no_share() -> None:
    layer = linear(0.9).layers[0]
    assert layer.share_left(24) == pytest.approx(0.9**24)
    assert layer.share_left(168) is None


def test_a_lag_below_float_precision_is_gone() -> None:
    assert linear(0.5).layers[0].gone == 23 + 1  # float32's epsilon is 2^-23
    assert linear(0.9).layers[0].gone is None


def test_the_interval_of_a_share_holds_the_share() -> None:
    stack = Stack(GRU, random_layers(GRU, 1, 2, 3))
    layer = gradient_by_lag(stack, noise(12, 30, 2), squared).layers[0]
    low, high = layer.share_interval(7) or (math.nan, math.nan)
    assert low < (layer.share_left(7) or 0) < high


def test_a_handful_of_series_is_needed_for_an_interval() -> None:
    assert linear(0.9).layers[0].share_interval(1) is None
