"""The baselines of sets: each counts documents, and gives every token of the next sets of others a probability."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Ints

AT_ONCE = 1 << 22  # numbers


@dataclass(frozen=True)
class SetDocuments:
    """Sets of n documents, one a row: hot [rows, tokens] is 1 where a token is in the set, column 0 counts tokens that
    nobody knows, and a row of -1 is missing; offsets [n + 1] from 0 to rows.
    """

    hot: NDArray[np.int8]
    offsets: Ints

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.offsets) - 1

    @property
    def rows(self) -> int:
        """The number of steps."""
        return len(self.hot)

    @property
    def first(self) -> Bools:
        """The steps that are the first of their document [rows]."""
        found = np.zeros(self.rows, np.bool_)
        found[self.offsets[:-1][np.diff(self.offsets) > 0]] = True
        return found

    @property
    def known(self) -> Bools:
        """The steps of which the set is not missing [rows]."""
        return np.asarray(self.hot[:, 0] >= 0)

    def blocks(self) -> Iterator[Ints]:
        """The rows, some at a time, in order."""
        most = max(1, AT_ONCE // max(self.hot.shape[1], 1))
        return (np.arange(begin, min(begin + most, self.rows)) for begin in range(0, self.rows, most))


class CountedSets(Protocol):
    """A baseline that has seen what it learns from."""

    def probabilities(self, documents: SetDocuments, rows: Ints) -> Floats:
        """Of every token in some rows [n] of documents, from what stands before each: [n, tokens]."""


@dataclass(frozen=True)
class SetBaseline:
    """A baseline for sets: `learn` takes documents."""

    name: str
    learn: Callable[[SetDocuments], CountedSets]
