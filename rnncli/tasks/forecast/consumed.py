"""Whether rows that are given again are those that a stream consumed: its tail as it is, older ones by their sum.

The fingerprint of a row mixes the bits of its values with its number (the finaliser of SplitMix64; Steele, Lea & Flood
2014, "Fast Splittable Pseudorandom Number Generators"), and those of a series are added up modulo 2^64: the sum of the
rows to come can be added later, and it tells a series in which a row was changed, moved or filled in from what it was,
but for one chance in 2^64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel, stretches
from rnncli.data.writers.table import time_texts
from rnncli.errors import SeriesRefused
from rnncli.tasks.forecast.carried import Carried
from rnncli.tasks.forecast.forecaster import CHUNK, Forecaster

Bits = NDArray[np.uint64]

AT_ONCE = 1 << 16  # rows: few enough to stay in the processor's cache
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIXING = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_AFRESH = "begin a new state from the whole history"


def fingerprints(model: Forecaster, values: Floats, rows: Ints, lengths: Ints) -> Ints:
    """Sums of the fingerprints of stretches of rows: values [sum of lengths, channels], of which each stretch begins
    with row rows[s] of its series: [stretches].
    """
    number = np.repeat(rows - np.cumsum(lengths) + lengths, lengths)
    total = np.zeros(len(values) + 1, np.uint64)
    for begin in range(0, len(values), AT_ONCE):
        some = slice(begin, min(begin + AT_ONCE, len(values)))
        total[1:][some] = _of_rows(values[some], number[some] + np.arange(some.start, some.stop), _columns(model))
    np.cumsum(total, out=total)
    ends = np.cumsum(lengths)
    return np.asarray((total[ends] - total[ends - lengths]).view(np.int64))


def _of_rows(values: Floats, number: Ints, columns: list[int]) -> Bits:
    mixed = number.astype(np.uint64) * GOLDEN
    for column in columns:
        value = values[:, column] + 0.0  # -0.0 is 0.0
        value[np.isnan(value)] = np.nan  # of whatever bits
        mixed = _mixed(mixed ^ value.view(np.uint64))
    return mixed


def _mixed(x: Bits) -> Bits:
    x = x + GOLDEN
    for shift, factor in MIXING:
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> np.uint64(31))


def _columns(model: Forecaster) -> list[int]:
    """The channels that belong to a row: all but what is one value for a series."""
    return [0, *(1 + at for at, covariate in enumerate(model.spec.covariates) if covariate.role != "static")]


def refusals(
    model: Forecaster, carried: Carried, panel: Panel, ends: Ints, behind: Ints | None = None
) -> list[SeriesRefused]:
    """Why series of the panel, of which the first ends[s] rows count, cannot go on from what is kept of them
    (`carried`, in the panel's order): a row between was never seen, or one that was consumed is another now. `behind`
    [series] is how many rows are between, by default those from what was consumed to the panel's first.
    """
    first, due, known = panel.starts, carried.ends, carried.begun
    other_phase = known & (panel.phases != carried.phases)
    behind = (np.maximum(first - due, 0) if behind is None else behind) * known
    before = np.maximum(carried.starts - first, 0) * known
    usual = known & ~other_phase & (behind == 0) & (before == 0)
    changed = _first_changed(model, carried, panel, np.where(usual, ends, 0))
    older = usual & (changed < 0) & _older_changed(model, carried, panel, np.where(usual, ends, 0))
    found = []
    for s in np.flatnonzero(other_phase | (behind > 0) | (before > 0) | (changed >= 0) | older).tolist():
        if other_phase[s]:
            what, hint, at = "its times lie between those of the state", "give times on the same grid", first[s]
        elif behind[s]:
            what, hint = f"{behind[s]:,} rows are missing between the state and the data", "give all rows since"
            at = due[s]
        elif before[s]:
            what, hint, at = f"{before[s]:,} rows lie before the first that was consumed", _AFRESH, first[s]
        elif older[s]:
            what, hint = f"a row before the last {carried.rows[s]:,} has changed since it was consumed", _AFRESH
            at = due[s] - carried.rows[s]
        else:
            what, hint, at = _what_changed(carried, panel, s, int(changed[s])), _AFRESH, changed[s]
        found.append(_refused(model, panel, s, what, hint, int(at), before=bool(older[s])))
    return found


def _refused(
    model: Forecaster, panel: Panel, place: int, what: str, hint: str, ordinal: int, *, before: bool
) -> SeriesRefused:
    name, at = panel.ids[place], np.array([ordinal])
    (when,) = time_texts(panel.calendar.times(at, panel.phases[place : place + 1]), model.columns, panel.calendar)
    message = f"{what} ({'before ' * before}{when})"
    return SeriesRefused(message, name, where=f"series {name!r}", hint=hint)


def _first_changed(model: Forecaster, carried: Carried, panel: Panel, ends: Ints) -> Ints:
    """Ordinal of the first row of the tail that is another in the first ends[s] rows of the panel, -1 if none is."""
    begin = np.maximum(panel.starts, carried.ends - carried.rows)
    length = np.maximum(np.minimum(panel.starts + ends, carried.ends) - begin, 0)
    now = panel.offsets[:-1] + begin - panel.starts
    was = carried.offsets[:-1] + begin - carried.ends + carried.rows
    found, columns = np.full(len(panel), -1, np.int64), _columns(model)
    for first in range(0, len(panel), CHUNK):
        some = slice(first, first + CHUNK)
        here = panel.values[stretches(now[some], length[some])][:, columns]
        there = carried.tail[stretches(was[some], length[some])][:, columns]
        place = _first_other(here, there, length[some])
        found[some] = np.where(place < 0, -1, begin[some] + place)
    return found


def _first_other(now: Floats, was: Floats, lengths: Ints) -> Ints:
    """At which place of each stretch of rows the first is that differs, -1 if none does."""
    changed = np.flatnonzero(~((now == was) | (np.isnan(now) & np.isnan(was))).all(axis=1))
    series, first = np.unique(np.repeat(np.arange(len(lengths)), lengths)[changed], return_index=True)
    found = np.full(len(lengths), -1, np.int64)
    found[series] = changed[first] - (np.cumsum(lengths) - lengths)[series]
    return found


def _what_changed(carried: Carried, panel: Panel, place: int, ordinal: int) -> str:
    was = carried.tail[carried.offsets[place] + ordinal - carried.ends[place] + carried.rows[place], 0]
    now = panel.series(place)[ordinal - panel.starts[place], 0]
    late = np.isnan(was) and not np.isnan(now)
    return "a row came late: its place was consumed as missing" if late else "a row has changed since it was consumed"


def _older_changed(model: Forecaster, carried: Carried, panel: Panel, ends: Ints) -> NDArray[np.bool_]:
    """Whether rows before the tail are others, of series that are given from their first row on."""
    whole = (panel.starts == carried.starts) & (carried.consumed > carried.rows) & (ends >= carried.consumed)
    length = np.where(whole, carried.consumed, 0)
    values = panel.values[stretches(panel.offsets[:-1], length)]
    now = fingerprints(model, values, np.zeros_like(length), length)
    return np.asarray(whole & (now != carried.fingerprints))
