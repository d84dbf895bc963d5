"""Cells whose memory is asked by the present input."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnncli.cells.named import cell_named
from rnncli.layers.unroll import unroll
from rnncli.nn.recurrent import fused
from tests.cells.begun import HIDDEN, INPUTS, QUERIED, begun, inputs, reached, response


@pytest.mark.parametrize("name", QUERIED)
def test_what_a_queried_memory_answers_depends_on_all_that_came(name: str) -> None:
    cell = cell_named(name)
    assert (reached(cell, begun(cell), 60) > 0).all()
    assert not response(cell, begun(cell), 60)[1:].any()


def mlstm_of_the_paper(inputs_of_gates: Tensor, heads: int) -> Tensor:
    """Equations 19 to 27 of Beck et al. 2024 without a stabiliser, for i, f [T, heads], q, k, v, o [T, heads, d]: h."""
    i, f, q, k, v, o = inputs_of_gates.unbind(0)
    steps, size = len(i), i.shape[1] // heads
    outputs = torch.zeros(steps, heads, size, dtype=i.dtype)
    for head in range(heads):
        own = slice(head, None, heads)
        memory, normaliser = torch.zeros(size, size, dtype=i.dtype), torch.zeros(size, dtype=i.dtype)
        for t in range(steps):
            key, value, query = k[t, own] / size**0.5, v[t, own], q[t, own]
            let_in, kept = torch.exp(i[t, head]), torch.sigmoid(f[t, head])
            memory = kept * memory + let_in * torch.outer(value, key)
            normaliser = kept * normaliser + let_in * key
            found = memory @ query / torch.clamp(torch.abs(normaliser @ query), min=1)
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


@pytest.mark.parametrize("name", QUERIED)
def test_a_layer_too_wide_for_a_cache_goes_step_by_step_to_the_same_outputs(name: str) -> None:
    cell, few = cell_named(name), 4
    weights, x = begun(cell, hidden=64), inputs(200, 6)
    outputs, last = fused(cell, weights, x)
    own, ends = fused(cell, weights, x[:few])
    assert torch.allclose(outputs[:few], own, atol=1e-12)
    assert all(torch.allclose(part[:few], end, atol=1e-12) for part, end in zip(last, ends, strict=True))
