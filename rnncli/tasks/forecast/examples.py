"""A panel as the questions of the forecast task: crops, and the steps of them from which the horizon is forecast.

A crop is encoded once and forecasts from many of its steps, the origins (forking sequences: Wen et al. 2017, "A
Multi-Horizon Quantile Recurrent Forecaster", arXiv:1711.11053).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel
from rnncli.tasks.forecast import features
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import Support, support
from rnncli.tasks.seen import Division, Seen, divided, share_of

YOUNG_SHARE = 0.125  # of the crops of a batch
CHUNK, CHUNK_STEPS, CHUNK_TARGETS = 128, 128 * 336, 1 << 16  # crops at a time, steps of them, and rows forecast
FORKED, MOST_FORKED = 192, 1 << 10  # targets of a crop: its origins times the horizon


def forks(horizon: int) -> int:
    """Origins of a crop: as many as make FORKED targets, or four; fewer where these would be more than MOST_FORKED."""
    return max(1, min(max(4, FORKED // horizon), MOST_FORKED // horizon))


@dataclass(frozen=True)
class Examples:
    """A panel as crops: `ends` [series] is how many rows of each series may be looked at; from crops that are asked
    about one by one, no series has `begun` more than so many rows before its origin (None: wherever it begins).
    """

    panel: Panel
    spec: ForecastSpec
    ends: Ints
    young: int | None = None

    def batch(
        self,
        series: Ints,
        first_row: Ints,
        rows: Ints,
        origins: Ints,
        length: Ints | None = None,
        noise: Floats | None = None,
        begun: Ints | None = None,
        may_come: Support | None = None,
    ) -> Seen:
        """Everything the network needs to forecast from step origins[i] of crop rows[i]; of each crop's series only
        the first `length` rows are looked at, `ends` of it by default, and none before row `begun`. To the targets of
        counts `noise` [o, horizon] is added; what `may_come` is found if it is not given.
        """
        if may_come is None and length is None:
            may_come = self.support.at(series)
        length = self.ends[series] if length is None else length
        crops = features.cut(self.panel, length, series, first_row, self.spec, may_come, begun)
        norm = features.normalise(crops, self.spec)
        calendar = self.panel.calendar
        plain, errors = features.components(norm, rows, origins, self.spec)
        inputs = features.inputs(crops, norm, self.spec, calendar)
        known = features.known(crops, rows, origins, self.spec, calendar)
        return Seen(
            inputs,
            crops.lengths,
            rows,
            origins,
            {"components": plain, "errors": errors, "known": known},
            features.targets(norm, rows, origins, self.spec, noise),
            features.units(norm, rows, origins),
            series,
            first_row,
        )

    @cached_property
    def support(self) -> Support:
        """What the rows that may be looked at say of each series."""
        return support(self.panel, np.arange(len(self.panel)), self.ends, self.spec)

    def drawn(self, rng: np.random.Generator, size: int, by: Division | None = None) -> Seen:
        """A training batch: `size` crops drawn over all rows, several origins in each. Some of the series are young:
        they begin with their crop, whose first steps are origins.
        """
        lengths = self.ends
        usable = np.flatnonzero(lengths > min(self.warm_up, lengths.max() - 1))
        weight = np.sqrt(lengths[usable])
        series = rng.choice(usable, size=size, p=weight / weight.sum())
        latest = np.maximum(lengths[series] - self.spec.steps, 0)
        first_row = rng.integers(0, latest + 1)
        young = (rng.random(size) < YOUNG_SHARE) & bool(self.spec.young)
        first_row[young] = rng.integers(0, np.maximum(lengths[series] - 1, 1))[young]
        age = np.exp(rng.uniform(0.0, np.log(self.warm_up + 1), size)).astype(np.int64)
        rows, origins = self.origins(rng, series, first_row, np.where(young, age, 0))
        noise = self.noise(rng, series, rows)
        begun = np.where(young, first_row, 0)
        if by is None:
            return self.batch(series, first_row, rows, origins, noise=noise, begun=begun)
        share = share_of(rows, size, by)
        at, asked = share.at, share.asked  # features take as long as the network: only those of this share are made
        own = rows[asked] - at.start, origins[asked]
        noise = None if noise is None else noise[asked]
        some = self.batch(series[at], first_row[at], *own, noise=noise, begun=begun[at])
        return replace(some, share=share)

    def noise(self, rng: np.random.Generator, series: Ints, rows: Ints) -> Floats | None:
        """What makes the targets of counts continuous, from [-1/2, 1/2): [o, horizon]. None where no series counts."""
        if not self.support.whole[series[rows]].any():
            return None
        return rng.uniform(-0.5, 0.5, (len(rows), self.spec.horizon))

    @property
    def warm_up(self) -> int:
        """Rows a series needs before its first training origin, unless it is drawn as a young one."""
        season = self.spec.seasons[0]
        return season if season > 1 else 3

    def origins(
        self, rng: np.random.Generator, series: Ints, first_row: Ints, age: Ints | int = 0
    ) -> tuple[Ints, Ints]:
        """Random steps with something after them: past the warm-up, or in the later half of a crop that is not the
        start of its series, because prediction never sees a young state there. Where an `age` is given, among the
        first so many.
        """
        steps = self.spec.steps
        earliest = np.where(first_row == 0, self.warm_up - 1, steps // 2)
        final = np.minimum(steps, self.ends[series] - first_row - 1) - 1
        young = np.asarray(age) > 0
        earliest, final = np.where(young, 0, earliest), np.where(young, np.minimum(age, final + 1) - 1, final)
        return _drawn(rng, np.minimum(earliest, final), final, steps, forks(self.spec.horizon))

    def stretch(
        self, rng: np.random.Generator, series: Ints, first_row: Ints, rows: int, by: Division | None = None
    ) -> Seen:
        """Rows first_row[i] ... first_row[i] + rows - 1 of each series, several origins past the warm-up in each.
        Their inputs are a function of the rows before them alone, wherever a stretch begins.
        """
        begin = np.maximum(first_row - self.spec.seasons[0], 0)  # what the growth of the level looks back on
        before = first_row - begin
        final = np.minimum(rows, self.ends[series] - first_row - 1) - 1
        warm_up = min(self.warm_up, int(self.ends.max()) - 1)  # where all series are short
        count = forks(self.spec.horizon)
        row, origins = _drawn(rng, np.maximum(warm_up - 1 - first_row, 0), final, rows, count)
        longer = replace(self, spec=replace(self.spec, steps=self.spec.seasons[0] + rows))
        noise = self.noise(rng, series, row)
        may_come = self.support.at(series)
        seen = longer.batch(series, begin, row, origins + before[row], noise=noise, may_come=may_come)
        inputs = seen.inputs[np.arange(len(series))[:, None], before[:, None] + np.arange(rows)]
        lengths = np.minimum(seen.lengths - before, rows)
        fresh = first_row == 0
        found = replace(seen, inputs=inputs, lengths=lengths, origins=origins, first_row=first_row, fresh=fresh)
        return divided(found, by)

    def at(self, series: Ints, ends: Ints) -> Iterator[Seen]:
        """The forecasts from row ends[i] - 1 of each series[i], some at a time."""
        spec = self.spec
        at_a_time = max(1, min(CHUNK, CHUNK_STEPS // spec.steps, CHUNK_TARGETS // spec.horizon))
        for chunk in np.array_split(np.arange(len(series)), max(1, -(-len(series) // at_a_time))):
            length = ends[chunk]
            begun = None if self.young is None else np.maximum(length - self.young, 0)
            first_row = np.maximum(length - spec.steps, 0 if begun is None else begun)
            rows, last = np.arange(len(chunk)), length - first_row - 1
            yield self.batch(series[chunk], first_row, rows, last, length, begun=begun)

    def ending(self, series: Ints, ends: Ints, steps: int | None = None) -> Seen:
        """Crops of so many steps (of all that a forecast reads, if None) that end with row ends[i] - 1 of series[i];
        their targets may be looked at.
        """
        if steps is None:
            first_row = np.maximum(ends - self.spec.steps, 0)
            return self.batch(series, first_row, np.arange(len(series)), ends - first_row - 1)
        cut = replace(self, spec=replace(self.spec, steps=steps))
        return cut.batch(series, ends - steps, np.arange(len(series)), np.full(len(series), steps - 1))


def _drawn(rng: np.random.Generator, earliest: Ints, final: Ints, steps: int, count: int) -> tuple[Ints, Ints]:
    """Up to `count` of the steps earliest[i] ... final[i], as pairs of i and a step."""
    kept = np.clip(final - earliest + 1, 0, count)
    order = rng.random((len(final), steps))
    step = np.arange(steps)
    order[(step < earliest[:, None]) | (step > final[:, None])] = 2.0
    chosen = np.argsort(order, axis=1)[:, :count]
    keep = np.arange(chosen.shape[1]) < kept[:, None]
    return np.nonzero(keep)[0], chosen[keep]
