"""How far around a pixel a network on a grid looks: by its kernels, by its gradient, and which part of it counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnncli.cells.named import cells_of, layers_of
from rnncli.diagnostics.dynamics import layer_dynamics
from rnncli.diagnostics.flow import gradient_by_lag
from rnncli.diagnostics.gates import layer_activity
from rnncli.diagnostics.reach import Reach, reach, told
from rnncli.diagnostics.unrolling import Stack, paths

ROWS, HIDDEN, INPUTS = 26, 2, 1


def network(names: str, scale: float = 0.4) -> Stack:
    cells = cells_of(names, layers_of(names) or 1)
    generator = torch.Generator().manual_seed(0)
    layers = [
        {
            name: scale * torch.randn(shape, generator=generator, dtype=torch.float64)
            for name, shape in cell.shapes(HIDDEN if index else INPUTS, HIDDEN).items()
        }
        for index, cell in enumerate(cells)
    ]
    return Stack(cells, layers, residual=True)


def clips(rows: int = ROWS, steps: int = 4) -> torch.Tensor:
    return torch.randn(2, steps, rows, rows, INPUTS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(
    ("names", "pixels"),
    [
        ("conv:1:gru", (1, 1, 1, 1)),
        ("conv:3:lstm", (3, 5, 7, 9)),
        ("conv:5x3:lstm-peephole", (5, 7, 9, 11)),
        ("conv:3:lstm,conv:5x3:gru", (7, 9, 11, 13)),
        ("dilated:2:conv:3:rnn", (3, 0, 5, 0)),
        ("conv:3/2:gru,conv:3+2:gru", (5, 9, 13, 17)),
        ("conv:3:lstm,conv:3/2:lstm,conv:3+2:lstm", (7, 11, 15, 19)),
    ],
)
def test_what_kernels_allow_is_what_the_gradient_reaches(names: str, pixels: tuple[int, ...]) -> None:
    found = reach(network(names), clips(), 1)
    assert found.allowed == found.found == pixels
    assert all(1 <= part <= whole for part, whole in zip(found.effective, found.found, strict=True) if whole)
    assert found.share.sum() == pytest.approx(1)


def test_a_frame_ends_the_reach() -> None:
    found = reach(network("conv:3:lstm"), clips(6), 1)
    assert found.allowed == found.found == (3, 5, 6, 6)


def test_a_patch_counts_with_all_its_pixels() -> None:
    assert reach(network("conv:3:lstm"), clips(), 4).allowed == (12, 20, 28, 36)


def test_a_network_whose_kernels_have_a_middle_alone_looks_at_no_more_than_that() -> None:
    stack = network("conv:3:gru")
    for weight in (stack.layers[0]["weight_ih"], stack.layers[0]["weight_hh"]):
        middle = weight[:, 1, 1].clone()
        weight.zero_()[:, 1, 1] = middle
    found = reach(stack, clips(), 1)
    assert (found.allowed, found.found, found.effective) == ((3, 5, 7, 9), (1,) * 4, (1,) * 4)


def test_ninety_percent_are_the_smallest_square_that_holds_them() -> None:
    found = reach(network("conv:3:lstm"), clips(), 1)
    middle = ROWS // 2
    for lag, side in enumerate(found.effective):
        held = [
            found.maps[lag, middle - around : middle + around + 1, middle - around : middle + around + 1].sum()
            for around in (side // 2 - 1, side // 2)
            if around >= 0
        ]
        assert held[-1] >= 0.9 * found.maps[lag].sum() > (held[0] if len(held) > 1 else 0)


def test_people_are_told_of_some_lags_and_the_last() -> None:
    sides = tuple(range(12))
    header, rows, _ = told(Reach(sides, sides, sides, np.full(12, 1 / 12), np.zeros((12, 1, 1)), 1))
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "6", "9", "11"]
    assert len(header) == len(rows[0])


def as_one_row(stack: Stack, x: torch.Tensor) -> tuple[Stack, torch.Tensor]:
    """The layers of cells with kernels of one pixel as layers without a grid, on a grid of one pixel."""
    plain = cells_of("lstm", 1)
    layer = {name: weight[:, 0, 0] if weight.ndim > 2 else weight for name, weight in stack.layers[0].items()}
    return Stack(plain, [layer], residual=True), x[:, :, 0, 0]


def test_on_a_grid_of_one_pixel_everything_is_as_without_a_grid() -> None:
    on_grid, x = network("conv:1:lstm"), clips(1, 150)
    plain, flat = as_one_row(on_grid, x)
    theirs, ours = (paths(stack, inputs)[1][0] for stack, inputs in ((plain, flat), (on_grid, x)))
    activity, expected = layer_activity(on_grid, ours), layer_activity(plain, theirs)
    assert [gate.name for gate in activity.gates] == [gate.name for gate in expected.gates]
    np.testing.assert_allclose([gate.mean for gate in activity.gates], [gate.mean for gate in expected.gates])
    largest = [
        layer_dynamics(stack, path, np.arange(2)).exponents[:, 0] for stack, path in ((on_grid, ours), (plain, theirs))
    ]
    np.testing.assert_allclose(*largest, atol=0.02)
    flows = [
        gradient_by_lag(stack, inputs, lambda outputs, _: outputs[:, -1].flatten(1).sum(dim=1))
        for stack, inputs in ((on_grid, x), (plain, flat))
    ]
    np.testing.assert_allclose(*(flow.layers[0].norms["state"] for flow in flows), rtol=1e-9)
