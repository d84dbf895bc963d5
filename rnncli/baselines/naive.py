"""Naive, seasonal naive and drift (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 5.2 and 5.5)."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats
from rnncli.baselines.baseline import with_errors_of_the_past, with_intervals
from rnncli.baselines.history import Integers, Observed
from rnncli.baselines.spread import error_spread

__all__ = ["drift", "naive", "seasonal_naive", "with_intervals"]


def _last_value(seen: Observed, horizon: int, season: int) -> Floats:
    return np.repeat(seen.take(seen.last)[:, None], horizon, axis=1)


def _last_spread(seen: Observed, horizon: int, season: int) -> Floats:
    return error_spread(seen, 1, seen.steps_since(seen.last, horizon))


def _last_season(seen: Observed, horizon: int, season: int) -> Floats:
    source = _same_phase(seen, horizon, season)
    return np.where(source >= 0, seen.take(source), _last_value(seen, horizon, season))


def _season_spread(seen: Observed, horizon: int, season: int) -> Floats:
    source = _same_phase(seen, horizon, season)
    apart = np.where(source >= 0, seen.steps_since(source, horizon) // season, 1)
    spread = error_spread(seen, season, apart)
    missed = source < 0
    return np.where(missed, _last_spread(seen, horizon, 1), spread) if missed.any() else spread


def _same_phase(seen: Observed, horizon: int, season: int) -> Integers:
    """Row [S, horizon] of the last observed value a whole number of seasons before each step; -1 if there is none.

    -1 throughout where the history is shorter than a season.
    """
    if season <= 1:
        return np.repeat(seen.last[:, None], horizon, axis=1)
    source = seen.ends[:, None] + np.arange(min(season, horizon)) - season
    source[seen.ends - seen.first < season] = -1
    while True:
        source[source < seen.first[:, None]] = -1
        hidden = np.nonzero((source >= 0) & np.isnan(seen.take(source)))
        if not len(hidden[0]):
            return source[:, np.arange(horizon) % season]
        source[hidden] -= season


def _line(seen: Observed, horizon: int, season: int) -> Floats:
    slope, _ = _slope(seen)
    return seen.take(seen.last)[:, None] + slope[:, None] * seen.steps_since(seen.last, horizon)


def _line_spread(seen: Observed, horizon: int, season: int) -> Floats:
    """The naive forecast's without what the line explains, and with the uncertainty of the slope itself."""
    steps = seen.steps_since(seen.last, horizon)
    slope, span = _slope(seen)
    left = error_spread(seen, 1, steps) ** 2 - (slope[:, None] * steps) ** 2
    return np.sqrt(np.maximum(left, 0.0) * (1 + steps / span[:, None]))


def _slope(seen: Observed) -> tuple[Floats, Integers]:
    """Slope of the line from the first to the last observed value, and the steps between them (1 or more)."""
    span = np.maximum(seen.last - seen.first, 1)
    return (seen.take(seen.last) - seen.take(seen.first)) / span, span


naive = with_errors_of_the_past("naive", _last_value, _last_spread)
seasonal_naive = with_errors_of_the_past("seasonal naive", _last_season, _season_spread, seasonal=True)
drift = with_errors_of_the_past("drift", _line, _line_spread)
