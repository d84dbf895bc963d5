"""What gates and activations do along data: how often they are saturated, how long the state is kept, which units
never move.

A cell is only its formula, so its gates are found by running it: the formula asks its array namespace for tanh (and a
sigmoid is written (1 + tanh(x / 2)) / 2), and autograd says which gate's projected input entered with slope 1 (a tanh)
or one half (a sigmoid).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.diagnostics.direction import layer_name
from rnncli.diagnostics.dynamics import step_jacobians
from rnncli.diagnostics.on_grid import own_slopes
from rnncli.diagnostics.resampling import Floats, Ints
from rnncli.diagnostics.unrolling import LayerPath, Stack

LOW, HIGH = 0.1, 0.9  # beyond them a sigmoid is saturated (Karpathy, Johnson & Li 2015)
FLAT = 0.97  # beyond it a tanh is: its slope is below 6 %
MOST_STEPS = 0.5  # a unit is saturated that is so in more than half of its steps
STILL = 1e-9  # a unit is dead whose state varies by less than this share of the layer's
SAME, FEWEST_STEPS = 0.999, 8  # the correlation of two units that say the same, and steps for one
BINS = 20
TIME_POINTS = 128


@dataclass(frozen=True)
class Gate:
    """One gate along data: `kind` sigmoid or tanh, `low`, `high` and `flat` the shares of values beyond the limits,
    `stuck` the share of units that are beyond them in most steps, `histogram` [20] over [0, 1] or [-1, 1].
    """

    name: str
    kind: str
    mean: float
    low: float
    high: float
    stuck: float
    histogram: tuple[float, ...]


@dataclass(frozen=True)
class LayerActivity:
    """One layer, or one `direction` of it: its gates, the share of dead units and of units stuck at an activation's
    end, and `kept` [units], the steps in which each unit's own memory fades by e, ascending (infinite where it does
    not). `memory_gates` are the names of those that keep the state and let new values in. `twins` is the share of units
    that move as another one does, and `driven` how much the outputs differ from one path to another, as a share of
    their size (None of one path alone).
    """

    layer: int
    gates: tuple[Gate, ...]
    dead: float
    stuck: float
    kept: Floats
    memory_gates: tuple[str, ...] = ()
    direction: str = ""
    twins: float = 0.0
    driven: float | None = None

    @property
    def name(self) -> str:
        """The name of the layer in reports."""
        return layer_name(self.layer, self.direction)

    def keeping(self, lag: int) -> float:
        """The share of units whose own memory lasts a quarter of so many steps."""
        return float((self.kept >= lag / 4).mean()) if len(self.kept) else 0.0


class _Listening:
    """torch, as a formula's namespace, that remembers what tanh was asked for."""

    def __init__(self) -> None:
        self.heard: list[Tensor] = []

    def tanh(self, x: Tensor) -> Tensor:
        self.heard.append(x)
        return torch.tanh(x)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


def layer_activity(network: Stack, path: LayerPath, distinct: Ints | None = None) -> LayerActivity:
    """Gates, dead and stuck units of one layer, or direction, along its path, of which the rows `distinct` are of data
    that differ (None: all).
    """
    a, states = path.points()
    listening = _Listening()
    with torch.no_grad():
        path.cell.advance(path.weights, a, tuple(states), listening, network.activation)
    gates = tuple(_gate(name, scale, listening.heard[place]) for name, place, scale in _places(network, path))
    after = path.states[1:]
    layer, direction, stuck, kept = (
        path.course.layer,
        path.course.direction,
        _stuck(network, path),
        _kept(network, path),
    )
    alike, driven = (
        twins(after[:, 0]),
        _driven(after[:, 0] if distinct is None else after[:, 0, torch.from_numpy(distinct)]),
    )
    return LayerActivity(layer, gates, _dead(after), stuck, kept, _memory(path.cell), direction, alike, driven)


def _memory(cell: Cell) -> tuple[str, ...]:
    return tuple(cell.gate_names[place] for place in (cell.keep_gate, cell.input_gate) if place is not None)


def _places(network: Stack, path: LayerPath) -> list[tuple[str, int, float]]:
    """For each gate which call of tanh is its own, and whether with slope 1 or 0.5."""
    a = path.projected[:1, 0].detach().clone().requires_grad_()
    state = tuple(path.states[0, :, :1].detach())
    listening = _Listening()
    weights = {name: weight.detach() for name, weight in path.weights.items()}
    with torch.enable_grad():
        path.cell.advance(weights, a, state, listening, network.activation)
    stacked = path.cell.gates * path.states.shape[-1]  # behind it may stand what the cell asked for
    slopes = [_slopes(heard, a, stacked).chunk(path.cell.gates, dim=-1) for heard in listening.heard]
    found = []
    for gate, name in enumerate(path.cell.gate_names):
        for place, by_gate in enumerate(slopes):
            exact = [s for s in (0.5, 1.0) if torch.allclose(by_gate[gate], torch.full_like(by_gate[gate], s))]
            if exact:
                found.append((name, place, exact[0]))
                break
    return found


def _slopes(heard: Tensor, a: Tensor, stacked: int) -> Tensor:
    """d heard / d a of the gates, unit by unit: the formulas are pointwise in a."""
    if not heard.requires_grad:
        return torch.zeros(stacked)
    (slope,) = torch.autograd.grad(heard.sum(), a, retain_graph=True, materialize_grads=True, allow_unused=True)
    found: Tensor = slope[0, ..., :stacked]
    return found


def _gate(name: str, scale: float, argument: Tensor) -> Gate:
    values = torch.tanh(argument)
    if scale == 1.0:
        beyond = (values < -FLAT, values > FLAT)
        span = (-1.0, 1.0)
    else:
        values = 0.5 + 0.5 * values
        beyond = (values < LOW, values > HIGH)
        span = (0.0, 1.0)
    stuck = torch.maximum(*(part.double().flatten(0, -2).mean(dim=0) for part in beyond)) > MOST_STEPS
    counts = np.histogram(values.numpy(), BINS, span)[0] / max(1, values.numel())
    low, high = (float(part.double().mean()) for part in beyond)
    kind = "tanh" if scale == 1.0 else "sigmoid"
    return Gate(name, kind, float(values.mean()), low, high, float(stuck.double().mean()), tuple(counts.tolist()))


def _dead(states: Tensor) -> float:
    """The share of units whose output never moves: [T, states, B, ..., H]."""
    spread = states[:, 0].flatten(0, -2).std(dim=0, correction=0)
    largest = spread.max()
    return float((spread <= STILL * largest).double().mean()) if largest > 0 else 1.0


def twins(outputs: Tensor) -> float:
    """The share of the units that move whose course is another's, but for its size and sign, on every path: outputs
    [T, B, ..., H].
    """
    away = outputs.flatten(2, -2) if outputs.dim() > 3 else outputs[:, :, None]
    away = (away - away.mean(dim=0)).movedim(0, 2).flatten(0, 1)  # [B * pixels, T, H]
    size = away.square().sum(dim=1).sqrt()
    moving = (size > STILL * size.max()).all(dim=0)
    if int(moving.sum()) < 2 or len(outputs) < FEWEST_STEPS:
        return 0.0
    course = (away / size.clamp(min=1e-300)[:, None])[:, :, moving]
    alike = (course.transpose(1, 2) @ course).abs().amin(dim=0)
    alike.fill_diagonal_(0.0)
    return float((alike.amax(dim=0) > SAME).double().mean())


def _driven(outputs: Tensor) -> float | None:
    """The spread of the outputs [T, B, ..., H] over paths, at the same step, as a share of their root mean square; the
    first half of the steps, in which the state still settles, does not count.
    """
    late = outputs[len(outputs) // 2 :]
    size = float(late.square().mean().sqrt())
    if late.shape[1] < 2 or not 0 < size < float("inf"):
        return None
    return float(late.var(dim=1, correction=0).mean().sqrt()) / size


def _stuck(network: Stack, path: LayerPath) -> float:
    """The share of units of a network without gates that are at an end of their tanh in most steps."""
    if path.gated or network.activation != "tanh":
        return 0.0
    flat = (path.states[1:, 0].abs() > FLAT).double().flatten(0, -2)
    return float((flat.mean(dim=0) > MOST_STEPS).double().mean())


def _kept(network: Stack, path: LayerPath, points: int = TIME_POINTS) -> Floats:
    """-1 / log of each unit's own slope d s_t / d s_(t-1), the mean over data: of an LSTM's memory cell it is its
    forget gate, of a GRU mostly its update gate. The part of the state that keeps most counts.
    """
    slope = _slopes_to_itself(network, path, points).abs().clamp(1e-12).log().mean(dim=0)
    best = slope.reshape(path.states.shape[1], -1).max(dim=0).values
    kept = torch.where(best < 0, -path.dilation / best, torch.inf)
    return np.sort(np.asarray(kept.numpy(), dtype=np.float64))


def _slopes_to_itself(network: Stack, path: LayerPath, points: int) -> Tensor:
    """The slope of each number of the state to itself a step before, at some points: [points, states * H]."""
    if path.cell.kernel is not None:
        return own_slopes(path, network.activation)
    a, states = path.points()
    empty = path.empty * path.projected.shape[0]
    a, states = a[empty:], states[:, empty:]
    chosen = torch.linspace(0, len(a) - 1, min(points, len(a))).long()
    own = step_jacobians(path.cell, path.weights, a[chosen], states[:, chosen], network.activation)
    return own.diagonal(dim1=1, dim2=2)
