"""What every registered cell keeps to, and every one that is dilated, or convolved."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnncli.cells.cell import Cell
from rnncli.cells.named import cell_named
from rnncli.layers.unroll import unroll
from rnncli.nn.recurrent import fused
from rnncli.registry import CELLS

INPUTS, HIDDEN, STEPS, SERIES = 5, 6, 11, 9
GRID = 3, 4  # of cells that are convolved
WITH_ACTIVATION = [name for name in CELLS if cell_named(name).activations]
KINDS = [(name, "tanh") for name in CELLS] + [(name, "relu") for name in WITH_ACTIVATION]
KINDS += [
    (name, "tanh")
    for name in ("dilated:3:lstm", "dilated:4:slstm", "dilated:2:fir", "dilated:20:rnn", "fir:3", "dilated:2:fir:4")
]
KINDS += [(f"conv:3:{name}", "tanh") for name in CELLS] + [
    ("conv:1x3/2:rnn", "relu"),
    ("dilated:3:conv:3+2:lstm", "tanh"),
]
MODULES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
every_cell = pytest.mark.parametrize(("name", "activation"), KINDS)
precisions = pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 1e-5)])


def make(name: str, dtype: torch.dtype = torch.float64, seed: int = 0) -> tuple[Cell, dict[str, Tensor], Tensor]:
    cell = cell_named(name)
    generator = torch.Generator().manual_seed(seed)
    shapes = cell.shapes(INPUTS, HIDDEN)
    weights = {
        key: 0.5 / (shape[1] if len(shape) > 2 else 1) * torch.randn(shape, generator=generator, dtype=dtype)
        for key, shape in shapes.items()
    }
    return cell, weights, torch.randn(*inputs_of(cell, SERIES, STEPS), generator=generator, dtype=dtype)


def inputs_of(cell: Cell, series: int, steps: int) -> tuple[int, ...]:
    """The shape of the inputs of so many sequences of so many steps."""
    return series, steps, *(GRID if cell.kernel else ()), INPUTS


def outputs_of(cell: Cell) -> tuple[int, ...]:
    """The shape of each part of a state."""
    return SERIES, *(cell.kernel.grid(*GRID) if cell.kernel else ()), HIDDEN


def some_state(cell: Cell, weights: dict[str, Tensor], x: Tensor) -> tuple[Tensor, ...]:
    """A state that the cell gets into: not every tuple of arrays is one."""
    generator = torch.Generator().manual_seed(1)
    before = torch.randn(*inputs_of(cell, len(x), 3), generator=generator, dtype=x.dtype)
    with torch.no_grad():
        return unroll(cell, weights, before, None, torch)[1]


def in_numpy(tensors: dict[str, Tensor]) -> dict[str, Any]:
    return {key: tensor.numpy() for key, tensor in tensors.items()}


def module_of(name: str, activation: str, weights: dict[str, Tensor]) -> nn.Module:
    """PyTorch's own layer with the same weights, all bias in the first of its two."""
    options = {"nonlinearity": activation} if name == "rnn" else {}
    layer: nn.Module = MODULES[name](INPUTS, HIDDEN, batch_first=True, dtype=weights["bias"].dtype, **options)
    second = torch.zeros_like(weights["bias"])
    if "bias_hn" in weights:
        second[-HIDDEN:] = weights["bias_hn"]
    with torch.no_grad():
        for target, value in zip(layer.parameters(), (*list(weights.values())[:3], second), strict=True):
            target.copy_(value)
    return layer


def largest(a: Any, b: Any) -> float:
    return float(np.abs(np.asarray(a) - np.asarray(b)).max())


@precisions
@every_cell
def test_the_formula_equals_the_layer_of_pytorch(
    name: str, activation: str, dtype: torch.dtype, tolerance: float
) -> None:
    if name not in MODULES:
        pytest.skip("PyTorch has no such layer")
    cell, weights, x = make(name, dtype)
    outputs, state = unroll(cell, weights, x, None, torch, activation=activation)
    with torch.no_grad():
        expected, after = module_of(name, activation, weights)(x)
    assert largest(outputs, expected) < tolerance
    for part, theirs in zip(state, after if isinstance(after, tuple) else (after,), strict=True):
        assert largest(part, theirs[0]) < tolerance


@precisions
@every_cell
def test_the_fused_kernel_equals_the_formula_from_any_state(
    name: str, activation: str, dtype: torch.dtype, tolerance: float
) -> None:
    cell, weights, x = make(name, dtype)
    state = some_state(cell, weights, x)
    ours, after = unroll(cell, weights, x, state, torch, activation=activation)
    theirs, last = fused(cell, weights, x, state, activation)
    assert largest(ours, theirs) < tolerance
    assert all(largest(a, b) < tolerance for a, b in zip(after, last, strict=True))


@precisions
@every_cell
def test_the_fused_kernel_has_the_gradients_of_the_formula(
    name: str, activation: str, dtype: torch.dtype, tolerance: float
) -> None:
    cell, weights, x = make(name, dtype)
    leaves = [*weights.values(), x, *some_state(cell, weights, x)]
    for leaf in leaves:
        leaf.requires_grad_()

    def gradients(found: tuple[Tensor, tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        outputs, last = found
        loss = outputs.square().mean() + sum(part.square().mean() for part in last if part.abs().max() < 1e6)
        return torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)

    state = tuple(leaves[len(weights) + 1 :])
    ours = gradients(unroll(cell, weights, x, state, torch, activation=activation))
    theirs = gradients(fused(cell, weights, x, state, activation))
    assert all(largest(a, b) < tolerance for a, b in zip(ours, theirs, strict=True))


@every_cell
def test_the_step_is_differentiable_as_finite_differences_say(name: str, activation: str) -> None:
    cell, weights, x = make(name)
    inputs = [tensor.requires_grad_() for tensor in (*weights.values(), x[:2, 0], *some_state(cell, weights, x[:2]))]

    def step(*values: Tensor) -> tuple[Tensor, ...]:
        values_by_name = dict(zip(weights, values, strict=False))
        rest = values[len(weights) :]
        return cell.step(values_by_name, rest[0], rest[1:], torch, activation)[1]

    assert torch.autograd.gradcheck(step, inputs, fast_mode=True)


@every_cell
def test_shapes_of_weights_state_and_output_are_as_declared(name: str, activation: str) -> None:
    cell, weights, x = make(name)
    around = [(side, side) for side in (cell.kernel.input, cell.kernel.state)] if cell.kernel else [(), ()]
    assert weights["weight_ih"].shape == (cell.gates * HIDDEN, *around[0], INPUTS)
    assert cell.hidden(weights) == HIDDEN
    if cell.recurrent:
        assert weights["weight_hh"].shape == (cell.gates * HIDDEN, *around[1], HIDDEN)
    output, state = cell.step(weights, x[:, 0], cell.zero_state(x, HIDDEN, torch), torch, activation)
    assert output.shape == outputs_of(cell)
    assert [part.shape for part in state] == [outputs_of(cell)] * len(cell.state_names)


@every_cell
def test_a_sequence_cut_in_two_with_its_state_carried_gives_the_same_bits(name: str, activation: str) -> None:
    cell, weights, x = make(name, torch.float32)
    arrays, series = in_numpy(weights), x.numpy()
    whole, last = unroll(cell, arrays, series, activation=activation)
    first, carried = unroll(cell, arrays, series[:, :4], activation=activation)
    second, after = unroll(cell, arrays, series[:, 4:], carried, activation=activation)
    assert np.array_equal(whole, np.concatenate([first, second], axis=1))
    assert all(np.array_equal(a, b) for a, b in zip(last, after, strict=True))


@every_cell
def test_steps_taken_one_by_one_give_the_bits_of_the_unroll(name: str, activation: str) -> None:
    cell, weights, x = make(name, torch.float32)
    arrays, series = in_numpy(weights), x.numpy()
    state = cell.zero_state(series, HIDDEN, np)
    outputs = []
    for t in range(STEPS):
        output, state = cell.step(arrays, series[:, t], state, np, activation)
        outputs.append(output)
    assert np.array_equal(np.stack(outputs, axis=1), unroll(cell, arrays, series, activation=activation)[0])


@every_cell
def test_numpy_equals_torch(name: str, activation: str) -> None:
    cell, weights, x = make(name, torch.float32)
    ours = unroll(cell, in_numpy(weights), x.numpy(), activation=activation)[0]
    assert ours.dtype == np.float32
    assert largest(ours, fused(cell, weights, x, activation=activation)[0]) < 1e-5


@every_cell
def test_a_series_has_the_same_bits_in_any_company(name: str, activation: str) -> None:
    cell, weights, x = make(name, torch.float32)
    arrays, series = in_numpy(weights), x.numpy()[0]
    alone = unroll(cell, arrays, series[None], activation=activation)[0][0]
    random = np.random.default_rng(0)
    for size in (*range(1, 18), 33):
        company = random.standard_normal(inputs_of(cell, size, STEPS), dtype=np.float32)
        company[size // 2] = series
        assert np.array_equal(unroll(cell, arrays, company, activation=activation)[0][size // 2], alone)


@every_cell
def test_a_series_has_the_same_bits_at_any_position(name: str, activation: str) -> None:
    cell, weights, x = make(name, torch.float32)
    arrays, series = in_numpy(weights), x.numpy()[0]
    alone = unroll(cell, arrays, series[None], activation=activation)[0][0]
    company = np.random.default_rng(0).standard_normal(inputs_of(cell, 20, STEPS), dtype=np.float32)
    for position in range(20):
        placed = company.copy()
        placed[position] = series
        assert np.array_equal(unroll(cell, arrays, placed, activation=activation)[0][position], alone)


@every_cell
def test_padding_on_the_right_changes_nothing_before_it(name: str, activation: str) -> None:
    cell, weights, x = make(name)
    padded = torch.cat([x, 100 * torch.ones(inputs_of(cell, SERIES, 3), dtype=x.dtype)], dim=1)
    with_padding, without = (fused(cell, weights, data, None, activation)[0] for data in (padded, x))
    assert largest(with_padding[:, :STEPS], without) < 1e-12
    unrolled = unroll(cell, weights, padded, None, torch, activation=activation)[0]
    assert largest(unrolled[:, :STEPS], without) < 1e-12


@every_cell
def test_gates_can_be_traced_and_lie_between_0_and_1(name: str, activation: str) -> None:
    cell, weights, x = make(name, torch.float32)
    state = cell.zero_state(x, HIDDEN, torch)
    for projected in cell.project(weights, x.swapaxes(0, 1), torch):
        state, gates = cell.advance(weights, projected, state, torch, activation)
        assert set(gates) <= set(cell.gate_names) | {"g"}
        assert bool(gates) == (not cell.activations)
        for gate in gates.values():
            assert gate.shape == outputs_of(cell)
            assert 0 <= gate.min() <= gate.max() <= 1


@every_cell
def test_a_step_does_not_depend_on_what_comes_after_it(name: str, activation: str) -> None:
    cell, weights, x = make(name)
    inputs = x.requires_grad_()
    outputs, _ = fused(cell, weights, inputs, activation=activation)
    (reached,) = torch.autograd.grad(outputs[:, 5].sum(), inputs)
    assert not reached[:, 6:].any()
    assert reached[:, 5].any()


@every_cell
def test_no_input_however_large_overflows(name: str, activation: str) -> None:
    cell, weights, _ = make(name, torch.float32)
    large = np.full(inputs_of(cell, 1, 2), 1e30, np.float32)
    outputs, _ = unroll(cell, in_numpy(weights), large, activation=activation)
    assert np.isfinite(outputs).all()


def test_the_gates_of_each_cell_are_in_the_order_of_pytorch() -> None:
    orders = {name: cell_named(name).gate_names for name in ("lstm", "gru")}
    assert orders == {"lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}


def test_the_activations_of_the_elman_network_differ() -> None:
    cell, weights, x = make("rnn")
    runs = [unroll(cell, weights, x, None, torch, activation=f)[0] for f in ("tanh", "relu", "linear")]
    assert all(not torch.equal(a, b) for a, b in itertools.combinations(runs, 2))


@pytest.mark.parametrize("name", [*CELLS, "fir:3"])
def test_a_step_reads_what_is_carried_and_no_more(name: str) -> None:
    cell, weights, x = make(name)
    state = some_state(cell, weights, x)
    for part in state:
        part.requires_grad_()
    after = cell.step(weights, x[:, 0], state, torch)[1]
    total = sum(part.sum() for part in after if part.abs().max() < 1e6)
    read = [gradient is not None for gradient in torch.autograd.grad(total, state, allow_unused=True)]
    assert read == [place >= cell.said for place in range(len(state))]
    assert sum(read) == cell.carried
