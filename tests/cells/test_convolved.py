"""Cells at every pixel of a grid: against a loop over PyTorch's convolution, against a network for each pixel, and how
far around a pixel they see.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate

from rnncli.cells.cell import Cell
from rnncli.cells.named import cell_named
from rnncli.errors import UsageError
from rnncli.layers.unroll import unroll
from rnncli.nn.recurrent import fused
from rnncli.registry import CELLS

SERIES, STEPS, INPUTS, HIDDEN = 2, 5, 3, 4
Weights = dict[str, Tensor]


def weights_of(cell: Cell, inputs: int = INPUTS, hidden: int = HIDDEN, seed: int = 0) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    shapes = cell.shapes(inputs, hidden)
    return {name: 0.4 * torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()}


def clips(height: int = 6, width: int = 7, steps: int = STEPS, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(SERIES, steps, height, width, INPUTS, generator=generator, dtype=torch.float64)


def around(frames: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """The convolution of frames [B, C, h, w] as PyTorch has it, with weights whose channels are last."""
    return conv2d(frames, weight.movedim(-1, 1).contiguous(), stride=stride, padding="same" if stride == 1 else 1)


def by_pytorch(cell: Cell, weights: Weights, x: Tensor) -> Tensor:
    """ConvRNN, ConvLSTM and ConvGRU written once more, channels first and one step after the other."""
    kernel, outputs, h, c = cell.kernel, [], torch.zeros(1), torch.zeros(1)
    assert kernel is not None
    vector = {name: weights[name][:, None, None] for name in cell.vectors}
    for t in range(x.shape[1]):
        frame = x[:, t].movedim(-1, 1)
        frame = interpolate(frame, scale_factor=kernel.growth) if kernel.growth > 1 else frame
        a = around(frame, weights["weight_ih"], kernel.stride) + weights["bias"][:, None, None]
        if not t:
            h = c = torch.zeros_like(a[:, :HIDDEN])
        gates = list(torch.split(a, HIDDEN, dim=1))
        before = list(torch.split(around(h, weights["weight_hh"]), HIDDEN, dim=1))
        if cell.family == "rnn":
            h = torch.tanh(gates[0] + before[0])
        elif cell.family == "gru":
            r, z = (torch.sigmoid(gates[k] + before[k]) for k in (0, 1))
            n = torch.tanh(gates[2] + r * (before[2] + vector["bias_hn"]))
            h = (1 - z) * n + z * h
        else:
            s = [gate + part for gate, part in zip(gates, before, strict=True)]
            seen = {name: vector.get(f"peephole_{name}", torch.zeros(1)) for name in "ifo"}
            f = torch.sigmoid(s[-3] + seen["f"] * c)
            i = torch.sigmoid(s[0] + seen["i"] * c) if len(s) == 4 else 1 - f
            c = f * c + i * torch.tanh(s[-2])
            h = torch.sigmoid(s[-1] + seen["o"] * c) * torch.tanh(c)
        outputs.append(h.movedim(1, -1))
    return torch.stack(outputs, dim=1)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstm-peephole", "lstm-coupled", "lstm-peephole-coupled"])
@pytest.mark.parametrize("kernel", ["1", "3", "5", "3x1", "1x5", "3/2", "3+2"])
def test_a_convolved_cell_is_what_pytorchs_convolution_makes_of_its_formula(kernel: str, cell: str) -> None:
    convolved, x = cell_named(f"conv:{kernel}:{cell}"), clips()
    weights = weights_of(convolved)
    expected = by_pytorch(convolved, weights, x)
    in_torch = fused(convolved, weights, x)[0]
    in_numpy = unroll(convolved, {name: weight.numpy() for name, weight in weights.items()}, x.numpy())[0]
    assert (in_torch - expected).abs().max() < 1e-12
    assert np.abs(in_numpy - expected.numpy()).max() < 1e-12


@pytest.mark.parametrize("cell", [*CELLS, "dilated:2:lstm"])
def test_with_kernels_of_one_pixel_every_pixel_is_a_sequence_of_its_own(cell: str) -> None:
    name = cell.replace("dilated:2:", "dilated:2:conv:1:") if ":" in cell else f"conv:1:{cell}"
    convolved, plain, x = cell_named(name), cell_named(cell), clips(3, 2)
    weights, shapes = weights_of(plain), convolved.shapes(INPUTS, HIDDEN)
    found = fused(convolved, {name: weight.reshape(shapes[name]) for name, weight in weights.items()}, x)[0]
    pixels = x.permute(0, 2, 3, 1, 4).reshape(-1, STEPS, INPUTS)
    expected = fused(plain, weights, pixels)[0].reshape(SERIES, 3, 2, STEPS, HIDDEN).permute(0, 3, 1, 2, 4)
    assert (found - expected).abs().max() < 1e-12


def extent(cell: Cell, steps: int, size: int) -> list[int]:
    """Rows of the input, at each lag, from which a gradient comes to the middle pixel of the last output."""
    weights = weights_of(cell, inputs=1, hidden=1)
    x = clips(size, size, steps)[:1, ..., :1].requires_grad_()
    output = fused(cell, weights, x)[0][0, -1]
    middle = output.shape[0] // 2
    (gradient,) = torch.autograd.grad(output[middle, middle].sum(), x)
    rows = gradient[0, ..., 0].abs().amax(dim=2) > 0
    columns = gradient[0, ..., 0].abs().amax(dim=1) > 0
    assert torch.equal(rows.sum(dim=1), columns.sum(dim=1))
    return rows.sum(dim=1).flip(0).tolist()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("sides", [(k_x, k_h) for k_x in (1, 3, 5) for k_h in (1, 3, 5)])
def test_what_a_pixel_sees_grows_by_the_kernel_of_the_state_with_every_step(sides: tuple[int, int], cell: str) -> None:
    (k_x, k_h), steps = sides, 10
    found = extent(cell_named(f"conv:{k_x}x{k_h}:{cell}"), steps, 45)
    assert found == [k_x + lag * (k_h - 1) for lag in range(steps)]


@pytest.mark.parametrize(("k_x", "k_h", "stride"), [(3, 3, 2), (5, 3, 2), (3, 3, 3)])
def test_strides_make_every_step_reach_so_much_farther(k_x: int, k_h: int, stride: int) -> None:
    found = extent(cell_named(f"conv:{k_x}x{k_h}/{stride}:lstm"), 5, 65)
    assert found == [k_x + stride * lag * (k_h - 1) for lag in range(5)]


@pytest.mark.parametrize("dilation", [2, 3])
def test_a_dilated_cell_reaches_by_the_steps_that_it_takes(dilation: int) -> None:
    found = extent(cell_named(f"dilated:{dilation}:conv:3:gru"), 10, 45)
    assert found == [0 if lag % dilation else 3 + lag // dilation * 2 for lag in range(10)]


@pytest.mark.parametrize("name", ["conv:2:lstm", "conv:33:lstm", "conv:3x4:lstm", "conv:3/0:lstm", "conv:3/17:gru"])
def test_kernels_that_have_no_middle_or_no_end_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        cell_named(name)


@pytest.mark.parametrize(
    "name", ["conv:lstm", "conv::lstm", "conv:3", "conv:3:conv:3:lstm", "conv:3:dilated:2:lstm", "conv:x:gru"]
)
def test_other_orders_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        cell_named(name)
