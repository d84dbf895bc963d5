"""What is said of documents, as a table or as text, in every form that an answer can be written in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from rnncli.arrays import Ints
from rnncli.data.arrow import is_list
from rnncli.data.ids import parts_of
from rnncli.data.load import Loaded
from rnncli.data.writers.results import Results, Style, Write, with_texts
from rnncli.data.writers.table import text_array
from rnncli.errors import InputRefused, SeriesRefused
from rnncli.outline import Outline, shown
from rnncli.spec import Columns
from rnncli.tasks.answer import Writable, refuse_shapes

SCHEMA = "rnncli.predict/1"
OUTLINED, NOTES = 5, 3  # rows and notes
AT_ONCE = 1 << 18  # rows
OWN = ("position", "rank", "tokens", "steps", "log_p", "p", "perplexity", "cross_entropy")  # columns of numbers


def ids_of(
    loaded: Loaded, columns: Columns, document: Ints, others: Sequence[str] = (*OWN, "token")
) -> dict[str, pa.Array]:
    """The columns that say which document each row is about, none where there is one without a name. InputRefused for
    one that is called like one of the `others`.
    """
    panel = loaded.panel
    names = columns.ids or ((columns.id_name,) if len(panel) > 1 or columns.by_file else ())
    for name in names:
        if name in others:
            raise InputRefused(f"the table would have two columns called {name!r}", hint="rename it in the data")
    parts = [parts_of(name, max(1, len(columns.ids))) for name in panel.ids]
    return {name: text_array([part[place] for part in parts], document) for place, name in enumerate(names)}


@shown
@dataclass(frozen=True)
class DocumentTable(Writable):
    """Rows about documents, of which the first `ids` columns say which: the likeliest `next` tokens, a `score`, or
    `sets`; `task` is the model's. Rows begin ... end - 1 are made by `made(begin, end)`: all at once, those of a long
    text would be larger than it. What stands in a text `between` the items of a list is said for CSV, which has none.
    Where there are times, `written` makes the rows with these in the style of the data.
    """

    made: Callable[[int, int], pa.Table]
    rows: int
    ids: int
    what: str
    series: int
    notes: tuple[str, ...] = ()
    skipped: tuple[SeriesRefused, ...] = ()
    task: str = "tokens"
    between: str = ","
    written: Callable[[int, int], pa.Table] | None = None

    @property
    def _texts(self) -> Callable[[int, int], pa.Table]:
        return self.made if self.written is None else self.written

    @property
    def table(self) -> pa.Table:
        """All rows."""
        return self.made(0, self.rows)

    def parts(self, made: Callable[[int, int], pa.Table] | None = None) -> Iterator[pa.Table]:
        """The rows in order, some at a time, as `made` makes them; one part where there are none."""
        for begin in range(0, max(self.rows, 1), AT_ONCE):
            yield (made or self.made)(begin, min(begin + AT_ONCE, self.rows))

    def results(self, style: Style) -> Results:
        """The table as writers take it. UsageError for a shape that only forecasts have."""
        refuse_shapes(style, self.task)
        names = self.made(0, 0).column_names
        plain = {*OWN, *(names[self.ids :] if self.written is not None else ())} - {"token"}
        worded = [name for name in names if name not in plain]

        def texts(write: Write) -> Iterator[pa.Table]:
            return (with_texts(_flat(part, self.between), worded, write) for part in self.parts(self._texts))

        return Results(self.parts, texts, worded, long=True, lists=lambda: self.parts(self._texts))

    def to_arrow(self) -> pa.Table:
        """The rows as a pyarrow table."""
        return self.table

    def to_pandas(self) -> Any:
        """The rows as a DataFrame; needs pandas."""
        return self.table.to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any library that speaks Arrow: pandas, polars, DuckDB."""
        return self.table.__arrow_c_stream__(requested_schema)

    def outline(self) -> Outline:
        """What is said, and the first rows."""
        top = self._texts(0, min(OUTLINED, self.rows))
        rows = list(zip(*(column.to_pylist() for column in top.columns), strict=True))
        skipped = f", {len(self.skipped):,} more are skipped" if self.skipped else ""
        facts = [("documents", f"{self.series:,}{skipped}"), *(("note", note) for note in self.notes[:NOTES])]
        cells = [[f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
        more = f"... {self.rows - OUTLINED:,} more rows" if self.rows > OUTLINED else ""
        return Outline(self.task.capitalize(), facts, top.column_names, cells, more)

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        return {
            "schema": SCHEMA,
            "task": self.task,
            "answer": self.what,
            "series": self._texts(0, self.rows).to_pylist(),
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
            "notes": list(self.notes),
        }


def _flat(table: pa.Table, between: str) -> pa.Table:
    """The table with lists as texts."""
    for place, column in enumerate(table.columns):
        if is_list(column):
            texts = [between.join(map(str, items)) for items in column.to_pylist()]
            table = table.set_column(place, table.column_names[place], text_array(texts, np.arange(len(texts))))
    return table
