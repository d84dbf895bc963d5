"""The header of a sheet: the first row that names every column of the table below it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any

from rnncli.data.readers.sheet_cells import column_name
from rnncli.data.source import Source
from rnncli.errors import InputRefused

LOOKED_AT = 50  # rows
_WRITE = "write a name above each column, in one row"
Merged = Sequence[tuple[tuple[int, int], tuple[int, int]]]


def header_of(source: Source, rows: list[list[Any]], merged: Merged, *, strict: bool = False) -> tuple[int, list[int]]:
    """The row of the header, and the columns of the table: those that have a name or a value. InputRefused if no row is
    one, or, `strict`, another than the first that holds something.
    """
    filled = [place for place, row in enumerate(rows) if any(cell != "" for cell in row)]
    if len(filled) < 2:
        raise source.refused("the sheet holds no table", hint="a sheet has a header and rows")
    last = _last(rows)
    for place in filled[:-1][:LOOKED_AT]:
        columns = [column for column, row in enumerate(last) if row >= place]
        if _names(rows[place], columns, indexed=place == filled[0]):
            if strict and place != filled[0]:
                raise source.refused(
                    "the header is not in the first row", line=place + 1, hint="take away what is above it"
                )
            return place, columns
    raise _no_header(source, rows, filled[0], merged)


def _last(rows: list[list[Any]]) -> list[int]:
    """The last row in which each column has something, -1 where none has."""
    last = [-1] * len(rows[0])
    for place, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell != "":
                last[column] = place
    return last


def _names(row: list[Any], columns: list[int], *, indexed: bool) -> bool:
    """Whether a row names every column, but perhaps the first one, if rows may be `indexed`, and has no values."""
    cells = [row[column] for column in columns]
    named = all(cell != "" for cell in cells[indexed:]) and any(
        isinstance(cell, str) and cell.strip() for cell in cells
    )
    return named and not _has_values(cells)


def _has_values(row: list[Any]) -> bool:
    """Whether a row has what no name is."""
    return any(isinstance(cell, (bool, date, time, timedelta)) for cell in row)


def _no_header(source: Source, rows: list[list[Any]], first: int, merged: Merged) -> InputRefused:
    """The error about a sheet that has no header, with what stands in the way of one."""
    across = [(start, end) for start, end in merged if start[0] < first + LOOKED_AT and end != start]
    if across:
        start, end = across[0]
        cells = f"{column_name(start[1])}{start[0] + 1}:{column_name(end[1])}{end[0] + 1}"
        return source.refused(f"the header has merged cells ({cells})", line=start[0] + 1, hint=_WRITE)
    columns = [column for column, row in enumerate(_last(rows)) if row >= first]
    some = range(first, min(first + LOOKED_AT, len(rows)))
    fullest = max(some, key=lambda row: (not _has_values(rows[row]), _filled(rows[row], columns)))
    lacking = [column for column in columns[1:] if rows[fullest][column] == ""]
    if lacking:
        says = f"column {column_name(lacking[0])} has values and no name"
        return source.refused(says, line=fullest + 1, hint=_WRITE)
    return source.refused("this is a row, not a header", line=fullest + 1, hint=_WRITE)


def _filled(row: list[Any], columns: list[int]) -> int:
    return sum(row[column] != "" for column in columns)
