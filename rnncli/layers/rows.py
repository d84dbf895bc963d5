"""Inputs that are rows of a table, so that what is made of each step's row is made once of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Rows:
    """What is seen at step t of sequence i is row codes[i, t] of a table: `table` [K, I], `codes` [n, T].

    A product with all rows is cheaper than one with the row of every step where there are fewer rows than steps.
    """

    table: Array
    codes: Array

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.codes)

    @property
    def dtype(self) -> Any:
        """Type of the inputs."""
        return self.table.dtype

    @property
    def device(self) -> Any:
        """Where the inputs are."""
        return self.table.device

    def dense(self, xp: Any) -> Array:
        """The inputs of all steps: [n, T, I]."""
        return rows_at(self.table, self.codes, xp)


def rows_at(table: Array, codes: Array, xp: Any) -> Array:
    """The rows of a table [K, I] at codes [...]: [..., I]."""
    return table[codes] if xp is np else xp.nn.functional.embedding(codes, table)


def dense(x: Array | Rows, xp: Any) -> Array:
    """Inputs as an array: [n, T, I]."""
    return x.dense(xp) if isinstance(x, Rows) else x
