"""From what was measured of a layer to a verdict: the rules and the reasons for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnncli.diagnostics.dynamics import LayerDynamics
from rnncli.diagnostics.profile import SMALLEST, LayerFlow

VANISHING_SHARE = 1e-3
"""A gradient this much smaller than the one at lag 0 rises above its sampling noise after about 1 / share^2 = a
million independent examples: training will not find what is to be learnt there."""

EXPLODING_GROWTH = 10.0
"""Steady growth by more than this over the context: the distant past outweighs the present, and clipping at the usual
1 to 10 times the average norm (Pascanu, Mikolov & Bengio 2013) throws the present's part away."""

FEWEST_LAGS = 8
"""With fewer lags a slope says little."""

RULES = {
    "vanishing": "at the longest lag that matters (a forecast's season) and that the context holds, or else at its end,"
    f" less than {VANISHING_SHARE:g} of the gradient at lag 0 is left, and so is its whole interval",
    "exploding": f"the gradient grows steadily, by more than {EXPLODING_GROWTH:g} times over the context, or is not"
    " finite",
    "chaotic": f"a disturbance of a bounded state grows, by more than {EXPLODING_GROWTH:g} times over the context: the"
    " largest Lyapunov exponent is above 0, and so is its interval",
    "not enough data": f"fewer than {FEWEST_LAGS} lags, or no gradient at lag 0",
    "healthy": "the gradient neither vanishes nor explodes, and the state is not chaotic",
}


@dataclass(frozen=True)
class Verdict:
    """One of RULES, the number it rests on (a share left, or a growth), the lag it was measured at, and all of it
    in a sentence.
    """

    name: str
    reason: str
    number: float | None = None
    lag: int | None = None


def deciding_lag(lags: int, lags_that_matter: tuple[int, ...]) -> int:
    """The longest of those that matter among the lags 0 ... lags - 1, or else the last lag."""
    return max((lag for lag in lags_that_matter if 1 < lag < lags), default=lags - 1)


def judge(flow: LayerFlow, lags_that_matter: tuple[int, ...], dynamics: LayerDynamics | None = None) -> Verdict:
    """The verdict on a layer, or on one direction of it, by its own recurrence; lags in steps."""
    flow = flow.own
    profile = flow.profile()
    if not np.isfinite(profile).all() or (dynamics is not None and not np.isfinite(dynamics.size).all()):
        return Verdict("exploding", "a state or a gradient is not finite", math.inf)
    if len(profile) <= FEWEST_LAGS:
        return Verdict("not enough data", f"the context has only {len(profile)} steps")
    if profile[0] <= SMALLEST:
        return Verdict("not enough data", "the loss does not depend on this layer's state at lag 0")
    return _growing(flow, dynamics) or _fading(flow, lags_that_matter)


def _growing(flow: LayerFlow, dynamics: LayerDynamics | None) -> Verdict | None:
    last = flow.lags - 1
    if dynamics is not None and _is_chaotic(dynamics, last):
        return Verdict(
            "chaotic",
            f"a disturbance grows {power(dynamics.largest * last)} times over {last} steps (largest Lyapunov exponent"
            f" {dynamics.largest:.3g} a step) while the state stays bounded",
            dynamics.largest,
        )
    growth = (flow.decay_rate or 0.0) * last
    if dynamics is not None and _settles(dynamics):
        return None
    if growth > math.log(EXPLODING_GROWTH):
        return Verdict("exploding", f"it grows {power(growth)} times over {last} steps", _number(growth), last)
    return None


def _is_chaotic(dynamics: LayerDynamics, steps: int) -> bool:
    low = dynamics.largest_interval[0] if dynamics.largest_interval else dynamics.largest
    bounded = dynamics.growth * len(dynamics.size) < math.log(EXPLODING_GROWTH)
    return low > 0 and bounded and dynamics.largest * steps > math.log(EXPLODING_GROWTH)


def _settles(dynamics: LayerDynamics) -> bool:
    """Whether disturbances fade in the end, whatever they do at first."""
    high = dynamics.largest_interval[1] if dynamics.largest_interval else dynamics.largest
    return high < 0


def _fading(flow: LayerFlow, lags_that_matter: tuple[int, ...]) -> Verdict:
    lag = deciding_lag(flow.lags, lags_that_matter)
    left = flow.share_left(lag) or 0.0
    between = flow.share_interval(lag) or (left, left)
    name = "vanishing" if max(left, between[1]) < VANISHING_SHARE else "healthy"
    return Verdict(name, f"{left:.2g} of it is left at lag {lag}", left, lag)


def power(logarithm: float) -> str:
    """exp(logarithm) in short, however large."""
    return f"{math.exp(logarithm):.2g}" if logarithm < 700 else f"10^{logarithm / math.log(10):.0f}"


def _number(logarithm: float) -> float:
    return math.exp(logarithm) if logarithm < 700 else math.inf
