"""The next frames as a table: made by a model of its data, and written, printed, or taken as an array."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Unpack

import numpy as np
import pyarrow as pa

from rnncli.arrays import Inputs, Ints
from rnncli.data.calendar import Calendar
from rnncli.data.frames.block import Block, Stored
from rnncli.data.frames.maps import short_of_maps
from rnncli.data.frequency import infer_frequency
from rnncli.data.ids import parts_of
from rnncli.data.labels.known import time_calendar
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.sinks.sink import Into, sink_of
from rnncli.data.writers.frames import frame_cells, npy, pixel_columns
from rnncli.data.writers.pictures import DRAWN, Pictured
from rnncli.data.writers.results import Results, Style, StyleOptions, Write
from rnncli.data.writers.suffix import OF_FRAMES
from rnncli.data.writers.table import number_array, text_array, typed_times, written_times
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.events import Listener
from rnncli.options.types import AnswerOptions
from rnncli.outline import Outline, shown
from rnncli.registry import WRITERS
from rnncli.spec import ColumnChoices
from rnncli.tasks.answer import Writable, refuse_shapes
from rnncli.tasks.frames.frame_model import FrameModel
from rnncli.tasks.frames.reading import load_known
from rnncli.tasks.reading import without_bad

SCHEMA = "rnncli.predict/1"
STEP, QUANTILE = "step", "quantile"
OUTLINED, NOTES = 5, 3  # rows, and notes
PAST = 10  # frames of a picture
FORMATS = (*WRITERS, *OF_FRAMES)


def answer(data: Data, model: FrameModel, choices: ColumnChoices, options: AnswerOptions, tell: Listener) -> NextFrames:
    """The frames that follow those of each sequence. UsageError for a horizon, or quantiles, that were not trained."""
    horizon, levels = _horizon(options.get("horizon"), model), _levels(options.get("quantiles"), model)
    loaded = load_known(data, choices, model, tell, options.get("future_data") or None)
    bad = short_of_maps(loaded.panel, last_frames(loaded), horizon)
    loaded = without_bad(loaded, bad, InputRefused, tell, skip=choices.on_bad_series == "skip")
    panel = loaded.panel
    series = np.arange(len(panel))
    made = model.forecasts if levels is None else model.quantiles
    found = np.concatenate(list(made(panel, series, last_frames(loaded))))[:, :horizon]
    if levels is not None:
        places = [model.spec.levels.index(level) for level in levels]
        found = np.moveaxis(found[..., places], -1, 2)
    return NextFrames(model, loaded, found, levels, loaded.notes, loaded.skipped)


def last_frames(loaded: Loaded) -> Ints:
    """How many rows of each sequence there are before the first frame to come: all, or those up to the last frame where
    rows can hold what is known ahead.
    """
    panel = loaded.panel
    return panel.observed_ends() if loaded.columns.future else panel.lengths


def _horizon(asked: int | None, model: FrameModel) -> int:
    trained = model.spec.horizon
    if asked is not None and asked > trained:
        raise UsageError(
            f"--horizon is {asked:,}, and the model says {trained:,} frames at most", hint="train with a longer one"
        )
    return asked or trained


def _levels(asked: tuple[float, ...] | None, model: FrameModel) -> tuple[float, ...] | None:
    if asked is None:
        return None
    unknown = [f"{level:g}" for level in asked if level not in model.spec.levels]
    if unknown:
        known = ", ".join(f"{level:g}" for level in model.spec.levels)
        hint = f"it has {known}" if known else "train with --quantiles"
        raise UsageError(f"the model has no quantile {', '.join(unknown)} of a pixel", hint=hint)
    return tuple(sorted(asked))


def uneven(times: Ints, offsets: Ints, zone: str | None) -> Calendar | None:
    """The calendar of times [rows] that are months, quarters or years apart, or days of a zone; None where all steps
    are of one length, or are none of these.
    """
    steps = np.diff(times)
    steps[offsets[1:-1] - 1] = steps[:1]
    if len(np.unique(steps)) < 2:
        return None
    try:
        return Calendar(infer_frequency(times, offsets, zone), (1,), zone)
    except InputRefused:
        return None


@shown
@dataclass(frozen=True)
class NextFrames(Writable):
    """What follows the sequences of `loaded` data: `values` [series, horizon, height, width, channels] in the data's
    units, with an axis of quantiles after the horizon where `levels` are asked for.
    """

    model: FrameModel
    loaded: Loaded
    values: Inputs
    levels: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[SeriesRefused, ...] = ()

    @property
    def series(self) -> int:
        """How many sequences go on."""
        return len(self.values)

    @property
    def rows(self) -> int:
        """How many frames there are, one a row."""
        return int(np.prod(self.values.shape[: 2 if self.levels is None else 3]))

    @property
    def _block(self) -> Block:
        panel = self.loaded.panel
        return panel.blocks[panel.channels[0].name]

    @cached_property
    def stored(self) -> Stored:
        """The frames in the type in which pixels came: the shape of `values`."""
        return self._block.encoded(self.values)

    def _beside(self, *, as_text: bool, write: Write = str) -> dict[str, pa.Array]:
        """The columns that say what each row is about: sequence, time or step, and quantile."""
        columns, panel = self.model.columns, self.loaded.panel
        horizon, each = self.values.shape[1], self.rows // (len(self.values) * self.values.shape[1])
        series = np.repeat(np.arange(len(panel)), horizon * each)
        lead = np.tile(np.repeat(np.arange(1, horizon + 1), each), len(panel))
        names = columns.ids or ((columns.id_name,) if len(panel) > 1 or columns.by_file else ())
        parts = [parts_of(name, max(1, len(columns.ids))) for name in panel.ids]
        found = {name: text_array([write(part[at]) for part in parts], series) for at, name in enumerate(names)}
        if self.loaded.times is None:
            found[STEP] = number_array(lead, pa.int64())
        else:
            when = typed_times if not as_text else written_times
            calendar = time_calendar(columns, self._zone)
            found[columns.time or STEP] = when(self._times()[series, lead - 1], columns, calendar)
        if self.levels is not None:
            found[QUANTILE] = number_array(np.tile(np.array(self.levels), len(panel) * horizon))
        return found

    def _times(self) -> Ints:
        """The times of the frames to come: [series, horizon]; so many months after the last one where frames are months
        apart, else as far apart as the last two of their sequence.
        """
        times, panel, ends = self.loaded.times, self.loaded.panel, last_frames(self.loaded)
        assert times is not None
        last = panel.offsets[:-1] + ends - 1
        lead = np.arange(1, self.values.shape[1] + 1)
        calendar = None if self.loaded.columns.time_type == "integer" else uneven(times, panel.offsets, self._zone)
        if calendar is not None:
            ordinals, phases = calendar.ordinals(times[last])
            ahead = ordinals[:, None] + lead
            return calendar.times(ahead, np.broadcast_to(phases[:, None], ahead.shape))
        apart = np.where(ends > 1, times[last] - times[np.maximum(last - 1, 0)], 1)
        return np.asarray(times[last][:, None] + apart[:, None] * lead)

    @property
    def _zone(self) -> str | None:
        return self.model.known.zone

    def table(self, form: str, *, as_text: bool = False, write: Write = str) -> pa.Table:
        """A row for each frame, whose pixels are `bytes`, `lists`, or columns. InputRefused where two columns would
        have one name.
        """
        beside = self._beside(as_text=as_text, write=write)
        frames = self.stored.reshape(self.rows, *self.model.spec.shape)
        cells = frame_cells(frames, form, self.model.columns.target) if form else pixel_columns(frames, self._target)
        for name in set(beside) & set(cells):
            raise InputRefused(f"the table would have two columns called {name!r}", hint="rename it in the data")
        return pa.Table.from_arrays([*beside.values(), *cells.values()], [*beside, *cells])

    @property
    def _target(self) -> str:
        return self.model.columns.target

    def results(self, style: Style) -> Results:
        """The table as writers take it: as texts a column for each pixel, else cells as they came. UsageError for a
        shape that only forecasts have.
        """
        refuse_shapes(style, "frames")
        texts = [*self.model.columns.ids, self.model.columns.id_name]
        return Results(
            lambda: iter([self.table(self._form)]),
            lambda write: iter([self.table("", as_text=True, write=write)]),
            texts,
            lists=lambda: iter([self.table("lists", as_text=True)]),
            identity=() if self.loaded.times is None else tuple(self._beside(as_text=True)),
        )

    def pieces(self, format: str = "csv", **style: Unpack[StyleOptions]) -> Iterator[bytes]:  # noqa: A002
        """The bytes that `encode` gives, piece by piece."""
        if format != "npy":
            return super().pieces(format, **style)
        refuse_shapes(Style(**style), "frames")
        return iter([self._array()])

    def write(self, path: str | os.PathLike[str], **style: Unpack[StyleOptions]) -> int:
        """Write the file that the suffix asks for, whole or not at all; returns its bytes."""
        asked = Style(**style)
        sink = sink_of(path, Into(formats=FORMATS))
        if sink.format == "npy":
            return sink.put([self.encode("npy", **style)])
        return sink.write(self.results(asked), asked)

    @property
    def _form(self) -> str:
        """How cells of frames are written: as they came in a table, else as lists."""
        form = self.loaded.frame_form
        return "" if form == "columns" else form if form in ("bytes", "lists") else "lists"

    def _array(self) -> bytes:
        if self.levels is not None and len(self.levels) > 1:
            raise UsageError("an array has no column of quantiles", hint="ask for one quantile, or write Parquet")
        return npy(self.stored if self.levels is None else self.stored[:, :, 0])

    def _json_rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table("lists", as_text=True).to_pylist()
        return found

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002, ARG002
        """Nothing is to be said of the table."""
        return ()

    def to_numpy(self) -> Inputs:
        """The frames in the data's units, float32: the shape of `values`."""
        return self.values

    def to_arrow(self) -> pa.Table:
        """The rows as a pyarrow table, with cells as they came."""
        return self.table(self._form)

    def to_pandas(self) -> Any:
        """The rows as a DataFrame; needs pandas."""
        return self.to_arrow().to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any library that speaks Arrow: pandas, polars, DuckDB."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    @property
    def pictured(self) -> tuple[Pictured, ...]:
        """The first sequences and what follows them, to be drawn; of quantiles the middle one."""
        said = self.values if self.levels is None else self.values[:, :, len(self.levels) // 2]
        panel, ends = self.loaded.panel, last_frames(self.loaded)
        some = np.minimum(PAST, ends)
        return tuple(
            Pictured(panel.ids[s], panel.frames(np.array([s]), ends[[s]] - some[s], int(some[s]))[0], said[s])
            for s in range(min(DRAWN, len(panel)))
        )

    def outline(self) -> Outline:
        """How many frames follow how many sequences, and how bright the first ones are."""
        skipped = f", {len(self.skipped):,} more are skipped" if self.skipped else ""
        shape = "x".join(map(str, self.model.spec.shape[: 2 + (self.model.spec.shape[2] > 1)]))
        facts = [
            ("sequences", f"{self.series:,}{skipped}"),
            ("frames", f"{self.rows:,} of {shape}"),
            *(("note", note) for note in self.notes[:NOTES]),
        ]
        first = self._beside(as_text=True)
        flat = self.values.reshape(self.rows, -1)[:OUTLINED]
        names = [*first, "least", "mean", "largest"]
        rows = [
            [*(str(column[at].as_py()) for column in first.values()), *map(_number, (one.min(), one.mean(), one.max()))]
            for at, one in enumerate(flat)
        ]
        more = f"... {self.rows - OUTLINED:,} more frames" if self.rows > OUTLINED else ""
        return Outline("Frames", facts, names, rows, more)

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        return {
            "schema": SCHEMA,
            "task": "frames",
            "shape": list(self.model.spec.shape),
            "series": self._json_rows(),
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
            "notes": list(self.notes),
        }


def _number(value: float) -> str:
    return f"{value:.4g}"
