"""From states to frames, one formula for training (torch) and prediction (NumPy).

    y_t = unpatch(W_o h_t + b_o)

where h_t is the output, at each pixel of the network's grid, of the step that saw the frame before or, ahead of the
last frame, none. What is said is z_t = y_t; or z_t = b_t + y_t with the last frame as b_t, moved on where frames move;
or the logit y_t of a share; or quantiles around the median y_t, or b_t + y_t.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.arrays import Array
from rnncli.layers.activation import sigmoid, softplus
from rnncli.layers.linear import linear
from rnncli.layers.quantiles import fan, pinball
from rnncli.spec import NetworkSpec
from rnncli.tasks.frames.patches import unpatched
from rnncli.tasks.frames.spec import ABSOLUTE, BERNOULLI, QUANTILES, FrameSpec
from rnncli.tasks.seen import Seen, Shapes, Weights

if TYPE_CHECKING:
    from rnncli.tasks.task import Draw

WEIGHT, BIAS, BASE = "weight", "bias", "base"
RARE = 1e-3  # the least and the most share that a pixel is first held for
_SMALL = 0.1  # of what the weights begin with, where what is said is a difference


def shapes(spec: FrameSpec, network: NetworkSpec) -> Shapes:
    """Names and shapes of the weights of one member."""
    return {WEIGHT: (spec.outputs, network.hidden), BIAS: (spec.outputs,)}


def begin(spec: FrameSpec, network: NetworkSpec, draw: Draw) -> Mapping[str, Array]:
    """First weights: uniform ones, smaller where the last frame is what is said first, and, of shares, the logit of
    their mean as a bias.
    """
    within = (3 / network.hidden) ** 0.5 * (_SMALL if spec.residual else 0.5)
    first: dict[str, Array] = {WEIGHT: draw.uniform((spec.outputs, network.hidden), within)}
    if spec.loss == BERNOULLI:
        share = min(max(spec.mean, RARE), 1 - RARE)
        first[BIAS] = np.full(spec.outputs, math.log(share / (1 - share)), np.float32)
    return first


def read(outputs: Array, seen: Seen) -> Array:
    """The states that frames are said from: of the encoder's outputs [n, T, ..., H] the last ones, as many as there are
    frames to be said: [o, S, ..., H].
    """
    return outputs[seen.rows][:, -seen.targets.shape[1] :]


def head(spec: FrameSpec, weights: Weights, state: Array, beside: Mapping[str, Array], xp: Any) -> Array:
    """What is said of frames: z, logits of z, or its quantiles: [o, S, height, width, channels (, Q)]."""
    steps, (rows, columns), hidden = state.shape[:2], spec.grid, state.shape[-1]
    said = linear(state.reshape(*steps, rows, columns, hidden), weights[WEIGHT], weights[BIAS], xp)
    said = unpatched(said, spec, xp).reshape(*steps, *spec.shape, spec.said)
    middle = said[..., :1] + beside[BASE][..., None] if spec.residual else said[..., :1]
    if spec.loss == QUANTILES:
        return fan(middle, softplus(said[..., 1:], xp), spec.median, xp)
    return middle[..., 0]


def loss(spec: FrameSpec, said: Array, targets: Array, xp: Any) -> Array:
    """The mean loss of what is said of each pixel, [o]; one of which nobody knows (NaN) does not count."""
    losses = of_pixels(spec, said, targets, xp)
    flat, known = losses.reshape(len(losses), -1), (~xp.isnan(targets)).reshape(len(losses), -1)
    count = known.sum(axis=1)
    return flat.sum(axis=1) / xp.where(count > 0, count, xp.ones_like(count))


def of_pixels(spec: FrameSpec, said: Array, targets: Array, xp: Any) -> Array:
    """The loss of each value, 0 where it is not known: (said - z)^2, |said - z|, the cross entropy of a share z and
    the sigmoid of its logit, or the pinball loss: the shape of `targets`.
    """
    if spec.loss == QUANTILES:
        return pinball(said, targets, spec.levels, xp)
    known = ~xp.isnan(targets)
    z = xp.where(known, targets, xp.zeros_like(targets))
    if spec.loss == BERNOULLI:
        return (softplus(said, xp) - z * said) * known
    away = (said - z) * known
    return xp.abs(away) if spec.loss == ABSOLUTE else away * away


def in_units(spec: FrameSpec, said: Array, size: Array | None = None) -> Array:
    """What is said, in the data's units (NumPy); `size` [o, 1, 1, 1, 1] is that of amounts."""
    z = sigmoid(said, np) if spec.loss == BERNOULLI else said
    if size is not None:
        z = z * size.reshape(len(size), *(1 for _ in z.shape[1:]))
    values = spec.center + spec.scale * z
    return values if spec.floor is None else np.maximum(values, spec.floor)
