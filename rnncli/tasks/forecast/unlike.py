"""Series whose values a model cannot have learnt: it is said, for their forecasts are of what it knows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.data.noted import Notes, escaped
from rnncli.data.panel import Panel, pieces_of
from rnncli.tasks.forecast.forecaster import Forecaster


def note_unlike(panel: Panel, ends: Ints, forecaster: Forecaster, notes: Notes) -> None:
    """A note on each way in which recent values of series are none that the model can forecast; see `_unlike`."""
    for some in pieces_of(panel):
        _note(panel.select(some), ends[some], forecaster, notes)


def _note(panel: Panel, ends: Ints, forecaster: Forecaster, notes: Notes) -> None:
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    place = np.arange(len(owner)) - panel.offsets[:-1][owner]
    recent = (place < ends[owner]) & (place >= ends[owner] - forecaster.spec.context) & ~np.isnan(panel.targets)
    rows = np.bincount(owner[recent], minlength=len(panel))
    for odd, what in _unlike(panel, forecaster):
        found = np.bincount(owner[recent & odd], minlength=len(panel))
        series = np.flatnonzero(found)
        if series.size:
            first = int(series[0])
            of = f"{found[first]:,} of the last {rows[first]:,} values of series {panel.ids[first]!r}"
            notes.add("{first}{more} " + escaped(what), series.size, of)


def _unlike(panel: Panel, forecaster: Forecaster) -> Iterator[tuple[NDArray[np.bool_], str]]:
    """Which values [rows] are unlike those of the training, and what becomes of them."""
    values, spec = panel.targets, forecaster.spec
    if spec.each:
        yield from _never_seen(values, forecaster)
        return
    again = "train again with such series to have them forecast"
    if spec.link == "log":
        what = "are zero or negative and cannot be used: the model has learnt from positive values only"
        yield values <= 0, f"{what}; {again}"
    elif spec.floor is not None and spec.minimum is None:
        yield values < spec.floor, f"are below {spec.floor:g}, and the model forecasts nothing below it; {again}"
    if spec.whole:
        what = "are no whole numbers, and the model rounds forecasts to such, as training had nothing else"
        yield values != np.round(values), f"{what}; {again}"


def _never_seen(values: Floats, forecaster: Forecaster) -> Iterator[tuple[NDArray[np.bool_], str]]:
    """Which values [rows] are unlike those of the training, for a model whose link, floor and whole numbers follow each
    series, and what becomes of them.
    """
    again = "they are forecast as what they are; train again with such series for forecasts that know them"
    least = forecaster.record.get("statistics", {}).get("minimum")
    if least is not None and least > 0:
        yield values <= 0, f"are zero or negative, and the model has learnt from positive values only: {again}"
    elif least is not None and least >= 0:
        yield values < 0, f"are negative, and the model has learnt from none below 0: {again}"
    if forecaster.spec.whole:
        yield values != np.round(values), f"are no whole numbers, and the model has learnt from such only: {again}"
