"""When events come, as columns of a table: days (or steps), their quantiles, and the time at which one is expected."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from rnncli.arrays import Bools, Floats
from rnncli.data.labels.known import time_calendar
from rnncli.data.writers.table import clock_texts, number_array, text_array, typed_times, written_times
from rnncli.tasks.tokens.events import moments
from rnncli.tasks.tokens.spec import Timing
from rnncli.tasks.tokens.token_model import TokenModel

LEVEL = "level"


@dataclass(frozen=True)
class Columns:
    """Columns by their names: `typed` as the data have times, and those of times `written` as texts."""

    typed: dict[str, pa.Array] = field(default_factory=dict)
    written: dict[str, pa.Array] = field(default_factory=dict)


NONE = Columns()


def unit_of(timing: Timing) -> str:
    """What the column of times is called, by what they are in."""
    return "steps" if timing.count else "days"


def of_events(timing: Timing, waited: Floats, waits: Floats) -> dict[str, pa.Array]:
    """How long after the one before each event came [n], the quantiles that were said of that [n, levels], and the
    level among these at which it came: of most events from 0.1 to 0.9, and near 0 or 1 of the oddest. Null where none
    came.
    """
    level = _nullable(number_array(_levels(timing, waited, waits)), ~np.isnan(waited))
    return {**_in_days(timing, waited, waits), LEVEL: level}


def of_next(model: TokenModel, last: Floats, waits: Floats) -> Columns:
    """The time at which the next event is expected after those at `last` [n], how long that is, and quantiles of it
    [n, levels]; null where a document ends, or has not begun.
    """
    timing = model.spec.timing
    assert timing is not None
    wait = np.where(np.isnan(last), np.nan, waits[:, timing.median])
    waits = np.where(np.isnan(wait)[:, None], np.nan, waits)
    typed, written = _expected(model, last, wait)
    return Columns({**typed, **_in_days(timing, wait, waits)}, written)


def _in_days(timing: Timing, wait: Floats, waits: Floats) -> dict[str, pa.Array]:
    known = ~np.isnan(wait)
    quantiles = {f"q{level:g}": waits[:, place] for place, level in enumerate(timing.levels)}
    every = {unit_of(timing): wait, **quantiles}
    return {name: _nullable(number_array(values), known) for name, values in every.items()}


def _levels(timing: Timing, waited: Floats, waits: Floats) -> Floats:
    """The level of each time [n] among its quantiles [n, levels], on straight lines between these; below the lowest and
    above the highest it falls to 0, and rises to 1, as many times as it is farther out.
    """
    levels = np.array(timing.levels)
    place = np.clip((waits <= waited[:, None]).sum(axis=1), 0, len(levels))
    at = np.arange(len(waits))
    low, high = waits[at, np.maximum(place - 1, 0)], waits[at, np.minimum(place, len(levels) - 1)]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, (waited - low) / (high - low), 0.0)
        below = levels[0] * np.where(low > 0, waited / low, 1.0)
        above = 1 - (1 - levels[-1]) * np.where(waited > 0, high / waited, 1.0)
    inner = levels[np.clip(place - 1, 0, len(levels) - 2)]
    step = np.diff(levels)[np.clip(place - 1, 0, len(levels) - 2)] if len(levels) > 1 else 0.0
    found = np.where(place == 0, below, np.where(place == len(levels), above, inner + share * step))
    return np.asarray(found, np.float64)


def _expected(model: TokenModel, last: Floats, wait: Floats) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """The columns of the time that is so long after the last one, typed and written, under the names of the data."""
    timing, columns = model.spec.timing, model.columns
    assert timing is not None
    known = ~np.isnan(wait)
    times = moments(timing, np.where(known, last, 0.0), np.where(known, wait, 0.0))
    calendar = time_calendar(columns, model.known.zone)
    typed = {columns.times[0]: _nullable(typed_times(times, columns, calendar), known)}
    written = {columns.times[0]: _nullable(written_times(times, columns, calendar), known)}
    if columns.clock is not None:
        clock = _nullable(text_array(clock_texts(times, columns, calendar), np.arange(len(times))), known)
        typed[columns.clock] = written[columns.clock] = clock
    return typed, written


def _nullable(array: pa.Array, known: Bools) -> pa.Array:
    """The array with null where nothing is known."""
    if known.all():
        return array
    bits = pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(array.type, len(array), [bits, *array.buffers()[1:]])
