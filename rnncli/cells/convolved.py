"""Convolutional recurrence (Shi et al. 2015, "Convolutional LSTM Network", arXiv:1506.04214; for the GRU Ballas et al.
2016, "Delving Deeper into Convolutional Networks for Learning Video Representations", arXiv:1511.06432).
"""

from __future__ import annotations

from dataclasses import replace

from rnncli.cells.cell import Cell
from rnncli.cells.name import CONV, Kernel
from rnncli.errors import UsageError

LARGEST_SIDE = 31  # pixels
MOST_TIMES = 16  # by which a grid becomes coarser or finer in one layer


def convolved(cell: Cell, kernel: Kernel) -> Cell:
    """The cell at every pixel of a grid, which sees those around it: a step's formula is that of the cell, where

    W_ih x  is a convolution over input x input pixels of x_t, and
    W_hh h  one over state x state pixels of h_{t-1}.

    States, gates and outputs are [B, h, w, H]; what a cell multiplies beside W_ih and W_hh stays within a pixel.
    """
    for side in (kernel.input, kernel.state):
        if not (side % 2 and side <= LARGEST_SIDE):
            raise UsageError(
                f"a kernel has an odd side of up to {LARGEST_SIDE} pixels, not {side}", hint="for example conv:3:lstm"
            )
    if not (1 <= kernel.stride <= MOST_TIMES and 1 <= kernel.growth <= MOST_TIMES):
        raise UsageError(f"a layer makes a grid up to {MOST_TIMES} times as coarse or fine", hint="conv:3/2:lstm")
    if cell.kernel is not None or cell.inner is not None:
        raise UsageError(
            f"{CONV}: stands directly before a cell, not before {cell.name}", hint="for example dilated:2:conv:3:lstm"
        )
    if cell.asks and (kernel.stride, kernel.growth) != (1, 1):
        raise UsageError(
            f"{cell.name} follows gaps of its grid, which {kernel} changes",
            hint=f"for example {CONV}:3:{cell.name}",
        )
    return replace(cell, name=f"{CONV}:{kernel}:{cell.name}", kernel=kernel)
