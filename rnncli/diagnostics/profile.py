"""A profile of gradient norms by lag: its rate of decay, its half-life, what is left of it at a lag."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnncli.diagnostics.direction import layer_name
from rnncli.diagnostics.resampling import Floats, Interval, Ints, draws, middle

SMALLEST = 1e-300
"""Below it float64 loses digits, and logarithms lie."""

PRECISION = float(np.finfo(np.float32).eps)
"""Added to a number of size 1, anything smaller leaves a float32 as it was: such a gradient is gone."""

LAGS_FITTED = 600  # evenly spaced: Theil and Sen look at every pair
FITS = 100  # resamples, for the interval of a slope
LAGS_REFITTED = 60


def decay_rate(profile: Floats, most: int = LAGS_FITTED) -> float | None:
    """The slope of log g_k per step: the median over all pairs of lags (Theil 1950, Sen 1968).

    Negative where gradients fade; None with fewer than two lags above 1e-300.
    """
    lags = np.flatnonzero(np.isfinite(profile) & (profile > SMALLEST))
    if len(lags) > most:
        lags = lags[np.linspace(0, len(lags) - 1, most).round().astype(np.int64)]
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


def gone(profile: Floats) -> int | None:
    """The lag from which on the gradient is below float32's precision beside that at lag 0; None: it never is."""
    if not (np.isfinite(profile).all() and profile[0] > 0):
        return None
    seen = np.flatnonzero(profile >= PRECISION * profile[0])
    first = int(seen[-1]) + 1
    return first if first < len(profile) else None


@dataclass(frozen=True)
class LayerFlow:
    """One layer, or one `direction` of it: `norms` [lags, rows] of the loss's gradient for each part of the state
    ("h", "c"), each gate ("gate f") and the whole "state", lag 0 first; `groups` [rows], which series a row is of.
    `alone` [lags, rows] is what its own recurrence does with the gradient that comes down to it at one step: None where
    that is the whole.
    """

    layer: int
    norms: dict[str, Floats]
    groups: Ints
    direction: str = ""
    alone: Floats | None = None

    @property
    def own(self) -> LayerFlow:
        """The layer by its own recurrence: what layers above it do to the gradient is not in it."""
        if self.alone is None:
            return self
        return LayerFlow(self.layer, {"state": self.alone}, self.groups, self.direction)

    @property
    def name(self) -> str:
        """The name of the layer in reports."""
        return layer_name(self.layer, self.direction)

    def profile(self, state: str = "state") -> Floats:
        """Mean norm over rows, by lag."""
        return np.asarray(self.norms[state].mean(axis=1), dtype=np.float64)

    @property
    def lags(self) -> int:
        """The number of lags, lag 0 among them."""
        return len(self.norms["state"])

    @cached_property
    def decay_rate(self) -> float | None:
        """Slope of the log norm per step."""
        return decay_rate(self.profile())

    @property
    def half_life(self) -> float | None:
        """Steps in which the gradient halves; None where it does not fade."""
        return half_life(self.decay_rate)

    @property
    def gone(self) -> int | None:
        """The lag from which on nothing is left in float32."""
        return gone(self.profile())

    def share_left(self, lag: int, state: str = "state") -> float | None:
        """The gradient at a lag as a share of that at lag 0."""
        return share(self.profile(state), lag)

    def share_interval(self, lag: int) -> Interval | None:
        """The middle 90 % of that share when series and origins are drawn again and again."""
        if self._draws is None or self.share_left(lag) is None:
            return None
        norms = self.norms["state"]
        with np.errstate(all="ignore"):
            return middle((self._draws @ norms[lag]) / (self._draws @ norms[0]))

    @cached_property
    def decay_interval(self) -> Interval | None:
        """The interval of the rate of decay."""
        if self._draws is None:
            return None
        profiles = self._draws[:FITS] @ self.norms["state"].T
        rates = [decay_rate(profile, LAGS_REFITTED) for profile in profiles]
        return middle(np.array([math.nan if rate is None else rate for rate in rates]))

    @cached_property
    def _draws(self) -> Floats | None:
        return draws(self.groups)
