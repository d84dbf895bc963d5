"""Documents of tokens as baselines take them: flat codes with offsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Ints

NOTHING = -1  # what comes before a document


@dataclass(frozen=True)
class Documents:
    """Tokens of n documents: codes [rows] from 0 on, of any type of integers, and offsets [n + 1] from 0 to rows."""

    codes: NDArray[np.integer[Any]]
    offsets: Ints

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
        return np.arange(self.rows) - np.repeat(self.offsets[:-1], np.diff(self.offsets))

    def history(self, steps: int) -> Ints:
        """The tokens before each one, the newest last; NOTHING where there is none: [rows, steps]."""
        found = np.full((self.rows, steps), NOTHING, np.int64)
        position, codes = self.position, self.codes.astype(np.int64)
        for back in range(1, min(steps, self.rows) + 1):
            found[back:, steps - back] = np.where(position[back:] >= back, codes[: self.rows - back], NOTHING)
        return found
