"""Scores of forecasts, by series and over all series, several windows pooled."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncli.metrics.metric import Floats, Forecasts, Metric, ratio
from rnncli.registry import METRICS, find

Integers = NDArray[np.int64]


class Summed(NamedTuple):
    """A value over all is the sum of `above` [n] over that of `below` [n], or the `root` of this quotient."""

    above: Floats
    below: Floats
    root: bool

    @property
    def value(self) -> float:
        """NaN where it is undefined."""
        whole = _quotient(self.above, self.below)
        return math.sqrt(whole) if self.root else whole


@dataclass(frozen=True)
class Scores:
    """Every metric of one forecaster.

    overall: name -> value, NaN where undefined. per_series: name -> [S]. losses: the names of which lower is better.
    summed: what is summed for the value over all. Where series were scored in parts, `unknown` are the numbers of those
    whose own value is undefined, and nothing is kept by series.
    """

    overall: dict[str, float]
    per_series: dict[str, Floats]
    losses: tuple[str, ...]
    summed: dict[str, Summed] = field(default_factory=dict, repr=False)
    unknown: dict[str, int] | None = None

    @property
    def undefined(self) -> dict[str, int]:
        """For each metric, the number of series whose own value is undefined."""
        if self.unknown is not None:
            return self.unknown
        return {name: int(np.isnan(values).sum()) for name, values in self.per_series.items()}

    def skill(self, reference: Scores) -> dict[str, float]:
        """1 - score / reference score for every loss: 0 is no better, 1 is perfect; NaN where either is undefined."""
        ours, theirs = ([scores.overall[name] for name in self.losses] for scores in (self, reference))
        return dict(zip(self.losses, (1 - ratio(np.array(ours), np.array(theirs))).tolist(), strict=True))


def score(
    forecasts: Forecasts,
    series: Integers | None = None,
    count: int | None = None,
    metrics: Mapping[str, Metric] | None = None,
) -> Scores:
    """Score forecasts [N, H] of the series [N] that each belongs to (one each by default), of `count` series in all.

    Over several windows of a series, errors, quantile losses and coverage are pooled; MASE, RMSSE and MSIS are
    averaged, for each window has its own scale. Over all series, MAE, RMSE, weighted quantile loss and coverage are
    pooled; MASE, RMSSE, sMAPE and MSIS are means of the series' values. Undefined values take no
    part. `metrics` are those of forecasts by default.
    """
    series = np.arange(len(forecasts.actual)) if series is None else series
    count = len(forecasts.actual) if count is None else count
    overall: dict[str, float] = {}
    per_series: dict[str, Floats] = {}
    summed: dict[str, Summed] = {}
    losses: list[str] = []
    for metric in (_of_forecasts() if metrics is None else metrics).values():
        for column, (numerator, denominator) in metric.terms(forecasts).items():
            sums = (_sum(series, numerator, count), _sum(series, denominator, count))
            per_series[column], summed[column] = _values(metric, *sums)
            overall[column] = summed[column].value
            losses += [column] if metric.better == "lower" else []
    return Scores(overall, per_series, tuple(losses), summed)


def score_by_lead(forecasts: Forecasts) -> Scores:
    """Score every step of the horizon for itself: what `per_series` holds are the steps."""
    count, steps = forecasts.actual.shape
    apart = Forecasts(
        actual=forecasts.actual.reshape(-1, 1),
        point=forecasts.point.reshape(-1, 1),
        quantiles=forecasts.quantiles.reshape(count * steps, 1, -1),
        levels=forecasts.levels,
        scale=np.repeat(forecasts.scale, steps),
        squared_scale=np.repeat(forecasts.squared_scale, steps),
    )
    return score(apart, np.tile(np.arange(steps), count), steps)


def _of_forecasts() -> dict[str, Metric]:
    return {name: find(METRICS["forecast"], name, "metric") for name in METRICS["forecast"]}


def _values(metric: Metric, numerator: Floats, denominator: Floats) -> tuple[Floats, Summed]:
    """A metric's values by series [S] and what its value over all is, from its sums [S]."""
    values = ratio(numerator, denominator)
    if metric.pooled:
        known = np.isfinite(numerator) & np.isfinite(denominator)
        whole = Summed(numerator[known], denominator[known], metric.root)
    else:
        defined = values[np.isfinite(values)]
        whole = Summed(defined, np.ones_like(defined), metric.root)
    return (np.sqrt(values) if metric.root else values), whole


def _sum(series: Integers, terms: Floats, count: int) -> Floats:
    return np.bincount(series, weights=terms, minlength=count).astype(np.float64)


def _quotient(numerator: Floats, denominator: Floats) -> float:
    """Exact sums, so that the order of series does not matter to the last bit; NaN where undefined."""
    try:
        above, below = math.fsum(numerator.tolist()), math.fsum(denominator.tolist())
    except OverflowError:
        return math.nan
    return above / below if below > 0 and math.isfinite(above / below) else math.nan
