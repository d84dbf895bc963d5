"""The options of a forecast, checked."""

from __future__ import annotations

import math

from rnncli.errors import UsageError
from rnncli.options.types import TrainOptions


def bounds(options: TrainOptions) -> tuple[float | None, float | None]:
    """The least and the largest value that the user allows, None where there is no bound. UsageError where no value
    lies between them.
    """
    low, high = options.get("min"), options.get("max")
    for name, value in (("min", low), ("max", high)):
        if value is not None and not math.isfinite(value):
            raise UsageError(f"--{name} must be a number, not {value}", hint="leave it out where there is no bound")
    if low is not None and high is not None and low >= high:
        raise UsageError(f"--min must be below --max, and {low:g} is not below {high:g}")
    return low, high


def seasons(options: TrainOptions) -> tuple[int, ...] | None:
    """The season or seasons that were given, in steps; None without any. UsageError for one below 1."""
    value = options.get("season")
    if value is None:
        return None
    found = (value,) if isinstance(value, int) else tuple(value)
    if not found or any(season < 1 for season in found):
        raise UsageError(f"a season must be at least 1 step, not {value}")
    return found


def quantile_levels(options: TrainOptions, default: tuple[float, ...]) -> tuple[float, ...]:
    """The quantile levels that were given, or the default ones, ascending, 0.5 among them. UsageError for one that is
    not between 0 and 1.
    """
    value = options.get("quantiles")
    if value is None:
        return default
    levels = tuple(sorted({*map(float, value), 0.5}))
    if not all(0 < level < 1 for level in levels):
        raise UsageError(f"quantile levels lie between 0 and 1: {', '.join(map(str, levels))}")
    return levels
