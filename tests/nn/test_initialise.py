"""How weights begin."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rnncli.cells.named import cell_named
from rnncli.errors import UsageError
from rnncli.nn.initialise import initialise
from rnncli.nn.recurrent import fused
from rnncli.registry import CELLS
from rnncli.spec import initialisation

HIDDEN = 16


def begin(cell_name: str, init: str, seed: int = 0) -> dict[str, Tensor]:
    cell = cell_named(cell_name)
    weights = {name: torch.full(shape, math.nan) for name, shape in cell.shapes(5, HIDDEN).items()}
    initialise(cell, weights, init, torch.Generator().manual_seed(seed))
    return weights


def gates(weights: dict[str, Tensor], name: str = "bias") -> tuple[Tensor, ...]:
    return torch.split(weights[name], HIDDEN)


every_cell = pytest.mark.parametrize("cell_name", list(CELLS))


@every_cell
@pytest.mark.parametrize("init", ["orthogonal", "chrono:24", "identity", "irnn", "uniform"])
def test_every_weight_is_set_and_the_seed_decides(cell_name: str, init: str) -> None:
    first, again, other = begin(cell_name, init), begin(cell_name, init), begin(cell_name, init, seed=1)
    assert all(torch.isfinite(weight).all() for weight in first.values())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@every_cell
@pytest.mark.parametrize("init", ["orthogonal", "chrono:24"])
def test_each_recurrent_block_is_orthogonal(cell_name: str, init: str) -> None:
    weights = begin(cell_name, init)
    for block in gates(weights, "weight_hh") if "weight_hh" in weights else ():
        assert torch.allclose(block @ block.T, torch.eye(HIDDEN), atol=1e-5)


@every_cell
def test_input_blocks_are_glorot_uniform_for_each_gate(cell_name: str) -> None:
    cell = cell_named(cell_name)
    bound = math.sqrt(6 / (5 + HIDDEN) / (cell.gates if cell.added else 1))
    for block in gates(begin(cell_name, "orthogonal"), "weight_ih"):
        assert 0.9 * bound < block.abs().max() <= bound


@pytest.mark.parametrize("cell_name", ["rnn", "fir", "fir:48"])
def test_the_activation_of_a_cell_without_gates_begins_unsaturated(cell_name: str) -> None:
    cell = cell_named(cell_name)
    weights = {name: torch.zeros(shape) for name, shape in cell.shapes(32, 32).items()}
    initialise(cell, weights, "orthogonal", torch.Generator().manual_seed(0))
    noise = torch.randn(8, 100, 32, generator=torch.Generator().manual_seed(1))
    outputs, _ = fused(cell, weights, noise)
    assert 0.5 < outputs[:, 50:].std() < 0.9  # 0.63 for tanh of a standard normal number


def test_the_forget_gate_of_an_lstm_begins_open() -> None:
    i, f, g, o = gates(begin("lstm", "orthogonal"))
    assert torch.equal(f, torch.ones(HIDDEN))
    assert not (i.any())
    assert not (g.any())
    assert not (o.any())


def test_the_biases_of_a_gru_begin_at_zero() -> None:
    weights = begin("gru", "orthogonal")
    assert not (weights["bias"].any())
    assert not (weights["bias_hn"].any())


def test_chrono_gives_an_lstm_memories_of_up_to_t_steps() -> None:
    i, f, g, o = gates(begin("lstm", "chrono:168"))
    assert 0 <= f.min() < math.log(40)
    assert math.log(100) < f.max() <= math.log(167)
    assert torch.equal(i, -f)
    assert not (g.any())
    assert not (o.any())


def test_chrono_lets_the_update_gate_of_a_gru_keep_the_state() -> None:
    r, z, n = gates(begin("gru", "chrono:168"))
    assert z.min() >= 0
    assert z.max() > math.log(100)
    assert not (r.any())
    assert not (n.any())


@pytest.mark.parametrize("cell_name", ["mgu", "mingru"])
def test_chrono_shuts_the_gate_that_lets_new_values_in(cell_name: str) -> None:
    let_in, *others = gates(begin(cell_name, "chrono:168"))
    assert -math.log(167) <= let_in.min() < -math.log(40)
    assert not any(part.any() for part in others)


def test_chrono_of_a_dilated_cell_counts_the_steps_of_the_cell() -> None:
    forget = gates(begin("dilated:24:lstm", "chrono:168"))[1]
    assert forget.max() <= math.log(168 / 24 - 1)


@pytest.mark.parametrize("cell_name", ["lstm", "lstm-peephole", "lstm-coupled", "lstm-peephole-coupled", "slstm"])
def test_a_forget_gate_begins_open_in_every_lstm(cell_name: str) -> None:
    cell = cell_named(cell_name)
    assert cell.keep_gate is not None
    assert gates(begin(cell_name, "orthogonal"))[cell.keep_gate].eq(1).all()


def test_chrono_leaves_a_cell_without_gates_orthogonal() -> None:
    ours, orthogonal = begin("rnn", "chrono:168"), begin("rnn", "orthogonal")
    assert all(torch.equal(ours[name], orthogonal[name]) for name in ours)


def test_identity_is_the_identity() -> None:
    assert torch.equal(begin("rnn", "identity")["weight_hh"], torch.eye(HIDDEN))


def test_an_irnn_begins_as_published() -> None:
    weights = begin("rnn", "irnn")
    assert torch.equal(weights["weight_hh"], torch.eye(HIDDEN))
    assert 0.0005 < weights["weight_ih"].std() < 0.002
    assert not weights["bias"].any()


def test_uniform_keeps_to_the_bound_of_pytorch() -> None:
    for weight in begin("lstm", "uniform").values():
        assert 0.2 < weight.abs().max() <= 1 / math.sqrt(HIDDEN)


@pytest.mark.parametrize("init", ["", "chron", "chrono", "chrono:", "chrono:x", "chrono:1", "chrono:nan", "chrono:inf"])
def test_a_scheme_that_is_none_is_refused(init: str) -> None:
    with pytest.raises(UsageError):
        initialisation(init)


@pytest.mark.parametrize("init", ["uniform:3", "orthogonal:", "chrono:STEPS"])
def test_a_number_where_none_belongs_is_refused(init: str) -> None:
    with pytest.raises(UsageError):
        initialisation(init)


def test_the_shortest_chrono_memory_is_two_steps() -> None:
    assert initialisation("chrono:2") == ("chrono", 2.0)
    assert gates(begin("lstm", "chrono:2"))[1].abs().max() < 1e-5
