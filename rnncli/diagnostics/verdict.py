"""From a profile of gradient norms by lag to a rate of decay and a verdict: the rules and the reasons for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

VANISHING_SHARE = 1e-3
"""A gradient this much smaller than the one at lag 0 rises above its sampling noise after about 1 / share^2 = a
million independent examples: training will not find what is to be learnt there."""

EXPLODING_GROWTH = 10.0
"""Steady growth by more than this over the context: the distant past outweighs the present, and clipping at the usual
1 to 10 times the average norm (Pascanu, Mikolov & Bengio 2013) throws the present's part away."""

FEWEST_LAGS = 8
"""With fewer lags a slope says little."""

SMALLEST = 1e-300
"""Below it float64 loses digits, and logarithms lie."""

LAGS_FITTED = 600  # evenly spaced: Theil and Sen look at every pair

RULES = {
    "vanishing": f"at the longest season that the context holds (at its end without one) less than {VANISHING_SHARE:g}"
    " of the gradient at lag 0 is left",
    "exploding": f"the gradient grows steadily, by more than {EXPLODING_GROWTH:g} times over the context, or is not"
    " finite",
    "not enough data": f"fewer than {FEWEST_LAGS} lags, or no gradient at lag 0",
    "healthy": "none of these",
}


@dataclass(frozen=True)
class Verdict:
    """One of the names in RULES, and the numbers it rests on in a sentence."""

    name: str
    reason: str


def decay_rate(profile: Floats) -> float | None:
    """The slope of log g_k per step: the median over all pairs of lags (Theil 1950, Sen 1968).

    Negative where gradients fade; None with fewer than two lags above 1e-300.
    """
    lags = np.flatnonzero(np.isfinite(profile) & (profile > SMALLEST))
    if len(lags) > LAGS_FITTED:
        lags = lags[np.linspace(0, len(lags) - 1, LAGS_FITTED).round().astype(np.int64)]
    if len(lags) < 2:
        return None
    logs = np.log(profile[lags])
    early, late = np.triu_indices(len(lags), 1)
    return float(np.median((logs[late] - logs[early]) / (lags[late] - lags[early])))


def half_life(rate: float | None) -> float | None:
    """Steps in which a gradient halves; None where it does not fade."""
    return math.log(2) / -rate if rate is not None and rate < 0 else None


def share(profile: Floats, lag: int) -> float | None:
    """g_lag / g_0; None where the lag is beyond the context or there is no gradient at lag 0."""
    return float(profile[lag] / profile[0]) if 0 <= lag < len(profile) and profile[0] > 0 else None


def reach(profile: Floats, part: float) -> int | None:
    """The first lag by which `part` of the sum of all gradients is seen."""
    total = profile.sum()
    return int(np.searchsorted(np.cumsum(profile), part * total)) if 0 < total < math.inf else None


def deciding_lag(lags: int, seasons: tuple[int, ...]) -> int:
    """The longest season among the lags 0 ... lags - 1, or else the last lag."""
    return max((season for season in seasons if 1 < season < lags), default=lags - 1)


def judge(profile: Floats, seasons: tuple[int, ...]) -> Verdict:
    """The verdict on gradient norms by lag [lags], lag 0 first; seasons in steps."""
    if not np.isfinite(profile).all():
        return Verdict("exploding", "a gradient is not finite")
    if len(profile) <= FEWEST_LAGS:
        return Verdict("not enough data", f"the context has only {len(profile)} steps")
    if profile[0] <= SMALLEST:
        return Verdict("not enough data", "the loss does not depend on this layer's state at the origin")
    growth = (decay_rate(profile) or 0.0) * (len(profile) - 1)
    if growth > math.log(EXPLODING_GROWTH):
        return Verdict("exploding", f"it grows {_power(growth)} times over {len(profile)} steps")
    lag = deciding_lag(len(profile), seasons)
    left = profile[lag] / profile[0]
    return Verdict("vanishing" if left < VANISHING_SHARE else "healthy", f"{left:.2g} of it is left at lag {lag}")


def _power(logarithm: float) -> str:
    """exp(logarithm) in short, however large."""
    return f"{math.exp(logarithm):.2g}" if logarithm < 700 else f"10^{logarithm / math.log(10):.0f}"
