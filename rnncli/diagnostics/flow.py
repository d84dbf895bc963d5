"""The gradient of a loss with respect to every state that came before it, from an exact unroll in float64.

The cell's own formula is unrolled, and autograd is asked for the total derivative with respect to each state on the
way: along every path from that step to the loss. (`retain_grad` on the output of a fused layer gives only what the
layers above send down, and misses all that comes back through time.) Each gate has its own profile: the derivative
with respect to its part of the projected input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.diagnostics.alone import gradients_alone, parted
from rnncli.diagnostics.direction import tensor_prefix
from rnncli.diagnostics.profile import LayerFlow
from rnncli.diagnostics.resampling import Floats, Ints
from rnncli.diagnostics.unrolling import Course, Stack, undilated, unrolled

LossOfOutputs = Callable[[Tensor, slice], Tensor]
"""The losses [b] of some rows from the last layer's outputs at all of their steps [b, T, H]. A forecast's reads the
last step, a label's perhaps the mean of all; steps are best counted from the end, for a context may be cut.
"""

ELEMENTS = 16_000_000  # float64 numbers kept for a backward pass: 128 MB
STACKED = ("weight_ih", "weight_hh", "bias")  # the tensors that hold a block for each gate
KEPT_PER_GATE = 6  # arrays [series, hidden] which a step keeps for each of its gates, about


@dataclass(frozen=True)
class TensorGradient:
    """Norm of the mean loss's gradient for one tensor, of the tensor itself, and for each gate's part of it."""

    tensor: str
    gradient: float
    weight: float
    gates: dict[str, float]


@dataclass(frozen=True)
class Flow:
    """The gradient of a loss, through time by layer and direction, and by tensor; `losses` [rows]."""

    layers: tuple[LayerFlow, ...]
    tensors: tuple[TensorGradient, ...]
    losses: Floats

    @property
    def loss(self) -> float:
        """The mean over rows."""
        return float(self.losses.mean())


def gradient_by_lag(
    network: Stack,
    x: Tensor,
    loss_of: LossOfOutputs,
    *,
    groups: Ints | None = None,
    head: Mapping[str, Tensor] | None = None,
) -> Flow:
    """How much of a loss's gradient reaches the state of each layer of x [B, T, I], by lag: lag k is the state k steps
    before the last step and, of the backward direction of a bidirectional layer, k steps after the first, which it
    takes last. Along all paths: through time, through layers, and from whatever steps the loss reads.

    `loss_of(outputs [b, T, H], rows)` gives the loss [b] of these rows of x, all in float64, each row for itself.
    `groups` [B] says which series a row is of. `head` names the tensors behind that loss whose gradients are to be
    reported too. Rows are taken a few at a time, so that memory stays bounded.

    Every step of every row is real. Of sequences of different lengths give those of one length, or the last T steps of
    those that have so many: padding before the first step would be read as data, and padding after the last would make
    the same lag another step in each row.
    """
    exact = network.exact()
    named = {f"layer{i}.{name}": tensor for i, layer in enumerate(exact.layers) for name, tensor in layer.items()}
    named |= {name: tensor for name, tensor in (head or {}).items() if tensor.requires_grad}
    norms: list[list[dict[str, Floats]]] = []
    alone: list[list[Floats]] = []
    totals, losses = [torch.zeros_like(tensor) for tensor in named.values()], []
    for rows in _chunks(len(x), prod(x.shape[1:-1]), exact):
        loss, by_layer, gradients = _backward(exact, x[rows].double(), rows, loss_of, list(named.values()))
        losses.append(loss)
        norms.append(by_layer)
        alone.append(_alone(exact, x[rows].double(), rows, loss_of))
        totals = [total + gradient for total, gradient in zip(totals, gradients, strict=True)]
    rows_of = np.arange(len(x)) if groups is None else groups
    return Flow(
        tuple(_layer(place, course, norms, alone, rows_of) for place, course in enumerate(exact.courses)),
        tuple(
            _tensor(name, tensor, total / len(x), exact.courses)
            for (name, tensor), total in zip(named.items(), totals, strict=True)
        ),
        np.concatenate(losses),
    )


def _chunks(rows: int, steps: int, network: Stack) -> Iterator[slice]:
    """Rows whose unroll fits into ELEMENTS, of so many steps each, or pixels of all steps."""
    width = sum(c.cell.hidden(c.weights) * (KEPT_PER_GATE * c.cell.gates + 2) for c in network.courses)
    size = max(1, ELEMENTS // max(1, width * steps))
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def _backward(
    network: Stack, x: Tensor, rows: slice, loss_of: LossOfOutputs, parameters: list[Tensor]
) -> tuple[Floats, list[dict[str, Floats]], Sequence[Tensor]]:
    """The losses, the norms by course and state, and the gradient of their sum for each parameter."""
    with torch.enable_grad():
        outputs, states, projected = unrolled(network, x)
        losses = loss_of(outputs, rows)
        parts = [part for course in states for state in course for part in state]
        wanted = [*parts, *projected, *parameters]
        gradients = torch.autograd.grad(losses.sum(), wanted, allow_unused=True, materialize_grads=True)
    courses, found = len(network.courses), len(parts)
    by_state, by_gate = iter(gradients[:found]), gradients[found : found + courses]
    norms = []
    for course, gate, along in zip(network.courses, by_gate, states, strict=True):
        made = torch.stack([torch.stack([next(by_state) for _ in state]) for state in along])
        norms.append(_norms(made, gate, undilated(course.cell)))
    return losses.detach().numpy().astype(np.float64), norms, gradients[found + courses :]


def _alone(network: Stack, x: Tensor, rows: slice, loss_of: LossOfOutputs) -> list[Floats]:
    """The norms [lags, B] of each layer's gradient at a fixed depth; none where it is the whole one."""
    if not parted(network):
        return []
    with torch.enable_grad():
        found = gradients_alone(network, x, lambda outputs: loss_of(outputs, rows))
    return [_norm(by_state.flip(0)) for by_state in found]


def _norms(by_state: Tensor, by_gate: Tensor, cell: Cell) -> dict[str, Floats]:
    """Gradients [T, states, B, ..., H] and [B, T, ..., gates * H] -> norms [lags, B] by name, lag 0 first."""
    states = by_state.flip(0)
    stacked = cell.gates * by_state.shape[-1]  # behind it may stand what the cell asked for
    gates = by_gate[..., :stacked].transpose(0, 1).flip(0).chunk(cell.gates, dim=-1)
    found = {name: _norm(states[:, [part]]) for part, name in enumerate(cell.state_names)}
    found |= {f"gate {name}": _norm(part[:, None]) for name, part in zip(cell.gate_names, gates, strict=True)}
    return found | {"state": _norm(states)}


def _norm(gradients: Tensor) -> Floats:
    """The norm over states and units, and pixels of a grid, [lags, states, B, ..., H] -> [lags, B]; scaled, for squares
    of 1e-200 are zero.
    """
    gradients = gradients.flatten(3)
    largest = gradients.abs().amax(dim=(1, 3), keepdim=True)
    scale = torch.where(largest > 0, largest, 1.0)
    norm = (gradients / scale).square().sum(dim=(1, 3)).sqrt() * scale[:, 0, :, 0]
    return np.asarray(norm.numpy(), dtype=np.float64)


def _layer(
    place: int, course: Course, chunks: list[list[dict[str, Floats]]], alone: list[list[Floats]], groups: Ints
) -> LayerFlow:
    names = chunks[0][place]
    joined = {name: np.concatenate([chunk[place][name] for chunk in chunks], axis=1) for name in names}
    own = np.concatenate([chunk[place] for chunk in alone], axis=1) if alone[0] else None
    return LayerFlow(course.layer, joined, groups, course.direction, own)


def _tensor(name: str, weight: Tensor, gradient: Tensor, courses: Sequence[Course]) -> TensorGradient:
    gates: Iterable[tuple[str, Tensor]] = ()
    for cell in (c.cell for c in courses if name in {tensor_prefix(c.layer, c.direction) + kind for kind in STACKED}):
        gates = zip(cell.gate_names, gradient.chunk(cell.gates), strict=True) if cell.gates > 1 else ()
    return TensorGradient(
        name, float(gradient.norm()), float(weight.detach().norm()), {gate: float(part.norm()) for gate, part in gates}
    )
