"""Seasons of made-up series: a profile of random shape over one cycle, repeated, and perhaps changing as it goes on."""

from __future__ import annotations

import math

import numpy as np

from rnncli.arrays import Floats

Rng = np.random.Generator


def season(rng: Rng, rows: int, length: int) -> Floats:
    """A season of so many rows, of unit variance about: [rows]."""
    profile = _profile(rng, length)
    at = (np.arange(rows) + int(rng.integers(length))) % length
    kind = rng.random()
    if kind < 0.65:
        return profile[at]
    share = np.clip(np.arange(rows) / max(rows - 1, 1), 0, 1)
    if kind < 0.8:  # grows or fades
        return np.asarray(profile[at] * (1 + (rng.uniform(-0.8, 2) * (share - 0.5))))
    other = _profile(rng, length)
    turn = share if kind < 0.95 else (share > rng.random()).astype(np.float64)
    return np.asarray(profile[at] * (1 - turn) + other[at] * turn)


def days_of_weeks(rng: Rng, rows: int, day: int, week: int) -> Floats:
    """Days that are alike in shape and differ in size and level over the week, two of them more than the others; of
    unit variance about.
    """
    days = week // day
    size, level = np.exp(rng.normal(0, 0.15, days)), rng.normal(0, 0.2, days)
    off = (int(rng.integers(days)) + np.arange(2)) % days
    size[off] *= rng.uniform(0.1, 1.1)
    level[off] += rng.normal(0, 0.7)
    shape, other = _profile(rng, day), _profile(rng, day)
    place = (np.arange(rows) + int(rng.integers(week))) % week
    which = place // day
    made = shape[place % day] * size[which] + level[which]
    if rng.random() < 0.4:
        made += np.isin(which, off) * other[place % day] * rng.uniform(0.2, 1)
    return np.asarray(made / (made.std() + 1e-9))


def _profile(rng: Rng, length: int) -> Floats:
    kind = rng.random()
    if kind < 0.45 or length < 4:
        profile = rng.standard_normal(length)
        if length > 12:  # of many rows neighbours are alike
            profile = _waves(rng, length)
    elif kind < 0.8:
        profile = _waves(rng, length)
    elif kind < 0.92:  # some rows stand out: December, weekends, the hours of a shift
        profile = np.zeros(length)
        begin, width = int(rng.integers(length)), max(1, int(length * rng.uniform(0.05, 0.4)))
        profile[(begin + np.arange(width)) % length] = rng.choice([-1.0, 1.0]) * (1 + 0.3 * rng.standard_normal(width))
    else:
        profile = _waves(rng, length) + 0.5 * rng.standard_normal(length)
    profile = profile - profile.mean()
    return np.asarray(profile / (profile.std() + 1e-9))


def _waves(rng: Rng, length: int) -> Floats:
    """A few harmonics whose size falls with their number."""
    at = 2 * math.pi * np.arange(length) / length
    most = max(1, min(length // 2, int(rng.integers(1, 9))))
    falling = rng.uniform(0.3, 2)
    waves = [
        rng.standard_normal() * n**-falling * np.sin(n * at + rng.uniform(0, 2 * math.pi)) for n in range(1, most + 1)
    ]
    return np.asarray(np.sum(waves, axis=0))
