"""Documents as questions: what comes next, at each of their positions?

At position p of a document of n tokens c_0 ... c_{n-1} the network sees what stands before it, c_{p-1} or the boundary,
and is asked for c_p. Where there is more than one document the last token of each says that it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Inputs, Ints
from rnncli.data.panel import Panel
from rnncli.data.tokens.split import smallest
from rnncli.tasks.documents import groups
from rnncli.tasks.seen import Division, Seen, divided
from rnncli.tasks.tokens.events import MISSING, OTHER, seen_of, waits_of
from rnncli.tasks.tokens.formulas import CAME
from rnncli.tasks.tokens.spec import TokenSpec

FARTHEST = 1_024  # steps of a crop that is to be as long as can be


Codes = NDArray[np.integer[Any]]


def codes_of(panel: Panel) -> Codes:
    """The code of every token of a panel, in order, a view where a row is a token alone: [rows]."""
    codes = panel.values[:, 0]
    if codes.dtype.kind == "f":  # events stand among numbers
        return codes.astype(smallest(len(panel.channels[0].vocabulary)))
    return cast("Codes", codes)


def examples(panel: Panel, spec: TokenSpec, ends: Ints) -> Examples:
    """The documents of a panel, of each of which the first `ends` [series] tokens may be looked at, as questions."""
    series = len(panel)
    codes: Codes = np.full(len(panel.values) + series + 1, spec.boundary, np.min_scalar_type(spec.boundary))
    first, known = panel.offsets + np.arange(series + 1), codes_of(panel)
    for s, (begin, end) in enumerate(pairwise(panel.offsets.tolist())):  # a mask would be as large as the text
        codes[begin + s + 1 : end + s + 1] = known[begin:end]
    return Examples(spec, codes, first[:-1], ends, None if spec.plain else beside(panel, spec))


@dataclass(frozen=True)
class Beside:
    """What stands beside the codes of examples, in the order of these: numbers [codes, N] and codes of categories
    [codes, words] that are seen with each, and the scaled time z [codes] at which each came, NaN where none did.
    """

    numbers: Inputs
    words: Ints
    z: Floats


def beside(panel: Panel, spec: TokenSpec) -> Beside:
    """What stands beside the codes of `examples`; before a document stands what is static in its first row."""
    lengths = panel.lengths
    first = panel.offsets[:-1] + np.arange(len(panel))
    rows = np.insert(panel.values, panel.offsets[:-1], np.nan, axis=0)
    begun = np.zeros(len(rows) + 1, np.bool_)
    begun[first], begun[-1] = True, True
    there = first[lengths > 0]
    rows[there] = rows[there + 1]
    rows = np.concatenate([rows, np.full((1, rows.shape[1]), np.nan)])
    numbers, words = seen_of(rows, begun, spec, panel.calendar.zone)
    z = np.full(len(rows), np.nan)
    if spec.timing is not None:
        z[~begun] = spec.timing.scaled(waits_of(panel))
    return Beside(numbers, words, z)


@dataclass(frozen=True)
class Examples:
    """Documents of which the first `ends` [series] tokens may be looked at.

    `codes` are those of all documents with the boundary before each and after the last: of document s the token before
    its position p is codes[first[s] + p], and what came there codes[first[s] + p + 1]. `beside` is what else there is
    of events, None where rows are tokens alone.
    """

    spec: TokenSpec
    codes: Codes
    first: Ints
    ends: Ints
    beside: Beside | None

    def seen(
        self,
        series: Ints,
        begin: Ints,
        steps: Ints,
        asked: Bools | None = None,
        rng: np.random.Generator | None = None,
    ) -> Seen:
        """The questions at positions begin[i] ... begin[i] + steps[i] - 1 of each series[i]: all of them, or those that
        are `asked` [n, T]. With an `rng` some kinds of tokens are forgotten.
        """
        step = np.arange(int(steps.max(initial=0)))
        inside = step < steps[:, None]
        at = np.where(inside, (self.first[series] + begin)[:, None] + step, 0)
        before = np.where(inside, self.codes[at], self.spec.boundary).astype(np.int64)
        known = begin[:, None] + step < self.ends[series][:, None]
        which, origin = np.nonzero(inside if asked is None else inside & asked)
        came = np.minimum(at[which, origin] + 1, len(self.codes) - 1)
        target = np.where(known[which, origin], self.codes[came], np.nan).astype(np.float32)
        if rng is not None and self.spec.forgotten:
            before = self._partly_forgotten(before, rng)
        codes, numbers = before[..., None], np.zeros((*before.shape, 0), np.float32)
        if self.beside is not None:
            numbers = self.beside.numbers[at] * inside[..., None]
            words = np.where(inside[..., None], self._partly_blank(self.beside.words[at], rng), MISSING)
            codes = np.concatenate([codes, words], axis=2)
        came_next = {CAME: target}
        if self.beside is not None and self.spec.timing is not None:
            z = np.where(known[which, origin], self.beside.z[came], np.nan)
            target = np.stack([target, z], axis=1).astype(np.float32)
        known_to_head = came_next if self.spec.clusters else {}
        return Seen(numbers, steps, which, origin, known_to_head, target, came_next, series, begin, codes=codes)

    def _partly_blank(self, words: Ints, rng: np.random.Generator | None) -> Ints:
        """The codes [n, T, words] of categories, of which some are taken for unknown in training: all of a channel in
        a crop, drawn anew for each.
        """
        if rng is None or not self.spec.blanked or not words.shape[2]:
            return words
        blank = rng.random((len(words), 1, words.shape[2])) < self.spec.blanked
        return np.where(blank & (words >= 0), OTHER, words)

    def _partly_forgotten(self, codes: Ints, rng: np.random.Generator) -> Ints:
        """The codes [n, T] with -1 in the place of some kinds of tokens, in each row others (Gal & Ghahramani 2016)."""
        kinds, of = np.unique(codes, return_inverse=True)
        kept = rng.random((len(codes), len(kinds))) >= self.spec.forgotten
        stays = np.take_along_axis(kept, of.reshape(codes.shape), axis=1)
        return np.where(stays, codes, -1)

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
        asked what follows the first ends[i] tokens.
        """
        for some in groups(ends + 1, self.spec.widest):
            yield self.seen(series[some], np.zeros(len(series[some]), np.int64), ends[some] + 1)

    def ending(self, series: Ints, ends: Ints, steps: int | None = None) -> Seen:
        """Crops of so many positions (up to 1,024, if None) that end with what follows the first ends[i] tokens of each
        series[i], the only question.
        """
        count = np.minimum(ends + 1, FARTHEST) if steps is None else np.full(len(series), steps)
        last = np.arange(int(count.max(initial=0))) == count[:, None] - 1
        return self.seen(series, ends + 1 - count, count, last)
