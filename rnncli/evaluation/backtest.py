"""Splits of a panel into what a forecaster may see and what it is scored on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, UsageError

Integers = NDArray[np.int64]


class NoWindow(InputRefused):
    """None of so many `series` has rows to be scored, and a value before them."""

    def __init__(self, message: str, series: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.series = series


@dataclass(frozen=True)
class Split:
    """One origin for each of some series: forecast `horizon` rows from the first `rows_kept` rows alone.

    series [N] are places in the panel, each once; `skipped` counts the series left out because they are
    too short for this window, or have no observed value before it.
    """

    series: Integers
    rows_kept: Integers
    horizon: int
    skipped: int = 0

    def past(self, panel: Panel) -> Panel:
        """The rows before the origin: N series."""
        return panel.select(self.series).cut(self.rows_kept)

    def history(self, panel: Panel) -> tuple[Floats, Integers]:
        """The target before the origins, flat [rows], and its offsets [N + 1]; histories may be empty."""
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.rows_kept)])
        shift = np.repeat(panel.offsets[self.series] - offsets[:-1], self.rows_kept)
        return panel.targets[np.arange(offsets[-1]) + shift], offsets

    def actual(self, panel: Panel) -> Floats:
        """The target [N, horizon] from the origin on; NaN where it is missing or the series has ended."""
        steps = self.rows_kept[:, None] + np.arange(self.horizon)
        begins, ends = panel.offsets[self.series], panel.offsets[self.series + 1]
        rows = begins[:, None] + steps
        known = rows < ends[:, None]
        return np.where(known, panel.targets[np.where(known, rows, 0)], np.nan)

    def origins(self, panel: Panel) -> Integers:
        """Ordinal [N] of the last row that each forecast may see."""
        return panel.starts[self.series] + self.rows_kept - 1


def rolling_origins(
    panel: Panel, horizon: int, windows: int | None = None, stride: int | None = None, begins: Integers | None = None
) -> list[Split]:
    """`windows` splits (1 by default), `stride` rows apart (the horizon by default), the earliest first.

    The last leaves exactly `horizon` rows of every series to be scored. A series without an observed value before an
    origin is skipped in that window and counted; a window without any series is left out. With `begins` [S], rows
    before begins[s] of a series are not scored, and there are as many windows as fit. InputRefused if none is left.
    """
    stride = horizon if stride is None else stride
    for name, value in (("horizon", horizon), ("windows", windows), ("stride", stride)):
        if value is not None and value < 1:
            raise UsageError(f"{name} must be at least 1, not {value}")
    first = _first_observed(panel) + 1
    if begins is not None:
        first = np.maximum(first, begins)
        windows = 1 + int((panel.lengths - horizon - first).max(initial=0)) // stride
    splits = [_window(panel, horizon, back * stride, first) for back in reversed(range(windows or 1))]
    splits = [split for split in splits if len(split.series)]
    if not splits and begins is not None:
        raise NoWindow(
            f"no series has {horizon} rows to score in this span, and a value before them",
            len(panel),
            hint="say an earlier --from, a later --until, or a shorter --horizon",
        )
    if not splits:
        raise NoWindow(
            f"no series is long enough to hide {horizon} rows and forecast them",
            len(panel),
            hint="give longer series, or a shorter horizon",
        )
    return splits


def relative_to_cutoffs(panel: Panel, splits: Sequence[Split], cutoffs: Mapping[str, int]) -> list[NDArray[np.bool_]]:
    """For each split, whether each series' origin [N] is at or after its training cutoff: an honest score.

    `cutoffs` gives the last ordinal that training used of a series; one that is not there was never seen, and any of
    its origins is honest.
    """
    never = np.iinfo(np.int64).min
    last = np.array([cutoffs.get(name, never) for name in panel.ids], dtype=np.int64)
    return [split.origins(panel) >= last[split.series] for split in splits]


def _window(panel: Panel, horizon: int, back: int, first: Integers) -> Split:
    """The split that leaves `back` rows behind its horizon; no origin keeps fewer rows than `first` [S]."""
    kept = panel.lengths - horizon - back
    fits = kept >= first
    return Split(np.flatnonzero(fits), kept[fits], horizon, int(np.count_nonzero(~fits)))


def _first_observed(panel: Panel) -> Integers:
    """Place [S] of the first observed target in its series; the series' length if there is none."""
    seen = np.append(np.flatnonzero(~np.isnan(panel.targets)), panel.offsets[-1])
    first: Integers = seen[np.searchsorted(seen, panel.offsets[:-1])]
    return np.minimum(first, panel.offsets[1:]) - panel.offsets[:-1]
