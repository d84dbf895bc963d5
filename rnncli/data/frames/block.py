"""A block of frames as they are stored, in memory or in a memory map; only what is gathered becomes float32."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Inputs, Ints

Stored = NDArray[Any]
PIECE = 8 << 20  # bytes of float32 that are looked at at once


@dataclass(frozen=True)
class Block:
    """Frames [rows, height, width, channels] as they are stored, in `parts` one after the other.

    A stored value times `scale` is the value; one that is `missing` (NaN: that is not a number) stands for a missing
    pixel.
    """

    parts: tuple[Stored, ...] = field(repr=False)
    scale: float = 1.0
    missing: float | None = None

    def __len__(self) -> int:
        """The number of frames."""
        return int(self._begins[-1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a frame."""
        height, width, channels = self.parts[0].shape[1:]
        return height, width, channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type in which pixels are stored."""
        return self.parts[0].dtype

    @cached_property
    def _begins(self) -> Ints:
        return np.cumsum([0, *map(len, self.parts)])

    def gather(self, rows: Floats | Ints) -> Inputs:
        """The values of frames by their rows [...]: [..., height, width, channels], NaN for what is missing; a row that
        is NaN has no frame.
        """
        flat = np.asarray(rows, np.float64).reshape(-1)
        found = np.full((flat.size, *self.shape), np.nan, np.float32)
        there = np.flatnonzero(~np.isnan(flat))
        at = flat[there].astype(np.int64)
        part = np.searchsorted(self._begins, at, side="right") - 1
        for which in np.unique(part).tolist():
            mine = part == which
            found[there[mine]] = self._values(self.parts[which][at[mine] - self._begins[which]])
        return found.reshape(*np.shape(rows), *self.shape)

    def stored(self, rows: Ints) -> Stored:
        """Frames as they are stored, by their rows [n]: [n, height, width, channels]."""
        part = np.searchsorted(self._begins, rows, side="right") - 1
        found = np.empty((len(rows), *self.shape), self.dtype)
        for which in np.unique(part).tolist():
            mine = part == which
            found[mine] = self.parts[which][rows[mine] - self._begins[which]]
        return found

    def pieces(self, rows: Floats | Ints) -> Iterator[Inputs]:
        """The frames of the rows [n] one after the other, some at a time."""
        some = max(1, PIECE // (4 * int(np.prod(self.shape))))
        for begin in range(0, len(rows), some):
            yield self.gather(rows[begin : begin + some])

    def _values(self, stored: Stored) -> Inputs:
        values = stored.astype(np.float32)
        if self.scale != 1:
            values *= np.float32(self.scale)
        if self.missing is not None:
            values[is_missing(stored, self.missing)] = np.nan
        return values

    def encoded(self, values: Inputs) -> Stored:
        """Values in the type in which they are stored, rounded and cut to what it can hold; NaN becomes `missing`, or 0
        where nothing stands for that.
        """
        kind, holes = self.dtype, np.isnan(values)
        stored = np.where(holes, 0 if self.missing is None else self.missing, values.astype(np.float64) / self.scale)
        if kind.kind == "b":
            return np.asarray(stored >= 0.5)
        if kind.kind in "iu":
            limits = np.iinfo(kind)
            stored = np.clip(np.rint(stored), limits.min, limits.max)
        elif kind.kind == "f":
            largest = float(np.finfo(kind).max)
            stored = np.clip(stored, -largest, largest)
        return stored.astype(kind)


def is_missing(stored: Stored, missing: float) -> Bools:
    """Where stored values stand for missing pixels."""
    if np.isnan(missing):
        return np.isnan(stored) if stored.dtype.kind == "f" else np.zeros(stored.shape, np.bool_)
    return np.asarray(stored == (np.float64(missing).astype(stored.dtype) if stored.dtype.kind == "f" else missing))
