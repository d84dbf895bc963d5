"""Labels of steps as they come: each row of a sequence is consumed once, and told from the others by its time.

Rows of a sequence are on no grid, so a stream counts them: row i is the i-th that was consumed. The time of a row is
among its channels, in two halves of which each is exact in a float64, so that it is kept, compared and fingerprinted
like the rest of the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Inputs, Ints
from rnncli.checkpoint import Layout
from rnncli.data.channel import Channel
from rnncli.data.labels.known import time_calendar
from rnncli.data.panel import Panel, offsets_of
from rnncli.data.writers.table import time_texts
from rnncli.inference.advance import advanced
from rnncli.inference.carried import Carried
from rnncli.inference.kept_rows import KeptRows
from rnncli.inference.streaming import AtHand, NewRows
from rnncli.spec import NetworkSpec
from rnncli.tasks.labels import head
from rnncli.tasks.labels.examples import Examples
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.seen import head_weights

KEPT = 64  # rows: inputs depend on none before their own, but rows that are given again are compared
HALF = 32  # bits
HALVES = (Channel("time, upper half", "number", "time"), Channel("time, lower half", "number", "time"))
FIRST = "series.first_times"


@dataclass(frozen=True)
class FirstTimes:
    """The time of the first row of each of S sequences: [S]."""

    times: Ints

    @property
    def begun(self) -> Bools:
        """That a first time is nothing to go on from: [S]."""
        return np.zeros(len(self.times), np.bool_)

    def at(self, places: Ints) -> FirstTimes:
        """The first times of the sequences at these places, in that order."""
        return FirstTimes(self.times[places])

    def beside(self, other: FirstTimes) -> FirstTimes:
        """The first times of these sequences and of others."""
        return FirstTimes(np.concatenate([self.times, other.times]))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The first times as a tensor of a file."""
        return {FIRST: self.times}

    def kept_rows(self) -> dict[str, KeptRows]:
        """No rows beside the tail."""
        return {}

    def described(self) -> dict[str, Any]:
        """Nothing beside the tensor."""
        return {}


LabelState = Carried[FirstTimes]
"""The state that a stream of labels carries of each sequence."""


@dataclass(frozen=True)
class StreamingLabeler:
    """An online model whose network consumes each row once; see `StreamingModel`. Panels are those of `timed`."""

    model: Labeler

    @property
    def network(self) -> NetworkSpec:
        """The network."""
        return self.model.network

    def members(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """The weights of each member of the network."""
        return self.model.members()

    @property
    def channels(self) -> int:
        """The label, which a stream does not know, the inputs, and the two halves of the time."""
        return 1 + len(self.model.spec.inputs) + len(HALVES)

    @property
    def compared(self) -> Sequence[int]:
        """The inputs and the time."""
        return range(1, self.channels)

    @property
    def rows_kept(self) -> int:
        """Rows that are compared one by one when they are given again."""
        return KEPT

    @property
    def outputs_kept(self) -> int:
        """The last one alone."""
        return 1

    def when(self, panel: Panel, place: int, ordinal: int) -> str:
        """The time of the row of a sequence at this ordinal, in the style of the data."""
        row = panel.series(place)[ordinal - panel.starts[place]]
        columns, zone = self.model.columns, self.model.known.zone
        (text,) = time_texts(times_of(row[None]), columns, time_calendar(columns, zone))
        return text

    def what_changed(self, was: Floats, now: Floats) -> str:
        """What is to be said of a row that is given in the place of another: [channels] each."""
        before, after = (int(times_of(row[None])[0]) for row in (was, now))
        if after < before:
            return "a row came late: rows after it were consumed without it"
        return (
            "a row that was consumed is missing before this one"
            if after > before
            else "a row has changed since it was consumed"
        )

    def inputs(self, at_hand: AtHand, new: NewRows) -> Iterable[Inputs]:
        """The inputs of each member of the network in new rows: [n, length, I] each."""
        lesson = Examples(at_hand.panel, self.model.spec, at_hand.panel.lengths)
        first, lengths = new.start - at_hand.before[new.places], np.full(len(new.places), new.length)
        seen = lesson.seen(new.places, first, lengths)
        for weights in self.members():
            yield head.embedded(self.model.spec, head_weights(weights), seen.inputs, seen.codes, np)

    def begun(self, panel: Panel) -> FirstTimes:
        """The time of the first row of each sequence of the panel."""
        return FirstTimes(times_of(panel.values[panel.offsets[:-1]]))

    def after(self, extras: FirstTimes, at_hand: AtHand, consumed: Ints, target: Ints) -> FirstTimes:  # noqa: ARG002
        """The first times, which no later row changes."""
        return extras

    def layout(self, meta: Mapping[str, Any], series: int) -> Layout:  # noqa: ARG002
        """The tensor of the first times."""
        return {FIRST: (np.dtype("<i8"), (series,))}

    def extras(self, tensors: Mapping[str, NDArray[Any]], series: int) -> FirstTimes:  # noqa: ARG002
        """The first times in the tensors of a file."""
        return FirstTimes(tensors[FIRST])


def timed(panel: Panel, times: Ints) -> Panel:
    """The panel with the times [rows] of its rows in two more channels, and without labels, which are not consumed."""
    unknown = np.full((len(panel.values), 1), np.nan)
    halves = np.stack([times >> HALF, times & ((1 << HALF) - 1)], axis=1).astype(np.float64)
    values = np.concatenate([unknown, panel.values[:, 1:], halves], axis=1)
    return replace(panel, values=values, channels=(*panel.channels, *HALVES))


def times_of(values: Floats) -> Ints:
    """The times of rows [rows, channels] of a panel of `timed`: [rows]."""
    upper, lower = values[:, -2].astype(np.int64), values[:, -1].astype(np.int64)
    return (upper << HALF) | lower


def placed(here: LabelState, panel: Panel) -> Panel:
    """The panel of `timed` with the ordinal of the first row of each sequence, by its time among the rows that were
    consumed (`here`, in the panel's order).

    Where that is not sure, as rows before the tail are not kept, it is such that a row that was inserted or left out
    among them shows in the tail.
    """
    given, kept, starts = times_of(panel.values), times_of(here.tail.values), np.zeros(len(panel), np.int64)
    for s in np.flatnonzero(here.begun).tolist():
        now = given[panel.offsets[s] : panel.offsets[s + 1]]
        tail = kept[here.tail.offsets[s] : here.tail.offsets[s + 1]]
        starts[s] = _ordinal(now, tail, int(here.consumed[s]), int(here.extras.times[s]))
    return replace(panel, starts=starts)


def _ordinal(now: Ints, tail: Ints, consumed: int, first: int) -> int:
    """The ordinal of the row at now[0], of a sequence of so many rows that began at time `first` and ends in `tail`."""
    forgotten, older = consumed - len(tail), int(np.searchsorted(now, tail[0]))
    if now[0] < first:
        return -int(np.searchsorted(now, first))
    if now[0] == first:
        return 0
    return max(1, forgotten - older) if older else forgotten + int(np.searchsorted(tail, now[0]))


def labelled(model: StreamingLabeler, here: LabelState, panel: Panel) -> tuple[LabelState, Floats]:
    """The state after all rows of the panel, and what is said of those that are new, sequence after sequence:
    [new rows, classes or levels].
    """
    new = np.maximum(panel.starts + panel.lengths - here.consumed, 0)
    place = offsets_of(new)[:-1] - here.consumed
    said = np.zeros((int(new.sum()), model.model.spec.outputs))

    def hear(rows: NewRows, outputs: list[NDArray[np.float32]]) -> None:
        at = (place[rows.places] + rows.start)[:, None] + np.arange(rows.length)
        said[at.ravel()] = model.model.answers_from(states.reshape(at.size, -1) for states in outputs)

    return advanced(model, here, panel, panel.lengths, hear), said
