"""The plain forecasts that the decoder weighs, each an exact function of the lookback before the origin.

Names say what they are: `level` and `last`; `drift` (the last value and the mean change a step); `season M` and
`season M mean` (the value at the same phase of the last season of M steps, the mean over the last few); and, with the
profiles of the seasons taken out before and put back after, `steady` (the last value) and `mean R` and `trend R`:
discounted least squares (Brown 1963, "Smoothing, Forecasting and Prediction of Discrete Time Series") of a constant
and of a line, where a row R steps older counts 1/e as much. A discounted mean is simple exponential smoothing with
alpha = 1 - exp(-1/R). Where names must not depend on the seasons, `first season` and `longest season` stand for those
of the first and of the longest one, the last value and the level where there is none.
"""

from __future__ import annotations

import math

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.layers.linear import linear

SEASONS_AVERAGED = 4
FIRST_REACH, REACH_RATIO, LONGEST_REACH = 2, 3, 1 << 20
SMALLEST_ERROR, MOST_LOG_ERROR = 0.02, 4.0
FIRST, LONGEST = "first season", "longest season"
SEASONS_BY_RANK = (FIRST, f"{FIRST} mean", LONGEST, f"{LONGEST} mean")
UNIVERSAL_REACHES = (2, 6, 18, 54, 162)
SLOPE_PRIOR = 2.0  # rows squared: how much a slope from a handful of rows is drawn to 0


def first_names(seasons: tuple[int, ...]) -> tuple[str, ...]:
    """The plain forecasts of models that do not name theirs, those of the first release."""
    seasonal = [name for m in seasons if m > 1 for name in (f"season {m}", f"season {m} mean")]
    return ("level", "last", "drift", *seasonal)


def names(seasons: tuple[int, ...], lookback: int) -> tuple[str, ...]:
    """The plain forecasts for these seasons: means and trends of several reaches up to the lookback."""
    reaches = [FIRST_REACH * REACH_RATIO**i for i in range(8)]
    reaches = [reach for reach in reaches if reach < lookback] or [FIRST_REACH]
    smooth = [f"mean {reach}" for reach in reaches] + [f"trend {reach}" for reach in reaches[1:]]
    return (*first_names(seasons), "steady", *smooth)


def universal_names() -> tuple[str, ...]:
    """The plain forecasts that there are for all seasons alike."""
    smooth = [f"mean {reach}" for reach in UNIVERSAL_REACHES] + [f"trend {reach}" for reach in UNIVERSAL_REACHES[1:]]
    return ("level", "last", "drift", *SEASONS_BY_RANK, "steady", *smooth)


def is_known(name: str, seasons: tuple[int, ...]) -> bool:
    """Whether there is a plain forecast of this name."""
    kind, _, reach = name.partition(" ")
    smooth = kind in ("mean", "trend") and reach.isdecimal() and 0 < int(reach) <= LONGEST_REACH
    return name in (*first_names(seasons), *SEASONS_BY_RANK, "steady") or smooth


def plain_forecasts(relative: Floats, chosen: tuple[str, ...], seasons: tuple[int, ...], horizon: int) -> Floats:
    """Plain forecasts of histories relative to their level [o, lookback], NaN where missing: [o, horizon, c]."""
    ahead = np.arange(1, horizon + 1)
    made = _first(relative, seasons, ahead)
    if any(name not in made for name in chosen):
        made |= _deseasonalised(relative, chosen, seasons, ahead)
    return np.stack([made[name] for name in chosen], axis=2)


def past_errors(relative: Floats, chosen: tuple[str, ...], seasons: tuple[int, ...], ago: int) -> Floats:
    """How far off each plain forecast was that was made `ago` rows before the origin: the logarithm of its mean
    absolute error over that of all of them, [o, c]; 0 where nothing was observed since.
    """
    before = np.concatenate([np.full((len(relative), ago), np.nan), relative[:, :-ago]], axis=1)
    level = _level(before, max(seasons[0], 1))
    made = plain_forecasts(before - level, chosen, seasons, ago) + level[..., None]
    error = np.abs(made - relative[:, -ago:, None])
    seen = ~np.isnan(error)
    mean = np.where(seen, error, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1) + SMALLEST_ERROR
    return np.asarray(np.clip(np.log(mean / mean.mean(axis=1, keepdims=True)), -MOST_LOG_ERROR, MOST_LOG_ERROR))


def _level(relative: Floats, rows: int) -> Floats:
    """Mean of the last rows, or the last value where none of them is observed: [o, 1]."""
    recent = relative[:, -rows:]
    seen = ~np.isnan(recent)
    count = seen.sum(axis=1, keepdims=True)
    mean = np.where(seen, recent, 0.0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, mean, last_value(relative)))


def _first(relative: Floats, seasons: tuple[int, ...], ahead: Ints) -> dict[str, Floats]:
    last = last_value(relative)
    made = {
        "level": np.zeros((len(relative), len(ahead))),
        "last": np.repeat(last, len(ahead), axis=1),
        "drift": last + _slope(relative) * ahead,
    }
    for season in (m for m in seasons if m > 1):
        made[f"season {season}"], made[f"season {season} mean"] = _seasonal(relative, season, ahead)
    for name, season in ((FIRST, seasons[0]), (LONGEST, max(seasons))):
        made[name] = made[f"season {season}" if season > 1 else "last"]
        made[f"{name} mean"] = made[f"season {season} mean" if season > 1 else "level"]
    return made


def last_value(relative: Floats) -> Floats:
    """The last observation of each row, 0 (the level) where there is none: [o, 1]."""
    seen = ~np.isnan(relative)
    place = relative.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
    return np.asarray(np.nan_to_num(relative[np.arange(len(relative)), place])[:, None])


def _slope(relative: Floats) -> Floats:
    """Mean change a step between the first and the last observation of the lookback: [o, 1]."""
    seen = ~np.isnan(relative)
    first, final = np.argmax(seen, axis=1), relative.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
    rows = np.arange(len(relative))
    span = np.maximum(final - first, 1)
    slope = np.nan_to_num(relative[rows, final] - relative[rows, first]) / span
    return np.asarray(slope[:, None])


def _folded(relative: Floats, season: int, most: int = SEASONS_AVERAGED) -> Floats:
    """The last few whole seasons, one below the other, NaN before the lookback: [o, cycles, season]."""
    cycles = min(most, max(1, relative.shape[1] // season))
    width = min(cycles * season, relative.shape[1])
    padded = np.full((len(relative), cycles * season), np.nan)
    padded[:, cycles * season - width :] = relative[:, relative.shape[1] - width :]
    return padded.reshape(len(relative), cycles, season)


def _seasonal(relative: Floats, season: int, ahead: Ints) -> tuple[Floats, Floats]:
    """Last value at each phase of the season, and the mean of the last few; 0 (the level) where none was seen."""
    folded = _folded(relative, season)
    seen = ~np.isnan(folded)
    mean = np.where(seen, folded, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    newest = folded.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
    last = np.nan_to_num(np.take_along_axis(folded, newest[:, None], axis=1)[:, 0])
    phase = (ahead - 1) % season
    return last[:, phase], mean[:, phase]


def _deseasonalised(
    relative: Floats, chosen: tuple[str, ...], seasons: tuple[int, ...], ahead: Ints
) -> dict[str, Floats]:
    past, back = seasonal_part(relative, seasons, ahead)
    bare = relative - past
    made = {"steady": last_value(bare) + back}
    for reach in sorted({int(name.split()[1]) for name in chosen if name.startswith(("mean ", "trend "))}):
        mean, level, slope = discounted(bare, reach)
        made[f"mean {reach}"] = mean + back
        made[f"trend {reach}"] = level + slope * ahead + back
    return made


def seasonal_part(relative: Floats, seasons: tuple[int, ...], ahead: Ints) -> tuple[Floats, Floats]:
    """What the phases of the seasons add to each row of the lookback [o, L] and of the horizon [o, H]: the shortest
    season's profile, then that of what is left of the next, of all that have two cycles in the lookback.
    """
    lookback = relative.shape[1]
    usable = [m for m in sorted(seasons) if 1 < m <= lookback // 2]
    _, level, slope = discounted(relative, math.inf)
    rows = np.arange(-lookback, 0)
    away = relative - level - slope * (rows + 1)
    past, future = np.zeros_like(relative), np.zeros((len(relative), len(ahead)))
    for m in usable:
        profile = shrunk_profile(_folded(away, m, max(SEASONS_AVERAGED, 2 * usable[-1] // m)))
        away = away - profile[:, rows % m]
        past += profile[:, rows % m]
        future += profile[:, (ahead - 1) % m]
    return past, future


def shrunk_profile(folded: Floats) -> Floats:
    """Means of the phases of cycles [o, cycles, season], drawn to 0 by as much as chance would explain of them (an
    analysis of variance; James & Stein 1961): [o, season]. The first is the next step's.
    """
    seen = ~np.isnan(folded)
    count = seen.sum(axis=1)
    mean = np.where(seen, folded, 0.0).sum(axis=1) / np.maximum(count, 1)
    inside = np.where(seen, folded - mean[:, None], 0.0)
    freedom = np.maximum((count - 1).clip(min=0).sum(axis=1), 1)
    chance = (inside**2).sum(axis=(1, 2)) / freedom / np.maximum(count.mean(axis=1), 1)
    mean -= mean.mean(axis=1, keepdims=True)
    shown = (mean**2).mean(axis=1)
    share = np.where((shown > 0) & (count.max(axis=1) > 1), 1 - chance / np.where(shown > 0, shown, 1.0), 0.0)
    return np.asarray(mean * np.clip(share, 0.0, 1.0)[:, None])


def discounted(x: Floats, reach: float) -> tuple[Floats, Floats, Floats]:
    """Discounted least squares over rows [o, L], NaN where missing: the mean, and the level and slope of a line at the
    last row; [o, 1] each, 0 where nothing is observed.
    """
    age = np.arange(x.shape[1] - 1, -1, -1.0)
    weight = np.exp(-age / reach)
    moments = np.stack([weight, weight * age, weight * age**2])
    seen = ~np.isnan(x)
    s0, s1, s2 = linear(seen.astype(np.float64), moments).T[..., None]
    t0, t1 = linear(np.where(seen, x, 0.0), moments[:2]).T[..., None]
    s0 = np.where(s0 > 0, s0, 1.0)
    mean, middle = t0 / s0, s1 / s0
    slope = -(t1 - middle * t0) / (np.maximum(s2 - middle * s1, 0.0) + SLOPE_PRIOR)
    return mean, mean + slope * middle, slope
