"""Tables of frames: of each row its sequence, its time and its frame; and sequences in order, with their gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data import columns as roles
from rnncli.data.channel import Channel
from rnncli.data.frames.block import Stored
from rnncli.data.frames.cells import BYTES, read_cells
from rnncli.data.frames.columns import pixel_columns, read_pixels, without_empty
from rnncli.data.frames.known import KnownFrames
from rnncli.data.frames.maps import Maps, map_names, pixels_of, read_maps, shown_maps, with_maps
from rnncli.data.frames.pixels import shown_grid
from rnncli.data.grid import GAP_LIMIT
from rnncli.data.labels.rows import bare_rows, load_columns
from rnncli.data.noted import Notes
from rnncli.data.ordered import sorted_rows
from rnncli.data.rows import Rows
from rnncli.data.tables import Faults, Tables
from rnncli.data.times import Wall
from rnncli.data.tokens.events import new_columns, on_time
from rnncli.errors import SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, Columns, FrameChoices, TokenChoices

COLUMNS = "columns"  # what frames came in: columns that are pixels


@dataclass(frozen=True)
class FrameRows:
    """Rows whose first value is the row of `stored` [frames, height, width, channels] that is their frame, in UTC; the
    others are rows of the blocks of `maps`.
    """

    rows: Rows
    stored: Stored
    maps: Maps
    zone: str | None
    frames: FrameChoices
    form: str


def read_frames(tables: Tables, choices: ColumnChoices, frames: FrameChoices, known: KnownFrames | None) -> FrameRows:
    """The frames of tables. InputRefused, with its place, where they are none; UsageError where nothing names them."""
    kinds, faults = tables.kinds(), Faults()
    choices = roles.resolved(kinds, choices)
    assert frames.frame is not None
    pixels = [] if frames.frame in kinds else pixel_columns(frames.frame, kinds, tables.name)
    notes: list[str] = []
    if known is None:
        unread = {frames.frame, *pixels, *_of_maps(tables, choices)}
        _refuse_twice_named([frames.frame, choices.time, *choices.id, *(name for name, _ in map_names(choices))])
        columns, notes = new_columns(tables, choices, TokenChoices(token=frames.frame), unread)
        columns = replace(columns, past=choices.past, future=choices.future, static=choices.static)
    else:
        columns = roles.renamed(known.columns, choices)
        _of_maps(tables, columns, "the model was trained with it")
        for name in (*columns.times, *columns.ids):
            if name not in kinds:
                raise roles.missing_column(name, kinds, tables.name, "the model was trained with it")
    heads = load_columns(tables, dict.fromkeys((*columns.times, *columns.ids), "text"), choices, faults)
    told = known is None or choices.time_format is not None
    rows = bare_rows(heads, kinds, columns, Wall(choices.zone or (known.zone if known else None), told=told), faults)
    stored, places, form = frames_of(heads, pixels, choices, frames)
    channel = Channel(columns.target, "frame", "target", shape=stored.shape[1:])
    rows = replace(rows, values=places[:, None], channels=(channel,), notes=tuple(notes))
    maps = read_maps(heads, choices, columns, frames, stored)
    rows = with_maps(rows, maps)
    rows, zone = on_time(rows, choices, known)
    kind = frames.frame_dtype or ("uint8" if form == BYTES else None)
    settled = replace(frames, grid=shown_grid(stored.shape[1:]), frame_dtype=kind)
    return FrameRows(rows, stored, maps, zone, settled, form)


def _of_maps(tables: Tables, columns: ColumnChoices | Columns, hint: str = "") -> list[str]:
    """The columns of maps. InputRefused if one is not there."""
    named = [name for name, _ in map_names(columns)]
    kinds = tables.kinds()
    return [*named, *(pixel for name in named for pixel in pixels_of(name, kinds, tables.name, hint))]


def _refuse_twice_named(names: Sequence[str | None]) -> None:
    """UsageError where a column is named twice."""
    twice = next((name for name in names if name is not None and names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"column {twice!r} was given two roles", hint="name each column once")


def frames_of(
    heads: Tables, pixels: list[str], choices: ColumnChoices, frames: FrameChoices
) -> tuple[Stored, Floats, str]:
    """The block, the row of it for each row of the tables, and what the frames came in."""
    if pixels:
        stored, places = without_empty(read_pixels(heads, pixels, choices, frames))
        return stored, places, COLUMNS
    assert frames.frame is not None
    cells = read_cells(heads, frames.frame, frames)
    return cells.stored, cells.places, cells.form


@dataclass(frozen=True)
class Sequences:
    """Frames in the order of their sequences: `places` [rows, channels] in the blocks of frames and of maps, NaN where
    one is missing; `times` [rows] if they have any.
    """

    ids: tuple[str, ...]
    lengths: Ints
    places: Floats
    times: Ints | None
    notes: tuple[str, ...]


def in_sequences(rows: Rows) -> Sequences:
    """Rows in order, sequence after sequence. SeriesRefused where two frames of one have the same time."""
    notes = Notes(rows.notes)
    order, offsets = sorted_rows(rows, notes)
    first = order[offsets[:-1]]
    ids = tuple(rows.ids[code] for code in rows.codes[first].tolist())
    places = rows.values[order]
    if not rows.columns.times:
        return Sequences(ids, np.diff(offsets), places, None, notes.lines())
    times = rows.times[order]
    _refuse_twice(rows, order, times, offsets)
    found = [with_gaps(times[begin:end]) for begin, end in pairwise(offsets.tolist())]
    lengths = np.array([len(grid) for grid, _ in found], np.int64)
    spread = np.full((int(lengths.sum()), places.shape[1]), np.nan)
    begins = np.cumsum(lengths) - lengths
    spread[np.concatenate([begin + at for begin, (_, at) in zip(begins.tolist(), found, strict=True)])] = places
    missing = int(lengths.sum()) - len(places)
    if missing:
        plural = "s are" if missing > 1 else " is"
        notes.extend([f"{missing:,} frame{plural} missing between others, by their times"])
    return Sequences(ids, lengths, spread, np.concatenate([grid for grid, _ in found]), notes.lines())


def _refuse_twice(rows: Rows, order: Ints, times: Ints, offsets: Ints) -> None:
    again = np.diff(times) == 0
    again[offsets[1:-1] - 1] = False
    if again.any():
        row = order[int(np.argmax(again)) + 1]
        raise SeriesRefused(
            "two frames have the same time",
            rows.ids[int(rows.codes[row])],
            where=rows.where(int(row)),
            hint="take one of them out; if a column tells sequences apart: --id NAME",
        )


def with_gaps(times: Ints) -> tuple[Ints, Ints]:
    """The times of a sequence with those that are missing between them, and the places of its own [rows] in these.

    Where steps are no multiples of the shortest one, or far too many would be missing, nothing is.
    """
    steps = np.diff(times)
    own = np.arange(len(times))
    if not steps.size:
        return times, own
    step = steps.min()
    at = np.concatenate([[0], np.cumsum(steps // step)])
    if (steps % step).any() or at[-1] + 1 > GAP_LIMIT * len(times):
        return times, own
    return times[0] + step * np.arange(at[-1] + 1), at


def described(columns: Columns, frames: FrameChoices) -> str:
    """What columns and files of frames were taken for, in one line."""
    time = f"time {' and '.join(map(repr, columns.times))}, " if columns.times else ""
    ids = f"id {' and '.join(map(repr, columns.ids))}" if columns.ids else "one sequence"
    kind = f" of {frames.frame_dtype}" if frames.frame_dtype else ""
    each = "one sequence a file" if columns.by_file else ids
    return f"{time}{each}, frames {columns.target!r}: {frames.grid}{kind}{shown_maps(columns)}"
