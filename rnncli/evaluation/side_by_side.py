"""The report on several forecasters that were scored from the same origins: scores, ranks, and paired tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from rnncli.arrays import Floats
from rnncli.evaluation.paired import MANY, Comparison, Losses, compare
from rnncli.evaluation.ranks import Ranks, holm, ranked
from rnncli.evaluation.report import SEEN, Report
from rnncli.evaluation.shown import Cell, ScoreTable
from rnncli.outline import Outline, shown

SCHEMA = "rnncli.compare/1"
METRIC = "mase"  # of which each forecast has a loss


@dataclass(frozen=True)
class Pair:
    """Two forecasters: of which the mean loss is lower, by how much, and the chance of such a difference, either way,
    if there were none, adjusted for the number of pairs (NaN where too few forecasts tell).
    """

    better: str
    worse: str
    difference: float
    p: float
    method: str

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        p = None if math.isnan(self.p) else self.p
        facts = {"better": self.better, "worse": self.worse, f"{METRIC}_difference": self.difference}
        return facts | {"p": p, "method": self.method}

    def line(self, alpha: float) -> str:
        """What is to be known of the two, in a line."""
        if math.isnan(self.p):
            return f"{self.better} and {self.worse}: {self.method}"
        says = f"by {self.difference:.3g}, p = {self.p:.2g}, {self.method}"
        if self.p < alpha:
            return f"{self.better} is better than {self.worse}: MASE lower {says}"
        return f"{self.better} and {self.worse} cannot be told apart: MASE differs {says}"


@shown
@dataclass(frozen=True)
class SideBySide:
    """Scores of the forecasters that are `compared` and of the baselines on the same rows; `report` names no model.
    `in_sample` are those of whose training some of the rows may have been.
    """

    report: Report
    compared: tuple[str, ...]
    in_sample: frozenset[str]
    ranks: Ranks
    pairs: tuple[Pair, ...]
    groupings = ("series",)

    def headline(self) -> str:
        """What was scored."""
        return self.report.headline()

    def tables(self, by: str | None = None) -> list[ScoreTable]:
        """Every metric of every forecaster, the compared ones with their mean ranks; by series likewise."""
        return [self._overall(), *([self._of_series()] if by else [])]

    def _overall(self) -> ScoreTable:
        header = ["forecaster", "rank", *self.report.metrics]
        rows: list[list[Cell]] = [
            [self._marked(name), self.ranks.mean.get(name), *scores.overall.values()]
            for name, scores in self.report.scores.items()
        ]
        return ScoreTable(header, rows, remark=self._about_ranks(), cut=True)

    def _of_series(self) -> ScoreTable:
        metrics = self.report.metrics
        rows: list[list[Cell]] = [
            [row["id"], self._marked(row["forecaster"]), *(row[metric] for metric in metrics)]
            for row in self.report.series_rows()
        ]
        return ScoreTable(["series", "forecaster", *metrics], rows, cut=True)

    def _about_ranks(self) -> str:
        ranks = self.ranks
        what = f"rank: the mean over {ranks.count:,} {ranks.units} by MASE, 1 is best"
        if math.isnan(ranks.critical):
            return f"{what}; too few to say whether ranks differ"
        if len(self.compared) < 3:
            return what
        says = f"those {ranks.critical:.3g} apart differ at {ranks.alpha:g} (Nemenyi)"
        return f"{what}; {says}, Friedman's p = {ranks.p:.2g}"

    def remarks(self) -> list[str]:
        """Which ranks are alike, each pair, what is in-sample, and what else was noted."""
        several = len(self.compared) > 2 and not math.isnan(self.ranks.critical)
        alike = [f"ranks alike: {', '.join(group)}" for group in self.ranks.alike] if several else []
        seen = [f"{name} is in-sample: {SEEN}" for name in sorted(self.in_sample)]
        return [*alike, *(pair.line(self.ranks.alpha) for pair in self.pairs), *seen, *self.report.notes]

    def rows(self, by: str | None = None) -> list[dict[str, Any]]:
        """A dictionary for each forecaster (by series, for each series and forecaster): forecaster, in_sample, its
        mean rank (None of a baseline, and by series), every metric (None if undefined).
        """
        rows = self.report.rows(by)
        for row in rows:
            row["in_sample"] = row["forecaster"] in self.in_sample
        if by:
            return rows
        ranks = self.ranks.mean
        return [
            {"forecaster": row.pop("forecaster"), "in_sample": row.pop("in_sample")} | {"rank": ranks.get(name)} | row
            for name, row in zip(self.report.scores, rows, strict=True)
        ]

    def to_json(self, *, by: str | None = None) -> dict[str, Any]:
        """The document that `compare --json` prints; undefined values are null. `by` adds every series."""
        document = self.report.to_json()
        kept = ("horizon", "season", "quantiles", "series", "windows", "scores", "n_undefined")
        told: dict[str, Any] = {"schema": SCHEMA, "compared": list(self.compared), "in_sample": sorted(self.in_sample)}
        told |= {key: document[key] for key in kept}
        told |= {"ranks": self.ranks.to_json(), "pairs": [pair.to_json() for pair in self.pairs]}
        told |= {"notes": list(self.report.notes)}
        return told | ({"by_series": self.rows(by)} if by else {})

    def outline(self) -> Outline:
        """What was scored, the scores, and which differ."""
        found = self.report.outline()
        facts = [found.facts[0], ("ranks", self._about_ranks()), *(("note", line) for line in self.remarks())]
        return found._replace(title="Comparison", facts=facts)

    def _marked(self, name: str) -> str:
        return f"{name} (in-sample)" if name in self.in_sample else name


def side_by_side(report: Report, compared: Sequence[str], in_sample: frozenset[str], alpha: float) -> SideBySide:
    """A report with the ranks of those that are compared, and a paired test of each two of them."""
    blocks, units = _blocks(report.losses, compared)
    ranks = ranked(blocks, units, alpha)
    return SideBySide(report, tuple(compared), in_sample, ranks, tuple(_pairs(report.losses, compared)))


def _blocks(losses: Losses, names: Sequence[str]) -> tuple[dict[str, Floats], str]:
    """What is ranked: the mean loss of every series, or every forecast where there are few series."""
    of = np.stack([losses.of[name] for name in names], axis=1)
    known = ~np.isnan(of).any(axis=1)
    _, series = np.unique(losses.series, return_inverse=True)
    if series.max(initial=0) + 1 < MANY:
        return {name: losses.of[name] for name in names}, "forecasts"
    count = np.bincount(series, weights=known)
    with np.errstate(invalid="ignore"):
        sums = (np.bincount(series, weights=np.where(known, column, 0.0)) for column in of.T)
        return {name: total / count for name, total in zip(names, sums, strict=True)}, "series"


def _pairs(losses: Losses, names: Sequence[str]) -> list[Pair]:
    """Each two of the forecasters; p-values are adjusted for how many pairs there are."""
    found = [_pair(losses, *two) for two in combinations(names, 2)]
    adjusted = holm([pair.p for pair in found])
    told = ", Holm" if len(found) > 1 else ""
    return [
        replace(pair, p=p, method=pair.method if math.isnan(p) else pair.method + told)
        for pair, p in zip(found, adjusted, strict=True)
    ]


def _pair(losses: Losses, one: str, other: str) -> Pair:
    forth, back = compare(losses, one, other), compare(losses, other, one)
    better: Comparison = back if back.difference < 0 else forth
    names = (other, one) if better is back else (one, other)
    p = forth.p if math.isnan(forth.p) else min(1.0, 2 * min(forth.p, back.p))
    return Pair(*names, abs(better.difference), p, better.method)
