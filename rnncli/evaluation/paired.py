"""Whether one forecaster is better than another by more than chance, on the same forecasts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints

Integers = NDArray[np.int64]

RESAMPLES = 1_999
MANY = 10  # series from which on they are resampled
FEW = 5  # origins that a test over time needs
STRETCHES = 50  # in which few documents are cut, to be compared
_CELLS = 4_000_000  # of a block of resamples


@dataclass(frozen=True)
class Losses:
    """The loss of every forecast [N] by each forecaster, with the series [N] and the window [N] it belongs to.

    The loss of a forecast is the mean absolute error over the history's seasonal scale, NaN where that is undefined;
    `overlap` is how many windows, `stride` apart, reach over the same rows. `metric` is the metric that the mean loss
    is, `units` what is compared, `resampled` what a bootstrap draws from.
    """

    series: Integers
    window: Integers
    overlap: int
    of: dict[str, Floats]
    metric: str = "mase"
    units: str = "forecasts"
    resampled: str = "series and origins"


@dataclass(frozen=True)
class Comparison:
    """A model beside a rival: `difference` is its value of a metric less the rival's, `p` the chance of one so good
    if the model were no better (NaN where too few units tell), `direction` which values of the metric are better.
    """

    rival: str
    difference: float
    p: float
    method: str
    count: int
    metric: str = "mase"
    units: str = "forecasts"
    direction: Literal["lower", "higher"] = "lower"

    def better(self, alpha: float) -> bool:
        """Whether the model is better at this level of significance."""
        gain = -self.difference if self.direction == "lower" else self.difference
        return gain > 0 and self.p < alpha

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        p = None if math.isnan(self.p) else self.p
        difference = None if math.isnan(self.difference) else self.difference
        return {
            "rival": self.rival,
            f"{self.metric}_difference": difference,
            "p": p,
            "method": self.method,
            self.units: self.count,
        }


def compare(losses: Losses, model: str, rival: str) -> Comparison:
    """A one-sided test of whether `model` has a lower mean loss than `rival`.

    With many series a bootstrap that resamples series and, for all of them together, blocks of origins (dependence
    over time and between series stays); else, with enough origins, the test of Diebold & Mariano (1995) with the
    small-sample correction of Harvey, Leybourne & Newbold (1997).
    """
    said = partial(Comparison, rival, metric=losses.metric, units=losses.units)
    difference = losses.of[model] - losses.of[rival]
    known = ~np.isnan(difference)
    if not known.any():
        return said(difference=math.nan, p=math.nan, method=f"no {losses.units} can be compared", count=0)
    table = _table(losses.series[known], losses.window[known], difference[known])
    said = partial(said, difference=float(difference[known].mean()), count=int(known.sum()))
    if len(table) >= MANY:
        return said(p=_bootstrap(table, losses.overlap), method=f"bootstrap over {losses.resampled}")
    if table.shape[1] >= FEW:
        return said(p=diebold_mariano(np.nanmean(table, axis=0), losses.overlap), method="Diebold-Mariano over origins")
    return said(p=math.nan, method=f"too few {losses.units} to tell")


def summed(offsets: Ints, losses: Mapping[str, NDArray[Any]], metric: str) -> Losses:
    """Losses [n] of the rows of documents, of which each begins at `offsets` [documents + 1], summed in each or, where
    these are few, in stretches of them, so that their mean over these is that over rows: those of one document are not
    independent.
    """
    count = int(offsets[-1])
    begins = offsets[:-1][np.diff(offsets) > 0]
    of_documents = len(begins) >= MANY
    if not of_documents:
        begins = np.arange(0, count, max(count // max(STRETCHES, FEW), 1))
    every, share = np.arange(len(begins)), len(begins) / count
    of = {name: np.add.reduceat(one, begins, dtype=np.float64) * share for name, one in losses.items()}
    if of_documents:
        return Losses(every, np.zeros_like(every), 1, of, metric, "documents", "documents")
    return Losses(np.zeros_like(every), every, 2, of, metric, "stretches", "stretches")


def called(found: Comparison) -> Comparison:
    """A comparison over stretches of documents under that name."""
    return replace(found, method=found.method.replace("over origins", "over stretches"))


def mcnemar(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    """One-sided exact p-value that a model is no more often right [n] than a rival [n] (McNemar 1947).

    P(X >= b) of the b + c units that one of them alone has right, b of them the model, if either were as likely.
    """
    n, gained = int(np.count_nonzero(ours != theirs)), int(np.count_nonzero(ours & ~theirs))
    ways = (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(gained, n + 1))
    return min(math.fsum(math.exp(way - n * math.log(2)) for way in ways), 1.0)


def diebold_mariano(difference: Floats, overlap: int = 1) -> float:
    """One-sided p-value of a mean loss difference [n] below 0; neighbours up to `overlap` - 1 apart are correlated."""
    n, h = len(difference), min(overlap, len(difference) // 2)
    away = difference - difference.mean()
    covariance = [float((away[k:] * away[: n - k]).sum() / n) for k in range(h)]
    variance = covariance[0] + 2 * sum(covariance[1:])
    if variance <= 0:  # of overlapping forecasts the estimate may be; the plain one never is
        variance, h = covariance[0], 1
    if variance <= 0:
        return 0.0 if difference.mean() < 0 else 1.0
    statistic = float(difference.mean()) / math.sqrt(variance / n)
    correction = math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    return student_t_below(statistic * correction, n - 1)


def student_t_below(t: float, degrees: int) -> float:
    """P(T <= t) of Student's t with a whole number of degrees of freedom (Abramowitz & Stegun 1964, 26.7.3-4)."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine, odd = math.cos(angle), degrees % 2
    term, total = (cosine if odd else 1.0), 0.0
    for k in range(degrees // 2):
        total += term
        term *= cosine**2 * (2 * k + 1 + odd) / (2 * k + 2 + odd)
    inside = 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
    return min(max(0.5 + 0.5 * inside, 0.0), 1.0)  # far out, rounding is larger than what is left


def _table(series: Integers, window: Integers, difference: Floats) -> Floats:
    """Differences by series and window [S, W], NaN where there is no forecast."""
    _, row = np.unique(series, return_inverse=True)
    _, column = np.unique(window, return_inverse=True)
    table = np.full((row.max() + 1, column.max() + 1), np.nan)
    table[row, column] = difference
    return table


def _bootstrap(table: Floats, overlap: int) -> float:
    """Share of resampled means that are not below 0."""
    rng = np.random.default_rng(0)
    seen = ~np.isnan(table)
    filled = np.where(seen, table, 0.0)
    size, windows = table.shape
    block = min(windows, max(overlap, round(windows ** (1 / 3))))
    at_once = max(1, _CELLS // size)
    not_below = 0
    for begin in range(0, RESAMPLES, at_once):
        count = min(at_once, RESAMPLES - begin)
        rows = rng.multinomial(size, np.full(size, 1 / size), count).astype(np.float64)
        columns = _block_counts(rng, count, windows, block)
        above = ((rows @ filled) * columns).sum(axis=1)
        below = ((rows @ seen.astype(np.float64)) * columns).sum(axis=1)
        not_below += int(np.count_nonzero(above / np.maximum(below, 1) >= 0))
    return (1 + not_below) / (1 + RESAMPLES)


def _block_counts(rng: np.random.Generator, count: int, windows: int, block: int) -> Floats:
    """The number of times that each window is drawn, in circular blocks of neighbours: [count, windows]."""
    blocks = -(-windows // block)
    starts = rng.integers(0, windows, (count, blocks))
    drawn = ((starts[..., None] + np.arange(block)) % windows).reshape(count, -1)[:, :windows]
    counts = np.zeros((count, windows))
    np.add.at(counts, (np.arange(count)[:, None], drawn), 1.0)
    return counts
