"""The report of an evaluation of labels: a model beside its baselines, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.errors import UsageError
from rnncli.evaluation.labels.scores import Groups, LabelScores
from rnncli.evaluation.paired import Comparison
from rnncli.evaluation.report import SCHEMA
from rnncli.evaluation.shown import Cell, ScoreTable
from rnncli.metrics.labels import class_rates
from rnncli.near import did_you_mean
from rnncli.outline import Outline, shown

OUTLINED = 5  # metrics
FEW = 12  # classes that are shown one by one
LINE = 80  # letters
CONFUSED = 10  # pairs of classes, where these are more
LEARN = "baselines learn from what the model was trained on: give it with --trained-on"


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
    made_honest_by = "give sequences that training has not seen"
    sharpened_by = "more labelled sequences make a comparison sharper"

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
        if not self.comparisons and not self.left_out:
            raise UsageError(f"nothing is compared with {rival!r}", hint=LEARN)
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

    @property
    def groupings(self) -> tuple[str, ...]:
        """Classes, where labels are some, and groups, where there are any."""
        return ("class",) * bool(self.classes) + ("group",) * (self.groups is not None)

    def headline(self) -> str:
        """What was scored."""
        (_, what), *more = self.facts()
        return f"{what}, {len(self.classes):,} classes" if more and more[0][0] == "classes" else what

    def remarks(self) -> list[str]:
        """How honest the scores are, what a paired test says of each baseline, and what was noted."""
        told = [(name, text) for name, text in self.facts() if name not in ("scored", "classes")]
        return [text if name == "note" else f"{name}: {text}" for name, text in told]

    def tables(self, by: str | None = None) -> list[ScoreTable]:
        """Every metric of every forecaster; of few classes how well each is found and what is taken for what, of many
        the largest confusions; and every class, or group, by each forecaster.
        """
        tables = [self._overall(), *self._classes(by), *self._confusion()]
        return tables + ([_listed(self.group_rows(), ("group", "labels"))] if by == "group" else [])

    def _overall(self) -> ScoreTable:
        model, *rivals = self.scores
        names = [f"{model} (in-sample)" if self.in_sample else model, *rivals]
        rows: list[list[Cell]] = [
            [metric, *(scores.overall[metric] for scores in self.scores.values())] for metric in self.metrics
        ]
        return ScoreTable(["metric", *names], rows)

    def _classes(self, by: str | None) -> list[ScoreTable]:
        if by == "class":
            return [_listed(self.class_rows(), ("class", "count"))]
        if not 0 < len(self.classes) <= FEW:
            return []
        rates = _rates(next(iter(self.scores.values())))
        rows = [[of, *row.values()] for of, row in zip(self.classes, rates, strict=True)]
        return [ScoreTable(["class", "count", "precision", "recall", "f1"], rows)]

    def _confusion(self) -> list[ScoreTable]:
        confusion = next(iter(self.scores.values())).confusion
        if confusion is None:
            return []
        counts = confusion.astype(np.int64)
        whole = [_counted(self.classes, counts, self.classes), _counted(self.classes, counts, _numbers(self.classes))]
        fit = [one for one in whole if len(self.classes) <= FEW and _width(one) <= LINE]
        return [*(fit or _largest(self.classes, counts))][:1]

    def rows(self, by: str | None = None) -> list[dict[str, Any]]:
        """A dictionary for each forecaster: forecaster, in_sample, every metric (None if undefined); `by` class or
        group for each of these and forecaster.
        """
        if by is not None:
            return self.class_rows() if by == "class" else self.group_rows()
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

    def to_json(self, *, by: str | None = None) -> dict[str, Any]:
        """The document that `evaluate --json` prints; undefined values are null. `by` group adds every group."""
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
        return document | ({"by_group": self.group_rows()} if by == "group" else {})

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


def _listed(rows: list[dict[str, Any]], first: tuple[str, ...]) -> ScoreTable:
    """Rows of classes, or groups: these and who said something of them come first."""
    found = [{name: value for name, value in row.items() if name != "in_sample"} for row in rows]
    names = [*first, "forecaster"]
    names += [name for name in (found[0] if found else ()) if name not in names]
    return ScoreTable(names, [[row[name] for name in names] for row in found], cut=True)


def _counted(classes: tuple[str, ...], counts: Ints, across: tuple[str, ...]) -> ScoreTable:
    """The confusion matrix: how often each class, down, was called each, across; `across` names the columns."""
    numbered = across != classes
    names = [f"{number} {name}" for number, name in zip(across, classes, strict=True)] if numbered else list(classes)
    rows = [[name, *row] for name, row in zip(names, counts.tolist(), strict=True)]
    return ScoreTable(["class", *across], rows, "how often the model took a class (down) for each (across)")


def _numbers(classes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(place) for place in range(1, len(classes) + 1))


def _width(one: ScoreTable) -> int:
    widths = [max(len(f"{row[place]}") for row in (one.header, *one.rows)) for place in range(len(one.header))]
    return sum(widths) + 2 * (len(widths) - 1)


def _largest(classes: tuple[str, ...], counts: Ints) -> list[ScoreTable]:
    """The pairs of classes of which one was taken for the other most often; nothing if none ever was."""
    wrong = counts - np.diag(np.diag(counts))
    places = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSED]
    rows = [
        [classes[true], classes[taken], int(wrong[true, taken]), int(counts[true].sum())]
        for true, taken in zip(*np.unravel_index(places, wrong.shape), strict=True)
        if wrong[true, taken]
    ]
    title = "the largest confusions of the model"
    return [ScoreTable(["class", "taken for", "times", "of"], rows, title)] if rows else []


def _told(found: Comparison) -> str:
    p = found.method if math.isnan(found.p) else f"p = {found.p:.3g}, {found.method}"
    return f"{found.metric.replace('_', ' ')} {found.difference:+.3g} ({p})"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _nullable(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
