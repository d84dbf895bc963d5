"""A panel of labelled sequences as questions: what is the label of this sequence, or of each of these steps?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from rnncli.arrays import Inputs, Ints
from rnncli.data.panel import Panel
from rnncli.tasks.labels.augment import augmented
from rnncli.tasks.labels.frames import framed, numbers_and_codes, rastered, rows_of
from rnncli.tasks.labels.pictures import pictured
from rnncli.tasks.labels.spec import LabelSpec
from rnncli.tasks.seen import Division, Seen, divided

AT_ONCE = 1 << 17  # steps of the sequences that are asked about together
NUMBERS = 1 << 20  # of their frames


def examples(panel: Panel, spec: LabelSpec, ends: Ints) -> Examples:
    """The sequences of a panel, of each of which the first `ends` [series] rows may be looked at, as questions."""
    return Examples(rastered(panel, spec.raster), spec, -(-ends // spec.raster))


@dataclass(frozen=True)
class Examples:
    """Labelled sequences of steps, of each of which the first `ends` [series] may be looked at. Where rows of a panel
    are read as a raster, its steps are the rows of the raster.
    """

    panel: Panel
    spec: LabelSpec
    ends: Ints

    def seen(self, series: Ints, first_row: Ints, lengths: Ints, rng: np.random.Generator | None = None) -> Seen:
        """The questions about rows first_row[i] ... first_row[i] + lengths[i] - 1 of each series[i], augmented where
        there is an `rng`: one a sequence, or one a row.
        """
        inputs, words, frames = self._inputs(series, first_row, lengths, rng)
        if self.spec.per_step:
            which = np.repeat(np.arange(len(series)), lengths)
            step = np.arange(len(which)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        else:
            which, step = np.arange(len(series)), frames - 1
        row = self.panel.offsets[series][which] + first_row[which] + (step if self.spec.per_step else 0)
        label = (self.panel.targets[row] - self.spec.center) / self.spec.scale
        with np.errstate(over="ignore"):  # of a label that is far from all of training
            label = label.astype(np.float32)
        return Seen(inputs, frames, which, step, {}, label, {}, series, first_row, codes=words)

    def _inputs(
        self, series: Ints, first_row: Ints, lengths: Ints, rng: np.random.Generator | None
    ) -> tuple[Inputs, Ints, Ints]:
        """What the network sees: numbers [n, F, ...] and codes [n, F, words], of which the first so many are real."""
        if self.spec.pictures is not None:
            seen, count = pictured(self.panel, self.spec, series, first_row, lengths, rng)
            return seen, np.zeros((*seen.shape[:2], 0), np.int64), count
        numbers, codes = numbers_and_codes(rows_of(self.panel, series, first_row, lengths), self.spec)
        if rng is not None:
            numbers, codes = augmented(numbers, codes, lengths, self.spec, rng)
        return framed(numbers, codes, lengths, self.spec)

    @property
    def _at_once(self) -> int:
        """Steps of the sequences that are asked about together."""
        return AT_ONCE if self.spec.pictures is None else max(1, NUMBERS // prod(self.spec.pictures.shape))

    def drawn(self, rng: np.random.Generator, size: int, by: Division | None = None) -> Seen:
        """A training batch of `size` sequences that have a label, each as often as any other; or pieces of sequences
        whose steps have labels, long ones more often.
        """
        usable = np.flatnonzero(self._labelled)
        if not self.spec.per_step:
            rounds = [rng.permutation(usable) for _ in range(-(-size // len(usable)))]
            series = np.concatenate(rounds)[:size]
            return divided(self.seen(series, np.zeros(size, np.int64), self.ends[series], rng), by)
        weight = self.ends[usable].astype(np.float64)
        series = rng.choice(usable, size=size, p=weight / weight.sum())
        lengths = np.minimum(self.ends[series], self.spec.steps)
        first_row = rng.integers(0, self.ends[series] - lengths + 1)
        return divided(self.seen(series, first_row, lengths, rng), by)

    @property
    def _labelled(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which series have a label that may be looked at."""
        known = np.concatenate([[0], np.cumsum(~np.isnan(self.panel.targets))])
        begin = self.panel.offsets[:-1]
        return np.asarray(known[begin + self.ends] > known[begin])

    def stretch(
        self, rng: np.random.Generator, series: Ints, first_row: Ints, rows: int, by: Division | None = None
    ) -> Seen:
        """Rows first_row[i] ... first_row[i] + rows - 1 of each series, with what their steps are labelled."""
        lengths = np.minimum(rows, self.ends[series] - first_row)
        seen = self.seen(series, first_row, lengths, rng)
        return divided(replace(seen, fresh=first_row == 0), by)

    def at(self, series: Ints, ends: Ints) -> Iterator[Seen]:
        """The questions about the first ends[i] rows of each series[i], some sequences at a time."""
        begin, ends = 0, -(-ends // self.spec.raster)
        while begin < len(series):
            longest = np.maximum.accumulate(ends[begin:])
            fit = longest * np.arange(1, len(longest) + 1) <= self._at_once
            stop = begin + max(1, int(np.count_nonzero(np.logical_and.accumulate(fit))))
            some = series[begin:stop]
            yield self.seen(some, np.zeros(len(some), np.int64), ends[begin:stop])
            begin = stop

    def ending(self, series: Ints, ends: Ints, steps: int | None = None) -> Seen:
        """The last `steps` frames (all, if None) of the first ends[i] frames of each series[i], with the question at
        the last of them.
        """
        seen = self.seen(
            series, np.zeros(len(series), np.int64), np.minimum(ends * self.spec.stride, self.ends[series])
        )
        count = len(series)
        asked = np.flatnonzero(seen.origins == seen.lengths[seen.rows] - 1)
        whole = replace(seen, rows=np.arange(count), origins=seen.lengths - 1, targets=seen.targets[asked])
        if steps is None:
            return whole
        at = (seen.lengths - steps)[:, None] + np.arange(steps)
        row = np.arange(count)[:, None]
        assert seen.codes is not None
        length = np.full(count, steps)
        return replace(
            whole, inputs=seen.inputs[row, at], codes=seen.codes[row, at], lengths=length, origins=length - 1
        )
