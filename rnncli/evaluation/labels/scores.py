"""Scores of labels: every metric over all of them and in each group, and what was taken for what."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.evaluation.scores import score
from rnncli.metrics.labels import ClassMetric, confusion_matrix
from rnncli.metrics.metric import Forecasts, Metric
from rnncli.registry import METRICS, find


@dataclass(frozen=True)
class Groups:
    """Groups that labels are scored in as well: their names, and the place [n] of each label's among them."""

    column: str
    names: tuple[str, ...]
    of: Ints


@dataclass(frozen=True)
class LabelScores:
    """Every metric of one forecaster: name -> value, NaN where undefined, over all labels and in each group.

    `confusion` [C, C] counts labels by their class (down) and the one that was said (across); None of numbers.
    """

    overall: dict[str, float]
    per_group: dict[str, dict[str, float]]
    confusion: Floats | None = None


def score_classes(labels: Ints, probabilities: Floats, groups: Groups | None = None) -> LabelScores:
    """Score probabilities [n, C] of the classes of labels [n], codes from 0 to C - 1."""
    metrics: dict[str, ClassMetric] = {name: metric for name, metric in _metrics() if isinstance(metric, ClassMetric)}

    def values(rows: Ints) -> dict[str, float]:
        return {name: metric.of(labels[rows], probabilities[rows], None) for name, metric in metrics.items()}

    return LabelScores(*_everywhere(values, len(labels), groups), confusion_matrix(labels, probabilities))


def score_numbers(
    labels: Floats, quantiles: Floats, levels: tuple[float, ...], groups: Groups | None = None
) -> LabelScores:
    """Score quantiles [n, Q] at `levels`, with a median, of labels [n] that are numbers."""
    metrics: dict[str, Metric] = {name: metric for name, metric in _metrics() if isinstance(metric, Metric)}
    point = quantiles[:, levels.index(0.5)]

    def values(rows: Ints) -> dict[str, float]:
        unknown = np.full(len(rows), math.nan)
        forecasts = Forecasts(labels[rows, None], point[rows, None], quantiles[rows, None], levels, unknown, unknown)
        return score(forecasts, metrics=metrics).overall

    return LabelScores(*_everywhere(values, len(labels), groups))


def _metrics() -> list[tuple[str, object]]:
    return [(name, find(METRICS["labels"], name, "metric")) for name in METRICS["labels"]]


def _everywhere(
    values: Callable[[Ints], dict[str, float]], count: int, groups: Groups | None
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    named = [] if groups is None else [(name, np.flatnonzero(groups.of == at)) for at, name in enumerate(groups.names)]
    return values(np.arange(count)), {name: values(rows) for name, rows in named if len(rows)}
