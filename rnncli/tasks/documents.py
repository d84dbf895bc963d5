"""Documents that are read on, whatever their rows are: what of them is held out, and which are looked at together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.panel import Panel, ranges

AT_ONCE = 1 << 15  # steps of the documents that are asked about together
LOGITS = 1 << 24  # of the questions that are answered together
SHARE = 0.1  # of the rows
MOST = 1 << 16  # rows: more tell no more
MANY = 10  # documents from which on whole ones are held out; of fewer the last part of each
SHORTEST = 20  # rows of a document that is cut
PIECE, WARM = 128, 64  # positions of a piece, and before it, from which the network takes what came before


@dataclass(frozen=True)
class Holdout:
    """Pieces [N] of documents that the search does not see: positions first[i] ... stop[i] - 1 of series[i]."""

    series: Ints
    first: Ints
    stop: Ints

    def ends(self, lengths: Ints) -> Ints:
        """Rows of each document that the search may look at: those before its first piece."""
        ends = lengths.copy()
        np.minimum.at(ends, self.series, self.first)
        return ends

    def some(self, most: int) -> Holdout:
        """Pieces of about as many positions, spread evenly."""
        if len(self) <= most:
            return self
        count = max(1, round(most / len(self) * len(self.series)))
        at = np.unique(np.linspace(0, len(self.series) - 1, count).astype(np.int64))
        return Holdout(self.series[at], self.first[at], self.stop[at])

    def __len__(self) -> int:
        """Number of positions."""
        return int((self.stop - self.first).sum())


def hold_out(panel: Panel) -> Holdout:
    """A tenth of the rows, 65,536 at most: whole documents where there are ten, else the last part of each."""
    lengths = panel.lengths
    most = min(int(SHARE * lengths.sum()), MOST)
    if len(panel) >= MANY:
        order = np.random.default_rng(0).permutation(len(panel))
        before = np.cumsum(lengths[order]) - lengths[order]
        series = np.sort(order[: min(max(1, int(np.searchsorted(before, most))), len(panel) - 1)])
        first = np.zeros(len(series), np.int64)
    else:
        series = np.flatnonzero(lengths >= SHORTEST)
        share = min(SHARE, MOST / max(1, int(lengths.sum())))
        first = lengths[series] - np.maximum(1, (share * lengths[series]).astype(np.int64))
    return _pieces(series, first, lengths[series])


def _pieces(series: Ints, first: Ints, stop: Ints) -> Holdout:
    """Positions first[i] ... stop[i] - 1 of each series[i], in pieces."""
    count = -(-(stop - first) // PIECE)
    which = np.repeat(np.arange(len(series)), count)
    begin = first[which] + PIECE * ranges(np.zeros(len(series), np.int64), count)
    return Holdout(series[which], begin, np.minimum(begin + PIECE, stop[which]))


def groups(steps: Ints, outputs: int) -> Iterator[slice]:
    """Crops of so many steps [n], in order, as groups that are small enough to be answered together."""
    most, begin = min(AT_ONCE, max(1, LOGITS // outputs)), 0
    while begin < len(steps):
        longest = np.maximum.accumulate(steps[begin : begin + most])
        fit = longest * np.arange(1, len(longest) + 1) <= most
        stop = begin + max(1, int(np.count_nonzero(np.logical_and.accumulate(fit))))
        yield slice(begin, stop)
        begin = stop
