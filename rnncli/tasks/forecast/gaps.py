"""What a cell asks for that follows the gaps of a series."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Bools, Floats, Ints

COLUMNS = 3


def followed(z: Floats, lookback: int, only: slice) -> tuple[Floats, Bools, Ints]:
    """Of z [n, lookback - 1 + steps], NaN where it is missing, at some of the steps: [n, steps] each.

    The last value of the lookback, NaN where there is none; whether it is that of this step; and how many steps before
    this one lies the last that was observed, the lookback at most, 1 where no value is missing.
    """
    z = np.concatenate([np.full((len(z), 1), np.nan), z], axis=1)
    at = np.arange(lookback, z.shape[1])[only]
    latest = np.maximum.accumulate(np.where(np.isnan(z), -lookback, np.arange(z.shape[1])), axis=1)
    gap = np.minimum(at - latest[:, at - 1], lookback)
    value = np.take_along_axis(z, np.maximum(latest[:, at], 0), axis=1)
    value[at - latest[:, at] >= lookback] = np.nan
    return value, latest[:, at] == at, gap
