"""A stack of recurrent layers unrolled by its own formula in float64, with every state on the way kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnncli.cells.cell import Cell, State
from rnncli.layers.norm import layer_norm
from rnncli.layers.stack import stack


@dataclass(frozen=True)
class Stack:
    """Layers with their weights, and one cell for all of them or one for each, as they run on top of each other."""

    cells: Cell | Sequence[Cell]
    layers: Sequence[Mapping[str, Tensor]]
    activation: str = "tanh"
    residual: bool = False

    @property
    def each(self) -> Sequence[Cell]:
        """The cell of every layer."""
        return [self.cells] * len(self.layers) if isinstance(self.cells, Cell) else self.cells

    @property
    def hidden(self) -> int:
        """Units of a layer."""
        return self.each[0].hidden(self.layers[0])

    def exact(self) -> Stack:
        """The same stack in float64, its weights leaves of their own that gradients are asked for."""
        layers = [{name: w.detach().double().requires_grad_() for name, w in layer.items()} for layer in self.layers]
        return Stack(self.cells, layers, self.activation, self.residual)


@dataclass(frozen=True)
class LayerPath:
    """One layer along data: projected inputs a [B, T, gates * H] and the states before and after each step, each a
    tensor [T + 1, states, B, H]; the state before step t is states[t].

    Of a dilated layer it is one of the chains of steps that go on from each other, `dilation` steps apart, with the
    cell that was dilated.
    """

    cell: Cell
    weights: Mapping[str, Tensor]
    projected: Tensor
    states: Tensor
    dilation: int = 1

    @property
    def gated(self) -> bool:
        """Whether the state is kept or replaced by gates, rather than by one matrix and one activation."""
        return self.cell.gates > 1 or not self.cell.recurrent

    def points(self) -> tuple[Tensor, Tensor]:
        """Every step as a point of its own, in order of time: a [T * B, gates * H] and the state before it
        [states, T * B, H].
        """
        before = self.states[:-1].transpose(0, 1)
        return self.projected.transpose(0, 1).flatten(0, 1), before.flatten(1, 2)


def undilated(cell: Cell) -> Cell:
    """The cell itself, or that which was dilated: the parts of the state that one step makes are its."""
    return cell.inner or cell


def unrolled(network: Stack, x: Tensor) -> tuple[Tensor, list[list[State]], list[Tensor]]:
    """Outputs of the last layer [B, T, H], what each step made of the state, by layer, and each layer's projected
    inputs.
    """
    states: list[list[State]] = []
    projected: list[Tensor] = []

    def run_layer(index: int, x: Tensor) -> Tensor:
        cell, weights = network.each[index], network.layers[index]
        state, parts = cell.zero_state(x, cell.hidden(weights), torch), len(undilated(cell).state_names)
        projected.append(cell.project(weights, x, torch))
        states.append([])
        for a in projected[index].unbind(1):
            state, _ = cell.advance(weights, a, state, torch, network.activation)
            states[index].append(state[:parts])
        outputs: Tensor = layer_norm(torch.stack([state[0] for state in states[index]], dim=1), weights)
        return outputs

    return stack(run_layer, len(network.layers), x, network.residual), states, projected


@torch.no_grad()
def through(network: Stack, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The last layer's outputs [B, T, H] and the states after each step [T, states, B, H] of every layer."""
    outputs, states, _ = unrolled(network, x)
    return outputs, [torch.stack([torch.stack(state) for state in layer]) for layer in states]


@torch.no_grad()
def paths(network: Stack, x: Tensor) -> tuple[Tensor, list[LayerPath]]:
    """The last layer's outputs [B, T, H] and what every layer went through, for x [B, T, I]."""
    outputs, states, projected = unrolled(network, x)
    every = zip(network.each, network.layers, projected, states, strict=True)
    return outputs, [_path(cell, weights, a, after) for cell, weights, a, after in every]


def _path(cell: Cell, weights: Mapping[str, Tensor], a: Tensor, after: list[State]) -> LayerPath:
    inner, steps = undilated(cell), list(range((len(after) - 1) % cell.dilation, len(after), cell.dilation))
    zero = torch.stack(inner.zero_state(a[:, 0], cell.hidden(weights), torch))
    states = torch.stack([zero, *(torch.stack(after[step]) for step in steps)])
    return LayerPath(inner, weights, a[:, steps], states, cell.dilation)
