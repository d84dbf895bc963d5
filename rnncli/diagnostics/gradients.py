"""The gradient of the loss at one origin with respect to every earlier state, from an exact unroll in float64.

The cell's own formula is unrolled, and autograd is asked for the total derivative with respect to each state on the
way: along every path from that step to the origin. (`retain_grad` on the output of a fused layer gives only what the
layers above send down, and misses all that comes back through time.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnncli.cells.cell import Cell, State
from rnncli.diagnostics.report import Floats, GradientReport, LayerGradients, ParameterGradient
from rnncli.layers.norm import layer_norm
from rnncli.layers.stack import stack

LossAtOrigin = Callable[[Tensor, slice], Tensor]

ELEMENTS = 16_000_000  # float64 numbers kept for a backward pass: 128 MB
KEPT_PER_GATE = 6  # arrays [series, hidden] which a step keeps for each of its gates, about


@dataclass(frozen=True)
class _Stack:
    """Layers with their cells and their weights."""

    cells: Sequence[Cell]
    layers: Sequence[Mapping[str, Tensor]]
    activation: str
    residual: bool

    @property
    def hidden(self) -> int:
        return self.cells[0].hidden(self.layers[0])


def gradient_by_lag(
    cells: Cell | Sequence[Cell],
    layers_weights: Sequence[Mapping[str, Tensor]],
    x: Tensor,
    loss_at_origin: LossAtOrigin,
    *,
    activation: str = "tanh",
    residual: bool = False,
    seasons: Sequence[int] = (),
    head: Mapping[str, Tensor] | None = None,
) -> GradientReport:
    """How much of the gradient at the last step of x [B, T, I] reaches each step before it, in each layer: one cell for
    all of them, or one for each. Of a dilated cell the newest state is looked at, which holds what came at that step.

    Each row is a series that ends at its origin, every step real. `loss_at_origin(outputs [b, H], rows)` gives the
    loss [b] of these rows of x from the last layer's output at the origin, all in float64, each row for itself.
    `head` names the tensors behind that loss whose gradients are to be reported too. Seasons are in steps; those of
    one step are none. Series are taken a few at a time, so that memory stays bounded.
    """
    weights = [{name: tensor.detach().double().requires_grad_() for name, tensor in w.items()} for w in layers_weights]
    cells = [cells] * len(weights) if isinstance(cells, Cell) else list(cells)
    network = _Stack(cells, weights, activation, residual)
    named = {f"layer{index}.{name}": tensor for index, layer in enumerate(weights) for name, tensor in layer.items()}
    named |= {name: tensor for name, tensor in (head or {}).items() if tensor.requires_grad}
    norms: list[list[dict[str, Floats]]] = []
    totals, losses = [torch.zeros_like(tensor) for tensor in named.values()], 0.0
    for rows in _chunks(x, network):
        loss, states, gradients = _backward(network, x[rows].double(), rows, loss_at_origin, list(named.values()))
        losses += loss
        norms.append(states)
        totals = [total + gradient for total, gradient in zip(totals, gradients, strict=True)]
    longer = tuple(season for season in seasons if season > 1)
    return GradientReport(
        cell=",".join(cell.name for cell in (cells if len({cell.name for cell in cells}) > 1 else cells[:1])),
        activation=activation,
        hidden=network.hidden,
        context=x.shape[1],
        series=len(x),
        seasons=longer,
        loss=losses / len(x),
        layers=tuple(_layer(index, norms, longer) for index in range(len(weights))),
        parameters=tuple(
            _parameter(name, tensor, total / len(x), cells)
            for (name, tensor), total in zip(named.items(), totals, strict=True)
        ),
    )


def _chunks(x: Tensor, network: _Stack) -> Iterator[slice]:
    """Rows whose unroll fits into ELEMENTS."""
    width = network.hidden * sum(KEPT_PER_GATE * cell.gates + 2 for cell in network.cells)
    rows = max(1, ELEMENTS // max(1, width * x.shape[1]))
    for start in range(0, len(x), rows):
        yield slice(start, min(start + rows, len(x)))


def _backward(
    network: _Stack, x: Tensor, rows: slice, loss_at_origin: LossAtOrigin, parameters: list[Tensor]
) -> tuple[float, list[dict[str, Floats]], list[Tensor]]:
    """The summed loss, the norms by layer and state, and the gradient of the sum for each parameter."""
    with torch.enable_grad():
        outputs, states = unrolled(network.cells, network.layers, x, network.activation, network.residual)
        loss = loss_at_origin(outputs, rows).sum()
        parts = [part for layer in states for state in layer for part in state]
        gradients = torch.autograd.grad(loss, [*parts, *parameters], allow_unused=True, materialize_grads=True)
    through_time, by_parameter = iter(gradients[: len(parts)]), list(gradients[len(parts) :])
    norms = []
    for cell, layer in zip(network.cells, states, strict=True):
        by_state = torch.stack([torch.stack([next(through_time) for _ in state]) for state in layer])
        norms.append(_norms(by_state, cell))
    return float(loss.detach()), norms, by_parameter


def unrolled(
    cells: Sequence[Cell], layers: Sequence[Mapping[str, Tensor]], x: Tensor, activation: str, residual: bool
) -> tuple[Tensor, list[list[State]]]:
    """The last layer's output at the last step [B, H], and every state on the way, by layer and step."""
    states: list[list[State]] = []

    def run_layer(index: int, x: Tensor) -> Tensor:
        cell, weights = cells[index], layers[index]
        state, parts = cell.zero_state(x, cell.hidden(weights), torch), len(_seen(cell))
        states.append([])
        for a in cell.project(weights, x, torch).unbind(1):
            state, _ = cell.advance(weights, a, state, torch, activation)
            states[index].append(state[:parts])
        outputs: Tensor = layer_norm(torch.stack([state[0] for state in states[index]], dim=1), weights)
        return outputs

    return stack(run_layer, len(layers), x, residual)[:, -1], states


def _seen(cell: Cell) -> tuple[str, ...]:
    """The parts of the state that are looked at: those that a step makes."""
    return (cell.inner or cell).state_names


def _norms(gradients: Tensor, cell: Cell) -> dict[str, Floats]:
    """Gradients [T, states, B, H] -> norms [lags, B] by name of the state, lag 0 first."""
    backwards = gradients.flip(0)
    norms = {name: _norm(backwards[:, [part]]) for part, name in enumerate(_seen(cell))}
    return norms | {"state": _norm(backwards)}


def _norm(gradients: Tensor) -> Floats:
    """The norm over states and units, [lags, states, B, H] -> [lags, B]; scaled, for squares of 1e-200 are zero."""
    largest = gradients.abs().amax(dim=(1, 3), keepdim=True)
    scale = torch.where(largest > 0, largest, 1.0)
    norm = (gradients / scale).square().sum(dim=(1, 3)).sqrt() * scale[:, 0, :, 0]
    return np.asarray(norm.numpy(), dtype=np.float64)


def _layer(index: int, chunks: list[list[dict[str, Floats]]], seasons: tuple[int, ...]) -> LayerGradients:
    names = chunks[0][index]
    return LayerGradients(
        index, {name: np.concatenate([chunk[index][name] for chunk in chunks], axis=1) for name in names}, seasons
    )


def _parameter(name: str, weight: Tensor, gradient: Tensor, cells: Sequence[Cell]) -> ParameterGradient:
    layer, _, kind = name.partition(".")
    gates: Iterable[tuple[str, Tensor]] = ()
    if layer.startswith("layer") and kind in ("weight_ih", "weight_hh", "bias"):
        cell = cells[int(layer.removeprefix("layer"))]
        gates = zip(cell.gate_names, gradient.chunk(cell.gates), strict=True) if cell.gates > 1 else ()
    norms = {gate: float(part.norm()) for gate, part in gates}
    return ParameterGradient(name, float(gradient.norm()), float(weight.detach().norm()), norms)
