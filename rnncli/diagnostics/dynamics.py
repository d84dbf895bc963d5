"""The fate of a small disturbance of a layer's state: Jacobians along real data, and the Lyapunov spectrum.

The whole state counts, the memory cell too. In a stack the Jacobian is block triangular, so that the exponents of the
whole network are those of its layers, each driven by what the layer below sent it; of a bidirectional layer each
direction is one, driven by what lies on its way. (Vogt et al. 2022, "On Lyapunov
Exponents for RNNs"; Engelken et al. 2023, "Lyapunov spectra of chaotic recurrent neural networks"; the method is
Benettin et al. 1980.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.diagnostics.direction import layer_name
from rnncli.diagnostics.on_grid import largest_exponent
from rnncli.diagnostics.profile import SMALLEST
from rnncli.diagnostics.resampling import Floats, Interval, Ints, mean_interval
from rnncli.diagnostics.unrolling import LayerPath, Stack

ELEMENTS = 500_000  # float64 numbers of the Jacobians made at once; autograd keeps some twenty times as much
ALIGNING = 0.1  # of the steps pass before exponents are counted, while the directions turn into place
FEW = 16  # times as wide the state must be, for directions to be followed one by one
SINGULAR_POINTS = 64  # of a layer, spread over time


@dataclass(frozen=True)
class LayerDynamics:
    """One layer, or one `direction` of it, along data.

    `exponents` [paths, exponents] per step, the largest first; `singular` [points, states * H] of one step's Jacobian;
    `radius` and `gain` are the spectral radius and the largest singular value of the recurrent weights, None where
    gates come between them and the state; `size` [T, paths] is the state's root mean square.
    """

    layer: int
    exponents: Floats
    singular: Floats
    radius: float | None
    gain: float | None
    size: Floats
    groups: Ints
    direction: str = ""

    @property
    def name(self) -> str:
        """The name of the layer in reports."""
        return layer_name(self.layer, self.direction)

    @property
    def largest(self) -> float:
        """The largest Lyapunov exponent, per step: the mean over paths."""
        return float(self.exponents[:, 0].mean())

    @cached_property
    def largest_interval(self) -> Interval | None:
        """Its interval over series."""
        return mean_interval(self.exponents[:, 0], self.groups)

    @property
    def spectrum(self) -> Floats:
        """Mean exponents, the largest first."""
        return np.asarray(self.exponents.mean(axis=0), dtype=np.float64)

    @property
    def memory(self) -> float | None:
        """Steps in which the slowest disturbance fades by e; None where it does not fade."""
        return -1 / self.largest if self.largest < 0 else None

    def slots(self, lag: int) -> int:
        """The number of directions of the state that keep a disturbance (1 / e of it) for so many steps."""
        return int((self.spectrum > -1 / lag).sum())

    @property
    def growth(self) -> float:
        """Slope of the log of the state's size per step over the later half: above 0 where the state runs away."""
        size = self.size.mean(axis=1)
        late = size[len(size) // 2 :]
        if len(late) < 2 or not (np.isfinite(late).all() and (late > SMALLEST).all()):
            return math.inf if not np.isfinite(size).all() else 0.0
        return float(np.polyfit(np.arange(len(late)), np.log(late), 1)[0])


def layer_dynamics(network: Stack, path: LayerPath, groups: Ints, exponents: int | None = None) -> LayerDynamics:
    """The dynamics of one layer, or direction, along its path; `exponents` are as many as the state is wide, unless
    fewer will do. Of a layer on a grid it is the largest one, and no singular values.
    """
    rho, sigma = _recurrent_size(path)
    size = path.states[1:].flatten(3).square().mean(dim=(1, 3)).sqrt()
    layer, direction = path.course.layer, path.course.direction
    if path.cell.kernel is not None:  # of a grid the state is too large for its Jacobian
        largest = _array(largest_exponent(path, network.activation, ALIGNING))[:, None]
        return LayerDynamics(layer, largest, np.zeros((0, 1)), rho, sigma, _array(size), groups, direction)
    width = path.states.shape[1] * path.states.shape[3]
    found = spectrum(path.cell, path, network.activation, min(width, exponents or width))
    return LayerDynamics(layer, found, singular_values(network, path), rho, sigma, _array(size), groups, direction)


def spectrum(cell: Cell, path: LayerPath, activation: str, exponents: int) -> Floats:
    """Lyapunov exponents per step of every row of the path, by QR at each step: [B, exponents], the largest first."""
    steps, rows = path.projected.shape[1], path.projected.shape[0]
    width = path.states.shape[1] * path.states.shape[3]
    frame = torch.linalg.qr(_random_frame(width, exponents)).Q.expand(rows, width, exponents)
    skipped, total = max(int(ALIGNING * steps), path.empty), torch.zeros(rows, exponents, dtype=torch.float64)
    for t, moved in enumerate(_moved(cell, path, activation, exponents)):
        if t < path.empty:  # it would leave no direction
            continue
        frame, triangle = torch.linalg.qr(moved(frame))
        if t >= skipped:
            total = total + triangle.diagonal(dim1=1, dim2=2).abs().clamp(min=SMALLEST).log()
    mean = total / max(1, steps - skipped) / path.dilation
    return _array(mean.sort(dim=1, descending=True).values)


def _moved(cell: Cell, path: LayerPath, activation: str, directions: int) -> Iterator[Callable[[Tensor], Tensor]]:
    """What each step makes of directions of the state, [B, S, directions] -> the same: by its Jacobian, or without it
    where there are few directions.
    """
    width = path.states.shape[1] * path.states.shape[3]
    if directions * FEW < width:
        for t in range(path.projected.shape[1]):
            yield partial(_along, cell, path.weights, path.projected[:, t], path.states[t], activation)
    else:
        for jacobians in _jacobians(cell, path, activation):
            yield jacobians.matmul


def _along(
    cell: Cell, weights: Mapping[str, Tensor], a: Tensor, before: Tensor, activation: str, frame: Tensor
) -> Tensor:
    """The Jacobian of the step from the state `before` [states, B, H] times directions [B, S, k]: as J^T u is linear in
    u, its derivative in the direction v is J v. One step of B * k states, and two ways back.
    """
    rows, _, directions = frame.shape
    parts, _, hidden = before.shape
    held = {name: weight.detach() for name, weight in weights.items()}
    point = before.detach().repeat_interleave(directions, dim=1).requires_grad_()
    tangent = frame.reshape(rows, parts, hidden, directions).permute(1, 0, 3, 2).reshape(point.shape)
    with torch.enable_grad():
        inputs = a.detach().repeat_interleave(directions, dim=0)
        after = torch.stack(cell.advance(held, inputs, tuple(point), torch, activation)[0])
        u = torch.zeros_like(after, requires_grad=True)
        (back,) = torch.autograd.grad(after, point, u, create_graph=True, allow_unused=True, materialize_grads=True)
    (moved,) = torch.autograd.grad(back, u, tangent, allow_unused=True, materialize_grads=True)
    return moved.reshape(parts, rows, directions, hidden).permute(1, 0, 3, 2).reshape(frame.shape)


def _random_frame(width: int, exponents: int) -> Tensor:
    """Directions that favour none, so that they find the fastest ones soon."""
    return torch.randn(width, exponents, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def _jacobians(cell: Cell, path: LayerPath, activation: str) -> Iterator[Tensor]:
    """The Jacobian of each step, one after the other: [B, S, S] with S = states * H."""
    rows, steps = path.projected.shape[:2]
    a, states = path.points()
    size = path.states.shape[1] * path.states.shape[3]
    at_once = max(1, ELEMENTS // (rows * size * size))
    for start in range(0, steps, at_once):
        points = slice(start * rows, min(start + at_once, steps) * rows)
        found = step_jacobians(cell, path.weights, a[points], states[:, points], activation)
        yield from found.reshape(-1, rows, size, size)


def step_jacobians(
    cell: Cell, weights: Mapping[str, Tensor], a: Tensor, states: Tensor, activation: str = "tanh"
) -> Tensor:
    """d state after / d state before of the cell's step at n points: a [n, gates * H], states [states, n, H] ->
    [n, S, S] with S = states * H. Each row of it is one backward pass; as many of them are one batch as memory allows.
    """
    at_once = max(1, ELEMENTS // (states.shape[0] * states.shape[2]) ** 2)
    pieces = [slice(start, start + at_once) for start in range(0, len(a), at_once)]
    return torch.cat([_some_jacobians(cell, weights, a[some], states[:, some], activation) for some in pieces])


def _some_jacobians(cell: Cell, weights: Mapping[str, Tensor], a: Tensor, states: Tensor, activation: str) -> Tensor:
    parts, points, hidden = states.shape
    size = parts * hidden
    held = {name: weight.detach() for name, weight in weights.items()}
    before = states.detach().repeat(1, size, 1).requires_grad_()
    with torch.enable_grad():
        after = torch.stack(cell.advance(held, a.detach().repeat(size, 1), tuple(before), torch, activation)[0])
    wanted = torch.eye(size, dtype=a.dtype).reshape(size, parts, 1, hidden).expand(size, parts, points, hidden)
    (rows,) = torch.autograd.grad(
        after,
        before,
        wanted.transpose(0, 1).reshape(parts, size * points, hidden),
        allow_unused=True,
        materialize_grads=True,
    )
    return rows.reshape(parts, size, points, hidden).permute(2, 1, 0, 3).reshape(points, size, size)


def singular_values(network: Stack, path: LayerPath, most: int = SINGULAR_POINTS) -> Floats:
    """Singular values of the Jacobian of single steps, at points spread over data and time: [points, S]."""
    a, states = path.points()
    chosen = torch.linspace(0, len(a) - 1, min(most, len(a))).long()
    found = step_jacobians(path.cell, path.weights, a[chosen], states[:, chosen], network.activation)
    finite = torch.isfinite(found).all(dim=(1, 2))
    return _array(torch.linalg.svdvals(found[finite]))


def _recurrent_size(path: LayerPath) -> tuple[float | None, float | None]:
    """Spectral radius and largest singular value of W_hh of a network without gates: at an activation of slope 1 at
    most, a largest singular value below 1 makes gradients vanish, and one above 1 is needed for them to explode
    (Pascanu, Mikolov & Bengio 2013). In a gated cell they decide nothing.
    """
    if path.gated or path.cell.kernel is not None:
        return None, None
    recurrent = path.weights["weight_hh"].detach().double()
    if not torch.isfinite(recurrent).all():
        return None, None
    return float(torch.linalg.eigvals(recurrent).abs().max()), float(torch.linalg.svdvals(recurrent)[0])


def _array(tensor: Tensor) -> Floats:
    return np.asarray(tensor.detach().numpy(), dtype=np.float64)
