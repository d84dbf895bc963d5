"""Scores of what was said of sets: every metric over all steps, in each document and by their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

from rnncli.arrays import Bools, Floats
from rnncli.evaluation.tokens.scores import Part
from rnncli.metrics.sets import PredictedSets, SetMetric
from rnncli.registry import METRICS, find


class SaidOfSets(NamedTuple):
    """Answers about each step [rows] before its set was seen: log p of the set, in nats (NaN: the set is missing),
    and the tokens that were expected [rows, tokens].
    """

    log_probabilities: Floats
    expected: Bools


@dataclass(frozen=True)
class SetScores:
    """Every metric of what one forecaster said of sets that `came` [rows, tokens]: name -> value, NaN where undefined.

    They are of the `whole`, and, where somebody asks for them, of each of the `documents` and of the `positions`.
    """

    said: SaidOfSets
    came: Bools
    whole: Part
    documents: tuple[Part, ...]
    positions: Iterable[Part]

    @cached_property
    def overall(self) -> dict[str, float]:
        """Over all steps."""
        return self._score(self.whole)

    @cached_property
    def per_document(self) -> tuple[dict[str, float], ...]:
        """In each document."""
        return tuple(map(self._score, self.documents))

    @cached_property
    def per_position(self) -> tuple[dict[str, float], ...]:
        """At positions 1, 2, 3-4, 5-8 and so on of documents."""
        return tuple(map(self._score, self.positions))

    def _score(self, part: Part) -> dict[str, float]:
        at = part.tokens
        here = PredictedSets(self.said.log_probabilities[at], self.said.expected[at], self.came[at])
        return {name: metric.of(here) for name, metric in _metrics().items()}


@cache
def _metrics() -> Mapping[str, SetMetric]:
    return {name: find(METRICS["sets"], name, "metric") for name in METRICS["sets"]}
