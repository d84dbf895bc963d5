"""The time of every row of the tables, from one column, and the style in which more of them are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from rnncli.arrays import Bools, Ints
from rnncli.data import arrow, datenumber
from rnncli.data.isotime import ISO_DATE, Moments, Unreadable
from rnncli.data.readers.table import UNTYPED, WORDED, Kind
from rnncli.data.tables import BAD_TIME, NO_TIME, OTHER_ZONE, Fault, Faults, Tables
from rnncli.data.timestyle import STEP
from rnncli.data.timetext import read_times, readable, whole_numbers, within_years
from rnncli.data.zones import ambiguous
from rnncli.errors import InputRefused
from rnncli.spec import Columns

WHAT = "times"
_DIGITS = 21  # more than any count of 64 bits has, with its sign
_STEPS = "whole numbers that count steps: --time-format step"


@dataclass(frozen=True)
class Times:
    """The time of each row [n], how times are written, and what Columns says of that."""

    times: Ints
    moments: Moments
    style: dict[str, Any]

    @property
    def zone(self) -> str | None:
        """The zone that the times came with."""
        return "UTC" if self.moments.zone == "mixed" else self.moments.zone

    @property
    def fixed(self) -> Bools | None:
        """Rows whose time is in UTC although the others have no zone."""
        return self.moments.fixed


@dataclass(frozen=True)
class Wall:
    """What is known of times before they are read: the `zone` whose clock they are from, if that was said, and whether
    a style is `told` by the user, so that no other is taken, or a model's, which any ISO form fits.
    """

    zone: str | None = None
    told: bool = True


def times_in_column(tables: Tables, kinds: dict[str, Kind], named: Columns, faults: Faults, wall: Wall) -> Times:
    """The time of every row from the time column alone; rows whose time cannot be read are faults."""
    time = named.times[0]
    tables.refuse_nested(time, WHAT)
    found = _times(tables, kinds, named, faults, wall)
    far = ~within_years(found.times)
    if found.style["time_type"] != "integer" and far.any():
        rows = far & (found.times > -(1 << 61))  # those below have no time at all
        if rows.any():
            row = int(np.argmax(rows))
            error = InputRefused(
                f"a time lies before the year 1 or after 9999 (column {time!r})",
                where=tables.where(row),
                hint="look for a wrong year or a wrong unit of time",
            )
            faults.add(Fault(BAD_TIME, rows, error))
    return found


def _times(tables: Tables, kinds: dict[str, Kind], named: Columns, faults: Faults, wall: Wall) -> Times:
    time = named.times[0]
    columns = tables.column(time)
    types = [arrow.plain_type(column.type) for column in columns]
    if all(pa.types.is_timestamp(kind) or pa.types.is_date(kind) for kind in types):
        return _typed_times(tables, columns, named, faults)
    steps = _typed_steps(columns, types) if _counts_steps(named) else None
    if steps is not None:
        about = _style_of_texts(tables, types[0], Moments(steps[:0]), whole=True, numbers=True)
        seen = _seen(np.concatenate([arrow.observed(column) for column in columns]), tables, time, faults)
        return Times(_unlike_any(steps, seen), Moments(steps[:0]), about)
    codes, texts = _stripped(*tables.codes(time, WHAT))
    seen = _seen(codes >= 0, tables, time, faults)
    if not texts:
        return Times(_unlike_any(np.zeros(len(codes), np.int64), seen), Moments(np.zeros(0, np.int64)), dict(_NO_STYLE))
    integers = all(pa.types.is_integer(kind) for kind in types)
    style = _style(texts, named, whole=integers or kinds[time] == "whole")
    times, moments = _Coded(codes, texts, style, time, wall).read(tables, faults)
    fixed = None if moments.fixed is None else np.append(moments.fixed, False)[codes]
    about = _style_of_texts(tables, types[0], moments, whole=style.whole, numbers=integers)
    return Times(times, replace(moments, fixed=fixed), about)


def _counts_steps(named: Columns) -> bool:
    """Whether times are known to be whole numbers that count steps."""
    return named.time_format == STEP or named.time_type == "integer"


def _typed_steps(columns: Sequence[pa.ChunkedArray], types: Sequence[pa.DataType]) -> Ints | None:
    """Whole numbers as they are stored, without a text for each; None where they are none, or too large."""
    if not all(pa.types.is_integer(kind) and kind != pa.uint64() for kind in types):
        return None
    found = np.concatenate([arrow.integers(arrow.plain(column)) for column in columns])
    return found if len(found) and found.min() > -(1 << 62) and found.max() < 1 << 62 else None


_NO_STYLE = {"time_type": "timestamp", "time_arrow": "timestamp[us]", "time_format": None, "time_zoned": False}


def _stripped(codes: Ints, texts: Sequence[str]) -> tuple[Ints, list[str]]:
    """Codes into texts without blanks around them, -1 for those that were nothing else."""
    bare = [text.strip() for text in texts]
    place = np.cumsum([bool(text) for text in bare], dtype=np.int64) - 1
    place = np.where([bool(text) for text in bare], place, -1) if bare else place
    return np.append(place, -1)[codes], [text for text in bare if text]


@dataclass(frozen=True)
class _Style:
    """How times are written: `text` is a style, None where it is to be found; `whole` are numbers that count steps.

    Where several `choices` fit, nobody can tell which is meant.
    """

    text: str | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()


def _style(texts: Sequence[str], named: Columns, *, whole: bool) -> _Style:
    if _counts_steps(named):
        return _Style(whole=True)
    if named.time_format is not None:
        return _Style(named.time_format)
    if not (whole or all(map(_is_whole, texts))):
        return _Style()
    numbers = [int(text) for text in texts if _is_whole(text)]
    styles = datenumber.styles_of(np.array(numbers, np.int64))
    if len(styles) > 1:
        return _Style(choices=styles)
    return _Style(styles[0]) if styles else _Style(whole=True)


def _is_whole(text: str) -> bool:
    return len(text) < _DIGITS and text.removeprefix("-").removeprefix("+").isdecimal() and abs(int(text)) < 1 << 62


@dataclass(frozen=True)
class _Coded:
    """Times as codes [n] into different texts, -1 where there is none."""

    codes: Ints
    texts: list[str]
    style: _Style
    name: str
    wall: Wall

    def read(self, tables: Tables, faults: Faults) -> tuple[Ints, Moments]:
        """The time of each row; InputRefused with the place of the first that is none, or faults."""
        try:
            found = self._moments(self.texts)
        except Unreadable as error:
            refused = self._refused(error, tables)
            if not faults.tolerant or self.style.choices:
                raise refused from None
            return self._readable(refused, faults)
        return _unlike_any(np.append(found.times, 0)[self.codes], self.codes >= 0), found

    def _moments(self, texts: list[str]) -> Moments:
        if self.style.whole:
            return Moments(whole_numbers(texts))
        if self.style.choices:
            choices = " or ".join(f"'{style}'" for style in self.style.choices)
            raise Unreadable(0, f"{texts[0]!r} can be a date or a count of steps", f"say --time-format {choices}")
        found = read_times(texts, self.style.text, strict=self.wall.told)
        if found.fixed is not None:
            self._refuse_zones(found.times, found.fixed)
        return found

    def _refuse_zones(self, times: Ints, fixed: Bools) -> None:
        """Unreadable where times with an offset among others are more than hours that the clock shows twice."""
        odd = fixed & ~ambiguous(times, self.wall.zone)
        if odd.any():
            hint = "give all of them a zone, or none and say it: --zone NAME"
            fewer = fixed if 2 * np.count_nonzero(fixed) <= len(fixed) else ~fixed
            raise Unreadable(int(np.argmax(fewer)), "some times have a zone and some have none", hint)

    def _refused(self, error: Unreadable, tables: Tables) -> InputRefused:
        fine = "finer than a microsecond" in error.message
        hint = "round times to microseconds" if fine else error.hint or "one style for all rows"
        if all(map(_is_whole, self.texts)) and not (self.style.whole or self.style.choices):
            hint = f"correct it, or if these are {_STEPS}"
        return InputRefused(
            f"{error.message} (column {self.name!r})",
            where=tables.where(int(np.argmax(self.codes == error.position))),
            hint=hint,
        )

    def _readable(self, refused: InputRefused, faults: Faults) -> tuple[Ints, Moments]:
        """The times in the style that most rows share; the other rows are faults."""
        codes, style = self.codes, self.style
        counts = np.bincount(codes[codes >= 0], minlength=len(self.texts))
        good, astray = readable(self.texts, counts, style.text, whole=style.whole)
        if not good.any():
            raise refused
        for id, texts in ((BAD_TIME, ~good & ~astray), (OTHER_ZONE, astray)):  # noqa: A001  # as a finding calls it
            rows = np.append(texts, False)[codes]  # an element
            if rows.any():
                faults.add(Fault(id, rows, refused))
        kept = np.flatnonzero(good)
        try:
            found = self._moments([self.texts[code] for code in kept.tolist()])
        except Unreadable:
            raise refused from None
        times = np.zeros(len(self.texts) + 1, np.int64)
        times[kept] = found.times
        return _unlike_any(times[codes], np.append(good, False)[codes]), replace(found, fixed=None)


def _typed_times(tables: Tables, columns: Sequence[pa.ChunkedArray], named: Columns, faults: Faults) -> Times:
    columns = [arrow.plain(column) for column in columns]
    seen = _seen(np.concatenate([arrow.observed(column) for column in columns]), tables, named.times[0], faults)
    zones = {column.type.tz if pa.types.is_timestamp(column.type) else None for column in columns}
    if len(zones) > 1 and None in zones:
        naive = [pa.types.is_date(column.type) or column.type.tz is None for column in columns]
        error = InputRefused(
            "some tables have times with a zone and some without", where=tables.name, hint="give all a zone, or none"
        )
        faults.add(Fault(OTHER_ZONE, np.repeat(naive, [len(column) for column in columns]), error))
        zones.discard(None)
    try:
        times = np.concatenate([arrow.microseconds(column) for column in columns])
    except OverflowError as error:
        raise InputRefused(
            f"{error} (column {named.time!r})", where=tables.name, hint="write times in whole microseconds since 1970"
        ) from None
    zone = zones.pop() if len(zones) == 1 else "mixed"
    dates = all(pa.types.is_date(column.type) for column in columns)
    style = {
        "time_type": "date" if dates else "timestamp",
        "time_arrow": str(columns[0].type),
        "time_format": None,
        "time_zoned": zone is not None,
    }
    return Times(_unlike_any(times, seen), Moments(np.zeros(0, np.int64), dates=dates, zone=zone), style)


def _seen(seen: Bools, tables: Tables, name: str, faults: Faults) -> Bools:
    """Which rows have a time; the others are faults."""
    if not seen.all():
        row = int(np.argmin(seen))
        error = InputRefused(
            f"there is no time (column {name!r})", where=tables.where(row), hint="every row needs its time"
        )
        faults.add(Fault(NO_TIME, ~seen, error))
    return seen


def _unlike_any(times: Ints, seen: Bools) -> Ints:
    """The times, with one of its own for every row that has none: such rows repeat no other's."""
    if not seen.all():
        times = times.copy()
        times[~seen] = np.arange(np.count_nonzero(~seen)) - (1 << 62)
    return times


def _style_of_texts(
    tables: Tables, arrow_type: pa.DataType, moments: Moments, *, whole: bool, numbers: bool
) -> dict[str, Any]:
    """What Columns says of times that came as texts or whole numbers."""
    zoned = moments.zone is not None
    form = tables.sources[0].format
    from_file = form in UNTYPED
    if whole:
        kind = "int64" if from_file else str(arrow_type)
        return {"time_type": "integer", "time_arrow": kind, "time_format": None, "time_zoned": False}
    if numbers or (from_file and form not in WORDED and moments.style is not None and _all_digits(moments.style)):
        kind = "int64" if from_file else str(arrow_type)
        return {"time_type": "number", "time_arrow": kind, "time_format": moments.style, "time_zoned": zoned}
    if not from_file:
        style = moments.style or _plain_style(moments)
        return {"time_type": "text", "time_arrow": "string", "time_format": style, "time_zoned": zoned}
    stamp = f"timestamp[us, tz={'UTC' if moments.zone == 'mixed' else moments.zone}]" if zoned else "timestamp[us]"
    dates = moments.dates and moments.style is None
    return {
        "time_type": "date" if dates else "timestamp",
        "time_arrow": "date32[day]" if dates else stamp,
        "time_format": moments.style,
        "time_zoned": zoned,
    }


def _all_digits(style: str) -> bool:
    return style.startswith("epoch-") or style in (
        "%Y%m%d",
        "%Y%m%d%H",
        "%Y%m%d%H%M",
        "%Y%m%d%H%M%S",
        "%Y%m",
        "%G%V",
        "%Y%q",
    )


def _plain_style(moments: Moments) -> str:
    """The style of ISO texts that are written in the usual way."""
    if moments.dates:
        return ISO_DATE
    return f"{ISO_DATE} %H:%M:%S" + ("" if moments.zone is None else "%:z")
