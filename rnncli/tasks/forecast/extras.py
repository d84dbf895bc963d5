"""What a forecast needs of each series beside what every stream carries: smoothings, and what its values have shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Ints
from rnncli.baselines import carried as smoothing
from rnncli.checkpoint import Layout
from rnncli.errors import UsageError
from rnncli.inference.carried import Carried
from rnncli.inference.kept_rows import KeptRows, layout_of, no_rows, rows_from
from rnncli.tasks.forecast.pool import Pool
from rnncli.tasks.forecast.support import Shown, nothing_shown

SHOWN = {"least": "<f8", "whole": "u1", "count": "<i8"}
WAITING = "waiting"
Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class ForecastExtras:
    """What is kept of S series: the state of each exponential smoothing in the pool, by its place there (`smoothed`),
    and what all rows consumed have `shown` of the values. Of a model on the wall clock's grid, there are the UTC rows
    that are kept `waiting` while an hour that the clock shows twice is not over, from the first row of the slot that is
    to be consumed next.
    """

    smoothed: dict[int, smoothing.Carried]
    shown: Shown
    waiting: KeptRows | None = None

    @property
    def begun(self) -> Bools:
        """Of which series rows wait: [S]."""
        none = np.zeros(len(self.shown.count), np.bool_)
        return none if self.waiting is None else self.waiting.rows > 0

    def at(self, places: Ints) -> ForecastExtras:
        """The extras of the series at these places, in that order."""
        smoothed = {place: part.at(places) for place, part in self.smoothed.items()}
        waiting = None if self.waiting is None else self.waiting.at(places)
        return ForecastExtras(smoothed, self.shown.at(places), waiting)

    def beside(self, other: ForecastExtras) -> ForecastExtras:
        """The extras of these series and of others."""
        smoothed = {place: part.beside(other.smoothed[place]) for place, part in self.smoothed.items()}
        waiting = None if self.waiting is None or other.waiting is None else self.waiting.beside(other.waiting)
        return ForecastExtras(smoothed, self.shown.beside(other.shown), waiting)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Tensors for a file, with the series on the first axis of each."""
        least = np.where(self.shown.count > 0, self.shown.least, 0.0)
        shown = vars(self.shown) | {"least": least}
        found = {f"shown.{name}": part.astype(SHOWN[name]) for name, part in shown.items()}
        for place, state in self.smoothed.items():
            found |= {f"smoothing{place}.{name}": part for name, part in state.parts().items()}
        return found

    def kept_rows(self) -> dict[str, KeptRows]:
        """The rows that wait."""
        return {} if self.waiting is None else {WAITING: self.waiting}

    def described(self) -> dict[str, Any]:
        """That the file holds what was shown, which those of older versions do not."""
        return {"shown": True}


ForecastState = Carried[ForecastExtras]
"""The state that a stream of forecasts carries of each series."""


def first_extras(pool: Pool, series: int, channels: int, *, wall: bool) -> ForecastExtras:
    """The extras of so many series before their first row; rows may wait on the wall clock's grid."""
    smoothed = {place: smoothing.nothing(series, season) for place, season in pool.smoothing.items()}
    return ForecastExtras(smoothed, nothing_shown(series), no_rows(series, channels) if wall else None)


def smoothing_layout(pool: Pool, series: int) -> Layout:
    """The tensors of the pool's smoothings of so many series."""
    found: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}
    for place, season in pool.smoothing.items():
        for name, part in smoothing.nothing(0, season).parts().items():
            found[f"smoothing{place}.{name}"] = (part.dtype, (series, *part.shape[1:]))
    return found


def shown_layout(series: int) -> Layout:
    """The tensors of what the values of so many series have shown."""
    return {f"shown.{name}": (np.dtype(kind), (series,)) for name, kind in SHOWN.items()}


def waiting_layout(series: int, rows: int, channels: int) -> Layout:
    """The tensors of so many rows that wait."""
    return {f"series.{WAITING}": (np.dtype("<i8"), (series,)), **layout_of(WAITING, rows, channels)}


def extras_from(tensors: Tensors, pool: Pool, series: int, *, wall: bool) -> ForecastExtras:
    """The extras in the tensors of a file. UsageError if they contradict themselves."""
    smoothed = {place: _smoothing(tensors, place, season) for place, season in pool.smoothing.items()}
    shown = _shown(tensors) if "shown.count" in tensors else nothing_shown(series)
    return ForecastExtras(smoothed, shown, _waiting(tensors) if wall else None)


def _shown(tensors: Tensors) -> Shown:
    least, whole, count = (tensors[f"shown.{name}"] for name in SHOWN)
    if (count < 0).any():
        raise UsageError("it counts fewer values than none")
    return Shown(np.where(count > 0, least, np.inf), whole > 0, count)


def _waiting(tensors: Tensors) -> KeptRows:
    found = rows_from(tensors, WAITING, tensors[f"series.{WAITING}"])
    if not found.is_sound():
        raise UsageError("it does not hold the rows that wait as it says")
    return found


def _smoothing(tensors: Tensors, place: int, season: int) -> smoothing.Carried:
    names = smoothing.nothing(0, season).parts()
    found = smoothing.Carried(**{name: _light(tensors[f"smoothing{place}.{name}"]) for name in names})
    if not found.is_sound():
        raise UsageError("its smoothing is none")
    return found


def _light(tensor: NDArray[Any]) -> NDArray[Any]:
    """A tensor that takes no memory until it is written if it is all zeros, as of series before their renewal."""
    return tensor if tensor.any() else np.zeros(tensor.shape, tensor.dtype)
