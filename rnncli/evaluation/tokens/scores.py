"""Scores of what was said of tokens: every metric over all of them, in each document and by their places."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Ints
from rnncli.baselines.tokens.baseline import Said
from rnncli.metrics.tokens import Predicted, TokenMetric
from rnncli.registry import METRICS, find

AT_ONCE = 1 << 20  # tokens
OCTAVES = 64


@dataclass(frozen=True)
class Part:
    """Tokens that are scored together: their `name`, which of those asked they are, how many, and the bytes of their
    text (NaN where they have none).
    """

    name: str
    tokens: slice | Bools
    count: int
    text_bytes: float = math.nan


@dataclass(frozen=True)
class Times:
    """When tokens came after those before them [n], in days or, where they `count`, in steps (NaN: none did), and the
    `levels` of the quantiles that were said of that.
    """

    waited: Floats
    levels: tuple[float, ...]
    count: bool


@dataclass(frozen=True)
class TokenScores:
    """Every metric of what one forecaster said: name -> value, NaN where undefined.

    They are of the `whole`, and, where somebody asks for them, of each of the `documents` and of the `positions`.
    """

    said: Said
    whole: Part
    documents: tuple[Part, ...]
    positions: Iterable[Part]
    times: Times | None = None

    @cached_property
    def overall(self) -> dict[str, float]:
        """Over all tokens."""
        return _score(self.said, self.whole, self.times)

    @cached_property
    def per_document(self) -> tuple[dict[str, float], ...]:
        """In each document."""
        return tuple(_score(self.said, part, self.times) for part in self.documents)

    @cached_property
    def per_position(self) -> tuple[dict[str, float], ...]:
        """At positions 1, 2, 3-4, 5-8 and so on of documents."""
        return tuple(_score(self.said, part, self.times) for part in self.positions)


@cache
def _metrics() -> Mapping[str, TokenMetric]:
    """Metrics by their names in reports."""
    found: dict[str, TokenMetric] = {name: find(METRICS["tokens"], name, "metric") for name in METRICS["tokens"]}
    return {metric.called or name: metric for name, metric in found.items()}


def _score(said: Said, part: Part, times: Times | None) -> dict[str, float]:
    here = Predicted(said.log_probabilities[part.tokens], said.ranks[part.tokens], part.text_bytes)
    if times is not None and said.waits is not None:
        waits, waited = said.waits[part.tokens], times.waited[part.tokens]
        here = replace(here, waits=waits, waited=waited, levels=times.levels, count=times.count)
    return {name: metric.of(here) for name, metric in _metrics().items()}


def by_document(offsets: Ints, ids: tuple[str, ...], text_bytes: Floats | None) -> tuple[Part, ...]:
    """A part for each document of which some of the tokens are, of which each begins at `offsets` [documents + 1]."""
    return tuple(
        Part(ids[s], slice(begin, end), end - begin, math.nan if text_bytes is None else float(text_bytes[s]))
        for s, (begin, end) in enumerate(pairwise(offsets.tolist()))
        if end > begin
    )


def octave_of(position: Ints) -> NDArray[np.uint8]:
    """The power of two up to which positions 1, 2, 3-4, 5-8 and so on reach, which are given from 0 on: [n]."""
    return np.ceil(np.log2(np.maximum(position + 1, 1))).astype(np.uint8)


@dataclass(frozen=True)
class Octaves:
    """Parts by the octave [n] of each token's position, whose tokens are looked for when they are asked about."""

    octave: NDArray[np.uint8]

    @cached_property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """The name of each part, and how many tokens it has."""
        return tuple((_span(k), count) for k, count in enumerate(self._all) if count)

    @cached_property
    def _all(self) -> list[int]:
        total = np.zeros(OCTAVES, np.int64)
        for begin in range(0, len(self.octave), AT_ONCE):  # what is counted is copied as int64
            total += np.bincount(self.octave[begin : begin + AT_ONCE], minlength=OCTAVES)
        found: list[int] = total.tolist()
        return found

    def __iter__(self) -> Iterator[Part]:
        for k, count in enumerate(self._all):
            if count:
                yield Part(_span(k), self.octave == k, count)


def _span(octave: int) -> str:
    first, last = (1 << octave) // 2 + 1, 1 << octave
    return f"{last:,}" if first >= last else f"{first:,}-{last:,}"
