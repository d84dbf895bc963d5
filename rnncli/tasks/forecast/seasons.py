"""Which seasons the values have: the calendar and the values propose, errors on rows held out decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.calendar import DAY, SIZES, Frequency
from rnncli.tasks.forecast.seasonal_errors import Gain, gain

SERIES, ROWS, VALUES = 64, 3_000, 60_000
MOST_ROWS = 16_000  # where no calendar proposes a season
CYCLES = 16  # of the longest season of the calendar, at least, are looked at
FEWEST = 8  # observations of a series that is looked at
LONGEST = 2_016  # steps of a season that no calendar proposes
FOLDED = 10_000_000  # values, for all periods together
PROPOSALS, LEAST_RATIO = 4, 1.5
CONVENTIONAL = ("hour", "month", "quarter")
CUSTOMARY = Gain(share=0.01, widely=0.005, surety=1.75)  # the least that a season of the calendar gains
FURTHER = Gain(share=0.02, widely=0.0, surety=2.0)  # beside another
UNUSUAL = Gain(share=0.05, widely=0.025, surety=3.0)  # one that no calendar proposes
LOSS = Gain(share=0.1, widely=0.03, surety=3.0)  # the least that none gains over a conventional one
SAME = 0.015  # a share of errors that is no matter
LOBES = 3.0  # of one period, in frequencies that whole cycles tell apart
MULTIPLE = 2.0  # times chance
PART, PART_FREEDOM = 5.0, 20  # times the variance that is left, where a part of a longer season is a season too
ROUNDING = 1e-6
OUTLYING = 4.0  # times what 90 % of the values are no further from the median than


def infer_seasons(values: Floats, offsets: Ints, frequency: Frequency) -> tuple[int, ...]:
    """Seasons in steps, shortest first; (1,) if there is none. `values` are the target, NaN where missing.

    Months, quarters and hours keep their customary season, as published comparisons do, unless forecasts without it
    are far better; it needs one and a half seasons, any other one two and a third.
    """
    customary = proposed(frequency)
    y = sample(values, offsets, CYCLES * max(customary) if customary else MOST_ROWS)
    starts = np.argmax(~np.isnan(y), axis=1) if len(y) else 0
    rows = int(y.shape[1] - np.median(starts)) if len(y) else int(np.median(np.diff(offsets)))
    possible = [m for m in customary if rows >= (1.5 if m == customary[0] else 7 / 3) * m]
    found = tuple(possible[:1]) if frequency.unit in CONVENTIONAL and possible[:1] == customary[:1] else ()
    if not len(y):
        return found or (1,)
    if found and gain(y, (), found).reaches(LOSS):
        found = ()
    for season in [m for m in possible if m not in found]:
        if gain(y, (*found, season), found).reaches(FURTHER if found else CUSTOMARY):
            found = (*found, season)
    return with_unusual(y, rows, found) or (1,)


def proposed(frequency: Frequency) -> list[int]:
    """The day, week and year in steps, as far as they are whole and more than one step."""
    unit, multiple = frequency.unit, frequency.multiple
    if unit in SIZES:
        step = SIZES[unit] * multiple
        spans = [DAY, 7 * DAY] if step >= SIZES["minute"] else [SIZES["minute"], SIZES["hour"]]
        return [span // step for span in spans if span % step == 0 and span // step > 1]
    cycles = {"day": (7, 365), "business day": (5, 261), "week": (52,), "month": (12,), "quarter": (4,)}
    return [m // multiple for m in cycles.get(unit, ()) if m % multiple == 0 and m // multiple > 1]


def sample(values: Floats, offsets: Ints, rows: int) -> Floats:
    """The last rows of some of the series, ending together, centred, with outliers drawn in: [s, rows], NaN where
    missing and before a series begins. Series that do not vary are left out.
    """
    most = max(ROWS, min(rows, VALUES))
    typical = max(1, min(most, int(np.median(np.diff(offsets)))))
    number = min(len(offsets) - 1, SERIES, max(1, VALUES // typical))
    chosen = np.unique(np.linspace(0, len(offsets) - 2, number).astype(np.int64))
    recent = [values[max(offsets[s], offsets[s + 1] - most) : offsets[s + 1]] for s in chosen]
    recent = [one for one in map(_drawn_in, recent) if one is not None]
    y = np.full((len(recent), max(map(len, recent), default=0)), np.nan)
    for row, one in zip(y, recent, strict=True):
        row[len(row) - len(one) :] = one
    return y


def _drawn_in(y: Floats) -> Floats | None:
    seen = ~np.isnan(y)
    if seen.sum() < FEWEST:
        return None
    y = y[np.argmax(seen) :] - np.median(y[seen])
    far = np.abs(y[~np.isnan(y)])
    # where hardly anything changes, what does is no outlier
    spread = float(np.quantile(far, 0.9) or np.quantile(far, 0.98) or far.max())
    return np.clip(y / spread, -OUTLYING, OUTLYING) if spread > 0 else None


def with_unusual(y: Floats, rows: int, found: tuple[int, ...]) -> tuple[int, ...]:
    """The seasons found, and those that no calendar proposes but that the values show and that clearly gain; without
    those that are of no use then.
    """
    before = found
    for season in sorted({*shown_periods(y, rows, found)} - {*found}):
        with_it = tuple(sorted((*found, season)))
        if gain(y, with_it, found).reaches(UNUSUAL):
            found = with_it
    return found if found == before else _useful(y, found)


def _useful(y: Floats, found: tuple[int, ...]) -> tuple[int, ...]:
    """Without the seasons, no whole parts of longer ones, without which errors are hardly larger."""
    for season in found:
        others = tuple(m for m in found if m != season)
        if others and all(m % season for m in others) and gain(y, found, others).share < SAME:
            found = others
    return found


def shown_periods(y: Floats, rows: int, found: tuple[int, ...]) -> list[int]:
    """The few periods beside those found whose phases explain most beside chance, and that are no mere parts or
    multiples of one another.
    """
    longest = min(rows // 3, LONGEST)
    if longest < 3:
        return []
    flat = _without_line(y[: max(1, FOLDED // (rows * longest))])[:, -rows:]
    shown = phase_variance(flat, range(1, longest + 2))
    inner = np.arange(2, longest + 1)
    ratio = shown.ratio[inner - 1]
    peaks = inner[(ratio > shown.ratio[inner - 2]) & (ratio >= shown.ratio[inner]) & (ratio > LEAST_RATIO)]
    kept = [m for m in found if m <= longest]
    for m in peaks[np.argsort(-shown.ratio[peaks - 1])].tolist():
        mere = any(m % n == 0 and shown.nested(n, m) < MULTIPLE for n in kept if n < m)
        same = any(abs(m - n) <= max(m // 50, LOBES * m * n / rows) for n in kept)
        if not (mere or same) and len(kept) < len(found) + PROPOSALS:
            kept.append(m)
    parts = [m for m in kept if any(n > m and n % m == 0 and shown.part(m, n) < PART for n in kept)]
    return [_refined(flat, m) for m in kept if m not in found and m not in parts]


def _refined(flat: Floats, period: int) -> int:
    """The period nearby whose phases leave least without noise: in means over a 24th of it."""
    width, around = max(1, period // 24), period // 50
    sums = np.pad(np.cumsum(flat, axis=1), ((0, 0), (1, 0)))
    near = range(period - around, period + around + 1)
    return near[int(np.argmin(phase_variance(sums[:, width:] - sums[:, :-width], near).left))]


@dataclass(frozen=True)
class PhaseVariance:
    """A two-way analysis of variance, phases by cycles, for each period of 1, 2 ... steps, or of other ranges: the
    ratio of the variance between phases to what is left, the sums of squares between phases and what is left of each
    row, means over series.
    """

    ratio: Floats
    between: Floats
    left: Floats

    def nested(self, period: int, multiple: int) -> float:
        """How much more of the variance than chance a multiple of a period explains beside it (an F-ratio)."""
        beside = self.between[multiple - 1] - self.between[period - 1]
        return float(beside / (multiple - period) / self.left[multiple - 1])

    def part(self, period: int, multiple: int) -> float:
        """How much more of what a multiple explains the period explains than chance among the multiple's phases would
        (an F-ratio, smaller where these are few).
        """
        chance = max(float(self.between[multiple - 1] - self.between[period - 1]), ROUNDING) / (multiple - period)
        few = 1 + PART_FREEDOM / (multiple - period)
        return float(self.between[period - 1] / (period - 1) / chance / few)


def phase_variance(flat: Floats, periods: range) -> PhaseVariance:
    """The variance between and within the phases of each period, of series [s, rows] without gaps."""
    rows = flat.shape[1]
    sums, squares = (np.pad(np.cumsum(x[:, ::-1], axis=1), ((0, 0), (1, 0))) for x in (flat, flat**2))
    inside, between = np.zeros((2, len(periods), len(flat)))
    cycles = rows // np.array(periods)
    for place, (m, number) in enumerate(zip(periods, cycles.tolist(), strict=True)):
        folded = flat[:, rows - number * m :].reshape(len(flat), number, m)
        by_cycle = np.diff(sums[:, : number * m + 1 : m], axis=1)
        whole = by_cycle.sum(axis=1) ** 2 / (number * m)
        inside[place] = squares[:, number * m] - (by_cycle**2).sum(axis=1) / m
        between[place] = (folded.sum(axis=1) ** 2).sum(axis=1) / number - whole
    inside = np.maximum(inside, ROUNDING)
    between = np.clip(between, ROUNDING * inside, (1 - ROUNDING) * inside)
    phases = np.maximum(np.array(periods) - 1, 1)[:, None]
    left = (inside - between) / (np.maximum(cycles - 1, 1)[:, None] * phases)
    ratio = np.exp(np.log(between / phases / left).mean(axis=1))
    return PhaseVariance(ratio, between.mean(axis=1), left.mean(axis=1))


def _without_line(y: Floats) -> Floats:
    """Series [s, rows] less their least squares lines; 0 where missing."""
    seen = ~np.isnan(y)
    number = seen.sum(axis=1, keepdims=True)
    place = seen * (np.arange(y.shape[1]) - (seen @ np.arange(y.shape[1]))[:, None] / number)
    level = np.where(seen, y, 0.0)
    level -= seen * (level.sum(axis=1, keepdims=True) / number)
    slope = (place * level).sum(axis=1, keepdims=True) / np.maximum((place**2).sum(axis=1, keepdims=True), 1.0)
    return np.asarray(level - slope * place)
