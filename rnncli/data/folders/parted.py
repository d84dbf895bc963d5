"""Several files that are one table, each with columns of its own that have one value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa

from rnncli.data.limits import Limits, Size
from rnncli.data.readers.looks import Shown, shown_by_texts
from rnncli.data.readers.table import Kind, Opened
from rnncli.data.source import Source
from rnncli.data.tables import Tables, open_tables
from rnncli.data.writers.table import number_array, text_array
from rnncli.spec import ColumnChoices

CODE = 4  # bytes in memory of a cell that is the same in all rows


@dataclass(frozen=True)
class Part:
    """A file, and the columns that it has beside its own, each with the one value (None: missing) of its rows."""

    source: Source
    constants: Mapping[str, str | None]


def read(parts: Sequence[Part], whole: Source, choices: ColumnChoices) -> Opened:
    """Open files that are one table, in their order.

    Columns that a file has not itself are texts, as they are written; they are the time only if no column in the files
    is. InputRefused where a file has other columns than the others.
    """
    tables = open_tables([part.source for part in parts], choices)
    kinds = tables.kinds()
    names = [name for name in dict.fromkeys(chain.from_iterable(part.constants for part in parts)) if name not in kinds]
    shown = {name: _shown(name, parts, choices) for name in names} if "time" not in kinds.values() else {}
    sizes = _Sizes(tables, names)
    together = _Together(parts, tables, names, whole)
    return Opened(
        kinds | {name: shown[name].kind or "text" if name in shown else "text" for name in names},
        together.read,
        lambda _: 0,
        sizes,
        tables.looks() | {name: what.look for name, what in shown.items() if what.look},
        tables.styles() | {name: what.style for name, what in shown.items() if what.style},
        tables.opened[0].number,
        {name: mark for opened in tables.opened for name, mark in opened.marks.items()},
        place=together.where,
        batches=None if any(opened.batches is None for opened in tables.opened) else together.batches,
        types=_types(tables) | {name: pa.dictionary(pa.int32(), pa.string()) for name in names},
    )


def _types(tables: Tables) -> dict[str, pa.DataType]:
    """The types of columns that all files have alike; of numbers those of the first, for they are read alike."""
    first = tables.opened[0].types
    return {
        name: kind for name, kind in first.items() if all(opened.types.get(name) == kind for opened in tables.opened)
    }


def _shown(name: str, parts: Sequence[Part], choices: ColumnChoices) -> Shown:
    values = dict.fromkeys(part.constants.get(name) or "" for part in parts)
    return shown_by_texts(name, list(values), choices.time_format)


@dataclass(frozen=True)
class _Sizes:
    """The size of some columns of all files."""

    tables: Tables
    names: Collection[str]

    def __call__(self, columns: Collection[str], limits: Limits) -> Size:
        own = [name for name in columns if name not in self.names]
        total = Size(0, 0, 0)
        for opened in self.tables.opened:
            total += opened.size(own, limits)
            if not limits.allow(total):
                break
        return total + Size(0, 0, CODE * total.rows * (len(columns) - len(own)))


class _Together:
    """The rows of all files, one after the other, and the way back to the file of a row."""

    def __init__(self, parts: Sequence[Part], tables: Tables, names: Collection[str], whole: Source) -> None:
        self._parts, self._tables, self._names, self._whole = parts, tables, names, whole
        self._counts: list[int] = []

    def read(self, wanted: Mapping[str, Kind]) -> pa.Table:
        """The wanted columns."""
        own = {name: kind for name, kind in wanted.items() if name not in self._names}
        tables = self._tables.loaded(own, Limits()).read if own else []
        self._counts = [table.num_rows for table in tables] or self._rows()
        found = [
            self._with(table, part, wanted, count)
            for table, part, count in zip(tables or [None] * len(self._parts), self._parts, self._counts, strict=True)
        ]
        try:
            return pa.concat_tables(found, promote_options="permissive").select(list(wanted))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            reason = str(error).splitlines()[0]
            raise self._whole.refused(f"files have columns of different types: {reason}") from None

    def batches(self, wanted: Mapping[str, Kind], rows: int) -> Iterator[tuple[str, pa.Table]]:
        """The wanted columns, so many rows at a time, and the file of each."""
        own = {name: kind for name, kind in wanted.items() if name not in self._names}
        self._tables.refuse_lacking(own)
        for part, opened in zip(self._parts, self._tables.opened, strict=True):
            assert opened.batches is not None
            for name, table in opened.batches(own or {next(iter(opened.kinds)): "text"}, rows):
                found = self._with(table if own else None, part, wanted, table.num_rows)
                yield name, found.select(list(wanted))

    def where(self, row: int) -> str:
        """The place of a row in its file."""
        for part, opened, count in zip(self._parts, self._tables.opened, self._counts, strict=True):
            if row < count:
                line = opened.line_of(row)
                return f"{part.source.name}:{line}" if line else part.source.name
            row -= count
        return self._whole.name

    def _rows(self) -> list[int]:
        """The rows of each file, where none of its own columns is wanted."""
        return [opened.read({next(iter(opened.kinds)): "text"}).num_rows for opened in self._tables.opened]

    def _with(self, table: pa.Table | None, part: Part, wanted: Mapping[str, Kind], rows: int) -> pa.Table:
        names = [name for name in self._names if name in wanted]
        made = [_constant(part.constants.get(name), rows) for name in names]
        if table is None:
            return pa.table(made, names)
        for name, column in zip(names, made, strict=True):
            table = table.append_column(name, column)
        return table


def _constant(value: str | None, rows: int) -> pa.Array:
    """A column of one text; null where there is none."""
    codes = number_array(np.zeros(rows, np.int32), pa.int32())
    if value is None:
        codes = pa.nulls(rows, pa.int32())
    return pa.DictionaryArray.from_arrays(codes, text_array([value or ""], np.zeros(1, np.int64)))
