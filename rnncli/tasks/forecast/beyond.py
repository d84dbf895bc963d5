"""Forecasts beyond the trained horizon: medians are fed back as if they had been observed, and doubt adds up.

A horizon is forecast in blocks as long as the trained one. In each but the first, the deviation of a quantile from its
median is combined with its deviation d at the end of the block before, on the scale of the link:

    sqrt(d^2 + deviation^2)

as of independent errors that follow one another. A random walk's intervals go on growing with the root of the horizon,
and no interval is narrower than the one at which its block began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel
from rnncli.tasks.forecast.features import from_link, to_link
from rnncli.tasks.forecast.head import beside, clipped, within
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import Support

Forecast = Callable[[Panel, Ints], Floats]


def in_blocks(
    forecast: Forecast, panel: Panel, ends: Ints, steps: int, spec: ForecastSpec, may_come: Callable[[], Support]
) -> Floats:
    """Quantiles for the `steps` rows after row ends[s] - 1 of each series: [series, steps, levels].

    `forecast(panel, ends)` gives those of the trained horizon, NaN for a series that has none; `may_come` says what
    may. Covariates that are known ahead are taken from the panel's rows; what is not known there is missing.
    """
    blocks = -(-steps // spec.horizon)
    if blocks == 1:
        return forecast(panel, ends)[:, :steps]
    waiting, support = extended(panel, ends, blocks * spec.horizon), may_come()
    made: list[Floats] = []
    for block in range(blocks):
        now = ends + block * spec.horizon
        found = forecast(waiting, now)
        made.append(found if block == 0 else widened(found, made[-1][:, -1], spec, support))
        rows = (waiting.offsets[:-1] + now)[:, None] + np.arange(spec.horizon)
        waiting.values[rows, 0] = found[..., spec.median]
    return np.concatenate(made, axis=1)[:, :steps]


def extended(panel: Panel, ends: Ints, rows: int) -> Panel:
    """The panel with room for `rows` rows from row ends[s] on, their targets missing: a copy."""
    lengths = np.maximum(panel.lengths, ends + rows)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    values = np.full((int(offsets[-1]), panel.values.shape[1]), np.nan)
    within = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    values[np.repeat(offsets[:-1], panel.lengths) + within] = panel.values
    row = np.arange(len(values)) - np.repeat(offsets[:-1], lengths)
    values[row >= np.repeat(ends, lengths), 0] = np.nan
    return replace(panel, offsets=offsets, values=values)


def widened(quantiles: Floats, before: Floats, spec: ForecastSpec, support: Support) -> Floats:
    """The quantiles of a block [series, horizon, levels], with the doubt [series, levels] at the end of the last."""
    logs, middle = support.logs, quantiles[..., spec.median, None]
    first = _deviation(before, before[:, spec.median, None], logs)[:, None, :]
    deviation = _deviation(quantiles, middle, logs)
    outwards = np.sign(np.arange(len(spec.levels)) - spec.median)
    both = outwards * np.hypot(first, deviation)
    units = from_link(clipped(to_link(_positive(middle, logs), logs) + both, logs), logs)
    spread = within(np.where(both == 0, middle, units), support)
    return np.maximum.accumulate(_outside(spread, middle, outwards), axis=2)


def _deviation(quantiles: Floats, middle: Floats, logs: NDArray[np.bool_]) -> Floats:
    return to_link(_positive(quantiles, logs), logs) - to_link(_positive(middle, logs), logs)


def _positive(values: Floats, logs: NDArray[np.bool_]) -> Floats:
    """What the link can take: under a logarithm, 0 is the smallest number above it."""
    return np.asarray(np.maximum(values, beside(np.where(logs, np.finfo(np.float64).tiny, -np.inf), values)))


def _outside(spread: Floats, middle: Floats, outwards: NDArray[np.int64]) -> Floats:
    """Quantiles [n, horizon, q] with none on the wrong side of its median, whatever rounding did."""
    above = np.where(outwards > 0, np.maximum(spread, middle), middle)
    return np.where(outwards < 0, np.minimum(spread, middle), above)
