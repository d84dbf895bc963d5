"""Scores of what was said of tokens: every metric over all of them, in each document and by their places."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines.tokens.baseline import Said
from rnncli.metrics.tokens import Predicted, TokenMetric
from rnncli.registry import METRICS, find


@dataclass(frozen=True)
class Part:
    """Tokens that are scored together: their `name`, which of those asked they are [n], and the bytes of their text
    (NaN where they have none).
    """

    name: str
    tokens: Ints
    text_bytes: float = math.nan


@dataclass(frozen=True)
class TokenScores:
    """Every metric of one forecaster: name -> value, NaN where undefined, over all tokens, in each document and by
    place: those of position 1, 2, 3-4, 5-8 and so on.
    """

    overall: dict[str, float]
    per_document: tuple[dict[str, float], ...]
    per_position: tuple[dict[str, float], ...]


def metrics() -> Mapping[str, TokenMetric]:
    """The metrics of tokens, by name."""
    return {name: find(METRICS["tokens"], name, "metric") for name in METRICS["tokens"]}


def score_part(said: Said, part: Part) -> dict[str, float]:
    """Every metric of a part of what was said."""
    here = Predicted(said.log_probabilities[part.tokens], said.ranks[part.tokens], part.text_bytes)
    return {name: metric.of(here) for name, metric in metrics().items()}


def by_document(owner: Ints, ids: tuple[str, ...], text_bytes: Floats | None) -> tuple[Part, ...]:
    """A part for each document of which some of the tokens are, whose documents are `owner` [n], in order."""
    there, begins = np.unique(owner, return_index=True)
    ends = [*begins[1:].tolist(), len(owner)]
    return tuple(
        Part(ids[s], np.arange(begin, end), math.nan if text_bytes is None else float(text_bytes[s]))
        for s, begin, end in zip(there.tolist(), begins.tolist(), ends, strict=True)
    )


def by_position(position: Ints) -> tuple[Part, ...]:
    """A part for the positions 1, 2, 3-4, 5-8 and so on of a document, which are given from 0 on [n]."""
    octave = np.ceil(np.log2(np.maximum(position + 1, 1))).astype(np.int64)
    return tuple(Part(_span(int(k)), np.flatnonzero(octave == k)) for k in np.unique(octave))


def _span(octave: int) -> str:
    first, last = (1 << octave) // 2 + 1, 1 << octave
    return f"{last:,}" if first >= last else f"{first:,}-{last:,}"
