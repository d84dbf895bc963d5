"""The report of an evaluation of frames: a model beside baselines, by lead time, as data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnncli.arrays import Bools, Ints
from rnncli.data.writers.pictures import Pictured
from rnncli.errors import UsageError
from rnncli.evaluation.frames.scores import FrameScores
from rnncli.evaluation.paired import Comparison
from rnncli.evaluation.report import SCHEMA
from rnncli.evaluation.shown import Cell, ScoreTable
from rnncli.near import did_you_mean
from rnncli.outline import Outline, shown

BY_LEAD = "mse"  # the metric that is always shown by lead time
OUTLINED = 5  # metrics
LEARN = "the mean frame of training is not known"


@shown
@dataclass(frozen=True)
class FrameReport:
    """Scores of a model (first) and of baselines on the same frames.

    `series` names the sequences, each with how many forecasts were made of it, and `places` [series] are theirs in the
    scores. dishonest [series] marks those that training saw, None where that is not known. `comparisons` hold the
    paired test of the mean squared error against each rival, and `pictured` are forecasts to be drawn.
    """

    scores: dict[str, FrameScores]
    series: tuple[tuple[str, int], ...]
    places: Ints
    horizon: int
    dishonest: Bools | None
    comparisons: dict[str, Comparison]
    pictured: tuple[Pictured, ...]
    notes: tuple[str, ...] = ()
    made_honest_by = "give sequences that training has not seen"
    sharpened_by = "more sequences, or longer ones, make a comparison sharper"

    @property
    def forecasts(self) -> int:
        """How many forecasts were scored."""
        return sum(count for _, count in self.series)

    @property
    def in_sample(self) -> bool | None:
        """Whether any sequence scored is one that training saw; None if that is not known."""
        return None if self.dishonest is None else bool(self.dishonest.any())

    @property
    def model_scores(self) -> dict[str, float]:
        """The model's value of every metric over all forecasts, NaN where undefined."""
        return next(iter(self.scores.values())).overall

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that are defined, in the order of a table's rows."""
        return tuple(name for name, value in self.model_scores.items() if not math.isnan(value))

    def against(self, rival: str) -> Comparison:
        """The model compared with a baseline by the paired test. UsageError if there is no such baseline."""
        if rival not in self.comparisons:
            hint = LEARN if rival == "mean-frame" else did_you_mean(rival, self.comparisons)
            raise UsageError(f"nothing is compared with {rival!r}", hint=hint)
        return self.comparisons[rival]

    def facts(self) -> list[tuple[str, str]]:
        """What was scored and how honestly, and what a paired test says of each baseline."""
        many, plural = len(self.series), "s" * (len(self.series) != 1)
        ahead = f"{self.horizon} frame{'s' * (self.horizon != 1)} ahead"
        facts = [("scored", f"{self.forecasts:,} forecasts of {many:,} sequence{plural}, {ahead}")]
        facts += [("in-sample", "training has seen sequences that are scored here")] if self.in_sample else []
        facts += [(f"against {rival}", _told(found)) for rival, found in self.comparisons.items()]
        return facts + [("note", note) for note in self.notes]

    def outline(self) -> Outline:
        """What was scored, and the scores over all forecasts."""
        metrics = self.metrics[:OUTLINED]
        rows = [[name, *(_number(one.overall[metric]) for metric in metrics)] for name, one in self.scores.items()]
        return Outline("Report", self.facts(), ["scores", *metrics], rows, "to_json(by='lead') has every lead time")

    @property
    def groupings(self) -> tuple[str, ...]:
        """Lead times, and sequences."""
        return ("lead", "series")

    def headline(self) -> str:
        """What was scored."""
        return self.facts()[0][1]

    def remarks(self) -> list[str]:
        """How honest the scores are, what a paired test says of each baseline, and what was noted."""
        told = [(name, text) for name, text in self.facts() if name != "scored"]
        return [text if name == "note" else f"{name}: {text}" for name, text in told]

    def tables(self, by: str | None = None) -> list[ScoreTable]:
        """Every metric of every forecaster, and the mean squared error by lead time; and every metric `by` lead time,
        or sequence, if that is asked for.
        """
        model, *rivals = self.scores
        names = [f"{model} (in-sample)" if self.in_sample else model, *rivals]
        rows: list[list[Cell]] = [
            [metric, *(one.overall[metric] for one in self.scores.values())] for metric in self.metrics
        ]
        tables = [ScoreTable(["metric", *names], rows), self._by_lead(names)]
        return tables if by is None else [*tables, self._listed(by)]

    def _by_lead(self, names: Sequence[str]) -> ScoreTable:
        rows: list[list[Cell]] = [
            [str(step + 1), *(one.per_lead[step][BY_LEAD] for one in self.scores.values())]
            for step in range(self.horizon)
        ]
        return ScoreTable([f"{BY_LEAD} at", *names], rows, title="by lead time, in frames")

    def _listed(self, by: str) -> ScoreTable:
        names = [by, *(["forecasts"] if by == "series" else []), "forecaster", *self.metrics]
        return ScoreTable(names, [[row[name] for name in names] for row in self.rows(by)], cut=True)

    def rows(self, by: str | None = None) -> list[dict[str, Any]]:
        """A dictionary for each forecaster: forecaster, in_sample, every metric (None if undefined); `by` lead time or
        series for each of these and forecaster.
        """
        if by is None:
            return [self._row(name) | _nullable(one.overall) for name, one in self.scores.items()]
        if by == "lead":
            return [
                {by: step + 1} | self._row(name) | _nullable(one.per_lead[step])
                for step in range(self.horizon)
                for name, one in self.scores.items()
            ]
        return [
            {by: series, "forecasts": count} | self._row(name, place) | _nullable(one.per_series[self.places[place]])
            for place, (series, count) in enumerate(self.series)
            for name, one in self.scores.items()
        ]

    def _row(self, forecaster: str, series: int | None = None) -> dict[str, Any]:
        if forecaster != next(iter(self.scores)):
            return {"forecaster": forecaster, "in_sample": False}
        here = self.dishonest is not None and series is not None
        seen = bool(self.dishonest[series]) if here else self.in_sample  # type: ignore[index]
        return {"forecaster": forecaster, "in_sample": seen}

    def to_json(self, *, by: str | None = None) -> dict[str, Any]:
        """The document that `evaluate --json` prints; undefined values are null. `by` adds lead times, or series."""
        document = {
            "schema": SCHEMA,
            "task": "frames",
            "series": len(self.series),
            "forecasts": self.forecasts,
            "horizon": self.horizon,
            "in_sample": self.in_sample,
            "scores": {name: _nullable(one.overall) for name, one in self.scores.items()},
            "by_lead_time": {
                name: [_nullable(row)[BY_LEAD] for row in one.per_lead] for name, one in self.scores.items()
            },
            "comparisons": [found.to_json() for found in self.comparisons.values()],
            "notes": list(self.notes),
        }
        return document if by is None else document | {f"by_{by}": self.rows(by)}


def _told(found: Comparison) -> str:
    p = found.method if math.isnan(found.p) else f"p = {found.p:.3g}, {found.method}"
    return f"mse {found.difference:+.3g} ({p})"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _nullable(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
