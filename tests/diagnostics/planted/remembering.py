"""Series whose answer only memory can give: what a covariate shows once comes back in the target a season later.

The target is noise around a level but for a few steps of each season, and what these hold was shown by the covariate
`signal` before: long before, in one step or spread over many. No row of the target says it, so that neither the last
values, nor those a season ago, nor any plain forecast can know it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.csv import read_csv

Floats = NDArray[np.float64]

JOBS = Path(__file__).resolve().parents[3] / "sample_data" / "us_employment.csv"
NOISE, EFFECT, LEVEL = 0.5, 5.0, 100.0
OPTIONS = {"time": "time", "id": "series", "target": "target", "past": ("signal",)}


def announced(series: int, seasons: int, season: int, at: int, lasting: int, unit: str, seed: int) -> pa.Table:
    """A sign, shown at step `at` of a season, is the level of the first `lasting` steps of the next one."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], (series, seasons))
    signal = np.zeros((series, seasons, season))
    signal[:, :, at] = signs
    return _table(rng, signal, signs, lasting, unit)


def summed(series: int, seasons: int, season: int, lasting: int, unit: str, seed: int) -> pa.Table:
    """What was ordered step by step in a season is delivered, in equal parts, in the first steps of the next one."""
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((series, seasons, season))
    return _table(rng, signal, signal.sum(axis=2) / season**0.5, lasting, unit)


def _table(rng: np.random.Generator, signal: Floats, answer: Floats, lasting: int, unit: str) -> pa.Table:
    """The long table: `answer` [series, seasons] is added to the first steps of the season that follows."""
    target = LEVEL + NOISE * rng.standard_normal(signal.shape)
    target[:, 1:, :lasting] += EFFECT * answer[:, :-1, None]
    return as_table(target.reshape(len(signal), -1), signal.reshape(len(signal), -1), unit)


def as_table(target: Floats, signal: Floats, unit: str) -> pa.Table:
    """Both [series, steps] as columns, from 2000 on; `unit` is h or M."""
    series, steps = target.shape
    times = (np.datetime64("2000-01", unit) + np.arange(steps)).astype("datetime64[s]")
    return pa.table(
        {
            "series": np.repeat([f"series {s}" for s in range(series)], steps).tolist(),
            "time": pa.array(np.tile(times, series)),
            "target": target.ravel(),
            "signal": signal.ravel(),
        }
    )


def announced_by_hour() -> pa.Table:
    """At two in the morning the first six hours of the next day are announced."""
    return announced(16, 24, 24, 2, 6, "h", 0)


def announced_by_month() -> pa.Table:
    """In February the first quarter of the next year is announced."""
    return announced(24, 25, 12, 1, 3, "M", 1)


def summed_by_hour() -> pa.Table:
    """The orders of a day are delivered in the first six hours of the next."""
    return summed(16, 24, 24, 6, "h", 2)


def summed_by_month() -> pa.Table:
    """The orders of a year are delivered in the first quarter of the next."""
    return summed(24, 25, 12, 3, "M", 3)


def marked_by_hour() -> pa.Table:
    """Two numbers at two random hours of each day; the next day begins with their sum."""
    rng, (series, seasons, season) = np.random.default_rng(4), (16, 24, 24)
    hours = rng.permuted(np.tile(np.arange(season), (series, seasons, 1)), axis=2)
    signal = np.where(hours < 2, rng.standard_normal(hours.shape), 0.0)
    return _table(rng, signal, signal.sum(axis=2) / 2**0.5, 6, "h")


def latched_by_month() -> pa.Table:
    """A sign at a random month of each first half-year, and noise around it, is the next year's first quarter."""
    rng, (series, seasons, season) = np.random.default_rng(5), (24, 25, 12)
    signs, month = rng.choice([-1.0, 1.0], (series, seasons)), rng.integers(0, season // 2, (series, seasons, 1))
    shown = np.where(np.arange(season) == month, 2 * signs[:, :, None], 0.0)
    return _table(rng, shown + 0.2 * rng.standard_normal(shown.shape), signs, 3, "M")


def announced_jobs() -> pa.Table:
    """People employed by sector, as they were, but for every first quarter: 5 % more, or fewer, as a sign in the
    February before has said.
    """
    rng = np.random.default_rng(6)
    table = read_csv(JOBS).sort_by([("sector", "ascending"), ("month", "ascending")])
    target = table["employees"].to_numpy().reshape(-1, 10, 12).astype(np.float64)
    signs, signal = rng.choice([-1.0, 1.0], target.shape[:2]), np.zeros_like(target)
    signal[:, :, 1] = signs
    target[:, 1:, :3] *= 1 + 0.05 * signs[:, :-1, None]
    return as_table(target.reshape(len(target), -1), signal.reshape(len(target), -1), "M")
