"""Cells whose memory is asked by the present input: the mLSTM, and the selective state space."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnncli.cells.named import cell_named
from rnncli.layers.unroll import unroll
from rnncli.nn.initialise import initialise
from rnncli.nn.recurrent import fused
from tests.cells.begun import HIDDEN, INPUTS, QUERIED, begun, inputs, reached, response


@pytest.mark.parametrize("name", QUERIED)
def test_what_a_queried_memory_answers_depends_on_all_that_came(name: str) -> None:
    cell = cell_named(name)
    assert (reached(cell, begun(cell), 60) > 0).all()
    assert not response(cell, begun(cell), 60)[1:].any()


def mlstm_of_the_paper(inputs_of_gates: Tensor, heads: int) -> Tensor:
    """Equations 19 to 27 of Beck et al. 2024 without a stabiliser, but for the bound of 1/4.

    For i, f [T, heads], q, k, v, o [T, heads, d]: h [T, heads d].
    """
    i, f, q, k, v, o = inputs_of_gates.unbind(0)
    steps, size = len(i), i.shape[1] // heads
    outputs = torch.zeros(steps, heads, size, dtype=i.dtype)
    for head in range(heads):
        own = slice(head, None, heads)
        memory, normaliser = torch.zeros(size, size, dtype=i.dtype), torch.zeros(size, dtype=i.dtype)
        most = torch.tensor(-torch.inf, dtype=i.dtype)  # equation 15
        for t in range(steps):
            key, value, query = k[t, own] / size**0.5, v[t, own], q[t, own]
            let_in, kept = torch.exp(i[t, head]), torch.sigmoid(f[t, head])
            memory = kept * memory + let_in * torch.outer(value, key)
            normaliser = kept * normaliser + let_in * key
            most = torch.maximum(torch.log(kept) + most, i[t, head])
            least = max(1.0, float(torch.exp(most)) / 4)
            found = memory @ query / torch.clamp(torch.abs(normaliser @ query), min=least)
            outputs[t, head] = torch.sigmoid(o[t, own]) * found
    return outputs.transpose(1, 2).flatten(1)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_the_mlstm_whose_heads_share_gates_is_that_of_its_paper(scale: float) -> None:
    cell, heads = cell_named("mlstm"), 2
    weights, x = begun(cell), scale * inputs(1, 40)
    by_gate = weights["weight_ih"].view(cell.gates, HIDDEN, INPUTS)
    by_gate[:2] = by_gate[:2, :heads].repeat(1, HIDDEN // heads, 1)
    a = cell.project(weights, x[0], torch).view(40, cell.gates, HIDDEN).transpose(0, 1)
    expected = mlstm_of_the_paper(a, heads)
    assert torch.allclose(unroll(cell, weights, x, None, torch)[0][0], expected, atol=1e-10)
    assert torch.allclose(fused(cell, weights, x)[0][0], expected, atol=1e-10)


@pytest.mark.parametrize("name", QUERIED)
@pytest.mark.parametrize("hidden", [1, 5, 8])
def test_a_width_that_fills_no_group_of_units_is_a_width(name: str, hidden: int) -> None:
    cell = cell_named(name)
    weights, x = begun(cell, hidden=hidden), inputs(2, 12)
    outputs = unroll(cell, weights, x, None, torch)[0]
    assert outputs.abs().amax(dim=(0, 1)).min() > 0
    assert torch.allclose(fused(cell, weights, x)[0], outputs, atol=1e-12)


def test_a_matrix_memory_gives_back_by_its_key_what_was_stored() -> None:
    """Four values under four keys that stand at right angles, and then each key as the query."""
    cell, size, never = cell_named("mlstm"), 4, -1e3
    keys = 2 * torch.eye(size, dtype=torch.float64)
    values = torch.tensor([[0.3, -0.7, 0.2, 0.9], [-0.1, 0.4, 0.8, -0.6], [0.5, 0.5, -0.5, 0.1], [1, -1, 0, 2.0]])
    asked = torch.zeros(1, 2 * size, cell.gates, size, dtype=torch.float64)
    asked[0, :size, 3], asked[0, :size, 4] = keys, values.double()
    asked[0, size:, 2] = keys
    asked[0, size:, 0] = never  # nothing more comes in
    asked[..., (1, 5), :] = -never  # all is kept, and shown
    weights = {"weight_ih": torch.eye(cell.gates * size, dtype=torch.float64)}
    weights["bias"] = torch.zeros(cell.gates * size, dtype=torch.float64)
    outputs = fused(cell, weights, asked.flatten(2))[0][0, size:]
    assert torch.allclose(outputs, values.double(), atol=1e-6)


def s6_of_the_paper(weights: dict[str, Tensor], projected: Tensor, size: int) -> Tensor:
    """Equations 2 and 4 of Gu & Dao 2023, channel after channel, for x, Delta, B, C, z [5, T, H]: y [T, H]."""
    x, dt, into, out, z = projected.unbind(0)
    steps, hidden = x.shape
    y, one = torch.zeros(steps, hidden, dtype=x.dtype), torch.eye(size, dtype=x.dtype)
    for channel in range(hidden):
        own = slice(channel % (hidden // size), None, hidden // size)
        rates = -torch.stack([torch.exp(weights[f"log_a{n}"][channel]) for n in range(1, size + 1)])
        h = torch.zeros(size, dtype=x.dtype)
        for t in range(steps):
            step = torch.log(1 + torch.exp(dt[t, channel])) * torch.diag(rates)  # Delta A
            kept = torch.matrix_exp(step)
            held = torch.linalg.solve(step, kept - one) @ (step @ torch.tanh(into[t, own]) / rates)
            h = kept @ h + held * x[t, channel]
            passed = torch.dot(torch.tanh(out[t, own]), h) + weights["skip"][channel] * x[t, channel]
            y[t, channel] = passed * torch.sigmoid(z[t, channel])
    return y


def test_mamba_is_the_selective_recurrence_of_its_paper() -> None:
    cell, hidden, size = cell_named("mamba"), 16, 8
    weights, x = begun(cell, hidden=hidden), 2 * inputs(1, 30)
    weights["bias"] += 0.5 * torch.randn(5 * hidden, generator=torch.Generator().manual_seed(2), dtype=x.dtype)
    projected = cell.project(weights, x[0], torch).view(30, 5, hidden).transpose(0, 1)
    expected = s6_of_the_paper(weights, projected, size)
    assert torch.allclose(unroll(cell, weights, x, None, torch)[0][0], expected, atol=1e-10)
    assert torch.allclose(fused(cell, weights, x)[0][0], expected, atol=1e-10)


def test_stacked_outputs_of_mamba_grow_as_its_inputs_do() -> None:
    x, sizes = 10 * inputs(4, 60), []
    for layer in range(4):
        cell = cell_named("mamba")
        weights = {name: torch.zeros(shape, dtype=x.dtype) for name, shape in cell.shapes(x.shape[2], 32).items()}
        initialise(cell, weights, "chrono:20", torch.Generator().manual_seed(layer))
        x, _ = fused(cell, weights, x)
        sizes.append(float(x.abs().max()))
    assert sizes[-1] < 10 * sizes[0]


def test_mamba_keeps_what_is_in_it_where_an_input_shuts_its_step() -> None:
    cell = cell_named("mamba")
    weights, x = begun(cell, hidden=16), inputs(1, 200)
    weights["weight_ih"][16:32], weights["bias"][16:32] = 0, -40
    state = unroll(cell, weights, x[:, :1], tuple(torch.ones(1, 16, dtype=x.dtype) for _ in cell.state_names), torch)[1]
    after = fused(cell, weights, x, state)[1]
    assert all(torch.allclose(kept, part) for kept, part in zip(after[1:], state[1:], strict=True))


@pytest.mark.parametrize("memory", [12, 1000])
def test_the_slowest_state_of_mamba_lasts_up_to_the_memory_asked_for(memory: int) -> None:
    weights = begun(cell_named("mamba"), f"chrono:{memory}", hidden=400)
    steps = 1 / torch.nn.functional.softplus(weights["bias"][400:800])
    assert 1 <= steps.min() < 0.05 * memory + 2
    assert 0.95 * memory < steps.max() <= memory
    assert all(torch.allclose(weights[f"log_a{n}"].exp(), torch.tensor(float(n)).double()) for n in range(1, 9))


def test_the_steps_of_mamba_begin_as_published_where_no_memory_is_asked_for() -> None:
    delta = torch.nn.functional.softplus(begun(cell_named("mamba"), hidden=400)["bias"][400:800])
    assert 0.001 <= delta.min() < 0.0012
    assert 0.08 < delta.max() <= 0.1
    assert abs(delta.log10().mean() + 2) < 0.1


@pytest.mark.parametrize("name", QUERIED)
def test_a_layer_too_wide_for_a_cache_goes_step_by_step_to_the_same_outputs(name: str) -> None:
    cell, few = cell_named(name), 4
    weights, x = begun(cell, hidden=64), inputs(200, 6)
    outputs, last = fused(cell, weights, x)
    own, ends = fused(cell, weights, x[:few])
    assert torch.allclose(outputs[:few], own, atol=1e-12)
    assert all(torch.allclose(part[:few], end, atol=1e-12) for part, end in zip(last, ends, strict=True))
