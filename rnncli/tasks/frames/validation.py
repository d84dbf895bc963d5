"""Sequences held out of the search, and how wrong the frames are that are said to come next in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Array, Floats, Ints
from rnncli.data.panel import Panel
from rnncli.tasks.frames import head
from rnncli.tasks.frames.spec import QUANTILES, FrameSpec

SHARE = 0.1  # of the frames
MANY = 10  # sequences from which on whole ones are held out; of fewer the last part of each
LOSS, SQUARE, AWAY, APART, ALONG = range(5)  # what is kept of an answer


@dataclass(frozen=True)
class Holdout:
    """Questions [N] at rows[i] of series[i] about frames that the search does not see: of each series it may look at
    the first `kept` [N] ones.
    """

    series: Ints
    rows: Ints
    kept: Ints

    def ends(self, lengths: Ints) -> Ints:
        """Frames of each sequence that the search may look at."""
        ends = lengths.copy()
        ends[self.series] = self.kept
        return ends

    def some(self, most: int) -> Holdout:
        """So many of them, spread evenly."""
        if len(self) <= most:
            return self
        at = np.unique(np.linspace(0, len(self) - 1, most).astype(np.int64))
        return Holdout(self.series[at], self.rows[at], self.kept[at])

    def __len__(self) -> int:
        """Number of questions."""
        return len(self.series)


def hold_out(panel: Panel, spec: FrameSpec) -> Holdout:
    """A tenth of the frames: whole sequences where there are ten, else the last part of each that is long enough.

    In a held-out sequence, or part, it is asked every horizon frames what comes next.
    """
    lengths = panel.lengths
    if len(panel) >= MANY:
        able = np.flatnonzero(lengths > 1)
        order = np.random.default_rng(0).permutation(able)
        series = np.sort(order[: min(max(1, round(SHARE * len(able))), max(len(able) - 1, 0))])
        kept = np.zeros(len(series), np.int64)
        first = np.minimum(spec.context, np.maximum(lengths[series] - spec.horizon, 1))
    else:
        part = np.maximum(spec.horizon, np.rint(SHARE * lengths).astype(np.int64))
        series = np.flatnonzero(lengths - part >= spec.context + spec.horizon)
        kept = first = (lengths - part)[series]
    last = np.maximum(first, lengths[series] - spec.horizon)
    count = 1 + (last - first) // spec.horizon
    which = np.repeat(np.arange(len(series)), count)
    back = spec.horizon * (np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count))
    return Holdout(series[which], last[which] - back, kept[which])


@dataclass(frozen=True)
class Validated:
    """What is left of answers to the questions about held-out frames: `said` [N, horizon, 5] are the mean loss, squared
    error and absolute error of the pixels of each frame, in the data's units but for the loss; and how far apart what
    is said lies from what was moved on, squared, and along that way what came (0 where nothing moves). NaN where none
    is known.
    """

    holdout: Holdout
    said: Floats

    @property
    def series(self) -> Ints:
        """The sequence [N] that each question is about."""
        return self.holdout.series

    def made(self, said: Floats) -> Validated:
        """Other answers to the same questions."""
        return replace(self, said=said)

    def losses(self) -> Floats:
        """The mean loss of each answer, NaN where nothing is known: [N]."""
        return mean_of_each(self.said[..., LOSS])


def validated(holdout: Holdout, spec: FrameSpec) -> Validated:
    """The questions about held-out frames, to which nothing is said yet."""
    return Validated(holdout, np.zeros((len(holdout), spec.horizon, 5)))


def of_what_came(spec: FrameSpec, said: Array, units: Mapping[str, Array]) -> Floats:
    """What is kept of what is said of frames [o, S, height, width, channels (, Q)], of which those came that `units`
    hold as the next: the errors of the last `horizon` ones, [o, horizon, 5]. All that was said would fill the memory.
    """
    said, z, size = said[:, -spec.horizon :], np.asarray(units["next"], np.float64), units.get("size")
    point = said[..., spec.median] if spec.loss == QUANTILES else said
    came = spec.center + spec.scale * (z if size is None else z * size)
    shown = head.in_units(spec, point, size)
    known = ~np.isnan(z)
    away = np.where(known, shown - came, 0)
    base = units.get(head.BASE)
    apart = np.zeros_like(away) if base is None else np.where(known, shown - head.in_units(spec, base, size), 0)
    parts = (head.of_pixels(spec, said, z, np), away * away, np.abs(away), apart * apart, apart * (apart - away))
    count = known.sum(axis=(2, 3, 4))
    sums = np.stack([part.sum(axis=(2, 3, 4)) for part in parts], axis=-1)
    return np.asarray(np.where(count[..., None] > 0, sums / np.maximum(count, 1)[..., None], np.nan))


def mean_of_each(values: Floats) -> Floats:
    """The mean of the numbers in each row that are known, NaN where none is: [..., M] -> [...]."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0).sum(axis=-1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
