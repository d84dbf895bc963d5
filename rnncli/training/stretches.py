"""Whole series in order, a stretch at a time, for training with a state that is carried from step to step.

Side by side, `streams` streams go through all series: each through one from its first stretch of rows to its last, then
through the next, in an order of its own, which is drawn anew when all have been seen. A stream begins at a random place
of its first round, so that streams do not march in step and one long series is seen in many places at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rnncli.arrays import Ints


@dataclass
class Stretches:
    """The places of all streams at any step: a function of the seed and the step alone.

    `lengths` [series] are the rows of each, of which a stretch has `rows`; series without a row take no part.
    """

    lengths: Ints
    rows: int
    streams: int
    seed: tuple[int, ...]
    _rounds: dict[int, tuple[int, Ints, Ints]] = field(default_factory=dict)

    def at(self, step: int) -> tuple[Ints, Ints]:
        """The series of each stream and the first row of its stretch, at the steps 1, 2 ...: [streams] each. A stream
        is in a series for the first time where that row is 0.
        """
        places = [self._place(stream, step - 1) for stream in range(self.streams)]
        series, first_row = np.array(places, np.int64).T
        return series, first_row

    def _place(self, stream: int, step: int) -> tuple[int, int]:
        counts = -(-self.lengths // self.rows)
        total = int(counts.sum())
        begin = int(np.random.default_rng((*self.seed, stream, 0)).integers(total))
        number, place = divmod(begin + step, total)
        order, ends = self._round(stream, number, counts)
        at = int(np.searchsorted(ends, place, side="right"))
        series = int(order[at])
        return series, (place - int(ends[at] - counts[series])) * self.rows

    def _round(self, stream: int, number: int, counts: Ints) -> tuple[Ints, Ints]:
        """The order of the series in a round of a stream, and where each ends in it."""
        kept = self._rounds.get(stream)
        if kept is None or kept[0] != number:
            order = np.random.default_rng((*self.seed, stream, 1 + number)).permutation(len(counts))
            kept = self._rounds[stream] = number, order, np.cumsum(counts[order])
        return kept[1:]
