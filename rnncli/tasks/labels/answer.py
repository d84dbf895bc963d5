"""Labels as a table: made by a model of its data, and written, printed, or taken as a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from rnncli.arrays import Floats, Ints
from rnncli.data.ids import parts_of
from rnncli.data.labels.known import time_calendar
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.data.writers.results import Results, Style, Write
from rnncli.data.writers.table import number_array, text_array, typed_times, written_times
from rnncli.errors import SeriesRefused, UsageError
from rnncli.events import Listener
from rnncli.options.types import AnswerOptions
from rnncli.outline import Outline, shown
from rnncli.spec import ColumnChoices
from rnncli.tasks.answer import Writable, refuse_shapes
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.labels.named import LABEL, id_names, table_names
from rnncli.tasks.labels.reading import load_known
from rnncli.tasks.labels.stateful import Stream

SCHEMA = "rnncli.predict/1"
SHOWN, OUTLINED, NOTES, CLASSES = 20, 5, 3, 3  # rows printed, and outlined; notes, and classes beside a label


@shown
@dataclass(frozen=True)
class Labels(Writable):
    """What a model says of the sequences of a panel: `said` [o, classes or levels], one row a sequence, or one a step.

    `rows` of the panel are labelled (per step), from `first` [series] on; `times` are those of its rows, if they have
    any.
    """

    model: Labeler
    panel: Panel
    said: Floats
    times: Ints | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[SeriesRefused, ...] = ()

    @property
    def series(self) -> int:
        """The number of sequences that are labelled."""
        return len(self.panel)

    @property
    def rows(self) -> int:
        """The number of rows of the table."""
        return len(self.said)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns. InputRefused if two are called the same."""
        return table_names(self.model.columns, self.model.spec, self.model.classes, len(self.panel))

    @property
    def _ids(self) -> tuple[str, ...]:
        return id_names(self.model.columns, len(self.panel))

    def table(self, *, as_text: bool = False, write: Write = str) -> pa.Table:
        """The rows as a pyarrow table; times `as_text`, and ids and labels as a function writes them."""
        spec, panel = self.model.spec, self.panel
        series = np.repeat(np.arange(len(panel)), panel.lengths) if spec.per_step else np.arange(len(panel))
        ids = [parts_of(name, max(1, len(self.model.columns.ids))) for name in panel.ids]
        told = [text_array([write(parts[place]) for parts in ids], series) for place in range(len(self._ids))]
        when = self._when(series, as_text=as_text) if spec.per_step else []
        numbers = [number_array(self.said[:, place]) for place in range(self.said.shape[1])]
        return pa.Table.from_arrays([*told, *when, self._label(write), *numbers], list(self.names))

    def _when(self, series: Ints, *, as_text: bool) -> list[pa.Array]:
        columns = self.model.columns
        if self.times is None:
            return [number_array(np.arange(len(series)) - self.panel.offsets[series], pa.int64())]
        write = written_times if as_text else typed_times
        return [write(self.times, columns, time_calendar(columns, self.model.known.zone))]

    def _label(self, write: Write) -> pa.Array:
        if not self.model.classes:
            return number_array(self.said[:, self.model.spec.median])
        return text_array([write(name) for name in self.model.classes], self.said.argmax(axis=1))

    def results(self, style: Style) -> Results:
        """The table as writers take it. UsageError for a shape that only forecasts have."""
        refuse_shapes(style, "labels")
        worded = [*self._ids, *([LABEL] if self.model.classes else [])]
        return Results(
            lambda: iter([self.table()]),
            lambda write: iter([self.table(as_text=True, write=write)]),
            worded,
            identity=self.names[: self.names.index(LABEL)],
        )

    def _rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table(as_text=True).to_pylist()
        return found

    def to_arrow(self) -> pa.Table:
        """The rows as a pyarrow table."""
        return self.table()

    def to_pandas(self) -> Any:
        """The rows as a DataFrame; needs pandas."""
        return self.table().to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any library that speaks Arrow: pandas, polars, DuckDB."""
        return self.table().__arrow_c_stream__(requested_schema)

    def __str__(self) -> str:
        top = replace(self, panel=self.panel.select(np.arange(min(SHOWN, len(self.panel)))))
        count = int(top.panel.lengths.sum()) if self.model.spec.per_step else len(top.panel)
        times = None if self.times is None else self.times[:count]
        lines = replace(top, said=self.said[:count], times=times).encode("csv").decode().splitlines()[: SHOWN + 1]
        return "\n".join([*lines, *filter(None, [_more(self.rows - SHOWN)])])

    def outline(self) -> Outline:
        """What was labelled, and the first rows."""
        table = self.table(as_text=True).slice(0, OUTLINED)
        ids = len(self.names) - self.said.shape[1]
        table = table.select(range(min(len(self.names), ids + CLASSES)))
        rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        skipped = f", {len(self.skipped):,} more are skipped" if self.skipped else ""
        facts = [("sequences", f"{self.series:,}{skipped}"), *(("note", note) for note in self.notes[:NOTES])]
        cells = [[f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
        return Outline("Labels", facts, table.column_names, cells, _more(self.rows - OUTLINED))

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        spec = self.model.spec
        return {
            "schema": SCHEMA,
            "task": "labels",
            "per_step": spec.per_step,
            "classes": list(self.model.classes),
            "quantiles": list(spec.levels),
            "series": self._rows(),
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
            "notes": list(self.notes),
        }


def _more(rows: int) -> str:
    return f"... {rows:,} more rows" if rows > 0 else ""


def answer(
    data: Data,
    model: Labeler,
    choices: ColumnChoices,
    options: AnswerOptions,
    tell: Listener,
    stream: Stream | None,
) -> Labels:
    """The labels of the sequences of `data`, or, with a stream, of the rows that it has not seen."""
    if options.get("tidy"):
        raise UsageError("--tidy is for forecasts, and the model makes labels", hint="leave --tidy out")
    if options.get("quantiles"):
        raise UsageError(
            "--quantiles of labels are those of training, and all are written", hint="leave --quantiles out"
        )
    loaded = load_known(data, choices, model, tell)
    if stream is not None:
        loaded, said = stream.consume(loaded, tell, skip=choices.on_bad_series == "skip")
    else:
        said = model.said(loaded.panel)
    return labels_of(model, loaded, said)


def labels_of(model: Labeler, loaded: Loaded, said: Floats) -> Labels:
    """What was said of loaded data, as a table."""
    made = Labels(model, loaded.panel, said, loaded.times, loaded.notes, loaded.skipped)
    _ = made.names
    return made
