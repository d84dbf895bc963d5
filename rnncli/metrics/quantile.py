"""Metrics of quantile forecasts and central intervals; steps whose actual value is NaN are left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnncli.metrics.metric import Floats, Forecasts, Metric, Terms, averaged, ratio
from rnncli.metrics.point import count


class Interval(NamedTuple):
    """A central interval among quantile levels: its nominal coverage and the places of its two ends."""

    nominal: float
    lower: int
    upper: int

    @property
    def percent(self) -> str:
        """The nominal coverage as people say it: "80", "97.5"."""
        return f"{round(100 * self.nominal, 6):g}"


def central_intervals(levels: tuple[float, ...]) -> tuple[Interval, ...]:
    """The central intervals that `levels` hold (0.1 with 0.9 is 80%), narrowest first."""
    places = {round(level, 9): place for place, level in enumerate(levels)}
    found = [
        Interval(round(1 - 2 * low, 9), place, places[round(1 - low, 9)])
        for low, place in places.items()
        if low < 0.5 and round(1 - low, 9) in places
    ]
    return tuple(sorted(found))


@np.errstate(all="ignore")
def pinball(actual: Floats, quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """Quantile loss max(q (y - f), (q - 1) (y - f)) (Koenker & Bassett 1978): [..., H], [..., H, Q] -> [..., H, Q].

    In the units of y; 0 where the actual value is missing.
    """
    q = np.asarray(levels, dtype=np.float64)
    above = actual[..., None] - quantiles
    return np.where(np.isnan(actual)[..., None], 0.0, np.maximum(q * above, (q - 1) * above))


def weighted_quantile_loss(actual: Floats, quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """Mean over levels of 2 sum(pinball) / sum|y|: [..., H], [..., H, Q] -> [...].

    Sums run over the last axis; for one figure over all series give flat arrays [N * H] and [N * H, Q]. As in Ansari et
    al. 2024 (Chronos, benchmark II). NaN where sum|y| is 0.
    """
    return ratio(*quantile_terms(actual, quantiles, levels))


def coverage(actual: Floats, lower: Floats, upper: Floats) -> Floats:
    """Share of observed steps with lower <= y <= upper: three arrays [..., H] -> [...], from 0 to 1."""
    return ratio(*coverage_terms(actual, lower, upper))


@np.errstate(all="ignore")
def interval_score(actual: Floats, lower: Floats, upper: Floats, nominal: float) -> Floats:
    """Width plus 2 / alpha times the distance outside, alpha = 1 - nominal: three arrays [..., H] -> [..., H].

    Gneiting & Raftery 2007, equation 43. In the units of y; NaN where the actual value is missing.
    """
    outside = np.maximum(lower - actual, 0.0) + np.maximum(actual - upper, 0.0)
    return (upper - lower) + 2 / (1 - nominal) * outside


def msis(actual: Floats, lower: Floats, upper: Floats, nominal: float, scale: Floats) -> Floats:
    """Mean scaled interval score, mean interval score / scale, as in the M4 competition: [..., H] x 3, [...] -> [...].

    `scale` is the history's `seasonal_scale`; M4 has `nominal` 0.95. NaN where the scale is 0 or undefined.
    """
    seen = ~np.isnan(actual)
    total = np.where(seen, interval_score(actual, lower, upper, nominal), 0.0).sum(axis=-1)
    return ratio(ratio(total, count(seen)), scale)


@np.errstate(all="ignore")
def quantile_terms(actual: Floats, quantiles: Floats, levels: tuple[float, ...]) -> Terms:
    """Mean over levels of 2 sum(pinball), and sum|y|."""
    losses = 2 * pinball(actual, quantiles, levels).sum(axis=-2).mean(axis=-1)
    return losses, np.nansum(np.abs(actual), axis=-1)


def coverage_terms(actual: Floats, lower: Floats, upper: Floats) -> Terms:
    """Number of observed steps inside, and of observed steps; NaN ends make the number undefined."""
    seen = ~np.isnan(actual)
    ends = np.where(seen, lower + upper, 0.0).sum(axis=-1)
    inside = count((lower <= actual) & (actual <= upper))
    return np.where(np.isnan(ends), np.nan, inside), count(seen)


def _ends(batch: Forecasts, interval: Interval) -> tuple[Floats, Floats]:
    return batch.quantiles[..., interval.lower], batch.quantiles[..., interval.upper]


def _wql(batch: Forecasts) -> dict[str, Terms]:
    return {"wql": quantile_terms(batch.actual, batch.quantiles, batch.levels)}


def _msis(batch: Forecasts) -> dict[str, Terms]:
    """The scaled interval score of the 95% interval if there is one, else of the widest; nothing without any."""
    intervals = central_intervals(batch.levels)
    chosen = [i for i in intervals if i.nominal == 0.95] or list(intervals[-1:])
    return {f"msis_{i.percent}": averaged(msis(batch.actual, *_ends(batch, i), i.nominal, batch.scale)) for i in chosen}


def _coverage(batch: Forecasts) -> dict[str, Terms]:
    intervals = reversed(central_intervals(batch.levels))
    return {f"coverage_{i.percent}": coverage_terms(batch.actual, *_ends(batch, i)) for i in intervals}


WQL = Metric(_wql, pooled=True)
MSIS = Metric(_msis, pooled=False)
COVERAGE = Metric(_coverage, pooled=True, better=None)
