"""Maps beside frames: further columns of pictures on the same grid, known up to now, ahead, or always the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data import columns as roles
from rnncli.data.channel import Channel
from rnncli.data.frames.block import Block, Stored
from rnncli.data.frames.cells import first_cell, read_cells
from rnncli.data.frames.columns import pixel_columns, read_pixels, without_empty
from rnncli.data.frames.pixels import checked
from rnncli.data.panel import Panel, gather
from rnncli.data.rows import Rows
from rnncli.data.tables import Tables
from rnncli.errors import InputRefused, SeriesRefused
from rnncli.spec import ColumnChoices, Columns, FrameChoices

ROLES = ("past", "future", "static")
SHOWN = 3  # frames in a message
_HINT = (
    "add a row with the maps and an empty frame for each frame to come; or ask for a shorter --horizon,"
    " or leave such sequences out: --on-bad-series skip"
)


@dataclass(frozen=True)
class Maps:
    """What stands beside frames: a channel for each map, its place in a block for each row [rows, maps], and blocks."""

    channels: tuple[Channel, ...]
    places: Floats
    blocks: tuple[Block, ...]


def map_names(columns: ColumnChoices | Columns) -> list[tuple[str, str]]:
    """The name and the role of each map, in the order of channels."""
    return [(name, role) for role in ROLES for name in getattr(columns, role)]


def pixels_of(name: str, kinds: Iterable[str], where: str, hint: str = "") -> list[str]:
    """The columns that are pixels of a map, none where one column has whole ones. InputRefused if there is neither."""
    names = list(kinds)
    if name in names:
        return []
    try:
        return pixel_columns(name, names, where)
    except InputRefused:
        raise roles.missing_column(name, dict.fromkeys(names, "other"), where, hint) from None


def read_maps(tables: Tables, choices: ColumnChoices, columns: Columns, frames: FrameChoices, stored: Stored) -> Maps:
    """The maps beside the frames that are `stored`. InputRefused where one is on another grid, or has no cell."""
    channels, places, blocks = [], [np.zeros((tables.rows, 0))], []
    for name, role in map_names(columns):
        pixels = pixels_of(name, tables.kinds(), tables.name)
        said, missing = _encoding(tables, name, frames, stored) if not pixels else (_on_grid(name, stored), np.nan)
        block, place = _block(tables, name, pixels, choices, said, missing)
        checked(block, said, f"{tables.name}, map {name!r}")
        _refuse_other_grid(block.shape, stored, name, tables.name)
        channels.append(Channel(name, "frame", role, shape=block.shape))
        places.append(place[:, None])
        blocks.append(block)
    return Maps(tuple(channels), np.concatenate(places, axis=1), tuple(blocks))


def _block(
    tables: Tables, name: str, pixels: list[str], choices: ColumnChoices, said: FrameChoices, missing: float | None
) -> tuple[Block, Floats]:
    if pixels:
        found, places = without_empty(read_pixels(tables, pixels, choices, said))
        return Block((found,), 1.0, np.nan), places
    try:
        cells = read_cells(tables, name, said)
    except InputRefused as error:
        error.where = f"{error.where}, map {name!r}"
        raise
    missing = missing if missing is not None or cells.stored.dtype.kind != "f" else np.nan
    return Block((cells.stored,), said.frame_scale or 1.0, missing), cells.places


def _on_grid(name: str, stored: Stored, depth: int = 1) -> FrameChoices:
    height, width = stored.shape[1:3]
    return FrameChoices(name, f"{height}x{width}" + (f"x{depth}" if depth > 1 else ""))


def _encoding(tables: Tables, name: str, frames: FrameChoices, stored: Stored) -> tuple[FrameChoices, float | None]:
    """How the cells of a map are stored, and what is missing in them: as frames are, where they have as many bytes, or
    as many for one channel; else a byte a pixel; lists are of their own numbers.
    """
    cell = first_cell(tables, name)
    (height, width, depth), size = stored.shape[1:], stored.dtype.itemsize
    if isinstance(cell, bytes):
        for channels in (depth, 1):
            if len(cell) == height * width * channels * size:
                like = replace(_on_grid(name, stored, channels), frame_dtype=_type(frames, stored))
                return replace(like, frame_scale=frames.frame_scale), frames.missing
        if len(cell) != height * width:
            raise _other_size(name, len(cell), "bytes", stored, tables.name)
        return replace(_on_grid(name, stored), frame_dtype="uint8"), None
    if isinstance(cell, list) and cell and not isinstance(cell[0], list):
        if len(cell) not in (height * width, height * width * depth):
            raise _other_size(name, len(cell), "numbers", stored, tables.name)
        return _on_grid(name, stored, len(cell) // (height * width)), None
    return FrameChoices(name), None


def _type(frames: FrameChoices, stored: Stored) -> str | None:
    """What frames are stored as; None where bytes are one a pixel, or lists say so themselves."""
    return frames.frame_dtype or ("uint8" if stored.dtype == np.uint8 else None)


def _other_size(name: str, size: int, what: str, stored: Stored, where: str) -> InputRefused:
    height, width = stored.shape[1:3]
    return InputRefused(
        f"the maps in column {name!r} have {size:,} {what} each, and frames have {height} x {width} pixels",
        where=where,
        hint="give maps on the grid of the frames, in bytes as theirs, a byte a pixel, or lists of numbers",
    )


def _refuse_other_grid(shape: tuple[int, ...], stored: Stored, name: str, where: str) -> None:
    if shape[:2] != stored.shape[1:3]:
        here, there = ("x".join(map(str, sides)) for sides in (shape[:2], stored.shape[1:3]))
        raise InputRefused(
            f"the maps in column {name!r} are {here}, and frames are {there}",
            where=where,
            hint="give maps on the grid of the frames",
        )


def with_maps(rows: Rows, maps: Maps) -> Rows:
    """Rows with the places of their maps behind those of their frames."""
    values = np.concatenate([rows.values, maps.places], axis=1)
    return replace(rows, values=values, channels=(*rows.channels, *maps.channels))


def spread_statics(places: Floats, offsets: Ints, channels: Sequence[Channel]) -> Floats:
    """Places [rows, channels] in which every row of a sequence has the first static map that the sequence has."""
    found = places.copy()
    for at, channel in enumerate(channels):
        if channel.role == "static":
            for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
                known = places[begin:end, at][~np.isnan(places[begin:end, at])]
                found[begin:end, at] = known[0] if len(known) else np.nan
    return found


def shown_maps(columns: Columns) -> str:
    """The maps of data, in a few words; nothing where there are none."""
    told: dict[str, Any] = {"past": "maps up to now", "future": "maps known ahead", "static": "maps that stay"}
    some = [f"{told[role]} {', '.join(map(repr, getattr(columns, role)))}" for role in ROLES if getattr(columns, role)]
    return "".join(f", {one}" for one in some)


def short_of_maps(panel: Panel, ends: Ints, horizon: int) -> list[SeriesRefused]:
    """The sequences for which some of the frames to come have no map that is to be known ahead."""
    found: dict[int, SeriesRefused] = {}
    for place, channel in enumerate(panel.channels):
        if channel.role != "future":
            continue
        rows = gather(panel.values[:, place], panel.offsets[:-1], panel.lengths, ends, horizon, 0, 0)
        for s in np.flatnonzero(np.isnan(rows).any(axis=1)).tolist():
            found.setdefault(s, _refused(panel, s, channel.name, 1 + np.flatnonzero(np.isnan(rows[s])), horizon))
    return [found[s] for s in sorted(found)]


def _refused(panel: Panel, s: int, name: str, leads: Ints, horizon: int) -> SeriesRefused:
    which = ", ".join(map(str, leads[:SHOWN].tolist())) + (f" and {len(leads) - SHOWN:,} more" * (len(leads) > SHOWN))
    return SeriesRefused(
        f"its maps {name!r} are missing for {len(leads):,} of the {horizon:,} frames to come, number {which}",
        panel.ids[s],
        where=f"sequence {panel.ids[s]!r}",
        hint=_HINT,
    )
