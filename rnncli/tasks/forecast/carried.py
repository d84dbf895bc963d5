"""What a stream carries of each series from run to run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.baselines import carried as smoothing
from rnncli.cells.named import cells_of
from rnncli.data.panel import Panel, offsets_of, stretches
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import Shown, nothing_shown

Hidden = dict[str, NDArray[np.float32]]

BLOCK = 32  # rows whose inputs are made at once
OUTPUT = "output"  # of the last layer, at the last row that was consumed


@dataclass(frozen=True)
class Waiting:
    """UTC rows that are kept while an hour that the clock shows twice is not over: how many there are of each series,
    from the first row of the slot to be consumed next, and all channels of them, series after series.
    """

    rows: Ints
    values: Floats

    def of(self, places: Ints) -> Waiting:
        """Those of the series at these places, in that order."""
        rows = self.rows[places]
        return Waiting(rows, self.values[stretches(offsets_of(self.rows)[:-1][places], rows)])

    def beside(self, other: Waiting) -> Waiting:
        """Those of these series and of others."""
        return Waiting(np.concatenate([self.rows, other.rows]), np.concatenate([self.values, other.values]))


@dataclass(frozen=True)
class Carried:
    """What is kept of each series: the ordinal of its first row, how many rows were `consumed`, its phase, the last
    `rows` of these (`tail`, series after series, the oldest first: [all rows, channels]), the sum of the fingerprints
    of all of them, and the network's state: `hidden` holds for each layer [members, series, parts, H], and the last
    layer's output [members, series, 1, H]. `smoothed` is the state of each exponential smoothing in the pool, by its
    place there; `shown` is what all rows consumed have shown of the values. Of a model on the wall clock's grid all
    these are rows of it, and there may be rows `waiting`.
    """

    ids: tuple[str, ...]
    starts: Ints
    consumed: Ints
    phases: Ints
    rows: Ints
    tail: Floats
    fingerprints: Ints
    hidden: Hidden
    smoothed: dict[int, smoothing.Carried]
    shown: Shown
    waiting: Waiting | None = None

    @property
    def begun(self) -> NDArray[np.bool_]:
        """Of which series there is anything to go on from."""
        consumed = self.consumed > 0
        return consumed if self.waiting is None else consumed | (self.waiting.rows > 0)

    @property
    def ends(self) -> Ints:
        """Ordinal of the first row that was not consumed."""
        return self.starts + self.consumed

    @property
    def offsets(self) -> Ints:
        """Where the tail of each series begins, and where the last one ends: [series + 1]."""
        return offsets_of(self.rows)


def shapes(model: Forecaster, series: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the network's state for so many series."""
    network = model.network
    found: dict[str, tuple[int, ...]] = {OUTPUT: (network.members, series, 1, network.hidden)}
    for index, cell in enumerate(cells_of(network.cell, network.layers)):
        found[f"layer{index}"] = (network.members, series, len(cell.state_names), network.hidden)
    return found


def rows_kept(model: Forecaster) -> int:
    """Rows of the tail: what the inputs of the next row, and a forecast after the last one, can depend on."""
    spec = model.spec
    return max(spec.lookback + lead(spec) + BLOCK, model.context)


def lead(spec: ForecastSpec) -> int:
    """Steps before a block that its inputs look back on, beside the lookback."""
    return spec.seasons[0]


def begun(model: Forecaster, panel: Panel) -> Carried:
    """The series of a panel before their first row is consumed."""
    network, count = model.network, len(panel)
    hidden = {name: np.zeros(shape, np.float32) for name, shape in shapes(model, count).items()}
    for index, cell in enumerate(cells_of(network.cell, network.layers)):
        for part, name in enumerate(cell.state_names):
            if name in cell.initial:  # memory that holds zeros costs nothing until it is written
                hidden[f"layer{index}"][:, :, part] = cell.initial[name]
    smoothed = {place: smoothing.nothing(count, season) for place, season in model.pool.smoothing.items()}
    consumed, rows, fingerprints = (np.zeros(count, np.int64) for _ in range(3))
    tail = np.zeros((0, panel.values.shape[1]))
    seen = nothing_shown(count)
    waiting = Waiting(np.zeros(count, np.int64), tail) if model.spec.wall else None
    return Carried(
        panel.ids, panel.starts, consumed, panel.phases, rows, tail, fingerprints, hidden, smoothed, seen, waiting
    )


def known_and_new(model: Forecaster, carried: Carried, panel: Panel) -> tuple[Carried, Carried]:
    """What is kept of each series of the panel, in its order, or the beginning of one of which no row was consumed;
    and what is kept of the series that the panel does not have.
    """
    goes_on = carried.begun.tolist()
    place = {name: at for at, name in enumerate(carried.ids) if goes_on[at]}
    fresh = [at for at, name in enumerate(panel.ids) if name not in place]
    place |= {panel.ids[at]: len(carried.ids) + number for number, at in enumerate(fresh)}
    both = joined(carried, begun(model, panel.select(np.array(fresh, np.int64))))
    here = set(panel.ids)
    absent = [at for at, name in enumerate(carried.ids) if name not in here]
    return chosen(both, [place[name] for name in panel.ids]), chosen(carried, absent)


def joined(one: Carried, other: Carried) -> Carried:
    """The series of both."""
    if not one.ids or not other.ids:
        return other if other.ids else one
    return Carried(
        one.ids + other.ids,
        np.concatenate([one.starts, other.starts]),
        np.concatenate([one.consumed, other.consumed]),
        np.concatenate([one.phases, other.phases]),
        np.concatenate([one.rows, other.rows]),
        np.concatenate([one.tail, other.tail]),
        np.concatenate([one.fingerprints, other.fingerprints]),
        {name: np.concatenate([one.hidden[name], other.hidden[name]], axis=1) for name in other.hidden},
        {place: part.beside(other.smoothed[place]) for place, part in one.smoothed.items()},
        one.shown.beside(other.shown),
        None if one.waiting is None or other.waiting is None else one.waiting.beside(other.waiting),
    )


def chosen(carried: Carried, places: list[int]) -> Carried:
    """The series at these places, in that order."""
    if places == list(range(len(carried.ids))):
        return carried
    at = np.array(places, np.int64)
    return Carried(
        tuple(carried.ids[place] for place in places),
        carried.starts[at],
        carried.consumed[at],
        carried.phases[at],
        carried.rows[at],
        carried.tail[stretches(carried.offsets[at], carried.rows[at])],
        carried.fingerprints[at],
        {name: part[:, at] for name, part in carried.hidden.items()},
        {place: part.at(at) for place, part in carried.smoothed.items()},
        carried.shown.at(at),
        None if carried.waiting is None else carried.waiting.of(at),
    )
