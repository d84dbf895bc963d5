"""A forecast table as results: a row a step, a row a step and level, or a row a time with a column a series."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from rnncli.data.calendar import Calendar
from rnncli.data.writers.results import Results, Style
from rnncli.data.writers.table import (
    TIDY,
    ForecastTable,
    arrow_table,
    in_blocks,
    joined_times,
    null_where,
    number_array,
    typed_times,
    when_columns,
    written_times,
)
from rnncli.errors import InputRefused
from rnncli.spec import Columns

BLOCK = 1 << 18  # rows that are written at once


def block_size(steps: int) -> int:
    """The number of series that are written at once."""
    return max(1, BLOCK // max(1, steps))


def results_of_parts(
    parts: Callable[[], Iterator[ForecastTable]], columns: Columns, calendar: Calendar, style: Style
) -> Results:
    """The rows of a forecast that comes some series at a time, each part a block."""
    tidy = style.tidy
    counted = calendar.counts or columns.time_type == "number"
    return Results(
        lambda: (arrow_table(part, tidy=tidy, as_text=False) for part in parts()),
        lambda write: (arrow_table(part.with_ids(write), tidy=tidy, as_text=True) for part in parts()),
        bare={TIDY[1] if tidy else columns.time or ""} if counted else (),
        long=True,
    )


def results_of(table: ForecastTable, style: Style | None = None) -> Results:
    """The rows of a forecast in the shape that was asked for. InputRefused where two columns would have one name."""
    counted = table.calendar.counts or table.columns.time_type == "number"
    if style is not None and style.wide:
        times = {table.columns.time or ""}
        return Results(
            lambda: iter([_wide(table, as_text=False)]),
            lambda write: iter([_wide(table, as_text=True)]),  # noqa: ARG005  # there is no text but times
            bare=times if counted else (),
        )
    tidy = style is not None and style.tidy
    size = block_size(table.times.shape[1])
    worded = TIDY[:1] if tidy else table.id_columns
    times = {TIDY[1], table.columns.time or ""} - {*worded}
    return Results(
        lambda: (arrow_table(part, tidy=tidy, as_text=False) for part in in_blocks([table], size)),
        lambda write: (arrow_table(part.with_ids(write), tidy=tidy, as_text=True) for part in in_blocks([table], size)),
        worded,
        times if counted else (),
        identity=TIDY[:3] if tidy else (*table.id_columns, *table.columns.times),
        origins=None if table.origins is None else lambda as_text: origin_column(table, tidy=tidy, as_text=as_text),
    )


def origin_column(table: ForecastTable, *, tidy: bool, as_text: bool) -> pa.Array:
    """The time of the last row that each row of the forecast was made from, as its own time is written."""
    assert table.origins is not None
    steps = table.times.shape[1] * (len(table.levels) if tidy else 1)
    times = np.repeat(table.origins, steps)
    if table.columns.clock is not None:
        return joined_times(times, table)
    write = written_times if as_text else typed_times
    return write(times, table.columns, table.calendar)


def _wide(table: ForecastTable, *, as_text: bool) -> pa.Table:
    """The point forecast: a row for each time of any series, a column for each series, null where it has none."""
    times, place = np.unique(table.times, return_inverse=True)
    values = np.full((len(times), len(table.ids)), np.nan)
    values[place.reshape(table.times.shape), np.arange(len(table.ids))[:, None]] = table.point
    names = [*table.columns.times, *(table.ids if table.id_columns else [table.columns.target])]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputRefused(f"the forecast would have two columns called {twice!r}", hint="leave --out-wide out")
    numbers = [null_where(number_array(np.ascontiguousarray(row)), np.isnan(row)) for row in values.T]
    return pa.Table.from_arrays([*when_columns(times, table, as_text=as_text), *numbers], names)
