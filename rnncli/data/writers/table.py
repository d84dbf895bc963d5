"""A forecast as a table: its columns' names, and its times in the style that the data came in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.calendar import Calendar
from rnncli.data.clocktext import HOURS, clock_text
from rnncli.data.ids import parts_of
from rnncli.data.isotime import ISO_DATE
from rnncli.data.timestyle import has_clock, in_utc, letters, offset, written
from rnncli.data.zones import ambiguous
from rnncli.errors import InputRefused
from rnncli.spec import Columns

TIDY = ("id", "time", "quantile", "value")
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_INTEGERS = {str(kind): kind for kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.uint32())}
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]")
_DAY = 86_400_000_000


@dataclass(frozen=True)
class ForecastTable:
    """The forecasts of S series over H steps at Q quantile levels.

    `times` [S, H] are UTC microseconds or whole steps, `quantiles` [S, H, Q] and `point` [S, H] are in the data's
    units; `columns` and `calendar` are those of the data. `origins` [S] are the times of the last rows that were seen,
    `actual` [S, H] what came, NaN where that is not known (None: nobody knows).
    """

    ids: tuple[str, ...]
    times: Ints
    levels: tuple[float, ...]
    quantiles: Floats
    point: Floats
    columns: Columns
    calendar: Calendar

    written_ids: tuple[tuple[str, ...], ...] | None = None
    origins: Ints | None = None
    actual: Floats | None = None

    @property
    def id_columns(self) -> tuple[str, ...]:
        """Names of the id columns; none for one series without a name."""
        columns = self.columns
        named = columns.ids or columns.targets or columns.wide or columns.by_file or len(set(self.ids)) > 1
        return columns.series_columns if named else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns: id and time as they came, `forecast`, and a `q...` for each level.

        InputRefused if the data's own names are among the latter.
        """
        own = [*self.id_columns, *self.columns.times]
        names = (*own, "forecast", *(f"q{level!r}" for level in self.levels))
        twice = next((name for name in own if names.count(name) > 1), None)
        if twice is not None:
            hint = "rename it in the data, or ask for --tidy"
            raise InputRefused(f"the forecast would have two columns called {twice!r}", hint=hint)
        return names

    def some(self, series: slice) -> ForecastTable:
        """The forecasts of some of the series."""
        return replace(
            self,
            ids=self.ids[series],
            times=self.times[series],
            quantiles=self.quantiles[series],
            point=self.point[series],
            written_ids=None if self.written_ids is None else tuple(part[series] for part in self.written_ids),
            origins=None if self.origins is None else self.origins[series],
            actual=None if self.actual is None else self.actual[series],
        )

    def with_ids(self, write: Callable[[str], str]) -> ForecastTable:
        """The table with ids as they are to be written."""
        parts = tuple(tuple(map(write, part)) for part in self.parts)
        return replace(self, ids=tuple(map(write, self.ids)), written_ids=parts)

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The values of each id column, series after series."""
        if self.written_ids is not None:
            return self.written_ids
        count = max(1, len(self.id_columns))
        return tuple(zip(*(parts_of(name, count) for name in self.ids), strict=True)) or ((),) * count


def in_blocks(tables: Iterable[ForecastTable], size: int) -> Iterator[ForecastTable]:
    """The tables, one after the other, in blocks of so many series, whatever each of them has."""
    held, blocks = list[ForecastTable](), 0
    for table in tables:
        held.append(table)
        while sum(len(one.ids) for one in held) >= size:
            whole = _together(held)
            yield whole.some(slice(0, size))
            held, blocks = [whole.some(slice(size, None))], blocks + 1
    if any(len(one.ids) for one in held) or (held and not blocks):
        yield _together(held)


def _together(tables: list[ForecastTable]) -> ForecastTable:
    first = tables[0]
    if len(tables) == 1:
        return first
    return replace(
        first,
        ids=tuple(chain.from_iterable(table.ids for table in tables)),
        times=np.concatenate([table.times for table in tables]),
        quantiles=np.concatenate([table.quantiles for table in tables]),
        point=np.concatenate([table.point for table in tables]),
        origins=None if first.origins is None else np.concatenate([table.origins for table in tables]),
        actual=None if first.actual is None else np.concatenate([table.actual for table in tables]),
    )


def arrow_table(table: ForecastTable, *, tidy: bool, as_text: bool) -> pa.Table:
    """The rows, one a step (or, `tidy`, one a step and level), series after series.

    Times are of the Arrow type that they came in, or `as_text` in its written style.
    """
    steps, levels = table.times.shape[1], len(table.levels)
    repeats = steps * levels if tidy else steps
    series = np.repeat(np.arange(len(table.ids)), repeats)
    times = np.repeat(table.times.ravel(), levels) if tidy else table.times.ravel()
    if tidy:
        when = joined_times(times, table) if table.columns.clock else when_columns(times, table, as_text=as_text)[0]
        level = np.tile(np.asarray(table.levels, np.float64), table.times.size)
        ids = text_array(list(table.ids), series)
        return pa.Table.from_arrays([ids, when, number_array(level), number_array(table.quantiles.ravel())], list(TIDY))
    numbers = [table.point.ravel(), *(table.quantiles[..., i].ravel() for i in range(levels))]
    told = [text_array(list(part), series) for part in table.parts] if table.id_columns else []
    columns = [*told, *when_columns(times, table, as_text=as_text), *map(number_array, numbers)]
    return pa.Table.from_arrays(columns, list(table.names))


def when_columns(times: Ints, table: ForecastTable, *, as_text: bool) -> list[pa.Array]:
    """The columns of times [rows]: one, or a date and a time of day."""
    write = written_times if as_text else typed_times
    when = [write(times, table.columns, table.calendar)]
    if table.columns.clock is not None:
        different, index = np.unique(times, return_inverse=True)
        when.append(text_array(clock_texts(different, table.columns, table.calendar), index))
    return when


def joined_times(times: Ints, table: ForecastTable) -> pa.Array:
    """Dates and times of day in one column."""
    different, index = np.unique(times, return_inverse=True)
    dates = time_texts(different, table.columns, table.calendar)
    clocks = clock_texts(different, table.columns, table.calendar)
    return text_array([f"{date} {clock}" for date, clock in zip(dates, clocks, strict=True)], index)


def joined_style(columns: Columns) -> str | None:
    """The style of times in a tidy table: of dates and times of day in one where they came in two columns."""
    if columns.clock is None:
        return columns.time_format
    clock = (columns.clock_format or "%H:%M:%S").replace(HOURS, "%-H")
    return f"{columns.time_format or ISO_DATE} {clock}"


def clock_texts(times: Ints, columns: Columns, calendar: Calendar) -> list[str]:
    """The times of day, in the style that they came in."""
    return [clock_text(wall, columns.clock_format or "%H:%M:%S") for wall in calendar.local(times).tolist()]


def text_array(texts: list[str], index: Ints) -> pa.Array:
    """A text column of texts[index]; built from its buffers, for pa.array would import pandas."""
    encoded = [text.encode() for text in texts]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    offsets = np.concatenate([[0], np.cumsum(lengths[index])])
    data = b"".join([encoded[i] for i in index.tolist()])
    kind, width = (pa.string(), np.int32) if offsets[-1] < 2**31 else (pa.large_string(), np.int64)
    buffers = [None, pa.py_buffer(offsets.astype(width)), pa.py_buffer(data)]
    return pa.Array.from_buffers(kind, len(index), buffers)


def number_array(values: NDArray[Any], kind: pa.DataType | None = None) -> pa.Array:
    """A column of numbers, float64 unless another `kind` is said, in the memory that they have."""
    kind = pa.float64() if kind is None else kind
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def null_where(made: pa.Array, absent: Bools) -> pa.Array:
    """The column with null in some rows [rows]."""
    valid = pa.py_buffer(np.packbits(~absent, bitorder="little").tobytes())
    return pa.Array.from_buffers(made.type, len(made), [valid, *made.buffers()[1:]])


def typed_times(times: Ints, columns: Columns, calendar: Calendar) -> pa.Array:
    """Times in the Arrow type that they came in; a type too narrow for them becomes the widest of its kind."""
    arrow, stamp = columns.time_arrow, _TIMESTAMP.fullmatch(columns.time_arrow)
    if calendar.counts and "string" not in arrow:
        return _integers(times, arrow)
    if columns.time_type == "number":
        texts = time_texts(times, columns, calendar)
        return _integers(np.array([int(text) for text in texts], np.int64), arrow)
    if columns.time_type == "text" or "string" in arrow:
        return written_times(times, columns, calendar)
    wall = times if stamp and stamp[2] else calendar.local(times)
    if stamp:
        return _timestamps(wall, stamp[1], stamp[2])
    return number_array((wall // _DAY).astype(np.int32), pa.date32())


def _integers(times: Ints, arrow: str) -> pa.Array:
    kind = _INTEGERS.get(arrow)
    if kind is not None:
        narrow = times.astype(arrow)
        if np.array_equal(narrow, times):
            return number_array(narrow, kind)
    return number_array(times, pa.int64())


def _timestamps(times: Ints, unit: str, zone: str | None) -> pa.Array:
    if unit == "ns":
        fits = not times.size or np.abs(times).max() < 2**63 // 1_000
        return number_array(times * 1_000 if fits else times, pa.timestamp("ns" if fits else "us", zone))
    size = _MICROSECONDS[unit]
    fits = not (times % size).any()
    return number_array(times // size if fits else times, pa.timestamp(unit if fits else "us", zone))


def has_hour_twice(table: ForecastTable) -> bool:
    """Whether typed times without a zone hold an hour that the clock shows twice, which only texts can tell apart."""
    columns, calendar = table.columns, table.calendar
    stamp = _TIMESTAMP.fullmatch(columns.time_arrow)
    typed = columns.time_type == "timestamp" and stamp is not None and not stamp[2]
    return bool(typed and calendar.fixed_step and ambiguous(table.times, calendar.zone).any())


def written_times(times: Ints, columns: Columns, calendar: Calendar) -> pa.Array:
    """Times as text, in the style that they came in."""
    different, index = np.unique(times, return_inverse=True)
    return text_array(time_texts(different, columns, calendar), index)


def time_texts(times: Ints, columns: Columns, calendar: Calendar) -> list[str]:
    """Times as the data wrote them: whole numbers, dates, their own format, or ISO style with the zone's offset."""
    if calendar.counts:
        return [str(time) for time in times.tolist()]
    wall = calendar.local(times)
    shift = (wall - times).tolist()
    if columns.time_format is not None:
        texts = [written(here, by, columns.time_format) for here, by in zip(wall.tolist(), shift, strict=True)]
    elif columns.time_type == "date" or columns.clock is not None:
        return _iso(wall, "D")
    else:
        texts = _iso(wall, "us" if (wall % 1_000_000).any() else "s")
        if _zoned(columns, calendar):
            return [text + offset(by) for text, by in zip(texts, shift, strict=True)]
    return _told_apart(texts, times, shift, columns, calendar)


def _told_apart(texts: list[str], times: Ints, shift: list[int], columns: Columns, calendar: Calendar) -> list[str]:
    """Hours that the clock shows twice have their offset behind them, where times have no zone."""
    style = columns.time_format
    says = style is not None and (not has_clock(style) or in_utc(style) or "z" in letters(style))
    if calendar.zone is None or not calendar.fixed_step or columns.time_zoned or columns.clock is not None or says:
        return texts
    twice = ambiguous(times, calendar.zone)
    return [text + offset(by) if again else text for text, by, again in zip(texts, shift, twice.tolist(), strict=True)]


def _zoned(columns: Columns, calendar: Calendar) -> bool:
    stamp = _TIMESTAMP.fullmatch(columns.time_arrow)
    return bool(stamp[2]) if stamp else columns.time_zoned or calendar.zone is not None


def _iso(wall: Ints, unit: Literal["D", "s", "us"]) -> list[str]:
    moments: NDArray[np.datetime64] = wall.view("datetime64[us]")
    return [text.replace("T", " ") for text in np.datetime_as_string(moments, unit=unit).tolist()]
