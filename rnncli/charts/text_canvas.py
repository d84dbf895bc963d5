"""A canvas of letters: braille dots for lines, shades for areas."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnncli.arrays import Floats

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a letter, four rows of two
BLANK = 0x2800


class Run(NamedTuple):
    """Letters of one kind: "history", "median", "actual", "inner", "outer" or "" for the rest."""

    text: str
    kind: str = ""


class Canvas:
    """Letters in `rows` and `columns`. Places are shares of the width from the left and of the height from below."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self._letters = np.full((rows, columns), " ", dtype="<U1")
        self._kinds = np.full((rows, columns), "", dtype="<U8")
        self._dots = np.zeros((rows, columns), np.int64)

    def line(self, x: Floats, y: Floats, kind: str) -> None:
        """A line through points [n], broken where y is NaN; a point alone is a dot."""
        self._dots[:] = 0
        there = ~np.isnan(y)
        for place in np.flatnonzero(there).tolist():
            follows = place + 1 < len(y) and there[place + 1]
            self._segment(*((x[at], y[at]) for at in (place, place + 1 if follows else place)))
        here = self._dots > 0
        self._letters[here] = np.array([chr(BLANK + dots) for dots in self._dots[here].tolist()], dtype="<U1")
        self._kinds[here] = kind

    def _segment(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        across, up = 2 * self.columns - 1, 4 * self.rows - 1
        steps = 1 + int(max(abs(end[0] - begin[0]) * across, abs(end[1] - begin[1]) * up))
        for share in np.linspace(0, 1, steps + 1).tolist():
            right = round((begin[0] + share * (end[0] - begin[0])) * across)
            down = up - round((begin[1] + share * (end[1] - begin[1])) * up)
            self._dots[down // 4, right // 2] |= DOTS[down % 4][right % 2]

    def area(self, x: Floats, low: Floats, high: Floats, letter: str, kind: str) -> None:
        """What lies between two lines, a letter at least in every column from the first point to the last."""
        there = ~(np.isnan(low) | np.isnan(high))
        if not there.any():
            return
        ends = np.rint(x[there][[0, -1]] * (self.columns - 1)).astype(int)
        for column in range(ends[0], ends[1] + 1):
            at = column / max(1, self.columns - 1)
            rows = [self._row(float(np.interp(at, x[there], edge[there]))) for edge in (high, low)]
            self._letters[rows[0] : rows[1] + 1, column] = letter
            self._kinds[rows[0] : rows[1] + 1, column] = kind

    def marks(self, x: Floats, y: Floats, letter: str, kind: str) -> None:
        """A letter at every point."""
        for at, value in zip(x.tolist(), y.tolist(), strict=True):
            if not np.isnan(value):
                place = self._row(value), round(at * (self.columns - 1))
                self._letters[place], self._kinds[place] = letter, kind

    def _row(self, share: float) -> int:
        return self.rows - 1 - min(self.rows - 1, max(0, int(share * self.rows)))

    def runs(self, row: int) -> list[Run]:
        """The letters of a row, those of one kind together."""
        found: list[Run] = []
        for letter, kind in zip(self._letters[row].tolist(), self._kinds[row].tolist(), strict=True):
            if found and found[-1].kind == kind:
                found[-1] = Run(found[-1].text + letter, kind)
            else:
                found.append(Run(letter, kind))
        return found
