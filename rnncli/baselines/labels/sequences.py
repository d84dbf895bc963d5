"""Sequences as baselines take them: flat rows of channels, numbers and categories, with offsets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Floats, Ints


@dataclass(frozen=True)
class Sequences:
    """Rows of n sequences: values [rows, channels] with NaN where missing, offsets [n + 1] from 0 to the rows.

    `categories` says for each channel how many categories its codes are of, 0 for a channel of numbers; a code below 0
    is a category that is not among them. What carries a label is each sequence, or each row where `per_step`.
    """

    values: Floats
    offsets: Ints
    categories: tuple[int, ...]
    per_step: bool = False

    def __len__(self) -> int:
        """The number of sequences."""
        return len(self.offsets) - 1

    @property
    def carriers(self) -> int:
        """The number of labels: one a sequence, or one a row."""
        return len(self.values) if self.per_step else len(self)

    @property
    def lengths(self) -> Ints:
        """Rows of each sequence [n]."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> Ints:
        """The sequence of every row [rows]."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def select(self, places: Ints) -> Sequences:
        """Some of the sequences, in the order of `places` [m]."""
        lengths = self.lengths[places]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[places] - offsets[:-1], lengths)
        return replace(self, values=self.values[rows], offsets=offsets)
