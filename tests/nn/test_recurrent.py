"""PyTorch's kernels under our weights."""

from __future__ import annotations

import pytest
import torch

from rnncli.cells.lstm import CELL
from rnncli.cells.named import cell_named
from rnncli.nn.recurrent import fused


def lstm_weights(inputs: int = 3, hidden: int = 8) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = CELL.shapes(inputs, hidden)
    return {name: torch.randn(s, generator=generator).mul_(0.3).requires_grad_() for name, s in shapes.items()}


def kernels_used(x: torch.Tensor) -> set[str]:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        outputs, _ = fused(CELL, lstm_weights(), x)
        torch.autograd.backward(outputs.sum())
    return {event.key for event in profile.key_averages()}


@pytest.mark.skipif(not torch._C._has_mkldnn, reason="PyTorch was built without oneDNN")
def test_the_lstm_runs_on_the_onednn_kernel_forwards_and_backwards() -> None:
    used = kernels_used(torch.randn(16, 10, 3))
    assert {"aten::mkldnn_rnn_layer", "aten::mkldnn_rnn_layer_backward"} <= used


def test_without_gradients_the_outputs_are_the_same() -> None:
    weights, x = lstm_weights(), torch.randn(4, 10, 3, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        quiet = fused(CELL, weights, x)[0]
    assert torch.allclose(quiet, fused(CELL, weights, x)[0], atol=1e-6)


def test_the_second_bias_is_not_trained() -> None:
    weights = lstm_weights()
    outputs, _ = fused(CELL, weights, torch.randn(2, 5, 3))
    torch.autograd.backward(outputs.sum())
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights.values())
    assert set(weights) == {"weight_ih", "weight_hh", "bias"}


def test_an_activation_without_a_kernel_is_unrolled() -> None:
    weights = {name: weight[:8] for name, weight in lstm_weights().items()}
    outputs, _ = fused(cell_named("rnn"), weights, torch.ones(2, 1, 3), activation="linear")
    assert torch.allclose(outputs[:, 0], weights["weight_ih"].sum(1) + weights["bias"], atol=1e-6)
