"""A forecast as a table: its columns' names, and its times in the style that the data came in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rnncli.data.calendar import Calendar
from rnncli.errors import InputRefused
from rnncli.spec import Columns

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TIDY = ("id", "time", "quantile", "value")
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_INTEGERS = {str(kind): kind for kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.uint32())}
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]")
_DAY = 86_400_000_000


@dataclass(frozen=True)
class ForecastTable:
    """The forecasts of S series over H steps at Q quantile levels.

    `times` [S, H] are UTC microseconds or whole steps, `quantiles` [S, H, Q] and `point` [S, H] are in the data's
    units; `columns` and `calendar` are those of the data.
    """

    ids: tuple[str, ...]
    times: Ints
    levels: tuple[float, ...]
    quantiles: Floats
    point: Floats
    columns: Columns
    calendar: Calendar

    @property
    def id_column(self) -> str | None:
        """Name of the id column; None for one series without a name."""
        if self.columns.id is not None:
            return self.columns.id
        return self.columns.id_name if self.columns.wide or self.columns.by_file or len(self.ids) > 1 else None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns: id and time as they came, `forecast`, and a `q...` for each level.

        InputRefused if the data's own names are among the latter.
        """
        own = [name for name in (self.id_column, self.columns.time) if name is not None]
        names = (*own, "forecast", *(f"q{level!r}" for level in self.levels))
        twice = next((name for name in own if names.count(name) > 1), None)
        if twice is not None:
            hint = "rename it in the data, or ask for --tidy"
            raise InputRefused(f"the forecast would have two columns called {twice!r}", hint=hint)
        return names


def arrow_table(table: ForecastTable, *, tidy: bool, as_text: bool) -> pa.Table:
    """The rows, one a step (or, `tidy`, one a step and level), series after series.

    Times are of the Arrow type that they came in, or `as_text` in its written style.
    """
    steps, levels = table.times.shape[1], len(table.levels)
    repeats = steps * levels if tidy else steps
    ids = text_array(list(table.ids), np.repeat(np.arange(len(table.ids)), repeats))
    times = np.repeat(table.times.ravel(), levels) if tidy else table.times.ravel()
    write = written_times if as_text else typed_times
    when = write(times, table.columns, table.calendar)
    if tidy:
        level = np.tile(np.asarray(table.levels, np.float64), table.times.size)
        return pa.Table.from_arrays([ids, when, _array(level), _array(table.quantiles.ravel())], list(TIDY))
    numbers = [table.point.ravel(), *(table.quantiles[..., i].ravel() for i in range(levels))]
    columns = [when, *map(_array, numbers)]
    return pa.Table.from_arrays([ids, *columns] if table.id_column else columns, list(table.names))


def text_array(texts: list[str], index: Ints) -> pa.Array:
    """A text column of texts[index]; built from its buffers, for pa.array would import pandas."""
    encoded = [text.encode() for text in texts]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    offsets = np.concatenate([[0], np.cumsum(lengths[index])])
    data = b"".join([encoded[i] for i in index.tolist()])
    kind, width = (pa.string(), np.int32) if offsets[-1] < 2**31 else (pa.large_string(), np.int64)
    buffers = [None, pa.py_buffer(offsets.astype(width)), pa.py_buffer(data)]
    return pa.Array.from_buffers(kind, len(index), buffers)


def _array(values: NDArray[Any], kind: pa.DataType | None = None) -> pa.Array:
    kind = pa.float64() if kind is None else kind
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def typed_times(times: Ints, columns: Columns, calendar: Calendar) -> pa.Array:
    """Times in the Arrow type that they came in; a type too narrow for them becomes the widest of its kind."""
    arrow, stamp = columns.time_arrow, _TIMESTAMP.fullmatch(columns.time_arrow)
    if calendar.frequency.unit == "step":
        return _integers(times, arrow)
    if columns.time_type == "text" or "string" in arrow:
        return written_times(times, columns, calendar)
    wall = times if stamp and stamp[2] else calendar.local(times)
    if stamp:
        return _timestamps(wall, stamp[1], stamp[2])
    return _array((wall // _DAY).astype(np.int32), pa.date32())


def _integers(times: Ints, arrow: str) -> pa.Array:
    kind = _INTEGERS.get(arrow)
    if kind is not None:
        narrow = times.astype(arrow)
        if np.array_equal(narrow, times):
            return _array(narrow, kind)
    return _array(times, pa.int64())


def _timestamps(times: Ints, unit: str, zone: str | None) -> pa.Array:
    if unit == "ns":
        fits = not times.size or np.abs(times).max() < 2**63 // 1_000
        return _array(times * 1_000 if fits else times, pa.timestamp("ns" if fits else "us", zone))
    size = _MICROSECONDS[unit]
    fits = not (times % size).any()
    return _array(times // size if fits else times, pa.timestamp(unit if fits else "us", zone))


def written_times(times: Ints, columns: Columns, calendar: Calendar) -> pa.Array:
    """Times as text, in the style that they came in."""
    different, index = np.unique(times, return_inverse=True)
    return text_array(time_texts(different, columns, calendar), index)


def time_texts(times: Ints, columns: Columns, calendar: Calendar) -> list[str]:
    """Times as the data wrote them: whole numbers, dates, their own format, or ISO style with the zone's offset."""
    if calendar.frequency.unit == "step":
        return [str(time) for time in times.tolist()]
    wall = calendar.local(times)
    if columns.time_type == "date":
        return _iso(wall, "D")
    shift = wall - times
    if columns.time_format is not None:
        pairs = zip(wall.tolist(), shift.tolist(), strict=True)
        return [_formatted(here, offset, columns.time_format) for here, offset in pairs]
    texts = _iso(wall, "us" if (wall % 1_000_000).any() else "s")
    if _zoned(columns, calendar):
        return [text + _offset(offset) for text, offset in zip(texts, shift.tolist(), strict=True)]
    return texts


def _zoned(columns: Columns, calendar: Calendar) -> bool:
    stamp = _TIMESTAMP.fullmatch(columns.time_arrow)
    return bool(stamp[2]) if stamp else columns.time_zoned or calendar.zone is not None


def _iso(wall: Ints, unit: Literal["D", "s", "us"]) -> list[str]:
    moments: NDArray[np.datetime64] = wall.view("datetime64[us]")
    return [text.replace("T", " ") for text in np.datetime_as_string(moments, unit=unit).tolist()]


def _offset(microseconds: int) -> str:
    minutes = abs(microseconds) // 60_000_000
    return f"{'-' if microseconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _formatted(wall: int, offset: int, style: str) -> str:
    zone = timezone(timedelta(microseconds=offset))
    style = style.replace("%:z", _offset(offset))  # which strftime has only from Python 3.12 on
    try:
        return (datetime(1970, 1, 1, tzinfo=zone) + timedelta(microseconds=wall)).strftime(style)
    except (OverflowError, ValueError) as error:
        raise InputRefused(
            f"a time of the forecast cannot be written in the form {style!r}",
            hint="times with a form of their own lie in the years 1 to 9999",
        ) from error
