"""The report of an evaluation of labels: a model beside its baselines, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnncli.arrays import Bools
from rnncli.errors import UsageError
from rnncli.evaluation.labels.scores import Groups, LabelScores
from rnncli.evaluation.paired import Comparison
from rnncli.evaluation.report import SCHEMA
from rnncli.metrics.labels import class_rates
from rnncli.near import did_you_mean
from rnncli.outline import Outline, shown

OUTLINED = 5  # metrics


@shown
@dataclass(frozen=True)
class LabelReport:
    """Scores of a model (first) and its baselines on the same labels.

    `sequences` and `labels` count what was scored, `unlabelled` what has no label. dishonest [sequences] marks those
    that training saw, None where that is not known. `comparisons` hold the paired tests against each baseline, the
    decisive one first; `left_out` says why a baseline was not made. `classes` are named in the order of their codes,
    the `unseen` ones of which training had no example last; where labels are numbers there are none, and `levels` are
    those of their quantiles.
    """

    scores: dict[str, LabelScores]
    sequences: int
    labels: int
    unlabelled: int
    per_step: bool
    dishonest: Bools | None
    comparisons: dict[str, tuple[Comparison, ...]]
    classes: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    groups: Groups | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def in_sample(self) -> bool | None:
        """Whether any label scored is of a sequence that training saw; None if that is not known."""
        return None if self.dishonest is None else bool(self.dishonest.any())

    @property
    def model_scores(self) -> dict[str, float]:
        """The model's value of every metric over all labels, NaN where undefined."""
        return next(iter(self.scores.values())).overall

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics, in the order of a table's columns."""
        return tuple(self.model_scores)

    def against(self, rival: str) -> Comparison:
        """The model compared with a baseline by the decisive paired test. UsageError if there is no such baseline."""
        if rival in self.left_out:
            return Comparison(rival, math.nan, math.nan, f"left out: {self.left_out[rival]}", 0, *self._compared)
        if rival not in self.comparisons:
            hint = did_you_mean(rival, [*self.comparisons, *self.left_out])
            raise UsageError(f"these labels have no baseline {rival!r}", hint=hint)
        return self.comparisons[rival][0]

    @property
    def _compared(self) -> tuple[str, str]:
        return ("accuracy" if self.classes else "wql"), "sequences"

    def outline(self) -> Outline:
        """What was scored, and the scores over all labels."""
        metrics = self.metrics[:OUTLINED]
        rows = [
            [name, *(_number(scores.overall[metric]) for metric in metrics)] for name, scores in self.scores.items()
        ]
        return Outline("Report", self.facts(), ["scores", *metrics], rows, "to_json() has every class and group")

    def facts(self) -> list[tuple[str, str]]:
        """What was scored and how honestly, and what a paired test says of each baseline."""
        steps = f"{self.labels:,} steps of " if self.per_step else ""
        hidden = f", {self.unlabelled:,} more without a label" if self.unlabelled else ""
        facts = [("scored", f"{steps}{self.sequences:,} sequences{hidden}")]
        facts += [("classes", f"{len(self.classes):,}")] if self.classes else []
        facts += [("new classes", ", ".join(self.unseen))] if self.unseen else []
        facts += [("in-sample", "training has seen sequences that are scored here")] if self.in_sample else []
        facts += [(f"against {rival}", _told(found[0])) for rival, found in self.comparisons.items()]
        facts += [(f"without {name}", reason) for name, reason in self.left_out.items()]
        return facts + [("note", note) for note in self.notes]

    def rows(self) -> list[dict[str, Any]]:
        """A dictionary for each forecaster: forecaster, in_sample, every metric (None if undefined)."""
        return [self._row(name) | _nullable(scores.overall) for name, scores in self.scores.items()]

    def group_rows(self) -> list[dict[str, Any]]:
        """A dictionary for each group and forecaster: group, labels, forecaster, in_sample, every metric."""
        if self.groups is None:
            return []
        counts = np.bincount(self.groups.of, minlength=len(self.groups.names)).tolist()
        return [
            {"group": group, "labels": counts[place]} | self._row(name) | _nullable(scores.per_group[group])
            for place, group in enumerate(self.groups.names)
            for name, scores in self.scores.items()
            if group in scores.per_group
        ]

    def class_rows(self) -> list[dict[str, Any]]:
        """A dictionary for each class and forecaster: class, forecaster, in_sample, count, precision, recall, f1."""
        return [
            {"class": name} | self._row(forecaster) | rates[place]
            for place, name in enumerate(self.classes)
            for forecaster, rates in ((key, _rates(scores)) for key, scores in self.scores.items())
        ]

    def confusion_rows(self) -> list[dict[str, Any]]:
        """A dictionary for each true class: class, and how often the model said each CLASS as said_CLASS."""
        confusion = next(iter(self.scores.values())).confusion
        if confusion is None:
            return []
        counts = confusion.astype(np.int64).tolist()
        return [
            {"class": name} | {f"said_{other}": count for other, count in zip(self.classes, row, strict=True)}
            for name, row in zip(self.classes, counts, strict=True)
        ]

    def to_json(self, *, by_group: bool = False) -> dict[str, Any]:
        """The document that `evaluate --json` prints; undefined values are null. `by_group` adds every group."""
        document = {
            "schema": SCHEMA,
            "task": "labels",
            "per_step": self.per_step,
            "classes": list(self.classes),
            "unseen_classes": list(self.unseen),
            "quantiles": list(self.levels),
            "sequences": self.sequences,
            "labels": self.labels,
            "unlabelled": self.unlabelled,
            "in_sample": self.in_sample,
            "scores": {name: _nullable(scores.overall) for name, scores in self.scores.items()},
            "by_class": {
                name: [{"class": of} | row for of, row in zip(self.classes, _rates(scores), strict=True)]
                for name, scores in self.scores.items()
            },
            "confusion": {
                name: scores.confusion.astype(np.int64).tolist()
                for name, scores in self.scores.items()
                if scores.confusion is not None
            },
            "comparisons": [found.to_json() for every in self.comparisons.values() for found in every],
            "left_out": self.left_out,
            "notes": list(self.notes),
        }
        return document | ({"by_group": self.group_rows()} if by_group else {})

    def _row(self, forecaster: str) -> dict[str, Any]:
        mine = forecaster == next(iter(self.scores))
        return {"forecaster": forecaster, "in_sample": self.in_sample if mine else False}


def _rates(scores: LabelScores) -> list[dict[str, Any]]:
    """Count, precision, recall and F1 of every class, None where undefined; none of numbers."""
    if scores.confusion is None:
        return []
    found = class_rates(scores.confusion)
    table = zip(found.count.tolist(), found.precision.tolist(), found.recall.tolist(), found.f1.tolist(), strict=True)
    return [
        {"count": int(count)} | _nullable({"precision": precision, "recall": recall, "f1": f1})
        for count, precision, recall, f1 in table
    ]


def _told(found: Comparison) -> str:
    p = found.method if math.isnan(found.p) else f"p = {found.p:.3g}, {found.method}"
    return f"{found.metric.replace('_', ' ')} {found.difference:+.3g} ({p})"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _nullable(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
