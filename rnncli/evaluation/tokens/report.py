"""The report of an evaluation of tokens: a model beside n-grams, as data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnncli.arrays import Bools
from rnncli.errors import UsageError
from rnncli.evaluation.paired import Comparison
from rnncli.evaluation.report import SCHEMA
from rnncli.evaluation.shown import Cell, ScoreTable
from rnncli.evaluation.tokens.scores import TokenScores
from rnncli.near import did_you_mean
from rnncli.outline import Outline, shown

OUTLINED = 5  # metrics
LEARN = "n-grams are counted in what the model was trained on: give it with --trained-on"
Parts = tuple[dict[str, float], ...]


@shown
@dataclass(frozen=True)
class TokenReport:
    """Scores of a model (first) and of n-grams on the same tokens.

    `documents` and `positions` name what is scored apart, each with its number of tokens; `unknown` counts those that
    are not in the `vocabulary`, which has so many tokens. dishonest [documents] marks those that training saw, None
    where that is not known. `comparisons` hold the paired tests against each rival, the decisive one first.
    """

    scores: dict[str, TokenScores]
    documents: tuple[tuple[str, int], ...]
    positions: tuple[tuple[str, int], ...]
    vocabulary: int
    unknown: int
    dishonest: Bools | None
    comparisons: dict[str, tuple[Comparison, ...]]
    notes: tuple[str, ...] = ()
    task = "tokens"
    unit = "tokens"
    learn = LEARN
    made_honest_by = "give documents that training has not seen"
    sharpened_by = "more documents, or longer ones, make a comparison sharper"

    @property
    def tokens(self) -> int:
        """How many tokens were scored."""
        return sum(count for _, count in self.documents)

    @property
    def in_sample(self) -> bool | None:
        """Whether any document scored is one that training saw; None if that is not known."""
        return None if self.dishonest is None else bool(self.dishonest.any())

    @property
    def model_scores(self) -> dict[str, float]:
        """The model's value of every metric over all tokens, NaN where undefined."""
        return next(iter(self.scores.values())).overall

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that are defined, in the order of a table's rows."""
        return tuple(name for name, value in self.model_scores.items() if not math.isnan(value))

    def against(self, rival: str) -> Comparison:
        """The model compared with a baseline by the decisive paired test. UsageError if there is no such baseline."""
        if not self.comparisons:
            raise UsageError(f"nothing is compared with {rival!r}", hint=self.learn)
        if rival not in self.comparisons:
            raise UsageError(f"{self.task} have no baseline {rival!r}", hint=did_you_mean(rival, self.comparisons))
        if not self.comparisons[rival]:
            raise UsageError(f"nothing is compared with {rival!r}", hint="no event came after another")
        return self.comparisons[rival][0]

    def outline(self) -> Outline:
        """What was scored, and the scores over all tokens."""
        metrics = self.metrics[:OUTLINED]
        rows = [[name, *(_number(one.overall[metric]) for metric in metrics)] for name, one in self.scores.items()]
        return Outline("Report", self.facts(), ["scores", *metrics], rows, "to_json(by='document') has every document")

    def facts(self) -> list[tuple[str, str]]:
        """What was scored and how honestly, and what a paired test says of each baseline."""
        many = len(self.documents)
        facts = [("scored", f"{self.tokens:,} {self.unit} of {many:,} document{'s' * (many != 1)}")]
        if self.unknown:
            share = f"{self.unknown / self.tokens:.1%}"
            facts.append(("unknown", f"{self.unknown:,} tokens ({share}) are not in the vocabulary"))
        facts += [("in-sample", "training has seen documents that are scored here")] if self.in_sample else []
        compared = {rival: found for rival, found in self.comparisons.items() if found}
        facts += [(f"against {rival}", "; ".join(map(_told, found))) for rival, found in compared.items()]
        return facts + [("note", note) for note in self.notes]

    @property
    def groupings(self) -> tuple[str, ...]:
        """Documents, and positions in them."""
        return ("document", "position")

    def headline(self) -> str:
        """What was scored."""
        return f"{self.facts()[0][1]}, a vocabulary of {self.vocabulary:,}"

    def remarks(self) -> list[str]:
        """How honest the scores are, what a paired test says of each baseline, and what was noted."""
        told = [(name, text) for name, text in self.facts() if name != "scored"]
        return [text if name == "note" else f"{name}: {text}" for name, text in told]

    def tables(self, by: str | None = None) -> list[ScoreTable]:
        """Every metric of every forecaster; and each of these for every document, or position, if that is asked for."""
        model, *rivals = self.scores
        names = [f"{model} (in-sample)" if self.in_sample else model, *rivals]
        rows: list[list[Cell]] = [
            [metric, *(one.overall[metric] for one in self.scores.values())] for metric in self.metrics
        ]
        tables = [ScoreTable(["metric", *names], rows)]
        return tables if by is None else [*tables, self._listed(by)]

    def _listed(self, by: str) -> ScoreTable:
        names = [by, self.unit, "forecaster", *self.metrics]
        return ScoreTable(names, [[row[name] for name in names] for row in self.rows(by)], cut=True)

    def rows(self, by: str | None = None) -> list[dict[str, Any]]:
        """A dictionary for each forecaster: forecaster, in_sample, every metric (None if undefined); `by` document or
        position for each of these, with its number of tokens, and forecaster.
        """
        if by is None:
            return [self._row(name) | _nullable(one.overall) for name, one in self.scores.items()]
        parts, of = self._parts(by)
        return [
            {by: name, self.unit: count} | self._row(forecaster, place if by == "document" else None)
            | _nullable(of(one)[place])
            for place, (name, count) in enumerate(parts)
            for forecaster, one in self.scores.items()
        ]  # fmt: skip

    def _parts(self, by: str) -> tuple[tuple[tuple[str, int], ...], Callable[[TokenScores], Parts]]:
        if by == "document":
            return self.documents, lambda one: one.per_document
        return self.positions, lambda one: one.per_position

    def to_json(self, *, by: str | None = None) -> dict[str, Any]:
        """The document that `evaluate --json` prints; undefined values are null. `by` adds every document, or place."""
        document = {
            "schema": SCHEMA,
            "task": self.task,
            "documents": len(self.documents),
            self.unit: self.tokens,
            "unknown_tokens": self.unknown,
            "vocabulary": self.vocabulary,
            "in_sample": self.in_sample,
            "scores": {name: _nullable(one.overall) for name, one in self.scores.items()},
            "comparisons": [found.to_json() for every in self.comparisons.values() for found in every],
            "notes": list(self.notes),
        }
        return document if by is None else document | {f"by_{by}": self.rows(by)}

    def _row(self, forecaster: str, document: int | None = None) -> dict[str, Any]:
        if forecaster != next(iter(self.scores)):
            return {"forecaster": forecaster, "in_sample": False}
        here = self.dishonest is not None and document is not None
        seen = bool(self.dishonest[document]) if here else self.in_sample  # type: ignore[index]
        return {"forecaster": forecaster, "in_sample": seen}


def _told(found: Comparison) -> str:
    p = found.method if math.isnan(found.p) else f"p = {found.p:.3g}, {found.method}"
    return f"{found.metric.replace('_', ' ')} {found.difference:+.3g} ({p})"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _nullable(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
