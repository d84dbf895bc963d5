"""Documents as questions: which tokens are in the next set, at each of their positions?

At position p of a document of n sets s_0 ... s_{n-1} the network sees what stands before it, s_{p-1} or the boundary,
and is asked for s_p.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Ints
from rnncli.baselines.sets.baseline import SetDocuments
from rnncli.data.panel import Panel
from rnncli.tasks.documents import groups
from rnncli.tasks.seen import Division, Seen, divided
from rnncli.tasks.sets.head import seen_of
from rnncli.tasks.sets.spec import SetSpec

FARTHEST = 1_024  # steps of a crop that is to be as long as can be
Hot = NDArray[np.int8]


def hot_of(panel: Panel) -> Hot:
    """The tokens of each set of a panel, in order, a view: [rows, tokens]."""
    return cast("Hot", panel.values)


def documents_of(panel: Panel) -> SetDocuments:
    """The documents of a panel as baselines take them."""
    return SetDocuments(hot_of(panel), panel.offsets)


def last_known(panel: Panel) -> Ints:
    """The place of the last set of each document that is not missing, 0 if there is none: [series]."""
    place = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    return np.asarray(np.maximum.reduceat(np.where(documents_of(panel).known, place, 0), panel.offsets[:-1]))


def examples(panel: Panel, spec: SetSpec, ends: Ints) -> Examples:
    """The documents of a panel, of each of which the first `ends` [series] sets may be looked at, as questions."""
    return Examples(spec, hot_of(panel), panel.offsets[:-1], ends)


@dataclass(frozen=True)
class Examples:
    """Documents of which the first `ends` [series] sets may be looked at; `hot` [rows, tokens] are those of all, of
    document s from row first[s] on.
    """

    spec: SetSpec
    hot: Hot
    first: Ints
    ends: Ints

    def seen(
        self,
        series: Ints,
        begin: Ints,
        steps: Ints,
        asked: Bools | None = None,
        rng: np.random.Generator | None = None,
    ) -> Seen:
        """The questions at positions begin[i] ... begin[i] + steps[i] - 1 of each series[i]: all of them, or those that
        are `asked` [n, T]. With an `rng` some tokens are forgotten: they are not seen, and not
        asked about either, or one that was off would be taken for a forgotten one.
        """
        step = np.arange(int(steps.max(initial=0)))
        inside = step < steps[:, None]
        position = begin[:, None] + step
        row = np.where(inside, self.first[series][:, None] + position, 0)
        inputs = seen_of(self.hot[np.maximum(row - 1, 0)], position == 0)
        inputs[~inside] = 0
        which, origin = np.nonzero(inside if asked is None else inside & asked)
        there = position[which, origin] < self.ends[series][which]
        came = self.hot[np.where(there, row[which, origin], 0)]
        known = there & (came[:, 0] >= 0)
        targets = np.where(known[:, None], came[:, 1:], np.nan).astype(np.float32)
        if rng is not None and self.spec.forgotten:
            kept = rng.random((len(inputs), self.spec.outputs)) >= self.spec.forgotten
            inputs[..., 1:-1] *= kept[:, None]
            targets[~kept[which]] = np.nan
        return Seen(inputs, steps, which, origin, {}, targets, {}, series, begin)

    def drawn(self, rng: np.random.Generator, size: int, by: Division | None = None) -> Seen:
        """A training batch of crops from the first state on; long documents are in it more often."""
        usable = np.flatnonzero(self.ends)
        weight = self.ends[usable].astype(np.float64)
        series = rng.choice(usable, size=size, p=weight / weight.sum())
        steps = np.minimum(self.ends[series], self.spec.steps)
        return divided(self.seen(series, rng.integers(0, self.ends[series] - steps + 1), steps, rng=rng), by)

    def stretch(
        self, rng: np.random.Generator, series: Ints, first_row: Ints, rows: int, by: Division | None = None
    ) -> Seen:
        """A training batch of so many positions of each series, of which a state is carried to the next ones."""
        steps = np.minimum(rows, self.ends[series] - first_row)
        return divided(replace(self.seen(series, first_row, steps, rng=rng), fresh=first_row == 0), by)

    def at(self, series: Ints, ends: Ints) -> Iterator[Seen]:
        """The questions at positions 0 ... ends[i] of each series[i], some documents at a time: at the last one it is
        asked what follows the first ends[i] sets.
        """
        for some in groups(ends + 1, self.spec.tokens):
            yield self.seen(series[some], np.zeros(len(series[some]), np.int64), ends[some] + 1)

    def ending(self, series: Ints, ends: Ints, steps: int | None = None) -> Seen:
        """Crops of so many positions (up to 1,024, if None) that end with what follows the first ends[i] sets of each
        series[i], the only question.
        """
        count = np.minimum(ends + 1, FARTHEST) if steps is None else np.full(len(series), steps)
        last = np.arange(int(count.max(initial=0))) == count[:, None] - 1
        return self.seen(series, ends + 1 - count, count, last)
