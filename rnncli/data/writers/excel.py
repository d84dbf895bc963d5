"""Tables as a workbook, .xlsx, with dates and numbers in their cells, by XlsxWriter."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from rnncli.data import arrow
from rnncli.data.writers.results import USUAL, Results, Style, rounded
from rnncli.errors import InputRefused, MissingDependency

SHEET = "rnncli"
ROWS = 1_048_576  # that a sheet has at most
_MADE = datetime(2000, 1, 1, tzinfo=UTC)  # the same for all, so that the same table gives the same bytes
_FIRST, _END = -2_203_891_200_000_000, 253_402_300_800_000_000  # in microseconds: before March 1900, spreadsheets
# count a day that there was not, and after 9999 none
_DATE, _TIME = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
_PARQUET = "name a file that ends in .parquet"
_WIDTH = 19  # letters of a column with times


def encode(results: Results, style: Style) -> Iterator[bytes]:
    """The workbook: nothing in it is a formula, whatever a text begins with. InputRefused if a sheet has not so many
    rows, MissingDependency where XlsxWriter is not installed.
    """
    file = io.BytesIO()
    options = {"in_memory": True, "constant_memory": False, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = xlsxwriter().Workbook(file, options | {"nan_inf_to_errors": False})
    workbook.set_properties({"created": _MADE})
    page = _Page(workbook)
    for typed, texts in zip(results.typed(), results.texts(str), strict=True):
        page.add(rounded(typed, style.digits or USUAL), texts)
    workbook.close()
    yield file.getvalue()


def xlsxwriter() -> Any:
    """The module that writes workbooks. MissingDependency where it is not installed."""
    try:
        import xlsxwriter as module
    except ImportError as error:
        raise MissingDependency("writing workbooks needs XlsxWriter", hint="pip install 'rnncli[excel]'") from error
    return module


class _Page:
    """The one sheet of a workbook, filled part by part."""

    def __init__(self, workbook: Any) -> None:
        self._sheet = workbook.add_worksheet(SHEET)
        self._bold = workbook.add_format({"bold": True})
        self._styles = {name: workbook.add_format({"num_format": name}) for name in (_DATE, _TIME)}
        self._row = 0

    def add(self, typed: pa.Table, texts: pa.Table) -> None:
        """Rows below those that are there; columns that no cell can hold are written as their texts."""
        if not self._row:
            self._begin(typed.column_names)
        if self._row + typed.num_rows > ROWS:
            raise InputRefused(f"a sheet has {ROWS:,} rows at most, and this takes more", hint=_PARQUET)
        for place, name in enumerate(typed.column_names):
            column = typed.column(place)
            if _has_time(column.type):
                self._sheet.set_column(place, place, _WIDTH)
            fit = _fits(column)
            style = self._styles[_DATE if pa.types.is_date(column.type) else _TIME] if fit else None
            shown = _without_pandas(column if fit else texts.column(name), fit=fit)
            for row, value in enumerate(shown.to_pylist(), self._row):
                self._cell(row, place, value, style)
        self._row += typed.num_rows

    def _begin(self, names: list[str]) -> None:
        for place, name in enumerate(names):
            self._sheet.write_string(0, place, name, self._bold)
        self._sheet.freeze_panes(1, 0)
        self._row = 1

    def _cell(self, row: int, place: int, value: Any, style: Any) -> None:
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return
        if isinstance(value, bool):
            failed = self._sheet.write_boolean(row, place, value)
        elif isinstance(value, (int, float)):
            failed = self._sheet.write_number(row, place, value)
        elif isinstance(value, date) and style is not None:
            failed = self._sheet.write_datetime(row, place, value, style)
        else:
            failed = self._sheet.write_string(row, place, str(value))
        if failed:
            raise InputRefused(f"a sheet cannot hold row {row:,} of column {place + 1:,}", hint=_PARQUET)


def _has_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _without_pandas(column: pa.ChunkedArray, *, fit: bool) -> pa.ChunkedArray:
    """The column with times in microseconds, or, where cells cannot hold them, as texts: nanoseconds import pandas."""
    if not pa.types.is_timestamp(column.type):
        return column
    return column.cast(pa.timestamp("us") if fit else pa.string())


def _fits(column: pa.ChunkedArray) -> bool:
    """Whether cells can hold a column as it is: no zone, no list, no time before 1900, after 9999 or finer than a
    millisecond.
    """
    kind = column.type
    if not _has_time(kind):
        return not pa.types.is_nested(kind) and not pa.types.is_binary(kind)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return False
    try:
        found = arrow.microseconds(column)[arrow.observed(column)]
    except OverflowError:
        return False
    return not found.size or bool(found.min() >= _FIRST and found.max() < _END and not (found % 1_000).any())
