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

from rnncli.data.panel import Panel
from rnncli.tasks.forecast.features import from_link, to_link
from rnncli.tasks.forecast.spec import ForecastSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Forecast = Callable[[Panel, Ints], Floats]


def in_blocks(forecast: Forecast, panel: Panel, ends: Ints, steps: int, spec: ForecastSpec) -> Floats:
    """Quantiles for the `steps` rows after row ends[s] - 1 of each series: [series, steps, levels].

    `forecast(panel, ends)` gives those of the trained horizon, NaN for a series that has none. Covariates that are
    known ahead are taken from the panel's rows; what is not known there is missing.
    """
    blocks = -(-steps // spec.horizon)
    if blocks == 1:
        return forecast(panel, ends)[:, :steps]
    waiting = extended(panel, ends, blocks * spec.horizon)
    made: list[Floats] = []
    for block in range(blocks):
        now = ends + block * spec.horizon
        found = forecast(waiting, now)
        made.append(found if block == 0 else widened(found, made[-1][:, -1], spec))
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


def widened(quantiles: Floats, before: Floats, spec: ForecastSpec) -> Floats:
    """The quantiles of a block [series, horizon, levels], with the doubt [series, levels] at the end of the last."""
    middle = quantiles[..., spec.median, None]
    first = _deviation(before, before[:, spec.median, None], spec)[:, None, :]
    deviation = _deviation(quantiles, middle, spec)
    outwards = np.sign(np.arange(len(spec.levels)) - spec.median)
    both = outwards * np.hypot(first, deviation)
    units = from_link(np.clip(to_link(_positive(middle, spec), spec.link) + both, *_limits(spec)), spec.link)
    spread = np.where(both == 0, middle, np.clip(units, spec.floor, spec.ceiling) if _bounded(spec) else units)
    return np.maximum.accumulate(_outside(spread, middle, outwards), axis=2)


def _deviation(quantiles: Floats, middle: Floats, spec: ForecastSpec) -> Floats:
    return to_link(_positive(quantiles, spec), spec.link) - to_link(_positive(middle, spec), spec.link)


def _positive(values: Floats, spec: ForecastSpec) -> Floats:
    """What the link can take: under a logarithm, 0 is the smallest number above it."""
    return np.maximum(values, np.finfo(np.float64).tiny) if spec.link == "log" else values


def _outside(spread: Floats, middle: Floats, outwards: NDArray[np.int64]) -> Floats:
    """The same with no quantile on the wrong side of its median, whatever rounding did."""
    above = np.where(outwards > 0, np.maximum(spread, middle), middle)
    return np.where(outwards < 0, np.minimum(spread, middle), above)


def _limits(spec: ForecastSpec) -> tuple[float, float]:
    return (-700.0, 700.0) if spec.link == "log" else (-1e300, 1e300)


def _bounded(spec: ForecastSpec) -> bool:
    return (spec.floor, spec.ceiling) != (None, None)
