"""Sheets of workbooks, .xlsx, .xls and .ods: cells with dates, numbers and texts, by python-calamine.

A sheet is read as a CSV file of its cells would be, so that texts which are numbers or times are found in it as there;
numbers and dates of the sheet are exact, whatever they look like in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from rnncli.data.limits import Limits, Size, limits_of
from rnncli.data.readers import csv as texts
from rnncli.data.readers.sheet_cells import Hidden, column_name, hidden_cells
from rnncli.data.readers.sheet_header import header_of
from rnncli.data.readers.table import Opened
from rnncli.data.source import Source, storage_error
from rnncli.errors import MissingDependency, UsageError
from rnncli.spec import ColumnChoices

CELL, FAR = 64, 1 << 20  # bytes of memory; cells for which nobody asks how much there is
_EXACT = 1e15  # below it a whole number is written without an exponent
_DAY = timedelta(days=1)
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # a part of a container that holds no sheet
_LOCKED = "save it without a password"
_DAMAGED = "open it in a spreadsheet and save it again"


def read(source: Source, choices: ColumnChoices) -> Opened:
    """Open a sheet: that which was said, or the only one. InputRefused if there is none, or it is no table."""
    limits = limits_of(choices)
    with _workbook(source, limits) as (workbook, hidden):
        name = _chosen(source, workbook, choices.sheet, hidden)
        where = source if len(workbook.sheet_names) == 1 else replace(source, name=f"{source.name}, sheet {name!r}")
        place = workbook.sheet_names.index(name)
        _refuse_large(where, hidden.reach(place), limits)
        sheet = workbook.get_sheet_by_name(name)
        rows = sheet.to_python(skip_empty_area=False)
        for (row, column), error in hidden.errors(place, where).items():
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = error
        merged = sheet.merged_cell_ranges or () if source.format != "ods" else ()
    decimal = choices.decimal or ("," if choices.thousands == "." else ".")
    data, exact = _Sheet(where, rows, merged).csv(decimal, strict=choices.strict)
    return texts.read_cells(replace(where, path=None, stream=None, encoding=None, data=data), choices, exact)


def calamine() -> Any:
    """The module that reads workbooks. MissingDependency where it is not installed."""
    try:
        import python_calamine
    except ImportError as error:
        raise MissingDependency("workbooks need python-calamine", hint="pip install 'rnncli[excel]'") from error
    return python_calamine


@contextmanager
def _workbook(source: Source, limits: Limits) -> Iterator[tuple[Any, Hidden]]:
    """The workbook, and what is in it that calamine does not tell. InputRefused if it is damaged or locked."""
    module = calamine()
    try:
        with source.open() as stream:
            data = stream.read(limits.most_bytes + 1)
    except OSError as error:
        raise storage_error(source, error) from error
    limits.check([Size(0, len(data), len(data))], [source.name], source.name)
    if not data:
        raise source.refused("the file is empty", hint="a workbook has a sheet with a header and rows")
    if _ENCRYPTED in data:
        raise source.refused("the workbook is protected by a password", hint=_LOCKED)
    try:
        hidden = hidden_cells(source, data, limits)
        with module.load_workbook(io.BytesIO(data)) as found:
            yield found, hidden
    except module.PasswordError:
        raise source.refused("the workbook is protected by a password", hint=_LOCKED) from None
    except module.CalamineError as error:
        reason = str(error).splitlines()[0] if str(error) else "it cannot be read"
        raise source.refused(f"this is not a sound workbook ({reason})", hint=_DAMAGED) from error


def _chosen(source: Source, workbook: Any, said: str | None, hidden: Hidden) -> str:
    """The sheet that was said, by its name or number, or else the only one that holds something."""
    names: list[str] = workbook.sheet_names
    if said is not None:
        if said in names:
            return said
        if said.isdecimal() and 1 <= int(said) <= len(names):
            return names[int(said) - 1]
        raise UsageError(f"there is no sheet {said!r}", where=source.name, hint=f"it has {_listed(names)}")
    shown = [sheet.name for sheet in workbook.sheets_metadata if "Visible" in repr(sheet.visible)] or names
    filled = [name for name in shown if _holds_something(workbook, name, hidden)]
    if not filled:
        raise source.refused("the workbook is empty", hint="a sheet has a header and rows")
    if len(filled) > 1:
        raise source.refused("several sheets hold something", hint=f"say which: --sheet NAME; it has {_listed(filled)}")
    return filled[0]


def _holds_something(workbook: Any, name: str, hidden: Hidden) -> bool:
    """Whether a sheet has a cell with something in it; one that may be too large is not looked at for that."""
    return any(hidden.reach(workbook.sheet_names.index(name))) or workbook.get_sheet_by_name(name).start is not None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _refuse_large(source: Source, reach: tuple[int, int], limits: Limits) -> None:
    """InputRefused for a sheet whose last cell is so far away that all before it do not fit into memory."""
    rows, columns = reach
    if rows * columns > FAR and not limits.allow(Size(rows, 0, rows * columns * CELL)):
        last = f"{column_name(columns - 1)}{rows}"
        raise source.refused(
            f"the sheet reaches to cell {last}, and there is no room for {rows * columns:,} cells",
            hint="delete what lies far away from the table; or save a large table as CSV",
        )


@dataclass(frozen=True)
class _Sheet:
    """The cells of a sheet, row by row from its very first; `merged` are the corners of cells that are one."""

    source: Source
    rows: list[list[Any]]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]]

    def csv(self, decimal: str, *, strict: bool) -> tuple[bytes, frozenset[str]]:
        """The table in the sheet as CSV, of which every line is a row of the sheet, with this decimal mark; and the
        columns that have cells with fractions. InputRefused if there is none.
        """
        head, columns = header_of(self.source, self.rows, self.merged, strict=strict)
        clocks = [self._has_clock(head, column) for column in columns]
        file = io.StringIO()
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        file.write("\n" * head)
        names = [" ".join(_text(self.rows[head][column]).split()) for column in columns]
        writer.writerow(names)
        for row in self.rows[head + 1 :]:
            cells = [row[column] for column in columns]
            if any(cell != "" for cell in cells):
                writer.writerow([_text(cell, decimal, clock=clock) for cell, clock in zip(cells, clocks, strict=True)])
            else:
                file.write("\n")
        exact = frozenset(name for name, column in zip(names, columns, strict=True) if self._has_fraction(head, column))
        return file.getvalue().encode("utf-8", "surrogatepass"), exact

    def _has_fraction(self, head: int, column: int) -> bool:
        """Whether a cell of a column is a number that is not whole."""
        cells = (row[column] for row in self.rows[head + 1 :])
        return any(isinstance(cell, float) and not cell.is_integer() for cell in cells)

    def _has_clock(self, head: int, column: int) -> bool:
        """Whether a column has times of day beside its dates: a midnight among them comes as a date."""
        return any(isinstance(row[column], datetime) for row in self.rows[head + 1 :])


def _text(cell: Any, decimal: str | None = None, *, clock: bool = False) -> str:
    """A cell as CSV has it; a date where others have a time of day, `clock`, is a midnight."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, (int, float)):
        text = str(int(cell)) if float(cell).is_integer() and abs(cell) < _EXACT else repr(cell)
        return text.replace(".", decimal) if decimal else text
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date):
        return f"{cell.isoformat()} 00:00:00" if clock else cell.isoformat()
    if isinstance(cell, timedelta) and timedelta(0) <= cell < _DAY:
        return str(cell).rjust(8, "0")
    return str(cell)
