"""The interface of a baseline for labels: it learns from labelled sequences and answers for others, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rnncli.arrays import Floats, Ints
from rnncli.baselines.labels.sequences import Sequences


def _little(trained: Sequences, asked: Sequences) -> str:
    return ""


@dataclass(frozen=True)
class ClassBaseline:
    """A baseline for classes.

    `of` takes labelled sequences, their labels (codes; -1 where there is none), the number of classes C and the
    sequences asked, and returns probabilities [asked, C]. `too_much` says why it is left out on so many data, "" if it
    is not; `per_step` whether it can label steps.
    """

    name: str
    of: Callable[[Sequences, Ints, int, Sequences], Floats]
    per_step: bool = True
    too_much: Callable[[Sequences, Sequences], str] = _little


@dataclass(frozen=True)
class NumberBaseline:
    """A baseline for labels that are numbers.

    `of` takes labelled sequences, their labels (NaN where there is none), quantile levels and the sequences asked, and
    returns quantiles [asked, Q] that do not cross. `too_much` and `per_step` are as a `ClassBaseline`'s.
    """

    name: str
    of: Callable[[Sequences, Floats, Sequence[float], Sequences], Floats]
    per_step: bool = True
    too_much: Callable[[Sequences, Sequences], str] = _little
