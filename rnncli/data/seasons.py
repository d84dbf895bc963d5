"""Which seasons the values show: the calendar proposes, the autocorrelation decides."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rnncli.data.calendar import DAY, DAYS, SIZES, Frequency

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SERIES, ROWS, VALUES = 200, 3_000, 1_500_000
EVIDENCE, STRONG = 0.05, 0.25
ROUNDING = 1e-9
NEARER = 0.5  # of the difference of values that lie elsewhere in a season
ONE_SIDED, MANY_TESTS = 1.645, 3.0  # standard errors: for one lag, and for the best of many
WHOLE_STEPS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 24, 26, 30, 48, 52, 60, 96, 144, 168, 288, 336, 365)
CONVENTIONAL = ("hour", "month", "quarter")


def infer_seasons(values: Floats, offsets: Ints, frequency: Frequency) -> tuple[int, ...]:
    """Seasons in steps, shortest first; (1,) if there is none. `values` are the target, NaN where missing.

    Evidence for a lag is the median over series of the autocorrelation of first differences there. Months, quarters
    and hours keep their customary season, as published comparisons do, wherever the series are long enough.
    """
    lengths = np.diff(offsets)
    customary = [m for m in proposed(frequency) if np.median(lengths) >= 1.5 * m]
    longest = (
        min(WHOLE_STEPS[-1], int(np.median(lengths)) // 3) if frequency.unit == "step" else max(customary, default=1)
    )
    if longest < 2:
        return (1,)
    acf = autocorrelation(values, offsets, 2 * longest + 1)
    rows = np.isfinite(values).sum() * min(1.0, SERIES / len(lengths))
    apart = differences_apart(values, offsets, 2 * longest + 1)
    if frequency.unit == "step":
        return _by_repetition(apart, longest) or _by_evidence_alone(acf, longest, float(rows))
    kept = [m for m in customary if _shown(acf, m, customary[0], float(rows))]
    if not kept and frequency.unit in SIZES and customary and _repeats(apart, customary[0]):
        kept = [customary[0]]  # a smooth day, of which differences of neighbours show nothing
    if frequency.unit in CONVENTIONAL and customary[0] not in kept and customary[0] == proposed(frequency)[0]:
        kept.insert(0, customary[0])
    return tuple(kept) or (1,)


def proposed(frequency: Frequency) -> list[int]:
    """The day, week and year in steps, as far as they are whole and more than one step."""
    unit, multiple = frequency.unit, frequency.multiple
    if unit in SIZES:
        step = SIZES[unit] * multiple
        spans = [DAY, 7 * DAY] if step >= SIZES["minute"] else [SIZES["minute"], SIZES["hour"]]
        return [span // step for span in spans if span % step == 0 and span // step > 1]
    years = {"business day": 5, "week": 52, "month": 12, "quarter": 4, "year": 1}
    season = 7 if unit in DAYS and unit == "day" else years.get(unit, 1)
    return [season // multiple] if season % multiple == 0 and season // multiple > 1 else []


def _shown(acf: Floats, m: int, shortest: int, rows: float) -> bool:
    """A lag shows more than chance; a longer season more than its neighbours one shorter season away.

    Chance is the test of the M4 competition, Bartlett's standard error over the `rows` that were pooled.
    """
    if not acf[m] > max(EVIDENCE, ONE_SIDED * _standard_error(acf, m, rows)):
        return False
    if m == shortest:
        return True
    neighbours = acf[[m - shortest, m + shortest]]
    return bool(acf[m] > np.nanmax(neighbours) + EVIDENCE / 2)


def _repeats(apart: Floats, m: int) -> bool:
    """Whether values a season apart, and two, are much nearer to one another than others within the season.

    A random walk, a trend and noise come no nearer again, however far apart.
    """
    return bool(max(apart[m], apart[2 * m]) <= NEARER * apart[1:m].max(initial=0.0))


def _by_repetition(apart: Floats, longest: int) -> tuple[int, ...]:
    """The shortest season in which values repeat; () if there is none."""
    lags = range(2, min(longest, (len(apart) - 1) // 2) + 1)
    found = next((m for m in lags if apart[m] <= apart[m + 1] and _repeats(apart, m)), None)
    return () if found is None else (found,)


def _standard_error(acf: Floats, m: int, rows: float) -> float:
    return float(np.sqrt((1 + 2 * np.sum(acf[1:m] ** 2)) / max(rows, 1.0)))


def _by_evidence_alone(acf: Floats, longest: int, rows: float) -> tuple[int, ...]:
    """The shortest of the strong peaks among the plausible seasons and the divisors of the highest peak."""
    lags = np.arange(2, longest + 1)
    least = [max(STRONG, MANY_TESTS * _standard_error(acf, m, rows)) for m in lags.tolist()]
    peaks = lags[acf[lags] > np.maximum(np.maximum(acf[lags - 1], acf[lags + 1]), least)]
    if not peaks.size:
        return (1,)
    highest = int(peaks[np.argmax(acf[peaks])])
    plausible = [m for m in peaks.tolist() if m in WHOLE_STEPS or highest % m == 0]
    return (min(m for m in plausible if acf[m] >= 0.85 * acf[highest]),)


def autocorrelation(values: Floats, offsets: Ints, lags: int) -> Floats:
    """Median over (at most 200) series of the autocorrelation of first differences at lags 0 ... lags: [lags + 1].

    A lag that no series is long enough for is 0.
    """
    return _median_over_series(_autocorrelation, values, offsets, lags, missing=0.0)


def differences_apart(values: Floats, offsets: Ints, lags: int) -> Floats:
    """Median over (at most 200) series of the root mean square difference of values 0 ... lags apart, without a linear
    trend, as a share of the largest of them: [lags + 1]. A lag that no series is long enough for is NaN.
    """
    return _median_over_series(_differences_apart, values, offsets, lags, missing=np.nan)


def _median_over_series(
    of: Callable[[Floats, int], Floats | None], values: Floats, offsets: Ints, lags: int, missing: float
) -> Floats:
    rows = max(ROWS, 6 * lags)
    most = min(len(offsets) - 1, SERIES, max(8, VALUES // rows))
    chosen = np.unique(np.linspace(0, len(offsets) - 2, most).astype(np.int64))
    found = [of(values[max(offsets[s], offsets[s + 1] - rows) : offsets[s + 1]], lags) for s in chosen]
    table = np.array([one for one in found if one is not None]).reshape(-1, lags + 1)
    enough = ~np.isnan(table).all(axis=0) if len(table) else np.zeros(lags + 1, bool)
    result = np.full(lags + 1, missing)
    result[enough] = np.nanmedian(table[:, enough], axis=0)
    return result


def _differences_apart(y: Floats, lags: int) -> Floats | None:
    seen = ~np.isnan(y)
    if seen.sum() < 8:
        return None
    place = np.arange(len(y)) - len(y) / 2
    centred = place[seen] - place[seen].mean()
    slope = float(centred @ y[seen] / max(float(centred @ centred), 1.0))
    level = np.where(seen, y - slope * place, 0.0)
    level = (level - level[seen].mean()) * seen
    counts = _lagged_products(seen.astype(np.float64), lags)
    squares = _lagged_products(level**2, lags, seen.astype(np.float64)) + _lagged_products(
        seen.astype(np.float64), lags, level**2
    )
    usable = min(lags + 1, len(y) // 2 + 1)
    apart = np.full(lags + 1, np.nan)
    mean = (squares - 2 * _lagged_products(level, lags)) / np.maximum(counts, 1.0)
    apart[:usable] = np.sqrt(np.maximum(mean[:usable], 0.0))
    largest = np.nanmax(apart)
    return apart / largest if largest > ROUNDING * np.abs(y[seen]).max() else None  # a line has no season


def _autocorrelation(y: Floats, lags: int) -> Floats | None:
    change = np.diff(y)
    seen = ~np.isnan(change)
    if seen.sum() < 8:
        return None
    change = np.where(seen, change, np.median(change[seen]))
    far = np.abs(change - np.median(change))
    spread = np.quantile(far, 0.98) or far.max()  # where hardly anything changes, what does is no outlier
    change = np.clip(change - np.median(change), -spread, spread) * seen  # one outlier must not hide a season
    change = change - change.mean()
    covariance = _lagged_products(change, lags) / np.maximum(_lagged_products(seen.astype(np.float64), lags), 1.0)
    if not covariance[0] > 0:
        return None
    acf = np.full(lags + 1, np.nan)
    usable = min(lags + 1, len(change) // 2 + 1)
    acf[:usable] = covariance[:usable] / covariance[0]
    return acf


def _lagged_products(x: Floats, lags: int, later: Floats | None = None) -> Floats:
    """Sum of x[t] later[t + lag] over t for lags 0 ... lags; `later` is x unless it is given."""
    size = 1 << (len(x) + lags).bit_length()
    spectrum = np.fft.rfft(x, size)
    other = spectrum if later is None else np.fft.rfft(later, size)
    return np.asarray(np.fft.irfft(np.conj(spectrum) * other, size)[: lags + 1])
