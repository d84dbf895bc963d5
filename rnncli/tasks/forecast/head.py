"""From the encoder's state to quantiles: the local decoder, one formula for training (torch) and prediction (NumPy).

At step k of the horizon the decoder sees the state h at the origin, the plain forecasts there (components c) and what
is known of that step (x), all relative to the origin's level and spread:

    u  = W_u h                                       what the state says, for the whole horizon
    r  = relu(u * v_k + b_k + W_x [c, x])            v_k, b_k: learned for each step of the horizon
    a  = softmax(W_a r + a_0)                        weights of the plain forecasts
    m  = sum_j a_j c_j + w_m r                       the median
    q  = m -+ cumulated softplus(W_s r + s_0)        the other levels, outwards, so that they cannot cross

With attention, h is the state together with what it reads of earlier ones (see `attended`).
A universal decoder has one v and b for all steps, and v_k = v + V x, where x says how far ahead step k is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Array, Floats
from rnncli.layers.activation import relu, softmax, softplus
from rnncli.layers.linear import linear
from rnncli.layers.quantiles import fan, pinball
from rnncli.spec import NetworkSpec
from rnncli.tasks.forecast import attended
from rnncli.tasks.forecast.features import from_link
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import Support

LARGEST_LOG, LARGEST = 700.0, 1e300


def shapes(network: NetworkSpec, spec: ForecastSpec, components: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the decoder's weights, of one member."""
    width, outputs, steps = spec.decoder, len(spec.levels), 1 if spec.universal else spec.horizon
    judged = {"weight_errors": (width, components), "mix_errors": (components,)} if spec.judged else {}
    stretched = {"weight_scale": (width, spec.known)} if spec.universal else {}
    return {
        **(attended.shapes(network.hidden) if spec.attends else {}),
        **judged,
        **stretched,
        "weight_state": (width, network.hidden),
        "scale_step": (steps, width),
        "bias_step": (steps, width),
        "weight_known": (width, components + spec.known),
        "weight_mix": (components, width),
        "bias_mix": (components,),
        "weight_shift": (1, width),
        "weight_spread": (outputs - 1, width),
        "bias_spread": (steps, outputs - 1),
    }


def quantiles(
    weights: Mapping[str, Array], state: Array, components: Array, errors: Array, known: Array, median: int, xp: Any
) -> Array:
    """Quantiles relative to level and spread: state [o, hidden], components [o, K, c], errors [o, c] or [o, 0],
    known [o, K, x] -> [o, K, q].
    """
    horizon = components.shape[1]
    u = linear(state, weights["weight_state"], xp=xp)[:, None, :]
    a = weights["bias_mix"]
    if errors.shape[1]:
        u = u + linear(errors, weights["weight_errors"], xp=xp)[:, None, :]
        a = a - (weights["mix_errors"] * errors)[:, None, :]
    seen = linear(xp.concatenate([components, known], axis=2), weights["weight_known"], xp=xp)
    v = weights["scale_step"][:horizon]
    if "weight_scale" in weights:
        v = v + linear(known, weights["weight_scale"], xp=xp)
    r = relu(u * v + weights["bias_step"][:horizon] + seen, xp)
    a = softmax(linear(r, weights["weight_mix"], xp=xp) + a, xp)
    m = (a * components).sum(axis=2) + linear(r, weights["weight_shift"], xp=xp)[..., 0]
    gaps = softplus(linear(r, weights["weight_spread"], xp=xp) + weights["bias_spread"][:horizon], xp)
    return fan(m[..., None], gaps, median, xp)


def loss(predicted: Array, actual: Array, levels: tuple[float, ...], xp: Any) -> Array:
    """The mean pinball loss of the observed rows of a horizon, 0 where none is: predicted [o, K, q], actual [o, K],
    NaN where nothing is observed -> [o].
    """
    seen = ~xp.isnan(actual)
    count = seen.sum(axis=1)
    total = pinball(predicted, actual, levels, xp).sum(axis=1)
    return total / xp.where(count > 0, count, xp.ones_like(count))


def to_units(relative: Floats, level: Floats, spread: Floats, logs: NDArray[np.bool_]) -> Floats:
    """Relative quantiles [o, K, q] and the origins' level and spread [o] -> quantiles in the data's units, of series
    that are on the logarithm where `logs` [o].

    float64 throughout; ascending and finite whatever rounding does.
    """
    z = level[:, None, None] + spread[:, None, None] * relative
    return np.maximum.accumulate(from_link(clipped(z, logs), logs), axis=2)


def clipped(z: Floats, logs: NDArray[np.bool_]) -> Floats:
    """Values on the scale of the link [n, ...], no farther out than a number in the data's units can be."""
    limit = beside(np.where(logs, LARGEST_LOG, LARGEST), z)
    return np.clip(z, -limit, limit)


def within(units: Floats, support: Support) -> Floats:
    """Quantiles [n, ..., q] as they are printed: whole where the data are, within floor and ceiling, ascending."""
    return np.asarray(np.maximum.accumulate(possible(units, support), axis=-1))


def possible(units: Floats, support: Support) -> Floats:
    """Quantiles [n, ...] rounded where the data are whole, and within floor and ceiling.

    The quantile of whole numbers is that of the same numbers with noise from [-1/2, 1/2) added, rounded half down
    (Machado & Santos Silva 2005, "Quantiles for Counts").
    """
    found = units
    if support.whole.any():
        rounded = np.ceil(units - 0.5) + 0.0
        found = rounded if support.whole.all() else np.where(beside(support.whole, units), rounded, units)
    if np.isfinite(support.floor).any() or np.isfinite(support.ceiling).any():
        found = np.clip(found, beside(support.floor, units), beside(support.ceiling, units))
    return found


def beside(of_series: NDArray[Any], units: Floats) -> NDArray[Any]:
    """One number for each of n series [n], in the shape in which it meets units [n, ...]."""
    return of_series.reshape(-1, *[1] * (units.ndim - 1))
