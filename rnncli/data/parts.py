"""Large tables in parts of some rows, with whole series in each, so that never all rows are in memory as a table.

Series must stand one after the other, in whatever order; where one turns up again the table cannot be parted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from rnncli.data import columns as roles
from rnncli.data.alike import alike, alike_batches
from rnncli.data.channel import Channel
from rnncli.data.gathered import gathered
from rnncli.data.known import Known
from rnncli.data.limits import VALUE, Size, limits_of
from rnncli.data.readers.table import Kind, Opened
from rnncli.data.rows import Rows, rows_of
from rnncli.data.source import Source
from rnncli.data.tables import Faults, Tables
from rnncli.data.whole_series import whole_series
from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices, Columns

FROM = 1 << 20  # rows; fewer are read as one
PART = 1 << 18  # rows at most, but of one series that has more


class SeriesApart(Exception):  # it is no error of the data
    """A series goes on after others: its rows are not together."""


@dataclass(frozen=True)
class Parts:
    """The rows of tables in parts. `rows` are so many at most, all in all; `at_once` is their size as they are read."""

    tables: Tables
    choices: ColumnChoices
    columns: Columns
    channels: tuple[Channel, ...] | None
    zone: str | None
    notes: tuple[str, ...]
    rows: int
    channel_count: int
    at_once: Size
    folder: str | None = None

    @property
    def bytes(self) -> int:
        """Bytes of times and values, in order."""
        return self.rows * VALUE * (1 + self.channel_count)

    def gathered(self, folder: str) -> Parts:
        """Parts of series whose rows are not together: they are gathered on disk, in this folder."""
        note = f"rows of one series are apart from one another: they were gathered on disk, in {folder}"
        return replace(self, folder=folder, notes=(*self.notes, note))

    def __iter__(self) -> Iterator[Rows]:
        """The rows of some series after the other. SeriesApart where a series turns up again, InputRefused."""
        for number, (rows, _) in enumerate(self.with_faults(tolerant=False)):
            yield rows if number else replace(rows, notes=(*self.notes, *rows.notes))

    def with_faults(self, *, tolerant: bool = True) -> Iterator[tuple[Rows, Faults]]:
        """The rows of some series after the other, and what cannot be used of their tables."""
        seen: set[str] = set()
        for tables in self._tables():
            faults = Faults(tolerant=tolerant)
            rows = rows_of(tables, self.choices, self.columns, self.channels, faults, self.zone)
            here = [rows.ids[code] for code in np.unique(rows.codes).tolist()]
            if not seen.isdisjoint(here):
                raise SeriesApart
            seen.update(here)
            yield rows, faults

    def _tables(self) -> Iterator[Tables]:
        if self.columns.by_file:
            return _groups(self.tables)
        named = roles.renamed(self.columns, self.choices)
        wanted = roles.needed(named)
        if self.folder is None:
            return _whole_series(self.tables, wanted, (*named.times, *named.ids), named.ids)
        found = gathered(self.tables, wanted, named.times, named.ids, self.folder, PART)
        source, opened = self.tables.sources[0], self.tables.opened[0]
        return (Tables([source], [_of_table(opened, table)]) for table in found if table.num_rows)


def parts_of(tables: Tables, choices: ColumnChoices, known: Known | None) -> Parts | None:
    """The parts in which tables can be read; None where they are better read as one. InputRefused if there are more
    rows than are allowed.
    """
    if any(opened.batches is None for opened in tables.opened) or choices.wide:
        return None
    limits, choices = limits_of(choices), roles.resolved(tables.kinds(), choices)
    count = sum(opened.size((), limits).rows for opened in tables.opened)
    if count < FROM:
        return None
    zone = known.calendar.zone if known else None
    try:
        columns, channels, notes = _as_known(tables, choices, known)
    except InputRefused:
        return None  # what is wrong is said of all rows
    named = roles.renamed(columns, choices)
    whole = columns.wide or not (columns.ids or columns.by_file)
    if whole or any(channel.kind == "category" for channel in channels) or not alike(tables, named):
        return None
    sizes = [opened.size(roles.needed(named), limits) for opened in tables.opened]
    limits.check([replace(size, memory=0) for size in sizes], [source.name for source in tables.sources], tables.name)
    targets = len(columns.target_columns)
    told = channels if known else None
    at_once = sum(sizes, Size(0, 0, 0))
    return Parts(tables, choices, columns, told, zone, notes, count * targets, len(channels), at_once)


def _as_known(
    tables: Tables, choices: ColumnChoices, known: Known | None
) -> tuple[Columns, tuple[Channel, ...], tuple[str, ...]]:
    """Columns and channels as the first rows show them, or those of a model; and what was noticed."""
    if known is not None:
        return known.columns, known.channels, ()
    first = [_first(source, opened) for source, opened in zip(tables.sources[:2], tables.opened[:2], strict=True)]
    rows = rows_of(Tables(*zip(*first, strict=True)), choices, None, None, Faults())
    return rows.columns, rows.channels, rows.notes


def _first(source: Source, opened: Opened) -> tuple[Source, Opened]:
    def read(wanted: Mapping[str, Kind]) -> pa.Table:
        assert opened.batches is not None
        found = next(opened.batches(wanted, PART), None)
        return opened.read(wanted) if found is None else found[1]

    small = replace(opened, read=read, size=lambda *_: Size(0, 0, 0), place=None, pieces=None, batches=None)
    return source, small


def _of_table(opened: Opened, table: pa.Table) -> Opened:
    """Some rows of what was opened: as many as a part has are what work needs, and no data that are kept."""
    large = VALUE if table.num_rows > PART else 0
    return replace(
        opened,
        read=lambda wanted: table.select(list(wanted)),
        size=lambda columns, _: Size(table.num_rows, 0, table.num_rows * large * len(columns)),
        place=None,
        pieces=None,
        batches=None,
    )


def _groups(tables: Tables) -> Iterator[Tables]:
    """Whole files, as many at a time as have enough rows."""
    tables.refuse_same_names()
    first = rows = 0
    for place, opened in enumerate(tables.opened):
        rows += opened.size((), limits_of(ColumnChoices())).rows
        if rows >= PART or place + 1 == len(tables.opened):
            some = slice(first, place + 1)
            yield Tables(tables.sources[some], tables.opened[some])
            first, rows = place + 1, 0


def _whole_series(tables: Tables, wanted: Sequence[str], keys: Sequence[str], ids: Sequence[str]) -> Iterator[Tables]:
    """The wanted columns of some series after the other, by the files that their rows are in."""
    files: list[tuple[Source, Opened, int]] = []  # the rows that are still to come of each

    def read() -> Iterator[pa.Table]:
        for source, opened, name, table in alike_batches(tables, wanted, keys, PART):
            rows = files.pop()[2] if files and files[-1][0].name == name else 0
            files.append((replace(source, name=name), opened, rows + table.num_rows))
            yield table

    for whole in whole_series(read(), ids, PART):
        part, begin = list[tuple[Source, Opened]](), 0
        while begin < whole.num_rows:
            source, opened, rows = files.pop(0)
            here = min(rows, whole.num_rows - begin)
            if here:
                part.append((source, _of_table(opened, whole.slice(begin, here))))
            begin += here
            if here < rows:
                files.insert(0, (source, opened, rows - here))
        yield Tables(*zip(*part, strict=True))
