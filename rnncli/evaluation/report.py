"""The report of an evaluation: a model beside its baselines, as data; how it is shown is the command's business."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnncli.evaluation.paired import Comparison, Losses, compare
from rnncli.evaluation.scores import Scores, score_by_lead
from rnncli.evaluation.shown import ScoreTable
from rnncli.metrics.metric import Forecasts
from rnncli.outline import Outline, shown

if TYPE_CHECKING:
    from rnncli.charts.scores import ScorePicture

SCHEMA = "rnncli.evaluate/1"
REFERENCE = "seasonal naive"
OUTLINED = 6  # metrics
BY = {"series": "id", "lead": "lead"}  # groupings, and what rows call one of a group
SEEN = "training has seen rows that are scored here"


@dataclass(frozen=True)
class Window:
    """The counts of one window of a backtest: forecasts made (one a series), values scored, series skipped."""

    forecasts: int
    values: int
    skipped: int

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {"forecasts": self.forecasts, "values": self.values, "skipped": self.skipped}


@shown
@dataclass(frozen=True)
class Report:
    """Scores of a model (first) and its baselines on the same rows.

    ids [S] are the series scored. dishonest [S] marks series of which a forecast was made before the end of what the
    model was trained on; None where that is not known, as for saved forecasts. `losses` are those of every forecast,
    `made` the forecasts themselves, from which scores by lead are made (none where nobody kept them). `count` is how
    many series were scored, where their ids were not kept either.
    """

    ids: tuple[str, ...]
    scores: dict[str, Scores]
    levels: tuple[float, ...]
    horizon: int
    season: int
    windows: tuple[Window, ...]
    dishonest: NDArray[np.bool_] | None
    losses: Losses
    notes: tuple[str, ...] = ()
    made: Mapping[str, Forecasts] = field(default_factory=dict, repr=False)
    count: int | None = None
    groupings = ("series", "lead")
    made_honest_by = "leave --no-refit out, or give rows that came after the training"
    sharpened_by = "more --windows make a comparison sharper"

    @property
    def series(self) -> int:
        """The number of series that were scored."""
        return len(self.ids) if self.count is None else self.count

    @property
    def in_sample(self) -> bool | None:
        """Whether any score is of rows that training may have seen; None if that is not known."""
        return None if self.dishonest is None else bool(self.dishonest.any())

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics, in the order of a table's columns."""
        return tuple(self.model_scores)

    @property
    def model_scores(self) -> dict[str, float]:
        """The model's value of every metric over all series, NaN where undefined."""
        return next(iter(self.scores.values())).overall

    def against(self, rival: str) -> Comparison:
        """The model compared with a baseline on every forecast."""
        return compare(self.losses, next(iter(self.scores)), rival)

    @property
    def skill(self) -> dict[str, dict[str, float]]:
        """Forecaster -> metric -> 1 - score / the seasonal naive's score; NaN where undefined."""
        reference = self.scores[REFERENCE]
        return {name: scores.skill(reference) for name, scores in self.scores.items() if name != REFERENCE}

    @cached_property
    def by_lead(self) -> dict[str, Scores]:
        """The scores at each step of the horizon, where the forecasts were kept: a step is what a series is there."""
        return {name: score_by_lead(forecasts) for name, forecasts in self.made.items()}

    @property
    def pictured(self) -> ScorePicture:
        """Scores by lead, coverage against level, and errors by series, as numbers of a picture."""
        from rnncli.charts.scores import ScorePicture

        per_series = {name: scores.per_series["mase"] for name, scores in self.scores.items()}
        leads = {name: scores.per_series for name, scores in self.by_lead.items()}
        overall = {name: scores.overall for name, scores in self.scores.items()}
        says = self.headline() + ("; in-sample" if self.in_sample else "")
        return ScorePicture(says, self.ids, self.levels, overall, leads, per_series)

    def outline(self) -> Outline:
        """What was scored, and the scores over all series."""
        forecasts = sum(window.forecasts for window in self.windows)
        windows = f"{len(self.windows)} window{'s' * (len(self.windows) != 1)} of {self.horizon} steps"
        facts = [("scored", f"{self.series:,} series, {windows}, {forecasts:,} forecasts")]
        facts += [("in-sample", SEEN)] if self.in_sample else []
        facts += [("note", note) for note in self.notes]
        metrics = self.metrics[:OUTLINED]
        rows = [
            [name, *(f"{scores.overall[metric]:.4g}" for metric in metrics)] for name, scores in self.scores.items()
        ]
        return Outline("Report", facts, ["scores", *metrics], rows, "to_json() has all metrics")

    def headline(self) -> str:
        """What was scored."""
        count = len(self.windows)
        made = sum(window.forecasts for window in self.windows)
        values = sum(window.values for window in self.windows)
        skipped = sum(window.skipped for window in self.windows)
        left_out = f", {skipped:,} skipped as too short" if skipped else ""
        return (
            f"{self.series:,} series, {count} window{'s' * (count != 1)} of {self.horizon} steps:"
            f" {made:,} forecast{'s' * (made != 1)}, {values:,} value{'s' * (values != 1)}{left_out}"
        )

    def tables(self, by: str | None = None) -> list[ScoreTable]:
        """Every metric of every forecaster, and how much better than the seasonal naive forecast the first one is; by
        series or lead, as many metrics of each as fit.
        """
        return [self._overall(), *([self._of_each(by)] if by else [])]

    def _overall(self) -> ScoreTable:
        model = next(iter(self.scores))
        skill = self.skill.get(model, {})
        header = ["metric", _marked(model, in_sample=self.in_sample), *list(self.scores)[1:], "skill"]
        rows = [
            [metric, *(scores.overall[metric] for scores in self.scores.values()), skill.get(metric)]
            for metric in self.metrics
        ]
        below = "skill: 1 - score / the seasonal naive's score; above 0 is better than it"
        return ScoreTable(header, rows, remark=below)

    def _of_each(self, by: str) -> ScoreTable:
        rows = [
            [
                str(row[BY[by]]),
                _marked(row["forecaster"], in_sample=row["in_sample"]),
                *(row[metric] for metric in self.metrics),
            ]
            for row in self.rows(by)
        ]
        return ScoreTable([by, "forecaster", *self.metrics], rows, cut=True)

    def remarks(self) -> list[str]:
        """Whether the scores are in-sample, and what else was noted."""
        return [*([f"in-sample: {SEEN}"] if self.in_sample else []), *self.notes]

    def rows(self, by: str | None = None) -> list[dict[str, Any]]:
        """A dictionary for each forecaster: forecaster, in_sample, every metric (None if undefined); by series or lead,
        for each of these and forecaster.
        """
        if by:
            return self.series_rows() if by == "series" else self.lead_rows()
        model = next(iter(self.scores))
        return [
            {"forecaster": name, "in_sample": self.in_sample if name == model else False} | _nullable(scores.overall)
            for name, scores in self.scores.items()
        ]

    def series_rows(self) -> list[dict[str, Any]]:
        """A dictionary for each series and forecaster: id, forecaster, in_sample, every metric (None if undefined)."""
        tables = {
            name: [_known(scores.per_series[metric]) for metric in self.metrics] for name, scores in self.scores.items()
        }
        return [
            {"id": series, "forecaster": name, "in_sample": self._in_sample(name, place)}
            | {metric: column[place] for metric, column in zip(self.metrics, columns, strict=True)}
            for place, series in enumerate(self.ids)
            for name, columns in tables.items()
        ]

    def lead_rows(self) -> list[dict[str, Any]]:
        """A dictionary for each step of the horizon and forecaster: lead, forecaster, in_sample, every metric."""
        model = next(iter(self.scores))
        tables = {
            name: [_known(scores.per_series[metric]) for metric in self.metrics]
            for name, scores in self.by_lead.items()
        }
        return [
            {"lead": step + 1, "forecaster": name, "in_sample": self.in_sample if name == model else False}
            | {metric: column[step] for metric, column in zip(self.metrics, columns, strict=True)}
            for step in range(self.horizon)
            for name, columns in tables.items()
        ]

    def to_json(self, *, by: str | None = None) -> dict[str, Any]:
        """The document that `evaluate --json` prints; undefined values are null. `by` adds every series, or lead."""
        document = {
            "schema": SCHEMA,
            "horizon": self.horizon,
            "season": self.season,
            "quantiles": list(self.levels),
            "series": self.series,
            "windows": [window.to_json() for window in self.windows],
            "in_sample": self.in_sample,
            "scores": {name: _nullable(scores.overall) for name, scores in self.scores.items()},
            "skill_vs_seasonal_naive": {name: _nullable(skill) for name, skill in self.skill.items()},
            "n_undefined": {name: scores.undefined for name, scores in self.scores.items()},
            "notes": self.remarks(),
        }
        return document | ({f"by_{by}": self.rows(by)} if by else {})

    def _in_sample(self, forecaster: str, place: int) -> bool | None:
        if forecaster != next(iter(self.scores)):
            return False
        return None if self.dishonest is None else bool(self.dishonest[place])


def _marked(forecaster: str, *, in_sample: bool | None) -> str:
    return f"{forecaster} (in-sample)" if in_sample else forecaster


def _nullable(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _known(values: NDArray[np.float64]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
