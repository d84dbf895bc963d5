"""Lyapunov spectra and Jacobians, against what is known exactly and what was published."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.cells.named import cell_named
from rnncli.diagnostics.dynamics import LayerDynamics, layer_dynamics, spectrum, step_jacobians
from rnncli.diagnostics.unrolling import Stack, paths

RNN, LSTM, GRU = (cell_named(name) for name in ("rnn", "lstm", "gru"))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(rows: int, steps: int, inputs: int) -> Tensor:
    return torch.randn(rows, steps, inputs, generator=generator(1), dtype=torch.float64)


def zeros(cell: Cell, inputs: int, hidden: int) -> dict[str, Tensor]:
    return {name: torch.zeros(shape, dtype=torch.float64) for name, shape in cell.shapes(inputs, hidden).items()}


def dynamics(stack: Stack, x: Tensor, index: int = 0, exponents: int | None = None) -> LayerDynamics:
    _, along = paths(stack, x)
    return layer_dynamics(stack, along[index], np.arange(len(x)), exponents)


@pytest.mark.parametrize("rho", [0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 1.5])
def test_every_exponent_of_a_scaled_rotation_is_the_logarithm_of_the_scale(rho: float) -> None:
    weights = zeros(RNN, 2, 8)
    torch.nn.init.orthogonal_(weights["weight_hh"], gain=rho, generator=generator())
    weights["weight_ih"].fill_(0.1)
    found = dynamics(Stack(RNN, [weights], "linear"), noise(3, 80, 2))
    assert found.exponents.shape == (3, 8)
    assert np.abs(found.exponents - math.log(rho)).max() < 0.005
    assert np.allclose(found.singular, rho)
    assert (found.radius, found.gain) == (pytest.approx(rho), pytest.approx(rho))


def test_the_exponents_of_a_diagonal_network_are_the_logarithms_of_its_entries() -> None:
    weights, entries = zeros(RNN, 1, 3), torch.tensor([0.3, 0.9, 0.6], dtype=torch.float64)
    weights["weight_hh"] = torch.diag(entries)
    found = dynamics(Stack(RNN, [weights], "linear"), noise(2, 400, 1))
    assert np.allclose(found.spectrum, np.log([0.9, 0.6, 0.3]), atol=0.01)
    assert found.slots(5) == 1  # only 0.9 keeps more than 1 / e over 5 steps


@pytest.mark.parametrize("name", ["slstm", "mlstm"])
@pytest.mark.parametrize("exponents", [2, None])
def test_a_state_that_begins_empty_fades_as_its_forget_gate_says(name: str, exponents: int | None) -> None:
    cell, hidden = cell_named(name), 8
    weights = zeros(cell, 1, hidden)
    for gate, bias in (("i", 0.0), ("f", 2.0)):
        place = cell.gate_names.index(gate)
        weights["bias"][place * hidden : (place + 1) * hidden] = bias
    found = dynamics(Stack(cell, [weights]), noise(2, 60, 1), exponents=exponents)
    assert found.exponents[:, 0] == pytest.approx(math.log(1 / (1 + math.exp(-2))), abs=1e-4)


def test_the_memory_of_an_lstm_with_fixed_gates_is_its_forget_gate() -> None:
    weights = zeros(LSTM, 1, 1)
    weights["bias"][:] = torch.tensor([-40.0, 2.0, 0.5, -0.4])  # nothing enters: the memory cell stays 0
    found = dynamics(Stack(LSTM, [weights]), noise(2, 60, 1))
    assert found.largest == pytest.approx(math.log(1 / (1 + math.exp(-2.0))), abs=1e-9)
    assert found.memory == pytest.approx(-1 / found.largest)


def random_network(gain: float, hidden: int, seed: int = 0) -> Stack:
    """Independent Gaussian weights of standard deviation gain / sqrt(hidden), and no inputs but a first push."""
    weights = zeros(RNN, 1, hidden)
    weights["weight_hh"].normal_(0, gain / math.sqrt(hidden), generator=generator(seed))
    weights["weight_ih"].normal_(0, 1, generator=generator(seed + 1))
    return Stack(RNN, [weights])


def pushed(steps: int) -> Tensor:
    x = torch.zeros(1, steps, 1, dtype=torch.float64)
    x[:, 0] = 1.0
    return x


@pytest.mark.parametrize("gain", [0.5, 0.8])
def test_a_random_network_of_a_gain_below_1_is_stable(gain: float) -> None:
    """Sompolinsky, Crisanti & Sommers (1988): around 0 the spectral radius is the gain."""
    found = dynamics(random_network(gain, 128), pushed(200), exponents=1)
    assert found.largest < 0
    assert found.largest == pytest.approx(math.log(gain), abs=0.06)


def mean_field(gain: float) -> float:
    """The largest exponent of an infinite one: log(gain^2 <sech^4>) / 2, the mean being over a Gaussian of variance
    q = gain^2 <tanh^2> (Molgedey, Schuchhardt & Schuster 1992, for steps in discrete time as here).
    """
    z = np.linspace(-10, 10, 20001)
    weights, q = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum(), 1.0
    for _ in range(500):
        q = gain**2 * (weights * np.tanh(np.sqrt(q) * z) ** 2).sum()
    return float(np.log(gain**2 * (weights * (1 - np.tanh(np.sqrt(q) * z) ** 2) ** 2).sum()) / 2)


@pytest.mark.parametrize("gain", [3.0, 8.0])
def test_a_random_network_of_a_gain_above_1_is_chaotic_as_published(gain: float) -> None:
    found = dynamics(random_network(gain, 128), pushed(300), exponents=1)
    assert found.largest > 0
    assert found.largest == pytest.approx(mean_field(gain), rel=0.1)  # of 128 units


@pytest.mark.parametrize("cell", [RNN, LSTM, GRU], ids=lambda cell: cell.name)
def test_jacobians_equal_finite_differences(cell: Cell) -> None:
    hidden, parts = 3, len(cell.state_names)
    weights = {
        name: 0.6 * torch.randn(shape, generator=generator(), dtype=torch.float64)
        for name, shape in cell.shapes(2, hidden).items()
    }
    a = torch.randn(4, cell.gates * hidden, generator=generator(2), dtype=torch.float64)
    state = torch.randn(parts, 4, hidden, generator=generator(3), dtype=torch.float64)

    def after(before: Tensor) -> Tensor:
        return torch.cat(cell.advance(weights, a, tuple(before), torch, "tanh")[0], dim=1)

    columns = []
    for part in range(parts):
        for unit in range(hidden):
            shift = torch.zeros_like(state)
            shift[part, :, unit] = 1e-6
            columns.append((after(state + shift) - after(state - shift)) / 2e-6)
    expected = torch.stack(columns, dim=2)
    assert torch.allclose(step_jacobians(cell, weights, a, state), expected, atol=1e-8)


def test_in_gated_cells_the_recurrent_matrix_has_no_radius() -> None:
    found = dynamics(Stack(GRU, [zeros(GRU, 1, 4)]), noise(2, 20, 1))
    assert (found.radius, found.gain) == (None, None)


@pytest.mark.parametrize("name", ["lstm", "gru", "lru", "slstm", "mlstm", "mamba", "grud"])
def test_exponents_are_the_same_with_jacobians_and_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = cell_named(name)
    generator = torch.Generator().manual_seed(0)
    weights = {
        n: 0.5 * torch.randn(shape, generator=generator, dtype=torch.float64) for n, shape in cell.shapes(3, 5).items()
    }
    data = torch.randn(2, 30, 3, generator=generator, dtype=torch.float64)
    (path,) = paths(Stack(cell, [weights]), data)[1]
    found = []
    for few in (0, 1000):
        monkeypatch.setattr("rnncli.diagnostics.dynamics.FEW", few)
        found.append(spectrum(cell, path, "tanh", 2))
    np.testing.assert_allclose(found[0], found[1], atol=1e-12)
