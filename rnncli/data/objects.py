"""Tables that come as objects: whatever speaks Arrow, or one error that says what to give instead."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from rnncli.errors import InputRefused, UsageError
from rnncli.outline import article


class ArrowTable(Protocol):
    """A table of any library that speaks Arrow: pandas, polars, pyarrow, DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule that holds the rows."""


Item = str | os.PathLike[str] | ArrowTable
Data = Item | Sequence[Item]
"""What data can be given as: paths, folders, globs, "-" for standard input, or tables; one of them, or several."""
NAME = "the table"
_COLUMN = re.compile(r"Conversion failed for column (.+) with type (\S+)")
_INDEX = re.compile(r"__index_level_\d+__")  # what pandas calls an index that has no name
_UNREADABLE = (pa.ArrowException, ValueError, TypeError, AttributeError, OverflowError)
_WITH_TIMES = "numbers need their times beside them: pandas.DataFrame({'ds': times, 'y': values}), or pyarrow.table"
_PERIODS = "write periods as times: frame['ds'].dt.to_timestamp(), or frame.to_timestamp() where they are the index"
_KINDS = "give a path, or a table with the Arrow stream interface (pandas, polars, pyarrow)"


def is_table(given: Any) -> bool:
    """Whether it is a table, or a column, of any library that speaks Arrow."""
    return hasattr(given, "__arrow_c_stream__")


def table_of(given: Any) -> pa.Table:
    """The table. UsageError if it is a single column, InputRefused if Arrow cannot take what it holds."""
    if len(getattr(given, "shape", (0, 0))) == 1 or isinstance(given, pa.ChunkedArray):
        raise refusal(given)
    try:
        table = pa.table(given)
    except _UNREADABLE as error:
        raise _unreadable(given, error) from error
    if not table.num_columns:
        raise InputRefused("the table has no columns", where=NAME, hint="give rows with times and values")
    _refuse_periods(table)
    return table


def refusal(given: Any) -> UsageError:
    """The error about what is no table, and no path of one."""
    return UsageError(f"data cannot be {_called(given)}", hint=_instead_of(given))


def _called(given: Any) -> str:
    return "None" if given is None else article(type(given).__name__)


def _instead_of(given: Any) -> str:
    """What to give in its place."""
    if hasattr(given, "read"):
        return "give the path of the file, not the open file; - is standard input"
    if isinstance(given, Mapping):
        return "pyarrow.table(data) or pandas.DataFrame(data) makes a table of it"
    if hasattr(given, "reset_index"):
        return f"give {'series.to_timestamp()' if _of_periods(given) else 'series'}.reset_index(), which has times too"
    if isinstance(given, (int, float)) or hasattr(given, "dtype"):
        return _WITH_TIMES
    return _KINDS


def _of_periods(series: Any) -> bool:
    return str(getattr(getattr(series, "index", None), "dtype", "")).startswith("period")


def _unreadable(given: Any, error: Exception) -> InputRefused:
    """What keeps a table from being read, by its column if that is known."""
    twice = _twice(getattr(given, "columns", ()))
    if twice is not None:
        return InputRefused(f"two columns are called {twice!r}", where=NAME, hint="rename one of them, or leave it out")
    message = " ".join(map(str, error.args))
    found = _COLUMN.search(message)
    if found is None:
        return InputRefused(f"it cannot be read: {message.splitlines()[0][:200]}", where=NAME, hint=_KINDS)
    says = f"column {found[1]!r} holds values of several kinds, or of one that is no number, time or text"
    convert = f"convert it: frame[{found[1]!r}].astype(float), or .astype(str)"
    return InputRefused(says, where=NAME, hint=f"{convert}; or leave the column out")


def _twice(names: Any) -> str | None:
    """The first column name that comes twice, as text."""
    texts = [str(name) for name in names] if isinstance(names, Sequence) or hasattr(names, "tolist") else []
    return next((name for name in texts if texts.count(name) > 1), None)


def _refuse_periods(table: pa.Table) -> None:
    for field in table.schema:
        if getattr(field.type, "extension_name", "") == "pandas.period":
            what = "the index" if _INDEX.fullmatch(field.name) else f"column {field.name!r}"
            raise InputRefused(f"{what} holds periods, not times", where=NAME, hint=_PERIODS)
