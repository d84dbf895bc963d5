"""Series that dominate training: those whose loss, or gradient, is out of all proportion to the others'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.diagnostics.resampling import Floats

TIMES = 10.0  # the median series
SHARE = 0.5  # of the whole: together they outweigh all others
FEWEST = 4  # series that have a median worth the name
NAMED = 5


@dataclass(frozen=True)
class SeriesShares:
    """Every series with its loss and the norm of the loss's gradient at the last layer's output, each the mean over
    the series' origins.
    """

    ids: tuple[str, ...]
    losses: Floats
    gradients: Floats

    def dominant(self, values: Floats) -> tuple[str, ...]:
        """The ids of series whose value is above ten times the median, the largest first, where together they make up
        more than half of the sum; none among fewer than four series.
        """
        sizes = np.where(np.isfinite(values), values, np.inf)
        if len(sizes) < FEWEST:
            return ()
        order = np.argsort(-sizes, kind="stable")
        out = [s for s in order if sizes[s] > TIMES * np.median(sizes)]
        whole = float(sizes.sum())
        part = 1.0 if not np.isfinite(whole) else float(sizes[out].sum()) / whole if whole > 0 else 0.0
        return tuple(self.ids[s] for s in out) if out and part >= SHARE else ()

    def share(self, series: str, values: Floats) -> float:
        """The share of one series in the sum."""
        whole = float(np.where(np.isfinite(values), values, 0.0).sum())
        value = float(values[self.ids.index(series)])
        return 1.0 if not np.isfinite(value) else value / whole if whole > 0 else 0.0
