"""Ranks of several forecasters over many blocks, and how far apart two ranks must be to mean something."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.arrays import Floats

FEWEST = 5  # blocks from which ranks say anything
_GRID = np.linspace(-8.5, 8.5, 3_401)  # a standard normal lies outside of it once in 10^16


@dataclass(frozen=True)
class Ranks:
    """Mean ranks (1 is the lowest loss) of forecasters by name, over `count` blocks (`units`: series, or forecasts).

    `p` is the chance of ranks as unequal as these if no forecaster were better (Friedman 1937), and `critical` how far
    apart two mean ranks must be at level `alpha` (Nemenyi 1963, as in Demsar 2006); both NaN where there are too few
    blocks.
    """

    mean: Mapping[str, float]
    count: int
    units: str
    p: float
    critical: float
    alpha: float

    @property
    def alike(self) -> tuple[tuple[str, ...], ...]:
        """The largest groups, each of forecasters whose mean ranks lie within the critical difference, best first."""
        order = sorted(self.mean, key=lambda name: self.mean[name])
        found: list[tuple[str, ...]] = []
        for place, first in enumerate(order):
            group = tuple(name for name in order[place:] if not self.mean[name] - self.mean[first] > self.critical)
            if len(group) > 1 and not (found and set(group) <= set(found[-1])):
                found.append(group)
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        told = not math.isnan(self.critical)
        return {
            "mean": dict(self.mean),
            self.units: self.count,
            "friedman_p": self.p if told else None,
            "critical_difference": self.critical if told else None,
            "alpha": self.alpha,
            "alike": [list(group) for group in self.alike] if told else None,
        }


def ranked(losses: Mapping[str, Floats], units: str, alpha: float) -> Ranks:
    """The ranks of forecasters by their losses [blocks]; a block in which one has none is left out."""
    table = np.stack(list(losses.values()), axis=1)
    table = table[~np.isnan(table).any(axis=1)]
    count, k = table.shape
    places = midranks(table)
    mean = places.mean(axis=0) if count else np.full(k, math.nan)
    enough = count >= FEWEST
    return Ranks(
        dict(zip(losses, mean.tolist(), strict=True)),
        count,
        units,
        friedman(places) if enough else math.nan,
        critical_difference(k, count, alpha) if enough else math.nan,
        alpha,
    )


def midranks(table: Floats) -> Floats:
    """The rank of each value in its row, from 1; equal ones share the mean of their ranks: [n, k] -> [n, k]."""
    below = (table[:, None, :] < table[:, :, None]).sum(axis=2)
    equal = (table[:, None, :] == table[:, :, None]).sum(axis=2)
    return np.asarray(below + (equal + 1) / 2)


def friedman(ranks: Floats) -> float:
    """The p-value of Friedman's test, corrected for ties, from ranks [n, k]; 1 where all are equal."""
    n, k = ranks.shape
    within = float(((ranks - (k + 1) / 2) ** 2).sum()) / (n * (k - 1))
    if within == 0:
        return 1.0
    between = n * float(((ranks.mean(axis=0) - (k + 1) / 2) ** 2).sum())
    return chi_squared_above(between / within, k - 1)


def critical_difference(k: int, n: int, alpha: float) -> float:
    """Nemenyi's critical difference of the mean ranks of k forecasters over n blocks (Demsar 2006, section 3.2.2)."""
    return studentized_range(k, alpha) / math.sqrt(2) * math.sqrt(k * (k + 1) / (6 * n))


def studentized_range(k: int, alpha: float) -> float:
    """The value that the range of k independent standard normals is above with probability `alpha`."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _range_below(middle, k) < 1 - alpha else (low, middle)
    return (low + high) / 2


def _range_below(width: float, k: int) -> float:
    """P(range of k standard normals <= width) = k times the integral of phi(z) (Phi(z) - Phi(z - width))^(k - 1)."""
    inside = _normal_below(_GRID) - _normal_below(_GRID - width)
    density = np.exp(-(_GRID**2) / 2) / math.sqrt(2 * math.pi)
    return k * float(np.trapezoid(density * inside ** (k - 1), _GRID))


def _normal_below(z: Floats) -> Floats:
    return np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in z.tolist()])


def chi_squared_above(x: float, degrees: int) -> float:
    """P(X > x) of a chi-squared with a whole number of degrees of freedom (Abramowitz & Stegun 1964, 26.4.4-5)."""
    odd, root = degrees % 2, math.sqrt(x)
    total = math.erfc(root / math.sqrt(2)) if odd else math.exp(-x / 2)
    term = math.sqrt(2 / math.pi) * math.exp(-x / 2) * root if odd else math.exp(-x / 2) * x / 2
    for k in range((degrees - 1) // 2):
        total += term
        term *= x / (2 * k + (3 if odd else 4))
    return min(max(total, 0.0), 1.0)


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted for how many there are (Holm 1979); NaN stays, and does not count."""
    order = sorted((value, place) for place, value in enumerate(p) if not math.isnan(value))
    adjusted, largest = list(p), 0.0
    for place, (value, index) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - place) * value))
        adjusted[index] = largest
    return adjusted
