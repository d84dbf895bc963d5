"""Some rows of each series, kept as they were given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.checkpoint import Layout
from rnncli.data.panel import offsets_of, ranges


@dataclass(frozen=True)
class KeptRows:
    """Rows of S series, one series after the other: how many there are of each, `rows` [S], and their `values`
    [sum of rows, channels], NaN where missing.
    """

    rows: Ints
    values: Floats

    @property
    def offsets(self) -> Ints:
        """Where the rows of each series begin, and where those of the last one end: [S + 1]."""
        return offsets_of(self.rows)

    def at(self, places: Ints) -> KeptRows:
        """The rows of the series at these places, in that order."""
        if np.array_equal(places, np.arange(len(self.rows))):
            return self
        rows = self.rows[places]
        return KeptRows(rows, self.values[ranges(self.offsets[places], rows)])

    def beside(self, other: KeptRows) -> KeptRows:
        """The rows of these series and of others."""
        return KeptRows(np.concatenate([self.rows, other.rows]), np.concatenate([self.values, other.values]))

    def is_sound(self) -> bool:
        """Whether there are as many rows as are counted."""
        return bool((self.rows >= 0).all() and self.rows.sum() == len(self.values))

    def tensors(self, name: str) -> dict[str, NDArray[Any]]:
        """The values as tensors of a file, which holds no NaN."""
        missing = np.isnan(self.values)
        values = np.nan_to_num(self.values) if missing.any() else self.values
        return {f"{name}.values": values, f"{name}.observed": (~missing).view(np.uint8)}


def no_rows(series: int, channels: int) -> KeptRows:
    """Rows of so many series of which there are none."""
    return KeptRows(np.zeros(series, np.int64), np.zeros((0, channels)))


def layout_of(name: str, rows: int, channels: int) -> Layout:
    """The tensors of a file in which so many rows are kept under a name."""
    return {
        f"{name}.values": (np.dtype("<f8"), (rows, channels)),
        f"{name}.observed": (np.dtype("u1"), (rows, channels)),
    }


def rows_from(tensors: Mapping[str, NDArray[Any]], name: str, rows: Ints) -> KeptRows:
    """The rows that a file keeps under a name, of which each series has `rows`."""
    return KeptRows(rows, np.where(tensors[f"{name}.observed"] > 0, tensors[f"{name}.values"], np.nan))
