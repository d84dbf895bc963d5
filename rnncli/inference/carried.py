"""The state that a stream carries of each series from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import eq
from typing import Generic

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.data.panel import Panel
from rnncli.inference.hidden import Hidden, first_hidden
from rnncli.inference.kept_rows import KeptRows, no_rows
from rnncli.inference.streaming import E, StreamingModel


@dataclass(frozen=True)
class Carried(Generic[E]):
    """The state of a stream's series: the ordinal of the first row of each, how many rows were `consumed`, its phase,
    the last of these rows (`tail`), the sum of the fingerprints of all of them, the network's hidden state (see
    `hidden_shapes`), and the task's own extras.
    """

    ids: tuple[str, ...]
    starts: Ints
    consumed: Ints
    phases: Ints
    tail: KeptRows
    fingerprints: Ints
    hidden: Hidden
    extras: E

    @property
    def begun(self) -> Bools:
        """Of which series there is anything to go on from: [series]."""
        return (self.consumed > 0) | self.extras.begun

    @property
    def ends(self) -> Ints:
        """Ordinal of the first row of each series that was not consumed."""
        return self.starts + self.consumed


def begun(model: StreamingModel[E], panel: Panel) -> Carried[E]:
    """The state of a panel's series before their first row is consumed."""
    count = len(panel)
    return Carried(
        ids=panel.ids,
        starts=panel.starts,
        consumed=np.zeros(count, np.int64),
        phases=panel.phases,
        tail=no_rows(count, panel.values.shape[1]),
        fingerprints=np.zeros(count, np.int64),
        hidden=first_hidden(model.network, count, model.outputs_kept),
        extras=model.begun(panel),
    )


def known_and_new(model: StreamingModel[E], carried: Carried[E], panel: Panel) -> tuple[Carried[E], Carried[E]]:
    """The state of each series of the panel, in its order, or the beginning of one of which no row was consumed; and
    the state of the series that the panel does not have.
    """
    goes_on = carried.begun.tolist()
    place = {name: at for at, name in enumerate(carried.ids) if goes_on[at]}
    fresh = [at for at, name in enumerate(panel.ids) if name not in place]
    place |= {panel.ids[at]: len(carried.ids) + number for number, at in enumerate(fresh)}
    both = joined(carried, begun(model, panel.select(np.array(fresh, np.int64))))
    here = set(panel.ids)
    absent = [at for at, name in enumerate(carried.ids) if name not in here]
    return chosen(both, [place[name] for name in panel.ids]), chosen(carried, absent)


def joined(one: Carried[E], other: Carried[E]) -> Carried[E]:
    """The state of the series of both."""
    if not one.ids or not other.ids:
        return other if other.ids else one
    return Carried(
        ids=one.ids + other.ids,
        starts=np.concatenate([one.starts, other.starts]),
        consumed=np.concatenate([one.consumed, other.consumed]),
        phases=np.concatenate([one.phases, other.phases]),
        tail=one.tail.beside(other.tail),
        fingerprints=np.concatenate([one.fingerprints, other.fingerprints]),
        hidden={name: np.concatenate([one.hidden[name], part], axis=1) for name, part in other.hidden.items()},
        extras=one.extras.beside(other.extras),
    )


def places_of(carried: Carried[E], ids: tuple[str, ...]) -> Sequence[int]:
    """Where the state has these series: mostly a stretch of them, for parts of a long answer follow one another."""
    begin = carried.ids.index(ids[0]) if ids else 0
    if carried.ids[begin : begin + len(ids)] == ids:
        return range(begin, begin + len(ids))
    place = {name: at for at, name in enumerate(carried.ids)}
    return [place[name] for name in ids]


def chosen(carried: Carried[E], places: Sequence[int]) -> Carried[E]:
    """The state of the series at these places, in that order."""
    if len(places) == len(carried.ids) and all(map(eq, places, range(len(places)))):
        return carried
    at = np.array(places, np.int64)
    return Carried(
        ids=tuple(carried.ids[place] for place in places),
        starts=carried.starts[at],
        consumed=carried.consumed[at],
        phases=carried.phases[at],
        tail=carried.tail.at(at),
        fingerprints=carried.fingerprints[at],
        hidden={name: part[:, at] for name, part in carried.hidden.items()},
        extras=carried.extras.at(at),
    )


def went_on(before: Carried[E], after: Carried[E]) -> str:
    """A line about how many rows were consumed, and how many series had been begun before."""
    new = int((after.consumed - before.consumed).sum())
    known = int(np.count_nonzero(before.consumed))
    return f"{new:,} new rows were consumed; {known:,} of {len(before.ids):,} series went on from their state"
