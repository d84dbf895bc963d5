"""Scores of forecasts of frames: every metric over all of them, at each lead time and in each sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.metrics.frames import Forecast, FrameMetric
from rnncli.metrics.metric import Terms, ratio
from rnncli.registry import METRICS, find


@cache
def metrics() -> Mapping[str, FrameMetric]:
    """Every metric of frames, by its name."""
    return {name: find(METRICS["frames"], name, "metric") for name in METRICS["frames"]}


class Sums:
    """The terms of every metric, added up over forecasts of each of some sequences: [series, K]."""

    def __init__(self, series: int, horizon: int) -> None:
        self._shape = (series, horizon)
        self._found: dict[str, Terms] = {}
        self._metric: dict[str, str] = {}

    def add(self, series: Ints, frames: Forecast) -> Floats:
        """Add forecasts [n] of these series; returns the mean squared error of each, NaN where nothing is known."""
        loss = np.full(len(series), np.nan)
        for name, metric in metrics().items():
            for column, terms in metric.terms(frames).items():
                self._metric[column] = name
                own = self._found.setdefault(column, (np.zeros(self._shape), np.zeros(self._shape)))
                for total, term in zip(own, terms, strict=True):
                    np.add.at(total, series, term)
                if column == "mse":
                    loss = ratio(terms[0].sum(axis=1), terms[1].sum(axis=1))
        return loss

    def scores(self) -> FrameScores:
        """What they make."""
        return FrameScores(dict(self._found), dict(self._metric))


@dataclass(frozen=True)
class FrameScores:
    """Every column of every metric of one forecaster: name -> value, NaN where undefined.

    `sums` are numerators and denominators [series, K] of each column, and `of` is the metric that it belongs to.
    """

    sums: Mapping[str, Terms]
    of: Mapping[str, str]

    @cached_property
    def overall(self) -> dict[str, float]:
        """Over all forecasts."""
        return {name: float(values) for name, values in self._over((0, 1)).items()}

    @cached_property
    def per_lead(self) -> tuple[dict[str, float], ...]:
        """At lead times 1 ... K."""
        return _each(self._over((0,)))

    @cached_property
    def per_series(self) -> tuple[dict[str, float], ...]:
        """In each sequence."""
        return _each(self._over((1,)))

    def _over(self, axes: tuple[int, ...]) -> dict[str, Floats]:
        return {
            name: metrics()[self.of[name]].of(ratio(numerator.sum(axis=axes), denominator.sum(axis=axes)))
            for name, (numerator, denominator) in self.sums.items()
        }


def _each(columns: dict[str, Floats]) -> tuple[dict[str, float], ...]:
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return tuple(dict(zip(columns, row, strict=True)) for row in rows)
