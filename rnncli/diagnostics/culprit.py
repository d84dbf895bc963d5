"""Which example, layer and lag a gradient that exploded, or was no number, came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnncli.diagnostics.direction import layer_name
from rnncli.diagnostics.flow import gradient_by_lag
from rnncli.diagnostics.resampling import Ints
from rnncli.diagnostics.unrolling import Course, Stack, through

LossOfExample = Callable[[Tensor, int], Tensor]
"""The loss [1] of an example of a batch from the last layer's outputs [1, T, H] up to its last step."""

SUSPECTS = 8  # examples whose gradients are followed back


@dataclass(frozen=True)
class Culprit:
    """Example `place` of a batch, and the layer, its direction and the lag where it is worst: in steps before the
    example's last or, of a backward direction, after its first. `norm` of the gradient there, infinite where a state or
    the loss was no finite number.
    """

    place: int
    layer: int
    lag: int
    norm: float
    direction: str = ""

    @property
    def where(self) -> str:
        """The layer, its direction and the lag, in words."""
        return f"{layer_name(self.layer, self.direction)}, lag {self.lag}"


def find_culprit(network: Stack, x: Tensor, rows: Ints, ends: Ints, loss_of: LossOfExample) -> Culprit | None:
    """The worst of the examples of a batch x [B, T, I], or None of an empty one.

    Example i is row rows[i] up to step ends[i], the last that its loss reads: the origin of a forecast, the last step
    of a sequence that is labelled. `loss_of(outputs [1, ends[i] + 1, H], i)` is its loss [1]. Bidirectional layers read
    each row up to the last of its ends. The formula runs in x's type, as training did; where everything is finite, the
    gradients of the worst losses are followed back in float64.
    """
    if not len(rows):
        return None
    read = np.zeros(len(x), np.int64)
    np.maximum.at(read, rows, ends + 1)
    lengths = torch.from_numpy(read).to(x.device)
    outputs, states = through(network, x, lengths)
    courses, broken = network.courses, _first_broken(states, lengths)
    if broken is not None:
        row, course, step = broken
        place = _example_with(row, step, rows, ends)
        return _at(courses[course], place, max(0, int(ends[place]) - step), float("inf"))
    with torch.no_grad():
        losses = [float(loss_of(outputs[[r], : e + 1], i)) for i, (r, e) in enumerate(zip(rows, ends, strict=True))]
    ranked = np.argsort(-np.nan_to_num(np.array(losses), nan=np.inf, posinf=np.inf), kind="stable")[:SUSPECTS]
    if not np.isfinite(losses[int(ranked[0])]):
        return _at(courses[-1], int(ranked[0]), 0, float("inf"))
    return max((_followed(network, x, rows, ends, int(i), loss_of) for i in ranked), key=lambda c: c.norm)


def _at(course: Course, place: int, lag: int, norm: float) -> Culprit:
    return Culprit(place, course.layer, lag, norm, course.direction)


def _first_broken(states_of: Sequence[Tensor], lengths: Tensor) -> tuple[int, int, int] | None:
    """(row, course, step on it) of the first state that is not finite, the lowest layer first; of each row so many
    steps are looked at.
    """
    for course, states in enumerate(states_of):
        real = torch.arange(len(states), device=lengths.device)[:, None] < lengths
        bad = ~torch.isfinite(states).flatten(3).all(dim=3).all(dim=1) & real
        if bad.any():
            step, row = (int(part) for part in bad.nonzero()[0])
            return row, course, step
    return None


def _example_with(row: int, step: int, rows: Ints, ends: Ints) -> int:
    """The first example of this row that ends at or after the step."""
    after = np.flatnonzero((rows == row) & (ends >= step))
    return int(after[np.argmin(ends[after])])


def _followed(network: Stack, x: Tensor, rows: Ints, ends: Ints, place: int, loss_of: LossOfExample) -> Culprit:
    alone = x[[int(rows[place])], : int(ends[place]) + 1]
    flow = gradient_by_lag(network, alone, lambda outputs, _: loss_of(outputs, place))
    norms = np.stack([np.nan_to_num(layer.profile(), nan=np.inf, posinf=np.inf) for layer in flow.layers])
    course, lag = np.unravel_index(int(np.argmax(norms)), norms.shape)
    return _at(network.courses[int(course)], place, int(lag), float(norms[course, lag]))
