"""A repaired copy of data: every column and text as it came, rows in order, once, and one for each step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from rnncli.arrays import Bools, Ints
from rnncli.data import arrow
from rnncli.data import tables as reading
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import vocabularies
from rnncli.data.checks.seen import Seen
from rnncli.data.grid import GAP_ALLOWANCE, GAP_LIMIT
from rnncli.data.readers.table import CELLS, NUMERIC, Kind, Opened, kind_of
from rnncli.data.tables import Tables
from rnncli.data.writers.table import clock_texts, text_array, typed_times, written_times
from rnncli.data.zones import to_wall
from rnncli.errors import InputRefused
from rnncli.spec import Columns

LEFT_OUT = {
    reading.NO_TIME: "without a time",
    reading.BAD_TIME: "whose time cannot be read",
    reading.OTHER_ZONE: "with another kind of zone than most",
    reading.NO_ID: "without an id",
}
_DAYLESS = Frequency("step")


@dataclass(frozen=True)
class Action:
    """What was done to rows or values that the finding `id` is about."""

    id: str
    count: int
    what: str

    def __str__(self) -> str:
        return f"{self.count:,} {self.what}"


@dataclass(frozen=True)
class Copy:
    """The repaired table, what was done, and how many rows there were before."""

    table: pa.Table
    actions: tuple[Action, ...]
    rows_before: int
    plain: frozenset[str]  # columns that no spreadsheet could run: numbers and times


def repair(seen: Seen, format: str) -> Copy:  # noqa: A002  # as the writers call it
    """The copy, for a file of this format: in CSV everything is text, as it was written where it came from CSV."""
    return _Copying(seen, text=format == "csv").copy()


@dataclass(frozen=True)
class _Copying:
    """`take` [m] are rows of the tables, -1 where a row is added for a step that has none."""

    seen: Seen
    text: bool

    @cached_property
    def _places(self) -> Ints:
        """The row of the tables of each row that was read."""
        return self.seen.rows.stacked_places // self.seen.rows.per_row

    def copy(self) -> Copy:
        take, like, times, actions = self._rows()
        table = self._table()
        columns = {name: self._column(table, name, take, like, times) for name in table.column_names}
        if self.seen.columns.by_file:
            codes, stems = self.seen.rows.tables.by_source()  # the series of each row, where each file is one
            names = text_array(stems, codes[like])
            columns = {self.seen.columns.id_name: names} | columns
        done = pa.table(columns)
        actions += self._finite_actions()
        actions = [*self._fault_actions(), *actions]
        return Copy(done, tuple(action for action in actions if action.count), len(table), self._plain(table))

    def _rows(self) -> tuple[Ints, Ints, Ints, list[Action]]:
        """For each row of the copy its table row (-1: added), a row of the same series, its time; and what was done."""
        return self._wide_rows() if self.seen.columns.wide else self._long_rows()

    def _long_rows(self) -> tuple[Ints, Ints, Ints, list[Action]]:
        seen = self.seen
        first = seen.rows.stacked_places[seen.order] % seen.rows.per_row == 0  # several targets share a row
        order, times, owner = self._places[seen.order][first], seen.times[first], seen.owner[first]
        equal, different = (np.unique(self._places[rows]) for rows in seen.repeats)
        equal = np.setdiff1d(equal, different)
        actions = _order_actions(seen.unsorted, len(equal), len(different))
        return (*self._filled(order, times, owner, actions), actions)

    def _wide_rows(self) -> tuple[Ints, Ints, Ints, list[Action]]:
        """A row of a wide table is one time of all its series."""
        rows, width = self.seen.rows, self.seen.rows.per_row
        times, values = rows.times[::width], rows.values.reshape(-1, width)
        places = self._places[::width]
        order = np.argsort(times, kind="stable")
        again = np.flatnonzero(np.diff(times[order]) == 0) + 1
        one, other = values[order[again - 1]], values[order[again]]
        equal = ((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1)
        back = bool((np.diff(times) < 0).any())
        actions = _order_actions(back, int(equal.sum()), int((~equal).sum()))
        last = np.append(np.diff(times[order]) > 0, True)  # an element
        order = order[last]
        return (*self._filled(places[order], times[order], np.zeros(len(order), np.int64), actions), actions)

    def _filled(self, order: Ints, times: Ints, owner: Ints, actions: list[Action]) -> tuple[Ints, Ints, Ints]:
        """The rows with one added for each step that has none, where there is a grid."""
        calendar = self.seen.calendar
        if not isinstance(calendar, Calendar) or not len(order):
            return order, order, times
        ordinal, phase = calendar.ordinals(times)
        absent = np.maximum(np.diff(ordinal, append=ordinal[-1] + 1) - 1, 0)
        absent[np.flatnonzero(np.diff(owner))] = 0
        absent[-1] = 0
        total = int(absent.sum())
        if not total or total + len(order) > GAP_LIMIT * len(order) + GAP_ALLOWANCE:
            return order, order, times
        of = np.repeat(np.arange(len(order)), absent + 1)
        step = np.arange(len(of)) - np.repeat(np.cumsum(absent + 1) - absent - 1, absent + 1)
        filled = np.where(step == 0, times[of], calendar.times(ordinal[of] + step, phase[of]))
        actions.append(Action("gap", total, "rows were added for steps that had none, with everything missing"))
        return np.where(step == 0, order[of], -1), order[of], filled

    def _fault_actions(self) -> list[Action]:
        faults = [fault for fault in self.seen.faults if fault.id in LEFT_OUT]
        return [Action(f.id, int(f.rows.sum()), f"rows {LEFT_OUT[f.id]} were left out") for f in faults]

    def _finite_actions(self) -> list[Action]:
        seen = self.seen
        bad = sum(int(fault.rows.sum()) for fault in seen.faults if fault.id == reading.BAD_NUMBER)
        return [
            Action("non-finite", int((seen.wild & seen.rows.own_values).sum()), "infinite values became missing"),
            Action("number-unreadable", bad, "texts that are no numbers became missing"),
        ]

    # the columns

    def _table(self) -> pa.Table:
        """Every column of every source, below one another."""
        tables = self.seen.rows.tables
        parts = [self._source(tables, place) for place in range(len(tables.sources))]
        try:
            return pa.concat_tables(parts, promote_options="permissive").combine_chunks()
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            reason = str(error).splitlines()[0]
            hint = "repair them one by one, or give files of one format"
            raise InputRefused(f"the files cannot become one table ({reason})", where=tables.name, hint=hint) from None

    def _source(self, tables: Tables, place: int) -> pa.Table:
        opened, source = tables.opened[place], tables.sources[place]
        texts: dict[str, Kind] = dict.fromkeys(opened.kinds, "text")
        if self.text or source.format not in CELLS:
            return _plain_texts(opened.read(texts))
        columns = self.seen.columns
        text = {*columns.times, *columns.ids}
        bad = {fault.column for fault in self.seen.faults if fault.id == reading.BAD_NUMBER and fault.column}
        numbers = {n for n, kind in opened.kinds.items() if kind in NUMERIC} - text - bad
        try:
            table = opened.read(texts | dict.fromkeys(numbers, "number"))
        except InputRefused:  # a column without a role holds more than its first rows show
            numbers &= {*columns.target_columns, *columns.past, *columns.future, *columns.static}
            table = opened.read(texts | dict.fromkeys(numbers, "number"))
        for name in bad & set(table.column_names):
            table = table.set_column(table.column_names.index(name), name, _numbers(table.column(name), name, opened))
        return _plain_texts(table)

    def _column(self, table: pa.Table, name: str, take: Ints, like: Ints, times: Ints) -> pa.Array:
        columns, column = self.seen.columns, table.column(name).combine_chunks()
        if name == columns.time:
            return self._times(column, take, times)
        if name == columns.clock:
            return self._clocks(column, take, times)
        if name in columns.ids or name in columns.static:
            return column.take(_index(like))
        return column.take(_index(np.where(self._senseless(name)[take], -1, take)))

    def _senseless(self, name: str) -> Bools:
        """The table rows in which this column is infinite, or holds a text that is no number."""
        seen, found = self.seen, np.zeros(self.seen.rows.tables.rows + 1, np.bool_)
        rows = seen.rows
        for fault in seen.faults:
            if fault.id == reading.BAD_NUMBER and fault.column == name:
                found[:-1] |= fault.rows
        if not seen.wild.any():
            return found
        if seen.columns.wide:
            here = np.array([series == name for series in rows.ids])[rows.codes]
            found[self._places[here]] |= seen.wild[here, 0]
        elif name in seen.columns.targets:
            here = rows.stacked_places % rows.per_row == seen.columns.targets.index(name)
            found[self._places[here]] |= seen.wild[here, 0]
        elif name in rows.channel_names:
            found[self._places] |= seen.wild[:, rows.channel_names.index(name)]
        return found

    def _times(self, column: pa.Array, take: Ints, times: Ints) -> pa.Array:
        """Times as they came, and those of added rows in the same style."""
        added = np.flatnonzero(take < 0)
        kept = np.arange(len(take))
        kept[added] = len(column) + np.arange(len(added))
        kept[take >= 0] = take[take >= 0]
        if self._retyped(column):
            return typed_times(*self._moments(times))
        if self.text and not _is_text(column):
            return written_times(*self._moments(times))
        fresh = self._in_type(column, times[added])
        return pa.concat_arrays([column, fresh]).take(_index(kept)) if len(added) else column.take(_index(kept))

    def _clocks(self, column: pa.Array, take: Ints, times: Ints) -> pa.Array:
        """Times of day as they came, and those of added rows in the same style."""
        added = take < 0
        if not added.any():
            return column.take(_index(take))
        moments, columns, calendar = self._moments(times[added])
        texts = clock_texts(moments, columns, calendar)
        fresh = text_array(texts, np.arange(len(texts)))
        fresh = fresh if fresh.type == column.type else fresh.cast(column.type)
        place = take.copy()
        place[added] = len(column) + np.arange(len(texts))
        return pa.concat_arrays([column, fresh]).take(_index(place))

    def _retyped(self, column: pa.Array) -> bool:
        """Whether texts become timestamps."""
        return not self.text and _is_text(column) and "string" not in self.seen.columns.time_arrow

    def _in_type(self, column: pa.Array, times: Ints) -> pa.Array:
        if _is_text(column):
            texts = written_times(*self._moments(times))
            return texts if texts.type == column.type else texts.cast(column.type)
        made = typed_times(*self._moments(times))
        return made if made.type == column.type else made.cast(column.type)

    def _moments(self, times: Ints) -> tuple[Ints, Columns, Calendar]:
        """Times, and how to write them: without a zone, as the clock on the wall shows them."""
        seen = self.seen
        if seen.whole:
            return times, seen.columns, Calendar(_DAYLESS)
        if not seen.columns.time_zoned:
            return to_wall(times, seen.zone), seen.columns, Calendar(Frequency("day"))
        return times, seen.columns, Calendar(Frequency("day"), zone=seen.zone)

    def _plain(self, table: pa.Table) -> frozenset[str]:
        """Columns without text that a spreadsheet could run."""
        columns, kinds = self.seen.columns, self.seen.rows.tables.kinds()
        texts = vocabularies(self.seen.rows.channels)
        return frozenset(
            name
            for name in table.column_names
            if name not in columns.ids and name not in texts and kinds.get(name) != "text"
        )


def _order_actions(back: bool, equal: int, different: int) -> list[Action]:  # noqa: FBT001  # what the rows are
    return [
        Action("unsorted", int(back), "table was sorted, series by series and by time"),
        Action("duplicate-equal", equal, "rows that repeat another in full were left out"),
        Action("duplicate-conflicting", different, "rows that a later one of the same time contradicts were left out"),
    ]


def _index(rows: Ints) -> pa.Array:
    """Rows to take, none where negative; from buffers, for pa.array would import pandas."""
    valid = np.packbits(rows >= 0, bitorder="little").tobytes()
    return pa.Array.from_buffers(
        pa.int64(), len(rows), [pa.py_buffer(valid), pa.py_buffer(np.ascontiguousarray(rows, np.int64))]
    )


def _numbers(column: pa.ChunkedArray, name: str, opened: Opened) -> pa.ChunkedArray:
    """Texts as numbers; missing where they are none."""
    assert opened.number is not None
    codes, texts = arrow.codes(column)
    found = [opened.number(name, text) for text in texts]
    values = np.array([np.nan if isinstance(value, InputRefused) else value for value in found] + [np.nan])[codes]
    return pa.chunked_array([arrow.array(values).take(_index(np.where(np.isnan(values), -1, np.arange(len(values)))))])


def _is_text(column: pa.Array) -> bool:
    return kind_of(column.type) == "text"


def _plain_texts(table: pa.Table) -> pa.Table:
    """The table with texts in place of dictionaries of them."""
    fields = [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(fields))
