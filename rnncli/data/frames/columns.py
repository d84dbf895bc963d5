"""Frames whose pixels are columns of a table: a row a frame."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatchcase

import numpy as np

from rnncli.arrays import Floats
from rnncli.data import columns as roles
from rnncli.data.frames.block import Stored
from rnncli.data.frames.pixels import grid_of
from rnncli.data.frames.room import room
from rnncli.data.labels.rows import load_columns
from rnncli.data.tables import Faults, Tables
from rnncli.errors import InputRefused
from rnncli.spec import FRAME_TYPES, ColumnChoices, FrameChoices

_NUMBERS = re.compile(r"\d+")


def pixel_columns(pattern: str, names: Collection[str], where: str) -> list[str]:
    """The columns that a pattern names, or that are called so with a number behind it, in the order of their numbers,
    or else of the table. InputRefused if there is none.
    """
    if any(mark in pattern for mark in "*?["):
        found = [name for name in names if fnmatchcase(name, pattern)]
    else:
        found = [name for name in names if re.fullmatch(rf"{re.escape(pattern)}[\W_]*\d+([\W_x]\d+)*", name)]
    if not found:
        raise roles.missing_column(pattern, dict.fromkeys(names, "other"), where)
    places = [[int(number) for number in _NUMBERS.findall(name)] for name in found]
    if all(place and len(place) == len(places[0]) for place in places):
        return [name for _, name in sorted(zip(places, found, strict=True), key=lambda pair: pair[0])]
    return found


def read_pixels(tables: Tables, names: list[str], choices: ColumnChoices, frames: FrameChoices) -> Stored:
    """Frames [rows, height, width, channels] from columns of pixels. InputRefused where they fit no grid."""
    grid = grid_of(len(names), frames, tables.name, "columns")
    kinds = tables.kinds()
    other = next((name for name in names if kinds[name] not in ("whole", "number", "flag", "empty")), None)
    if other is not None:
        raise InputRefused(
            f"column {other!r} is one of the pixels, and holds no numbers",
            where=tables.name,
            hint="name the columns that are pixels: --frame 'p*'",
        )
    read = load_columns(tables, dict.fromkeys(names, "number"), choices, Faults())
    kind = np.dtype(FRAME_TYPES[frames.frame_dtype or "float32"])
    stored = room((read.rows, len(names)), kind)
    for place, name in enumerate(names):
        values = read.floats(name)
        stored[:, place] = values if kind.kind == "f" else _whole(values, kind, name, tables.name)
    return stored.reshape(-1, *grid)


def without_empty(stored: Stored) -> tuple[Stored, Floats]:
    """Frames of which a pixel at least is a number, and the row of these for each of all; NaN where all are empty."""
    empty = np.isnan(stored).reshape(len(stored), -1).all(axis=1) if stored.dtype.kind == "f" else np.zeros(1, np.bool_)
    if not empty.any() or empty.all():
        return stored, np.arange(len(stored), dtype=np.float64)
    return stored[~empty], np.where(empty, np.nan, np.cumsum(~empty) - 1.0)


def _whole(values: np.ndarray, kind: np.dtype, name: str, where: str) -> np.ndarray:
    """Numbers that a type of whole numbers holds. InputRefused for others."""
    limits = np.iinfo(kind)
    wrong = ~((values == np.rint(values)) & (values >= limits.min) & (values <= limits.max))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputRefused(
            f"the pixel in column {name!r} of row {row + 1:,} is {values[row]:g}, which {kind.name} cannot hold",
            where=where,
            hint="leave --frame-dtype out, or say another",
        )
    return values
