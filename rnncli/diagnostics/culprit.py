"""Which series, origin, layer and lag a gradient that exploded, or was no number, came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnncli.diagnostics.flow import gradient_by_lag
from rnncli.diagnostics.resampling import Ints
from rnncli.diagnostics.unrolling import Stack, through

LossOfOrigin = Callable[[Tensor, int], Tensor]
SUSPECTS = 8  # origins whose gradients are followed back


@dataclass(frozen=True)
class Culprit:
    """Origin `place` of a batch, the layer and the lag (steps before the origin) where it is worst; `norm` of the
    gradient there, infinite where a state or the loss was no finite number.
    """

    place: int
    layer: int
    lag: int
    norm: float


def find_culprit(network: Stack, x: Tensor, rows: Ints, origins: Ints, loss_of_origin: LossOfOrigin) -> Culprit | None:
    """The worst of the origins (row rows[i], step origins[i]) of a batch x [B, T, I], or None of an empty batch.

    `loss_of_origin(outputs [1, H], i)` is the loss [1] of origin i. The formula runs in x's type, as training did;
    where everything is finite, the gradients of the worst losses are followed back in float64.
    """
    if not len(rows):
        return None
    outputs, layers = through(network, x)
    broken = _first_broken(layers)
    if broken is not None:
        row, layer, step = broken
        place = _origin_after(row, step, rows, origins)
        return Culprit(place, layer, max(0, int(origins[place]) - step), float("inf"))
    with torch.no_grad():
        losses = [float(loss_of_origin(outputs[r, [o]], i)) for i, (r, o) in enumerate(zip(rows, origins, strict=True))]
    ranked = np.argsort(-np.nan_to_num(np.array(losses), nan=np.inf, posinf=np.inf), kind="stable")[:SUSPECTS]
    if not np.isfinite(losses[int(ranked[0])]):
        return Culprit(int(ranked[0]), len(layers) - 1, 0, float("inf"))
    return max((_followed(network, x, rows, origins, int(i), loss_of_origin) for i in ranked), key=lambda c: c.norm)


def _first_broken(layers_states: Sequence[Tensor]) -> tuple[int, int, int] | None:
    """(row, layer, step) of the first state that is not finite, the lowest layer first."""
    for layer, states in enumerate(layers_states):
        bad = ~torch.isfinite(states).all(dim=3).all(dim=1)
        if bad.any():
            step, row = (int(part) for part in bad.nonzero()[0])
            return row, layer, step
    return None


def _origin_after(row: int, step: int, rows: Ints, origins: Ints) -> int:
    """The first origin of this row at or after the step; else the last one of the row, or the batch's first."""
    own = np.flatnonzero(rows == row)
    if not len(own):
        return 0
    after = own[origins[own] >= step]
    return int(after[np.argmin(origins[after])] if len(after) else own[np.argmax(origins[own])])


def _followed(
    network: Stack, x: Tensor, rows: Ints, origins: Ints, place: int, loss_of_origin: LossOfOrigin
) -> Culprit:
    alone = x[[int(rows[place])], : int(origins[place]) + 1]
    flow = gradient_by_lag(network, alone, lambda outputs, _: loss_of_origin(outputs, place))
    norms = np.stack([np.nan_to_num(layer.profile(), nan=np.inf, posinf=np.inf) for layer in flow.layers])
    layer, lag = np.unravel_index(int(np.argmax(norms)), norms.shape)
    return Culprit(place, int(layer), int(lag), float(norms[layer, lag]))
