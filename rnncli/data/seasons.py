"""Which seasons the values have: the calendar and the values propose, errors on rows held out decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncli.data.calendar import DAY, DAYS, SIZES, Frequency
from rnncli.data.seasonal_errors import gain

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SERIES, ROWS, VALUES = 64, 3_000, 120_000
CYCLES = 24  # of the longest season of the calendar, at least, are looked at
FEWEST = 8  # observations of a series that is looked at
LONGEST = 2_016  # steps of a season that no calendar proposes
FOLDED = 10_000_000  # values that are folded in all
PROPOSALS, LEAST_EXPLAINED = 5, 0.05
CONVENTIONAL = ("hour", "month", "quarter")
CUSTOMARY, FURTHER, UNUSUAL, LOSS = (0.01, 1.5), (0.02, 2.0), (0.1, 3.0), (0.05, 4.0)  # share of errors, and in standard errors
SAME = 0.015  # a share of errors that is no matter
PART = 0.4  # of what is not to be expected of a part of a longer season
ROUNDING = 1e-6


def infer_seasons(values: Floats, offsets: Ints, frequency: Frequency) -> tuple[int, ...]:
    """Seasons in steps, shortest first; (1,) if there is none. `values` are the target, NaN where missing.

    Months, quarters and hours keep their customary season, as published comparisons do, unless forecasts without it
    are clearly better.
    """
    customary = proposed(frequency)
    y = sample(values, offsets, CYCLES * max(customary, default=1))
    rows = int(y.shape[1] - np.median(np.argmax(~np.isnan(y), axis=1))) if len(y) else 0
    possible = [m for m in customary if rows >= 1.5 * m]
    if not rows:
        return tuple(possible[:1]) if frequency.unit in CONVENTIONAL and possible else (1,)
    found = tuple(possible[:1]) if frequency.unit in CONVENTIONAL and possible[:1] == customary[:1] else ()
    if found and gain(y, (), found).reaches(*LOSS):
        found = ()
    for season in [m for m in possible if m not in found]:
        if gain(y, (*found, season), found).reaches(*(FURTHER if found else CUSTOMARY)):
            found = (*found, season)
    return with_unusual(y, found, [m for m in shown_periods(y, rows) if m not in possible]) or (1,)


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
    number = min(len(offsets) - 1, SERIES, max(1, VALUES // most))
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
    spread = np.quantile(far, 0.98) or far.max()  # where hardly anything changes, what does is no outlier
    return np.clip(y, -5 * spread, 5 * spread) / spread if spread > 0 else None


def with_unusual(y: Floats, found: tuple[int, ...], candidates: list[int]) -> tuple[int, ...]:
    """The seasons found with those among the candidates that clearly gain, without those that are of no use then."""
    customary = found
    for season in sorted(candidates):
        with_it = tuple(sorted((*found, season)))
        if gain(y, with_it, found).reaches(*UNUSUAL):
            found = with_it
    if found == customary:
        return found
    for season in found[:-1]:
        without = tuple(m for m in found if m != season)
        if found[-1] % season and gain(y, found, without).share < SAME:
            found = without
    return found


def shown_periods(y: Floats, rows: int) -> list[int]:
    """The few periods whose phases explain most beside chance, and that are no mere parts of one another."""
    variance, explained = phase_variance(y, rows)
    if len(variance) < 3:
        return []
    inner = np.arange(3, len(variance) - 1)
    peaks = inner[(variance[inner] > variance[inner - 1]) & (variance[inner] >= variance[inner + 1])]
    if variance[2] > variance[3]:
        peaks = np.append(peaks, 2)
    best = peaks[np.argsort(-variance[peaks])][:PROPOSALS]
    best = best[explained[best] > LEAST_EXPLAINED].tolist()

    def is_part(m: int, longer: int) -> bool:
        share = (m - 1) / (longer - 1)
        expected = share + PART * (1 - share)
        return longer > m and longer % m == 0 and explained[m] < min(expected * explained[longer], explained[longer] - 0.02)

    def is_multiple(m: int, shorter: int) -> bool:
        return m > shorter and m % shorter == 0 and 1 - explained[m] > 0.95 * (1 - explained[shorter])

    return [m for m in best if not any(is_part(m, other) or is_multiple(m, other) for other in best)]


def phase_variance(y: Floats, rows: int) -> tuple[Floats, Floats]:
    """For periods of 0, 1, 2 ... steps: the ratio of the variance between phases to that within (of a two-way analysis
    of variance, phases by cycles), the geometric mean over series, and the share that phases explain beside chance.
    """
    longest = min(rows // 3, LONGEST)
    flat = _without_line(y[: max(1, FOLDED // max(rows * longest, 1))])[:, -rows:]
    rows = flat.shape[1]
    sums, squares = (np.pad(np.cumsum(x[:, ::-1], axis=1), ((0, 0), (1, 0))) for x in (flat, flat**2))
    inside, phases = np.ones((2, longest + 1, len(flat)))
    cycles = rows // np.maximum(np.arange(longest + 1), 1)
    for m in range(2, longest + 1):
        folded = flat[:, rows - cycles[m] * m :].reshape(len(flat), cycles[m], m)
        by_cycle = np.diff(sums[:, : cycles[m] * m + 1 : m], axis=1)
        whole = by_cycle.sum(axis=1) ** 2 / (cycles[m] * m)
        inside[m] = squares[:, cycles[m] * m] - (by_cycle**2).sum(axis=1) / m
        phases[m] = (folded.sum(axis=1) ** 2).sum(axis=1) / cycles[m] - whole
    inside = np.maximum(inside, ROUNDING)
    phases = np.clip(phases / inside, ROUNDING, 1 - ROUNDING)
    left = (1 - phases) / np.maximum(cycles - 1, 1)[:, None]  # both per phase but one
    ratio, explained = np.exp(np.log(phases / left).mean(axis=1)), (1 - left * cycles[:, None]).mean(axis=1)
    ratio[:2] = explained[:2] = 0.0
    return ratio, explained


def _without_line(y: Floats) -> Floats:
    """Series [s, rows] less their least squares lines; 0 where missing."""
    seen = ~np.isnan(y)
    number = seen.sum(axis=1, keepdims=True)
    place = seen * (np.arange(y.shape[1]) - (seen @ np.arange(y.shape[1]))[:, None] / number)
    level = np.where(seen, y, 0.0)
    level -= seen * (level.sum(axis=1, keepdims=True) / number)
    slope = (place * level).sum(axis=1, keepdims=True) / np.maximum((place**2).sum(axis=1, keepdims=True), 1.0)
    return np.asarray(level - slope * place)
