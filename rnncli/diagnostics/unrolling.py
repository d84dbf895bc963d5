"""A stack of recurrent layers unrolled by its own formula in float64, with every state on the way kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnncli.cells.cell import Cell, State
from rnncli.layers.encoder import RecurrentLayer, recurrent_layers
from rnncli.layers.norm import layer_norm
from rnncli.layers.stack import layer_weights, stack
from rnncli.spec import NetworkSpec


@dataclass(frozen=True)
class Course:
    """A cell on its way over a sequence: that of a layer, or of one `direction` of a bidirectional layer. The backward
    one takes its steps from the last step of a sequence to the first.
    """

    layer: int
    direction: str
    cell: Cell
    weights: Mapping[str, Tensor]


@dataclass(frozen=True)
class Stack:
    """Layers with their weights as they run on top of each other; one cell, or layer, for all of them or one each."""

    cells: Cell | RecurrentLayer | Sequence[Cell | RecurrentLayer]
    layers: Sequence[Mapping[str, Tensor]]
    activation: str = "tanh"
    residual: bool = False

    @classmethod
    def of(cls, network: NetworkSpec, weights: Mapping[str, Tensor]) -> Stack:
        """The recurrent layers of a network with the weights of one member, by their names in it."""
        layers = [layer_weights(weights, index) for index in range(network.layers)]
        return cls(recurrent_layers(network.cell, network.layers), layers, network.activation, network.residual)

    @property
    def each(self) -> Sequence[RecurrentLayer]:
        """Every layer's cell and directions."""
        cells = self.cells
        if isinstance(cells, (Cell, RecurrentLayer)):
            cells = [cells] * len(self.layers)
        return [RecurrentLayer(cell) if isinstance(cell, Cell) else cell for cell in cells]

    @property
    def courses(self) -> Sequence[Course]:
        """The cells of all layers and directions, the lowest layer first and forward before backward."""
        return [
            Course(index, direction, layer.cell, own)
            for index, (layer, weights) in enumerate(zip(self.each, self.layers, strict=True))
            for direction, own in layer.by_direction(weights).items()
        ]

    def exact(self) -> Stack:
        """This stack in float64, its weights leaves of their own that gradients are asked for."""
        layers = [{name: w.detach().double().requires_grad_() for name, w in layer.items()} for layer in self.layers]
        return Stack(self.cells, layers, self.activation, self.residual)


@dataclass(frozen=True)
class LayerPath:
    """One layer, or one direction of it, along data, in the order in which it takes its steps: projected inputs
    a [B, T, gates * H] and the states before and after each step, [T + 1, states, B, H]; the state before step t is
    states[t].

    Of a dilated layer it is one of the chains of steps that go on from each other, `dilation` steps apart, with the
    cell that was dilated.
    """

    course: Course
    cell: Cell
    projected: Tensor
    states: Tensor
    dilation: int = 1

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """The cell's weights."""
        return self.course.weights

    @property
    def gated(self) -> bool:
        """Whether the state is kept or replaced by gates, rather than by one matrix and one activation."""
        return self.cell.gates > 1 or not self.cell.recurrent

    @property
    def empty(self) -> int:
        """Steps at the beginning before which the state stands for nothing yet, as an empty stabiliser does: they keep
        nothing of it.
        """
        return int(bool(self.cell.initial) and self.projected.shape[1] > 1)

    def points(self) -> tuple[Tensor, Tensor]:
        """Every step as a point of its own, in order of time: a [T * B, gates * H] and the state before it
        [states, T * B, H].
        """
        before = self.states[:-1].transpose(0, 1)
        return self.projected.transpose(0, 1).flatten(0, 1), before.flatten(1, 2)


def undilated(cell: Cell) -> Cell:
    """The cell itself, or that which was dilated: the parts of the state that one step makes are its."""
    return cell.inner or cell


def unrolled(
    network: Stack, x: Tensor, lengths: Tensor | None = None
) -> tuple[Tensor, list[list[State]], list[Tensor]]:
    """Outputs of the last layer [B, T, H] and, for each of the stack's courses, what each step made of the state, and
    the projected inputs [B, T, gates * H], both in the order of its steps.

    The first `lengths` [B] steps of x [B, T, I] are real (None: all), which only bidirectional layers ask.
    """
    states: list[list[State]] = []
    projected: list[Tensor] = []

    def run_layer(index: int, x: Tensor) -> Tensor:
        layer, weights = network.each[index], network.layers[index]

        def run_cell(own: Mapping[str, Tensor], x: Tensor) -> Tensor:
            a, made = steps_of(layer.cell, own, x, network.activation)
            projected.append(a)
            states.append(made)
            return torch.stack([state[0] for state in made], dim=1)

        outputs: Tensor = layer_norm(layer.run(run_cell, weights, x, lengths, torch), weights)
        return outputs

    return stack(run_layer, len(network.layers), x, network.residual), states, projected


def steps_of(
    cell: Cell, weights: Mapping[str, Tensor], x: Tensor, activation: str, *, cut: bool = False
) -> tuple[Tensor, list[State]]:
    """The projected inputs of x [B, T, I], and the part of the state that each step makes; where the recurrence is
    `cut`, no gradient goes from a step to the one before it.
    """
    state, parts = cell.zero_state(x, cell.hidden(weights), torch), len(undilated(cell).state_names)
    projected, made = cell.project(weights, x, torch), list[State]()
    for a in projected.unbind(1):
        before = tuple(part.detach() for part in state) if cut else state
        state, _ = cell.advance(weights, a, before, torch, activation)
        made.append(state[:parts])
    return projected, made


@torch.no_grad()
def through(network: Stack, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
    """The last layer's outputs [B, T, H] and the states after each step [T, states, B, H] of every course."""
    outputs, states, _ = unrolled(network, x, lengths)
    return outputs, [torch.stack([torch.stack(state) for state in course]) for course in states]


@torch.no_grad()
def paths(network: Stack, x: Tensor) -> tuple[Tensor, list[LayerPath]]:
    """The last layer's outputs [B, T, H] and what every course went through, for x [B, T, I]."""
    outputs, states, projected = unrolled(network, x)
    every = zip(network.courses, projected, states, strict=True)
    return outputs, [_path(course, a, after) for course, a, after in every]


def _path(course: Course, a: Tensor, after: list[State]) -> LayerPath:
    cell = course.cell
    inner, steps = undilated(cell), list(range((len(after) - 1) % cell.dilation, len(after), cell.dilation))
    first = zip(inner.state_names, after[0], strict=True)
    zero = torch.stack([torch.zeros_like(part) + inner.initial.get(name, 0.0) for name, part in first])
    states = torch.stack([zero, *(torch.stack(after[step]) for step in steps)])
    return LayerPath(course, inner, a[:, steps], states, cell.dilation)
