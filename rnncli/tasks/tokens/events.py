"""What stands beside events, and when they come, as a network sees it: numbers and codes of a row, made in one code for
training and prediction (NumPy float64; float32 in the end).

The step at position p of a document takes in the row of the token before it, with all that is known then: its channels,
the time since the row before it and since the first one, the time of day, and the day of the week. The step at the
first position takes in what is static alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Inputs, Ints
from rnncli.data.panel import Panel
from rnncli.data.tokens.channels import SINCE, TIMES
from rnncli.data.tokens.vocabulary import has_end
from rnncli.data.zones import to_wall
from rnncli.tasks.tokens.spec import Channelled, Timing, TokenSpec

DAY, SECOND = 86_400_000_000, 1_000_000  # microseconds
LATEST = 9.2e18  # microseconds that a time can have
MONDAY = 3 * DAY  # 1 January 1970 was a Thursday
MISSING, OTHER = -2, -1
FARTHEST = 10.0
ENDED = 1  # the code of the token at the end of a document, where there is one


def seen_of(rows: NDArray[Any], first: Bools, spec: TokenSpec, zone: str | None) -> tuple[Inputs, Ints]:
    """What is seen of rows [..., channels] of a panel: numbers [..., N], and codes [..., words], OTHER for a category
    that is not known, MISSING where there is none. Of rows that stand behind a `first` position [...] only what is
    static is seen.
    """
    shape = rows.shape[:-1]
    numbers, codes = [np.zeros((*shape, 0))], [np.zeros((*shape, 0), np.int64)]
    for place, channel in enumerate(spec.beside, 1):
        value = rows[..., place] if channel.static else np.where(first, np.nan, rows[..., place])
        if channel.categories:
            codes.append(_code(value, channel)[..., None])
        else:
            numbers.append(_number(value, channel))
    if spec.timing is not None:
        numbers.append(np.where(first[..., None], 0.0, _times(rows, spec.timing, zone)))
    return np.concatenate(numbers, axis=-1).astype(np.float32), np.concatenate(codes, axis=-1)


def _code(value: Floats, channel: Channelled) -> Ints:
    known = np.where(value < channel.categories, value, OTHER)
    return np.where(np.isnan(value), MISSING, known).astype(np.int64)


def _number(value: Floats, channel: Channelled) -> Floats:
    """asinh((value - center) / scale), 0 where it is missing, beside a flag that it is, where it had gaps: [..., 1 or
    2]. What is far out is seen by its logarithm.
    """
    missing = np.isnan(value)
    with np.errstate(over="ignore"):
        scaled = np.arcsinh((np.where(missing, channel.center, value) - channel.center) / channel.scale)
    scaled = np.clip(scaled, -FARTHEST, FARTHEST)
    return np.stack([scaled, missing.astype(np.float64)], axis=-1) if channel.gaps else scaled[..., None]


def _times(rows: NDArray[Any], timing: Timing, zone: str | None) -> Floats:
    """How long ago the event before and the first one were, and where on the clock and in the week it is."""
    time, before, begun = (rows[..., place] for place in range(-len(TIMES), 0))
    parts = [timing.scaled(time - before), timing.scaled(time - begun)]
    if timing.clock or timing.week:
        wall = to_wall(np.nan_to_num(time).astype(np.int64), zone)
        turn = 2 * math.pi * (wall % DAY) / DAY
        around = [wave(k * turn) for k in (1, 2) for wave in (np.sin, np.cos)]
        weekday = (wall + MONDAY) // DAY % 7
        parts += (around if timing.clock else []) + ([weekday == day for day in range(7)] if timing.week else [])
    return np.stack(parts, axis=-1).astype(np.float64)


def numbers_of(spec: TokenSpec) -> int:
    """How many numbers are seen of a row."""
    timing = spec.timing
    times = 0 if timing is None else 2 + 4 * timing.clock + 7 * timing.week
    return times + sum(1 + channel.gaps for channel in spec.beside if not channel.categories)


def waits_of(panel: Panel, begun: Bools | None = None) -> Floats:
    """The time from the event before to each row of a panel with times, as the data have it [rows]; NaN where none
    came: at the first event of a document, unless that was `begun` before [series], and at the end of one.
    """
    time, before = (panel.values[:, place] for place in SINCE)
    wait = np.maximum(time - before, 0.0)
    fresh = panel.lengths > 0 if begun is None else (panel.lengths > 0) & ~begun
    wait[panel.offsets[:-1][fresh]] = np.nan
    if has_end(panel.channels[0].vocabulary):
        wait[panel.values[:, 0] == ENDED] = np.nan
    return np.asarray(wait)


def moments(timing: Timing, last: Floats, wait: Floats) -> Ints:
    """Times [n] that are so many days, or steps, after others: in whole seconds, or steps, where all of these are."""
    found = np.minimum(last + wait * timing.day, LATEST)
    grain = 1 if timing.count else SECOND
    if timing.count or not (last % SECOND).any():
        return (np.rint(found / grain) * grain).astype(np.int64)
    return np.rint(found).astype(np.int64)
