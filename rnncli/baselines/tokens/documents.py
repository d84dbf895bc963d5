"""Documents of tokens as baselines take them: flat codes with offsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints

NOTHING = -1  # what comes before a document


@dataclass(frozen=True)
class Documents:
    """Tokens of n documents: codes [rows] from 0 on, of any type of integers, and offsets [n + 1] from 0 to rows; of
    events with times, how long each came after the one before [rows], NaN where there is none, and the `levels` of the
    quantiles that are said of that.
    """

    codes: NDArray[np.integer[Any]]
    offsets: Ints
    waits: Floats | None = None
    levels: tuple[float, ...] = ()

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self.offsets) - 1

    @property
    def rows(self) -> int:
        """How many tokens there are."""
        return len(self.codes)

    @property
    def owner(self) -> Ints:
        """The document of every token [rows]."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @property
    def position(self) -> Ints:
        """The place of every token in its document, from 0 on [rows]."""
        return self._position(np.arange(self.rows))

    def _position(self, rows: Ints) -> Ints:
        return rows - self.offsets[self.owner_of(rows)]

    def owner_of(self, rows: Ints) -> Ints:
        """The document of some rows [n]."""
        return np.searchsorted(self.offsets, rows, side="right") - 1

    def history(self, steps: int, begin: int = 0, end: int | None = None) -> Ints:
        """The tokens before those of rows begin ... end - 1, the newest last; NOTHING where there is none:
        [rows, steps].
        """
        return self.before(np.arange(begin, self.rows if end is None else min(end, self.rows)), steps)

    def before(self, rows: Ints, steps: int) -> Ints:
        """The tokens before those of some rows [n], as in `history`: [n, steps]."""
        found = np.full((len(rows), steps), NOTHING, np.int64)
        position = self._position(rows)
        for back in range(1, steps + 1):
            there = np.flatnonzero(position >= back)
            found[there, steps - back] = self.codes[rows[there] - back]
        return found
