"""How much a season takes from the errors of simple forecasts on rows held out: each forecast is made from the rows
before its origin alone, as local levels and lines of what the seasons' profiles leave, plus the profiles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rnncli.arrays import Floats, Ints

FEWEST_ORIGINS, MOST_ORIGINS, FORECAST_FROM = 8, 24, 600_000  # values, of all origins together
HELD_OUT = 1 / 3  # of the rows of a series, at least
ROWS, CYCLES = 2_000, 16  # rows, or cycles of the longest season, that the profiles are means of
REACHES = (3.0, 12.0, 48.0, math.inf)  # rows, of discounted means
LINES = (48.0, math.inf)
LEVEL_ROWS, LEVEL_CYCLES = 1_000, 4  # that levels and lines are fitted to
LEAST_WEIGHT = 1e-12  # so that there is a level after a long gap
OUTLYING = 4.0  # robust standard deviations
SLOPE_PRIOR = 2.0  # rows squared
PRIOR_SPREAD, PRIOR_BLOCKS = 0.25, 2.0  # what is known of the spread of gains before any is seen
ROUNDING = 1e-4  # of the spread of a series: errors are no smaller


@dataclass(frozen=True)
class Gain:
    """By how much errors are smaller, as a share of those without: the mean over series and what 40 % of them exceed;
    and the mean over all forecasts in standard errors.
    """

    share: float = 0.0
    widely: float = 0.0
    surety: float = 0.0

    def reaches(self, least: Gain) -> bool:
        """Whether it is at least that large, that wide and that sure."""
        return self.share >= least.share and self.widely >= least.widely and self.surety >= least.surety


def gain(y: Floats, seasons: tuple[int, ...], without: tuple[int, ...]) -> Gain:
    """The gain of forecasts with `seasons` over those with the seasons `without`, over the horizon of the longest of
    either, on series [s, rows] that end together and spread by about 1, NaN where missing and before they begin.
    """
    longest = max((1, *seasons, *without))
    starts = np.argmax(~np.isnan(y), axis=1)
    typical = int(np.median(starts))
    origins, horizon = held_out(y.shape[1] - typical, longest, FORECAST_FROM // y.size)
    if not origins.size:
        return Gain()
    enough = typical + origins - starts[:, None] >= min(2 * longest, int(origins[-1]))
    better = mean_errors(y, seasons, typical + origins, horizon)
    plain = mean_errors(y, without, typical + origins, horizon)
    valid = enough & ~np.isnan(better) & ~np.isnan(plain)
    used = valid.any(axis=1)
    if not used.any():
        return Gain()
    total = [np.where(valid, errors, 0.0).sum(axis=1)[used] for errors in (plain, better)]
    shares = (total[0] - total[1]) / np.maximum(*total)
    blocks = ((plain - better) / (plain + better))[valid] * 2
    spread = (blocks.var() * len(blocks) + PRIOR_BLOCKS * PRIOR_SPREAD**2) / (len(blocks) + PRIOR_BLOCKS)
    surety = float(blocks.mean() / math.sqrt(spread / len(blocks)))
    return Gain(float(shares.mean()), float(np.quantile(shares, 0.6)), surety)


def held_out(rows: int, season: int, most: int) -> tuple[Ints, int]:
    """Origins over the last rows of a series, ascending, and the horizon: a season, or what two seasons (or one, if
    there are no more) before it leave. No origins where that is less than a third of a season.
    """
    before = 2 * season if rows >= 2 * season + season // 3 + 1 else season
    horizon = min(season, rows - before)
    if season < 2 or 3 * horizon < season:
        return np.zeros(0, np.int64), 0
    last = rows - horizon
    most = min(max(most, FEWEST_ORIGINS), MOST_ORIGINS)
    first = max(before, min(rows - math.ceil(HELD_OUT * rows), last - most // 2 * horizon))
    number = min(most, 1 + 2 * (last - first) // horizon)
    return np.unique(np.linspace(last if number == 1 else first, last, number).astype(np.int64)), horizon


def mean_errors(y: Floats, seasons: tuple[int, ...], origins: Ints, horizon: int) -> Floats:
    """Mean absolute error of each forecast of `horizon` rows, of the kind of level or line that errs least on a
    series: [s, origins], NaN where no row was observed.
    """
    errors = np.stack([_errors(y, seasons, int(origin), horizon) for origin in origins], axis=1)
    seen = ~np.isnan(errors[..., 0])
    mean = np.where(seen[..., None], errors, 0.0).sum(axis=1)
    best = np.argmin(mean, axis=1)
    return np.asarray(np.take_along_axis(errors, best[:, None, None], axis=2)[..., 0])


def _errors(y: Floats, seasons: tuple[int, ...], origin: int, horizon: int) -> Floats:
    """Mean absolute error of each kind of forecast from an origin: [s, kinds]."""
    rows = min(origin, max((ROWS, *(CYCLES * season for season in seasons))))
    bare, ahead = y[:, origin - rows : origin], np.zeros((len(y), horizon))
    steps = np.arange(1, horizon + 1)
    for season in seasons:
        profile = seasonal_profile(bare, season)
        bare = bare - profile[:, np.arange(-rows, 0) % season]
        ahead += profile[:, (steps - 1) % season]
    level, slope = levels_and_slopes(bare[:, -max((LEVEL_ROWS, *(LEVEL_CYCLES * season for season in seasons))) :])
    truth = y[:, origin : origin + horizon] - ahead
    seen = ~np.isnan(truth)
    number = seen.sum(axis=1)
    mean = np.full((len(y), level.shape[1]), np.nan)
    for kind in range(level.shape[1]):
        error = np.abs(truth - level[:, kind, None] - slope[:, kind, None] * steps)
        mean[:, kind] = np.where(seen, error, 0.0).sum(axis=1) / np.maximum(number, 1) + ROUNDING
    mean[number == 0] = np.nan
    return mean


def levels_and_slopes(x: Floats) -> tuple[Floats, Floats]:
    """At the last of rows [s, rows] (NaN where missing), the level and the slope a row of: the last value, and
    discounted least squares of a constant and of a line (Brown 1963, "Smoothing, Forecasting and Prediction").
    """
    moments = _moments(x.shape[1])
    seen = ~np.isnan(x)
    s0, s1, s2 = np.split(seen.astype(np.float64) @ moments, 3, axis=1)
    t0, t1 = np.split(np.where(seen, x, 0.0) @ moments[:, : 2 * len(REACHES)], 2, axis=1)
    s0 = np.where(s0 > 0, s0, 1.0)
    mean, middle = t0 / s0, s1 / s0
    slope = -(t1 - middle * t0) / (np.maximum(s2 - middle * s1, 0.0) + SLOPE_PRIOR)
    last = np.nan_to_num(x[np.arange(len(x)), x.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)])[:, None]
    lines = [REACHES.index(reach) for reach in LINES]
    level = np.concatenate([last, mean, (mean + slope * middle)[:, lines]], axis=1)
    return level, np.concatenate([np.zeros((len(x), 1 + len(REACHES))), slope[:, lines]], axis=1)


@lru_cache(maxsize=2)
def _moments(rows: int) -> Floats:
    """The discounted weights of each row, those times its age, and times its square: [rows, 3 reaches]."""
    age = np.arange(rows - 1, -1, -1.0)[:, None]
    weights = np.exp(-age / np.array(REACHES)) + LEAST_WEIGHT
    return np.concatenate([weights, weights * age, weights * age**2], axis=1)


def seasonal_profile(x: Floats, season: int) -> Floats:
    """What each phase adds to the level of its cycle, drawn to 0 by as much as chance would explain of it (an
    analysis of variance; James & Stein 1961): [s, season]. The first phase is that of the row after the last.
    """
    cycles = x.shape[1] // season
    folded = x[:, x.shape[1] - cycles * season :].reshape(len(x), cycles, season)
    seen = ~np.isnan(folded)
    count = np.maximum(seen.sum(axis=1), 1)
    away, profile = folded, np.zeros((len(x), season))
    for _ in range(1 if seen.all() else 2):  # where phases are missing, cycles have other means without the profile
        away = folded - _level_within(folded - profile[:, None])
        profile = np.where(seen, away, 0.0).sum(axis=1) / count
    if cycles < 2:
        return np.asarray((profile - profile.mean(axis=1, keepdims=True)) / 2)
    inside = np.where(seen, away - profile[:, None], 0.0)
    far = OUTLYING * 1.25 * np.abs(inside).sum(axis=(1, 2)) / np.maximum(seen.sum(axis=(1, 2)), 1)
    inside = np.clip(inside, -far[:, None, None], far[:, None, None])
    profile += inside.sum(axis=1) / count
    profile -= profile.mean(axis=1, keepdims=True)
    freedom = np.maximum((count - 1).sum(axis=1), 1)
    chance = (inside**2).sum(axis=(1, 2)) / freedom / count.mean(axis=1)
    shown = (profile**2).mean(axis=1)
    share = np.clip(1 - chance / np.where(shown > 0, shown, 1.0), 0.0, 1.0)
    return np.asarray(profile * share[:, None])


def _level_within(folded: Floats) -> Floats:
    """Means of cycles [s, cycles, season], NaN where missing, and between their middles what lies on a line."""
    seen = ~np.isnan(folded)
    number = seen.sum(axis=2)
    mean = np.where(seen, folded, 0.0).sum(axis=2) / np.where(number > 0, number, np.nan)
    change = np.nan_to_num(np.diff(mean, axis=1)) if mean.shape[1] > 1 else np.zeros_like(mean)
    before, after = change[:, [0, *range(change.shape[1])]], change[:, [*range(change.shape[1]), -1]]
    if mean.shape[1] == 1:
        before = after = change
    place = (np.arange(folded.shape[2]) + 0.5) / folded.shape[2] - 0.5
    return np.asarray(
        mean[:, :, None] + before[:, :, None] * np.minimum(place, 0) + after[:, :, None] * np.maximum(place, 0)
    )
