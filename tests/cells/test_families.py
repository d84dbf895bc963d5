"""What sets each family of cells apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnncli.cells.eunn import ANGLES, turned
from rnncli.cells.lru import eigenvalues
from rnncli.cells.named import cell_named
from rnncli.layers.activation import relu, sigmoid
from rnncli.layers.unroll import unroll
from rnncli.nn.recurrent import fused
from rnncli.registry import CELLS
from tests.cells.begun import HIDDEN, INPUTS, QUERIED, begun, inputs, reached, response

RECURRENT = [name for name in CELLS if name not in ("fir", *QUERIED)]


def test_jordan_is_elman_where_its_output_is_its_state() -> None:
    cell, elman = cell_named("jordan"), cell_named("rnn")
    weights, x = begun(cell), inputs(2, 20)
    weights["weight_o"] = torch.eye(HIDDEN, dtype=torch.float64)
    shared = {name: weights[name] for name in elman.shapes(INPUTS, HIDDEN)}
    assert torch.allclose(unroll(cell, weights, x, None, torch)[0], unroll(elman, shared, x, None, torch)[0])


def test_jordan_is_not_elman_where_its_output_is_another_function_of_the_state() -> None:
    cell, elman = cell_named("jordan"), cell_named("rnn")
    weights, x = begun(cell), inputs(2, 20)
    shared = {name: weights[name] for name in elman.shapes(INPUTS, HIDDEN)}
    states = unroll(elman, shared, x, None, torch)[0]
    read_out = states @ weights["weight_o"].T + weights["bias_o"]
    ours = unroll(cell, weights, x, None, torch)[0]
    assert torch.allclose(ours[:, 0], read_out[:, 0])
    assert (ours[:, 1:] - read_out[:, 1:]).abs().amax(dim=(0, 2)).min() > 1e-3


def test_a_peephole_that_is_shut_leaves_the_lstm() -> None:
    cell, plain = cell_named("lstm-peephole"), cell_named("lstm")
    weights, x = begun(cell), inputs(2, 20)
    assert torch.allclose(unroll(cell, weights, x, None, torch)[0], unroll(plain, weights, x, None, torch)[0])
    weights["peephole_o"] += 0.5
    assert not torch.allclose(unroll(cell, weights, x, None, torch)[0], unroll(plain, weights, x, None, torch)[0])


def test_both_variants_of_the_lstm_at_once_are_the_coupled_one_where_no_gate_sees_the_memory() -> None:
    cell, coupled = cell_named("lstm-peephole-coupled"), cell_named("lstm-coupled")
    weights, x = begun(cell), inputs(2, 20)
    shared = {name: weights[name] for name in coupled.shapes(INPUTS, HIDDEN)}
    assert torch.allclose(unroll(cell, weights, x, None, torch)[0], unroll(coupled, shared, x, None, torch)[0])
    for gate in ("peephole_f", "peephole_o"):
        seen = weights | {gate: weights[gate] + 0.5}
        assert not torch.allclose(unroll(cell, seen, x, None, torch)[0], unroll(coupled, shared, x, None, torch)[0])


@pytest.mark.parametrize("name", ["lstm-coupled", "lstm-peephole-coupled"])
def test_the_coupled_lstm_keeps_its_memory_between_its_inputs(name: str) -> None:
    cell = cell_named(name)
    weights = {name: 20 * weight for name, weight in begun(cell).items()}
    state = unroll(cell, weights, inputs(4, 50), None, torch)[1]
    assert state[1].abs().max() <= 1


def test_mingru_equals_its_parallel_form() -> None:
    """h_t = A_t (h_0 + sum_s z_s n_s / A_s) with A_t the product of (1 - z): equation 6 of Heinsen 2023."""
    cell = cell_named("mingru")
    weights, x = begun(cell), inputs(3, 40)
    z, n = cell.project(weights, x, torch).chunk(2, dim=-1)
    z = sigmoid(z, torch)
    kept = torch.cumprod(1 - z, dim=1)
    parallel = kept * torch.cumsum(z * n / kept, dim=1)
    assert torch.allclose(fused(cell, weights, x)[0], parallel, atol=1e-10)


def test_each_unit_of_an_indrnn_is_an_elman_network_of_its_own() -> None:
    """Its recurrent matrix is diagonal: a unit hears of no other."""
    cell, elman = cell_named("indrnn"), cell_named("rnn")
    weights, x = begun(cell), inputs(3, 40)
    diagonal = {"weight_ih": weights["weight_ih"], "bias": weights["bias"], "weight_hh": torch.diag(weights["u"])}
    assert torch.allclose(fused(cell, weights, x)[0], fused(elman, diagonal, x)[0], atol=1e-12)


@pytest.mark.parametrize("memory", [12, 1000])
def test_units_of_an_indrnn_forget_over_up_to_the_memory_asked_for(memory: int) -> None:
    u = begun(cell_named("indrnn"), f"chrono:{memory}", hidden=400)["u"]
    steps = -1 / torch.log(u)
    assert 1 <= steps.min() < 0.05 * memory + 1
    assert 0.95 * memory < steps.max() <= memory
    free = begun(cell_named("indrnn"), "orthogonal", hidden=400)["u"]
    assert 0 <= free.min() < 0.02
    assert 0.98 < free.max() < 1


def test_lru_equals_its_convolution() -> None:
    """z_t = sum_s lambda^(t-s) exp(gamma) B x_s, and no step is carried along."""
    cell = cell_named("lru")
    weights, x = begun(cell), inputs(3, 40)
    u, v, s = cell.project(weights, x, torch).chunk(3, dim=-1)
    eigenvalue = torch.complex(*eigenvalues(weights, torch))
    lag = torch.arange(40)[:, None] - torch.arange(40)[None, :]
    powers = torch.where(lag[..., None] >= 0, eigenvalue ** lag.clamp(min=0)[..., None], 0)
    z = torch.einsum("tsh,bsh->bth", powers, torch.exp(weights["gamma"]) * torch.complex(u, v))
    y = z.real @ weights["weight_re"].T - z.imag @ weights["weight_im"].T + s
    h = y * torch.sigmoid(y @ weights["weight_g"].T + weights["bias_g"])
    assert torch.allclose(fused(cell, weights, x)[0], h, atol=1e-10)


def test_eigenvalues_of_the_lru_begin_in_a_disc_where_no_memory_is_asked_for() -> None:
    re, im = eigenvalues(begun(cell_named("lru"), "orthogonal", hidden=400), torch)
    radius = torch.hypot(re, im)
    assert 0.9 * np.exp(-1 / 100) < radius.max() <= np.exp(-1 / 100)
    assert abs(radius.square().mean() / np.exp(-2 / 100) - 0.5) < 0.1  # uniform over the disc's area


@pytest.mark.parametrize("memory", [12, 1000])
def test_units_of_the_lru_forget_over_up_to_the_memory_asked_for_and_turn_as_slowly(memory: int) -> None:
    re, im = eigenvalues(begun(cell_named("lru"), f"chrono:{memory}", hidden=400), torch)
    steps, turn = -1 / torch.log(torch.hypot(re, im)), 2 * np.pi / torch.atan2(im, re)
    assert 1 <= steps.min() < 0.1 * memory
    assert 0.9 * memory < steps.max() <= memory
    assert abs(steps.mean() / memory - 0.5) < 0.1
    assert 2 <= turn.min() < 2.2
    assert 1.8 * memory < turn.max() <= 2 * memory
    assert abs(turn.log2().mean() - np.log2(4 * memory) / 2) < 0.5  # as many in each octave


@pytest.mark.parametrize("init", ["orthogonal", "chrono:2", "chrono:200"])
def test_the_state_of_the_lru_begins_with_the_variance_of_its_input(init: str) -> None:
    weights = begun(cell_named("lru"), init, hidden=400)
    squared = torch.hypot(*eigenvalues(weights, torch)).square()
    assert torch.allclose(torch.exp(2 * weights["gamma"]) / (1 - squared), torch.ones(400, dtype=torch.float64))


def test_the_slstm_is_the_unstabilised_formula_of_its_paper() -> None:
    cell = cell_named("slstm")
    weights, x = begun(cell), inputs(2, 20)
    c = n = torch.zeros(2, HIDDEN, dtype=torch.float64)
    h, outputs = c, []
    for a in cell.project(weights, x, torch).unbind(1):
        i, f, z, o = (a + h @ weights["weight_hh"].T).chunk(4, dim=-1)
        i, f = torch.exp(i), torch.sigmoid(f)
        c, n = f * c + i * torch.tanh(z), f * n + i
        h = torch.sigmoid(o) * c / n
        outputs.append(h)
    assert torch.allclose(unroll(cell, weights, x, None, torch)[0], torch.stack(outputs, 1), atol=1e-10)


def test_the_slstm_stays_finite_where_the_unstabilised_formula_overflows() -> None:
    cell = cell_named("slstm")
    weights = {name: weight.float().numpy() for name, weight in begun(cell).items()}
    outputs, _ = unroll(cell, weights, 1e4 * inputs(2, 60).float().numpy())
    assert np.isfinite(outputs).all()
    assert np.abs(outputs).max() <= 1


@pytest.mark.parametrize(("name", "reach"), [("fir", 8), ("fir:2", 2), ("fir:24", 24)])
def test_the_response_of_fir_ends_with_its_reach(name: str, reach: int) -> None:
    cell = cell_named(name)
    weights = begun(cell)
    found = response(cell, weights, 30)
    assert (found[:reach] > 0).all()
    assert not found[reach:].any()


def test_dilated_and_stacked_the_response_of_fir_reaches_further_and_ends() -> None:
    x = torch.zeros(2, 200, INPUTS, dtype=torch.float64)
    x[1, 0] = 1
    for dilation in (1, 8):
        cell = cell_named(f"dilated:{dilation}:fir")
        weights = {name: torch.randn(shape, dtype=x.dtype) for name, shape in cell.shapes(x.shape[2], HIDDEN).items()}
        x, _ = fused(cell, weights, x)
    changed = (x[1] - x[0]).abs().amax(dim=1)
    assert changed[: 7 + 7 * 8 + 1].min() > 0
    assert not changed[7 + 7 * 8 + 1 :].any()


@pytest.mark.parametrize("name", RECURRENT)
def test_the_response_of_a_recurrent_cell_does_not_end(name: str) -> None:
    cell = cell_named(name)
    assert (response(cell, begun(cell), 60) > 0).all()


def test_fir_is_the_feed_forward_network_over_its_window() -> None:
    cell = cell_named("fir")
    weights, x = begun(cell), inputs(2, 30)
    padded = torch.cat([torch.zeros(2, 7, INPUTS, dtype=x.dtype), x], dim=1)
    window = padded.unfold(1, 8, 1).flip(-1)  # [B, T, I, lag], the newest first
    dense = weights["weight_ih"].reshape(8, HIDDEN, INPUTS).permute(1, 2, 0).reshape(HIDDEN, -1)
    expected = torch.tanh(window.reshape(2, 30, -1) @ dense.T + weights["bias_o"])
    assert torch.allclose(fused(cell, weights, x)[0], expected)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_tied_dense_layers_are_one_recurrent_layer_unrolled(activation: str) -> None:
    cell, steps = cell_named("rnn"), 9
    weights, x = begun(cell), inputs(4, steps)
    tied = torch.cat([weights["weight_ih"], weights["weight_hh"]], dim=1)
    h = torch.zeros(4, HIDDEN, dtype=torch.float64)
    for layer in range(steps):  # each a dense layer of the one before and of an input of its own
        a = torch.nn.functional.linear(torch.cat([x[:, layer], h], dim=1), tied, weights["bias"])
        h = torch.tanh(a) if activation == "tanh" else relu(a, torch)
    assert torch.allclose(fused(cell, weights, x, activation=activation)[0][:, -1], h)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "slstm"])
def test_a_layer_of_dilation_d_reaches_d_times_further(name: str) -> None:
    plain, wide = cell_named(name), cell_named(f"dilated:6:{name}")
    weights = {key: 0.7 * weight for key, weight in begun(plain).items()}
    near, far = reached(plain, weights, 10), reached(wide, weights, 60)
    lasting = (near[:9] / near[0], far[: 6 * 9 : 6] / far[0])
    fade = [np.polyfit(np.arange(9), np.log(left), 1)[0] for left in lasting]
    assert not far[1:6].any()
    assert 0.5 < fade[0] / fade[1] < 2  # as much is left after 6 k steps as after k


def test_the_recurrence_of_an_eunn_is_orthogonal_whatever_its_angles_are() -> None:
    weights = {name: 3 * weight for name, weight in begun(cell_named("eunn"), hidden=7).items()}
    turning = torch.eye(7, dtype=torch.float64)
    for name in ANGLES:
        turning = turned(turning, weights[name], torch)
    assert torch.allclose(turning @ turning.T, torch.eye(7, dtype=torch.float64), atol=1e-12)
    assert (turning.abs() > 1e-3).sum() > 3 * 7  # it mixes units


def test_what_an_eunn_remembers_of_a_long_past_does_not_fade_where_it_is_linear() -> None:
    cell = cell_named("eunn")
    weights, x = begun(cell), 0.001 * inputs(1, 400)
    x.requires_grad_()
    outputs = unroll(cell, weights, x, None, torch, activation="linear")[0]
    (gradient,) = torch.autograd.grad(outputs[:, -1, 0].sum(), x)
    norms = gradient[0].norm(dim=1)
    assert 0.2 < norms[:40].mean() / norms[-40:].mean() < 5


def test_a_decaying_jordan_network_that_keeps_nothing_is_jordans() -> None:
    cell, plain = cell_named("jordan-decaying"), cell_named("jordan")
    weights, x = begun(cell), inputs(2, 20)
    weights["decay"].fill_(-1e3)
    shared = {name: weights[name] for name in plain.shapes(INPUTS, HIDDEN)}
    assert torch.allclose(unroll(cell, weights, x, None, torch)[0], unroll(plain, shared, x, None, torch)[0])


@pytest.mark.parametrize("memory", [12, 1000])
def test_state_units_of_a_decaying_jordan_network_forget_over_up_to_the_memory_asked_for(memory: int) -> None:
    decay = begun(cell_named("jordan-decaying"), f"chrono:{memory}", hidden=400)["decay"]
    steps = -1 / torch.log(torch.sigmoid(decay))
    assert 1 <= steps.min() < 0.05 * memory + 1
    assert 0.95 * memory < steps.max() <= memory * (1 + 1e-9)
